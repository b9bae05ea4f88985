"""By when documents must leave, and by when senders must hear."""

import datetime as dt

import pytest

from signer_app.deadlines import Deadlines, Due, deadline_of
from signer_app.store.model import Document, DocumentState, Urgency
from signer_app.workdays import WorkCalendar
from signer_resources import rules
from tests.registers.conftest import BODY, at

DEADLINES = Deadlines.of(rules.load(dt.date(2026, 11, 23)), WorkCalendar.of())


def issued(signed_at: dt.datetime, urgency: Urgency = Urgency.NORMAL, day: dt.date | None = None) -> Document:
    return Document(
        id="1", body_code=BODY, created_at=signed_at, state=DocumentState.SIGNED, doc_date=day, urgency=urgency
    )


def test_a_document_is_red_at_noon_of_the_next_working_day_and_late_at_its_end() -> None:
    due = deadline_of(issued(at(20, 16)), DEADLINES)
    assert due.target == at(21, 0)
    assert not due.is_red(at(23, 11, 59))
    assert due.is_red(at(23, 12))
    assert not due.is_late(at(23, 23, 59))
    assert due.is_late(at(24, 0))
    assert (due.last_day, due.days_late(at(23, 12)), due.days_late(at(25))) == (dt.date(2026, 11, 23), 0, 2)


def test_the_day_on_the_document_counts_not_the_one_on_which_it_was_sealed() -> None:
    due = deadline_of(issued(at(23, 9), day=dt.date(2026, 11, 19)), DEADLINES)
    assert due.last_day == dt.date(2026, 11, 20)


def test_before_tet_the_next_working_day_is_after_it() -> None:
    due = deadline_of(issued(at(13, 16, month=2)), DEADLINES)
    assert due.red_at == at(23, 12, month=2)


def test_an_urgent_document_is_red_after_minutes_and_late_at_the_end_of_its_day() -> None:
    due = deadline_of(issued(at(20, 16), Urgency.KHAN), DEADLINES)
    assert due.red_at == at(20, 16, 10)
    assert due.late_at == at(21, 0)
    last_minute = deadline_of(issued(at(20, 23, 55), Urgency.HOA_TOC), DEADLINES)
    assert last_minute.late_at == at(21, 0, 5)


@pytest.mark.parametrize(
    ("came", "target", "late"),
    [
        (at(23, 9), at(23, 17), at(24, 0)),
        (at(20, 17, 30), at(23, 17), at(24, 0)),
        (at(21, 10), at(23, 17), at(24, 0)),
    ],
    ids=["in-hours", "after-closing", "on-saturday"],
)
def test_the_sender_hears_on_the_day_of_arrival_or_the_next_working_day(
    came: dt.datetime, target: dt.datetime, late: dt.datetime
) -> None:
    due = DEADLINES.receipt(came)
    assert (due.target, due.late_at) == (target, late)
    assert due.red_at == target - dt.timedelta(hours=1)


def test_an_urgent_arrival_is_red_after_minutes_whatever_the_hour() -> None:
    assert DEADLINES.receipt(at(21, 10), Urgency.HOA_TOC).red_at == at(21, 10, 10)


@pytest.mark.parametrize(
    ("now", "due"),
    [(at(20, 16), Due.LATER), (at(23, 11), Due.BEFORE_HOUR), (at(23, 12), Due.TODAY), (at(24, 1), Due.LATE)],
)
def test_how_a_friday_s_document_stands(now: dt.datetime, due: Due) -> None:
    assert DEADLINES.due(dt.date(2026, 11, 20), now) is due
