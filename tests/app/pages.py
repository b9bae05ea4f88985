"""Pictures of pages, compared outside the places where the program said it would draw."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
from PIL import ImageChops, ImageDraw
from PIL.Image import Image

DPI = 72
_MM = DPI / 25.4
_MARGIN_MM = 1.5


def pictures(path: Path) -> list[Image]:
    """All pages with their form fields, in colour."""
    document = pdfium.PdfDocument(path)
    try:
        document.init_forms()
        made = []
        for number in range(len(document)):
            page = document[number]
            made.append(page.render(scale=DPI / 72).to_pil().convert("RGB"))
            page.close()
        return made
    finally:
        document.close()


def changed_outside(before: Path, after: Path, placement: Sequence[dict[str, Any]]) -> list[int]:
    """Pages (from 1) that differ anywhere but in `placement` (mm from the top left)."""
    old, new = pictures(before), pictures(after)
    assert len(old) == len(new)
    return [
        number
        for number, (one, other) in enumerate(zip(old, new, strict=True), start=1)
        if _difference(one, other, [spot for spot in placement if spot["page"] == number])
    ]


def changed_inside(before: Path, after: Path, spot: dict[str, Any]) -> bool:
    """Whether anything was drawn in the middle of `spot`."""
    page = spot["page"] - 1
    box = tuple(round(v * _MM) for v in (spot["x"], spot["y"], spot["x"] + spot["w"], spot["y"] + spot["h"]))
    difference = ImageChops.difference(pictures(before)[page], pictures(after)[page])
    return difference.crop((box[0], box[1], box[2], box[3])).getbbox() is not None


def _difference(one: Image, other: Image, spots: Sequence[dict[str, Any]]) -> bool:
    difference = ImageChops.difference(one, other)
    draw = ImageDraw.Draw(difference)
    for spot in spots:
        left, top = (spot["x"] - _MARGIN_MM) * _MM, (spot["y"] - _MARGIN_MM) * _MM
        right = (spot["x"] + spot["w"] + _MARGIN_MM) * _MM
        bottom = (spot["y"] + spot["h"] + _MARGIN_MM) * _MM
        draw.rectangle((left, top, right, bottom), fill=(0, 0, 0))
    return difference.getbbox() is not None
