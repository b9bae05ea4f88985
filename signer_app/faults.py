"""Where a fault of the program itself is written down: places in the code only.

Any thread. The message and the variables of a fault could hold what nobody should read, so they are left out.
"""

import datetime as dt
import os
import traceback
from pathlib import Path

from signer_resources.errors import KnownError


def write_fault(fault: BaseException, folder: Path | None) -> str:
    """Writes type and places of the fault into the data folder's logs (0600); the file's path, "-" without one."""
    if folder is None or not folder.is_dir():
        return "-"
    lines = "".join(traceback.format_tb(fault.__traceback__))
    logs = folder / "logs"
    file = logs / f"fault-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S}.txt"
    try:
        logs.mkdir(mode=0o700, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w", encoding="utf-8") as out:
            out.write(f"{type(fault).__name__}\n{lines}")
    except OSError:
        return "-"
    return str(file)


def told_fault(fault: BaseException, folder: Path | None) -> KnownError:
    """The fault in words, "program_fault", after it was written down."""
    return KnownError("program_fault", kind=type(fault).__name__, file=write_fault(fault, folder))
