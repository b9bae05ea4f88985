"""Updates for the window: whether there is one, bringing it, and starting it when the window has closed.

Main process, the owner of the data folder's lock. `state` reads two small files; all else blocks for a network or a
slow stick and is never called on a UI thread. Immutable snapshots. Nothing is replaced while the program runs, and
nothing is started while anybody is logged in at a token.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from signer_app.exchange.network import http_settings
from signer_app.signing.batch import never
from signer_app.signing.records import software_version
from signer_app.updates.fetching import Fetching, shipped_root
from signer_app.updates.kept import Found, Package, UpdatesFolder
from signer_app.updates.releases import Machine, Release, numbers, this_machine
from signer_app.updates.sources import Source, open_source
from signer_app.updates.starting import InstallKind, Launch, Waiting, launch, others_running, start, this_install
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError

_WINDOW = "signer-gui"


class UpdateStage(StrEnum):
    """How far an update is."""

    UNKNOWN = "unknown"
    """Never looked, or the last look failed."""
    CURRENT = "current"
    """The source had nothing newer when it was last asked."""
    OFFERED = "offered"
    """There is a newer release, not yet here."""
    UNFIT = "unfit"
    """There is one, but this machine's system is too old for it."""
    READY = "ready"
    """It is here, checked, and can be started."""


@dataclass(frozen=True)
class UpdateState:
    """How updates stand. `release` is what is offered or ready; `previous` the version that one can go back to;
    `below_minimum`: what runs is older than the administrator allows. `error` is why the last look failed.
    """

    installed: str
    kind: InstallKind
    stage: UpdateStage
    source: str | None
    release: Release | None = None
    size: int = 0
    previous: str | None = None
    minimum: str | None = None
    below_minimum: bool = False
    checked_at: datetime | None = None
    error: KnownError | None = None


@dataclass(frozen=True)
class Started:
    """What becomes of it. `waits`: an installer begins when the program has ended, which should now be soon; else a
    person does what `typed` says, after closing the program.
    """

    version: str
    waits: bool
    typed: str = ""


class Start(Protocol):
    """Starts what was chosen; see `starting.start`."""

    def __call__(self, chosen: Launch, *, again: str = "") -> Waiting:
        """As `starting.start`."""


@dataclass(frozen=True)
class Surroundings:
    """What updates ask the machine; given in by tests."""

    machine: Callable[[], Machine] = this_machine
    installed: Callable[[], str] = software_version
    kind: Callable[[], InstallKind] = this_install
    root: Callable[[], bytes] = shipped_root
    start: Start = start
    others: Callable[[], bool] = lambda: others_running(Path(sys.executable), os.getpid())


class Updating:
    """The updates of one workspace's program."""

    def __init__(self, space: Workspace, around: Surroundings | None = None) -> None:
        self._space = space
        self._around = around or Surroundings()
        self._folder = UpdatesFolder(space.folder)
        self._turn = threading.Lock()
        self._waiting: Waiting | None = None

    # ---- looking ---------------------------------------------------------------------------------------------------

    def state(self) -> UpdateState:
        """How it stands by what is on this machine; asks nobody."""
        settings = self._space.settings.updates
        installed, found = self._around.installed(), self._folder.found()
        packages = self._folder.packages()
        ready = next((one for one in packages if self._newer(one.version)), None)
        back = self._back(packages)
        state = UpdateState(
            installed=installed,
            kind=self._around.kind(),
            stage=UpdateStage.UNKNOWN,
            source=settings.source,
            previous=back.version if back is not None else None,
            minimum=settings.minimum_version,
            below_minimum=self._below_minimum(installed),
            checked_at=found.at if found is not None else None,
            error=KnownError(found.error, **found.facts) if found is not None and found.error is not None else None,
        )
        offered = found.release if found is not None else None
        if offered is not None and self._newer(offered.version):
            # What was withdrawn, or followed by another one, is no longer what is offered.
            if ready is not None and ready.release == offered:
                return replace(state, stage=UpdateStage.READY, release=offered, size=ready.length)
            stage = UpdateStage.OFFERED if self._around.machine().fits(offered) else UpdateStage.UNFIT
            return replace(state, stage=stage, release=offered, size=found.size if found is not None else 0)
        if ready is not None and (found is None or found.error is not None):
            return replace(state, stage=UpdateStage.READY, release=ready.release, size=ready.length)
        return replace(state, stage=UpdateStage.CURRENT) if found is not None and found.error is None else state

    def check(self, source: str | None = None) -> UpdateState:
        """Asks `source` (a folder or an address; None: that of the settings) and keeps what came of it.

        KnownError update_no_source, update_no_root, update_no_platform, and as `Fetching.newest`.
        """
        with self._turn, self._asked(source) as fetching:
            self._look(fetching)
        return self.state()

    # ---- bringing --------------------------------------------------------------------------------------------------

    def download(
        self,
        source: str | None = None,
        progress: Callable[[int, int], None] = lambda _done, _size: None,
        cancelled: Callable[[], bool] = never,
    ) -> UpdateState:
        """Brings the newest release; nothing where none is newer. Progress in bytes.

        KnownError as `check`, update_system_too_old, update_below_minimum, "interrupted", "disk_full".
        """
        with self._turn, self._asked(source) as fetching:
            release = self._look(fetching)
            if release is not None and self._newer(release.version):
                self._must_fit(release)
                fetching.download(progress, cancelled)
        return self.state()

    # ---- starting --------------------------------------------------------------------------------------------------

    def start(self, *, back: bool = False, again: bool = True) -> Started:
        """Prepares the installer of what is ready, or with `back` of the version before; it begins when this process
        ends. `again`: the window is opened afterwards.

        KnownError update_not_ready, update_no_way_back, update_batch_runs, update_other_window, update_below_minimum,
        update_altered, update_not_started.
        """
        with self._turn:
            package = self._chosen(back=back)
            if self._space.tokens_are_held:
                raise KnownError("update_batch_runs")
            if self._around.others():
                raise KnownError("update_other_window")
            file = self._folder.check(package)
            chosen = launch(self._around.kind(), file, back=back, pid=os.getpid(), again=again, environment=os.environ)
            if chosen.argv is None:
                return Started(package.version, waits=False, typed=chosen.typed)
            if self._waiting is None:  # a second click starts no second installer
                try:
                    self._waiting = self._around.start(chosen, again=_WINDOW if again else "")
                except OSError as error:
                    raise KnownError("update_not_started", file=str(file)) from error
            return Started(package.version, waits=True)

    # ---- inside ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _asked(self, source: str | None) -> Iterator[Fetching]:
        named = source or self._space.settings.updates.source
        if not named:
            raise KnownError("update_no_source")
        platform = self._around.machine().platform
        if platform is None:
            raise KnownError("update_no_platform")
        root = self._around.root()
        opened: Source = open_source(named, lambda: http_settings(self._space))
        try:
            yield Fetching(self._folder, root, opened, platform)
        except KnownError as error:
            if error.code != "interrupted":
                facts = {name: str(value) for name, value in error.params.items()}
                self._folder.keep_found(Found(at=self._space.now(), source=named, error=error.code, facts=facts))
            raise
        finally:
            opened.close()

    def _look(self, fetching: Fetching) -> Release | None:
        found = fetching.newest()
        release, size = found if found is not None else (None, 0)
        named = fetching.source_shown
        self._folder.keep_found(Found(at=self._space.now(), source=named, release=release, size=size))
        self._folder.prune(self._around.installed(), release)
        return release

    def _chosen(self, *, back: bool) -> Package:
        if back:
            package = self._back(self._folder.packages())
            if package is None:
                raise KnownError("update_no_way_back")
        else:
            release = self.state().release if self.state().stage is UpdateStage.READY else None
            package = next((one for one in self._folder.packages() if one.release == release), None)
            if package is None:
                raise KnownError("update_not_ready")
        self._must_fit(package.release)
        return package

    def _must_fit(self, release: Release) -> None:
        if not self._around.machine().fits(release):
            raise KnownError("update_system_too_old", version=release.version, needed=release.minimum_os or "")
        if self._below_minimum(release.version):
            minimum = self._space.settings.updates.minimum_version or ""
            raise KnownError("update_below_minimum", version=release.version, minimum=minimum)

    def _back(self, packages: tuple[Package, ...]) -> Package | None:
        ours = numbers(self._around.installed())
        return next((one for one in packages if numbers(one.version) < ours), None)

    def _newer(self, version: str) -> bool:
        return numbers(version) > numbers(self._around.installed())

    def _below_minimum(self, version: str) -> bool:
        minimum = self._space.settings.updates.minimum_version
        return minimum is not None and numbers(version) < numbers(minimum)
