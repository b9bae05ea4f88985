"""The working days of the state's offices: public holidays, days in lieu, swapped days, each with its source.

Read by every room, on any process and thread; read once, then immutable. The days of a year are announced some weeks
before it begins, so they are data; what of them is not certain says so. Judges no deadline: that is the program's.
"""

import tomllib
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path

import msgspec

from signer_resources.rules.sources import Mark


class DayKind(StrEnum):
    """What a day is that isn't what its place in the week says."""

    OFF = "off"
    """A working day of the week on which the offices are closed."""
    WORKED = "worked"
    """A day of the weekend that is worked in place of another."""
    UNDECIDED = "undecided"
    """A day spoken of as a holiday whose act is not at hand: it counts as it stands in the week."""


class SpecialDay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A day, what it is, and where that is said."""

    date: date
    kind: DayKind
    name: str
    """In Vietnamese, as a calendar on the wall has it."""
    source: str
    mark: Mark
    note: str = ""


class _Weekdays(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    worked: tuple[int, ...]
    source: str
    mark: Mark
    note: str = ""


class CalendarFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The days of the years `first_year` to `last_year`; beyond them only the week is known."""

    first_year: int
    last_year: int
    week: _Weekdays
    day: tuple[SpecialDay, ...]

    @property
    def weekdays(self) -> frozenset[int]:
        """Days of the week that are worked: 0 is Monday."""
        return frozenset(self.week.worked)


@cache
def load() -> CalendarFile:
    """The calendar that comes with the program; ValueError if a day stands twice or lies outside of its years."""
    path = Path(__file__).resolve().parent / "vietnam.toml"
    return checked(msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), CalendarFile))


def checked(calendar: CalendarFile) -> CalendarFile:
    """The same calendar; ValueError as `load`, and where a day off isn't worked anyway, or the other way round."""
    days = [one.date for one in calendar.day]
    if len(set(days)) != len(days):
        raise ValueError("a day of the calendar stands twice")
    for one in calendar.day:
        if not calendar.first_year <= one.date.year <= calendar.last_year:
            raise ValueError(f"{one.date} lies outside of the calendar's years")
        if (one.date.weekday() in calendar.weekdays) == (one.kind is DayKind.WORKED):
            raise ValueError(f"{one.date} is {one.kind} by its day of the week already")
    return calendar
