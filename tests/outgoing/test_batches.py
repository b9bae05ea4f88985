"""A batch in the store: gone on with where it stopped, paused, skipped, joined by what is in a hurry; nothing twice."""

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from signer_app.batch_reports import report_lines, report_of
from signer_app.pdf.model import Profile
from signer_app.signing.batch import BatchResult, DocumentWork, Made
from signer_app.signing.carrying import Carrier
from signer_app.signing.certificates import SigningCertificate, fit_to_sign
from signer_app.signing.clock import TimeSource
from signer_app.signing.control import Control
from signer_app.signing.engine import Options, SigningRun
from signer_app.signing.jobs import DocumentJob, FileJob
from signer_app.signing.pipeline import Ride
from signer_app.signing.resume import unfinished, without_lost_copies
from signer_app.store.model import FileRole, FileState, JournalAction, Urgency
from signer_app.tasks import Recheck, RecheckAnswer
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_token.client import TokenSession
from signer_token.model import Login, Pin
from tests.outgoing.conftest import opened
from tests.pdf import odd
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

    def stopped(self, jobs: list[DocumentJob], continues: str | None = None) -> SigningRun:
        """As `run`; the person stops it as soon as it is begun."""
        stop = threading.Event()
        run = self.run(jobs, Control(stop.is_set), continues)
        stop.set()
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
    run = clerk.stopped([clerk.job(name) for name in LETTERS[:3]])
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


def test_what_was_seen_goes_for_another_day_no_more(clerk: Batches, monkeypatch: pytest.MonkeyPatch) -> None:
    run = clerk.stopped([clerk.job(LETTERS[0])])
    clerk.sign(run)
    with clerk.space.store.view() as view:
        rest = unfinished(view)
    assert rest is not None
    monkeypatch.setattr("signer_app.signing.engine.context_of", lambda *_of: "another day")
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
        assert (view.batches.unfinished(), view.batches.latest()) == ((), None)
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


def test_the_number_of_what_is_skipped_is_free_again(desk: Desk) -> None:
    with opened(desk) as space:
        clerk = Batches(desk, space, fit_to_sign(space, desk.agency, [Profile.AGENCY]))
        date = dt.date.fromisoformat(DAY)

        def numbered(letter: str, number: str, notation: str) -> DocumentJob:
            job = clerk.job(letter, number=number, notation=notation, date=date)
            files = tuple(msgspec.structs.replace(file, profile=Profile.AGENCY) for file in job.files)
            return msgspec.structs.replace(job, files=files)

        control = Control()
        run = clerk.run([numbered("cong-van.pdf", "1", "UBND-VP"), numbered("quyet-dinh.pdf", "5", "QĐ-UBND")], control)
        control.skip(1)
        assert clerk.states(clerk.sign(run)) == [FileState.SIGNED, FileState.SKIPPED]
        with space.store.view() as view:
            assert view.reservations.list() == ()


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
    monkeypatch.setattr("signer_app.signing.engine.processors", lambda: 1)
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
        run = clerk.stopped([clerk.job(LETTERS[0])])
        (file,) = clerk.sign(run).files
        assert space.store.blobs.has(file.sha256_in or "")
    answer = desk.call("resume", "--give-up")
    assert (answer.code, answer.documents) == (0, [])
    with desk.store() as store, store.view() as view:
        assert unfinished(view) is None
        assert not store.blobs.has(file.sha256_in or "")
    assert (desk.letters / LETTERS[0]).exists()


def test_what_is_in_a_hurry_is_held_against_the_room_on_the_disk_and_the_batch_goes_on(
    clerk: Batches, held: dict[str, threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    held[LETTERS[0]] = threading.Event()
    run = clerk.run([clerk.job(LETTERS[0])])
    with signing(clerk, run) as results:
        with monkeypatch.context() as full:
            full.setattr("signer_app.signing.free_space.shutil.disk_usage", lambda _folder: _Usage(1_000))
            with pytest.raises(KnownError) as refused:
                run.jump_in(clerk.job(LETTERS[4], urgency=Urgency.HOA_TOC))
        assert refused.value.code == "disk_space_short"
        held[LETTERS[0]].set()
    assert clerk.states(results[0]) == [FileState.SIGNED]


def test_what_is_in_a_hurry_and_bears_the_number_of_another_one_is_refused_and_told(
    desk: Desk,
) -> None:
    with opened(desk) as space:
        clerk = Batches(desk, space, fit_to_sign(space, desk.agency, [Profile.AGENCY]))
        date = dt.date.fromisoformat(DAY)

        def numbered(letter: str) -> DocumentJob:
            job = clerk.job(letter, number="5", notation="QĐ-UBND", date=date)
            files = tuple(msgspec.structs.replace(file, profile=Profile.AGENCY) for file in job.files)
            return msgspec.structs.replace(job, files=files)

        desk.letter("quyet-dinh.pdf")
        twin = desk.letters / "quyết định khác.pdf"
        twin.write_bytes((desk.letters / "quyet-dinh.pdf").read_bytes())
        control = Control()
        control.pause()
        run = clerk.run([numbered("quyet-dinh.pdf")], control)
        with signing(clerk, run) as results:
            assert run.jump_in(numbered(twin.name)).ready
            control.go_on()
        assert clerk.states(results[0]) == [FileState.SIGNED, FileState.REFUSED]
        assert results[0].files[1].code == "number_twice_in_batch"
        assert sorted(clerk.signed) == ["quyet-dinh.pdf", twin.name]


def test_what_jumps_in_during_a_pause_is_signed_first_and_after_a_stop_it_waits_with_the_rest(
    clerk: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signer_app.signing.engine._AHEAD", 0)
    monkeypatch.setattr("signer_app.signing.engine.processors", lambda: 1)
    urgent = clerk.job(LETTERS[4], urgency=Urgency.HOA_TOC)
    for stops in (True, False):
        stop = threading.Event()
        control = Control(stop.is_set)
        control.pause()
        if stops:
            run = clerk.run([clerk.job(name) for name in LETTERS[:2]], control)
        else:
            with clerk.space.store.view() as view:
                rest = unfinished(view)
            assert rest is not None
            assert [Path(job.files[0].path).name for job in rest.jobs] == [*LETTERS[:2], LETTERS[4]]
            run = clerk.run(list(rest.jobs[:2]), control, rest.batch.id)
        with signing(clerk, run) as results:
            assert run.jump_in(urgent).ready
            if stops:
                stop.set()
            else:
                control.go_on()
        if stops:
            assert (clerk.signed, results[0].counts) == ([], {FileState.PENDING: 3})
    assert clerk.signed[0] == LETTERS[4]
    assert clerk.states(results[0]) == [FileState.SIGNED] * 3


def test_to_skip_the_document_that_is_being_signed_comes_too_late(
    clerk: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, goes_on = threading.Event(), threading.Event()
    sign = TokenSession.sign

    def slow(session: TokenSession, data: bytes) -> bytes:
        begun.set()
        assert goes_on.wait(PATIENCE_S)
        return sign(session, data)

    monkeypatch.setattr(TokenSession, "sign", slow)
    control = Control()
    run = clerk.run([clerk.job(LETTERS[0])], control)
    with signing(clerk, run) as results:
        assert begun.wait(PATIENCE_S)
        control.skip(0)
        goes_on.set()
    assert clerk.states(results[0]) == [FileState.SIGNED]


def test_what_failed_is_signed_once_however_often_it_is_tried_again(
    clerk: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as sick:

        def fails(_task: object) -> object:
            raise KnownError("worker_timeout", seconds="120")

        sick.setattr(clerk.space.workers, "recheck", fails)
        failed = clerk.sign(clerk.run([clerk.job(LETTERS[0])]))
    assert clerk.states(failed) == [FileState.FAILED]
    with clerk.space.store.view() as view:
        rest = unfinished(view, failed.batch, failed=True)
    assert rest is not None
    jobs = [without_lost_copies(job, clerk.space.store.blobs.has) for job in rest.jobs]
    result = clerk.sign(clerk.run(jobs, continues=failed.batch))
    assert clerk.states(result) == [FileState.SIGNED]
    # Somebody has moved the copy away, so nothing on the disk tells.
    Path(result.files[0].output or "").unlink()
    with clerk.space.store.view() as view:
        for batch in (failed.batch, result.batch):
            again = unfinished(view, batch, failed=True)
            assert again is not None
            assert again.jobs == ()


def test_a_clock_that_is_set_back_while_it_runs_stops_the_batch_and_a_proved_one_goes_on(
    clerk: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signer_app.signing.engine._AHEAD", 0)
    monkeypatch.setattr("signer_app.signing.engine.processors", lambda: 1)
    now = clerk.space.now

    def turned() -> dt.datetime:
        return now() - dt.timedelta(hours=1 if clerk.signed else 0)

    run = clerk.run([clerk.job(name) for name in LETTERS[:3]])
    monkeypatch.setattr(clerk.space, "now", turned)
    # The parts of the run ask the workspace each time.
    result = clerk.sign(run)
    assert result.stopped is not None
    assert (result.stopped.code, clerk.states(result)) == (
        "clock_before_last_signature",
        [FileState.SIGNED, FileState.PENDING, FileState.PENDING],
    )
    monkeypatch.setattr(clerk.space, "now", now)
    with clerk.space.store.view() as view:
        rest = unfinished(view)
    assert rest is not None
    clerk.signed.clear()
    monkeypatch.setattr(clerk.space, "now", turned)
    run = clerk.run(list(rest.jobs), continues=rest.batch.id)
    clerk.space.clock.saw(now() - dt.timedelta(hours=1), now() - dt.timedelta(hours=1), TimeSource.SERVER)
    assert clerk.states(clerk.sign(run)) == [FileState.SIGNED] * 2


def test_a_mark_seen_late_takes_the_same_file_with_it_and_every_other_keeps_its_place(
    clerk: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signer_app.signing.engine._AHEAD", 0)
    monkeypatch.setattr("signer_app.signing.engine.processors", lambda: 1)
    recheck = clerk.space.workers.recheck

    seen: list[Recheck] = []

    def sees(task: Recheck) -> RecheckAnswer:
        seen.append(task)
        return msgspec.structs.replace(recheck(task), secret=len(seen) == 1)

    monkeypatch.setattr(clerk.space.workers, "recheck", sees)
    jobs = [clerk.job(LETTERS[0])]
    twin = clerk.desk.letters / "bản sao.pdf"
    twin.write_bytes((clerk.desk.letters / LETTERS[0]).read_bytes())
    run = clerk.run([*jobs, clerk.job(LETTERS[1]), clerk.job(twin.name), clerk.job(LETTERS[2])])
    result = clerk.sign(run)
    assert [(Path(file.input).name, file.state, file.code) for file in result.files] == [
        (LETTERS[0], FileState.FAILED, "secret"),
        (LETTERS[1], FileState.SIGNED, None),
        (twin.name, FileState.REFUSED, "secret"),
        (LETTERS[2], FileState.SIGNED, None),
    ]
    assert result.counts == {FileState.SIGNED: 2, FileState.FAILED: 1, FileState.REFUSED: 1}
    with clerk.space.store.view() as view:
        assert [row.input_path for row in view.batches.files(result.batch or "")] == [
            str(clerk.desk.letters / name) for name in (LETTERS[1], LETTERS[2])
        ]


def test_a_report_while_the_batch_runs_tells_each_file_as_it_stands(
    clerk: Batches, held: dict[str, threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    held[LETTERS[1]] = threading.Event()
    run = clerk.run([clerk.job(name) for name in LETTERS[:2]])
    one = threading.Event()
    monkeypatch.setattr(run, "_document_done", lambda _work: one.set())
    with signing(clerk, run):
        assert one.wait(PATIENCE_S)
        head = report_of(clerk.space.store)
        assert head is not None
        lines = list(report_lines(clerk.space.store, head.batch))
        assert (head.finished_at, head.counts) == (None, {FileState.SIGNED: 1, FileState.PENDING: 1})
        assert [line.state for line in lines] == [FileState.SIGNED, FileState.PENDING]
        held[LETTERS[1]].set()


def test_the_batch_begun_last_is_the_last_whatever_the_clock_says(
    clerk: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk.sign(clerk.stopped([clerk.job(LETTERS[0])]))
    now = clerk.space.now
    monkeypatch.setattr(clerk.space, "now", lambda: now() - dt.timedelta(days=30))
    second = clerk.sign(clerk.stopped([clerk.job(LETTERS[1])]))
    with clerk.space.store.view() as view:
        rest, latest = unfinished(view), view.batches.latest()
    assert rest is not None
    assert latest is not None
    assert (rest.batch.id, latest.id) == (second.batch, second.batch)


def test_a_fault_of_the_program_ends_the_batch_as_a_stop_does(clerk: Batches, monkeypatch: pytest.MonkeyPatch) -> None:
    recheck, seen = clerk.space.workers.recheck, list[Recheck]()

    def breaks(task: Recheck) -> RecheckAnswer:
        seen.append(task)
        if len(seen) == 1:
            raise ZeroDivisionError
        return recheck(task)

    monkeypatch.setattr(clerk.space.workers, "recheck", breaks)
    result = clerk.sign(clerk.run([clerk.job(name) for name in LETTERS[:3]]))
    assert result.stopped is not None
    assert (result.stopped.code, result.stopped.exit) == ("program_fault", 4)
    assert "breaks" in Path(str(result.stopped.params["file"])).read_text(encoding="utf-8")
    (failed,) = [file for file in result.files if file.state is FileState.FAILED]
    assert failed.code == "program_fault"
    with clerk.space.store.view() as view:
        signs = [entry.use.result for entry in view.journal.entries() if entry.use.action is JournalAction.SIGN]
        batch = view.batches.get(result.batch or "")
    # What had its signature was kept: no use of the key is untold.
    assert sorted(signs) == sorted(["program_fault", *["ok"] * result.counts.get(FileState.SIGNED, 0)])
    assert len(seen) == len(signs)
    assert batch is not None
    assert batch.stopped_code == "program_fault"


def test_a_fault_of_who_is_told_loses_nothing(clerk: Batches, monkeypatch: pytest.MonkeyPatch) -> None:
    run = clerk.run([clerk.job(name) for name in LETTERS[:2]])

    def breaks(_work: DocumentWork) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(run, "_document_done", breaks)
    result = clerk.sign(run)
    assert result.stopped is not None
    assert result.stopped.code == "program_fault"
    with clerk.space.store.view() as view:
        signs = [entry.use.result for entry in view.journal.entries() if entry.use.action is JournalAction.SIGN]
    assert signs == ["ok"] * result.counts.get(FileState.SIGNED, 0)
    assert FileState.FAILED not in result.counts


def test_what_lost_its_number_before_the_token_was_open_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(desk) as space:
        clerk = Batches(desk, space, fit_to_sign(space, desk.agency, [Profile.AGENCY]))
        job = clerk.job("quyet-dinh.pdf", number="5", notation="QĐ-UBND", date=dt.date.fromisoformat(DAY))
        files = tuple(msgspec.structs.replace(file, profile=Profile.AGENCY) for file in job.files)
        run = clerk.run([msgspec.structs.replace(job, files=files)])

        def taken(*_of: object) -> bool:
            raise KnownError("number_used", number="5/QĐ-UBND", date="20/11/2026")

        monkeypatch.setattr("signer_app.signing.number_keeping.NumberKeeping.keep", taken)
        assert clerk.states(clerk.sign(run)) == [FileState.REFUSED]
        assert clerk.signed == ["quyet-dinh.pdf"]


def test_one_failed_file_that_is_gone_keeps_no_other_from_being_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(desk) as space:
        clerk = Batches(desk, space, fit_to_sign(space, desk.agency, [Profile.PLAIN]))

        def fails(task: object) -> object:
            raise KnownError("worker_timeout", seconds="120")

        with monkeypatch.context() as broken:
            broken.setattr(space.workers, "recheck", fails)
            clerk.sign(clerk.run([clerk.job(name) for name in LETTERS[:2]]))
    (desk.letters / LETTERS[0]).unlink()
    answer = desk.call("resume", "--retry-failed", pin=CANARY_PIN)
    assert (answer.code, answer.states) == (1, ["refused", "signed"])


def test_a_refused_wish_for_a_broken_file_leaves_its_repaired_copy_to_another(desk: Desk) -> None:
    with opened(desk) as space:
        clerk = Batches(desk, space, fit_to_sign(space, desk.agency, [Profile.AGENCY]))
        (desk.letters / "hỏng.pdf").write_bytes(odd.junk_before(odd.plain()))
        plain = clerk.job("hỏng.pdf")
        (file,) = plain.files
        sealed = msgspec.structs.replace(file, profile=Profile.AGENCY, output=f"{file.output}.2.pdf")
        result = clerk.sign(clerk.run([plain, DocumentJob((sealed,))]))
        assert clerk.states(result) == [FileState.SIGNED, FileState.REFUSED]
        assert result.files[0].sha256_repaired is not None


class _Usage(NamedTuple):
    free: int


@contextmanager
def signing(clerk: Batches, run: SigningRun) -> Iterator[list[BatchResult]]:
    """The run is signed meanwhile, and has come to its end behind the block."""
    results: list[BatchResult] = []
    thread = threading.Thread(target=lambda: results.append(clerk.sign(run)))
    thread.start()
    yield results
    thread.join(PATIENCE_S)
    assert results
