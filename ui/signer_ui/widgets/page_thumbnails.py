"""The list of all pages, small, at the side of the large ones.

UI thread; fetches only what is in view of itself.
"""

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from signer_ui.theme import Theme, Tone, Type
from signer_ui.widgets.page_layout import Tile, small_tile
from signer_ui.widgets.page_pictures import Pictures
from signer_ui.words import Words

_Index = QModelIndex | QPersistentModelIndex


class _PageList(QAbstractListModel):
    """One row a page, with its number as text."""

    def __init__(self, words: Words, parent: QWidget) -> None:
        super().__init__(parent)
        self._words = words
        self._count = 0

    def set_count(self, count: int) -> None:
        if count != self._count:
            self.beginResetModel()
            self._count = count
            self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's name and default
        return 0 if parent.isValid() else self._count

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.DisplayRole:
            return str(index.row() + 1)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._words("page_number", page=index.row() + 1)
        return None


class _PageDelegate(QStyledItemDelegate):
    """Draws a page's small picture over its number."""

    def __init__(self, list_: "PageThumbnails", theme: Theme) -> None:
        super().__init__(list_)
        self._list = list_
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:  # noqa: N802 - Qt's name
        theme = self._theme
        return QSize(theme.space(26), self._list.side + theme.space(8))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        theme = self._theme
        area: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, theme.colour(Tone.SELECTION))
        image, size = self._list.thumbnail(index.row())
        paper = QRect(0, 0, size.width(), size.height())
        paper.moveCenter(QRect(area.left(), area.top() + theme.space(1), area.width(), self._list.side).center())
        painter.fillRect(paper.adjusted(-1, -1, 1, 1), theme.colour(Tone.LINE))
        painter.fillRect(paper, Qt.GlobalColor.white)
        if image is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(paper, image)
        painter.setFont(theme.font(Type.SMALL))
        painter.setPen(theme.colour(Tone.TEXT))
        below = QRect(area.left(), area.bottom() - theme.space(6), area.width(), theme.space(6))
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, str(index.row() + 1))
        painter.restore()


class PageThumbnails(QListView):
    """The small pages; choosing one shows it large."""

    chosen = Signal(int)
    """The person wants to see this page (from 0)."""
    needs = Signal()

    def __init__(self, pictures: Pictures, words: Words, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._pictures = pictures
        self.side = theme.space(34)
        """The longer side of a small page, in device-independent pixels."""
        self._pages = _PageList(words, self)
        self.setModel(self._pages)
        self.setItemDelegate(_PageDelegate(self, theme))
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAccessibleName(words("page_thumbnails"))
        self.setFixedWidth(theme.space(32))
        self.selectionModel().currentChanged.connect(self._chosen)
        self.verticalScrollBar().valueChanged.connect(lambda _: self.needs.emit())

    def refresh(self) -> None:
        """Other pictures or another number of pages."""
        self._pages.set_count(self._pictures.total)
        self.viewport().update()

    def show_page(self, page: int) -> None:
        """Marks the page that is shown large, without asking for it."""
        if page == self.currentIndex().row() or not 0 <= page < self._pages.rowCount():
            return
        model = self.selectionModel()
        model.blockSignals(True)
        self.setCurrentIndex(self._pages.index(page))
        model.blockSignals(False)
        self.scrollTo(self._pages.index(page))
        self.viewport().update()

    def wants(self) -> list[Tile]:
        """The small pages in view, from the top."""
        if not self.isVisible() or not self._pages.rowCount():
            return []
        last_row = self._pages.rowCount() - 1
        area = self.viewport().rect()
        first, last = (self.indexAt(point) for point in (area.topLeft(), area.bottomLeft()))
        rows = range(max(0, first.row()), (last.row() if last.isValid() else last_row) + 1)
        return [tile for row in rows if (tile := self._tile(row)) is not None]

    def thumbnail(self, page: int) -> tuple[QImage | None, QSize]:
        """The small picture, if it is there, and the size at which it is shown."""
        tile = self._tile(page)
        if tile is None:
            return None, QSize(0, 0)
        ratio = self.devicePixelRatioF()
        size = QSize(max(1, round(tile.width / ratio)), max(1, round(tile.height / ratio)))
        return self._pictures.picture(tile), size

    def _tile(self, page: int) -> Tile | None:
        size = self._pictures.size(page)
        return small_tile(page, size, round(self.side * self.devicePixelRatioF())) if size is not None else None

    def _chosen(self, current: QModelIndex) -> None:
        if current.isValid():
            self.chosen.emit(current.row())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102 - Qt's name
        super().paintEvent(event)
        self.needs.emit()
