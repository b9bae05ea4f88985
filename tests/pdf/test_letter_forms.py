"""Odd forms of ô 2, 3, 4, 7 and 10b as offices type them, on pages that are put together without a PDF."""

import unicodedata
from collections.abc import Sequence
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signer_app.pdf.letter import (
    find_all_signer_blocks,
    find_date_line,
    find_number_line,
    find_signer_blocks,
    find_urgency_mark,
    issuing_bodies,
    issuing_body,
)
from signer_app.pdf.plan import Style
from tests.pdf.paper import BOLD, ITALIC, REGULAR, Words, head, signer_block, typed

_BLANKS = st.sampled_from(["", " ", "      ", "…", "......", "____", " … "])
_SYMBOLS = st.sampled_from(["QĐ-UBND", "UBND-VP", "BC-BCĐ138", "TTr-SGD&ĐT", "QyĐ-UBND", "NĐ-CP", "KH-ĐU"])


# --- ô 3 -----------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    label=st.sampled_from(["Số", "SỐ", "So"]),
    colon=st.sampled_from(["", ":", " :"]),
    number=st.one_of(st.none(), st.integers(1, 99_999).map(lambda n: f"{n:02d}"), st.just("12a")),
    year=st.sampled_from([None, "2026"]),
    symbol=_SYMBOLS,
    dash=st.sampled_from("-–—‐‑−"),
    blank=_BLANKS,
    form=st.sampled_from(["NFC", "NFD"]),
)
def test_every_mixture_of_known_forms_is_read(
    label: str,
    colon: str,
    number: str | None,
    year: str | None,
    symbol: str,
    dash: str,
    blank: str,
    form: Literal["NFC", "NFD"],
) -> None:
    text = f"{label}{colon} {blank}{number or ''}" + (f"/{year}" if year else "") + f"/{symbol.replace('-', dash)}"
    found = find_number_line(typed([Words(30, 40, unicodedata.normalize(form, text))]))
    assert found is not None
    assert (found.number, found.year, found.symbol) == (number, year, symbol)
    assert (found.blank is None) == (number is not None)


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet="SốsoỐO:/-. 0123456789QĐUBNDabc", max_size=30))
def test_what_is_read_as_a_number_stands_in_the_line(text: str) -> None:
    found = find_number_line(typed([Words(30, 40, text)]))
    if found is not None:
        assert found.symbol in "".join(text.split())
        assert found.number is None or found.number in text


@pytest.mark.parametrize(
    ("first", "second", "number", "symbol"),
    [
        ("Số:        /QĐ-", "UBND", None, "QĐ-UBND"),
        ("Số: 05/", "QĐ-UBND", "05", "QĐ-UBND"),
        ("Số: 05/QĐ", "-UBND", "05", "QĐ-UBND"),
        ("Số: 9/SGD&", "ĐT-VP", "9", "SGD&ĐT-VP"),
        ("Số:", "05/QĐ-UBND", "05", "QĐ-UBND"),
        ("Số: 15-", "CV/ĐU", "15", "CV/ĐU"),
    ],
)
def test_a_number_line_broken_in_two_is_read_as_one(first: str, second: str, number: str | None, symbol: str) -> None:
    words = [Words(40, 40, first), Words(42, 45.5, second), Words(120, 40, "Hòa Sơn, ngày 05 tháng 3 năm 2026")]
    found = find_number_line(typed(words))
    assert found is not None
    assert (found.number, found.symbol) == (number, symbol)
    assert found.box.bottom > 45


@pytest.mark.parametrize("below", ["V/v nâng lương", "- Căn cứ Luật", "UBND", "(Dự thảo)"])
def test_the_line_below_a_whole_number_line_is_no_part_of_it(below: str) -> None:
    found = find_number_line(typed([Words(40, 40, "Số: 05/QĐ-UBND"), Words(40, 45.5, below)]))
    assert found is not None
    assert found.symbol == "QĐ-UBND"


def test_a_blank_at_the_end_of_a_broken_line_stays_on_it() -> None:
    found = find_number_line(typed([Words(40, 40, "Số:"), Words(40, 45.5, "/QĐ-UBND")]))
    assert found is not None
    assert found.blank is not None
    assert found.blank.baseline == pytest.approx(40)
    assert found.blank.right > found.blank.left + 10


@pytest.mark.parametrize(("face", "style"), [(REGULAR, Style.REGULAR), (BOLD, Style.BOLD), (ITALIC, Style.ITALIC)])
def test_a_blank_has_size_style_and_baseline_of_what_stands_beside_it(face: str, style: Style) -> None:
    big = Words(120, 40.3, "Hòa Sơn, ngày      tháng      năm 2026", ITALIC, 14)
    page = typed([Words(40, 40, "Số:        /QĐ-UBND", face, 12), big])
    number, date = find_number_line(page), find_date_line(page)
    assert number is not None
    assert number.blank is not None
    assert (number.blank.size, number.blank.style, number.blank.baseline) == (12, style, 40)
    assert date is not None
    for blank in (date.day_blank, date.month_blank):
        assert blank is not None
        assert (blank.size, blank.style, blank.baseline) == (14, Style.ITALIC, 40.3)


# --- ô 4 -----------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    words=st.sampled_from([("ngày", "tháng", "năm"), ("Ngày", "tháng", "năm"), ("ngay", "thang", "nam")]),
    day=st.one_of(st.none(), st.integers(1, 31)),
    month=st.one_of(st.none(), st.integers(1, 12)),
    year=st.one_of(st.none(), st.just(2026)),
    place=st.sampled_from(["Hòa Sơn, ", "TP. Huế, ", "Bà Rịa - Vũng Tàu, ", "Hòa Sơn ", ""]),
    blank=st.sampled_from(["    ", " … ", " ...... ", " ____ "]),
    form=st.sampled_from(["NFC", "NFD"]),
)
def test_every_mixture_of_typed_and_blank_parts_is_read(
    words: tuple[str, str, str],
    day: int | None,
    month: int | None,
    year: int | None,
    place: str,
    blank: str,
    form: Literal["NFC", "NFD"],
) -> None:
    parts = [
        f"{word} {value} " if value else f"{word}{blank}" for word, value in zip(words, (day, month, year), strict=True)
    ]
    line = Words(106, 40, unicodedata.normalize(form, place + "".join(parts)), ITALIC, 12)
    found = find_date_line(typed([line]))
    assert found is not None
    assert (found.day, found.month, found.year) == (day, month, year)
    assert found.place == (place.strip(" ,") or None)
    blanks = (found.day_blank, found.month_blank, found.year_blank)
    assert [one is None for one in blanks] == [value is not None for value in (day, month, year)]
    assert all(one.right - one.left > 4 for one in blanks if one is not None)


@pytest.mark.parametrize(
    "lines",
    [
        ("Hòa Sơn,", "ngày 05 tháng 3 năm 2026"),
        ("Hòa Sơn, ngày 05 tháng 3", "năm 2026"),
        ("Hòa Sơn, ngày 05", "tháng 3 năm 2026"),
        ("Hòa Sơn, ngày 05 tháng 3 năm", "2026"),
    ],
)
def test_place_and_date_broken_over_two_lines_are_read(lines: tuple[str, str]) -> None:
    words = [Words(150, 40 + 6 * i, line, ITALIC, centred=True) for i, line in enumerate(lines)]
    found = find_date_line(typed([Words(40, 40, "Số: 05/QĐ-UBND"), *words]))
    assert found is not None
    assert (found.day, found.month, found.year, found.place) == (5, 3, 2026, "Hòa Sơn")


@pytest.mark.parametrize(
    "text",
    [
        "họp ngày 05 tháng 3 năm 2026",
        "Căn cứ Luật ban hành ngày 05 tháng 3 năm 2026",
        "ngày 5 giờ 30",
        "hàng ngày tháng năm",
        "ngày 123 tháng 3 năm 2026",
    ],
)
def test_a_date_within_words_is_none(text: str) -> None:
    assert find_date_line(typed([Words(110, 40, text)])) is None


# --- ô 2 -----------------------------------------------------------------------------------------------------------

_PROVINCE, _COMMUNE = "ỦY BAN NHÂN DÂN TỈNH AN SƠN", "ỦY BAN NHÂN DÂN XÃ HÒA SƠN"


@pytest.mark.parametrize(
    ("parent", "body", "expected"),
    [
        (_PROVINCE, [_COMMUNE], _COMMUNE),
        (None, ["ỦY BAN NHÂN DÂN", "XÃ HÒA SƠN"], _COMMUNE),
        (_PROVINCE, ["SỞ NÔNG NGHIỆP", "VÀ MÔI TRƯỜNG"], "SỞ NÔNG NGHIỆP VÀ MÔI TRƯỜNG"),
        (_PROVINCE, ["VĂN PHÒNG", "ỦY BAN NHÂN DÂN XÃ HÒA SƠN"], "VĂN PHÒNG " + _COMMUNE),
        (_COMMUNE, ["PHÒNG VĂN HÓA - XÃ HỘI"], "PHÒNG VĂN HÓA - XÃ HỘI"),
        (None, ["HỘI ĐỒNG NHÂN DÂN", "XÃ HÒA SƠN"], "HỘI ĐỒNG NHÂN DÂN XÃ HÒA SƠN"),
    ],
)
@pytest.mark.parametrize("face", [BOLD, REGULAR])
def test_the_full_name_of_the_issuing_body_is_put_together(
    parent: str | None, body: Sequence[str], expected: str, face: str
) -> None:
    lines = [
        Words(w.x, w.baseline, w.text, face if w.text in body else w.face, 9, w.centred)
        for w in head(body=body, parent=parent)
    ]
    assert issuing_body(typed(lines)) == expected


def test_joint_bodies_are_told_one_by_one() -> None:
    words = head(body=("SỞ NỘI VỤ -", "SỞ TÀI CHÍNH"), parent=_PROVINCE)
    page = typed([Words(w.x, w.baseline, w.text, w.face, 9, w.centred) for w in words])
    assert issuing_bodies(page) == ("SỞ NỘI VỤ", "SỞ TÀI CHÍNH")


def test_a_body_that_touches_the_countrys_name_is_still_read() -> None:
    line = Words(30, 25, _COMMUNE + " CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", BOLD, 12)
    assert issuing_body(typed([line, Words(40, 40, "Số: 05/QĐ-UBND")])) == _COMMUNE


def test_a_page_without_capitals_at_its_head_names_no_body() -> None:
    assert issuing_body(typed([Words(40, 40, "Số: 05/QĐ-UBND")])) is None


# --- ô 10b ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("KHẨN", "KHẨN"),
        ("K H Ẩ N", "KHẨN"),
        ("THƯỢNG KHẨN", "THƯỢNG KHẨN"),
        ("HỎA TỐC", "HỎA TỐC"),
        ("HOẢ TỐC", "HỎA TỐC"),
        ("[HỎA TỐC]", "HỎA TỐC"),
        ("| H Ỏ A  T Ố C |", "HỎA TỐC"),
        ("HỎA TỐC HẸN GIỜ", "HỎA TỐC HẸN GIỜ"),
        ("HỎA TỐC HẸN GIỜ 14:00", "HỎA TỐC HẸN GIỜ"),
        ("Độ khẩn: Thượng khẩn", "THƯỢNG KHẨN"),
        ("Mức độ khẩn: hỏa tốc", "HỎA TỐC"),
        (unicodedata.normalize("NFD", "THƯỢNG KHẨN"), "THƯỢNG KHẨN"),
    ],
)
def test_a_mark_of_urgency_is_read(text: str, mark: str) -> None:
    assert find_urgency_mark(typed([*head(), Words(50, 55, text, BOLD)])) == mark


@pytest.mark.parametrize(
    "text", ["Khẩn", "KHẨN TRƯƠNG", "họp khẩn", "KHAN HIẾM", "KHĂN", "CÔNG ĐIỆN KHẨN", "Độ khẩn: thường", "Hỏa tốc"]
)
def test_other_words_are_no_mark_of_urgency(text: str) -> None:
    assert find_urgency_mark(typed([*head(), Words(50, 55, text, BOLD)])) is None


def test_a_mark_in_two_lines_is_one_and_one_far_below_is_none() -> None:
    two = [Words(50, 55, "THƯỢNG", BOLD, centred=True), Words(50, 60, "KHẨN", BOLD, centred=True)]
    assert find_urgency_mark(typed([*head(), *two])) == "THƯỢNG KHẨN"
    assert find_urgency_mark(typed([*head(), Words(50, 250, "KHẨN", BOLD)])) is None


# --- ô 7 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "body"),
    [
        (("TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH"), "ỦY BAN NHÂN DÂN"),
        (("TM. ỦY BAN NHÂN DÂN", "XÃ HÒA SƠN", "KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH"), _COMMUNE),
        (("KT. GIÁM ĐỐC SỞ NỘI VỤ", "PHÓ GIÁM ĐỐC"), "SỞ NỘI VỤ"),
        (("SỞ TÀI CHÍNH", "GIÁM ĐỐC"), "SỞ TÀI CHÍNH"),
        (("TL. CHỦ TỊCH", "CHÁNH VĂN PHÒNG"), None),
        (("TUQ. GIÁM ĐỐC", "TRƯỞNG PHÒNG HÀNH CHÍNH"), None),
        (("T/M BAN THƯỜNG VỤ", "BÍ THƯ"), "BAN THƯỜNG VỤ"),
        (("QUYỀN GIÁM ĐỐC",), None),
        (("C H Ủ T Ị C H",), None),
    ],
)
def test_a_block_tells_the_body_that_its_title_names(title: Sequence[str], body: str | None) -> None:
    page = typed([Words(w.x, w.baseline, w.text, w.face, 10, w.centred) for w in signer_block(title=title)])
    (block,) = find_signer_blocks([page], ["Nguyễn Thị Phượng"])
    assert block.sure
    assert block.body == body


def test_the_signers_of_a_joint_letter_stand_side_by_side_each_with_a_body() -> None:
    left = signer_block("Trần Văn An", ("GIÁM ĐỐC SỞ NỘI VỤ",), x=50)
    right = signer_block("Lê Thị Bình", ("KT. GIÁM ĐỐC", "SỞ TÀI CHÍNH", "PHÓ GIÁM ĐỐC"), x=105)
    third = signer_block("Phạm Văn Cường", ("TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH"), x=165)
    page = typed([Words(w.x, w.baseline, w.text, w.face, 9, w.centred) for w in (*left, *right, *third)])
    blocks = {block.name: block for block in find_all_signer_blocks([page])}
    assert {name: block.body for name, block in blocks.items()} == {
        "Trần Văn An": "SỞ NỘI VỤ",
        "Lê Thị Bình": "SỞ TÀI CHÍNH",
        "Phạm Văn Cường": "ỦY BAN NHÂN DÂN",
    }
    for block in blocks.values():
        assert block.room.x <= block.name_box.x
        assert block.name_box.right <= block.room.right


@pytest.mark.parametrize(
    "lines",
    [
        ("Nguyễn Thị", "Phượng"),
        ("PGS. TS.", "Nguyễn Thị Phượng"),
        ("Đại tá", "Nguyễn Thị Phượng"),
        ("NGUYỄN THỊ", "PHƯỢNG"),
        ("N G U Y Ễ N T H Ị P H Ư Ợ N G",),
        ("Thượng tá, ThS. Nguyễn Thị Phượng",),
    ],
)
def test_a_name_is_found_over_two_lines_with_titles_and_spaced(lines: Sequence[str]) -> None:
    title = Words(150, 180, "CHỦ TỊCH", BOLD, 13, centred=True)
    name = [Words(150, 210 + 5.5 * i, line, BOLD, 12, centred=True) for i, line in enumerate(lines)]
    (block,) = find_signer_blocks([typed([title, *name])], ["Nguyễn Thị Phượng"])
    assert block.sure
    assert block.name_box.y == pytest.approx(210 - 0.8 * 12 / 72 * 25.4, abs=0.1)


# --- anything ------------------------------------------------------------------------------------------------------

_PIECES = st.builds(
    Words,
    x=st.floats(-20, 230),
    baseline=st.floats(-10, 310),
    text=st.one_of(
        st.text(max_size=12),
        st.sampled_from(
            ["Số:", "Số: /QĐ-", "ngày tháng năm", "CHỦ TỊCH", "Nguyễn Văn An", "SỞ -", "THƯỢNG", "Nơi nhận:", "-"]
        ),
    ),
    face=st.sampled_from([REGULAR, BOLD, ITALIC]),
    size=st.floats(0.5, 90),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(_PIECES, max_size=8))
def test_no_page_brings_the_reading_down(words: list[Words]) -> None:
    page = typed(words)
    names = [block.name for block in find_all_signer_blocks([page])]
    assert {block.name for block in find_signer_blocks([page], names)} >= set(names)
    number, date = find_number_line(page), find_date_line(page)
    assert number is None or number.symbol
    assert date is None or (date.day is None) == (date.day_blank is not None)
    assert find_urgency_mark(page) in {None, "KHẨN", "THƯỢNG KHẨN", "HỎA TỐC", "HỎA TỐC HẸN GIỜ"}
    assert (issuing_body(page) is None) == (issuing_bodies(page) == ())
