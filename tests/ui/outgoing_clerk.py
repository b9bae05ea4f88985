"""A clerk at the pane of outgoing documents, with everything real behind it; for the tests of that pane.

UI thread. Waits for what the window shows, never for a time.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from signer_app.desk.desk import Desk
from signer_app.outgoing.model import State
from signer_resources.errors import KnownError
from signer_ui.hub import Hub
from signer_ui.panes.outgoing import OutgoingPane
from signer_ui.presenters.outgoing import Line
from signer_ui.shell import Shell, Tab
from signer_ui.tasks import Tasks
from signer_ui.theme import Theme
from signer_ui.words import Words
from tests.support.workspace import CANARY_PIN
from tests.support.workspace import Desk as Place

VI = Words("vi")
PATIENCE_MS = 60_000
W = TypeVar("W", bound=QWidget)


class Clerk:
    """The pane, and who works with it."""

    def __init__(self, qtbot: QtBot, desk: Desk, place: Place, folder: Path) -> None:
        self._qtbot, self.desk, self.place, self.folder = qtbot, desk, place, folder
        self.tabs: list[Tab] = []
        self.told: list[KnownError | str] = []
        self.tasks = Tasks(self._fault)
        self.tasks.unhandled.connect(self.told.append)
        self.hub = Hub(desk, self.tasks, desk.space.settings)
        shell = Shell(desk, self.tasks, self.hub, VI, Theme(dark=False), self.told.append, self.tabs.append)
        self.shell, self.opened = shell, list[Path]()
        self.pane = OutgoingPane(shell, self.opened.append)
        qtbot.addWidget(self.pane)
        self.pane.resize(1366, 650)
        self.pane.show()
        self.pane.shown()
        self.hub.poke_tokens()
        self.rest()

    def _fault(self, fault: BaseException) -> str:
        raise fault

    def close(self) -> None:
        self.tasks.close()
        self.desk.outgoing.forget_signed()
        self.desk.outgoing.remove([row.draft.id for row in self.desk.outgoing.rows()])

    def wait(self, until: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(until, timeout=PATIENCE_MS)

    def rest(self) -> None:
        """Returns when nothing is being done any more."""
        self.wait(lambda: not self.tasks.busy and self.pane.grid.settled)

    def letters(self, *samples: str) -> list[Path]:
        found = []
        for sample in samples:
            target = self.folder / sample
            target.write_bytes((self.place.samples / sample).read_bytes())
            found.append(target)
        return found

    def drop(self, *paths: Path) -> None:
        """Drops files on the pane and waits until they are examined."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        at, copy = QPointF(300, 300), Qt.DropAction.CopyAction
        buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        enter = QDragEnterEvent(at.toPoint(), copy, data, buttons, keys)
        self.pane.dragEnterEvent(enter)
        assert enter.isAccepted()
        self.pane.dropEvent(QDropEvent(at, copy, data, buttons, keys))
        self.rest()

    @property
    def lines(self) -> list[Line]:
        return list(self.pane.grid.rows)

    @property
    def signed(self) -> Line:
        return next(line for line in self.lines if line.row.state is State.SIGNED)

    @property
    def states(self) -> list[State]:
        return [line.row.state for line in self.lines]

    def press(self, words: str) -> None:
        self.button(words).click()

    def ready(self, *samples: str) -> list[str]:
        """Ids of documents that have come, have numbers, and are ticked."""
        self.drop(*self.letters(*samples))
        ids = [line.id for line in self.lines]
        self.desk.outgoing.fill(ids)
        self.pane.shown()
        self.rest()
        self.desk.outgoing.tick(ids, ticked=True)
        self.pane.shown()
        self.rest()
        return ids

    def type_pin(self, pin: str = CANARY_PIN) -> None:
        """Into the dialogue that comes, and Enter; returns when the batch is over."""
        self.wait(lambda: self.pane.flow.dialog is not None and self.pane.flow.dialog.isVisible())
        assert self.pane.flow.dialog is not None
        QTest.keyClicks(self.pane.flow.dialog.field, pin)
        QTest.keyClick(self.pane.flow.dialog.field, Qt.Key.Key_Return)
        self.wait(lambda: not self.pane.flow.running)
        self.rest()

    def button(self, words: str) -> QAbstractButton:
        found = [b for b in self.pane.findChildren(QAbstractButton) if b.text() == words and b.isVisible()]
        assert len(found) == 1, (words, [b.text() for b in self.pane.findChildren(QAbstractButton) if b.isVisible()])
        return found[0]

    def type(self, line: Line, column: str, text: str) -> None:
        self.pane.grid.edit_cell(line.id, column)
        editor = child(self.pane.grid, QLineEdit)
        editor.setText(text)
        QTest.keyClick(editor, Qt.Key.Key_Return)
        self.wait(lambda: self.pane.grid.state() is not QAbstractItemView.State.EditingState)
        self.rest()

    def says(self, words: str) -> bool:
        """Whether this stands somewhere on the pane."""
        return any(label.text() == words and label.isVisible() for label in self.pane.findChildren(QLabel))

    def act(self, words: str) -> None:
        """Chooses an entry of a menu."""
        next(action for action in self.pane.findChildren(QAction) if action.text() == words).trigger()
        self.rest()


def child(widget: QWidget, kind: type[W]) -> W:
    found = [one for one in widget.findChildren(kind) if one.isVisible()]
    assert len(found) == 1, found
    return found[0]
