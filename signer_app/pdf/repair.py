"""Rewrites a file whose structure is broken, so that it can be signed; only where nobody has signed it yet.

Runs in a worker, file in, file out; the input stays as it is. qpdf reads what there is and writes it anew, without
chance and clock: the same input gives the same bytes. The new file counts only when PDFium, which reads damaged files
in its own way, sees the same in both: as many pages, the same pictures and letters, outline, form, attachments. What
differs is an answer, not a repair.
"""

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image, ImageChops

from signer_app.pdf.increment import Damage, extendable
from signer_app.pdf.model import Repaired
from signer_app.pdf.standards import claims
from signer_resources.errors import KnownError

_MAX_BYTES = 256 << 20
"""Rewriting holds the tables of a file in memory; a larger file comes whole from its author, or not at all."""
_MAX_OBJECTS = 500_000
_MAX_PICTURES = 100
"""Pages that are compared as pictures; of a longer file the letters of all pages are compared still."""
_DPI = 72
_MAX_SIDE = 5000
_TOLERANCE = 24
"""Tones, of 255, that rounding may make out between two drawings of one page."""
_MAX_OUTLINE = 5000
_TRIES = 3
_CHUNK = 1 << 20


def repair(source: Path, output: Path) -> Repaired:
    """Writes to `output` the file `source` with a sound structure and nothing else changed.

    KnownError: `pdf_encrypted`, `repair_encrypted`; `repair_signed` for a file that carries a signature, or traces of
    one; `repair_beyond` when qpdf can't make sense of the file, or it is too large; `repair_differs` with what differs.
    Nothing is left of an output that doesn't count.
    """
    try:
        return _repaired(source, output)
    except Exception:
        output.unlink(missing_ok=True)
        raise


def _repaired(source: Path, output: Path) -> Repaired:
    if source.stat().st_size > _MAX_BYTES:
        raise KnownError("repair_beyond", reason=f"> {_MAX_BYTES >> 20} MB")
    damage = extendable(source)
    with warnings.catch_warnings():
        # pikepdf warns of what it mends; that comes back as `changes`.
        warnings.simplefilter("ignore")
        told = _rewrite(source, output)
    if (left := extendable(output)) is not None:
        raise KnownError("repair_beyond", reason=left.value)
    if claims(source) != claims(output):
        raise KnownError("repair_differs", what="PDF/A")
    pages = _compare(source, output)
    with output.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    found = {damage.value} if damage is not None else set()
    return Repaired(digest, tuple(sorted(found | told)) or (Damage.OBJECTS.value,), pages)


def _rewrite(source: Path, output: Path) -> set[str]:
    """What qpdf had to mend, by the names of `Damage`."""
    try:
        with pikepdf.open(source) as pdf:
            if pdf.is_encrypted:
                # Whoever encrypted it meant something by it; without, it would be another file.
                raise KnownError("repair_encrypted")
            if _signed(pdf, source):
                raise KnownError("repair_signed")
            if len(pdf.pages) == 0:
                raise KnownError("repair_beyond", reason=Damage.PAGES.value)
            if "/Size" not in pdf.trailer:
                # qpdf counts right where there is something to be corrected, and is silent where there is nothing.
                pdf.trailer["/Size"] = 0
            told = {kind.value for problem in pdf.get_warnings() for kind in _kinds(str(problem))}
            pdf.save(
                output,
                deterministic_id=True,
                compress_streams=False,
                stream_decode_level=pikepdf.StreamDecodeLevel.none,
                object_stream_mode=pikepdf.ObjectStreamMode.preserve,
                fix_metadata_version=False,
                preserve_pdfa=True,
            )
    except pikepdf.PasswordError:
        raise KnownError("pdf_encrypted") from None
    except (pikepdf.PikepdfError, RuntimeError, ValueError, TypeError, KeyError, IndexError) as error:
        # qpdf's own words, without the file's name before them.
        raise KnownError("repair_beyond", reason=str(error).rpartition(": ")[2][:120]) from error
    return told


def _kinds(problem: str) -> Iterator[Damage]:
    """What a warning of qpdf is about."""
    if "xref" in problem or "trailer" in problem or "cross-reference" in problem:
        yield Damage.REFERENCES
    elif "/Pages" in problem or "page" in problem:
        yield Damage.PAGES
    else:
        yield Damage.OBJECTS


def _signed(pdf: pikepdf.Pdf, source: Path) -> bool:
    """Whether the file holds a signature, reachable or not: a repair would break it, or bury that there was one."""
    with source.open("rb") as handle:
        before = b""
        while piece := handle.read(_CHUNK):
            if b"/ByteRange" in before + piece:
                return True
            before = piece[-16:]
    if len(pdf.objects) > _MAX_OBJECTS:
        raise KnownError("repair_beyond", reason=f"> {_MAX_OBJECTS} obj")
    return any(isinstance(one, pikepdf.Dictionary) and "/ByteRange" in one for one in pdf.objects)


# ---- the second reader ----------------------------------------------------------------------------------------------


def _compare(source: Path, output: Path) -> int:
    """The number of pages, the same in both; KnownError `repair_differs` for the first thing that differs to PDFium."""
    with ExitStack() as stack:
        try:
            old, new = (stack.enter_context(closing(pdfium.PdfDocument(path))) for path in (source, output))
        except pdfium.PdfiumError as error:
            raise KnownError("repair_beyond", reason="PDFium") from error
        for what, seen in (
            ("/Pages", len),
            ("/AcroForm", _form_kind),
            ("/EmbeddedFiles", _attachments),
            ("/Outlines", _outline),
            ("/Info", pdfium.PdfDocument.get_metadata_dict),
        ):
            if seen(old) != seen(new):
                raise KnownError("repair_differs", what=what)
        old.init_forms()
        new.init_forms()
        for number in range(len(old)):
            if _same_page(old, new, number):
                continue
            if not any(_same_afresh(source, output, number) for _ in range(_TRIES)):
                raise KnownError("repair_differs", what=f"/Page {number + 1}")
        return len(new)


def _same_afresh(source: Path, output: Path, number: int) -> bool:
    """The same, with the files opened anew: letters without font and widths come out otherwise each time."""
    with closing(pdfium.PdfDocument(source)) as old, closing(pdfium.PdfDocument(output)) as new:
        old.init_forms()
        new.init_forms()
        return _same_page(old, new, number)


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


def _outline(document: pdfium.PdfDocument) -> list[tuple[int, str]]:
    """Levels and titles; an outline may go in circles, so there is an end to it."""
    found: list[tuple[int, str]] = []
    for entry in document.get_toc():
        found.append((entry.level, entry.get_title()))
        if len(found) >= _MAX_OUTLINE:
            break
    return found


def _same_page(old: pdfium.PdfDocument, new: pdfium.PdfDocument, number: int) -> bool:
    """Whether one page holds the same letters and, among the first hundred, looks the same."""
    try:
        one = old[number]
    except pdfium.PdfiumError:
        one = None
    try:
        other = new[number]
    except pdfium.PdfiumError:
        other = None
    if one is None or other is None:
        # What no reader could show before has nothing to lose.
        return one is None and other is None
    with closing(one), closing(other):
        if _shape(one) != _shape(other) or _letters(one) != _letters(other):
            return False
        return number >= _MAX_PICTURES or _look_alike(_picture(one), _picture(other))


def _shape(page: pdfium.PdfPage) -> tuple[object, ...]:
    annotations = int(pdfium_c.FPDFPage_GetAnnotCount(page.raw))
    return page.get_size(), page.get_rotation(), page.get_bbox(), annotations


def _letters(page: pdfium.PdfPage) -> str:
    with closing(page.get_textpage()) as text:
        found: str = text.get_text_bounded()
        return found


def _picture(page: pdfium.PdfPage) -> Image.Image:
    scale = min(_DPI / 72, _MAX_SIDE / max(1.0, *page.get_size()))
    picture: Image.Image = page.render(scale=scale, grayscale=True).to_pil().convert("L")
    return picture


def _look_alike(one: Image.Image, other: Image.Image) -> bool:
    if one.size != other.size:
        return False
    return ImageChops.difference(one, other).point(lambda tone: 255 if tone > _TOLERANCE else 0).getbbox() is None
