"""Every reason for which the preflight refuses or warns, before any PIN."""

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import msgspec
import pikepdf
import pytest
from pyhanko.sign.fields import MDPPerm

from signer_app.demo.pki_names import HOLDERS, Holder
from signer_app.pdf.geometry import Rect
from signer_app.pdf.model import Body, CopyForm, CopyOrder, PlaceOption, Profile
from signer_app.pdf.plan import SigningPlan, plan_hash
from signer_app.verification.model import TrustMaterial
from signer_resources import messages
from tests.pdf.paper import BOLD, Words, letter, page_of, signer_block
from tests.pdf.signing import (
    BODY,
    LEADER,
    OUR_BODY,
    Desk,
    elsewhere,
    page_items,
    picture_step,
    refusals,
    warnings,
)
from tests.verification.documents import SignAs, sign
from tests.verification.small_pki import make_certificate


@pytest.mark.parametrize(
    ("of_head", "wishes", "code"),
    [
        ({"number": "Số: 06/QĐ-UBND"}, {}, "number_differs"),
        ({"number": "Số: 05/2025/QĐ-UBND"}, {"number": "05/2026"}, "number_differs"),
        ({"number": "Số:     /2025/QĐ-UBND"}, {"number": "05/2026"}, "number_differs"),
        ({"number": "Số: 05/QĐ-UBND"}, {"number": "05/2026"}, "number_differs"),
        ({}, {"notation": "QĐ-SNV"}, "notation_differs"),
        ({}, {"number": None}, "number_missing"),
        ({}, {"number": "0"}, "number_invalid"),
        ({}, {"number": "-5"}, "number_invalid"),
        ({"number": "Phòng Nội vụ"}, {}, "number_line_missing"),
        ({"number": "Số: /QĐ-UBND"}, {"number": "12345"}, "blank_too_narrow"),
        ({"date": "Hòa Sơn"}, {}, "date_line_missing"),
        ({"date": "Hòa Sơn, ngày      tháng 12 năm 2026"}, {}, "date_differs"),
        ({"date": "Hòa Sơn, ngày      tháng      năm 2025"}, {}, "date_differs"),
        ({"date": "Hòa Sơn, ngày 31 tháng 02 năm 2026"}, {"date": None}, "date_impossible"),
        ({"body": ["ỦY BAN NHÂN DÂN XÃ HÒA BÌNH"]}, {}, "body_differs"),
        ({"body": [], "parent": None}, {}, "body_not_found"),
        ({}, {"name": "Nguyễn Thị Phượng"}, "certificate_not_of_body"),
        ({}, {"body": None}, "certificate_not_of_body"),
        ({}, {"body": Body(names=(BODY,), seal=None)}, "seal_missing"),
        ({}, {"place": PlaceOption(2, 10, 10)}, "place_outside"),
        ({}, {"place": PlaceOption(1, 200, 10)}, "place_outside"),
        ({}, {"place": PlaceOption(1, 200, 10, 5, 5)}, "place_outside"),
    ],
)
def test_the_seal_is_refused_with_its_reason(
    desk: Desk, of_head: dict[str, Any], wishes: dict[str, Any], code: str
) -> None:
    result = desk.preflight(elsewhere(desk, **of_head), **wishes)
    assert code in refusals(result)
    assert result.plan is None
    for finding in result.findings:
        assert messages.explain(finding.code, "vi", **finding.params).what


@pytest.mark.parametrize(
    ("of_head", "wishes", "codes"),
    [
        ({"number": "Số:       /2025/QĐ-UBND"}, {}, {"number_year_differs"}),
        ({}, {"date": dt.date(2026, 9, 1)}, {"date_far"}),
        ({"date": "Hòa Sơn, ngày     tháng     năm      "}, {"date": dt.date(2025, 11, 22)}, {"date_far"}),
        ({"date": "Hòa Sơn, ngày 20 tháng 11 năm 2026"}, {"date": None}, set()),
    ],
)
def test_years_and_dates_that_hardly_can_be_meant_are_told(
    desk: Desk, of_head: dict[str, Any], wishes: dict[str, Any], codes: set[str]
) -> None:
    result = desk.preflight(desk.keep(letter(**of_head)), **wishes)
    assert set(warnings(result)) & {"number_year_differs", "date_far"} == codes


# --- earlier signatures ------------------------------------------------------------------------------------------


def test_without_the_leaders_signature_there_is_no_seal(desk: Desk) -> None:
    assert refusals(desk.preflight(desk.keep(letter()))) == ["leader_missing"]


def test_an_initial_is_not_the_leaders_signature(desk: Desk) -> None:
    initialled = desk.sign(desk.keep(letter()), [picture_step(Rect(30, 150, 14, 8))], Holder.DRAFTER)
    assert refusals(desk.preflight(initialled)) == ["leader_only_initial"]


def test_who_signs_in_the_leaders_place_must_be_named_there_or_be_on_the_list(desk: Desk) -> None:
    in_place = desk.leader_signs_elsewhere(desk.keep(letter()), holder=Holder.DRAFTER)
    result = desk.preflight(in_place)
    assert refusals(result) == ["leader_other_name"]
    assert result.findings[0].params == {"name": "Lê Hữu Đạt", "typed": "Nguyễn Thị Phượng"}
    aside = desk.sign(desk.keep(letter()), [picture_step(Rect(30, 150, 14, 8))], Holder.DRAFTER)
    listed = msgspec.structs.replace(OUR_BODY, signers=("Lê Hữu Đạt",))
    assert refusals(desk.preflight(aside, body=listed)) == []


def test_a_second_seal_is_refused(desk: Desk) -> None:
    signed = elsewhere(desk)
    sealed = desk.sign(signed, desk.plan(signed).steps)
    assert refusals(desk.preflight(sealed)) == ["already_sealed"]


def test_a_letter_changed_after_the_leader_signed_is_refused(desk: Desk) -> None:
    signed = desk.leader_signs(desk.keep(letter()))
    data = bytearray(signed.read_bytes())
    data[data.index(b"stream", 2000) + 40] ^= 1
    assert refusals(desk.preflight(desk.keep(bytes(data)))) == ["earlier_signature_broken_no_seal"]


def test_the_leader_must_be_trusted_and_not_revoked(desk: Desk) -> None:
    signed = elsewhere(desk)
    unknown = TrustMaterial()
    assert refusals(desk.preflight(signed, trust=unknown)) == ["leader_untrusted"]
    unchecked = msgspec.structs.replace(desk.trust, crls=())
    result = desk.preflight(signed, trust=unchecked)
    assert (refusals(result), warnings(result)[0]) == ([], "leader_revocation_unchecked")
    theirs = letter(signer=signer_block(HOLDERS[Holder.REVOKED_LEADER].subject.common_name))
    revoked = desk.leader_signs_elsewhere(desk.keep(theirs), holder=Holder.REVOKED_LEADER)
    assert refusals(desk.preflight(revoked)) == ["leader_revoked"]
    beside = desk.sign(revoked, [picture_step(Rect(120, 215, 40, 15), field="Signature2")], Holder.LEADER)
    listed = msgspec.structs.replace(OUR_BODY, signers=(LEADER,))
    assert refusals(desk.preflight(beside, body=listed)) == ["leader_revoked"]
    theirs = letter(signer=signer_block(HOLDERS[Holder.EXPIRED_LEADER].subject.common_name))
    expired = desk.leader_signs_elsewhere(desk.keep(theirs), holder=Holder.EXPIRED_LEADER)
    assert refusals(desk.preflight(expired)) == ["leader_certificate_unfit"]


def test_a_signature_that_does_not_count_beside_the_leaders_is_told(desk: Desk) -> None:
    aside = desk.sign(desk.keep(letter()), [picture_step(Rect(30, 150, 40, 15))], Holder.REVOKED_LEADER)
    both = desk.leader_signs_elsewhere(aside)
    result = desk.preflight(both)
    assert (refusals(result), warnings(result)[0]) == ([], "leader_other_unfit")


def test_a_seal_field_of_another_size_is_refused(desk: Desk) -> None:
    small = msgspec.structs.replace(OUR_BODY, seal_mm=34.0)
    signed = desk.leader_signs(desk.keep(letter()), body=small)
    assert refusals(desk.preflight(signed)) == ["seal_field_too_small"]
    (step,) = desk.plan(signed, body=small).steps
    assert step.rect is not None
    assert step.rect.w == pytest.approx(34, abs=0.05)


def test_where_a_field_is_missing_one_more_signature_carries_what_it_was_for(desk: Desk) -> None:
    result = desk.preflight(desk.keep(letter(number="Số: 5/QĐ-UBND")), Profile.LEADER)
    assert result.plan is not None
    assert [make.name for make in result.plan.steps[0].make] == ["ngay", "dau"]
    blank = desk.keep(letter())
    (step,) = desk.plan(blank, Profile.LEADER).steps
    without = msgspec.structs.replace(step, make=tuple(make for make in step.make if make.name != "so"))
    result = desk.preflight(desk.sign(blank, [without], Holder.LEADER))
    assert (refusals(result), warnings(result)) == ([], ["two_signatures_fields"])
    assert result.plan is not None
    number, seal = result.plan.steps
    assert ([item.text for item in page_items(number)], number.make) == (["05"], ())
    assert (seal.field, seal.existing, [fill.name for fill in seal.fill]) == ("dau", True, ["ngay"])


# --- the file itself ---------------------------------------------------------------------------------------------


def _saved(data: bytes, change: Callable[[pikepdf.Pdf], None] = lambda pdf: None, **options: Any) -> bytes:
    with pikepdf.open(io.BytesIO(data)) as pdf:
        change(pdf)
        out = io.BytesIO()
        pdf.save(out, **options)
    return out.getvalue()


def _dynamic(pdf: pikepdf.Pdf) -> None:
    pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array(), XFA=pdf.make_stream(b"<xdp/>"))


def _runs_a_script(pdf: pikepdf.Pdf) -> None:
    pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"))


def _calls_itself_secret(pdf: pikepdf.Pdf) -> None:
    pdf.docinfo["/Keywords"] = "Tối mật"


def _demanding_field(pdf: pikepdf.Pdf) -> None:
    """An empty field by the name of ours, which wants what we don't make, and locks the document when it is signed."""
    seeds = pikepdf.Dictionary(
        Ff=2,
        SubFilter=pikepdf.Array([pikepdf.Name("/adbe.pkcs7.detached")]),
        TimeStamp=pikepdf.Dictionary(Ff=1, URL=pikepdf.String("http://localhost")),
    )
    field = pdf.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Widget, FT=pikepdf.Name.Sig, T=pikepdf.String("dau"), F=4,
            Rect=pikepdf.Array([280, 220, 390, 330]), P=pdf.pages[0].obj, SV=seeds,
            Lock=pikepdf.Dictionary(Action=pikepdf.Name.All, P=1),
        )
    )  # fmt: skip
    pdf.pages[0].obj.Annots = pikepdf.Array([field])
    pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([field]), SigFlags=1)


def test_files_that_cannot_be_signed_are_refused_before_any_pin(desk: Desk) -> None:
    user = pikepdf.Encryption(user="a", owner="b")
    forbidden = pikepdf.Encryption(
        user="", owner="b", allow=pikepdf.Permissions(modify_form=False, modify_annotation=False, modify_other=False)
    )
    filling = pikepdf.Encryption(user="", owner="b", allow=pikepdf.Permissions(modify_annotation=False))
    cases = {
        "pdf_unreadable": [b"", b"no PDF", letter()[:1500], b"%PDF-1.7\n%%EOF"],
        "pdf_encrypted": [_saved(letter(), encryption=user)],
        "permissions_forbid_signing": [_saved(letter(), encryption=forbidden), _saved(letter(), encryption=filling)],
        "pdf_dynamic": [_saved(letter(), _dynamic)],
        "pdf_needs_repair": [b"junk before the header\n" + letter()],
        "secret": [_saved(letter(), _calls_itself_secret)],
    }
    for code, files in cases.items():
        for data in files:
            result = desk.preflight(desk.keep(data), Profile.PLAIN)
            assert refusals(result) == [code]
            assert result.plan is None


def test_a_file_whose_protection_lets_it_be_signed_goes_on(desk: Desk) -> None:
    owner = pikepdf.Encryption(user="", owner="b")
    result = desk.preflight(desk.keep(_saved(letter(), encryption=owner)), Profile.PLAIN)
    assert (result.findings, result.plan is not None) == ((), True)


def test_what_may_deceive_is_refused_where_a_body_or_leader_is_bound(desk: Desk) -> None:
    path = desk.keep(_saved(letter(), _runs_a_script))
    assert refusals(desk.preflight(path, Profile.LEADER)) == ["script"]
    plain = desk.preflight(path, Profile.PLAIN)
    assert (refusals(plain), warnings(plain), plain.plan is not None) == ([], ["script"], True)
    hidden = desk.keep(letter(Words(42, 400, "Phụ lục ẩn")))
    result = desk.preflight(hidden, Profile.LEADER)
    assert (refusals(result), warnings(result)) == ([], ["text_outside_page"])
    (finding,) = result.findings
    assert finding.params == {"where": "1", "what": "Phụ lục ẩn"}
    assert "Phụ lục ẩn" in messages.explain(finding.code, "vi", **finding.params).what


def test_a_seal_field_that_demands_another_kind_of_signature_is_refused(desk: Desk) -> None:
    signed = desk.leader_signs_elsewhere(desk.keep(_saved(letter(), _demanding_field)))
    result = desk.preflight(signed)
    assert refusals(result) == ["seed_value_unmet"]
    assert [f.params for f in result.findings if f.code == "seed_value_unmet"] == [
        {"field": "dau", "demands": "SubFilter, TimeStamp"}
    ]
    assert "lock_on_signing" in warnings(result)


# --- page 1 against what is asked --------------------------------------------------------------------------------


def test_a_former_name_of_the_body_is_no_name_of_it(desk: Desk) -> None:
    body = msgspec.structs.replace(OUR_BODY, former=("Ủy ban nhân dân xã Hòa Bình",))
    old = elsewhere(desk, body=["ỦY BAN NHÂN DÂN XÃ HÒA BÌNH"])
    assert refusals(desk.preflight(old, body=body)) == ["body_former_name"]


def test_a_notation_without_the_bodys_short_name_is_warned_of(desk: Desk) -> None:
    signed = elsewhere(desk)
    known = msgspec.structs.replace(OUR_BODY, notations=("UBND",))
    assert "notation_not_of_body" not in warnings(desk.preflight(signed, body=known))
    other = msgspec.structs.replace(OUR_BODY, notations=("HĐND", "STC"))
    result = desk.preflight(signed, body=other)
    assert (refusals(result), "notation_not_of_body" in warnings(result)) == ([], True)


def test_the_urgency_of_the_page_is_held_against_the_one_chosen(desk: Desk) -> None:
    path = desk.keep(letter(Words(63, 60, "HỎA TỐC", BOLD, 14, centred=True)))
    told = {urgency: warnings(desk.preflight(path, Profile.LEADER, urgency=urgency)) for urgency in (None, 0, 1, 3, 4)}
    assert told == {None: [], 0: ["urgency_differs"], 1: ["urgency_differs"], 3: [], 4: []}
    facts = desk.preflight(path, Profile.LEADER).facts
    assert (facts.urgency, facts.body) == ("HỎA TỐC", "ỦY BAN NHÂN DÂN XÃ HÒA SƠN")


@pytest.mark.parametrize("profile", [Profile.COPY, Profile.ARCHIVE])
def test_a_body_copies_and_archives_what_others_issued_and_scans_without_text(desk: Desk, profile: Profile) -> None:
    order = CopyOrder(CopyForm.SAO_Y, "Nguyễn Thị Phượng")
    own = desk.preflight(desk.keep(letter()), profile, copy=order)
    others = desk.preflight(desk.keep(letter(body=["ỦY BAN NHÂN DÂN XÃ HÒA BÌNH"])), profile, copy=order)
    scan = desk.preflight(desk.keep(page_of([])), profile, copy=order)
    for result, code in ((own, None), (others, "copy_of_other_body"), (scan, "copy_body_unread")):
        assert refusals(result) == []
        assert {"copy_of_other_body", "copy_body_unread"} & set(warnings(result)) == ({code} if code else set())
    stranger = desk.preflight(desk.keep(letter()), profile, copy=order, name="Nguyễn Thị Phượng")
    assert refusals(stranger) == ["certificate_not_of_body"]


def test_a_place_that_no_rule_is_sure_of_is_asked_for(desk: Desk) -> None:
    scan = desk.preflight(desk.keep(page_of([Words(42, 80, "Bản quét")])), Profile.LEADER)
    assert (refusals(scan), "place_unsure_mark" in warnings(scan)) == ([], True)
    assert "place_unsure_mark" not in warnings(desk.preflight(desk.keep(letter()), Profile.LEADER))


def test_earlier_signatures_are_told_with_their_state(desk: Desk) -> None:
    signed = desk.leader_signs(desk.keep(letter()))
    result = desk.preflight(signed)
    assert [(one.signer, one.integrity) for one in result.earlier] == [("Nguyễn Thị Phượng", "intact")]
    assert result.earlier[0].field.startswith("lanh_dao")


@pytest.mark.parametrize(("permission", "code"), [(1, "pdf_locked"), (2, None), (3, None)])
def test_a_certified_file_is_locked_at_p1_and_warned_of_else(desk: Desk, permission: int, code: str | None) -> None:
    holder = make_certificate("Nguyễn Thị Phượng", None, ca=True)
    place = (340, 250, 510, 310)
    certified = sign(letter(), holder, SignAs("S1", box=place, certify=MDPPerm(permission)))
    result = desk.preflight(desk.keep(certified), Profile.PLAIN)
    if code is not None:
        assert refusals(result) == [code]
    else:
        assert (refusals(result), warnings(result)) == ([], ["pdf_certified"])
        trust = TrustMaterial(anchors=(holder.der,))
        sealed = desk.preflight(desk.keep(certified), trust=trust)
        assert {"pdf_certified", "certified_will_change", "two_signatures"} <= set(warnings(sealed))
        for profile in (Profile.INITIAL, Profile.LEADER):
            assert refusals(desk.preflight(desk.keep(certified), profile)) == ["certified_no_new_field"]
        visible = desk.preflight(desk.keep(certified), Profile.PLAIN, place=PlaceOption(1, 20, 250))
        assert refusals(visible) == ["certified_no_new_field"]


# --- plans -------------------------------------------------------------------------------------------------------


def test_a_plan_has_one_hash_before_and_after_its_way_through_json(desk: Desk) -> None:
    signed = desk.leader_signs(desk.keep(letter()))
    for path, profile in ((signed, Profile.AGENCY), (desk.keep(letter()), Profile.LEADER)):
        plan = desk.plan(path, profile)
        again = msgspec.json.decode(msgspec.json.encode(plan), type=SigningPlan)
        assert plan_hash(again) == plan_hash(plan)
        other = msgspec.structs.replace(plan, blob="0" * 64)
        assert plan_hash(other) != plan_hash(plan)


def test_field_names_stay_unique(desk: Desk) -> None:
    once = desk.sign(desk.keep(letter()), desk.plan(desk.keep(letter()), Profile.PLAIN).steps)
    (step,) = desk.plan(once, Profile.PLAIN).steps
    assert step.field == "ky_2"
