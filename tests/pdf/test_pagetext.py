"""What PDFium reads, as lines and runs in NFC with their places in millimetres."""

import io
import re
import unicodedata

import pikepdf
import pypdfium2 as pdfium
import pytest

from tests.pdf.paper import TURNS, Turn, Words, page_of, read, turned


@pytest.mark.parametrize("turn", TURNS, ids=str)
def test_places_are_those_of_the_displayed_page(turn: Turn) -> None:
    page = read(turned(page_of([Words(30, 50, "Số: 05/QĐ-UBND"), Words(120, 200, "CHỦ TỊCH", size=20)]), turn))
    first, second = page.runs
    assert (first.text, second.text) == ("Số: 05/QĐ-UBND", "CHỦ TỊCH")
    assert (first.left, first.baseline) == pytest.approx((30, 50), abs=0.2)
    assert (second.left, second.baseline) == pytest.approx((120, 200), abs=0.2)
    assert (first.size, second.size) == pytest.approx((13, 20), abs=0.1)


def test_boxes_and_turn_inherited_from_the_page_tree_count() -> None:
    with pikepdf.open(io.BytesIO(turned(page_of([Words(30, 50, "Kính gửi")]), Turn(90, 40, 60, 20)))) as pdf:
        page = pdf.pages[0].obj
        for key in ("/MediaBox", "/CropBox", "/Rotate"):
            pdf.Root.Pages[key] = page[key]
            del page[key]
        out = io.BytesIO()
        pdf.save(out)
    run = read(out.getvalue()).runs[0]
    assert (run.left, run.baseline) == pytest.approx((30, 50), abs=0.2)


def test_columns_on_one_baseline_are_one_line_cut_into_runs() -> None:
    page = read(page_of([Words(30, 50, "Số: 05/QĐ-UBND"), Words(110, 50, "Hòa Sơn, ngày 05"), Words(30, 60, "a  b")]))
    assert [line.text for line in page.lines] == ["Số: 05/QĐ-UBND Hòa Sơn, ngày 05", "a b"]
    assert [run.text for run in page.runs] == ["Số: 05/QĐ-UBND", "Hòa Sơn, ngày 05", "a b"]


def test_letters_with_decomposed_meaning_are_composed() -> None:
    """Word and others write ToUnicode maps that give a base letter and its marks for one glyph."""
    text = "Nguyễn Thị Phượng"
    with pikepdf.open(io.BytesIO(page_of([Words(30, 50, text)]))) as pdf:
        for item in pdf.objects:
            if isinstance(item, pikepdf.Stream) and b"beginbfchar" in item.read_bytes():
                item.write(_decomposed(item.read_bytes()))
        out = io.BytesIO()
        pdf.save(out)
    raw = pdfium.PdfDocument(out.getvalue())[0].get_textpage().get_text_bounded()
    assert not unicodedata.is_normalized("NFC", raw)
    page = read(out.getvalue())
    assert page.runs[0].text == text
    assert page.runs[0].left == pytest.approx(30, abs=0.2)
    width = read(page_of([Words(30, 50, text)])).runs[0].box.w
    assert page.runs[0].box.w == pytest.approx(width, abs=0.2)


def _decomposed(cmap: bytes) -> bytes:
    def spread(found: re.Match[bytes]) -> bytes:
        letters = unicodedata.normalize("NFD", chr(int(found[2], 16)))
        return found[1] + b"<" + letters.encode("utf-16-be").hex().encode() + b">"

    return re.sub(rb"(<[0-9A-Fa-f]+>\s+)<([0-9A-Fa-f]{4})>(?=\s*\n)", spread, cmap)


def test_the_gap_of_a_blank_is_measured_not_counted() -> None:
    page = read(page_of([Words(30, 50, "Số:"), Words(55, 50, "/QĐ-UBND")]))
    line = page.lines[0]
    start = line.text.index(":") + 1
    assert line.text == "Số: /QĐ-UBND"
    assert line.edge_before(start) == pytest.approx(page.runs[0].right)
    assert line.edge_after(start) == pytest.approx(55, abs=0.3)


def test_a_page_without_text_has_no_lines() -> None:
    page = read(page_of([]))
    assert (page.lines, page.runs) == ((), ())
