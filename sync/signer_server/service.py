"""The endpoints of the Sync API: what each request may do and what it is answered.

Runs on the server's event loop; whatever touches the disk or a key runs on worker threads. Every refusal,
404, 405 and fault is problem+json; a fault's text stays in the server's log.
"""

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from signer_resources.errors import KnownError
from signer_server import enrolment
from signer_server.accounts import Accounts, Device
from signer_server.body import announced_digest, drain, read_packet_body, read_small
from signer_server.database import Database
from signer_server.enrolment import Organisation, TrustedRoots
from signer_server.forms import (
    Endpoint,
    accepted_answer,
    decode,
    guarded,
    http_problem,
    jose_answer,
    journal_head_of,
    json_answer,
    make_cursor,
    number_of,
    read_cursor,
    uuid_of,
)
from signer_server.hub import Hub
from signer_server.packets import KeptPacket, NewPacket, Packets, same_packet
from signer_server.problems import RefusedError
from signer_sync import contract as c
from signer_sync import jws
from signer_sync.contract import ProblemCode
from signer_sync.edxml_read import ReadLimits, read_packet

_SMALL: Final = 64 * 1024
_UPLOADS: Final = 8
"""Packets in memory at once."""


@dataclass(frozen=True)
class ServerIdentity:
    """The organisation certificate that signs the server's answers: chain in DER, leaf first, and its key."""

    server_id: str
    chain_der: tuple[bytes, ...]
    key: jws.PrivateKey

    def __repr__(self) -> str:
        return f"ServerIdentity({self.server_id!r})"

    @classmethod
    def of(cls, server_id: str, chain: Sequence[x509.Certificate], key: jws.PrivateKey) -> "ServerIdentity":
        """From loaded certificates."""
        return cls(server_id, tuple(item.public_bytes(Encoding.DER) for item in chain), key)


@dataclass(frozen=True)
class ServerRules:
    """What the server allows: whom, how much (bytes of unencoded edXML), for how long (seconds)."""

    organisations: tuple[Organisation, ...]
    roots: TrustedRoots
    max_inline: int = 16 << 20
    bearer_seconds: int = 900
    min_client: str = "0.1.0"


class Service:
    """The application over opened state; `app` is the ASGI callable."""

    def __init__(
        self, identity: ServerIdentity, rules: ServerRules, database: Database, packets: Packets, hub: Hub
    ) -> None:
        self._identity = identity
        self._rules = rules
        self._database = database
        self._accounts = Accounts(database)
        self._packets = packets
        self._hub = hub
        self._uploads = asyncio.Semaphore(_UPLOADS)
        self._accounts.set_organisations(
            [
                c.Org(code=item.code, name=item.name, parent=item.parent, active=item.active)
                for item in rules.organisations
            ]
        )
        packet = "/v1/orgs/{org}/packets/{packet}"
        table: tuple[tuple[str, str, Endpoint], ...] = (
            ("GET", "/v1/meta", self.meta),
            ("PUT", "/v1/devices/{device}", self.enrol),
            ("POST", "/v1/token", self.token),
            ("GET", "/v1/orgs", self.orgs),
            ("PUT", f"{packet}/content", self.put_packet),
            ("GET", packet, self.packet_state),
            ("GET", f"{packet}/receipt", self.receipt),
            ("GET", "/v1/orgs/{org}/feed", self.feed),
            ("PUT", "/v1/orgs/{org}/feed/ack", self.acknowledge),
            ("GET", "/v1/packets/{packet}/content", self.content),
        )
        self.app = Starlette(
            routes=[Route(path, guarded(endpoint), methods=[method]) for method, path, endpoint in table],
            exception_handlers={HTTPException: http_problem},
        )

    @property
    def accounts(self) -> Accounts:
        """Organisations and machines, for the administrator's side."""
        return self._accounts

    # -- identity ------------------------------------------------------------------------------------------

    async def meta(self, _: Request) -> Response:
        """Who this server is, signed."""

        def made() -> c.JwsBody:
            meta = c.Meta(
                server_id=self._identity.server_id,
                feed_epoch=self._database.epoch,
                server_time=self._database.now_text(),
                api_versions=(c.API_VERSION,),
                min_client=self._rules.min_client,
                limits=c.Limits(max_packet=self._rules.max_inline, max_inline=self._rules.max_inline, max_chunk=0),
                auth=c.AuthOffer(token_endpoint="/v1/token", nonce=self._accounts.make_nonce()),  # noqa: S106
            )
            return self._sign(meta, c.TYP_META, with_chain=True)

        return jose_answer(await run_in_threadpool(made))

    async def enrol(self, request: Request) -> Response:
        """Records a machine whose enrolment a token signed."""
        device = uuid_of(request, "device")
        message = decode(await read_small(request, _SMALL), c.JwsBody)

        def enrolled() -> tuple[c.EnrolledDevice, bool]:
            known = self._accounts.device(device)
            created = False
            if known is None or known.revoked or known.enrolment != jws.digest(message):
                checked = enrolment.check_enrolment(
                    message,
                    device=device,
                    server_id=self._identity.server_id,
                    now=self._database.clock(),
                    roots=self._rules.roots,
                    organisations=self._rules.organisations,
                )
                facts = checked.facts
                created = self._accounts.enrol(
                    device,
                    facts.org,
                    facts.device_key,
                    checked.certificate_der,
                    jws.digest(message),
                    facts.nonce,
                )
                known = self._accounts.device(device)
            assert known is not None
            return c.EnrolledDevice(device=device, org=known.org, enrolled_at=known.enrolled_at), created

        answer, created = await run_in_threadpool(enrolled)
        return json_answer(answer, 201 if created else 200)

    async def token(self, request: Request) -> Response:
        """A bearer token for an assertion by an enrolled device (RFC 7523 §2.2)."""
        form = parse_qs((await read_small(request, _SMALL)).decode("utf-8", "replace"), max_num_fields=10)
        if form.get("client_assertion_type") != [c.CLIENT_ASSERTION_TYPE]:
            raise RefusedError(ProblemCode.BAD_REQUEST, "client_assertion_type")
        try:
            message = jws.from_compact(form.get("client_assertion", [""])[0])
        except jws.JwsError as error:
            raise RefusedError(ProblemCode.TOKEN_INVALID) from error

        def made() -> c.BearerAnswer:
            device = self._accounts.device(enrolment.assertion_device(message))
            if device is None:
                raise RefusedError(ProblemCode.TOKEN_INVALID)
            facts = enrolment.check_assertion(
                message,
                jws.load_device_key(device.key),
                server_id=self._identity.server_id,
                now=self._database.clock(),
            )
            if device.revoked:
                raise RefusedError(ProblemCode.DEVICE_REVOKED)
            if not self._accounts.use_once(f"{device.id}/{facts.jti}", facts.exp):
                raise RefusedError(ProblemCode.TOKEN_INVALID, "assertion used before")
            seconds = self._rules.bearer_seconds
            return c.BearerAnswer(
                access_token=self._accounts.make_bearer(device, seconds),
                token_type="Bearer",  # noqa: S106 - the kind of token, not one
                expires_in=seconds,
            )

        response = json_answer(await run_in_threadpool(made))
        response.headers["Cache-Control"] = "no-store"
        return response

    async def orgs(self, request: Request) -> Response:
        """What changed in the directory."""
        await self._device(request)
        since = request.query_params.get("since")
        revision = 0 if since is None else self._position(since)
        items, now = await run_in_threadpool(self._accounts.organisations, revision)
        return json_answer(c.OrgPage(items=items, cursor=make_cursor(self._database.epoch, now)))

    # -- packets -------------------------------------------------------------------------------------------

    async def put_packet(self, request: Request) -> Response:
        """Takes a packet; the same one again gets the same receipt, whatever the limits are now."""
        device = await self._device_of(request)
        packet_id = uuid_of(request, "packet")
        announced = announced_digest(request)
        known = same_packet(await run_in_threadpool(self._packets.packet, packet_id), device.org, announced)
        if known is not None:
            await drain(request, self._rules.max_inline * 2)
            return accepted_answer(known, 200)
        head = journal_head_of(request)
        async with self._uploads:
            body = await read_packet_body(request, self._rules.max_inline)
            kept, created = await run_in_threadpool(self._keep, device, packet_id, body.content, body.sha256, head)
        if created:
            state = await run_in_threadpool(self._packets.state, packet_id)
            self._hub.wake(item.org for item in (state.recipients if state is not None else ()))
        return accepted_answer(kept, 201 if created else 200)

    def _keep(
        self, device: Device, packet_id: str, content: bytes, sha256: str, head: str | None
    ) -> tuple[KeptPacket, bool]:
        limits = ReadLimits(packet=self._rules.max_inline)
        try:
            packet = read_packet(io.BytesIO(content), lambda _: _Nowhere(), limits)
        except KnownError as error:
            place = f"{error.params['reason']}, line {error.params['line']}"
            raise RefusedError(ProblemCode.INVALID_EDXML, place) from error
        header = packet.header
        if packet.secret:
            raise RefusedError(ProblemCode.SECRET_REFUSED)
        if header.sender.code != device.org:
            raise RefusedError(ProblemCode.METADATA_MISMATCH, "From is not the sending organisation")
        if header.kind is not c.PacketKind.STATUS and not header.document_id:
            raise RefusedError(ProblemCode.INVALID_EDXML, "DocumentId missing")
        if not header.routed_to:
            raise RefusedError(ProblemCode.UNKNOWN_RECEIVER, "no receiver")
        new = NewPacket(packet_id, device, sha256, content, header, head)
        return self._packets.keep(new, lambda receipt: self._sign(receipt, c.TYP_RECEIPT))

    async def packet_state(self, request: Request) -> Response:
        """How far a packet of the caller's organisation is."""
        known = await self._sent_packet(request)
        state = await run_in_threadpool(self._packets.state, known.id)
        assert state is not None
        return json_answer(state)

    async def receipt(self, request: Request) -> Response:
        """The receipt of a packet of the caller's organisation, the same bytes each time."""
        known = await self._sent_packet(request)
        return Response(known.receipt, media_type=c.MEDIA_JOSE)

    async def content(self, request: Request) -> Response:
        """A packet's bytes, for its sender and its receivers; ranges are served (RFC 9110 §14)."""
        device = await self._device(request)
        packet_id = uuid_of(request, "packet")
        known = await run_in_threadpool(self._packets.packet, packet_id)
        if known is None:
            raise RefusedError(ProblemCode.NOT_FOUND)
        if not await run_in_threadpool(self._packets.may_read, packet_id, device.org):
            raise RefusedError(ProblemCode.NOT_ALLOWED)
        headers = {
            "ETag": f'"sha256-{known.sha256}"',
            c.HEADER_REPR_DIGEST: c.digest_header(bytes.fromhex(known.sha256)),
            "X-Content-Type-Options": "nosniff",
        }
        return FileResponse(self._packets.path(known.sha256), headers=headers, media_type=c.MEDIA_PACKET)

    # -- feed ----------------------------------------------------------------------------------------------

    async def feed(self, request: Request) -> Response:
        """The caller's feed; held open while it is empty, for as long as asked."""
        device = await self._device_of(request)
        cursor = request.query_params.get("cursor")
        after = 0 if cursor is None else self._position(cursor)
        limit = number_of(request, "limit", c.MAX_PAGE, 1, c.MAX_PAGE)
        wait = number_of(request, "wait", 0, 0, c.MAX_WAIT)
        bell = self._hub.bell(device.org)  # before looking, so that nothing slips in between
        items, more = await run_in_threadpool(self._packets.feed, device.org, after, limit)
        if not items and wait and await bell.ring_within(wait):
            items, more = await run_in_threadpool(self._packets.feed, device.org, after, limit)
        last = items[-1].seq if items else after
        return json_answer(c.FeedPage(items=items, cursor=make_cursor(self._database.epoch, last), more=more))

    async def acknowledge(self, request: Request) -> Response:
        """The caller has everything up to the cursor on disk; an older cursor does nothing."""
        device = await self._device_of(request)
        ack = decode(await read_small(request, _SMALL), c.FeedAck)
        woken = await run_in_threadpool(self._packets.acknowledge, device.org, self._position(ack.cursor))
        self._hub.wake(woken)
        return json_answer(ack)

    # -- who asks ------------------------------------------------------------------------------------------

    async def _device(self, request: Request) -> Device:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise RefusedError(ProblemCode.TOKEN_INVALID)
        return await run_in_threadpool(self._accounts.bearer, token)

    async def _device_of(self, request: Request) -> Device:
        """The calling machine, which must be enrolled for the organisation in the path."""
        device = await self._device(request)
        if request.path_params["org"] != device.org:
            raise RefusedError(ProblemCode.NOT_ALLOWED)
        return device

    async def _sent_packet(self, request: Request) -> KeptPacket:
        device = await self._device_of(request)
        known = await run_in_threadpool(self._packets.packet, uuid_of(request, "packet"))
        if known is None:
            raise RefusedError(ProblemCode.NOT_FOUND)
        if known.org != device.org:
            raise RefusedError(ProblemCode.NOT_ALLOWED)
        return known

    def _position(self, cursor: str) -> int:
        """The number inside a cursor; RefusedError epoch-changed for one of another epoch."""
        epoch, number = read_cursor(cursor)
        if epoch != self._database.epoch:
            raise RefusedError(ProblemCode.EPOCH_CHANGED)
        return number

    def _sign(self, value: msgspec.Struct, typ: str, *, with_chain: bool = False) -> c.JwsBody:
        chain = self._identity.chain_der if with_chain else ()
        return jws.sign(msgspec.json.encode(value), self._identity.key, typ=typ, chain_der=chain)


class _Nowhere:
    """A sink that keeps nothing."""

    def write(self, data: bytes, /) -> None:
        """Drops `data`."""
