"""When a login has stood unused for too long, or the machine has slept: then the token host logs out by itself.

Pure but for the clocks; used on the token host's main thread.
"""

import time
from collections.abc import Callable

IDLE_S = 300.0
"""A batch asks every second or so; who has asked nothing for this long has gone."""
_SLEPT_S = 2.0


def _slept_s() -> float:
    """Seconds that the machine has slept since it started; 0 where the system doesn't tell."""
    boottime: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    if boottime is None:
        # Windows: its monotonic clock goes on in sleep, so that a long one counts as idleness.
        return 0.0
    return time.clock_gettime(boottime) - time.clock_gettime(time.CLOCK_MONOTONIC)


class Idleness:
    """Since when a login is unused. `now` and `slept` give seconds, for tests."""

    def __init__(
        self, idle_s: float = IDLE_S, now: Callable[[], float] = time.monotonic, slept: Callable[[], float] = _slept_s
    ) -> None:
        self._idle_s, self._now, self._slept = idle_s, now, slept
        self._used_at, self._slept_before = now(), slept()

    def used(self) -> None:
        """The login was just made or used."""
        self._used_at, self._slept_before = self._now(), self._slept()

    @property
    def over(self) -> bool:
        """Whether it is time to log out."""
        return self._now() - self._used_at > self._idle_s or self._slept() - self._slept_before > _SLEPT_S
