"""Whether two files look the same to PDFium: their pages as pictures, letters, annotations, and what lies beside them.

Runs in a worker. A file is held against the same file as qpdf writes it: after a repair, and where a file may be read
in two ways. Pages are drawn with their forms and compared in colour. Says only what differs first, by the name that the
standard has for it; never which of the two is right.
"""

import ctypes
import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image, ImageChops

MOST_PAGES = 300
"""Pages that are compared, some 20 ms each; a longer file can't be vouched for."""
_DPI = 72
_MAX_SIDE = 5000
_TOLERANCE = 2
"""Tones, of 255, that rounding may make out between two drawings of one page."""
_MAX_OUTLINE = 5000
_MAX_ANNOTATIONS = 2000
_MAX_TEXT = 1 << 16
_TRIES = 3
_TEXTS = (b"T", b"V", b"Contents", b"DA", b"AS", b"NM", b"A", b"FT")


def difference(one: Path, other: Path) -> str | None:
    """What differs first: "/Pages", "/Page 3" ...; None where all is the same. Raises PDFium's errors.

    A file with too many pages differs by "/Pages > 300": nobody has looked at all of them.
    """
    with ExitStack() as stack:
        old, new = (stack.enter_context(closing(pdfium.PdfDocument(path))) for path in (one, other))
        for what, seen in (
            ("/Pages", len),
            ("/AcroForm", _form_kind),
            ("/EmbeddedFiles", _attachments),
            ("/Outlines", _outline),
            ("/Info", pdfium.PdfDocument.get_metadata_dict),
        ):
            if seen(old) != seen(new):
                return what
        if len(old) > MOST_PAGES:
            return f"/Pages > {MOST_PAGES}"
        old.init_forms()
        new.init_forms()
        for number in range(len(old)):
            if _same_page(old, new, number):
                continue
            if not any(_same_afresh(one, other, number) for _ in range(_TRIES)):
                return f"/Page {number + 1}"
    return None


def _same_afresh(one: Path, other: Path, number: int) -> bool:
    """The same, with the files opened anew: letters without font and widths come out otherwise each time."""
    with closing(pdfium.PdfDocument(one)) as old, closing(pdfium.PdfDocument(other)) as new:
        old.init_forms()
        new.init_forms()
        return _same_page(old, new, number)


# ---- beside the pages -----------------------------------------------------------------------------------------------


def _form_kind(document: pdfium.PdfDocument) -> int:
    return int(document.get_formtype())


def _attachments(document: pdfium.PdfDocument) -> list[tuple[str, bytes]]:
    """Names and digests of what is attached."""
    found = []
    for number in range(document.count_attachments()):
        attached = document.get_attachment(number)
        try:
            data = bytes(attached.get_data())
        except pdfium.PdfiumError:
            data = b""
        found.append((attached.get_name(), hashlib.sha256(data).digest()))
    return found


def _outline(document: pdfium.PdfDocument) -> list[tuple[object, ...]]:
    """Levels, titles and targets; an outline may go in circles, so there is an end to it."""
    found: list[tuple[object, ...]] = []
    for entry in document.get_toc():
        target = pdfium_c.FPDFBookmark_GetAction(entry.raw)
        page = pdfium_c.FPDFDest_GetDestPageIndex(document.raw, pdfium_c.FPDFBookmark_GetDest(document.raw, entry.raw))
        found.append((entry.level, entry.get_title(), page, _action(document, target)))
        if len(found) >= _MAX_OUTLINE:
            break
    return found


# ---- one page -------------------------------------------------------------------------------------------------------


def _same_page(old: pdfium.PdfDocument, new: pdfium.PdfDocument, number: int) -> bool:
    """Whether one page holds the same letters and annotations, and looks the same."""
    one, other = _page(old, number), _page(new, number)
    if one is None or other is None:
        # What no reader could show before has nothing to lose.
        return one is None and other is None
    with closing(one), closing(other):
        if _shape(one) != _shape(other) or _letters(one) != _letters(other):
            return False
        if list(_annotations(old, one)) != list(_annotations(new, other)):
            return False
        return _look_alike(_picture(one), _picture(other))


def _page(document: pdfium.PdfDocument, number: int) -> pdfium.PdfPage | None:
    try:
        return document[number]
    except pdfium.PdfiumError:
        return None


def _shape(page: pdfium.PdfPage) -> tuple[object, ...]:
    return page.get_size(), page.get_rotation(), page.get_bbox()


def _letters(page: pdfium.PdfPage) -> str:
    with closing(page.get_textpage()) as text:
        found: str = text.get_text_bounded()
        return found


def _picture(page: pdfium.PdfPage) -> Image.Image:
    width, height = page.get_size()
    scale = min(_DPI / 72, _MAX_SIDE / max(1.0, width, height))
    if width * scale < 1 or height * scale < 1:
        # Nothing can be drawn on it.
        return Image.new("RGB", (1, 1))
    picture: Image.Image = page.render(scale=scale).to_pil().convert("RGB")
    return picture


def _look_alike(one: Image.Image, other: Image.Image) -> bool:
    if one.size != other.size:
        return False
    return all(most <= _TOLERANCE for _least, most in ImageChops.difference(one, other).getextrema())  # type: ignore[misc]


def _annotations(document: pdfium.PdfDocument, page: pdfium.PdfPage) -> Iterator[tuple[object, ...]]:
    """What each annotation is, where, what it says and where it leads."""
    count = int(pdfium_c.FPDFPage_GetAnnotCount(page.raw))
    yield (count,)
    for index in range(min(count, _MAX_ANNOTATIONS)):
        annotation = pdfium_c.FPDFPage_GetAnnot(page.raw, index)
        if not annotation:
            continue
        try:
            box = pdfium_c.FS_RECTF()
            pdfium_c.FPDFAnnot_GetRect(annotation, box)
            link = pdfium_c.FPDFAnnot_GetLink(annotation)
            target = pdfium_c.FPDFLink_GetAction(link) if link else None
            leads = pdfium_c.FPDFLink_GetDest(document.raw, link) if link else None
            yield (
                pdfium_c.FPDFAnnot_GetSubtype(annotation),
                pdfium_c.FPDFAnnot_GetFlags(annotation),
                (box.left, box.top, box.right, box.bottom),
                tuple(_text(annotation, key) for key in _TEXTS),
                pdfium_c.FPDFDest_GetDestPageIndex(document.raw, leads) if leads else -1,
                _action(document, target),
            )
        finally:
            pdfium_c.FPDFPage_CloseAnnot(annotation)


def _text(annotation: object, key: bytes) -> tuple[int, bytes]:
    """Kind and text of an annotation's entry."""
    kind = int(pdfium_c.FPDFAnnot_GetValueType(annotation, key))
    size = min(int(pdfium_c.FPDFAnnot_GetStringValue(annotation, key, None, 0)), _MAX_TEXT)
    buffer = ctypes.create_string_buffer(max(size, 2))
    pdfium_c.FPDFAnnot_GetStringValue(annotation, key, ctypes.cast(buffer, ctypes.POINTER(pdfium_c.FPDF_WCHAR)), size)
    return kind, buffer.raw[:size]


def _action(document: pdfium.PdfDocument, action: object) -> tuple[object, ...]:
    """Kind and target of an action."""
    if not action:
        return ()
    page = pdfium_c.FPDFDest_GetDestPageIndex(document.raw, pdfium_c.FPDFAction_GetDest(document.raw, action))
    return (
        pdfium_c.FPDFAction_GetType(action),
        page,
        _filled(lambda buffer, size: pdfium_c.FPDFAction_GetURIPath(document.raw, action, buffer, size)),
        _filled(lambda buffer, size: pdfium_c.FPDFAction_GetFilePath(action, buffer, size)),
    )


def _filled(ask: Callable[[object, int], int]) -> bytes:
    """What one of PDFium's functions writes that are asked for the length first."""
    size = min(int(ask(None, 0)), _MAX_TEXT)
    buffer = ctypes.create_string_buffer(max(size, 1))
    ask(buffer, size)
    return buffer.raw[:size]
