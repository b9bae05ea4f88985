"""Makes a stamp's picture of whatever the clerk has: a scan or photo of a seal or signature, or a ready picture.

Runs in a worker, because a picture of a stranger is as little to be trusted as a PDF. Ink is kept with its colour, the
paper becomes transparent, clear borders are cut off: a seal's millimetres are those of its ink. Gives a plain PNG
without the camera's notes. Never changes the file it was given.
"""

import io
import warnings
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageFilter, ImageMath, ImageOps, UnidentifiedImageError

from signer_app.tasks import Cleaned, PictureNote
from signer_resources.errors import KnownError

MAX_BYTES = 24 << 20
"""Bytes of a picture that is read: an uncompressed A5 scan at 300 dpi has 13 MB."""
MAX_PIXELS = 40_000_000
"""As when the picture is embedded (`appearance`); an A4 page at 600 dpi has 35 million."""
MAX_SIDE = 1200
"""Pixels of the result's longer side: 800 dpi for a seal of 38 mm."""
MIN_SIDE = 60
"""What has fewer pixels of ink is a speck, no stamp."""

_FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF")
_LOOK_SIDE = 600
"""Pixels at which the ink is looked for; fine enough for the stroke of a pen on a whole page."""
_PAPER_SIDE = 96
"""Pixels at which the light of the paper is measured."""
_LIGHT_PAPER = 110
"""Brightness (0 to 255) below which the ground is no paper that ink could be told from."""
_FAINT, _FULL = 0.14, 0.60
"""Share of the paper's light that ink swallows: below the first is grain of the paper, above the second full ink."""
_CLEAR_SHARE = 0.02
"""A picture with more clear pixels than this brings its own transparency."""
_CLEAR = 8
"""Alpha (0 to 255) up to which a pixel counts as clear."""
_MARGIN = 0.02
_ROUND = 1.08


def clean_picture(path: Path) -> Cleaned:
    """The stamp's picture in the file `path`.

    KnownError "picture_too_large", "picture_unreadable" (none of PNG, JPEG, BMP, WebP, TIFF, or damaged),
    "picture_dark" (no light ground), "picture_blank" (no ink). OSError when the file can't be read.
    """
    image = _opened(_content(path), path.name)
    image = _transparent(image) if _has_clear_ground(image) else _lifted(_flattened(image), path.name)
    box = _ink_box(image.getchannel("A"))
    if box is None or max(box[2] - box[0], box[3] - box[1]) < MIN_SIDE:
        raise KnownError("picture_blank", name=path.name)
    return _finished(image.crop(box))


def _content(path: Path) -> bytes:
    with path.open("rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise KnownError("picture_too_large", name=path.name)
    return content


def _opened(content: bytes, name: str) -> Image.Image:
    """The decoded picture, upright as the camera meant it, in RGB or RGBA."""
    try:
        with warnings.catch_warnings():
            # Our own limit on pixels is lower than the one that Pillow warns of.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    raise KnownError("picture_too_large", name=name)
                image = ImageOps.exif_transpose(opened)
                return _eight_bits(image)
    except UnidentifiedImageError as error:
        raise KnownError("picture_unreadable", name=name) from error
    except Image.DecompressionBombError as error:
        raise KnownError("picture_too_large", name=name) from error
    except KnownError:
        raise
    except Exception as fault:
        # Foreign bytes: the decoders' exceptions are many.
        raise KnownError("picture_unreadable", name=name) from fault


def _eight_bits(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # 16 bits of grey; a plain conversion would clip them all to white.
        return image.point(lambda value: value / 256).convert("L").convert("RGB")
    if image.mode == "F":
        raise ValueError("no picture for the eye")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _has_clear_ground(image: Image.Image) -> bool:
    if image.mode != "RGBA":
        return False
    clear = sum(image.getchannel("A").histogram()[: _CLEAR + 1])
    return clear > _CLEAR_SHARE * image.width * image.height


def _transparent(image: Image.Image) -> Image.Image:
    """A picture that brings its own transparency, without the veil that some programs leave on clear pixels."""
    alpha = image.getchannel("A").point(lambda value: 0 if value <= _CLEAR else value)
    image.putalpha(alpha)
    return image


def _flattened(image: Image.Image) -> Image.Image:
    """On white, as on paper."""
    if image.mode == "RGB":
        return image
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def _lifted(image: Image.Image, name: str) -> Image.Image:
    """The ink lifted from its paper: where nothing was swallowed of the paper's light, all is clear.

    Looked for in a small picture first, so that a seal on a scanned page is worked on alone.
    """
    small = image.copy()
    small.thumbnail((_LOOK_SIDE, _LOOK_SIDE), Image.Resampling.BOX)
    box = _ink_box(_swallowed(small, _paper(small, name)))
    if box is None:
        raise KnownError("picture_blank", name=name)
    image = image.crop(_grown(box, image.width / small.width, image.size))
    if max(image.size) > MAX_SIDE * 1.2:
        image.thumbnail((round(MAX_SIDE * 1.2),) * 2, Image.Resampling.LANCZOS, reducing_gap=2.0)
    paper = _paper(image, name)
    alpha = _without_grain(_swallowed(image, paper))
    ink = Image.merge(
        "RGB", [_unmixed(*pair, alpha) for pair in zip(image.split(), paper.split(), strict=True)]
    )  # fmt: skip
    ink.putalpha(alpha)
    return ink


def _paper(image: Image.Image, name: str) -> Image.Image:
    """The light of the paper at each place: bright areas spread over the ink, so that a shadow counts as paper."""
    small = image.copy()
    small.thumbnail((_PAPER_SIDE, _PAPER_SIDE), Image.Resampling.BOX)
    grey = small.convert("L")
    whole = _bright_colour(small)
    if sum(whole) / 3 < _LIGHT_PAPER or sum(grey.histogram()[_LIGHT_PAPER:]) < 0.3 * grey.width * grey.height:
        raise KnownError("picture_dark", name=name)
    spread = small.filter(ImageFilter.MaxFilter(11)).filter(ImageFilter.GaussianBlur(4))
    # Inside a broad blot nothing bright is near: there the paper of the rest is assumed, a little darkened.
    floor = Image.new("RGB", small.size, tuple(round(0.8 * value) for value in whole))
    return ImageChops.lighter(spread, floor).resize(image.size, Image.Resampling.BILINEAR)


def _bright_colour(image: Image.Image) -> tuple[int, int, int]:
    """The colour that the brighter half of the picture has: per channel the 70th of a hundred."""
    found = []
    for channel in image.split():
        histogram, seen = channel.histogram(), 0
        wanted = 0.7 * sum(histogram)
        for value, count in enumerate(histogram):
            seen += count
            if seen >= wanted:
                found.append(value)
                break
    red, green, blue = found
    return red, green, blue


def _swallowed(image: Image.Image, paper: Image.Image) -> Image.Image:
    """Alpha: how much of the paper's light the ink swallows in the channel where it swallows most."""
    shares = [
        ImageMath.lambda_eval(_share, light=light, seen=seen)
        for light, seen in zip(paper.split(), image.split(), strict=True)
    ]
    most: Any = shares[0]
    for share in shares[1:]:
        most = ImageChops.lighter(most, share)
    return most  # type: ignore[no-any-return]


def _without_grain(alpha: Image.Image) -> Image.Image:
    """Ink has neighbours: a dot of fewer than three pixels is grain of the paper or noise of the camera."""
    ink = alpha.point(lambda value: 255 if value > _CLEAR else 0)
    return ImageChops.darker(alpha, ink.filter(ImageFilter.RankFilter(3, 6)).filter(ImageFilter.MaxFilter(3)))


def _share(names: dict[str, Any]) -> Any:
    light, seen = names["float"](names["light"]), names["float"](names["seen"])
    share = (light - seen) / (light + 1)
    ramp = (share - _FAINT) / (_FULL - _FAINT)
    return names["convert"](names["min"](names["max"](ramp, 0), 1) * 255, "L")


def _unmixed(seen: Image.Image, paper: Image.Image, alpha: Image.Image) -> Image.Image:
    """The ink's own colour in one channel: what is seen, less the share of the paper that shines through."""

    def unmix(names: dict[str, Any]) -> Any:
        cover = names["max"](names["float"](names["alpha"]) / 255, 0.05)
        through = (1 - cover) * names["float"](names["paper"])
        ink = (names["float"](names["seen"]) - through) / cover
        return names["convert"](names["min"](names["max"](ink, 0), 255), "L")

    return ImageMath.lambda_eval(unmix, seen=seen, paper=paper, alpha=alpha)  # type: ignore[no-any-return]


def _ink_box(alpha: Image.Image) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of the ink, without specks of dust; None when there is none."""
    mask = alpha.point(lambda value: 255 if value > _CLEAR else 0)
    coarse = mask.copy()
    coarse.thumbnail((_LOOK_SIDE // 3, _LOOK_SIDE // 3), Image.Resampling.BOX)
    firm = coarse.point(lambda value: 255 if value > 40 else 0).filter(ImageFilter.RankFilter(3, 5))
    box = firm.getbbox()
    if box is None:
        return None
    scale = mask.width / coarse.width
    left, top, right, bottom = _grown(box, scale, mask.size)
    found = mask.crop((left, top, right, bottom)).getbbox()
    return None if found is None else (left + found[0], top + found[1], left + found[2], top + found[3])


def _grown(box: tuple[int, int, int, int], scale: float, limits: tuple[int, int]) -> tuple[int, int, int, int]:
    """`box` of a smaller picture in the larger one, with a margin, not beyond its edges."""
    margin = 3 * scale + _MARGIN * max(box[2] - box[0], box[3] - box[1]) * scale
    return (
        max(0, round(box[0] * scale - margin)),
        max(0, round(box[1] * scale - margin)),
        min(limits[0], round(box[2] * scale + margin)),
        min(limits[1], round(box[3] * scale + margin)),
    )


def _finished(image: Image.Image) -> Cleaned:
    if max(image.size) > MAX_SIDE:
        image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    notes = []
    if max(image.size) > _ROUND * min(image.size):
        notes.append(PictureNote.NOT_ROUND)
    if max(image.size) < 300:
        notes.append(PictureNote.COARSE)
    sink = io.BytesIO()
    # A new picture, so that nothing of the original's notes (place, camera, owner) goes into documents.
    plain = Image.frombytes("RGBA", image.size, image.tobytes())
    plain.save(sink, "PNG")
    return Cleaned(sink.getvalue(), image.width, image.height, tuple(notes))
