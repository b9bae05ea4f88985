"""The line at the top right of page 1 that appendices, copies and digitised papers carry (NĐ 30/2020, PL I, ô 14).

Runs in a worker. Upright, black, size 10, no picture; it grows leftwards, takes up to four lines, stays in the top
margin and covers nothing. Where the corner is taken, free room beside it is proposed and the person is asked.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from signer_app.pdf.fonts import face
from signer_app.pdf.geometry import Rect
from signer_app.pdf.marks import Refused
from signer_app.pdf.placing.boxes import page_of, require_on_page
from signer_app.pdf.placing.ink import Ink, ink_of_page
from signer_app.pdf.placing.inputs import Inputs, Place
from signer_app.pdf.plan import SIGNING_TIME, SIGNING_TIME_ISO, Drawing, Style, TextItem
from signer_resources.rules.profiles import PlaceRule, SignatureProfile, TimeSpelling

TIME_SAMPLES = {SIGNING_TIME: "00/00/0000 00:00:00 +07:00", SIGNING_TIME_ISO: "0000-00-00T00:00:00+07:00"}
"""How wide a signing time is before it is known: digits of the font have one width."""

_PAD_MM = 0.5
_SHIFT_MM = 5.0
_RIM_MM = 2.0
_EXACT_MM = 1e-6


@dataclass(frozen=True)
class _Layout:
    """The text in lines, their widths and the box that holds them, in mm."""

    lines: tuple[str, ...]
    widths: tuple[float, ...]
    width: float
    height: float


@dataclass(frozen=True)
class Corner:
    """Where the text lies and what is drawn there; `covers`: something stands there already."""

    place: Place
    drawing: Drawing
    covers: bool = False


def corner(inputs: Inputs, profile: SignatureProfile) -> Corner:
    """The text of the profile's template, placed. Refused "corner_no_room", or "place_outside" for a place by hand."""
    layouts = list(_layouts(fill_template(inputs.rules.text(profile.text), inputs, profile), inputs))
    if inputs.request.place is not None:
        return _by_hand(inputs, layouts)
    ink = ink_of_page(inputs.path, 0, inputs.frame(0))
    half = inputs.frame(0).width_mm / 2
    narrow_first = [one for one in layouts if one.width <= half] or layouts[-1:]
    places = chain(
        *(_in_corner(layout, inputs, ink) for layout in narrow_first),
        *(_beside(layout, inputs, ink) for layout in layouts),
    )
    found = next(places, None)
    if found is None:
        raise Refused("corner_no_room")
    place, layout = found
    return Corner(place, _drawn(layout, place.rect, inputs))


def fill_template(template: str, inputs: Inputs, profile: SignatureProfile) -> str:
    """A template of the rules with what the request says in its gaps."""
    request, order = inputs.request, inputs.request.copy
    forms = {kind.abbreviation: kind.name for kind in inputs.rules.copy_types}
    filled = {
        "{so_ky_hieu}": f"{request.number}/{request.notation}",
        "{thoi_gian_ky}": SIGNING_TIME_ISO if profile.time is TimeSpelling.ISO else SIGNING_TIME,
        "{hinh_thuc_sao}": forms[order.form.value] if order is not None else "",
        "{nguoi_chi_dao}": order.ordered_by if order is not None else "",
        "{ten_co_quan}": body_name(inputs),
    }
    parts = {gap: " ".join(unicodedata.normalize("NFC", value).split()) for gap, value in filled.items()}
    for gap, value in parts.items():
        template = template.replace(gap, value)
    return template


def body_name(inputs: Inputs) -> str:
    """The body's name, in small letters where one of its names is written so (the decree asks for lower case)."""
    names = inputs.body.names or (inputs.request.certificate_name,)
    return max((name for name in names if not name.isupper()), key=len, default=names[0])


def _layouts(text: str, inputs: Inputs) -> Iterator[_Layout]:
    """The text in one line; broken behind its semicolons; then as narrow as two lines and more allow."""
    measures = inputs.measures
    yield _layout([text], inputs)
    parts = [part.strip() for part in re.split(r"(?<=;)\s", text)]
    if 1 < len(parts) <= measures.corner_lines:
        yield _layout(parts, inputs)
    words = text.split(" ")
    widths = [_width(word, inputs) for word in words]
    space = _width(" ", inputs)
    spans = {
        sum(widths[i:j]) + space * (j - i - 1) for i in range(len(words)) for j in range(i + 1, len(words) + 1)
    }  # fmt: skip
    for count in range(2, measures.corner_lines + 1):
        wrapped = next((lines for width in sorted(spans) if len(lines := _wrap(widths, space, width)) <= count), None)
        if wrapped is not None and len(wrapped) == count:
            yield _layout([" ".join(words[i:j]) for i, j in wrapped], inputs)


def _layout(lines: Sequence[str], inputs: Inputs) -> _Layout:
    inked = tuple(_width(line, inputs) for line in lines)
    height = inputs.measures.corner_leading_mm * len(lines) + 2 * _PAD_MM
    return _Layout(tuple(lines), inked, max(inked) + 2 * _PAD_MM, height)


def _width(text: str, inputs: Inputs) -> float:
    return face(Style.REGULAR).width_mm(sample_of(text), inputs.measures.corner_size)


def _wrap(widths: list[float], space: float, limit: float) -> list[tuple[int, int]]:
    """First and last (excluded) word of each line, filled one after the other and none wider than `limit`.

    A word that is wider has a line of its own.
    """
    lines: list[tuple[int, int]] = []
    start, used = 0, 0.0
    for i, width in enumerate(widths):
        used = used + space + width if i > start else width
        if i > start and used > limit + _EXACT_MM:
            lines.append((start, i))
            start, used = i, width
    return [*lines, (start, len(widths))]


def sample_of(text: str) -> str:
    """The text with digits in place of a signing time."""
    for gap, sample in TIME_SAMPLES.items():
        text = text.replace(gap, sample)
    return text


def _in_corner(layout: _Layout, inputs: Inputs, ink: Ink) -> Iterator[tuple[Place, _Layout]]:
    """The corner itself, where all of it above the text is free."""
    frame, edge = inputs.frame(0), inputs.measures.corner_edge_mm
    rect = Rect(frame.width_mm - edge - layout.width, edge, layout.width, layout.height)
    around = Rect(rect.x - 1.0, _RIM_MM, rect.w + 1.0, rect.bottom - _RIM_MM + _PAD_MM)
    if rect.x >= edge and rect.bottom <= inputs.measures.corner_band_mm and ink.free(around):
        yield Place(0, rect.rounded(), PlaceRule.TOP_RIGHT), layout


def _beside(layout: _Layout, inputs: Inputs, ink: Ink) -> Iterator[tuple[Place, _Layout]]:
    """Free room further left in the top margin, the nearest first; never sure."""
    frame, edge = inputs.frame(0), inputs.measures.corner_edge_mm
    if edge + layout.height > inputs.measures.corner_band_mm:
        return
    x = frame.width_mm - edge - layout.width
    while x >= edge:
        rect = Rect(x, edge, layout.width, layout.height)
        if ink.free(rect.grown(_PAD_MM)):
            yield Place(0, rect.rounded(), PlaceRule.TOP_RIGHT, sure=False), layout
        x -= _SHIFT_MM


def _by_hand(inputs: Inputs, layouts: list[_Layout]) -> Corner:
    """Where the person wants it, in as few lines as fit the width that was given or is left."""
    option = inputs.request.place
    assert option is not None
    page = page_of(option, inputs.pages)
    frame = inputs.frame(page)
    room = option.w or frame.width_mm - option.x
    layout = next((one for one in layouts if one.width <= room), layouts[-1])
    rect = Rect(option.x, option.y, layout.width, layout.height)
    require_on_page(rect, option, frame, len(inputs.pages))
    place = Place(page, rect.rounded(), PlaceRule.BY_HAND)
    free = ink_of_page(inputs.path, page, frame).free(rect)
    return Corner(place, _drawn(layout, place.rect, inputs), covers=not free)


def _drawn(layout: _Layout, rect: Rect, inputs: Inputs) -> Drawing:
    measures = inputs.measures
    return Drawing(
        tuple(
            TextItem(
                x=round(rect.w - _PAD_MM - width, 2),
                baseline=round(_PAD_MM + measures.corner_leading_mm * (i + 0.75), 2),
                size=measures.corner_size,
                style=Style.REGULAR,
                text=line,
            )
            for i, (line, width) in enumerate(zip(layout.lines, layout.widths, strict=True))
        )
    )
