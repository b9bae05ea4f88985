"""Collects Python's garbage on the UI thread alone, a little at a time.

Qt objects must die on the thread where they live, but Python's collector runs on whatever thread happens to allocate;
a widget in a reference cycle would then be destroyed by a lane. So the collector is switched off and swept here.
"""

import gc

from PySide6.QtCore import QObject, QTimer

_EVERY_MS = 1000
_YOUNG = 700
"""So many new objects before a sweep is worth its while, as Python's own collector has it."""
_WHOLE_EVERY = 60
"""Sweeps of the young between two of everything that has come since the start."""


class Sweeper(QObject):
    """The one collector of the process while it lives."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rounds = 0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._sweep)

    def start(self) -> None:
        """Takes over from Python's collector."""
        gc.disable()
        self._timer.start(_EVERY_MS)

    def settle(self) -> None:
        """What is loaded by now stays for good; looking through it all would stop the screen for 0.2 seconds."""
        gc.freeze()

    def stop(self) -> None:
        """Gives the collecting back."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()

    def _sweep(self) -> None:
        self._rounds += 1
        if self._rounds % _WHOLE_EVERY == 0:
            gc.collect(2)
        elif gc.get_count()[0] > _YOUNG:
            gc.collect(1)
