"""How long a document is held before it leaves, and which days are worked, as a form.

Plain values, no screen, no disk.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from signer_app.store.calendar_settings import AddedDay, AddedKind, CalendarSettings
from signer_app.store.settings import Settings
from signer_resources import calendar
from signer_ui.presenters.settings import Change, Field, Problem, day_text, one_line, typed_day
from signer_ui.presenters.settings_bodies import Rows

MOST_MINUTES = 60
"""The longest hold."""


@dataclass(frozen=True)
class SendingForm:
    """`hold_minutes`: 0 for none; days with their reasons as typed; `weekdays`: 0 is Monday."""

    hold_minutes: int = 2
    off: Rows = ()
    worked: Rows = ()
    weekdays: tuple[int, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> "SendingForm":
        """As it is set."""
        own = settings.calendar
        return cls(
            _minutes(settings.hold_seconds),
            _rows(own, AddedKind.OFF),
            _rows(own, AddedKind.WORKED),
            tuple(sorted(set(own.weekdays))) if own.weekdays is not None else shipped_weekdays(),
        )

    def problems(self) -> tuple[Problem, ...]:
        """A day that can't be read, or stands twice; a week without work."""
        found = [] if self.weekdays else [Problem(Field.WEEKDAYS, "un_weekdays_wrong")]
        taken: set[dt.date] = set()
        for field, rows in ((Field.DAYS_OFF, self.off), (Field.DAYS_WORKED, self.worked)):
            try:
                days = [day for day, _reason in _days(rows)]
            except ValueError:
                found.append(Problem(field, "un_day_wrong"))
                continue
            if len(set(days)) < len(days) or not taken.isdisjoint(days):
                found.append(Problem(field, "un_day_wrong"))
            taken.update(days)
        return tuple(found)

    def change(self) -> Change:
        """These, and nothing else of the settings; a hold of odd seconds stays where its minutes are the same."""
        days = [AddedDay(date=day, kind=AddedKind.OFF, name=reason) for day, reason in _days(self.off)]
        days += [AddedDay(date=day, kind=AddedKind.WORKED, name=reason) for day, reason in _days(self.worked)]
        weekdays = None if self.weekdays == shipped_weekdays() else self.weekdays
        own = CalendarSettings(days=tuple(sorted(days, key=lambda one: one.date)), weekdays=weekdays)

        def change(settings: Settings) -> Settings:
            same = _minutes(settings.hold_seconds) == self.hold_minutes
            hold = settings.hold_seconds if same else self.hold_minutes * 60
            return msgspec.structs.replace(settings, hold_seconds=hold, calendar=own)

        return change


def shipped_weekdays() -> tuple[int, ...]:
    """The working days of the week by the calendar that comes with the program."""
    return tuple(sorted(calendar.load().weekdays))


def shipped_years() -> tuple[int, int]:
    """The first and the last year whose days come with the program."""
    known = calendar.load()
    return known.first_year, known.last_year


def unknown_year(today: dt.date) -> int | None:
    """A year whose days are wanted by now and don't come with the program: this one, in December the next."""
    wanted = today.year + (today.month == 12)
    first, last = shipped_years()
    return None if first <= wanted <= last else wanted


def _minutes(seconds: int) -> int:
    """Whole minutes, at least one where there is a hold at all."""
    return max(1, round(seconds / 60)) if seconds else 0


def _rows(own: CalendarSettings, kind: AddedKind) -> Rows:
    """Of a day that stands twice the last counts."""
    last = {one.date: one for one in own.days}
    return tuple((day_text(day), one.name) for day, one in sorted(last.items()) if one.kind is kind)


def _days(rows: Rows) -> Iterator[tuple[dt.date, str]]:
    """The days with their reasons; ValueError for one that can't be read."""
    for typed, reason in rows:
        if not typed.strip() and not reason.strip():
            continue
        day = typed_day(typed)
        if day is None:
            raise ValueError("a reason without a day")
        yield day, one_line(reason)
