"""The working calendar: which days are worked, and which working day comes next.

Pure values on any thread. Days come from the calendar that is shipped and from the settings, which are stronger; a year
for which no days are known is reckoned by the week alone, and says so. What must be done by when is for `deadlines`.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from signer_app.store.calendar_settings import AddedKind, CalendarSettings
from signer_app.store.times import VIETNAM
from signer_resources import calendar
from signer_resources.calendar import CalendarFile, DayKind

_LONGEST = 400
"""Days after which a working day must have come."""


@dataclass(frozen=True)
class WorkCalendar:
    """Working days of the week (0: Monday), and the days that differ: True where it is worked."""

    weekdays: frozenset[int]
    special: Mapping[dt.date, bool] = field(repr=False)
    first_year: int = dt.MINYEAR
    last_year: int = dt.MAXYEAR

    @classmethod
    def of(cls, settings: CalendarSettings | None = None, shipped: CalendarFile | None = None) -> "WorkCalendar":
        """The calendar that holds on this machine."""
        known, own = shipped or calendar.load(), settings or CalendarSettings()
        special = {one.date: one.kind is DayKind.WORKED for one in known.day if one.kind is not DayKind.UNDECIDED}
        special.update({one.date: one.kind is AddedKind.WORKED for one in own.days})
        weekdays = frozenset(own.weekdays) if own.weekdays is not None else known.weekdays
        return cls(weekdays, special, known.first_year, known.last_year)

    def is_workday(self, day: dt.date) -> bool:
        """Whether the offices work on `day`."""
        worked = self.special.get(day)
        return day.weekday() in self.weekdays if worked is None else worked

    def is_known(self, day: dt.date) -> bool:
        """Whether the holidays of its year are known; else only the week is."""
        return self.first_year <= day.year <= self.last_year

    def next_workday(self, day: dt.date) -> dt.date:
        """The first working day after `day`."""
        return self._walk(day, 1)

    def workday_before(self, day: dt.date) -> dt.date:
        """The last working day before `day`."""
        return self._walk(day, -1)

    def workday_from(self, day: dt.date) -> dt.date:
        """`day` itself if it is worked, else the first working day after it."""
        return day if self.is_workday(day) else self.next_workday(day)

    def after(self, day: dt.date, count: int) -> dt.date:
        """The working day that comes as the `count`th after `day`; `day` itself for 0."""
        for _ in range(count):
            day = self.next_workday(day)
        return day

    def noon_after(self, day: dt.date, hour: int = 12) -> dt.datetime:
        """The end of the morning of the next working day, in Vietnam's time."""
        return at_hour(self.next_workday(day), hour)

    def _walk(self, day: dt.date, step: int) -> dt.date:
        for _ in range(_LONGEST):
            day += dt.timedelta(days=step)
            if self.is_workday(day):
                return day
        raise ValueError("no working day in more than a year")


def at_hour(day: dt.date, hour: int) -> dt.datetime:
    """That hour of the day in Vietnam; 24 is the end of the day."""
    midnight = dt.datetime.combine(day, dt.time(), VIETNAM)
    return midnight + dt.timedelta(hours=hour)


def day_in_vietnam(moment: dt.datetime) -> dt.date:
    """Which day it is there at that moment."""
    return moment.astimezone(VIETNAM).date()
