"""The pictures of the document that is shown: which are there, which are asked for next, which are forgotten.

UI thread; the asking itself runs on the lane for pages. One request is out at a time, and the next is chosen when it
is back, from what is wanted then: so the newest wish comes first and nobody waits for pages that have scrolled by.
Kept pictures are bounded in bytes. Never opens a file.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage
from shiboken6 import isValid

from signer_app.pages import Pages, PageSize, PageSizes, Picture
from signer_resources.errors import KnownError
from signer_ui.tasks import Control, Handle, Lane, Tasks
from signer_ui.widgets.page_layout import Tile

_SHARP_BYTES = 128 << 20
_SMALL_BYTES = 24 << 20
_INK_BYTES = 24 << 20
_SMALL_PICTURE = 512 << 10
"""Bytes up to which a picture counts as a small one: thumbnails must not be driven out by pages."""

_FIRST_SIZES = 24
_MORE_SIZES = 1000
"""Sizes come in two helpings: what the first screen needs, then the rest."""


@dataclass(frozen=True)
class Ink:
    """The picture of a stamp by its hash, to be as large as these pixels allow."""

    sha256: str
    width: int
    height: int


@dataclass(frozen=True)
class Shown:
    """An image, and the bytes that it may lie on without owning them."""

    image: QImage
    pixels: bytes = field(default=b"", repr=False)


A = TypeVar("A")
K = TypeVar("K", bound=Hashable)


class _Kept(Generic[K]):
    """Pictures up to so many bytes; those go first that nobody has looked at for longest."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: OrderedDict[K, Shown] = OrderedDict()
        self._bytes = 0

    def __contains__(self, key: K) -> bool:
        return key in self._held

    def get(self, key: K) -> QImage | None:
        found = self._held.get(key)
        if found is None:
            return None
        self._held.move_to_end(key)
        return found.image

    def put(self, key: K, shown: Shown, needed: frozenset[K]) -> None:
        self._held[key] = shown
        self._bytes += shown.image.sizeInBytes()
        for old in list(self._held):
            if self._bytes <= self._limit:
                return
            if old not in needed and old != key:
                self._bytes -= self._held.pop(old).image.sizeInBytes()

    def __iter__(self) -> Iterator[K]:
        return iter(self._held)

    def clear(self) -> None:
        self._held.clear()
        self._bytes = 0


@dataclass(frozen=True)
class Wishes:
    """What is wanted now, the most urgent first; `needed` is on the screen and must not be forgotten."""

    wanted: tuple[Tile | Ink, ...] = ()
    needed: frozenset[Tile] = frozenset()


class Pictures(QObject):
    """Pictures and page sizes of one document at a time."""

    arrived = Signal()
    """Something can be painted that couldn't before."""
    sized = Signal()
    """More is known of the pages' sizes."""
    unreadable = Signal(object)
    """The document can't be shown at all: a KnownError."""

    def __init__(self, tasks: Tasks, pages: Pages, wishes: Callable[[], Wishes], parent: QObject) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._pages = pages
        self._wishes = wishes
        self._path: Path | None = None
        self._images: dict[str, bytes] = {}
        self._running: Handle | None = None
        self._sharp: _Kept[Tile] = _Kept(_SHARP_BYTES)
        self._small: _Kept[Tile] = _Kept(_SMALL_BYTES)
        self._inks: _Kept[Ink] = _Kept(_INK_BYTES)
        self._wholes: dict[int, list[Tile]] = {}
        self._sizes: list[PageSize] = []
        self.total = 0
        self.faults: dict[int, KnownError] = {}
        """Pages (from 0) that can't be drawn, and why; they are not asked for again."""
        self._lost_inks: set[str] = set()

    # --- the document ------------------------------------------------------------------------------------------------

    def open(self, path: Path, images: dict[str, bytes]) -> None:
        """Another document; everything of the one before is forgotten."""
        self.close()
        self._path, self._images = path, images
        self.poke()

    def use(self, images: dict[str, bytes]) -> None:
        """Other pictures for stamps, by hash."""
        if images != self._images:
            self._images = images
            self._lost_inks.clear()
        self.poke()

    def close(self) -> None:
        """No document; what is under way is not waited for."""
        if self._running is not None:
            self._running.cancel()
        self._path, self._running = None, None
        self._sizes, self.total = [], 0
        self.faults.clear()
        self._lost_inks.clear()
        self._wholes.clear()
        for kept in (self._sharp, self._small):
            kept.clear()

    @property
    def sizes(self) -> list[PageSize]:
        """The size of every page; those not known yet are taken for the last that is."""
        return self._sizes + self._sizes[-1:] * (self.total - len(self._sizes))

    def size(self, page: int) -> PageSize | None:
        """The size of a page, None for one that isn't there."""
        if not 0 <= page < self.total:
            return None
        return self._sizes[min(page, len(self._sizes) - 1)]

    # --- the pictures ------------------------------------------------------------------------------------------------

    def picture(self, tile: Tile) -> QImage | None:
        """The picture of a tile, if it is there."""
        return self._store(tile).get(tile)

    def stand_in(self, page: int) -> QImage | None:
        """The largest picture of the whole page that is there, of whatever size."""
        for tile in self._wholes.get(page, ()):
            image = self.picture(tile)
            if image is not None:
                return image
        return None

    def ink(self, wish: Ink) -> QImage | None:
        """The ink of a stamp; in another size as long as this one isn't there."""
        found = self._inks.get(wish)
        if found is None:
            other = max((k for k in self._inks if k.sha256 == wish.sha256), key=lambda k: k.width, default=None)
            found = self._inks.get(other) if other is not None else None
        return found

    def _store(self, tile: Tile) -> _Kept[Tile]:
        return self._small if tile.bytes <= _SMALL_PICTURE else self._sharp

    # --- asking ------------------------------------------------------------------------------------------------------

    def poke(self) -> None:
        """Asks for the next thing that is wanted, if nothing is under way."""
        path = self._path
        if path is None or (self._running is not None and self._running.running):
            return
        if not self._sizes:
            self._ask(lambda _: self._pages.outline(path, 0, _FIRST_SIZES), self._sizes_came, self._give_up)
            return
        wishes = self._wishes()
        for wish in wishes.wanted:
            if isinstance(wish, Ink):
                if wish not in self._inks and wish.sha256 in self._images and wish.sha256 not in self._lost_inks:
                    self._ask_ink(wish, self._images[wish.sha256])
                    return
            elif wish.page not in self.faults and wish not in self._store(wish):
                self._ask_tile(path, wish, wishes.needed)
                return
        if len(self._sizes) < self.total:
            known = len(self._sizes)
            # Without them the document can be read all the same.
            self._ask(lambda _: self._pages.outline(path, known, _MORE_SIZES), self._sizes_came, self._sizes_lost)

    def _ask_tile(self, path: Path, tile: Tile, needed: frozenset[Tile]) -> None:
        def work(control: Control) -> Shown:
            control.check()
            return page_image(self._pages.draw(path, tile.page, tile.width, tile.height, tile.clip))

        def done(shown: Shown) -> None:
            self._store(tile).put(tile, shown, needed)
            if tile.whole:
                # The largest first; the few that were forgotten meanwhile are dropped by the way.
                known = [old for old in self._wholes.get(tile.page, []) if old in self._store(old) and old != tile]
                self._wholes[tile.page] = sorted([*known, tile], key=lambda whole: -whole.bytes)
            self.arrived.emit()

        def failed(error: KnownError) -> None:
            self.faults[tile.page] = error
            self.arrived.emit()

        self._ask(work, done, failed)

    def _ask_ink(self, wish: Ink, picture: bytes) -> None:
        def work(control: Control) -> Shown:
            control.check()
            return ink_image(self._pages.ink(picture, wish.sha256, wish.width, wish.height))

        def done(shown: Shown) -> None:
            self._inks.put(wish, shown, frozenset())
            self.arrived.emit()

        def failed(_: KnownError) -> None:
            # The preflight tells of a picture that can't be used; the page shows the frame of the mark.
            self._lost_inks.add(wish.sha256)

        self._ask(work, done, failed)

    def _sizes_came(self, came: PageSizes) -> None:
        self.total = came.total
        self._sizes += came.sizes
        if not self._sizes:
            self._give_up(KnownError("pdf_unreadable"))
            return
        self.sized.emit()

    def _give_up(self, error: KnownError) -> None:
        self._path = None
        self.unreadable.emit(error)

    def _sizes_lost(self, _: KnownError) -> None:
        self._sizes = self.sizes

    def _ask(
        self, work: Callable[[Control], A], done: Callable[[A], None], failed: Callable[[KnownError], None]
    ) -> None:
        path = self._path

        def answered(result: A) -> None:
            # The window may have gone meanwhile.
            if isValid(self):
                done(result)
                self.poke()

        def refused(error: KnownError) -> None:
            # Another document may have come while this one's picture was drawn.
            if not isValid(self) or self._path is not path or error.code == "interrupted":
                return
            failed(error)
            if self._sizes:
                self.poke()

        self._running = self._tasks.run(self, Lane.PAGES, work, answered, failed=refused, newest_first=True)


def page_image(picture: Picture) -> Shown:
    """A page as it was drawn."""
    image = QImage(picture.pixels, picture.width, picture.height, picture.stride, QImage.Format.Format_RGB32)
    return Shown(image, picture.pixels)


def ink_image(picture: Picture) -> Shown:
    """The ink of a stamp."""
    image = QImage(picture.pixels, picture.width, picture.height, picture.stride, QImage.Format.Format_RGBA8888)
    # The form in which painting is fastest; this copy is of a few thousand pixels.
    return Shown(image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied))
