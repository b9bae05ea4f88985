"""Opens every finished output again, by other parsers, before anyone stores it or calls it signed.

Runs in a worker. A file passes only if the input is an exact prefix of it, every earlier signature is as good as it
was, the new ones are intact, qpdf and PDFium read it with the same pages as before and no new fault, and the pages
look the same outside the stamps. Of a long file, the pages that no object of the increment can concern are proven the
same by the objects, all others by their pictures. What fails is thrown away by the caller; the input was never touched.
"""

import contextlib
import hashlib
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
import pikepdf
import pypdfium2 as pdfium

from signer_app.pdf.form import Frames
from signer_app.pdf.geometry import PageFrame, Rect
from signer_app.pdf.letter import find_secrecy_mark
from signer_app.pdf.model import Rechecked
from signer_app.pdf.pagetext import open_document, read_page
from signer_app.pdf.plan import SignStep, TextItem
from signer_app.verification.cross_check import pages_with
from signer_app.verification.differences import Difference, differences
from signer_app.verification.document import Opened, opened
from signer_app.verification.model import ChangeKind, FileReport, Integrity
from signer_app.verification.revision import Key, Revision
from signer_app.verification.second_opinion import brought_since
from signer_app.verification.source import SourceFile

_CHUNK = 1 << 20
# Rendering the same page twice may differ by rounding where a stamp's edge is anti-aliased.
_TOLERANCE = 24
_FEW_PAGES = 3
"""So many pages without a stamp are drawn sooner than anything is proven of them."""
_MAX_PICTURES = 100
"""Pages without a stamp that are compared in any case where nothing is proven; a page takes some 10 ms."""

_UNPACKED: set[bytes] = set()
"""Deflated data, by hash, that qpdf has unpacked here without a word: seals and fonts come with each letter."""
_MAX_UNPACKED = 256

_ELSEWHERE = frozenset(
    {
        ChangeKind.VALIDATION_DATA,
        ChangeKind.TIMESTAMP,
        ChangeKind.SIGNATURE,
        ChangeKind.SIGNATURE_FIELD,
        ChangeKind.FIELD_FILLED,
        ChangeKind.FIELD_CHANGED,
        ChangeKind.METADATA,
        ChangeKind.FORM_SETTINGS,
    }
)
"""What shows only on the pages that it names, or on those with form fields."""

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
    file: Opened | None = None,
    *,
    certified_may_change: bool = False,
) -> Rechecked:
    """Compares `output` with `source`; `before` and `after` are the verifier's reports on the two.

    `file` is the output as the verifier had it open. `certified_may_change`: the plan puts number, date and seal on a
    letter, which may be certified without fields for them (decision 0004, case 3); nothing else may.
    """
    if file is None:
        with opened(output) as file:
            return recheck(
                source,
                output,
                steps,
                before,
                after,
                certificate_sha256,
                file,
                certified_may_change=certified_may_change,
            )
    digest, size = file.source.sha256(), file.source.size

    def fault(code: str, detail: str) -> Rechecked:
        return Rechecked(code, detail, digest, size)

    length = _prefix(source, file.source)
    if length is None:
        return fault("output_not_prefix", "the input is not a prefix of the output")
    earlier = {s.field: s for s in before.signatures}
    later = {s.field: s for s in after.signatures}
    for field, was in earlier.items():
        now = later.get(field)
        if now is None or _RANK[now.integrity] > _RANK[was.integrity]:
            # A certified document is sealed after a warning and then shows as changed, never as broken.
            changed = now is not None and now.integrity is Integrity.CHANGED
            if certified_may_change and changed and was.docmdp is not None:
                continue
            return fault("earlier_signature_worse", f"{field}: {was.integrity} became {now and now.integrity}")
    for step in steps:
        made = later.get(step.field)
        if made is None or made.integrity is not Integrity.INTACT or made.certificate != certificate_sha256:
            return fault("output_not_intact", f"{step.field}: {made and made.integrity}")
    if len(later) != len(earlier) + len(steps):
        return fault("output_not_intact", f"{len(later)} signatures, expected {len(earlier) + len(steps)}")
    return _SecondLook(source, output, file, length, steps).fault(fault("", "")) or Rechecked(None, "", digest, size)


def shows_secrecy(output: Path, steps: Sequence[SignStep]) -> bool:
    """Whether a page on which the steps write letters carries a mark of secrecy now.

    All else was screened with the input, and `recheck` has found it unchanged; a mark that comes with a stamp has
    letters of the stamp. A page that nobody can read is not known to be free of marks.
    """
    touched = sorted({page for step in steps for page in _written_on(step)})
    if not touched:
        return False
    try:
        with closing(open_document(output)) as document:
            return any(find_secrecy_mark(read_page(document, number)) for number in touched)
    except (pdfium.PdfiumError, ValueError):
        return True


def _prefix(source: Path, output: SourceFile) -> int | None:
    """The length of `source` when `output` begins with every byte of it."""
    with SourceFile(source) as old:
        if old.size > output.size:
            return None
        for at in range(0, old.size, _CHUNK):
            stop = min(at + _CHUNK, old.size)
            if old.piece(at, stop) != output.piece(at, stop):
                return None
        return old.size


class _SecondLook:
    """What other parsers make of the output, and how its pages look beside those of the input.

    `length` is the input's: what it shows is what the output cut there shows.
    """

    def __init__(self, source: Path, output: Path, file: Opened, length: int, steps: Sequence[SignStep]) -> None:
        self._source = source
        self._output = output
        self._file = file
        self._length = length
        self._steps = steps
        self._frames = Frames(output)

    def fault(self, passed: Rechecked) -> Rechecked | None:
        """The first fault found; None when there is none."""

        def fault(code: str, detail: str) -> Rechecked:
            return msgspec.structs.replace(passed, fault=code, detail=detail)

        try:
            new_faults = self._new_faults()
        except (pikepdf.PikepdfError, RuntimeError) as error:
            return fault("output_unreadable", f"qpdf: {type(error).__name__}")
        if new_faults:
            return fault("output_unreadable", f"qpdf: {min(new_faults)}")
        pages = self._file.pages
        try:
            old, new = len(pages.document(self._length)), len(pages.document(self._file.source.size))
        except pdfium.PdfiumError as error:
            return fault("output_unreadable", f"PDFium: {error}")
        if old != new:
            return fault("output_pages_differ", f"{old} pages became {new}")
        # The verifier has drawn some already, and stops at a limit; what is drawn here is bounded by the file.
        pages.allow(2 * new)
        for number in self._compared(new):
            if not self._same_outside(number):
                return fault("output_looks_different", f"page {number + 1}")
        return None

    # qpdf

    def _new_faults(self) -> set[str]:
        """What qpdf finds wrong with the output and not with the input.

        What the increment brings is read through. Only when qpdf stumbles is the whole of both files, for the rest of
        the bytes are the same. Raises pikepdf's errors and RuntimeError.
        """
        if self._increment is not None and _reads_well(self._output, self._increment.brought):
            return set()
        return _qpdf_faults(self._output) - _qpdf_faults(self._source)

    # Pages

    @cached_property
    def _increment(self) -> "_Increment | None":
        """What was appended, by objects; None where our own reader can't tell."""
        final = self._file.final
        if final is None:
            return None
        try:
            known = self._file.states.get(self._length)
            old = known or Revision(self._file.source, self._length, final.memory, strict=final.reader.strict)
            return _Increment(old, final, brought_since(old, final)) if final.continues(old) else None
        except Exception:  # noqa: BLE001  # pyHanko fails with many types; then nothing is proven, and all is compared
            return None

    def _compared(self, count: int) -> Iterator[int]:
        """Pages to be compared as pictures: those with stamps, then all others that may look otherwise.

        Where nothing is proven, an increment may change any page. Then all are looked at of a file that isn't a book;
        of a longer one's later pages those with annotations and form fields, for these show what hangs on settings of
        the whole document.
        """
        stamped = sorted({page for step in self._steps for page in _touched(step)})
        yield from stamped
        others = [number for number in range(count) if number not in stamped]
        if len(others) > _FEW_PAGES:
            concerned = self._increment.concerned() if self._increment is not None else None
            if concerned is not None:
                others = [number for number in others if number in concerned]
            else:
                others = [n for n in others if n < _MAX_PICTURES or self._has_annotations(n)]
        yield from others

    def _has_annotations(self, number: int) -> bool:
        try:
            return self._file.pages.has_annotations(self._file.source.size, number)
        except pdfium.PdfiumError:
            return True

    def _same_outside(self, number: int) -> bool:
        """Whether page `number` looks the same in both, the boxes of the steps left out."""
        frame = self._frame(number)
        width, height = frame.width_mm, frame.height_mm
        grown = [box.grown(0.8) for box in _boxes(self._steps, number)]
        boxes = [(box.x / width, box.y / height, box.right / width, box.bottom / height) for box in grown]
        try:
            return self._file.pages.same_but((self._length, self._file.source.size), number, boxes, _TOLERANCE)
        except pdfium.PdfiumError:
            return not (self._shown(self._length, number) or self._shown(self._file.source.size, number))

    def _frame(self, number: int) -> PageFrame:
        """The page's shape, by PDFium; its unit as the verifier has read it."""
        final = self._file.final
        if final is not None and number < len(final.pages):
            with contextlib.suppress(pdfium.PdfiumError):
                return self._file.pages.shape(self._file.source.size, number, final.pages[number].frame.user_unit)
        return self._frames[number]

    def _shown(self, end: int, number: int) -> bool:
        """Whether PDFium can show the page."""
        try:
            self._file.pages.picture(end, number)
        except pdfium.PdfiumError:
            return False
        return True


@dataclass(frozen=True)
class _Increment:
    """The document before and after, and the objects that were brought in between."""

    old: Revision
    final: Revision
    brought: set[Key]

    def concerned(self) -> set[int] | None:
        """The pages (from 0) that may look otherwise now; None when nothing can be said."""
        try:
            found = differences(self.old, self.final)
        except Exception:  # noqa: BLE001  # as above
            return None
        if any(difference.kind not in _ELSEWHERE for difference in found):
            return None
        pages = {page.index for page in pages_with(self.final, self.brought)}
        pages |= {page for difference in found for page in _named(difference)}
        if any(difference.kind is ChangeKind.FORM_SETTINGS for difference in found):
            pages |= {page.index for page in self.final.pages if page.annotations}
        return pages


def _named(difference: Difference) -> Iterator[int]:
    if difference.page is not None:
        yield difference.page
    for widget in (*difference.widgets, *difference.repaint):
        if widget.page is not None:
            yield widget.page


def _reads_well(path: Path, keys: Collection[Key]) -> bool:
    """Whether qpdf opens the file, reads all these objects and unpacks their data without a word."""
    unpacked: set[bytes] = set()
    with pikepdf.open(path, inherit_page_attributes=False) as pdf:
        for key in keys:
            found = pdf.get_object(key)
            if not isinstance(found, pikepdf.Stream):
                continue
            deflated = _hash_of_deflated(found)
            if deflated in _UNPACKED:
                continue
            try:
                found.read_bytes()
            except pikepdf.PikepdfError:
                # A filter that qpdf doesn't know, or a fault of the input's own.
                return False
            if deflated is not None:
                unpacked.add(deflated)
        if pdf.get_warnings():
            return False
    if len(_UNPACKED) >= _MAX_UNPACKED:
        _UNPACKED.clear()
    _UNPACKED.update(unpacked)
    return True


def _hash_of_deflated(stream: pikepdf.Stream) -> bytes | None:
    """The hash of a stream's data when it is plainly deflated, as ours is: then the bytes alone say what unpacks."""
    if stream.get("/Filter") != pikepdf.Name.FlateDecode or "/DecodeParms" in stream:
        return None
    return hashlib.sha256(stream.read_raw_bytes()).digest()


def _qpdf_faults(path: Path) -> set[str]:
    """What qpdf has to say about the file's structure, object numbers and offsets left out."""
    with pikepdf.open(path) as pdf, warnings.catch_warnings():
        # pikepdf warns where a kind of picture has no decoder here; that is no fault of the file.
        warnings.simplefilter("ignore")
        return {_without_numbers(str(problem)) for problem in (*pdf.check_pdf_syntax(), *pdf.get_warnings())}


def _without_numbers(problem: str) -> str:
    return "".join(c for c in problem.rsplit(":", 1)[-1] if not c.isdigit()).strip()


def _touched(step: SignStep) -> set[int]:
    pages = {make.page for make in step.make} | {fill.page for fill in step.fill}
    if step.page is not None:
        pages.add(step.page)
    return pages


def _written_on(step: SignStep) -> Iterator[int]:
    """The pages on which a step draws letters; numbers and dates have none."""
    drawn = [(fill.page, fill.drawing) for fill in step.fill]
    if step.page is not None and step.drawing is not None:
        drawn.append((step.page, step.drawing))
    for page, drawing in drawn:
        if any(isinstance(item, TextItem) and any(map(str.isalpha, item.text)) for item in drawing.items):
            yield page


def _boxes(steps: Sequence[SignStep], number: int) -> list[Rect]:
    boxes = []
    for step in steps:
        if step.page == number and step.rect is not None:
            boxes.append(step.rect)
        boxes += [make.rect for make in step.make if make.page == number]
        boxes += [fill.box for fill in step.fill if fill.page == number]
    return boxes
