"""Where the pages of a document lie under each other, in pixels of the screen, and into which tiles they are cut.

Pure arithmetic over plain values; loads no Qt. Lengths are device pixels, so that a tile meets the screen's pixels
exactly at every scaling.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from signer_app.page_tasks import PixelBox
from signer_app.pages import PageSize

_TILE = 1536
"""Side of a tile in pixels: 9 MB. A page at ordinary size is one or two, a screen never needs more than twelve."""

_MAX_SIDE = 20_000
"""A page that would be longer is shown smaller than its neighbours: no office reads a page of 5 m."""

ZOOM_STEPS = (0.25, 0.33, 0.5, 0.67, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0)
MIN_ZOOM, MAX_ZOOM = 0.1, ZOOM_STEPS[-1]


class Fit(Enum):
    """What the zoom follows."""

    FREE = "free"
    WIDTH = "width"
    PAGE = "page"


@dataclass(frozen=True)
class Tile:
    """A part of a page (from 0) as it is shown `width` by `height` pixels large."""

    page: int
    width: int
    height: int
    clip: PixelBox

    @property
    def whole(self) -> bool:
        """Whether it is all of the page."""
        return (self.clip.width, self.clip.height) == (self.width, self.height)

    @property
    def bytes(self) -> int:
        """What its picture takes in memory."""
        return self.clip.width * self.clip.height * 4


@dataclass(frozen=True)
class PageBox:
    """A page's place below the other pages, in pixels from the top left of them all, and how many show a mm."""

    page: int
    left: int
    top: int
    width: int
    height: int
    per_mm: float

    @property
    def bottom(self) -> int:
        """The first row below the page."""
        return self.top + self.height

    def tiles(self, top: int, bottom: int, left: int, right: int) -> Iterator[Tile]:
        """The tiles that show in this window over all pages, from the top left on."""
        for y in range(0, self.height, _TILE):
            for x in range(0, self.width, _TILE):
                clip = PixelBox(x, y, min(_TILE, self.width - x), min(_TILE, self.height - y))
                across = self.left + x < right and left < self.left + x + clip.width
                if across and self.top + y < bottom and top < self.top + y + clip.height:
                    yield Tile(self.page, self.width, self.height, clip)


def small_tile(page: int, size: PageSize, side: int) -> Tile:
    """The whole page, at most `side` pixels on each side."""
    scale = side / max(size.width, size.height)
    width, height = max(1, round(size.width * scale)), max(1, round(size.height * scale))
    return Tile(page, width, height, PixelBox(0, 0, width, height))


def fitted(size: PageSize, fit: Fit, width: int, height: int, gap: int) -> float:
    """How many pixels show a mm, so that a page fits into a window of `width` by `height` pixels."""
    across = max(1, width - 2 * gap) / size.width
    return across if fit is Fit.WIDTH else min(across, max(1, height - 2 * gap) / size.height)


def next_zoom(zoom: float, step: int) -> float:
    """The zoom after (1) or before (-1) this one."""
    if step > 0:
        return next((known for known in ZOOM_STEPS if known > zoom * 1.01), MAX_ZOOM)
    return next((known for known in reversed(ZOOM_STEPS) if known < zoom * 0.99), MIN_ZOOM)


class Layout:
    """All pages of a document under each other, each in the middle. Cheap to make: one for each zoom."""

    def __init__(self, sizes: Sequence[PageSize], per_mm: float, gap: int, window_width: int) -> None:
        self._scales = [min(per_mm, _MAX_SIDE / max(size.width, size.height)) for size in sizes]
        self._shapes = [
            (max(1, round(size.width * scale)), max(1, round(size.height * scale)))
            for size, scale in zip(sizes, self._scales, strict=True)
        ]
        widest = max((width for width, _height in self._shapes), default=0)
        self.width = max(window_width, widest + 2 * gap)
        self._tops: list[int] = []
        top = gap
        for _width, height in self._shapes:
            self._tops.append(top)
            top += height + gap
        self.height = top if sizes else 0

    def __len__(self) -> int:
        return len(self._shapes)

    def box(self, page: int) -> PageBox:
        """Where page `page` (from 0) lies."""
        width, height = self._shapes[page]
        return PageBox(page, (self.width - width) // 2, self._tops[page], width, height, self._scales[page])

    def page_at(self, y: int) -> int:
        """The page at a height, or the one above where there is a gap; 0 above all."""
        return max(0, bisect_right(self._tops, y) - 1)

    def between(self, top: int, bottom: int) -> Iterator[PageBox]:
        """The pages of which something lies between two heights."""
        if not self._shapes:
            return
        for page in range(self.page_at(top), len(self._shapes)):
            box = self.box(page)
            if box.top >= bottom:
                return
            if box.bottom > top:
                yield box
