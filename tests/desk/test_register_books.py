"""The registers as the window works with them."""

import datetime as dt
from pathlib import Path

import pytest

from signer_app.registers.cells import CellEdit, IncomingField, OutgoingField
from signer_app.registers.model import LineKind
from signer_app.registers.paper_entries import PaperDocument
from signer_app.store.registers import Book
from signer_app.store.settings import Body, Exchange
from signer_resources.errors import KnownError
from tests.desk.office import FRIDAY, MONDAY, ORG, Office, changed

OURS = Body(code=ORG, name="UBND xã Hòa Sơn")
PAPER = PaperDocument("Điện lực", "V/v cắt điện")


def test_documents_receivers_and_gaps_are_shown_with_what_the_clerk_writes(office: Office) -> None:
    changed(office, bodies=(OURS,))
    document = office.signed("3", FRIDAY, receivers=("H77.02",))
    books = office.desk.register_books
    books.write_one(Book.OUTGOING, CellEdit(document.id, OutgoingField.KEEPER, "", "Văn thư"))
    gap, line = books.outgoing(2026, ORG).lines
    assert (gap.kind, gap.last) == (LineKind.GAP, 2)
    assert (line.receivers, line.keeper) == (("Sở Nội vụ tỉnh An Sơn",), "Văn thư")
    assert [one.value for one in books.history(Book.OUTGOING, line.id, "keeper")] == ["Văn thư"]
    assert books.outgoing(search="khong co").lines == ()


def test_a_cell_that_somebody_else_has_changed_is_not_written_over_unseen(office: Office) -> None:
    document = office.signed("1", FRIDAY)
    books = office.desk.register_books
    books.write_one(Book.OUTGOING, CellEdit(document.id, OutgoingField.NOTE, "", "gấp"))
    with pytest.raises(KnownError) as caught:
        books.write_one(Book.OUTGOING, CellEdit(document.id, OutgoingField.NOTE, "", "chậm"))
    assert caught.value.code == "register_cell_changed"
    assert "gấp" in str(caught.value.explain("vi"))


def test_a_line_that_is_not_there_and_a_gap_take_no_writing(office: Office) -> None:
    office.signed("3", FRIDAY)
    books = office.desk.register_books
    gap = books.outgoing().lines[0]
    for line in (gap.id, "x"):
        with pytest.raises(KnownError) as caught:
            books.write(Book.OUTGOING, [CellEdit(line, OutgoingField.NOTE, "", "x")])
        assert caught.value.code == "register_line_unknown"


def test_paper_is_entered_passed_on_and_given_up(office: Office) -> None:
    changed(office, bodies=(OURS,))
    books = office.desk.register_books
    books.begin_after(ORG, 2026, 40)
    assert [books.enter_paper(ORG, PAPER) for _ in range(2)] == [41, 42]
    _gap, first, _second = books.incoming(2026, ORG).lines
    books.write_one(Book.INCOMING, CellEdit(first.id, IncomingField.PASSED_TO, "", "Ông Bình"))
    assert books.void_arrival(ORG, 2026, 42, "vào sổ hai lần").number == 42
    told = [(line.number, line.kind, line.passed_to) for line in books.incoming(2026, ORG).lines]
    assert told == [(1, LineKind.GAP, ""), (41, LineKind.DOCUMENT, "Ông Bình"), (42, LineKind.VOIDED, "")]


def test_where_another_system_receives_nothing_is_numbered_here(office: Office) -> None:
    changed(office, bodies=(Body(code=ORG, name="UBND xã Hòa Sơn", exchange=Exchange.EXTERNAL),))
    books = office.desk.register_books
    for entering in (lambda: books.enter_paper(ORG, PAPER), lambda: books.begin_after(ORG, 2026, 3)):
        with pytest.raises(KnownError) as caught:
            entering()
        assert caught.value.code == "arrival_external"
    assert books.incoming().lines == ()


def test_a_number_from_the_book_on_paper_is_checked_against_the_body_s_sequences(office: Office) -> None:
    changed(office, bodies=(OURS,))
    office.signed("3", MONDAY.date())
    books = office.desk.register_books
    assert books.check_typed(ORG, "UBND-VHXH", "7", MONDAY.date()).gap_from == 4
    with pytest.raises(KnownError) as caught:
        books.check_typed(ORG, "UBND-VHXH", "03", MONDAY.date())
    assert caught.value.code == "number_used"


def test_a_register_a_report_and_what_is_late_come_from_one_place(office: Office, tmp_path: Path) -> None:
    changed(office, bodies=(OURS,))
    late = office.signed("1", FRIDAY - dt.timedelta(days=2))
    books = office.desk.register_books
    assert [one.id for one in books.overdue()] == [late.id]
    books.export(Book.OUTGOING, tmp_path / "đi.pdf", "vi", 2026, ORG)
    books.export(Book.INCOMING, tmp_path / "đến.csv", "vi")
    report = books.report(FRIDAY - dt.timedelta(days=7), FRIDAY)
    books.write_report(report, tmp_path / "kỳ.xlsx", "vi")
    assert (report.outgoing.total, report.outgoing.unsent_late) == (1, 1)
    assert {one.name for one in tmp_path.iterdir() if one.suffix} == {"đi.pdf", "đến.csv", "kỳ.xlsx"}
    assert books.body_name(None, "vi") == "UBND xã Hòa Sơn"
