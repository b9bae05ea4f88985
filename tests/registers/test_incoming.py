"""The incoming register: what came on paper and electronically, corrected, given up, found."""

import datetime as dt

import pytest

from signer_app.registers.cells import CellEdit, IncomingField, write_cells
from signer_app.registers.incoming import incoming_lines
from signer_app.registers.model import IncomingLine, LineKind
from signer_app.registers.paper_entries import PaperDocument, enter_paper, void_arrival
from signer_app.store.arrival_book import ArrivalEntry
from signer_app.store.registers import Book
from signer_app.store.store import Store
from signer_resources.errors import KnownError
from tests.registers.conftest import BODY, CLERK, Bureau, at

NOW = at(23, 9)
PAPER = PaperDocument(author="Công ty Điện lực", title="V/v cắt điện", label="12/CV-ĐL", date=dt.date(2026, 11, 20))


def electronic(store: Store, incoming: str = "d1") -> int:
    entry = ArrivalEntry(
        author="Sở Nội vụ", label="7/SNV", doc_date_text="2026/02/30", type="Công văn", subject="V/v báo cáo",
        incoming=incoming, received_at=at(23, 8), at=NOW, operator=CLERK,
    )  # fmt: skip
    with store.transaction() as tx:
        return tx.arrivals.enter(BODY, NOW.date(), entry)


def on_paper(store: Store, paper: PaperDocument = PAPER) -> int:
    with store.transaction() as tx:
        return enter_paper(tx, BODY, paper, NOW, CLERK)


def lines(store: Store, search: str = "") -> list[IncomingLine]:
    with store.view() as view:
        return incoming_lines(view, 2026, BODY, search)


def edit(store: Store, line: IncomingLine, field: IncomingField, value: str) -> None:
    with store.transaction() as tx:
        assert not write_cells(tx, Book.INCOMING, [CellEdit(line.id, field, "", value)], NOW, CLERK)


def test_paper_and_electronic_lines_stand_in_one_row_of_numbers(store: Store) -> None:
    assert (electronic(store), on_paper(store)) == (1, 2)
    first, second = lines(store)
    assert (first.author, first.label, first.title) == ("Sở Nội vụ", "7/SNV", "Công văn: V/v báo cáo")
    # A date that is none stands there as it came.
    assert (first.date, first.date_text, first.on_paper) == (None, "2026/02/30", False)
    assert (second.arrived_on, second.date, second.on_paper) == (NOW.date(), PAPER.date, True)
    assert (first.remarks_told("vi"), second.remarks_told("vi")) == ("Điện tử", "Bản giấy")


def test_who_got_it_and_when_is_written_by_the_clerk(store: Store) -> None:
    electronic(store)
    (line,) = lines(store)
    edit(store, line, IncomingField.PASSED_TO, "Ông Bình, Địa chính")
    edit(store, line, IncomingField.PASSED_ON, "23/11/2026")
    edit(store, line, IncomingField.SIGNED_FOR, "Bình")
    (line,) = lines(store)
    assert (line.passed_to, line.passed_on, line.signed_for) == ("Ông Bình, Địa chính", NOW.date(), "Bình")


def test_whom_it_was_passed_on_to_when_it_was_accepted_stands_there_until_the_clerk_writes(bureau: Bureau) -> None:
    bureau.came("d1", at(23, 8))
    bureau.passed_on("d1", "Bà Lan", at(23, 8, 30))
    bureau.passed_on("d1", "Ông Bình", at(23, 9))
    electronic(bureau.store)
    (line,) = lines(bureau.store)
    assert (line.passed_to, line.passed_on) == ("Ông Bình", NOW.date())
    edit(bureau.store, line, IncomingField.PASSED_TO, "Phòng Kinh tế")
    assert lines(bureau.store)[0].passed_to == "Phòng Kinh tế"


def test_what_was_typed_from_paper_may_be_corrected_what_came_electronically_may_not(store: Store) -> None:
    electronic(store)
    on_paper(store)
    sent, typed = lines(store)
    edit(store, typed, IncomingField.AUTHOR, "Điện lực An Sơn")
    edit(store, typed, IncomingField.DATE, "19/11/2026")
    corrected = lines(store)[1]
    assert (corrected.author, corrected.date) == ("Điện lực An Sơn", dt.date(2026, 11, 19))
    with store.transaction() as tx, pytest.raises(KnownError) as caught:
        write_cells(tx, Book.INCOMING, [CellEdit(sent.id, IncomingField.AUTHOR, "", "Khác")], NOW, CLERK)
    assert caught.value.code == "register_cell_fixed"
    with store.transaction() as tx, pytest.raises(ValueError, match="no such line"):
        write_cells(tx, Book.INCOMING, [CellEdit("x", IncomingField.NOTE, "", "Khác")], NOW, CLERK)


@pytest.mark.parametrize("paper", [PaperDocument("", "V/v"), PaperDocument("Sở", " ")])
def test_a_paper_without_sender_or_subject_is_not_entered(store: Store, paper: PaperDocument) -> None:
    with store.transaction() as tx, pytest.raises(KnownError) as caught:
        enter_paper(tx, BODY, paper, NOW, CLERK)
    assert caught.value.code == "arrival_incomplete"
    assert lines(store) == []


def test_a_number_given_up_shows_its_reason(store: Store) -> None:
    on_paper(store)
    with store.transaction() as tx:
        void_arrival(tx, BODY, 2026, 1, "vào sổ hai lần", NOW, CLERK)
        with pytest.raises(KnownError) as caught:
            void_arrival(tx, BODY, 2026, 1, "vào sổ hai lần", NOW, CLERK)
    assert caught.value.code == "arrival_number_unknown"
    (line,) = lines(store)
    assert line.kind is LineKind.VOIDED
    assert line.remarks_told("vi") == "Bỏ số 23/11/2026, lý do: vào sổ hai lần; Bản giấy"


def test_the_numbers_of_the_book_on_paper_are_shown_as_one_line(store: Store) -> None:
    with store.transaction() as tx:
        tx.arrivals.begin_after(BODY, 2026, 812, NOW, CLERK)
    on_paper(store)
    gap, line = lines(store)
    assert (gap.kind, gap.number, gap.last, line.number) == (LineKind.GAP, 1, 812, 813)
    assert gap.remarks_told("vi") == "Số 1–812 ở sổ giấy"


def test_lines_are_found_without_diacritics(store: Store) -> None:
    electronic(store)
    on_paper(store)
    assert [line.number for line in lines(store, "cat dien")] == [2]
    assert [line.number for line in lines(store, "so noi vu bao cao")] == [1]
