"""What the pane of the tokens shows: each token, its certificates, what they are used for, what to be warned of.

Pure values in and out, any thread; loads no Qt. A change that the person wants of the settings is a value too.
"""

from dataclasses import dataclass
from datetime import datetime

from signer_app.desk.tokens import CertificateView, Life, TokensSnapshot, TokenView, assign_body, confirm_role
from signer_app.pdf.plan import VIETNAM
from signer_app.signing.renewal import Inheritance, ask_as_new, take_over
from signer_app.store.settings import CertificateRole, Settings
from signer_resources.errors import KnownError
from signer_token.model import PinState
from signer_ui.glow import Glow
from signer_ui.presenters.figures import common_name, count
from signer_ui.presenters.today import Alarm
from signer_ui.tabs import Tab
from signer_ui.words import Words


@dataclass(frozen=True)
class SetRole:
    """The certificate is a body's, or a person's."""

    certificate: str
    role: CertificateRole


@dataclass(frozen=True)
class SetBody:
    """The certificate seals for the body with this code; None: for none."""

    certificate: str
    body: str | None


@dataclass(frozen=True)
class TakeOver:
    """The certificate replaces an older one, and has from now on what that had."""

    wish: Inheritance

    @property
    def certificate(self) -> str:
        """SHA-256 of the new certificate."""
        return self.wish.certificate


@dataclass(frozen=True)
class AskAsNew:
    """The certificate replaces none that is known."""

    wish: Inheritance

    @property
    def certificate(self) -> str:
        """SHA-256 of the new certificate."""
        return self.wish.certificate


Change = SetRole | SetBody | TakeOver | AskAsNew


@dataclass(frozen=True)
class Offer:
    """A button: its words, and what it changes."""

    words: str
    change: Change


@dataclass(frozen=True)
class CertificateCard:
    """A certificate. `facts` are pairs of what and its value; `warning` is empty when there is none."""

    name: str
    facts: tuple[tuple[str, str], ...]
    warning: str
    glow: Glow
    use: str
    offers: tuple[Offer, ...]


@dataclass(frozen=True)
class TokenCard:
    """A token with its certificates; `empty` says so when it has none that can sign.

    `pin_of`: a certificate (SHA-256) that names the token when its PIN is changed; empty where that can't be done here.
    """

    name: str
    where: str
    pin: str
    glow: Glow
    certificates: tuple[CertificateCard, ...]
    empty: str
    pin_of: str


@dataclass(frozen=True)
class TokenPage:
    """The whole pane. `waiting` is said before the first look has ended."""

    waiting: str
    errors: tuple[KnownError, ...]
    cards: tuple[TokenCard, ...]


def token_page(tokens: TokensSnapshot, settings: Settings, words: Words) -> TokenPage:
    """The pane for what is plugged in now."""
    if not tokens.looked:
        return TokenPage(words("us_token_waiting"), (), ())
    errors = tokens.faults
    if not tokens.tokens and not errors:
        errors = (KnownError("no_token"),)
    return TokenPage("", errors, tuple(_token(view, settings, words) for view in tokens.tokens))


def certificate_alarms(tokens: TokensSnapshot, words: Words) -> tuple[Alarm, ...]:
    """A line of the red strip for each certificate that has a week left at most, unless its successor is there too."""
    views = [view for token in tokens.tokens for view in token.certificates]
    return tuple(
        Alarm(
            words(
                "us_alarm_last",
                name=view.certificate.common_name or view.certificate.serial,
                days=count(view.days_left, words),
                until=_day(view.certificate.not_after),
            ),
            words("ut_look"),
            Tab.TOKEN,
        )
        for view in views
        if view.life is Life.LAST and not any(_succeeds(other, view) for other in views)
    )


def _succeeds(one: CertificateView, other: CertificateView) -> bool:
    new, old = one.certificate, other.certificate
    return new.subject == old.subject and new.not_after > old.not_after


def changed(settings: Settings, change: Change) -> Settings:
    """The settings with what the person wants."""
    match change:
        case SetRole(certificate, role):
            return confirm_role(settings, certificate, role)
        case SetBody(certificate, body):
            return assign_body(settings, certificate, body)
        case TakeOver(wish):
            return take_over(settings, wish)
        case AskAsNew(wish):
            return ask_as_new(settings, wish)


def _token(view: TokenView, settings: Settings, words: Words) -> TokenCard:
    token = view.token
    certificates = tuple(_certificate(one, settings, words) for one in view.certificates)
    return TokenCard(
        name=view.name,
        where=words("us_token_where", serial=token.serial, driver=token.module.name),
        pin=words("us_token_final" if token.pin_state is PinState.FINAL else f"pin_state_{token.pin_state}"),
        glow=_PIN_GLOWS[token.pin_state],
        certificates=certificates,
        empty="" if certificates else words("us_token_empty"),
        pin_of="" if token.pin_state is PinState.LOCKED else next((c.sha256 for c in token.certificates), ""),
    )


def _certificate(view: CertificateView, settings: Settings, words: Words) -> CertificateCard:
    certificate = view.certificate
    since, until = _day(certificate.not_before), _day(certificate.not_after)
    facts = [
        (words("us_token_organisation"), certificate.organization),
        (words("us_token_issuer"), common_name(certificate.issuer)),
        (words("us_token_validity"), _validity(view, since, until, words)),
        (words("us_token_serial"), certificate.serial),
        (words("us_token_key"), certificate.key),
        (words("us_token_usage"), usage_words(view, words)),
        (words("us_token_private_key"), words(f"us_private_key_{_KEY_SEEN[certificate.key_present]}")),
    ]
    return CertificateCard(
        name=certificate.common_name or certificate.serial,
        facts=tuple((what, value) for what, value in facts if value),
        warning=_warning(view, since, until, words),
        glow=Glow.BAD if certificate.key_present is False else _LIFE_GLOWS[view.life],
        use=_use(view, settings, words),
        offers=_offers(view, settings, words),
    )


def _validity(view: CertificateView, since: str, until: str, words: Words) -> str:
    left = words("us_token_days", days=count(view.days_left, words)) if view.life in _CURRENT else ""
    return f"{words('us_token_span', since=since, until=until)} {left}".rstrip()


def usage_words(view: CertificateView, words: Words) -> str:
    """What the certificate is for, in words; empty where it restricts nothing."""
    return ", ".join(words(f"us_usage_{usage}") for usage in view.usages)


def _warning(view: CertificateView, since: str, until: str, words: Words) -> str:
    if view.certificate.key_present is False and view.life is not Life.EXPIRED:
        return words("us_token_no_key")
    days = count(view.days_left, words)
    match view.life:
        case Life.ENDING:
            return words("us_token_ending", days=days, until=until)
        case Life.DUE:
            return words("us_token_due", days=days, until=until)
        case Life.LAST:
            return words("us_token_last", days=days, until=until)
        case Life.EXPIRED:
            return words("us_token_expired", until=until)
        case Life.NOT_YET:
            return words("us_token_not_yet", since=since)
        case Life.VALID:
            return ""


def _use(view: CertificateView, settings: Settings, words: Words) -> str:
    if view.replaces is not None:
        return _replacing(view.replaces, words)
    if view.body is not None and view.role is CertificateRole.AGENCY:
        return words("us_use_body", body=view.body)
    if not view.role_confirmed:
        return words(f"us_use_guess_{view.role}")
    if view.role is CertificateRole.AGENCY and not settings.bodies:
        return words("us_use_no_body")
    return words(f"us_use_{view.role}")


def _replacing(wish: Inheritance, words: Words) -> str:
    """The one question about a renewed certificate: which it replaces, and what it would be used for."""
    old, until = wish.old_facts.serial, _day(wish.old_facts.not_after)
    if wish.body is not None:
        return words("us_replaces_body", serial=old, until=until, body=wish.body.name)
    return words(f"us_replaces_{wish.role}", serial=old, until=until)


def _offers(view: CertificateView, settings: Settings, words: Words) -> tuple[Offer, ...]:
    if view.replaces is not None:
        return (
            Offer(words("us_offer_take_over"), TakeOver(view.replaces)),
            Offer(words("us_offer_as_new"), AskAsNew(view.replaces)),
        )
    sha256, agency = view.certificate.sha256, view.role is CertificateRole.AGENCY
    current = settings.body_of(sha256) if agency else None
    offers = []
    if agency:
        offers += [
            Offer(words("us_offer_body", body=body.name), SetBody(sha256, body.code))
            for body in settings.bodies
            if body != current
        ]
    if not view.role_confirmed:
        offers.append(Offer(words(f"us_offer_yes_{view.role}"), SetRole(sha256, view.role)))
    if current is not None:
        offers.append(Offer(words("us_offer_no_body", body=current.name), SetBody(sha256, None)))
    other = CertificateRole.PERSONAL if agency else CertificateRole.AGENCY
    doubt = words(f"us_offer_change_{other}") if view.role_confirmed else words(f"us_offer_no_{other}")
    offers.append(Offer(doubt, SetRole(sha256, other)))
    return tuple(offers)


def _day(moment: datetime) -> str:
    return moment.astimezone(VIETNAM).strftime("%d/%m/%Y")


_PIN_GLOWS = {
    PinState.OK: Glow.GOOD,
    PinState.LOW: Glow.WARN,
    PinState.FINAL: Glow.BAD,
    PinState.LOCKED: Glow.BAD,
    PinState.UNKNOWN: Glow.OFF,
}
_LIFE_GLOWS = {
    Life.VALID: Glow.GOOD,
    Life.ENDING: Glow.WARN,
    Life.DUE: Glow.WARN,
    Life.LAST: Glow.BAD,
    Life.EXPIRED: Glow.BAD,
    Life.NOT_YET: Glow.BAD,
}
_CURRENT = frozenset({Life.VALID, Life.ENDING, Life.DUE, Life.LAST})
_KEY_SEEN = {True: "there", False: "missing", None: "unknown"}
