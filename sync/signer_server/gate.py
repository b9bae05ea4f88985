"""How much of the server one machine may take at a time: requests per minute, packets at once, and which versions.

Lives on the server's event loop and is touched from nowhere else. Counts live in memory only: after a restart everybody
starts anew.
"""

import math
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from signer_server.problems import RefusedError
from signer_sync.contract import ProblemCode

_AGENT: Final = re.compile(r"signer/(\d{1,6}(?:\.\d{1,6}){0,3})")
_WAITS: Final = 3
"""Long polls of one machine at a time: one is of use, another may still hang on a line that is gone."""
_FORGET: Final = 10_000
"""Machines whose counts are kept at most; the longest silent ones are forgotten."""


@dataclass
class _Bucket:
    tokens: float
    at: float


class Gate:
    """Refuses what is too much; `seconds` is a clock that only goes forward."""

    def __init__(
        self,
        *,
        requests_per_minute: int | None,
        bodies_at_once: int,
        min_client: str,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_second = None if requests_per_minute is None else requests_per_minute / 60
        self._most = float(requests_per_minute or 0)
        self._bodies_at_once = bodies_at_once
        self._min_client = _version(min_client)
        self._seconds = seconds
        self._buckets: dict[str, _Bucket] = {}
        self._bodies: dict[str, int] = {}
        self._waits: Counter[str] = Counter()

    def count(self, who: str, cost: float = 1.0) -> None:
        """One request more, which counts for `cost`; RefusedError rate-limited with the seconds to wait."""
        if self._per_second is None:
            return
        now = self._seconds()
        bucket = self._buckets.pop(who, None) or _Bucket(self._most, now)
        bucket.tokens = min(self._most, bucket.tokens + (now - bucket.at) * self._per_second)
        bucket.at = now
        self._buckets[who] = bucket  # last in the order: it spoke last
        if len(self._buckets) > _FORGET:
            del self._buckets[next(iter(self._buckets))]
        if bucket.tokens < cost:
            wait = math.ceil((cost - bucket.tokens) / self._per_second)
            raise RefusedError(ProblemCode.RATE_LIMITED, retry_after=max(1, wait))
        bucket.tokens -= cost

    @contextmanager
    def body(self, who: str) -> Iterator[None]:
        """Room for one packet more of this machine; RefusedError rate-limited."""
        if self._bodies.get(who, 0) >= self._bodies_at_once:
            raise RefusedError(ProblemCode.RATE_LIMITED, "too many packets at once", retry_after=5)
        self._bodies[who] = self._bodies.get(who, 0) + 1
        try:
            yield
        finally:
            self._bodies[who] -= 1
            if not self._bodies[who]:
                del self._bodies[who]

    @contextmanager
    def waiting(self, who: str) -> Iterator[bool]:
        """Whether this machine may have a connection held open for news, too; a few at a time, so that others find
        one free.
        """
        allowed = self._waits[who] < _WAITS
        self._waits[who] += allowed
        try:
            yield allowed
        finally:
            self._waits[who] -= allowed
            if not self._waits[who]:
                del self._waits[who]

    def check_version(self, user_agent: str) -> None:
        """RefusedError client-too-old for a version of our own client below the least; 0 stands for unknown."""
        found = _AGENT.match(user_agent)
        if found is None or found[1] == "0":
            return
        if _version(found[1]) < self._min_client:
            raise RefusedError(ProblemCode.CLIENT_TOO_OLD)


def _version(text: str) -> tuple[int, ...]:
    numbers = [int(part) for part in text.split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
