"""A quick reader for objects that are written plainly, as nearly all are: what pyHanko makes of them, but faster.

Runs in a worker, on files of others. One pattern takes each token; whatever is written in a rarer way (rarer escapes,
comments, odd blanks, a key twice) is not read here at all, but left to pyHanko, so that both never differ. Decides
nothing.
"""

import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyhanko.pdf_utils import generic

_MAX_DEPTH = 40
_BLANKS = rb"[\t\n\r ]*"
_NEXT = rb"(?=[\t\n\r /<>\[\](])"
_TOKEN = re.compile(
    _BLANKS
    + rb"(?:/([!\"$&'*-.0-;=?-Z\\^-z|~]+)"
    + _NEXT
    + rb"|([1-9][0-9]{0,9}) (0|[1-9][0-9]{0,4}) R"
    + _NEXT
    + rb"|([+-]?[0-9]{1,15})"
    + _NEXT
    + rb"|([+-]?[0-9]{0,15}\.[0-9]{1,15})"
    + _NEXT
    + rb"|\(((?:[ -'*-\[\]-~]++|\\(?:[0-3][0-7]{2}|[()\\]))*+)\)"
    + rb"|<((?:[0-9A-Fa-f]{2})*+)>"
    + rb"|(<<|>>|\[|\])"
    + rb"|(true|false|null)"
    + _NEXT
    + rb")"
)
_NAME, _NUMBER, _GENERATION, _WHOLE, _BROKEN, _LITERAL, _HEX, _MARK, _WORD = range(1, 10)
_HEADER = re.compile(rb"([1-9][0-9]{0,9}) (0|[1-9][0-9]{0,4}) obj(?=[\t\n\r /<\[(])")
_ESCAPED = re.compile(rb"\\(?:([0-3][0-7]{2})|([()\\]))")
_END = re.compile(_BLANKS + rb"endobj")
_STREAM = re.compile(_BLANKS + rb"stream(\r\n|\n)")
_STREAM_END = re.compile(rb"(?:\r\n|\n|\r)?endstream[\t\n\r ]{1,4}endobj")


@dataclass(frozen=True)
class Plain:
    """An object, and the byte behind it."""

    value: Any
    end: int


def plain_object(data: bytes, key: tuple[int, int], reference: generic.Reference) -> Plain | None:
    """The object with this number at the beginning of `data`, from its header up to `endobj`; None: pyHanko's turn."""
    start = header_end(data, key)
    found = plain_value(data, start, reference) if start is not None else None
    if found is None:
        return None
    value, at = found.value, found.end
    if (end := _END.match(data, at)) is not None:
        return Plain(value, end.end())
    begins = _STREAM.match(data, at) if type(value) is generic.DictionaryObject else None
    length = dict.get(value, "/Length") if begins is not None else None
    if begins is None or type(length) is not generic.NumberObject or length < 0:
        return None
    stop = begins.end() + int(length)
    closes = _STREAM_END.match(data, stop)
    if closes is None:
        return None
    stream = generic.StreamObject(dict(dict.items(value)), encoded_data=data[begins.end() : stop])
    stream.container_ref = reference
    return Plain(stream, closes.end())


def header_end(data: bytes, key: tuple[int, int]) -> int | None:
    """Where the header of the object with this number ends, with which `data` begins; None for any other."""
    header = _HEADER.match(data)
    return header.end() if header is not None and (int(header[1]), int(header[2])) == key else None


def plain_value(data: bytes, start: int, reference: generic.Reference) -> Plain | None:
    """The value that stands at `start`; None where it is not written plainly to its end."""
    handler = reference.get_pdf_handler()  # type: ignore[no-untyped-call]
    open_values: list[tuple[bytes, list[Any]]] = []
    at = start
    while (token := _TOKEN.match(data, at)) is not None:
        at, kind = token.end(), token.lastindex
        if kind == _MARK:
            mark = token[_MARK]
            if mark in (b"<<", b"["):
                if len(open_values) >= _MAX_DEPTH:
                    return None
                open_values.append((mark, []))
                continue
            value = _closed(mark, open_values)
            if value is None:
                return None
        elif kind == _GENERATION:
            value = generic.IndirectObject(int(token[_NUMBER]), int(token[_GENERATION]), handler)  # type: ignore[no-untyped-call]
        else:
            assert kind is not None
            value = _MAKE[kind](token[kind])
        value.container_ref = reference
        if not open_values:
            return Plain(value, at)
        open_values[-1][1].append(value)
    return None


def _closed(mark: bytes, open_values: list[tuple[bytes, list[Any]]]) -> Any:
    """The dictionary or array that ends here; None when nothing does, or pyHanko has to say what it thinks of it."""
    if not open_values:
        return None
    opened, items = open_values.pop()
    if mark == b"]":
        return generic.ArrayObject(items) if opened == b"[" else None
    if opened != b"<<" or len(items) % 2:
        return None
    names = items[::2]
    if len(set(names)) != len(names) or not all(type(name) is generic.NameObject for name in names):
        return None
    return generic.DictionaryObject(dict(zip(names, items[1::2], strict=True)))  # type: ignore[no-untyped-call]


def _byte(escaped: re.Match[bytes]) -> bytes:
    return escaped[2] or bytes((int(escaped[1], 8),))


def _word(word: bytes) -> Any:
    return generic.NullObject() if word == b"null" else generic.BooleanObject(word == b"true")  # type: ignore[no-untyped-call]


_MAKE: dict[int, Callable[[bytes], Any]] = {
    _NAME: lambda name: generic.NameObject("/" + name.decode("ascii")),
    _WHOLE: lambda digits: generic.NumberObject(digits.decode("ascii")),  # type: ignore[no-untyped-call]
    _BROKEN: lambda digits: generic.FloatObject(digits.decode("ascii")),  # type: ignore[no-untyped-call]
    _LITERAL: lambda text: generic.pdf_string(_ESCAPED.sub(_byte, text)),
    _HEX: lambda digits: generic.pdf_string(binascii.unhexlify(digits)),
    _WORD: _word,
}
