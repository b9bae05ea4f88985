"""The red line over the incoming documents: hỏa tốc that nobody has answered for ten minutes, and the way to it.

UI thread.
"""

from collections.abc import Callable

from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame

from signer_ui.shell import Shell
from signer_ui.widgets.basics import button, label, row


class LoudStrip(QFrame):
    """Hidden while there is nothing to be heard."""

    def __init__(self, shell: Shell, go_to: Callable[[str], None]) -> None:
        super().__init__()
        theme = shell.theme
        self._go_to = go_to
        self._row_id: str | None = None
        self.setProperty("role", "notice-bad")
        self.told = label(role="strong", wrap=True)
        self.look = button(shell.words("ua_loud_look"), self._look, "danger")
        line = row(self.told, self.look, spacing=theme.space(2))
        line.setContentsMargins(theme.space(3), theme.space(1), theme.space(2), theme.space(1))
        line.setStretch(0, 1)
        self.setLayout(line)
        self.hide()

    def put(self, told: str, row_id: str | None) -> None:
        """Says this; nothing where it is empty. A screen reader hears it when it is about another document."""
        heard = self._row_id == row_id and not self.isHidden()
        self._row_id = row_id
        self.told.setText(told)
        self.setAccessibleName(told)
        self.setVisible(bool(told))
        if told and not heard:
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def _look(self) -> None:
        if self._row_id is not None:
            self._go_to(self._row_id)
