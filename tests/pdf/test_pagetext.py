"""What PDFium reads, as lines and runs in NFC with their places in millimetres."""

import io
import math
import re
import unicodedata
from contextlib import closing

import pikepdf
import pypdfium2 as pdfium
import pytest

from signer_app.pdf.glyphs import GlyphReader
from signer_app.pdf.pagetext import open_document
from signer_app.pdf.plan import Style
from tests.pdf.paper import BOLD, ITALIC, REGULAR, TURNS, Turn, Words, page_of, read, turned, typed, width_mm


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


def test_letters_tell_their_style() -> None:
    page = read(page_of([Words(30, 50, "a", REGULAR), Words(30, 60, "b", BOLD), Words(30, 70, "c", ITALIC)]))
    assert [line.style for line in page.lines] == [Style.REGULAR, Style.BOLD, Style.ITALIC]


def test_letters_that_are_drawn_leaning_are_italic() -> None:
    with pikepdf.open(io.BytesIO(page_of([Words(30, 50, "Hòa Sơn")]))) as pdf:
        page = pdf.pages[0]
        page.contents_add(b"q 1 0 0.3 1 -200 0 cm", prepend=True)
        page.contents_add(b"Q")
        out = io.BytesIO()
        pdf.save(out)
    assert read(out.getvalue()).lines[0].style is Style.ITALIC


@pytest.mark.parametrize("degrees", [-3.0, -1.0, 0.4, 3.0])
@pytest.mark.parametrize("steps", [False, True], ids=["turned letters", "upright words"])
def test_a_page_scanned_askew_reads_by_its_lines(degrees: float, *, steps: bool) -> None:
    texts = ["Số: 05/QĐ-UBND về việc kiện toàn ban chỉ đạo", "Căn cứ Luật Tổ chức chính quyền địa phương năm 2025"]
    angle = math.radians(degrees)
    words = []
    for i, text in enumerate([*texts, *texts]):
        x, y = 30.0, 60.0 + 6.0 * i
        if not steps:
            words.append(Words(x, y, text, turn=degrees))
            continue
        for word in text.split():
            words.append(Words(x, y - math.tan(angle) * (x - 30), word))
            x += width_mm(f"{word} ")
    page = read(page_of(words))
    assert [line.text for line in page.lines] == [*texts, *texts]
    first = page.lines[0].glyphs
    assert first[-1].baseline - first[0].baseline == pytest.approx(
        -math.tan(angle) * (first[-1].left - first[0].left), abs=0.6
    )


def test_a_page_has_text_when_its_letters_can_be_read() -> None:
    assert read(page_of([Words(30, 50, "Căn cứ Luật Tổ chức chính quyền địa phương")])).has_text
    assert not read(page_of([])).has_text
    assert not read(page_of([Words(100, 15, "2")])).has_text
    # Written before Unicode: the letters of another alphabet stand where Vietnamese ones were drawn.
    assert not typed([Words(30, 50, "Céng hßa x· héi chñ nghÜa ViÖt Nam §éc lËp")]).has_text
    assert not typed([Words(30, 50, "\ue001\ue002\ue003\ue004\ue005\ue006\ue007\ue008\ue009")]).has_text


def test_a_hyphen_at_which_a_line_is_broken_is_one() -> None:
    with pikepdf.open(io.BytesIO(page_of([Words(30, 50, "Số: 05/QĐ-"), Words(30, 56, "UBND")]))) as pdf:
        for item in pdf.objects:
            if isinstance(item, pikepdf.Stream) and b"beginbfchar" in item.read_bytes():
                item.write(re.sub(rb"<002D>(?=\s*\n)", b"<00AD>", item.read_bytes()))
        out = io.BytesIO()
        pdf.save(out)
    assert [line.text for line in read(out.getvalue()).lines] == ["Số: 05/QĐ-", "UBND"]


def test_characters_read_many_at_a_time_are_those_read_one_by_one() -> None:
    faces = (REGULAR, BOLD) * 20
    words = [Words(20, 20 + 6 * n, "Căn cứ Luật Tổ chức chính quyền địa phương;", faces[n]) for n in range(40)]
    with (
        closing(open_document(page_of(words))) as document,
        closing(document.page(0)) as page,
        closing(page.get_textpage()) as textpage,
    ):
        count, frame = textpage.count_chars(), document.frame(0)
        found = GlyphReader(textpage, frame).glyphs(count)
        reader = GlyphReader(textpage, frame)
        alone = [glyph for index in range(count) if (glyph := reader.glyph(index)) is not None]
    assert len(found) > 1_500
    assert found == alone
    assert {glyph.style for glyph in found} == {Style.REGULAR, Style.BOLD}
