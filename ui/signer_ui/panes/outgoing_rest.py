"""What a stopped batch has left is to stay unsigned (Bỏ phần còn lại): asked in place, never done by one press.

UI thread; the store is read and written on the quick lane. Documents stay in the list as they were, no file is touched.
"""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QVBoxLayout, QWidget
from shiboken6 import isValid

from signer_resources.errors import KnownError
from signer_ui.panes import outgoing_work as work
from signer_ui.presenters.figures import count
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.widgets.basics import button, label, row


class RestQuestion(QFrame):
    """One question at a time; hidden while there is none."""

    given_up = Signal(int)
    """So many files stay unsigned."""
    failed = Signal(object)
    """KnownError; nothing was changed."""

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        words, space = shell.words, shell.theme.space
        self._shell = shell
        self._batch: str | None = None
        self._wanted: str | None = None
        """Asked for; None once the question was put away, also before it could be shown."""
        self._before: QWidget | None = None
        """What had the keyboard before it was asked."""
        self.setProperty("role", "notice-warn")
        self._what = label(role="strong", wrap=True)
        self.yes = button(words("ul_rest_yes"), self._answer, "danger")
        self.no = button(words("ul_rest_no"), self.put_away)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(space(3), space(2), space(3), space(2))
        lines.setSpacing(space(1))
        lines.addWidget(self._what)
        lines.addWidget(label(words("ul_rest_why"), wrap=True))
        lines.addLayout(row(1, self.yes, self.no, spacing=space(2)))
        self.hide()

    def ask(self, batch: str) -> None:
        """Asks whether the rest of this batch is to stay unsigned."""
        desk, self._wanted = self._shell.desk, batch
        self._shell.tasks.run(
            self, Lane.QUICK, lambda _control: work.rest_of(desk, batch), lambda left: self._ask(batch, left)
        )

    def put_away(self) -> None:
        """The batch can be gone on with as before."""
        self._batch = self._wanted = None
        held = (focus := QApplication.focusWidget()) is not None and self.isAncestorOf(focus)
        before, self._before = self._before, None
        self.hide()
        if held and before is not None and isValid(before) and before.isVisible():
            before.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Esc leaves everything as it was."""
        if event.key() == Qt.Key.Key_Escape:
            self.put_away()
        else:
            super().keyPressEvent(event)

    def _ask(self, batch: str, left: int) -> None:
        words = self._shell.words
        if self._wanted != batch:
            # Somebody has gone on with it meanwhile.
            return
        if not left:
            self.failed.emit(KnownError("us_nothing_left"))
            return
        self._batch = batch
        self._what.setText(words("ul_rest_ask", count=count(left, words)))
        self.setAccessibleName(f"{self._what.text()} {words('ul_rest_why')}")
        if self._before is None:
            self._before = QApplication.focusWidget()
        self.show()
        # Enter once too often leaves everything as it was.
        self.no.setFocus()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def _answer(self) -> None:
        batch, desk = self._batch, self._shell.desk
        self.put_away()
        if batch is not None:
            self._shell.tasks.run(
                self,
                Lane.QUICK,
                lambda _control: work.give_up_rest(desk, batch),
                self.given_up.emit,
                failed=self.failed.emit,
            )
