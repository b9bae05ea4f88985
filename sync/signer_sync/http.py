"""The one HTTP session factory of the program: document servers, time stamps, OCSP and CRL all go through it.

Runs on the threads of the network pool; a session belongs to one thread at a time. TLS is always
verified, the environment (proxies, CA bundles, netrc) is never consulted, redirects are never followed,
nothing is read without a limit in bytes and seconds. It never logs and never puts credentials into an
error.
"""

import importlib.metadata
import ipaddress
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, lru_cache
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import SplitResult, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from signer_resources.errors import KnownError

CHUNK: Final = 1 << 16
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
    CUT = "cut"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    ENCODED = "encoded"


class TransferError(Exception):
    """No complete answer: what was asked may or may not have been done."""

    def __init__(self, fault: TransferFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True)
class HttpSettings:
    """How to reach servers; `proxies` as requests takes them ({"https": "http://proxy:3128"}), seconds.

    `connect_timeout` also bounds each block that is sent, `read_timeout` each wait for more of the answer.
    """

    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
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
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()


@cache
def user_agent() -> str:
    """What we call ourselves on the wire: signer/<version>."""
    try:
        return f"signer/{importlib.metadata.version('signer')}"
    except importlib.metadata.PackageNotFoundError:
        return "signer/0"


def open_session(settings: HttpSettings) -> requests.Session:
    """A session under the rules of this module; close it after use. OSError if `extra_ca` cannot be read."""
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
    data: bytes | IO[bytes] | None = None,
    read_timeout: float | None = None,
) -> Iterator[requests.Response]:
    """Sends a request and yields the answer with its body unread; TransferError, KnownError server_insecure.

    `data` as a file is sent with its length in small blocks: a body in one piece would have to leave
    whole within `connect_timeout` (requests bounds the sending by that).
    """
    timeout = None if read_timeout is None else (_connect_timeout(session), read_timeout)
    with _faults():
        response = session.request(method, url, headers=dict(headers or {}), data=data, stream=True, timeout=timeout)
    try:
        yield response
    finally:
        response.close()


def exchange(
    session: requests.Session,
    method: str,
    url: str,
    *,
    limit: int,
    headers: Mapping[str, str] | None = None,
    data: bytes | IO[bytes] | None = None,
    read_timeout: float | None = None,
) -> Answer:
    """Sends a request and reads the whole answer, at most `limit` bytes of it. Raises as `streamed` does."""
    with streamed(session, method, url, headers=headers, data=data, read_timeout=read_timeout) as response:
        return Answer(response.status_code, response.headers, read_capped(response, limit))


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
) -> Iterator[bytes]:
    """The body as it arrives: at most `limit` bytes within `seconds`, and whole; else TransferError."""
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        # we ask for none, and decoding would open the door to bombs
        raise TransferError(TransferFault.ENCODED)
    declared = response.headers.get("Content-Length", "")
    if declared.isdecimal() and int(declared[:18]) > limit:
        raise TransferError(TransferFault.TOO_LARGE)
    end = clock() + seconds
    total = 0
    while True:
        with _faults():
            # read1 returns what one receive brought; read would wait for a full block while the clock runs
            chunk: bytes = response.raw.read1(CHUNK, decode_content=False)
        if not chunk:
            return
        total += len(chunk)
        if total > limit:
            raise TransferError(TransferFault.TOO_LARGE)
        if clock() > end:
            raise TransferError(TransferFault.TOO_SLOW)
        yield chunk


class _GuardedSession(requests.Session):
    def __init__(self, settings: HttpSettings) -> None:
        super().__init__()
        self.settings = settings
        self.trust_env = False
        self.headers.clear()
        self.headers.update({"User-Agent": user_agent(), "Accept-Encoding": "identity", "Accept": "*/*"})
        self.adapters.clear()
        adapter = _GuardedAdapter(settings)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere: a redirect is an answer like any other, never followed."""
        return

    def rebuild_auth(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to carry over, since no redirect is followed."""


_AUTHORITIES_FOR_S = 600
"""So long the system's authorities are taken as they were read."""


@lru_cache(maxsize=1)
def _system_tls(_turn: int) -> ssl.SSLContext:
    """Shared by all sessions: reading the authorities takes ten times as long as all else about a timestamp."""
    return ssl.create_default_context()


class _GuardedAdapter(HTTPAdapter):
    def __init__(self, settings: HttpSettings) -> None:
        self._settings = settings
        if settings.extra_ca is None:
            self._tls = _system_tls(int(time.monotonic() // _AUTHORITIES_FOR_S))
        else:
            self._tls = ssl.create_default_context()
            self._tls.load_verify_locations(settings.extra_ca)
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._tls)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        return super().proxy_manager_for(proxy, **kwargs, ssl_context=self._tls)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        parts = check_address(request.url or "", self._settings.plain_http)
        timeout = kwargs.get("timeout") or (self._settings.connect_timeout, self._settings.read_timeout)
        return super().send(
            request,
            stream=True,
            timeout=timeout,
            verify=True,
            proxies={} if is_loopback(parts.hostname or "") else dict(self._settings.proxies),
        )


def _connect_timeout(session: requests.Session) -> float:
    return session.settings.connect_timeout if isinstance(session, _GuardedSession) else 10.0


@contextmanager
def _faults() -> Iterator[None]:
    """Translates what requests and urllib3 raise; their texts may hold addresses and are dropped."""
    try:
        yield
    except (requests.exceptions.SSLError, urllib3.exceptions.SSLError) as error:
        raise TransferError(TransferFault.TLS) from error
    except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError) as error:
        raise TransferError(TransferFault.TIMEOUT) from error
    except requests.exceptions.ConnectionError as error:
        raise TransferError(TransferFault.UNREACHABLE) from error
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise TransferError(TransferFault.CUT) from error
