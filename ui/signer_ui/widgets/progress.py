"""Progress of work that takes over a second: a line with what, how far, and a way to stop.

UI thread.
"""

from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from signer_ui.tasks import Handle, Progress
from signer_ui.theme import Theme
from signer_ui.widgets.basics import button
from signer_ui.widgets.elided import Ticking
from signer_ui.words import Words

SHOW_AFTER_MS = 1000


class Bar(QProgressBar):
    """Painted with all the rest: at each step Qt's own would have the window painted there and then, with everything in
    it that waits to be painted.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setTextVisible(False)

    def put(self, done: int, total: int, name: str) -> None:
        """How far it is; a total of 0 is unknown. `name` is what a screen reader says."""
        self.setAccessibleName(name)
        if (self.value(), self.maximum()) == (done, total):
            return
        self.setUpdatesEnabled(False)
        self.setMaximum(total)
        self.setValue(done)
        self.setUpdatesEnabled(True)


class ProgressLine(QWidget):
    """Hidden until the work it follows has lasted a second; hidden again when told `end`."""

    def __init__(self, words: Words, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._stop: Callable[[], None] | None = None
        self._what = Ticking()
        self._bar = Bar()
        self._cancel = button(words("ui_cancel"), self._stopped)
        lines = QVBoxLayout()
        lines.setSpacing(theme.space(1))
        lines.addWidget(self._what)
        lines.addWidget(self._bar)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(theme.space(3))
        outer.addLayout(lines, 1)
        outer.addWidget(self._cancel)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.show)
        self.hide()

    def begin(self, key: str, stop: Callable[[], None] | Handle | None, *, at_once: bool = False) -> None:
        """Work has begun, `key` tells which; `stop` is called by the button *Dừng*, or its handle is cancelled."""
        self._stop = stop.cancel if isinstance(stop, Handle) else stop
        self._cancel.setVisible(self._stop is not None)
        self._cancel.setEnabled(True)
        self.tell(Progress(key, 0, 0))
        self._timer.start(0 if at_once else SHOW_AFTER_MS)

    def tell(self, progress: Progress) -> None:
        """How far it is; a total of 0 is unknown."""
        what = self._words(progress.key)
        told = f"{what} {progress.done}/{progress.total}" if progress.total else what
        self._what.put(told)
        self._bar.put(progress.done, progress.total, told)

    def end(self) -> None:
        """The work is over."""
        self._timer.stop()
        self._stop = None
        self.hide()

    def _stopped(self) -> None:
        if self._stop is not None:
            self._cancel.setEnabled(False)
            self._stop()
