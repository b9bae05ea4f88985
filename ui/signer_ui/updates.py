"""Updates while the window is open: whether there is one, looked for once a day in a quiet moment, and bringing it.

UI thread; the work is done on the lane of what can wait. Nothing is brought or started by itself, and nobody is
interrupted: that there is a newer version stands in the bar and on the home screen.
"""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from signer_app.store.settings import Settings
from signer_resources.errors import KnownError
from signer_ui.tasks import Control, Handle, Lane, Progress, Tasks

if TYPE_CHECKING:
    # Loaded where it is asked, not with the window.
    from signer_app.desk.desk import Desk
    from signer_app.desk.updating import Started, UpdateState

FIRST_LOOK_MS = 5000
"""After the start: the tabs come first."""
ASK_EVERY = dt.timedelta(days=1)


class Updates(QObject):
    """The updates of one desk's program."""

    changed = Signal()
    """`state` or `running` is another."""
    told = Signal(object)
    """Progress of what a person waits for."""
    failed = Signal(object)
    """The KnownError that ended what a person waited for."""
    started = Signal(object)
    """Started: the installer waits for the program's end, or a person does the rest."""

    def __init__(
        self, desk: "Desk", tasks: Tasks, settings: Callable[[], Settings], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._tasks = tasks
        self._settings = settings
        self._run: Handle | None = None
        self._asked_at: dt.datetime | None = None
        self.state: UpdateState | None = None
        """As it was last looked at; None before that."""
        self._first = QTimer(self)
        self._first.setSingleShot(True)
        self._first.timeout.connect(self.look)

    def start(self) -> None:
        """Looks for the first time, soon; asks nobody."""
        self._first.start(FIRST_LOOK_MS)

    def stop(self) -> None:
        """Ends what runs as soon as it can be."""
        self._first.stop()
        self.cancel()

    @property
    def running(self) -> bool:
        """Whether something is asked or brought."""
        return self._run is not None and self._run.running

    def look(self) -> None:
        """How it stands by what is on this machine."""
        desk = self._desk
        self._tasks.run(
            self, Lane.LATER, lambda _control: desk.updating.state(), self._came, failed=lambda _error: None
        )

    def begin_if_due(self) -> bool:
        """In a quiet moment: asks once a day where the settings name a source; whether it did."""
        state, now = self.state, self._desk.now()
        if self.running or state is None or not self._settings().updates.source:
            return False
        last = max((at for at in (state.checked_at, self._asked_at) if at is not None), default=None)
        if last is not None and last <= now < last + ASK_EVERY:
            return False
        self._asked_at, desk = now, self._desk
        self._run = self._tasks.run(
            self, Lane.LATER, lambda _control: desk.updating.check(), self._came, failed=lambda _error: self.look()
        )
        return True

    def check(self, source: str | None = None) -> None:
        """A person asks whether there is one; `source`: there, and not where the settings say."""
        desk = self._desk
        self._begin(lambda _control: desk.updating.check(source))

    def download(self, source: str | None = None) -> None:
        """A person wants it here."""
        desk = self._desk

        def work(control: Control) -> "UpdateState":
            return desk.updating.download(
                source,
                lambda done, size: control.progress("update_progress", done >> 20, size >> 20),
                lambda: control.cancelled,
            )

        self._begin(work)

    def install(self, *, back: bool = False) -> None:
        """A person wants it installed when the program has been closed; `back`: the version before."""
        desk = self._desk

        def done(begun: "Started") -> None:
            self._run = None
            self.changed.emit()
            self.started.emit(begun)

        self._run = self._tasks.run(
            self, Lane.LATER, lambda _control: desk.updating.start(back=back), done, failed=self._not_done
        )
        self.changed.emit()

    def cancel(self) -> None:
        """A person wants it no longer."""
        if self._run is not None:
            self._run.cancel()

    def _begin(self, work: "Callable[[Control], UpdateState]") -> None:
        if self.running:
            return
        self._run = self._tasks.run(self, Lane.LATER, work, self._came, failed=self._not_done, progress=self._progress)
        self.changed.emit()

    def _progress(self, progress: Progress) -> None:
        self.told.emit(progress)

    def _came(self, state: "UpdateState") -> None:
        self.state = state
        self.changed.emit()

    def _not_done(self, error: KnownError) -> None:
        self._run = None
        if error.code != "interrupted":
            self.failed.emit(error)
        self.look()
        self.changed.emit()
