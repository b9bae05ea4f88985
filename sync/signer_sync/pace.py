"""How many packets are on their way at once.

A plain value of one pass, used from one thread. More connections at once fill a line with a long delay; on a bad one
they only cut each other off.
"""

from typing import Final

FIRST_WIDTH: Final = 2
"""Connections at the beginning of a pass (Sync API §4.8: 2 growing to 8)."""
QUICK_SECONDS: Final = 5.0
"""An answer within this, and the time for its bytes, is quick."""
QUICK_RATE: Final = 1 << 16
"""Bytes per second over one connection below which more of them would help nobody."""


class Pace:
    """From 1 to `most`. Grows by one with each quick answer, which doubles it in a round, until the line or the other
    side shows its limit; from then on by one in a whole round. A slow answer holds it, a fault halves it.
    """

    def __init__(self, most: int) -> None:
        self._most = max(most, 1)
        self._width = min(FIRST_WIDTH, self._most)
        self._quick = 0
        self._limit_seen = False

    @property
    def width(self) -> int:
        """How many packets may be on their way at once."""
        return self._width

    def answered(self, seconds: float, size: int) -> None:
        """A packet of `size` bytes was answered after `seconds`."""
        if seconds > QUICK_SECONDS + size / QUICK_RATE:
            self._limit_seen = True
            self._quick = 0
            return
        self._quick += 1
        if self._quick >= (self._width if self._limit_seen else 1):
            self._width = min(self._width + 1, self._most)
            self._quick = 0

    def fault(self) -> None:
        """The line was cut or the other side is overrun."""
        self._limit_seen = True
        self._width = max(self._width // 2, 1)
        self._quick = 0
