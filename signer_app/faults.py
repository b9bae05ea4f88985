"""Where a fault of the program itself is written down: places in the code only.

Any thread. The message and the variables of a fault could hold what nobody should read, so they are left out. Each has
an id, by which the message on the screen, its file and the line of the log belong together.
"""

import contextlib
import datetime as dt
import os
import secrets
import traceback
from pathlib import Path

from signer_resources.errors import KnownError

_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Such as are not mistaken for one another when read aloud from a screen."""
_KEPT = 50
"""So many faults are kept: a program that fails again and again must not fill a disk."""


def fault_places(fault: BaseException) -> str:
    """Where it happened, innermost first: "engine.py:120<main.py:31"; never what was in anything there."""
    frames = traceback.extract_tb(fault.__traceback__)
    return "<".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames[-8:])) or "-"


def write_fault(fault: BaseException, folder: Path | None) -> str:
    """Writes type and places of the fault into the data folder's logs (0600); the file's path, which ends with the
    fault's id, "-" without a folder.
    """
    if folder is None or not folder.is_dir():
        return "-"
    from signer_app.logs import note_fault

    # A letter first: an id of digits alone could be anything.
    fault_id = secrets.choice(_LETTERS[8:]) + "".join(secrets.choice(_LETTERS) for _ in range(5))
    lines = "".join(traceback.format_tb(fault.__traceback__))
    logs = folder / "logs"
    file = logs / f"fault-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S}-{fault_id}.txt"
    note_fault(fault_id, fault)
    try:
        logs.mkdir(mode=0o700, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(f"{fault_id} {type(fault).__name__}\n{lines}")
        for old in sorted(logs.glob("fault-*.txt"))[:-_KEPT]:
            with contextlib.suppress(OSError):
                old.unlink()
    except OSError:
        return "-"
    return str(file)


def told_fault(fault: BaseException, folder: Path | None) -> KnownError:
    """The fault in words, "program_fault", after it was written down."""
    return KnownError("program_fault", kind=type(fault).__name__, file=write_fault(fault, folder))
