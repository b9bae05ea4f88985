"""A process that is killed at any step of a signing leaves nothing lost, doubled or half-done."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from signer_app.store.datafolder import DataFolder
from signer_app.store.model import DocumentState
from signer_app.store.recovery import recover
from signer_app.store.store import Store

ROOT = Path(__file__).resolve().parents[2]


class Signer:
    """Has documents signed in processes of their own."""

    def __init__(self, parent: "subprocess.Popen[str]") -> None:
        self._parent = parent

    def sign(self, folder: Path, output: Path, kill_before: int) -> tuple[int, list[str]]:
        """The process's return code and the lines it said."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(json.dumps([str(folder), str(output), kill_before]) + "\n")
        self._parent.stdin.flush()
        said: list[str] = []
        for line in self._parent.stdout:
            word, _, code = line.rstrip("\n").partition(" ")
            if word == "ended":
                return int(code), said
            said.append(line.rstrip("\n"))
        raise AssertionError("the parent of the signing processes is gone")

    def count_steps(self, tmp_path: Path) -> int:
        code, said = self.sign(tmp_path / "count", tmp_path / "count.pdf", 0)
        assert code == 0
        return int(said[-1].removeprefix("steps "))


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signer]:
    complaints = tmp_path_factory.mktemp("signer") / "stderr"
    with (
        complaints.open("w") as stderr,
        subprocess.Popen(
            [sys.executable, "-m", "tests.store.crash_child"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as parent,
    ):
        yield Signer(parent)
    assert complaints.read_text() == ""


def look_after_crash(folder: Path, output: Path, said: list[str]) -> None:
    data = DataFolder(folder)
    with data.lock(), Store.open(data) as store:
        recover(store, clock=lambda: float("inf"))
        with store.view() as view:
            documents = view.documents.list()
            files = [file for document in documents for file in view.documents.files(document.id)]
            packets = view.outbox.list()
            journal = view.journal.verify(view.journal.anchors(), lambda _anchor: True).check
            evidence = [item for file in files for item in view.evidence.of_file(file.id)]
            named = view.blobs()
        assert len(documents) == len(files) == len(packets) == len(evidence) == journal.entries <= 1
        assert journal.broken_at is None
        if "signed" in said:
            assert len(documents) == 1
        for sha256 in named:
            store.blobs.verify(sha256)
        on_disk = {path.name for path in data.blobs.rglob("*") if path.is_file()}
        assert on_disk == named
        assert not list(data.work.iterdir())
        for export in store.finish_exports():
            assert export.error is None
        if documents:
            assert documents[0].state is DocumentState.RELEASED
            assert output.read_bytes() == b"the same letter every time signed"
        assert [path.name for path in output.parent.iterdir()] == ([output.name] if documents else [])


@pytest.mark.timeout(300)
def test_killed_before_any_step_a_signing_is_whole_or_absent_and_the_next_run_ends_it(
    signer: Signer, tmp_path: Path
) -> None:
    steps = signer.count_steps(tmp_path)
    assert steps > 30
    for step in range(1, steps + 1):
        place = tmp_path / f"step {step}"
        folder, output = place / "data", place / "out" / "letter.signed.pdf"
        output.parent.mkdir(parents=True)
        code, said = signer.sign(folder, output, step)
        assert code != 0, f"step {step} was never reached"
        look_after_crash(folder, output, said)
        if step % 8 == 0:
            code, said = signer.sign(folder, output, 0)
            assert (code, "signed" in said) == (0, True)
            look_after_crash(folder, output, said)


def test_the_lock_of_a_killed_process_is_free_at_once(signer: Signer, tmp_path: Path) -> None:
    code, _ = signer.sign(tmp_path / "data", tmp_path / "letter.pdf", 1)
    assert code != 0
    folder = DataFolder(tmp_path / "data")
    with folder.lock():
        assert folder.locked


def test_a_reader_reads_what_a_killed_writer_committed_without_taking_the_lock(signer: Signer, tmp_path: Path) -> None:
    steps = signer.count_steps(tmp_path)
    code, said = signer.sign(tmp_path / "data", tmp_path / "letter.pdf", steps)
    assert code != 0
    assert "signed" in said
    with Store.read_only(DataFolder(tmp_path / "data")) as reader, reader.view() as view:
        assert len(view.documents.list()) == 1
