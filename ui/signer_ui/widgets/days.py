"""Two fields for the days from which and up to which something is used. UI thread.

Takes text as it is typed, 18/11/2026 or nothing; the form around it says what is wrong.
"""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget

from signer_ui.theme import Theme
from signer_ui.widgets.basics import row
from signer_ui.words import Words

_NARROWEST, _WIDEST = 28, 36
"""Units of spacing; the widest has room for the words that stand for no day."""
_LONGEST = 20


class DaysEditor(QWidget):
    """Edits both days; `of` is told to a screen reader before their names."""

    changed = Signal()

    def __init__(self, words: Words, theme: Theme, of: str = "") -> None:
        super().__init__()
        self.begins, self.ends = (self._field(words, theme) for _side in range(2))
        parts: list[QWidget | int] = []
        for key, field in (("ub_days_from", self.begins), ("ub_days_to", self.ends)):
            title = QLabel(words(key))
            title.setBuddy(field)
            field.setAccessibleName(f"{of} {words(key)}".replace("&", "").strip())
            parts += [title, field]
        self.setLayout(row(*parts, 1, spacing=theme.space(2)))

    def _field(self, words: Words, theme: Theme) -> QLineEdit:
        field = QLineEdit()
        field.setMaxLength(_LONGEST)
        field.setMinimumWidth(theme.space(_NARROWEST))
        field.setMaximumWidth(theme.space(_WIDEST))
        field.setPlaceholderText(words("ub_days_none"))
        field.setToolTip(words("ub_days_tip"))
        field.textChanged.connect(lambda _text: self.changed.emit())
        return field

    def setFocus(self, *_reason: Qt.FocusReason) -> None:  # noqa: N802 - Qt's name
        """The first day gets the keyboard."""
        self.begins.setFocus()

    @property
    def value(self) -> tuple[str, str]:
        """Both texts."""
        return self.begins.text(), self.ends.text()

    def set_value(self, begins: str, ends: str) -> None:
        """Shows these; tells nobody."""
        for field, text in ((self.begins, begins), (self.ends, ends)):
            if field.text() != text:
                field.blockSignals(True)
                field.setText(text)
                field.blockSignals(False)
