"""What each profile draws and needs: initial, appendix, copy, archive; the corner of page 1."""

import datetime as dt
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from PIL import Image
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from signer_app.demo.pki_names import Holder
from signer_app.pdf.geometry import Rect
from signer_app.pdf.model import Body, CopyForm, CopyOrder, PlaceOption, PreflightResult, Profile
from signer_app.pdf.pagetext import open_document
from signer_app.pdf.placing.ink import ink_of_page
from signer_app.pdf.plan import Mark, SignStep, Style
from signer_app.pdf.spelling import spelled, with_time
from signer_app.verification.model import Integrity
from signer_resources import messages, rules
from signer_resources.rules.profiles import CountsAs, Need, Picture, PlaceRule, Signs
from tests.pdf.paper import A4, Turn, Words, document_of, letter, page_of, read, turned
from tests.pdf.signing import BODY, INITIAL, OUR_BODY, Desk, one, page_items, refusals, texts, warnings

DAY = dt.date(2026, 11, 22)
ORDER = CopyOrder(CopyForm.SAO_Y, "Chủ tịch  Nguyễn Thị Phượng")
END = Words(30, 120, "Các đơn vị chịu trách nhiệm thi hành./.", size=14)
FULL_LINE = Words(40, 120, "Các đơn vị, tổ chức, cá nhân có liên quan trong xã chịu trách nhiệm thi hành./.", size=14)
EDGE = 8 * 25.4 / 72


def _step(result: PreflightResult) -> SignStep:
    assert result.plan is not None, result.findings
    (step,) = result.plan.steps
    return step


def _lines(result: PreflightResult) -> list[str]:
    assert result.plan is not None, result.findings
    return texts(result.plan)


# --- the data ----------------------------------------------------------------------------------------------------


def test_every_profile_has_its_data() -> None:
    known = rules.load(DAY)
    assert {one.id for one in known.signature_profiles} == {profile.value for profile in Profile}
    assert len({one.field for one in known.signature_profiles}) == len(Profile)
    for profile in known.signature_profiles:
        assert profile.places
        assert not profile.text or known.text(profile.text)


def test_who_signs_what_and_what_it_counts_as() -> None:
    known = rules.load(DAY)
    agencys = {"agency", "appendix", "copy", "archive"}
    assert {one.id for one in known.signature_profiles if one.signs is Signs.AGENCY} == agencys
    assert {one.id for one in known.signature_profiles if one.counts_as is CountsAs.AGENCY} == agencys
    assert [one.id for one in known.signature_profiles if one.takes_number] == ["agency"]
    assert [one.id for one in known.signature_profiles if one.counts_as is CountsAs.LEADER] == ["leader"]
    assert known.profile("initial").prepares == ()
    assert [one.id for one in known.signature_profiles if one.picture is Picture.SEAL] == ["agency"]
    assert known.profile("copy").needs == (Need.NO_DIGITAL_SIGNATURE, Need.ORDER)


def test_each_rule_of_placing_has_words() -> None:
    shown = {rule.value for rule in PlaceRule if rule is not PlaceRule.INVISIBLE} | {"number_line", "date_line"}
    for rule in shown:
        assert messages.text(f"place_rule_{rule}", "vi") != messages.text(f"place_rule_{rule}", "en")


def test_both_spellings_of_the_time_come_from_the_rules() -> None:
    moment = dt.datetime(2026, 3, 5, 7, 3, 5, tzinfo=dt.UTC)
    assert spelled(moment) == "05/03/2026 14:03:05 +07:00"
    text = with_time("{signing_time} = {signing_time_iso}", moment)
    assert text == "05/03/2026 14:03:05 +07:00 = 2026-03-05T14:03:05+07:00"


# --- initial -----------------------------------------------------------------------------------------------------


def _initialled(desk: Desk, source: Path, **wishes: Any) -> tuple[PreflightResult, Path]:
    result = desk.preflight(source, Profile.INITIAL, picture=INITIAL, name="Lê Hữu Đạt", **wishes)
    return result, desk.sign(source, [_step(result)], Holder.DRAFTER)


def test_an_initial_stands_at_the_end_of_the_text_and_binds_nobody(desk: Desk) -> None:
    source = desk.keep(letter(END))
    result, signed = _initialled(desk, source)
    placed, step = one(result, Mark.INITIAL), _step(result)
    assert (placed.rule, placed.sure, placed.rect.w, placed.rect.h) == ("end_of_text", True, 14, 8)
    end = next(run for run in read(source).runs if run.text.endswith("./."))
    assert 0 < placed.rect.x - end.right < 3
    assert abs(placed.rect.centre[1] - end.box.centre[1]) < 3
    assert (step.make, step.fill, step.reason, step.field) == ((), (), "Ký nháy", "ky_nhay")
    report = desk.verify(signed)
    assert [(s.field, s.integrity, s.docmdp) for s in report.signatures] == [("ky_nhay", Integrity.INTACT, None)]
    # It fits no name and no place of signing; with its own name in ô 7 it would still be only an initial.
    assert refusals(desk.preflight(signed)) == ["leader_only_initial"]


def test_an_initial_at_the_end_of_a_full_line_goes_below_it(desk: Desk) -> None:
    result = desk.preflight(desk.keep(letter(FULL_LINE)), Profile.INITIAL, picture=INITIAL)
    placed = one(result, Mark.INITIAL)
    assert placed.sure
    assert placed.rect.right < A4[0]
    assert placed.rect.y > 120


def test_an_initial_beside_a_line_is_put_by_hand_and_without_an_end_it_is_asked(desk: Desk) -> None:
    source = desk.keep(letter())
    by_hand = one(desk.preflight(source, Profile.INITIAL, place=PlaceOption(1, 180, 76)), Mark.INITIAL)
    assert (by_hand.rect, by_hand.rule, by_hand.sure) == (Rect(180, 76, 14, 8), "by_hand", True)
    asked = desk.preflight(source, Profile.INITIAL, picture=None, name="Lê Hữu Đạt")
    assert (one(asked, Mark.INITIAL).rule, one(asked, Mark.INITIAL).sure) == ("geometry", False)
    assert "place_unsure_mark" in warnings(asked)
    assert _lines(asked) == ["Lê Hữu Đạt"]


# --- copies and digitised papers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "name"), [(CopyForm.SAO_Y, "Sao y"), (CopyForm.SAO_LUC, "Sao lục"), (CopyForm.TRICH_SAO, "Trích sao")]
)
def test_a_copy_tells_its_form_the_body_and_the_time_and_who_ordered_it(desk: Desk, form: CopyForm, name: str) -> None:
    result = desk.preflight(desk.keep(letter()), Profile.COPY, copy=CopyOrder(form, ORDER.ordered_by))
    assert " ".join(_lines(result)) == f"{name}: UBND xã Hòa Sơn; {{signing_time}}"
    assert _step(result).reason == f"{name} theo chỉ đạo của Chủ tịch Nguyễn Thị Phượng"
    placed = one(result, Mark.STAMP_TEXT)
    assert (placed.rule, placed.sure, placed.page) == ("top_right", True, 1)
    assert (placed.rect.right, placed.rect.y) == pytest.approx((A4[0] - EDGE, EDGE), abs=0.05)
    assert {item.style for item in page_items(_step(result))} == {Style.REGULAR}
    assert {item.size for item in page_items(_step(result))} == {10.0}


def test_a_copy_nobody_ordered_is_refused(desk: Desk) -> None:
    for order in (None, CopyOrder(CopyForm.SAO_Y, "  ")):
        assert refusals(desk.preflight(desk.keep(letter()), Profile.COPY, copy=order)) == ["copy_order_missing"]


def test_an_electronic_original_is_not_copied_but_an_extract_is_made_anew(desk: Desk) -> None:
    signed = desk.leader_signs_elsewhere(desk.keep(letter()))
    for form, code in (
        (CopyForm.SAO_Y, "copy_of_electronic_original"),
        (CopyForm.SAO_LUC, "copy_of_electronic_original"),
        (CopyForm.TRICH_SAO, "extract_of_electronic_original"),
    ):
        assert refusals(desk.preflight(signed, Profile.COPY, copy=CopyOrder(form, "Chủ tịch"))) == [code]
    assert refusals(desk.preflight(signed, Profile.ARCHIVE)) == ["archive_of_electronic_original"]


def _form_dropped(data: bytes) -> bytes:
    """In one more revision, so that the signed one is still inside."""
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    del writer.root["/AcroForm"]
    page = writer.find_page_for_modification(0)[0].get_object()  # type: ignore[no-untyped-call]
    page["/Annots"] = generic.ArrayObject()
    writer.update_container(page)
    writer.update_root()  # type: ignore[no-untyped-call]
    out = io.BytesIO()
    writer.write(out)  # type: ignore[no-untyped-call]
    return out.getvalue()


def _written_anew(data: bytes) -> bytes:
    """Without the signature's value; its field and its look are left."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        for field in pdf.Root.AcroForm.Fields:
            del field.V
        out = io.BytesIO()
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return out.getvalue()


@pytest.mark.parametrize("hidden", [_form_dropped, _written_anew])
def test_an_original_whose_signature_was_taken_off_is_still_one(desk: Desk, hidden: Callable[[bytes], bytes]) -> None:
    path = desk.keep(hidden(desk.leader_signs_elsewhere(desk.keep(letter())).read_bytes()))
    assert desk.verify(path).signatures == ()
    assert refusals(desk.preflight(path, Profile.COPY, copy=ORDER)) == ["copy_of_electronic_original"]


@pytest.mark.parametrize(
    ("mode", "dpi", "codes"),
    [
        ("RGB", 200, set()),
        ("RGB", 150, {"copy_scan_coarse"}),
        ("L", 200, {"copy_scan_grey"}),
        (None, 0, {"copy_not_a_scan"}),
    ],
)
def test_a_copy_is_made_of_a_scan_in_colour_that_is_fine_enough(
    desk: Desk, mode: str | None, dpi: int, codes: set[str]
) -> None:
    out = io.BytesIO(letter())
    if mode is not None:
        out = io.BytesIO()
        Image.new(mode, (round(A4[0] / 25.4 * dpi), round(A4[1] / 25.4 * dpi)), "white").save(
            out, "PDF", resolution=dpi
        )
    path = desk.keep(out.getvalue())
    told = {"copy_not_a_scan", "copy_scan_coarse", "copy_scan_grey"}
    assert set(warnings(desk.preflight(path, Profile.COPY, copy=ORDER))) & told == codes
    extract = CopyOrder(CopyForm.TRICH_SAO, "Chủ tịch")
    assert not set(warnings(desk.preflight(path, Profile.COPY, copy=extract))) & told


def test_a_digitised_paper_carries_body_and_time_in_the_corner_and_no_picture(desk: Desk) -> None:
    result = desk.preflight(desk.keep(letter()), Profile.ARCHIVE)
    assert " ".join(_lines(result)) == "UBND xã Hòa Sơn; {signing_time}"
    step = _step(result)
    assert (step.field, step.reason, step.make) == ("ban_so_hoa", None, ())
    assert len(page_items(step)) == len(step.drawing.items if step.drawing else ())


# --- the corner --------------------------------------------------------------------------------------------------

LONG = Body(names=("Ban Chỉ đạo thực hiện các chương trình mục tiêu quốc gia giai đoạn 2026 - 2030 xã Hòa Sơn", BODY))


@pytest.mark.parametrize(
    "turn",
    [pytest.param(turn, marks=[pytest.mark.long]) for turn in (Turn(), Turn(90, 100, -50))]
    + [Turn(270, -30, 70, 40, 2.5)],
    ids=str,
)
def test_a_long_line_wraps_grows_leftwards_and_keeps_off_the_text(desk: Desk, turn: Turn) -> None:
    source = desk.keep(turned(letter(), turn))
    result = desk.preflight(source, Profile.ARCHIVE, body=LONG)
    placed, lines = one(result, Mark.STAMP_TEXT), _lines(result)
    assert 2 <= len(lines) <= 4
    assert placed.sure
    assert (placed.rect.right, placed.rect.y) == pytest.approx((A4[0] - EDGE, EDGE), abs=0.05)
    assert placed.rect.w <= A4[0] / 2
    assert not any(run.box.overlaps(placed.rect) for run in read(source).runs)
    output = desk.sign(source, [_step(result)])
    before, after = (_ink_rows(path, placed.rect) for path in (source, output))
    assert (before, after) == (True, False), "blank before, and the letters stand there afterwards"


def _ink_rows(path: Path, rect: Rect) -> bool:
    document = open_document(path)
    try:
        frame = document.frame(0)
    finally:
        document.close()
    return ink_of_page(path, 0, frame).free(rect)


def test_where_the_corner_is_taken_free_room_beside_it_is_proposed_and_asked(desk: Desk) -> None:
    taken = Words(205, 12, "Mẫu số 01/KHCN", size=12)
    source = desk.keep(letter(Words(taken.x - 32, taken.baseline, taken.text)))
    result = desk.preflight(source, Profile.APPENDIX, number="05", notation="TTr-UBND")
    placed = one(result, Mark.STAMP_TEXT)
    assert not placed.sure
    assert placed.rect.right < taken.x - 32
    assert "place_unsure_mark" in warnings(result)


def test_a_full_top_margin_is_refused_and_a_place_by_hand_over_text_is_warned_of(desk: Desk) -> None:
    full = [Words(4, 5.0 + 4 * row, "chữ " * 40, size=11) for row in range(6)]
    source = desk.keep(page_of(full))
    assert refusals(desk.preflight(source, Profile.APPENDIX, notation="TTr-UBND")) == ["corner_no_room"]
    over = desk.preflight(source, Profile.APPENDIX, notation="TTr-UBND", place=PlaceOption(1, 100, 8))
    assert (refusals(over), "corner_over_text" in warnings(over)) == ([], True)
    free = desk.preflight(source, Profile.APPENDIX, notation="TTr-UBND", place=PlaceOption(1, 100, 100))
    assert "corner_over_text" not in warnings(free)
    assert one(free, Mark.STAMP_TEXT).rule == "by_hand"


def test_the_corner_keeps_its_letters_on_small_and_large_paper(desk: Desk) -> None:
    for size in ((148.0, 210.0), (420.0, 297.0)):
        source = desk.keep(document_of([[]], size))
        result = desk.preflight(source, Profile.ARCHIVE, body=OUR_BODY)
        placed = one(result, Mark.STAMP_TEXT)
        assert placed.rect.right == pytest.approx(size[0] - EDGE, abs=0.05)
        assert {item.size for item in page_items(_step(result))} == {10.0}
