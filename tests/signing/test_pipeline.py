"""Several documents on their way at once: the token's order, who is turned away, what is never handed out."""

import threading
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest

from signer_app.pdf.model import Profile
from signer_app.signing.batch import DocumentWork, Made
from signer_app.signing.jobs import DocumentJob, FileJob
from signer_app.signing.pipeline import LeftOutError, Pipeline, Ride, TurnedAwayError
from signer_app.store.model import FileRole, Urgency
from signer_resources.errors import KnownError

PATIENCE_S = 20


def letters(count: int, urgent: frozenset[int] = frozenset()) -> list[DocumentWork]:
    return [
        DocumentWork.of(
            DocumentJob(
                (FileJob(f"/in/{n}.pdf", f"/out/{n}.pdf", FileRole.MAIN, Profile.PLAIN),),
                urgency=Urgency.HOA_TOC if n in urgent else Urgency.NORMAL,
            )
        )
        for n in range(count)
    ]


def name(work: DocumentWork) -> str:
    return Path(work.main.job.path).stem


class Desk:
    """A token that notes for whom it signs, and documents that wait until they are let go."""

    def __init__(self, at_once: int = 4) -> None:
        self.signed: list[str] = []
        self.holds: dict[str, threading.Event] = {}
        self.reached: dict[str, threading.Event] = {}
        self.faults: dict[str, Exception] = {}
        self.twice: set[str] = set()
        self.stop = False
        self.paused = False
        self.skipped: set[int] = set()
        self.most = 0
        self._inside = 0
        self.line = Pipeline(
            self._sign,
            self._carry,
            at_once,
            lambda: self.stop,
            paused=lambda: self.paused,
            skips=lambda place: place in self.skipped,
        )

    def hold(self, key: str) -> threading.Event:
        self.reached[key] = threading.Event()
        self.holds[key] = threading.Event()
        return self.holds[key]

    def run(self, works: list[DocumentWork]) -> Generator[Ride, None, None]:
        coming = iter(works)
        return self.line.rides(lambda: next(coming, None))

    def _pause(self, key: str) -> None:
        if key in self.holds:
            self.reached[key].set()
            assert self.holds[key].wait(PATIENCE_S)

    def _sign(self, data: bytes) -> bytes:
        self._inside += 1
        self.most = max(self.most, self._inside)
        self.signed.append(data.decode())
        self._pause(f"token-{data.decode()}")
        self._inside -= 1
        return b"signature"

    def _carry(self, ride: Ride) -> tuple[Made, ...]:
        key = name(ride.work)
        self._pause(f"prepare-{key}")
        if key in self.faults:
            raise self.faults[key]
        ride.sign(key.encode())
        self._pause(f"between-{key}")
        if key in self.twice:
            ride.sign(f"{key}'".encode())
        self._pause(f"recheck-{key}")
        return ()


def test_the_token_signs_one_after_the_other_in_the_order_of_the_batch() -> None:
    desk = Desk()
    late = desk.hold("prepare-0")
    with closing(desk.run(letters(9))) as rides:
        threading.Timer(0.05, late.set).start()
        done = [name(ride.work) for ride in rides]

    assert desk.signed == [str(n) for n in range(9)]
    assert desk.most == 1
    assert sorted(done) == desk.signed


def test_a_slow_check_of_one_document_holds_up_no_other() -> None:
    desk = Desk()
    checked = desk.hold("recheck-0")
    with closing(desk.run(letters(5))) as rides:
        first = [name(next(rides).work) for _ in range(4)]
        checked.set()
        last = [name(ride.work) for ride in rides]

    assert (sorted(first), last) == (["1", "2", "3", "4"], ["0"])


def test_no_more_documents_are_on_their_way_than_allowed() -> None:
    desk, taken = Desk(at_once=3), 0
    works = letters(10)

    def take() -> DocumentWork | None:
        nonlocal taken
        if taken == len(works):
            return None
        taken += 1
        return works[taken - 1]

    with closing(desk.line.rides(take)) as rides:
        for done, _ride in enumerate(rides):
            assert taken <= done + 3
    assert taken == 10


def test_what_is_in_a_hurry_is_signed_next() -> None:
    desk = Desk(at_once=4)
    token = desk.hold("token-0")
    late = [desk.hold(f"prepare-{n}") for n in (1, 2, 3)]
    with closing(desk.run(letters(6, frozenset({3})))) as rides:

        def go() -> None:
            for event in desk.reached.values():
                assert event.wait(PATIENCE_S)
            for event in late:
                event.set()
            token.set()

        threading.Thread(target=go).start()
        list(rides)
    assert desk.signed[:3] == ["0", "3", "1"]


def test_between_two_signatures_of_one_document_the_token_signs_for_others() -> None:
    desk = Desk(at_once=2)
    desk.twice = {"0"}
    between = desk.hold("between-0")
    with closing(desk.run(letters(2))) as rides:
        assert name(next(rides).work) == "1"
        between.set()
        assert [ride.signatures for ride in rides] == [2]
    assert desk.signed == ["0", "1", "0'"]


def test_a_fault_of_one_document_is_its_own() -> None:
    desk = Desk()
    desk.faults["1"] = KnownError("worker_fault", detail="crash")
    with closing(desk.run(letters(4))) as rides:
        errors = {name(ride.work): ride.error for ride in rides}

    assert desk.signed == ["0", "2", "3"]
    assert [key for key, error in errors.items() if error is not None] == ["1"]


def test_when_somebody_cancels_what_has_its_signature_comes_to_its_end_and_nothing_else_begins() -> None:
    desk = Desk(at_once=3)
    desk.twice = {"0"}
    between, late = desk.hold("between-0"), desk.hold("prepare-1")

    def cancel() -> None:
        assert desk.reached["between-0"].wait(PATIENCE_S)
        assert desk.reached["prepare-1"].wait(PATIENCE_S)
        desk.stop = True
        while not desk.line.was_cancelled:
            threading.Event().wait(0.01)
        late.set()
        between.set()

    threading.Thread(target=cancel).start()
    with closing(desk.run(letters(9))) as rides:
        done = [(name(ride.work), ride.signatures) for ride in rides]

    assert desk.signed[0] == "0"
    assert desk.signed[-1] == "0'"
    assert done == [("0", 2)]
    assert desk.line.was_cancelled


def test_once_the_token_has_ended_nobody_signs_any_more() -> None:
    desk = Desk(at_once=3)
    desk.twice = {"1"}
    between = desk.hold("between-1")
    with closing(desk.run(letters(9))) as rides:
        assert name(next(rides).work) == "0"
        assert desk.reached["between-1"].wait(PATIENCE_S)
        desk.line.break_off()
        between.set()
        left = [(name(ride.work), ride.signatures, ride.error) for ride in rides]

    assert "1'" not in desk.signed
    # What had its only signature comes back whole; the one between its two comes back as turned away.
    assert [(key, count) for key, count, error in left if error is not None] == [("1", 1)]


def test_when_the_reader_gives_up_no_thread_is_left() -> None:
    desk, before = Desk(at_once=3), threading.active_count()
    rides = desk.run(letters(9))
    next(rides)
    rides.close()
    assert threading.active_count() == before
    desk.line.gate.expect((True, 99))
    with pytest.raises(TurnedAwayError), desk.line.gate.turn((True, 99)):
        raise AssertionError


def test_a_pause_holds_what_was_handed_out_and_what_has_a_signature_comes_to_its_end() -> None:
    desk = Desk(at_once=3)
    desk.twice = {"0"}
    between = desk.hold("between-0")
    late = [desk.hold(f"prepare-{n}") for n in (1, 2)]
    with closing(desk.run(letters(5))) as rides:

        def pause() -> None:
            for event in desk.reached.values():
                assert event.wait(PATIENCE_S)
            desk.paused = True
            for event in late:
                event.set()
            between.set()

        threading.Thread(target=pause).start()
        assert name(next(rides).work) == "0"
        assert desk.signed == ["0", "0'"]
        desk.paused = False
        assert len(list(rides)) == 4
    assert desk.signed[2:] == ["1", "2", "3", "4"]


def test_what_is_left_out_before_its_turn_at_the_token_gets_no_signature() -> None:
    desk = Desk(at_once=3)
    works = letters(3)
    for place, work in enumerate(works):
        work.place = place
    token = desk.hold("token-0")
    with closing(desk.run(works)) as rides:

        def skip() -> None:
            assert desk.reached["token-0"].wait(PATIENCE_S)
            desk.skipped = {0, 1}
            token.set()

        threading.Thread(target=skip).start()
        errors = {name(ride.work): type(ride.error) for ride in rides}
    assert desk.signed == ["0", "2"]
    assert errors == {"0": type(None), "1": LeftOutError, "2": type(None)}
