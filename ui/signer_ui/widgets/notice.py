"""An error or a piece of news in place: what happened, why, what to do, and details to copy.

UI thread.
"""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from signer_resources.errors import KnownError
from signer_ui.theme import Theme
from signer_ui.widgets.basics import button, label, repolish
from signer_ui.words import Words

Action = tuple[str, Callable[[], None]]
"""A button of a notice: its words, and what it does."""


class Notice(QFrame):
    """One notice at a time; hidden while there is none. A new one takes the place of the old."""

    visibility_changed = Signal(bool)

    def __init__(self, words: Words, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._details = ""
        self.setProperty("role", "notice-bad")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._what = label(role="strong", wrap=True)
        self._why = label(wrap=True)
        self._do = label(wrap=True)
        for part in (self._what, self._why, self._do):
            part.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
            part.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._copy = button(words("ui_copy_details"), self._copy_details, "quiet")
        self._close = button(words("ui_close_notice"), self.clear, "quiet")
        self._actions = QHBoxLayout()
        self._actions.setSpacing(theme.space(2))
        lines = QVBoxLayout()
        lines.setSpacing(theme.space(0.5))
        for part in (self._what, self._why, self._do):
            lines.addWidget(part)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(theme.space(3), theme.space(2), theme.space(2), theme.space(2))
        outer.setSpacing(theme.space(2))
        outer.addLayout(lines, 1)
        outer.addLayout(self._actions)
        outer.addWidget(self._copy)
        outer.addWidget(self._close)
        self.hide()

    def error(self, error: KnownError, *actions: Action) -> None:
        """Shows an error of the catalogue."""
        told = self._words.explain(error)
        facts = "\n".join(f"{key}: {value}" for key, value in sorted(error.params.items()))
        self._details = "\n".join(part for part in (error.code, str(told), facts) if part)
        self._show("notice-bad", told.what, told.why, told.do, actions)
        self._copy.show()

    def tell(self, what: str, *actions: Action, why: str = "", do: str = "", role: str = "notice-good") -> None:
        """Shows news: `role` is notice-good, notice-warn or notice-bad; the texts are ready to be read."""
        self._show(role, what, why, do, actions)
        self._copy.hide()

    def clear(self) -> None:
        """Shows nothing."""
        self.hide()
        self.visibility_changed.emit(False)

    @property
    def text(self) -> str:
        """What is shown now, in one text; empty while hidden."""
        if self.isHidden():
            return ""
        return "\n".join(part.text() for part in (self._what, self._why, self._do) if part.text())

    def _show(self, role: str, what: str, why: str, do: str, actions: tuple[Action, ...]) -> None:
        for part, words in ((self._what, what), (self._why, why), (self._do, do)):
            part.setText(words)
            part.setVisible(bool(words))
        while (item := self._actions.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for words, act in actions:
            self._actions.addWidget(button(words, act))
        repolish(self, "role", role)
        self.setAccessibleName(" ".join(part for part in (what, why, do) if part))
        self.visibility_changed.emit(True)
        self.show()
        # Loaded here, for the window has a notice and is painted before one is shown.
        from PySide6.QtGui import QAccessible, QAccessibleEvent

        # A screen reader tells it without the focus moving.
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def _copy_details(self) -> None:
        QGuiApplication.clipboard().setText(self._details)
