"""What the program does by itself while nobody works: timestamps and validation data for documents that lack them.

UI thread; the work is done on a lane of its own. Begins when for a while no key and no button was pressed and nothing
else runs, and is cut when somebody comes back; a person may want it now, too. Shows nothing and interrupts nobody: how
things stand is told by the machine check.
"""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication

from signer_app.desk.exchange import Link
from signer_resources.errors import KnownError
from signer_ui.tasks import Handle, Lane, Tasks

if TYPE_CHECKING:
    # Loaded with the first run, not with the window.
    from signer_app.levels.later import LaterResult

LOOK_EVERY_MS = 20_000
IDLE_S = 60.0
"""So long nobody has touched anything."""
AGAIN_AFTER_S = 600.0
"""Between two runs when the last one left nothing that could be done at once."""
_TOUCHES = frozenset(
    {QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress, QEvent.Type.Wheel, QEvent.Type.TouchBegin, QEvent.Type.Drop}
)


class QuietWork(QObject):
    """Runs what can wait. `work` is told how to hear that it is cut, and whether a person wants it now; `allowed` says
    whether it may begin by itself, as far as others know. `others` are asked in each quiet moment, one after the other,
    until one of them says that it has begun something; that is not cut when somebody comes back.
    """

    raised = Signal()
    """Documents have reached a higher level."""
    ran = Signal()
    """A run is over, whatever came of it."""

    def __init__(
        self,
        tasks: Tasks,
        work: "Callable[[Callable[[], bool], bool], LaterResult]",
        allowed: Callable[[], bool],
        parent: QObject | None = None,
        clock: Callable[[], float] = time.monotonic,
        others: Sequence[Callable[[], bool]] = (),
    ) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._others = tuple(others)
        self._work = work
        self._allowed = allowed
        self._clock = clock
        self._touched = clock()
        self._next = 0.0
        self._run: Handle | None = None
        self.wanted = False
        """A person wants it now, and it has not ended yet."""
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)

    def start(self) -> None:
        """Begins to wait for a quiet moment."""
        self._touched = self._clock()
        self._timer.start(LOOK_EVERY_MS)

    def stop(self) -> None:
        """Ends what runs, as soon as it can be ended without loss."""
        self._timer.stop()
        self.wanted = False
        self._cut()

    def hurry(self) -> None:
        """Something has changed: the next quiet moment is taken."""
        self._next = 0.0

    def look(self) -> None:
        """Begins a run where the moment is quiet."""
        for window in QGuiApplication.topLevelWindows():
            # Again for those that have it already: Qt keeps one.
            window.installEventFilter(self)
        now = self._clock()
        if now - self._touched < IDLE_S or self._tasks.busy or any(begin() for begin in self._others):
            return
        if now >= self._next and self._allowed():
            self._begin()

    def run_now(self) -> None:
        """A person wants it: begins at once, or after the run that this very press has cut; no touch cuts it."""
        if not self.wanted:
            self.wanted = True
            self._begin()

    def _begin(self) -> None:
        work, wanted = self._work, self.wanted
        self._run = self._tasks.run(
            self,
            Lane.LATER,
            lambda control: work(lambda: control.cancelled, wanted),
            lambda result: self._ended(result, wanted),
            failed=lambda error: self._failed(error, wanted),
        )

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Notes that somebody is there; takes nothing away."""
        if event.type() in _TOUCHES:
            self._touched = self._clock()
            self._cut()
        return False

    def _cut(self) -> None:
        if self._run is not None and self._run.running and not self.wanted:
            self._run.cancel()

    def _ended(self, result: "LaterResult", wanted: bool) -> None:
        self.wanted = self.wanted and not wanted
        # What was cut, or came nearer, goes on in the next quiet moment.
        done = result.raised == 0 or result.stopped is not None
        self._next = self._clock() + AGAIN_AFTER_S if done else 0.0
        if result.raised:
            self.raised.emit()
        self.ran.emit()

    def _failed(self, error: KnownError, wanted: bool) -> None:
        self.wanted = self.wanted and not wanted
        self._next = self._clock() + AGAIN_AFTER_S
        # Where nobody asked, nobody is told: a fault of our own stands in the log, the rest in the machine check.
        if wanted and error.code != "interrupted":
            self._tasks.unhandled.emit(error)
        self.ran.emit()


def network_is_there(link: Link) -> bool:
    """Whether it is worth asking: only a server that was asked in vain speaks against it."""
    return link is not Link.AWAY
