"""From draft to signed document: one PIN, the plan that was seen, and the draft gone with the very same transaction."""

import datetime as dt
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from signer_app.outgoing.model import Changes, Row, State, Urgency
from signer_app.outgoing.outgoing import Outgoing
from signer_app.pdf.model import Finding, Profile, Severity
from signer_app.signing.batch import BatchResult, DocumentWork, Made, never
from signer_app.signing.carrying import Carrier
from signer_app.signing.certificates import SigningCertificate, fit_to_sign
from signer_app.signing.control import Control
from signer_app.signing.engine import Options, SigningRun
from signer_app.signing.jobs import seen_hash
from signer_app.signing.pipeline import Ride
from signer_app.signing.resume import unfinished
from signer_app.store.batches import Batches
from signer_app.store.model import JournalAction
from signer_app.store.store import Signing
from signer_app.tasks import Preflight, PreflightAnswer, Recheck, RecheckAnswer
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_token.model import Login, Pin
from tests.app.letters import Wording, write_letter
from tests.outgoing.conftest import opened
from tests.support.workspace import CANARY_PIN, ISSUED, Desk

PATIENCE_S = 20
LETTERS = {"quyet-dinh.pdf": "12", "thong-bao.pdf": "13", "ke-hoach.pdf": "14"}


@dataclass
class Clerk:
    """One who fills in the drafts and signs them in the open workspace."""

    desk: Desk
    space: Workspace
    outgoing: Outgoing
    chosen: SigningCertificate

    def bring_in(self, *letters: Path, receivers: tuple[str, ...] = ()) -> list[str]:
        """Brings letters in and fills in number, date and receivers; ids in the order of the letters."""
        assert self.outgoing.add(letters).left == ()
        ids = {row.draft.main.name: row.draft.id for row in self.outgoing.rows()}
        changes = {
            ids[letter.name]: Changes(number=LETTERS.get(letter.name, "20"), date=ISSUED, receivers=receivers)
            for letter in letters
            if letter.name in ids
        }
        self.outgoing.edit_many(changes)
        examined = self.outgoing.examine(changes, self.chosen)
        assert all(row.signable for row in examined.rows), [row.reasons for row in examined.rows]
        return list(changes)

    def sign(
        self,
        ids: Collection[str],
        *,
        send: bool = True,
        cancelled: Callable[[], bool] = never,
        document_done: Callable[[DocumentWork], None] | None = None,
        continues: str | None = None,
        stop_at_once: bool = False,
    ) -> BatchResult:
        """Signs drafts as the window does."""
        stop = threading.Event()
        with self.outgoing.signing(ids, send=send) as jobs:
            run = SigningRun(
                self.space,
                self.chosen,
                jobs,
                Options(level="b-b", send=send),
                preflights=self.outgoing.preflights,
                control=Control(lambda: stop.is_set() or cancelled()),
                document_done=document_done or self.outgoing.follow,
                continues=continues,
            )
            assert run.examine() == len(jobs), run.finish(None).files
            run.begin()
            if stop_at_once:
                stop.set()
            result = run.finish(run.sign_with(Login(Pin(CANARY_PIN))))
            # Read while the store is open.
            assert len(result.files) == result.total
        run.reported()
        return result


@contextmanager
def clerk_at(desk: Desk) -> Iterator[Clerk]:
    with opened(desk) as space:
        chosen = fit_to_sign(space, desk.agency, [Profile.AGENCY])
        yield Clerk(desk, space, Outgoing(space), chosen)


@pytest.fixture
def clerk(desk: Desk) -> Iterator[Clerk]:
    with clerk_at(desk) as clerk:
        yield clerk


def stops_after(clerk: Clerk, name: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], bool]:
    """The person stops as soon as the document `name` is kept; no other one is quicker than that."""
    store, carry = clerk.space.store, Carrier.carry
    kept, stopping = threading.Event(), threading.Event()
    first, commit = rows(clerk)[name].draft.main.blob, store.commit_signed

    def slow(carrier: Carrier, ride: Ride) -> tuple[Made, ...]:
        assert ride.work.main.job.blob == first or stopping.wait(PATIENCE_S)
        return carry(carrier, ride)

    def committed(signing: Signing, check: Callable[[], None]) -> None:
        commit(signing, check)
        kept.set()

    def cancelled() -> bool:
        if kept.is_set():
            stopping.set()
        return kept.is_set()

    monkeypatch.setattr(Carrier, "carry", slow)
    monkeypatch.setattr(store, "commit_signed", committed)
    return cancelled


def rows(clerk: Clerk) -> dict[str, Row]:
    return {row.draft.main.name: row for row in clerk.outgoing.rows()}


def test_a_draft_with_its_appendix_is_signed_from_its_copy_and_is_gone_with_the_same_transaction(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    main, appendix = clerk.desk.letter("to-trinh.pdf"), clerk.desk.letter("to-trinh-phu-luc.pdf")
    (draft_id,) = clerk.bring_in(main, appendix, receivers=("H77", "H77.02"))
    clerk.outgoing.edit(draft_id, Changes(urgency=Urgency.HOA_TOC, subject="Về việc đã sửa", signer="Người ký khác"))
    draft = clerk.outgoing.examine([draft_id], clerk.chosen).rows[0].draft
    main.unlink()
    appendix.unlink()
    asked: list[str] = []
    preflight, commit = clerk.space.workers.preflight, clerk.space.store.commit_signed

    def ask(task: Preflight) -> PreflightAnswer:
        asked.append(task.path)
        return preflight(task)

    monkeypatch.setattr(clerk.space.workers, "preflight", ask)

    def commit_and_look(signing: Signing, check: object) -> None:
        commit(signing, check)  # type: ignore[arg-type]
        with clerk.space.store.view() as view:
            assert (view.drafts.list(), len(view.documents.list())) == ((), 1)

    monkeypatch.setattr(clerk.space.store, "commit_signed", commit_and_look)

    result = clerk.sign([draft_id])

    assert (result.stopped, [file.state for file in result.files]) == (None, ["signed", "signed"])
    assert asked == []
    (document_id,) = {file.document for file in result.files}
    with clerk.space.store.view() as view:
        document = view.documents.get(document_id or "")
        files = view.documents.files(document_id or "")
        (packet,) = view.outbox.of_document(document_id or "")
    assert document is not None
    assert (document.label, document.urgency, document.subject) == ("20/TTr-UBND", Urgency.HOA_TOC, "Về việc đã sửa")
    assert (document.signer_name, document.type) == ("Người ký khác", "Tờ trình")
    assert (packet.urgency, packet.receivers) == (Urgency.HOA_TOC, ("H77", "H77.02"))
    assert [file.blob_in for file in files] == [file.blob for file in draft.files]
    folder = clerk.desk.letters / "Đã ký" / clerk.space.now().date().isoformat()
    assert sorted(path.name for path in folder.iterdir()) == sorted([main.name, appendix.name])
    (row,) = clerk.outgoing.rows()
    assert (row.state, [outcome.state for outcome in row.outcomes]) == (State.SIGNED, ["signed", "signed"])
    clerk.outgoing.forget_signed()
    assert clerk.outgoing.rows() == ()


def test_the_same_letter_again_is_warned_of_and_gets_a_name_of_its_own(clerk: Clerk) -> None:
    letter = clerk.desk.letter("quyet-dinh.pdf")
    clerk.sign(clerk.bring_in(letter))
    clerk.outgoing.forget_signed()
    clerk.outgoing.add([letter])
    (row,) = clerk.outgoing.rows()
    assert (row.proposal, [finding.code for finding in row.reasons]) == ("13", ["issued_before"])
    assert Path(row.draft.main.output).name == "quyet-dinh (2).pdf"
    used = clerk.outgoing.edit(row.draft.id, Changes(number="12", date=ISSUED))
    (finding,) = [finding for finding in used.reasons if finding.code == "number_used"]
    assert finding.params == {"number": "12/QĐ-UBND", "date": "20/11/2026"}
    assert clerk.outgoing.examine([row.draft.id], clerk.chosen).rows[0].state is State.REFUSED


def test_a_plan_that_was_not_seen_is_not_signed(clerk: Clerk) -> None:
    (draft_id,) = clerk.bring_in(clerk.desk.letter("quyet-dinh.pdf"))
    (job,) = clerk.outgoing.jobs([draft_id])
    (plan,) = rows(clerk)["quyet-dinh.pdf"].plans.values()
    assert (job.files[0].plan, plan.certificate) == (seen_hash(plan), clerk.desk.agency)
    moved = msgspec.structs.replace(job, date=dt.date(2026, 11, 21))
    run = SigningRun(clerk.space, clerk.chosen, [moved], Options(), preflights=clerk.outgoing.preflights)
    assert run.examine() == 0
    (file,) = run.finish(None).files
    assert (file.state, file.code, file.draft) == ("refused", "plan_changed", draft_id)
    assert clerk.space.store.blobs.has(job.files[0].blob or "")


def test_stopping_between_documents_keeps_what_is_signed_and_the_rest_is_gone_on_with(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = [desk.letter(name) for name in LETTERS]
    done: list[DocumentWork] = []
    with clerk_at(desk) as clerk:
        ids = clerk.bring_in(*letters)
        clerk.outgoing.edit(ids[1], Changes(urgency=Urgency.HOA_TOC))
        clerk.outgoing.examine([ids[1]], clerk.chosen)

        def followed(work: DocumentWork) -> None:
            done.append(work)
            clerk.outgoing.follow(work)
            # Nobody changes what is being signed.
            with pytest.raises(KnownError) as caught:
                clerk.outgoing.edit(ids[0], Changes(number="99"))
            assert caught.value.code == "out_being_signed"
            assert {name: row.state for name, row in rows(clerk).items()} == {
                "quyet-dinh.pdf": State.SIGNING,
                "thong-bao.pdf": State.SIGNED,
                "ke-hoach.pdf": State.SIGNING,
            }

        cancelled = stops_after(clerk, "thong-bao.pdf", monkeypatch)
        result = clerk.sign(ids, cancelled=cancelled, document_done=followed)
        assert len(done) == 1

    assert result.stopped is not None
    assert (result.stopped.code, [file.state for file in result.files]) == (
        "interrupted", ["signed", "pending", "pending"],
    )  # fmt: skip
    with clerk_at(desk) as clerk:
        with clerk.space.store.view() as view:
            rest = unfinished(view)
        assert rest is not None
        assert (rest.certificate, rest.drafts) == (desk.agency, (ids[0], ids[2]))
        clerk.outgoing.remove([ids[0]])
        clerk.outgoing.edit(ids[2], Changes(number="15"))
        with clerk.space.store.view() as view:
            rest = unfinished(view)
        assert rest is not None
        assert [(job.draft, job.number) for job in rest.jobs] == [(ids[2], "15")]
        clerk.outgoing.examine(rest.drafts, clerk.chosen)
        again = clerk.sign(rest.drafts, continues=rest.batch.id)
        assert [file.state for file in again.files] == ["signed"]
        with clerk.space.store.view() as view:
            assert (unfinished(view), view.drafts.list()) == (None, ())
            assert sorted(document.label or "" for document in view.documents.list()) == ["13/TB-UBND", "15/KH-UBND"]


def test_what_is_merged_waits_no_more_in_a_batch_that_stopped(clerk: Clerk) -> None:
    ids = clerk.bring_in(*[clerk.desk.letter(name) for name in list(LETTERS)[:2]])
    clerk.sign(ids, stop_at_once=True)
    clerk.outgoing.merge(ids, ids[0])
    with clerk.space.store.view() as view:
        rest = unfinished(view)
        assert rest is not None
        assert rest.drafts == (ids[0],)
        assert [(file.state, file.code) for file in view.batches.files(rest.batch.id)][1] == ("skipped", "out_merged")


def test_the_command_line_goes_on_with_what_the_window_began(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with clerk_at(desk) as clerk:
        ids = clerk.bring_in(desk.letter("quyet-dinh.pdf"), desk.letter("thong-bao.pdf"))
        clerk.sign(ids, cancelled=stops_after(clerk, "quyet-dinh.pdf", monkeypatch))
        with clerk.space.store.view() as view:
            assert (len(view.drafts.list()), len(view.documents.list())) == (1, 1)
    for letter in LETTERS:
        (desk.letters / letter).unlink(missing_ok=True)
    answer = desk.call("resume", pin=CANARY_PIN)
    assert (answer.code, answer.states) == (0, ["signed"])
    with opened(desk) as space, space.store.view() as view:
        assert (view.drafts.list(), len(view.documents.list())) == ((), 2)


def test_signing_alone_keeps_the_document_and_sends_nothing(clerk: Clerk) -> None:
    ids = clerk.bring_in(clerk.desk.letter("quyet-dinh.pdf"), receivers=("H77",))
    clerk.sign(ids, send=False)
    assert clerk.desk.packets() == ()


def test_a_mark_that_is_seen_only_at_the_end_takes_the_draft_and_its_copy_away(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (draft_id,) = clerk.bring_in(clerk.desk.letter("quyet-dinh.pdf"))
    blob = rows(clerk)["quyet-dinh.pdf"].draft.main.blob
    recheck = clerk.space.workers.recheck
    monkeypatch.setattr(
        clerk.space.workers, "recheck", lambda task: msgspec.structs.replace(recheck(task), secret=True)
    )
    result = clerk.sign([draft_id])
    assert [(file.state, file.code) for file in result.files] == [("failed", "secret")]
    assert clerk.outgoing.rows() == ()
    assert not clerk.space.store.blobs.has(blob)


def test_a_mark_that_is_seen_late_leaves_no_name_and_no_hash_in_any_batch(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked, other = clerk.desk.letters / "ke-hoach-4471.pdf", clerk.desk.letter("thong-bao.pdf")
    clerk.desk.letter("quyet-dinh.pdf").rename(marked)
    ids = clerk.bring_in(marked, other)
    blob = rows(clerk)[marked.name].draft.main.blob
    clerk.sign(ids, stop_at_once=True)
    recheck = clerk.space.workers.recheck

    def seen_late(task: Recheck) -> RecheckAnswer:
        return msgspec.structs.replace(recheck(task), secret=task.source.endswith(blob))

    monkeypatch.setattr(clerk.space.workers, "recheck", seen_late)
    result = clerk.sign(ids)
    assert sorted(file.state for file in result.files) == ["failed", "signed"]
    traces = marked.stem.encode(), blob.encode(), bytes.fromhex(blob)
    held = {path.name for path, data in clerk.desk.everything() if any(trace in data for trace in traces)}
    assert held <= {marked.name}
    with clerk.space.store.view() as view:
        assert unfinished(view) is None


def test_a_draft_that_an_examination_finds_secret_is_forgotten_by_batches_that_waited_for_it(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked = clerk.desk.letters / "ke-hoach-4471.pdf"
    clerk.desk.letter("quyet-dinh.pdf").rename(marked)
    ids = clerk.bring_in(marked)
    clerk.sign(ids, stop_at_once=True)
    preflight = clerk.space.workers.preflight
    secret = Finding("secret", Severity.REFUSED)

    def seen(task: Preflight) -> PreflightAnswer:
        answer = preflight(task)
        return msgspec.structs.replace(answer, result=msgspec.structs.replace(answer.result, findings=(secret,)))

    monkeypatch.setattr(clerk.space.workers, "preflight", seen)
    clerk.outgoing.edit(ids[0], Changes(number="77"))
    assert [left.error.code for left in clerk.outgoing.examine(ids, clerk.chosen).left] == ["secret"]
    held = {path.name for path, data in clerk.desk.everything() if marked.stem.encode() in data}
    assert held <= {marked.name}


def test_who_goes_on_sends_to_those_who_are_named_now_but_never_what_was_only_to_be_signed(clerk: Clerk) -> None:
    ids = clerk.bring_in(clerk.desk.letter("quyet-dinh.pdf"))
    for send, wanted in ((True, ("H77",)), (False, ())):
        clerk.outgoing.edit(ids[0], Changes(receivers=("H77.02",)))
        clerk.sign(ids, send=send, stop_at_once=True)
        clerk.outgoing.edit(ids[0], Changes(receivers=("H77",)))
        with clerk.space.store.view() as view:
            rest = unfinished(view)
        assert rest is not None
        assert ([job.receivers for job in rest.jobs], rest.send) == ([wanted], send)


def test_a_signing_that_fails_leaves_the_draft_with_the_reason(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    (draft_id,) = clerk.bring_in(clerk.desk.letter("quyet-dinh.pdf"))

    def fails(_task: object) -> None:
        raise KnownError("worker_timeout", seconds="120")

    monkeypatch.setattr(clerk.space.workers, "recheck", fails)
    clerk.sign([draft_id])
    (row,) = clerk.outgoing.rows()
    assert (row.state, row.reasons[0].code) == (State.REFUSED, "worker_timeout")
    assert clerk.space.store.blobs.has(row.draft.main.blob)
    with clerk.space.store.view() as view:
        (newest,) = view.journal.entries(1)
    # The key was used, though nothing came of it.
    assert (newest.use.action, newest.use.result, newest.use.number) == (JournalAction.SIGN, "worker_timeout", None)
    monkeypatch.undo()
    (row,) = clerk.outgoing.examine([draft_id], clerk.chosen).rows
    assert row.state is State.READY


def test_a_batch_that_cant_be_written_down_takes_no_number(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = clerk.bring_in(clerk.desk.letter("thong-bao.pdf"))
    numbers: list[int] = []

    def cut(batches: Batches, *_rows: object) -> None:
        with clerk.space.store.view() as view:
            numbers.append(len(view.reservations.list()))
        raise KnownError("disk_full", folder="x")

    monkeypatch.setattr(Batches, "begin", cut)
    with clerk.outgoing.signing(ids) as jobs:
        run = SigningRun(clerk.space, clerk.chosen, jobs, Options(level="b-b"), preflights=clerk.outgoing.preflights)
        assert run.examine() == 1
        stopped = run.sign_with(Login(Pin(CANARY_PIN)))
        run.finish(stopped)
    assert stopped is not None
    assert stopped.code == "disk_full"
    with clerk.space.store.view() as view:
        assert (numbers, view.reservations.list()) == ([1], ())


def test_what_was_looked_at_before_the_token_was_plugged_in_is_signed_if_it_looks_the_same(clerk: Clerk) -> None:
    (draft_id,) = clerk.bring_in(clerk.desk.letter("quyet-dinh.pdf"))
    clerk.outgoing.examine([draft_id], None)
    assert [file.state for file in clerk.sign([draft_id]).files] == ["signed"]


def test_what_is_refused_or_gone_is_not_handed_to_the_signing(clerk: Clerk) -> None:
    letter = write_letter(clerk.desk.letters / "chưa ký.pdf", Wording())
    clerk.outgoing.add([letter])
    (row,) = clerk.outgoing.rows()
    clerk.outgoing.examine([row.draft.id], clerk.chosen)
    for ids, code in (([row.draft.id], "out_not_ready"), (["no such draft"], "out_gone")):
        with pytest.raises(KnownError) as caught, clerk.outgoing.signing(ids):
            pass
        assert caught.value.code == code
    assert State.SIGNING not in {row.state for row in clerk.outgoing.rows()}
