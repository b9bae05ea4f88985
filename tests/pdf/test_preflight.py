"""Every reason for which the preflight refuses or warns, before any PIN."""

import io
from collections.abc import Callable
from typing import Any

import msgspec
import pikepdf
import pytest
from pyhanko.sign.fields import MDPPerm

from signer_app.demo.pki_names import Holder
from signer_app.pdf.geometry import Rect
from signer_app.pdf.model import Body, PlaceOption, Profile
from signer_app.pdf.plan import SigningPlan, plan_hash
from signer_app.verification.model import TrustMaterial
from signer_resources import messages
from tests.pdf.paper import letter
from tests.pdf.signing import (
    BODY,
    OUR_BODY,
    Desk,
    elsewhere,
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


# --- earlier signatures ------------------------------------------------------------------------------------------


def test_without_the_leaders_signature_there_is_no_seal(desk: Desk) -> None:
    assert refusals(desk.preflight(desk.keep(letter()))) == ["leader_missing"]


def test_an_initial_is_not_the_leaders_signature(desk: Desk) -> None:
    initialled = desk.sign(desk.keep(letter()), [picture_step(Rect(30, 150, 14, 8))], Holder.DRAFTER)
    assert refusals(desk.preflight(initialled)) == ["leader_only_initial"]


def test_who_signs_in_the_leaders_place_or_is_on_the_list_counts(desk: Desk) -> None:
    in_place = desk.leader_signs_elsewhere(desk.keep(letter()), holder=Holder.DRAFTER)
    assert refusals(desk.preflight(in_place)) == []
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
    revoked = desk.leader_signs_elsewhere(desk.keep(letter()), holder=Holder.REVOKED_LEADER)
    assert refusals(desk.preflight(revoked)) == ["leader_revoked"]
    expired = desk.leader_signs_elsewhere(desk.keep(letter()), holder=Holder.EXPIRED_LEADER)
    assert refusals(desk.preflight(expired)) == ["leader_certificate_unfit"]


def test_a_seal_field_of_another_size_is_refused(desk: Desk) -> None:
    small = msgspec.structs.replace(OUR_BODY, seal_mm=34.0)
    signed = desk.leader_signs(desk.keep(letter()), body=small)
    assert refusals(desk.preflight(signed)) == ["seal_field_too_small"]
    (step,) = desk.plan(signed, body=small).steps
    assert step.rect is not None
    assert step.rect.w == pytest.approx(34, abs=0.05)


def test_a_prepared_number_field_that_is_gone_or_elsewhere_is_told(desk: Desk) -> None:
    result = desk.preflight(desk.keep(letter(number="Số: 5/QĐ-UBND")), Profile.LEADER)
    assert result.plan is not None
    assert [make.name for make in result.plan.steps[0].make] == ["ngay", "dau"]
    blank = desk.keep(letter())
    (step,) = desk.plan(blank, Profile.LEADER).steps
    without = msgspec.structs.replace(step, make=tuple(make for make in step.make if make.name != "so"))
    assert refusals(desk.preflight(desk.sign(blank, [without], Holder.LEADER))) == ["field_missing"]


# --- the file itself ---------------------------------------------------------------------------------------------


def _saved(data: bytes, change: Callable[[pikepdf.Pdf], None] = lambda pdf: None, **options: Any) -> bytes:
    with pikepdf.open(io.BytesIO(data)) as pdf:
        change(pdf)
        out = io.BytesIO()
        pdf.save(out, **options)
    return out.getvalue()


def _dynamic(pdf: pikepdf.Pdf) -> None:
    pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array(), XFA=pdf.make_stream(b"<xdp/>"))


def test_files_that_cannot_be_signed_are_refused_before_any_pin(desk: Desk) -> None:
    user = pikepdf.Encryption(user="a", owner="b")
    owner = pikepdf.Encryption(user="", owner="b")
    cases = {
        "pdf_unreadable": [b"", b"no PDF", letter()[:1500], b"%PDF-1.7\n%%EOF"],
        "pdf_encrypted": [_saved(letter(), encryption=user), _saved(letter(), encryption=owner)],
        "pdf_dynamic": [_saved(letter(), _dynamic)],
    }
    for code, files in cases.items():
        for data in files:
            result = desk.preflight(desk.keep(data), Profile.PLAIN)
            assert refusals(result) == [code]
            assert result.plan is None


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
