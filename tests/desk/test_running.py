"""A batch of the window while it is signed: what jumps in is held with the others, and free again where it did not."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import cast

import pytest

from signer_app.desk.running import Running
from signer_app.desk.signing_values import Planned
from signer_app.outgoing.outgoing import Outgoing
from signer_app.pdf.model import Profile
from signer_app.signing.batch import DocumentWork, Outcome, never
from signer_app.signing.engine import SigningRun
from signer_app.signing.jobs import DocumentJob, FileJob
from signer_app.store.model import FileRole, FileState
from signer_resources.errors import KnownError


def job_of(draft: str) -> DocumentJob:
    return DocumentJob((FileJob(f"/{draft}.pdf", f"/ra/{draft}.pdf", FileRole.MAIN, Profile.PLAIN),), draft=draft)


class Drafts:
    """The list of drafts, as far as a running batch knows it."""

    def __init__(self) -> None:
        self.held: list[str] = []

    @contextmanager
    def signing(self, ids: Collection[str], *, send: bool) -> Iterator[tuple[DocumentJob, ...]]:
        assert send
        self.held += ids
        try:
            yield tuple(map(job_of, ids))
        finally:
            for draft in ids:
                self.held.remove(draft)

    def follow(self, work: DocumentWork) -> None:
        assert not work.ready


class Run:
    """A run that takes what jumps in, or not."""

    def __init__(self) -> None:
        self.fault: KnownError | None = None
        self.refusal: KnownError | None = None

    def jump_in(self, job: DocumentJob) -> DocumentWork:
        if self.fault is not None:
            raise self.fault
        work = DocumentWork.of(job)
        if self.refusal is not None:
            work.refuse(self.refusal)
        return work


class Batch:
    """One document that is signed, and others that jump in."""

    def __init__(self) -> None:
        self.drafts, self.run = Drafts(), Run()
        self.running = Running(cast(Outgoing, self.drafts), [Planned(job_of("thường"), "1/UBND-VP")], never)
        self.running.begin(cast(SigningRun, self.run), 1)

    def jump(self, draft: str = "gấp") -> None:
        self.running.jump_in(draft, send=True, label=draft, fits=lambda _job: None)


@pytest.fixture
def batch() -> Batch:
    return Batch()


def test_what_jumps_in_is_held_until_the_batch_is_over(batch: Batch) -> None:
    batch.jump()
    assert (batch.drafts.held, batch.running.standing().total) == (["gấp"], 2)
    batch.running.close()
    assert batch.drafts.held == []
    with pytest.raises(KnownError) as refused:
        batch.jump()
    assert (refused.value.code, batch.drafts.held) == ("batch_over", [])


@pytest.mark.parametrize("way", ["fault", "refusal"])
def test_what_could_not_jump_in_is_free_at_once(batch: Batch, way: str) -> None:
    setattr(batch.run, way, KnownError("disk_space_short", volume="/", needed="2 GB", free="1 GB"))
    with pytest.raises(KnownError) as refused:
        batch.jump()
    assert refused.value.code == "disk_space_short"
    assert (batch.drafts.held, batch.running.standing().total) == ([], 1)


def test_what_failed_and_could_not_jump_in_again_is_told_all_the_same(batch: Batch) -> None:
    batch.jump()
    work = DocumentWork.of(job_of("gấp"))
    work.main.fail(KnownError("worker_timeout", seconds="120"))
    assert batch.running.done_with(work).label == "gấp"
    batch.run.fault = KnownError("batch_over")
    with pytest.raises(KnownError):
        batch.jump()
    files = [
        Outcome("/thường.pdf", None, FileState.SIGNED, draft="thường"),
        Outcome("/gấp.pdf", None, FileState.FAILED, draft="gấp"),
    ]
    assert [planned.label for planned in batch.running.documents(files)] == ["1/UBND-VP", "gấp"]
