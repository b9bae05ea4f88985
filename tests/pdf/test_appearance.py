"""What a stamp looks like: its letters, their widths, and its place however the page lies in its file."""

import io
import subprocess
import unicodedata
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium
import pytest
from PIL import Image, ImageChops, ImageStat

from signer_app.pdf.fonts import face
from signer_app.pdf.geometry import Rect
from signer_app.pdf.plan import SIGNING_TIME, Drawing, ImageItem, SignStep, Style, TextItem
from signer_app.pdf.spelling import with_time
from signer_resources.errors import KnownError
from tests.pdf.paper import TURNS, Turn, Words, document_of, head, letter, picture, turned
from tests.pdf.signing import PICTURE, SEAL, Desk, text_step

PLACE = Rect(110, 190, 60, 20)
_VIETNAMESE = "Nguyễn Thị Phượng – ỦY BAN NHÂN DÂN XÃ HÒA SƠN"


def test_the_text_of_a_stamp_can_be_read_back(desk: Desk) -> None:
    step = text_step(Rect(40, 120, 130, 30), _VIETNAMESE, unicodedata.normalize("NFD", "Đã ký số"), SIGNING_TIME)
    text = _text_of_widget(desk.sign(desk.keep(document_of([[]])), [step]))
    assert text == [_VIETNAMESE, "Đã ký số", with_time(SIGNING_TIME, desk.now)]
    assert text[2].endswith(" +07:00")


@pytest.mark.parametrize("style", list(Style))
def test_letters_stand_as_wide_as_they_were_measured(desk: Desk, style: Style) -> None:
    step = text_step(Rect(40, 120, 130, 30), _VIETNAMESE, size=12, style=style)
    output = desk.sign(desk.keep(document_of([[]])), [step])
    dark = picture(output, width=2100).convert("L").point(lambda v: 255 if v < 128 else 0).getbbox()
    assert dark is not None
    measured = face(style).width_mm(_VIETNAMESE, 12)
    assert dark[0] / 10 == pytest.approx(41, abs=0.5)
    assert (dark[2] - dark[0]) / 10 == pytest.approx(measured, abs=0.8)


def test_widths_are_told_of_the_letters_shown_alone(desk: Desk) -> None:
    """Whoever checks the file reads each number of these lists, for each signature."""
    output = desk.sign(desk.keep(document_of([[]])), [text_step(Rect(40, 120, 130, 30), "0505")])
    with pikepdf.open(output) as pdf:
        (widths,) = [item.W for item in pdf.objects if isinstance(item, pikepdf.Dictionary) and "/W" in item]
        told = {int(widths[n]): [int(width) for width in widths[n + 1]] for n in range(0, len(widths), 2)}
    regular = face(Style.REGULAR)
    assert told == {
        regular.glyph_ids(letter)[0]: [round(regular.width_mm(letter, 1000) * 72 / 25.4)] for letter in "05"
    }


def _text_of_widget(path: Path) -> list[str]:
    """The lines of the last signature's appearance, by PDFium, put on a page of its own."""
    with pikepdf.open(path) as pdf, pikepdf.new() as shown:
        field = next(f for f in pdf.Root.AcroForm.Fields if f.T == "ky")
        form = shown.copy_foreign(field.AP.N)
        page = shown.add_blank_page(page_size=(float(form.BBox[2]), float(form.BBox[3])))
        page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Stamp=form))
        # pyHanko wraps the stamp in a form of its own.
        page.obj.Contents = shown.make_stream(b"/Stamp Do")
        out = io.BytesIO()
        shown.save(out)
    document = pdfium.PdfDocument(out.getvalue())
    try:
        return [unicodedata.normalize("NFC", line) for line in document[0].get_textpage().get_text_range().splitlines()]
    finally:
        document.close()


@pytest.mark.parametrize("letter_", ["漢", "😀", "ꭓ"])
def test_a_letter_that_the_font_lacks_is_refused_and_named(desk: Desk, letter_: str) -> None:
    with pytest.raises(KnownError) as caught:
        desk.prepare(desk.keep(letter()), text_step(PLACE, f"Ông {letter_}"))
    assert caught.value.code == "glyph_missing"
    assert caught.value.params == {"letter": letter_}


def test_the_font_has_every_letter_of_vietnamese() -> None:
    vowels = "aăâeêioôơuưy"
    tones = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
    small = [unicodedata.normalize("NFC", vowel + tone) for vowel in vowels for tone in tones]
    text = "".join(small) + "đ0123456789 .,;:/-–()&+«»" + "bcdghklmnpqrstvxwfjz"
    for style in Style:
        assert len(face(style).glyph_ids(text + text.upper())) == len(text + text.upper())


def _difference(one: Path | bytes, other: Path | bytes) -> float:
    """Mean difference of two pictures, 0 to 255."""
    changed = ImageChops.difference(picture(one).convert("L"), picture(other).convert("L"))
    return ImageStat.Stat(changed).mean[0]


_STAMP = SignStep(
    "ky",
    existing=False,
    page=0,
    rect=Rect(60, 130, 90, 40),
    drawing=Drawing(
        (
            ImageItem(SEAL, Rect(2, 1, 38, 38)),
            ImageItem(PICTURE, Rect(28, 8, 60, 22)),
            TextItem(40, 36, 14, Style.BOLD, "Ký số: Ủy ban"),
        ),
        multiply=True,
    ),
)


@pytest.mark.parametrize("turn", TURNS, ids=str)
def test_a_stamp_looks_the_same_however_the_page_lies_in_its_file(desk: Desk, turn: Turn) -> None:
    data = document_of([[*head(), Words(65, 150, "Chữ nằm dưới con dấu", size=16)]])
    upright = desk.sign(desk.keep(data), [_STAMP])
    output = desk.sign(desk.keep(turned(data, turn)), [_STAMP])
    stamped = _difference(desk.keep(data), upright)
    assert stamped > 1
    assert _difference(upright, output) < stamped / 15


@pytest.mark.parametrize("turn", [turn for turn in TURNS if turn.margin == 40], ids=str)
def test_another_renderer_shows_the_stamp_in_the_same_place(desk: Desk, turn: Turn) -> None:
    data = document_of([[*head(), Words(65, 150, "Chữ nằm dưới con dấu", size=16)]])
    output = desk.sign(desk.keep(turned(data, turn)), [_STAMP])
    image = desk.folder / "poppler"
    subprocess.run(
        ["pdftoppm", "-r", "72", "-cropbox", "-png", "-singlefile", str(output), str(image)], check=True, timeout=60
    )
    with Image.open(image.with_suffix(".png")) as opened:
        poppler = opened.convert("L").resize((600, 848))
    pdfium_ = picture(output).convert("L").resize((600, 848))
    assert ImageStat.Stat(ImageChops.difference(poppler, pdfium_)).mean[0] < 3
