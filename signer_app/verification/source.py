"""The file under check as bytes: prefixes, signed ranges, and where a revision ends.

Runs in a worker. The file is mapped or read in pieces, never held as a whole; each earlier state of the document is
the file cut at the end of a signed range, so that what a parser sees of it can't depend on anything that was appended
later. All digests come from one pass over the file.
"""

import contextlib
import hashlib
import io
import mmap
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self

from signer_app.verification.faults import BrokenError, LimitError, UnreadableError

if TYPE_CHECKING:
    # collections.abc has it from Python 3.12 on.
    from typing_extensions import Buffer

_BLANK = b"\x00\t\n\x0c\r "
_STARTXREF = re.compile(rb"startxref\s+(\d{1,12})\s+%%EOF")
_XREF_START = re.compile(rb"\s{0,64}(?:xref|\d{1,10}\s{1,16}\d{1,5}\s{1,16}obj)")
"""Bounded: a run of blanks may be as long as the file, and be pointed at a thousand times."""
_BYTE_RANGE = re.compile(rb"/ByteRange\s*\[")
_CHUNK = 1 << 20
_BUFFER = 1 << 14
_MAX_CONTENTS = 4 << 20
_MAX_ENDINGS = 1000
_MAX_TRAILER = 1 << 20
_SMALL = 16 << 20
_LITTLE = 256 << 10
_READS_KEPT = 16
_TRACE = b"/ByteRange"
_MAX_TRACES = 20_000
_MAX_PASSES = 8
"""How often the bytes behind the gaps of signatures may be digested, all in all, as multiples of the file.

An increment signs little behind its own gap; a file that makes every signature sign all of it again is no honest one.
"""
_WHOLE = "sha256"


class _Prefix(io.RawIOBase):
    """The first `end` bytes of a mapped file, as a stream of its own."""

    def __init__(self, data: mmap.mmap | bytes, end: int) -> None:
        self._data = data
        self._end = end
        self._at = 0
        self._reads = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._end}[whence]
        if base + offset < 0:
            raise OSError("before the beginning of the file")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: "Buffer") -> int:
        view = memoryview(buffer)
        count = max(0, min(len(view), self._end - self._at))
        view[:count] = self._data[self._at : self._at + count]
        self._at += count
        self._reads += 1
        if self._reads % _READS_KEPT == 0 and isinstance(self._data, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            # Around each byte that is looked at the system maps up to a megabyte; all of it is still in its cache.
            self._data.madvise(mmap.MADV_DONTNEED)
        return count


@dataclass(frozen=True)
class SignedRange:
    """The shape of a good /ByteRange: bytes [0, gap_start) and [gap_end, end) are signed, the gap is /Contents."""

    gap_start: int
    gap_end: int
    end: int


class SourceFile:
    """The file, mapped once for searching and digesting. Use as a context manager.

    Raises OSError, and UnreadableError for an empty file.
    """

    def __init__(self, path: Path) -> None:
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(io.FileIO(path))
            self.size = os.fstat(file.fileno()).st_size
            if self.size == 0:
                raise UnreadableError("verify_not_pdf")
            mapped = stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            # The pages of a mapping come one by one; a small file is read faster than it is mapped.
            self.data: mmap.mmap | bytes = mapped if self.size > _SMALL else mapped[:]
            self._stack = stack.pop_all()
        self._file = file
        self._digests: dict[tuple[SignedRange, str], bytes] = {}
        self._sha256: str | None = None
        self._left_to_digest = _MAX_PASSES * self.size

    def prefix(self, end: int) -> io.BufferedReader:
        """The first `end` bytes as a stream of their own; good while the file is open."""
        return io.BufferedReader(_Prefix(self.data, end), _BUFFER)

    def beginning(self, end: int) -> bytes | io.BufferedReader:
        """The first `end` bytes for a parser that takes either: as they are where they are few, or all of a small file.

        Many states of a file may be open at once, each with its copy.
        """
        if isinstance(self.data, bytes) and end >= self.size:
            return self.data
        return self.data[:end] if end <= _LITTLE else self.prefix(end)

    def copy(self, end: int) -> BinaryIO:
        """The first `end` bytes for a parser that reads them in many small steps: in memory where they are few."""
        return io.BytesIO(self.data[:end]) if end <= _SMALL else self.prefix(end)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def piece(self, start: int, stop: int) -> bytes:
        """These bytes, at most to the end. For going through the file: what is read so is not mapped, and so takes no
        memory afterwards.
        """
        if isinstance(self.data, bytes):
            return self.data[start:stop]
        self._file.seek(start)
        parts, left = [], min(stop, self.size) - start
        while left > 0 and (part := self._file.read(left)):
            parts.append(part)
            left -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def looks_like_pdf(self) -> bool:
        """Whether a PDF header stands in the first kilobyte."""
        return b"%PDF-" in self.data[:1024]

    def signature_traces(self) -> list[int]:
        """The places of the file that look like a signature, reachable or not, in order. Raises LimitError."""
        places: list[int] = []
        for at in range(0, self.size, _CHUNK):
            # Searching in a mapped file is many times slower than in bytes.
            piece = self.piece(at, at + _CHUNK + len(_TRACE) - 1)
            found = piece.find(_TRACE)
            while found >= 0:
                if _BYTE_RANGE.match(self.data, at + found) is not None:
                    places.append(at + found)
                found = piece.find(_TRACE, found + 1)
            if len(places) > _MAX_TRACES:
                raise LimitError
        return places

    def last_ending(self) -> int:
        """Where the last `startxref N %%EOF` ends that leads somewhere; what follows belongs to no revision.

        UnreadableError `verify_damaged` when there is none.
        """
        at = self.size
        last: int | None = None
        for _ in range(_MAX_ENDINGS):
            at = self.data.rfind(b"startxref", 0, at)
            if at < 0:
                break
            found = _STARTXREF.match(self.data, at)
            if found is None:
                continue
            if _XREF_START.match(self.data, int(found.group(1))):
                return found.end()
            last = last or found.end()
        if last is None:
            raise UnreadableError("verify_damaged")
        return last

    def read_once(self, wanted: Iterable[tuple[SignedRange, str]]) -> None:
        """Makes all these digests (range and name of the hash), and the file's own, in one pass over the file.

        What has no such hash, or goes over the limit, is left to `digest`, which says so.
        """
        asked = {one for one in wanted if _can_digest(one[1]) and one not in self._digests}
        bounded: set[tuple[SignedRange, str]] = set()
        for one in sorted(asked, key=lambda one: one[0].end - one[0].gap_end):
            behind = one[0].end - one[0].gap_end
            if behind <= self._left_to_digest:
                self._left_to_digest -= behind
                bounded.add(one)
        if bounded or self._sha256 is None:
            self._pass(bounded)
            self._left_to_digest -= self.size

    def _pass(self, wanted: set[tuple[SignedRange, str]]) -> None:
        beginnings = {name: hashlib.new(name) for _, name in wanted} | {_WHOLE: hashlib.new(_WHOLE)}
        last_needed = {name: max((r.gap_start for r, n in wanted if n == name), default=0) for name in beginnings}
        last_needed[_WHOLE] = self.size
        marks = {0, self.size, *(mark for r, _ in wanted for mark in (r.gap_start, r.gap_end, r.end))}
        open_ends: dict[tuple[SignedRange, str], hashlib._Hash] = {}
        for start, stop in pairwise(sorted(marks)):
            for one in wanted:
                if one[0].gap_start == start:
                    open_ends[one] = beginnings[one[1]].copy()
            running = [hash_ for name, hash_ in beginnings.items() if last_needed[name] > start]
            running += [hash_ for (r, _), hash_ in open_ends.items() if r.gap_end <= start < r.end]
            for at in range(start, stop, _CHUNK):
                piece = self.piece(at, min(at + _CHUNK, stop))
                for hash_ in running:
                    hash_.update(piece)
            for one in [one for one in open_ends if one[0].end == stop]:
                self._digests[one] = open_ends.pop(one).digest()
        self._sha256 = beginnings[_WHOLE].hexdigest()

    def digest(self, signed: SignedRange, algorithm: str) -> bytes:
        """Digest of the signed bytes; UnreadableError for an algorithm that this machine lacks, LimitError."""
        if not _can_digest(algorithm):
            raise UnreadableError("verify_algorithm_unsupported")
        if (signed, algorithm) not in self._digests:
            self.read_once([(signed, algorithm)])
        if (signed, algorithm) not in self._digests:
            raise LimitError
        return self._digests[signed, algorithm]

    def sha256(self) -> str:
        """SHA-256 of the whole file, in hex; from the pass that made the digests, where there was one."""
        if self._sha256 is None:
            self._pass(set())
        assert self._sha256 is not None
        return self._sha256

    def signed_range(self, byte_range: list[int], contents: bytes) -> SignedRange:
        """The /ByteRange, checked: two ranges from 0 on, with exactly the hex string of `contents` between them.

        ISO 32000-2, 12.8.1 and table 255. BrokenError `verify_byte_range` for anything else: signature wrapping
        works with ranges that leave more out. LimitError for a hole that no CMS of ours is as long as.
        """
        fault = BrokenError("verify_byte_range")
        if len(byte_range) != 4 or byte_range[0] != 0:
            raise fault
        _, first, second, length = byte_range
        end = second + length
        if not (0 < first < second < end <= self.size) or length <= 0:
            raise fault
        if second - first > _MAX_CONTENTS:
            raise LimitError
        gap = bytes(self.data[first:second])
        if gap[:1] != b"<" or gap[-1:] != b">":
            raise fault
        try:
            inside = bytes.fromhex(gap[1:-1].decode("ascii"))
        except ValueError:
            raise fault from None
        if inside != contents:
            raise fault
        return SignedRange(first, second, end)

    def end_of_revision(self, xref_end: int, startxref: int, end: int) -> int | None:
        """Where the %%EOF ends that closes the revision with this startxref value; None if there is none.

        Looks before byte `end` only. `xref_end` is the end of the last cross-reference section there; the *first*
        fitting %%EOF after it counts, so that nothing can be hidden between two of them.
        """
        start = max(0, xref_end)
        for found in _STARTXREF.finditer(self.data, start, min(end, start + _MAX_TRAILER)):
            if int(found.group(1)) == startxref:
                return found.end()
        return None

    def only_blank(self, start: int, end: int | None = None) -> bool:
        """Whether nothing but white space (ISO 32000-1, table 1) stands from `start` on, to `end` or the file's."""
        stop = self.size if end is None else end
        return all(not bytes(self.data[at : min(at + _CHUNK, stop)]).strip(_BLANK) for at in range(start, stop, _CHUNK))


def _can_digest(algorithm: str) -> bool:
    """Whether this machine has the hash, and it makes digests of one length."""
    try:
        return hashlib.new(algorithm).digest_size > 0
    except ValueError:
        return False
