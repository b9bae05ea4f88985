"""Reports as files: a new file, whole or not at all; what it is, its name's end says.

Main process, any thread. Never writes over a file.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from signer_app.signing.jobs import UsageError
from signer_app.store.durable import disk_errors, place_new
from signer_resources.errors import KnownError


class Form(StrEnum):
    """As what a report is written."""

    CSV = ".csv"
    XLSX = ".xlsx"
    PDF = ".pdf"


def form_of(target: Path) -> Form:
    """What the file is to be, by its name; UsageError "report_form_unknown"."""
    try:
        return Form(target.suffix.lower())
    except ValueError:
        raise UsageError("report_form_unknown", name=target.name) from None


def require_report_name(target: Path) -> None:
    """That a report can be called so, before anything is done for it: UsageError "report_form_unknown", KnownError
    "output_exists".
    """
    form_of(target)
    if target.exists() or target.is_symlink():
        raise KnownError("output_exists", file=str(target))


@contextmanager
def new_file(target: Path) -> Iterator[BinaryIO]:
    """A file that gets its name when all of it is on disk.

    KnownError "output_exists", "output_unwritable", "disk_full", "disk_fault".
    """
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
