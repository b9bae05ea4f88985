"""Cells of the registers, numbers of what came, and leases, as rows."""

import datetime as dt
import sqlite3

import pytest

from signer_app.store.arrival_book import ArrivalEntry
from signer_app.store.leases import LeasedNumber, LeasedState, RegisterLease
from signer_app.store.registers import Book
from signer_app.store.store import Store
from signer_app.store.times import VIETNAM
from signer_resources.errors import KnownError
from tests.store.letters import MORNING

BODY = "H41.01"
TODAY = MORNING.astimezone(VIETNAM).date()


def entry(author: str = "Sở Nội vụ", incoming: str | None = None) -> ArrivalEntry:
    return ArrivalEntry(author=author, subject="V/v báo cáo", incoming=incoming, at=MORNING, operator="Thư")


def test_paper_and_electronic_documents_run_through_one_sequence_of_the_year(store: Store) -> None:
    with store.transaction() as tx:
        numbers = [tx.arrivals.enter(BODY, TODAY, entry(incoming=incoming)) for incoming in ("a", None, "b", None)]
        other_body = tx.arrivals.enter("H41.02", TODAY, entry())
        last_year = tx.arrivals.enter(BODY, dt.date(2025, 12, 31), entry())
    assert numbers == [1, 2, 3, 4]
    assert (other_body, last_year) == (1, 1)
    with store.view() as view:
        assert [one.number for one in view.arrivals.list(2026, BODY)] == [1, 2, 3, 4]
        assert view.arrivals.years() == (2026, 2025)


def test_an_incoming_document_is_entered_once(store: Store) -> None:
    with store.transaction() as tx:
        first = tx.arrivals.enter(BODY, TODAY, entry(incoming="a"))
        again = tx.arrivals.enter(BODY, TODAY, entry("Khác", incoming="a"))
        next_one = tx.arrivals.enter(BODY, TODAY, entry())
        # Two bodies on one machine may both have got it.
        elsewhere = tx.arrivals.enter("H41.02", TODAY, entry(incoming="a"))
    assert (first, again, next_one, elsewhere) == (1, 1, 2, 1)


def test_a_number_that_was_given_up_stays_and_is_not_given_again(store: Store) -> None:
    with store.transaction() as tx:
        tx.arrivals.enter(BODY, TODAY, entry(incoming="a"))
        (line,) = tx.arrivals.list()
        tx.arrivals.void(line.id, " vào sổ nhầm ", MORNING, "Thư")
        assert tx.arrivals.enter(BODY, TODAY, entry(incoming="a")) == 2
    with store.view() as view:
        voided, entered = view.arrivals.list()
        assert (voided.number, voided.voided, voided.void_reason) == (1, True, "vào sổ nhầm")
        found = view.arrivals.of_incoming(BODY, "a")
        assert found is not None
        assert found.number == entered.number == 2


def test_a_number_is_given_up_with_a_reason_and_once(store: Store) -> None:
    with store.transaction() as tx:
        tx.arrivals.enter(BODY, TODAY, entry())
        (line,) = tx.arrivals.list()
        with pytest.raises(KnownError) as caught:
            tx.arrivals.void(line.id, "  ", MORNING, "Thư")
        assert caught.value.code == "arrival_void_reason"
        tx.arrivals.void(line.id, "nhầm", MORNING, "Thư")
        with pytest.raises(ValueError, match="no such number"):
            tx.arrivals.void(line.id, "nhầm", MORNING, "Thư")


def test_numbers_go_on_behind_the_book_on_paper(store: Store) -> None:
    with store.transaction() as tx:
        tx.arrivals.begin_after(BODY, 2026, 812, MORNING, "Thư")
        tx.arrivals.begin_after(BODY, 2026, 815, MORNING, "Thư")
        assert tx.arrivals.enter(BODY, TODAY, entry()) == 816
        with pytest.raises(KnownError) as caught:
            tx.arrivals.begin_after(BODY, 2026, 900, MORNING, "Thư")
    assert caught.value.code == "arrival_start_late"


def test_nothing_arrives_tomorrow(store: Store) -> None:
    with store.transaction() as tx, pytest.raises(KnownError) as caught:
        tx.arrivals.enter(BODY, TODAY + dt.timedelta(days=1), entry())
    assert caught.value.code == "arrival_day_later"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM arrival",
        "UPDATE arrival SET number = 9",
        "UPDATE arrival SET body_code = 'X'",
        "DELETE FROM register_cell",
        "UPDATE register_cell SET value = ''",
    ],
)
def test_the_database_itself_keeps_numbers_and_writings(store: Store, statement: str) -> None:
    with store.transaction() as tx:
        tx.arrivals.enter(BODY, TODAY, entry())
        tx.registers.write(Book.OUTGOING, "d1", "note", "x", MORNING, "Thư")
    with store.transaction() as tx, pytest.raises(sqlite3.IntegrityError):
        tx.arrivals._connection.execute(statement)


def test_the_newest_writing_of_a_cell_counts_and_the_others_stay(store: Store) -> None:
    with store.transaction() as tx:
        assert tx.registers.write(Book.OUTGOING, "d1", "keeper", "Văn thư", MORNING, "Thư")
        assert not tx.registers.write(Book.OUTGOING, "d1", "keeper", "Văn thư", MORNING, "An")
        assert tx.registers.write(Book.OUTGOING, "d1", "keeper", "Phòng VHXH", MORNING, "An")
        assert tx.registers.write(Book.OUTGOING, "d1", "note", "gấp", MORNING, "An")
        assert not tx.registers.write(Book.OUTGOING, "d2", "note", "", MORNING, "An")
        tx.registers.write(Book.INCOMING, "d1", "note", "sổ đến", MORNING, "An")
    with store.view() as view:
        cells = view.registers.cells(Book.OUTGOING)
        assert {name: one.value for name, one in cells["d1"].items()} == {"keeper": "Phòng VHXH", "note": "gấp"}
        assert "d2" not in cells
        history = view.registers.history(Book.OUTGOING, "d1", "keeper")
    assert [(one.revision, one.value, one.operator) for one in history] == [
        (1, "Văn thư", "Thư"),
        (2, "Phòng VHXH", "An"),
    ]


def wish(number_id: str, owner: str) -> LeasedNumber:
    return LeasedNumber(
        position=0,
        id=number_id,
        register_id="r",
        owner=owner,
        doc_type="QĐ",
        issued_date=TODAY,
        state=LeasedState.ASKED,
        at=MORNING,
        operator="Thư",
    )


def test_a_document_has_one_number_of_a_register_at_a_time(store: Store) -> None:
    lease = RegisterLease(register_id="r", body_code=BODY, name="Sổ", notation="{type}-UBND", lease_id="l1")
    with store.transaction() as tx:
        tx.leases.ask_lease(lease)
        tx.leases.ask(wish("n1", "doc"))
        with pytest.raises(sqlite3.IntegrityError):
            tx.leases.ask(wish("n2", "doc"))
        tx.leases.void("n1", "thôi")
        tx.leases.ask(wish("n2", "doc"))
    with store.view() as view:
        known = view.leases.number_of("r", "doc")
        assert known is not None
        assert known.id == "n2"
        assert [one.id for one in view.leases.open("r")] == ["n1", "n2"]


def test_another_lease_forgets_what_the_old_one_was_granted(store: Store) -> None:
    lease = RegisterLease(register_id="r", body_code=BODY, name="Sổ", notation="", lease_id="l1")
    until = MORNING + dt.timedelta(days=1)
    with store.transaction() as tx:
        tx.leases.ask_lease(lease)
        tx.leases.granted("l1", 3, until)
        tx.leases.ask_lease(lease)
    with store.view() as view:
        (kept,) = view.leases.leases(BODY)
        assert (kept.fence, kept.holds(MORNING), kept.holds(until)) == (3, True, False)
    with store.transaction() as tx:
        tx.leases.lost("r", MORNING)
    with store.view() as view:
        assert not view.leases.leases()[0].holds(MORNING)
    with store.transaction() as tx:
        tx.leases.ask_lease(RegisterLease(register_id="r", body_code=BODY, name="Sổ", notation="", lease_id="l2"))
        with pytest.raises(ValueError, match="no such lease"):
            tx.leases.granted("l1", 4, until)
    with store.view() as view:
        (fresh,) = view.leases.leases()
        assert (fresh.lease_id, fresh.fence, fresh.lost_at) == ("l2", None, None)
