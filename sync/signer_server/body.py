"""Reading request bodies: never more than a limit, never for ever, compressed or not, and just what their digests say.

Runs on the server's event loop. A packet that comes in one request is held in memory, because nothing of it may touch
the disk before it is known to carry no secrecy mark.
"""

import asyncio
import hashlib
import time
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.requests import Request

from signer_server.problems import RefusedError
from signer_sync.contract import (
    HEADER_CONTENT_DIGEST,
    HEADER_PACKET_DIGEST,
    ProblemCode,
    parse_digest_header,
)

_STEP = 1 << 16
_GRACE = 30.0
"""Seconds before a body is judged by its speed."""


@dataclass(frozen=True)
class Patience:
    """Longest wait for the next bytes in seconds, and the least speed in bytes per second over the whole."""

    idle: float
    slowest: int


@dataclass(frozen=True)
class PacketBody:
    """An unencoded packet whose digests fit."""

    content: bytes
    sha256: str


async def pieces(request: Request, patience: Patience) -> AsyncIterator[bytes]:
    """The body as it comes; RefusedError unavailable if that takes too long, ClientDisconnect if it breaks off."""
    stream, begun, received = aiter(request.stream()), time.monotonic(), 0
    while True:
        try:
            piece = await asyncio.wait_for(anext(stream), patience.idle)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise too_slow() from error
        received += len(piece)
        if time.monotonic() - begun > _GRACE + received / patience.slowest:
            raise too_slow()
        yield piece


def too_slow() -> RefusedError:
    """The body did not come in time; the same again is welcome."""
    return RefusedError(ProblemCode.UNAVAILABLE, "body too slow", retry_after=5)


async def read_small(request: Request, limit: int, patience: Patience) -> bytes:
    """A body of at most `limit` bytes; RefusedError too-large."""
    check_length(request, limit)
    body = bytearray()
    async for piece in pieces(request, patience):
        body += piece
        if len(body) > limit:
            raise RefusedError(ProblemCode.TOO_LARGE)
    return bytes(body)


async def read_packet_body(request: Request, limit: int, patience: Patience) -> PacketBody:
    """A packet as sent, plain or gzipped, of at most `limit` bytes either way.

    RefusedError too-large, digest-mismatch, bad-request for a missing Packet-Digest or another encoding.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise RefusedError(ProblemCode.BAD_REQUEST, "unknown content encoding")
    announced = announced_digest(request)
    claimed = _digest(request, HEADER_CONTENT_DIGEST)
    check_length(request, limit)
    decoder = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    sent, content, received = hashlib.sha256(), bytearray(), 0
    fault: RefusedError | None = None
    async for piece in pieces(request, patience):
        sent.update(piece)
        received += len(piece)
        if received > limit:
            raise RefusedError(ProblemCode.TOO_LARGE)
        if decoder is None:
            content += piece
        elif fault is None:
            try:
                _inflate(decoder, piece, content, limit)
            except RefusedError as error:
                fault = error
    # First whether these are the bytes that were sent: what was garbled on its way is welcome again, and must not be
    # refused for good because it can't be unpacked.
    if claimed is not None and claimed != sent.digest():
        raise RefusedError(ProblemCode.DIGEST_MISMATCH, HEADER_CONTENT_DIGEST)
    if fault is None and decoder is not None and not (decoder.eof and not decoder.unused_data):
        fault = RefusedError(ProblemCode.BAD_REQUEST, "gzip cut short or followed by something")
    if fault is not None:
        raise fault
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != announced:
        raise RefusedError(ProblemCode.DIGEST_MISMATCH, HEADER_PACKET_DIGEST)
    return PacketBody(bytes(content), sha256)


async def drain(request: Request, limit: int, patience: Patience) -> None:
    """Reads a body and drops it, so that the sender gets to read the answer; gives up after `limit` bytes."""
    received = 0
    async for piece in pieces(request, patience):
        received += len(piece)
        if received > limit:
            return


def announced_digest(request: Request) -> str:
    """The packet's identity as the client announces it (Packet-Digest), hex."""
    digest = _digest(request, HEADER_PACKET_DIGEST)
    if digest is None:
        raise RefusedError(ProblemCode.BAD_REQUEST, f"{HEADER_PACKET_DIGEST} missing")
    return digest.hex()


def check_length(request: Request, limit: int) -> None:
    """RefusedError too-large if the body announces more than `limit` bytes."""
    declared = request.headers.get("Content-Length", "")
    if declared.isdecimal() and int(declared[:18]) > limit:
        raise RefusedError(ProblemCode.TOO_LARGE)


def _inflate(decoder: "zlib._Decompress", data: bytes, content: bytearray, limit: int) -> None:
    """Step by step, so that a small body cannot become a large one in a single stroke."""
    try:
        while data and not decoder.eof:
            content += decoder.decompress(data, _STEP)
            data = decoder.unconsumed_tail
            if len(content) > limit:
                raise RefusedError(ProblemCode.TOO_LARGE)
    except zlib.error as error:
        raise RefusedError(ProblemCode.BAD_REQUEST, "not gzip") from error


def _digest(request: Request, name: str) -> bytes | None:
    value = request.headers.get(name)
    if value is None:
        return None
    try:
        return parse_digest_header(value)
    except ValueError as error:
        raise RefusedError(ProblemCode.BAD_REQUEST, f"{name} malformed") from error
