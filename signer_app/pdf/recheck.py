"""Opens every finished output again, by other parsers, before anyone stores it or calls it signed.

Runs in a worker. A file passes only if the input is an exact prefix of it, every earlier signature is as good as it
was, the new ones are intact, qpdf and PDFium read it with the same pages as before and no new fault, and the pages
look the same outside the stamps. What fails is thrown away by the caller; the input was never touched.
"""

import hashlib
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pikepdf
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image, ImageChops, ImageDraw

from signer_app.pdf.geometry import Rect
from signer_app.pdf.model import Rechecked
from signer_app.pdf.pagetext import OpenDocument, open_document
from signer_app.pdf.plan import SignStep
from signer_app.verification.model import FileReport, Integrity

_CHUNK = 1 << 20
_DPI = 72
# Rendering the same page twice may differ by rounding where a stamp's edge is anti-aliased.
_TOLERANCE = 24
_MAX_PICTURES = 100
"""Pages without a stamp that are compared in any case; a page takes some 10 ms."""


_RANK = {
    Integrity.INTACT: 0,
    Integrity.CHANGED: 1,
    Integrity.UNREADABLE: 2,
    Integrity.BROKEN: 3,
    Integrity.UNSIGNED: 4,
}


def recheck(
    source: Path,
    output: Path,
    steps: Sequence[SignStep],
    before: FileReport,
    after: FileReport,
    certificate_sha256: str,
) -> Rechecked:
    """Compares `output` with `source`; `before` and `after` are the verifier's reports on the two."""
    digest, size, is_prefix = _digest_and_prefix(source, output)

    def fault(code: str, detail: str) -> Rechecked:
        return Rechecked(code, detail, digest, size)

    if not is_prefix:
        return fault("output_not_prefix", "the input is not a prefix of the output")
    earlier = {s.field: s for s in before.signatures}
    later = {s.field: s for s in after.signatures}
    for field, was in earlier.items():
        now = later.get(field)
        if now is None or _RANK[now.integrity] > _RANK[was.integrity]:
            # A certified document is signed after a warning and then shows as changed, never as broken.
            if now is not None and now.integrity is Integrity.CHANGED and was.docmdp is not None:
                continue
            return fault("earlier_signature_worse", f"{field}: {was.integrity} became {now and now.integrity}")
    for step in steps:
        made = later.get(step.field)
        if made is None or made.integrity is not Integrity.INTACT or made.certificate != certificate_sha256:
            return fault("output_not_intact", f"{step.field}: {made and made.integrity}")
    if len(later) != len(earlier) + len(steps):
        return fault("output_not_intact", f"{len(later)} signatures, expected {len(earlier) + len(steps)}")
    return _second_parsers(source, output, steps, fault("", "")) or Rechecked(None, "", digest, size)


def _second_parsers(source: Path, output: Path, steps: Sequence[SignStep], passed: Rechecked) -> Rechecked | None:
    def fault(code: str, detail: str) -> Rechecked:
        return msgspec.structs.replace(passed, fault=code, detail=detail)

    try:
        new_faults = _qpdf_faults(output) - _qpdf_faults(source)
    except (pikepdf.PikepdfError, RuntimeError) as error:
        return fault("output_unreadable", f"qpdf: {type(error).__name__}")
    if new_faults:
        return fault("output_unreadable", f"qpdf: {min(new_faults)}")
    try:
        old, new = open_document(source), open_document(output)
    except pdfium.PdfiumError as error:
        return fault("output_unreadable", f"PDFium: {error}")
    try:
        if len(old) != len(new):
            return fault("output_pages_differ", f"{len(old)} pages became {len(new)}")
        old.init_forms()
        new.init_forms()
        for number in _compared(new, steps):
            if not _same_outside(old, new, number, steps):
                return fault("output_looks_different", f"page {number + 1}")
    finally:
        new.close()
        old.close()
    return None


def _digest_and_prefix(source: Path, output: Path) -> tuple[str, int, bool]:
    """SHA-256 and size of `output`, and whether it begins with every byte of `source`."""
    digest, size, same = hashlib.sha256(), 0, True
    with source.open("rb") as old, output.open("rb") as new:
        while chunk := new.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            wanted = old.read(len(chunk))
            if wanted and not chunk.startswith(wanted):
                same = False
        same = same and not old.read(1)
    return digest.hexdigest(), size, same


def _qpdf_faults(path: Path) -> set[str]:
    """What qpdf has to say about the file's structure, object numbers and offsets left out."""
    with pikepdf.open(path) as pdf, warnings.catch_warnings():
        # pikepdf warns where a kind of picture has no decoder here; that is no fault of the file.
        warnings.simplefilter("ignore")
        return {_without_numbers(str(problem)) for problem in (*pdf.check_pdf_syntax(), *pdf.get_warnings())}


def _without_numbers(problem: str) -> str:
    return "".join(c for c in problem.rsplit(":", 1)[-1] if not c.isdigit()).strip()


def _compared(document: OpenDocument, steps: Sequence[SignStep]) -> Iterator[int]:
    """Pages to be compared as pictures: those with stamps, then all others of a file that isn't a book.

    An increment may change any page. Of a longer file's later pages only those with annotations and form fields are
    looked at, for these show what hangs on settings of the whole document.
    """
    stamped = sorted({page for step in steps for page in _touched(step)})
    yield from stamped
    for number in range(len(document)):
        if number not in stamped and (number < _MAX_PICTURES or _has_annotations(document, number)):
            yield number


def _has_annotations(document: OpenDocument, number: int) -> bool:
    try:
        page = document.page(number)
    except pdfium.PdfiumError:
        return True
    try:
        return bool(pdfium_c.FPDFPage_GetAnnotCount(page.raw) > 0)
    finally:
        page.close()


def _touched(step: SignStep) -> set[int]:
    pages = {make.page for make in step.make}
    if step.page is not None:
        pages.add(step.page)
    if step.fill:
        pages.add(0)
    return pages


def _same_outside(old: OpenDocument, new: OpenDocument, number: int, steps: Sequence[SignStep]) -> bool:
    """Whether page `number` looks the same in both, the boxes of the steps left out."""
    before, after = _picture(old, number), _picture(new, number)
    if before is None or after is None:
        return before is after
    if before.size != after.size:
        return False
    difference = ImageChops.difference(before, after).point(lambda v: 255 if v > _TOLERANCE else 0)
    blot = ImageDraw.Draw(difference)
    scale = before.width / old.frame(number).width_mm
    for box in _boxes(steps, number):
        grown = box.grown(0.8)
        blot.rectangle((grown.x * scale, grown.y * scale, grown.right * scale, grown.bottom * scale), fill=0)
    return difference.getbbox() is None


def _boxes(steps: Sequence[SignStep], number: int) -> list[Rect]:
    boxes = []
    for step in steps:
        if step.page == number and step.rect is not None:
            boxes.append(step.rect)
        boxes += [make.rect for make in step.make if make.page == number]
        if number == 0:
            boxes += [fill.box for fill in step.fill]
    return boxes


def _picture(document: OpenDocument, number: int) -> Image.Image | None:
    """The page in grey; None when PDFium can't show it."""
    try:
        page = document.page(number)
    except pdfium.PdfiumError:
        return None
    try:
        # A poster-sized page is drawn smaller, so that no page can ask for more than some 25 MB.
        scale = min(_DPI / 72, 5000 / max(1.0, *page.get_size()))
        picture: Image.Image = page.render(scale=scale, grayscale=True).to_pil().convert("L")
        return picture
    except pdfium.PdfiumError:
        return None
    finally:
        page.close()
