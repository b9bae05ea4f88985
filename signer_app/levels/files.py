"""Raises files that a person names: those that were signed here, which get a later version, and any other signed PDF.

Main process, by the owner of the data folder's lock. The result lies beside the file or in a folder, under a name with
its level; nothing is ever written over, and the file itself stays as it is. Of a file that was not signed here nothing
is kept; one with a mark of secrecy is not touched.
"""

import hashlib
import re
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from signer_app.levels.keeping import keep, newest_blob
from signer_app.levels.later import AT_ONCE, AWAY, BEFORE_END, HOPELESS
from signer_app.levels.model import at_least
from signer_app.levels.raising import Raised, Raiser
from signer_app.signing.batch import Progress, never
from signer_app.signing.opening import screened
from signer_app.store.durable import copy_to_new, disk_errors, make_folders, place_new
from signer_app.store.levels import WhyHigher
from signer_app.store.model import FileState, StoredFile
from signer_app.verification.model import Level
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError

_LEVEL_IN_NAME = re.compile(r"\.b-(t|lt|lta)$", re.IGNORECASE)


@dataclass(frozen=True)
class Upgraded:
    """What became of one file: signed (there is an output), skipped (it is at the level already), refused (it can't be
    raised), failed, or pending (not tried). `error` says why the level is not the wanted one.
    """

    input: Path
    state: FileState
    output: Path | None = None
    level: Level | None = None
    error: KnownError | None = None
    sha256_in: str | None = None
    sha256_out: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class UpgradeResult:
    """What became of all; `stopped` is what ended it before its end."""

    files: tuple[Upgraded, ...]
    stopped: KnownError | None


def is_raised_name(path: Path) -> bool:
    """Whether the name says that the file is a result of this."""
    return _LEVEL_IN_NAME.search(path.stem) is not None


class Upgrade:
    """Raises files to `level`, a few at a time; the results go into `out`, or beside the files."""

    def __init__(self, space: Workspace, level: Level, out: Path | None, cancelled: Callable[[], bool] = never) -> None:
        self._space = space
        self._level = level
        self._out = out
        self._cancelled = cancelled
        pool = space.timestamps
        self._raiser = Raiser(space, pool.patiently if pool is not None else None)
        self._guard = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}
        """One for each file that was signed here: of two copies of it the second goes on from the first's version."""
        self._stopped: KnownError | None = None
        self._done = 0

    def run(self, files: Sequence[Path], progress: Progress) -> UpgradeResult:
        """Raises the files; what would befall all of them ends it."""
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="upgrade") as pool:
            found = tuple(pool.map(lambda file: self._one(file, len(files), progress), files))
        return UpgradeResult(found, self._stopped)

    def _one(self, file: Path, total: int, progress: Progress) -> Upgraded:
        if self._stopped is not None or self._cancelled():
            return Upgraded(file, FileState.PENDING)
        started = time.monotonic()
        try:
            outcome = self._upgrade(file)
        except KnownError as error:
            outcome = Upgraded(file, FileState.REFUSED if error.code == "secret" else FileState.FAILED, error=error)
        if outcome.error is not None and outcome.error.code in AWAY:
            with self._guard:
                self._stopped = self._stopped or outcome.error
        with self._guard:
            self._done += 1
            progress("progress_levels", self._done, total)
        return replace(outcome, seconds=round(time.monotonic() - started, 3))

    def _upgrade(self, file: Path) -> Upgraded:
        space = self._space
        self._require_free(self._target(file, self._level))
        sha256 = screened(space, file, file.name).sha256
        assert sha256 is not None
        with space.store.view() as view:
            stored = view.levels.file_of(sha256)
        with (
            self._turn_of(stored.id if stored is not None else sha256),
            tempfile.TemporaryDirectory(prefix="upgrade-", dir=space.folder.work) as name,
        ):
            folder = Path(name)
            if stored is None:
                source = folder / "input.pdf"
                with disk_errors(folder):
                    copy_to_new(file, source, 0o600)
                if _digest(source) != sha256:
                    raise KnownError("input_changed", name=file.name)
                begun = sha256
            else:
                begun = newest_blob(space, stored)
                source = space.store.blobs.path(begun)
            raised = self._raiser.raise_to(
                source,
                self._level,
                folder,
                largest=None,
                renew_before=space.now() + BEFORE_END,
                cancelled=self._cancelled,
            )
            return self._kept(file, sha256, begun, source, stored, raised)

    def _turn_of(self, name: str) -> threading.Lock:
        with self._guard:
            return self._turns.setdefault(name, threading.Lock())

    def _kept(
        self, file: Path, sha256: str, begun: str, source: Path, stored: StoredFile | None, raised: Raised
    ) -> Upgraded:
        """Keeps the new version of a file that was signed here, and puts what was reached where it is wanted."""
        space = self._space
        result = raised.path
        if result is not None and stored is not None:
            result = space.store.blobs.path(keep(space, stored, raised, begun).blob)
        if raised.reason is not None and stored is not None and raised.reason.code not in HOPELESS:
            space.store.write(lambda tx: tx.levels.want(stored.id, self._level.value, WhyHigher.SETTING, space.now()))
        outcome = Upgraded(file, FileState.SKIPPED, level=raised.level, error=raised.reason, sha256_in=sha256)
        if result is None and begun != sha256 and at_least(raised.level, self._level):
            # The store has a later version than the file that was named.
            result = source
        if result is None:
            if raised.reason is None:
                return outcome
            hopeless = raised.reason.code in HOPELESS
            return replace(outcome, state=FileState.REFUSED if hopeless else FileState.FAILED)
        target = self._target(file, raised.level)
        self._require_free(target)
        _put(result, target)
        return replace(outcome, state=FileState.SIGNED, output=target, sha256_out=_digest(target))

    def _target(self, file: Path, level: Level) -> Path:
        stem = _LEVEL_IN_NAME.sub("", file.stem)
        return ((self._out or file.parent) / f"{stem}.{level.value}.pdf").absolute()

    @staticmethod
    def _require_free(target: Path) -> None:
        if target.exists() or target.is_symlink():
            raise KnownError("output_exists", file=str(target))


def _put(result: Path, target: Path) -> None:
    """A durable copy, whole or not at all, with the ordinary mode of the user's files."""
    temporary = target.with_name(f".signer-{hashlib.sha256(target.name.encode()).hexdigest()[:24]}.part")
    with disk_errors(target.parent):
        make_folders(target.parent)
        temporary.unlink(missing_ok=True)
        try:
            copy_to_new(result, temporary, 0o666)
            place_new(temporary, target)
        except FileExistsError as error:
            raise KnownError("output_exists", file=str(target)) from error
        finally:
            temporary.unlink(missing_ok=True)


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
