"""Small pictures of the pages of many documents, with what signing will draw on them.

UI thread; pages and inks are drawn by the page worker, asked for on the lane of pages, one at a time: the next one is
chosen when the last is back, from what is in sight then. Stamps are painted here, once for each picture. Kept pictures
are bounded in bytes. Never opens a file.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QRectF, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPen
from shiboken6 import isValid

from signer_app.pages import Pages, PageSize
from signer_app.pdf.geometry import Rect
from signer_app.pdf.plan import Drawing
from signer_resources.errors import KnownError
from signer_ui.presenters.pages import Overlay, overlay_of
from signer_ui.presenters.review import Cell
from signer_ui.tasks import Control, Handle, Lane, Tasks
from signer_ui.theme import Theme, Tone
from signer_ui.widgets.page_layout import Tile, small_tile
from signer_ui.widgets.page_pictures import Ink, Shown, ink_image, page_image
from signer_ui.widgets.page_stamps import StampPainter

_BYTES = 64 << 20
_INKS = 64
_FRAME = 2.0

Key = tuple[str, str, int, int]
"""Blob, file of the draft, page, pixels of the longer side."""


@dataclass(frozen=True)
class _Drawn:
    """A page without its stamps, and the inks that came with it."""

    page: Shown
    per_mm: float
    inks: Mapping[Ink, Shown]


class SheetPictures(QObject):
    """`wanted` are the cells in sight, the first first, and how many pixels their longer side has."""

    arrived = Signal()
    """Another picture is there, or is known not to come."""

    def __init__(
        self,
        tasks: Tasks,
        pages: Pages,
        theme: Theme,
        path_of: Callable[[str], Path],
        wanted: Callable[[], tuple[Sequence[Cell], int]],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._tasks, self._pages, self._theme = tasks, pages, theme
        self._path_of = path_of
        self._wanted = wanted
        self._images: Mapping[str, bytes] = {}
        self._kept: OrderedDict[Key, QImage] = OrderedDict()
        self._bytes = 0
        self._lost: set[Key] = set()
        self._inks: OrderedDict[Ink, QImage] = OrderedDict()
        self._stamps = StampPainter(self._inks.get)
        self._running: Handle | None = None

    def use(self, images: Mapping[str, bytes]) -> None:
        """Other documents, with these pictures for their stamps, by hash."""
        self.clear()
        self._images = images

    def clear(self) -> None:
        """Forgets all; what is under way is not waited for."""
        if self._running is not None:
            self._running.cancel()
        self._running = None
        self._kept.clear()
        self._inks.clear()
        self._lost.clear()
        self._bytes = 0

    def picture(self, cell: Cell, side: int) -> QImage | None:
        """The page with its stamps, if it is there."""
        key = _key(cell, side)
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def is_lost(self, cell: Cell, side: int) -> bool:
        """Whether it can't be shown."""
        return _key(cell, side) in self._lost

    def poke(self) -> None:
        """Asks for the next that is wanted, if nothing is under way."""
        if self._running is not None and self._running.running:
            return
        wanted, side = self._wanted()
        for cell in wanted:
            key = _key(cell, side)
            if key not in self._kept and key not in self._lost:
                self._ask(cell, side, key)
                return

    def _ask(self, cell: Cell, side: int, key: Key) -> None:
        pages, images, path = self._pages, self._images, self._path_of(cell.blob)
        overlay = overlay_of(cell.plan) if cell.plan is not None else Overlay()
        drawings = [(shown.spot.rect, shown.drawing) for shown in overlay.drawings if shown.spot.page == cell.page]
        known = frozenset(self._inks)

        def work(control: Control) -> _Drawn:
            control.check()
            sizes = pages.outline(path, cell.page, 1).sizes
            if not sizes:
                raise KnownError("page_not_drawn", page=cell.page + 1)
            tile = small_tile(cell.page, sizes[0], side)
            page = page_image(pages.draw(path, tile.page, tile.width, tile.height))
            per_mm = _per_mm(tile, sizes[0])
            needed = {ink for _rect, drawing in drawings for ink in StampPainter.inks(drawing, per_mm)}
            wishes = [ink for ink in needed - known if ink.sha256 in images]
            inks = {}
            for wish in wishes:
                control.check()
                # The preflight tells of a picture that can't be used; the page shows the frame of the mark.
                with suppress(KnownError):
                    inks[wish] = ink_image(pages.ink(images[wish.sha256], wish.sha256, wish.width, wish.height))
            return _Drawn(page, per_mm, inks)

        def came(drawn: _Drawn) -> None:
            if isValid(self):
                self._keep(key, cell, drawn, drawings, overlay)
                self.arrived.emit()
                self.poke()

        def failed(error: KnownError) -> None:
            if isValid(self) and error.code != "interrupted":
                self._lost.add(key)
                self.arrived.emit()
                self.poke()

        self._running = self._tasks.run(self, Lane.PAGES, work, came, failed=failed, newest_first=True)

    def _keep(
        self, key: Key, cell: Cell, drawn: _Drawn, drawings: Sequence[tuple[Rect, Drawing]], overlay: Overlay
    ) -> None:
        for wish, shown in drawn.inks.items():
            # With its own bytes: what it came in goes.
            self._inks[wish] = shown.image.copy()
        while len(self._inks) > _INKS:
            self._inks.popitem(last=False)
        image = drawn.page.image.copy()
        painter = QPainter(image)
        for rect, drawing in drawings:
            self._stamps.paint(painter, rect, drawing, 0, 0, drawn.per_mm)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for mark in overlay.marks:
            if mark.spot.page == cell.page:
                self._frame(painter, mark.spot.rect, drawn.per_mm, sure=mark.sure)
        painter.end()
        self._kept[key] = image
        self._bytes += image.sizeInBytes()
        while self._bytes > _BYTES and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].sizeInBytes()

    def _frame(self, painter: QPainter, rect: Rect, per_mm: float, *, sure: bool) -> None:
        """Where a mark lands, seen at this size."""
        # Paper is white in the dark look as well, so the light look's colours serve both.
        pen = QPen(Theme(dark=False).colour(Tone.ACCENT if sure else Tone.WARN), _FRAME / 2 if sure else _FRAME)
        if not sure:
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        box = QRectF(rect.x * per_mm, rect.y * per_mm, rect.w * per_mm, rect.h * per_mm)
        painter.drawRect(box.adjusted(-1, -1, 1, 1))


def _key(cell: Cell, side: int) -> Key:
    return cell.blob, cell.file, cell.page, side


def _per_mm(tile: Tile, size: PageSize) -> float:
    return tile.width / size.width
