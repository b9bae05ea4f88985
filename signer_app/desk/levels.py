"""What the window shows of levels: what waits for timestamps and validation data, what was given up, the servers.

Main process, any thread; blocks. `run` is the background task: called now and then beside everything else, it makes up
for what is missing and yields to a batch that is being signed.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from signer_app.levels.later import Later, LaterResult
from signer_app.signing.batch import Progress, never
from signer_app.signing.timestamps import ServerStatus
from signer_app.store.levels import AwaitedLevel, LevelCounts, WhyHigher
from signer_app.store.settings import ArchiveLevel
from signer_app.store.store import View
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError

_MOST = 1000


@dataclass(frozen=True)
class WaitingFile:
    """A file that waits, or that was given up; `document` is its số, ký hiệu, empty where it has none. `error` is what
    the last attempt came to, `next_try` when the next may be made (None: never).
    """

    file_id: str
    document_id: str
    document: str
    name: str
    level: str
    wanted: str
    reason: WhyHigher
    attempts: int
    next_try: dt.datetime | None
    error: KnownError | None


@dataclass(frozen=True)
class LevelsSnapshot:
    """How the files stand; `level` is where the settings want them, `servers` is empty where none is set."""

    counts: LevelCounts
    waiting: tuple[WaitingFile, ...]
    level: ArchiveLevel
    servers: tuple[ServerStatus, ...]


class LaterLevels:
    """The levels of one workspace."""

    def __init__(self, space: Workspace) -> None:
        self._space = space
        self._later = Later(space)

    def look(self) -> LevelsSnapshot:
        """How everything stands now. KnownError as `Store.view`."""
        pool = self._space.timestamps
        with self._space.store.view() as view:
            waiting = tuple(_row(view, one) for one in view.levels.listed(_MOST))
            counts = view.levels.counts()
        return LevelsSnapshot(
            counts, waiting, self._space.settings.archive_level, pool.status() if pool is not None else ()
        )

    def run(self, progress: Progress, cancelled: Callable[[], bool] = never, *, wanted: bool = False) -> LaterResult:
        """Raises what is due; `wanted`: also what was put off. KnownError only where the store itself fails."""
        return self._later.run(progress, cancelled, wanted=wanted)


def _row(view: View, one: AwaitedLevel) -> WaitingFile:
    file, newest = view.documents.file(one.file_id), view.levels.newest(one.file_id)
    document = view.documents.get(file.document_id) if file is not None else None
    return WaitingFile(
        file_id=one.file_id,
        document_id=document.id if document is not None else "",
        document=(document.label or "") if document is not None else "",
        name=file.name if file is not None else "",
        level=newest.level if newest is not None else (file.level or "") if file is not None else "",
        wanted=one.level,
        reason=one.reason,
        attempts=one.attempts,
        next_try=None if one.given_up else one.not_before,
        error=one.error,
    )
