"""The ink rule: whether what a page showed when it was signed can still be read.

Runs in a worker. Renders the page of the signed state and of the file as it is, at about 110 dpi, and compares pixels
with Pillow alone where anything differs, in grey and where grey shows nothing in red and green. An inked pixel may get
darker (a seal drawn with Multiply) but never lighter, and must stay darker than what was blank beside it, so neither an
opaque patch nor a dark one passes. Dot leaders are no ink. Never decides from the objects of the PDF; it is the
cross-check by picture, and tells where on the page.
"""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from signer_app.pdf.geometry import PageFrame, Rect, UserBox
from signer_app.verification.drawing import CORNER, Pages, Place, Unlike, above, around, moved

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

_REGION = 48
"""Side, in pixels, of the cells by which differing parts of a page are told apart: 11 mm."""
_MAX_REGIONS = 8
_REACH = (_PAPER_REACH + 2 * _BESIDE_REACH + _CLUSTER_REACH, _PAPER_REACH + _BESIDE_REACH + 2)
"""How far beside, and above and below, a change matters to the rule: no pixel further away has a say in what is lost.
A leader's dots may be wide, and are looked at as a whole.
"""


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
        return self.scale.boxes(difference.point(above(_LIGHTER)), CORNER)


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
    areas = scale.boxes(lost, CORNER) if lost.getbbox() is not None else ()
    return Look(areas, before, after, scale)


def _regions(unlike: Unlike | None, size: tuple[int, int], repainted: Sequence[Place]) -> list[Place]:
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
    left, top, right, bottom = around(places)
    canvas = Image.new("L", (right - left, bottom - top))
    if unlike is not None:
        canvas.paste(unlike.changes, (x - left, y - top))
    draw = ImageDraw.Draw(canvas)
    for place in repainted:
        draw.rectangle((place[0] - left, place[1] - top, place[2] - left - 1, place[3] - top - 1), fill=255)
    grown = [_grown(moved(place, left, top), _REACH, size) for place in _inner(canvas, _REGION)]
    if len(grown) > _MAX_REGIONS:
        return [around(grown)]
    return _apart(grown)


def _inner(mask: Image.Image, cell: int) -> Iterator[Place]:
    """The boxes around what is white in a picture and hangs together, in cells of this side."""
    for cells in _clusters(mask, cell):
        left, top, right, bottom = (n * cell for n in cells)
        inner = mask.crop((left, top, min(right, mask.width), min(bottom, mask.height))).getbbox()
        if inner is not None:
            yield moved(inner, left, top)


def _apart(boxes: Sequence[Place]) -> list[Place]:
    """The same boxes, those that overlap drawn together."""
    kept: list[Place] = []
    for box in boxes:
        one = box
        while met := [other for other in kept if _overlap(one, other)]:
            kept = [other for other in kept if other not in met]
            one = around([one, *met])
        kept.append(one)
    return kept


def _overlap(one: Place, other: Place) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@dataclass(frozen=True)
class _Part:
    """A part of a page, and how it looks in colour: when it was signed, and as it is now."""

    pages: Pages
    question: InkQuestion
    place: Place
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
) -> Place | None:
    """Around anything dark that changed, or beside which something did: looks for ink cheaply before it is measured."""
    red, green = colours.split()[:2]
    dark = ImageChops.darker(old, ImageChops.darker(red, green)).point(_below(_DARK))
    red, green = of_colours.split()[:2]
    changed = ImageChops.lighter(changes, ImageChops.lighter(red, green))
    touched = _lightest_near(changed.point(above(0)), _BESIDE_REACH)
    return ImageChops.multiply(dark, touched).getbbox()


def _grown(box: Place, by: tuple[int, int], size: tuple[int, int]) -> Place:
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
    return density.point(above(_CLUSTER_PIXELS * 255 / _CLUSTER_REACH**2 - 1.5) * len(density.getbands()))


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


_CHANGED = above(0) * 3
_LIGHTENED = above(_LIGHTER) * 3
_INKED = above(_INK_CONTRAST) + above(_COLOUR_CONTRAST) * 2
_BLANK = _below(_BLANK_CONTRAST + 1) * 3
_NEEDED = [max(2, math.ceil(value * _KEPT_CONTRAST)) for value in range(256)] * 3
"""Tables for `Image.point` on grey, red and green."""


class Scale:
    """Turns boxes of a page into pixels of its picture."""

    def __init__(self, frame: PageFrame, image: Image.Image) -> None:
        self._frame = frame
        self._part: Place = (0, 0, *image.size)
        self._x = image.width / frame.width_mm
        self._y = image.height / frame.height_mm

    def within(self, part: Place) -> "Scale":
        """The same for a part of the picture: left, top, right, bottom."""
        scale = copy(self)
        scale._part = part
        return scale

    def beyond(self, part: Place) -> "Scale":
        """The same for a part of the part that this is for."""
        return self.within(moved(part, *self._part[:2]))

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
            left, top, right, bottom = moved(inner, *corner)
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
