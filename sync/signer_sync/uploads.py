"""Sends a packet's file: in one request, or as a resumable upload (tus 1.0) that is then committed.

On the thread of whoever sends. The file is read as it leaves and never whole in memory above the server's inline
size. The server's word for how far an upload is counts, whatever was sent; its address for it is never followed:
only the upload's id is taken from it.
"""

import base64
import gzip
import hashlib
import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

import msgspec

from signer_sync import contract as c
from signer_sync.access import Access
from signer_sync.errors import ExchangeError
from signer_sync.http import Answer
from signer_sync.ids import is_uuid
from signer_sync.packets import OutgoingPacket, SignedReceipt
from signer_sync.packing import Packed, Packing, checked_file, damaged, read_packet

Sent = Callable[[int], None]

INLINE_HERE: Final = 16 << 20
"""Bytes above which a packet is not held in memory, whatever the server would take in one request."""
UPLOAD_READ_TIMEOUT: Final = 120.0
"""Seconds that the server may take after the last byte: it flushes, and a proxy may hand everything on only then."""
MAX_IDLE_CUTS: Final = 3
"""Cuts in a row that brought the upload no further, before this attempt is given up; the next one goes on there."""
MAX_ROUNDS: Final = 100
"""Requests with bytes in one attempt, beside those that the smallest chunks need."""
MAX_RENEWALS: Final = 3
"""How often an upload that the server has dropped is begun anew within one attempt."""
BUFFER_SIGN: Final = 1 << 20
"""Bytes that left before a cut while the server got none of them: a proxy holds whole requests back."""
FIRST_CHUNK: Final = 4 << 20
SMALLEST_CHUNK: Final = 256 << 10
_BLOCK: Final = 1 << 20


def send_packet(
    access: Access, packet: OutgoingPacket, journal_head: c.JournalHead | None, sent: Sent
) -> SignedReceipt:
    """Sends a packet and checks the receipt; the same packet again gives the same receipt.

    `sent(n)`: n more of the packet's bytes have left or are known to be there; they add up to its size. Raises
    ExchangeError packet_too_large, packet_damaged (the file is not what was queued), packet_conflict, receipt_wrong,
    and the others.
    """
    meta = access.known_meta()
    if packet.size > meta.limits.max_packet:
        raise _too_large(meta.limits.max_packet)
    tus = meta.tus is not None and meta.tus.version == c.TUS_VERSION and "creation" in meta.tus.extensions
    if packet.size <= (min(meta.limits.max_inline, INLINE_HERE) if tus else meta.limits.max_inline):
        return _send_inline(access, packet, journal_head, _Progress(packet.size, sent))
    if meta.tus is None or not tus:
        raise _too_large(meta.limits.max_inline)
    progress, gzip_taken = _Progress(packet.size, sent), c.ENCODING_GZIP in meta.tus.encodings
    return _Upload(access, packet, journal_head, progress, meta.limits.max_chunk, gzip_taken=gzip_taken).run()


class _Progress:
    """Tells each byte of the packet once, however often it is sent."""

    def __init__(self, size: int, sent: Sent) -> None:
        self._size = size
        self._sent = sent
        self._told = 0

    def at(self, position: int) -> None:
        more = min(position, self._size) - self._told
        if more > 0:
            self._told += more
            self._sent(more)


class _Source(Protocol):
    """What is sent: a file, or the stream that is made of it."""

    def read(self, size: int, /) -> bytes: ...

    def seek(self, position: int, /) -> int: ...

    def tell(self) -> int: ...


class _Outgoing(io.RawIOBase):
    """`length` bytes of a file from where it stands, told as they are read."""

    def __init__(self, file: _Source, length: int, told: Callable[[int], None]) -> None:
        self._file = file
        self._start = file.tell()
        self._told = told
        self.len = length  # requests takes the Content-Length from here
        self.passed = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        left = self.len - self.passed
        block = self._file.read(left if size is None or size < 0 else min(size, left))
        self.passed += len(block)
        self._told(self.passed)
        return block

    def tell(self) -> int:
        return self.passed

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Back to the beginning of the request, which is the only other place that there is."""
        if (offset, whence) != (0, io.SEEK_SET):
            raise io.UnsupportedOperation("only to the beginning")
        self._file.seek(self._start)
        self.passed = 0
        return 0

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.read(_BLOCK), b"")


def _send_inline(
    access: Access, packet: OutgoingPacket, journal_head: c.JournalHead | None, progress: _Progress
) -> SignedReceipt:
    content = read_packet(packet)
    encoded = gzip.compress(content, compresslevel=6, mtime=0)
    del content
    headers = {
        "Content-Type": c.MEDIA_PACKET,
        "Content-Encoding": "gzip",
        c.HEADER_CONTENT_DIGEST: c.digest_header(hashlib.sha256(encoded).digest()),
        c.HEADER_PACKET_DIGEST: c.digest_header(bytes.fromhex(packet.sha256)),
        **_anchor(journal_head),
    }
    path = f"{access.packets_path(packet.org, packet.packet_id)}/content"

    def put(bearer: Mapping[str, str]) -> Answer:
        body = _Outgoing(
            io.BytesIO(encoded), len(encoded), lambda passed: progress.at(packet.size * passed // len(encoded))
        )
        return access.wire.ask("PUT", path, headers={**headers, **bearer}, data=body, limit=_limit(access))

    return _receipt(access, packet, access.with_bearer(put))


@dataclass(frozen=True)
class _Place:
    """Where an upload stands at the server."""

    upload: str
    offset: int


class _Upload:
    """One attempt at one upload, over as many connections as it takes."""

    def __init__(
        self,
        access: Access,
        packet: OutgoingPacket,
        journal_head: c.JournalHead | None,
        progress: _Progress,
        max_chunk: int,
        *,
        gzip_taken: bool,
    ) -> None:
        self._access = access
        self._packet = packet
        self._head = journal_head
        self._progress = progress
        self._gzip_taken = gzip_taken
        self._packed: Packed | None = None  # None: the file goes as it is
        self._max_chunk = max_chunk
        self._length = 0  # of what goes over the line
        self._chunk = 0
        self._passed = 0  # bytes of the request under way that have left

    def run(self) -> SignedReceipt:
        path = self._access.packets_path(self._packet.org, self._packet.packet_id)
        self._packed = checked_file(self._packet, gzip=self._gzip_taken)
        self._length = self._packet.size if self._packed is None else self._packed.length
        self._chunk = self._max_chunk or self._length
        known = self._known_receipt(path)
        if known is not None:
            self._progress.at(self._packet.size)
            return known
        for renewal in range(MAX_RENEWALS + 1):
            try:
                place = self._create()
                upload = self._bring(place)
                return self._commit(path, upload)
            except ExchangeError as error:
                if error.problem != c.ProblemCode.UPLOAD_EXPIRED.code or renewal == MAX_RENEWALS:
                    raise
        raise AssertionError("the last renewal returns or raises")

    def _known_receipt(self, path: str) -> SignedReceipt | None:
        """Whether an earlier attempt got through although its answer was lost: the bytes need not go a second time."""
        if not (self._packet.attempts or self._packet.uncertain):
            return None
        try:
            answer = self._access.ask("GET", f"{path}/receipt")
        except ExchangeError as error:
            if error.problem == c.ProblemCode.NOT_FOUND.code:
                return None
            raise
        message = self._access.wire.decode(answer, c.JwsBody)
        return self._access.check_receipt(message, self._packet.packet_id, self._packet.sha256)

    def _create(self) -> _Place:
        packet = self._packet
        facts = {"packet": packet.packet_id, "sha256": packet.sha256, "org": packet.org}
        if self._packed is not None:
            encoded = {"encoding": c.ENCODING_GZIP, "size": str(packet.size), "encodedSha256": self._packed.sha256}
            facts |= encoded
        headers = {
            c.HEADER_TUS: c.TUS_VERSION,
            c.HEADER_UPLOAD_LENGTH: str(self._length),
            c.HEADER_UPLOAD_METADATA: ",".join(
                f"{name} {base64.b64encode(value.encode('ascii')).decode('ascii')}" for name, value in facts.items()
            ),
        }
        answer = self._access.with_bearer(
            lambda bearer: self._access.wire.ask(
                "POST", "/uploads", headers={**headers, **bearer}, data=b"", limit=_limit(self._access)
            )
        )
        upload = self._id_in(answer.headers.get("Location", ""))
        if c.HEADER_UPLOAD_OFFSET in answer.headers:
            return _Place(upload, self._offset(answer))
        return _Place(upload, self._ask_offset(upload))

    def _bring(self, place: _Place) -> str:
        """Sends what is missing until the server has all; the upload's id."""
        upload, offset, idle = place.upload, place.offset, 0
        rounds = MAX_ROUNDS + self._length // SMALLEST_CHUNK
        with self._open() as file:
            self._tell(offset)
            while offset < self._length:
                rounds -= 1
                if rounds < 0:  # a server that goes back as often as forth, or takes byte by byte
                    raise self._access.wire.wrong_answer()
                before = offset
                try:
                    offset = self._patch(file, upload, offset)
                except ExchangeError as error:
                    moved = error.problem == c.ProblemCode.OFFSET_MISMATCH.code
                    if not (error.unreachable or moved):
                        raise
                    offset = self._ask_offset(upload)
                    if error.unreachable and offset == before and self._passed >= BUFFER_SIGN:
                        # the server got nothing of all this: what stands between hands on whole requests only
                        self._chunk = max(min(self._chunk, self._passed, FIRST_CHUNK) // 2, SMALLEST_CHUNK)
                    idle = 0 if offset > before else idle + 1
                    if idle >= MAX_IDLE_CUTS:
                        raise
                else:
                    idle = 0
                    if offset <= before:
                        raise self._access.wire.wrong_answer()
                self._tell(offset)
        return upload

    def _patch(self, file: _Source, upload: str, offset: int) -> int:
        headers = {
            c.HEADER_TUS: c.TUS_VERSION,
            c.HEADER_UPLOAD_OFFSET: str(offset),
            "Content-Type": c.MEDIA_OFFSET,
        }
        length = min(self._length - offset, self._chunk)

        def patch(bearer: Mapping[str, str]) -> Answer:
            file.seek(offset)
            body = _Outgoing(file, length, self._passing(offset))
            return self._access.wire.ask(
                "PATCH",
                f"/uploads/{upload}",
                headers={**headers, **bearer},
                data=body,
                read_timeout=UPLOAD_READ_TIMEOUT,
                done=(204,),
                limit=_limit(self._access),
            )

        self._passed = 0
        return self._offset(self._access.with_bearer(patch))

    def _passing(self, offset: int) -> Callable[[int], None]:
        def told(passed: int) -> None:
            self._passed = passed
            self._tell(offset + passed)

        return told

    def _tell(self, position: int) -> None:
        """So much of what goes over the line is there or has left."""
        self._progress.at(self._packet.size * position // self._length)

    def _ask_offset(self, upload: str) -> int:
        answer = self._access.ask("HEAD", f"/uploads/{upload}", headers={c.HEADER_TUS: c.TUS_VERSION}, done=(200, 204))
        return self._offset(answer)

    def _offset(self, answer: Answer) -> int:
        told = answer.headers.get(c.HEADER_UPLOAD_OFFSET, "")
        if not re.fullmatch(r"\d{1,15}", told, re.ASCII) or int(told) > self._length:
            raise self._access.wire.wrong_answer()
        return int(told)

    def _id_in(self, location: str) -> str:
        try:
            upload = urlsplit(location).path.rstrip("/").rpartition("/")[2]
        except ValueError as error:
            raise self._access.wire.wrong_answer() from error
        if not is_uuid(upload):
            raise self._access.wire.wrong_answer()
        return upload

    def _commit(self, path: str, upload: str) -> SignedReceipt:
        packet = self._packet
        commit = c.Commit(
            upload=upload,
            sha256=packet.sha256,
            size=packet.size,
            kind=packet.kind,
            edxml_document_id=packet.document_id,
            supersedes=packet.supersedes,
        )
        headers = {"Content-Type": c.MEDIA_JSON, **_anchor(self._head)}
        body = msgspec.json.encode(commit)
        answer = self._access.ask("PUT", path, headers=headers, data=body, read_timeout=UPLOAD_READ_TIMEOUT)
        return _receipt(self._access, packet, answer)

    @contextmanager
    def _open(self) -> Iterator[_Source]:
        try:
            file = self._packet.path.open("rb")
        except OSError as error:
            raise damaged() from error
        with file:
            yield file if self._packed is None else Packing(file)


def _receipt(access: Access, packet: OutgoingPacket, answer: Answer) -> SignedReceipt:
    accepted = access.wire.decode(answer, c.AcceptedPacket)
    return access.check_receipt(accepted.receipt, packet.packet_id, packet.sha256)


def _anchor(journal_head: c.JournalHead | None) -> dict[str, str]:
    return {} if journal_head is None else {c.HEADER_JOURNAL_HEAD: str(journal_head)}


def _limit(access: Access) -> int:
    return access.known_meta().limits.max_packet


def _too_large(limit: int) -> ExchangeError:
    return ExchangeError("packet_too_large", retry=c.Retry.FIX, limit=limit)
