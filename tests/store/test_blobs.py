"""Blobs: by content, durable before they have a name, given out without ever overwriting."""

import errno
import hashlib
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from signer_app.store.blobs import Blob, BlobStore
from signer_app.store.durable import CHUNK, can_clone
from signer_resources.errors import KnownError

CONTENT = b"van ban " * (CHUNK // 4)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    root = tmp_path / "blobs"
    root.mkdir(mode=0o700)
    return BlobStore(root)


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    path = tmp_path / "Công văn số 5.pdf"
    path.write_bytes(CONTENT)
    return path


def files(blobs: BlobStore) -> set[str]:
    return {path.name for path in blobs.path("0" * 64).parents[1].rglob("*") if path.is_file()}


def record_order(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Notes what is fsynced and renamed from now on, in order."""
    order: list[str] = []
    real_fsync, real_replace, real_link = os.fsync, Path.replace, os.link

    def fsync(descriptor: int) -> None:
        target = Path(f"/proc/self/fd/{descriptor}").readlink()
        order.append(f"fsync {'folder ' + target.name if target.is_dir() else 'file'}")
        real_fsync(descriptor)

    def replace(self: Path, target: Path) -> Path:
        order.append("rename")
        return real_replace(self, target)

    def link(source: Path, target: Path) -> None:
        order.append("link")
        real_link(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(os, "link", link)
    return order


def test_a_file_is_kept_under_its_hash_and_the_original_stays(blobs: BlobStore, letter: Path) -> None:
    assert blobs.add_file(letter) == Blob(SHA256, len(CONTENT))
    assert blobs.path(SHA256).read_bytes() == CONTENT == letter.read_bytes()
    assert blobs.verify(SHA256).size == blobs.size(SHA256) == len(CONTENT)


def test_the_same_bytes_again_are_kept_once(blobs: BlobStore, letter: Path) -> None:
    blobs.add_file(letter)
    blobs.add_stream(io.BytesIO(CONTENT))
    assert files(blobs) == {SHA256}


def test_a_blob_that_a_power_cut_left_short_is_replaced_by_the_whole_one(blobs: BlobStore, letter: Path) -> None:
    blobs.add_file(letter)
    blobs.path(SHA256).write_bytes(CONTENT[:-1])
    blobs.add_file(letter)
    assert blobs.verify(SHA256).sha256 == SHA256


def test_adopting_moves_the_finished_file_without_a_second_copy(blobs: BlobStore, letter: Path) -> None:
    inode = letter.stat().st_ino
    assert blobs.adopt(letter).sha256 == SHA256
    assert not letter.exists()
    assert blobs.path(SHA256).stat().st_ino == inode


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")
def test_adopting_from_another_file_system_copies_and_removes(blobs: BlobStore) -> None:
    other = Path("/dev/shm") / f"signer-test-{os.getpid()}.pdf"
    other.write_bytes(CONTENT)
    try:
        assert blobs.adopt(other).sha256 == SHA256
        assert not other.exists()
    finally:
        other.unlink(missing_ok=True)
    assert blobs.verify(SHA256).size == len(CONTENT)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="tells files by /proc")
def test_the_bytes_are_durable_before_the_name_and_the_name_before_the_answer(
    blobs: BlobStore, letter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = record_order(monkeypatch)
    blobs.add_file(letter)
    shard = SHA256[:2]
    assert order == [
        "fsync file",
        "fsync folder blobs",
        "rename",
        f"fsync folder {shard}",
        "fsync folder incoming",
    ]
    order.clear()
    second = letter.with_name("second.pdf")
    second.write_bytes(b"second")
    blobs.adopt(second)
    assert order[0] == "fsync file"
    assert order.index("rename") > order.index("fsync file")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="tells files by /proc")
def test_an_export_is_durable_before_it_has_its_name(
    blobs: BlobStore, letter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs.add_file(letter)
    (tmp_path / "out").mkdir()
    order = record_order(monkeypatch)
    blobs.export(SHA256, tmp_path / "out" / "a.pdf")
    assert order == ["fsync file", "link", "fsync folder out"]


@pytest.mark.parametrize("name", ["../../etc/passwd", SHA256.upper(), SHA256 + "\n", ""])
def test_only_a_hash_can_name_a_blob(blobs: BlobStore, name: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        blobs.path(name)


def test_a_changed_or_missing_blob_is_noticed(blobs: BlobStore, letter: Path) -> None:
    blobs.add_file(letter)
    path = blobs.path(SHA256)
    path.write_bytes(CONTENT[:-1] + b"x")
    with pytest.raises(KnownError) as caught:
        blobs.verify(SHA256)
    assert caught.value.code == "blob_damaged"
    path.unlink()
    with pytest.raises(KnownError):
        blobs.verify(SHA256)
    with pytest.raises(KnownError):
        blobs.export(SHA256, letter.with_name("out.pdf"))


def test_an_export_makes_its_folders_and_overwrites_nothing(blobs: BlobStore, letter: Path, tmp_path: Path) -> None:
    blobs.add_file(letter)
    destination = tmp_path / "Đã ký" / "22-11" / ("ký" * 60 + ".signed.pdf")
    blobs.export(SHA256, destination)
    assert destination.read_bytes() == CONTENT
    destination.write_bytes(b"someone's own work")
    with pytest.raises(KnownError) as caught:
        blobs.export(SHA256, destination)
    assert caught.value.code == "output_exists"
    assert destination.read_bytes() == b"someone's own work"
    assert list(destination.parent.iterdir()) == [destination]


def test_a_file_in_the_place_of_the_output_folder_is_a_known_error(
    blobs: BlobStore, letter: Path, tmp_path: Path
) -> None:
    blobs.add_file(letter)
    (tmp_path / "out").write_bytes(b"a file")
    for destination in (tmp_path / "out" / "a.pdf", tmp_path / "out" / "deeper" / "a.pdf"):
        with pytest.raises(KnownError) as caught:
            blobs.export(SHA256, destination)
        assert caught.value.code == "output_unwritable"


@pytest.mark.parametrize("existing", ["empty", "dangling link", "folder"])
def test_whatever_bears_the_name_already_stays(blobs: BlobStore, letter: Path, tmp_path: Path, existing: str) -> None:
    blobs.add_file(letter)
    destination = tmp_path / "out" / "a.pdf"
    destination.parent.mkdir()
    if existing == "empty":
        destination.touch()
    elif existing == "folder":
        destination.mkdir()
    else:
        destination.symlink_to(tmp_path / "elsewhere.pdf")
    with pytest.raises(KnownError) as caught:
        blobs.export(SHA256, destination)
    assert caught.value.code == "output_exists"
    assert not (tmp_path / "elsewhere.pdf").exists()
    assert list(destination.parent.iterdir()) == [destination]


def test_a_name_taken_during_the_copy_is_not_overwritten(
    blobs: BlobStore, letter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs.add_file(letter)
    destination = tmp_path / "a.pdf"
    real_fsync = os.fsync

    def fsync(descriptor: int) -> None:
        real_fsync(descriptor)
        destination.write_bytes(b"quicker")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(KnownError) as caught:
        blobs.export(SHA256, destination)
    assert caught.value.code == "output_exists"
    assert destination.read_bytes() == b"quicker"


def no_links(source: Path, target: Path) -> None:
    raise OSError(errno.EPERM, "no links on this file system")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows moves without links")
def test_on_a_file_system_without_links_an_export_overwrites_nothing_either(
    blobs: BlobStore, letter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", no_links)
    blobs.add_file(letter)
    destination = tmp_path / "out" / "a.pdf"
    blobs.export(SHA256, destination)
    assert destination.read_bytes() == CONTENT
    assert list(destination.parent.iterdir()) == [destination]
    with pytest.raises(KnownError) as caught:
        blobs.export(SHA256, destination)
    assert caught.value.code == "output_exists"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows moves without links")
def test_without_links_a_name_reserved_by_a_killed_export_is_used_by_the_next(
    blobs: BlobStore, letter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", no_links)
    blobs.add_file(letter)
    destination = tmp_path / "out" / "a.pdf"
    # As a process leaves it that is killed between the two steps of the move.
    destination.parent.mkdir()
    destination.touch()
    blobs._export_temporary(SHA256, destination).write_bytes(CONTENT)
    blobs.export(SHA256, destination)
    assert destination.read_bytes() == CONTENT
    assert list(destination.parent.iterdir()) == [destination]


def test_an_export_is_recognised_by_its_bytes(blobs: BlobStore, letter: Path, tmp_path: Path) -> None:
    blobs.add_file(letter)
    destination = tmp_path / "a.pdf"
    assert not blobs.is_exported(SHA256, destination)
    destination.write_bytes(CONTENT[:-1] + b"x")
    assert not blobs.is_exported(SHA256, destination)
    blobs._export_temporary(SHA256, destination).write_bytes(b"leftover")
    destination.write_bytes(CONTENT)
    assert blobs.is_exported(SHA256, destination)
    assert not list(tmp_path.glob(".signer-*"))


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EACCES, "output_unwritable"),
        (errno.EROFS, "output_unwritable"),
        (errno.EIO, "disk_fault"),
    ],
)
def test_a_full_or_closed_folder_is_named_and_left_as_it_was(
    blobs: BlobStore, letter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    blobs.add_file(letter)

    def fail(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    destination = tmp_path / "out" / "a.pdf"
    with pytest.raises(KnownError) as caught:
        blobs.export(SHA256, destination)
    assert (caught.value.code, caught.value.params["folder"]) == (code, str(destination.parent))
    assert not list(destination.parent.iterdir())


def test_a_full_disk_while_keeping_leaves_nothing_behind(
    blobs: BlobStore, letter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(KnownError) as caught:
        blobs.add_file(letter)
    assert caught.value.code == "disk_full"
    assert files(blobs) == set()
    assert letter.read_bytes() == CONTENT


def test_a_missing_input_is_named(blobs: BlobStore, tmp_path: Path) -> None:
    for keep in (blobs.add_file, blobs.adopt):
        call: Callable[[Path], Blob] = keep
        with pytest.raises(KnownError) as caught:
            call(tmp_path / "không có.pdf")
        assert caught.value.code == "input_unreadable"


def test_collecting_takes_old_orphans_and_leftovers_and_nothing_else(blobs: BlobStore, letter: Path) -> None:
    kept = blobs.add_file(letter)
    orphan = blobs.add_stream(io.BytesIO(b"orphan"))
    young = blobs.add_stream(io.BytesIO(b"young"))
    leftover = blobs.path(kept.sha256).parents[1] / "incoming" / "x.part"
    leftover.write_bytes(b"half")
    for path in (blobs.path(kept.sha256), blobs.path(orphan.sha256), leftover):
        os.utime(path, (1000, 1000))
    found = blobs.collect({kept.sha256}, older_than=2000)
    assert (found.orphans, found.temporaries) == (1, 1)
    assert files(blobs) == {kept.sha256, young.sha256}


# --- one set of bytes, never two names -----------------------------------------------------------------------------


def shares_bytes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Stands in for a file system that clones; the requests that were made."""
    asked: list[int] = []

    def ioctl(target: int, request: int, source: int) -> int:
        asked.append(request)
        content = os.pread(source, os.fstat(source).st_size, 0)
        os.pwrite(target, content, 0)
        return 0

    monkeypatch.setattr("fcntl.ioctl", ioctl)
    return asked


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux is asked for clones")
def test_a_copy_is_a_clone_where_the_file_system_makes_one(
    blobs: BlobStore, letter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = shares_bytes(monkeypatch)
    monkeypatch.setattr("shutil.copyfileobj", None)
    order = record_order(monkeypatch)
    (tmp_path / "out").mkdir()
    assert blobs.add_file(letter) == Blob(SHA256, len(CONTENT))
    blobs.export(SHA256, tmp_path / "out" / "a.pdf")
    assert (tmp_path / "out" / "a.pdf").read_bytes() == CONTENT
    assert asked == [0x40049409, 0x40049409]
    assert order[0] == "fsync file"
    assert order[-3:] == ["fsync file", "link", "fsync folder out"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux is asked for clones")
@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EXDEV, errno.ENOSPC])
def test_where_there_is_no_clone_the_bytes_are_copied(
    blobs: BlobStore, letter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def ioctl(*_asked: int) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.ioctl", ioctl)
    blobs.add_file(letter)
    blobs.export(SHA256, tmp_path / "a.pdf")
    assert blobs.verify(SHA256).size == len(CONTENT)
    assert (tmp_path / "a.pdf").read_bytes() == CONTENT
    assert not can_clone(tmp_path, tmp_path)


def test_a_real_clone_takes_no_room_and_is_not_changed_with_its_original(
    blobs: BlobStore, letter: Path, tmp_path: Path
) -> None:
    if not can_clone(tmp_path, tmp_path):
        pytest.skip("this file system makes no clones")
    blobs.add_file(letter)
    blobs.export(SHA256, tmp_path / "a.pdf")
    for path in (letter, tmp_path / "a.pdf"):
        with path.open("r+b") as stream:
            stream.write(b"changed")
    assert blobs.verify(SHA256).size == len(CONTENT)


def test_no_file_of_the_clerk_is_ever_another_name_of_a_blob(blobs: BlobStore, letter: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / "một.pdf", tmp_path / "hai.pdf"]
    blobs.add_file(letter)
    for output in outputs:
        blobs.export(SHA256, output)
    second = tmp_path / "second.pdf"
    second.write_bytes(b"second")
    other_name = tmp_path / "other name.pdf"
    other_name.hardlink_to(second)
    adopted = blobs.path(blobs.adopt(second).sha256)
    for path in (letter, *outputs, blobs.path(SHA256), adopted, other_name):
        assert path.stat().st_nlink == 1
    assert not second.exists()
    other_name.write_bytes(b"changed")
    assert adopted.read_bytes() == b"second"
