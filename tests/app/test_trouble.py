"""What the world does to a clerk: bad files, missing parts, full disks. Clear words, exit code, nothing lost."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pikepdf
import pytest

from signer_app.store import DataFolder
from tests.app.letters import Wording, write_letter
from tests.support.softhsm import softhsm_module
from tests.support.workspace import CANARY_PIN, DAY, Answer, Desk, Program

needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting a small disk takes the rights of root"
)


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", *options, str(folder)], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("this machine lets nobody mount a disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def said(answer: Answer) -> dict[str, str]:
    """The error that ended a command; it must have words."""
    error: dict[str, str] = answer.json["error"]
    assert len(error["message"]) > 20
    return error


def test_each_bad_file_is_refused_for_its_own_reason_and_the_good_one_is_signed(desk: Desk) -> None:
    good = write_letter(desk.letters / "good.pdf", Wording())
    whole = good.read_bytes()
    (desk.letters / "no-pdf.pdf").write_text("Đây không phải PDF", encoding="utf-8")
    (desk.letters / "cut.pdf").write_bytes(whole[: len(whole) // 3])
    (desk.letters / "empty.pdf").write_bytes(b"")
    with pikepdf.open(good) as pdf:
        pdf.save(desk.letters / "locked.pdf", encryption=pikepdf.Encryption(owner="chủ", user="mở"))
        nothing = pikepdf.Permissions(modify_annotation=False, modify_form=False, modify_other=False)
        restricted = pikepdf.Encryption(owner="chủ", user="", allow=nothing)
        pdf.save(desk.letters / "restricted.pdf", encryption=restricted)
        pdf.save(desk.letters / "owned.pdf", encryption=pikepdf.Encryption(owner="chủ", user=""))
    names = ["no-pdf.pdf", "cut.pdf", "empty.pdf", "locked.pdf", "restricted.pdf", "owned.pdf", "good.pdf"]

    answer = desk.sign(*(desk.letters / name for name in names), "--cert", desk.leader, "--level", "b-b")

    told = dict(zip(names, answer.codes, strict=True))
    assert answer.code == 1
    assert told == {
        "no-pdf.pdf": "pdf_unreadable",
        "cut.pdf": "pdf_unreadable",
        "empty.pdf": "pdf_unreadable",
        "locked.pdf": "pdf_encrypted",
        "restricted.pdf": "permissions_forbid_signing",
        "owned.pdf": None,
        "good.pdf": None,
    }
    assert answer.states == ["refused"] * 5 + ["signed"] * 2
    words = desk.call("sign", desk.letters / "cut.pdf", "--cert", desk.leader, pin=CANARY_PIN, text=True)
    assert words.code == 1
    assert "Không mở được tệp PDF" in words.out + words.err


def test_an_output_that_is_there_is_refused_and_stays_as_it_is(desk: Desk) -> None:
    letter = desk.letter()
    output = letter.with_suffix(".signed.pdf")
    output.write_bytes(b"mine")
    answer = desk.seal(letter, "1/UBND-VP", "--to", "H77")
    assert (answer.code, answer.codes) == (1, ["output_exists"])
    assert output.read_bytes() == b"mine"
    assert (desk.files(), desk.packets()) == ([], ())


@needs_root
def test_a_folder_that_takes_no_file_is_refused_before_any_signature(desk: Desk) -> None:
    letter = desk.letter()
    with mounted(desk.folder / "out", "-t", "tmpfs", "-o", "size=1m,ro", "none") as out:
        answer = desk.seal(letter, "1/UBND-VP", "--to", "H77", "--out", out)
    assert (answer.code, answer.codes) == (1, ["output_unwritable"])
    assert (desk.files(), desk.packets()) == ([], ())


def fills_up_after_the_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """There was room when the batch was looked at: what the disk is short of comes up while it is written to."""
    monkeypatch.setattr("signer_app.signing.engine.require_space", lambda _space, _jobs: None)


@needs_root
def test_a_disk_without_room_for_all_is_named_before_anything_is_begun(desk: Desk) -> None:
    letter = desk.letter()
    with mounted(desk.folder / "out", "-t", "tmpfs", "-o", "size=16k", "none") as out:
        answer = desk.seal(letter, "1/UBND-VP", "--to", "H77", "--out", out)
        assert (answer.code, answer.json["error"]["code"]) == (1, "disk_space_short")
        assert str(out) in answer.json["error"]["message"]
    assert (desk.files(), desk.packets()) == ([], ())


@needs_root
def test_a_full_disk_for_the_output_loses_nothing_and_the_copy_is_made_up_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = desk.letter()
    fills_up_after_the_look(monkeypatch)
    with mounted(desk.folder / "out", "-t", "tmpfs", "-o", "size=16k", "none") as out:
        answer = desk.seal(letter, "1/UBND-VP", "--to", "H77", "--out", out)
        assert (answer.code, answer.states, answer.codes) == (1, ["signed"], ["disk_full"])
        assert list(out.iterdir()) == []
        assert [packet.document for packet in desk.packets()] == ["01/UBND-VP"]
        subprocess.run(["mount", "-o", "remount,size=8m", str(out)], check=True)
        again = desk.sign(write_letter(desk.letters / "b.pdf", Wording()), "--cert", desk.leader, "--level", "b-b")
        assert again.code == 0
        made = (out / "cong-van.signed.pdf").read_bytes()
    assert made.startswith(letter.read_bytes())
    assert len(desk.files()) == 2


@needs_root
@pytest.mark.parametrize(
    ("room", "states"),
    [
        (60 << 10, []),
        pytest.param(
            250 << 10,
            ["pending"],
            marks=[pytest.mark.long],
        ),
        (400 << 10, ["pending"]),
    ],
    ids=["for the input", "for the work", "for the output"],
)
def test_a_full_data_disk_keeps_nothing_by_halves_and_room_makes_it_work(
    desk: Desk, tmp_path: Path, room: int, states: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = desk.letter()
    fills_up_after_the_look(monkeypatch)
    words = ("--profile", "agency", "--number", "1/UBND-VP", "--date", DAY, "--to", "H77", "--out", tmp_path)
    with mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=64m", "none") as disk:
        small = desk.site.desk(disk)
        # Its room is for the last words of a full disk; here they shall be spoken without it.
        (small.data / "reserve").unlink()
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        (disk / "filler").write_bytes(b"\1" * (free - room))
        answer = small.sign(letter, *words)
        (disk / "filler").unlink()
        if states:
            assert (answer.code, answer.states, answer.json["stopped"]["code"]) == (1, states, "disk_full")
        else:
            # Not even the batch could be written down.
            assert (answer.code, answer.json["error"]["code"]) == (1, "disk_full")
        assert not (tmp_path / "cong-van.signed.pdf").exists()
        assert (small.files(), small.packets()) == ([], ())
        again = small.sign(letter, *words)
        assert (again.code, again.states) == (0, ["signed"])
        assert len(small.packets()) == 1


@pytest.mark.parametrize(
    ("modules", "code"),
    [
        ([], "no_module"),
        (["missing.so"], "module_missing"),
        (["text.so"], "module_load_failed"),
        ([str(softhsm_module())], "no_token"),
    ],
)
def test_without_a_token_nothing_is_tried_and_the_reason_is_said(tmp_path: Path, modules: list[str], code: str) -> None:
    (tmp_path / "tokens").mkdir()
    conf = tmp_path / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {tmp_path / 'tokens'}\nobjectstore.backend = file\n")
    (tmp_path / "text.so").write_text("no library")
    program = Program(tmp_path, tmp_path, tmp_path / "data", {"SOFTHSM2_CONF": str(conf)})
    front = tuple(word for module in modules for word in ("--module", tmp_path / module))
    letter = write_letter(tmp_path / "letter.pdf", Wording())

    listed = program.call("tokens", options=front)
    assert (listed.code, listed.json) == (3, [])
    answer = program.call("sign", letter, pin=CANARY_PIN, options=front)
    assert (answer.code, said(answer)["code"]) == (3, code)
    assert not (tmp_path / "letter.signed.pdf").exists()


def test_while_another_process_has_the_folder_looking_works_and_writing_says_busy(waiting: Desk) -> None:
    desk = waiting
    letter = write_letter(desk.letters / "letter.pdf", Wording())
    folder = DataFolder(desk.data)
    with folder.lock():
        for words in (("sign", letter, "--cert", desk.leader), ("sync", "--once")):
            pin = None if words[0] == "sync" else CANARY_PIN
            answer = desk.run(*words, pin=pin)
            assert (answer.code, said(answer)["code"]) == (1, "busy")
        assert len(desk.run("outbox").json) == 3
        assert desk.call("journal", "--verify").json["verified"]["broken_at"] is None
        assert len(desk.call("tokens").json) == 2
        assert desk.call("check", letter, "--cert", desk.leader).code == 0
        sealed = desk.letters / "sealed.pdf"
        with desk.store() as store:
            shutil.copyfile(store.blobs.path(desk.files()[0].blob_out or ""), sealed)
        assert desk.call("verify", sealed).code == 0


def test_without_a_server_sync_says_so_and_the_outbox_keeps_all(waiting: Desk) -> None:
    answer = waiting.call("sync", "--once")
    assert (answer.code, answer.json["stopped"]["code"]) == (1, "server_unreachable")
    assert (answer.json["sent"], answer.json["waiting"]) == (0, 3)
    assert {packet["receipt"] for packet in waiting.call("outbox").json} == {None}
    words = waiting.call("sync", "--once", text=True)
    assert words.code == 1
    assert words.err.strip()
