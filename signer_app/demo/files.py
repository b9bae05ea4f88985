"""Files of a demonstration that are for the owner's eyes only, whatever the umask says.

Small functions for the main process. What is written here can always be made again, so nothing is fsynced;
documents and the database have their own, stricter ways.
"""

import os
from pathlib import Path


def make_private_folder(path: Path) -> None:
    """Make `path` (0700) and its parents; an existing folder is left as it is."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_private(path: Path, data: bytes) -> None:
    """Write `data` to `path` (0600), replacing what was there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
