"""What a batch waits for while it is signed: how much of the time the token, the timestamp server and the disk took.

Main process, any thread. Those who work say when they begin and end; whoever shows it takes a look now and then. Counts
time and nothing else.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

_MOST_OF_IT = 0.6
"""From this share of the time on the token or the disk, which do one thing at a time, are what all wait for."""
_MANY = 0.5
"""From this share of those on their way on, the timestamp server is."""


class Wait(StrEnum):
    """What there is to wait for."""

    TOKEN = "token"  # noqa: S105 - what is waited for
    TSA = "tsa"
    DISK = "disk"


@dataclass(frozen=True)
class Glance:
    """How long each has been worked with so far: seconds, several at a time counted several times."""

    at: float
    token: float = 0.0
    tsa: float = 0.0
    disk: float = 0.0
    under_way: float = 0.0


class Waits:
    """Of one batch."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._inside = dict.fromkeys((*Wait, None), 0)
        self._spent = dict.fromkeys((*Wait, None), 0.0)
        self._at = clock()

    @contextmanager
    def on(self, what: Wait | None) -> Iterator[None]:
        """Something waits for this until the end of the block; None: a document is on its way."""
        self._step(what, 1)
        try:
            yield
        finally:
            self._step(what, -1)

    def glance(self) -> Glance:
        """How it is now."""
        with self._guard:
            self._count()
            spent = self._spent
            return Glance(self._at, spent[Wait.TOKEN], spent[Wait.TSA], spent[Wait.DISK], spent[None])

    def _step(self, what: Wait | None, by: int) -> None:
        with self._guard:
            self._count()
            self._inside[what] += by

    def _count(self) -> None:
        now = self._clock()
        passed, self._at = now - self._at, now
        for what, inside in self._inside.items():
            self._spent[what] += inside * passed


def waited_for(before: Glance, now: Glance) -> Wait | None:
    """What kept the batch between two looks; None: this machine has worked, or nothing was on its way."""
    passed = now.at - before.at
    if passed <= 0:
        return None
    shares = {
        Wait.TOKEN: (now.token - before.token) / passed,
        Wait.DISK: (now.disk - before.disk) / passed,
    }
    most = max(shares, key=lambda what: shares[what])
    if shares[most] >= _MOST_OF_IT:
        return most
    under_way = now.under_way - before.under_way
    return Wait.TSA if under_way > 0 and (now.tsa - before.tsa) / under_way >= _MANY else None
