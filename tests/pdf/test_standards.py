"""What a file claims to be, and which of our signatures leave the claim true."""

import pikepdf
import pytest

from signer_app.pdf.geometry import Rect
from signer_app.pdf.plan import Drawing, ImageItem, SignStep
from signer_app.pdf.standards import Claims, Obstacle, claims, obstacles
from tests.pdf import odd
from tests.pdf.paper import letter
from tests.pdf.signing import INVISIBLE, PICTURE, ROOM, Desk, picture_step, text_step

_ELEMENTS = "<pdfaid:part>1</pdfaid:part>\n<pdfaid:conformance> A </pdfaid:conformance><pdfuaid:part>1</pdfuaid:part>"
_ATTRIBUTES = "<rdf:Description pdfaid:part='3' pdfaid:conformance = \"U\"/>"


def _claiming(text: str, *, encoding: str = "utf-8", colours: int | None = None, packed: bool = False) -> bytes:
    def change(pdf: pikepdf.Pdf) -> None:
        pdf.Root.Metadata = pdf.make_stream(text.encode(encoding), Type=pikepdf.Name.Metadata)
        if colours is not None:
            profile = pdf.make_stream(b"", N=colours)
            intent = pikepdf.Dictionary(Type=pikepdf.Name.OutputIntent, DestOutputProfile=profile)
            pdf.Root.OutputIntents = pikepdf.Array([intent])

    return odd.plain(change, packed=packed)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_claims_are_read_as_elements_and_as_attributes(desk: Desk, packed: bool) -> None:
    elements = claims(desk.keep(_claiming(_ELEMENTS, colours=3, packed=packed)))
    attributes = claims(desk.keep(_claiming(_ATTRIBUTES, encoding="utf-16", packed=packed)))

    assert elements == Claims(("PDF/A-1a", "PDF/UA-1"), 1, accessible=True, profiles=frozenset({3}))
    assert attributes == Claims(("PDF/A-3u",), 3)


@pytest.mark.parametrize("data", [letter(), b"%PDF-1.4\nrubbish"], ids=["none", "unreadable"])
def test_a_file_that_says_nothing_claims_nothing(desk: Desk, data: bytes) -> None:
    assert claims(desk.keep(data)) == Claims()


_TEXT, _SEAL = text_step(ROOM, "Số: 12"), picture_step(ROOM)
_OPAQUE = SignStep(
    "ky", existing=False, page=0, rect=ROOM, drawing=Drawing((ImageItem(PICTURE, Rect(0, 0, 60, 22)),), multiply=False)
)
_FIRST, _SECOND = Claims(("PDF/A-1b",), 1, profiles=frozenset({3})), Claims(("PDF/A-2b",), 2, profiles=frozenset({3}))
_CMYK, _BARE = Claims(("PDF/A-2b",), 2, profiles=frozenset({4})), Claims(("PDF/A-2b",), 2)


@pytest.mark.parametrize(
    ("found", "step", "met"),
    [
        (_FIRST, INVISIBLE, []),
        (_FIRST, _TEXT, []),
        (_FIRST, _SEAL, [Obstacle.TRANSPARENCY]),
        (_FIRST, _OPAQUE, [Obstacle.TRANSPARENCY]),
        (_SECOND, _SEAL, []),
        (_CMYK, _TEXT, []),
        (_CMYK, _SEAL, [Obstacle.COLOUR]),
        (_BARE, _TEXT, [Obstacle.COLOUR]),
        (Claims(("PDF/UA-1",), accessible=True), _TEXT, [Obstacle.TAGS]),
        (Claims(("PDF/UA-1",), accessible=True), INVISIBLE, []),
        (Claims(("PDF/A-3b",), 3, encrypted=True), INVISIBLE, [Obstacle.ENCRYPTION]),
        (Claims(), _SEAL, []),
    ],
)
def test_what_a_claim_does_not_allow_is_told(found: Claims, step: SignStep, met: list[Obstacle]) -> None:
    assert [obstacle for _name, obstacle in obstacles(found, (step,))] == met


@pytest.mark.parametrize("step", [INVISIBLE, _TEXT, _SEAL], ids=["invisible", "text", "seal"])
def test_an_increment_keeps_what_a_claim_rests_on(desk: Desk, step: SignStep) -> None:
    source = desk.keep(_claiming(_ATTRIBUTES, colours=3))

    output = desk.sign(source, [step])

    with pikepdf.open(source) as before, pikepdf.open(output) as after:
        assert after.Root.Metadata.objgen == before.Root.Metadata.objgen
        assert after.Root.Metadata.read_bytes() == before.Root.Metadata.read_bytes()
        assert len(after.Root.OutputIntents) == 1
        (field,) = after.Root.AcroForm.Fields
        # Printed, and neither hidden, nor invisible, nor kept from view (ISO 19005-2, 6.3.2).
        assert int(field.F) & 0b100111 == 0b000100
        # A field without an area needs no look (6.3.3).
        assert list(field.get("/AP", [])) == ([] if step is INVISIBLE else ["/N"])
        assert "/NeedAppearances" not in after.Root.AcroForm
        fonts = [one for one in after.objects if isinstance(one, pikepdf.Dictionary) and "/DescendantFonts" in one]
        assert all("/FontFile2" in font.DescendantFonts[0].FontDescriptor for font in fonts)
        assert bool(fonts) == (step is _TEXT)
    assert claims(output) == claims(source)
