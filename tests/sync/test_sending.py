"""What becomes of packets, class by class. The other side is scripted; real ones are met in the other files."""

import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from signer_resources.errors import KnownError
from signer_sync import sending
from signer_sync.contract import JournalHead, Problem, Retry
from signer_sync.errors import ExchangeError, Scope, from_problem
from signer_sync.packets import OutgoingPacket
from signer_sync.ports import Sought, Traits
from signer_sync.reports import CancelledError, Outcome, PacketResult, Watching
from signer_sync.sending import REFRESH_SECONDS, send_due
from tests.sync.stores import HandClock, MemoryOutbox, Script, ScriptedChannel, waiting_packet

ONE_BY_ONE = Traits("scripted", idempotent=True, receipts=False)
LOSSY = Traits("lossy", idempotent=False, receipts=False)


def lost() -> ExchangeError:
    return ExchangeError("server_unreachable", retry=Retry.AFTER, unreachable=True, host="h")


def refusal(retry: Retry, code: str = "packet_refused") -> ExchangeError:
    return ExchangeError(code, retry=retry, reason="r")


def busy(retry_after: float | None) -> ExchangeError:
    return from_problem(Problem(status=503, code="unavailable", retry="after"), 503, retry_after, "máy chủ")


def send(
    channel: ScriptedChannel,
    outbox: MemoryOutbox,
    clock: HandClock | None = None,
    *,
    at_once: bool = False,
    watching: Watching | None = None,
) -> dict[str, tuple[Outcome, str | None]]:
    results: list[PacketResult] = []
    try:
        send_due(channel, outbox, (clock or HandClock()).around, results, at_once=at_once, watching=watching)
    finally:
        told = {result.packet_id: (result.outcome, result.code) for result in results}
        assert len(told) == len(results), "a packet is told once in a pass"
    return told


def failing(packet: OutgoingPacket, error: BaseException) -> Script:
    return lambda tried: error if tried.packet_id == packet.packet_id else None


def test_urgent_packets_go_first_then_the_oldest() -> None:
    young, old, urgent = waiting_packet(minute=2), waiting_packet(), waiting_packet(urgency=3, minute=3)
    outbox = MemoryOutbox([young, old, urgent])
    send(ScriptedChannel(ONE_BY_ONE), outbox)
    assert outbox.order() == [urgent.packet_id, old.packet_id, young.packet_id]


def test_each_packet_carries_the_journals_head_and_its_bytes_are_told() -> None:
    outbox, channel, moved = MemoryOutbox([waiting_packet(size=7)]), ScriptedChannel(), []
    send(channel, outbox, watching=Watching(moved=lambda packet_id, count: moved.append((packet_id, count))))
    assert channel.heads == [JournalHead(7, "07" * 32)]
    assert moved == [(outbox.packets[0].packet_id, 7)]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (refusal(Retry.FIX), Outcome.NEEDS_PERSON),
        (refusal(Retry.REAUTH), Outcome.NEEDS_PERSON),
        (refusal(Retry.NEVER), Outcome.FAILED),
        (refusal(Retry.AFTER), Outcome.RETRYING),
        (refusal(Retry.NOW), Outcome.RETRYING),
        (lost(), Outcome.RETRYING),
        (KnownError("disk_full", folder="d"), Outcome.NEEDS_PERSON),
    ],
)
def test_a_packet_that_cannot_be_sent_ends_by_its_class_and_does_not_hold_up_the_others(
    error: KnownError, outcome: Outcome
) -> None:
    bad, good = waiting_packet(urgency=4), waiting_packet()
    outbox, channel = MemoryOutbox([bad, good]), ScriptedChannel()
    channel.script = failing(bad, error)
    told = send(channel, outbox)
    assert told == {bad.packet_id: (outcome, error.code), good.packet_id: (Outcome.ACCEPTED, None)}
    assert (bad.packet_id in outbox.stuck) == (outcome in (Outcome.NEEDS_PERSON, Outcome.FAILED))
    assert (bad.packet_id in outbox.not_before) == (outcome is Outcome.RETRYING)


def test_a_refusal_of_class_now_is_repeated_at_once_and_only_once() -> None:
    packet = waiting_packet()
    for refusals in (1, 2):
        outbox, channel, left = MemoryOutbox([packet]), ScriptedChannel(), [refusal(Retry.NOW)] * refusals
        channel.script = lambda _packet, left=left: left.pop() if left else None  # type: ignore[misc]
        told = send(channel, outbox)
        assert len(channel.submitted) == 2
        assert (told[packet.packet_id][0] is Outcome.ACCEPTED) == (refusals == 1)


def test_a_lost_answer_leaves_the_packet_uncertain_until_an_answer_counts() -> None:
    clock, packet = HandClock(), waiting_packet()
    outbox, channel = MemoryOutbox([packet]), ScriptedChannel()
    errors: list[KnownError] = [lost(), refusal(Retry.AFTER)]
    channel.script = lambda _packet: errors.pop(0) if errors else None
    for uncertain in (True, True):
        send(channel, outbox, clock, at_once=True)
        assert outbox.packet(packet.packet_id).uncertain is uncertain
    assert send(channel, outbox, clock, at_once=True)[packet.packet_id][0] is Outcome.ACCEPTED


@pytest.mark.parametrize(("asked", "waits"), [(120.0, 120.0), (1.0, 5.0), (1e9, 3600.0), (None, 5.0)])
def test_a_server_that_asks_for_time_gets_it_within_reason(asked: float | None, waits: float) -> None:
    clock, outbox, channel = HandClock(), MemoryOutbox([waiting_packet()]), ScriptedChannel()
    channel.script = lambda _packet: busy(asked)
    with pytest.raises(ExchangeError, match="busy"):
        send(channel, outbox, clock)
    assert list(outbox.not_before.values()) == [clock.wall + timedelta(seconds=waits)]


def test_trouble_with_the_whole_server_ends_the_pass_and_says_nothing_against_the_packets() -> None:
    packets = [waiting_packet(minute=minute) for minute in range(6)]
    outbox, channel = MemoryOutbox(packets), ScriptedChannel(ONE_BY_ONE)
    revoked = ExchangeError("device_revoked", retry=Retry.FIX, scope=Scope.SERVER, host="h", reason="r")
    channel.script = failing(packets[1], revoked)
    with pytest.raises(ExchangeError, match="revoked"):
        send(channel, outbox)
    assert len(outbox.proofs) == 1
    assert outbox.order() == [packet.packet_id for packet in packets[:2]]
    assert outbox.stuck == {}


def test_a_cut_line_asks_whether_the_server_is_there_before_the_next_packet_goes() -> None:
    packets = [waiting_packet(minute=minute) for minute in range(3)]
    outbox, channel = MemoryOutbox(packets), ScriptedChannel(ONE_BY_ONE)
    channel.script = failing(packets[0], lost())
    send(channel, outbox)
    assert (channel.contacts, len(outbox.proofs)) == (1, 2)
    outbox, channel.away = MemoryOutbox(packets), lost()
    with pytest.raises(ExchangeError):
        send(channel, outbox)
    assert len(outbox.order()) == 1


def test_a_fault_of_the_program_in_one_packet_stops_no_other_and_is_not_hidden() -> None:
    bad, good = waiting_packet(urgency=3), waiting_packet()
    outbox, channel = MemoryOutbox([bad, good]), ScriptedChannel(ONE_BY_ONE)
    channel.script = failing(bad, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        send(channel, outbox)
    assert list(outbox.proofs) == [good.packet_id]
    assert outbox.log.count(f"retry {bad.packet_id} sending_fault") == 1
    assert outbox.packet(bad.packet_id).uncertain


def test_what_a_person_takes_back_in_the_middle_does_not_leave() -> None:
    first, second = waiting_packet(), waiting_packet(minute=1)
    outbox, channel = MemoryOutbox([first, second]), ScriptedChannel(ONE_BY_ONE)

    def withdraw(_packet: OutgoingPacket) -> None:
        outbox.withdrawn.add(second.packet_id)

    channel.script = withdraw
    send(channel, outbox)
    assert channel.submitted == [first.packet_id]


def test_an_urgent_packet_queued_in_the_middle_waits_for_none_of_the_others() -> None:
    clock, urgent = HandClock(), waiting_packet(urgency=3)
    outbox = MemoryOutbox([waiting_packet(minute=minute) for minute in range(4)])
    channel = ScriptedChannel(ONE_BY_ONE)

    def slow(_packet: OutgoingPacket) -> None:
        clock.sleep(REFRESH_SECONDS + 1)
        if len(channel.submitted) == 1:
            outbox.packets.append(urgent)

    channel.script = slow
    send(channel, outbox, clock)
    assert outbox.order().index(urgent.packet_id) == 1
    assert len(outbox.proofs) == 5


def test_an_urgent_packet_does_not_even_wait_for_the_large_ones_on_their_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "REFRESH_SECONDS", 0.01)
    urgent, outbox = waiting_packet(urgency=3), MemoryOutbox([waiting_packet(), waiting_packet(minute=1)])
    channel, urgent_left = ScriptedChannel(), threading.Event()

    def hold(packet: OutgoingPacket) -> None:
        if packet.packet_id == urgent.packet_id:
            urgent_left.set()
            return
        if len(channel.submitted) == 2:
            outbox.packets.append(urgent)
        assert urgent_left.wait(30)

    channel.script = hold
    around = replace(HandClock().around, monotonic=time.monotonic)
    send_due(channel, outbox, around, [])
    assert len(outbox.proofs) == 3


def test_each_packet_is_tried_once_in_a_pass_even_if_all_delays_are_looked_over() -> None:
    clock, outbox, channel = HandClock(), MemoryOutbox([waiting_packet(), waiting_packet(minute=1)]), ScriptedChannel()

    def slow_refusal(_packet: OutgoingPacket) -> ExchangeError:
        clock.sleep(2 * REFRESH_SECONDS)
        return refusal(Retry.AFTER)

    channel.script = slow_refusal
    send(channel, outbox, clock, at_once=True)
    assert len(channel.submitted) == 2


def test_a_pass_that_is_cancelled_sees_what_left_to_its_end_and_begins_no_more() -> None:
    outbox, channel = MemoryOutbox([waiting_packet(minute=minute) for minute in range(4)]), ScriptedChannel()
    done: list[tuple[int, int]] = []
    watching = Watching(progress=lambda *step: done.append(step), cancelled=lambda: len(outbox.order()) == 2)
    with pytest.raises(CancelledError):
        send(channel, outbox, watching=watching)
    assert len(channel.submitted) == len(outbox.proofs) == 2
    assert done[-1] == (2, 4)


def test_a_full_disk_ends_the_pass_and_what_left_before_is_written_down() -> None:
    packets = [waiting_packet(minute=minute) for minute in range(3)]

    def full(step: str, packet_id: str) -> None:
        if (step, packet_id) == ("sending", packets[1].packet_id):
            raise KnownError("disk_full", folder="d")

    outbox = MemoryOutbox(packets, step=full)
    with pytest.raises(KnownError, match="full"):
        send(ScriptedChannel(), outbox)
    assert list(outbox.proofs) == [packets[0].packet_id]


# -- side by side ------------------------------------------------------------------------------------------


def test_packets_go_side_by_side_and_more_of_them_while_answers_are_quick() -> None:
    outbox = MemoryOutbox([waiting_packet(minute=minute) for minute in range(30)])
    channel = ScriptedChannel(Traits("wide", idempotent=True, receipts=False, side_by_side=3))
    together = threading.Barrier(3)

    def meet(packet: OutgoingPacket) -> None:
        # after the first round three are on their way, or this waits in vain
        if outbox.order().index(packet.packet_id) in (27, 28, 29):
            together.wait(20)

    channel.script = meet
    send(channel, outbox)
    assert len(outbox.proofs) == 30


def test_a_channel_that_takes_one_at_a_time_gets_one_at_a_time() -> None:
    outbox, channel = MemoryOutbox([waiting_packet(minute=minute) for minute in range(5)]), ScriptedChannel(ONE_BY_ONE)
    inside = threading.Lock()

    def alone(_packet: OutgoingPacket) -> None:
        assert inside.acquire(blocking=False)
        inside.release()

    channel.script = alone
    send(channel, outbox)
    assert outbox.log == [f"{step} {packet.packet_id}" for packet in outbox.packets for step in ("sending", "accepted")]


# -- channels that could double a packet -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "submitted", "end"),
    [
        (Sought.THERE, 0, (Outcome.ACCEPTED, None)),
        (Sought.ABSENT, 1, (Outcome.ACCEPTED, None)),
        (Sought.UNKNOWN, 0, (Outcome.NEEDS_PERSON, "outcome_undecided")),
    ],
)
def test_an_uncertain_packet_is_looked_for_before_it_is_handed_over_again(
    found: Sought, submitted: int, end: tuple[Outcome, str | None]
) -> None:
    packet, other = waiting_packet(uncertain=True, attempts=1), waiting_packet()
    outbox, channel = MemoryOutbox([packet, other]), ScriptedChannel(LOSSY)
    channel.found[packet.packet_id] = found
    told = send(channel, outbox, at_once=True)
    assert told == {packet.packet_id: end, other.packet_id: (Outcome.ACCEPTED, None)}
    assert channel.submitted.count(packet.packet_id) == submitted


def test_after_a_lost_answer_such_a_channel_is_not_given_the_packet_again_not_even_for_send_now() -> None:
    packet = waiting_packet()
    outbox, channel = MemoryOutbox([packet]), ScriptedChannel(LOSSY)
    channel.found[packet.packet_id] = Sought.UNKNOWN
    channel.script = lambda _packet: lost()
    send(channel, outbox)
    assert outbox.packet(packet.packet_id).uncertain
    for _ in range(3):
        send(channel, outbox, at_once=True)
    assert channel.submitted == [packet.packet_id]
    assert outbox.stuck == {packet.packet_id: "needs_person outcome_undecided"}


def test_a_class_now_without_an_answer_is_not_repeated_where_it_could_double() -> None:
    outbox, channel = MemoryOutbox([waiting_packet()]), ScriptedChannel(LOSSY)
    channel.script = lambda _packet: ExchangeError("server_refused", retry=Retry.NOW, unreachable=True)
    send(channel, outbox)
    assert len(channel.submitted) == 1


def test_a_search_that_fails_keeps_the_packet_uncertain_and_unsent() -> None:
    packet = waiting_packet(uncertain=True)
    outbox, channel = MemoryOutbox([packet]), ScriptedChannel(LOSSY)

    class Blind(ScriptedChannel):
        def seek(self, packet: OutgoingPacket) -> Sought:
            raise lost()

    channel = Blind(LOSSY)
    assert send(channel, outbox) == {packet.packet_id: (Outcome.RETRYING, "server_unreachable")}
    assert channel.submitted == []
    assert outbox.packet(packet.packet_id).uncertain


def test_a_packet_known_to_be_absent_is_as_sure_as_a_new_one() -> None:
    packet = waiting_packet(uncertain=True)
    outbox, channel = MemoryOutbox([packet]), ScriptedChannel(LOSSY)
    channel.found[packet.packet_id] = Sought.ABSENT
    channel.script = lambda _packet: refusal(Retry.AFTER)
    send(channel, outbox)
    assert outbox.packet(packet.packet_id) == replace(packet, attempts=1, uncertain=False)
