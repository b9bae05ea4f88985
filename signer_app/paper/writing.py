"""Writes a paper where the person wants it: a new file, whole or not at all, readable by its owner alone.

Any process; the one thing it never does is to write over a file.
"""

from pathlib import Path

from signer_app.store.durable import disk_errors, write_atomically
from signer_resources.errors import KnownError


def write_paper(target: Path, content: bytes) -> None:
    """Makes the file; KnownError "custody_file_exists", "output_unwritable", "disk_full"."""
    require_free(target)
    with disk_errors(target.parent):
        try:
            write_atomically(target, content, replace=False)
        except FileExistsError as error:
            raise KnownError("custody_file_exists", file=str(target)) from error


def require_free(target: Path) -> None:
    """KnownError "custody_file_exists" where something has this name already; before anything is done for the paper."""
    if target.exists() or target.is_symlink():
        raise KnownError("custody_file_exists", file=str(target))
