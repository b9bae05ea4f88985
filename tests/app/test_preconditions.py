"""What keeps the body's seal off a document: each fault is refused by its code, before any PIN, and leaves nothing."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from pyhanko.sign.fields import MDPPerm

from signer_app.demo.pki_names import HOLDERS, Holder
from tests.app.letters import LEADER, Wording, put_a_note, signed_by, signed_elsewhere, write_letter, write_over
from tests.support.pkcs11_shim import build_counting_module
from tests.support.softhsm import make_certificate, softhsm_module
from tests.support.workspace import DAY, Desk


def by_the_leader(desk: Desk, name: str, wording: Wording | None = None) -> Path:
    plain = write_letter(desk.letters / f"draft-{name}", wording or Wording())
    return signed_by(desk.site.pki.leaf(Holder.LEADER), plain, desk.letters / name)


def by(desk: Desk, name: str, holder: Holder) -> Path:
    signer = HOLDERS[holder].subject.common_name
    plain = write_letter(desk.letters / f"draft-{name}", Wording(signer=signer))
    return signed_by(desk.site.pki.leaf(holder), plain, desk.letters / name)


def only_an_initial(desk: Desk, name: str) -> Path:
    leaf = desk.site.pki.leaf(Holder.DRAFTER)
    plain = write_letter(desk.letters / f"draft-{name}", Wording())
    target = desk.letters / name
    return signed_elsewhere(plain, target, leaf.certificate_der, leaf.private_key, leaf.chain_der[1:], place=None)


def by_a_namesake(desk: Desk, name: str) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain = write_letter(desk.letters / f"draft-{name}", Wording())
    return signed_elsewhere(plain, desk.letters / name, make_certificate(key, LEADER), key)


def locked_by_the_leader(desk: Desk, name: str) -> Path:
    plain = write_letter(desk.letters / f"draft-{name}", Wording())
    leaf = desk.site.pki.leaf(Holder.LEADER)
    return signed_by(leaf, plain, desk.letters / name, certify=MDPPerm.NO_CHANGES)


def kept(desk: Desk) -> set[Path]:
    """All files but those that SQLite makes for a reader."""
    return {path for path, _ in desk.everything() if not path.name.endswith(("-wal", "-shm"))}


def test_each_missing_precondition_is_refused_by_its_code_and_no_pin_is_spent(waiting: Desk, tmp_path: Path) -> None:
    desk = waiting
    sealed = next(file for file in desk.files() if file.name == "giay-moi.pdf")
    assert sealed.blob_out is not None
    with desk.store() as store:
        (desk.letters / "sealed.pdf").write_bytes(store.blobs.path(sealed.blob_out).read_bytes())
    write_letter(desk.letters / "nobody.pdf", Wording())
    only_an_initial(desk, "initial.pdf")
    by_a_namesake(desk, "namesake.pdf")
    by(desk, "revoked.pdf", Holder.REVOKED_LEADER)
    by(desk, "expired.pdf", Holder.EXPIRED_LEADER)
    good = by_the_leader(desk, "good.pdf")
    write_over(good, desk.letters / "written-over.pdf")
    put_a_note(good, desk.letters / "noted.pdf")
    other = Wording(body=("ỦY BAN NHÂN DÂN", "XÃ HÒA BÌNH"))
    by_the_leader(desk, "other-body.pdf", other)
    by_the_leader(desk, "typed-number.pdf", Wording(number_line="Số: 7/QĐ-UBND"))
    by_the_leader(desk, "typed-date.pdf", Wording(date_line="Hòa Sơn, ngày 05 tháng 11 năm 2026"))
    desk.letter("ke-hoach.pdf", "typed-month.pdf")
    desk.letter("cong-van.pdf", "used-number.pdf")
    locked_by_the_leader(desk, "locked.pdf")
    expected = {
        "nobody.pdf": ("11/QĐ-UBND", DAY, {"leader_missing"}),
        "initial.pdf": ("12/QĐ-UBND", DAY, {"leader_only_initial"}),
        "namesake.pdf": ("13/QĐ-UBND", DAY, {"leader_untrusted"}),
        "revoked.pdf": ("14/QĐ-UBND", DAY, {"leader_revoked"}),
        "expired.pdf": ("15/QĐ-UBND", DAY, {"leader_certificate_unfit"}),
        "written-over.pdf": ("16/QĐ-UBND", DAY, {"earlier_signature_broken_no_seal", "leader_not_intact"}),
        "noted.pdf": ("17/QĐ-UBND", DAY, {"leader_not_intact"}),
        "other-body.pdf": ("18/QĐ-UBND", DAY, {"body_differs"}),
        "good.pdf": ("19/TB-UBND", DAY, {"notation_differs"}),
        "typed-number.pdf": ("8/QĐ-UBND", DAY, {"number_differs"}),
        "typed-date.pdf": ("20/QĐ-UBND", DAY, {"date_differs"}),
        "typed-month.pdf": ("21/KH-UBND", "2026-12-01", {"date_differs"}),
        "used-number.pdf": ("1/UBND-VP", DAY, {"number_used"}),
        "sealed.pdf": ("22/GM-UBND", DAY, {"already_sealed", "number_differs"}),
        "locked.pdf": ("23/QĐ-UBND", DAY, {"pdf_locked"}),
    }
    listing = desk.listing(
        "input,number,date,to", *(f"{name},{number},{day},H77" for name, (number, day, _) in expected.items())
    )
    counting = build_counting_module(tmp_path, softhsm_module())
    before, sent = desk.files(), desk.packets()

    answer = desk.sign("--list", listing, "--profile", "agency", options=("--module", counting.path))

    told = {Path(entry["input"]).name: entry["code"] for entry in answer.documents}
    assert {name: code for name, code in told.items() if code not in expected[name][2]} == {}
    assert answer.code == 1
    assert set(answer.states) == {"refused"}
    assert (answer.json["stopped"], answer.json["batch"]) == (None, None)
    assert all(entry["message"] for entry in answer.documents)
    assert counting.user_logins() == 0
    assert (desk.files(), desk.packets()) == (before, sent)
    assert not list(desk.letters.glob("*.signed.pdf"))


def test_check_says_the_same_before_anything_happens(desk: Desk) -> None:
    write_letter(desk.letters / "nobody.pdf", Wording())
    good = by_the_leader(desk, "good.pdf")
    files = (desk.letters / "nobody.pdf", good)
    listing = desk.listing("input,number,date", *(f"{f.name},{n}/QĐ-UBND,{DAY}" for n, f in enumerate(files, 11)))
    before = kept(desk)

    answer = desk.run("check", "--list", listing, "--profile", "agency")

    assert answer.code == 1
    assert [entry["state"] for entry in answer.json] == ["refused", "warning"]
    assert answer.json[0]["findings"][0]["code"] == "leader_missing"
    assert [f["code"] for f in answer.json[1]["findings"]] == ["two_signatures"]
    assert {spot["what"] for spot in answer.json[1]["placement"]} >= {"seal", "number", "date"}
    assert kept(desk) == before


@pytest.mark.parametrize("profile", ["agency", "appendix"])
def test_the_seals_profiles_need_the_bodys_certificate(desk: Desk, profile: str) -> None:
    words = ("--number", "1/UBND-VP", "--date", DAY, "--profile", profile, "--cert", desk.leader)
    answer = desk.sign(desk.letter(), *words)
    assert (answer.code, answer.codes) == (1, ["certificate_not_of_body"])
