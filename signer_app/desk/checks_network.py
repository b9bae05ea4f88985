"""The network's light, told apart from the server's: this machine's link, the proxy, a sign-in page in between.

Main process; blocks for seconds at most. Nothing is sent to anybody for it but a connection to the proxy: what the
server and the timestamp server have answered, or not, tells the rest.
"""

import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from signer_app.desk.check_values import Check, CheckName, CheckState
from signer_app.desk.exchange import ExchangeSnapshot, Link
from signer_app.exchange.network import http_settings
from signer_app.exchange.session import server_address
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.http import is_loopback
from signer_sync.proxies import Proxy

_PROXY_S = 4.0
_NOWHERE = ("192.0.2.1", 9)
"""An address of documentation (RFC 5737): asking for the way to it sends nothing."""

_OF_NETWORK = frozenset(
    {"captive_portal", "proxy_refused", "proxy_unreachable", "proxy_address_wrong", "extra_ca_unreadable"}
)
"""What the way to a server says of the network and not of the server."""


def network_standing(exchange: ExchangeSnapshot) -> Check:
    """By what the last pass of the exchange met, without asking."""
    if exchange.link is Link.REACHED:
        return _reached()
    if exchange.error is not None and exchange.error.code in _OF_NETWORK:
        return _bad(exchange.error)
    return Check(CheckName.NETWORK, CheckState.NOT_CHECKED, "ua_network_not_checked")


def has_link() -> bool:
    """Whether this machine has a way out of itself, by the system's table of routes; nothing is sent."""
    for family, place in ((socket.AF_INET, _NOWHERE), (socket.AF_INET6, ("2001:db8::1", 9))):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect(place)
                if not probe.getsockname()[0].startswith(("127.", "0.", "::1")):
                    return True
        except OSError:
            continue
    return False


def network_check(space: Workspace, server: Check, timestamp: Check, link: Callable[[], bool] = has_link) -> Check:
    """After server and timestamps were asked: who answered was reached; who didn't may have been hindered on the way.

    Without anybody to be asked, only the link is seen, which proves no way to anywhere.
    """
    if server.error is not None and server.error.code in _OF_NETWORK:
        return _bad(server.error)
    asked = server.key not in ("un_server_external", "ut_server_none", "ut_server_not_checked")
    if asked and (server.error is None or server.error.code not in ("server_unreachable", "server_timeout")):
        # Whatever it said, it was there to say it.
        return _reached()
    if timestamp.state is CheckState.GOOD:
        return _reached()
    url = _address(space)
    if not (is_loopback(urlsplit(url).hostname or "") or link()):
        return _bad(KnownError("machine_no_link"))
    try:
        proxy = http_settings(space).proxies.of(url) if url else None
    except KnownError as error:
        return _bad(error)
    if proxy is not None:
        if not _answers(proxy):
            return _bad(KnownError("proxy_unreachable", proxy=proxy.host))
        return Check(CheckName.NETWORK, CheckState.GOOD, "ua_network_proxy", {"proxy": proxy.host})
    if asked:
        return Check(CheckName.NETWORK, CheckState.GOOD, "ua_network_link")
    return Check(CheckName.NETWORK, CheckState.NOT_CHECKED, "ua_network_link_only")


def behind(network: Check, server: Check) -> Check:
    """The server's own light: behind a network that lets nobody through nothing is known of it."""
    if network.state is CheckState.WARN and server.error is not None and _is_about_the_way(server.error, network):
        return Check(CheckName.SERVER, CheckState.NOT_CHECKED, "ua_server_behind")
    return server


def _is_about_the_way(error: KnownError, network: Check) -> bool:
    way = network.error.code if network.error is not None else ""
    return error.code in _OF_NETWORK or (way in ("machine_no_link", "proxy_unreachable"))


def _address(space: Workspace) -> str:
    """Of whom is asked first; empty: of nobody."""
    settings = space.settings
    own = next((body.server.url for body in settings.bodies if body.server is not None), None)
    return own or (server_address(settings) if settings.server is not None else settings.tsa_url or "")


def _answers(proxy: Proxy) -> bool:
    parts = urlsplit(proxy.address)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=_PROXY_S):
            return True
    except (OSError, ValueError):
        return False


def _reached() -> Check:
    return Check(CheckName.NETWORK, CheckState.GOOD, "ua_network_good")


def _bad(error: KnownError) -> Check:
    return Check(CheckName.NETWORK, CheckState.WARN, "ua_network_bad", error=error)
