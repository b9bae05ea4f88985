"""How fast a batch is signed, and what the line says of it: done, left, rate, time left, what it waits for.

Pure values in and out; loads no Qt. Pauses don't count as time.
"""

from collections import deque
from dataclasses import dataclass

from signer_app.desk.signing_values import Standing
from signer_ui.presenters.figures import count
from signer_ui.words import Words

_LOOK_BACK_S = 60.0
"""The rate is that of the last minute: what a batch of thousands did an hour ago says nothing."""
_SAID_FROM_S = 5.0
"""So long it must have worked before a rate is told."""
_LEFT_FROM_S = 10
"""Seconds that must be left before the time left is told."""
_FEW_A_MINUTE = 2


class Pace:
    """Told now and then how many are done; knows how fast they came."""

    def __init__(self) -> None:
        self._worked = 0.0
        self._at: float | None = None
        self._paused = False
        self._seen: deque[tuple[float, int]] = deque([(0.0, 0)])

    def tell(self, done: int, at: float, *, paused: bool = False) -> None:
        """So many are done at this moment (seconds of any clock)."""
        if self._at is not None and not (paused and self._paused):
            self._worked += at - self._at
        self._at, self._paused = at, paused
        self._seen.append((self._worked, done))
        while len(self._seen) > 2 and self._seen[1][0] <= self._worked - _LOOK_BACK_S:
            self._seen.popleft()

    @property
    def a_second(self) -> float | None:
        """Documents in a second of work; None while that can't be told yet."""
        (since, before), (until, done) = self._seen[0], self._seen[-1]
        if until < _SAID_FROM_S or done <= before:
            return None
        return (done - before) / (until - since)


@dataclass(frozen=True)
class LineText:
    """What stands over the bar, and the smaller line below it."""

    what: str
    more: str = ""


def line_text(standing: Standing, pace: Pace, words: Words) -> LineText:
    """How far the signing is."""
    done, total = count(standing.done, words), count(standing.total, words)
    if standing.paused:
        return LineText(words("ul_paused", done=done, total=total), words("ul_paused_why"))
    what = words("us_progress", done=done, total=total)
    left, rate = max(0, standing.total - standing.done), pace.a_second
    if rate is not None and left / rate > _LEFT_FROM_S:
        what = f"{what} {_time_left(left / rate, words)}"
    told = [words("ul_left", count=count(left, words))] if left else []
    if rate is not None:
        told.append(_rate(rate, words))
    if standing.waits_for is not None and left:
        told.append(words(f"ul_waits_{standing.waits_for}"))
    return LineText(what, " · ".join(told))


def _time_left(seconds: float, words: Words) -> str:
    if seconds < 90:
        return words("us_left_seconds", count=round(seconds / 5) * 5)
    minutes = round(seconds / 60)
    if minutes < 60:
        return words("us_left_minutes", count=minutes)
    # Nobody knows to the minute what will be in hours.
    hours, rest = divmod(round(minutes / 5) * 5, 60)
    return words("ul_left_hours", hours=hours, minutes=rest)


def _rate(a_second: float, words: Words) -> str:
    if a_second * 60 < _FEW_A_MINUTE:
        return words("ul_rate_hour", count=count(round(a_second * 3600), words))
    return words("ul_rate_minute", count=count(round(a_second * 60), words))
