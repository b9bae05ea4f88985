"""The period report: how many documents went out and came, how, by whom signed, and what was in time.

Reads a view of the store; any thread. Each figure's definition is printed with it; what this program can't know (who
exchanges by the province's own system) it counts apart, never as sent or late.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from signer_app.deadlines import Deadline, Deadlines
from signer_app.registers.cells import OutgoingField
from signer_app.registers.model import title_of
from signer_app.store.registers import Book, CameDocument, IssuedDocument
from signer_app.store.settings import Exchange, Settings
from signer_app.store.store import View
from signer_app.workdays import WorkCalendar, day_in_vietnam
from signer_resources import rules
from signer_resources.errors import KnownError


@dataclass(frozen=True)
class LateDocument:
    """A document that left late, or hasn't left: by when it should have, and when it did (None: not yet)."""

    id: str
    label: str
    title: str
    date: dt.date
    deadline: Deadline
    sent_at: dt.datetime | None

    def days_late(self, now: dt.datetime) -> int:
        """Days since the last one on which it was in time."""
        return self.deadline.days_late(self.sent_at or now)


@dataclass(frozen=True)
class OutgoingFigures:
    """Documents issued in the period. `total` is `electronic` + `waiting` + `elsewhere`; `on_time` + `late` is
    `electronic`; `unsent_late` are among those that wait.
    """

    total: int = 0
    electronic: int = 0
    waiting: int = 0
    elsewhere: int = 0
    """Not given to this program to be sent: on paper, or by another system."""
    paper_copies: int = 0
    """Documents with receivers on paper, or for which the clerk noted copies."""
    on_time: int = 0
    late: int = 0
    unsent_late: int = 0
    returned: int = 0
    recalled: int = 0
    voided: int = 0
    """Numbers given up in the period."""
    signers: tuple[tuple[str, int], ...] = ()
    """Name of who signed (empty: not known) → how many, the most first."""


@dataclass(frozen=True)
class IncomingFigures:
    """What came in the period: `electronic` documents and those on `paper`. Of the electronic ones `accepted` got a số
    đến, `accepted_same_day` so soon that the sender heard of it in time; the rest was returned, waits for a decision,
    or was told of in another way (`others`).
    """

    electronic: int = 0
    paper: int = 0
    accepted: int = 0
    accepted_same_day: int = 0
    returned: int = 0
    returned_same_day: int = 0
    undecided: int = 0
    voided: int = 0
    """Số đến given up, by the day of arrival."""

    @property
    def arrived(self) -> int:
        """All that came."""
        return self.electronic + self.paper

    @property
    def others(self) -> int:
        """Reported to the sender or to who is in charge, replaced or recalled before they were accepted."""
        return self.electronic - self.accepted - self.returned - self.undecided


@dataclass(frozen=True)
class PeriodReport:
    """The report on the days `first` to `last` for a body (None: all)."""

    first: dt.date
    last: dt.date
    body: str | None
    made_at: dt.datetime
    outgoing: OutgoingFigures
    incoming: IncomingFigures
    late: tuple[LateDocument, ...] = ()
    holidays_known: bool = True
    """Whether the holidays of all its years are known; else deadlines were reckoned by the week alone."""


def period_report(
    view: View, settings: Settings, first: dt.date, last: dt.date, now: dt.datetime, body: str | None = None
) -> PeriodReport:
    """Counts. KnownError "report_period" where the last day comes before the first."""
    if last < first:
        raise KnownError("report_period")
    calendar = WorkCalendar.of(settings.calendar)
    deadlines = Deadlines.of(rules.load(day_in_vietnam(now)), calendar)
    outgoing, late = _outgoing(view, deadlines, first, last, now, body)
    return PeriodReport(
        first,
        last,
        body,
        now,
        outgoing,
        _incoming(view, deadlines, first, last, body),
        late,
        calendar.is_known(first) and calendar.is_known(last),
    )


def overdue(view: View, settings: Settings, now: dt.datetime, body: str | None = None) -> tuple[LateDocument, ...]:
    """Documents given to be sent that haven't left and are late, the oldest first; not those of bodies for which
    another system exchanges.
    """
    calendar = WorkCalendar.of(settings.calendar)
    deadlines = Deadlines.of(rules.load(day_in_vietnam(now)), calendar)
    external = {one.code for one in settings.bodies if one.exchange is Exchange.EXTERNAL}
    found = (_late(one, deadlines) for one in view.registers.unsent(body) if one.body_code not in external)
    return tuple(one for one in found if one.deadline.is_late(now))


def _late(one: IssuedDocument, deadlines: Deadlines) -> LateDocument:
    title = title_of(one.type, one.subject)
    return LateDocument(one.id, one.label, title, one.doc_date, deadlines.release(one), one.sent_at)


def _outgoing(
    view: View, deadlines: Deadlines, first: dt.date, last: dt.date, now: dt.datetime, body: str | None
) -> tuple[OutgoingFigures, tuple[LateDocument, ...]]:
    cells = view.registers.cells(Book.OUTGOING)
    counts: Counter[str] = Counter()
    signers: Counter[str] = Counter()
    late: list[LateDocument] = []
    for one in view.registers.issued_between(first, last, body):
        counts["total"] += 1
        signers[one.signer_name or ""] += 1
        copies = cells.get(one.id, {}).get(OutgoingField.COPIES)
        counts["paper_copies"] += bool(one.on_paper) or (copies is not None and copies.value not in ("", "0"))
        counts["returned"] += bool(one.returned)
        counts["recalled"] += one.recalled_at is not None
        told = _late(one, deadlines)
        if not one.queued:
            counts["elsewhere"] += 1
        elif one.sent_at is None:
            counts["waiting"] += 1
            if told.deadline.is_late(now):
                counts["unsent_late"] += 1
                late.append(told)
        else:
            counts["electronic"] += 1
            if told.deadline.is_late(one.sent_at):
                counts["late"] += 1
                late.append(told)
            else:
                counts["on_time"] += 1
    counts["voided"] = sum(first <= day <= last for day in _voided_days(view, body))
    figures = OutgoingFigures(
        total=counts["total"],
        electronic=counts["electronic"],
        waiting=counts["waiting"],
        elsewhere=counts["elsewhere"],
        paper_copies=counts["paper_copies"],
        on_time=counts["on_time"],
        late=counts["late"],
        unsent_late=counts["unsent_late"],
        returned=counts["returned"],
        recalled=counts["recalled"],
        voided=counts["voided"],
        signers=tuple(signers.most_common()),
    )
    return figures, tuple(late)


def _voided_days(view: View, body: str | None) -> Iterator[dt.date]:
    for one in view.reservations.list(None, body):
        if one.given_up:
            yield day_in_vietnam(one.at)


def _incoming(view: View, deadlines: Deadlines, first: dt.date, last: dt.date, body: str | None) -> IncomingFigures:
    came = view.registers.came_between(first, last, body)
    entered = view.arrivals.between(first, last, body)
    accepted = [one for one in came if one.entered_at is not None]
    returned = [one for one in came if one.returned and one.entered_at is None]
    return IncomingFigures(
        electronic=len(came),
        paper=sum(one.on_paper and not one.voided for one in entered),
        accepted=len(accepted),
        accepted_same_day=sum(_in_time(deadlines, one, one.entered_at) for one in accepted),
        returned=len(returned),
        returned_same_day=sum(_in_time(deadlines, one, one.decided_at) for one in returned),
        undecided=sum(one.waits and one.entered_at is None for one in came),
        voided=sum(one.voided for one in entered),
    )


def _in_time(deadlines: Deadlines, one: CameDocument, answered_at: dt.datetime | None) -> bool:
    return answered_at is not None and not deadlines.receipt(one.arrived_at, one.urgency).is_late(answered_at)
