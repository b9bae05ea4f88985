"""An error or a piece of news in place: what happened, why, what to do, and details to copy.

UI thread.
"""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget
from shiboken6 import isValid

from signer_resources.errors import KnownError
from signer_ui.theme import Theme
from signer_ui.widgets.basics import button, label, repolish
from signer_ui.words import Words

Action = tuple[str, Callable[[], None]]
"""A button of a notice: its words, and what it does."""

_LOW = 160
"""Units of height below which a window has no lines to spare."""


class Notice(QFrame):
    """One notice at a time; hidden while there is none. A new one takes the place of the old."""

    visibility_changed = Signal(bool)

    def __init__(self, words: Words, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._theme = theme
        self._details = ""
        self._told = ("", "", "")
        self._ways: tuple[QPushButton, ...] = ()
        self._before: QWidget | None = None
        """What had the keyboard before it was led here."""
        self._question = False
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
        self._outer = outer
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

    def tell(
        self,
        what: str,
        *actions: Action,
        why: str = "",
        do: str = "",
        role: str = "notice-good",
        question: bool = False,
    ) -> None:
        """Shows news: `role` is notice-good, notice-warn or notice-bad; the texts are ready to be read.

        A question is answered by one of its actions, and Esc is its last.
        """
        self._show(role, what, why, do, actions, question=question)
        self._copy.hide()

    def clear(self) -> None:
        """Shows nothing; the keyboard goes back to where it was before it was led here."""
        back = self._way_back()
        self.hide()
        if back is not None:
            back.setFocus()
        self.visibility_changed.emit(False)

    @property
    def text(self) -> str:
        """What is shown now, in one text; empty while hidden."""
        if self.isHidden():
            return ""
        return "\n".join(part for part in self._told if part)

    def focus_action(self) -> None:
        """Leads the keyboard to the first action, if there is one."""
        if self._ways:
            focus = QApplication.focusWidget()
            if focus is not None and not self.isAncestorOf(focus):
                self._before = focus
            self._ways[0].setFocus()

    def _way_back(self) -> QWidget | None:
        """Where the keyboard goes from here; None: it isn't here, or was brought here by the person."""
        focus, before = QApplication.focusWidget(), self._before
        self._before = None
        if before is None or not isValid(before) or focus is None or not self.isAncestorOf(focus):
            return None
        return before if before.isVisible() and before.isEnabled() else None

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Esc in one of its buttons puts it away; a question is answered with its last action."""
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif self._question and self._ways:
            self._ways[-1].click()
        else:
            self.clear()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """In a low window there are fewer lines."""
        super().resizeEvent(event)
        self._set_lines()

    def _set_lines(self) -> None:
        """What, why and what to do have a line each; in a low window the last two share one."""
        space, (what, why, do) = self._theme.space, self._told
        low = self.window().height() < space(_LOW)
        if low:
            why, do = " ".join(part for part in (why, do) if part), ""
        for part, words in ((self._what, what), (self._why, why), (self._do, do)):
            part.setText(words)
            part.setVisible(bool(words))
        above = space(1 if low or not (why or do) else 2)
        self._outer.setContentsMargins(space(3), above, space(2), above)

    def _show(
        self, role: str, what: str, why: str, do: str, actions: tuple[Action, ...], *, question: bool = False
    ) -> None:
        self._told = (what, why, do)
        self._question = question
        self._close.setVisible(not question)
        self._set_lines()
        back = self._way_back()
        if back is not None:
            back.setFocus()
        while (item := self._actions.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        self._ways = tuple(button(words, act) for words, act in actions)
        for way in self._ways:
            self._actions.addWidget(way)
            # At once, so that it can be led to.
            way.show()
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
