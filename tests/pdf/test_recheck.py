"""What the re-check lets pass and what it catches, whoever would have caused it."""

import io
from collections.abc import Callable
from pathlib import Path

import msgspec
import pikepdf
import pytest
from PIL import Image
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.writer import PageObject
from pyhanko.sign.fields import MDPPerm

from signer_app.demo.pki_names import Holder
from signer_app.pdf.geometry import Rect
from signer_app.pdf.model import Profile
from signer_app.pdf.plan import Drawing, FillTextField, MakeTextField, SignStep, Style, TextItem
from signer_app.pdf.recheck import recheck, shows_secrecy
from signer_app.verification.drawing import Pages
from signer_app.verification.model import Integrity, TrustMaterial
from tests.pdf.paper import Words, document_of, head, letter
from tests.pdf.signing import INVISIBLE, PICTURE, Desk, picture_step, text_step
from tests.verification.documents import SignAs, annotate, increment, sign
from tests.verification.small_pki import make_certificate

PLACE = Rect(110, 190, 60, 20)
STEP = picture_step(PLACE)


@pytest.fixture
def source(desk: Desk) -> Path:
    return desk.keep(letter())


def _fault(desk: Desk, source: Path, output: Path, *steps: SignStep) -> str | None:
    return desk.recheck(source, output, steps or (STEP,)).fault


def test_a_good_output_passes_with_its_hash_and_size(desk: Desk, source: Path) -> None:
    output = desk.sign(source, [STEP])
    found = desk.recheck(source, output, [STEP])
    assert (found.fault, found.size) == (None, output.stat().st_size)
    assert len(found.sha256) == 64


def test_another_input_is_no_prefix(desk: Desk, source: Path) -> None:
    output = desk.sign(source, [STEP])
    assert _fault(desk, desk.keep(source.read_bytes() + b"\n"), output) == "output_not_prefix"
    assert _fault(desk, desk.keep(letter(number="Số: 7/QĐ-UBND")), output) == "output_not_prefix"
    cut = desk.keep(output.read_bytes()[: source.stat().st_size - 10])
    assert _fault(desk, source, cut) == "output_not_prefix"


@pytest.mark.parametrize("where", ["before the gap", "in the signature", "after the gap"])
def test_one_flipped_byte_is_seen(desk: Desk, source: Path, where: str) -> None:
    output, prepared = desk.prepare(source, STEP)
    desk.finish(output, prepared)
    data = bytearray(output.read_bytes())
    place = {
        "before the gap": data.index(b"/SubFilter") + 2,
        "in the signature": prepared.gap_start + 600,
        "after the gap": prepared.gap_end + 12,
    }[where]
    data[place] = ord("0") if data[place] != ord("0") else ord("1")
    assert _fault(desk, source, desk.keep(bytes(data))) in ("output_not_intact", "output_unreadable")


def test_an_unsigned_copy_does_not_pass(desk: Desk, source: Path) -> None:
    assert _fault(desk, source, source) == "output_not_intact"
    prepared_only, _ = desk.prepare(source, STEP)
    assert _fault(desk, source, prepared_only) == "output_not_intact"


def test_each_step_must_have_its_signature_and_there_is_none_more(desk: Desk, source: Path) -> None:
    other = picture_step(Rect(20, 230, 40, 15), field="khac")
    assert _fault(desk, source, desk.sign(source, [STEP]), STEP, other) == "output_not_intact"
    assert _fault(desk, source, desk.sign(source, [STEP, other]), STEP) == "output_not_intact"
    assert _fault(desk, source, desk.sign(source, [STEP, other]), STEP, other) is None


def test_the_signature_must_be_of_the_chosen_certificate(desk: Desk, source: Path) -> None:
    output = desk.sign(source, [STEP], Holder.LEADER)
    assert _fault(desk, source, output) == "output_not_intact"
    assert desk.recheck(source, output, [STEP], Holder.LEADER).fault is None


def test_bytes_behind_the_end_are_seen(desk: Desk, source: Path) -> None:
    output = desk.sign(source, [STEP])
    assert _fault(desk, source, desk.keep(output.read_bytes() + b"\nmore")) == "output_not_intact"


def _signed_with(desk: Desk, source: Path, change: Callable[[bytes], bytes]) -> Path:
    """An output whose increment does more than the plan says, signed all the same."""
    return desk.sign(desk.keep(change(source.read_bytes())), [STEP])


def test_ink_outside_the_stamp_is_seen(desk: Desk, source: Path) -> None:
    """The signature is intact, but the page shows what the person never saw."""
    output = _signed_with(desk, source, lambda data: increment(data, annotate((60, 600, 200, 640), "0 0 140 40 re f")))
    assert desk.verify(output).integrity is Integrity.INTACT
    assert _fault(desk, source, output) == "output_looks_different"


def test_ink_outside_is_seen_on_a_page_without_a_stamp_and_for_an_invisible_signature(desk: Desk) -> None:
    source = desk.keep(document_of([head(), [Words(30, 40, "Trang hai")]]))
    spoilt = desk.keep(increment(source.read_bytes(), annotate((60, 600, 200, 640), "0 0 140 40 re f", page=1)))
    for step in (STEP, INVISIBLE):
        assert _fault(desk, source, desk.sign(spoilt, [step]), step) == "output_looks_different"


_LONG = [head(), *([Words(30, 40, f"Trang {number}")] for number in range(2, 9))]


def test_of_a_long_file_only_pages_that_the_increment_concerns_are_drawn(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: set[int] = set()
    draw = Pages.picture

    def noted(pages: Pages, end: int, page: int, *, annotations: bool = True) -> Image.Image:
        drawn.add(page)
        return draw(pages, end, page, annotations=annotations)

    monkeypatch.setattr(Pages, "picture", noted)
    source = desk.keep(document_of(_LONG))
    step = picture_step(PLACE, page=5)
    assert _fault(desk, source, desk.sign(source, [step]), step) is None
    assert drawn == {5}


def _other_content(data: bytes) -> bytes:
    """An increment that draws over a page's own content, not beside it."""
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    page = writer.root["/Pages"]["/Kids"][6]
    page["/Contents"] = writer.add_object(generic.StreamObject(stream_data=b"60 600 140 40 re f"))
    writer.update_container(page)
    out = io.BytesIO()
    writer.write(out)  # type: ignore[no-untyped-call]
    return out.getvalue()


@pytest.mark.parametrize("step", [STEP, INVISIBLE])
@pytest.mark.parametrize(
    "spoil",
    [lambda data: increment(data, annotate((60, 600, 200, 640), "0 0 140 40 re f", page=6)), _other_content],
    ids=["a note", "the content"],
)
def test_ink_on_a_late_page_of_a_long_file_is_seen(desk: Desk, step: SignStep, spoil: Callable[[bytes], bytes]) -> None:
    source = desk.keep(document_of(_LONG))
    output = desk.sign(desk.keep(spoil(source.read_bytes())), [step])
    found = desk.recheck(source, output, [step])
    assert (found.fault, found.detail) == ("output_looks_different", "page 7")


def test_a_field_filled_on_a_later_page_is_left_out_there(desk: Desk) -> None:
    source = desk.keep(document_of(_LONG))
    place = Rect(30, 100, 60, 8)
    make = SignStep("ky", False, None, None, None, make=(MakeTextField("so", "Số", 4, place, 13, Style.REGULAR),))
    prepared = desk.sign(source, [make])
    shown = Drawing((TextItem(1, 6, 13, Style.REGULAR, "05"),))
    fill = SignStep("dau", False, None, None, None, fill=(FillTextField("so", "05", place, shown, page=4),))
    output = desk.sign(prepared, [fill])
    assert desk.recheck(prepared, output, [fill]).fault is None
    elsewhere = msgspec.structs.replace(fill, fill=(FillTextField("so", "05", place, shown, page=3),))
    assert desk.recheck(prepared, output, [elsewhere]).fault == "output_looks_different"


def test_another_page_is_seen(desk: Desk, source: Path) -> None:
    def more(data: bytes) -> bytes:
        writer = IncrementalPdfFileWriter(io.BytesIO(data))
        contents = writer.add_object(generic.StreamObject(stream_data=b""))
        writer.insert_page(  # type: ignore[no-untyped-call]
            PageObject(contents=contents, media_box=(0, 0, 595, 842))  # type: ignore[no-untyped-call]
        )
        out = io.BytesIO()
        writer.write(out)  # type: ignore[no-untyped-call]
        return out.getvalue()

    assert _fault(desk, source, _signed_with(desk, source, more)) == "output_pages_differ"


def test_an_earlier_signature_that_got_worse_is_seen(desk: Desk, source: Path) -> None:
    first = desk.sign(source, [picture_step(Rect(20, 230, 40, 15), field="một")], Holder.LEADER)
    covering = picture_step(Rect(20, 60, 150, 60), multiply=False)
    output = desk.sign(first, [covering])
    assert desk.verify(output).signatures[0].integrity is not Integrity.INTACT
    assert _fault(desk, first, output, covering) == "earlier_signature_worse"
    gone = desk.verify(source)
    before, after = desk.verify(first), desk.verify(output)
    assert before.signatures
    certificate = desk.leaf(Holder.AGENCY).sha256
    assert recheck(first, output, [covering], before, gone, certificate).fault == "earlier_signature_worse"
    assert after.integrity is not Integrity.INTACT


def test_a_fault_that_the_input_had_already_does_not_count(desk: Desk) -> None:
    with pikepdf.open(io.BytesIO(letter())) as pdf:
        pdf.pages[0].obj.Contents = pdf.make_stream(pdf.pages[0].Contents.read_bytes() + b" ) >> broken")
        out = io.BytesIO()
        pdf.save(out)
        assert pdf.check_pdf_syntax() or pdf.get_warnings()
    source = desk.keep(out.getvalue())
    assert _fault(desk, source, desk.sign(source, [STEP])) is None


@pytest.mark.parametrize("permission", [MDPPerm.FILL_FORMS, MDPPerm.ANNOTATE])
def test_a_certified_letter_is_sealed_and_its_certification_shows_as_changed(desk: Desk, permission: MDPPerm) -> None:
    """Case 3 of the number and date: certified elsewhere, without prepared fields."""
    holder = make_certificate("Nguyễn Thị Phượng", None, ca=True)
    source = desk.keep(sign(letter(), holder, SignAs("S1", box=(340, 250, 510, 310), certify=permission)))
    desk.trust = TrustMaterial(anchors=(holder.der, desk.pki.root_der), intermediates=(desk.pki.issuing_der,))
    plan = desk.plan(source, Profile.AGENCY)
    assert len(plan.steps) == 2
    output = desk.sign(source, plan.steps)
    assert desk.verify(output).signatures[0].integrity is Integrity.CHANGED
    assert _fault(desk, source, output, *plan.steps) == "earlier_signature_worse"
    assert desk.recheck(source, output, plan.steps, certified_may_change=True).fault is None


def test_a_picture_that_no_plan_names_is_seen_inside_no_stamp(desk: Desk, source: Path) -> None:
    """The plan says where; a stamp beside it is caught by the picture."""
    output = desk.sign(source, [picture_step(Rect(20, 230, 60, 20), image=PICTURE)])
    assert _fault(desk, source, output, STEP) == "output_looks_different"


@pytest.mark.parametrize(("text", "secret"), [("MẬT", True), ("Đã ký", False)])
def test_a_mark_that_a_stamp_brings_is_seen_on_its_page(desk: Desk, text: str, secret: bool) -> None:
    source = desk.keep(document_of([head(), [Words(30, 40, "Trang hai")]]))
    step = text_step(Rect(25, 60, 40, 12), text, page=1, size=14, style=Style.BOLD)
    output = desk.sign(source, [step])
    assert shows_secrecy(output, [step]) is secret
    assert not shows_secrecy(output, [INVISIBLE])
