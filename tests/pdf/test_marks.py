"""Number and date in the blanks of the page: they fit the line, on every kind of page, and never go over anything."""

import datetime as dt

import pytest

from signer_app.pdf.letter import Blank, DateLine, NumberLine, find_date_line, find_number_line
from signer_app.pdf.marks import Marks, Refused, date_marks, number_marks
from signer_app.pdf.pagetext import PageText
from signer_app.pdf.plan import Drawing, SignStep, Style, TextItem
from tests.pdf.paper import BOLD, ITALIC, REGULAR, TURNS, Turn, Words, page_of, read, turned, typed
from tests.pdf.signing import Desk

DAY = dt.date(2026, 2, 5)
SIZES = {
    "A4": (210.0, 297.0),
    "A3": (297.0, 420.0),
    "A5": (148.0, 210.0),
    "Letter": (215.9, 279.4),
    "A4 landscape": (297.0, 210.0),
}
_ON = list(SIZES)


def lines_on(size: tuple[float, float]) -> list[Words]:
    """Ô 3 and ô 4, as large as the page asks for."""
    width, points = size[0], 13 * size[0] / 210
    return [
        Words(width * 0.3, 40, "Số:        /QĐ-UBND", REGULAR, points, centred=True),
        Words(width * 0.69, 40, "Hòa Sơn, ngày     tháng     năm 2026", ITALIC, points, centred=True),
    ]


def drawn(desk: Desk, data: bytes, *marks: Marks) -> PageText:
    """The page as it reads once marks stand on it in the look of a signature."""
    box = marks[0].box
    for other in marks[1:]:
        box = box.union(other.box)
    box = box.grown(0.4).rounded()
    items = tuple(item for one in marks for item in one.within(box).items)
    step = SignStep("so_ngay", existing=False, page=0, rect=box, drawing=Drawing(items))
    return read(desk.prepare(desk.keep(data), step)[0])


@pytest.mark.parametrize(
    ("turn", "size"), [(turn, _ON[i % len(_ON)]) for i, turn in enumerate(TURNS)], ids=lambda one: str(one)
)
def test_number_and_date_land_in_their_blanks_on_every_page(turn: Turn, size: str, desk: Desk) -> None:
    data = turned(page_of(lines_on(SIZES[size]), SIZES[size]), turn)
    page = read(data)
    number_line, date_line = _number_line(page), _date_line(page)
    number, date = number_marks(number_line, "05", "QĐ-UBND"), date_marks(date_line, DAY)
    assert number is not None
    assert date is not None
    after = drawn(desk, data, number, date)
    blanks = [number_line.blank, date_line.day_blank, date_line.month_blank]
    for blank, text in zip(blanks, ("05", "05", "02"), strict=True):
        assert blank is not None
        inside = [g for g in after.added if blank.left <= g.left and g.right <= blank.right]
        assert "".join(g.text for g in inside) == text
        assert [g.baseline for g in inside] == pytest.approx([40] * len(text), abs=0.1)
        assert [g.size for g in inside] == pytest.approx([blank.size] * len(text), abs=0.1)
        assert {g.style for g in inside} == {blank.style}
        # In the middle, as far as the blank leaves room on both sides.
        assert inside[0].left - blank.left == pytest.approx(blank.right - inside[-1].right, abs=0.2)
    again, date_again = _number_line(after), _date_line(after)
    assert (again.number, again.symbol, again.blank, again.from_annotation) == ("05", "QĐ-UBND", None, True)
    assert (date_again.day, date_again.month, date_again.year) == (5, 2, 2026)
    assert number_marks(again, "05", "QĐ-UBND") is None
    assert date_marks(date_again, DAY) is None
    with pytest.raises(Refused, match="number_differs"):
        number_marks(again, "06", "QĐ-UBND")
    with pytest.raises(Refused, match="date_differs"):
        date_marks(date_again, dt.date(2026, 2, 6))


def _number_line(page: PageText) -> NumberLine:
    found = find_number_line(page)
    assert found is not None
    return found


def _date_line(page: PageText) -> DateLine:
    found = find_date_line(page)
    assert found is not None
    return found


def _item(marks: Marks | None) -> TextItem:
    assert marks is not None
    (item,) = marks.items
    return item


def test_letters_take_size_style_and_baseline_of_the_line() -> None:
    line = NumberLine(0, None, None, "QĐ-UBND", Blank(0, 40, 60, 41.2, 12.5, Style.BOLD), _number_line(_page()).box)
    item = _item(number_marks(line, "05", None))
    assert (item.baseline, item.size, item.style) == (41.2, 12.5, Style.BOLD)


def test_a_line_of_unknown_style_gets_what_the_rule_says() -> None:
    line = NumberLine(0, None, None, "QĐ-UBND", Blank(0, 40, 60, 41.2, 13), _number_line(_page()).box)
    assert _item(number_marks(line, "05", None)).style is Style.REGULAR


@pytest.mark.parametrize(("room", "size"), [(20.0, 13.0), (4.9, 11.0), (4.3, 9.5), (4.1, 9.0)])
def test_a_narrow_blank_gets_smaller_letters(room: float, size: float) -> None:
    line = NumberLine(
        0, None, None, "QĐ-UBND", Blank(0, 40, 40 + room, 41, 13, Style.REGULAR), _number_line(_page()).box
    )
    item = _item(number_marks(line, "05", None))
    assert item.size == size
    assert item.x >= 40


def test_a_blank_too_narrow_for_nine_points_is_refused() -> None:
    line = NumberLine(0, None, None, "QĐ-UBND", Blank(0, 40, 43, 41, 13), _number_line(_page()).box)
    with pytest.raises(Refused, match="blank_too_narrow"):
        number_marks(line, "05", None)


def test_a_page_typed_without_diacritics_has_the_same_notation() -> None:
    line = _number_line(typed([Words(30, 40, "So:         /QD-UBND")]))
    assert number_marks(line, "05", "QĐ-UBND") is not None
    with pytest.raises(Refused, match="notation_differs"):
        number_marks(line, "05", "QC-UBND")


def test_a_notation_without_diacritics_isnt_that_of_the_page() -> None:
    with pytest.raises(Refused, match="notation_differs"):
        number_marks(_number_line(_page()), "05", "QD-UBND")


def test_a_year_typed_in_part_is_not_written_over() -> None:
    line = _date_line(typed([Words(110, 40, "Hòa Sơn, ngày      tháng      năm 20…", ITALIC, 12)]))
    with pytest.raises(Refused, match="date_differs"):
        date_marks(line, DAY)


def test_the_year_is_written_over_its_dots() -> None:
    line = _date_line(typed([Words(110, 40, "Hòa Sơn, ngày 05 tháng 02 năm ........", ITALIC, 11)]))
    assert line.year_blank is not None
    item = _item(date_marks(line, DAY))
    assert item.text == "2026"
    assert line.year_blank.left < item.x < line.year_blank.left + 8


def _page() -> PageText:
    return typed([Words(30, 40, "Số:         /QĐ-UBND", BOLD)])
