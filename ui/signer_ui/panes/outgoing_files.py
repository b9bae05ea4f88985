"""The files of the document in view: those that are signed, those that go along unsigned, what can be done with each.

UI thread; draws what the presenter says and tells what was wished. Files that are dropped on it are to go along.
"""

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QAction, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from signer_ui.presenters.outgoing_details import AlongLine, Details
from signer_ui.theme import Theme
from signer_ui.widgets.basics import button, label, repolish
from signer_ui.widgets.dropping import local_paths
from signer_ui.widgets.elided import plain_tip
from signer_ui.widgets.flow import Flow
from signer_ui.words import Words

_ID = Qt.ItemDataRole.UserRole


class FilesPart(QFrame):
    """A list, and under it the buttons for the file that is chosen in it."""

    file_chosen = Signal(str)
    """Id of the signed file whose pages are wanted."""
    main_wanted = Signal(str)
    split_wanted = Signal(str)
    order_wanted = Signal(list)
    """Ids of the appendices in their new order."""
    add_wanted = Signal()
    """Files are to be chosen that go along."""
    dropped = Signal(list)
    """Paths (str) of files that are to go along."""
    open_wanted = Signal(str)
    out_wanted = Signal(str)
    pdf_wanted = Signal(str)
    hash_wanted = Signal(str)
    """Each with the id of a file that goes along."""

    def __init__(self, words: Words, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words, self._theme = words, theme
        self._along: dict[str, AlongLine] = {}
        self._signed: list[str] = []
        self._editable = False
        self._next = ""
        """The file that is to be chosen once it is there."""
        self.setAcceptDrops(True)
        self.list = QListWidget()
        self.list.setAccessibleName(words("uo_files"))
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentItemChanged.connect(self._file_changed)
        self.list.itemActivated.connect(lambda _item: self._activated())
        self._why = label(role="muted", wrap=True)
        self.main = self._button("uo_make_main", lambda: self.main_wanted.emit(self.current))
        self.split = self._button("uo_split", lambda: self.split_wanted.emit(self.current))
        self.up = self._arrow(Qt.ArrowType.UpArrow, "uo_up", -1)
        self.down = self._arrow(Qt.ArrowType.DownArrow, "uo_down", 1)
        self.open = self._action("uk_along_open", lambda: self.open_wanted.emit(self.current))
        self.pdf = self._action("uk_along_to_pdf", lambda: self.pdf_wanted.emit(self.current))
        self.hash = self._action("uk_along_copy_hash", lambda: self.hash_wanted.emit(self.current))
        self.out = self._action("uk_along_out", lambda: self.out_wanted.emit(self.current))
        self.more = QPushButton(words("uk_along_menu"))
        self.more.setAutoDefault(True)
        menu = QMenu(self.more)
        menu.setToolTipsVisible(True)
        menu.addActions([self.open, self.pdf, self.hash, self.out])
        self.more.setMenu(menu)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._open_menu)
        self.add = self._button("uk_along_add", self.add_wanted.emit)
        self.add.setToolTip(words("uk_along_drop"))
        self._lay_out()

    @property
    def current(self) -> str:
        """Id of the file that is chosen; empty while there is none."""
        item = self.list.currentItem()
        return str(item.data(_ID)) if item is not None else ""

    @property
    def current_signed(self) -> str:
        """Id of the file whose pages are in view: the chosen one, the main one while an attachment is chosen."""
        if self.current in self._along:
            return self._signed[0] if self._signed else ""
        return self.current

    def put(self, details: Details | None) -> None:
        """Shows these files; the one that was chosen stays chosen."""
        files, along = (details.files, details.along) if details else ((), ())
        before = self.current
        self._signed = [file.id for file in files]
        self._along = {item.id: item for item in along}
        self.list.blockSignals(True)
        self.list.clear()
        for file_id, text, tip in (
            *((file.id, file.text, file.text) for file in files),
            *((item.id, item.text, f"{item.name}\n{item.sha256}") for item in along),
        ):
            made = QListWidgetItem(text)
            made.setData(_ID, file_id)
            made.setToolTip(plain_tip(tip))
            self.list.addItem(made)
        ids = [*self._signed, *self._along]
        if self._next in ids:
            before, self._next = self._next, ""
        if ids:
            self.list.setCurrentRow(ids.index(before) if before in ids else 0)
        self.list.blockSignals(False)
        self.setVisible(bool(files))
        self._enable()

    def choose(self, file_id: str) -> None:
        """Chooses a file that is shown."""
        for place in range(self.list.count()):
            if self.list.item(place).data(_ID) == file_id:
                self.list.setCurrentRow(place)

    def choose_next(self, file_id: str) -> None:
        """Chooses a file as soon as it is shown."""
        self._next = file_id

    def set_editable(self, editable: bool) -> None:
        """Whether anything of the document may still be changed."""
        self._editable = editable
        self._enable()

    def focus_list(self) -> None:
        """Leads the keyboard to the files."""
        if self.isVisible():
            self.list.setFocus()

    # ---- parts -----------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        theme = self._theme
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(theme.space(1))
        lines.addWidget(self.list, 1)
        lines.addWidget(self._why)
        signed = (self.main, self.split, self.up, self.down)
        lines.addWidget(Flow((*signed, self.more, self.add), theme.space(1)))

    def _button(self, key: str, act: Callable[[], None]) -> QPushButton:
        return button(self._words(key), act)

    def _action(self, key: str, act: Callable[[], None]) -> QAction:
        made = QAction(self._words(key), self)
        made.triggered.connect(lambda _checked=False: act())
        return made

    def _arrow(self, arrow: Qt.ArrowType, key: str, step: int) -> QToolButton:
        made = QToolButton()
        made.setArrowType(arrow)
        made.setAccessibleName(self._words(key))
        made.setToolTip(self._words(key))
        made.clicked.connect(lambda _checked=False: self._move(step))
        return made

    # ---- what happens ----------------------------------------------------------------------------------------------

    def _file_changed(self) -> None:
        self._enable()
        if self.current_signed:
            self.file_chosen.emit(self.current_signed)

    def _activated(self) -> None:
        if self.current in self._along:
            self.open_wanted.emit(self.current)

    def _enable(self) -> None:
        """The buttons that belong to the chosen file are there, and work where they can be used."""
        along = self._along.get(self.current)
        place, last, several = self.list.currentRow(), len(self._signed) - 1, len(self._signed) > 1
        for made in (self.main, self.split, self.up, self.down):
            made.setVisible(along is None and several)
        self.more.setVisible(along is not None)
        self.main.setEnabled(self._editable and place > 0)
        self.split.setEnabled(self._editable and place > 0)
        self.up.setEnabled(self._editable and place > 1)
        self.down.setEnabled(self._editable and 0 < place < last)
        self.out.setEnabled(self._editable)
        self.add.setVisible(self._editable)
        no_pdf = along.no_pdf if along is not None else None
        self.pdf.setEnabled(self._editable and no_pdf is None)
        told = self._words.explain(no_pdf) if no_pdf is not None else None
        reason = " ".join(part for part in (told.what, told.do) if part) if told else ""
        self.pdf.setToolTip(plain_tip(reason))
        # What is greyed out says why: a tip alone is not read by everybody.
        self._why.setText(reason)
        self._why.setVisible(bool(reason) and self._editable)

    def _open_menu(self, at: QPoint) -> None:
        menu = self.more.menu()
        if self.current in self._along and menu is not None:
            menu.popup(self.list.viewport().mapToGlobal(at))

    def _move(self, step: int) -> None:
        ids = self._signed[1:]
        place = self.list.currentRow() - 1
        ids[place], ids[place + step] = ids[place + step], ids[place]
        self.order_wanted.emit(ids)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Delete takes out the file that goes along."""
        if event.key() == Qt.Key.Key_Delete and self._editable and self.current in self._along:
            self.out_wanted.emit(self.current)
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Files that hang over it would go along with this document."""
        if self._editable and local_paths(event.mimeData()):
            event.acceptProposedAction()
            self._light_up(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:  # noqa: N802 - Qt's name
        """They went away again."""
        self._light_up(False)
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """They were dropped."""
        self._light_up(False)
        event.acceptProposedAction()
        self.dropped.emit(local_paths(event.mimeData()))

    def _light_up(self, over: bool) -> None:
        repolish(self.list, "over", "true" if over else "false")
