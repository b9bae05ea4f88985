"""Days that an administrator adds to the working calendar; a part of the settings.

Pure values, any process. What is added here is stronger than the calendar that comes with the program: the yearly
announcement comes late, and a body may have a day of its own.
"""

import datetime as dt
from enum import StrEnum
from typing import Annotated

import msgspec


class AddedKind(StrEnum):
    """What an added day is."""

    OFF = "off"
    WORKED = "worked"


class AddedDay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A day off, or a day that is worked, with the reason that the administrator gives."""

    date: dt.date
    kind: AddedKind
    name: str = ""


class CalendarSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What differs here from the calendar that comes with the program."""

    days: tuple[AddedDay, ...] = ()
    """Of a day that stands twice the last counts."""
    weekdays: tuple[Annotated[int, msgspec.Meta(ge=0, le=6)], ...] | None = None
    """Days of the week that are worked here (0: Monday); None: as the calendar has it."""

    def __post_init__(self) -> None:
        """A week has a working day: else no deadline would ever come."""
        if self.weekdays is not None and not self.weekdays:
            raise ValueError("a week without a working day")
