"""What the home screen tells, read in one go: what came, what waits to be signed, what waits to be sent, what presses.

Main process, any thread; blocks for milliseconds. Counts what the store really holds and weighs it against the rule
profile's time of release; changes nothing and asks no server. Never a word for the screen: those are the window's.
"""

import datetime as dt
import importlib.metadata
from dataclasses import dataclass
from enum import StrEnum

from signer_app.desk.names import Names
from signer_app.store.listings import InboxEntry, SendingRow, StoppedBatch
from signer_app.store.model import Urgency
from signer_app.store.store import View
from signer_app.store.times import VIETNAM
from signer_app.workspace import Workspace
from signer_resources import rules
from signer_resources.rules import RuleProfile
from signer_sync.contract import PacketKind

NEWEST = 5
"""Incoming documents that the home screen names."""
LINES = 6
"""Lines of the list of what waits to be sent."""
_PRESSING = 20
_REFUSED_FOR = dt.timedelta(days=7)
"""So long the home screen speaks of a packet that nobody will take; it stays in the register for ever."""


class Due(StrEnum):
    """When a document must leave (Decree 30/2020, article 18.1; the rules "release.…" of the profile)."""

    LATER = "later"
    BEFORE_HOUR = "before_hour"
    """Today, before the hour of the rule."""
    TODAY = "today"
    """Today: that hour has passed."""
    LATE = "late"


@dataclass(frozen=True)
class Arrived:
    """An incoming packet as the home screen names it; `sender` is a name, or the code where no name is known."""

    id: str
    at: dt.datetime
    sender: str
    subject: str
    urgency: Urgency
    kind: PacketKind


@dataclass(frozen=True)
class Incoming:
    """What came; `pressing` are hỏa tốc and recalls since the working day before."""

    today: int
    secret: int
    newest: tuple[Arrived, ...]
    pressing: tuple[Arrived, ...]


@dataclass(frozen=True)
class Outgoing:
    """What waits to be signed, by its state, and what of all that is not sent yet must leave when."""

    needs_number: int
    to_sign: int
    flash: int
    signed_today: int
    before_hour: int
    due_today: int
    late: int
    late_days: int
    """How many days the latest one is late."""
    hour: int


@dataclass(frozen=True)
class Sending:
    """What waits to be sent, what the server took today, and what it won't take as it is."""

    waiting: int
    oldest: dt.datetime | None
    sent_today: int
    lines: tuple[SendingRow, ...]
    refused: tuple[SendingRow, ...]


@dataclass(frozen=True)
class TodaySnapshot:
    """The home screen's facts at one moment; `now` is Vietnam's time."""

    now: dt.datetime
    incoming: Incoming
    outgoing: Outgoing
    sending: Sending
    stopped: tuple[StoppedBatch, ...]
    version: str


class Today:
    """Reads the snapshots; remembers which batches there were at its start: one of those can't run, it was cut."""

    def __init__(self, space: Workspace, names: Names) -> None:
        self._space = space
        self._names = names
        with space.store.view() as view:
            self._before = view.listings.newest_batch()

    def look(self) -> TodaySnapshot:
        """The home screen's facts now. KnownError as `Store.view`."""
        now = self._space.now().astimezone(VIETNAM)
        calendar = Calendar.of(rules.load(now.date()))
        midnight = dt.datetime.combine(now.date(), dt.time(), VIETNAM)
        before = dt.datetime.combine(calendar.workday_before(now.date()), dt.time(), VIETNAM)
        with self._space.store.view() as view:
            return TodaySnapshot(
                now=now,
                incoming=self._incoming(view, midnight, before),
                outgoing=_outgoing(view, midnight, now, calendar),
                sending=_sending(view, midnight, now),
                stopped=view.listings.stopped_batches(self._before),
                version=importlib.metadata.version("signer"),
            )

    def _incoming(self, view: View, midnight: dt.datetime, before: dt.datetime) -> Incoming:
        return Incoming(
            today=view.listings.arrived_since(midnight),
            secret=view.listings.secret_since(before),
            newest=tuple(self._arrived(entry) for entry in view.listings.newest_documents(NEWEST)),
            pressing=tuple(self._arrived(entry) for entry in view.listings.pressing_since(before, _PRESSING)),
        )

    def _arrived(self, entry: InboxEntry) -> Arrived:
        code = entry.from_org or ""
        return Arrived(
            entry.id,
            entry.received_at,
            self._names.all().get(code, code),
            entry.subject or "",
            urgency_of(entry.priority),
            entry.kind or PacketKind.NEW,
        )


def urgency_of(priority: int | None) -> Urgency:
    """The urgency that a packet's priority means; a number that means none counts as ordinary."""
    return Urgency(priority) if priority in set(Urgency) else Urgency.NORMAL


@dataclass(frozen=True)
class Calendar:
    """The working days: Monday to Friday without the days off of the rule profile."""

    days_off: frozenset[dt.date]
    working_days: int
    """So many working days after its day a document must have left."""
    hour: int

    @classmethod
    def of(cls, profile: RuleProfile) -> "Calendar":
        """The calendar of the rules that hold."""
        return cls(
            frozenset(dt.date.fromisoformat(day) for day in profile.texts("calendar.days_off")),
            int(profile.number("release.working_days")),
            int(profile.number("release.before_hour")),
        )

    def is_workday(self, day: dt.date) -> bool:
        """Whether the offices work on `day`."""
        return day.weekday() < 5 and day not in self.days_off

    def workday_before(self, day: dt.date) -> dt.date:
        """The last working day before `day`."""
        day -= dt.timedelta(days=1)
        while not self.is_workday(day):
            day -= dt.timedelta(days=1)
        return day

    def last_day(self, issued: dt.date) -> dt.date:
        """The last day on which a document of the day `issued` may leave."""
        day, left = issued, self.working_days
        while left:
            day += dt.timedelta(days=1)
            left -= self.is_workday(day)
        return day

    def due(self, issued: dt.date, now: dt.datetime) -> Due:
        """How a document of the day `issued` that has not left stands at `now` (Vietnam's time)."""
        last = self.last_day(issued)
        if now.date() > last:
            return Due.LATE
        if now.date() < last:
            return Due.LATER
        return Due.BEFORE_HOUR if now.hour < self.hour else Due.TODAY


def _outgoing(view: View, midnight: dt.datetime, now: dt.datetime, calendar: Calendar) -> Outgoing:
    drafts, unsent = view.listings.waiting_drafts(), view.listings.unsent_days()
    # A draft that bears no date yet gets the day on which it is signed: it can't be late.
    days = [(group.day, group.count) for group in drafts if group.day] + [(group.day, group.count) for group in unsent]
    due = dict.fromkeys(Due, 0)
    for day, count in days:
        due[calendar.due(day, now)] += count
    late_days = max((now.date() - calendar.last_day(day)).days for day, _count in days) if days else 0
    return Outgoing(
        needs_number=sum(group.count for group in drafts if group.needs_number),
        to_sign=sum(group.count for group in drafts if not group.needs_number),
        flash=sum(group.count for group in drafts if group.flash) + sum(group.count for group in unsent if group.flash),
        signed_today=view.listings.signed_since(midnight),
        before_hour=due[Due.BEFORE_HOUR],
        due_today=due[Due.TODAY],
        late=due[Due.LATE],
        late_days=max(0, late_days),
        hour=calendar.hour,
    )


def _sending(view: View, midnight: dt.datetime, now: dt.datetime) -> Sending:
    unsent = view.listings.unsent(LINES)
    sent = view.listings.sent_since(midnight, LINES - len(unsent)) if len(unsent) < LINES else ()
    return Sending(
        waiting=view.outbox.waiting(),
        oldest=view.outbox.oldest_unsent(),
        sent_today=view.listings.sent_count_since(midnight),
        lines=(*unsent, *sent),
        refused=view.listings.refused_since(now - _REFUSED_FOR, _PRESSING),
    )
