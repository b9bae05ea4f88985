"""A column or a block of cells from a spreadsheet, read into changes of drafts.

Functions of the text, and for receivers of what lines mean. Columns are known by their heads, or else by what stands in
them: numbers, numbers with notation, days. A row with a cell that can't be read changes nothing and is told; no cell is
taken for something else to make it fit.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from signer_app.outgoing.model import Changes
from signer_app.outgoing.reading import (
    Understand,
    read_day,
    read_notation,
    read_number,
    read_receivers,
    read_urgency,
)
from signer_app.pdf.names import fold
from signer_resources.errors import KnownError

_MAX_TEXT = 4 << 20


class Column(StrEnum):
    """What a column holds; the value is the key of its name in the catalogue."""

    NUMBER = "out_column_number"
    """Số, with its ký hiệu or alone."""
    NOTATION = "out_column_notation"
    DATE = "out_column_date"
    TYPE = "out_column_type"
    SUBJECT = "out_column_subject"
    SIGNER = "out_column_signer"
    RECEIVERS = "out_column_receivers"
    URGENCY = "out_column_urgency"


_HEADS: Mapping[str, Column | None] = {
    "so ky hieu": Column.NUMBER, "so va ky hieu": Column.NUMBER, "so": Column.NUMBER, "so van ban": Column.NUMBER,
    "so ky hieu van ban": Column.NUMBER, "so di": Column.NUMBER, "number": Column.NUMBER,
    "number and notation": Column.NUMBER, "number notation": Column.NUMBER, "ky hieu": Column.NOTATION,
    "notation": Column.NOTATION, "ngay": Column.DATE, "ngay ban hanh": Column.DATE, "ngay thang": Column.DATE,
    "ngay thang van ban": Column.DATE, "ngay thang nam": Column.DATE, "ngay van ban": Column.DATE,
    "date": Column.DATE, "date of issue": Column.DATE, "ten loai": Column.TYPE, "loai van ban": Column.TYPE,
    "type": Column.TYPE, "trich yeu": Column.SUBJECT, "trich yeu noi dung": Column.SUBJECT,
    "noi dung": Column.SUBJECT, "ten loai trich yeu": Column.SUBJECT, "ten loai va trich yeu": Column.SUBJECT,
    "ten loai va trich yeu noi dung": Column.SUBJECT, "subject": Column.SUBJECT, "type and subject": Column.SUBJECT,
    "nguoi ky": Column.SIGNER, "signer": Column.SIGNER, "noi nhan": Column.RECEIVERS,
    "noi nhan van ban": Column.RECEIVERS, "receivers": Column.RECEIVERS, "muc do khan": Column.URGENCY,
    "do khan": Column.URGENCY, "urgency": Column.URGENCY, "stt": None, "tt": None, "so tt": None,
    "so thu tu": None, "no": None, "kem theo": None, "ghi chu": None, "attachments": None,
}  # fmt: skip
"""Folded heads; None for columns that are there and say nothing about a document."""


@dataclass(frozen=True)
class CellFault:
    """A cell that could not be read: its row counts from 1 as pasted, its column by what it should hold."""

    row: int
    column: Column
    error: KnownError


@dataclass(frozen=True)
class PastedRow:
    """A row of cells: what it changes, None where a cell of it can't be read; empty where it says nothing."""

    row: int
    changes: Changes | None


@dataclass(frozen=True)
class Pasted:
    """What was read. `ignored` are the heads of columns that nobody knows."""

    rows: tuple[PastedRow, ...]
    faults: tuple[CellFault, ...]
    ignored: tuple[str, ...]


@dataclass(frozen=True)
class PasteResult:
    """What a paste did: the drafts that were changed, cells that could not be read (their rows changed nothing), how
    many rows had no document left, and columns that nobody knows.
    """

    changed: tuple[str, ...]
    faults: tuple[CellFault, ...]
    rows_over: int
    ignored: tuple[str, ...]


def read_cells(text: str, understand: Understand) -> Pasted:
    """The rows of a pasted text; `understand` tells what receivers mean. KnownError "out_paste_nothing" where no column
    makes sense.
    """
    table = _table(text)
    heads = _heads(table[0]) if table else None
    rows = list(enumerate(table, start=1))
    ignored: list[str] = []
    if heads is not None:
        columns = heads
        ignored = [
            cell.strip() for place, cell in enumerate(table[0]) if cell.strip() and fold(cell) not in _HEADS
            and place not in columns
        ]  # fmt: skip
        rows = rows[1:]
    else:
        columns = _guessed(table)
    if not columns:
        raise KnownError("out_paste_nothing")
    read = [_row(number, cells, columns, understand) for number, cells in rows]
    faults = tuple(fault for _row_, found in read for fault in found)
    return Pasted(tuple(row for row, _found in read), faults, tuple(ignored))


def _table(text: str) -> list[list[str]]:
    """The cells; empty rows at the end are none."""
    if len(text) > _MAX_TEXT:
        raise KnownError("out_paste_nothing")
    try:
        rows = list(csv.reader(io.StringIO(text.replace("\0", ""), newline=""), dialect="excel-tab"))
    except csv.Error:
        raise KnownError("out_paste_nothing") from None
    while rows and not any(cell.strip() for cell in rows[-1]):
        rows.pop()
    return rows


def _heads(cells: Sequence[str]) -> dict[int, Column] | None:
    """Columns by the heads of the first row; None where it has none."""
    if not any(fold(cell) in _HEADS for cell in cells):
        return None
    columns: dict[int, Column] = {}
    for place, cell in enumerate(cells):
        known = _HEADS.get(fold(cell))
        if known is not None and known not in columns.values():
            columns[place] = known
    return columns


def _guessed(table: Sequence[Sequence[str]]) -> dict[int, Column]:
    """Columns by what most of their cells are: number with notation before bare number, and days."""
    width = max((len(row) for row in table), default=0)
    cells = {place: [row[place].strip() for row in table if place < len(row)] for place in range(width)}
    kinds = {place: _kind([cell for cell in column if cell]) for place, column in cells.items()}
    columns: dict[int, Column] = {}
    for place, kind in kinds.items():
        if kind is _Kind.DAY and Column.DATE not in columns.values():
            columns[place] = Column.DATE
    whole = [place for place, kind in kinds.items() if kind is _Kind.WHOLE]
    bare = [place for place, kind in kinds.items() if kind is _Kind.BARE]
    if not whole and len(bare) > 1:
        # The first of several columns of numbers counts the rows, as lists do.
        bare = [place for place in bare if not _counts(cells[place])]
    numbers = whole or bare
    if len(numbers) > 1:
        raise KnownError("out_paste_unclear")
    if numbers:
        columns[numbers[0]] = Column.NUMBER
    return columns


class _Kind(StrEnum):
    WHOLE = "whole"
    BARE = "bare"
    DAY = "day"
    TEXT = "text"


def _kind(cells: Sequence[str]) -> _Kind:
    kinds = [_cell_kind(cell) for cell in cells]
    best = max(_Kind, key=kinds.count)
    return best if kinds.count(best) * 2 > len(kinds) else _Kind.TEXT


def _cell_kind(cell: str) -> _Kind:
    try:
        read_day(cell)
    except KnownError:
        pass
    else:
        return _Kind.DAY
    try:
        return _Kind.WHOLE if read_number(cell)[1] else _Kind.BARE
    except KnownError:
        return _Kind.TEXT


def _counts(cells: Sequence[str]) -> bool:
    return all(cell in ("", str(place)) for place, cell in enumerate(cells, start=1))


def _row(
    number: int, cells: Sequence[str], columns: Mapping[int, Column], understand: Understand
) -> tuple[PastedRow, list[CellFault]]:
    changes, faults = Changes(), []
    for place, column in columns.items():
        text = cells[place].strip() if place < len(cells) else ""
        if not text:
            continue
        try:
            changes = _with_cell(changes, column, text, understand)
        except KnownError as error:
            faults.append(CellFault(number, column, error))
    return PastedRow(number, None if faults else changes), faults


def _with_cell(changes: Changes, column: Column, text: str, understand: Understand) -> Changes:
    replace = msgspec.structs.replace
    match column:
        case Column.NUMBER:
            number, notation = read_number(text)
            return replace(changes, number=number) if notation is None else replace(
                changes, number=number, notation=notation
            )  # fmt: skip
        case Column.NOTATION:
            return replace(changes, notation=read_notation(text))
        case Column.DATE:
            return replace(changes, date=read_day(text))
        case Column.RECEIVERS:
            return replace(changes, receivers=read_receivers(text, understand))
        case Column.URGENCY:
            return replace(changes, urgency=read_urgency(text))
        case Column.TYPE:
            return replace(changes, type=_words(text))
        case Column.SUBJECT:
            return replace(changes, subject=_words(text))
        case Column.SIGNER:
            return replace(changes, signer=_words(text))


def _words(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
