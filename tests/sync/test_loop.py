"""Pass after pass: when the loop rests, what rouses it, and that nothing waits for a list that is held open."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise

import pytest

from signer_resources.errors import KnownError
from signer_sync.backoff import MAX_DELAY
from signer_sync.contract import MAX_WAIT, FeedType, Problem, Retry
from signer_sync.errors import ExchangeError, Scope, from_problem
from signer_sync.loop import IDLE_SECONDS, TICK_SECONDS, keep_exchanging, sync_once
from signer_sync.packets import Arrival, ArrivalPage, OutgoingPacket
from signer_sync.ports import Traits
from signer_sync.reports import SyncReport, Watching
from signer_sync.waking import Call, Wake
from tests.sync.stores import NOON, HandClock, MemoryInbox, MemoryOutbox, ScriptedChannel, waiting_packet


def away() -> ExchangeError:
    return ExchangeError("server_unreachable", retry=Retry.AFTER, unreachable=True, host="h")


class HandWake(Wake):
    """Rests by moving the clock; after each rest a test may call."""

    def __init__(self, clock: HandClock, meanwhile: Callable[[float], Call] = lambda _seconds: Call.NOTHING) -> None:
        super().__init__()
        self._clock = clock
        self._meanwhile = meanwhile

    def wait(self, seconds: float) -> Call:
        self._clock.sleep(seconds)
        return self._meanwhile(self._clock.seconds)


class Passes:
    """Runs the loop by hand for some passes; when each began, and its report."""

    def __init__(self, channel: ScriptedChannel, outbox: MemoryOutbox, inbox: MemoryInbox | None = None) -> None:
        self.channel = channel
        self.outbox = outbox
        self.inbox = inbox or MemoryInbox()
        self.clock = HandClock()
        self.began: list[float] = []
        self.reports: list[SyncReport] = []
        self.meanwhile: Callable[[float], Call] = lambda _seconds: Call.NOTHING

    def run(self, count: int) -> list[float]:
        wake = HandWake(self.clock, lambda seconds: Call.STOP if len(self.began) >= count else self.meanwhile(seconds))

        def told(report: SyncReport) -> None:
            self.began.append(self.clock.seconds)
            self.reports.append(report)

        keep_exchanging(self.channel, self.outbox, self.inbox, self.clock.around, wake, told)
        return self.began


# -- one pass ----------------------------------------------------------------------------------------------


def test_a_server_that_is_away_touches_no_packet_and_is_told() -> None:
    channel, outbox = ScriptedChannel(), MemoryOutbox([waiting_packet()])
    channel.away = away()
    report = sync_once(channel, outbox, MemoryInbox(), HandClock().around)
    assert (report.unreachable, report.waiting, report.sent) == ("server_unreachable", 1, 0)
    assert outbox.log == []


def test_a_server_that_takes_no_more_from_us_is_still_asked_what_it_has() -> None:
    channel, outbox = ScriptedChannel(), MemoryOutbox([waiting_packet()])
    busy = ExchangeError("server_busy", retry=Retry.AFTER, scope=Scope.SERVER, host="h", reason="quota")
    channel.script = lambda _packet: busy
    channel.announce(b"a")
    report = sync_once(channel, outbox, MemoryInbox(), HandClock().around)
    assert (report.unreachable, report.received, report.waiting) == ("server_busy", 1, 1)


def test_a_line_that_breaks_while_sending_ends_the_pass() -> None:
    channel, outbox = ScriptedChannel(), MemoryOutbox([waiting_packet()])

    def breaks(_packet: OutgoingPacket) -> ExchangeError:
        channel.away = away()
        return away()

    channel.script = breaks
    assert sync_once(channel, outbox, MemoryInbox(), HandClock().around).unreachable == "server_unreachable"
    assert channel.lists == []


def test_a_pass_that_is_cancelled_says_so_and_is_no_failure() -> None:
    channel, outbox = ScriptedChannel(), MemoryOutbox([waiting_packet()])
    report = sync_once(channel, outbox, MemoryInbox(), HandClock().around, watching=Watching(cancelled=lambda: True))
    assert (report.cancelled, report.stopped, report.waiting) == (True, None, 1)


# -- pass after pass ---------------------------------------------------------------------------------------


def test_while_the_server_is_away_the_loop_waits_longer_and_longer_up_to_the_ceiling() -> None:
    passes = Passes(ScriptedChannel(), MemoryOutbox())
    passes.channel.away = away()
    began = passes.run(12)
    rests = [later - earlier for earlier, later in pairwise(began)]
    assert rests[:4] == [5, 10, 20, 40]
    assert rests[-1] == MAX_DELAY


def test_a_server_that_asks_for_time_is_left_alone_so_long() -> None:
    passes = Passes(ScriptedChannel(), MemoryOutbox())
    passes.channel.away = from_problem(Problem(status=503, code="unavailable", retry="after"), 503, 400.0, "h")
    assert passes.run(2) == [0, 400]


@pytest.mark.parametrize("call", [Call.WORK, Call.OPEN, Call.NOW])
def test_a_call_is_heard_at_once_and_begins_the_delays_anew(call: Call) -> None:
    passes = Passes(ScriptedChannel(), MemoryOutbox())
    passes.channel.away = away()
    passes.meanwhile = lambda _seconds: call if len(passes.began) == 4 else Call.NOTHING
    began = passes.run(6)
    assert [later - earlier for earlier, later in pairwise(began)] == [5, 10, 20, TICK_SECONDS, 5]


def test_when_all_is_well_it_rests_until_something_comes_due() -> None:
    outbox = MemoryOutbox([packet := waiting_packet()])
    outbox.held_until[packet.packet_id] = NOON + timedelta(minutes=2)
    began = Passes(ScriptedChannel(), outbox).run(3)
    assert began == [0, 120, 120 + IDLE_SECONDS]
    assert list(outbox.proofs) == [packet.packet_id]


def test_one_packet_that_is_refused_again_and_again_makes_no_busy_loop() -> None:
    passes = Passes(ScriptedChannel(), MemoryOutbox([waiting_packet()]))
    passes.channel.script = lambda _packet: ExchangeError("server_refused", retry=Retry.AFTER)
    assert passes.run(5) == [0, 5, 15, 35, 75]


def test_another_network_ends_delays_but_no_hold_and_send_now_ends_both() -> None:
    failed, held = waiting_packet(), waiting_packet()
    for call, sent in ((Call.WORK, 0), (Call.OPEN, 1), (Call.NOW, 2)):
        outbox = MemoryOutbox([failed, held])
        passes = Passes(ScriptedChannel(), outbox)

        def later(outbox: MemoryOutbox = outbox, call: Call = call) -> Call:
            outbox.not_before[failed.packet_id] = outbox.held_until[held.packet_id] = NOON + timedelta(hours=1)
            return call

        outbox.held_until[failed.packet_id] = outbox.held_until[held.packet_id] = NOON + timedelta(hours=1)
        passes.meanwhile = lambda _seconds, later=later, outbox=outbox: (  # type: ignore[misc]
            outbox.held_until.pop(failed.packet_id, None),
            later(),
        )[1]
        passes.run(2)
        assert len(outbox.proofs) == sent


def test_a_clock_that_is_set_back_leaves_no_packet_waiting_for_a_far_day() -> None:
    passes = Passes(ScriptedChannel(), MemoryOutbox([waiting_packet()]))
    refused = [ExchangeError("server_refused", retry=Retry.AFTER)]
    passes.channel.script = lambda _packet: refused.pop() if refused else None

    def set_back(_seconds: float) -> Call:
        passes.clock.wall -= timedelta(days=365)
        return Call.NOTHING

    passes.meanwhile = set_back
    assert passes.run(2) == [0, TICK_SECONDS]
    assert passes.outbox.log.count("forget_delays") == 2
    assert len(passes.outbox.proofs) == 1


def test_what_cannot_be_fetched_yet_is_tried_again_soon_and_less_and_less_often() -> None:
    passes = Passes(ScriptedChannel(), MemoryOutbox())
    passes.channel.announce(ExchangeError("server_refused", retry=Retry.AFTER, unreachable=True))
    assert passes.run(4) == [0, 5, 15, 35]


def test_a_fault_of_the_store_is_told_and_does_not_end_the_loop() -> None:
    broken = [True]

    def full(_step: str, _packet_id: str) -> None:
        if broken.pop() if broken else False:
            raise KnownError("disk_full", folder="d")

    passes = Passes(ScriptedChannel(), MemoryOutbox([waiting_packet()], step=full))
    passes.run(2)
    assert [report.unreachable for report in passes.reports] == ["disk_full", None]
    assert len(passes.outbox.proofs) == 1


# -- the list that is held open ----------------------------------------------------------------------------


class Held(ScriptedChannel):
    """Its list, if asked to wait, is held until a test lets go."""

    def __init__(self) -> None:
        super().__init__(Traits("held", idempotent=True, receipts=False, side_by_side=2, long_poll=True))
        self.held: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[KnownError | None] = queue.SimpleQueue()

    def list(self, cursor: str | None, *, limit: int, wait: int) -> ArrivalPage:
        if wait:
            assert wait <= MAX_WAIT
            self.held.put(cursor)
            if (error := self.answers.get(timeout=30)) is not None:
                raise error
        return super().list(cursor, limit=limit, wait=0)


@contextmanager
def exchanging(
    channel: Held, outbox: MemoryOutbox, inbox: MemoryInbox
) -> Iterator[tuple[Wake, "queue.Queue[SyncReport]"]]:
    """The loop on a thread of its own, in real time; ends it, and the list it holds."""
    wake, reports = Wake(), queue.Queue[SyncReport]()
    clock = HandClock()
    thread = threading.Thread(
        target=keep_exchanging, args=(channel, outbox, inbox, clock.around, wake, reports.put), name="exchange"
    )
    thread.start()
    try:
        yield wake, reports
    finally:
        wake.call(Call.STOP)
        thread.join(30)
        assert not thread.is_alive(), "stopping waits for no list that is held open"
        channel.answers.put(None)


def test_what_is_queued_leaves_while_the_list_is_held_open() -> None:
    channel, outbox, inbox = Held(), MemoryOutbox(), MemoryInbox()
    with exchanging(channel, outbox, inbox) as (wake, reports):
        assert reports.get(timeout=30).sent == 0
        channel.held.get(timeout=30)
        outbox.packets.append(waiting_packet(urgency=3))
        wake.call(Call.WORK)
        assert reports.get(timeout=30).sent == 1
        assert channel.answers.empty()
        assert channel.held.empty(), "one list is held open at a time"


def test_what_comes_in_is_taken_as_soon_as_the_list_says_so() -> None:
    channel, outbox, inbox = Held(), MemoryOutbox(), MemoryInbox()
    with exchanging(channel, outbox, inbox) as (_wake, reports):
        reports.get(timeout=30)
        for number in (0, 1):
            assert channel.held.get(timeout=30) == str(number)
            channel.announce(b"%d" % number)
            channel.answers.put(None)
            assert reports.get(timeout=30).received == 1
    assert len(inbox.kept) == 2


def test_a_doorbell_that_rings_for_nothing_makes_no_busy_loop() -> None:
    class Liar(Held):
        def list(self, cursor: str | None, *, limit: int, wait: int) -> ArrivalPage:
            if wait:
                self.held.put(cursor)
                return ArrivalPage((Arrival("ghost", FeedType.PACKET),), "0")
            return super().list(cursor, limit=limit, wait=wait)

    channel, outbox, inbox = Liar(), MemoryOutbox(), MemoryInbox()
    with exchanging(channel, outbox, inbox) as (wake, reports):
        for _ in range(2):
            reports.get(timeout=30)
        channel.held.get(timeout=30)
        wake.call(Call.NEWS)  # even so: the list isn't held open again before its delay is over
        reports.get(timeout=30)
        assert channel.held.empty()


def test_a_line_that_breaks_under_the_held_list_is_met_by_the_next_pass() -> None:
    channel, outbox, inbox = Held(), MemoryOutbox(), MemoryInbox()
    with exchanging(channel, outbox, inbox) as (_wake, reports):
        reports.get(timeout=30)
        channel.held.get(timeout=30)
        channel.away = away()
        channel.answers.put(away())
        assert reports.get(timeout=30).unreachable == "server_unreachable"


def test_calls_add_up_until_they_are_heard_and_a_stop_stays() -> None:
    wake = Wake()
    wake.call(Call.WORK)
    wake.call(Call.NOW)
    assert wake.wait(0) == Call.WORK | Call.NOW
    assert wake.wait(0) == Call.NOTHING
    wake.call(Call.STOP)
    assert wake.stopped
    assert [wake.wait(0), wake.wait(0)] == [Call.STOP, Call.STOP]
