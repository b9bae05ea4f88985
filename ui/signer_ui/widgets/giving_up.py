"""A document is to lose the number that is kept for it (Bỏ số): the reason is asked for in place, or all stays so.

UI thread; asks and tells, changes nothing itself.
"""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QVBoxLayout, QWidget

from signer_resources.errors import KnownError
from signer_ui.theme import Theme
from signer_ui.widgets.basics import button, label, row
from signer_ui.words import Words

_LONGEST = 300


class GivingUp(QFrame):
    """One question at a time; hidden while there is none. `back` gets the keyboard when it is answered."""

    def __init__(self, words: Words, theme: Theme, back: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words, self._back = words, back
        self._do: Callable[[str], None] | None = None
        self.setProperty("role", "notice-warn")
        self._what = label(role="strong", wrap=True)
        self._why = label(wrap=True)
        self.reason = QLineEdit()
        self.reason.setMaxLength(_LONGEST)
        self.reason.setPlaceholderText(words("uk_give_up_reason"))
        self.reason.setAccessibleName(words("uk_give_up_reason"))
        self.reason.textChanged.connect(self._enable)
        self.reason.returnPressed.connect(self._answer)
        self.yes = button(words("uk_give_up"), self._answer, "danger")
        self.no = button(words("uk_keep_number"), self.put_away)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(theme.space(3), theme.space(2), theme.space(3), theme.space(2))
        lines.setSpacing(theme.space(1))
        lines.addWidget(self._what)
        lines.addWidget(self._why)
        asked = row(self.reason, self.yes, self.no, spacing=theme.space(2))
        asked.setStretch(0, 1)
        lines.addLayout(asked)
        self.hide()

    def ask(self, error: KnownError, do: Callable[[str], None]) -> None:
        """Asks for the reason; `do` is called with it."""
        told = self._words.explain(error)
        self._do = do
        self._what.setText(told.what)
        self._why.setText(" ".join(part for part in (told.why, told.do) if part))
        self.setAccessibleName(str(told))
        self.reason.clear()
        self._enable()
        self.show()
        self.reason.setFocus()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def put_away(self) -> None:
        """The number is kept, and everything stays as it was."""
        asked, self._do = self.isVisible(), None
        self.hide()
        if asked:
            self._back()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Esc leaves everything as it was."""
        if event.key() == Qt.Key.Key_Escape:
            self.put_away()
        else:
            super().keyPressEvent(event)

    def _enable(self) -> None:
        self.yes.setEnabled(bool(self.reason.text().strip()))

    def _answer(self) -> None:
        do, reason = self._do, " ".join(self.reason.text().split())
        if do is not None and reason:
            self.put_away()
            do(reason)
