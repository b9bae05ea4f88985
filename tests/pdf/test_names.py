"""Which spellings name the same person or the same body."""

import unicodedata

import pytest

from signer_app.pdf.names import fold, same_body, same_person


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Nguyễn Thị Phượng", "NGUYỄN THỊ PHƯỢNG"),
        ("Nguyễn Thị Phượng", unicodedata.normalize("NFD", "Nguyễn Thị Phượng")),
        ("Nguyễn Thị Phượng", "  Nguyễn  Thị\u00a0Phượng "),
        ("Đặng Văn Đạt", "Dang Van Dat"),
        ("Lê Hoà", "Lê Hòa"),
        ("ThS. Trần Văn Thụy", "Trần Văn Thuỵ"),
        ("PGS.TS Trần Văn An", "Trần Văn An"),
        ("Thượng tá Lê Văn Bình", "Lê Văn Bình"),
        ("Đại úy Tạ Văn Bình", "Tạ Văn Bình"),
        ("Ông Lê Văn Bình", "Lê Văn Bình"),
        ("Bà Lê Thị Bình", "Lê Thị Bình"),
        ("BSCKII. Lê Văn Bình", "Lê Văn Bình"),
    ],
)
def test_one_person(left: str, right: str) -> None:
    assert same_person(left, right)
    assert same_person(right, left)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Nguyễn Thị Phượng", "Nguyễn Thị Phương Anh"),
        ("Lê Văn Bình", "Lê Bình"),
        ("Lê Văn Bình", "Trần Văn Bình"),
        ("", ""),
        ("Lê Văn Bình", ""),
        ("...", "---"),
        ("Bà Trưng", "Trưng"),
        ("Tạ Văn Bình", "Văn Bình"),
        ("Tạ Văn Bình", "Đại Văn Bình"),
    ],
)
def test_two_people(left: str, right: str) -> None:
    assert not same_person(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("ỦY BAN NHÂN DÂN XÃ HÒA SƠN", "Ủy ban nhân dân xã Hòa Sơn"),
        ("ỦY BAN NHÂN DÂN XÃ HÒA SƠN", "UBND xã Hòa Sơn"),
        ("ỦY BAN NHÂN DÂN XÃ HÒA SƠN", "UỶ BAN NHÂN DÂN XÃ HOÀ SƠN"),
        ("ỦY BAN NHÂN DÂN XÃ HÒA SƠN", "UBND xa Hoa Son"),
        ("ỦY BAN NHÂN DÂN XÃ HÒA SƠN", unicodedata.normalize("NFD", "ỦY BAN NHÂN DÂN XÃ HÒA SƠN")),
        ("HỘI ĐỒNG NHÂN DÂN TỈNH AN SƠN", "HĐND tỉnh An Sơn"),
        ("UBND TP. Đà Lạt", "Ủy ban nhân dân thành phố Đà Lạt"),
        ("Ủy ban MTTQ Việt Nam xã Hòa Sơn", "ỦY BAN MẶT TRẬN TỔ QUỐC VIỆT NAM XÃ HÒA SƠN"),
        ("PHÒNG VĂN HÓA - XÃ HỘI", "Phòng Văn hoá – Xã hội"),
    ],
)
def test_one_body(left: str, right: str) -> None:
    assert same_body(left, right)
    assert same_body(right, left)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("UBND xã Hòa Sơn", "UBND xã Hòa Bình"),
        ("UBND xã Hòa Sơn", "HĐND xã Hòa Sơn"),
        ("UBND xã Hòa Sơn", "Văn phòng UBND xã Hòa Sơn"),
        ("UBND tỉnh An Sơn", "UBND xã An Sơn"),
        ("UBND xã Đồng Tâm", "UBND xã Đông Tâm"),
        ("UBND xã Tân An", "UBND xã Tân Ân"),
        ("", ""),
        ("-", "-"),
        ("UBND", ""),
    ],
)
def test_two_bodies(left: str, right: str) -> None:
    assert not same_body(left, right)
    assert not same_body(right, left)


def test_folding_leaves_letters_and_digits() -> None:
    assert fold("  Số: 12/QĐ-UBND – Đã  ký ") == "so 12 qd ubnd da ky"
