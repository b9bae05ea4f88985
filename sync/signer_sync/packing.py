"""A packet's file as it leaves: whether it is still what was queued, and its gzip stream, made while it is read.

On the thread of whoever sends. An upload goes compressed without ever lying compressed anywhere: the same file gives
the same stream, so what is missing at the other side can be made again from any place on.
"""

import hashlib
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from signer_sync import contract as c
from signer_sync.errors import ExchangeError
from signer_sync.packets import OutgoingPacket

_BLOCK: Final = 1 << 16


@dataclass(frozen=True)
class Packed:
    """The stream that a file gives: its length in bytes and its SHA-256, hex."""

    length: int
    sha256: str


def damaged() -> ExchangeError:
    """The file is not what was queued, or can't be read."""
    return ExchangeError("packet_damaged", retry=c.Retry.FIX)


def read_packet(packet: OutgoingPacket) -> bytes:
    """The whole file of a packet; ExchangeError packet_damaged unless it is exactly what was queued."""
    try:
        with packet.path.open("rb") as file:
            content = file.read(packet.size + 1)
    except OSError as error:
        raise damaged() from error
    if len(content) != packet.size or hashlib.sha256(content).hexdigest() != packet.sha256:
        raise damaged()
    return content


def checked_file(packet: OutgoingPacket, *, gzip: bool) -> Packed | None:
    """How the file of a packet goes: packed if it may (`gzip`) and if that saves anything, else as it is.

    Reads it once. ExchangeError packet_damaged unless it is exactly what was queued.
    """
    digest, size = hashlib.sha256(), 0

    def checked() -> Iterator[bytes]:
        nonlocal size
        for block in _blocks(packet.path):
            digest.update(block)
            size += len(block)
            if size > packet.size:
                raise damaged()
            yield block

    stream = None
    if gzip:
        stream = _measured(checked())
    else:
        deque(checked(), maxlen=0)
    if size != packet.size or digest.hexdigest() != packet.sha256:
        raise damaged()
    return stream if stream is not None and stream.length < size else None


class Packing:
    """The gzip stream of `file`, which stays the caller's. To go on further ahead costs the work up to there, to go
    back costs it from the beginning.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._ready = bytearray()
        self._position = 0
        self._parts = self._begin()

    def tell(self) -> int:
        """Where the next byte stands in the stream."""
        return self._position

    def seek(self, position: int, /) -> int:
        """Goes on from there."""
        if position < self._position:
            self._ready.clear()
            self._position = 0
            self._parts = self._begin()
        while self._position < position and self.read(min(position - self._position, _BLOCK)):
            pass
        return self._position

    def read(self, size: int, /) -> bytes:
        """The next `size` bytes; fewer only at the end."""
        while len(self._ready) < size:
            part = next(self._parts, None)
            if part is None:
                break
            self._ready += part
        taken = bytes(self._ready[:size])
        del self._ready[:size]
        self._position += len(taken)
        return taken

    def _begin(self) -> Iterator[bytes]:
        self._file.seek(0)
        return _stream(iter(lambda: self._file.read(_BLOCK), b""))


def _measured(blocks: Iterable[bytes]) -> Packed:
    digest, length = hashlib.sha256(), 0
    for part in _stream(blocks):
        digest.update(part)
        length += len(part)
    return Packed(length, digest.hexdigest())


def _stream(blocks: Iterable[bytes]) -> Iterator[bytes]:
    # Files come as base64 of what is compressed already: there is nothing in it to be found a second time, only six
    # bits written as eight. Looking for repetitions takes three times as long and makes it half a percent longer.
    machine = zlib.compressobj(6, zlib.DEFLATED, 31, 9, zlib.Z_HUFFMAN_ONLY)
    for block in blocks:
        if part := machine.compress(block):
            yield part
    yield machine.flush()


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block
    except OSError as error:
        raise damaged() from error
