"""Checking files: an answer for each whatever it does, evidence where writing is possible, looked at again when more is
known, the report on paper.
"""

import os
import sys
import unittest.mock
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pypdfium2
import pytest

from signer_app.desk.verifying import Checked, Verifying, files_of, kept, told_apart
from signer_app.verification.model import Integrity, RevocationUrl, Verdict
from signer_app.workers import Workers
from signer_resources.errors import KnownError
from tests.evidence.conftest import Opener, trust_from
from tests.verification.documents import SignAs, make_document, sign
from tests.verification.small_pki import Pki, make_certificate


@pytest.fixture
def thu(tmp_path: Path, letter: bytes) -> Path:
    """The letter, as it lies on a clerk's desk."""
    path = tmp_path / "Thư mời.pdf"
    path.write_bytes(letter)
    return path


def test_a_check_in_the_window_keeps_its_evidence_at_once(opened: Opener, thu: Path, anchors: Path) -> None:
    verifying = Verifying(opened(trust=anchors))
    checked = verifying.check(thu)
    assert (checked.name, checked.report.verdict, checked.evidence) == ("Thư mời.pdf", Verdict.VALID, True)
    assert [one.record.name for one in verifying.evidence(str(checked.report.sha256))] == ["Thư mời.pdf"] * 2
    assert verifying.undecided() == 0
    assert verifying.destroy_evidence(str(checked.report.sha256)) == 2
    assert verifying.documents() == ()


def test_of_a_file_that_may_be_secret_nothing_is_kept(opened: Opener, thu: Path, anchors: Path) -> None:
    secret = thu.rename(thu.with_name("QĐ 5 (MẬT).pdf"))
    verifying = Verifying(opened(trust=anchors))
    checked = verifying.check(secret)
    assert (checked.report.verdict, checked.evidence) == (Verdict.VALID, False)
    assert verifying.documents() == ()


def test_without_a_signature_there_is_nothing_to_keep(opened: Opener, tmp_path: Path, anchors: Path) -> None:
    plain = tmp_path / "thường.pdf"
    plain.write_bytes(make_document())
    checked = Verifying(opened(trust=anchors)).check(plain, name="tên khác.pdf")
    assert (checked.name, checked.report.verdict, checked.evidence) == ("tên khác.pdf", Verdict.UNSIGNED, False)


def test_a_file_that_takes_its_worker_down_has_an_answer(
    opened: Opener, thu: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifying = Verifying(space := opened())
    with Workers([sys.executable, "-c", "raise SystemExit(9)"]) as dying:
        monkeypatch.setitem(space.__dict__, "workers", dying)
        checked = verifying.check(thu)
    report = checked.report
    assert (report.verdict, report.integrity, report.message_code) == (
        Verdict.INDETERMINATE,
        Integrity.UNREADABLE,
        "verify_limit",
    )
    assert verifying.undecided() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere file names are text")
def test_a_file_whose_name_is_no_text_has_an_answer(opened: Opener, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/v\xe3n b\xb6n.pdf"))
    path.write_bytes(make_document())
    checked = Verifying(opened()).check(path)
    assert (checked.name, checked.report.message_code) == ("v?n b?n.pdf", "verify_file_unreadable")
    assert msgspec.json.encode(checked.report)


def test_what_was_undecided_is_looked_at_again_once_anchors_are_there(opened: Opener, thu: Path, anchors: Path) -> None:
    space = opened()
    verifying = Verifying(space)
    assert verifying.check(thu, name="thư").report.verdict is Verdict.INDETERMINATE
    assert verifying.undecided() == 1
    assert verifying.check_again(lambda: True) == ()
    trust_from(space, anchors)
    (again,) = verifying.check_again()
    assert (again.name, again.report.verdict, again.evidence) == ("thư", Verdict.VALID, True)
    assert verifying.undecided() == 0


def test_evidence_that_was_destroyed_does_not_come_back_by_itself(opened: Opener, thu: Path, anchors: Path) -> None:
    (anchors / "2.crl").unlink()
    verifying = Verifying(opened(trust=anchors))
    checked = verifying.check(thu)
    assert (checked.report.verdict, checked.evidence) == (Verdict.INDETERMINATE, True)
    assert verifying.destroy_evidence(str(checked.report.sha256)) == 2
    assert (verifying.undecided(), verifying.check_again(), verifying.documents()) == (0, (), ())


def test_a_document_is_found_by_how_its_hash_begins(opened: Opener, thu: Path, anchors: Path) -> None:
    verifying = Verifying(opened(trust=anchors))
    sha256 = str(verifying.check(thu).report.sha256)
    assert verifying.documents_beginning(sha256[:8]) == verifying.documents_beginning(sha256) == (sha256,)
    assert verifying.documents_beginning("%") == verifying.documents_beginning("x" * 64) == ()


def test_many_ask_the_network_once_after_all_have_an_answer(
    opened: Opener, tmp_path: Path, pki: Pki, anchors: Path, crls: tuple[bytes, bytes]
) -> None:
    (anchors / "2.crl").unlink()
    space = opened(trust=anchors)
    files = [tmp_path / f"{n}.pdf" for n in range(2)]
    for file in files:
        holder = make_certificate(file.stem, pki.ca, crl_url="http://crl.example/ca.crl")
        file.write_bytes(sign(make_document(pages=1), holder, SignAs("L")))
    asked: list[int] = []
    found: list[Checked] = []

    def fetch(wanted: Sequence[RevocationUrl], *, again: bool = False) -> bool:
        asked.append(len(found))
        (anchors / "2.crl").write_bytes(crls[1])
        space.reload()
        # The second file's address is the first one's, so that nothing new comes for it.
        return len(asked) == 1 and not again

    with unittest.mock.patch.object(space.revocation, "fetch", fetch):
        Verifying(space).check_many(files, found.append, lambda *_: None)
    assert asked == [2, 2]
    assert [(one.path, one.report.verdict) for one in found] == [
        *((file, Verdict.INDETERMINATE) for file in files),
        *((file, Verdict.VALID) for file in files),
    ]


def test_what_a_file_is_called_stands_in_one_line(opened: Opener, tmp_path: Path) -> None:
    (checked,) = [Verifying(opened()).check(tmp_path / "x.pdf", name="x\n\u202ey.pdf")]
    assert checked.name == "x y.pdf"


@pytest.mark.skipif(os.name == "nt", reason="rights are of another kind on Windows")
def test_a_folder_that_cannot_be_read_stands_for_itself(
    opened: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "đến" / "kín"
    closed.mkdir(parents=True)
    scan = os.scandir

    def refuses(path: str) -> object:
        if os.fspath(path) == str(closed):
            raise PermissionError(13, "closed", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuses)
    assert files_of([tmp_path / "đến"]) == (closed,)
    assert Verifying(opened()).check(closed).report.message_code == "verify_file_unreadable"
    longer = tmp_path / ("x" * 300)
    assert files_of([longer]) == (longer,)


def test_an_undecided_file_that_is_gone_is_forgotten(opened: Opener, thu: Path) -> None:
    verifying = Verifying(opened())
    verifying.check(thu)
    thu.unlink()
    assert verifying.check_again() == ()
    assert verifying.undecided() == 0


def test_a_process_that_only_reads_keeps_the_evidence_afterwards_or_not_at_all(
    opened: Opener, thu: Path, anchors: Path
) -> None:
    reading = Verifying(space := opened(writing=False, trust=anchors))
    checked = reading.check(thu)
    assert (checked.report.verdict, checked.evidence) == (Verdict.VALID, False)
    # No data folder is made for a check.
    assert reading.keep_what_waits() == frozenset()
    assert not space.folder.path.exists()
    with space.folder.lock():
        pass
    space.folder.database.touch()
    checked = reading.check(thu)
    with space.folder.lock(), pytest.raises(KnownError) as caught:
        reading.keep_what_waits()
    assert caught.value.code == "busy"
    checked = reading.check(thu)
    (marked,) = kept([checked], reading.keep_what_waits())
    assert marked.evidence
    assert [one.signatures for one in reading.documents()] == [2]


def test_folders_give_their_pdfs_however_deep_and_files_come_as_they_are(tmp_path: Path) -> None:
    deep = tmp_path / "đến" / "2026" / "11"
    deep.mkdir(parents=True)
    for name in ("b.PDF", "a.pdf", "bảng.xlsx"):
        (deep / name).write_bytes(b"x")
    (tmp_path / "đến" / "z.pdf").write_bytes(b"x")
    (tmp_path / "đến" / "thư mục.pdf").mkdir()
    table = deep / "bảng.xlsx"
    wanted = (table, deep / "a.pdf", deep / "b.PDF", tmp_path / "đến" / "z.pdf")
    assert files_of([table, tmp_path / "đến", deep]) == wanted
    assert files_of([tmp_path / "đến"], lambda: True) == (tmp_path / "đến" / "z.pdf",)


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_a_folder_that_leads_back_to_itself_is_walked_once(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"x")
    (tmp_path / "lại").symlink_to(tmp_path)
    assert files_of([tmp_path]) == (tmp_path / "a.pdf",)


def test_many_are_checked_one_after_the_other_until_nobody_wants_more(opened: Opener, thu: Path, anchors: Path) -> None:
    verifying, found, told = Verifying(opened(trust=anchors)), [], []

    def each(checked: Checked) -> None:
        found.append(checked.path)

    files = (thu, thu.with_name("không có.pdf"), thu)
    verifying.check_many(files, each, lambda *where: told.append(where), lambda: len(found) == 2)
    assert found == list(files[:2])
    assert told == [("progress_verify", 0, 3), ("progress_verify", 1, 3)]


def test_files_of_one_name_are_told_apart_by_their_paths(opened: Opener, tmp_path: Path) -> None:
    verifying = Verifying(opened())
    paths = [tmp_path / place / "thu.pdf" for place in ("một", "hai")] + [tmp_path / "khác.pdf"]
    checked = [verifying.check(path) for path in paths]
    assert told_apart(checked) == (str(paths[0]), str(paths[1]), "khác.pdf")


def test_the_report_is_a_new_file_and_never_over_another(
    opened: Opener, thu: Path, anchors: Path, tmp_path: Path
) -> None:
    verifying = Verifying(opened(trust=anchors))
    target = tmp_path / "kết quả.pdf"
    verifying.report_pdf([verifying.check(thu)], target)
    with pypdfium2.PdfDocument(target) as paper:
        said = " ".join(paper[0].get_textpage().get_text_range().split())
    assert "Thư mời.pdf" in said
    assert "CHỮ KÝ HỢP LỆ" in said
    before = target.read_bytes()
    with pytest.raises(KnownError) as caught:
        verifying.report_pdf([], target)
    assert caught.value.code == "custody_file_exists"
    assert target.read_bytes() == before
