"""A report as a paper: the facts of the batch, then its files in a table.

Main process, any thread; how lines come onto pages is for `signer_app.paper.table`.
"""

import datetime as dt
import importlib.metadata
from collections.abc import Iterable
from typing import BinaryIO

from signer_app.batch_reports.model import ReportHead, ReportLine
from signer_app.batch_reports.words import head_facts, seconds_told, state_told, title, warnings_told, whole_told
from signer_app.paper.sheet import BLACK, Ink
from signer_app.paper.table import TableColumn, TablePaper
from signer_app.store.model import FileState
from signer_app.store.times import vietnamese_date
from signer_app.verification.facts import moment
from signer_resources.messages import Lang, text

_INKS: dict[FileState, Ink] = {FileState.REFUSED: (0.72, 0.07, 0.07), FileState.FAILED: (0.72, 0.07, 0.07)}
"""The words say it too: a printer may know no colours."""


def write_pdf(out: BinaryIO, head: ReportHead, lines: Iterable[ReportLine], lang: Lang, now: dt.datetime) -> None:
    """The report as it stands at `now`; OSError as the disk gives it."""
    paper = TablePaper(out)
    version = importlib.metadata.version("signer")
    paper.title(title(lang).upper(), text("batch_report_made", lang, time=moment(now), version=version))
    for fact in head_facts(head, lang):
        paper.fact(fact.what, fact.value)
    paper.table(_columns(lang))
    for line in lines:
        paper.row(_cells(line, lang), _under(line, lang), _INKS.get(line.state, BLACK))
    paper.end(title(lang), "vi-VN" if lang == "vi" else "en")


def _columns(lang: Lang) -> tuple[TableColumn, ...]:
    return (
        TableColumn(text("batch_report_head_position", lang), 0.05),
        TableColumn(text("batch_report_head_label", lang), 0.13),
        TableColumn(text("batch_report_head_date", lang), 0.08),
        TableColumn(text("batch_report_head_name", lang), 0.22),
        TableColumn(text("batch_report_head_state", lang), 0.10),
        TableColumn(text("batch_report_head_remarks", lang), 0.32),
        TableColumn(text("batch_report_head_level", lang), 0.05),
        TableColumn(text("batch_report_head_seconds", lang), 0.05),
    )


def _cells(line: ReportLine, lang: Lang) -> tuple[str, ...]:
    remarks = " ".join(part for part in (whole_told(line.reason, lang), warnings_told(line, lang)) if part)
    return (
        str(line.position),
        line.label or "",
        vietnamese_date(line.date) if line.date else "",
        line.name,
        state_told(line.state, lang),
        remarks,
        (line.level or "").upper(),
        seconds_told(line.seconds, lang),
    )


def _under(line: ReportLine, lang: Lang) -> tuple[str, ...]:
    """What stands small below the cells: places and hashes."""
    told = [text("batch_report_under_folder", lang, folder=line.folder)]
    if line.output is not None:
        told.append(text("batch_report_under_output", lang, output=line.output))
    hashes = [
        text(key, lang, sha256=sha256)
        for key, sha256 in (
            ("batch_report_under_before", line.sha256_before),
            ("batch_report_under_after", line.sha256_after),
        )
        if sha256 is not None
    ]
    return (*told, *([" · ".join(hashes)] if hashes else []))
