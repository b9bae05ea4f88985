"""The ink rule: whether what a page showed when it was signed can still be read.

Runs in a worker. Renders the page of the signed state and of the file as it is, at about 110 dpi, and compares pixels
with Pillow alone where anything differs, in grey and where grey shows nothing in red and green. An inked pixel may get
darker (a seal drawn with Multiply) but never lighter, and must stay darker than what was blank beside it, so neither an
opaque patch nor a dark one passes. Dot leaders are no ink. Never decides from the objects of the PDF; it is the
cross-check by picture, and tells where on the page.
"""

import ctypes
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from signer_app.pdf.geometry import PageFrame, Rect, UserBox, mm_to_pt
from signer_app.verification.faults import LimitError
from signer_app.verification.source import SourceFile

_DPI = 110
_MAX_PIXELS = 12_000_000
_MAX_PICTURES = 1200
_MAX_KEPT = 48
_MAX_OPEN = 4
_MAX_CHARS = 100_000

_INK_CONTRAST = 36
"""A pixel this much darker (of 255) than the paper near it is ink: grey text of #BBB is, the noise of a scan isn't."""
_COLOUR_CONTRAST = 60
"""Of red or green alone, where grey shows no ink: letters whose colour is as light as their ground's."""
_DARK = 255 - _INK_CONTRAST
"""What is darker than this may be ink, whatever the paper."""
_BLANK_CONTRAST = 14
_PAPER_REACH = 9
"""Side, in pixels, of the square in which the lightest pixel counts as the paper: 2 mm."""
_BESIDE_REACH = 5
"""Side of the square that is `beside` an inked pixel: two pixels each way, more than a letter's stroke is wide."""
_LIGHTER = 10
"""Rounding of blend modes stays below this; a see-through patch does not."""
_KEPT_CONTRAST = 0.1
_CLUSTER_REACH = 9
_CLUSTER_PIXELS = 4
"""Where a stamp's edge meets the edge of a letter, single pixels lose their contrast; a hidden letter is more."""

MAX_AREAS = 12
"""As many boxes as are told of one change; more are drawn together."""
_MAX_PLACES = 400
_CELL = 8
"""Side, in pixels, of the cells in which what lies close together becomes one box: 1.8 mm."""
_MAX_CELLS = 30_000
"""Larger pages are looked at in larger cells; an A4 page has half as many."""

_LEADERS = frozenset(".…_․‥·")
_LEADER_RUN = 3
_MAX_LEADER_HEIGHT_PT = mm_to_pt(1.5)
_MAX_LEADER_WIDTH_PT = {"…": mm_to_pt(6), "_": mm_to_pt(3.5)}
"""A dot of a leader is at most this high, and this wide, or as wide as high; what is more only calls itself a dot."""


_CORNER = (0, 0)
_STRIP = 16
"""Rows of two pictures that are held against each other byte by byte, before pixels are looked at."""
_REGION = 48
"""Side, in pixels, of the cells by which differing parts of a page are told apart: 11 mm."""
_MAX_REGIONS = 8
_REACH = (_PAPER_REACH + 2 * _BESIDE_REACH + _CLUSTER_REACH, _PAPER_REACH + _BESIDE_REACH + 2)
"""How far beside, and above and below, a change matters to the rule: no pixel further away has a say in what is lost.
A leader's dots may be wide, and are looked at as a whole.
"""


_Place = tuple[int, int, int, int]
_Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Unlike:
    """Where two pictures of a page, of one size, differ: white in `changes`, whose upper left is at `corner`."""

    changes: Image.Image
    corner: tuple[int, int]


@dataclass(frozen=True)
class _Drawn:
    """Which picture: of the page (from 0) of the file cut at byte `end`."""

    end: int
    page: int
    annotations: bool
    grey: bool


class Pages:
    """Pictures of the pages of successive states of one file, the latest kept. Close after use."""

    def __init__(self, source: SourceFile) -> None:
        self._source = source
        self._documents: dict[int, pdfium.PdfDocument] = {}
        self._open: dict[tuple[int, int], pdfium.PdfPage] = {}
        self._pictures: dict[_Drawn, _Picture] = {}
        self._unlike: dict[tuple[int, int, int], Unlike | None] = {}
        self._left = _MAX_PICTURES

    def allow(self, more: int) -> None:
        """So many more pictures may be made; their number is limited."""
        self._left += more

    def close(self) -> None:
        """Closes PDFium's pages and documents; must come before the source is closed."""
        self._close_pages()
        for document in self._documents.values():
            document.close()
        self._documents.clear()

    def _close_pages(self) -> None:
        for page in self._open.values():
            page.close()
        self._open.clear()

    def picture(self, end: int, page: int, *, annotations: bool = True) -> Image.Image:
        """The page (from 0) of the file cut at byte `end`, in grey. Raises pdfium's errors, LimitError."""
        return self._picture(_Drawn(end, page, annotations, grey=True)).image

    def colours(self, end: int, page: int) -> Image.Image:
        """The same in colour, RGBX."""
        return self._coloured(end, page).image

    def _coloured(self, end: int, page: int) -> "_Picture":
        return self._picture(_Drawn(end, page, annotations=True, grey=False))

    def part(self, end: int, page: int, place: _Place, *, annotations: bool = True) -> Image.Image:
        """A part of the page in grey: left, top, right, bottom in pixels of its picture."""
        if self._left <= 0:
            raise LimitError
        self._left -= 1
        return _render(self._page(end, page), annotations=annotations, grey=True, place=place).image

    def unlike(self, ends: tuple[int, int], page: int) -> Unlike | None:
        """Where the page differs, in whatever colour, between the file cut at two bytes; None when it doesn't, or the
        page has another size.
        """
        known = (*ends, page)
        if known not in self._unlike:
            if len(self._unlike) >= _MAX_KEPT:
                self._unlike.clear()
            self._unlike[known] = _compared(*(self._coloured(end, page) for end in ends))
        return self._unlike[known]

    def same_but(self, ends: tuple[int, int], page: int, free: Sequence[_Box], tone: int) -> bool:
        """Whether the page looks the same in grey, up to this difference of tone, in the file cut at two bytes; `free`
        are boxes, in parts of its width and height, that don't count. Raises pdfium's errors, LimitError.
        """
        coloured = [self._pictures.get(_Drawn(end, page, annotations=True, grey=False)) for end in ends]
        sizes = {one.image.size for one in coloured if one is not None}
        if all(coloured) and len(sizes) == 1:
            # Drawn already: what looks the same in colour is not drawn again in grey.
            unlike, size = self.unlike(ends, page), sizes.pop()
            if unlike is None or _blotted(unlike.changes.copy(), unlike.corner, size, free).getbbox() is None:
                return True
        before, after = (self.picture(end, page) for end in ends)
        if before.size != after.size:
            return False
        difference = ImageChops.difference(before, after)
        if difference.getbbox() is None:
            return True
        return _blotted(difference, _CORNER, before.size, free).point(_above(tone)).getbbox() is None

    def _picture(self, wanted: _Drawn) -> "_Picture":
        if wanted not in self._pictures:
            if self._left <= 0:
                raise LimitError
            self._left -= 1
            while len(self._pictures) >= _MAX_KEPT:
                del self._pictures[next(iter(self._pictures))]
            page = self._page(wanted.end, wanted.page)
            self._pictures[wanted] = _render(page, annotations=wanted.annotations, grey=wanted.grey)
        return self._pictures[wanted]

    def leaders(self, end: int, page: int) -> list[UserBox]:
        """Boxes of the dots of leaders ("Số: ....../QĐ") on that page, which number and date are written over by
        custom.
        """
        return list(_leaders(self._page(end, page)))

    def has_annotations(self, end: int, page: int) -> bool:
        """Whether the page shows anything beside its own content, by PDFium. Raises pdfium's errors."""
        return bool(pdfium_c.FPDFPage_GetAnnotCount(self._page(end, page).raw) > 0)

    def shape(self, end: int, page: int, unit: float) -> PageFrame:
        """How PDFium displays the page, which knows nothing of its unit. Raises pdfium's errors."""
        shown = self._page(end, page)
        return PageFrame(UserBox.normalised(*shown.get_bbox()), int(shown.get_rotation()) % 360, unit)

    def document(self, end: int) -> pdfium.PdfDocument:
        """PDFium's view of the file cut at byte `end`; it stays open, and is closed with the rest."""
        if end not in self._documents:
            document = pdfium.PdfDocument(self._source.beginning(end))
            # Without a form environment PDFium draws no widgets.
            document.init_forms()
            self._documents[end] = document
        return self._documents[end]

    def _page(self, end: int, number: int) -> pdfium.PdfPage:
        """A page that stays open for a while: its next picture needs no decoding of what it shows."""
        if (end, number) not in self._open:
            if len(self._open) >= _MAX_OPEN:
                self._close_pages()
            self._open[end, number] = self.document(end)[number]
        return self._open[end, number]


@dataclass(frozen=True)
class _Picture:
    """A picture, and the bytes of its rows, which lie one after the other."""

    image: Image.Image
    rows: memoryview


def _compared(before: _Picture, after: _Picture) -> Unlike | None:
    if before.image.size != after.image.size:
        return None
    width, height = before.image.size
    found: list[tuple[Image.Image, _Place]] = []
    for top, bottom in _unlike_rows(before.rows, after.rows, height):
        strip = (0, top, width, bottom)
        difference = ImageChops.difference(before.image.crop(strip), after.image.crop(strip))
        if (box := difference.getbbox()) is not None:
            planes = difference.crop(box).split()[:3]
            changes = functools.reduce(ImageChops.lighter, planes).point(_above(0))
            found.append((changes, _moved(box, 0, top)))
    if not found:
        return None
    left, top, right, bottom = _around([place for _, place in found])
    whole = Image.new("L", (right - left, bottom - top))
    for changes, place in found:
        whole.paste(changes, (place[0] - left, place[1] - top))
    return Unlike(whole, (left, top))


def _unlike_rows(before: memoryview, after: memoryview, height: int) -> Iterator[tuple[int, int]]:
    """The runs of rows, first and behind the last, in which two pictures of so many rows have any other byte."""
    row = len(before) // height
    start: int | None = None
    for top in range(0, height, _STRIP):
        place = slice(top * row, min(top + _STRIP, height) * row)
        # Bytes are compared as a whole, views of them one by one.
        if bytes(before[place]) == bytes(after[place]):
            if start is not None:
                yield start, top
            start = None
        elif start is None:
            start = top
    if start is not None:
        yield start, height


def _blotted(picture: Image.Image, corner: tuple[int, int], size: tuple[int, int], free: Sequence[_Box]) -> Image.Image:
    """A part of a page's picture of this size, at `corner`, with the free boxes made black."""
    draw, (width, height), (x, y) = ImageDraw.Draw(picture), size, corner
    for left, top, right, bottom in free:
        draw.rectangle((left * width - x, top * height - y, right * width - x, bottom * height - y), fill=0)
    return picture


@dataclass(frozen=True)
class InkQuestion:
    """Two states of one page and what of it doesn't count.

    `free` are boxes where no ink is protected (signature widgets of the signed state); `repaint` are boxes of
    annotations whose own ink may go, so that only the page's ink below them counts, `kept` those of all others,
    whose ink does. Boxes are in user space.
    """

    page: int
    frame: PageFrame
    signed_end: int
    final_end: int
    free: Sequence[UserBox]
    repaint: Sequence[UserBox]
    kept: Sequence[UserBox] = ()


@dataclass(frozen=True)
class Look:
    """How a page looks now beside how it looked when it was signed.

    `covered` are the boxes where ink was lost, in mm on the displayed page; empty when all of it can be read.
    """

    covered: tuple[Rect, ...]
    before: Image.Image
    after: Image.Image
    scale: "Scale"

    def differing(self) -> tuple[Rect, ...]:
        """The boxes, in mm on the displayed page, where the two pictures differ at all."""
        if self.before.size != self.after.size:
            return self.covered
        difference = ImageChops.difference(self.before.convert("L"), self.after.convert("L"))
        return self.scale.boxes(difference.point(_above(_LIGHTER)), _CORNER)


def covered(pages: Pages, question: InkQuestion) -> Look:
    """Where ink of the signed state got lighter or can't be told from what lies around it any more."""
    before = pages.colours(question.signed_end, question.page)
    after = pages.colours(question.final_end, question.page)
    scale = Scale(question.frame, before)
    if before.size != after.size:
        return Look((question.frame.whole.rounded(),), before, after, scale)
    unlike = pages.unlike((question.signed_end, question.final_end), question.page)
    repainted = [place for box in question.repaint if (place := scale.pixels(box)) is not None]
    regions = _regions(unlike, before.size, repainted)
    if not regions:
        return Look((), before, after, scale)
    lost = Image.new("L", before.size)
    leaders = functools.cache(lambda: pages.leaders(question.signed_end, question.page))
    for place in regions:
        part = _Part(pages, question, place, before.crop(place), after.crop(place), scale.within(place))
        gone = _lost_within(part, leaders)
        if gone is not None:
            lost.paste(gone, place)
    areas = scale.boxes(lost, _CORNER) if lost.getbbox() is not None else ()
    return Look(areas, before, after, scale)


def _regions(unlike: Unlike | None, size: tuple[int, int], repainted: Sequence[_Place]) -> list[_Place]:
    """The parts of a page outside of which no ink can be lost: around what differs, and what is painted over.

    Pages are large, and what is put on them small. Ink is lost only where it or what lies beside it changed; the parts
    are so much larger that whatever is measured in them comes out as on the whole page.
    """
    places = list(repainted)
    if unlike is not None:
        (x, y), changes = unlike.corner, unlike.changes
        places.append((x, y, x + changes.width, y + changes.height))
    if not places:
        return []
    left, top, right, bottom = _around(places)
    canvas = Image.new("L", (right - left, bottom - top))
    if unlike is not None:
        canvas.paste(unlike.changes, (x - left, y - top))
    draw = ImageDraw.Draw(canvas)
    for place in repainted:
        draw.rectangle((place[0] - left, place[1] - top, place[2] - left - 1, place[3] - top - 1), fill=255)
    grown = [_grown(_moved(place, left, top), _REACH, size) for place in _inner(canvas, _REGION)]
    if len(grown) > _MAX_REGIONS:
        return [_around(grown)]
    return _apart(grown)


def _inner(mask: Image.Image, cell: int) -> Iterator[_Place]:
    """The boxes around what is white in a picture and hangs together, in cells of this side."""
    for cells in _clusters(mask, cell):
        left, top, right, bottom = (n * cell for n in cells)
        inner = mask.crop((left, top, min(right, mask.width), min(bottom, mask.height))).getbbox()
        if inner is not None:
            yield _moved(inner, left, top)


def _moved(place: _Place, x: int, y: int) -> _Place:
    return place[0] + x, place[1] + y, place[2] + x, place[3] + y


def _apart(boxes: Sequence[_Place]) -> list[_Place]:
    """The same boxes, those that overlap drawn together."""
    kept: list[_Place] = []
    for box in boxes:
        one = box
        while met := [other for other in kept if _overlap(one, other)]:
            kept = [other for other in kept if other not in met]
            one = _around([one, *met])
        kept.append(one)
    return kept


def _overlap(one: _Place, other: _Place) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _around(boxes: Sequence[_Place]) -> _Place:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


@dataclass(frozen=True)
class _Part:
    """A part of a page, and how it looks in colour: when it was signed, and as it is now."""

    pages: Pages
    question: InkQuestion
    place: _Place
    before: Image.Image
    after: Image.Image
    scale: "Scale"

    def grey(self, end: int, *, annotations: bool = True) -> Image.Image:
        """The part in grey; PDFium draws letters in colour otherwise than in grey."""
        return self.pages.part(end, self.question.page, self.place, annotations=annotations)


def _lost_within(part: _Part, leaders: Callable[[], Sequence[UserBox]]) -> Image.Image | None:
    """White where ink of this part was lost; None where none was."""
    question = part.question
    before, after = part.grey(question.signed_end), part.grey(question.final_end)
    old = _repainted(before, part)
    changes = ImageChops.difference(old, after)
    touched = _touched_dark(old, changes, part.before, ImageChops.difference(part.before, part.after))
    if touched is None:
        return None
    # Ink is lost only where dark pixels are touched, and that is often but an edge of what was put there.
    place = _grown(touched, _REACH, old.size)
    scale = part.scale.beyond(place)
    # Three planes of one picture: what is done to all of them is done at once.
    planes = [
        _planes(grey.crop(place), colours.crop(place)) for grey, colours in ((old, part.before), (after, part.after))
    ]
    lost = _lost_of(planes, _mask(planes[0], scale, question, ()), scale, question)
    if lost.getbbox() is not None and leaders():
        lost = _lost_of(planes, _mask(planes[0], scale, question, leaders()), scale, question)
    if lost.getbbox() is None:
        return None
    whole = Image.new("L", old.size)
    whole.paste(lost, place)
    return whole


def _lost_of(planes: Sequence[Image.Image], mask: Image.Image, scale: "Scale", question: InkQuestion) -> Image.Image:
    """White where ink was lost between two pictures in grey, red and green; `mask` is white where it is protected."""
    bare = mask.copy()
    draw = ImageDraw.Draw(bare)
    for box in question.repaint:
        _blacken(draw, scale.pixels(box))
    old, new = planes
    ink, lost = (found.split() for found in _ink_lost(old, new, Image.merge("RGB", (mask, bare, bare))))
    return ImageChops.lighter(lost[0], _lost_in_colour(ink, lost))


def _planes(grey: Image.Image, colours: Image.Image) -> Image.Image:
    """A picture whose planes are its grey, its red and its green."""
    return Image.merge("RGB", (grey, *colours.split()[:2]))


def _repainted(before: Image.Image, part: _Part) -> Image.Image:
    """The signed state without the ink of annotations whose own ink may go; that of others on them stays."""
    question = part.question
    places = [place for box in question.repaint if (place := part.scale.pixels(box)) is not None]
    if not places:
        return before
    bare, old = part.grey(question.signed_end, annotations=False), before.copy()
    for place in places:
        old.paste(bare.crop(place), place)
    for box in question.kept:
        if (place := part.scale.pixels(box)) is not None:
            old.paste(before.crop(place), place)
    return old


def _mask(planes: Image.Image, scale: "Scale", question: InkQuestion, leaders: Sequence[UserBox]) -> Image.Image:
    """White where ink is protected."""
    old = planes.getchannel(0)
    mask = Image.new("L", old.size, 255)
    draw = ImageDraw.Draw(mask)
    free = [scale.pixels(box) for box in question.free]
    free += [place for box in leaders if (place := scale.pixels(box, margin=1)) and _stands_alone(old, place)]
    for place in free:
        _blacken(draw, place)
    return mask


def _blacken(draw: ImageDraw.ImageDraw, place: tuple[int, int, int, int] | None) -> None:
    if place is not None:
        draw.rectangle((place[0], place[1], place[2] - 1, place[3] - 1), fill=0)


def _stands_alone(old: Image.Image, place: tuple[int, int, int, int]) -> bool:
    """Whether nothing dark is just above or below: then the box holds a dot, and no slice of a line of text that
    something calls dots.
    """
    left, top, right, bottom = place
    beside = ((left, top - 1, right, top), (left, bottom, right, bottom + 1))
    return all(
        old.crop(strip).point(_below(_DARK)).getbbox() is None
        for strip in beside
        if strip[1] >= 0 and strip[3] <= old.height
    )


def _ink_lost(old: Image.Image, new: Image.Image, mask: Image.Image) -> tuple[Image.Image, Image.Image]:
    """In each plane (grey, red, green) the protected ink, and the pixels of it that are lost."""
    contrast = ImageChops.subtract(_lightest_near(old, _PAPER_REACH), old)
    ink = ImageChops.multiply(contrast.point(_INKED), mask)
    # Only where it or what lies beside it changed: the edge of a dark surface is ink too, with only itself beside it.
    touched = _lightest_near(ImageChops.difference(old, new).point(_CHANGED), _BESIDE_REACH)
    concerned = ImageChops.multiply(ink, touched)
    lighter = ImageChops.multiply(concerned, ImageChops.subtract(new, old).point(_LIGHTENED))
    return ink, ImageChops.lighter(lighter, _indistinct(new, contrast, concerned))


def _lost_in_colour(ink: Sequence[Image.Image], lost: Sequence[Image.Image]) -> Image.Image:
    """The lost pixels of what is no ink in grey: letters whose colour is as light as their ground's.

    Only in red and green: blue counts little for the eye, and a red seal takes all of it away.
    """
    grey, red, green = ink
    coloured = ImageChops.subtract(ImageChops.lighter(red, green), grey)
    kept = ImageChops.lighter(ImageChops.subtract(red, lost[1]), ImageChops.subtract(green, lost[2]))
    return _dense(ImageChops.subtract(coloured, kept))


def _touched_dark(
    old: Image.Image, changes: Image.Image, colours: Image.Image, of_colours: Image.Image
) -> _Place | None:
    """Around anything dark that changed, or beside which something did: looks for ink cheaply before it is measured."""
    red, green = colours.split()[:2]
    dark = ImageChops.darker(old, ImageChops.darker(red, green)).point(_below(_DARK))
    red, green = of_colours.split()[:2]
    changed = ImageChops.lighter(changes, ImageChops.lighter(red, green))
    touched = _lightest_near(changed.point(_above(0)), _BESIDE_REACH)
    return ImageChops.multiply(dark, touched).getbbox()


def _grown(box: _Place, by: tuple[int, int], size: tuple[int, int]) -> _Place:
    x, y = by
    return max(0, box[0] - x), max(0, box[1] - y), min(size[0], box[2] + x), min(size[1], box[3] + y)


def _indistinct(new: Image.Image, contrast: Image.Image, ink: Image.Image) -> Image.Image:
    """The inked pixels that are no longer darker than what was blank beside them, where several lie together."""
    # The lightest pixel beside that was blank when signed, as it is now; 0 where nothing beside was blank.
    blank = contrast.point(_BLANK)
    beside = _lightest_near(ImageChops.multiply(new, blank), _BESIDE_REACH)
    had_blank = _lightest_near(blank, _BESIDE_REACH)
    needed = contrast.point(_NEEDED)
    kept = ImageChops.subtract(beside, new)
    short = ImageChops.subtract(needed, kept).point(_CHANGED)
    lost = ImageChops.multiply(ImageChops.multiply(ink, had_blank), short)
    return _dense(lost)


def _dense(lost: Image.Image) -> Image.Image:
    """Where several lost pixels lie together."""
    if lost.getbbox() is None:
        return lost
    # BoxBlur gives the mean: one lost pixel in the square is 255 / side².
    density = lost.filter(ImageFilter.BoxBlur(_CLUSTER_REACH // 2))
    return density.point(_above(_CLUSTER_PIXELS * 255 / _CLUSTER_REACH**2 - 1.5) * len(density.getbands()))


def _lightest_near(image: Image.Image, side: int) -> Image.Image:
    """Each pixel becomes the lightest of the square around it.

    First along the rows, then along the columns, each time over twice as far: many times faster than Pillow's filter.
    """
    reach = side // 2
    # Black around the picture weighs nothing.
    wide = image.crop((-reach, -reach, image.width + reach, image.height + reach))
    for dx, dy in ((1, 0), (0, 1)):
        seen = 1
        while seen < side:
            step = min(seen, side - seen)
            shifted = wide.crop((dx * step, dy * step, wide.width + dx * step, wide.height + dy * step))
            wide, seen = ImageChops.lighter(wide, shifted), seen + step
    return wide.crop((0, 0, image.width, image.height))


def _below(limit: int) -> "list[int]":
    """A table for `Image.point`: 255 below the limit, 0 from it on."""
    return [255 if value < limit else 0 for value in range(256)]


def _above(limit: float) -> "list[int]":
    """A table for `Image.point`: 255 above the limit, 0 up to it."""
    return [255 if value > limit else 0 for value in range(256)]


_CHANGED = _above(0) * 3
_LIGHTENED = _above(_LIGHTER) * 3
_INKED = _above(_INK_CONTRAST) + _above(_COLOUR_CONTRAST) * 2
_BLANK = _below(_BLANK_CONTRAST + 1) * 3
_NEEDED = [max(2, math.ceil(value * _KEPT_CONTRAST)) for value in range(256)] * 3
"""Tables for `Image.point` on grey, red and green."""


class Scale:
    """Turns boxes of a page into pixels of its picture."""

    def __init__(self, frame: PageFrame, image: Image.Image) -> None:
        self._frame = frame
        self._part: _Place = (0, 0, *image.size)
        self._x = image.width / frame.width_mm
        self._y = image.height / frame.height_mm

    def within(self, part: "_Place") -> "Scale":
        """The same for a part of the picture: left, top, right, bottom."""
        scale = copy(self)
        scale._part = part
        return scale

    def beyond(self, part: "_Place") -> "Scale":
        """The same for a part of the part that this is for."""
        return self.within(_moved(part, *self._part[:2]))

    def pixels(self, box: UserBox, margin: int = 0) -> tuple[int, int, int, int] | None:
        """Left, top, right, bottom within the picture; None when nothing of the box is on it."""
        shown, (x, y, right_end, bottom_end) = self._frame.from_user(box), self._part
        left = max(x, math.floor(shown.x * self._x) - margin)
        top = max(y, math.floor(shown.y * self._y) - margin)
        right = min(right_end, math.ceil(shown.right * self._x) + margin)
        bottom = min(bottom_end, math.ceil(shown.bottom * self._y) + margin)
        return (left - x, top - y, right - x, bottom - y) if left < right and top < bottom else None

    def boxes(self, mask: Image.Image, corner: tuple[int, int]) -> tuple[Rect, ...]:
        """What is white in a picture whose upper left is at `corner` of the page: a few boxes in mm, top first."""
        found = []
        cell = max(_CELL, math.isqrt(mask.width * mask.height // _MAX_CELLS) + 1)
        for inner in _inner(mask, cell):
            left, top, right, bottom = _moved(inner, *corner)
            width, height = right - left, bottom - top
            found.append(Rect(left / self._x, top / self._y, width / self._x, height / self._y).rounded())
        return fewer(found)


def _clusters(mask: Image.Image, size: int) -> Iterator[tuple[int, int, int, int]]:
    """The parts of a picture that hang together, in cells: left, top, and right and bottom behind the last."""
    width, height = -(-mask.width // size), -(-mask.height // size)
    whole = Image.new("L", (width * size, height * size))
    whole.paste(mask)
    # The mean of a cell is rounded, and one white pixel alone must not vanish: 255 / 22² does not.
    left = {n for n, value in enumerate(whole.reduce(size).tobytes()) if value}
    while left:
        todo = [left.pop()]
        part = []
        while todo:
            cell = todo.pop()
            part.append((cell % width, cell // width))
            x, y = part[-1]
            for near_y in range(max(0, y - 1), min(height, y + 2)):
                for near_x in range(max(0, x - 1), min(width, x + 2)):
                    if (near := near_y * width + near_x) in left:
                        left.remove(near)
                        todo.append(near)
        columns, rows = [x for x, _ in part], [y for _, y in part]
        yield min(columns), min(rows), max(columns) + 1, max(rows) + 1


def fewer(areas: Sequence[Rect]) -> tuple[Rect, ...]:
    """At most MAX_AREAS boxes around the same places, those drawn together that add the least; top ones first."""
    # Places beyond a few hundred are no longer told apart, so that a page of noise costs no more than others.
    kept = list(dict.fromkeys(areas))
    if len(kept) > _MAX_PLACES:
        kept = [functools.reduce(Rect.union, kept)]
    while len(kept) > MAX_AREAS:
        kept.sort(key=lambda area: (area.y, area.x))
        first = min(range(len(kept) - 1), key=lambda n: _added(kept[n], kept[n + 1]))
        kept[first : first + 2] = [kept[first].union(kept[first + 1])]
    return tuple(sorted(kept, key=lambda area: (area.y, area.x)))


def _added(one: Rect, other: Rect) -> float:
    """The surface that a box around both has more than they."""
    both = one.union(other)
    return both.w * both.h - one.w * one.h - other.w * other.h


def _render(page: pdfium.PdfPage, *, annotations: bool, grey: bool, place: _Place | None = None) -> _Picture:
    """In grey or in colour, the whole page or a part; PDFium draws letters in colour otherwise than in grey."""
    width, height = page.get_size()
    if width <= 0 or height <= 0:
        # A box that lies beside the paper; pypdfium2 would ask for a picture without pixels.
        raise pdfium.PdfiumError("nothing of the page can be shown")
    scale = min(_DPI / 72, math.sqrt(_MAX_PIXELS / max(1.0, width * height)))
    crop = (0.0, 0.0, 0.0, 0.0)
    if place is not None:
        left, top, right, bottom = place
        below, beside = math.ceil(height * scale) - bottom, math.ceil(width * scale) - right
        # What is cut off is rounded up to whole pixels.
        a, b, c, d = (max(0.0, (side - 0.5) / scale) for side in (left, below, beside, top))
        crop = (a, b, c, d)
    bitmap = page.render(
        scale=scale,
        crop=crop,
        grayscale=grey,
        draw_annots=annotations,
        may_draw_forms=annotations,
        # In this order of bytes Pillow takes a picture as it is.
        prefer_bgrx=True,
        rev_byteorder=True,
        bitmap_maker=pdfium.PdfBitmap.new_native,
    )
    try:
        # The memory is Python's, and the picture holds it: RGBX is taken as it is.
        image: Image.Image = bitmap.to_pil()
        return _Picture(image.convert("L") if grey else image, memoryview(bitmap.buffer).cast("B"))
    finally:
        bitmap.close()


def _leaders(page: pdfium.PdfPage) -> Iterator[UserBox]:
    text = page.get_textpage()
    try:
        run: list[UserBox] = []
        length = 0
        for index in range(min(text.count_chars(), _MAX_CHARS)):
            char = chr(pdfium_c.FPDFText_GetUnicode(text.raw, index))
            if char.isspace() or char == "\0":
                continue
            if char in _LEADERS:
                length += 3 if char in "…_" else 1
                if (box := _glyph_box(text, index, char)) is not None:
                    run.append(box)
                continue
            if length >= _LEADER_RUN:
                yield from run
            run, length = [], 0
        if length >= _LEADER_RUN:
            yield from run
    finally:
        text.close()


def _glyph_box(text: pdfium.PdfTextPage, index: int, char: str) -> UserBox | None:
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    if not pdfium_c.FPDFText_GetCharBox(text.raw, index, left, right, bottom, top):
        return None
    box = UserBox.normalised(left.value, bottom.value, right.value, top.value)
    widest = _MAX_LEADER_WIDTH_PT.get(char, _MAX_LEADER_HEIGHT_PT)
    return box if box.height <= _MAX_LEADER_HEIGHT_PT and box.width <= widest else None
