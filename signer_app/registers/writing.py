"""A register as a file: to be printed and bound (PDF), as a spreadsheet, as CSV; every column, no gap hidden.

Main process, any thread; writes a new file, whole or not at all (Decree 30/2020, articles 16.2b and 22.3b). What it is,
its name's end says.
"""

import datetime as dt
import importlib.metadata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from signer_app.paper.cells import Cell, defused
from signer_app.paper.files import Form, form_of, new_file, require_report_name
from signer_app.registers import words
from signer_app.registers.model import IncomingLine, LineKind, OutgoingLine
from signer_app.verification.facts import moment
from signer_resources.errors import KnownError
from signer_resources.messages import Lang, text


@dataclass(frozen=True)
class RegisterHead:
    """What stands above a register: the bodies' names, the year (None: all), and what it was narrowed to."""

    body: str
    year: int | None
    search: str = ""


def never() -> bool:
    """Nobody stops it."""
    return False


def write_outgoing(
    lines: Sequence[OutgoingLine],
    head: RegisterHead,
    target: Path,
    lang: Lang,
    now: dt.datetime,
    cancelled: Callable[[], bool] = never,
) -> None:
    """Writes the outgoing register. UsageError "report_form_unknown"; KnownError "output_exists", "output_unwritable",
    "disk_full", "interrupted".
    """
    table = _Table(
        text("register_out_name", lang),
        words.outgoing_heads(lang),
        words.OUTGOING_SHARES,
        words.OUTGOING_WIDTHS,
    )
    rows = (words.outgoing_cells(one, lang) for one in lines)
    _write(table, rows, _counts(lines, lang), head, target, lang, now, cancelled)


def write_incoming(
    lines: Sequence[IncomingLine],
    head: RegisterHead,
    target: Path,
    lang: Lang,
    now: dt.datetime,
    cancelled: Callable[[], bool] = never,
) -> None:
    """Writes the incoming register; raises as `write_outgoing`."""
    table = _Table(
        text("register_in_name", lang), words.incoming_heads(lang), words.INCOMING_SHARES, words.INCOMING_WIDTHS
    )
    rows = (words.incoming_cells(one, lang) for one in lines)
    _write(table, rows, _counts(lines, lang), head, target, lang, now, cancelled)


@dataclass(frozen=True)
class _Table:
    title: str
    heads: Sequence[str]
    shares: Sequence[float]
    widths: Sequence[int]


def _write(
    table: _Table,
    rows: Iterable[Sequence[Cell]],
    counts: str,
    head: RegisterHead,
    target: Path,
    lang: Lang,
    now: dt.datetime,
    cancelled: Callable[[], bool],
) -> None:
    require_report_name(target)
    told = _facts(table, head, counts, lang, now)
    watched = _watched(rows, cancelled)
    with new_file(target.absolute()) as out:
        match form_of(target):
            case Form.CSV:
                from signer_app.paper.spreadsheet import write_csv

                write_csv(out, table.heads, (_harmless(row) for row in watched))
            case Form.XLSX:
                from signer_app.paper.spreadsheet import SheetColumn, spreadsheet

                columns = [SheetColumn(name, width) for name, width in zip(table.heads, table.widths, strict=True)]
                with spreadsheet(out, table.title) as book:
                    book.table(text("register_sheet_lines", lang), columns, (_harmless(row) for row in watched))
                    book.facts(text("register_sheet_head", lang), table.title, told)
            case Form.PDF:
                from signer_app.paper.table import TableColumn, TablePaper

                paper = TablePaper(out)
                paper.title(table.title.upper(), " · ".join(value for _what, value in told[:2] if value))
                for what, value in told[2:]:
                    paper.fact(what, value)
                paper.table([TableColumn(*column) for column in zip(table.heads, table.shares, strict=True)])
                paper.row([f"({number})" for number in range(1, len(table.heads) + 1)])
                for row in watched:
                    paper.row([words.shown(cell) for cell in row])
                paper.end(table.title, "vi-VN" if lang == "vi" else "en")


def _facts(table: _Table, head: RegisterHead, counts: str, lang: Lang, now: dt.datetime) -> list[tuple[str, str]]:
    year = text("register_all_years", lang) if head.year is None else text("register_year", lang, year=head.year)
    version = importlib.metadata.version("signer")
    facts = [
        (text("register_head_body", lang), head.body),
        (text("register_head_year", lang), year),
        (text("register_head_counts", lang), counts),
        (text("register_head_made", lang), text("register_made", lang, time=moment(now), version=version)),
    ]
    if head.search:
        facts.append((text("register_head_search", lang), head.search))
    return facts


def _counts(lines: Sequence[OutgoingLine] | Sequence[IncomingLine], lang: Lang) -> str:
    kinds = [line.kind for line in lines]
    missing = sum(line.last - line.number + 1 for line in lines if line.kind is LineKind.GAP)
    return text(
        "register_counts",
        lang,
        documents=kinds.count(LineKind.DOCUMENT),
        kept=kinds.count(LineKind.KEPT),
        voided=kinds.count(LineKind.VOIDED),
        missing=missing,
    )


def _harmless(row: Sequence[Cell]) -> tuple[Cell, ...]:
    return tuple(defused(cell) if isinstance(cell, str) else cell for cell in row)


def _watched(rows: Iterable[Sequence[Cell]], cancelled: Callable[[], bool]) -> Iterator[Sequence[Cell]]:
    for row in rows:
        if cancelled():
            raise KnownError("interrupted")
        yield row
