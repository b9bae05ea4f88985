"""What a pass of sending and receiving tells, and what it takes from outside.

Plain values on any thread.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from signer_resources.errors import KnownError


class Outcome(Enum):
    """What became of a packet in this pass."""

    ACCEPTED = "accepted"
    RETRYING = "retrying"
    NEEDS_PERSON = "needs_person"
    FAILED = "failed"


@dataclass(frozen=True)
class PacketResult:
    """One packet that was tried; `code` names the error, None if accepted."""

    packet_id: str
    outcome: Outcome
    code: str | None = None


@dataclass(frozen=True)
class IncomingProblem:
    """A packet that was there and could not be had, under the channel's id for it."""

    packet_id: str
    code: str


@dataclass(frozen=True)
class SyncReport:
    """One pass: how many packets were sent and received, how many still wait, and why it ended early.

    `incoming_problems`: not acknowledged, tried again in the next pass; `given_up`: never to be had, recorded and
    passed over. `epoch_changed`: the other side began its list anew since the last pass (restored, emptied, replaced),
    so it may have lost packets that it had accepted. `directory_changed`: its list of bodies is another. `cancelled`:
    ended because someone wished so.
    """

    sent: int = 0
    received: int = 0
    waiting: int = 0
    secret: int = 0
    packets: tuple[PacketResult, ...] = ()
    incoming_problems: tuple[IncomingProblem, ...] = ()
    given_up: tuple[IncomingProblem, ...] = ()
    stopped: KnownError | None = None
    server_time: datetime | None = None
    epoch_changed: bool = False
    directory_changed: bool = False
    cancelled: bool = False

    @property
    def unreachable(self) -> str | None:
        """The code of the error that kept us from the server, None if it was reached throughout."""
        return None if self.stopped is None else self.stopped.code


@dataclass(frozen=True)
class Surroundings:
    """What the loop takes from outside: the time (with an offset), `uniform(low, high)`, seconds that only grow."""

    now: Callable[[], datetime]
    uniform: Callable[[float, float], float]
    monotonic: Callable[[], float] = time.monotonic


@dataclass(frozen=True)
class Watching:
    """Who watches a pass: `progress(done, total)` after each packet, `moved(packet_id, n)` when n more bytes of it have
    left (from the sending threads), `cancelled` asked before each packet, either way.
    """

    progress: Callable[[int, int], None] = lambda _done, _total: None
    moved: Callable[[str, int], None] = lambda _packet_id, _count: None
    cancelled: Callable[[], bool] = lambda: False


class CancelledError(Exception):
    """Someone wishes the pass to end; nothing is wrong."""
