"""Text that is on a page and that nobody sees, and light or covered text that is no trap."""

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from signer_app.pdf.inspection.sightings import Sighting
from tests.pdf.paper import letter
from tests.pdf.traps import TEXT, content_of, made


def picture(width: int, height: int) -> bytes:
    """An inline picture of one black and one white pixel, so large, in the lower left corner."""
    return b"q %d 0 0 %d 0 0 cm BI /W 2 /H 1 /BPC 8 /CS /G ID \x00\xff EI Q " % (width, height)


HIDDEN = b"BT /F1 24 Tf %s 72 500 Td (Phu luc an) Tj ET "


@pytest.mark.parametrize(
    ("code", "content"),
    [
        ("text_paper_colour", HIDDEN % b"1 g"),
        ("text_paper_colour", HIDDEN % b"0.98 0.99 0.97 rg"),
        ("text_invisible", HIDDEN % b"3 Tr"),
        ("text_covered", HIDDEN % b"0 g" + b"1 g 60 480 300 60 re f "),
        ("text_tiny", b"BT /F1 0.4 Tf 72 500 Td (Phu luc an) Tj ET "),
        ("text_tiny", b"q 0.01 0 0 0.01 0 0 cm BT /F1 24 Tf 7200 50000 Td (Phu luc an) Tj ET Q "),
        ("text_outside_page", b"BT /F1 24 Tf 72 900 Td (Phu luc an) Tj ET "),
    ],
)
def test_text_that_nobody_sees_is_told_with_its_page(code: str, content: bytes) -> None:
    assert content_of(made(content=TEXT + content)) == [Sighting(code, 1, "Phu luc an")]


@pytest.mark.parametrize(
    "content",
    [
        b"0 0 0.6 rg 60 480 300 60 re f " + HIDDEN % b"1 g",
        b"1 g 60 480 300 60 re f " + HIDDEN % b"0 g",
        HIDDEN % b"0.5 g",
        b"BT /F1 24 Tf 1 g 72 900 Td (   ) Tj ET ",
        picture(595, 842) + HIDDEN % b"3 Tr",
        HIDDEN % b"0 g" + picture(595, 842),
    ],
    ids=["white on blue", "on a white ground", "grey", "blanks", "text layer of a scan", "text under a scan"],
)
def test_text_that_is_seen_or_belongs_to_a_scan_is_nothing(content: bytes) -> None:
    assert content_of(made(content=TEXT + content)) == []


def test_hidden_text_is_found_within_forms_and_on_turned_pages() -> None:
    def within(pdf: pikepdf.Pdf) -> None:
        page = pdf.pages[0].obj
        form = pdf.make_stream(
            HIDDEN % b"1 g", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 595, 842]),
            Matrix=Array([1, 0, 0, 1, 10, -50]), Resources=page.Resources,
        )  # fmt: skip
        page.Resources = Dictionary(Font=page.Resources.Font, XObject=Dictionary(X=form))
        page.Rotate = 90

    assert content_of(made(within, TEXT + b"/X Do ")) == [Sighting("text_paper_colour", 1, "Phu luc an")]


def test_a_page_cut_off_by_its_cropbox_tells_what_it_hides() -> None:
    def cut(pdf: pikepdf.Pdf) -> None:
        pdf.pages[0].obj.CropBox = Array([0, 0, 595, 650])

    assert [sighting.code for sighting in content_of(made(cut))] == ["text_outside_page"]


def test_looking_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signer_app.pdf.inspection.content._OBJECTS", 2)
    assert content_of(made(content=TEXT * 5)) == [Sighting("inspection_incomplete", 1)]
    monkeypatch.setattr("signer_app.pdf.inspection.content._OBJECTS", 100)
    monkeypatch.setattr("signer_app.pdf.inspection.content._PICTURES", 0)
    assert [s.code for s in content_of(made(content=HIDDEN % b"1 g"))] == ["inspection_incomplete"]


def test_a_letter_is_clean() -> None:
    assert content_of(letter()) == []
