"""The outgoing register: ten columns, numbers without a document, gaps, and finding a line."""

import datetime as dt
from dataclasses import replace

from signer_app.registers.cells import CellEdit, OutgoingField, write_cells
from signer_app.registers.model import LineKind
from signer_app.store.registers import Book
from signer_app.store.reservations import Reservation
from tests.registers.conftest import BODY, CLERK, Bureau, at

FRIDAY = at(20, 9)


def keep(bureau: Bureau, number: str, *, reason: str | None = None, notation: str = "UBND-VHXH") -> None:
    sequences = bureau.settings.bodies[0].sequences
    owner, day = f"o{number}", FRIDAY.date()
    wish = Reservation.of(
        BODY, sequences, number, notation, day, owner=owner, name="Tờ trình.pdf", at=FRIDAY, operator=CLERK
    )
    with bureau.store.transaction() as tx:
        tx.reservations.reserve(wish, sequences)
        if reason:
            tx.reservations.give_up(wish, reason, FRIDAY, CLERK)


def write(bureau: Bureau, line: str, field: OutgoingField, value: str) -> None:
    with bureau.store.transaction() as tx:
        assert not write_cells(tx, Book.OUTGOING, [CellEdit(line, field, "", value)], FRIDAY, CLERK)


def test_a_line_has_the_ten_columns_of_the_law(bureau: Bureau) -> None:
    document = bureau.signed("125", FRIDAY)
    bureau.sent(document, at(20, 9, 5))
    for field, value in (
        (OutgoingField.KEEPER, "Văn thư"),
        (OutgoingField.COPIES, "12"),
        (OutgoingField.SIGNED_FOR, "Bà Hoa"),
        (OutgoingField.NOTE, "kèm đĩa"),
    ):
        write(bureau, document.id, field, value)
    (line,) = (line for line in bureau.lines() if line.kind is LineKind.DOCUMENT)
    assert (line.label, line.date, line.title) == ("125/UBND-VHXH", FRIDAY.date(), "V/v chuẩn bị hội nghị cuối năm")
    assert (line.receivers, line.keeper, line.copies) == (("Sở Nội vụ tỉnh An Sơn",), "Văn thư", "12")
    # Nobody typed when it was passed on: the server had it that day.
    assert (line.passed_on, line.signed_for) == (FRIDAY.date(), "Bà Hoa")
    assert line.remarks_told("vi") == "kèm đĩa; Máy chủ đã nhận 09:05 20/11/2026"


def test_a_typed_date_of_passing_on_is_stronger_than_the_server_s(bureau: Bureau) -> None:
    document = bureau.signed("125", FRIDAY)
    bureau.sent(document, FRIDAY)
    write(bureau, document.id, OutgoingField.PASSED_ON, "23/11/2026")
    assert bureau.lines()[-1].passed_on == dt.date(2026, 11, 23)


def test_what_was_sent_back_or_waits_is_remarked(bureau: Bureau) -> None:
    waiting, returned = bureau.signed("1", FRIDAY), bureau.signed("2", FRIDAY)
    bureau.sent(returned, FRIDAY)
    bureau.sent_back(returned, "H41.02", "sai nơi nhận", at(20, 10))
    bureau.recalled(returned, at(23, 9))
    first, second = bureau.lines()
    assert first.id == waiting.id
    assert "Đã thu hồi văn bản 23/11/2026" in second.remarks_told("vi")
    assert first.remarks_told("vi") == "Chưa gửi"
    assert "Sở Nội vụ tỉnh An Sơn trả lại: sai nơi nhận" in second.remarks_told("vi")
    # A cell is narrow: what came back stands before what the clerk noted and the time at which the server had it.
    noted = replace(second, note="kèm đĩa").remarks_told("vi")
    order = [noted.index(part) for part in ("trả lại", "Đã thu hồi", "kèm đĩa", "Máy chủ đã nhận")]
    assert order == sorted(order)


def test_who_gets_it_on_paper_stands_among_the_receivers(bureau: Bureau) -> None:
    bureau.on_paper(bureau.signed("1", FRIDAY), "Hộ ông Trần Văn Bình")
    (line,) = bureau.lines()
    assert line.receivers == ("Sở Nội vụ tỉnh An Sơn", "Hộ ông Trần Văn Bình")


def test_numbers_kept_given_up_and_unknown_stand_between_the_documents(bureau: Bureau) -> None:
    bureau.signed("3", FRIDAY)
    keep(bureau, "4", reason="lãnh đạo rút")
    keep(bureau, "7")
    bureau.signed("12a", FRIDAY)
    told = [(line.kind, line.number, line.last) for line in bureau.lines()]
    assert told == [
        (LineKind.GAP, 1, 2),
        (LineKind.DOCUMENT, 3, 0),
        (LineKind.VOIDED, 4, 0),
        (LineKind.GAP, 5, 6),
        (LineKind.KEPT, 7, 0),
        (LineKind.GAP, 8, 11),
        (LineKind.DOCUMENT, 12, 0),
    ]
    voided = bureau.lines()[2]
    assert voided.remarks_told("vi") == "Bỏ số 20/11/2026, lý do: lãnh đạo rút"
    assert bureau.lines()[3].label == "5–6"


def test_each_sequence_has_its_own_numbers_and_gaps(bureau: Bureau) -> None:
    bureau.signed("1", FRIDAY)
    bureau.signed("1", FRIDAY, notation="QĐ-UBND")
    assert [line.kind for line in bureau.lines()] == [LineKind.DOCUMENT, LineKind.DOCUMENT]
    bureau.register("Văn bản đi", "UBND-VHXH", "TB-UBND")
    bureau.signed("2", FRIDAY, notation="TB-UBND")
    assert LineKind.GAP not in {line.kind for line in bureau.lines()}


def test_years_and_bodies_are_told_apart(bureau: Bureau) -> None:
    bureau.signed("1", at(20, 9, year=2025))
    bureau.signed("1", FRIDAY)
    bureau.signed("1", FRIDAY, body="H77")
    assert [line.year for line in bureau.lines(body=BODY)] == [2026, 2025]
    assert [line.body_code for line in bureau.lines(2026)] == [BODY, "H77"]
    with bureau.store.view() as view:
        assert view.registers.years() == (2026, 2025)
        assert view.registers.bodies() == (BODY, "H77")


def test_a_line_is_found_without_diacritics_and_by_what_the_clerk_wrote(bureau: Bureau) -> None:
    first = bureau.signed("5", FRIDAY)
    bureau.signed("9", FRIDAY, receivers=())
    write(bureau, first.id, OutgoingField.KEEPER, "Phòng Địa chính")
    keep(bureau, "10", reason="trùng số")
    assert [line.id for line in bureau.lines(search="phong dia chinh")] == [first.id]
    assert [line.id for line in bureau.lines(search="SỞ nội VỤ")] == [first.id]
    assert [line.label for line in bureau.lines(search="trung so")] == ["10/UBND-VHXH"]
    assert [line.number for line in bureau.lines(search="hội nghị")] == [5, 9]
    assert bureau.lines(search="không có") == []
