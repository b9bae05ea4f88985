"""The words of an attachment that could be a mark of secrecy: paragraphs of its beginning, cells of its first rows.

Runs in a worker. XML is read without DTD and entities; parts, bytes and words are counted and cut off, so that a file
that is made to exhaust says only that it can't be read.
"""

import codecs
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Final
from xml.parsers import expat

MOST_ENTRIES: Final = 20_000
_MOST_PARTS: Final = 64
"""Sheets, slides, headers that are read."""
_MOST_WORDS: Final = 400
"""Paragraphs or cells of each part: more than a first page or screen holds."""
_MOST_BYTES: Final = 64 << 20
"""Unpacked, of all parts together."""
_MOST_STRINGS: Final = 1_000_000
_MOST_TEXT: Final = 200
"""Characters of a paragraph; a mark is short."""
_FEED: Final = 1 << 20
"""Bytes at once; the parser reads a token that goes on from its beginning again with each piece."""
_MOST_TOKEN: Final = 4 << 20
"""Bytes of a tag or a comment, beyond the piece in which it begins; Word keeps drawings in attributes (o:gfxdata)."""
_MOST_NAMES: Final = 4096
"""Different names of elements and attributes, which the parser keeps to its end; a kind of part has some hundred."""
_DEEPEST: Final = 512
_TEXT_BYTES: Final = 1 << 16
_TEXT_LINES: Final = 400
_CODES: Final = re.compile(r'&(?:"[^"]*"|\d+|K[0-9A-Fa-f]{6}|[A-Za-z])')
"""Place, font and size before the words of a sheet's header (ISO/IEC 29500-1, 18.3.1.46)."""


class UnreadableError(Exception):
    """The file is not made as its kind is, or is made to exhaust."""


@dataclass
class Parts:
    """The parts of a packed office file, with what may still be unpacked of them."""

    archive: zipfile.ZipFile
    left: int = _MOST_BYTES

    @property
    def names(self) -> list[str]:
        """Their names, no paths to anybody's disk."""
        return self.archive.namelist()

    def named(self, *beginnings: str) -> list[str]:
        """The XML parts whose names begin so, in natural order; no more than are read."""
        # Names of parts are told apart without case (ISO/IEC 29500-2, 6.2.2.3).
        wanted = tuple(one.lower() for one in beginnings)
        found = [name for name in self.names if name.lower().startswith(wanted) and name.lower().endswith(".xml")]
        return sorted(found, key=lambda name: (len(name), name))[:_MOST_PARTS]

    def blocks(self, name: str) -> Iterator[bytes]:
        """The bytes of a part, bit by bit; UnreadableError where it holds more than anybody writes."""
        with self.archive.open(name) as part:
            while block := part.read(_FEED):
                self.left -= len(block)
                if self.left < 0:
                    raise UnreadableError
                yield block


def open_parts(source: IO[bytes]) -> Parts:
    """The parts of a ZIP; UnreadableError for what is none, or has more entries than are looked at."""
    try:
        archive = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise UnreadableError from None
    if len(archive.namelist()) > MOST_ENTRIES:
        raise UnreadableError
    return Parts(archive)


def office_words(parts: Parts) -> Iterator[str]:
    """Of a docx, xlsx or pptx; UnreadableError where none of the parts is there that these have."""
    if not parts.named("word/document", "xl/worksheets/", "ppt/slides/slide"):
        raise UnreadableError
    for name in parts.named("word/document", "word/header", "word/footer"):
        yield from _read(parts, name, frozenset({"p"}), frozenset({"t"}))
    for name in parts.named("ppt/slides/slide", "ppt/slideMasters/slideMaster", "xl/drawings/drawing"):
        yield from _read(parts, name, frozenset({"p"}), frozenset({"t"}))
    yield from _sheet_words(parts)
    for name in parts.named("xl/workbook"):
        yield from _fed(parts, name, _SheetNames())


def open_document_words(parts: Parts) -> Iterator[str]:
    """Of an odt, ods or odp; styles.xml holds headers and footers."""
    for name in ("content.xml", "styles.xml"):
        if name in parts.names:
            yield from _read(parts, name, frozenset({"p", "h"}), None)


def text_words(source: IO[bytes]) -> list[str] | None:
    """Lines, and cells of lines, of a text file's beginning; None where its letters are in no Unicode form."""
    data = source.read(_TEXT_BYTES)
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    if encoding == "utf-16":
        data = data[: len(data) // 2 * 2]
    try:
        # The beginning may end within a letter.
        text = codecs.getincrementaldecoder(encoding)().decode(data, final=len(data) < _TEXT_BYTES)
    except UnicodeDecodeError:
        return None
    words: list[str] = []
    for line in text.splitlines()[:_TEXT_LINES]:
        words += [line, *(cell.strip(' "') for mark in ",;\t" for cell in line.split(mark)[:50])]
    return words


def _sheet_words(parts: Parts) -> Iterator[str]:
    """Cells of the first rows of each sheet; most of them are numbers of strings that stand elsewhere."""
    wanted: set[int] = set()
    for name in parts.named("xl/worksheets/", "xl/chartsheets/"):
        cells = _Cells()
        _feed(parts, name, cells)
        yield from cells.words
        wanted |= cells.strings
    for name in parts.named("xl/sharedstrings") if wanted else ():
        yield from _fed(parts, name, _Strings(frozenset(wanted)))


def _read(parts: Parts, name: str, blocks: frozenset[str], texts: frozenset[str] | None) -> Iterable[str]:
    return _fed(parts, name, _Paragraphs(blocks, texts))


def _fed(parts: Parts, name: str, reader: "_Reader") -> list[str]:
    _feed(parts, name, reader)
    return reader.words


class _EnoughError(Exception):
    """The beginning has been read."""


_PARTING: Final = frozenset({"br", "cr", "tab", "line-break"})
_READING: Final = "rPh"
"""How a text is read, in the letters of another script (ISO/IEC 29500-1, 18.4.6)."""


@dataclass
class _Reader:
    """Follows the elements of a part by their local names."""

    words: list[str] = field(default_factory=list)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        raise NotImplementedError

    def end(self, name: str) -> None:
        raise NotImplementedError

    def data(self, text: str) -> None:
        raise NotImplementedError

    def keep(self, text: str) -> None:
        """Keeps a paragraph or cell that says anything, and each of its lines: a mark may be one of several."""
        lines = text.splitlines()
        for part in (text, *lines) if len(lines) > 1 else (text,):
            if words := " ".join(part.split()):
                self.words.append(words)
        if len(self.words) >= _MOST_WORDS:
            raise _EnoughError


class _Paragraphs(_Reader):
    """Paragraphs, also those within frames within paragraphs; `texts` None: all text of them counts."""

    def __init__(self, blocks: frozenset[str], texts: frozenset[str] | None) -> None:
        super().__init__()
        self._blocks, self._texts = blocks, texts
        self._open: list[str] = []
        self._within = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name in self._blocks:
            self._open.append("")
        elif self._texts is not None and name in self._texts:
            self._within += 1
        elif name in _PARTING and self._open:
            # A mark may be one line of a paragraph of several: the lines count alone, and as a whole.
            self._open[-1] += "\n"
        elif name == "textpath":
            self.keep(attributes.get("string", ""))

    def end(self, name: str) -> None:
        if name in self._blocks and self._open:
            self.keep(self._open.pop())
        elif self._texts is not None and name in self._texts:
            self._within -= 1

    def data(self, text: str) -> None:
        if self._open and (self._texts is None or self._within) and len(self._open[-1]) < _MOST_TEXT:
            self._open[-1] += text


class _Cells(_Reader):
    """Cells of a sheet: what stands in them, or the number of the string that does; its headers and footers."""

    _TEXT = frozenset({"v", "is", "oddHeader", "oddFooter", "firstHeader", "firstFooter", "evenHeader", "evenFooter"})

    def __init__(self) -> None:
        super().__init__()
        self.strings: set[int] = set()
        self._shared, self._cells = False, 0
        self._aside = False
        """Within a reading aid, which stands beside the words and not among them."""
        self._text: str | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._shared = attributes.get("t") == "s"
        elif name == _READING:
            self._aside = True
        elif name in self._TEXT:
            self._text = ""

    def end(self, name: str) -> None:
        if name == _READING:
            self._aside = False
        if name not in self._TEXT or self._text is None:
            return
        text, self._text = self._text, None
        if name == "v" and self._shared:
            if text.isdecimal() and len(text) < 9:
                self.strings.add(int(text))
            self._cells += 1
            if self._cells >= _MOST_WORDS:
                raise _EnoughError
        elif name in ("v", "is"):
            self.keep(text)
        else:
            self.words += [part.strip() for part in _CODES.split(text)]

    def data(self, text: str) -> None:
        if self._text is not None and not self._aside and len(self._text) < _MOST_TEXT:
            self._text += text


class _SheetNames(_Reader):
    """What stands on the tabs of a workbook."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            self.keep(attributes.get("name", ""))

    def end(self, name: str) -> None:
        """Nothing: a sheet's name is an attribute."""

    def data(self, text: str) -> None:
        """Nothing."""


class _Strings(_Reader):
    """Those of the shared strings that are wanted."""

    def __init__(self, wanted: frozenset[int]) -> None:
        super().__init__()
        self._wanted, self._number, self._within, self._text = wanted, -1, False, ""
        self._last, self._aside = max(wanted), False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "si":
            self._number += 1
            self._text = ""
            if self._number > min(self._last, _MOST_STRINGS):
                raise _EnoughError
        elif name == _READING:
            self._aside = True
        elif name == "t":
            self._within = not self._aside

    def end(self, name: str) -> None:
        if name == "t":
            self._within = False
        elif name == _READING:
            self._aside = False
        elif name == "si" and self._number in self._wanted:
            # All that is wanted is kept: it is bounded by the cells.
            self.words += [" ".join(part.split()) for part in (self._text, *self._text.splitlines())]

    def data(self, text: str) -> None:
        if self._within and len(self._text) < _MOST_TEXT:
            self._text += text


def _feed(parts: Parts, name: str, reader: _Reader) -> None:
    """Reads a part as far as the reader wants it; UnreadableError for what is no XML, or brings a DTD."""
    names: dict[str, str] = {}
    parser = expat.ParserCreate(namespace_separator=" ", intern=names)
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST or len(names) > _MOST_NAMES:
            raise UnreadableError
        reader.start(tag.rpartition(" ")[2], attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        reader.end(tag.rpartition(" ")[2])

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = reader.data
    parser.StartDoctypeDeclHandler = _refuse_dtd
    fed = 0
    try:
        for block in parts.blocks(name):
            parser.Parse(block, False)
            fed += len(block)
            if fed - parser.CurrentByteIndex > _MOST_TOKEN:
                raise UnreadableError
        parser.Parse(b"", True)
    except _EnoughError:
        return
    except (expat.ExpatError, zipfile.BadZipFile, zlib.error, RuntimeError, OSError, EOFError, ValueError):
        raise UnreadableError from None


def _refuse_dtd(*_: object) -> None:
    raise UnreadableError
