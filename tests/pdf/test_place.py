"""Where things land by rule, and every reason for which the preflight refuses or warns."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pikepdf
import pytest
from PIL import Image, ImageChops

from signer_app.demo.pki_names import Holder
from signer_app.pdf.fonts import face
from signer_app.pdf.geometry import Rect
from signer_app.pdf.letter import Blank, find_date_line, find_number_line
from signer_app.pdf.model import PlaceOption, Profile
from signer_app.pdf.plan import Mark, SignStep, Style, TextItem
from signer_resources import samples
from signer_resources.samples import Sample
from tests.pdf.paper import BOLD, TURNS, Turn, Words, document_of, head, letter, page_of, picture, read, turned
from tests.pdf.paper import signer_block as block
from tests.pdf.signing import (
    BODY,
    OUR_BODY,
    Desk,
    elsewhere,
    one,
    page_items,
    picture_step,
    refusals,
    texts,
    warnings,
    with_picture,
)

OPEN = tuple(sample for sample in samples.load().samples if not sample.secret)
every_letter = pytest.mark.parametrize(
    "sample",
    [
        # An ordinary letter, and one that its drafter has initialled; what the others differ in is tried elsewhere.
        pytest.param(one, id=one.id, marks=[] if one.id in {"cong-van", "thong-bao"} else [pytest.mark.long])
        for one in OPEN
    ],
)
SEAL_BY_HAND = PlaceOption(1, 100, 100)


def _stands_in(item: TextItem, blank: Blank | None) -> bool:
    assert blank is not None
    width = face(item.style).width_mm(item.text, item.size)
    return (
        abs(item.baseline - blank.baseline) < 0.05
        and item.x > blank.left
        and item.x + width < blank.right
        and abs(item.x + width / 2 - (blank.left + blank.right) / 2) < 0.1
    )


# --- the samples -------------------------------------------------------------------------------------------------


@every_letter
def test_the_leaders_picture_stands_between_title_and_name(desk: Desk, sample: Sample) -> None:
    result = desk.preflight(samples.file(sample.main), Profile.LEADER)
    assert refusals(result) == []
    placed = one(result, Mark.SIGNATURE)
    assert (placed.page, placed.sure, placed.rule) == (sample.pages, True, "signer_name")
    assert (placed.rect.w, placed.rect.h) == (60, 22)
    page = read(samples.file(sample.main), sample.pages - 1)
    overlapped = [run.text for run in page.runs if run.box.overlaps(placed.rect) and run.text.strip()]
    assert overlapped == []
    name = next(run for run in page.runs if run.text == sample.signers[0].name)
    assert placed.rect.centre[0] == pytest.approx(name.centre, abs=0.3)


@every_letter
def test_seal_number_and_date_land_where_the_law_wants_them(desk: Desk, sample: Sample) -> None:
    source = samples.file(sample.main)
    signed = desk.leader_signs(source) if not sample.initials else _with_initial_and_leader(desk, source)
    result = desk.preflight(signed, notation=sample.notation)
    assert refusals(result) == []
    leader = desk.preflight(source, Profile.LEADER)
    signature, seal = one(leader, Mark.SIGNATURE), one(result, Mark.SEAL)
    assert seal.page == signature.page
    assert (seal.rect.w, seal.rect.h) == pytest.approx((38, 38), abs=0.1)
    covered = seal.rect.right - signature.rect.x
    assert covered == pytest.approx(signature.rect.w / 3, abs=0.1)
    assert seal.rect.centre[1] == pytest.approx(signature.rect.centre[1], abs=0.1)
    page = read(source)
    number, date = find_number_line(page), find_date_line(page)
    assert number is not None
    assert date is not None
    assert result.plan is not None
    items = [item for step in result.plan.steps for item in page_items(step)]
    wanted = [(text, blank) for text, blank in (("05", number.blank), ("03", date.day_blank), ("11", date.month_blank))]
    drawn = [(text, blank) for text, blank in wanted if blank is not None]
    assert [item.text for item in items] == [text for text, _blank in drawn]
    assert all(_stands_in(item, blank) for item, (_text, blank) in zip(items, drawn, strict=True))
    assert [item.style for item in items] == [Style.REGULAR] + [Style.ITALIC] * (len(drawn) - 1)
    assert len(result.plan.steps) == (2 if sample.initials else 1)
    expected = ["two_signatures"] if sample.initials else []
    # Of a joint letter only our leader has signed here.
    expected += ["joint_others_missing"] if len(sample.signers) > 1 else []
    assert sorted(warnings(result)) == sorted(expected)


def _with_initial_and_leader(desk: Desk, source: Path) -> Path:
    drafted = desk.sign(source, [picture_step(Rect(150, 160, 14, 8), field="nhay")], Holder.DRAFTER)
    result = desk.preflight(drafted, Profile.LEADER)
    assert warnings(result) == ["fields_not_prepared"]
    return desk.leader_signs(drafted)


def test_a_secret_letter_gets_no_plan_and_no_facts(desk: Desk) -> None:
    for profile in Profile:
        result = desk.preflight(samples.file("van-ban-mat.pdf"), profile)
        assert refusals(result) == ["secret"]
        assert (result.plan, result.placements, result.facts.subject) == (None, (), None)


def test_what_the_letter_says_of_itself_is_told(desk: Desk) -> None:
    sample = samples.load().sample("ke-hoach")
    facts = desk.preflight(samples.file(sample.main), Profile.PLAIN).facts
    assert (facts.notation, facts.number, facts.subject) == (sample.notation, None, sample.subject)
    assert (facts.signer, facts.signer_title) == (sample.signers[0].name, "TM. ỦY BAN NHÂN DÂN CHỦ TỊCH")
    assert (facts.place, facts.pages, facts.date) == ("Hòa Sơn", sample.pages, None)


# --- what is seen ------------------------------------------------------------------------------------------------


def _ink(before: Path, after: Path, colour: Callable[[tuple[int, ...]], bool], band: tuple[int, int]) -> Rect:
    """The box, in mm of an A4 page, of pixels that changed into a colour, `band` mm from the top.

    PDFium draws the letters of widgets with coloured edges, so not all that is reddish is a seal.
    """
    one, other = picture(before, 0, 1260), picture(after, 0, 1260)
    changed = ImageChops.difference(one, other).convert("L").point(lambda v: 255 if v > 40 else 0)
    new = [i for i, v in enumerate(changed.tobytes()) if v]
    pixels = other.tobytes()
    found = [divmod(i, other.width) for i in new if colour(tuple(pixels[3 * i : 3 * i + 3]))]
    found = [(row, column) for row, column in found if band[0] <= row / 6 < band[1]]
    assert found
    rows, columns = [row for row, _column in found], [column for _row, column in found]
    box = (min(columns), min(rows), max(columns) + 1, max(rows) + 1)
    return Rect(box[0] / 6, box[1] / 6, (box[2] - box[0]) / 6, (box[3] - box[1]) / 6)


@pytest.mark.parametrize(
    ("turn", "prepared"),
    [
        pytest.param(turn, prepared, id=f"{turn}-{prepared}", marks=[] if short else [pytest.mark.long])
        for turn, prepared, short in (
            (Turn(), True, False), (Turn(), False, False),
            (Turn(90, 100, -50), True, True), (Turn(90, 100, -50), False, False),
            (Turn(180, unit=2.5), True, False), (Turn(180, unit=2.5), False, False),
            (Turn(270, -30, 70, 40), True, False), (Turn(270, -30, 70, 40), False, True),
        )
    ],
)  # fmt: skip
def test_the_printed_seal_has_its_real_size_and_place(desk: Desk, turn: Turn, *, prepared: bool) -> None:
    source = desk.keep(turned(letter(), turn))
    signed = desk.leader_signs(source) if prepared else desk.leader_signs_elsewhere(source)
    result = desk.preflight(signed)
    assert result.plan is not None
    output = desk.sign(signed, result.plan.steps)
    red = _ink(signed, output, lambda p: p[0] > 150 and p[1] < 120 and p[2] < 120, (100, 297))
    assert (red.w, red.h) == pytest.approx((38, 38), abs=0.35)
    expected = one(result, Mark.SEAL).rect
    assert red.centre == pytest.approx(expected.centre, abs=0.3)
    black = _ink(signed, output, lambda p: max(p) < 90, (0, 100))
    assert black.y > 32
    assert black.bottom < 39
    assert desk.recheck(signed, output, result.plan.steps).fault is None


def test_a_picture_keeps_its_ratio_and_loses_its_empty_borders(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = desk.folder / "wide.png"
    image = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    image.paste((20, 20, 200, 255), (100, 150, 300, 250))
    image.save(wide)
    source = desk.keep(document_of([[]]))
    output = desk.sign(source, [picture_step(Rect(50, 50, 60, 60), image=with_picture(monkeypatch, wide))])
    blue = _ink(source, output, lambda p: p[2] > 150 and p[0] < 100, (0, 297))
    assert (blue.w, blue.h) == pytest.approx((60, 30), abs=0.4)
    assert blue.centre == pytest.approx((80, 80), abs=0.3)


def test_nothing_typed_is_printed_over(desk: Desk) -> None:
    """Where number and date land, the page was blank."""
    source = samples.file("cong-van.pdf")
    signed = desk.leader_signs(source)
    plan = desk.plan(signed)
    output = desk.sign(signed, plan.steps)
    before, after = (picture(path, 0, 2000).convert("L") for path in (signed, output))
    top = before.crop((0, 0, 2000, 400))
    added = ImageChops.difference(top, after.crop((0, 0, 2000, 400))).point(lambda v: 255 if v > 100 else 0)
    assert added.getbbox() is not None
    under = [v for v, new in zip(top.tobytes(), added.tobytes(), strict=True) if new]
    assert min(under) > 200


# --- number and date ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "date", "expected"),
    [
        ("Số:        /QĐ-UBND", "Hòa Sơn, ngày      tháng      năm 2026", ["05", "03", "11"]),
        ("Số: 05/QĐ-UBND", "Hòa Sơn, ngày      tháng 11 năm 2026", ["03"]),
        ("Số: 5/QĐ-UBND", "Hòa Sơn, ngày 03 tháng 11 năm 2026", []),
        ("Số: ........../QĐ-UBND", "Hòa Sơn, ngày …… tháng …… năm 2026", ["05", "03", "11"]),
        ("Số:        /QĐ-UBND", "Hòa Sơn, ngày      tháng      năm", ["05", "03", "11", "2026"]),
    ],
)
def test_only_what_is_blank_is_written(desk: Desk, number: str, date: str, expected: list[str]) -> None:
    plan = desk.plan(elsewhere(desk, number=number, date=date))
    assert texts(plan) == expected
    assert len(plan.steps) == (2 if expected else 1)


@pytest.mark.parametrize(("day", "expected"), [((2026, 2, 5), ["05", "02"]), ((2026, 3, 25), ["25", "3"])])
def test_day_and_month_have_the_zeros_of_the_decree(desk: Desk, day: tuple[int, int, int], expected: list[str]) -> None:
    signed = elsewhere(desk, number="Số: 5/QĐ-UBND", date="Hòa Sơn, ngày      tháng      năm 2026")
    assert texts(desk.plan(signed, date=dt.date(*day))) == expected


def test_without_a_date_given_today_is_written_and_a_typed_one_stands(desk: Desk) -> None:
    blank, typed = (
        elsewhere(desk, number="Số: 5/QĐ-UBND", date=f"Hòa Sơn, {line} năm 2026")
        for line in ("ngày      tháng     ", "ngày 07 tháng 8")
    )
    assert texts(desk.plan(blank, date=None)) == ["22", "11"]
    assert texts(desk.plan(typed, date=None)) == []


@pytest.mark.parametrize(
    ("line", "given", "expected"),
    [
        ("Số:          /2026/QĐ-UBND", "05/2026", ["05"]),
        ("Số:          /2026/QĐ-UBND", "05", ["05"]),
        ("Số:                /QĐ-UBND", "05/2026", ["05/2026"]),
        ("Số: 05/2026/QĐ-UBND", "05/2026", []),
        ("Số: 05/2026/QĐ-UBND", "5", []),
    ],
)
def test_a_number_with_a_year_is_written_once(desk: Desk, line: str, given: str, expected: list[str]) -> None:
    plan = desk.plan(elsewhere(desk, number=line, date="Hòa Sơn, ngày 03 tháng 11 năm 2026"), number=given)
    assert texts(plan) == expected


def test_a_blank_that_is_a_little_narrow_gets_smaller_letters(desk: Desk) -> None:
    signed = elsewhere(desk, number="Số:        /QĐ-UBND", date="Hòa Sơn, ngày 03 tháng 11 năm 2026")
    (item,) = page_items(desk.plan(signed, number="12345").steps[0])
    assert 9 <= item.size < 13
    assert _stands_in(item, getattr(find_number_line(read(signed)), "blank", None))


# --- the leader's pass -------------------------------------------------------------------------------------------


def test_the_leaders_pass_prepares_number_date_and_seal(desk: Desk) -> None:
    signed = desk.leader_signs(desk.keep(letter()))
    with pikepdf.open(signed) as pdf:
        form = pdf.Root.AcroForm
        fields = {str(field.T): field for field in form.Fields}
        assert set(fields) == {"so", "ngay", "dau", "lanh_dao"}
        assert "/NeedAppearances" not in form
        assert [str(name) for name in fields["dau"].Lock.Fields] == ["so", "ngay"]
        assert "/Lock" not in fields["lanh_dao"]
        assert all("/V" not in fields[name] for name in ("so", "ngay", "dau"))
        assert all("/N" in fields[name].AP for name in ("so", "ngay"))
    result = desk.preflight(signed)
    assert result.plan is not None
    (step,) = result.plan.steps
    assert (step.field, step.existing) == ("dau", True)
    assert [fill.value for fill in step.fill] == ["05", "03/11/2026"]


def test_a_leader_whose_name_is_not_on_the_page_is_asked_or_says_where(desk: Desk) -> None:
    source = desk.keep(letter())
    asked = desk.preflight(source, Profile.LEADER, name="Trần Văn Khác")
    assert refusals(asked) == []
    assert {"signer_name_not_found", "place_unsure_mark"} <= set(warnings(asked))
    placed = one(asked, Mark.SIGNATURE)
    assert (placed.rule, placed.sure) == ("signer_name", False)
    by_hand = desk.preflight(source, Profile.LEADER, name="Trần Văn Khác", place=PlaceOption(-1, 20, 240))
    placed = one(by_hand, Mark.SIGNATURE)
    assert (placed.page, placed.rect, placed.rule) == (1, Rect(20, 240, 60, 22), "by_hand")
    assert "signer_name_not_found" not in warnings(by_hand)


def test_a_leader_without_a_picture_gets_name_and_time(desk: Desk) -> None:
    plan = desk.plan(desk.keep(letter()), Profile.LEADER, picture=None)
    assert texts(plan)[0] == "Nguyễn Thị Phượng"
    step = plan.steps[0]
    assert step.rect is not None
    for item in page_items(step):
        assert (
            item.x + face(item.style).width_mm(item.text.replace("{signing_time}", "0" * 26), item.size)
            < step.rect.right
        )


def test_a_page_without_number_and_date_is_warned_of(desk: Desk) -> None:
    source = desk.keep(page_of([*block(), Words(63, 25, BODY, BOLD)]))
    assert warnings(desk.preflight(source, Profile.LEADER)) == ["number_line_missing_for_leader"]


# --- appendix, plain, by hand ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "turn", [pytest.param(turn, marks=[pytest.mark.long]) for turn in (TURNS[0], TURNS[5])] + [TURNS[14]], ids=str
)
def test_an_appendix_carries_its_number_at_the_top_right(desk: Desk, turn: Turn) -> None:
    source = desk.keep(turned(samples.file("to-trinh-phu-luc.pdf").read_bytes(), turn))
    result = desk.preflight(source, Profile.APPENDIX, number="05", notation="TTr-UBND")
    placed = one(result, Mark.STAMP_TEXT)
    eight_points = 8 * 25.4 / 72
    assert placed.rect.right == pytest.approx(210 - eight_points, abs=0.1)
    assert placed.rect.y == pytest.approx(eight_points, abs=0.1)
    assert result.plan is not None
    (item,) = page_items(result.plan.steps[0])
    assert (item.text, item.size, item.style) == ("05/TTr-UBND; {signing_time}", 10.0, Style.REGULAR)
    output = desk.sign(source, result.plan.steps)
    black = _ink(source, output, lambda p: max(p) < 120, (0, 297))
    assert black.right == pytest.approx(placed.rect.right - 0.5, abs=0.5)
    assert black.bottom < 20


def test_an_appendix_with_a_long_notation_takes_two_lines(desk: Desk) -> None:
    source = samples.file("to-trinh-phu-luc.pdf")
    result = desk.preflight(source, Profile.APPENDIX, number="1234", notation="QĐ-UBND-HĐND-MTTQ-VP-ĐĐBQH-BCĐ-PCTT")
    assert result.plan is not None
    assert len(page_items(result.plan.steps[0])) == 2
    assert one(result, Mark.STAMP_TEXT).rect.bottom < 20


@pytest.mark.parametrize("missing", ["number", "notation"])
def test_an_appendix_without_number_or_notation_is_refused(desk: Desk, missing: str) -> None:
    wishes: dict[str, Any] = {"number": "05", "notation": "TTr-UBND", missing: None}
    assert refusals(desk.preflight(samples.file("to-trinh-phu-luc.pdf"), Profile.APPENDIX, **wishes)) == [
        "number_missing"
    ]


def test_plain_is_invisible_unless_a_place_is_given(desk: Desk) -> None:
    source = desk.keep(document_of([head(), head(), []]))
    (step,) = desk.plan(source, Profile.PLAIN).steps
    assert (step.page, step.rect, step.drawing) == (None, None, None)
    result = desk.preflight(source, Profile.PLAIN, place=PlaceOption(-1, 20, 30))
    placed = one(result, Mark.STAMP_TEXT)
    assert (placed.page, placed.rect) == (3, Rect(20, 30, 60, 16))
    sized = desk.preflight(source, Profile.PLAIN, place=PlaceOption(2, 20, 30, 90, 20))
    assert (one(sized, Mark.STAMP_TEXT).page, one(sized, Mark.STAMP_TEXT).rect) == (2, Rect(20, 30, 90, 20))
    assert result.plan is not None
    assert texts(result.plan) == [BODY, "{signing_time}"]


@pytest.mark.parametrize(
    "option",
    [
        PlaceOption(0, 10, 10),
        PlaceOption(2, 10, 10),
        PlaceOption(-2, 10, 10),
        PlaceOption(1, -1, 10),
        PlaceOption(1, 10, 290),
        PlaceOption(1, 151, 10),
        PlaceOption(1, 10, 10, -5, 5),
        PlaceOption(1, 10, 10, 5, 400),
        PlaceOption(1, float("nan"), 10),
    ],
)
def test_a_place_that_is_not_on_the_page_is_refused(desk: Desk, option: PlaceOption) -> None:
    assert refusals(desk.preflight(desk.keep(letter()), Profile.PLAIN, place=option)) == ["place_outside"]


def test_the_seal_put_by_hand_keeps_its_size(desk: Desk) -> None:
    result = desk.preflight(elsewhere(desk), place=PlaceOption(-1, 100.5, 100, 5, 60))
    placed = one(result, Mark.SEAL)
    assert (placed.rect, placed.rule) == (Rect(100.5, 100, 38, 38), "by_hand")


def test_a_seal_over_the_receivers_is_warned_of(desk: Desk) -> None:
    left = Rect(60, 186, 60, 22)
    signed = desk.leader_signs_elsewhere(desk.keep(letter(signer=block(x=90))), left)
    assert "seal_over_receivers" in warnings(desk.preflight(signed))


def test_an_invisible_leaders_signature_leaves_the_seal_beside_the_name(desk: Desk) -> None:
    invisible = SignStep("an", existing=False, page=None, rect=None, drawing=None)
    signed = desk.sign(desk.keep(letter()), [invisible], Holder.LEADER)
    placed = one(desk.preflight(signed), Mark.SEAL)
    assert (placed.rule, placed.sure) == ("signer_name", True)
    assert placed.rect.right == pytest.approx(140, abs=0.3)
    nowhere = msgspec.structs.replace(OUR_BODY, signers=("Lê Hữu Đạt",))
    signed = desk.sign(desk.keep(letter()), [invisible], Holder.DRAFTER)
    placed = one(desk.preflight(signed, body=nowhere), Mark.SEAL)
    assert (placed.rule, placed.sure) == ("signer_name", False)
