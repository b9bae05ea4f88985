"""The review before the PIN: the contact sheet with its buttons, in place of the list.

UI thread. Says by signals what the person decided; leaves out, moves and signs nothing itself.
"""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from signer_ui.panes import outgoing_work as work
from signer_ui.presenters.figures import count
from signer_ui.presenters.review import Cell, said
from signer_ui.shell import Shell
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.sheet import Sheet

_ROOM_FOR_KEYS = 220
"""Units of width from which on the keys are told beside the buttons; below, the pages need the height."""


class ReviewPage(QWidget):
    """Shown between the press of the button and the question for the PIN."""

    go_wanted = Signal()
    back_wanted = Signal()
    page_wanted = Signal(object)
    """The Cell whose page is to be seen large, where its mark can be moved."""

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        words, space = shell.words, shell.theme.space
        self._words, self._space = words, space
        self._documents = 0
        self._sends = False
        self._cells: Sequence[Cell] = ()
        self._title = label(role="heading", wrap=True)
        self._said = label(role="muted", wrap=True)
        desk = shell.desk
        self.sheet = Sheet(shell.tasks, desk.pages, words, shell.theme, lambda blob: work.blob_path(desk, blob))
        self._keys = label(words("ul_review_keys"), "small", wrap=True)
        self.back = button(words("ul_review_back"), self.back_wanted.emit)
        self.move_mark = button(words("ul_review_move"), self._wants_page)
        self.leave_out = button(words("ul_review_exclude"), self.sheet.toggle)
        self.go = button("", self.go_wanted.emit, "primary")
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(space(2))
        lines.addWidget(self._title)
        lines.addWidget(self._said)
        lines.addWidget(self.sheet, 1)
        foot = row(self.leave_out, self.move_mark, self.back, self.go, spacing=space(2))
        foot.insertWidget(0, self._keys, 1)
        lines.addLayout(foot)
        self.sheet.toggled.connect(self._tell)
        self.sheet.page_wanted.connect(self.page_wanted)
        self.sheet.selectionModel().selectionChanged.connect(lambda *_: self._tell_leave_out())
        escape = QShortcut(QKeySequence("Escape"), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self.back_wanted)

    def put(self, cells: Sequence[Cell], images: Mapping[str, bytes], *, sends: bool) -> None:
        """Shows these pages; `sends`: what is signed goes out, and the button says so."""
        self._cells, self._documents, self._sends = cells, len({cell.draft for cell in cells}), sends
        self.sheet.put(cells, images)
        self._tell()
        self.sheet.setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """A narrow window doesn't tell the keys."""
        super().resizeEvent(event)
        self._keys.setVisible(self.width() >= self._space(_ROOM_FOR_KEYS))

    def clear(self) -> None:
        """Nothing is reviewed any more."""
        self._cells = ()
        self.sheet.clear()

    @property
    def out(self) -> frozenset[str]:
        """Ids of the drafts that are left out."""
        return self.sheet.out

    def _wants_page(self) -> None:
        cell = self.sheet.current
        if cell is not None:
            self.page_wanted.emit(cell)

    def _tell(self) -> None:
        words, out = self._words, self.sheet.out
        left = self._documents - len(out)
        self._title.setText(words("ul_review_title", count=count(self._documents, words)))
        self._said.setText(said(self._cells, out, words))
        self.go.setText(words("uo_sign_send" if self._sends else "uo_sign_only", count=count(left, words)))
        self.go.setEnabled(left > 0)
        self._tell_leave_out()

    def _tell_leave_out(self) -> None:
        cell = self.sheet.current
        self.leave_out.setEnabled(cell is not None)
        self.move_mark.setEnabled(cell is not None)
        is_out = cell is not None and cell.draft in self.sheet.out
        self.leave_out.setText(self._words("ul_review_include" if is_out else "ul_review_exclude"))
