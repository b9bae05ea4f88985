"""Files made by others, many odd on purpose: signed and intact, or refused with a reason; nothing else."""

import os
from collections import Counter
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from PIL import Image, ImageChops, ImageDraw

from signer_app.pdf.geometry import Rect
from signer_app.pdf.model import PlaceOption, Profile
from signer_app.pdf.repair import repair
from signer_app.pdf.screen import screen_file
from signer_resources import messages
from signer_resources.errors import KnownError
from tests.pdf.signing import Desk, refusals

_CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "pdfs"
_DPI = 100
_ENDLESS = {"qpdf__qpdf__qtest__qpdf__shared-unnamed-field.pdf"}
"""PDFium needs minutes to open the only page of this form; in the product the pool's time limit ends that."""

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not _CORPUS.is_dir(), reason="the collection of odd PDF files isn't beside the project"),
]


def _page(path: Path, number: int, *, forms: bool) -> Image.Image | None:
    document = pdfium.PdfDocument(path)
    try:
        if forms:
            document.init_forms()
        page = document[number]
        # Drawn twice: substitutes of fonts that aren't embedded settle with the first drawing.
        pictures = [page.render(scale=_DPI / 72, may_draw_forms=forms) for _ in range(2)]
        image: Image.Image = pictures[1].to_pil().convert("L").copy()
        page.close()
        return image
    except pdfium.PdfiumError:
        return None
    finally:
        document.close()


def _looks_the_same(before: Path, after: Path, stamp: Rect | None) -> bool:
    """The first three pages outside the stamp, by a comparison that isn't the re-check's."""
    document = pdfium.PdfDocument(before)
    count = len(document)
    document.close()
    for number in range(min(3, count)):
        one, other = (_page(path, number, forms=True) for path in (before, after))
        if one is None or other is None:
            return one is other
        changed = ImageChops.difference(one, other).point(lambda v: 255 if v > 48 else 0)
        if stamp is not None and number == 0:
            pixel = _DPI / 25.4
            box = stamp.grown(1)
            ImageDraw.Draw(changed).rectangle(
                (box.x * pixel, box.y * pixel, box.right * pixel, box.bottom * pixel), fill=0
            )
        if changed.histogram()[255] > 0.002 * one.width * one.height:
            return False
    return True


def _outcome(desk: Desk, file: Path, place: PlaceOption | None) -> str:
    screened = screen_file(file, "văn bản.pdf")
    assert not screened.secret
    source, good = file, "signed"
    result = desk.preflight(source, Profile.PLAIN, place=place)
    if "pdf_needs_repair" in refusals(result):
        source, good = desk.folder / "bản sửa.pdf", "repaired and signed"
        try:
            repair(file, source)
        except KnownError as error:
            return f"repair: {error.code}"
        result = desk.preflight(source, Profile.PLAIN, place=place)
    if result.plan is None:
        assert refusals(result)
        return f"preflight: {refusals(result)[0]}"
    try:
        output = desk.sign(source, result.plan.steps)
    except KnownError as error:
        return f"prepare: {error.code}"
    found = desk.recheck(source, output, result.plan.steps)
    if found.fault is None:
        # A repaired file is held against the one that came.
        assert _looks_the_same(file, output, result.plan.steps[0].rect), file.name
        outcome = good
    else:
        assert messages.explain(found.fault, "vi", detail=found.detail).what
        outcome = f"recheck: {found.fault}"
    output.unlink()
    return outcome


@pytest.mark.parametrize("place", [None, PlaceOption(1, 2, 2, 40, 12)], ids=["invisible", "visible"])
def test_odd_files_are_signed_intact_or_refused_with_a_reason(desk: Desk, place: PlaceOption | None) -> None:
    outcomes = Counter(
        _outcome(desk, file, place) for file in sorted(_CORPUS.glob("*.pdf")) if file.name not in _ENDLESS
    )
    if os.environ.get("SIGNER_SHOW_OUTCOMES"):
        print(*sorted(outcomes.items()), sep="\n")  # noqa: T201
    known = {"signed", "repaired and signed"}
    unrepaired = ("beyond", "differs", "signed", "encrypted", "ambiguous")
    known |= {f"repair: repair_{code}" for code in unrepaired} | {"repair: pdf_encrypted"}
    refused = ("pdf_unreadable", "pdf_encrypted", "pdf_dynamic", "place_outside", "permissions_forbid_signing")
    known |= {f"preflight: {code}" for code in refused}
    # Nothing is left for the time after the PIN.
    assert set(outcomes) <= known
    assert outcomes["signed"] + outcomes["repaired and signed"] > 0.85 * sum(outcomes.values())
    assert outcomes["repaired and signed"] > 0.05 * sum(outcomes.values())
