"""The data folder: who may use it, where it may lie, and what it keeps back for a full disk."""

import os
import stat
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from signer_app.store import datafolder
from signer_app.store.datafolder import RESERVE_BYTES, DataFolder, file_system_of
from signer_app.store.store import Store
from signer_resources.errors import KnownError

HOLDER = """
import sys
from pathlib import Path
from signer_app.store.datafolder import DataFolder
with DataFolder(Path(sys.argv[1])).lock():
    sys.stdout.write("held\\n")
    sys.stdout.flush()
    sys.stdin.readline()
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_second_process_is_told_which_folder_is_busy_and_may_still_read(folder: DataFolder) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(KnownError) as caught, folder.lock():
            pass
        assert (caught.value.code, caught.value.exit) == ("busy", 1)
        assert str(folder.path) in caught.value.explain("vi").why
        with Store.read_only(folder) as reader, reader.view() as view:
            assert view.documents.list() == ()
        holder.communicate("\n")
    with folder.lock():
        assert folder.locked
    assert not folder.locked


def test_without_the_lock_nobody_gets_a_writer(folder: DataFolder) -> None:
    folder.create()
    with pytest.raises(RuntimeError, match="lock"):
        Store.open(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX; Windows has the folder's ACL")
def test_folders_and_files_are_the_users_alone_whatever_the_umask(folder: DataFolder) -> None:
    before = os.umask(0)
    try:
        with folder.lock(), Store.open(folder) as store:
            store.write(lambda transaction: transaction.outbox.forget_attempts())
            everything = [folder.path, *folder.path.rglob("*")]
            assert folder.database.with_name("signer.sqlite-wal") in everything
            for path in everything:
                assert mode(path) == (0o700 if path.is_dir() else 0o600), path
    finally:
        os.umask(before)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/a/dữ liệu", "ext4"),
        ("/mnt/tỉnh/x", "cifs"),
        ("/mnt/tỉnh nhà/x", "nfs4"),
        ("/mnt/tỉnh-khác", "ext4"),
        ("/twice", "fuse.sshfs"),
    ],
)
def test_the_file_system_is_that_of_the_innermost_and_latest_mount(path: str, kind: str) -> None:
    mounts = (
        "/dev/sda1 / ext4 rw 0 0\n//s/t /mnt/tỉnh cifs rw 0 0\ns:/t /mnt/tỉnh\\040nhà nfs4 rw 0 0\n"
        "tmpfs /twice tmpfs rw 0 0\nu@h: /twice fuse.sshfs rw 0 0\nnonsense\n"
    )
    assert file_system_of(PurePosixPath(path), mounts) == kind


def test_a_network_drive_is_refused_and_nothing_is_made_there(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datafolder, "file_system_of", lambda path, mounts: "cifs")
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(KnownError) as caught:
        folder.create()
    assert (caught.value.code, caught.value.exit) == ("data_folder_network", 1)
    assert not folder.path.exists()


def test_a_file_in_the_place_of_the_folder_is_a_known_error(folder: DataFolder) -> None:
    folder.path.write_text("a file")
    with pytest.raises(KnownError) as caught, folder.lock():
        pass
    assert caught.value.code == "data_folder_unwritable"


def test_the_reserve_takes_real_room_and_can_be_given_back_once(folder: DataFolder) -> None:
    folder.create()
    assert folder.refill_reserve()
    assert folder.reserve.stat().st_size == RESERVE_BYTES
    assert folder.release_reserve()
    assert not folder.release_reserve()
    assert folder.refill_reserve()


def test_clearing_work_removes_folders_too_but_follows_no_link(folder: DataFolder, tmp_path: Path) -> None:
    folder.create()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept.pdf").write_bytes(b"x")
    (folder.work / "deep" / "er").mkdir(parents=True)
    (folder.work / "deep" / "er" / "a.pdf").write_bytes(b"x")
    (folder.work / "link").symlink_to(outside)
    assert folder.clear_work() == 2
    assert not list(folder.work.iterdir())
    assert (outside / "kept.pdf").exists()
