"""Whether a file could have been put there by any account of the machine.

Any process and thread. Looks at modes and reads no file; changes nothing.
"""

import errno
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

_MOST_LINKS = 40
"""On the way to one file, as the system itself allows (path_resolution(7))."""


def exposed(file: Path) -> Path | None:
    """The first of `file` and of the folders on the way to it that every account of this machine may change; None if
    there is none. Raises OSError where a place can't be looked at.

    Whoever can put code into a driver's place gets each PIN that is typed for it. In a sticky folder (/tmp) others
    can't replace what lies in a folder below, but they can put a file of theirs where one is expected. On Windows
    modes mean nothing; there the folders of programs and of the system are closed to ordinary accounts.
    """
    if sys.platform == "win32":
        return None
    for place, holds_the_file in _on_the_way(file):
        mode = place.lstat().st_mode
        sheltered = mode & stat.S_ISVTX and not holds_the_file
        if mode & stat.S_IWOTH and not sheltered:
            return place
    return None


def _on_the_way(file: Path) -> Iterator[tuple[Path, bool]]:
    """Every folder that the system looks into for `file`, and the file, with whether the file or a link in its place
    stands there. Links are followed one by one: whoever may exchange one in the middle of a chain has the file.
    """
    whole = file.absolute()
    place, rest, links = Path(whole.anchor), list(whole.parts[:0:-1]), 0
    while rest:
        name = rest.pop()
        yield place, not rest
        if name == os.pardir:
            place = place.parent
        elif (below := place / name).is_symlink():
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(file))
            target = below.readlink()
            place = Path(target.anchor) if target.is_absolute() else place
            rest += target.parts[: 0 if target.is_absolute() else None : -1]
        else:
            place = below
    yield place, True
