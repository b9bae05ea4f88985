"""Parts of the pane of outgoing documents that stand by themselves: where files are dropped, and the secrecy notice.

UI thread; they draw and tell what was pressed.
"""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QCheckBox, QFrame, QVBoxLayout, QWidget

from signer_resources.errors import KnownError
from signer_ui.theme import Theme
from signer_ui.widgets.basics import button, label, repolish, row
from signer_ui.words import Words


class DropCard(QFrame):
    """The empty list: an invitation to bring documents."""

    def __init__(
        self, words: Words, theme: Theme, add: Callable[[], None], add_folder: Callable[[], None], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setProperty("role", "drop")
        what = label(words("uo_drop"), "title", wrap=True)
        more = label(words("uo_drop_more"), "muted", wrap=True)
        self.add = button(words("uo_add"), add, "primary")
        for text in (what, more):
            text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(*[theme.space(8)] * 4)
        lines.setSpacing(theme.space(4))
        lines.addStretch(1)
        lines.addWidget(what)
        lines.addWidget(more)
        lines.addLayout(row(1, self.add, button(words("uo_add_folder"), add_folder), 1, spacing=theme.space(2)))
        lines.addStretch(2)

    def light_up(self, over: bool) -> None:
        """Shows that files hang over it."""
        repolish(self, "over", "true" if over else "false")


class SecretCard(QFrame):
    """Files with a secrecy mark were met: told strongly, and not put away by a single click."""

    def __init__(self, words: Words, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._names: tuple[str, ...] = ()
        self.setProperty("role", "notice-bad")
        told = words.explain(KnownError("secret"))
        self._files = label(wrap=True)
        self._told = QCheckBox(words("uo_secret_told"))
        self._close = button(words("uo_secret_close"), self._put_away)
        self._told.toggled.connect(self._close.setEnabled)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(theme.space(3), theme.space(2), theme.space(3), theme.space(2))
        lines.setSpacing(theme.space(1))
        lines.addWidget(label(told.what, "heading", wrap=True))
        lines.addWidget(label(told.why, wrap=True))
        lines.addWidget(label(told.do, "strong", wrap=True))
        lines.addWidget(self._files)
        lines.addLayout(row(self._told, 1, self._close))
        self.setAccessibleName(str(told))
        self.hide()

    @property
    def names(self) -> tuple[str, ...]:
        """The files told of now."""
        return self._names

    def tell(self, names: tuple[str, ...]) -> None:
        """Tells of files; they join those that nobody has put away yet."""
        if not names:
            return
        self._names = (*self._names, *names)
        self._files.setText(self._words("uo_secret_files", names=", ".join(self._names)))
        self._told.setChecked(False)
        self._close.setEnabled(False)
        self.show()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def _put_away(self) -> None:
        self._names = ()
        self._files.clear()
        self.hide()
