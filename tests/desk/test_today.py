"""The home screen's facts: what the store holds, weighed against the calendar of release."""

import datetime as dt

import pytest

from signer_app.desk.today import Calendar, Due
from signer_app.store.model import OutboxState, Urgency
from signer_app.store.times import VIETNAM
from signer_resources import rules
from signer_sync.contract import PacketKind
from tests.desk.office import DEPARTMENT, FRIDAY, MONDAY, SENDER, Office

CALENDAR = Calendar.of(rules.load(MONDAY.date()))
DAY = dt.timedelta(days=1)


def time(day: dt.date, hour: int) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour), VIETNAM)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (time(FRIDAY, 16), Due.LATER),
        (time(FRIDAY + DAY, 9), Due.LATER),
        (time(MONDAY.date(), 11), Due.BEFORE_HOUR),
        (time(MONDAY.date(), 12), Due.TODAY),
        (time(MONDAY.date() + DAY, 8), Due.LATE),
    ],
)
def test_what_was_issued_on_friday_must_leave_before_monday_noon(now: dt.datetime, due: Due) -> None:
    assert CALENDAR.due(FRIDAY, now) is due


def test_the_days_off_of_the_rules_are_no_working_days() -> None:
    eve, back = dt.date(2027, 2, 4), dt.date(2027, 2, 12)
    assert CALENDAR.last_day(eve) == back
    assert CALENDAR.workday_before(back) == eve
    assert CALENDAR.last_day(dt.date(2026, 12, 31)) == dt.date(2027, 1, 4)


def test_an_empty_workspace_has_nothing_to_tell(office: Office) -> None:
    told = office.desk.today()
    assert (told.incoming.today, told.incoming.newest, told.incoming.pressing) == (0, (), ())
    assert (told.outgoing.to_sign, told.outgoing.needs_number, told.outgoing.late_days) == (0, 0, 0)
    assert (told.sending.waiting, told.sending.oldest, told.sending.lines) == (0, None, ())
    assert told.stopped == ()


def test_what_came_today_is_counted_and_the_newest_five_are_named(office: Office) -> None:
    office.at(MONDAY - 3 * DAY)
    office.came(b"old", "Cũ")
    office.at(MONDAY)
    for number in range(5):
        office.clock.go_on(60)
        office.came(f"{number}".encode(), f"V/v {number}", sender="X99" if number == 4 else DEPARTMENT)
    office.came(b"answer", kind=PacketKind.STATUS)
    told = office.desk.today().incoming
    assert told.today == 5
    assert [one.subject for one in told.newest] == ["V/v 4", "V/v 3", "V/v 2", "V/v 1", "V/v 0"]
    assert [one.sender for one in told.newest[:2]] == ["X99", "Sở Nội vụ tỉnh An Sơn"]


def test_flash_recalls_and_secret_packets_press_until_the_next_working_day_is_over(office: Office) -> None:
    office.at(time(FRIDAY, 17))
    office.came(b"flash", "Hỏa tốc: ứng phó bão", priority=3)
    office.came(b"recall", "Công văn số 12", kind=PacketKind.REVOKE)
    office.came(b"urgent", "Khẩn", priority=1)
    office.secret_came()
    office.at(MONDAY)
    told = office.desk.today().incoming
    assert {(one.subject, one.sender) for one in told.pressing} == {
        ("Hỏa tốc: ứng phó bão", SENDER),
        ("Công văn số 12", SENDER),
    }
    assert told.secret == 1
    office.at(MONDAY + DAY)
    told = office.desk.today().incoming
    assert (told.pressing, told.secret) == ((), 0)


def test_drafts_and_unsent_documents_are_counted_by_what_they_wait_for_and_when_they_must_leave(office: Office) -> None:
    office.draft()
    office.draft("7", MONDAY.date(), Urgency.HOA_TOC)
    office.draft("8", FRIDAY)
    office.signed("9", FRIDAY)
    office.signed("10", FRIDAY - DAY, Urgency.HOA_TOC)
    office.accepted(office.signed("11", FRIDAY - 3 * DAY))
    told = office.desk.today().outgoing
    assert (told.needs_number, told.to_sign, told.flash, told.signed_today) == (1, 2, 2, 3)
    assert (told.before_hour, told.due_today, told.late, told.late_days) == (2, 0, 1, 3)
    assert told.hour == 12


def test_what_waits_is_listed_urgent_first_then_what_was_sent_today(office: Office) -> None:
    office.at(MONDAY - DAY)
    office.accepted(office.signed("1"))
    office.at(MONDAY)
    office.accepted(office.signed("2"))
    office.signed("3")
    flash = office.signed("4", urgency=Urgency.HOA_TOC)
    office.hindered(flash, "outcome_unknown")
    told = office.desk.today().sending
    assert [(line.document, line.state) for line in told.lines] == [
        ("4/UBND-VHXH", OutboxState.RETRYING),
        ("3/UBND-VHXH", OutboxState.QUEUED),
        ("2/UBND-VHXH", OutboxState.ACCEPTED),
    ]
    assert (told.waiting, told.oldest, told.sent_today) == (2, MONDAY, 1)


def test_packets_that_nobody_takes_are_told_for_a_week_those_that_need_a_person_for_ever(office: Office) -> None:
    office.hindered(office.signed("1"), "packet_conflict", never=True)
    office.hindered(office.signed("2"), "unknown_receiver", person=True)
    assert {row.document for row in office.desk.today().sending.refused} == {"1/UBND-VHXH", "2/UBND-VHXH"}
    office.at(MONDAY + 8 * DAY)
    assert [row.error_code for row in office.desk.today().sending.refused] == ["unknown_receiver"]


@pytest.mark.parametrize("before", [-DAY, DAY], ids=["clock-right", "clock-was-ahead"])
def test_a_batch_that_stopped_or_was_cut_is_to_go_on_with_one_that_runs_is_not(
    office: Office, before: dt.timedelta
) -> None:
    office.at(MONDAY + before)
    office.stopped_batch(3, 2, ended=False)
    office.stopped_batch(4, 0)
    office.at(MONDAY)
    desk = office.desk
    desk.today()
    office.clock.go_on(60)
    office.stopped_batch(1, 9, ended=False)
    office.clock.go_on(60)
    office.stopped_batch(5, 5)
    assert [(batch.signed, batch.total) for batch in desk.today().stopped] == [(5, 10), (3, 5)]
