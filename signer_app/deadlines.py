"""By when a document must leave, and by when the sender of one that came must hear of it.

Pure; any thread. Lengths come from the rule profile (Decree 30/2020, articles 18.1 and 21.2c; Decision 28/2018),
working days from `workdays`. Decides nothing: lists and lights ask.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from signer_app.store.model import Urgency
from signer_app.workdays import WorkCalendar, at_hour, day_in_vietnam
from signer_resources.rules import RuleProfile


class Issued(Protocol):
    """What is asked of a document: a `Document` of the store, a line of the register."""

    @property
    def doc_date(self) -> dt.date | None:
        """The day of issue that stands on it."""

    @property
    def created_at(self) -> dt.datetime:
        """When it was signed here."""

    @property
    def urgency(self) -> Urgency:
        """Mức độ khẩn."""


class Due(StrEnum):
    """How something that is not done yet stands at a moment."""

    LATER = "later"
    BEFORE_HOUR = "before_hour"
    """On its last day, before the hour of the rule."""
    TODAY = "today"
    """On its last day: that hour has passed."""
    LATE = "late"


@dataclass(frozen=True)
class Deadline:
    """When something should be done, from when it is red, and from when it is late; in Vietnam's time."""

    target: dt.datetime
    red_at: dt.datetime
    late_at: dt.datetime

    def is_red(self, now: dt.datetime) -> bool:
        """Whether it must be pressed for now."""
        return now >= self.red_at

    def is_late(self, now: dt.datetime) -> bool:
        """Whether the time that the law gives has passed."""
        return now >= self.late_at

    @property
    def last_day(self) -> dt.date:
        """The last day on which it is in time."""
        return day_in_vietnam(self.late_at - dt.timedelta(microseconds=1))

    def days_late(self, now: dt.datetime) -> int:
        """Days since the last one on which it was in time; 0 while it isn't late."""
        return max(0, (day_in_vietnam(now) - self.last_day).days)


@dataclass(frozen=True)
class Deadlines:
    """The lengths of the rule profile that holds, over a calendar."""

    calendar: WorkCalendar
    working_days: int
    """So many working days after its day a document must have left (article 18.1)."""
    hour: int
    """Until this hour of that last day it should have (Decision 28)."""
    urgent_minutes: int
    """So soon an urgent one should have left ("at once")."""
    closing_hour: int
    """When the offices close: until then the sender of what came should have heard of it."""

    @classmethod
    def of(cls, profile: RuleProfile, calendar: WorkCalendar) -> "Deadlines":
        """The deadlines that hold."""
        return cls(
            calendar,
            int(profile.number("release.working_days")),
            int(profile.number("release.before_hour")),
            int(profile.number("release.urgent_minutes")),
            int(profile.number("receipt.closing_hour")),
        )

    def release(self, document: Issued) -> Deadline:
        """By when the document must leave: the day of its issue; red at noon of the next working day, late at its end.

        An urgent one (khẩn and above) must leave at once: it is red after some minutes, late at the end of its day.
        """
        issued = document.doc_date or day_in_vietnam(document.created_at)
        if document.urgency >= Urgency.KHAN:
            # It can't have left before it was signed here, whatever day stands on it.
            signed = document.created_at
            red = signed + dt.timedelta(minutes=self.urgent_minutes)
            return Deadline(signed, red, max(red, at_hour(day_in_vietnam(signed), 24)))
        last = self.last_day(issued)
        return Deadline(at_hour(issued, 24), at_hour(last, self.hour), at_hour(last, 24))

    def receipt(self, received_at: dt.datetime, urgency: Urgency = Urgency.NORMAL) -> Deadline:
        """By when the sender must hear that it is accepted or returned: the same day (article 21.2c), red in the last
        hour; of what comes when nobody works, or after closing, the next working day. An urgent one is red at once.
        """
        day = day_in_vietnam(received_at)
        if not self.calendar.is_workday(day) or received_at >= at_hour(day, self.closing_hour):
            day = self.calendar.next_workday(day)
        closing = at_hour(day, self.closing_hour)
        red = max(received_at, closing - dt.timedelta(hours=1))
        if urgency >= Urgency.KHAN:
            red = received_at + dt.timedelta(minutes=self.urgent_minutes)
        return Deadline(closing, red, at_hour(day, 24))

    def last_day(self, issued: dt.date) -> dt.date:
        """The last day on which a document of the day `issued` may leave."""
        return self.calendar.after(issued, self.working_days)

    def due(self, issued: dt.date, now: dt.datetime) -> Due:
        """How a document of the day `issued` that has not left stands at `now` (Vietnam's time)."""
        last, today = self.last_day(issued), day_in_vietnam(now)
        if today > last:
            return Due.LATE
        if today < last:
            return Due.LATER
        return Due.BEFORE_HOUR if now < at_hour(last, self.hour) else Due.TODAY


def deadline_of(document: Issued, deadlines: Deadlines) -> Deadline:
    """By when the document must leave; as `Deadlines.release`."""
    return deadlines.release(document)
