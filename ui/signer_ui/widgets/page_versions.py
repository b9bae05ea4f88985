"""The choice between the file as it came and its repaired copy, above the pages.

UI thread; tells what is wanted, shows no page itself.
"""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QToolButton, QVBoxLayout, QWidget

from signer_ui.theme import Theme
from signer_ui.widgets.basics import label, row
from signer_ui.words import Words


class PageVersions(QFrame):
    """Hidden where nothing was repaired."""

    changed = Signal()

    def __init__(self, words: Words, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "notice-warn")
        self.before_button = self._choice(words("uk_before_repair"))
        self.after_button = self._choice(words("uk_after_repair"))
        self.after_button.setChecked(True)
        self._group = QButtonGroup(self)
        for one in (self.before_button, self.after_button):
            self._group.addButton(one)
        self._group.setExclusive(True)
        self._group.buttonToggled.connect(self._toggled)
        self._note = label(words("uk_before_repair_no_marks"), wrap=True)
        self._note.hide()
        lines = QVBoxLayout(self)
        lines.setContentsMargins(theme.space(3), theme.space(1), theme.space(2), theme.space(1))
        lines.setSpacing(theme.space(0.5))
        asked = label(words("uk_repaired"), wrap=True)
        line = row(asked, self.before_button, self.after_button, spacing=theme.space(1))
        line.setStretch(0, 1)
        lines.addLayout(line)
        lines.addWidget(self._note)
        self.hide()

    @property
    def before(self) -> bool:
        """Whether the file is wanted as it came."""
        return self.before_button.isChecked()

    def offer(self, repaired: bool, *, anew: bool) -> None:
        """Whether there is a choice at all; `anew`: another file, which is shown as it will be signed."""
        if anew or not repaired:
            self._group.blockSignals(True)
            self.after_button.setChecked(True)
            self._group.blockSignals(False)
            self._note.hide()
        self.setVisible(repaired)

    def _choice(self, text: str) -> QToolButton:
        made = QToolButton()
        made.setText(text)
        made.setCheckable(True)
        made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        return made

    def _toggled(self, _button: object, checked: bool) -> None:
        if checked:
            self._note.setVisible(self.before)
            self.changed.emit()
