"""The home screen's facts: what the store holds, weighed against the calendar of release."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from signer_app.deadlines import Deadlines, Due
from signer_app.desk.today import Incoming
from signer_app.store.model import OutboxState, Urgency
from signer_app.store.times import VIETNAM
from signer_app.workdays import WorkCalendar
from signer_resources import rules
from signer_sync.contract import PacketKind
from signer_sync.edxml import Priority
from tests.desk.office import DEPARTMENT, FRIDAY, MONDAY, SENDER, Office
from tests.exchange.arrivals import Post, plain_letter, post

CALENDAR = WorkCalendar.of()
DEADLINES = Deadlines.of(rules.load(MONDAY.date()), CALENDAR)
DAY = dt.timedelta(days=1)


@pytest.fixture(name="post")
def post_of_this_test(tmp_path: Path) -> Iterator[Post]:
    with post(tmp_path) as made:
        yield made


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
    assert DEADLINES.due(FRIDAY, now) is due


def test_the_days_off_of_the_rules_are_no_working_days() -> None:
    eve, back = dt.date(2027, 2, 4), dt.date(2027, 2, 12)
    assert DEADLINES.last_day(eve) == back
    assert CALENDAR.workday_before(back) == eve
    assert DEADLINES.last_day(dt.date(2026, 12, 31)) == dt.date(2027, 1, 4)


def test_an_empty_workspace_has_nothing_to_tell(office: Office) -> None:
    told = office.desk.today()
    assert told.incoming == Incoming()
    assert (told.outgoing.to_sign, told.outgoing.needs_number, told.outgoing.late_days) == (0, 0, 0)
    assert (told.sending.waiting, told.sending.oldest, told.sending.lines) == (0, None, ())
    assert told.stopped == ()


def test_what_came_today_is_counted_and_the_first_five_of_the_list_are_named(office: Office) -> None:
    office.at(MONDAY - 3 * DAY)
    office.came(b"old", "Cũ")
    office.at(MONDAY)
    for number in range(5):
        office.clock.go_on(60)
        office.came(f"{number}".encode(), f"V/v {number}", sender=DEPARTMENT, priority=1 if number == 4 else 0)
    office.came(b"answer", kind=PacketKind.STATUS)
    told = office.desk.today().incoming
    assert told.today == 5
    assert [one.subject for one in told.named] == ["V/v 4", "Cũ", "V/v 0", "V/v 1", "V/v 2"]
    assert [one.sender for one in told.named[:2]] == ["Sở Nội vụ tỉnh An Sơn", SENDER]


def test_a_secret_packet_presses_until_the_person_in_charge_was_told(office: Office) -> None:
    office.at(time(FRIDAY, 17))
    office.secret_came()
    office.at(MONDAY + DAY)
    told = office.desk.today().incoming
    assert (told.secret, told.open, told.named) == (1, 0, ())
    with office.store.view() as view:
        (packet,) = view.inbox.without_document(5)
    office.desk.incoming.deciding.report_secret(packet)
    assert office.desk.today().incoming.secret == 0


def test_flash_waits_until_it_is_answered_and_is_loud_after_ten_minutes(post: Post) -> None:
    office = post.office
    post.came(post.letter("12", subject="Ứng phó bão", priority=Priority.FLASH), priority=3)
    post.came(post.letter("13", content=plain_letter()))
    came = office.desk.today().incoming
    assert [(one.subject, one.sender) for one in came.flash] == [("Ứng phó bão", SENDER)]
    assert (came.open, came.loud) == (2, 0)
    assert [one.says for one in came.named] == ["incoming_verdict_valid", "incoming_verdict_unsigned"]
    office.clock.go_on(599)
    assert office.desk.today().incoming.loud == 0
    office.clock.go_on(1)
    assert office.desk.today().incoming.loud == 1
    post.deciding.accept(came.flash[0].id)
    left = office.desk.today().incoming
    assert (left.flash, left.loud, left.open) == ((), 0, 1)
    assert left.named[-1].says == "incoming_state_accepted"


def test_one_click_takes_what_is_valid_for_the_bodies_that_this_program_answers_for(post: Post) -> None:
    post.came(post.letter("12"))
    post.came(post.letter("13", content=plain_letter()))
    assert (post.office.desk.today().incoming.valid, post.office.desk.today().sending.external) == (1, False)
    post.external()
    assert (post.office.desk.today().incoming.valid, post.office.desk.today().sending.external) == (0, True)


def test_a_recall_is_told_until_it_is_answered_and_what_nobody_answered_in_time_is_late(post: Post) -> None:
    office = post.office
    post.came(post.letter("12"))
    post.came(post.recall("12"))
    told = office.desk.today().incoming
    (asked,) = told.recalls
    assert (asked.kind, told.late) == (PacketKind.REVOKE, 0)
    office.clock.go_on(2 * DAY.total_seconds())
    assert office.desk.today().incoming.late == 1
    post.deciding.answer(asked.id, agree=False, decided_by="Chủ tịch")
    assert office.desk.today().incoming.recalls == ()


def test_what_the_exchange_says_is_told_until_it_was_seen(office: Office) -> None:
    office.store.write(lambda tx: tx.notices.tell("H77.15", "second_machine", office.now, {}))
    (notice,) = office.desk.today().sending.notices
    office.desk.sending.seen(notice)
    assert office.desk.today().sending.notices == ()


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
