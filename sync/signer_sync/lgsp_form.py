"""A packet as the multipart form that `sendEdoc` takes: streamed from its file, of a length known beforehand.

Used on one thread of the network pool at a time. The LGSP takes no chunked body, and a packet may be of 100 MB, so the
form is a file-like object around the packet's own file. While it is read it makes sure that what leaves is what was
queued: the end of a form whose file has changed never leaves.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterator
from typing import IO, Final, Self

from signer_sync.contract import Retry
from signer_sync.errors import ExchangeError
from signer_sync.packets import OutgoingPacket

_BLOCK: Final = 1 << 16


class PacketForm:
    """The form's bytes; `media` is its Content-Type. Give it to a request as body; it is read once.

    Use as a context manager. ExchangeError packet_damaged, on entering or while it is read.
    """

    def __init__(self, packet: OutgoingPacket, message_type: str, sent: Callable[[int], None]) -> None:
        self._packet = packet
        self._sent = sent
        boundary = f"signer-{secrets.token_hex(16)}"
        self.media = f"multipart/form-data; boundary={boundary}"
        name = "".join(letter for letter in packet.packet_id if letter.isalnum() or letter == "-")
        self._head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="messageType"\r\n\r\n{message_type}\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="edocFile"; filename="{name}.edxml"\r\n'
            "Content-Type: application/xml\r\n\r\n"
        ).encode("ascii")
        self._tail = f"\r\n--{boundary}--\r\n".encode("ascii")
        self._parts: Iterator[bytes] = iter(())
        self._rest = b""
        self._file: IO[bytes] | None = None
        self.left_whole = False
        """Whether all of it was handed over to be sent: from then on the other side may have the packet."""

    def __enter__(self) -> Self:
        # Looked through before the first byte leaves, too: not every server counts what it gets.
        try:
            with self._packet.path.open("rb") as file:
                whole = hashlib.file_digest(file, "sha256").hexdigest()
            self._file = self._packet.path.open("rb")
        except OSError as error:
            raise _damaged() from error
        if whole != self._packet.sha256:
            self._file.close()
            raise _damaged()
        self._parts = self._blocks(self._file)
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def __len__(self) -> int:
        return len(self._head) + self._packet.size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        while block := self.read(_BLOCK):
            yield block

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes or fewer, all that is left for -1; b"" at the end."""
        if size < 0:
            return b"".join(iter(lambda: self.read(_BLOCK), b""))
        if not self._rest:
            self._rest = next(self._parts, b"")
        block, self._rest = self._rest[:size], self._rest[size:]
        return block

    def _blocks(self, file: IO[bytes]) -> Iterator[bytes]:
        yield self._head
        digest, total = hashlib.sha256(), 0
        while block := _read(file, min(_BLOCK, self._packet.size + 1 - total)):
            digest.update(block)
            total += len(block)
            if total > self._packet.size:
                raise _damaged()
            yield block
            self._sent(len(block))
        if total != self._packet.size or digest.hexdigest() != self._packet.sha256:
            raise _damaged()
        self.left_whole = True
        yield self._tail


def _read(file: IO[bytes], size: int) -> bytes:
    try:
        return file.read(size)
    except OSError as error:
        raise _damaged() from error


def _damaged() -> ExchangeError:
    return ExchangeError("packet_damaged", retry=Retry.FIX)
