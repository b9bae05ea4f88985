"""What the pane of the tokens shows: each token, its certificates, what they are used for, what to be warned of.

Pure values in and out, any thread; loads no Qt. A change that the person wants of the settings is a value too.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from signer_app.desk.tokens import CertificateView, Life, TokensSnapshot, TokenView, assign_body, confirm_role
from signer_app.pdf.plan import VIETNAM
from signer_app.store.settings import CertificateRole, Settings
from signer_resources.errors import KnownError
from signer_token.model import PinState
from signer_ui.glow import Glow
from signer_ui.presenters.figures import count
from signer_ui.words import Words

_COMMON_NAME = re.compile(r"(?:^|,)CN=((?:\\.|[^,\\])+)")


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


Change = SetRole | SetBody


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
    """A token with its certificates; `empty` says so when it has none that can sign."""

    name: str
    where: str
    pin: str
    glow: Glow
    certificates: tuple[CertificateCard, ...]
    empty: str


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


def changed(settings: Settings, change: Change) -> Settings:
    """The settings with what the person wants."""
    match change:
        case SetRole(certificate, role):
            return confirm_role(settings, certificate, role)
        case SetBody(certificate, body):
            return assign_body(settings, certificate, body)


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
    )


def _certificate(view: CertificateView, settings: Settings, words: Words) -> CertificateCard:
    certificate = view.certificate
    since, until = _day(certificate.not_before), _day(certificate.not_after)
    facts = [
        (words("us_token_organisation"), certificate.organization),
        (words("us_token_issuer"), _common_name(certificate.issuer)),
        (words("us_token_validity"), _validity(view, since, until, words)),
        (words("us_token_serial"), certificate.serial),
        (words("us_token_key"), certificate.key),
    ]
    return CertificateCard(
        name=certificate.common_name or certificate.serial,
        facts=tuple((what, value) for what, value in facts if value),
        warning=_warning(view, since, until, words),
        glow=_LIFE_GLOWS[view.life],
        use=_use(view, settings, words),
        offers=_offers(view, settings, words),
    )


def _validity(view: CertificateView, since: str, until: str, words: Words) -> str:
    left = words("us_token_days", days=count(view.days_left, words)) if view.life in (Life.VALID, Life.ENDING) else ""
    return f"{words('us_token_span', since=since, until=until)} {left}".rstrip()


def _warning(view: CertificateView, since: str, until: str, words: Words) -> str:
    match view.life:
        case Life.ENDING:
            return words("us_token_ending", days=count(view.days_left, words), until=until)
        case Life.EXPIRED:
            return words("us_token_expired", until=until)
        case Life.NOT_YET:
            return words("us_token_not_yet", since=since)
        case Life.VALID:
            return ""


def _use(view: CertificateView, settings: Settings, words: Words) -> str:
    if view.body is not None and view.role is CertificateRole.AGENCY:
        return words("us_use_body", body=view.body)
    if not view.role_confirmed:
        return words(f"us_use_guess_{view.role}")
    if view.role is CertificateRole.AGENCY and not settings.bodies:
        return words("us_use_no_body")
    return words(f"us_use_{view.role}")


def _offers(view: CertificateView, settings: Settings, words: Words) -> tuple[Offer, ...]:
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


def _common_name(subject: str) -> str:
    """The common name in an RFC 4514 text; the whole text where there is none."""
    found = _COMMON_NAME.search(subject)
    return re.sub(r"\\(.)", r"\1", found[1]) if found else subject


_PIN_GLOWS = {
    PinState.OK: Glow.GOOD,
    PinState.LOW: Glow.WARN,
    PinState.FINAL: Glow.BAD,
    PinState.LOCKED: Glow.BAD,
    PinState.UNKNOWN: Glow.OFF,
}
_LIFE_GLOWS = {Life.VALID: Glow.GOOD, Life.ENDING: Glow.WARN, Life.EXPIRED: Glow.BAD, Life.NOT_YET: Glow.BAD}
