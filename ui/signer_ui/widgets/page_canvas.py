"""The pages under each other: painting, scrolling, zooming, and the marks under the mouse and the keys.

UI thread. Paints only pictures that are there and asks for what is missing; nothing here waits. Works in device
pixels, so that pictures meet the screen's pixels at 125 % and 150 %. Where marks may go is the presenter's matter.

Keys: arrows scroll, or move the selected mark by 1 mm (Shift: 0.1 mm, Ctrl: 5 mm); Tab goes from mark to mark; Home or
Esc brings a mark back to its rule's place; Ctrl+Page Up/Down takes it to another page; Enter is the same as letting it
go. Ctrl with +, -, 0, 1, 2 zooms: larger, smaller, whole page, 100 %, full width.
"""

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QFocusEvent,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from signer_app.pages import PageSize
from signer_resources.errors import KnownError
from signer_ui.presenters.figures import millimetres
from signer_ui.presenters.pages import Marks, Spot, Step
from signer_ui.theme import Theme, Tone, Type
from signer_ui.widgets.page_layout import MAX_ZOOM, MIN_ZOOM, Fit, Layout, PageBox, Tile, fitted, next_zoom, small_tile
from signer_ui.widgets.page_pictures import Ink, Pictures
from signer_ui.widgets.page_stamps import StampPainter
from signer_ui.words import Words

_MM_PER_INCH = 25.4
_SCREEN_DPI = 96
"""What 100 % means on a screen at 100 %."""

_MOTION_MS = 120
"""So long after a scroll the view counts as moving: then small pictures are fetched before sharp ones."""

_COMMIT_MS = 700
"""A mark moved by keys is let go when no key came for so long."""

_EDGE_SCROLL_MS = 30
_NEXT_BYTES = 64 << 20
"""How much is fetched ahead of what is on the screen."""

_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_PAPER = Qt.GlobalColor.white
"""Paper stays white in the dark look: the clerk sees what will be printed."""


@dataclass
class _Drag:
    """A mark in the hand: where in the mark it is held (mm), and whether it was moved at all."""

    grip_x: float
    grip_y: float
    moved: bool = False


class PageCanvas(QAbstractScrollArea):
    """Shows the pages of one document with what a plan draws on them."""

    page_changed = Signal(int)
    """The page (from 0) that fills most of the view."""
    zoom_changed = Signal()
    needs = Signal()
    """Other pictures are wanted than before."""
    mark_moved = Signal()
    """A mark is on its way, or another one is selected: what is said below has changed."""
    mark_dropped = Signal()
    """The person has let go of a mark."""

    def __init__(self, pictures: Pictures, marks: Marks, words: Words, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._pictures, self._marks, self._words, self._theme = pictures, marks, words, theme
        self._stamps = StampPainter(pictures.ink)
        self._layout = Layout((), 1.0, 0, 1)
        self._fit, self._zoom = Fit.WIDTH, 1.0
        self._page = 0
        self._return: tuple[int, float] | None = None
        """Page and place on it that come into view when their sizes are known."""
        self._message: KnownError | None = None
        self._drag: _Drag | None = None
        self._motion = self._timer(_MOTION_MS, self.needs.emit)
        self._commit = self._timer(_COMMIT_MS, self._let_go)
        self._edge_scroll = QTimer(self)
        self._edge_scroll.setInterval(_EDGE_SCROLL_MS)
        self._edge_scroll.timeout.connect(self._scroll_at_edge)
        self.setFrameShape(QFrame.Shape.NoFrame)
        # Always there, or a page that just fits would make it come and go for ever.
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.setAccessibleName(words("page_canvas"))
        self.setAccessibleDescription(words("page_move_help"))

    def _timer(self, ms: int, then: object) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(ms)
        timer.timeout.connect(then)
        return timer

    # --- the document ------------------------------------------------------------------------------------------------

    def show_document(self, *, stay: bool = False) -> None:
        """A new document: from the top, nothing selected. `stay`: it has the same pages; what is in view stays."""
        self._return = self._anchor(0) if stay and len(self._layout) > 0 else None
        self._message, self._drag = None, None
        self._commit.stop()
        self._layout = Layout((), 1.0, 0, 1)
        self._page = 0
        self.verticalScrollBar().setValue(0)
        self.horizontalScrollBar().setValue(0)
        self.refresh_sizes()

    def show_message(self, error: KnownError) -> None:
        """The document can't be shown: said in its place."""
        self._message = error
        self.viewport().update()

    def refresh_sizes(self) -> None:
        """More sizes are known: the page in view stays where it is."""
        known = len(self._layout) > 0
        page, within = self._anchor(0)
        self._lay_out()
        if known:
            self._scroll_to(page, within, 0)
        if self._return is not None and self._return[0] < len(self._layout):
            self._scroll_to(*self._return, 0)
            self._return = None
        self._scrolled()

    @property
    def page(self) -> int:
        """The page (from 0) that fills most of the view."""
        return self._page

    def go_to(self, page: int) -> None:
        """Shows the top of a page."""
        if 0 <= page < len(self._layout):
            self.verticalScrollBar().setValue(self._layout.box(page).top - self._gap)

    def reveal(self, spot: Spot) -> None:
        """Scrolls until a place is in view."""
        if not 0 <= spot.page < len(self._layout):
            return
        box, port = self._layout.box(spot.page), self._port()
        top = box.top + round(spot.rect.y * box.per_mm)
        bottom = box.top + round(spot.rect.bottom * box.per_mm)
        if top < self._top or bottom > self._top + port.height():
            self.verticalScrollBar().setValue((top + bottom - port.height()) // 2)
        left, right = (box.left + round(x * box.per_mm) for x in (spot.rect.x, spot.rect.right))
        if left < self._left or right > self._left + port.width():
            self.horizontalScrollBar().setValue((left + right - port.width()) // 2)

    # --- geometry ----------------------------------------------------------------------------------------------------

    @property
    def _ratio(self) -> float:
        return self.devicePixelRatioF()

    @property
    def _gap(self) -> int:
        return round(self._theme.space(3) * self._ratio)

    @property
    def _top(self) -> int:
        return self.verticalScrollBar().value()

    @property
    def _left(self) -> int:
        return self.horizontalScrollBar().value()

    def _port(self) -> QSize:
        """The window over the pages, in device pixels."""
        size = self.viewport().size()
        return QSize(round(size.width() * self._ratio), round(size.height() * self._ratio))

    def _per_mm(self) -> float:
        return self._zoom * _SCREEN_DPI / _MM_PER_INCH * self._ratio

    def _lay_out(self) -> None:
        sizes, port = self._pictures.sizes, self._port()
        if self._fit is not Fit.FREE and sizes:
            size: PageSize = sizes[min(self._page, len(sizes) - 1)]
            per_mm = fitted(size, self._fit, port.width(), port.height(), self._gap)
            self._zoom = min(max(per_mm * _MM_PER_INCH / _SCREEN_DPI / self._ratio, MIN_ZOOM / 10), MAX_ZOOM)
        self._layout = Layout(sizes, self._per_mm(), self._gap, port.width())
        for bar, whole, window in (
            (self.verticalScrollBar(), self._layout.height, port.height()),
            (self.horizontalScrollBar(), self._layout.width, port.width()),
        ):
            bar.setRange(0, max(0, whole - window))
            bar.setPageStep(window)
            bar.setSingleStep(round(self._theme.space(10) * self._ratio))
        self.zoom_changed.emit()

    def _anchor(self, y: int) -> tuple[int, float]:
        """The page at height `y` of the view, and how far down in it that is, as a share of its height."""
        if not len(self._layout):
            return 0, 0.0
        box = self._layout.box(self._layout.page_at(self._top + y))
        return box.page, (self._top + y - box.top) / box.height

    def _scroll_to(self, page: int, within: float, y: int) -> None:
        if page < len(self._layout):
            box = self._layout.box(page)
            self.verticalScrollBar().setValue(round(box.top + within * box.height) - y)

    def _visible(self) -> list[PageBox]:
        return list(self._layout.between(self._top, self._top + self._port().height()))

    def _scrolled(self) -> None:
        middle = self._top + self._port().height() // 2
        page = self._layout.page_at(middle) if len(self._layout) else 0
        if page != self._page:
            self._page = page
            self.page_changed.emit(page)
        self.viewport().update()
        self.needs.emit()

    # --- zoom --------------------------------------------------------------------------------------------------------

    @property
    def zoom(self) -> float:
        """How large pages are shown; 1 is as large as on paper, as far as the screen tells."""
        return self._zoom

    @property
    def fit(self) -> Fit:
        """What the zoom follows."""
        return self._fit

    def set_fit(self, fit: Fit) -> None:
        """Fits the page that is in view into the width or into the view, also when the window changes."""
        self._fit = fit
        self._zoomed(self._port().height() // 2)

    def set_zoom(self, zoom: float, y: int | None = None) -> None:
        """Shows pages this large; what lies at height `y` (device pixels) of the view stays there."""
        self._fit, self._zoom = Fit.FREE, min(max(zoom, MIN_ZOOM), MAX_ZOOM)
        self._zoomed(self._port().height() // 2 if y is None else y)

    def step_zoom(self, step: int) -> None:
        """One step larger (1) or smaller (-1)."""
        self.set_zoom(next_zoom(self._zoom, step))

    def _zoomed(self, y: int) -> None:
        page, within = self._anchor(y)
        across = (self._left + self._port().width() / 2) / max(1, self._layout.width)
        self._lay_out()
        self._scroll_to(page, within, y)
        self.horizontalScrollBar().setValue(round(across * self._layout.width - self._port().width() / 2))
        self._scrolled()

    # --- what is wanted ----------------------------------------------------------------------------------------------

    def wants(self) -> tuple[list[Tile | Ink], frozenset[Tile]]:
        """What the view needs, the middle first; and those tiles that may not be forgotten."""
        port = self._port()
        middle = self._top + port.height() / 2
        boxes = sorted(self._visible(), key=lambda box: abs((box.top + box.bottom) / 2 - middle))
        window = (self._top, self._top + port.height(), self._left, self._left + port.width())
        tiles = [tile for box in boxes for tile in box.tiles(*window)]
        wanted: list[Tile | Ink] = []
        if self._motion.isActive():
            wanted += [self._small(box) for box in boxes if self._pictures.stand_in(box.page) is None]
        wanted += tiles
        wanted += [
            ink
            for box in boxes
            for _rect, drawing in self._marks.drawings_on(box.page)
            for ink in self._stamps.inks(drawing, box.per_mm)
        ]
        return wanted, frozenset(tiles)

    def wants_next(self) -> list[Tile]:
        """The pages after and before those in view, as far as there is room for them."""
        boxes = self._visible()
        if not boxes:
            return []
        found: list[Tile] = []
        room = _NEXT_BYTES
        for page in (boxes[-1].page + 1, boxes[0].page - 1):
            if not 0 <= page < len(self._layout):
                continue
            box = self._layout.box(page)
            for tile in box.tiles(box.top, box.bottom, self._left, self._left + self._port().width()):
                room -= tile.bytes
                if room < 0:
                    return found
                found.append(tile)
        return found

    def _small(self, box: PageBox) -> Tile:
        size = self._pictures.size(box.page) or PageSize(box.width, box.height)
        return small_tile(box.page, size, round(self._theme.space(34) * self._ratio))

    # --- painting ----------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102 - Qt's name
        painter = QPainter(self.viewport())
        try:
            self._paint(painter, event.rect())
        finally:
            # Not left to the painter's own end: whoever looks at this frame meanwhile would keep it alive.
            painter.end()

    def _paint(self, painter: QPainter, area: QRect) -> None:
        painter.fillRect(area, self._theme.colour(Tone.DESK))
        if self._message is not None:
            told = self._words.explain(self._message)
            self._write(painter, self.viewport().rect(), f"{told.what}\n{told.why}\n{told.do}", Tone.TEXT)
            return
        if not len(self._layout):
            return
        painter.scale(1 / self._ratio, 1 / self._ratio)
        for box in self._visible():
            self._paint_page(painter, box)
        self._paint_frames(painter)

    def _paint_page(self, painter: QPainter, box: PageBox) -> None:
        left, top = box.left - self._left, box.top - self._top
        paper = QRect(left, top, box.width, box.height)
        painter.fillRect(paper.adjusted(-1, -1, 1, 1), self._theme.colour(Tone.LINE))
        painter.fillRect(paper, _PAPER)
        fault = self._pictures.faults.get(box.page)
        port = self._port()
        window = (self._top, self._top + port.height(), self._left, self._left + port.width())
        tiles = [(tile, self._pictures.picture(tile)) for tile in box.tiles(*window)]
        complete = all(image is not None for _tile, image in tiles)
        if fault is not None and not complete:
            told = self._words.explain(fault)
            self._write(painter, paper, f"{told.what}\n{told.why}\n{told.do}", None)
            return
        if not complete:
            self._paint_stand_in(painter, paper, self._pictures.stand_in(box.page))
        for tile, image in tiles:
            if image is not None:
                painter.drawImage(left + tile.clip.left, top + tile.clip.top, image)
        painter.save()
        painter.setClipRect(paper)
        for rect, drawing in self._marks.drawings_on(box.page):
            self._stamps.paint(painter, rect, drawing, left, top, box.per_mm)
        painter.restore()

    @staticmethod
    def _paint_stand_in(painter: QPainter, paper: QRect, image: QImage | None) -> None:
        if image is None:
            return
        # Smooth only where it is cheap; a large picture is here for a moment.
        smooth = image.width() * 2 <= paper.width()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(paper, image)

    def _paint_frames(self, painter: QPainter) -> None:
        """Frames around the marks: what can be moved, what is selected, what is doubtful."""
        marks, focused = self._marks, self.hasFocus()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index in range(len(marks.overlay.marks)):
            selected = index == marks.selected
            if not (marks.can_move(index) or selected):
                continue
            tone = Tone.WARN if marks.can_move(index) and marks.unsure else Tone.FOCUS
            strong = selected and focused
            solid = strong or tone is Tone.WARN
            self._frame(painter, marks.spot(index), tone, 2 if solid else 1, solid=solid)
        if marks.selected is not None and marks.can_move(marks.selected) and marks.rule is not None and marks.away:
            self._frame(painter, marks.rule, Tone.MUTED, 1, solid=False)
        if (self._drag is not None and self._drag.moved) or self._commit.isActive():
            self._paint_millimetres(painter)

    def place_of(self, spot: Spot) -> QRectF | None:
        """Where a spot shows in the view, in device pixels."""
        if not 0 <= spot.page < len(self._layout):
            return None
        box = self._layout.box(spot.page)
        return QRectF(
            box.left - self._left + spot.rect.x * box.per_mm,
            box.top - self._top + spot.rect.y * box.per_mm,
            spot.rect.w * box.per_mm,
            spot.rect.h * box.per_mm,
        )

    def _frame(self, painter: QPainter, spot: Spot, tone: Tone, thick: int, *, solid: bool) -> None:
        place = self.place_of(spot)
        if place is None:
            return
        style = Qt.PenStyle.SolidLine if solid else Qt.PenStyle.DashLine
        painter.setPen(QPen(self._theme.colour(tone), thick * self._ratio, style))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(place)

    def _paint_millimetres(self, painter: QPainter) -> None:
        """A small label at the mark: mm from the left and from the top."""
        index = self._marks.movable_index
        place = self.place_of(self._marks.spot(index)) if index is not None else None
        if index is None or place is None:
            return
        rect = self._marks.spot(index).rect
        text = self._words("page_mark_mm", x=millimetres(rect.x, self._words), y=millimetres(rect.y, self._words))
        painter.save()
        painter.resetTransform()
        # Letters are sized in the widget's own units.
        font = self._theme.font(Type.SMALL)
        painter.setFont(font)
        pad = self._theme.space(1)
        label = painter.fontMetrics().boundingRect(text).adjusted(-pad, -pad, pad, pad)
        corner = QPoint(round(place.left() / self._ratio), round(place.top() / self._ratio) - label.height() - pad)
        label.moveTopLeft(QPoint(max(pad, corner.x()), max(pad, corner.y())))
        painter.fillRect(label, self._theme.colour(Tone.ACCENT))
        painter.setPen(self._theme.colour(Tone.ON_ACCENT))
        painter.drawText(label, Qt.AlignmentFlag.AlignCenter, text)
        painter.restore()

    def _write(self, painter: QPainter, where: QRect, text: str, tone: Tone | None) -> None:
        """A text in the middle of a box; `tone` None writes on paper."""
        painter.save()
        if tone is None:
            painter.resetTransform()
            where = QRectF(QPointF(where.topLeft()) / self._ratio, QPointF(where.bottomRight()) / self._ratio).toRect()
        margin = self._theme.space(4)
        painter.setFont(self._theme.font(Type.BODY))
        painter.setPen(Qt.GlobalColor.black if tone is None else self._theme.colour(tone))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(where.adjusted(margin, margin, -margin, -margin), flags, text)
        painter.restore()

    # --- the view changes --------------------------------------------------------------------------------------------

    def scrollContentsBy(self, dx: int, dy: int) -> None:  # noqa: N802, D102 - Qt's name
        self._motion.start()
        self._scrolled()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802, D102 - Qt's name
        self._resized()
        super().resizeEvent(event)

    def _resized(self) -> None:
        page, within = self._anchor(0)
        self._lay_out()
        self._scroll_to(page, within, 0)
        self._scrolled()

    def event(self, event: QEvent) -> bool:  # noqa: D102 - Qt's name
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._resized()
        return super().event(event)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802, D102 - Qt's name
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            turned = event.angleDelta().y()
            if turned:
                self.set_zoom(self._zoom * 1.0015**turned, round(event.position().y() * self._ratio))
            event.accept()
            return
        super().wheelEvent(event)

    # --- marks and the mouse -----------------------------------------------------------------------------------------

    def _on_page(self, position: QPointF) -> tuple[PageBox, float, float] | None:
        """The page under a point of the view, and where on it, in mm."""
        if not len(self._layout):
            return None
        x, y = position.x() * self._ratio + self._left, position.y() * self._ratio + self._top
        box = self._layout.box(self._layout.page_at(round(y)))
        return box, (x - box.left) / box.per_mm, (y - box.top) / box.per_mm

    def _mark_at(self, position: QPointF) -> int | None:
        found = self._on_page(position)
        return self._marks.at(found[0].page, found[1], found[2]) if found is not None else None

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802, D102 - Qt's name
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        index, found = self._mark_at(event.position()), self._on_page(event.position())
        self._select(index)
        if index is not None and found is not None and self._marks.can_move(index):
            rect = self._marks.spot(index).rect
            self._drag = _Drag(found[1] - rect.x, found[2] - rect.y)
            self._commit.stop()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802, D102 - Qt's name
        if self._drag is None:
            movable = self._marks.can_move(self._mark_at(event.position()))
            self.viewport().setCursor(Qt.CursorShape.SizeAllCursor if movable else Qt.CursorShape.ArrowCursor)
            return
        self._drag_to(event.position(), snap=not event.modifiers() & Qt.KeyboardModifier.AltModifier)
        if not self.viewport().rect().contains(event.position().toPoint()):
            self._edge_scroll.start()

    def _drag_to(self, position: QPointF, *, snap: bool) -> None:
        found = self._on_page(position)
        if self._drag is None or found is None:
            return
        box, x, y = found
        self._drag.moved = True
        self._marks.drag(box.page, x - self._drag.grip_x, y - self._drag.grip_y, snap=snap)
        self._mark_changed()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802, D102 - Qt's name
        if self._drag is not None and event.button() is Qt.MouseButton.LeftButton:
            self._drag = None
            self._edge_scroll.stop()
            self._let_go()

    def _scroll_at_edge(self) -> None:
        """A mark that is held beyond the edge of the view takes the view along."""
        position = self.viewport().mapFromGlobal(self.cursor().pos())
        port = self.viewport().rect()
        if self._drag is None or port.contains(position):
            self._edge_scroll.stop()
            return
        down = min(0, position.y()) or max(0, position.y() - port.height())
        across = min(0, position.x()) or max(0, position.x() - port.width())
        self.verticalScrollBar().setValue(self._top + round(down * self._ratio / 2))
        self.horizontalScrollBar().setValue(self._left + round(across * self._ratio / 2))
        self._drag_to(QPointF(position), snap=True)

    def viewportEvent(self, event: QEvent) -> bool:  # noqa: N802, D102 - Qt's name
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            index = self._mark_at(QPointF(event.pos()))
            lock = self._marks.overlay.marks[index].lock if index is not None else None
            text = self._words(f"page_locked_{lock}") if lock is not None else ""
            if index is not None and lock is None:
                text = self._words("page_move_help")
            QToolTip.showText(event.globalPos(), text, self.viewport())
            return True
        return super().viewportEvent(event)

    # --- marks and the keys ------------------------------------------------------------------------------------------

    def _select(self, index: int | None) -> None:
        if index != self._marks.selected:
            self._let_go()
            self._marks.selected = index
            self._mark_changed()

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: N802, A002, D102 - Qt's names
        self._let_go()
        if self._marks.select_next(1 if next else -1):
            assert self._marks.selected is not None
            self.reveal(self._marks.spot(self._marks.selected))
            self._mark_changed(announce=True)
            return True
        self._mark_changed()
        return super().focusNextPrevChild(next)

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802, D102 - Qt's name
        tabbed = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        if tabbed and self._marks.select_next(1 if event.reason() is Qt.FocusReason.TabFocusReason else -1):
            self._mark_changed(announce=True)
        self.viewport().update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802, D102 - Qt's name
        self._let_go()
        self.viewport().update()
        super().focusOutEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802, D102 - Qt's name
        if not (self._mark_key(event) or self._zoom_key(event) or self._page_key(event)):
            super().keyPressEvent(event)

    def _mark_key(self, event: QKeyEvent) -> bool:
        """A key for the selected mark; whether it was one."""
        marks, key, modifiers = self._marks, Qt.Key(event.key()), event.modifiers()
        if marks.selected is None:
            return False
        if self._drag is not None and key == Qt.Key.Key_Escape:
            self._drag = None
            self._edge_scroll.stop()
            marks.put_back()
            self._mark_changed(announce=True)
            return True
        if not marks.can_move(marks.selected):
            if key == Qt.Key.Key_Escape:
                self._select(None)
                return True
            return False
        control = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        if key in _ARROWS:
            fine = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
            marks.nudge(*_ARROWS[key], Step.COARSE if control else Step.FINE if fine else Step.NORMAL)
        elif control and key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            marks.to_page(1 if key == Qt.Key.Key_PageDown else -1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._let_go()
            return True
        elif key == Qt.Key.Key_Home or (key == Qt.Key.Key_Escape and marks.away):
            marks.go_home()
        elif key == Qt.Key.Key_Escape:
            self._select(None)
            return True
        else:
            return False
        self._commit.start()
        self.reveal(marks.spot(marks.selected))
        self._mark_changed(announce=True)
        return True

    def _zoom_key(self, event: QKeyEvent) -> bool:
        if not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return False
        match event.key():
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self.step_zoom(1)
            case Qt.Key.Key_Minus:
                self.step_zoom(-1)
            case Qt.Key.Key_0:
                self.set_fit(Fit.PAGE)
            case Qt.Key.Key_1:
                self.set_zoom(1.0)
            case Qt.Key.Key_2:
                self.set_fit(Fit.WIDTH)
            case _:
                return False
        return True

    def _page_key(self, event: QKeyEvent) -> bool:
        match event.key():
            case Qt.Key.Key_Home:
                self.go_to(0)
            case Qt.Key.Key_End:
                self.go_to(len(self._layout) - 1)
            case _:
                return False
        return True

    def _mark_changed(self, *, announce: bool = False) -> None:
        self.viewport().update()
        self.mark_moved.emit()
        said = self._marks.says(self._words)
        if announce and said:
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, said))

    def _let_go(self) -> None:
        """The move, if there was one, is done."""
        self._commit.stop()
        self.viewport().update()
        self.mark_dropped.emit()
