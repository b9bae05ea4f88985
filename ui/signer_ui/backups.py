"""Backups while the window is open: the day's one in a quiet moment, one that a person wants now, and how they stand.

UI thread; the work is done on the lane of what can wait. A person is told of a backup that they asked for; what came of
the others stands in the settings, on the home screen and in the machine check.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from signer_app.store.settings import Settings
from signer_resources.errors import KnownError
from signer_ui.tasks import Control, Handle, Lane, Progress, Tasks

if TYPE_CHECKING:
    # Loaded where it is asked, not with the window.
    from signer_app.backup.making import Made
    from signer_app.desk.backing_up import AfterRestore, BackupSnapshot
    from signer_app.desk.desk import Desk

FIRST_LOOK_MS = 3000
"""After the start: the tabs come first."""
ASK_EVERY_S = 600.0
"""So often a quiet moment is asked whether the day's backup is due."""


class Backups(QObject):
    """The backups of one desk."""

    changed = Signal()
    """`state`, `after` or `running` is another."""
    told = Signal(object)
    """Progress of the backup that a person wanted."""
    ended = Signal(object)
    """Of the backup that a person wanted: Made, or the KnownError that ended it."""

    def __init__(
        self,
        desk: "Desk",
        tasks: Tasks,
        settings: Callable[[], Settings],
        parent: QObject | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._tasks = tasks
        self._settings = settings
        self._clock = clock
        self._next = 0.0
        self._run: Handle | None = None
        self._looks: list[Handle] = []
        self.state: BackupSnapshot | None = None
        """As it was last looked at; None before that."""
        self.after: AfterRestore | None = None
        """What a restore has left to be said; None before it was looked at."""
        self.wanted = False
        """A person waits for the backup that runs."""
        self._first = QTimer(self)
        self._first.setSingleShot(True)
        self._first.timeout.connect(lambda: self.look(make_up=True))

    def start(self) -> None:
        """Looks for the first time, soon."""
        self._first.start(FIRST_LOOK_MS)

    def stop(self) -> None:
        """Ends what runs as soon as it can be; what was made before stays."""
        self._first.stop()
        if self._run is not None:
            self._run.cancel()

    @property
    def running(self) -> bool:
        """Whether a backup is being made."""
        return self._run is not None and self._run.running

    def look(self, *, make_up: bool = False) -> None:
        """Looks how they stand. `make_up`: one that was missed yesterday is made at once."""
        desk = self._desk
        self.look_after_restore()

        def came(state: "BackupSnapshot") -> None:
            self.state = state
            self.changed.emit()
            if make_up and state.missed:
                self._begin(wanted=False)

        # A share that is away lets one wait for a minute: on this lane nobody waits behind it.
        self._ask(lambda _control: desk.backing_up.look(), came)

    def look_after_restore(self) -> None:
        """Looks what a restore has left to be said."""
        desk = self._desk

        def came(after: "AfterRestore") -> None:
            if after != self.after:
                self.after = after
                self.changed.emit()

        self._ask(lambda _control: desk.backing_up.after_restore(), came)

    def store_changed(self) -> None:
        """A pass may have settled some of it."""
        if self.after is not None and self.after.open and not any(look.running for look in self._looks):
            self.look_after_restore()

    def begin_if_due(self) -> bool:
        """In a quiet moment: begins the day's backup if there was none; whether it did."""
        if self.running or self._clock() < self._next or not self._settings().backup.is_set:
            return False
        self._begin(wanted=False)
        return True

    def make_now(self) -> None:
        """Sao lưu ngay; one that is being made by itself is the one that is wanted."""
        if self.running:
            self.wanted = True
            self.changed.emit()
            return
        self._begin(wanted=True)

    def cancel(self) -> None:
        """A person wants it no longer."""
        if self._run is not None:
            self._run.cancel()

    def _begin(self, *, wanted: bool) -> None:
        desk = self._desk
        self.wanted = wanted

        def work(control: Control) -> "Made | None":
            if not wanted:
                return desk.backing_up.run_if_due(lambda: control.cancelled)
            return desk.backing_up.make(
                lambda done, count: control.progress("backup_progress", done, count), lambda: control.cancelled
            )

        self._run = self._tasks.run(self, Lane.LATER, work, self._made, failed=self._made, progress=self._progress)
        self.changed.emit()

    def _progress(self, progress: Progress) -> None:
        self.told.emit(progress)

    def _made(self, came: "Made | KnownError | None") -> None:
        wanted, self.wanted = self.wanted, False
        self._next = self._clock() + ASK_EVERY_S
        self._run = None
        if wanted:
            self.ended.emit(came)
        self.look()
        self.changed.emit()

    def _ask(self, work: Callable[[Control], object], came: Callable[..., None]) -> None:
        self._looks = [look for look in self._looks if look.running]
        # What can't be looked at has a light of its own in the machine check.
        self._looks.append(self._tasks.run(self, Lane.LATER, work, came, failed=lambda _error: None))
