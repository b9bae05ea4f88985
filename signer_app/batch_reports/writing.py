"""Writes a report where the person wants it: a new file, whole or not at all; what it is, its name's end says.

Main process, any thread; takes long for a large batch, tells how far it is and can be stopped. Never writes over a
file.
"""

import datetime as dt
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from signer_app.batch_reports.model import ReportHead, ReportLine
from signer_app.batch_reports.reading import report_lines
from signer_app.signing.batch import Progress, never
from signer_app.signing.jobs import UsageError
from signer_app.store.durable import disk_errors, place_new
from signer_app.store.store import StoreReader
from signer_resources.errors import KnownError
from signer_resources.messages import Lang


class _Form(StrEnum):
    CSV = ".csv"
    XLSX = ".xlsx"
    PDF = ".pdf"


def require_report_name(target: Path) -> None:
    """That a report can be called so, before anything is done for it: UsageError "report_form_unknown", KnownError
    "output_exists".
    """
    _form(target)
    if target.exists() or target.is_symlink():
        raise KnownError("output_exists", file=str(target))


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
    with _new_file(target.absolute()) as out:
        match _form(target):
            case _Form.CSV:
                from signer_app.batch_reports.tables import write_csv

                write_csv(out, lines, lang)
            case _Form.XLSX:
                from signer_app.batch_reports.tables import write_xlsx

                write_xlsx(out, head, lines, lang)
            case _Form.PDF:
                from signer_app.batch_reports.paper import write_pdf

                write_pdf(out, head, lines, lang, now)


def _form(target: Path) -> _Form:
    try:
        return _Form(target.suffix.lower())
    except ValueError:
        raise UsageError("report_form_unknown", name=target.name) from None


def _watched(
    lines: Iterator[ReportLine], total: int, progress: Progress, cancelled: Callable[[], bool]
) -> Iterator[ReportLine]:
    for done, line in enumerate(lines):
        if cancelled():
            raise KnownError("interrupted")
        progress("progress_batch_report", done, max(total, done))
        yield line


@contextmanager
def _new_file(target: Path) -> Iterator[BinaryIO]:
    """A file that gets its name when all of it is on disk."""
    # Short, whatever the report is called: a name that just fits must fit here too.
    temporary = target.with_name(f".{secrets.token_hex(8)}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with disk_errors(target.parent):
        try:
            with os.fdopen(os.open(temporary, flags, 0o666), "wb") as out:
                yield out
                out.flush()
                os.fsync(out.fileno())
            place_new(temporary, target)
        except FileExistsError as error:
            raise KnownError("output_exists", file=str(target)) from error
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
