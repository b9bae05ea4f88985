"""What the home screen tells, read in one go: what came, what waits to be signed, what waits to be sent, what presses.

Main process, any thread; blocks for milliseconds. Counts what the store really holds and weighs it against the time
of release that the rules give; changes nothing and asks no server. Never a word for the screen: those are the window's.
"""

import datetime as dt
import importlib.metadata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from signer_app.deadlines import Deadlines, Due
from signer_app.desk.incoming_model import IncomingRow, IncomingSnapshot, Place
from signer_app.desk.sending_rows import LOUD_AFTER, LOUD_FOR
from signer_app.exchange.directory import names_of
from signer_app.exchange.session import only_signs
from signer_app.store.listings import SendingRow, StoppedBatch
from signer_app.store.model import Urgency
from signer_app.store.notices import Notice
from signer_app.store.queue import QueueRow
from signer_app.store.settings import Exchange, Settings
from signer_app.store.store import View
from signer_app.store.times import VIETNAM
from signer_app.workdays import WorkCalendar
from signer_app.workspace import Workspace
from signer_resources import rules
from signer_sync.contract import PacketKind

NAMED = 5
"""Incoming documents that the home screen names."""
LINES = 6
"""Lines of the list of what waits to be sent."""
_PRESSING = 20
_REFUSED_FOR = dt.timedelta(days=7)
"""So long the home screen speaks of a packet that nobody will take; it stays in the register for ever."""


@dataclass(frozen=True)
class Arrived:
    """An incoming document as the home screen names it; `sender` is a name, or the code where no name is known.

    `kind` is REVOKE for whatever its sender wants back. `says`: key of the words about its signatures or its state.
    """

    id: str
    at: dt.datetime
    sender: str
    subject: str
    urgency: Urgency
    kind: PacketKind
    place: int = Place.UNDECIDED
    says: str = ""


@dataclass(frozen=True)
class Incoming:
    """What came, and what of it waits for the clerk.

    `today`: how many came today; `open`: how many wait, `valid` of which one click accepts, and of `late` of which the
    sender should have heard by now. `secret`: those with a mark of which nobody has told the person in charge.
    `named`: the first of the list. `flash`: hỏa tốc that nobody has answered, the oldest first, `loud` of them for more
    than ten minutes; `recalls`: those that their senders want back.
    """

    today: int = 0
    secret: int = 0
    open: int = 0
    valid: int = 0
    late: int = 0
    named: tuple[Arrived, ...] = ()
    flash: tuple[Arrived, ...] = ()
    loud: int = 0
    recalls: tuple[Arrived, ...] = ()
    rows: Mapping[str, IncomingRow] = field(default_factory=dict, repr=False, compare=False)
    """The whole list by ids."""


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
    """What waits to be sent, what the server took today, and what it won't take as it is.

    `answered`: how many of those that it took receivers sent back, declined to give back, or were not reached by, and
    nobody has acted on; `returned` the newest of them. `names`: of the receivers in `returned` and `silent`. `notices`:
    what the exchange has to say and nobody has seen yet; `external`: other systems exchange for all bodies.
    """

    waiting: int
    oldest: dt.datetime | None
    sent_today: int
    lines: tuple[SendingRow, ...]
    refused: tuple[SendingRow, ...]
    answered: int = 0
    returned: tuple[QueueRow, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()
    external: bool = False
    silent: tuple[QueueRow, ...] = ()
    """Each hỏa tốc that a receiver has not accepted for ten minutes, and nobody here has acted on, the oldest first."""
    answers: int = 0
    """How many of `waiting` are answers to senders, which nobody signed and nobody reads."""

    @property
    def documents(self) -> int:
        """How many documents wait."""
        return self.waiting - self.answers


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

    def __init__(self, space: Workspace, incoming: Callable[[], IncomingSnapshot]) -> None:
        self._space = space
        self._look_incoming = incoming
        with space.store.view() as view:
            self._before = view.listings.newest_batch()

    def look(self) -> TodaySnapshot:
        """The home screen's facts now. KnownError as `Store.view`."""
        now = self._space.now().astimezone(VIETNAM)
        settings = self._space.settings
        deadlines = Deadlines.of(rules.load(now.date()), WorkCalendar.of(settings.calendar))
        midnight = dt.datetime.combine(now.date(), dt.time(), VIETNAM)
        came = self._look_incoming()
        with self._space.store.view() as view:
            return TodaySnapshot(
                now=now,
                incoming=_incoming(came, view.listings.arrived_since(midnight), now, _answered_here(settings)),
                outgoing=_outgoing(view, midnight, now, deadlines),
                sending=_sending(view, midnight, now, external=only_signs(settings)),
                stopped=view.listings.stopped_batches(self._before),
                version=importlib.metadata.version("signer"),
            )


def _answered_here(settings: Settings) -> frozenset[str]:
    """Bodies for which this program accepts and returns."""
    return frozenset(body.code for body in settings.bodies if body.exchange is Exchange.SERVER)


def _incoming(came: IncomingSnapshot, today: int, now: dt.datetime, ours: frozenset[str]) -> Incoming:
    waiting = came.rows[: came.open]
    secret = sum(row.secret for row in waiting)
    return Incoming(
        today=today,
        secret=secret,
        open=came.open - secret,
        valid=sum(_is_accepted_by_one_click(row, ours) for row in waiting) if came.valid else 0,
        late=len(came.late(now)),
        named=tuple(_arrived(row) for row in [row for row in came.rows[: NAMED + _PRESSING] if not row.secret][:NAMED]),
        flash=tuple(_arrived(row) for row in came.flash()[:_PRESSING]),
        loud=len(came.loud(now)),
        recalls=tuple(_arrived(row) for row in [row for row in waiting if row.is_recall][:_PRESSING]),
        rows=came.by_id,
    )


def _is_accepted_by_one_click(row: IncomingRow, ours: frozenset[str]) -> bool:
    return row.document is not None and row.document.valid and row.document.org in ours


def _arrived(row: IncomingRow) -> Arrived:
    kind = PacketKind.REVOKE if row.is_recall else row.kind
    says = row.state_key if row.place == Place.DONE else (row.verdict_key or row.state_key)
    return Arrived(row.id, row.at, row.sender, row.subject, row.urgency, kind, row.place, says)


def urgency_of(priority: int | None) -> Urgency:
    """The urgency that a packet's priority means; a number that means none counts as ordinary."""
    return Urgency(priority) if priority in set(Urgency) else Urgency.NORMAL


def _outgoing(view: View, midnight: dt.datetime, now: dt.datetime, deadlines: Deadlines) -> Outgoing:
    drafts, unsent = view.listings.waiting_drafts(), view.listings.unsent_days()
    # A draft that bears no date yet gets the day on which it is signed: it can't be late.
    days = [(group.day, group.count) for group in drafts if group.day] + [(group.day, group.count) for group in unsent]
    due = dict.fromkeys(Due, 0)
    for day, count in days:
        due[deadlines.due(day, now)] += count
    late_days = max((now.date() - deadlines.last_day(day)).days for day, _count in days) if days else 0
    return Outgoing(
        needs_number=sum(group.count for group in drafts if group.needs_number),
        to_sign=sum(group.count for group in drafts if not group.needs_number),
        flash=sum(group.count for group in drafts if group.flash) + sum(group.count for group in unsent if group.flash),
        signed_today=view.listings.signed_since(midnight),
        before_hour=due[Due.BEFORE_HOUR],
        due_today=due[Due.TODAY],
        late=due[Due.LATE],
        late_days=max(0, late_days),
        hour=deadlines.hour,
    )


def _sending(view: View, midnight: dt.datetime, now: dt.datetime, *, external: bool) -> Sending:
    unsent = view.listings.unsent(LINES)
    sent = view.listings.sent_since(midnight, LINES - len(unsent)) if len(unsent) < LINES else ()
    returned = tuple(view.queue.answered(_PRESSING))
    silent = tuple(view.queue.silent(now - LOUD_FOR, now - LOUD_AFTER))
    named = {answer.org for row in returned for answer in row.answers} | {org for row in silent for org in row.unheard}
    return Sending(
        waiting=view.outbox.waiting(),
        oldest=view.outbox.oldest_unsent(),
        sent_today=view.listings.sent_count_since(midnight),
        lines=(*unsent, *sent),
        refused=view.listings.refused_since(now - _REFUSED_FOR, _PRESSING),
        answered=view.queue.answered_count(),
        returned=returned,
        names=names_of(view, named),
        silent=silent,
        notices=view.notices.unseen(),
        external=external,
        answers=view.listings.answers_waiting(),
    )
