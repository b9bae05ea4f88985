"""Writes a report where the person wants it: a new file, whole or not at all; what it is, its name's end says.

Main process, any thread; takes long for a large batch, tells how far it is and can be stopped. Never writes over a
file.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

from signer_app.batch_reports.model import ReportHead, ReportLine
from signer_app.batch_reports.reading import report_lines
from signer_app.paper.files import Form, form_of, new_file, require_report_name
from signer_app.signing.batch import Progress, never
from signer_app.store.store import StoreReader
from signer_resources.errors import KnownError
from signer_resources.messages import Lang


def write_report(
    store: StoreReader,
    head: ReportHead,
    target: Path,
    lang: Lang,
    now: dt.datetime,
    *,
    progress: Progress = lambda _key, _done, _total: None,
    cancelled: Callable[[], bool] = never,
) -> None:
    """Makes the file, with the mode of the user's other files. Raises as `require_report_name`, and KnownError
    "output_unwritable", "disk_full", "disk_fault", "interrupted", those of reading the store.
    """
    require_report_name(target)
    lines = _watched(report_lines(store, head.batch), head.total, progress, cancelled)
    with new_file(target.absolute()) as out:
        match form_of(target):
            case Form.CSV:
                from signer_app.batch_reports.tables import write_csv

                write_csv(out, lines, lang)
            case Form.XLSX:
                from signer_app.batch_reports.tables import write_xlsx

                write_xlsx(out, head, lines, lang)
            case Form.PDF:
                from signer_app.batch_reports.paper import write_pdf

                write_pdf(out, head, lines, lang, now)


def _watched(
    lines: Iterator[ReportLine], total: int, progress: Progress, cancelled: Callable[[], bool]
) -> Iterator[ReportLine]:
    for done, line in enumerate(lines):
        if cancelled():
            raise KnownError("interrupted")
        progress("progress_batch_report", done, max(total, done))
        yield line
