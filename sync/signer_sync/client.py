"""The client of the Sync API v1: one document server, one organisation, one thread at a time.

Runs on the network pool. Every call makes sure first that the far side is the pinned server; nothing is
sent to any other. The bearer token lives in this object only; the device key never leaves it. Never
follows an address that the server names, never writes a file, never shows text that came from the server.
"""

import gzip
import hashlib
import io
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
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
from signer_sync.packets import BinarySink, OutgoingPacket, SignedReceipt
from signer_sync.wire import Wire

T = TypeVar("T")

ASSERTION_SECONDS: Final = 240
"""Life of a client assertion; the contract allows five minutes."""
ENROLMENT_SECONDS: Final = 600
"""Life of an enrolment: long enough for a PIN to be typed."""
EXTRA_WAIT: Final = 30.0
"""Seconds that an answer to a long poll may come late."""


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


def discover(session: requests.Session, base_url: str) -> OfferedServer:
    """Asks an address who is there; the answer is signed by the certificate it shows, which proves no more.

    ExchangeError server_not_ours where no document server answers; KnownError server_insecure.
    """
    wire = Wire(base_url, session)
    message = _get_meta(wire)
    try:
        leaf = jws.unverified_chain(message)[0]
        payload = jws.verify(message, jws.certificate_key(leaf), typ=c.TYP_META).payload
        meta = msgspec.json.decode(payload, type=c.Meta)
    except (jws.JwsError, msgspec.MsgspecError) as error:
        raise wire.not_ours() from error
    der = leaf.public_bytes(Encoding.DER)
    return OfferedServer(
        PinnedServer(meta.server_id, der),
        leaf.subject.rfc4514_string(),
        hashlib.sha256(der).hexdigest(),
        meta,
    )


def _get_meta(wire: Wire) -> c.JwsBody:
    """The signed self-description, not yet verified; what is not even of that form is not ours."""
    try:
        return wire.decode(wire.ask("GET", "/meta"), c.JwsBody)
    except ExchangeError as error:
        if error.code in ("server_answer_wrong", "server_refused"):
            raise wire.not_ours() from error
        raise


class ServerClient:
    """Speaks with one pinned server for one enrolled device.

    `device` None: only `meta` and `enrol`. Failures: ExchangeError with its retry class; KnownError
    server_insecure for an address that is not https and not on this machine.
    """

    def __init__(
        self,
        base_url: str,
        pinned: PinnedServer,
        device: DeviceIdentity | None,
        session: requests.Session,
        *,
        epoch_seconds: Callable[[], float] = time.time,
    ) -> None:
        self._wire = Wire(base_url, session)
        self._pinned = pinned
        self._key = jws.certificate_key(pinned.certificate)
        self._device = device
        self._clock = epoch_seconds
        self._ahead = 0.0  # seconds by which the server's clock is ahead of this machine's
        self._bearer: str | None = None
        self._meta: c.Meta | None = None

    def __repr__(self) -> str:
        return f"ServerClient({self._wire!r})"

    @property
    def org(self) -> str:
        """The organisation for which this machine is enrolled; KnownError not_enrolled if it is not."""
        return self._identity().org

    @property
    def device(self) -> DeviceIdentity | None:
        """This machine's enrolment."""
        return self._device

    @property
    def ahead(self) -> float | None:
        """Seconds by which the server's clock is ahead of this machine's; None before its first answer."""
        return self._ahead if self._meta is not None else None

    def meta(self) -> c.Meta:
        """Who is there now; ExchangeError server_not_ours unless the pinned server signed the answer."""
        message = _get_meta(self._wire)
        try:
            payload = jws.verify(message, self._key, typ=c.TYP_META).payload
            meta = msgspec.json.decode(payload, type=c.Meta)
            server_time = datetime.fromisoformat(meta.server_time).timestamp()
        except (jws.JwsError, msgspec.MsgspecError, ValueError) as error:
            raise self._wire.not_ours() from error
        if meta.server_id != self._pinned.server_id or c.API_VERSION not in meta.api_versions:
            raise self._wire.not_ours()
        self._meta = meta
        self._ahead = server_time - self._clock()  # a wrong clock here must not stop the sending
        return meta

    def enrol(self, sign: jws.SignCallback, chain_der: Sequence[bytes], device: DeviceIdentity) -> c.EnrolledDevice:
        """Enrols this machine: the token's key (leaf of `chain_der`, root left out) signs for the device key.

        `sign` is called once and hashes itself (RSA, PKCS #1 v1.5, SHA-256). The caller keeps the device
        key before. After a lost answer the same signed object is sent once more, so no second PIN is
        needed.
        """
        meta = self.meta()
        enrolment = c.Enrolment(
            device=device.device,
            device_key=jws.device_key(device.key.public_key()),
            server_id=self._pinned.server_id,
            org=device.org,
            nonce=meta.auth.nonce,
            exp=int(self._clock() + self._ahead) + ENROLMENT_SECONDS,
        )
        message = jws.sign_by_callback(msgspec.json.encode(enrolment), sign, typ=c.TYP_ENROLMENT, chain_der=chain_der)
        body, headers = msgspec.json.encode(message), {"Content-Type": c.MEDIA_JOSE}
        path = f"/devices/{device.device}"
        try:
            answer = self._wire.ask("PUT", path, headers=headers, data=body)
        except ExchangeError as error:
            if not error.unreachable:
                raise
            self.meta()
            answer = self._wire.ask("PUT", path, headers=headers, data=body)
        enrolled = self._wire.decode(answer, c.EnrolledDevice)
        if (enrolled.device, enrolled.org) != (device.device, device.org):
            raise self._wire.wrong_answer()
        self._device = device
        self._bearer = None
        return enrolled

    def token(self) -> None:
        """Gets a fresh bearer token by a client assertion of the device key (RFC 7523 §2.2)."""
        device = self._identity()
        self._known_meta()
        assertion = c.Assertion(
            iss=device.device,
            sub=device.device,
            aud=self._pinned.server_id,
            jti=secrets.token_urlsafe(18),
            exp=int(self._clock() + self._ahead) + ASSERTION_SECONDS,
        )
        message = jws.sign(msgspec.json.encode(assertion), device.key, typ=c.TYP_ASSERTION)
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": c.CLIENT_ASSERTION_TYPE,
            "client_assertion": jws.compact(message),
        }
        answer = self._wire.ask(
            "POST",
            "/token",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            data=urlencode(form).encode("ascii"),
        )
        self._bearer = self._wire.decode(answer, c.BearerAnswer).access_token

    def put_packet(self, packet: OutgoingPacket, journal_head: c.JournalHead | None = None) -> SignedReceipt:
        """Sends a packet in one request and checks the receipt; the same packet again gives the same receipt.

        The file is held in memory, gzipped, up to the server's `maxInline`. Raises ExchangeError
        packet_too_large, packet_damaged (the file is not what was queued), packet_conflict,
        receipt_wrong, and the others.
        """
        limits = self._known_meta().limits
        if packet.size > min(limits.max_inline, limits.max_packet):
            raise ExchangeError("packet_too_large", retry=c.Retry.FIX, limit=limits.max_inline)
        content = _read_packet(packet)
        encoded = gzip.compress(content, compresslevel=6, mtime=0)
        del content
        headers = {
            "Content-Type": c.MEDIA_PACKET,
            "Content-Encoding": "gzip",
            c.HEADER_CONTENT_DIGEST: c.digest_header(hashlib.sha256(encoded).digest()),
            c.HEADER_PACKET_DIGEST: c.digest_header(bytes.fromhex(packet.sha256)),
        }
        if journal_head is not None:
            headers[c.HEADER_JOURNAL_HEAD] = str(journal_head)
        path = f"/orgs/{self._org_path(packet.org)}/packets/{_uuid(packet.packet_id)}/content"
        answer = self._authorised("PUT", path, headers=headers, data=encoded)
        accepted = self._wire.decode(answer, c.AcceptedPacket)
        return self.check_receipt(accepted.receipt, packet.packet_id, packet.sha256)

    def receipt(self, packet_id: str, sha256: str) -> SignedReceipt:
        """The receipt of a packet sent earlier, checked; ExchangeError server_refused if there is none."""
        path = f"/orgs/{self._org_path(self.org)}/packets/{_uuid(packet_id)}/receipt"
        message = self._wire.decode(self._authorised("GET", path), c.JwsBody)
        return self.check_receipt(message, packet_id, sha256)

    def packet_state(self, packet_id: str) -> c.PacketState:
        """What the server knows of a packet that we sent."""
        path = f"/orgs/{self._org_path(self.org)}/packets/{_uuid(packet_id)}"
        return self._wire.decode(self._authorised("GET", path), c.PacketState)

    def orgs(self, since: str | None = None) -> c.OrgPage:
        """Bodies of the directory changed since the cursor, all without one."""
        query = "" if since is None else "?" + urlencode({"since": since})
        return self._wire.decode(self._authorised("GET", f"/orgs{query}"), c.OrgPage)

    def feed(self, cursor: str | None, *, limit: int = c.MAX_PAGE, wait: int = 0) -> c.FeedPage:
        """The feed behind `cursor` (None: from the start), held open up to `wait` seconds when empty."""
        query = {"limit": str(limit), "wait": str(wait)} | ({} if cursor is None else {"cursor": cursor})
        path = f"/orgs/{self._org_path(self.org)}/feed?{urlencode(query)}"
        page = self._wire.decode(self._authorised("GET", path, read_timeout=wait + EXTRA_WAIT), c.FeedPage)
        numbers = [item.seq for item in page.items]
        if len(numbers) > limit or any(a >= b for a, b in pairwise(numbers)):
            raise self._wire.wrong_answer()
        return page

    def content(self, item: c.FeedItem, sink: BinarySink, *, limit: int) -> int:
        """Writes a packet's bytes into `sink` as they come; their number.

        ExchangeError content_wrong if they are not those of the feed's hash: then the sink's content is
        to be thrown away. packet_too_large beyond `limit` bytes.
        """
        if item.size > limit:
            raise ExchangeError("packet_too_large", retry=c.Retry.FIX, limit=limit)
        path = f"/packets/{_uuid(item.id)}/content"
        self._with_bearer(lambda headers: self._copy(path, headers, item, sink))
        return item.size

    def fetch(self, item: c.FeedItem, *, limit: int) -> bytes:
        """A packet's bytes in memory, checked; raises as `content` does."""
        sink = io.BytesIO()
        self.content(item, sink, limit=limit)
        return sink.getvalue()

    def ack(self, cursor: str) -> None:
        """Tells the server that all up to `cursor` is durable here; an older cursor does nothing."""
        path = f"/orgs/{self._org_path(self.org)}/feed/ack"
        body = msgspec.json.encode(c.FeedAck(cursor=cursor))
        self._authorised("PUT", path, headers={"Content-Type": c.MEDIA_JSON}, data=body)

    def check_receipt(self, message: c.JwsBody, packet_id: str, sha256: str) -> SignedReceipt:
        """The receipt if it is the pinned server's for exactly this packet; else receipt_wrong."""
        return check_receipt(message, self._pinned, packet_id, sha256)

    def _authorised(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
        read_timeout: float | None = None,
    ) -> Answer:
        return self._with_bearer(
            lambda bearer: self._wire.ask(
                method, path, headers={**(headers or {}), **bearer}, data=data, read_timeout=read_timeout
            )
        )

    def _with_bearer(self, request: Callable[[Mapping[str, str]], T]) -> T:
        """Runs `request` with the bearer token, which is renewed once if the server takes it no longer."""
        self._known_meta()
        fresh = self._bearer is None
        if fresh:
            self.token()
        try:
            return request({"Authorization": f"Bearer {self._bearer}"})
        except ExchangeError as error:
            if error.retry is not c.Retry.REAUTH or fresh:
                raise
        self.token()
        return request({"Authorization": f"Bearer {self._bearer}"})

    def _copy(self, path: str, headers: Mapping[str, str], item: c.FeedItem, sink: BinarySink) -> None:
        digest, total = hashlib.sha256(), 0
        with self._wire.stream(path, headers=headers, limit=item.size) as body:
            for chunk in body:
                digest.update(chunk)
                total += len(chunk)
                sink.write(chunk)
        if total != item.size or digest.hexdigest() != item.sha256:
            raise ExchangeError("content_wrong", retry=c.Retry.AFTER)

    def _known_meta(self) -> c.Meta:
        return self._meta if self._meta is not None else self.meta()

    def _identity(self) -> DeviceIdentity:
        if self._device is None:
            raise ExchangeError("not_enrolled", retry=c.Retry.REAUTH, scope=Scope.SERVER)
        return self._device

    def _org_path(self, org: str) -> str:
        if org != self._identity().org:
            raise ValueError("this client speaks for another organisation")
        return org


def check_receipt(message: c.JwsBody, pinned: PinnedServer, packet_id: str, sha256: str) -> SignedReceipt:
    """The receipt if signature, serverId, packetId and sha256 all fit; ExchangeError receipt_wrong if not."""
    wrong = ExchangeError("receipt_wrong", retry=c.Retry.AFTER)
    try:
        payload = jws.verify(message, jws.certificate_key(pinned.certificate), typ=c.TYP_RECEIPT).payload
        facts = msgspec.json.decode(payload, type=c.Receipt)
    except (jws.JwsError, msgspec.MsgspecError) as error:
        raise wrong from error
    if (facts.server_id, facts.packet_id, facts.sha256) != (pinned.server_id, packet_id, sha256):
        raise wrong
    return SignedReceipt(facts, message)


def _read_packet(packet: OutgoingPacket) -> bytes:
    """The file of a packet; ExchangeError packet_damaged unless it is exactly what was queued."""
    damaged = ExchangeError("packet_damaged", retry=c.Retry.FIX)
    try:
        with packet.path.open("rb") as file:
            content = file.read(packet.size + 1)
    except OSError as error:
        raise damaged from error
    if len(content) != packet.size or hashlib.sha256(content).hexdigest() != packet.sha256:
        raise damaged
    return content


def _uuid(text: str) -> str:
    if not is_uuid(text):
        raise ValueError("not a packet id")
    return text
