"""The file under check as bytes: prefixes, signed ranges, and where a revision ends.

Runs in a worker. The file is mapped, never read as a whole; each earlier state of the document is the file cut at
the end of a signed range, so that what a parser sees of it can't depend on anything that was appended later.
"""

import contextlib
import hashlib
import mmap
import os
import re
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from signer_app.verification.faults import BrokenError, UnreadableError

_BLANK = b"\x00\t\n\x0c\r "
_STARTXREF = re.compile(rb"startxref\s+(\d{1,12})\s+%%EOF")
_XREF_START = re.compile(rb"\s*(?:xref|\d+\s+\d+\s+obj)")
_BYTE_RANGE = re.compile(rb"/ByteRange\s*\[")
_CHUNK = 1 << 20
_MAX_CONTENTS = 4 << 20
_MAX_ENDINGS = 1000


class PdfiumMap(mmap.mmap):
    """A mapped prefix of the file as PDFium's binding wants it: `seek` tells where it is, `readinto` fills."""

    def seek(self, pos: int, whence: int = 0) -> int:  # type: ignore[override]
        """Goes to a position and returns it; mmap of Python before 3.13 returns None."""
        super().seek(pos, whence)  # type: ignore[arg-type]  # any of SEEK_SET, SEEK_CUR, SEEK_END
        return self.tell()

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Fills `buffer` from the present position; number of bytes read."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


@dataclass(frozen=True)
class SignedRange:
    """The shape of a good /ByteRange: bytes [0, gap_start) and [gap_end, end) are signed, the gap is /Contents."""

    gap_start: int
    gap_end: int
    end: int


class SourceFile:
    """The mapped file. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        self._stack = contextlib.ExitStack()
        handle = self._stack.enter_context(path.open("rb"))
        self._fd = handle.fileno()
        self.size = os.fstat(self._fd).st_size
        if self.size == 0:
            self._stack.close()
            raise UnreadableError("verify_not_pdf")
        self.data = self.prefix(self.size)

    def prefix(self, end: int) -> mmap.mmap:
        """The first `end` bytes as a stream of their own, closed with the file."""
        return self._stack.enter_context(mmap.mmap(self._fd, end, access=mmap.ACCESS_READ))

    def pdfium_prefix(self, end: int) -> PdfiumMap:
        """The first `end` bytes as PDFium reads them, closed with the file."""
        return self._stack.enter_context(PdfiumMap(self._fd, end, access=mmap.ACCESS_READ))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def looks_like_pdf(self) -> bool:
        """Whether a PDF header stands in the first kilobyte."""
        return b"%PDF-" in self.data[:1024]

    def signature_traces(self) -> int:
        """How many places of the file look like a signature, reachable or not.

        A signature dictionary is never compressed, for its /ByteRange is written last.
        """
        return sum(1 for _ in _BYTE_RANGE.finditer(self.data))

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

    def digest(self, signed: SignedRange, algorithm: str) -> bytes:
        """Digest of the signed bytes; UnreadableError for an algorithm that this machine lacks."""
        try:
            running = hashlib.new(algorithm)
        except ValueError:
            raise UnreadableError("verify_algorithm_unsupported") from None
        view = memoryview(self.data)
        try:
            for start, stop in ((0, signed.gap_start), (signed.gap_end, signed.end)):
                for at in range(start, stop, _CHUNK):
                    running.update(view[at : min(at + _CHUNK, stop)])
        finally:
            view.release()
        return running.digest()

    def signed_range(self, byte_range: list[int], contents: bytes) -> SignedRange:
        """The /ByteRange, checked: two ranges from 0 on, with exactly the hex string of `contents` between them.

        ISO 32000-2, 12.8.1 and table 255. BrokenError `verify_byte_range` for anything else: signature wrapping
        works with ranges that leave more out.
        """
        fault = BrokenError("verify_byte_range")
        if len(byte_range) != 4 or byte_range[0] != 0:
            raise fault
        _, first, second, length = byte_range
        end = second + length
        if not (0 < first < second < end <= self.size) or length <= 0 or second - first > _MAX_CONTENTS:
            raise fault
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


def end_of_revision(data: mmap.mmap, xref_end: int, startxref: int) -> int | None:
    """Where the %%EOF ends that closes the revision with this startxref value; None if there is none.

    `xref_end` is the end of the last cross-reference section in the file; the *first* fitting %%EOF after it counts,
    so that nothing can be hidden between two of them.
    """
    for found in _STARTXREF.finditer(data, max(0, xref_end)):
        if int(found.group(1)) == startxref:
            return found.end()
    return None


def only_blank(data: mmap.mmap, start: int) -> bool:
    """Whether nothing but white space (ISO 32000-1, table 1) follows from `start` on."""
    return all(not bytes(data[at : at + _CHUNK]).strip(_BLANK) for at in range(start, len(data), _CHUNK))
