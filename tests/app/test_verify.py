"""`signer verify` and `signer evidence` as scripts meet them: folders, reports, exit codes, evidence, a busy folder."""

import hashlib
import stat
from pathlib import Path

import pypdfium2
import pytest

from signer_app.store import DataFolder
from tests.app.letters import Wording, write_letter
from tests.support.workspace import Desk


@pytest.fixture
def letters(desk: Desk) -> Path:
    """A folder with a leader's letter, an unsigned one below it, and a file that is no PDF."""
    desk.letter("cong-van.pdf")
    (desk.letters / "tháng 11").mkdir()
    write_letter(desk.letters / "tháng 11" / "Dự thảo.PDF", Wording())
    (desk.letters / "ghi chú.txt").write_text("x")
    return desk.letters


def test_a_folder_is_checked_with_all_that_lies_below_it(desk: Desk, letters: Path, tmp_path: Path) -> None:
    report = tmp_path / "kết quả.pdf"
    answer = desk.call("verify", letters, "--report", report)
    assert answer.code == 1
    assert [(Path(one["file"]).name, one["verdict"]) for one in answer.json] == [
        ("cong-van.pdf", "valid"),
        ("Dự thảo.PDF", "unsigned"),
    ]
    (signature,) = answer.json[0]["signatures"]
    assert answer.json[0]["sha256"] == hashlib.sha256((letters / "cong-van.pdf").read_bytes()).hexdigest()
    assert (signature["valid_at_signing"], signature["anchor_set"]) == (True, "own")
    assert signature["organization"]
    assert signature["issuer"]
    assert {proof["status"] for proof in signature["proofs"]} == {"good"}
    with pypdfium2.PdfDocument(report) as paper:
        said = " ".join(paper[0].get_textpage().get_text_range().split())
    assert "Dự thảo.PDF Không có chữ ký số 0" in said
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    again = desk.call("verify", letters, "--report", report)
    assert (again.code, again.json["error"]["code"]) == (2, "custody_file_exists")
    nowhere = desk.call("verify", letters, "--report", tmp_path / "none" / "x.pdf")
    assert (nowhere.code, nowhere.json["error"]["code"]) == (1, "output_unwritable")


def test_a_name_too_long_for_the_disk_is_wrong_usage(desk: Desk) -> None:
    answer = desk.call("verify", desk.letters / f"{'x' * 300}.pdf")
    assert (answer.code, answer.json["error"]["code"]) == (2, "usage_missing_input")


def test_words_tell_the_seven_facts(desk: Desk, letters: Path) -> None:
    answer = desk.call("verify", letters / "cong-van.pdf", "--offline", text=True)
    assert "cong-van.pdf: Chữ ký hợp lệ" in answer.out
    assert all(f"({number}) " in answer.out for number in range(1, 9))


def test_evidence_is_kept_listed_shown_and_destroyed_with_a_line_in_the_journal(desk: Desk, letters: Path) -> None:
    (checked,) = desk.call("verify", letters / "cong-van.pdf", "--offline").json
    assert checked["evidence"]
    (listed,) = desk.call("evidence").json
    sha256 = checked["sha256"]
    assert (listed["sha256"], listed["name"], listed["signatures"]) == (sha256, "cong-van.pdf", 1)
    (shown,) = desk.call("evidence", "show", sha256[:12]).json
    assert shown["certificate"] == checked["signatures"][0]["certificate"] == desk.leader
    assert (shown["status"], shown["verdict"]) == ("good", "valid")
    assert shown["proofs"]
    assert all(proof["kept"] for proof in shown["proofs"])
    words = desk.call("evidence", "show", sha256, text=True)
    assert "Chữ ký hợp lệ" in words.out
    assert desk.call("evidence", "destroy", sha256).json == {"sha256": sha256, "destroyed": 1}
    assert desk.call("evidence").json == []
    gone = desk.call("evidence", "destroy", sha256)
    assert (gone.code, gone.json["error"]["code"]) == (1, "evidence_unknown")
    (line,) = (e for e in desk.call("journal").json["entries"] if e["action"] == "evidence_destroyed")
    assert line["sha256"] == sha256
    nobody = desk.call("evidence", "show")
    assert (nobody.code, nobody.json["error"]["code"]) == (2, "usage_arguments")


def test_beside_a_window_files_are_checked_but_nothing_is_kept(desk: Desk, letters: Path) -> None:
    with DataFolder(desk.data).lock():
        (checked,) = desk.call("verify", letters / "cong-van.pdf", "--offline").json
        assert (checked["verdict"], checked["evidence"]) == ("valid", False)
        assert desk.call("evidence").json == []
        busy = desk.call("evidence", "destroy", checked["sha256"])
    assert (busy.code, busy.json["error"]["code"]) == (1, "busy")


def test_the_evidence_of_a_signature_made_here_holds_the_lists_that_its_status_rests_on(waiting: Desk) -> None:
    stored = next(file for file in waiting.files() if file.name == "cong-van.pdf")
    (shown,) = waiting.call("evidence", "show", stored.blob_out).json
    assert (shown["made_here"], shown["certificate"], shown["status"]) == (True, waiting.agency, "good")
    assert {proof["kind"] for proof in shown["proofs"]} == {"crl"}
    assert all(proof["kept"] for proof in shown["proofs"])
