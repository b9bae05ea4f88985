"""The folder whose documents wait to be signed (Thư mục chờ ký): what lies there, and which of it may be brought in.

Main process, one thread at a time. Looks at names, sizes and times alone; opens no file. A file is named once its
writer is done with it: when it has not changed for a while. What was named is not named again as long as it is the
same; a secret one never, not even together with others.
"""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from signer_app.outgoing.grouping import Group, group
from signer_app.signing.walking import require_name
from signer_app.store.durable import reachable
from signer_resources.errors import KnownError

QUIET_S = 2.0
"""So long size and time of a file stand still before it is taken for finished."""
MOST_FILES = 10_000
"""Files of the folder that are looked at; the person is told when there are more."""


class Stamp(NamedTuple):
    """A file of the folder as it was seen: what changes when it is written to."""

    name: str
    size: int
    mtime_ns: int


@dataclass
class Watch:
    """What is remembered of one folder, in memory alone. `since` is from when on each file stands still as it is."""

    folder: Path
    since: dict[Stamp, float] = field(default_factory=dict)
    named: set[tuple[Stamp, ...]] = field(default_factory=set)
    """Documents that were named, as they were then."""
    secret: set[Stamp] = field(default_factory=set)
    crowded: bool = False
    """Whether more files lay there at the last look than are looked at."""
    _settled: bool = False
    """Whether all that lay there at the last look was named."""

    def look(self, now: float) -> list[Group]:
        """The documents that are finished and were not named before; `now` in seconds of any clock that only goes on.

        KnownError "inbox_folder_gone".
        """
        found, self.crowded = _stamps(self.folder)
        if self._settled and self.since.keys() == found:
            return []
        self.since = {stamp: self.since.get(stamp, now) for stamp in found}
        if len(self.secret) > MOST_FILES:
            self.secret &= self.since.keys()
        stamps = {self.folder / stamp.name: stamp for stamp in found}
        there = {tuple(stamps[path] for path in files.files): files for files in group(stamps)}
        self.named &= there.keys()
        ready = [key for key in there if key not in self.named and self._is_quiet(key, now)]
        self.named.update(ready)
        self._settled = len(self.named) == len(there)
        return [there[key] for key in ready]

    def has_secret(self, files: Group) -> bool:
        """Whether a file of the document, as it is, was found to be secret: then none of it is opened."""
        names = _names(files)
        return any(stamp.name in names for stamp in self.secret if stamp in self.since)

    def found_secret(self, path: Path) -> None:
        """This file, as it was seen last, is never opened again."""
        self.secret |= {stamp for stamp in self.since if stamp.name == path.name}

    def again(self, files: Group, not_before: float) -> None:
        """The document could not be read for now: it is named again, but not before this moment."""
        names = _names(files)
        for stamp in self.since:
            if stamp.name in names:
                self.since[stamp] = not_before - QUIET_S
        self.named = {key for key in self.named if not any(stamp.name in names for stamp in key)}
        self._settled = False

    def _is_quiet(self, stamps: Iterable[Stamp], now: float) -> bool:
        return all(now - self.since[stamp] >= QUIET_S for stamp in stamps)


def times_of(path: Path) -> str | None:
    """When a file of the folder was written and when it came there, for telling one that was dropped anew from one that
    still lies there; None for one that is gone.
    """
    try:
        status = reachable(path).lstat()
    except OSError:
        return None
    # A copy keeps the time of its bytes; the other time is that of the copying (on Windows of the file's making).
    return f"{status.st_mtime_ns}/{status.st_ctime_ns}"


def _names(files: Group) -> set[str]:
    return {path.name for path in files.files}


def _stamps(folder: Path) -> tuple[set[Stamp], bool]:
    """The PDF files that lie in the folder itself, no links, and whether there are more than are looked at."""
    found: set[Stamp] = set()
    try:
        with os.scandir(reachable(folder)) as entries:
            for entry in entries:
                if len(found) == MOST_FILES:
                    return found, True
                if _is_wanted(entry.name) and (stamp := _stamp(entry)) is not None:
                    found.add(stamp)
    except OSError as error:
        raise KnownError("inbox_folder_gone", folder=str(folder)) from error
    return found, False


def _stamp(entry: "os.DirEntry[str]") -> Stamp | None:
    """None for what is no file, or is gone already."""
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return Stamp(entry.name, status.st_size, status.st_mtime_ns)


def _is_wanted(name: str) -> bool:
    lower = name.lower()
    if not lower.endswith(".pdf") or lower.endswith(".signed.pdf") or name.startswith((".", "~$")):
        return False
    try:
        require_name(Path(name))
    except KnownError:
        return False
    return True
