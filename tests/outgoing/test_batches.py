"""A batch in the store: gone on with where it stopped, paused, skipped, joined by what is in a hurry; nothing twice."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from signer_app.pdf.model import Profile
from signer_app.signing.batch import BatchResult, DocumentWork, Made
from signer_app.signing.carrying import Carrier
from signer_app.signing.certificates import SigningCertificate, fit_to_sign
from signer_app.signing.control import Control
from signer_app.signing.engine import Options, SigningRun
from signer_app.signing.jobs import DocumentJob, FileJob
from signer_app.signing.pipeline import Ride
from signer_app.signing.resume import unfinished
from signer_app.store.model import FileRole, FileState, Urgency
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_token.model import Login, Pin
from tests.outgoing.conftest import opened
from tests.support.workspace import CANARY_PIN, DAY, Desk

PATIENCE_S = 20
LETTERS = ("cong-van.pdf", "giay-moi.pdf", "ke-hoach.pdf", "quyet-dinh.pdf", "thong-bao.pdf")


@dataclass
class Batches:
    """A clerk who signs letters plainly, without drafts."""

    desk: Desk
    space: Workspace
    chosen: SigningCertificate
    signed: list[str] = field(default_factory=list)
    meanwhile: Callable[[SigningRun], None] = lambda _run: None

    def job(self, letter: str, **more: object) -> DocumentJob:
        """A wish for a copy of a sample."""
        path = self.desk.letters / letter
        if not path.exists():
            self.desk.letter(letter)
        file = FileJob(str(path), str(path.with_suffix(".signed.pdf")), FileRole.MAIN, Profile.PLAIN)
        return DocumentJob((file,), **more)  # type: ignore[arg-type]

    def run(self, jobs: list[DocumentJob], control: Control | None = None, continues: str | None = None) -> SigningRun:
        """The run, looked at and begun."""

        def done(work: DocumentWork) -> None:
            self.signed.append(work.main.job.name)

        run = SigningRun(
            self.space,
            self.chosen,
            jobs,
            Options(level="b-b"),
            control=control,
            continues=continues,
            document_done=done,
        )
        run.examine()
        run.begin()
        return run

    def sign(self, run: SigningRun) -> BatchResult:
        """The PIN, and the end."""
        result = run.finish(run.sign_with(Login(Pin(CANARY_PIN))))
        run.reported()
        assert len(result.files) == result.total
        return result

    def states(self, result: BatchResult) -> list[FileState]:
        """How the files stand."""
        return [file.state for file in result.files]


@pytest.fixture
def clerk(desk: Desk) -> Iterator[Batches]:
    with opened(desk) as space:
        yield Batches(desk, space, fit_to_sign(space, desk.agency, [Profile.PLAIN]))


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> dict[str, threading.Event]:
    """Letters that are not carried before their event is set."""
    events: dict[str, threading.Event] = {}
    carry = Carrier.carry

    def slow(carrier: Carrier, ride: Ride) -> tuple[Made, ...]:
        event = events.get(ride.work.main.job.name)
        assert event is None or event.wait(PATIENCE_S)
        return carry(carrier, ride)

    monkeypatch.setattr(Carrier, "carry", slow)
    return events


def test_who_goes_on_looks_at_nothing_twice_and_needs_no_file_any_more(
    clerk: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = Control()
    run = clerk.run([clerk.job(name) for name in LETTERS[:3]], control)
    control.cancel()
    result = clerk.sign(run)
    assert (result.stopped is not None, result.counts) == (True, {FileState.PENDING: 3})
    for name in LETTERS[:3]:
        (clerk.desk.letters / name).unlink()

    with clerk.space.store.view() as view:
        rest = unfinished(view)
    assert rest is not None
    asked: list[object] = []
    monkeypatch.setattr(clerk.space.workers, "preflight", asked.append)
    again = clerk.run(list(rest.jobs), continues=rest.batch.id)
    result = clerk.sign(again)
    assert (asked, clerk.states(result)) == ([], [FileState.SIGNED] * 3)
    with clerk.space.store.view() as view:
        assert unfinished(view) is None
        assert {file.state for file in view.batches.files(rest.batch.id)} == {FileState.SKIPPED}
        assert {batch.continues for batch in view.batches.unreported()} == set()


def test_what_was_seen_goes_for_another_day_no_more(clerk: Batches, monkeypatch: pytest.MonkeyPatch) -> None:
    control = Control()
    run = clerk.run([clerk.job(LETTERS[0])], control)
    control.cancel()
    clerk.sign(run)
    with clerk.space.store.view() as view:
        rest = unfinished(view)
    assert rest is not None
    monkeypatch.setattr(SigningRun, "_context", lambda _run: "another day")
    preflight, asked = clerk.space.workers.preflight, []

    def ask(task: object) -> object:
        asked.append(task)
        return preflight(task)  # type: ignore[arg-type]

    monkeypatch.setattr(clerk.space.workers, "preflight", ask)
    assert clerk.states(clerk.sign(clerk.run(list(rest.jobs), continues=rest.batch.id))) == [FileState.SIGNED]
    assert len(asked) == 1


def test_a_batch_to_which_nobody_said_yes_leaves_nothing(clerk: Batches) -> None:
    run = SigningRun(clerk.space, clerk.chosen, [clerk.job(LETTERS[0])], Options())
    assert run.examine() == 1
    with clerk.space.store.view() as view:
        assert (view.batches.unfinished(), view.batches.unreported()) == ((), ())
    result = run.finish(KnownError("interrupted"))
    assert (result.batch, [file.state for file in result.files]) == (None, [FileState.PENDING])
    with clerk.space.store.view() as view:
        assert view.blobs() == set()
    assert not clerk.space.store.blobs.has(result.files[0].sha256_in or "")


def test_one_number_for_two_documents_is_refused_before_any_pin(desk: Desk) -> None:
    desk.letter("quyet-dinh.pdf")
    twin = desk.letters / "quyết định khác.pdf"
    twin.write_bytes((desk.letters / "quyet-dinh.pdf").read_bytes())
    row = f"5/QĐ-UBND,{DAY}"
    listing = desk.listing("input,number,date", f"quyet-dinh.pdf,{row}", f"{twin.name},{row}")
    answer = desk.sign("--list", listing, "--profile", "agency", "--level", "b-b")
    assert answer.states == ["signed", "refused"]
    assert answer.codes[1] == "number_twice_in_batch"


def test_the_same_file_twice_is_pointed_out(clerk: Batches) -> None:
    first = clerk.job(LETTERS[0])
    twin = clerk.desk.letters / "bản sao.pdf"
    twin.write_bytes((clerk.desk.letters / LETTERS[0]).read_bytes())
    result = clerk.sign(clerk.run([first, clerk.job(twin.name)]))
    told = [[(warning.code, warning.params) for warning in file.warnings] for file in result.files]
    assert ("same_file_in_batch", {"name": LETTERS[0]}) in told[1]
    assert not any(code == "same_file_in_batch" for code, _params in told[0])
    assert clerk.states(result) == [FileState.SIGNED] * 2


def test_a_skipped_document_is_left_out_and_the_others_are_signed(
    clerk: Batches, held: dict[str, threading.Event]
) -> None:
    control = Control()
    run = clerk.run([clerk.job(name) for name in LETTERS[:3]], control)
    control.skip(1)
    result = clerk.sign(run)
    assert clerk.states(result) == [FileState.SIGNED, FileState.SKIPPED, FileState.SIGNED]
    assert result.files[1].code == "skipped_by_person"
    with clerk.space.store.view() as view:
        assert unfinished(view) is None


def test_a_pause_begins_nothing_and_going_on_signs_the_rest(clerk: Batches) -> None:
    control = Control()
    run = clerk.run([clerk.job(name) for name in LETTERS[:2]], control)
    control.pause()
    results: list[BatchResult] = []
    signing = threading.Thread(target=lambda: results.append(clerk.sign(run)))
    signing.start()
    signing.join(0.5)
    assert (signing.is_alive(), clerk.signed) == (True, [])
    control.go_on()
    signing.join(PATIENCE_S)
    assert clerk.states(results[0]) == [FileState.SIGNED] * 2


def test_what_is_in_a_hurry_jumps_in_and_is_signed_before_the_rest(
    clerk: Batches, held: dict[str, threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signer_app.signing.engine._AHEAD", 0)
    monkeypatch.setattr("signer_app.signing.engine._processors", lambda: 1)
    held[LETTERS[0]] = threading.Event()
    urgent = clerk.job(LETTERS[4], urgency=Urgency.HOA_TOC)
    run = clerk.run([clerk.job(name) for name in LETTERS[:4]])
    results: list[BatchResult] = []
    signing = threading.Thread(target=lambda: results.append(clerk.sign(run)))
    signing.start()
    assert run.jump_in(urgent).ready
    held[LETTERS[0]].set()
    signing.join(PATIENCE_S)
    assert clerk.signed == [LETTERS[0], LETTERS[4], *LETTERS[1:4]]
    assert clerk.states(results[0]) == [FileState.SIGNED] * 5


def test_what_failed_is_tried_again_when_that_is_wanted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(desk) as space:
        clerk = Batches(desk, space, fit_to_sign(space, desk.agency, [Profile.PLAIN]))
        recheck = space.workers.recheck

        def fails(task: object) -> object:
            raise KnownError("worker_timeout", seconds="120")

        monkeypatch.setattr(space.workers, "recheck", fails)
        assert clerk.states(clerk.sign(clerk.run([clerk.job(LETTERS[0])]))) == [FileState.FAILED]
        monkeypatch.setattr(space.workers, "recheck", recheck)
    assert desk.call("resume", pin=CANARY_PIN).json["documents"] == []
    answer = desk.call("resume", "--retry-failed", pin=CANARY_PIN)
    assert (answer.code, answer.states) == (0, ["signed"])
    assert Path(answer.documents[0]["output"]).exists()


def test_rows_are_enough_to_sign_by(clerk: Batches) -> None:
    """A document that comes back from its rows is the one that went in."""
    from signer_app.signing.rows import work_of

    run = clerk.run([clerk.job(LETTERS[0])])
    with clerk.space.store.view() as view:
        (batch,) = view.batches.unfinished()
        document = view.batches.document(batch.id, 0)
        assert document is not None
        work = work_of(document, view.batches.of_document(batch.id, 0))
        assert work is not None
        assert work_of(document, ()) is None
    assert work.ready
    assert work.main.plan is not None
    assert clerk.space.store.blobs.has(work.main.plan.blob)
    assert clerk.states(clerk.sign(run)) == [FileState.SIGNED]
    with clerk.space.store.view() as view:
        done = view.batches.document(batch.id, 0)
    assert done is not None
    assert done.seen is None


def test_the_rest_of_a_batch_can_be_given_up_and_leaves_no_copy(desk: Desk) -> None:
    with opened(desk) as space:
        clerk = Batches(desk, space, fit_to_sign(space, desk.agency, [Profile.PLAIN]))
        control = Control()
        run = clerk.run([clerk.job(LETTERS[0])], control)
        control.cancel()
        (file,) = clerk.sign(run).files
        assert space.store.blobs.has(file.sha256_in or "")
    answer = desk.call("resume", "--give-up")
    assert (answer.code, answer.documents) == (0, [])
    with desk.store() as store, store.view() as view:
        assert unfinished(view) is None
        assert not store.blobs.has(file.sha256_in or "")
    assert (desk.letters / LETTERS[0]).exists()
