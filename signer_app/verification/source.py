"""The file under check as bytes: prefixes, signed ranges, and where a revision ends.

Runs in a worker. The file is mapped or read in pieces, never held as a whole; each earlier state of the document is
the file cut at the end of a signed range, so that what a parser sees of it can't depend on anything that was appended
later.
"""

import contextlib
import hashlib
import io
import mmap
import os
import re
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from signer_app.verification.faults import BrokenError, UnreadableError

if TYPE_CHECKING:
    # collections.abc has it from Python 3.12 on.
    from typing_extensions import Buffer

_BLANK = b"\x00\t\n\x0c\r "
_STARTXREF = re.compile(rb"startxref\s+(\d{1,12})\s+%%EOF")
_XREF_START = re.compile(rb"\s*(?:xref|\d+\s+\d+\s+obj)")
_BYTE_RANGE = re.compile(rb"/ByteRange\s*\[")
_CHUNK = 1 << 20
_BUFFER = 1 << 14
_MAX_CONTENTS = 4 << 20
_MAX_ENDINGS = 1000


class _Prefix(io.RawIOBase):
    """The first `end` bytes of a file that others read too: every read says where."""

    def __init__(self, file: io.FileIO, end: int) -> None:
        self._file = file
        self._end = end
        self._at = 0

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
        view = memoryview(buffer)[: max(0, self._end - self._at)]
        self._file.seek(self._at)
        count = self._file.readinto(view) or 0
        self._at += count
        return count


@dataclass(frozen=True)
class SignedRange:
    """The shape of a good /ByteRange: bytes [0, gap_start) and [gap_end, end) are signed, the gap is /Contents."""

    gap_start: int
    gap_end: int
    end: int


@dataclass(frozen=True)
class ParsedSignature:
    """A signature dictionary as it was read, and the byte up to which the file was read for it."""

    dictionary: Any
    end: int


class SourceFile:
    """The file, mapped once for searching and digesting. Use as a context manager.

    Raises OSError, and UnreadableError for an empty file.
    """

    def __init__(self, path: Path) -> None:
        with contextlib.ExitStack() as stack:
            self._file = stack.enter_context(io.FileIO(path))
            self.size = os.fstat(self._file.fileno()).st_size
            if self.size == 0:
                raise UnreadableError("verify_not_pdf")
            self.data = stack.enter_context(mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ))
            self._stack = stack.pop_all()
        self.signatures: dict[tuple[int, int, int], ParsedSignature] = {}

    def prefix(self, end: int) -> io.BufferedReader:
        """The first `end` bytes as a stream of their own; good while the file is open."""
        return io.BufferedReader(_Prefix(self._file, end), _BUFFER)

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

    def end_of_revision(self, xref_end: int, startxref: int, end: int) -> int | None:
        """Where the %%EOF ends that closes the revision with this startxref value; None if there is none.

        Looks before byte `end` only. `xref_end` is the end of the last cross-reference section there; the *first*
        fitting %%EOF after it counts, so that nothing can be hidden between two of them.
        """
        for found in _STARTXREF.finditer(self.data, max(0, xref_end), end):
            if int(found.group(1)) == startxref:
                return found.end()
        return None

    def only_blank(self, start: int, end: int | None = None) -> bool:
        """Whether nothing but white space (ISO 32000-1, table 1) stands from `start` on, to `end` or the file's."""
        stop = self.size if end is None else end
        return all(not bytes(self.data[at : min(at + _CHUNK, stop)]).strip(_BLANK) for at in range(start, stop, _CHUNK))
