"""What annotations and fields show counts as what the page shows: numbers, dates, marks of secrecy."""

import io
from dataclasses import dataclass

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Stream, String

from signer_app.pdf.letter import find_date_line, find_number_line, find_secrecy_mark, find_urgency_mark
from signer_app.pdf.marks import Refused, number_marks
from signer_app.pdf.screen import screen_bytes
from tests.pdf.paper import ITALIC, MM, Words, letter, page_of, read

NUMBER_BLANK = (51.0, 33.5, 59.0, 39.0)
"""Left, top, right, bottom in mm: within the blank of `letter`."""
ASIDE = (40.0, 45.0, 80.0, 55.0)


@dataclass(frozen=True)
class Note:
    """An annotation of a page: `look` is what its appearance shows, None without one."""

    kind: str
    look: str | None = None
    contents: str | None = None
    value: str | None = None
    flags: int = 4
    parent: bool = False


def noted(note: Note, box: tuple[float, float, float, float] = NUMBER_BLANK, data: bytes | None = None) -> bytes:
    """A letter with an annotation in a box (mm from the top left); its letters are those of the page's first font."""
    with pikepdf.open(io.BytesIO(data or letter())) as pdf:
        page = pdf.pages[0]
        high = float(page.mediabox[3])
        rect = (box[0] * MM, high - box[3] * MM, box[2] * MM, high - box[1] * MM)
        made = Dictionary(Type=Name.Annot, Subtype=Name(note.kind), Rect=Array(rect), F=note.flags)
        if note.contents is not None:
            made.Contents = String(note.contents)
        if note.look is not None:
            made.AP = Dictionary(N=_look(pdf, note.look, (rect[2] - rect[0], rect[3] - rect[1])))
        annotation = pdf.make_indirect(made)
        if note.kind == "/Widget":
            _as_field(pdf, annotation, note)
        page.obj.Annots = Array([annotation])
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()


def _look(pdf: pikepdf.Pdf, text: str, size: tuple[float, float]) -> Stream:
    """Vietnamese by the letters of our own serif face, which another page lends."""
    with pikepdf.open(
        io.BytesIO(page_of([Words(1, size[1] / MM - 1.2, text)], (size[0] / MM, size[1] / MM)))
    ) as lender:
        content, resources = lender.pages[0].Contents.read_bytes(), lender.pages[0].Resources
        form = Stream(pdf, content)
        form.Type, form.Subtype, form.BBox = Name.XObject, Name.Form, Array([0, 0, *size])
        form.Resources = pdf.copy_foreign(lender.make_indirect(resources))
    return form


def _as_field(pdf: pikepdf.Pdf, widget: pikepdf.Object, note: Note) -> None:
    looks = String("/Helv 12 Tf 0 g")
    field = widget
    if note.parent:
        field = pdf.make_indirect(Dictionary(Kids=Array([widget])))
        widget.Parent = field
    field.FT, field.T, field.DA = Name.Tx, String("so"), looks
    if note.value is not None:
        field.V = String(note.value)
    fonts = Dictionary(Helv=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
    pdf.Root.AcroForm = Dictionary(Fields=Array([field]), DA=looks, DR=Dictionary(Font=fonts))


@pytest.mark.parametrize(
    "note",
    [
        Note("/Stamp", look="12"),
        Note("/Widget", look="12", value="12"),
        Note("/Widget", value="12"),
        Note("/Widget", value="12", parent=True),
        Note("/FreeText", look="12"),
        Note("/FreeText", contents="12"),
    ],
    ids=str,
)
def test_a_number_that_an_annotation_shows_counts_as_typed(note: Note) -> None:
    found = find_number_line(read(noted(note)))
    assert found is not None
    assert (found.number, found.symbol, found.blank, found.from_annotation) == ("12", "QĐ-UBND", None, True)


def test_what_is_no_number_leaves_no_blank_either() -> None:
    found = find_number_line(read(noted(Note("/Stamp", look="x?"))))
    assert found is not None
    assert (found.number, found.blank) == ("x?", None)


def test_a_picture_over_the_blank_is_taken_for_a_number_that_nobody_can_read() -> None:
    picture = noted(Note("/Stamp", look=""), data=letter())
    with pikepdf.open(io.BytesIO(picture)) as pdf:
        look = pdf.pages[0].Annots[0].AP.N
        look.write(b"0 0 1 rg 2 2 18 10 re f")
        out = io.BytesIO()
        pdf.save(out)
    found = find_number_line(read(out.getvalue()))
    assert found is not None
    assert (found.number, found.blank, found.from_annotation) == ("?", None, True)
    with pytest.raises(Refused, match="number_differs"):
        number_marks(found, "05", None)


def test_a_picture_beside_the_blank_leaves_it() -> None:
    found = find_number_line(read(noted(Note("/Stamp", look="███"), ASIDE)))
    assert found is not None
    assert found.blank is not None


@pytest.mark.parametrize(
    "note",
    [
        Note("/Widget"),
        Note("/Stamp", look="12", flags=2),
        Note("/Link"),
        Note("/Popup", contents="12"),
        Note("/Text", contents="12"),
    ],
    ids=str,
)
def test_what_shows_nothing_leaves_the_blank(note: Note) -> None:
    page = read(noted(note))
    found = find_number_line(page)
    assert page.shown is None
    assert found is not None
    assert found.number is None
    assert found.blank is not None


def test_a_typed_number_stays_what_it_is_under_an_annotation() -> None:
    data = letter(number="Số: 05/QĐ-UBND")
    found = find_number_line(read(noted(Note("/Stamp", look="99"), ASIDE, data)))
    assert found is not None
    assert (found.number, found.from_annotation) == ("05", False)


def test_parts_of_a_date_that_an_annotation_shows_count_as_typed() -> None:
    data = page_of([Words(110, 40, "Hòa Sơn, ngày         tháng         năm 2026", ITALIC)])
    blank = find_date_line(read(data))
    assert blank is not None
    assert blank.day_blank is not None
    box = (blank.day_blank.left, 35.5, blank.day_blank.right, 41.2)
    found = find_date_line(read(noted(Note("/Stamp", look="07"), box, data)))
    assert found is not None
    assert (found.day, found.month, found.year, found.from_annotation) == (7, None, 2026, True)
    assert found.day_blank is None
    assert found.month_blank is not None
    unclear = find_date_line(read(noted(Note("/Stamp", look="x"), box, data)))
    assert unclear is not None
    assert (unclear.day, unclear.day_blank) == (0, None)


@pytest.mark.parametrize(
    "note",
    [
        Note("/Stamp", look="MẬT"),
        Note("/Stamp", look="TỐI MẬT"),
        Note("/Stamp", contents="MẬT"),
        Note("/FreeText", look="TUYỆT MẬT"),
        Note("/FreeText", contents="TUYỆT MẬT"),
        Note("/Widget", look="MẬT"),
        Note("/Widget", value="MẬT"),
        Note("/Widget", value="Độ mật: Mật", parent=True),
        Note("/Text", contents="Văn bản sau đây:\nMẬT"),
    ],
    ids=str,
)
def test_a_mark_of_secrecy_in_an_annotation_is_one(note: Note) -> None:
    data = noted(note, ASIDE)
    assert find_secrecy_mark(read(data)) is not None
    assert screen_bytes(data, "a.pdf").secret


@pytest.mark.parametrize(
    "note",
    [Note("/Text", contents="Giữ bí mật"), Note("/FreeText", look="BẢO MẬT"), Note("/Widget", value="Mật độ dân số")],
    ids=str,
)
def test_the_word_in_another_use_is_none(note: Note) -> None:
    assert not screen_bytes(noted(note, ASIDE), "a.pdf").secret


def test_a_stamp_may_say_how_urgent_a_letter_is() -> None:
    assert find_urgency_mark(read(noted(Note("/Stamp", look="HỎA TỐC"), ASIDE))) == "HỎA TỐC"


def test_many_annotations_are_looked_at_up_to_a_bound_only() -> None:
    with pikepdf.open(io.BytesIO(letter())) as pdf:
        note = Dictionary(Type=Name.Annot, Subtype=Name.Text, Rect=Array([0, 0, 9, 9]), Contents=String("a"))
        pdf.pages[0].obj.Annots = Array([note] * 2_100)
        out = io.BytesIO()
        pdf.save(out)
    assert len(read(out.getvalue()).notes) == 2_000
