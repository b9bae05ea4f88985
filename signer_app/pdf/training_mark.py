"""BẢN THỬ across every page of what training signs, and how a file that carries it is recognised.

Runs in a worker, file in, file out: an increment, so the input stays an exact prefix. The mark is page content and not
an annotation, because annotations can be hidden by a click. It is put on before anybody has signed: afterwards it would
be a change of signed pages. Letters are real text, so that the mark is still known when another program has written the
file anew, and blended so that nothing below is hidden.
"""

import math
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from signer_app.pdf.fonts import face
from signer_app.pdf.form import Frames
from signer_app.pdf.geometry import PageFrame, mm_to_pt
from signer_app.pdf.increment import open_increment
from signer_app.pdf.inspection.traces import was_signed
from signer_app.pdf.objects import Plain, array, dictionary, put, stream
from signer_app.pdf.pagetext import PageText
from signer_app.pdf.plan import Style
from signer_resources.errors import KnownError

MARK = "BẢN THỬ"
"""What is read across each page."""
BELOW = "CHẾ ĐỘ TẬP DƯỢT – KHÔNG CÓ GIÁ TRỊ"
"""The line below it, by which the mark is recognised where only its letters are left."""

_NAME = "/SignerTraining"
"""The mark among a page's resources, and the entry by which its form says what it is."""
_DRAWN = b"/SignerTraining Do"
_GREY = 0.82
_BELOW_SIZE = 0.18
"""Size of the line below, as a share of the mark's."""
_ROOM = 0.9
"""Share of the page's width and height that the mark may take."""
_STEEP = (30.0, 60.0)
"""Degrees: flatter, the letters would be taken for lines of the letter itself."""
_MAX_PAGES = 5_000


@dataclass(frozen=True)
class Marked:
    """Whether any page, and whether every page, carries the mark."""

    anywhere: bool = False
    everywhere: bool = False


def mark(source: Path, output: Path) -> None:
    """Writes `source` with the mark on each page to `output`.

    KnownError "training_signed_elsewhere" where somebody has signed it without, "training_not_markable" where the file
    can't be extended, "pdf_encrypted" where it wants a password.
    """
    if was_signed(source):
        raise KnownError("training_signed_elsewhere")
    try:
        _mark(source, output)
    except OSError:
        # A full disk is no fault of the file.
        output.unlink(missing_ok=True)
        raise
    except Exception as error:
        output.unlink(missing_ok=True)
        if isinstance(error, KnownError):
            raise
        # pyHanko fails with many exception types on odd files, not only its own.
        raise KnownError("training_not_markable", reason=type(error).__name__) from error
    if not marked(output).everywhere:
        output.unlink(missing_ok=True)
        raise KnownError("training_not_markable", reason="?")


def marked(path: Path) -> Marked:
    """How far the file carries the mark, by its structure; what qpdf can't read carries none."""
    try:
        with pikepdf.open(path) as pdf:
            return carried_by(pdf)
    except (pikepdf.PikepdfError, OSError, RuntimeError, ValueError):
        return Marked()


def carried_by(pdf: pikepdf.Pdf) -> Marked:
    """How far an open file carries the mark."""
    found = [_carries(page) for page in pdf.pages]
    return Marked(anywhere=any(names for names, _drawn in found), everywhere=bool(found) and all(d for _n, d in found))


def shows_mark(pages: Iterable[PageText]) -> bool:
    """Whether the mark's letters stand across one of the pages, whoever wrote the file."""
    wanted = _tight(BELOW)
    return any(wanted in _tight("".join(page.slanted)) for page in pages)


def _tight(text: str) -> str:
    return "".join(unicodedata.normalize("NFC", text).split())


def _carries(page: pikepdf.Page) -> tuple[bool, bool]:
    """Whether the page names the mark, and whether the last that it draws is the mark."""
    try:
        forms = page.resources.get("/XObject")
        form = forms.get(_NAME) if isinstance(forms, pikepdf.Dictionary) else None
        named = isinstance(form, pikepdf.Stream) and _NAME in form
        contents = page.obj.get("/Contents")
        last = contents[-1] if isinstance(contents, pikepdf.Array) and len(contents) else None
        drawn = named and isinstance(last, pikepdf.Stream) and _DRAWN in last.read_bytes()
    except (pikepdf.PikepdfError, AttributeError, TypeError, ValueError, RuntimeError):
        return False, False
    return named, drawn


# --- drawing ---------------------------------------------------------------------------------------------------------


def _mark(source: Path, output: Path) -> None:
    with pikepdf.open(source) as pdf:
        if len(pdf.pages) > _MAX_PAGES:
            raise KnownError("training_not_markable", reason=f"> {_MAX_PAGES}")
        nesting = [_nesting(page) for page in pdf.pages]
    frames, forms = Frames(source), _Forms()
    with source.open("rb") as handle, output.open("xb") as target:
        writer = open_increment(handle, b"training")
        for number, (missing, left_open) in enumerate(nesting):
            frame = frames[number]
            _draw_on(writer, number, forms.of(writer, frame), frame, missing, left_open)
        writer.write(target)  # type: ignore[no-untyped-call]


def _nesting(page: pikepdf.Page) -> tuple[int, int]:
    """How many times the page's content restores more than it saved, and how many of its saves are left open.

    What such a page leaves behind would move the mark (ISO 32000-1, 8.4.2 forbids it; files have it).
    """
    depth = lowest = 0
    try:
        for instruction in pikepdf.parse_content_stream(page, "q Q"):
            depth += 1 if str(instruction.operator) == "q" else -1
            lowest = min(lowest, depth)
    except (pikepdf.PikepdfError, RuntimeError, ValueError):
        return 0, 0
    return -lowest, depth - lowest


class _Forms:
    """One form for all pages of the same shape, and one font."""

    def __init__(self) -> None:
        self._known: dict[PageFrame, generic.IndirectObject] = {}
        self._font: generic.IndirectObject | None = None

    def of(self, writer: IncrementalPdfFileWriter, frame: PageFrame) -> generic.IndirectObject:
        if frame not in self._known:
            if self._font is None:
                self._font = face(Style.BOLD).embed(writer, (MARK, BELOW))
            self._known[frame] = writer.add_object(_form(frame, self._font))
        return self._known[frame]


def _form(frame: PageFrame, font: generic.IndirectObject) -> generic.StreamObject:
    """The mark for pages of this shape, from the lower left corner of what is seen of them, upright as displayed."""
    box, width, height = frame.visible, frame.width_mm, frame.height_mm
    angle = math.radians(min(max(math.degrees(math.atan2(height, width)), _STEEP[0]), _STEEP[1]))
    cos, sin, bold = math.cos(angle), math.sin(angle), face(Style.BOLD)
    long, high = bold.width_mm(MARK, mm_to_pt(1.0)), 1.0
    size = _ROOM * min(width / (long * cos + high * sin), height / (long * sin + high * cos))
    lines = []
    # The mark's letters stand above the diagonal, the line hangs below it.
    for text, points, raised in ((MARK, size, -0.2 * size), (BELOW, size * _BELOW_SIZE, -0.5 * size)):
        half = bold.width_mm(text, mm_to_pt(points)) / 2
        x = width / 2 - half * cos - raised * sin
        y = height / 2 - half * sin + raised * cos
        lines.append(
            b"BT /F %.4f Tf %.5f %.5f %.5f %.5f %.4f %.4f Tm %s Tj ET"
            % (points, cos, sin, -sin, cos, x, y, bold.show(text))
        )
    upright = b"%.5f %.5f %.5f %.5f %.5f %.5f cm" % frame.upright_matrix(box)
    blend = dictionary({"/Type": "/ExtGState", "/BM": "/Multiply"})
    resources: dict[str, Plain] = {
        "/Font": dictionary({"/F": font}),
        "/ExtGState": dictionary({"/Blend": blend}),
    }
    entries: dict[str, Plain] = {
        "/Type": "/XObject",
        "/Subtype": "/Form",
        "/BBox": array((0, 0, round(box.width, 4), round(box.height, 4))),
        "/Resources": dictionary(resources),
        _NAME: True,
    }
    return stream(entries, b"\n".join([b"q /Blend gs %.2f g" % _GREY, upright, *lines, b"Q"]))


def _draw_on(
    writer: IncrementalPdfFileWriter,
    number: int,
    form: generic.IndirectObject,
    frame: PageFrame,
    missing: int,
    left_open: int,
) -> None:
    reference, inherited = writer.find_page_for_modification(number)  # type: ignore[no-untyped-call]
    page = reference.get_object()
    # Resources may be shared with other pages, or inherited by them: this page gets its own.
    resources = _copy(inherited)
    pictures = _copy(resources.get("/XObject"))
    put(pictures, _NAME, form)
    put(resources, "/XObject", pictures)
    put(page, "/Resources", resources)
    before = stream({}, b"q\n" * (1 + missing))
    place = b"q 1 0 0 1 %.5f %.5f cm " % (frame.visible.llx, frame.visible.lly)
    behind = stream({}, b"\n" + b"Q\n" * (1 + left_open) + place + _DRAWN + b" Q\n")
    put(page, "/Contents", array((writer.add_object(before), *_contents(page), writer.add_object(behind))))
    writer.update_container(page)


def _contents(page: generic.DictionaryObject) -> list[generic.PdfObject]:
    """The page's content as the pieces that it consists of; none where it is blank."""
    if "/Contents" not in page:
        return []
    if isinstance(page["/Contents"], generic.ArrayObject):
        return list(list.__iter__(page["/Contents"]))
    return [page.raw_get("/Contents")]


def _copy(known: Any) -> generic.DictionaryObject:
    """A dictionary with the same entries, references left as they are."""
    made = dictionary()
    if isinstance(known, generic.DictionaryObject):
        for key in known:
            made[key] = known.raw_get(key)
    return made
