"""What the top bar says: body, clerk, token, server, what has waited longest.

Pure; loads no Qt.
"""

import datetime as dt

from signer_app.desk.exchange import ExchangeSnapshot, Link
from signer_app.desk.tokens import CertificateView, Life, TokensSnapshot, TokenView
from signer_app.exchange.session import only_signs
from signer_app.store.settings import Settings
from signer_app.store.times import vietnamese_date
from signer_app.workspace import operator_name
from signer_token.model import PinState
from signer_ui.glow import Glow
from signer_ui.presenters.barview import BarView, LightView
from signer_ui.presenters.sending import explained
from signer_ui.words import Words

_OFFLINE = frozenset({"server_unreachable", "interrupted"})
_NAMED = {
    "captive_portal": "un_server_portal",
    "proxy_unreachable": "un_server_proxy",
    "proxy_refused": "un_server_proxy",
    "proxy_address_wrong": "un_server_proxy",
    "clock_or_certificate": "un_server_clock",
    "server_certificate_expired": "un_server_certificate",
    "server_certificate_name": "un_server_certificate",
    "server_certificate_unknown": "un_server_certificate",
    "extra_ca_unreadable": "un_server_certificate",
    "server_busy": "un_server_busy",
}
"""What stands in the way, in the few words that the bar has room for."""
_SOON = dt.timedelta(minutes=1)


def bar_view(
    settings: Settings, tokens: TokensSnapshot, exchange: ExchangeSnapshot, now: dt.datetime, words: Words
) -> BarView:
    """The bar as it stands at `now`."""
    body = settings.bodies[0].name if settings.bodies else words("ui_no_body")
    return BarView(
        body=body if len(settings.bodies) < 2 else words("ui_bodies", name=body, more=len(settings.bodies) - 1),
        clerk=words("ui_clerk", name=settings.clerk or operator_name()),
        token=token_light(tokens, words),
        server=_external_light(words) if only_signs(settings) else server_light(exchange, words),
        unsent=_oldest_unsent(exchange, now, words),
    )


def _oldest_unsent(exchange: ExchangeSnapshot, now: dt.datetime, words: Words) -> str:
    """Empty while nothing has waited for a minute: what was signed just now is on its way."""
    if exchange.oldest_unsent is None or now - exchange.oldest_unsent < _SOON:
        return ""
    return words("ui_oldest_unsent", age=age(now - exchange.oldest_unsent, words))


def token_light(tokens: TokensSnapshot, words: Words) -> LightView:
    """One light for all tokens: what hinders signing comes first."""
    if not tokens.looked:
        return LightView(Glow.OFF, words("ui_token_looking"))
    if not tokens.tokens:
        if tokens.faults:
            first = words.explain(tokens.faults[0])
            return LightView(Glow.BAD, words("ui_token_fault"), str(first))
        return LightView(Glow.OFF, words("ui_token_none"))
    view, certificate = _foremost(tokens)
    if view.token.pin_state is PinState.LOCKED:
        return LightView(Glow.BAD, words("ui_token_locked", name=view.name))
    if certificate is None:
        return LightView(Glow.WARN, words("ui_token_empty", name=view.name))
    name = certificate.certificate.common_name or view.name
    match certificate.life:
        case Life.EXPIRED:
            return LightView(Glow.BAD, words("ui_token_expired", name=name))
        case Life.NOT_YET:
            return LightView(Glow.BAD, words("ui_token_not_yet", name=name))
        case Life.LAST:
            return LightView(Glow.BAD, words("ui_token_last", name=name, days=certificate.days_left))
        case Life.DUE:
            return LightView(Glow.WARN, words("ui_token_due", name=name, days=certificate.days_left))
        case Life.ENDING:
            return LightView(Glow.WARN, words("ui_token_days", name=name, days=certificate.days_left))
    if view.token.pin_state is PinState.FINAL:
        return LightView(Glow.WARN, words("ui_token_final", name=name))
    until = vietnamese_date(certificate.certificate.not_after)
    return LightView(Glow.GOOD, words("ui_token_good", name=name), words("ui_token_until", date=until))


def _foremost(tokens: TokensSnapshot) -> tuple[TokenView, CertificateView | None]:
    """The token that the bar speaks of: one with a body's certificate, else the first."""
    if tokens.sealing:
        return tokens.sealing[0]
    for view in tokens.tokens:
        if view.certificates:
            return view, view.certificates[0]
    return tokens.tokens[0], None


def server_light(exchange: ExchangeSnapshot, words: Words) -> LightView:
    """The document server's light."""
    since = exchange.since.strftime("%H:%M") if exchange.since else ""
    match exchange.link:
        case Link.NOT_SET:
            return LightView(Glow.OFF, words("ui_server_not_set"))
        case Link.NOT_ENROLLED:
            return LightView(Glow.WARN, words("ui_server_not_enrolled"))
        case Link.NOT_ASKED:
            return LightView(Glow.OFF, words("ui_server_not_asked"))
        case Link.REACHED:
            return LightView(Glow.GOOD, words("ui_server_reached"), words("ui_server_since", time=since))
    if exchange.error is None:
        return LightView(Glow.WARN, words("ui_server_away", time=since))
    tip = str(explained(exchange.error, words))
    key = _NAMED.get(exchange.error.code, "un_server_trouble")
    return LightView(Glow.WARN, words("ui_server_away", time=since) if is_offline(exchange) else words(key), tip)


def is_offline(exchange: ExchangeSnapshot) -> bool:
    """Whether it is the network that is missing, which mends itself; anything else wants to be looked at."""
    return exchange.link is Link.AWAY and (exchange.error is None or exchange.error.code in _OFFLINE)


def _external_light(words: Words) -> LightView:
    return LightView(Glow.OFF, words("un_bar_external"), words("un_bar_external_tip"))


def age(passed: dt.timedelta, words: Words) -> str:
    """A span of time as people say it: minutes, hours or days, whole ones."""
    minutes = max(0, int(passed.total_seconds() // 60))
    if minutes < 60:
        return words("ui_minutes", count=minutes)
    if minutes < 48 * 60:
        return words("ui_hours", count=minutes // 60)
    return words("ui_days", count=minutes // (24 * 60))
