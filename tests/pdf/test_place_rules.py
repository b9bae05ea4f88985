"""How a place is found: fields that wait, remembered places, the layout, other paper; locks of earlier signatures."""

import io
from typing import Any

import msgspec
import pikepdf
import pytest

from signer_app.demo.pki_names import Holder
from signer_app.pdf.geometry import PageFrame, Rect, UserBox
from signer_app.pdf.marks import Refused
from signer_app.pdf.measures import Measures
from signer_app.pdf.model import PlaceOption, Profile
from signer_app.pdf.placing import read_form
from signer_app.pdf.placing.boxes import seal_box
from signer_app.pdf.plan import Drawing, MakeSignatureField, Mark, SignStep
from signer_app.verification.model import Integrity
from tests.pdf.paper import A4, Turn, Words, document_of, head, letter, page_of, signer_block, turned
from tests.pdf.signing import INVISIBLE, OUR_BODY, Desk, elsewhere, one, page_items, refusals, warnings
from tests.pdf.test_place_profiles import DAY

MEASURES = Measures.on(DAY)
UPRIGHT = PageFrame(UserBox(0, 0, 595.28, 841.89))
NOBODY = [Words(30, 40 + 7 * row, "Nội dung không có chỗ ký", size=14) for row in range(10)]


def _locking(*names: str) -> SignStep:
    """A signature whose field locks others."""
    rect = Rect(20, 260, 30, 12)
    made = MakeSignatureField("khoa", "Ký và khóa", 0, rect, names)
    return SignStep("khoa", existing=True, page=0, rect=rect, drawing=Drawing(()), make=(made,))


# --- fields that wait --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locked", ["so", "dau"])
def test_a_prepared_field_that_is_locked_is_left_alone(desk: Desk, locked: str) -> None:
    signed = desk.leader_signs(desk.keep(letter()))
    signed = desk.sign(signed, [_locking(locked)], Holder.DRAFTER)
    result = desk.preflight(signed)
    assert refusals(result) == []
    assert result.plan is not None
    filled = {fill.name for step in result.plan.steps for fill in step.fill}
    if locked == "so":
        assert (filled, [step.field for step in result.plan.steps]) == ({"ngay"}, ["so_ngay", "dau"])
        assert [item.text for item in page_items(result.plan.steps[0])] == ["05"]
        assert warnings(result)[-1] == "two_signatures_fields"
    else:
        assert (filled, [step.field for step in result.plan.steps]) == ({"so", "ngay"}, ["dau_2"])
    output = desk.sign(signed, result.plan.steps)
    assert {s.integrity for s in desk.verify(output).signatures} == {Integrity.INTACT}


def test_a_lock_of_all_fields_lets_nothing_be_added(desk: Desk) -> None:
    with pikepdf.open(io.BytesIO(desk.leader_signs_elsewhere(desk.keep(letter())).read_bytes())) as pdf:
        field = pdf.Root.AcroForm.Fields[0]
        field.Lock = pikepdf.Dictionary(Type=pikepdf.Name.SigFieldLock, Action=pikepdf.Name.All)
        out = io.BytesIO()
        pdf.save(out)
    form = read_form(desk.keep(out.getvalue()))
    assert form.locked("ky")
    locked = desk.sign(desk.keep(letter()), [_locking("ky", "lanh_dao", "phu_luc")], Holder.DRAFTER)
    for profile in (Profile.PLAIN, Profile.LEADER, Profile.APPENDIX):
        assert "fields_locked" in refusals(desk.preflight(locked, profile, notation="QĐ-UBND"))


def test_what_a_form_says_is_read_without_trust(desk: Desk) -> None:
    def field(name: str, kind: str, **more: Any) -> pikepdf.Dictionary:
        return pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Widget, FT=pikepdf.Name(kind), T=name,
            Rect=pikepdf.Array([10, 10, 100, 40]), **more,
        )  # fmt: skip

    with pikepdf.open(io.BytesIO(letter())) as pdf:
        made = [field("so", "/Tx", Ff=1), field("dau", "/Sig", SV=pikepdf.Dictionary()), field("ngay", "/Tx", V="3")]
        references = pikepdf.Array([pdf.make_indirect(one) for one in made])
        pdf.pages[0].obj.Annots = references
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=references)
        out = io.BytesIO()
        pdf.save(out)
    form = read_form(desk.keep(out.getvalue()))
    assert form.names == {"so", "dau", "ngay"}
    assert [(one.name, one.page, one.read_only, one.seeded) for one in form.waiting] == [
        ("so", 0, True, False), ("dau", 0, False, True),
    ]  # fmt: skip
    assert (form.free_name("so"), form.free_name("ky")) == ("so_2", "ky")
    with pytest.raises(Refused, match="pdf_unreadable"):
        read_form(desk.keep(b"%PDF-1.7\nno more"))


@pytest.mark.parametrize("turn", [pytest.param(Turn(), marks=[pytest.mark.long]), Turn(270, -30, 70, 40)], ids=str)
def test_a_leader_signs_the_empty_field_that_waits_between_title_and_name(desk: Desk, turn: Turn) -> None:
    room = MakeSignatureField("O_ky_1", "Chữ ký", 0, Rect(122, 190, 56, 20), ())
    aside = MakeSignatureField("O_ky_2", "Chữ ký", 0, Rect(20, 250, 56, 20), ())
    given = desk.sign(
        desk.keep(turned(letter(), turn)), [msgspec.structs.replace(INVISIBLE, make=(aside, room))], Holder.DRAFTER
    )
    result = desk.preflight(given, Profile.LEADER)
    placed = one(result, Mark.SIGNATURE)
    assert (placed.rule, placed.sure) == ("prepared_field", True)
    assert (placed.rect.x, placed.rect.y, placed.rect.w) == pytest.approx((122, 190, 56), abs=0.05)
    assert result.plan is not None
    assert (result.plan.steps[0].field, result.plan.steps[0].existing) == ("O_ky_1", True)
    assert {s.integrity for s in desk.verify(desk.sign(given, result.plan.steps, Holder.LEADER)).signatures} == {
        Integrity.INTACT
    }


# --- remembered, layout ------------------------------------------------------------------------------------------


def test_a_remembered_place_is_taken_where_the_page_tells_none(desk: Desk) -> None:
    source = desk.keep(document_of([NOBODY, NOBODY]))
    free, taken = PlaceOption(-1, 100, 200), PlaceOption(-1, 30, 60)
    for option, sure in ((free, True), (taken, False)):
        result = desk.preflight(source, Profile.LEADER, remembered=option)
        placed = one(result, Mark.SIGNATURE)
        assert (placed.rule, placed.sure, placed.page) == ("remembered", sure, 2)
        assert (placed.rect.x, placed.rect.y) == (option.x, option.y)
    small = desk.keep(page_of([], (148, 210)))
    assert not one(desk.preflight(small, Profile.LEADER, remembered=PlaceOption(-1, 20, 20)), Mark.SIGNATURE).sure
    outside = desk.preflight(small, Profile.LEADER, remembered=PlaceOption(-1, 20, 230))
    assert one(outside, Mark.SIGNATURE).rule == "geometry"


def test_a_rule_that_is_sure_and_a_place_by_hand_come_before_a_remembered_one(desk: Desk) -> None:
    source, old = desk.keep(letter()), PlaceOption(-1, 20, 240)
    assert one(desk.preflight(source, Profile.LEADER, remembered=old), Mark.SIGNATURE).rule == "signer_name"
    by_hand = desk.preflight(source, Profile.LEADER, remembered=old, place=PlaceOption(1, 30, 250))
    assert one(by_hand, Mark.SIGNATURE).rule == "by_hand"


@pytest.mark.parametrize(("size", "scale"), [(A4, 1.0), ((297.0, 210.0), 1.0), ((148.0, 210.0), 148 / 210)])
def test_without_any_name_the_layout_proposes_a_place_and_asks(
    desk: Desk, size: tuple[float, float], scale: float
) -> None:
    source = desk.keep(page_of(NOBODY, size))
    result = desk.preflight(source, Profile.LEADER)
    placed = one(result, Mark.SIGNATURE)
    assert (placed.rule, placed.sure) == ("geometry", False)
    assert {"signer_name_not_found", "place_unsure_mark"} <= set(warnings(result))
    assert (placed.rect.w, placed.rect.h) == pytest.approx((60 * scale, 22 * scale), abs=0.2)
    assert placed.rect.centre[0] > size[0] / 2
    assert NOBODY[-1].baseline < placed.rect.y < placed.rect.bottom < size[1] - 10


def test_a_footer_leaves_the_layout_its_room_and_a_full_page_none(desk: Desk) -> None:
    footer = Words(30, 290, "Địa chỉ: thôn Trung, xã Hòa Sơn", size=11)
    placed = one(desk.preflight(desk.keep(page_of([*NOBODY, footer])), Profile.LEADER), Mark.SIGNATURE)
    assert NOBODY[-1].baseline < placed.rect.y < placed.rect.bottom < 285
    full = [Words(10, 8 + 6 * row, "chữ " * 26, size=14) for row in range(48)]
    assert refusals(desk.preflight(desk.keep(page_of(full)), Profile.LEADER)) == ["place_not_found"]


def test_one_who_is_named_on_two_pages_is_asked_where(desk: Desk) -> None:
    result = desk.preflight(desk.keep(document_of([signer_block(), signer_block()])), Profile.LEADER)
    placed = one(result, Mark.SIGNATURE)
    assert (placed.rule, placed.sure, placed.page) == ("signer_name", False, 2)


# --- the seal ----------------------------------------------------------------------------------------------------


def test_the_seal_keeps_off_the_receivers_as_far_as_it_may() -> None:
    signature = Rect(90, 180, 60, 22)
    by_law = seal_box(signature, 38, MEASURES, UPRIGHT)
    assert (by_law.x, by_law.right) == pytest.approx((72, 110))
    touching, far = Rect(30, 180, 46, 15), Rect(30, 180, 60, 15)
    moved = seal_box(signature, 38, MEASURES, UPRIGHT, touching)
    assert (moved.x, moved.w) == pytest.approx((76, 38))
    assert seal_box(signature, 38, MEASURES, UPRIGHT, far) == by_law
    edge = seal_box(Rect(0, 285, 60, 12), 38, MEASURES, UPRIGHT)
    assert (edge.x, edge.bottom) == pytest.approx((0, 297), abs=0.02)


def test_a_number_and_date_that_an_earlier_signature_shows_are_left_as_they_are(desk: Desk) -> None:
    """The lead body has numbered a joint letter; the second body puts on its seal alone."""
    signed = elsewhere(desk)
    number_only, _seal = desk.plan(signed).steps
    numbered = desk.sign(signed, [msgspec.structs.replace(number_only, make=())], Holder.SERVER)
    again = desk.preflight(numbered)
    assert again.plan is not None
    assert [step.field for step in again.plan.steps] == ["dau"]
    assert "number_differs" in refusals(desk.preflight(numbered, number="06"))


@pytest.mark.parametrize(("spaces", "number"), [(7, "88"), (7, "888"), (8, "1234"), (9, "8888"), (10, "12345")])
def test_a_long_number_fits_between_the_letters_around_its_blank(desk: Desk, spaces: int, number: str) -> None:
    """What stands before and after the blank is no ink in it."""
    signed = elsewhere(desk, number=f"Số:{' ' * spaces}/TTr-UBND")
    assert refusals(desk.preflight(signed, number=number, notation="TTr-UBND")) == []


def test_the_seal_without_any_place_of_signing_is_asked(desk: Desk) -> None:
    source = desk.keep(letter(signer=()))
    signed = desk.sign(source, [INVISIBLE], Holder.LEADER)
    listed = msgspec.structs.replace(OUR_BODY, signers=("Nguyễn Thị Phượng",))
    result = desk.preflight(signed, body=listed)
    placed = one(result, Mark.SEAL)
    assert (placed.rule, placed.sure) == ("geometry", False)
    assert (placed.rect.w, placed.rect.h) == (38, 38)
    assert "place_unsure" in warnings(result)


_NUMBER, _DATE, _SEAL = Rect(48, 31, 14, 9), Rect(137, 31, 25, 9), Rect(102, 181, 38, 38)


def _with_fields(data: bytes, name: str, change: dict[str, Any]) -> bytes:
    """A letter with fields for number, date and seal as other software makes them; one of them is otherwise."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        frame = PageFrame(UserBox(*(float(v) for v in pdf.pages[0].mediabox)))
        fields = []
        for own, kind, rect in (("so", "/Tx", _NUMBER), ("ngay", "/Tx", _DATE), ("dau", "/Sig", _SEAL)):
            more = {"F": 4, "Rect": rect, **(change if own == name else {})}
            box = frame.to_user(more.pop("Rect"))
            widget = pikepdf.Dictionary(
                Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Widget, FT=pikepdf.Name(kind), T=own,
                Rect=pikepdf.Array([box.llx, box.lly, box.urx, box.ury]), DA="/Helv 10 Tf 0 g", **more,
            )  # fmt: skip
            fields.append(pdf.make_indirect(widget))
        pdf.pages[0].obj.Annots = pikepdf.Array(fields)
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array(fields), DA="/Helv 10 Tf 0 g")
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()


_WHOLE = Rect(0, 0, 210, 297)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("dau", {"F": 6}),
        ("dau", {"F": 0}),
        ("dau", {"Rect": Rect(40, 15, 38, 38)}),
        ("dau", {"Rect": Rect(195, 100, 38, 38)}),
        ("dau", {"Rect": _WHOLE}),
        ("so", {"F": 6}),
        ("so", {"F": 0}),
        ("so", {"OC": pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name="x")}),
        ("so", {"MaxLen": 1}),
        ("so", {"Ff": 1 << 13}),
        ("so", {"Rect": _WHOLE}),
    ],
)
def test_a_prepared_field_that_would_not_show_or_lies_elsewhere_is_not_used(
    desk: Desk, name: str, change: dict[str, Any]
) -> None:
    source = desk.leader_signs_elsewhere(desk.keep(_with_fields(letter(), name, change)))
    steps = desk.plan(source).steps
    used = {fill.name for step in steps for fill in step.fill} | {step.field for step in steps if step.existing}
    assert name not in used
    assert used & {"so", "ngay", "dau"} == {"so", "ngay", "dau"} - {name}
    seal = steps[-1]
    assert seal.rect is not None
    assert seal.rect.rounded() == _SEAL


def test_the_leader_makes_no_field_over_ink(desk: Desk) -> None:
    """A number that stands there as a picture."""
    with pikepdf.open(io.BytesIO(letter())) as pdf:
        x, y = 52 / 25.4 * 72, (297 - 37.5) / 25.4 * 72
        pdf.pages[0].contents_add(b"%f %f 6 9 re f" % (x, y))
        out = io.BytesIO()
        pdf.save(out)
    result = desk.preflight(desk.keep(out.getvalue()), Profile.LEADER)
    assert result.plan is not None
    assert [made.name for made in result.plan.steps[0].make] == ["ngay", "dau"]
    assert "blank_not_empty" in warnings(result)


def test_a_seal_over_the_receivers_is_told_to_the_leader_and_to_the_clerk(desk: Desk) -> None:
    long = Words(30, 195, "- Các phòng, ban, ngành, đơn vị thuộc xã Hòa Sơn;", size=11)
    source = desk.keep(letter(long, signer=signer_block(x=140)))
    assert "seal_over_receivers" in warnings(desk.preflight(source, Profile.LEADER))
    assert "seal_over_receivers" in warnings(desk.preflight(desk.leader_signs(source)))


def test_a_name_that_stands_twice_on_one_page_is_asked_about(desk: Desk) -> None:
    twice = desk.keep(page_of([*head(), *signer_block(top=100), *signer_block(top=200)]))
    assert "place_unsure_mark" in warnings(desk.preflight(twice, Profile.LEADER))
