"""Secret documents: whatever tells that they are, in whatever company they come, nothing of them is kept or said."""

import hashlib
import shutil
from pathlib import Path

import pytest

from signer_resources import samples
from tests.app.letters import Wording, write_letter
from tests.support.workspace import DAY, Desk

SENTENCE = "Phương án tuần tra mốc giới số 2719 trong đêm rằm."


def traces(path: Path) -> list[bytes]:
    data = path.read_bytes()
    digest = hashlib.sha256(data)
    return [path.stem.encode(), SENTENCE.encode(), digest.hexdigest().encode(), digest.digest(), data[:400]]


def left_behind(desk: Desk, *secrets: Path) -> list[str]:
    wanted = [trace for path in secrets for trace in traces(path)]
    return [str(path) for path, data in desk.everything() if any(t in data or t in str(path).encode() for t in wanted)]


@pytest.mark.parametrize("profiles", [("plain", "leader"), ("agency", "appendix")])
def test_a_mark_on_the_page_or_in_the_name_is_refused_in_every_profile(desk: Desk, profiles: tuple[str, str]) -> None:
    marked = write_letter(desk.letters / "lich-hop-tuan-47.pdf", Wording(mark="MẬT", text=SENTENCE))
    named = write_letter(desk.letters / "báo cáo (MẬT) quý 4.pdf", Wording(text=SENTENCE))
    sample = desk.letters / "cong-viec-tuan.pdf"
    shutil.copyfile(samples.file("van-ban-mat.pdf"), sample)
    secrets = [marked, named, sample]
    rows = [f"{path.name},{profile},H77" for profile in profiles for path in secrets]
    cert = desk.agency if "agency" in profiles else desk.leader
    # Two rows of a list may not have the same output: the second profile gets a copy in a folder of its own.
    (desk.letters / "b").mkdir()
    for number, path in enumerate(secrets, len(secrets)):
        shutil.copyfile(path, desk.letters / "b" / path.name)
        rows[number] = f"b/{rows[number]}"

    answer = desk.sign("--list", desk.listing("input,profile,to", *rows), "--cert", cert)

    assert (answer.code, answer.codes) == (1, ["secret"] * 6)
    assert answer.json["batch"] is None
    assert [entry["sha256_in"] for entry in answer.documents] == [None] * 6
    assert left_behind(desk, *secrets) == []
    assert list(desk.letters.rglob("*.signed.pdf")) == []
    assert all(path.exists() for path in secrets)


def test_a_secret_one_among_others_is_in_no_row_and_the_others_are_done(desk: Desk) -> None:
    desk.letter("cong-van.pdf")
    secret = write_letter(desk.letters / "phu-luc-kem-theo.pdf", Wording(mark="TỐI MẬT", text=SENTENCE))
    appendix = write_letter(desk.letters / "to-trinh-kem.pdf", Wording(mark="MẬT", text=SENTENCE))
    desk.letter("to-trinh.pdf")
    listing = desk.listing(
        "document,input,role,number,date,to",
        f",cong-van.pdf,main,1/UBND-VP,{DAY},H77",
        f",{secret.name},main,2/QĐ-UBND,{DAY},H77",
        f"d,to-trinh.pdf,main,3/TTr-UBND,{DAY},H77",
        f"d,{appendix.name},appendix,,,",
    )
    checked = desk.call("check", "--list", listing, "--profile", "agency")
    assert checked.code == 1
    states = {Path(entry["file"]).name: [f["code"] for f in entry["findings"]] for entry in checked.json}
    assert (states[secret.name], states[appendix.name]) == (["secret"], ["secret"])
    assert left_behind(desk, secret, appendix) == []

    answer = desk.sign("--list", listing, "--profile", "agency", "--level", "b-b")

    assert (answer.code, answer.states) == (1, ["signed", "refused", "refused", "refused"])
    assert answer.codes == [None, "secret", "part_refused", "secret"]
    assert left_behind(desk, secret, appendix) == []
    assert [packet.document for packet in desk.packets()] == ["01/UBND-VP"]
    # The main letter of the secret appendix is in no row either: its name would tell of the document.
    assert [
        str(path) for path, data in desk.everything() if b"to-trinh.pdf" in data and "samples" not in str(path)
    ] == []
    nothing = desk.call("resume")
    assert (nothing.code, nothing.documents) == (0, [])
