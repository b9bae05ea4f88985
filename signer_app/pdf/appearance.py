"""Turns a drawing into the appearance stream of a field, upright on the displayed page whatever its /Rotate.

Runs in a worker. Pictures are encoded once per process and file.
"""

import datetime as dt
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.layout import BoxConstraints
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.stamp import BaseStamp, BaseStampStyle

from signer_app.pdf.fonts import face
from signer_app.pdf.geometry import PageFrame, Rect, UserBox
from signer_app.pdf.objects import Plain, array, deflated, dictionary, put, stream
from signer_app.pdf.plan import Drawing, ImageItem, Style
from signer_app.pdf.spelling import with_time
from signer_app.pdf.stamp_picture import ink_of

_DPI = 300
"""As fine as office printers show colour; more only makes files large, and slow to draw for whoever opens them."""


class DrawnAppearance:
    """Draws one `Drawing` of a page with `frame`; hands out appearance streams for boxes in user space."""

    def __init__(self, frame: PageFrame, drawing: Drawing, images: Mapping[str, bytes], moment: dt.datetime) -> None:
        self._frame = frame
        self._drawing = drawing
        self._images = images
        self._moment = moment

    def form(self, writer: BasePdfFileWriter, box: UserBox) -> generic.StreamObject:
        """A form XObject as large as `box` (user space units), its content baked upright."""
        fonts: dict[Style, str] = {}
        shown: dict[Style, list[str]] = {}
        resources = dictionary()
        content = [b"q", b"%.5f %.5f %.5f %.5f %.5f %.5f cm" % self._frame.upright_matrix(box)]
        height = self._frame.from_user(
            UserBox(self._frame.visible.llx, self._frame.visible.lly,
                    self._frame.visible.llx + box.width, self._frame.visible.lly + box.height)
        ).h  # fmt: skip
        if self._drawing.multiply:
            blend = dictionary({"/Type": "/ExtGState", "/BM": "/Multiply"})
            put(resources, "/ExtGState", dictionary({"/Blend": blend}))
            content.append(b"/Blend gs")
        pictures = dictionary()
        for number, item in enumerate(self._drawing.items):
            if isinstance(item, ImageItem):
                name = f"/Im{number}"
                finest = round(max(item.box.w, item.box.h) / 25.4 * _DPI)
                picture, ratio = _embed_image(writer, self._images[item.image], item.image, finest)
                put(pictures, name, picture)
                inked = _fitted(item.box, ratio)
                matrix = (inked.w, inked.h, inked.x, height - inked.bottom)
                content.append(b"q %.5f 0 0 %.5f %.5f %.5f cm %s Do Q" % (*matrix, name.encode()))
            else:
                key = fonts.setdefault(item.style, f"/F{len(fonts)}")
                text = with_time(item.text, self._moment)
                shown.setdefault(item.style, []).append(text)
                content.append(
                    # Letter sizes are points; the drawing's unit is the millimetre.
                    b"BT 0 g %s %.5f Tf %.5f %.5f Td %s Tj ET"
                    % (
                        key.encode(),
                        item.size * 25.4 / 72,
                        item.x,
                        height - item.baseline,
                        face(item.style).show(text),
                    )
                )
        content.append(b"Q")
        if fonts:
            faces: dict[str, Plain] = {key: face(style).embed(writer, shown[style]) for style, key in fonts.items()}
            put(resources, "/Font", dictionary(faces))
        if pictures:
            put(resources, "/XObject", pictures)
        entries: dict[str, Plain] = {
            "/Type": "/XObject",
            "/Subtype": "/Form",
            "/FormType": 1,
            "/BBox": array((0, 0, round(box.width, 4), round(box.height, 4))),
            "/Resources": resources,
        }
        if self._drawing.multiply:
            # Without a group of its own, some viewers blend against white instead of the page.
            entries["/Group"] = dictionary({"/Type": "/Group", "/S": "/Transparency", "/I": False})
        return stream(entries, b"\n".join(content))


@dataclass(frozen=True)
class StepStampStyle(BaseStampStyle):
    """Lets pyHanko's signer draw our appearance in the signature field that it fills."""

    appearance: DrawnAppearance | None = None
    field_box: UserBox | None = None

    def create_stamp(self, writer: BasePdfFileWriter, box: BoxConstraints, text_params: dict[str, object]) -> BaseStamp:
        """The stamp for the field; its box was fixed by the plan."""
        return _StepStamp(writer, self, box)


class _StepStamp(BaseStamp):
    style: StepStampStyle

    def as_form_xobject(self) -> generic.StreamObject:
        assert self.style.appearance is not None
        assert self.style.field_box is not None
        return self.style.appearance.form(self._ensure_writer, self.style.field_box)


@lru_cache(maxsize=32)
def _encoded_image(content: bytes, sha256: str, finest: int) -> tuple[int, int, bytes, bytes]:
    """Width, height, deflated RGB and alpha of a picture's ink, at most `finest` pixels a side."""
    image = ink_of(content, sha256)
    if max(image.size) > finest:
        image.thumbnail((finest, finest), Image.Resampling.LANCZOS)
    rgb = Image.merge("RGB", image.split()[:3])
    return (
        image.width,
        image.height,
        zlib.compress(rgb.tobytes(), 6),
        zlib.compress(image.split()[3].tobytes(), 6),
    )


def _fitted(box: Rect, ratio: float) -> Rect:
    """The largest box of this width to height in the middle of `box`."""
    width, height = min(box.w, box.h * ratio), min(box.h, box.w / ratio)
    return Rect(box.x + (box.w - width) / 2, box.y + (box.h - height) / 2, width, height)


def _embed_image(
    writer: BasePdfFileWriter, content: bytes, sha256: str, finest: int
) -> tuple[generic.IndirectObject, float]:
    """The picture's object, and its width as a multiple of its height."""
    width, height, pixels, alpha = _encoded_image(content, sha256, finest)

    def samples(space: str, data: bytes) -> generic.StreamObject:
        entries: dict[str, Plain] = {
            "/Type": "/XObject",
            "/Subtype": "/Image",
            "/Width": width,
            "/Height": height,
            "/ColorSpace": space,
            "/BitsPerComponent": 8,
        }
        return deflated(entries, data)

    picture = samples("/DeviceRGB", pixels)
    put(picture, "/SMask", writer.add_object(samples("/DeviceGray", alpha)))
    return writer.add_object(picture), width / height
