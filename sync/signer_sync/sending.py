"""The sending half of a pass: what is due goes out, several packets side by side, urgent ones first.

The store and all decisions stay on the calling thread (of the network pool); only `submit` runs on threads of the
pass. A proof is the only way to `accepted`; one failing packet never blocks the next; a channel that could double a
packet is asked before an uncertain one is handed over again.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from signer_resources.errors import KnownError
from signer_sync.backoff import delay_after
from signer_sync.contract import JournalHead, Retry
from signer_sync.errors import ExchangeError, Scope
from signer_sync.pace import Pace
from signer_sync.packets import OutgoingPacket, Proof
from signer_sync.ports import Channel, OutboxStore, Sought
from signer_sync.reports import CancelledError, Outcome, PacketResult, Surroundings, Watching

REFRESH_SECONDS: Final = 5.0
"""How often a long pass looks for packets queued meanwhile, so that an urgent one waits for no thousand others."""
FLASH: Final = 3
"""From this urgency on (hỏa tốc) a packet doesn't wait for the large ones that are on their way."""


def send_due(
    channel: Channel,
    outbox: OutboxStore,
    around: Surroundings,
    results: list[PacketResult],
    *,
    at_once: bool = False,
    watching: Watching | None = None,
) -> None:
    """Sends what is due, and writes down what became of each packet, in the store and in `results`.

    ExchangeError when the other side as a whole is the trouble, CancelledError, and whatever the store raises; what was
    on its way is seen to its end and written down before.
    """
    _Sender(channel, outbox, around, results, watching or Watching()).run(at_once=at_once)


def stop_if_all_concerned(channel: Channel, error: KnownError) -> None:
    """After a failure: goes on if only this packet is concerned, so that it can't hold up the next."""
    if not isinstance(error, ExchangeError):
        return
    if error.scope is Scope.SERVER:
        raise error
    if error.unreachable:
        # raises if the other side itself is away; else one packet was cut on its way, and the next may pass
        channel.contact()


@dataclass(frozen=True)
class _Flight:
    packet: OutgoingPacket
    began: float


class _Sender:
    def __init__(
        self,
        channel: Channel,
        outbox: OutboxStore,
        around: Surroundings,
        results: list[PacketResult],
        watching: Watching,
    ) -> None:
        self._channel = channel
        self._outbox = outbox
        self._around = around
        self._results = results
        self._watching = watching
        self._pace = Pace(channel.traits.side_by_side)
        self._due: deque[OutgoingPacket] = deque()
        self._tried: set[str] = set()
        self._flying: dict[Future[Proof], _Flight] = {}
        self._looked = 0.0
        self._done = 0
        self._stop: ExchangeError | None = None
        self._fault: BaseException | None = None

    def run(self, *, at_once: bool) -> None:
        self._look(at_once=at_once)
        if not self._due:
            return
        width = max(self._channel.traits.side_by_side, 1)
        with ThreadPoolExecutor(max_workers=width, thread_name_prefix="send") as threads:
            try:
                while self._due or self._flying:
                    self._begin_more(threads)
                    self._land(FIRST_COMPLETED, REFRESH_SECONDS)
            finally:
                # whatever ends the pass, no packet that left stays without its outcome
                while self._flying:
                    self._land("ALL_COMPLETED")
        if self._fault is not None:
            raise self._fault
        if self._stop is not None:
            raise self._stop

    def _look(self, *, at_once: bool = False) -> None:
        """Reads the queue anew; what was tried in this pass is left to the next."""
        now_due = self._outbox.due(self._channel.org, self._around.now(), at_once=at_once)
        merged = {packet.packet_id: packet for packet in (*self._due, *now_due) if packet.packet_id not in self._tried}
        ordered = sorted(merged.values(), key=lambda item: (-item.urgency, item.created_at, item.packet_id))
        self._due = deque(ordered)
        self._looked = self._around.monotonic()

    def _begin_more(self, threads: ThreadPoolExecutor) -> None:
        if self._stop is None and self._around.monotonic() - self._looked > REFRESH_SECONDS:
            self._look()
        while self._due and len(self._flying) < self._room(self._due[0]):
            if self._watching.cancelled():
                raise CancelledError
            self._begin(threads, self._due.popleft())

    def _room(self, packet: OutgoingPacket) -> int:
        """How many may be on their way if this one is the next."""
        width = self._pace.width
        return min(width + 1, self._channel.traits.side_by_side) if packet.urgency >= FLASH else width

    def _begin(self, threads: ThreadPoolExecutor, packet: OutgoingPacket) -> None:
        self._tried.add(packet.packet_id)
        if not self._may_leave(packet) or not self._outbox.mark_sending(packet.packet_id):
            return
        head = self._outbox.journal_head()
        began = self._around.monotonic()
        future = threads.submit(_hand_over, self._channel, packet, head, self._watching.moved)
        self._flying[future] = _Flight(packet, began)

    def _may_leave(self, packet: OutgoingPacket) -> bool:
        """False where the other side has the packet, or where it can't be known; that is settled then."""
        if not packet.uncertain or self._channel.traits.idempotent:
            return True
        try:
            sought = self._channel.seek(packet)
        except KnownError as error:
            self._settle(packet, error, uncertain=True)
            self._heed(error)
            return False
        if sought is Sought.THERE:
            self._outbox.accepted(packet.packet_id, Proof('{"found":true}'))
            self._tell(PacketResult(packet.packet_id, Outcome.ACCEPTED))
        elif sought is Sought.UNKNOWN:
            undecided = KnownError("outcome_undecided")
            self._outbox.needs_person(packet.packet_id, undecided)
            self._tell(PacketResult(packet.packet_id, Outcome.NEEDS_PERSON, undecided.code))
        return sought is Sought.ABSENT

    def _land(self, until: str, seconds: float | None = None) -> None:
        for future in wait(self._flying, seconds, until).done:
            flight = self._flying.pop(future)
            error = future.exception()
            if error is None:
                self._pace.answered(self._around.monotonic() - flight.began, flight.packet.size)
                self._outbox.accepted(flight.packet.packet_id, future.result())
                self._tell(PacketResult(flight.packet.packet_id, Outcome.ACCEPTED))
            elif isinstance(error, KnownError):
                # a lost answer of an earlier attempt stays lost, whatever this attempt came to; a channel that was
                # asked and doesn't have the packet is as sure as one that never got it
                earlier = flight.packet.uncertain and self._channel.traits.idempotent
                self._settle(flight.packet, error, uncertain=earlier or _no_answer(error))
                self._heed(error)
            else:
                self._settle(flight.packet, KnownError("sending_fault", kind=type(error).__name__), uncertain=True)
                self._fault = self._fault or error

    def _heed(self, error: KnownError) -> None:
        """What a failure means for the packets after this one."""
        if _no_answer(error) or (isinstance(error, ExchangeError) and error.scope is Scope.SERVER):
            self._pace.fault()
        if self._stop is not None:
            return
        try:
            stop_if_all_concerned(self._channel, error)
        except ExchangeError as all_concerned:
            self._stop = all_concerned
            self._due.clear()

    def _settle(self, packet: OutgoingPacket, error: KnownError, *, uncertain: bool) -> None:
        """Writes what becomes of a packet whose sending failed."""
        outcome = _outcome(error)
        if outcome is Outcome.RETRYING:
            delay = delay_after(error, packet.attempts + 1, self._around.uniform)
            not_before = self._around.now() + timedelta(seconds=delay)
            self._outbox.retry(packet.packet_id, error, not_before, uncertain=uncertain)
        elif outcome is Outcome.FAILED:
            self._outbox.failed(packet.packet_id, error)
        else:
            self._outbox.needs_person(packet.packet_id, error)
        self._tell(PacketResult(packet.packet_id, outcome, error.code))

    def _tell(self, result: PacketResult) -> None:
        self._results.append(result)
        self._done += 1
        self._watching.progress(self._done, self._done + len(self._flying) + len(self._due))


def _hand_over(
    channel: Channel, packet: OutgoingPacket, head: JournalHead | None, moved: Callable[[str, int], None]
) -> Proof:
    """One attempt; a refusal of class `now` is repeated at once, one time."""

    def sent(count: int) -> None:
        moved(packet.packet_id, count)

    try:
        return channel.submit(packet, head, sent)
    except ExchangeError as error:
        if error.retry is not Retry.NOW or (error.unreachable and not channel.traits.idempotent):
            raise
    return channel.submit(packet, head, sent)


def _no_answer(error: KnownError) -> bool:
    return isinstance(error, ExchangeError) and error.unreachable


def _outcome(error: KnownError) -> Outcome:
    """By the class of retry; trouble with the whole server says nothing against the packet. The client has logged in
    again before it says `reauth`, so then a person must see to it.
    """
    if not isinstance(error, ExchangeError):
        return Outcome.RETRYING if error.code == "sending_fault" else Outcome.NEEDS_PERSON
    if error.scope is Scope.SERVER or error.retry in (Retry.NOW, Retry.AFTER):
        return Outcome.RETRYING
    return Outcome.FAILED if error.retry is Retry.NEVER else Outcome.NEEDS_PERSON
