"""Folders gone through with all that is below them: each real folder once, whatever points where.

Any thread; opens folders, no file. A folder that can't be read is told, and the rest goes on.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from signer_app.store.durable import reachable_below
from signer_resources.errors import KnownError


def walk(
    folder: Path,
    unreadable: Callable[[Path], None],
    *,
    enters: Callable[[str], bool] = lambda _name: True,
) -> Iterator[tuple[Path, list[str]]]:
    """Each folder from `folder` (absolute) down that can be read, with the names of its files, both in order.

    Links to folders are not followed; a folder that is there a second time (a junction, a mount) is left out.
    `unreadable` is told each folder that can't be read, `enters` is asked for the name of each below.
    """
    top = reachable_below(folder)
    seen: set[tuple[int, int]] = set()

    def shown(place: str) -> Path:
        return folder / Path(place).relative_to(top)

    def fault(error: OSError) -> None:
        unreadable(shown(error.filename))

    for place, folders, names in os.walk(top, onerror=fault):
        try:
            found = Path(place).stat()
        except OSError:
            folders.clear()
            unreadable(shown(place))
            continue
        if (found.st_dev, found.st_ino) in seen:
            folders.clear()
            continue
        seen.add((found.st_dev, found.st_ino))
        folders[:] = sorted(filter(enters, folders))
        yield shown(place), sorted(names)


def require_name(path: Path) -> None:
    """KnownError "file_name_broken" for a path with bytes that are no text (Linux takes any): it can't be written
    down, so nothing could be said of what became of it.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise KnownError("file_name_broken", name=printable(path.name)) from None


def printable(name: str) -> str:
    """A name with a mark in place of what is no text."""
    return os.fsencode(name).decode(errors="replace") if os.name == "posix" else name.encode(errors="replace").decode()
