"""Cells from a spreadsheet: columns by their heads or by what stands in them, and nothing guessed."""

import datetime as dt
from collections.abc import Iterator, Sequence

import msgspec
import pytest

from signer_app.exchange.directory import Directory, KnownOrganisation, save_directory
from signer_app.exchange.receivers import Resolution, resolve
from signer_app.outgoing.model import Changes, Urgency
from signer_app.outgoing.paste import Column, Pasted, read_cells
from signer_app.outgoing.reading import Understand, read_day, read_number, read_receivers
from signer_app.store.receivers import KnownLine, ReceiverGroup
from signer_app.workspace import Overrides, workspace
from signer_resources.errors import KnownError

DIRECTORY = Directory(
    organisations=(
        KnownOrganisation("H77", "Ủy ban nhân dân tỉnh An Sơn"),
        KnownOrganisation("H77.02", "Sở Nội vụ tỉnh An Sơn"),
        KnownOrganisation("H77.04", "Phòng Văn hóa, Thể thao"),
        KnownOrganisation("H77.15", "Ủy ban nhân dân xã Hòa Sơn"),
        KnownOrganisation("H77.31", "Trạm Thú y", active=False),
    )
)
OWN = "H77.15"
NOW = dt.datetime(2026, 11, 20, 8, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def understand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Understand]:
    """What lines mean to a commune with a directory, a group, and two lines that were explained."""
    with workspace(tmp_path_factory.mktemp("paste") / "data", Overrides(), writing=True) as space:
        save_directory(space.store, DIRECTORY)
        group = ReceiverGroup(name="Các sở", codes=("H77.02", "H77.04"))
        space.store.write(lambda tx: tx.receivers.put_group(OWN, group, NOW))
        for said in (KnownLine(line="Tỉnh", codes=("H77",)), KnownLine(line="Ông A", paper=True)):
            space.store.write(lambda tx, said=said: tx.receivers.remember(OWN, said, NOW, "hanh"))  # type: ignore[misc]

        def told(lines: Sequence[str]) -> Resolution:
            with space.store.view() as view:
                return resolve(view, OWN, lines, candidates=False)

        yield told


def changes(pasted: Pasted) -> list[dict[str, object] | None]:
    """What each row changes, by name."""
    return [
        None if row.changes is None else {
            name: value for name in Changes.__struct_fields__
            if (value := getattr(row.changes, name)) is not msgspec.UNSET
        }
        for row in pasted.rows
    ]  # fmt: skip


def test_a_column_of_numbers_is_known_by_itself(understand: Understand) -> None:
    assert changes(read_cells("125\r\n126\r\n\r\n127a\r\n\r\n", understand)) == [
        {"number": "125"}, {"number": "126"}, {}, {"number": "127a"},
    ]  # fmt: skip


def test_columns_are_guessed_by_what_most_cells_are_and_the_counting_one_is_none(understand: Understand) -> None:
    text = "1\t5/QĐ-UBND\t20/11/2026\tVề việc A\n2\t6/TB-UBND\t2026-11-21\tVề việc B\n3\t?\t22.11.2026\tC\n"
    pasted = read_cells(text, understand)
    assert changes(pasted) == [
        {"number": "05", "notation": "QĐ-UBND", "date": dt.date(2026, 11, 20)},
        {"number": "06", "notation": "TB-UBND", "date": dt.date(2026, 11, 21)},
        None,
    ]
    (fault,) = pasted.faults
    assert (fault.row, fault.column, fault.error.code) == (3, Column.NUMBER, "out_number_unreadable")
    counted = read_cells("1\t125\n2\t126\n", understand)
    assert changes(counted) == [{"number": "125"}, {"number": "126"}]


def test_heads_say_what_a_column_is_and_unknown_ones_are_told(understand: Understand) -> None:
    text = (
        "STT\tSố, ký hiệu\tNgày ban hành\tTên loại, trích yếu\tNơi nhận\tMức độ khẩn\tLãnh đạo duyệt\r\n"
        '1\t125/UBND-VHXH\t20/11/2026\t"V/v tổ chức\nhội nghị ""cuối năm"""\tSở Nội vụ tỉnh An Sơn; H77\tHỏa tốc\tA\r\n'
        "2\t\t\t\t\t\tB\r\n"
    )
    pasted = read_cells(text, understand)
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


def test_a_row_with_one_bad_cell_changes_nothing_and_says_which_cell(understand: Understand) -> None:
    pasted = read_cells("Số\tNgày\n5\t31/02/2026\n6\t20/11/2026\n", understand)
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
def test_what_makes_no_sense_is_refused_whole(text: str, code: str, understand: Understand) -> None:
    with pytest.raises(KnownError) as caught:
        read_cells(text, understand)
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


def test_days_are_read_or_told() -> None:
    assert read_day("1/2/2026") == read_day("2026-02-01") == read_day(" 01.02.2026 ") == dt.date(2026, 2, 1)
    for text in ("1/13/2026", "01/02/26", "2/1"):
        with pytest.raises(KnownError):
            read_day(text)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("H77.02, H77;H77", ("H77.02", "H77")),
        ("- UBND tỉnh An Sơn;\nsở nội vụ tỉnh An Sơn.", ("H77", "H77.02")),
        ("UBND tỉnh An Sơn, Sở Nội vụ tỉnh An Sơn", ("H77", "H77.02")),
        # A comma within a name, a group, a line that was explained, an office that is no more.
        ("Phòng Văn hóa, Thể thao", ("H77.04",)),
        ("Các sở; Tỉnh", ("H77.02", "H77.04", "H77")),
        ("Trạm Thú y", ("H77.31",)),
        # A code that nobody knows is still one; the file copy and the sender are nobody to send to.
        ("H99.01", ("H99.01",)),
        ("H77; Lưu: VT, VP; H77.15", ("H77",)),
        ("", ()),
    ],
)
def test_receivers_are_read_as_people_type_them(text: str, codes: tuple[str, ...], understand: Understand) -> None:
    assert read_receivers(text, understand) == codes


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("Sở không có", "out_receiver_unreadable", "Sở không có"),
        ("H77, Sở không có", "out_receiver_unreadable", "Sở không có"),
        # Names that differ in diacritics alone are those of different bodies.
        ("Sở Nội vụ tỉnh Ân Sơn", "out_receiver_unreadable", "Sở Nội vụ tỉnh Ân Sơn"),
        ("H77; Ông A", "out_receiver_on_paper", "Ông A"),
    ],
)
def test_a_receiver_that_nobody_understands_is_told(text: str, code: str, told: str, understand: Understand) -> None:
    with pytest.raises(KnownError) as caught:
        read_receivers(text, understand)
    assert (caught.value.code, caught.value.params) == (code, {"text": told})
