"""Room on the disks, held against what a batch will write: named, counted for each volume, told before anything."""

import shutil
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from signer_app.pdf.model import Finding, Profile, Severity
from signer_app.signing import free_space
from signer_app.signing.free_space import (
    MARGIN_BYTES,
    ROW_BYTES,
    SIGNATURE_BYTES,
    Written,
    findings_of,
    require_space,
    space_findings,
    written_by,
)
from signer_app.signing.jobs import AttachmentJob, DocumentJob, FileJob
from signer_app.store.model import FileRole
from signer_app.workspace import Overrides, workspace
from signer_resources import messages
from signer_resources.errors import KnownError

MB = 1 << 20


@pytest.fixture
def blobs(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "blobs"
    folder.mkdir(parents=True)
    (tmp_path / "out").mkdir()
    return folder


def has_free(monkeypatch: pytest.MonkeyPatch, *, clones: bool = False, **volumes: int) -> None:
    """Folders of these names are volumes with so much room; all else is one of its own, with room for all."""

    def named(path: Path) -> str:
        return next((part for part in reversed(path.parts) if part in volumes), "")

    monkeypatch.setattr(free_space, "_device", lambda path: hash(named(path)))
    monkeypatch.setattr(free_space, "_root", lambda path: named(path) or "/")
    monkeypatch.setattr(free_space, "can_clone", lambda one, other: clones and named(one) == named(other))
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: SimpleNamespace(free=volumes.get(named(Path(path)), 1 << 50))
    )


def told(findings: tuple[Finding, ...]) -> list[tuple[str, str, str]]:
    for finding in findings:
        assert messages.explain(finding.code, "vi", **finding.params).what
        assert finding.severity is (Severity.REFUSED if finding.code == "disk_space_short" else Severity.WARNING)
    return [(finding.code, finding.params["volume"], finding.params["needed"]) for finding in findings]


def test_room_for_twice_the_need_is_nothing_and_less_is_told(
    blobs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Written(10 * MB, tmp_path / "out" / "a.pdf")
    at_home = 20 * MB + SIGNATURE_BYTES + ROW_BYTES + MARGIN_BYTES
    outside = 10 * MB + SIGNATURE_BYTES
    has_free(monkeypatch, data=2 * at_home, out=2 * outside)
    assert findings_of(blobs, [file]) == ()
    has_free(monkeypatch, data=2 * at_home - 1, out=2 * outside)
    assert told(findings_of(blobs, [file])) == [("disk_space_low", "data", "52.1 MB")]
    has_free(monkeypatch, data=at_home - 1, out=outside - 1)
    assert told(findings_of(blobs, [file])) == [
        ("disk_space_short", "data", "52.1 MB"),
        ("disk_space_short", "out", "10.1 MB"),
    ]


def test_what_is_there_already_is_not_counted_again_and_a_clone_takes_nothing(
    blobs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = 10 * MB + SIGNATURE_BYTES
    beside = blobs.parent / "out" / "a.pdf"
    for clones, output, needed in ((False, beside, 2 * made), (True, beside, made), (False, None, made)):
        has_free(monkeypatch, clones=clones, data=needed + ROW_BYTES + MARGIN_BYTES - 1)
        assert [code for code, *_rest in told(findings_of(blobs, [Written(10 * MB, output, kept=True)]))] == [
            "disk_space_short"
        ]
        has_free(monkeypatch, clones=clones, data=needed + ROW_BYTES + MARGIN_BYTES)
        assert [code for code, *_rest in told(findings_of(blobs, [Written(10 * MB, output, kept=True)]))] == [
            "disk_space_low"
        ]


def test_sizes_are_those_of_files_and_of_kept_copies_and_a_missing_file_is_somebody_elses_matter(
    tmp_path: Path,
) -> None:
    letter, sheet = tmp_path / "a.pdf", tmp_path / "bảng.xlsx"
    letter.write_bytes(b"x" * 100)
    sheet.write_bytes(b"x" * 30)
    with workspace(tmp_path / "data", Overrides(), writing=True) as space:
        kept = space.store.blobs.add_file(letter).sha256

        def file(path: Path, blob: str | None = None) -> FileJob:
            return FileJob(str(path), str(path.with_suffix(".signed.pdf")), FileRole.MAIN, Profile.PLAIN, blob=blob)

        jobs = [
            DocumentJob((file(letter), file(letter, kept)), attachments=(AttachmentJob(str(sheet), None),)),
            DocumentJob((file(tmp_path / "gone.pdf"), file(letter, "0" * 64))),
        ]
        output = tmp_path / "a.signed.pdf"
        assert list(written_by(jobs, space.folder.blobs)) == [
            Written(100, output),
            Written(100, output, kept=True),
            Written(30, None, signed=False),
        ]


def test_a_batch_without_room_is_refused_with_the_disk_and_both_sizes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = tmp_path / "a.pdf"
    letter.write_bytes(b"x" * 100)
    jobs = [DocumentJob((FileJob(str(letter), str(tmp_path / "b.pdf"), FileRole.MAIN, Profile.PLAIN),))]
    with workspace(tmp_path / "data", Overrides(), writing=True) as space:
        require_space(space, jobs)
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=3 * MB))
        monkeypatch.setattr(free_space, "can_clone", lambda _one, _other: False)
        (finding,) = space_findings(space, jobs)
        with pytest.raises(KnownError) as caught:
            require_space(space, jobs)
    assert caught.value.code == finding.code == "disk_space_short"
    assert caught.value.params == finding.params
    assert Path(finding.params["volume"]).is_mount()
    assert (finding.params["needed"], finding.params["free"]) == ("32.2 MB", "3.0 MB")


def test_many_files_in_as_many_folders_take_no_more_memory(
    blobs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(free_space, "_FOLDERS", 100)

    def many(count: int) -> Iterator[Written]:
        return (Written(1_000, tmp_path / str(number) / "a.pdf") for number in range(count))

    def peak(count: int) -> int:
        tracemalloc.start()
        findings_of(blobs, many(count))
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(10)
    assert peak(1_500) < 1.5 * peak(500)
