"""The line that shows how far a signing is, with the one way to end it without loss.

UI thread; decides nothing.
"""

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from signer_ui.theme import Theme
from signer_ui.widgets.basics import button, label
from signer_ui.words import Words


class SigningLine(QWidget):
    """Hidden until `begin`, hidden again after `end`. `stop` is called once, by the button."""

    def __init__(self, words: Words, theme: Theme, stop: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._what = label(role="strong")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self.stop_button = button(words("us_stop_after"), self.stopping)
        self._stop = stop
        lines = QVBoxLayout()
        lines.setSpacing(theme.space(1))
        lines.addWidget(self._what)
        lines.addWidget(self._bar)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(theme.space(3))
        outer.addLayout(lines, 1)
        outer.addWidget(self.stop_button)
        self.hide()

    def begin(self, text: str, total: int) -> None:
        """Signing has begun."""
        self.stop_button.setEnabled(True)
        self.stop_button.setText(self._words("us_stop_after"))
        self.tell(text, 0, total)
        self.show()

    def tell(self, text: str, done: int, total: int) -> None:
        """How far it is."""
        self._what.setText(text)
        self._bar.setMaximum(total)
        self._bar.setValue(done)
        self._bar.setAccessibleName(text)

    def end(self) -> None:
        """Signing is over."""
        self.hide()

    def stopping(self) -> None:
        """The person wants to stop: said at once, done when the document in hand is done."""
        if self.stop_button.isEnabled():
            self.stop_button.setEnabled(False)
            self.stop_button.setText(self._words("us_stopping"))
            self._stop()
