"""The card of the document in view: what it is, what is to be known of it, and the files that belong to it.

UI thread; draws what the presenter says and tells what was wished. It decides nothing.
"""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from signer_ui.glow import Glow
from signer_ui.presenters.grid import Shade
from signer_ui.presenters.outgoing import Details
from signer_ui.theme import Theme
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.elided import plain_tip
from signer_ui.widgets.light import glow_icon
from signer_ui.words import Words

_GLOWS = {Shade.GOOD: Glow.GOOD, Shade.WARN: Glow.WARN, Shade.BAD: Glow.BAD}
_ID = Qt.ItemDataRole.UserRole


class DocumentCard(QFrame):
    """Shows one document, or a line that says how to choose one."""

    file_chosen = Signal(str)
    """Id of the file whose pages are wanted."""
    main_wanted = Signal(str)
    split_wanted = Signal(str)
    order_wanted = Signal(list)
    """Ids of the appendices in their new order."""

    def __init__(self, words: Words, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words, self._theme = words, theme
        self._shown: Details | None = None
        self.setProperty("role", "card")
        self.setAccessibleName(words("uo_details"))
        self._told = QScrollArea()
        self._told.setWidgetResizable(True)
        self._told.setProperty("role", "told")
        self._told.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._told.setAccessibleName(words("uo_details"))
        self._files = QListWidget()
        self._files.setAccessibleName(words("uo_files"))
        self._files.currentItemChanged.connect(self._file_changed)
        self._main = button(words("uo_make_main"), lambda: self.main_wanted.emit(self.current_file))
        self._split = button(words("uo_split"), lambda: self.split_wanted.emit(self.current_file))
        self._up = self._arrow(Qt.ArrowType.UpArrow, "uo_up", -1)
        self._down = self._arrow(Qt.ArrowType.DownArrow, "uo_down", 1)
        self._file_part = self._make_file_part()
        self._lay_out()
        self.show_details(None, editable=False)

    @property
    def current_file(self) -> str:
        """Id of the file in view; empty while there is none."""
        item = self._files.currentItem()
        return str(item.data(_ID)) if item is not None else ""

    def show_details(self, details: Details | None, *, editable: bool) -> None:
        """Shows a document; None: nothing is chosen. The file in view stays in view."""
        if details != self._shown or details is None:
            self._shown = details
            self._draw_told(details)
            self._draw_files(details)
        self._file_part.setEnabled(editable)
        self._enable()

    def focus_files(self) -> None:
        """Leads to the files of the document."""
        if self._file_part.isVisible():
            self._files.setFocus()

    def _make_file_part(self) -> QWidget:
        theme = self._theme
        part = QWidget()
        lines = QVBoxLayout(part)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(theme.space(1))
        lines.addWidget(self._files, 1)
        lines.addLayout(row(self._main, self._split, 1, self._up, self._down, spacing=theme.space(1)))
        return part

    def _lay_out(self) -> None:
        theme = self._theme
        outer = QHBoxLayout(self)
        outer.setContentsMargins(theme.space(3), theme.space(2), theme.space(3), theme.space(2))
        outer.setSpacing(theme.space(4))
        outer.addWidget(self._told, 3)
        outer.addWidget(self._file_part, 2)

    def _arrow(self, arrow: Qt.ArrowType, key: str, step: int) -> QToolButton:
        made = QToolButton()
        made.setArrowType(arrow)
        made.setAccessibleName(self._words(key))
        made.setToolTip(self._words(key))
        made.clicked.connect(lambda _checked=False: self._move(step))
        return made

    def _draw_told(self, details: Details | None) -> None:
        inner = QWidget()
        inner.setProperty("role", "page")
        lines = QGridLayout(inner)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setHorizontalSpacing(self._theme.space(2))
        lines.setVerticalSpacing(self._theme.space(0.5))
        lines.setColumnStretch(1, 1)
        heading = details.heading if details else self._words("uo_details_none")
        lines.addWidget(_text(heading, "strong" if details else "muted"), 0, 0, 1, 2)
        if details is not None:
            lines.addWidget(_text(details.under, "muted"), 1, 0, 1, 2)
        for one in details.told if details else ():
            at = lines.rowCount()
            lines.addWidget(self._light(one.shade), at, 0, Qt.AlignmentFlag.AlignTop)
            lines.addWidget(_text(one.what, None if one.shade is Shade.MUTED else "strong"), at, 1)
            more = " ".join(part for part in (one.why, one.do) if part)
            if more:
                lines.addWidget(_text(more, "muted" if one.shade is Shade.MUTED else None), at + 1, 1)
        lines.setRowStretch(lines.rowCount(), 1)
        self._told.setWidget(inner)

    def _light(self, shade: Shade) -> QLabel:
        size = self._theme.space(3)
        made = QLabel()
        made.setPixmap(glow_icon(self._theme, _GLOWS.get(shade, Glow.OFF)).pixmap(QSize(size, size)))
        made.setContentsMargins(0, self._theme.space(1), 0, 0)
        return made

    def _draw_files(self, details: Details | None) -> None:
        files = details.files if details else ()
        before = self.current_file
        self._files.blockSignals(True)
        self._files.clear()
        for file in files:
            item = QListWidgetItem(file.text)
            item.setData(_ID, file.id)
            item.setToolTip(plain_tip(file.text))
            self._files.addItem(item)
        ids = [file.id for file in files]
        if ids:
            self._files.setCurrentRow(ids.index(before) if before in ids else 0)
        self._files.blockSignals(False)
        self._file_part.setVisible(len(files) > 1)

    def _file_changed(self) -> None:
        self._enable()
        if self.current_file:
            self.file_chosen.emit(self.current_file)

    def _enable(self) -> None:
        place, last = self._files.currentRow(), self._files.count() - 1
        self._main.setEnabled(place > 0)
        self._split.setEnabled(place > 0)
        self._up.setEnabled(place > 1)
        self._down.setEnabled(0 < place < last)

    def _move(self, step: int) -> None:
        ids = [str(self._files.item(place).data(_ID)) for place in range(1, self._files.count())]
        place = self._files.currentRow() - 1
        ids[place], ids[place + step] = ids[place + step], ids[place]
        self.order_wanted.emit(ids)


def _text(text: str, role: str | None) -> QLabel:
    made = label(text, role, wrap=True)
    made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made
