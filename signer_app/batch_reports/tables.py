"""A report as CSV and as a spreadsheet.

Main process, any thread. Both take one line at a time: what is written lies on disk, not in memory. CSV is for other
programs too: dates as ISO 8601, a point in numbers; in a spreadsheet dates are dates.
"""

import csv
import datetime as dt
import io
from collections.abc import Iterable
from tempfile import TemporaryDirectory
from typing import BinaryIO

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from signer_app.batch_reports.model import ReportHead, ReportLine
from signer_app.batch_reports.words import Cell, cells, column_names, defused, head_facts, title
from signer_resources.messages import Lang, text

_WIDTHS = (6, 22, 12, 40, 40, 16, 60, 60, 8, 20, 20, 60, 8)
"""Of the columns, in letters."""
_MOST_ROWS = 1_000_000
"""Lines of one sheet; it takes 1,048,576."""


def write_csv(out: BinaryIO, lines: Iterable[ReportLine], lang: Lang) -> None:
    """The files of a batch, a line each under one head; UTF-8 with its mark, for spreadsheets want that."""
    words = io.TextIOWrapper(out, encoding="utf-8-sig", newline="")
    try:
        table = csv.writer(words)
        table.writerow(column_names(lang))
        for line in lines:
            table.writerow(["" if cell is None else cell for cell in cells(line, lang)])
    finally:
        words.detach()


def write_xlsx(out: BinaryIO, head: ReportHead, lines: Iterable[ReportLine], lang: Lang) -> None:
    """The batch on a first sheet, its files on the next; OSError as the disk gives it."""
    with TemporaryDirectory() as place:
        # Rows go straight to disk, each text with its row; nothing is guessed to be a formula, a link or a number.
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
        book.set_properties({"title": title(lang)})
        try:
            _head_sheet(book, head, lang)
            _line_sheets(book, lines, lang)
        finally:
            # Also where somebody has stopped it: only this closes what it keeps on disk.
            _close(book)


def _close(book: Workbook) -> None:
    try:
        book.close()
    except FileCreateError as error:
        cause = error.args[0] if error.args else None
        raise cause if isinstance(cause, OSError) else error from None


def _head_sheet(book: Workbook, head: ReportHead, lang: Lang) -> None:
    sheet = book.add_worksheet(text("batch_report_sheet_head", lang))
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 100)
    sheet.write_string(0, 0, title(lang), book.add_format({"bold": True, "font_size": 15}))
    labels, values = book.add_format({"italic": True, "valign": "top"}), book.add_format({"text_wrap": True})
    for row, fact in enumerate(head_facts(head, lang), start=2):
        sheet.write_string(row, 0, fact.what, labels)
        sheet.write_string(row, 1, defused(fact.value), values)


def _line_sheets(book: Workbook, lines: Iterable[ReportLine], lang: Lang) -> None:
    dates = book.add_format({"num_format": "dd/mm/yyyy", "valign": "top"})
    tops = book.add_format({"valign": "top"})
    sheet = _table(book, text("batch_report_sheet_lines", lang), lang)
    for at, line in enumerate(lines):
        row, number = at % _MOST_ROWS + 1, at // _MOST_ROWS + 1
        if row == 1 and number > 1:
            sheet = _table(book, f"{text('batch_report_sheet_lines', lang)} {number}", lang)
        for column, cell in enumerate(cells(line, lang)):
            _put(sheet, row, column, cell, dates if isinstance(cell, dt.date) else tops)


def _table(book: Workbook, name: str, lang: Lang) -> Worksheet:
    sheet = book.add_worksheet(name)
    for column, width in enumerate(_WIDTHS):
        sheet.set_column(column, column, width)
    sheet.freeze_panes(1, 0)
    bold = book.add_format({"bold": True, "bottom": 1})
    for column, head in enumerate(column_names(lang)):
        sheet.write_string(0, column, head, bold)
    return sheet


def _put(sheet: Worksheet, row: int, column: int, cell: Cell, form: Format) -> None:
    if isinstance(cell, str):
        if cell:
            sheet.write_string(row, column, cell, form)
    elif isinstance(cell, dt.date):
        sheet.write_datetime(row, column, cell, form)
    elif cell is not None:
        sheet.write_number(row, column, cell, form)
