"""Tables as CSV and as spreadsheets, a row at a time: what is written lies on disk, not in memory.

Main process, any thread. CSV is for other programs too: dates as ISO 8601, a point in numbers; in a spreadsheet dates
are dates. Texts must have been made harmless (`cells.defused`); nothing is guessed to be a formula, a link or a number.
"""

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import BinaryIO

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from signer_app.paper.cells import Cell, defused

_MOST_ROWS = 1_000_000
"""Lines of one sheet; it takes 1,048,576."""


def write_csv(out: BinaryIO, heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """The rows under one head; UTF-8 with its mark, for spreadsheets want that."""
    words = io.TextIOWrapper(out, encoding="utf-8-sig", newline="")
    try:
        table = csv.writer(words)
        table.writerow(heads)
        for row in rows:
            table.writerow(["" if cell is None else cell for cell in row])
    finally:
        words.detach()


@dataclass(frozen=True)
class SheetColumn:
    """A column: its head, and its width in letters."""

    head: str
    width: float


class Spreadsheet:
    """A spreadsheet that is being written, sheet after sheet; made by `spreadsheet`."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._dates = book.add_format({"num_format": "dd/mm/yyyy", "valign": "top"})
        self._tops = book.add_format({"valign": "top"})
        self._wrapped = book.add_format({"valign": "top", "text_wrap": True})
        self._bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})

    def facts(self, name: str, title: str, facts: Iterable[tuple[str, Cell]]) -> None:
        """A sheet of labels with their values."""
        sheet = self._book.add_worksheet(name)
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 1, 100)
        sheet.write_string(0, 0, title, self._book.add_format({"bold": True, "font_size": 15}))
        labels = self._book.add_format({"italic": True, "valign": "top", "text_wrap": True})
        for row, (what, value) in enumerate(facts, start=2):
            sheet.write_string(row, 0, defused(what), labels)
            self._put(sheet, row, 1, defused(value) if isinstance(value, str) else value, self._wrapped)

    def table(self, name: str, columns: Sequence[SheetColumn], rows: Iterable[Sequence[Cell]]) -> None:
        """A sheet of rows under one head; a further sheet where one can't hold them."""
        sheet = self._table(name, columns)
        for at, cells in enumerate(rows):
            row, number = at % _MOST_ROWS + 1, at // _MOST_ROWS + 1
            if row == 1 and number > 1:
                sheet = self._table(f"{name} {number}", columns)
            for column, cell in enumerate(cells):
                self._put(sheet, row, column, cell, self._tops)

    def _table(self, name: str, columns: Sequence[SheetColumn]) -> Worksheet:
        sheet = self._book.add_worksheet(name)
        for at, column in enumerate(columns):
            sheet.set_column(at, at, column.width)
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        for at, column in enumerate(columns):
            sheet.write_string(0, at, column.head, self._bold)
        return sheet

    def _put(self, sheet: Worksheet, row: int, column: int, cell: Cell, form: Format) -> None:
        if isinstance(cell, str):
            if cell:
                sheet.write_string(row, column, cell, form)
        elif isinstance(cell, dt.date):
            sheet.write_datetime(row, column, cell, self._dates)
        elif cell is not None:
            sheet.write_number(row, column, cell, form)


@contextmanager
def spreadsheet(out: BinaryIO, title: str) -> Iterator[Spreadsheet]:
    """A spreadsheet that is whole at the end; OSError as the disk gives it."""
    with TemporaryDirectory() as place:
        # Rows go straight to disk, each text with its row.
        book = Workbook(
            out,
            {
                "constant_memory": True,
                "tmpdir": place,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        book.set_properties({"title": title})
        try:
            yield Spreadsheet(book)
        finally:
            # Also where somebody has stopped it: only this closes what it keeps on disk.
            _close(book)


def _close(book: Workbook) -> None:
    try:
        book.close()
    except FileCreateError as error:
        cause = error.args[0] if error.args else None
        raise cause if isinstance(cause, OSError) else error from None
