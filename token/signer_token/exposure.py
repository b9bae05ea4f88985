"""Whether a file could have been put there by any account of the machine.

Any process and thread. Looks at modes and reads no file; changes nothing.
"""

import stat
import sys
from pathlib import Path


def exposed(file: Path) -> Path | None:
    """The first of `file` and its folders that every account of this machine may change; None if there is none.

    Whoever can put code into a driver's place gets each PIN that is typed for it. In a sticky folder (/tmp) others
    can't replace what lies in a folder below, but they can put a file of theirs where one is expected. On Windows
    modes mean nothing; there the folders of programs and of the system are closed to ordinary accounts.
    """
    if sys.platform == "win32":
        return None
    for spelled in (file.absolute(), file.resolve()):
        for place in (spelled, *spelled.parents):
            mode = place.stat().st_mode
            sheltered = mode & stat.S_ISVTX and place not in (spelled, spelled.parent)
            if mode & stat.S_IWOTH and not sheltered:
                return place
    return None
