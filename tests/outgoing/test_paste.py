"""Cells from a spreadsheet: columns by their heads or by what stands in them, and nothing guessed."""

import datetime as dt

import msgspec
import pytest

from signer_app.exchange.directory import Directory, KnownOrganisation
from signer_app.outgoing.model import Changes, Urgency
from signer_app.outgoing.paste import Column, Pasted, read_cells
from signer_app.outgoing.reading import read_day, read_number, read_receivers
from signer_resources.errors import KnownError

DIRECTORY = Directory(
    organisations=(
        KnownOrganisation("H77", "Ủy ban nhân dân tỉnh An Sơn"),
        KnownOrganisation("H77.02", "Sở Nội vụ tỉnh An Sơn"),
    )
)


def changes(pasted: Pasted) -> list[dict[str, object] | None]:
    """What each row changes, by name."""
    return [
        None if row.changes is None else {
            name: value for name in Changes.__struct_fields__
            if (value := getattr(row.changes, name)) is not msgspec.UNSET
        }
        for row in pasted.rows
    ]  # fmt: skip


def test_a_column_of_numbers_is_known_by_itself() -> None:
    assert changes(read_cells("125\r\n126\r\n\r\n127a\r\n\r\n", DIRECTORY)) == [
        {"number": "125"}, {"number": "126"}, {}, {"number": "127a"},
    ]  # fmt: skip


def test_columns_are_guessed_by_what_most_cells_are_and_the_counting_one_is_none() -> None:
    text = "1\t5/QĐ-UBND\t20/11/2026\tVề việc A\n2\t6/TB-UBND\t2026-11-21\tVề việc B\n3\t?\t22.11.2026\tC\n"
    pasted = read_cells(text, DIRECTORY)
    assert changes(pasted) == [
        {"number": "05", "notation": "QĐ-UBND", "date": dt.date(2026, 11, 20)},
        {"number": "06", "notation": "TB-UBND", "date": dt.date(2026, 11, 21)},
        None,
    ]
    (fault,) = pasted.faults
    assert (fault.row, fault.column, fault.error.code) == (3, Column.NUMBER, "out_number_unreadable")
    counted = read_cells("1\t125\n2\t126\n", DIRECTORY)
    assert changes(counted) == [{"number": "125"}, {"number": "126"}]


def test_heads_say_what_a_column_is_and_unknown_ones_are_told() -> None:
    text = (
        "STT\tSố, ký hiệu\tNgày ban hành\tTên loại, trích yếu\tNơi nhận\tMức độ khẩn\tLãnh đạo duyệt\r\n"
        '1\t125/UBND-VHXH\t20/11/2026\t"V/v tổ chức\nhội nghị ""cuối năm"""\tSở Nội vụ tỉnh An Sơn; H77\tHỏa tốc\tA\r\n'
        "2\t\t\t\t\t\tB\r\n"
    )
    pasted = read_cells(text, DIRECTORY)
    assert pasted.ignored == ("Lãnh đạo duyệt",)
    assert changes(pasted) == [
        {
            "number": "125",
            "notation": "UBND-VHXH",
            "date": dt.date(2026, 11, 20),
            "subject": 'V/v tổ chức hội nghị "cuối năm"',
            "receivers": ("H77.02", "H77"),
            "urgency": Urgency.HOA_TOC,
        },
        {},
    ]


def test_a_row_with_one_bad_cell_changes_nothing_and_says_which_cell() -> None:
    pasted = read_cells("Số\tNgày\n5\t31/02/2026\n6\t20/11/2026\n", DIRECTORY)
    assert changes(pasted) == [None, {"number": "06", "date": dt.date(2026, 11, 20)}]
    assert [(fault.row, fault.column, fault.error.params) for fault in pasted.faults] == [
        (2, Column.DATE, {"text": "31/02/2026"})
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "out_paste_nothing"),
        ("Về việc A\nVề việc B", "out_paste_nothing"),
        ("125\t7\n126\t9", "out_paste_unclear"),
        ("STT\tGhi chú\n1\tA", "out_paste_nothing"),
        ("5\n" * 2_100_000, "out_paste_nothing"),
    ],
)
def test_what_makes_no_sense_is_refused_whole(text: str, code: str) -> None:
    with pytest.raises(KnownError) as caught:
        read_cells(text, DIRECTORY)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (" 5 / QĐ–UBND ", ("05", "QĐ-UBND")),
        ("Số: 125/UBND-VHXH.", ("125", "UBND-VHXH")),
        ("30/2020/NĐ-CP", ("30/2020", "NĐ-CP")),
        ("12A", ("12a", None)),
    ],
)
def test_a_number_is_read_as_people_type_it(text: str, read: tuple[str, str | None]) -> None:
    assert read_number(text) == read


@pytest.mark.parametrize("text", ["", "QĐ-UBND", "125 /", "12ab", "1/2", "125/UBND VP", "1234567", "0", "00/QĐ-UBND"])
def test_what_is_no_number_is_told(text: str) -> None:
    with pytest.raises(KnownError):
        read_number(text)


def test_days_and_receivers_are_read_or_told() -> None:
    assert read_day("1/2/2026") == read_day("2026-02-01") == read_day(" 01.02.2026 ") == dt.date(2026, 2, 1)
    assert read_receivers("H77.02, H77;H77", DIRECTORY) == ("H77.02", "H77")
    assert read_receivers("- UBND tỉnh An Sơn;\nsở nội vụ tỉnh An Sơn.", DIRECTORY) == ("H77", "H77.02")
    for text in ("1/13/2026", "01/02/26", "2/1"):
        with pytest.raises(KnownError):
            read_day(text)
    # Names that differ in diacritics alone are those of different bodies.
    for name in ("Sở không có", "Sở Nội vụ tỉnh Ân Sơn"):
        with pytest.raises(KnownError) as caught:
            read_receivers(name, DIRECTORY)
        assert caught.value.params == {"text": name}
