"""Takes long strings out of a JSON text as it comes, so that no answer has to be held as a whole.

Pure state on any thread. A packet of 100 MB arrives as one base64 string inside a JSON object; a parser that builds
values would hold it several times over. Whoever uses this names the strings that count by their place; all others are
read past. It checks what it needs to know where a string begins and ends and that the text is whole, no more.
"""

import re
from collections.abc import Callable
from typing import Final

Path = tuple[str, ...]
"""Where a value stands: names of members from the outside in, "[]" for an item of an array."""

StringSink = Callable[[bytes], None]
"""Takes the next bytes of a string (UTF-8, escapes resolved)."""

_MAX_NAME: Final = 1 << 10
_MAX_DEPTH: Final = 32
_SPECIAL: Final = re.compile(rb'["\\]')
_SKIP: Final = re.compile(rb"[^\"{}\[\],:]+")
_ESCAPES: Final = {
    ord('"'): b'"', ord("\\"): b"\\", ord("/"): b"/", ord("b"): b"\b", ord("f"): b"\f", ord("n"): b"\n",
    ord("r"): b"\r", ord("t"): b"\t",
}  # fmt: skip


class JsonStrings:
    """`wanted(path)` is asked at the beginning of each string that is a value: a sink for its bytes, or None to read
    past it. Feed what comes, then `close`; ValueError for what is no JSON, or not the whole of it.
    """

    def __init__(self, wanted: Callable[[Path], StringSink | None]) -> None:
        self._wanted = wanted
        self._stack: list[str] = []
        """Of each open object the name of its present member, "[]" for an array."""
        self._kinds: list[int] = []
        self._name_next = False
        self._in_string = False
        self._name: bytearray | None = None
        self._sink: StringSink | None = None
        self._held = b""
        """An escape that was cut by the end of what was fed."""
        self._surrogate = 0
        self._begun = False
        self._ended = False

    def feed(self, data: bytes) -> None:
        """The next bytes of the text."""
        data, self._held = self._held + data, b""
        at = 0
        while at < len(data):
            at = self._string(data, at) if self._in_string else self._between(data, at)

    def close(self) -> None:
        """No more comes; ValueError unless the text was whole."""
        if self._held or self._in_string or self._kinds or not self._begun:
            raise ValueError("cut short")

    def _between(self, data: bytes, at: int) -> int:
        if skipped := _SKIP.match(data, at):
            if self._ended and data[at : skipped.end()].strip():
                raise ValueError("goes on after its end")
            return skipped.end()
        letter = data[at]
        if self._ended:
            raise ValueError("goes on after its end")
        if letter == ord('"'):
            self._begin_string()
        elif letter in b"{[":
            self._open(letter)
        elif letter in b"}]":
            self._shut(letter)
        elif letter == ord(","):
            self._name_next = bool(self._kinds) and self._kinds[-1] == ord("{")
        else:
            self._name_next = False
        return at + 1

    def _open(self, letter: int) -> None:
        if len(self._kinds) >= _MAX_DEPTH:
            raise ValueError("nested too deeply")
        self._begun = True
        self._kinds.append(letter)
        self._stack.append("[]" if letter == ord("[") else "")
        self._name_next = letter == ord("{")

    def _shut(self, letter: int) -> None:
        if not self._kinds or (self._kinds.pop() == ord("{")) != (letter == ord("}")):
            raise ValueError("brackets do not fit")
        self._stack.pop()
        self._name_next = False
        self._ended = not self._kinds

    def _begin_string(self) -> None:
        if not self._kinds:
            raise ValueError("neither an object nor an array")
        self._in_string = True
        self._name = bytearray() if self._name_next else None
        self._sink = None if self._name_next else self._wanted(tuple(self._stack))

    def _string(self, data: bytes, at: int) -> int:
        found = _SPECIAL.search(data, at)
        end = found.start() if found else len(data)
        if end > at:
            self._take(data[at:end])
        if found is None:
            return end
        if data[end] == ord('"'):
            self._end_string()
            return end + 1
        return self._escape(data, end)

    def _escape(self, data: bytes, at: int) -> int:
        length = 6 if data[at + 1 : at + 2] == b"u" else 2
        if at + length > len(data):
            self._held = data[at:]
            return len(data)
        if length == 2:
            try:
                self._take(_ESCAPES[data[at + 1]])
            except KeyError as error:
                raise ValueError("unknown escape") from error
        else:
            self._take_unit(int(data[at + 2 : at + 6], 16))
        return at + length

    def _take_unit(self, unit: int) -> None:
        """A \\uXXXX escape; two of them may stand for one letter (RFC 8259 §7)."""
        first, self._surrogate = self._surrogate, 0
        if 0xD800 <= unit < 0xDC00:
            self._surrogate = unit
        elif 0xDC00 <= unit < 0xE000:
            if not first:
                raise ValueError("half a letter")
            self._take(chr(0x10000 + ((first - 0xD800) << 10) + (unit - 0xDC00)).encode())
        else:
            self._take(chr(unit).encode())

    def _take(self, piece: bytes) -> None:
        if self._name is not None:
            self._name += piece
            if len(self._name) > _MAX_NAME:
                raise ValueError("name too long")
        elif self._sink is not None:
            self._sink(piece)

    def _end_string(self) -> None:
        self._in_string = False
        if self._name is not None:
            self._stack[-1] = self._name.decode("utf-8", "replace")
        self._name = self._sink = None
