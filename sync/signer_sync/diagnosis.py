"""Why the server can't be reached as it should: a sign-in page of the network, or this machine's clock.

On the thread whose request failed. Asks without any credentials and believes nothing that comes back: it only chooses
the words for a failure that stands. Here alone a certificate is looked at without being trusted.
"""

import email.utils
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3
from cryptography import x509
from urllib3.connectionpool import HTTPSConnectionPool

from signer_sync.connections import BoundedTls
from signer_sync.http import (
    HttpSettings,
    PlainHttp,
    TransferError,
    is_loopback,
    media_type,
    open_session,
    streamed,
    user_agent,
)
from signer_sync.tls import Distrust

SECONDS: Final = 5.0
"""For each look."""
CLOCK_SLACK: Final = timedelta(minutes=5)
"""A clock that is off by less is not the reason."""


@dataclass(frozen=True)
class CertificateClue:
    """What the refused certificate says, and the server's clock; None where it couldn't be had."""

    not_before: datetime | None = None
    not_after: datetime | None = None
    server_time: datetime | None = None

    def clock_is_off(self, now: datetime, distrust: Distrust) -> bool | None:
        """Whether this machine's clock explains the refusal; None if nothing tells."""
        if self.server_time is None:
            # certificates are not made for days to come, but they do run out
            return True if distrust is Distrust.NOT_YET_VALID else None
        if abs(self.server_time - now) <= CLOCK_SLACK:
            return False
        if self.not_before is None or self.not_after is None:
            return (self.server_time > now) is (distrust is Distrust.NOT_YET_VALID)
        return self.not_before <= self.server_time <= self.not_after


class _Noting(ssl.SSLContext):
    """Keeps the certificate that the other side showed, unverified."""

    shown: bytes | None = None

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        wrapped = super().wrap_socket(*args, **kwargs)
        self.shown = wrapped.getpeercert(binary_form=True)
        return wrapped


class _Looking(BoundedTls):
    """A connection to whoever is there, over which nothing is sent that matters."""

    def connect(self) -> None:
        super().connect()
        self.is_verified = True  # no warning: that it isn't is the reason for this look


class _LookingPool(HTTPSConnectionPool):
    ConnectionCls = _Looking


def certificate_clue(url: str, settings: HttpSettings) -> CertificateClue:
    """Looks at the certificate behind `url` and at the Date of an answer, on the same way as the settings tell."""
    context = _Noting(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    parts = urlsplit(url)
    proxy = None if is_loopback(parts.hostname or "") else settings.proxies.of(url)
    timeout = urllib3.Timeout(connect=SECONDS, read=SECONDS)
    manager: urllib3.PoolManager
    if proxy is None:
        manager = urllib3.PoolManager(ssl_context=context)
    else:
        login = {} if proxy.authorization is None else {"Proxy-Authorization": proxy.authorization}
        manager = urllib3.ProxyManager(proxy.address, proxy_headers=login, ssl_context=context)
    manager.pool_classes_by_scheme = {"https": _LookingPool}
    told: str | None = None
    with manager:
        try:
            answer = manager.request(
                "HEAD",
                f"{parts.scheme}://{parts.netloc}/",
                headers={"User-Agent": user_agent()},
                redirect=False,
                retries=False,
                timeout=timeout,
                preload_content=False,
            )
            told = answer.headers.get("Date")
            answer.close()
        except (urllib3.exceptions.HTTPError, OSError, ValueError):
            told = None
    return _clue(context.shown, http_date(told))


def _clue(shown: bytes | None, server_time: datetime | None) -> CertificateClue:
    if shown is None:
        return CertificateClue(server_time=server_time)
    try:
        certificate = x509.load_der_x509_certificate(shown)
        return CertificateClue(certificate.not_valid_before_utc, certificate.not_valid_after_utc, server_time)
    except ValueError:
        return CertificateClue(server_time=server_time)


def http_date(text: str | None) -> datetime | None:
    """A date of HTTP (RFC 9110 §5.6.7); None if it is none."""
    if text is None or len(text) > 40:
        return None
    try:
        told = email.utils.parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    return told if told.tzinfo is not None else told.replace(tzinfo=UTC)


def captive_portal(url: str, settings: HttpSettings) -> bool:
    """Whether something in the network answers in the server's place without TLS: its own page, or a way to one.

    Asks for `url` by plain http on the usual port. False for this machine itself, and where nothing answers.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host):
        return False
    shown = f"[{host}]" if ":" in host else host
    plain = HttpSettings(
        proxies=settings.proxies, connect_timeout=SECONDS, read_timeout=SECONDS, plain_http=PlainHttp.ANYWHERE
    )
    try:
        with open_session(plain) as session:
            asked = streamed(session, "GET", f"http://{shown}{parts.path}")
            with asked as answer:
                return is_portal(answer.status_code, media_type(answer.headers), answer.headers.get("Location"), host)
    except TransferError:
        return False


def is_portal(status: int, media_type: str, location: str | None, host: str) -> bool:
    """Whether such an answer to a question that only our server understands is a sign-in page (RFC 6585 §6), or sends
    there: a redirect that leaves `host`.
    """
    if status == 511:
        return True
    if status in (301, 302, 303, 307, 308):
        try:
            there = urlsplit(location or "").hostname
        except ValueError:
            return True
        return there is not None and there.lower() != host.lower()
    return status in (200, 203) and media_type in ("text/html", "application/xhtml+xml")
