"""Which proxy a request goes through: the system's, one that is set by hand, or none.

Pure decisions on any thread, besides reading the environment and the operating system's settings when asked to. A
proxy's password never stands in an address, a repr or an error: it travels beside them, in a header for the proxy
alone. This machine itself is never reached through a proxy; that rule is the session's.
"""

import base64
import ipaddress
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec
from requests.utils import should_bypass_proxies

from signer_resources.errors import KnownError
from signer_sync.secrets import Secret

PROXY_PASSWORD: Final = "proxy-password"  # noqa: S105 - the name under which one is kept
"""The name of the proxy's password among the named secrets."""


class ProxyMode(StrEnum):
    """Where the proxy's address comes from."""

    SYSTEM = "system"
    """The environment (`https_proxy`, `no_proxy`) or the settings of Windows and macOS; no PAC scripts."""
    MANUAL = "manual"
    NONE = "none"


class ProxySettings(msgspec.Struct, frozen=True):
    """What an administrator sets.

    `url` ("http://proxy.example.vn:3128") and `no_proxy` (hosts, domains and networks like 10.0.0.0/8, separated by
    commas, that are reached without it) count in mode `manual` only; `user` in both modes that use a proxy. The
    password is kept with the named secrets.
    """

    mode: ProxyMode = ProxyMode.SYSTEM
    url: str = ""
    user: str = ""
    no_proxy: str = ""


@dataclass(frozen=True)
class Proxy:
    """One proxy: its address without user and password, and the header that logs in to it, if any."""

    address: str
    authorization: str | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """Its name, as it may be shown."""
        return urlsplit(self.address).hostname or "?"


def _never(_url: str) -> bool:
    return False


@dataclass(frozen=True)
class Proxies:
    """The proxies by the scheme of what is asked; `direct` says which addresses are reached without one."""

    by_scheme: Mapping[str, Proxy] = field(default_factory=dict)
    direct: Callable[[str], bool] = field(default=_never, repr=False)

    def of(self, url: str) -> Proxy | None:
        """The proxy for `url`, None for the straight way."""
        proxy = self.by_scheme.get(urlsplit(url).scheme)
        return None if proxy is None or self.direct(url) else proxy


NO_PROXIES: Final = Proxies()
"""The straight way to everything."""


def resolve(settings: ProxySettings, password: Secret | None = None) -> Proxies:
    """The proxies under these settings; the system's are read now.

    KnownError proxy_address_wrong if the address set is none, holds a user or password, or is of a kind that is not
    spoken here (SOCKS).
    """
    if settings.mode is ProxyMode.NONE:
        return Proxies()
    login = _authorization(settings.user, password.reveal() if password is not None else "") if settings.user else None
    if settings.mode is ProxyMode.MANUAL:
        if "@" in settings.url:
            raise KnownError("proxy_address_wrong", host=settings.url.rpartition("@")[2])
        proxy = _parse(settings.url, login)
        return Proxies({"http": proxy, "https": proxy}, _by_hand(settings.no_proxy))
    found = urllib.request.getproxies()
    chosen = {scheme: found.get(scheme) or found.get("all") for scheme in ("http", "https")}
    proxies = {scheme: _parse(address, login) for scheme, address in chosen.items() if address}
    return Proxies(proxies, lambda url: bool(should_bypass_proxies(url, no_proxy=None)))


def _by_hand(no_proxy: str) -> Callable[[str], bool]:
    names = [name for part in no_proxy.split(",") if (name := part.strip().lower().lstrip("."))]

    def direct(url: str) -> bool:
        host = (urlsplit(url).hostname or "").lower()
        return any(name == "*" or host == name or host.endswith(f".{name}") or _within(host, name) for name in names)

    return direct


def _within(host: str, network: str) -> bool:
    """Whether `host` is an address of a network such as 10.0.0.0/8."""
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _parse(address: str, login: str | None) -> Proxy:
    text = address.strip()
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise KnownError("proxy_address_wrong", host="?") from error
    if parts.scheme not in ("http", "https") or not host or any(letter.isspace() for letter in text):
        raise KnownError("proxy_address_wrong", host=host or "?")
    shown = f"[{host}]" if ":" in host else host
    return Proxy(f"{parts.scheme}://{shown}:{port or (443 if parts.scheme == 'https' else 80)}", _own(parts) or login)


def _own(parts: SplitResult) -> str | None:
    """The login that the system's own address of the proxy brings along."""
    return None if not parts.username else _authorization(unquote(parts.username), unquote(parts.password or ""))


def _authorization(user: str, password: str) -> str:
    """RFC 7617 §2.1, in UTF-8."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
