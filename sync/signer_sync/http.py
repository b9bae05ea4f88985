"""The one HTTP session factory of the program: document servers, time stamps, OCSP and CRL all go through it.

Runs on the threads of the network pool; a session belongs to one thread at a time. TLS is always
verified, the environment (proxies, CA bundles, netrc) is never consulted unless the caller did so, redirects
are never followed, nothing is read without a limit in bytes and seconds. It never logs and never puts
credentials into an error.
"""

import importlib.metadata
import io
import ipaddress
import re
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import cache, partial
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import SplitResult, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from signer_resources.errors import KnownError
from signer_sync.connections import bound, hung_up_after, was_stale
from signer_sync.proxies import NO_PROXIES, Proxies
from signer_sync.tls import Distrust, distrust_in, trusting

Sendable = bytes | IO[bytes] | io.RawIOBase
"""A body to be sent; a file is sent from where it stands, and needs a known length (`len`, or a real file's)."""

CHUNK: Final = 1 << 16
_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE"})
MAX_SECONDS: Final = 600.0
"""Longest time that one body may take to arrive, however steadily it drips."""


class PlainHttp(Enum):
    """Where http without TLS is allowed."""

    LOOPBACK = "loopback"
    """Document servers: only on this machine."""
    ANYWHERE = "anywhere"
    """TSA, OCSP and CRL, whose answers are signed themselves (the Cipher Committee's are all plain http)."""


class TransferFault(Enum):
    """Why no complete answer came."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls"
    """No secure connection; `TransferError.distrust` tells if it was the certificate, and what of it."""
    PROXY_UNREACHABLE = "proxy_unreachable"
    PROXY_REFUSED = "proxy_refused"
    """The proxy wants a login, another one than it got, or doesn't let us through."""
    CUT = "cut"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    ENCODED = "encoded"


class TransferError(Exception):
    """No complete answer: what was asked may or may not have been done."""

    def __init__(self, fault: TransferFault, distrust: Distrust | None = None) -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.distrust = distrust


@dataclass(frozen=True)
class HttpSettings:
    """How to reach servers; times in seconds.

    `connect_timeout` also bounds each block that is sent, `read_timeout` each wait for more of the answer.
    `extra_ca`: a file with the authorities of the body's own CA, trusted beside the system's.
    """

    proxies: Proxies = NO_PROXIES
    extra_ca: Path | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    plain_http: PlainHttp = PlainHttp.LOOPBACK


@dataclass(frozen=True)
class Answer:
    """A complete answer; header names are looked up without regard to case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The media type without parameters, in lower case."""
        return media_type(self.headers)


def media_type(headers: Mapping[str, str]) -> str:
    """The media type that headers tell, without parameters, in lower case."""
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()


@cache
def user_agent() -> str:
    """What we call ourselves on the wire: signer/<version>."""
    try:
        return f"signer/{importlib.metadata.version('signer')}"
    except importlib.metadata.PackageNotFoundError:
        return "signer/0"


def open_session(settings: HttpSettings) -> requests.Session:
    """A session under the rules of this module; close it after use. KnownError extra_ca_unreadable."""
    return _GuardedSession(settings)


def check_address(url: str, plain_http: PlainHttp) -> SplitResult:
    """The parts of an address that may be asked; KnownError server_insecure for anything else.

    Only https, or http where `plain_http` allows it; no user name or password inside the address.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise KnownError("server_insecure", host="?") from error
    plain_allowed = plain_http is PlainHttp.ANYWHERE or is_loopback(host)
    if not host or "@" in parts.netloc or not (parts.scheme == "https" or (parts.scheme == "http" and plain_allowed)):
        raise KnownError("server_insecure", host=host or "?")
    return parts


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine: 127.0.0.0/8, ::1 or localhost."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def streamed(
    session: requests.Session,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    data: Sendable | None = None,
    read_timeout: float | None = None,
) -> Iterator[requests.Response]:
    """Sends a request and yields the answer with its body unread; TransferError, KnownError server_insecure.

    A request that repeats to the same effect and met a kept connection which was just being closed goes out once more.
    `data` as a file is sent with its length in small blocks: a body in one piece would have to leave
    whole within `connect_timeout` (requests bounds the sending by that).
    """
    timeout = None if read_timeout is None else (_connect_timeout(session), read_timeout)
    again = _repeatable(method, data)
    while True:
        try:
            with _faults():
                response = session.request(
                    method, url, headers=dict(headers or {}), data=data, stream=True, timeout=timeout
                )
            break
        except TransferError as error:
            if again is None or not was_stale(error):
                raise
            again()
            again = None
    try:
        if response.status_code == 407:  # only a proxy asks for this, of what goes through it without TLS
            raise TransferError(TransferFault.PROXY_REFUSED)
        yield response
    finally:
        response.close()


def _repeatable(method: str, data: Sendable | None) -> Callable[[], object] | None:
    """What makes a request ready to be sent a second time; None where it must not be, or can't."""
    if method not in _IDEMPOTENT:
        return None
    if data is None or isinstance(data, bytes):
        return lambda: None
    try:
        if data.seekable():
            return partial(data.seek, data.tell())
    except (AttributeError, OSError, ValueError):  # whatever only reads
        return None
    return None


def exchange(
    session: requests.Session,
    method: str,
    url: str,
    *,
    limit: int,
    headers: Mapping[str, str] | None = None,
    data: Sendable | None = None,
    read_timeout: float | None = None,
) -> Answer:
    """Sends a request and reads the whole answer, at most `limit` bytes of it. Raises as `streamed` does."""
    with streamed(session, method, url, headers=headers, data=data, read_timeout=read_timeout) as response:
        body = b"" if method == "HEAD" else read_capped(response, limit)
        return Answer(response.status_code, response.headers, body)


def read_capped(response: requests.Response, limit: int) -> bytes:
    """The whole body; TransferError(TOO_LARGE) as soon as it exceeds `limit` bytes."""
    body = bytearray()
    for chunk in chunks(response, limit):
        body += chunk
    return bytes(body)


def chunks(
    response: requests.Response,
    limit: int,
    *,
    seconds: float = MAX_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    packed: bool = False,
) -> Iterator[bytes]:
    """The body as it arrives: at most `limit` bytes within `seconds`, and whole; else TransferError.

    `packed`: a gzipped body is let through as it is; see `unpacked`. Else we ask for none and take none.
    """
    if encoding(response) not in ("", "identity", *(["gzip"] if packed else [])):
        raise TransferError(TransferFault.ENCODED)
    declared = response.headers.get("Content-Length", "")
    if declared.isdecimal() and int(declared[:18]) > limit:
        raise TransferError(TransferFault.TOO_LARGE)
    end = clock() + seconds
    total = 0
    # what a length tells comes byte by byte past the clock; what is chunked may drip between its bytes
    dripping = getattr(response.raw, "chunked", False)
    with hung_up_after(response.raw if dripping else None, seconds) as late:
        while True:
            try:
                with _faults():
                    # read1 returns what one receive brought; read would wait for a full block while the clock runs
                    chunk: bytes = response.raw.read1(CHUNK, decode_content=False)
            except TransferError as error:
                if late.is_set():
                    raise TransferError(TransferFault.TOO_SLOW) from error
                raise
            if late.is_set() or (chunk and clock() > end):  # a body that we cut off may read like a whole one
                raise TransferError(TransferFault.TOO_SLOW)
            if not chunk:
                return
            total += len(chunk)
            if total > limit:
                raise TransferError(TransferFault.TOO_LARGE)
            yield chunk


def encoding(response: requests.Response) -> str:
    """The content coding of an answer in lower case, "" without one."""
    return (response.headers.get("Content-Encoding") or "").strip().lower()


def unpacked(packed: Iterator[bytes], limit: int) -> bytes:
    """One gzip stream unpacked: at most `limit` bytes, however small it was packed; else TransferError."""
    machine, out = zlib.decompressobj(wbits=31), bytearray()
    try:
        for chunk in packed:
            out += machine.decompress(chunk, limit + 1 - len(out))
            if len(out) > limit or machine.unconsumed_tail:
                raise TransferError(TransferFault.TOO_LARGE)
            if machine.unused_data:
                raise TransferError(TransferFault.ENCODED)
    except zlib.error as error:
        raise TransferError(TransferFault.ENCODED) from error
    if not machine.eof:
        raise TransferError(TransferFault.CUT)
    return bytes(out)


class _GuardedSession(requests.Session):
    def __init__(self, settings: HttpSettings) -> None:
        super().__init__()
        self.settings = settings
        self.trust_env = False
        self.headers.clear()
        self.headers.update({"User-Agent": user_agent(), "Accept-Encoding": "identity", "Accept": "*/*"})
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))  # none are taken, hence none are sent
        self.adapters.clear()
        adapter = _GuardedAdapter(settings)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere: a redirect is an answer like any other, never followed."""
        return

    def rebuild_auth(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to carry over, since no redirect is followed."""


class _GuardedAdapter(HTTPAdapter):
    def __init__(self, settings: HttpSettings) -> None:
        self._settings = settings
        self._tls = trusting(settings.extra_ca)
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._tls)
        bound(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs, ssl_context=self._tls, proxy_ssl_context=self._tls)
        if not known:
            bound(manager)
        return manager

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        for known in self._settings.proxies.by_scheme.values():
            if known.address == proxy.rstrip("/") and known.authorization is not None:
                return {"Proxy-Authorization": known.authorization}
        return {}

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        url = request.url or ""
        parts = check_address(url, self._settings.plain_http)
        proxy = None if is_loopback(parts.hostname or "") else self._settings.proxies.of(url)
        return super().send(
            request,
            stream=True,
            timeout=kwargs.get("timeout") or (self._settings.connect_timeout, self._settings.read_timeout),
            verify=True,
            proxies={} if proxy is None else {parts.scheme: proxy.address},
        )


def settings_of(session: requests.Session) -> HttpSettings:
    """The settings that a session was opened with."""
    return session.settings if isinstance(session, _GuardedSession) else HttpSettings()


def _connect_timeout(session: requests.Session) -> float:
    return settings_of(session).connect_timeout


@contextmanager
def _faults() -> Iterator[None]:
    """Translates what requests and urllib3 raise; their texts may hold addresses and are dropped."""
    try:
        yield
    except requests.exceptions.ProxyError as error:
        raise TransferError(_proxy_fault(error)) from error
    except (requests.exceptions.SSLError, urllib3.exceptions.SSLError) as error:
        raise TransferError(TransferFault.TLS, distrust_in(error)) from error
    except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError) as error:
        raise TransferError(TransferFault.TIMEOUT) from error
    except requests.exceptions.ConnectionError as error:
        raise TransferError(TransferFault.UNREACHABLE) from error
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise TransferError(TransferFault.CUT) from error


def _proxy_fault(error: requests.exceptions.ProxyError) -> TransferFault:
    """Whether the proxy is away, refuses us, or cannot reach the server itself.

    Python's http.client tells the proxy's answer to CONNECT in the text of an OSError and nowhere else.
    """
    told = re.search(r"Tunnel connection failed: (\d{3})", str(error))
    if told is None:
        return TransferFault.PROXY_UNREACHABLE
    refused = told[1] in ("401", "403", "407", "511")
    return TransferFault.PROXY_REFUSED if refused else TransferFault.UNREACHABLE
