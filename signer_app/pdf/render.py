"""Pictures of pages for the screen: their sizes in millimetres, their pixels, and the ink of stamps.

Runs in a worker of its own, one request after the other; keeps the last few documents and pages open, so that
scrolling doesn't read a file again and again. Pixels go into a file that the asking process has made, never through
the pipe. Widgets are drawn too (stamps and filled fields are widgets). Never writes to a document.
"""

import math
import os
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image

from signer_app.page_tasks import MAX_PIXELS, DrawInk, Drawn, DrawPage, Outline, Outlined, PixelBox
from signer_app.pdf.geometry import PageFrame, UserBox
from signer_app.pdf.pagetext import OpenDocument
from signer_app.pdf.stamp_picture import ink_of
from signer_resources.errors import KnownError

_KEPT_DOCUMENTS = 3
_KEPT_PAGES = 4
"""An open page keeps its decoded pictures, so that the second part of a scan's page comes at once."""

_MAX_SIDE_PIXELS = 60_000
_SIDE_MM = (0.1, 1e6)
_A4_MM = (210.0, 297.0)
_FLAGS = pdfium_c.FPDF_ANNOT


class _ShownDocument(OpenDocument):
    """PDFium's document with its form, and the pages that were drawn last. Pages go before the document."""

    def __init__(self, source: Path) -> None:
        super().__init__(source)
        # Without a form environment PDFium draws no widgets; it must be there before a page is opened.
        self.init_forms()
        self._open: OrderedDict[int, pdfium.PdfPage] = OrderedDict()

    def size_mm(self, number: int) -> tuple[float, float]:
        """Width and height of page `number` as displayed. Reads its boxes only, none of its content."""
        width, height = self._pdfium.get_page_size(number)
        frame = PageFrame(UserBox(0, 0, width, height), user_unit=self._unit(number))
        size = (frame.width_mm, frame.height_mm)
        if not all(math.isfinite(side) for side in size):
            return _A4_MM
        return min(max(size[0], _SIDE_MM[0]), _SIDE_MM[1]), min(max(size[1], _SIDE_MM[0]), _SIDE_MM[1])

    def opened(self, number: int) -> pdfium.PdfPage:
        """Page `number`, kept open for the next request."""
        if number in self._open:
            self._open.move_to_end(number)
            return self._open[number]
        while len(self._open) >= _KEPT_PAGES:
            self._open.popitem(last=False)[1].close()
        self._open[number] = self.page(number)
        return self._open[number]

    def close(self) -> None:
        """Lets go of pages and file."""
        while self._open:
            self._open.popitem()[1].close()
        super().close()

    def paint(self, bitmap: pdfium.PdfBitmap, number: int, task: DrawPage) -> None:
        """The page and its widgets, `task.width` by `task.height` large, so that `task.clip` falls on the bitmap."""
        page = self.opened(number)
        place = (-task.clip.left, -task.clip.top, task.width, task.height, 0, _FLAGS)
        pdfium_c.FPDF_RenderPageBitmap(bitmap, page, *place)
        if page.formenv:
            pdfium_c.FPDF_FFLDraw(page.formenv, bitmap, page, *place)


@dataclass(frozen=True)
class _FileState:
    """Tells a file from what lay under its name before."""

    path: str
    size: int
    changed_ns: int


class Renderer:
    """Draws pages and stamps' pictures; owns the documents that it has open. One thread."""

    def __init__(self) -> None:
        self._documents: OrderedDict[_FileState, _ShownDocument] = OrderedDict()

    def outline(self, task: Outline) -> Outlined:
        """Sizes of some pages; KnownError `pdf_unreadable`, `pdf_encrypted`. OSError when the file can't be read."""
        document = self._document(Path(task.path))
        last = min(len(document), task.first + task.count)
        return Outlined(len(document), tuple(document.size_mm(number) for number in range(task.first, last)))

    def draw_page(self, task: DrawPage) -> Drawn:
        """Part of a page; KnownError `page_not_drawn` with the page's number from 1, and as `outline`."""
        document = self._document(Path(task.path))
        clip = task.clip
        if not (0 <= task.page < len(document) and _reasonable(task.width, task.height, clip)):
            raise KnownError("page_not_drawn", page=task.page + 1)
        bitmap = pdfium.PdfBitmap.new_native(clip.width, clip.height, pdfium_c.FPDFBitmap_BGRx)
        try:
            bitmap.fill_rect((255, 255, 255, 255), 0, 0, clip.width, clip.height)
            document.paint(bitmap, task.page, task)
            _write(Path(task.output), memoryview(bitmap.buffer))
            return Drawn(clip.width, clip.height, bitmap.stride)
        except pdfium.PdfiumError as error:
            raise KnownError("page_not_drawn", page=task.page + 1) from error
        finally:
            bitmap.close()

    def draw_ink(self, task: DrawInk) -> Drawn:
        """The ink of a picture, fitted into the wanted size and never enlarged; KnownError `image_unusable`."""
        image = ink_of(task.picture, task.sha256)
        if min(task.width, task.height) < 1 or task.width * task.height > MAX_PIXELS:
            raise KnownError("image_unusable", name=task.sha256[:12])
        scale = min(1.0, task.width / image.width, task.height / image.height)
        size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        if size != image.size:
            image = image.resize(size, Image.Resampling.LANCZOS)
        _write(Path(task.output), memoryview(image.tobytes()))
        return Drawn(image.width, image.height, image.width * 4)

    def _document(self, path: Path) -> _ShownDocument:
        found = path.stat()
        state = _FileState(str(path), found.st_size, found.st_mtime_ns)
        if state in self._documents:
            self._documents.move_to_end(state)
            return self._documents[state]
        while len(self._documents) >= _KEPT_DOCUMENTS:
            self._documents.popitem(last=False)[1].close()
        try:
            self._documents[state] = _ShownDocument(path)
        except pdfium.PdfiumError as error:
            encrypted = error.err_code == pdfium_c.FPDF_ERR_PASSWORD
            raise KnownError("pdf_encrypted" if encrypted else "pdf_unreadable") from error
        return self._documents[state]


def _reasonable(width: int, height: int, clip: PixelBox) -> bool:
    """Whether the wanted part lies in the picture and can be held in memory."""
    inside = 0 <= clip.left < clip.left + clip.width <= width and 0 <= clip.top < clip.top + clip.height <= height
    return inside and max(width, height) <= _MAX_SIDE_PIXELS and clip.width * clip.height <= MAX_PIXELS


def _write(output: Path, pixels: Any) -> None:
    """Fills the file that the asking process has made, with its mode; makes none."""
    handle = os.open(output, os.O_WRONLY | os.O_TRUNC | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "wb", buffering=0) as sink:
        rest = pixels.cast("B")
        while rest:
            rest = rest[sink.write(rest) :]
