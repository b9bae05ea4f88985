"""How far the LGSP's list of incoming packets was read, though the LGSP itself knows no cursor.

Pure functions on any thread. The LGSP lists by days, by its own clock. A cursor is therefore a day, up to which all has
been handed over, and marks of what the days around it have shown since; whatever the clocks do, a packet that the list
shows and that has no mark is new. The store knows its packets by their ids, so a mark that is missing costs a look and
nothing else.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import msgspec

OVERLAP_DAYS: Final = 3
"""So many days before the day of the cursor are listed again: packets may enter the list late, and clocks differ."""
SLICE_DAYS: Final = 7
"""So many days are asked for at once, so that no answer grows without end after a long time offline."""
AHEAD_DAYS: Final = 1
"""The list is asked for up to tomorrow: the LGSP's clock may be ahead, and its last day may not count."""

_DATE: Final = re.compile(r"\s*(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
_DATE_BACKWARDS: Final = re.compile(r"\s*(\d{1,2})[-/](\d{1,2})[-/](\d{4})")
_MARK_BYTES: Final = 8


@dataclass(frozen=True)
class Entry:
    """One line of the list: the LGSP's number of the packet, whether it is a status message, the days it names."""

    doc_id: str
    is_status: bool
    sender: str
    day: date | None
    order: str
    done: bool
    """Whether the LGSP counts it as received, by us or by somebody else who speaks for the unit."""


@dataclass(frozen=True)
class LgspCursor:
    """`day`: all up to it was handed over; `marks` of packets that the days since then, and `OVERLAP_DAYS` before, have
    shown.
    """

    day: date
    marks: frozenset[bytes] = frozenset()

    def __str__(self) -> str:
        return msgspec.json.encode(_Written(self.day, base64.b64encode(b"".join(sorted(self.marks))).decode())).decode()

    @classmethod
    def parse(cls, text: str) -> "LgspCursor | None":
        """The cursor that was written so; None for what is none (another channel's, say)."""
        try:
            written = msgspec.json.decode(text, type=_Written)
            marks = base64.b64decode(written.marks, validate=True)
        except (msgspec.MsgspecError, ValueError):
            return None
        if len(marks) % _MARK_BYTES:
            return None
        size = _MARK_BYTES
        return cls(written.day, frozenset(marks[at : at + size] for at in range(0, len(marks), size)))

    @classmethod
    def beginning(cls, today: date, days: int) -> "LgspCursor":
        """The cursor before the first list."""
        return cls(today - timedelta(days=max(days - OVERLAP_DAYS, 0)))

    @property
    def since(self) -> date:
        """The first day that has to be listed."""
        return self.day - timedelta(days=OVERLAP_DAYS)

    def is_new(self, entry: Entry) -> bool:
        """Whether it has not been handed over yet."""
        return _mark(entry) not in self.marks

    def behind(self, handed: Sequence[Entry], shown: Sequence[Entry], *, all_shown: bool, today: date) -> "LgspCursor":
        """The cursor behind `handed`, given what the list has `shown` of its days. Its day moves on only when
        everything was shown and handed over, by the LGSP's own dates, and never beyond its `today`.
        """
        marks = self.marks | {_mark(entry) for entry in handed}
        if not all_shown:
            return LgspCursor(self.day, marks)
        days = [entry.day for entry in shown if entry.day is not None and entry.day <= today]
        return LgspCursor(max([self.day, *days]), marks & {_mark(entry) for entry in shown})


class _Written(msgspec.Struct, frozen=True):
    day: date
    marks: str


def slices(first: date, last: date) -> list[tuple[date, date]]:
    """The days from `first` to `last` in parts that share a day: whether the LGSP counts the last day is not known."""
    parts: list[tuple[date, date]] = []
    start = first
    while True:
        end = min(start + timedelta(days=SLICE_DAYS), last)
        parts.append((start, end))
        if end >= last:
            return parts
        start = end


def day_in(text: str) -> date | None:
    """The day that a time of the LGSP names, None if it names none. Forms: 2026/11/20 08:00:00, 2026-11-20T08:00:00,
    20/11/2026 08:00.
    """
    try:
        if found := _DATE.match(text):
            return date(int(found[1]), int(found[2]), int(found[3]))
        if found := _DATE_BACKWARDS.match(text):
            return date(int(found[3]), int(found[2]), int(found[1]))
    except ValueError:
        return None
    return None


def _mark(entry: Entry) -> bytes:
    kind = b"s" if entry.is_status else b"d"
    return hashlib.blake2b(kind + entry.doc_id.encode("utf-8", "replace"), digest_size=_MARK_BYTES).digest()
