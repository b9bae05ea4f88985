"""The period report as a file: PDF to be printed, spreadsheet, CSV; each figure with its definition.

Main process, any thread; writes a new file, whole or not at all.
"""

import importlib.metadata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from signer_app.paper.cells import Cell, defused, plain
from signer_app.paper.files import Form, form_of, new_file, require_report_name
from signer_app.registers.period import LateDocument, PeriodReport
from signer_app.registers.words import shown
from signer_app.store.times import vietnamese_date
from signer_app.verification.facts import moment
from signer_resources.messages import Lang, text


@dataclass(frozen=True)
class Figure:
    """A figure of the report: what is counted, how many, and what the count means."""

    what: str
    count: int
    definition: str


def figures(report: PeriodReport, lang: Lang) -> tuple[Figure, ...]:
    """All figures in their order: what went out, who signed, what came."""

    def one(key: str, meaning: str, count: int) -> Figure:
        return Figure(text(key, lang), count, text(meaning, lang))

    out, came = report.outgoing, report.incoming
    return (
        one("period_total", "period_total_means", out.total),
        one("period_electronic", "period_electronic_means", out.electronic),
        one("period_waiting", "period_waiting_means", out.waiting),
        one("period_elsewhere", "period_elsewhere_means", out.elsewhere),
        one("period_paper_copies", "period_paper_copies_means", out.paper_copies),
        one("period_on_time", "period_on_time_means", out.on_time),
        one("period_late", "period_late_means", out.late),
        one("period_unsent_late", "period_unsent_late_means", out.unsent_late),
        one("period_returned", "period_returned_means", out.returned),
        one("period_recalled", "period_recalled_means", out.recalled),
        one("period_voided", "period_voided_means", out.voided),
        *(
            Figure(
                text("period_signed_by", lang, name=plain(name) or text("period_signer_unknown", lang)),
                count,
                text("period_signed_by_means", lang),
            )
            for name, count in out.signers
        ),
        one("period_arrived", "period_arrived_means", came.arrived),
        one("period_arrived_electronic", "period_arrived_electronic_means", came.electronic),
        one("period_arrived_paper", "period_arrived_paper_means", came.paper),
        one("period_accepted", "period_accepted_means", came.accepted),
        one("period_same_day", "period_same_day_means", came.accepted_same_day),
        one("period_sent_back", "period_sent_back_means", came.returned),
        one("period_sent_back_same_day", "period_sent_back_same_day_means", came.returned_same_day),
        one("period_undecided", "period_undecided_means", came.undecided),
        one("period_others", "period_others_means", came.others),
        one("period_arrival_voided", "period_arrival_voided_means", came.voided),
    )


def title(report: PeriodReport, lang: Lang) -> str:
    """What the report is called."""
    return text("period_title", lang)


def days(report: PeriodReport, lang: Lang) -> str:
    """From when to when."""
    return text("period_days", lang, first=vietnamese_date(report.first), last=vietnamese_date(report.last))


def notes(report: PeriodReport, lang: Lang) -> tuple[str, ...]:
    """How times were reckoned."""
    known = (text("period_deadline_note", lang),)
    return known if report.holidays_known else (*known, text("period_holidays_unknown", lang))


def write_period(report: PeriodReport, body: str, target: Path, lang: Lang) -> None:
    """Writes the report; `body` is the name that stands above it. UsageError "report_form_unknown"; KnownError
    "output_exists", "output_unwritable", "disk_full".
    """
    require_report_name(target)
    counted = figures(report, lang)
    with new_file(target.absolute()) as out:
        match form_of(target):
            case Form.CSV:
                from signer_app.paper.spreadsheet import write_csv

                heads = (text("period_figure", lang), text("period_count", lang), text("period_definition", lang))
                write_csv(out, heads, ((defused(one.what), one.count, one.definition) for one in counted))
            case Form.XLSX:
                from signer_app.paper.spreadsheet import SheetColumn, spreadsheet

                with spreadsheet(out, title(report, lang)) as book:
                    columns = (
                        SheetColumn(text("period_figure", lang), 46),
                        SheetColumn(text("period_count", lang), 10),
                        SheetColumn(text("period_definition", lang), 100),
                    )
                    rows = ((defused(one.what), one.count, one.definition) for one in counted)
                    book.table(text("period_sheet_figures", lang), columns, rows)
                    late = [SheetColumn(head, width) for head, width in zip(_late_heads(lang), _WIDTHS, strict=True)]
                    book.table(text("period_sheet_late", lang), late, _late_rows(report))
                    book.facts(text("register_sheet_head", lang), title(report, lang), _facts(report, body, lang))
            case Form.PDF:
                from signer_app.paper.table import TableColumn, TablePaper

                paper = TablePaper(out)
                paper.title(title(report, lang).upper(), days(report, lang))
                for what, value in _facts(report, body, lang):
                    paper.fact(what, value)
                paper.table(
                    [
                        TableColumn(text("period_figure", lang), 0.3),
                        TableColumn(text("period_count", lang), 0.1),
                        TableColumn(text("period_definition", lang), 0.6),
                    ]
                )
                for one in counted:
                    paper.row((one.what, str(one.count), one.definition))
                if report.late:
                    paper.heading(text("period_sheet_late", lang))
                    paper.table([TableColumn(*pair) for pair in zip(_late_heads(lang), _SHARES, strict=True)])
                    for row in _late_rows(report):
                        paper.row([shown(cell) for cell in row])
                paper.end(title(report, lang), "vi-VN" if lang == "vi" else "en")


_WIDTHS = (20, 14, 60, 22, 22, 12)
_SHARES = (0.14, 0.1, 0.4, 0.14, 0.14, 0.08)


def _late_heads(lang: Lang) -> tuple[str, ...]:
    return (
        text("register_out_label", lang),
        text("register_out_date", lang),
        text("register_out_title", lang),
        text("period_late_by", lang),
        text("period_sent_at", lang),
        text("period_days_late", lang),
    )


def _late_rows(report: PeriodReport) -> Iterator[tuple[Cell, ...]]:
    for one in report.late:
        yield _late_row(one, report)


def _late_row(one: LateDocument, report: PeriodReport) -> tuple[Cell, ...]:
    return (
        defused(one.label),
        one.date,
        defused(one.title),
        moment(one.deadline.late_at),
        moment(one.sent_at) if one.sent_at is not None else "",
        one.days_late(report.made_at),
    )


def _facts(report: PeriodReport, body: str, lang: Lang) -> list[tuple[str, str]]:
    version = importlib.metadata.version("signer")
    facts = [
        (text("register_head_body", lang), body),
        (text("period_head_days", lang), days(report, lang)),
        (
            text("register_head_made", lang),
            text("register_made", lang, time=moment(report.made_at), version=version),
        ),
    ]
    return [*facts, *((text("period_head_note", lang), one) for one in notes(report, lang))]
