"""Reading request bodies: never more than a limit, compressed or not, and exactly what their digests say.

Runs on the server's event loop. A packet is held in memory, because nothing of it may touch the disk
before it is known to carry no secrecy mark.
"""

import hashlib
import zlib
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


@dataclass(frozen=True)
class PacketBody:
    """An unencoded packet whose digests fit."""

    content: bytes
    sha256: str


async def read_small(request: Request, limit: int) -> bytes:
    """A body of at most `limit` bytes; RefusedError too-large."""
    _check_length(request, limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise RefusedError(ProblemCode.TOO_LARGE)
    return bytes(body)


async def read_packet_body(request: Request, limit: int) -> PacketBody:
    """A packet as sent, plain or gzipped, of at most `limit` bytes either way.

    RefusedError too-large, digest-mismatch, bad-request for a missing Packet-Digest or another encoding.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise RefusedError(ProblemCode.BAD_REQUEST, "unknown content encoding")
    announced = announced_digest(request)
    _check_length(request, limit)
    decoder = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    sent, content, received = hashlib.sha256(), bytearray(), 0
    async for chunk in request.stream():
        sent.update(chunk)
        received += len(chunk)
        if received > limit:
            raise RefusedError(ProblemCode.TOO_LARGE)
        if decoder is None:
            content += chunk
        else:
            _inflate(decoder, chunk, content, limit)
    if decoder is not None and not (decoder.eof and not decoder.unused_data):
        raise RefusedError(ProblemCode.BAD_REQUEST, "gzip cut short or followed by something")
    claimed = _digest(request, HEADER_CONTENT_DIGEST)
    if claimed is not None and claimed != sent.digest():
        raise RefusedError(ProblemCode.DIGEST_MISMATCH, HEADER_CONTENT_DIGEST)
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != announced:
        raise RefusedError(ProblemCode.DIGEST_MISMATCH, HEADER_PACKET_DIGEST)
    return PacketBody(bytes(content), sha256)


async def drain(request: Request, limit: int) -> None:
    """Reads a body and drops it, so that the sender gets to read the answer; gives up after `limit` bytes."""
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > limit:
            return


def announced_digest(request: Request) -> str:
    """The packet's identity as the client announces it (Packet-Digest), hex."""
    digest = _digest(request, HEADER_PACKET_DIGEST)
    if digest is None:
        raise RefusedError(ProblemCode.BAD_REQUEST, f"{HEADER_PACKET_DIGEST} missing")
    return digest.hex()


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


def _check_length(request: Request, limit: int) -> None:
    declared = request.headers.get("Content-Length", "")
    if declared.isdecimal() and int(declared[:18]) > limit:
        raise RefusedError(ProblemCode.TOO_LARGE)


def _digest(request: Request, name: str) -> bytes | None:
    value = request.headers.get(name)
    if value is None:
        return None
    try:
        return parse_digest_header(value)
    except ValueError as error:
        raise RefusedError(ProblemCode.BAD_REQUEST, f"{name} malformed") from error
