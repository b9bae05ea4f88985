"""Collects Python's garbage on the UI thread alone, a little at a time; and lets thousands of things go likewise.

Qt objects must die on the thread where they live, but Python's collector runs on whatever thread happens to allocate;
a widget in a reference cycle would then be destroyed by a lane. So the collector is switched off and swept here. What
ten thousand rows are made of is looked through once and then left alone until nobody is at the window.
"""

import gc
from collections.abc import Iterable

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

_EVERY_MS = 100
_YOUNG = 700
"""So many new objects before a sweep is worth its while, as Python's own collector has it."""
_MANY = 10_000
"""So many are swept at once: a few milliseconds. Fewer wait up to `_WAIT` looks."""
_WAIT = 10
_OLD = 50_000
"""So many older ones are swept together: some twenty milliseconds. More are left for when nobody is at the window."""
_OLD_EVERY = 600
"""Looks between two sweeps of the older ones."""
_ALL_EVERY = 6000
"""Looks at least between two sweeps of everything, which stop the screen for tenths of a second."""


_GO_EVERY_MS = 20
_GO_TOGETHER = 200
"""So many go at once, with all that they are made of."""


class LettingGo(QObject):
    """Holds what was replaced, and drops it a little at a time: ten thousand rows that die at once are a gap. For who
    lets go of them last.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._held: list[object] = []
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._drop)

    def add(self, things: Iterable[object]) -> None:
        """These are wanted no more by whoever hands them over."""
        self._held.extend(things)
        if self._held and not self._timer.isActive():
            self._timer.start(_GO_EVERY_MS)

    def _drop(self) -> None:
        del self._held[-_GO_TOGETHER:]
        if not self._held:
            self._timer.stop()


class Sweeper(QObject):
    """The one collector of the process while it lives."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._looks = self._waited = self._since_all = 0
        self._old = 0
        """At most so many older ones were not left alone yet."""
        self._left = False
        """Whether some were."""
        self._timer = QTimer(self)
        self._timer.timeout.connect(lambda: self.look(away=QApplication.activeWindow() is None))

    def start(self) -> None:
        """Takes over from Python's collector."""
        gc.disable()
        self._timer.start(_EVERY_MS)

    def settle(self) -> None:
        """What is loaded by now stays for good; looking through it all would stop the screen for 0.2 seconds."""
        self._leave_alone()
        self._left = False

    def stop(self) -> None:
        """Gives the collecting back."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()

    def look(self, *, away: bool) -> None:
        """Sweeps what it is time for; `away`: nobody is at the window, so nobody sees it stand still."""
        self._looks += 1
        self._waited += 1
        self._since_all += 1
        young = gc.get_count()[0]
        if young > _MANY or (young > _YOUNG and self._waited >= _WAIT):
            self._waited = 0
            self._old += young
            gc.collect(1)
        if self._old > _OLD:
            # Most of them are rows; those that are in no cycle go without a sweep.
            self._leave_alone()
        elif self._looks % _OLD_EVERY == 0:
            gc.collect(2)
        if away and self._left and self._since_all >= _ALL_EVERY:
            gc.unfreeze()
            gc.collect(2)
            self._leave_alone()
            self._left, self._since_all = False, 0

    def _leave_alone(self) -> None:
        gc.freeze()
        self._old, self._left = 0, True
