"""The stall watch: how long the window's thread was away from its events, and what it did meanwhile.

Lives in the window's process. A precise timer ticks on the UI thread every 5 ms and keeps every gap, with the time that
the thread computed in it: on a machine with other work to do a gap may be none of ours. A thread of its own writes down
the stacks once a gap has lasted 50 ms. What the driver itself has the UI thread do is left out.
"""

import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from PySide6.QtCore import QObject, Qt, QTimer

TICK_MS = 5
STALL_MS = 50
MOST_STACKS = 200


class Stall(msgspec.Struct, frozen=True):
    """One gap over STALL_MS: which part of the run it fell into, how long it was, how long the thread computed in it,
    and the stacks at each 50th ms.
    """

    section: str
    ms: float
    busy_ms: float
    stacks: str


class Section(msgspec.Struct, frozen=True):
    """The gaps of one part of the run in their order, and how long the thread computed in each; ms."""

    name: str
    gaps: tuple[float, ...]
    busy: tuple[float, ...]


class StallReport(msgspec.Struct, frozen=True):
    sections: tuple[Section, ...]
    stalls: tuple[Stall, ...]


class StallWatch(QObject):
    """Begins to watch when made, on the UI thread."""

    def __init__(self) -> None:
        super().__init__()
        self._main = threading.get_ident()
        self._section = "start"
        self._gaps: dict[str, list[tuple[float, float]]] = {}
        self._stalls: list[Stall] = []
        self._stacks = ""
        self._excused = False
        self._last, self._computed = time.perf_counter(), time.thread_time()
        self._ended = threading.Event()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK_MS)
        self._sampler = threading.Thread(target=self._sample, name="stall-sampler", daemon=True)
        self._sampler.start()

    def begin(self, section: str) -> None:
        """What comes from now on belongs to `section`."""
        self._tick()
        self._section = section

    @contextmanager
    def excused(self) -> Iterator[None]:
        """What the driver asks for inside is no work of the window."""
        self._tick()
        self._excused = True
        try:
            yield
        finally:
            self._excused = False
            self._last, self._computed = time.perf_counter(), time.thread_time()

    def report(self) -> StallReport:
        """The gaps so far, by section in the order of their beginning."""
        sections = (Section(name, *map(tuple, zip(*gaps, strict=True))) for name, gaps in self._gaps.items())
        return StallReport(tuple(sections), tuple(self._stalls))

    def end(self) -> None:
        """Watches no more; the sampler is joined."""
        self._timer.stop()
        self._ended.set()
        self._sampler.join()

    def _tick(self) -> None:
        now, computed = time.perf_counter(), time.thread_time()
        gap, self._last = (now - self._last) * 1000, now
        busy, self._computed = (computed - self._computed) * 1000, computed
        self._gaps.setdefault(self._section, []).append((gap, busy))
        stacks, self._stacks = self._stacks, ""
        if gap >= STALL_MS:
            self._keep(Stall(self._section, gap, busy, stacks))

    def _keep(self, stall: Stall) -> None:
        """Of thousands of gaps those in which the thread itself did most."""
        self._stalls.append(stall)
        if len(self._stalls) > MOST_STACKS:
            self._stalls.remove(min(self._stalls, key=lambda kept: kept.busy_ms))

    def _sample(self) -> None:
        seen, due = 0.0, STALL_MS
        while not self._ended.wait(TICK_MS / 1000):
            last = self._last
            away = (time.perf_counter() - last) * 1000
            if last != seen:
                seen, due = last, STALL_MS
            if away >= due and not self._excused:
                due += STALL_MS
                self._stacks += f"== after {away:.0f} ms\n{self._look()}"

    def _look(self) -> str:
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        told = []
        for ident, frame in sys._current_frames().items():
            name = names.get(ident, "?")
            if ident == threading.get_ident() or frame.f_code.co_name in ("wait", "_run_agent"):
                continue
            lines = traceback.format_stack(frame, limit=None if ident == self._main else 6)[-14:]
            told.append(f"--- {name}\n{''.join(lines)}")
        return "\n".join(sorted(told, key=lambda part: "MainThread" not in part))
