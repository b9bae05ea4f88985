"""Endpoints of packets: sending them whole or by an upload, asking how far they are, fetching them.

Runs on the server's event loop; whatever touches the disk or a key runs on worker threads. What the server has already
is answered before anything is counted or limited.
"""

import asyncio
import io
from pathlib import Path
from typing import Final

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from signer_server.accounts import Device
from signer_server.body import Patience, announced_digest, drain, read_packet_body, read_small
from signer_server.context import Context
from signer_server.forms import accepted_answer, decode, journal_head_of, json_answer, uuid_of
from signer_server.identity_api import SMALL
from signer_server.packets import Keeping, KeptPacket, NewPacket, same_packet
from signer_server.problems import RefusedError
from signer_server.screening import check_claims, screen
from signer_server.turns import Turns
from signer_server.uploads import Upload
from signer_sync import contract as c
from signer_sync.contract import ProblemCode

_SCREENED: Final = 4
"""Packets that are read through at once."""
_HOPELESS: Final = frozenset(
    {ProblemCode.SECRET_REFUSED, ProblemCode.INVALID_EDXML, ProblemCode.DIGEST_MISMATCH, ProblemCode.BAD_REQUEST}
)
"""Refusals after which the same bytes will never do: they are thrown away at once."""


class PacketsApi:
    """Packets of the caller's organisation."""

    def __init__(self, context: Context, patience: Patience, turns: Turns) -> None:
        self._context = context
        self._patience = patience
        self._turns = turns
        self._screened = asyncio.Semaphore(_SCREENED)

    async def put_packet(self, request: Request) -> Response:
        """Takes a packet; the same one again gets the same receipt, whatever the limits are now."""
        context, rules = self._context, self._context.rules
        device = await context.known_device_of(request)
        packet_id = uuid_of(request, "packet")
        announced = announced_digest(request)
        known = same_packet(await run_in_threadpool(context.packets.packet, packet_id), device.org, announced)
        if known is not None:
            await self._received_again(request, known)
            return accepted_answer(known, 200)
        context.admit(request, device)
        head = journal_head_of(request)
        with context.gate.body(device.id):
            body = await read_packet_body(request, rules.max_inline, self._patience)
            async with self._screened:
                keeping = await run_in_threadpool(self._keep, device, packet_id, body.content, body.sha256, head)
        context.hub.wake(keeping.told)
        return accepted_answer(keeping.packet, 201 if keeping.new else 200)

    async def commit(self, request: Request) -> Response:
        """Makes a finished upload a packet; again, the same receipt."""
        context = self._context
        device = await context.known_device_of(request)
        packet_id = uuid_of(request, "packet")
        wish = decode(await read_small(request, SMALL, self._patience), c.Commit)
        known = same_packet(await run_in_threadpool(context.packets.packet, packet_id), device.org, wish.sha256)
        if known is not None:
            return accepted_answer(known, 200)
        context.admit(request, device)
        head = journal_head_of(request)
        async with self._turns.turn(wish.upload), self._screened:
            keeping = await run_in_threadpool(self._commit, device, packet_id, wish, head)
        context.hub.wake(keeping.told)
        return accepted_answer(keeping.packet, 202 if keeping.new else 200)

    async def packet_state(self, request: Request) -> Response:
        """How far a packet is: for its sender with all receivers, for a receiver with itself alone."""
        context = self._context
        device = await context.device_of(request)
        known = await self._readable(request, device)
        state = await run_in_threadpool(context.packets.state, known.id)
        assert state is not None
        if known.org != device.org:
            own = tuple(one for one in state.recipients if one.org == device.org)
            state = msgspec.structs.replace(state, recipients=own)
        return json_answer(state)

    async def receipt(self, request: Request) -> Response:
        """The receipt of a packet of the caller's organisation, the same bytes each time."""
        known = await self._sent_packet(request)
        return Response(known.receipt, media_type=c.MEDIA_JOSE)

    async def content(self, request: Request) -> Response:
        """A packet's bytes, for its sender and its receivers; ranges are served (RFC 9110 §14)."""
        context = self._context
        device = await context.device(request)
        known = await self._readable(request, device)
        if not await run_in_threadpool(context.packets.whole, known):
            raise RefusedError(ProblemCode.CONTENT_LOST, "its sender has them", retry_after=3600)
        headers = {
            "ETag": f'"sha256-{known.sha256}"',
            c.HEADER_REPR_DIGEST: c.digest_header(bytes.fromhex(known.sha256)),
            "X-Content-Type-Options": "nosniff",
        }
        return FileResponse(context.packets.path(known.sha256), headers=headers, media_type=c.MEDIA_PACKET)

    async def _received_again(self, request: Request, known: KeptPacket) -> None:
        """Takes in a body that isn't needed, unless a state put back from a copy lacks the packet's bytes."""
        limit = self._context.rules.max_inline
        if await run_in_threadpool(self._context.packets.whole, known) or known.size > limit:
            await drain(request, limit * 2, self._patience)
            return
        body = await read_packet_body(request, limit, self._patience)
        await run_in_threadpool(self._context.packets.mend, known, body.content)

    def _keep(self, device: Device, packet_id: str, content: bytes, sha256: str, head: str | None) -> Keeping:
        context = self._context
        header = screen(io.BytesIO(content), device.org, context.rules.max_inline)
        new = NewPacket(packet_id, device, sha256, len(content), header, content, head)
        with context.room(device.org, len(content)):
            return context.packets.keep(new, self._sign_receipt)

    def _commit(self, device: Device, packet_id: str, wish: c.Commit, head: str | None) -> Keeping:
        """The caller has the upload for itself."""
        context = self._context
        known = same_packet(context.packets.packet(packet_id), device.org, wish.sha256)
        if known is not None:  # another commit of the same was faster
            return Keeping(known, new=False)
        upload = context.uploads.get(wish.upload, device.org)
        if upload.committed:  # its packet was lost with a state put back from a copy
            context.uploads.discard(upload.id)
            raise RefusedError(ProblemCode.UPLOAD_EXPIRED)
        announced = upload.announced
        if (announced.packet, announced.sha256, announced.packet_size) != (packet_id, wish.sha256, wish.size):
            raise RefusedError(ProblemCode.METADATA_MISMATCH, "not what the upload was announced for")
        if upload.received != announced.size:
            raise RefusedError(ProblemCode.OFFSET_MISMATCH, "not all bytes are here")
        try:
            with context.uploads.opened(upload) as path:
                keeping = self._keep_upload(upload, path, device, wish, head)
        except RefusedError as refused:
            if refused.problem in _HOPELESS:
                context.uploads.discard(upload.id)
            raise
        context.uploads.kept(upload.id)
        return keeping

    def _keep_upload(self, upload: Upload, path: Path, device: Device, wish: c.Commit, head: str | None) -> Keeping:
        """Keeps the packet whose bytes lie at `path` and have the hash that was announced."""
        with path.open("rb") as file:
            header = screen(file, device.org, self._context.rules.max_packet)
        check_claims(header, wish)
        new = NewPacket(
            upload.announced.packet,
            device,
            upload.announced.sha256,
            upload.announced.packet_size,
            header,
            path,
            journal_head=head,
            upload=upload.id,
            register_no=wish.register_no,
            supersedes=wish.supersedes,
        )
        return self._context.packets.keep(new, self._sign_receipt)

    def _sign_receipt(self, receipt: c.Receipt) -> c.JwsBody:
        return self._context.sign(receipt, c.TYP_RECEIPT)

    async def _readable(self, request: Request, device: Device) -> KeptPacket:
        """The packet in the path, for its sender and its receivers."""
        packets, packet_id = self._context.packets, uuid_of(request, "packet")
        known = await run_in_threadpool(packets.packet, packet_id)
        if known is None:
            raise RefusedError(ProblemCode.NOT_FOUND)
        if not await run_in_threadpool(packets.may_read, packet_id, device.org):
            raise RefusedError(ProblemCode.NOT_ALLOWED)
        return known

    async def _sent_packet(self, request: Request) -> KeptPacket:
        device = await self._context.device_of(request)
        known = await run_in_threadpool(self._context.packets.packet, uuid_of(request, "packet"))
        if known is None:
            raise RefusedError(ProblemCode.NOT_FOUND)
        if known.org != device.org:
            raise RefusedError(ProblemCode.NOT_ALLOWED)
        return known
