"""The client of the Sync API v1: one document server, one organisation.

Runs on the network pool. Every call makes sure first that the far side is the pinned server; nothing is
sent to any other. Never follows an address that the server names, never writes a file, never shows text
that came from the server.
"""

import io
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlencode

import msgspec
import requests

from signer_sync import contract as c
from signer_sync import jws, registers_client
from signer_sync.access import Access, OfferedServer, PinnedServer, check_receipt, discover
from signer_sync.downloads import download
from signer_sync.errors import ExchangeError
from signer_sync.http import HttpSettings
from signer_sync.keystore import DeviceIdentity
from signer_sync.packets import BinarySink, OutgoingPacket, SignedReceipt
from signer_sync.secrets import Secret
from signer_sync.sessions import MOST, OneSession, SessionPool, Sessions
from signer_sync.untrusted import read_json
from signer_sync.uploads import send_packet
from signer_sync.wire import Wire

__all__ = ["ClientPool", "OfferedServer", "PinnedServer", "ServerClient", "check_receipt", "discover"]

ENROLMENT_SECONDS: Final = 600
"""Life of an enrolment: long enough for a PIN to be typed."""
EXTRA_WAIT: Final = 30.0
"""Seconds that an answer to a long poll may come late."""
MAX_DIRECTORY: Final = 128 << 20
"""Bytes of one page of the directory, unpacked; a first fill has more than 100,000 bodies."""
MAX_DIRECTORY_PACKED: Final = 32 << 20
"""Bytes of it on the line."""
MAX_DIRECTORY_PAGES: Final = 10_000


def _quiet(_more: int) -> None:
    """Nobody wants to know how far it is."""


class _Client:
    """The calls of the contract over some way to reach the server."""

    def __init__(
        self,
        base_url: str,
        pinned: PinnedServer,
        device: DeviceIdentity | None,
        sessions: Sessions,
        epoch_seconds: Callable[[], float],
    ) -> None:
        self._access = Access(Wire(base_url, sessions, clock=epoch_seconds), pinned, device, epoch_seconds)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._access.wire!r})"

    @property
    def org(self) -> str:
        """The organisation for which this machine is enrolled; KnownError not_enrolled if it is not."""
        return self._access.identity().org

    @property
    def device(self) -> DeviceIdentity | None:
        """This machine's enrolment."""
        return self._access.device

    @property
    def ahead(self) -> float | None:
        """Seconds by which the server's clock is ahead of this machine's; None before its first answer."""
        return self._access.ahead

    @property
    def _bearer(self) -> str | None:
        return self._access.bearer

    def meta(self) -> c.Meta:
        """Who is there now; ExchangeError server_not_ours unless the pinned server signed the answer."""
        return self._access.meta()

    def enrol(
        self,
        sign: jws.SignCallback,
        chain_der: Sequence[bytes],
        device: DeviceIdentity,
        code: Secret | None = None,
    ) -> c.EnrolledDevice:
        """Enrols this machine: the token's key (leaf of `chain_der`, root left out) signs for the device key.

        `sign` is called once and hashes itself (RSA, PKCS #1 v1.5, SHA-256). The caller keeps the device
        key before. After a lost answer the same signed object is sent once more, so no second PIN is
        needed. `code`: what the server's administrator gave for this machine, good once.
        """
        access, wire = self._access, self._access.wire
        meta = access.meta()
        enrolment = c.Enrolment(
            device=device.device,
            device_key=jws.device_key(device.key.public_key()),
            server_id=access.pinned.server_id,
            org=device.org,
            nonce=meta.auth.nonce,
            exp=int(access.server_clock) + ENROLMENT_SECONDS,
            code=code.reveal() if code is not None else None,
        )
        message = jws.sign_by_callback(msgspec.json.encode(enrolment), sign, typ=c.TYP_ENROLMENT, chain_der=chain_der)
        body, headers = msgspec.json.encode(message), {"Content-Type": c.MEDIA_JOSE}
        path = f"/devices/{device.device}"
        try:
            answer = wire.ask("PUT", path, headers=headers, data=body)
        except ExchangeError as error:
            if not error.unreachable:
                raise
            access.meta()
            answer = wire.ask("PUT", path, headers=headers, data=body)
        enrolled = wire.decode(answer, c.EnrolledDevice)
        if (enrolled.device, enrolled.org) != (device.device, device.org):
            raise wire.wrong_answer()
        access.become(device)
        return enrolled

    def token(self) -> None:
        """Gets a fresh bearer token by a client assertion of the device key (RFC 7523 §2.2)."""
        self._access.token()

    def me(self) -> c.Me:
        """Who the server takes this machine for, its roles and registers."""
        return self._access.wire.decode(self._access.ask("GET", "/me"), c.Me)

    # -- packets -------------------------------------------------------------------------------------------

    def put_packet(
        self,
        packet: OutgoingPacket,
        journal_head: c.JournalHead | None = None,
        sent: Callable[[int], None] = _quiet,
    ) -> SignedReceipt:
        """Sends a packet and checks the receipt; the same packet again gives the same receipt.

        In one request up to the server's `maxInline`, held in memory gzipped; above it as a resumable upload, read
        from the file as it leaves. `sent(n)`: n more of its bytes have left; they add up to its size. Raises
        ExchangeError packet_too_large, packet_damaged (the file is not what was queued), packet_conflict,
        receipt_wrong, and the others; what `sent` raises passes through and ends the sending.
        """
        return send_packet(self._access, packet, journal_head, sent)

    def receipt(self, packet_id: str, sha256: str) -> SignedReceipt:
        """The receipt of a packet sent earlier, checked; ExchangeError server_refused if there is none."""
        answer = self._access.ask("GET", f"{self._access.packets_path(self.org, packet_id)}/receipt")
        return self.check_receipt(self._access.wire.decode(answer, c.JwsBody), packet_id, sha256)

    def packet_state(self, packet_id: str) -> c.PacketState:
        """What the server knows of a packet that we sent; of one that we got, how far it is with us."""
        answer = self._access.ask("GET", self._access.packets_path(self.org, packet_id))
        return self._access.wire.decode(answer, c.PacketState)

    def check_receipt(self, message: c.JwsBody, packet_id: str, sha256: str) -> SignedReceipt:
        """The receipt if it is the pinned server's for exactly this packet; else receipt_wrong."""
        return self._access.check_receipt(message, packet_id, sha256)

    # -- the directory -------------------------------------------------------------------------------------

    def orgs(self, since: str | None = None) -> c.OrgPage:
        """Bodies of the directory changed since the cursor, all without one; `more`: ask again from its cursor."""
        path = "/orgs" if since is None else "/orgs?" + urlencode({"since": since})
        body = self._access.with_bearer(
            lambda bearer: self._access.wire.ask_packed(
                path, headers=bearer, packed=MAX_DIRECTORY_PACKED, limit=MAX_DIRECTORY
            )
        )
        try:
            return read_json(body, c.OrgPage)
        except msgspec.MsgspecError as error:
            raise self._access.wire.wrong_answer() from error

    def all_orgs(self, since: str | None = None) -> Iterator[c.OrgPage]:
        """Page after page until the directory is at its end; ExchangeError if it never comes to one."""
        for _ in range(MAX_DIRECTORY_PAGES):
            page = self.orgs(since)
            yield page
            if not page.more:
                return
            if page.cursor == since:
                break
            since = page.cursor
        raise self._access.wire.wrong_answer()

    # -- what comes ----------------------------------------------------------------------------------------

    def feed(self, cursor: str | None, *, limit: int = c.MAX_PAGE, wait: int = 0) -> c.FeedPage:
        """The feed behind `cursor` (None: from the start), held open up to `wait` seconds when empty."""
        query = {"limit": str(limit), "wait": str(wait)} | ({} if cursor is None else {"cursor": cursor})
        path = f"{self._access.org_path(self.org)}/feed?{urlencode(query)}"
        page = self._access.wire.decode(self._access.ask("GET", path, read_timeout=wait + EXTRA_WAIT), c.FeedPage)
        numbers = [item.seq for item in page.items]
        if len(numbers) > limit or any(a >= b for a, b in pairwise(numbers)):
            raise self._access.wire.wrong_answer()
        return page

    def content(self, item: c.FeedItem, sink: BinarySink, *, limit: int) -> int:
        """Writes a packet's bytes into `sink` as they come; their number. A cut line is taken up where it broke.

        ExchangeError content_wrong if they are not those of the feed's hash, after a second try where the sink can be
        rewound: then its content is to be thrown away. packet_too_large beyond `limit` bytes.
        """
        download(self._access, item, sink, limit=limit)
        return item.size

    def fetch(self, item: c.FeedItem, *, limit: int) -> bytes:
        """A packet's bytes in memory, checked; raises as `content` does."""
        sink = io.BytesIO()
        self.content(item, sink, limit=limit)
        return sink.getvalue()

    def ack(self, cursor: str) -> None:
        """Tells the server that all up to `cursor` is durable here; an older cursor does nothing."""
        path = f"{self._access.org_path(self.org)}/feed/ack"
        body = msgspec.json.encode(c.FeedAck(cursor=cursor))
        answer = self._access.ask("PUT", path, headers={"Content-Type": c.MEDIA_JSON}, data=body)
        self._access.wire.decode(answer, c.FeedAck)  # a sign-in page has acknowledged nothing

    # -- registers of numbers ------------------------------------------------------------------------------

    def lease(self, register: str, lease_id: str) -> c.Lease:
        """The right to be a register's only writer; the same id asks for the same lease."""
        return registers_client.lease(self._access, register, lease_id)

    def take_number(self, register: str, number_id: str, wish: c.NumberWish) -> c.TakenNumber:
        """The next number of a register, or the one given for this id before; ExchangeError register_lease_lost."""
        return registers_client.take_number(self._access, register, number_id, wish)

    def void_number(self, register: str, number_id: str, reason: str) -> c.TakenNumber:
        """Gives a number up; it stays in the book with the reason (1 to 1000 letters)."""
        return registers_client.void_number(self._access, register, number_id, c.VoidWish(reason=reason))


class ServerClient(_Client):
    """Speaks with one pinned server for one enrolled device, over the caller's session and on one thread at a time.

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
        super().__init__(base_url, pinned, device, OneSession(session), epoch_seconds)


class ClientPool(_Client):
    """The same calls for several threads at once: up to `most` sessions, which share one token. Close it after use.

    ExchangeError extra_ca_unreadable comes with the first call, KnownError server_insecure at once.
    """

    def __init__(
        self,
        address: str,
        pinned: PinnedServer,
        identity: DeviceIdentity | None,
        settings: HttpSettings,
        *,
        most: int = MOST,
        epoch_seconds: Callable[[], float] = time.time,
    ) -> None:
        self._pool = SessionPool(settings, most)
        super().__init__(address, pinned, identity, self._pool, epoch_seconds)

    def close(self) -> None:
        """Ends all connections that are not in use; those in use end with their request."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
