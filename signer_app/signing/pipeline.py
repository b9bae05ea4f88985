"""Several documents on their way at once: the workers and the network have the next ones while the token signs one.

Main process. The thread that iterates hands documents out and takes them back; each document is carried on a thread of
its own, so that a slow file, token or timestamp server holds up nobody but those that need it. The token signs in the
order in which the documents were handed out. At most `at_once` documents are on their way, taken back ones included
until the next is asked for: memory doesn't grow with the batch.
"""

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from signer_app.signing.batch import DocumentWork, Made, never

_LOOK_EVERY_S = 0.2
"""Seconds until it is asked again whether somebody has cancelled."""

Ticket = tuple[bool, int]
"""The order at the token: what is in a hurry first (False), then as handed out."""


class TurnedAwayError(Exception):
    """The batch ends before this document got its signature; it is as if it had never been handed out."""


class LeftOutError(Exception):
    """The person leaves this document out, and the token hasn't begun with it."""


class TokenGate:
    """Lets one document at a time to the token, the earlier ticket first; while `paused`, none that has no signature
    yet.

    A document that has had a signature and needs another one doesn't keep the others waiting meanwhile.
    """

    def __init__(self, paused: Callable[[], bool] = never) -> None:
        self._paused = paused
        self._turn = threading.Condition()
        self._coming: set[Ticket] = set()
        """On their way to their first signature."""
        self._waiting: set[Ticket] = set()
        self._busy = False
        self._closed = False
        self._broken = False

    def expect(self, ticket: Ticket) -> None:
        """A document was handed out; later ones wait for its first signature."""
        with self._turn:
            self._coming.add(ticket)

    def gone(self, ticket: Ticket) -> None:
        """It needs no signature any more."""
        with self._turn:
            self._coming.discard(ticket)
            self._turn.notify_all()

    @property
    def is_closed(self) -> bool:
        """Whether no document gets its first signature any more."""
        with self._turn:
            return self._closed

    def close(self) -> None:
        """From now on only documents come through that have had a signature already."""
        with self._turn:
            self._closed = True
            self._turn.notify_all()

    def break_off(self) -> None:
        """From now on nobody comes through: the token has ended."""
        with self._turn:
            self._closed = self._broken = True
            self._turn.notify_all()

    @contextmanager
    def turn(self, ticket: Ticket, left_out: Callable[[], bool] = never) -> Iterator[None]:
        """The token, for one signature; TurnedAwayError, LeftOutError before the first one."""

        def skipped() -> bool:
            return ticket in self._coming and left_out()

        with self._turn:
            self._waiting.add(ticket)
            try:
                # Nobody tells of the end of a pause, nor of what is left out: asked again now and then.
                while not self._turn.wait_for(
                    lambda: skipped() or self._turned_away(ticket) or self._may_go(ticket), _LOOK_EVERY_S
                ):
                    pass
                if skipped():
                    raise LeftOutError
                if self._turned_away(ticket):
                    raise TurnedAwayError
                self._busy = True
            finally:
                self._waiting.discard(ticket)
            self._coming.discard(ticket)
        try:
            yield
        finally:
            with self._turn:
                self._busy = False
                self._turn.notify_all()

    def _turned_away(self, ticket: Ticket) -> bool:
        return self._broken or (self._closed and ticket in self._coming)

    def _may_go(self, ticket: Ticket) -> bool:
        if self._busy:
            return False
        if self._paused():
            # What has its first signature comes to its end; nothing else begins.
            return ticket not in self._coming and ticket == min(self._waiting - self._coming)
        return ticket == min(self._waiting) and all(ticket <= other for other in self._coming)


@dataclass
class Ride:
    """One document on its way. `sign` gives the token's signature when its turn comes; TurnedAwayError, and as
    `TokenSession.sign`.
    """

    work: DocumentWork
    sign: Callable[[bytes], bytes]
    signatures: int = 0
    """How many the token has made for it."""
    made: tuple[Made, ...] = ()
    folder: Path | None = None
    """What was made lies there until it is kept; whoever takes the ride back removes it."""
    error: Exception | None = None
    """Why nothing came of it."""


def never_skipped(_place: int) -> bool:
    """Nothing is left out."""
    return False


@dataclass
class Pipeline:
    """`sign` is the token's, `carry` brings one document to its finished and checked files; it may block.

    What `carry` raises is the ride's error; it concerns that document alone until somebody calls `close` or
    `break_off`.
    """

    sign: Callable[[bytes], bytes]
    carry: Callable[[Ride], tuple[Made, ...]]
    at_once: int
    cancelled: Callable[[], bool] = never
    paused: Callable[[], bool] = never
    skips: Callable[[int], bool] = never_skipped
    """Whether the document at this place of the batch is left out; its ride's error is LeftOutError then."""
    gate: TokenGate = field(init=False)
    was_cancelled: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.gate = TokenGate(self.paused)

    def rides(self, take: Callable[[], DocumentWork | None]) -> Generator[Ride, None, None]:
        """Every document that `take` gives, when it is done with; both on the caller's thread. None means that there is
        none now; it is asked again as long as others are on their way.

        Those that were turned away before their first signature don't come back. Ends when all that is on its way is
        through.
        """
        done: queue.SimpleQueue[Ride] = queue.SimpleQueue()
        under_way, handed_out = 0, 0
        pool = ThreadPoolExecutor(self.at_once, thread_name_prefix="carry")
        try:
            while True:
                while under_way < self.at_once and self._goes_on() and not self.paused():
                    work = take()
                    if work is None:
                        break
                    ticket = (not work.in_a_hurry, handed_out)
                    self.gate.expect(ticket)
                    pool.submit(self._carry, work, ticket, done)
                    under_way, handed_out = under_way + 1, handed_out + 1
                if not under_way:
                    if self._goes_on() and self.paused():
                        time.sleep(_LOOK_EVERY_S)
                        continue
                    return
                ride = self._next(done)
                if ride.signatures or not isinstance(ride.error, TurnedAwayError):
                    yield ride
                under_way -= 1
        finally:
            self.gate.close()
            pool.shutdown(wait=True)

    def close(self) -> None:
        """Nothing more is handed out; what has a signature already comes to its end."""
        self.gate.close()

    def break_off(self) -> None:
        """As `close`, and the token signs nothing any more."""
        self.gate.break_off()

    def _goes_on(self) -> bool:
        if not self.gate.is_closed and self.cancelled():
            self.was_cancelled = True
            self.gate.close()
        return not self.gate.is_closed

    def _next(self, done: "queue.SimpleQueue[Ride]") -> Ride:
        while True:
            try:
                return done.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                self._goes_on()

    def _carry(self, work: DocumentWork, ticket: Ticket, done: "queue.SimpleQueue[Ride]") -> None:
        ride = Ride(work, lambda data: self._signed(ride, ticket, data))
        try:
            ride.made = self.carry(ride)
        except Exception as error:  # noqa: BLE001  # handed to the thread that iterates, which tells or raises it
            ride.error = error
        finally:
            self.gate.gone(ticket)
            done.put(ride)

    def _signed(self, ride: Ride, ticket: Ticket, data: bytes) -> bytes:
        with self.gate.turn(ticket, lambda: self.skips(ride.work.place)):
            signature = self.sign(data)
            ride.signatures += 1
            return signature
