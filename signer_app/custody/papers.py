"""Writes a paper where the person wants it: a new file, whole or not at all, readable by its owner alone.

Any process; the one thing it never does is to write over a file.
"""

from contextlib import suppress
from pathlib import Path

from signer_app.store.durable import disk_errors, place_new, write_atomically
from signer_resources.errors import KnownError


def write_paper(target: Path, content: bytes) -> None:
    """Makes the file; KnownError "custody_file_exists", "output_unwritable", "disk_full"."""
    temporary = target.with_name(f"{target.name}.part")
    with disk_errors(target.parent):
        if target.exists() or target.is_symlink():
            raise KnownError("custody_file_exists", file=str(target))
        try:
            write_atomically(temporary, content)
            place_new(temporary, target)
        except FileExistsError as error:
            raise KnownError("custody_file_exists", file=str(target)) from error
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
