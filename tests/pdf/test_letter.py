"""What of a letter is recognised (the ô of Decree 30/2020), in the forms met in practice."""

import dataclasses
import unicodedata
from collections.abc import Sequence

import pytest

from signer_app.pdf.letter import (
    find_all_signer_blocks,
    find_date_line,
    find_number_line,
    find_receivers_box,
    find_signer_blocks,
    find_title,
    issuing_lines,
    names_body,
    text_end,
)
from signer_app.pdf.names import same_person
from signer_app.pdf.pagetext import PageText
from signer_resources import samples
from signer_resources.samples import Sample
from tests.pdf.paper import BOLD, ITALIC, Words, head, letter, page_of, read, read_all, signer_block, typed

SET = samples.load()
every_sample = pytest.mark.parametrize(
    "sample",
    [
        # Forty pages take as long as all the others together.
        pytest.param(one, id=one.id, marks=[pytest.mark.long] if one.id == "bao-cao-40-trang" else [])
        for one in SET.samples
    ],
)


def _head(**parts: str) -> PageText:
    """Ô 1 to 4 without a PDF, in letters that are small enough for long lines."""
    return typed([dataclasses.replace(words, size=9) for words in head(**parts)])


# --- ô 3 ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "number", "year", "symbol"),
    [
        ("Số: 05/QĐ-UBND", "05", None, "QĐ-UBND"),
        ("Số:      /QĐ-UBND", None, None, "QĐ-UBND"),
        ("Số:/QĐ-UBND", None, None, "QĐ-UBND"),
        ("Số: 30/2020/NĐ-CP", "30", "2020", "NĐ-CP"),
        ("Số:       /2026/QĐ-UBND", None, "2026", "QĐ-UBND"),
        ("Số 7816/VPCP-TTĐT", "7816", None, "VPCP-TTĐT"),
        ("Số: 12a/BC-ĐU", "12a", None, "BC-ĐU"),
        ("SỐ: 4/TB–VP.", "4", None, "TB-VP"),
        ("Số 15-CV/ĐU", "15", None, "CV/ĐU"),
        ("Số      -CV/ĐU", None, None, "CV/ĐU"),
        ("Số: 57-NQ/TW", "57", None, "NQ/TW"),
        ("Số: 9/SGD&ĐT-VP", "9", None, "SGD&ĐT-VP"),
        ("Số: ……/BC-UBND", None, None, "BC-UBND"),
        ("Số: ......../BC-UBND", None, None, "BC-UBND"),
        ("Số: ______/BC-UBND", None, None, "BC-UBND"),
        ("Số: 05 / QĐ-UBND", "05", None, "QĐ-UBND"),
        ("Số: 05/QĐ - UBND", "05", None, "QĐ-UBND"),
        ("Số: 112/KH-BCĐ138", "112", None, "KH-BCĐ138"),
        ("Số: 21/QyĐ-UBND", "21", None, "QyĐ-UBND"),
        ("Số: 1234/TTr-SNV", "1234", None, "TTr-SNV"),
        ("So: 05/QD-UBND", "05", None, "QD-UBND"),
        ("SO: 05/QD-UBND", "05", None, "QD-UBND"),
        ("Số:05/QĐ-UBND", "05", None, "QĐ-UBND"),
        ("Số : 05/QĐ-UBND", "05", None, "QĐ-UBND"),
        ("Số: 12A/BC-ĐU", "12A", None, "BC-ĐU"),
        ("Số: 4/TB—VP", "4", None, "TB-VP"),
        ("Số: 4/TB−VP", "4", None, "TB-VP"),
        ("Số: 15 – CV/ĐU", "15", None, "CV/ĐU"),
        ("Số: 9/SGD & ĐT-VP", "9", None, "SGD&ĐT-VP"),
        ("Số: 30 / 2020 / NĐ - CP", "30", "2020", "NĐ-CP"),
        ("Số: 57-NQ/TƯ", "57", None, "NQ/TƯ"),
        ("Số: 3/GN-UBND", "3", None, "GN-UBND"),
        ("Số: 3/TTh-UBND", "3", None, "TTh-UBND"),
        ("Số:       /SY-UBND", None, None, "SY-UBND"),
    ],
)
def test_a_number_line_is_read(line: str, number: str | None, year: str | None, symbol: str) -> None:
    found = find_number_line(_head(number=line))
    assert found is not None
    assert (found.number, found.year, found.symbol) == (number, year, symbol)
    assert (found.blank is None) == (number is not None)


@pytest.mark.parametrize(
    "line",
    [
        "Số hộ khẩu: 5/A",
        "Số điện thoại: 0123",
        "Số: 05",
        "Số lượng: 5/B",
        "số: 5/QĐ-UBND",
        "Khoản số 5/QĐ",
        "Số:",
        "SỐ LIỆU 5/QĐ",
        "So sánh 5/QĐ",
        "Sổ: 5/QĐ-UBND",
        "Số 5/tờ trình",
        "Số: 5//QĐ",
        "Số: QĐ-UBND",
    ],
)
def test_other_lines_are_no_number_line(line: str) -> None:
    assert find_number_line(_head(number=line)) is None


def test_an_act_cited_in_the_text_is_not_taken_for_the_number() -> None:
    cited = Words(42, 70, "Thực hiện Nghị định Số 30/2020/NĐ-CP ngày 05 tháng 3 năm 2020", size=14)
    found = find_number_line(read(letter(cited)))
    assert found is not None
    assert (found.number, found.symbol) == (None, "QĐ-UBND")


def test_an_act_cited_on_the_right_is_no_number_line_where_there_is_none() -> None:
    cited = Words(110, 70, "Số 30/2020/NĐ-CP ngày 05 tháng 3 năm 2020", size=14)
    assert find_number_line(read(letter(cited, number="Phòng Nội vụ"))) is None


def test_number_and_date_on_one_line_keep_their_own_blanks() -> None:
    line = Words(30, 40, "Số:           /BC-UBND          Hòa Sơn, ngày      tháng      năm 2026")
    page = read(page_of([line]))
    number, date = find_number_line(page), find_date_line(page)
    assert number is not None
    assert date is not None
    assert (number.symbol, date.place, date.year) == ("BC-UBND", "Hòa Sơn", 2026)
    assert number.blank is not None
    assert date.day_blank is not None
    assert date.month_blank is not None
    assert date.year_blank is None
    lefts = [number.blank.left, number.blank.right, date.day_blank.left, date.day_blank.right, date.month_blank.left]
    assert lefts == sorted(lefts)
    assert all(blank.right - blank.left > 5 for blank in (number.blank, date.day_blank, date.month_blank))


def test_a_number_below_the_middle_of_the_page_is_no_number_line() -> None:
    assert find_number_line(read(page_of([Words(40, 200, "Số: 05/QĐ-UBND")]))) is None


# --- ô 4 ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "day", "month", "year", "place"),
    [
        ("Hòa Sơn, ngày     tháng     năm 2026", None, None, 2026, "Hòa Sơn"),
        ("Hòa Sơn, ngày     tháng 11 năm 2026", None, 11, 2026, "Hòa Sơn"),
        ("Hòa Sơn, ngày 05 tháng 3 năm 2026", 5, 3, 2026, "Hòa Sơn"),
        ("Hòa Sơn, ngày 31 tháng 02 năm 2026", 31, 2, 2026, "Hòa Sơn"),
        ("Hòa Sơn, ngày     tháng     năm", None, None, None, "Hòa Sơn"),
        ("TP. Huế, ngày … tháng … năm 2026", None, None, 2026, "TP. Huế"),
        ("Bà Rịa - Vũng Tàu, ngày ...... tháng ...... năm 2026", None, None, 2026, "Bà Rịa - Vũng Tàu"),
        ("Hòa Sơn,ngày     tháng     năm 2026", None, None, 2026, "Hòa Sơn"),
        ("Ngày 05 tháng 3 năm 2026", 5, 3, 2026, None),
        ("Hoa Son, ngay 05 thang 3 nam 2026", 5, 3, 2026, "Hoa Son"),
        ("Hoa Son, ngay     thang     nam 2026", None, None, 2026, "Hoa Son"),
        ("HÒA SƠN, NGÀY 05 THÁNG 3 NĂM 2026", 5, 3, 2026, "HÒA SƠN"),
        ("Hòa Sơn ngày     tháng     năm 2026", None, None, 2026, "Hòa Sơn"),
        ("Hòa Sơn, Ngày 05 tháng 3 năm 2026", 5, 3, 2026, "Hòa Sơn"),
        ("Hòa Sơn, ngày ____ tháng 3 năm 2026", None, 3, 2026, "Hòa Sơn"),
        ("Hòa Sơn, ngày 05/3/2026", 5, 3, 2026, "Hòa Sơn"),
        ("Hòa Sơn, ngày 05.03.2026.", 5, 3, 2026, "Hòa Sơn"),
        ("Hòa Sơn, ngày     /     /2026", None, None, 2026, "Hòa Sơn"),
        ("Hòa Sơn, ngày     tháng     năm 20…", None, None, 20, "Hòa Sơn"),
    ],
)
def test_a_date_line_is_read(
    line: str, day: int | None, month: int | None, year: int | None, place: str | None
) -> None:
    found = find_date_line(_head(date=line))
    assert found is not None
    assert (found.day, found.month, found.year, found.place) == (day, month, year, place)
    blanks = (found.day_blank, found.month_blank, found.year_blank)
    assert [blank is None for blank in blanks] == [value is not None for value in (day, month, year)]


def test_a_date_in_the_text_is_not_the_letters_date() -> None:
    text = Words(30, 70, "Căn cứ biên bản họp ngày 05 tháng 3 năm 2020")
    assert find_date_line(read(letter(text, date="Hòa Sơn"))) is None


# --- ô 2 ---------------------------------------------------------------------------------------------------------

_BODY = "ỦY BAN NHÂN DÂN XÃ HÒA SƠN"


@pytest.mark.parametrize(
    ("lines", "name", "expected"),
    [
        (["ỦY BAN NHÂN DÂN TỈNH AN SƠN", _BODY], _BODY, True),
        (["ỦY BAN NHÂN DÂN TỈNH AN SƠN", _BODY], "Ủy ban nhân dân tỉnh An Sơn", False),
        (["ỦY BAN NHÂN DÂN", "XÃ HÒA SƠN"], _BODY, True),
        (["ỦY BAN NHÂN DÂN", "XÃ HÒA SƠN"], "UBND xã Hoà Sơn", True),
        (["UBND TỈNH AN SƠN", "SỞ NỘI VỤ"], "Sở Nội vụ", True),
        (["UBND TỈNH AN SƠN", "SỞ NỘI VỤ"], "UBND tỉnh An Sơn", False),
        (["HỘI ĐỒNG NHÂN DÂN", "XÃ HÒA SƠN"], _BODY, False),
        (["VĂN PHÒNG", _BODY], "VĂN PHÒNG " + _BODY, True),
        (["VĂN PHÒNG " + _BODY], _BODY, False),
        # Joint letters: several bodies, parted by a dash at a line's end, its start, or within.
        ([_BODY + " -", "ỦY BAN MẶT TRẬN TỔ QUỐC", "VIỆT NAM XÃ HÒA SƠN"], _BODY, True),
        ([_BODY + " -", "ỦY BAN MTTQ", "VIỆT NAM XÃ HÒA SƠN"], "Ủy ban MTTQ Việt Nam xã Hòa Sơn", True),
        (["ĐẢNG ỦY", "– " + _BODY], _BODY, True),
        (["SỞ NỘI VỤ - SỞ TÀI CHÍNH"], "Sở Tài chính", True),
        (["SỞ NỘI VỤ - SỞ TÀI CHÍNH"], "Sở Y tế", False),
        (["UBND TỈNH AN SƠN", "SỞ NỘI VỤ - SỞ TÀI CHÍNH"], "Sở Nội vụ", True),
        (["VĂN PHÒNG " + _BODY + " -", "TRẠM Y TẾ"], _BODY, False),
        # A dash may be part of a name.
        (["UBND XÃ HÒA SƠN", "PHÒNG VĂN HÓA - XÃ HỘI"], "Phòng Văn hóa - Xã hội", True),
        ([], _BODY, False),
        ([_BODY], "", False),
    ],
)
def test_the_issuing_body_is_told_from_its_parent(lines: Sequence[str], name: str, *, expected: bool) -> None:
    assert names_body(lines, name) is expected


@every_sample
def test_the_issuer_of_every_sample_is_read(sample: Sample) -> None:
    lines = issuing_lines(read(samples.file(sample.main)))
    assert names_body(lines, SET.issuer.name)
    assert not names_body(lines, SET.issuer.parent)
    for signer in sample.signers:
        assert names_body(lines, signer.body)


def test_capitals_on_the_right_or_below_the_number_name_no_body() -> None:
    assert issuing_lines(read(letter(Words(63, 60, "QUYẾT ĐỊNH", BOLD)))) == (
        "ỦY BAN NHÂN DÂN TỈNH AN SƠN",
        _BODY,
    )


# --- title, text end, receivers ----------------------------------------------------------------------------------


@every_sample
def test_the_subject_of_every_sample_is_read(sample: Sample) -> None:
    found = find_title(read(samples.file(sample.main)))
    assert found is not None
    assert found.removeprefix("V/v ") == sample.subject


@pytest.mark.parametrize("sign", ["./.", ". /.", "./ .", "…/."])
def test_the_end_of_the_text_is_found(sign: str) -> None:
    end = text_end(typed([Words(42, 150, f"chịu trách nhiệm thi hành Quyết định này{sign}")]))
    assert end is not None
    assert end.y < 150 < end.bottom
    assert text_end(read(letter())) is None


@every_sample
def test_the_receivers_of_every_sample_stand_on_the_left(sample: Sample) -> None:
    box = find_receivers_box(read_all(samples.file(sample.main))[-1])
    assert box is not None
    assert box.right < 105
    assert box.h > 15


def test_a_page_without_receivers_has_no_box_for_them() -> None:
    assert find_receivers_box(read(page_of(head()))) is None


# --- ô 7 ---------------------------------------------------------------------------------------------------------


@every_sample
def test_the_signers_of_every_sample_are_found_with_title_and_room(sample: Sample) -> None:
    pages = read_all(samples.file(sample.main))
    for signer in sample.signers:
        (block,) = find_signer_blocks(pages, [signer.name])
        assert block.page == len(pages) - 1
        assert block.sure
        assert block.title == " ".join(filter(None, (signer.authority, signer.title)))
        assert block.room.h > 22
        assert block.name_box.y >= block.room.bottom - 0.01
    found = find_all_signer_blocks(pages)
    assert {block.name for block in found} == {signer.name for signer in sample.signers}


@pytest.mark.parametrize(
    "name",
    [
        "Nguyễn Thị Phượng",
        "NGUYỄN THỊ PHƯỢNG",
        unicodedata.normalize("NFD", "Nguyễn Thị Phượng"),
        "ThS. Nguyễn Thị Phượng",
        "PGS.TS Nguyễn Thị Phượng",
        "Nguyen Thi Phuong",
    ],
)
def test_a_signers_name_is_found_however_it_is_typed(name: str) -> None:
    page = read(letter(signer=signer_block(unicodedata.normalize("NFC", name))))
    (block,) = find_signer_blocks([page], [name if "." not in name else "Nguyễn Thị Phượng"])
    assert same_person(block.name, "Nguyễn Thị Phượng")
    assert block.sure


def test_a_name_in_capitals_is_a_signer_and_no_title() -> None:
    (block,) = find_all_signer_blocks([read(letter(signer=signer_block("NGUYỄN THỊ PHƯỢNG")))])
    assert block.name == "NGUYỄN THỊ PHƯỢNG"
    assert block.title == "TM. ỦY BAN NHÂN DÂN CHỦ TỊCH"


@pytest.mark.parametrize(
    "title",
    [
        ("KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH"),
        ("TL. CHỦ TỊCH", "CHÁNH VĂN PHÒNG"),
        ("TUQ. GIÁM ĐỐC", "TRƯỞNG PHÒNG HÀNH CHÍNH"),
        ("Q. GIÁM ĐỐC",),
        ("T/M BAN THƯỜNG VỤ", "BÍ THƯ"),
        ("HIỆU TRƯỞNG",),
        ("Chủ tịch",),
    ],
)
def test_titles_of_all_kinds_make_a_sure_block(title: Sequence[str]) -> None:
    (block,) = find_signer_blocks([read(letter(signer=signer_block(title=title)))], ["Nguyễn Thị Phượng"])
    assert block.sure
    assert block.title == " ".join(title)


def test_the_name_in_the_text_is_no_place_to_sign() -> None:
    mention = Words(42, 100, "Nguyễn Thị Phượng", size=14)
    blocks = find_signer_blocks([read(letter(mention))], ["Nguyễn Thị Phượng"])
    assert [round(block.name_box.bottom) for block in blocks] == [217]


def test_the_right_column_comes_before_the_left_one() -> None:
    both = [*signer_block(x=60), *signer_block(x=150)]
    right, left = find_signer_blocks([read(page_of([*head(), *both]))], ["Nguyễn Thị Phượng"])
    assert right.name_box.x > 105 > left.name_box.right


def test_without_room_between_title_and_name_there_is_no_block() -> None:
    assert find_signer_blocks([read(letter(signer=signer_block(room=9)))], ["Nguyễn Thị Phượng"]) == ()


def test_italic_note_of_the_signing_stands_between_title_and_name() -> None:
    note = Words(150, 190, "(Đã ký)", ITALIC, 12, centred=True)
    assert find_signer_blocks([read(letter(note))], ["Nguyễn Thị Phượng"]) == ()
