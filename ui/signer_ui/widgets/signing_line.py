"""The line that shows how far a signing is, and what a person may do meanwhile: pause, leave out, hurry, stop.

UI thread; decides nothing.
"""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from signer_ui.presenters.figures import count
from signer_ui.presenters.pace import LineText
from signer_ui.theme import Theme
from signer_ui.widgets.basics import button
from signer_ui.widgets.elided import Ticking
from signer_ui.widgets.progress import Bar
from signer_ui.words import Words


class SigningLine(QWidget):
    """Hidden until `begin`, hidden again after `end`."""

    stop_wanted = Signal()
    pause_wanted = Signal(bool)
    """True: pause, False: go on."""
    skip_wanted = Signal()
    urgent_wanted = Signal()

    def __init__(self, words: Words, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._paused = False
        self._stopping = False
        self._what, self._more = Ticking("", "strong"), Ticking("", "muted")
        self._bar = Bar()
        self.urgent = button("", self.urgent_wanted.emit, "danger")
        self.urgent.setToolTip(words("ul_urgent_tip"))
        self.skip = button(words("ul_skip"), self.skip_wanted.emit)
        self.skip.setToolTip(words("ul_skip_tip"))
        self.pause = button(words("ul_pause"), self._pause_pressed)
        self.stop = button(words("ul_stop"), self._stop_pressed)
        lines = QVBoxLayout()
        lines.setSpacing(theme.space(1))
        for part in (self._what, self._bar, self._more):
            lines.addWidget(part)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(theme.space(2))
        outer.addLayout(lines, 1)
        for way in (self.urgent, self.skip, self.pause, self.stop):
            outer.addWidget(way)
        self.offer(skip=False, urgent=0)
        self.hide()

    def begin(self, text: LineText, total: int) -> None:
        """Signing has begun."""
        self._paused = self._stopping = False
        self.pause.setEnabled(True)
        self.pause.setText(self._words("ul_pause"))
        self.stop.setEnabled(True)
        self.stop.setText(self._words("ul_stop"))
        self.offer(skip=False, urgent=0)
        self.tell(text, 0, total)
        self.show()

    def tell(self, text: LineText, done: int, total: int) -> None:
        """How far it is."""
        self._what.put(text.what)
        self._more.put(text.more)
        self._bar.put(done, total, text.what)

    def offer(self, *, skip: bool, urgent: int) -> None:
        """Whether something chosen may be left out, and how many could be signed at once."""
        self.skip.setVisible(skip)
        self.urgent.setVisible(urgent > 0)
        self.urgent.setText(self._words("ul_urgent", count=count(urgent, self._words)))

    def end(self) -> None:
        """Signing is over."""
        self.hide()

    def stopping(self) -> None:
        """It will end: said at once, done when what is in hand is done."""
        if self._stopping:
            return
        self._stopping = True
        for way in (self.stop, self.pause):
            way.setEnabled(False)
        self.offer(skip=False, urgent=0)
        self.stop.setText(self._words("us_stopping"))

    @property
    def is_stopping(self) -> bool:
        """Whether its end was asked for."""
        return self._stopping

    def _stop_pressed(self) -> None:
        self.stop_wanted.emit()

    def _pause_pressed(self) -> None:
        self._paused = not self._paused
        self.pause.setText(self._words("ul_go_on" if self._paused else "ul_pause"))
        self.pause_wanted.emit(self._paused)
