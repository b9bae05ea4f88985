"""The contact sheet: small pages side by side with what will be drawn on them, each with a box to leave it out.

UI thread. Fetches and paints only what is in sight, for ten thousand documents as for ten.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelection,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QFontMetrics,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QRegion,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from signer_app.pages import Pages
from signer_ui.presenters.review import Cell, Doubt, below, name, reasons
from signer_ui.tasks import Tasks
from signer_ui.theme import Theme, Tone, Type
from signer_ui.widgets.elided import plain_tip
from signer_ui.widgets.sheet_pictures import SheetPictures
from signer_ui.words import Words

_Index = QModelIndex | QPersistentModelIndex
_TONES = {Doubt.UNSURE: Tone.WARN, Doubt.WARNED: Tone.WARN, Doubt.NONE: Tone.MUTED}


class _Cells(QAbstractListModel):
    """One row a page; `out` are the documents that are left out."""

    def __init__(self, words: Words, parent: QWidget) -> None:
        super().__init__(parent)
        self._words = words
        self.cells: Sequence[Cell] = ()
        self.out: set[str] = set()

    def put(self, cells: Sequence[Cell]) -> None:
        self.beginResetModel()
        self.cells, self.out = cells, set()
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's name and default
        return 0 if parent.isValid() else len(self.cells)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        cell = self.cells[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cell.label
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return name(cell, self._words, out=cell.draft in self.out)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip("\n".join(part for part in (cell.label, reasons(cell, self._words)) if part))
        return None


class _Delegate(QStyledItemDelegate):
    """Draws a page, and below it the box, the document's name, and what is to be known."""

    def __init__(self, sheet: "Sheet", words: Words, theme: Theme) -> None:
        super().__init__(sheet)
        self._sheet, self._words, self._theme = sheet, words, theme
        self._fonts = {kind: theme.font(kind) for kind in (Type.BODY, Type.STRONG, Type.SMALL)}
        self._metrics = {kind: QFontMetrics(font) for kind, font in self._fonts.items()}
        self._colours = {tone: theme.colour(tone) for tone in Tone}

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:  # noqa: N802 - Qt's name
        return self._sheet.gridSize()

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        theme, sheet = self._theme, self._sheet
        cell, out = sheet.cell(index.row()), sheet.is_out(index.row())
        gap = theme.space(1)
        area: QRect = option.rect.adjusted(gap, gap, -gap, -gap)
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, self._colours[Tone.SELECTION])
        if out:
            painter.setOpacity(0.45)
        self._paint_page(painter, cell, area)
        line = self._metrics[Type.BODY].height()
        text = QRect(area.left() + gap, area.bottom() - 2 * line - gap, area.width() - 2 * gap, line)
        box = option.widget.style().pixelMetric(QStyle.PixelMetric.PM_IndicatorWidth)
        self._paint_box(painter, QRect(text.left(), text.top() + (line - box) // 2, box, box), ticked=not out)
        painter.setPen(self._colours[Tone.TEXT])
        self._words_in(painter, cell.label, text.adjusted(box + 2 * gap, 0, 0, 0), Type.STRONG)
        painter.setPen(self._colours[_TONES[cell.doubt]])
        self._words_in(painter, below(cell, self._words), text.translated(0, line), Type.BODY)
        painter.setOpacity(1.0)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(self._colours[Tone.FOCUS], theme.space(0.5)))
            painter.drawRect(area.adjusted(1, 1, -1, -1))
        painter.restore()

    def _paint_page(self, painter: QPainter, cell: Cell, area: QRect) -> None:
        theme, sheet = self._theme, self._sheet
        room = QRect(area.left(), area.top() + theme.space(1), area.width(), sheet.side)
        image = sheet.picture(cell)
        ratio = sheet.devicePixelRatioF()
        size = QSize(round(image.width() / ratio), round(image.height() / ratio)) if image else sheet.blank
        paper = QRect(0, 0, size.width(), size.height())
        paper.moveCenter(room.center())
        tone, wide = (Tone.LINE, 1) if cell.doubt is Doubt.NONE else (Tone.WARN, 2)
        painter.fillRect(paper.adjusted(-wide, -wide, wide, wide), self._colours[tone])
        painter.fillRect(paper, Qt.GlobalColor.white)
        if image is not None:
            painter.drawImage(paper, image)
        elif sheet.is_lost(cell):
            painter.setPen(Theme(dark=False).colour(Tone.BAD))
            painter.setFont(self._fonts[Type.SMALL])
            told = self._words("ul_cell_no_picture")
            painter.drawText(paper, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), told)

    def _paint_box(self, painter: QPainter, place: QRect, *, ticked: bool) -> None:
        painter.setPen(self._colours[Tone.ACCENT if ticked else Tone.MUTED])
        painter.setBrush(self._colours[Tone.ACCENT if ticked else Tone.SURFACE])
        painter.drawRoundedRect(place, 3, 3)
        if ticked:
            pen = QPen(self._colours[Tone.ON_ACCENT], 2)
            painter.setPen(pen)
            left, top, side = place.left(), place.top(), place.width()
            painter.drawLine(left + side // 4, top + side // 2, left + side * 2 // 5, top + side * 7 // 10)
            painter.drawLine(left + side * 2 // 5, top + side * 7 // 10, left + side * 3 // 4, top + side * 3 // 10)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _words_in(self, painter: QPainter, words: str, place: QRect, kind: Type) -> None:
        painter.setFont(self._fonts[kind])
        shown = self._metrics[kind].elidedText(words, Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), shown)


class Sheet(QListView):
    """Space leaves a document out or takes it in again, Enter wants its page."""

    toggled = Signal()
    """Others are left out than before."""
    page_wanted = Signal(object)
    """The Cell whose page is to be seen large."""

    def __init__(
        self,
        tasks: Tasks,
        pages: Pages,
        words: Words,
        theme: Theme,
        path_of: Callable[[str], Path],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._model = _Cells(words, self)
        self._on_box = False
        self._largest, self._smallest = theme.space(60), theme.space(24)
        self._step = theme.space(4)
        """A window that is drawn larger or smaller doesn't have its pages drawn anew for each pixel."""
        self._narrowest = theme.space(42)
        self._below = 2 * QFontMetrics(theme.font(Type.BODY)).height() + theme.space(6)
        self.side = self._largest
        """The longer side of a page, in device-independent pixels; a whole cell is in sight where it can be."""
        self._pictures = SheetPictures(tasks, pages, theme, path_of, self._in_sight, self)
        self._pictures.arrived.connect(self.viewport().update)
        self.setModel(self._model)
        self.setItemDelegate(_Delegate(self, words, theme))
        self.setViewMode(QListView.ViewMode.ListMode)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self._fit()
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setAccessibleName(words("ul_sheet"))
        self.doubleClicked.connect(lambda index: self.page_wanted.emit(self.cell(index.row())))
        self.clicked.connect(self._clicked)

    def put(self, cells: Sequence[Cell], images: Mapping[str, bytes]) -> None:
        """Shows these, with the pictures of their stamps."""
        self._pictures.use(images)
        self._model.put(cells)
        if cells:
            self.setCurrentIndex(self._model.index(0))

    def clear(self) -> None:
        """Shows nothing."""
        self._pictures.clear()
        self._model.put(())

    # ---- what the delegate asks

    def cell(self, row: int) -> Cell:
        """The cell on a row."""
        return self._model.cells[row]

    def is_out(self, row: int) -> bool:
        """Whether its document is left out."""
        return self._model.cells[row].draft in self._model.out

    def picture(self, cell: Cell) -> QImage | None:
        """Its picture, if it is there."""
        return self._pictures.picture(cell, self._pixels)

    def is_lost(self, cell: Cell) -> bool:
        """Whether there will be none."""
        return self._pictures.is_lost(cell, self._pixels)

    @property
    def _pixels(self) -> int:
        return round(self.side * self.devicePixelRatioF())

    @property
    def blank(self) -> QSize:
        """A page that isn't there yet: A4."""
        return QSize(round(self.side / 2**0.5), self.side)

    def _fit(self) -> None:
        """Cells no higher than what is in sight."""
        room = (self.viewport().height() - self._below) // self._step * self._step
        self.side = max(self._smallest, min(self._largest, room))
        cell = QSize(max(self._narrowest, round(self.side * 0.9)), self.side + self._below)
        if cell != self.gridSize():
            self.setGridSize(cell)

    # ---- what is left out

    @property
    def out(self) -> frozenset[str]:
        """Ids of the drafts that are left out."""
        return frozenset(self._model.out)

    @property
    def current(self) -> Cell | None:
        """The cell with the cursor."""
        index = self.currentIndex()
        return self.cell(index.row()) if index.isValid() else None

    def toggle(self) -> None:
        """Leaves the chosen documents out; takes them in again when all of them were out."""
        # By ranges: ten thousand chosen cells one by one take a third of a second.
        selection = self.selectionModel().selection()
        ranges = (selection.at(place) for place in range(selection.count()))
        chosen = {cell.draft for part in ranges for cell in self._model.cells[part.top() : part.bottom() + 1]}
        if not chosen and (current := self.current) is not None:
            chosen = {current.draft}
        if not chosen:
            return
        self._model.out = self._model.out - chosen if chosen <= self._model.out else self._model.out | chosen
        self.viewport().update()
        self.toggled.emit()

    # ---- events

    def _clicked(self, index: QModelIndex) -> None:
        """A press on the box is a press on the space bar."""
        if self._on_box:
            self.toggle()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Remembers whether it was the box that was pressed."""
        place = event.position().toPoint()
        area = self.visualRect(self.indexAt(place))
        box = 4 * Theme.space(3)
        self._on_box = area.isValid() and place.y() > area.top() + self.side and place.x() < area.left() + box
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Space and Enter; all else as in every list."""
        current = self.current
        if event.key() == Qt.Key.Key_Space and not event.modifiers():
            self.toggle()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers() and current is not None:
            self.page_wanted.emit(current)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """The pages grow and shrink with the room; the one with the cursor stays in sight."""
        before = self.side
        self._fit()
        super().resizeEvent(event)
        if self.side != before and self.currentIndex().isValid():
            self.scrollTo(self.currentIndex())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """What came into sight is asked for."""
        super().paintEvent(event)
        self._pictures.poke()

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:  # noqa: N802 - Qt's name
        """What is drawn anew where a choice changes. Qt would ask each of ten thousand chosen cells for its place,
        which takes a fifth of a second; all that is in sight takes a few milliseconds.
        """
        return QRegion(self.viewport().rect()) if selection.count() else QRegion()

    def _in_sight(self) -> tuple[Sequence[Cell], int]:
        """The cells in sight, from the first."""
        if not self.isVisible() or not self._model.cells:
            return (), self._pixels
        step, area = self.gridSize(), self.viewport().rect()
        across = max(1, area.width() // step.width())
        first = self.verticalScrollBar().value() // step.height() * across
        last = (self.verticalScrollBar().value() + area.height()) // step.height() * across + across
        return self._model.cells[first:last], self._pixels
