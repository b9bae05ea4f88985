"""A report as CSV and as a spreadsheet.

Main process, any thread; one line at a time (`signer_app.paper.spreadsheet`).
"""

from collections.abc import Iterable
from typing import BinaryIO

from signer_app.batch_reports.model import ReportHead, ReportLine
from signer_app.batch_reports.words import cells, column_names, head_facts, title
from signer_app.paper import spreadsheet
from signer_app.paper.spreadsheet import SheetColumn
from signer_resources.messages import Lang, text

_WIDTHS = (6, 22, 12, 40, 40, 16, 60, 60, 8, 20, 20, 60, 8)
"""Of the columns, in letters."""


def write_csv(out: BinaryIO, lines: Iterable[ReportLine], lang: Lang) -> None:
    """The files of a batch, a line each under one head."""
    spreadsheet.write_csv(out, column_names(lang), (cells(line, lang) for line in lines))


def write_xlsx(out: BinaryIO, head: ReportHead, lines: Iterable[ReportLine], lang: Lang) -> None:
    """The batch on a first sheet, its files on the next; OSError as the disk gives it."""
    columns = [SheetColumn(name, width) for name, width in zip(column_names(lang), _WIDTHS, strict=True)]
    with spreadsheet.spreadsheet(out, title(lang)) as book:
        facts = [(fact.what, fact.value) for fact in head_facts(head, lang)]
        book.facts(text("batch_report_sheet_head", lang), title(lang), facts)
        book.table(text("batch_report_sheet_lines", lang), columns, (cells(line, lang) for line in lines))
