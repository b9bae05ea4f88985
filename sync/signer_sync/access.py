"""Who the server is and what lets this machine in: the pinned identity, the bearer token, the way to ask with both.

Any thread: one token and one self-description of the server serve all sessions, and whoever finds the token
stale renews it for all. The token lives in this object only; the device key never leaves it.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar
from urllib.parse import urlencode

import msgspec
import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signer_sync import contract as c
from signer_sync import jws
from signer_sync.errors import ExchangeError, Scope
from signer_sync.http import Answer
from signer_sync.ids import is_uuid
from signer_sync.keystore import DeviceIdentity
from signer_sync.packets import SignedReceipt
from signer_sync.sessions import OneSession
from signer_sync.untrusted import read_json
from signer_sync.wire import DONE, Wire

T = TypeVar("T")

ASSERTION_SECONDS: Final = 240
"""Life of a client assertion; the contract allows five minutes."""
RENEW_BEFORE: Final = 30.0
"""Seconds before its end at which a token is taken for expired: long uploads should begin with a fresh one."""


_FIRST_YEAR, _LAST_YEAR = 1990, 2200
"""A server without a battery tells one of the first; what lies outside can't be reckoned with."""


@dataclass(frozen=True)
class PinnedServer:
    """Who the server is: fixed at enrolment, checked at every contact."""

    server_id: str
    certificate_der: bytes

    @property
    def certificate(self) -> x509.Certificate:
        """The organisation certificate that signs its answers."""
        return x509.load_der_x509_certificate(self.certificate_der)


@dataclass(frozen=True)
class OfferedServer:
    """What a server says of itself before it is pinned; to be confirmed by a person or by configuration."""

    pinned: PinnedServer
    subject: str
    fingerprint: str
    meta: c.Meta


@dataclass(frozen=True)
class _Bearer:
    token: str = field(repr=False)
    until: float
    """On the monotonic clock."""


def discover(session: requests.Session, base_url: str) -> OfferedServer:
    """Asks an address who is there; the answer is signed by the certificate it shows, which proves no more.

    ExchangeError server_not_ours or captive_portal where no document server answers; KnownError server_insecure.
    """
    wire = Wire(base_url, OneSession(session))
    message = wire.signed_self()
    try:
        leaf = jws.unverified_chain(message)[0]
        payload = jws.verify(message, jws.certificate_key(leaf), typ=c.TYP_META).payload
        meta = read_json(payload, c.Meta)
    except (jws.JwsError, msgspec.MsgspecError) as error:
        raise wire.not_ours() from error
    der = leaf.public_bytes(Encoding.DER)
    return OfferedServer(
        PinnedServer(meta.server_id, der),
        leaf.subject.rfc4514_string(),
        hashlib.sha256(der).hexdigest(),
        meta,
    )


def check_receipt(message: c.JwsBody, pinned: PinnedServer, packet_id: str, sha256: str) -> SignedReceipt:
    """The receipt if signature, serverId, packetId and sha256 all fit; ExchangeError receipt_wrong if not."""
    wrong = ExchangeError("receipt_wrong", retry=c.Retry.AFTER)
    try:
        payload = jws.verify(message, jws.certificate_key(pinned.certificate), typ=c.TYP_RECEIPT).payload
        facts = read_json(payload, c.Receipt)
    except (jws.JwsError, msgspec.MsgspecError) as error:
        raise wrong from error
    if (facts.server_id, facts.packet_id, facts.sha256) != (pinned.server_id, packet_id, sha256):
        raise wrong
    return SignedReceipt(facts, message)


class Access:
    """Asks one pinned server for one enrolled device; `device` None: only its self-description.

    `clock` in seconds since 1970, this machine's.
    """

    def __init__(
        self, wire: Wire, pinned: PinnedServer, device: DeviceIdentity | None, clock: Callable[[], float]
    ) -> None:
        self.wire = wire
        self.pinned = pinned
        self.device = device
        self._key = jws.certificate_key(pinned.certificate)
        self._clock = clock
        self._ahead = 0.0  # seconds by which the server's clock is ahead of this machine's
        self._bearer: _Bearer | None = None
        self._meta: c.Meta | None = None
        self._login = threading.RLock()  # held while a token is fetched, so that one is fetched for all

    @property
    def ahead(self) -> float | None:
        """Seconds by which the server's clock is ahead of this machine's; None before its first answer."""
        return self._ahead if self._meta is not None else None

    @property
    def bearer(self) -> str | None:
        """The token that was used last, None before the first; not for showing."""
        return None if self._bearer is None else self._bearer.token

    @property
    def server_clock(self) -> float:
        """Seconds since 1970 as the server has them."""
        return self._clock() + self._ahead

    def meta(self) -> c.Meta:
        """Who is there now; ExchangeError server_not_ours unless the pinned server signed the answer."""
        message = self.wire.signed_self()
        try:
            payload = jws.verify(message, self._key, typ=c.TYP_META).payload
            meta = read_json(payload, c.Meta)
            server_time = _moment(meta.server_time)
        except (jws.JwsError, msgspec.MsgspecError, ValueError) as error:
            raise self.wire.not_ours() from error
        if meta.server_id != self.pinned.server_id or c.API_VERSION not in meta.api_versions:
            raise self.wire.not_ours()
        self._meta = meta
        self._ahead = server_time - self._clock()  # a wrong clock here must not stop the sending
        return meta

    def known_meta(self) -> c.Meta:
        """What the server said of itself last; asked if it has not yet."""
        with self._login:
            return self._meta if self._meta is not None else self.meta()

    def identity(self) -> DeviceIdentity:
        """This machine's enrolment; ExchangeError not_enrolled."""
        if self.device is None:
            raise ExchangeError("not_enrolled", retry=c.Retry.REAUTH, scope=Scope.SERVER)
        return self.device

    def become(self, device: DeviceIdentity) -> None:
        """Speaks for `device` from now on."""
        with self._login:
            self.device, self._bearer = device, None

    def token(self) -> None:
        """Gets a fresh bearer token by a client assertion of the device key (RFC 7523 §2.2)."""
        with self._login:
            self._bearer = self._fetch_bearer()

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
        read_timeout: float | None = None,
        done: Collection[int] = DONE,
    ) -> Answer:
        """A request with the bearer token; raises as `Wire.ask` does. `data` is small: see `with_bearer` for files."""
        return self.with_bearer(
            lambda bearer: self.wire.ask(
                method, path, headers={**(headers or {}), **bearer}, data=data, read_timeout=read_timeout, done=done
            )
        )

    def with_bearer(self, request: Callable[[Mapping[str, str]], T]) -> T:
        """Runs `request` with the bearer token, which is renewed once if the server takes it no longer."""
        bearer, fresh = self._bearer_now()
        try:
            return request(_header(bearer))
        except ExchangeError as error:
            if error.retry is not c.Retry.REAUTH or fresh:
                raise
        with self._login:
            if self._bearer is bearer:  # else another thread has been quicker
                self.token()
        return request(_header(self._bearer_now()[0]))

    def packets_path(self, org: str, packet_id: str) -> str:
        """`/orgs/{org}/packets/{uuid}`. ValueError for another organisation than this machine's, or what is no id."""
        if not is_uuid(packet_id):
            raise ValueError("not a packet id")
        return f"{self.org_path(org)}/packets/{packet_id}"

    def org_path(self, org: str) -> str:
        """`/orgs/{org}`; ValueError for another organisation than this machine's."""
        if org != self.identity().org:
            raise ValueError("this client speaks for another organisation")
        return f"/orgs/{org}"

    def check_receipt(self, message: c.JwsBody, packet_id: str, sha256: str) -> SignedReceipt:
        """The receipt if it is the pinned server's for exactly this packet; else receipt_wrong."""
        return check_receipt(message, self.pinned, packet_id, sha256)

    def _bearer_now(self) -> tuple[_Bearer, bool]:
        """A token that should still do, and whether it was fetched just now."""
        with self._login:
            self.identity()
            self.known_meta()
            bearer = self._bearer
            if bearer is not None and time.monotonic() < bearer.until:
                return bearer, False
            self._bearer = self._fetch_bearer()
            return self._bearer, True

    def _fetch_bearer(self) -> _Bearer:
        device = self.identity()
        self.known_meta()
        assertion = c.Assertion(
            iss=device.device,
            sub=device.device,
            aud=self.pinned.server_id,
            jti=secrets.token_urlsafe(18),
            exp=int(self.server_clock) + ASSERTION_SECONDS,
        )
        message = jws.sign(msgspec.json.encode(assertion), device.key, typ=c.TYP_ASSERTION)
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": c.CLIENT_ASSERTION_TYPE,
            "client_assertion": jws.compact(message),
        }
        asked = time.monotonic()
        answer = self.wire.ask(
            "POST",
            "/token",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            data=urlencode(form).encode("ascii"),
        )
        given = self.wire.decode(answer, c.BearerAnswer)
        # a token so short that it would never do is used all the same, until the server says no
        life = max(given.expires_in - RENEW_BEFORE, given.expires_in / 2)
        return _Bearer(given.access_token, asked + life)


def _moment(told: str) -> float:
    """Seconds since 1970 of a time as the contract has it (with an offset); ValueError for what no clock shows."""
    moment = datetime.fromisoformat(told)
    if moment.tzinfo is None or not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError("no time of a server")
    return moment.timestamp()


def _header(bearer: _Bearer) -> dict[str, str]:
    return {"Authorization": f"Bearer {bearer.token}"}
