"""Whose signature lets the seal be put on: initials, other bodies' seals, joint letters."""

from pathlib import Path

import msgspec
import pytest

from signer_app.demo.pki import DemoPki
from signer_app.demo.pki_names import Holder
from signer_app.pdf.geometry import Rect
from signer_app.pdf.model import Body, Profile
from signer_app.pdf.plan import Mark
from tests.pdf.paper import Words, head, letter, page_of, signer_block
from tests.pdf.signing import OUR_BODY, ROOM, SEAL, Desk, one, picture_step, refusals, warnings

FRONT = "ỦY BAN MẶT TRẬN TỔ QUỐC VIỆT NAM XÃ HÒA SƠN"
LEFT_ROOM = Rect(30, 189, 60, 22)
JOINT = ("ỦY BAN NHÂN DÂN XÃ HÒA SƠN -", "ỦY BAN MẶT TRẬN TỔ QUỐC", "VIỆT NAM XÃ HÒA SƠN")


def _joint(
    ours: tuple[str, ...] = ("TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH"),
    theirs: tuple[str, ...] = ("TM. BAN THƯỜNG TRỰC", "CHỦ TỊCH"),
) -> list[Words]:
    """A joint letter: our leader on the right, the Front's on the left."""
    left = signer_block("Đặng Văn Thưởng", theirs, x=60)
    return [*head(parent=None, body=JOINT), *left, *signer_block("Nguyễn Thị Phượng", ours)]


@pytest.fixture(scope="module")
def joint(pki: DemoPki, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A joint letter that both leaders have signed; the tests only read it."""
    return _both_sign(Desk(pki, tmp_path_factory.mktemp("joint")), _joint())


def _both_sign(desk: Desk, words: list[Words]) -> Path:
    """The Front's leader first, then ours, with other software."""
    signed = desk.sign(desk.keep(page_of(words)), [picture_step(LEFT_ROOM, field="Signature1")], Holder.FRONT_LEADER)
    return desk.sign(signed, [picture_step(ROOM, field="Signature2")], Holder.LEADER)


def test_an_initial_of_the_leader_is_no_signature_for_issue(desk: Desk) -> None:
    """By its field's name, or by its reason: even where it stands in ô 7."""
    told = (("ky_nhay_2", None), ("Signature1", "ký nháy"), ("KyNhay1", None), ("S", "Đã ký nháy"), ("S", "Ký tắt"))
    for field, reason in told:
        step = msgspec.structs.replace(picture_step(ROOM, field=field), reason=reason)
        signed = desk.sign(desk.keep(letter()), [step], Holder.LEADER)
        result = desk.preflight(signed)
        assert refusals(result) == ["leader_only_initial"]
        assert result.findings[0].params == {"name": "Nguyễn Thị Phượng"}


def test_the_seal_lies_over_the_signature_of_our_own_leader(desk: Desk, joint: Path) -> None:
    result = desk.preflight(joint)
    assert refusals(result) == []
    placed = one(result, Mark.SEAL)
    assert (placed.rule, placed.sure) == ("leader_signature", True)
    assert placed.rect.right == pytest.approx(ROOM.x + ROOM.w / 3, abs=0.1)
    assert "joint_leader_unclear" not in warnings(result)


def test_the_other_body_finds_its_leader_by_what_is_left(desk: Desk, joint: Path) -> None:
    front = Body(names=(FRONT,), seal=SEAL)
    placed = one(desk.preflight(joint, body=front, name=FRONT), Mark.SEAL)
    assert placed.sure
    assert placed.rect.right == pytest.approx(LEFT_ROOM.x + LEFT_ROOM.w / 3, abs=0.1)


def test_titles_that_name_no_body_are_asked_about_and_a_listed_signer_settles_it(desk: Desk) -> None:
    signed = _both_sign(desk, _joint(ours=("CHỦ TỊCH",), theirs=("CHỦ TỊCH",)))
    asked = desk.preflight(signed)
    assert refusals(asked) == []
    assert {"joint_leader_unclear", "place_unsure"} <= set(warnings(asked))
    assert not one(asked, Mark.SEAL).sure
    listed = msgspec.structs.replace(OUR_BODY, signers=("Nguyễn Thị Phượng",))
    settled = desk.preflight(signed, body=listed)
    assert one(settled, Mark.SEAL).sure
    assert one(settled, Mark.SEAL).rect.right == pytest.approx(ROOM.x + ROOM.w / 3, abs=0.1)


@pytest.mark.parametrize(
    ("typed", "refused", "told", "sure"),
    [
        ("Nguyễn Thị Phương", ["leader_other_name"], set(), None),
        ("Nguyễn Thị Ngọc Phượng", [], {"leader_name_differs", "place_unsure"}, False),
        ("NGUYỄN THỊ PHƯỢNG", [], set(), True),
    ],
)
def test_a_name_that_differs_under_the_signature_is_refused_or_asked_about(
    desk: Desk, typed: str, refused: list[str], told: set[str], sure: bool | None
) -> None:
    """In diacritics alone it is another person's; in a word between, the certificate may spell it so."""
    result = desk.preflight(desk.leader_signs_elsewhere(desk.keep(letter(signer=signer_block(typed)))))
    assert refusals(result) == refused
    assert told <= set(warnings(result))
    assert [one.sure for one in result.placements if one.what is Mark.SEAL] == ([] if sure is None else [sure])


def test_a_leader_who_still_has_to_sign_beside_ours_is_named(desk: Desk, joint: Path) -> None:
    signed = desk.sign(desk.keep(page_of(_joint())), [picture_step(ROOM)], Holder.LEADER)
    (told,) = [one for one in desk.preflight(signed).findings if one.code == "joint_others_missing"]
    assert told.params == {"names": "Đặng Văn Thưởng"}
    assert "joint_others_missing" not in warnings(desk.preflight(joint))


@pytest.mark.parametrize("rect", [Rect(140, 10, 50, 18), Rect(-40, 100, 60, 22), Rect(30, 230, 60, 22)])
def test_the_seal_does_not_follow_a_signature_that_is_not_in_its_place(desk: Desk, rect: Rect) -> None:
    """Over Quốc hiệu, off the page, in the left half: the seal goes to the leader's name."""
    placed = one(desk.preflight(desk.leader_signs_elsewhere(desk.keep(letter()), rect)), Mark.SEAL)
    assert placed.rule == "signer_name"
    nameless = desk.keep(page_of(head()))
    listed = msgspec.structs.replace(OUR_BODY, signers=("Nguyễn Thị Phượng",))
    asked = one(desk.preflight(desk.leader_signs_elsewhere(nameless, rect), body=listed), Mark.SEAL)
    assert not asked.sure


def test_the_other_bodys_leader_alone_is_not_ours(desk: Desk) -> None:
    source = desk.keep(page_of(_joint()))
    signed = desk.sign(source, [picture_step(LEFT_ROOM)], Holder.FRONT_LEADER)
    result = desk.preflight(signed)
    assert refusals(result) == ["joint_leader_missing"]
    assert result.findings[-1].params == {"name": "Đặng Văn Thưởng"}


def test_another_bodys_seal_is_neither_ours_nor_a_leader(desk: Desk, joint: Path) -> None:
    """The test PKI has no certificate of the Front's; a seal is known by its shape as well."""
    square = picture_step(Rect(36, 182, 38, 38), image=SEAL, field="dau_khac")
    only_seal = desk.sign(desk.keep(page_of(_joint())), [square], Holder.SERVER)
    assert refusals(desk.preflight(only_seal)) == ["leader_only_initial"]
    assert refusals(desk.preflight(desk.sign(joint, [square], Holder.SERVER))) == []


def test_a_leader_named_twice_in_one_file_still_counts(desk: Desk) -> None:
    words = [*signer_block("Nguyễn Thị Phượng", ("CHỦ TỊCH",), top=230, room=25)]
    signed = desk.leader_signs_elsewhere(desk.keep(letter(*words)))
    assert refusals(desk.preflight(signed)) == []
    assert refusals(desk.preflight(desk.keep(letter(*words)), Profile.LEADER)) == []
