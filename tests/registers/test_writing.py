"""Registers and reports as files: every column, no gap hidden, nothing that a spreadsheet would calculate with."""

import csv
import zipfile
from pathlib import Path

import pikepdf
import pytest

from signer_app.registers.cells import CellEdit, OutgoingField, write_cells
from signer_app.registers.incoming import incoming_lines
from signer_app.registers.paper_entries import PaperDocument, enter_paper
from signer_app.registers.period import period_report
from signer_app.registers.period_writing import write_period
from signer_app.registers.words import incoming_heads, outgoing_heads
from signer_app.registers.writing import RegisterHead, write_incoming, write_outgoing
from signer_app.store.registers import Book
from signer_resources.errors import KnownError
from tests.registers.conftest import BODY, CLERK, NAMES, Bureau, at

NOW = at(23, 9)
HEAD = RegisterHead(NAMES[BODY], 2026)


@pytest.fixture
def filled(bureau: Bureau) -> Bureau:
    bureau.sent(bureau.signed("1", at(20)), at(20, 9))
    last = bureau.signed("5", at(20))
    with bureau.store.transaction() as tx:
        edits = [
            CellEdit(last.id, OutgoingField.KEEPER, "", "=HYPERLINK(1)"),
            CellEdit(last.id, OutgoingField.COPIES, "", "12"),
        ]
        write_cells(tx, Book.OUTGOING, edits, NOW, CLERK)
        enter_paper(tx, BODY, PaperDocument("Điện lực", "V/v cắt điện", "12/CV"), NOW, CLERK)
    return bureau


def pages_text(path: Path) -> str:
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    return "\n".join(page.get_textpage().get_text_range() for page in document)


def test_csv_has_all_ten_columns_with_gaps_and_plain_texts(filled: Bureau, tmp_path: Path) -> None:
    target = tmp_path / "sổ.csv"
    write_outgoing(filled.lines(2026), HEAD, target, "vi", NOW)
    with target.open(encoding="utf-8-sig", newline="") as stream:
        head, *rows = csv.reader(stream)
    assert tuple(head) == outgoing_heads("vi")
    assert [row[0] for row in rows] == ["1/UBND-VHXH", "2–4", "5/UBND-VHXH"]
    assert (rows[0][1], rows[0][7]) == ("2026-11-20", "2026-11-20")
    assert (rows[2][5], rows[2][6]) == ("'=HYPERLINK(1)", "12")
    assert rows[1][9] == "Không có trong máy này"


def test_the_spreadsheet_holds_the_lines_and_what_they_are(filled: Bureau, tmp_path: Path) -> None:
    target = tmp_path / "sổ.xlsx"
    write_outgoing(filled.lines(2026), HEAD, target, "vi", NOW)
    with zipfile.ZipFile(target) as book:
        sheets = "".join(book.read(name).decode() for name in book.namelist() if "sheet" in name)
    assert "2–4" in sheets
    assert "3 số không có trong máy này" in sheets
    assert "<f>" not in sheets


def test_the_print_has_every_column_numbered_and_repeats_its_head(filled: Bureau, tmp_path: Path) -> None:
    target = tmp_path / "sổ.pdf"
    many = filled.lines(2026) * 20
    write_outgoing(many, HEAD, target, "vi", NOW)
    with pikepdf.open(target) as document:
        assert len(document.pages) > 1
        assert document.pages[0].MediaBox[2] > document.pages[0].MediaBox[3]
    told = pages_text(target)
    assert "SỔ ĐĂNG KÝ VĂN BẢN ĐI" in told
    assert "UBND xã Hòa Sơn" in told
    assert all(f"({number})" in told for number in range(1, 11))
    assert told.count("Ký nhận") > 1
    assert "2–4" in told


def test_the_incoming_register_is_written_too(filled: Bureau, tmp_path: Path) -> None:
    with filled.store.view() as view:
        lines = incoming_lines(view, 2026)
    for name in ("đến.csv", "đến.pdf", "đến.xlsx"):
        write_incoming(lines, HEAD, tmp_path / name, "vi", NOW)
    with (tmp_path / "đến.csv").open(encoding="utf-8-sig", newline="") as stream:
        head, row = csv.reader(stream)
    assert tuple(head) == incoming_heads("vi")
    assert (row[0], row[1], row[2], row[9]) == ("2026-11-23", "1", "Điện lực", "Bản giấy")
    assert "SỔ ĐĂNG KÝ VĂN BẢN ĐẾN" in pages_text(tmp_path / "đến.pdf")


def test_no_file_is_written_over_and_a_stopped_one_leaves_nothing(filled: Bureau, tmp_path: Path) -> None:
    target = tmp_path / "sổ.csv"
    with pytest.raises(KnownError) as caught:
        write_outgoing(filled.lines(), HEAD, target, "vi", NOW, cancelled=lambda: True)
    assert caught.value.code == "interrupted"
    assert not target.exists()
    target.write_text("của ai khác")
    with pytest.raises(KnownError) as caught:
        write_outgoing(filled.lines(), HEAD, target, "vi", NOW)
    assert caught.value.code == "output_exists"
    with pytest.raises(KnownError) as caught:
        write_outgoing(filled.lines(), HEAD, tmp_path / "sổ.docx", "vi", NOW)
    assert caught.value.code == "report_form_unknown"
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["sổ.csv"]


def test_the_period_report_prints_figures_definitions_and_what_was_late(filled: Bureau, tmp_path: Path) -> None:
    with filled.store.view() as view:
        made = period_report(view, filled.settings, at(16).date(), at(22).date(), at(25), BODY)
    for name in ("kỳ.pdf", "kỳ.xlsx", "kỳ.csv"):
        write_period(made, NAMES[BODY], tmp_path / name, "vi")
    told = pages_text(tmp_path / "kỳ.pdf")
    assert "Từ ngày 16/11/2026 đến ngày 22/11/2026" in told
    assert "5/UBND-VHXH" in told
    with (tmp_path / "kỳ.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = {row[0]: row[1] for row in csv.reader(stream)}
    assert (rows["Văn bản đi"], rows["Đã gửi điện tử"], rows["Quá hạn chưa gửi"]) == ("2", "1", "1")
    with zipfile.ZipFile(tmp_path / "kỳ.xlsx") as book:
        assert "5/UBND-VHXH" in "".join(book.read(name).decode() for name in book.namelist() if "sheet" in name)
