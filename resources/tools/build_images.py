"""Draws the images of the sample workspace: a seal marked MẪU, two signatures and a drafter's initial.

A tool of the developers, run by hand as `python -m tools.build_images [--out DIR]` in `resources/`. The same
script gives the same pixels at every run. Everything drawn is invented: the seal says MẪU (sample) inside its
ring, so that it can't pass for a seal, and the signatures are curves made up here, nobody's hand.
"""

import argparse
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

import signer_resources

DEFAULT_OUT = Path(__file__).resolve().parent.parent / "signer_resources" / "images"
NOTE = "Sample image of the Signer project; it stands for no real body or person."

Colour = tuple[int, int, int]
Point = tuple[float, float]

SEAL_RED: Colour = (0xD8, 0x1E, 0x1E)
INK_BLUE: Colour = (0x1A, 0x3C, 0xA6)

SEAL_MM = 38.0
SEAL_PIXELS = 720
INK_DPI = 300
FINE = 4
"""Everything is drawn this many times larger and then reduced, for smooth edges."""


@dataclass(frozen=True)
class Hand:
    """A signature: strokes through points (x to the right, y down, any unit), and its width in mm."""

    strokes: tuple[str, ...]
    """The points of each stroke as "x,y x,y ..."."""
    width_mm: float
    pen: float
    """Widest stroke, in the unit of the points."""

    def points(self) -> tuple[tuple[Point, ...], ...]:
        """The strokes as numbers."""
        pairs = ((pair.split(",") for pair in stroke.split()) for stroke in self.strokes)
        return tuple(tuple((float(x), float(y)) for x, y in stroke) for stroke in pairs)


LEADER = Hand(
    (
        "17,3 14,15 10,29 6,37 4,34 8,22 15,9 25,2 32,6 29,14 19,19 14,19 24,18 33,9 36,2 34,9 31,20 30,26 "
        "33,20 37,18 37,24 41,25 44,19 43,25 48,25 50,19 49,25 54,24 57,19 54,23 58,26 61,20 64,20 63,25 "
        "67,24 70,19 73,19 72,25 76,24 80,19 77,21 77,25 82,21 83,19 81,31 73,41 63,40 70,33 86,25 104,12",
        "59,13 62,11.5 63,13.5",
        "60.4,30 60.9,30.3",
        "30,34 48,31.5 64,32 90,27",
    ),
    width_mm=58,
    pen=1.25,
)
FRONT_LEADER = Hand(
    (
        "3,9 16,4 36,3 50,5",
        "25,3 22,15 17,27 9,33 4,28 12,21 24,20 31,12 34,5 31,16 29,26 33,20 37,19 37,26 42,22 44,19 43,26 "
        "48,23 50,19 50,25 55,21 59,18 56,24 59,27 63,22 66,19 66,26 70,20 73,20 73,26 78,22 80,19 77,33 "
        "66,42 55,36 68,28 88,24 99,30 90,35 83,28 101,16",
        "52,12 56,9 58,12 56,15",
    ),
    width_mm=56,
    pen=1.3,
)
DRAFTER_INITIAL = Hand(
    (
        "8,3 7,13 3,23 8,20 18,6 26,3 30,11 22,22 10,23 20,17 33,12 30,19 37,15 42,9 40,20 50,12",
        "35,9 47,7",
    ),
    width_mm=17,
    pen=1.5,
)


def seal() -> Image.Image:
    """The sample seal: rings, the body's name around, a star, the mark MẪU; red on nothing, 38 mm wide."""
    size = SEAL_PIXELS * FINE
    mask = Image.new("L", (size, size), 0)
    draw = ImageDraw.Draw(mask)
    centre = size / 2
    for radius, width in ((0.5, 0.017), (0.47, 0.006), (0.300, 0.007)):
        _ring(draw, centre, radius * size, width * size)
    font = _font("Bold", 0.087 * size)
    _around(mask, "ỦY BAN NHÂN DÂN XÃ HÒA SƠN", font, radius=0.352 * size, span=250, top=True)
    _around(mask, "TỈNH AN SƠN", _font("Bold", 0.062 * size), radius=0.415 * size, span=62, top=False)
    for side in (-1, 1):
        angle = math.radians(90 - side * 46)
        spot = (centre + 0.392 * size * math.cos(angle), centre + 0.392 * size * math.sin(angle))
        _star(draw, spot, 0.023 * size)
    _star(draw, (centre, centre - 0.035 * size), 0.185 * size)
    label = _font("Bold", 0.085 * size)
    draw.text((centre, centre + 0.205 * size), "MẪU", fill=255, font=label, anchor="mm")
    return _inked(mask, SEAL_RED, (SEAL_PIXELS, SEAL_PIXELS))


def signature(hand: Hand) -> Image.Image:
    """The handwriting of `hand` in blue on nothing, trimmed to the ink."""
    strokes = hand.points()
    xs = [x for stroke in strokes for x, _ in stroke]
    ys = [y for stroke in strokes for _, y in stroke]
    margin = 4 * hand.pen
    scale = FINE * hand.width_mm / 25.4 * INK_DPI / (max(xs) - min(xs))
    mask = Image.new(
        "L",
        (
            math.ceil((max(xs) - min(xs) + 2 * margin) * scale),
            math.ceil((max(ys) - min(ys) + 2 * margin) * scale),
        ),
        0,
    )
    draw = ImageDraw.Draw(mask)
    for stroke in strokes:
        moved = [((x - min(xs) + margin) * scale, (y - min(ys) + margin) * scale) for x, y in stroke]
        _stroke(draw, moved, hand.pen * scale)
    box = mask.getbbox()
    assert box is not None
    left, top, right, bottom = box
    width, height = math.ceil((right - left) / FINE), math.ceil((bottom - top) / FINE)
    mask = mask.crop((left, top, left + width * FINE, top + height * FINE))
    return _inked(mask, INK_BLUE, (width, height))


def _stroke(draw: ImageDraw.ImageDraw, points: Sequence[Point], widest: float) -> None:
    """A pen's line: thick where it goes down, thin where it goes up or starts and ends."""
    path = list(_curve(points))
    pressure = 0.5
    for index, ((x0, y0), (x1, y1)) in enumerate(itertools.pairwise(path)):
        length = math.hypot(x1 - x0, y1 - y0) or 1.0
        wanted = 0.62 + 0.38 * (y1 - y0) / length
        pressure += (wanted - pressure) * 0.05
        ends = min(1.0, 0.3 + 0.02 * index, 0.3 + 0.012 * (len(path) - index))
        radius = widest / 2 * pressure * ends + widest * 0.1
        draw.ellipse((x1 - radius, y1 - radius, x1 + radius, y1 + radius), fill=255)


def _curve(points: Sequence[Point], steps: int = 60) -> Iterator[Point]:
    """Points on the cubic Bézier curves that run smoothly through `points` (Catmull-Rom tangents)."""
    padded = [points[0], *points, points[-1]]
    for before, start, end, after in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        out = (start[0] + (end[0] - before[0]) / 6, start[1] + (end[1] - before[1]) / 6)
        into = (end[0] - (after[0] - start[0]) / 6, end[1] - (after[1] - start[1]) / 6)
        for step in range(steps):
            t = step / steps
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
            yield (
                sum(w * p[0] for w, p in zip(weights, (start, out, into, end), strict=True)),
                sum(w * p[1] for w, p in zip(weights, (start, out, into, end), strict=True)),
            )
    yield points[-1]


def _ring(draw: ImageDraw.ImageDraw, centre: float, radius: float, width: float) -> None:
    box = (centre - radius, centre - radius, centre + radius, centre + radius)
    draw.ellipse(box, outline=255, width=round(width))


def _star(draw: ImageDraw.ImageDraw, centre: Point, radius: float) -> None:
    inner = radius * math.sin(math.radians(18)) / math.sin(math.radians(54))
    corners = []
    for corner in range(10):
        angle = math.radians(36 * corner - 90)
        reach = radius if corner % 2 == 0 else inner
        corners.append((centre[0] + reach * math.cos(angle), centre[1] + reach * math.sin(angle)))
    draw.polygon(corners, fill=255)


def _around(
    mask: Image.Image, text: str, font: ImageFont.FreeTypeFont, radius: float, span: float, *, top: bool
) -> None:
    """Text on a circle's arc of `span` degrees: on top read clockwise, below read the other way round.

    `radius` is that of the baseline. Letters are turned one by one; their distances follow their widths.
    """
    advances = [font.getlength(letter) for letter in text]
    natural = sum(advances)
    stretch = math.radians(span) * radius / natural
    side = round(font.size * 2)
    walked = 0.0
    for letter, advance in zip(text, advances, strict=True):
        share = (walked + advance / 2) / natural - 0.5
        walked += advance
        if letter == " ":
            continue
        tile = Image.new("L", (2 * side, 2 * side), 0)
        ImageDraw.Draw(tile).text((side, side), letter, fill=255, font=font, anchor="ms")
        turn = math.degrees(share * stretch * natural / radius)
        angle = math.radians(-90 + turn if top else 90 - turn)
        tile = tile.rotate(-turn if top else turn, resample=Image.Resampling.BICUBIC)
        x = mask.width / 2 + radius * math.cos(angle) - side
        y = mask.height / 2 + radius * math.sin(angle) - side
        mask.paste(255, (round(x), round(y)), tile)


def _font(style: str, size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(
        str(signer_resources.path(f"fonts/SignerSerif-{style}.ttf")),
        round(size),
        layout_engine=ImageFont.Layout.BASIC,
    )


def _inked(mask: Image.Image, colour: Colour, size: tuple[int, int]) -> Image.Image:
    """One colour everywhere, the drawing in the alpha channel, reduced to `size` by plain averages."""
    image = Image.new("RGBA", size, (*colour, 0))
    image.putalpha(mask.resize(size, Image.Resampling.BOX))
    return image


def _save(image: Image.Image, target: Path, dpi: float) -> None:
    info = PngInfo()
    info.add_text("Comment", NOTE)
    image.save(target, optimize=True, dpi=(dpi, dpi), pnginfo=info)


def main() -> None:
    """Writes the four images."""
    parser = argparse.ArgumentParser(description="Draws the sample seal and signatures.")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    out: Path = parser.parse_args().out
    _save(seal(), out / "sample-seal.png", SEAL_PIXELS / SEAL_MM * 25.4)
    for name, hand in (
        ("sample-signature", LEADER),
        ("sample-signature-2", FRONT_LEADER),
        ("sample-initial", DRAFTER_INITIAL),
    ):
        _save(signature(hand), out / f"{name}.png", INK_DPI)


if __name__ == "__main__":
    main()
