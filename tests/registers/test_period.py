"""The period report and the list of what is late."""

import datetime as dt

import msgspec
import pytest

from signer_app.registers.cells import CellEdit, OutgoingField, write_cells
from signer_app.registers.period import PeriodReport, overdue, period_report
from signer_app.registers.period_writing import figures
from signer_app.store.arrival_book import ArrivalEntry
from signer_app.store.model import Urgency
from signer_app.store.registers import Book
from signer_app.store.reservations import Reservation
from signer_app.store.sequences import BY_NOTATION
from signer_app.store.settings import Exchange
from signer_resources.errors import KnownError
from tests.registers.conftest import BODY, CLERK, Bureau, at

FIRST, LAST = dt.date(2026, 11, 16), dt.date(2026, 11, 22)
NOW = at(25, 9)


def report(bureau: Bureau, body: str | None = None) -> PeriodReport:
    with bureau.store.view() as view:
        return period_report(view, bureau.settings, FIRST, LAST, NOW, body)


def test_what_went_out_is_counted_once_and_by_how_it_left(bureau: Bureau) -> None:
    in_time, late = bureau.signed("1", at(18)), bureau.signed("2", at(18))
    bureau.sent(in_time, at(19, 23))
    bureau.sent(late, at(20, 8))
    bureau.signed("3", at(19))
    bureau.signed("4", at(20), receivers=())
    urgent = bureau.signed("5", at(20), urgency=Urgency.HOA_TOC)
    bureau.sent(urgent, at(21, 8))
    bureau.signed("6", at(13))
    out = report(bureau).outgoing
    assert (out.total, out.electronic, out.waiting, out.elsewhere) == (5, 3, 1, 1)
    # What waits since the 19th is late on the 25th; the flash one was due on its day.
    assert (out.on_time, out.late, out.unsent_late) == (1, 2, 1)
    assert out.signers == (("", 5),)
    told = {one.label.split("/")[0]: one.days_late(NOW) for one in report(bureau).late}
    assert told == {"2": 1, "3": 5, "5": 1}


def test_returned_recalled_paper_copies_and_given_up_numbers_are_counted(bureau: Bureau) -> None:
    first, second = bureau.signed("1", at(18)), bureau.signed("2", at(18))
    bureau.sent(first, at(18, 9))
    bureau.sent_back(first, "H41.02", "sai nơi nhận", at(18, 10))
    bureau.sent(second, at(18, 9))
    bureau.recalled(second, at(19, 9))
    wish = Reservation.of(
        BODY, BY_NOTATION, "3", "UBND-VHXH", FIRST, owner="o", name="a.pdf", at=at(18), operator=CLERK
    )
    with bureau.store.transaction() as tx:
        copies = [CellEdit(one.id, OutgoingField.COPIES, "", count) for one, count in ((first, "5"), (second, "0"))]
        write_cells(tx, Book.OUTGOING, copies, NOW, CLERK)
        tx.reservations.reserve(wish)
        tx.reservations.give_up(wish, "thôi", at(20), CLERK)
    out = report(bureau).outgoing
    assert (out.total, out.returned, out.recalled, out.paper_copies, out.voided) == (2, 1, 1, 1, 1)


def test_what_came_is_counted_by_what_became_of_it(bureau: Bureau) -> None:
    bureau.came("today", at(18, 9), "accepted", at(18, 10))
    bureau.came("next", at(18, 9), "accepted", at(19, 10))
    bureau.came("night", at(18, 22), "accepted", at(19, 10))
    bureau.came("back", at(18, 9), "returned", at(18, 15))
    bureau.came("waits", at(20, 9))
    bureau.came("told", at(20, 9), "reported", at(20, 10))
    bureau.came("before", at(13, 9))
    with bureau.store.transaction() as tx:
        for name, hour in (("today", at(18, 10)), ("next", at(19, 10)), ("night", at(19, 10)), (None, at(19, 11))):
            entry = ArrivalEntry(author="X", subject="Y", incoming=name, at=hour, operator=CLERK)
            tx.arrivals.enter(BODY, hour.date(), entry)
    came = report(bureau).incoming
    assert (came.arrived, came.electronic, came.paper) == (7, 6, 1)
    assert (came.accepted, came.accepted_same_day) == (3, 2)
    assert (came.returned, came.returned_same_day, came.undecided, came.others) == (1, 1, 1, 1)


def test_a_body_is_counted_alone(bureau: Bureau) -> None:
    bureau.signed("1", at(18))
    bureau.signed("1", at(18), body="H77")
    assert report(bureau).outgoing.total == 2
    assert report(bureau, "H77").outgoing.total == 1


def test_what_is_late_and_has_not_left_is_listed_not_what_another_system_sends(bureau: Bureau) -> None:
    late = bureau.signed("1", at(18))
    bureau.signed("2", at(24))
    bureau.sent(bureau.signed("3", at(18)), at(24))
    with bureau.store.view() as view:
        (found,) = overdue(view, bureau.settings, NOW)
    assert (found.id, found.days_late(NOW)) == (late.id, 6)
    external = msgspec.structs.replace(bureau.settings.bodies[0], exchange=Exchange.EXTERNAL)
    with bureau.store.view() as view:
        assert overdue(view, msgspec.structs.replace(bureau.settings, bodies=(external,)), NOW) == ()


def test_a_period_that_ends_before_it_begins_is_refused(bureau: Bureau) -> None:
    with bureau.store.view() as view, pytest.raises(KnownError) as caught:
        period_report(view, bureau.settings, LAST, FIRST, NOW)
    assert caught.value.code == "report_period"


def test_a_period_whose_holidays_are_not_known_says_so(bureau: Bureau) -> None:
    with bureau.store.view() as view:
        known = period_report(view, bureau.settings, FIRST, LAST, NOW)
        later = period_report(view, bureau.settings, dt.date(2028, 1, 1), dt.date(2028, 1, 31), NOW)
    assert (known.holidays_known, later.holidays_known) == (True, False)


def test_each_figure_has_its_definition_in_both_languages(bureau: Bureau) -> None:
    bureau.signed("1", at(18))
    made = report(bureau)
    told = figures(made, "vi")
    assert all(one.what and one.definition for one in told)
    assert len({one.what for one in told}) == len(told) == len(figures(made, "en"))
    assert next(one.count for one in told if one.what == "Văn bản đi") == 1
