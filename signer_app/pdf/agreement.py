"""Whether all readers see the same letter in a file, or one reader this and another that.

Runs in a worker, before any PIN. First the structure is looked at: with one table after the other, each object in one
place, each dictionary with one entry for each key and as many pages as it says, there is nothing that readers could
take in two ways; that costs a few milliseconds. Where that is not so, the file as PDFium shows it is held against what
qpdf makes of it, page by page. Never says who is right: nobody should sign such a file.
"""

import mmap
import re
import tempfile
from collections.abc import Iterator
from enum import Enum, auto
from itertools import pairwise
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2 as pdfium

from signer_app.pdf.increment import Damage
from signer_app.pdf.same_pages import difference

_MAX_BYTES = 256 << 20
"""Of a larger file no second copy is made; where its structure leaves doubt, that stays."""
_MAX_SECTIONS = 4096
_MAX_NODES = 100_000
_TAIL = 4096
_MOST_DICTIONARY = 1 << 16
_TRAILER_KEYS = (b"Root", b"Prev", b"XRefStm", b"Encrypt", b"Size")

_END = re.compile(rb"startxref\s+(\d{1,15})\s+%%EOF\s*\Z")
_START = re.compile(rb"startxref\s+(\d{1,15})")
_TABLE = re.compile(rb"\s*xref\s+")
_SUBSECTION = re.compile(rb"\s*(\d{1,10})[ \t]+(\d{1,10})[ \t]*(?:\r\n|\r|\n)")
_ENTRIES = re.compile(rb"(?:\d{10} \d{5} [nf](?: \r| \n|\r\n))*")
_TRAILER = re.compile(rb"\s*trailer\s*<<")
_STREAM = re.compile(rb"\s*\d+\s+\d+\s+obj\s*<<")
_INDEX = re.compile(rb"/Index\s*\[([\d\s]*)\]")
_GAP = rb"(?:[\0\t\n\f\r ]|%[^\r\n]*[\r\n])+"
_LATER_GENERATION = re.compile(rb"\d" + _GAP + rb"0*[1-9]\d{0,4}" + _GAP + rb"R(?![A-Za-z0-9])")
"""A reference to a generation other than 0."""
_OBJECT = re.compile(rb"(?<!\d)(\d{1,10})\s+\d{1,5}\s+obj\b")
_COMMENT = re.compile(rb"(?m)^%[^\r\n]*$")
"""A line that is a comment; one behind other words may as well be a part of a string."""
_ENTRY = 20


class _Standing(Enum):
    """What the structure says of how the file may be read."""

    ONE = auto()
    """In one way only."""
    DOUBTFUL = auto()
    """Perhaps in several: what readers make of it has to be seen."""
    SEVERAL = auto()
    """In several, whatever our own two readers make of it."""


class _AmbiguousError(Exception):
    """The structure can be read in several ways."""


def disagreement(path: Path, pages: int) -> str | None:
    """Where readers see different things, by the standard's name for it; None where all see the same.

    `pages` is how many PDFium shows. Raises OSError; a file that only one of the readers can read is a disagreement.
    """
    standing = _standing(path, pages)
    if standing is _Standing.ONE:
        return None
    if standing is _Standing.SEVERAL:
        return Damage.REFERENCES.value
    if path.stat().st_size > _MAX_BYTES:
        return f"> {_MAX_BYTES >> 20} MB"
    try:
        with tempfile.TemporaryDirectory(prefix="signer-") as folder:
            copy = Path(folder, "copy.pdf")
            _write_as_qpdf_reads(path, copy)
            return difference(path, copy)
    except (pikepdf.PikepdfError, pdfium.PdfiumError, RuntimeError, ValueError):
        return Damage.OBJECTS.value


def _write_as_qpdf_reads(path: Path, copy: Path) -> None:
    with pikepdf.open(path, suppress_warnings=True) as pdf:
        pdf.save(
            copy,
            static_id=True,
            encryption=False,
            compress_streams=False,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
        )


def _standing(path: Path, pages: int) -> _Standing:
    with path.open("rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as raw:
        try:
            plain = _References(raw).plain()
            plain &= _objects_plain(path, pages)
            plain = plain and _LATER_GENERATION.search(raw) is None
        except _AmbiguousError:
            return _Standing.SEVERAL
    return _Standing.ONE if plain else _Standing.DOUBTFUL


# ---- the tables -----------------------------------------------------------------------------------------------------


class _References:
    """The chain of cross-reference sections as its bytes say it."""

    def __init__(self, raw: mmap.mmap) -> None:
        self._raw = raw
        self._live: set[int] = set()

    def plain(self) -> bool:
        """Whether each section says where each of its objects is, once, and leads to the one before.

        _AmbiguousError where one section has two places for one object, or leads to two roots.
        """
        tail = self._raw[-_TAIL:]
        end = _END.search(tail)
        if end is None:
            return False
        at, seen = int(end[1]), 0
        while True:
            seen += 1
            if seen > _MAX_SECTIONS or at >= len(self._raw):
                return False
            before, tables = self._section(at)
            if before is None:
                return tables and (seen > 1 or self._nothing_loose())
            if not tables:
                return False
            at = before
            if at < 0:
                return True

    def _section(self, at: int) -> tuple[int | None, bool]:
        """Where the section before this one is, None when there is none; and whether this one is plain."""
        table = _TABLE.match(self._raw, at)
        if table is not None:
            after = self._table(table.end())
            if after is None:
                return None, False
            trailer = _TRAILER.match(self._raw, after)
            return self._dictionary(trailer.end(), b"startxref") if trailer is not None else (None, False)
        stream = _STREAM.match(self._raw, at)
        return self._dictionary(stream.end(), b"stream") if stream is not None else (None, False)

    def _table(self, at: int) -> int | None:
        """The end of the table's entries; None where they aren't as the standard has them."""
        known: dict[int, bytes] = {}
        ranges: list[tuple[int, int]] = []
        blocks: list[tuple[int, bytes]] = []
        while (head := _SUBSECTION.match(self._raw, at)) is not None:
            first, count = int(head[1]), int(head[2])
            block = self._raw[head.end() : head.end() + count * _ENTRY]
            if len(block) != count * _ENTRY or _ENTRIES.fullmatch(block) is None:
                return None
            ranges.append((first, first + count))
            blocks.append((first, block))
            at = head.end() + len(block)
        ranges.sort()
        if any(one[1] > other[0] for one, other in pairwise(ranges)):
            for number, entry in _each(blocks):
                if known.setdefault(number, entry)[:18] != entry[:18]:
                    raise _AmbiguousError
        self._live |= {number for number, entry in _each(blocks) if entry[17:18] == b"n"}
        return at

    def _dictionary(self, at: int, end: bytes) -> tuple[int | None, bool]:
        """The same of a trailer, or of a stream that is one."""
        close = self._raw.find(end, at, at + _MOST_DICTIONARY)
        if close < 0:
            return None, False
        text = _COMMENT.sub(b"", self._raw[at:close])
        plain = b"/XRefStm" not in text and b"#" not in text and b"%" not in text
        for key in _TRAILER_KEYS:
            values = re.findall(rb"/%s\s*(\d+(?:\s+\d+\s+R)?)" % key, text)
            if len(set(values)) > 1 and key in {b"Root", b"Prev"}:
                raise _AmbiguousError
            plain &= len(values) <= 1
        index = _INDEX.search(text)
        if index is not None:
            plain &= _apart([int(number) for number in index[1].split()])
        previous = re.search(rb"/Prev\s*(\d{1,15})", text)
        return (int(previous[1]) if previous is not None else None), plain

    def _nothing_loose(self) -> bool:
        """Whether nothing refers to an object that stands in the file and that the one table doesn't name.

        Some readers go and look for it, so the page has more for them than for others.
        """
        if not self._live:
            return True
        loose = {int(found[1]) for found in _OBJECT.finditer(self._raw)} - self._live
        if any(re.search(rb"(?<!\d)%d\s+\d{1,5}\s+R\b" % number, self._raw) for number in sorted(loose)[:50]):
            raise _AmbiguousError
        return True


def _each(blocks: list[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Number and entry of each object in the subsections of a table."""
    for first, block in blocks:
        for index in range(len(block) // _ENTRY):
            yield first + index, block[index * _ENTRY : (index + 1) * _ENTRY]


def _apart(numbers: list[int]) -> bool:
    """Whether the ranges that /Index names (first, count, ...) don't overlap."""
    ranges = sorted(zip(numbers[::2], numbers[1::2], strict=False))
    return all(one[0] + one[1] <= other[0] for one, other in pairwise(ranges))


# ---- the objects ----------------------------------------------------------------------------------------------------


def _objects_plain(path: Path, pages: int) -> bool:
    """Whether qpdf reads every object where it should be, without a word, and as many pages as PDFium shows.

    _AmbiguousError where a dictionary has one key twice, or the pages are counted in two ways.
    """
    try:
        with pikepdf.open(path, suppress_warnings=True, inherit_page_attributes=False) as pdf:
            plain = all(
                _LATER_GENERATION.search(one.read_bytes()) is None
                for one in pdf.objects
                if isinstance(one, pikepdf.Stream) and one.get("/Type") == "/ObjStm"
            )
            leaves, counted = _count(pdf.Root.get("/Pages"))
            told = [str(problem) for problem in pdf.get_warnings()]
    except (pikepdf.PikepdfError, RuntimeError, ValueError, TypeError, AttributeError):
        return False
    if leaves != pages or any("duplicated key" in problem for problem in told):
        raise _AmbiguousError
    return plain and counted and not told


def _count(root: Any) -> tuple[int, bool]:
    """The pages at the ends of the tree, and whether each node says how many it holds, and what it is."""
    right, steps = True, 0
    # A node is met once on the way down, and once more with the pages that were met before it.
    todo: list[tuple[Any, int | None]] = [(root, None)]
    leaves = 0
    while todo:
        node, before = todo.pop()
        if before is not None:
            right &= node.get("/Count") == leaves - before
            continue
        steps += 1
        if steps > _MAX_NODES or not isinstance(node, pikepdf.Dictionary):
            right = False
            continue
        kids = node.get("/Kids")
        if isinstance(kids, pikepdf.Array):
            right &= node.get("/Type") == "/Pages"
            todo.append((node, leaves))
            todo.extend((kid, None) for kid in reversed(list(kids)))
        else:
            right &= node.get("/Type") == "/Page"
            leaves += 1
    return leaves, right
