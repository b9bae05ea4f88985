"""Endpoints of uploads: tus 1.0 with creation, expiration and termination.

Runs on the server's event loop; whatever touches the disk runs on worker threads. What arrives is fsynced as it comes,
so that an offset, once told, holds through a power cut; a connection that dies loses nothing that arrived.
"""

import asyncio
import base64
import binascii
import re
import time
from collections.abc import Awaitable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from signer_server.accounts import Device
from signer_server.body import Patience, check_length, too_slow
from signer_server.context import Context
from signer_server.forms import uuid_of
from signer_server.packets import same_packet
from signer_server.problems import RefusedError
from signer_server.turns import Turn, Turns
from signer_server.uploads import Announced, Upload
from signer_sync import contract as c
from signer_sync.contract import ProblemCode
from signer_sync.ids import is_uuid

_BLOCK: Final = 4 << 20
"""Bytes that are made durable together."""
_MOMENT: Final = 2.0
"""Seconds after which what has come is made durable, however little it is."""


class UploadsApi:
    """Uploads of the caller's organisation."""

    def __init__(self, context: Context, patience: Patience, turns: Turns) -> None:
        self._context = context
        self._patience = patience
        self._turns = turns

    async def create(self, request: Request) -> Response:
        """Announces a packet; the same one again is the same upload, as far as it has come."""
        context = self._context
        device = await context.known_device(request)
        _check_version(request)
        wish = _announced(request, device)
        known = same_packet(await run_in_threadpool(context.packets.packet, wish.packet), device.org, wish.sha256)
        upload = await run_in_threadpool(context.uploads.find, device.org, wish.packet, wish.sha256)
        if upload is not None and upload.announced != wish:
            await self._drop_other_bytes(upload, wish)
            upload = None
        if upload is None and known is None:
            context.admit(request, device)
            if not min(wish.size, wish.packet_size):
                raise RefusedError(ProblemCode.BAD_REQUEST, "empty")
            if max(wish.size, wish.packet_size) > context.rules.max_packet:
                raise RefusedError(ProblemCode.TOO_LARGE)

        def made() -> Upload:
            context.uploads.expire()
            if known is None:
                with context.room(device.org, wish.packet_size):
                    return context.uploads.create(device.org, wish)
            return context.uploads.create(device.org, wish, committed=True)

        if upload is None:
            upload = await run_in_threadpool(made)
        return _answer(201, upload, Location=f"/v1/uploads/{upload.id}")

    async def offset(self, request: Request) -> Response:
        """How much of an upload is durably here."""
        device = await self._context.device(request)
        _check_version(request)
        upload_id = uuid_of(request, "upload")
        async with self._turns.turn(upload_id):
            upload = await run_in_threadpool(self._context.uploads.get, upload_id, device.org)
        length = {c.HEADER_UPLOAD_LENGTH: str(upload.announced.size), "Cache-Control": "no-store"}
        return _answer(200, upload, **length)

    async def append(self, request: Request) -> Response:
        """Adds to an upload; what came before the connection died stays."""
        context = self._context
        device = await context.device(request)
        _check_version(request)
        upload_id = uuid_of(request, "upload")
        if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != c.MEDIA_OFFSET:
            raise RefusedError(ProblemCode.BAD_REQUEST, "Content-Type")
        offset = _number(request, c.HEADER_UPLOAD_OFFSET)
        with context.gate.body(device.id):
            async with self._turns.turn(upload_id) as turn:
                upload = await run_in_threadpool(context.uploads.get, upload_id, device.org)
                if offset != upload.received:
                    raise RefusedError(ProblemCode.OFFSET_MISMATCH)
                check_length(request, upload.announced.size - offset)
                await self._receive(request, upload, turn)
                upload = await run_in_threadpool(context.uploads.get, upload_id, device.org)
        return _answer(204, upload)

    async def end(self, request: Request) -> Response:
        """Gives an upload up."""
        device = await self._context.device(request)
        _check_version(request)
        upload_id = uuid_of(request, "upload")
        async with self._turns.turn(upload_id):
            upload = await run_in_threadpool(self._context.uploads.get, upload_id, device.org)
            await run_in_threadpool(self._context.uploads.discard, upload.id)
        return Response(status_code=204, headers={c.HEADER_TUS: c.TUS_VERSION})

    async def _drop_other_bytes(self, upload: Upload, wish: Announced) -> None:
        """The same packet in other bytes, from a program that packs otherwise: what came so far is of no use to it."""
        if upload.announced.packet_size != wish.packet_size:
            raise RefusedError(ProblemCode.PACKET_CONFLICT, "same hash, other size")
        async with self._turns.turn(upload.id):
            await run_in_threadpool(self._context.uploads.discard, upload.id)

    async def _receive(self, request: Request, upload: Upload, turn: Turn) -> None:
        """Appends the body to its end, or to where it breaks off; then raises why."""
        offset, blocks, waiting, since = upload.received, list[bytes](), 0, time.monotonic()
        stream, broken = aiter(request.stream()), None
        while broken is None:
            try:
                piece = await self._next_piece(anext(stream, None), turn)
            except (RefusedError, ClientDisconnect) as error:
                broken = error
                break
            if piece is None:
                break
            if offset + waiting + len(piece) > upload.announced.size:
                broken = RefusedError(ProblemCode.TOO_LARGE)
                break
            blocks.append(piece)
            waiting += len(piece)
            if waiting >= _BLOCK or time.monotonic() - since > _MOMENT:
                offset = await run_in_threadpool(self._context.uploads.append, upload, offset, blocks)
                blocks, waiting, since = [], 0, time.monotonic()
        if waiting:
            await run_in_threadpool(self._context.uploads.append, upload, offset, blocks)
        if broken is not None:
            raise broken

    async def _next_piece(self, coming: Awaitable[bytes | None], turn: Turn) -> bytes | None:
        """The next bytes, None at the end; RefusedError if none come in time or a newer request wants the upload."""
        piece = asyncio.ensure_future(coming)
        wanted = asyncio.ensure_future(turn.wanted.wait())
        try:
            await asyncio.wait({piece, wanted}, timeout=self._patience.idle, return_when=asyncio.FIRST_COMPLETED)
            if piece.done():
                return piece.result()
        finally:
            for task in (piece, wanted):
                task.cancel()
        if turn.wanted.is_set():
            raise RefusedError(ProblemCode.OFFSET_MISMATCH, "a newer request took over")
        raise too_slow()


def _announced(request: Request, device: Device) -> Announced:
    """What Upload-Length and Upload-Metadata say; hashes as hex text or as their 32 bytes."""
    wrong = RefusedError(ProblemCode.BAD_REQUEST, c.HEADER_UPLOAD_METADATA)
    found: dict[str, bytes] = {}
    for pair in request.headers.get(c.HEADER_UPLOAD_METADATA, "").split(","):
        key, _, value = pair.strip().partition(" ")
        try:
            found[key] = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError) as error:
            raise wrong from error

    def word(key: str) -> str:
        return found.get(key, b"").decode("utf-8", "replace")

    def sha256(key: str) -> str:
        digest = found.get(key, b"")
        told = digest.hex() if len(digest) == 32 else word(key)
        if not re.fullmatch(r"[0-9a-f]{64}", told):
            raise wrong
        return told

    packet, size = word("packet"), _number(request, c.HEADER_UPLOAD_LENGTH)
    if not is_uuid(packet):
        raise wrong
    if word("org") != device.org:
        raise RefusedError(ProblemCode.NOT_ALLOWED)
    if "encoding" not in found:
        return Announced(packet, sha256("sha256"), size, size)
    whole = word("size")
    if word("encoding") != c.ENCODING_GZIP or not re.fullmatch(r"\d{1,15}", whole, re.ASCII):
        raise wrong
    return Announced(packet, sha256("sha256"), int(whole), size, sha256("encodedSha256"))


def _check_version(request: Request) -> None:
    if request.headers.get(c.HEADER_TUS) != c.TUS_VERSION:
        raise RefusedError(ProblemCode.TUS_VERSION)


def _number(request: Request, name: str) -> int:
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= 15):
        raise RefusedError(ProblemCode.BAD_REQUEST, name)
    return int(text)


def _answer(status: int, upload: Upload, **more: str) -> Response:
    expires = format_datetime(datetime.fromtimestamp(upload.expires, UTC), usegmt=True)
    headers = {
        c.HEADER_TUS: c.TUS_VERSION,
        c.HEADER_UPLOAD_OFFSET: str(upload.received),
        c.HEADER_UPLOAD_EXPIRES: expires,
        **more,
    }
    return Response(status_code=status, headers=headers)
