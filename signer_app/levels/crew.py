"""A few threads that share a list of work and hold up nobody's end.

Main process. A request to a timestamp server can't be cut while it waits, and may wait for minutes: who cancels is let
go after a moment, and such a thread ends with its request, or with the process. What it comes to then is dropped.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_LOOK_EVERY_S = 0.1
PATIENCE_S = 1.0
"""Seconds that work which was cancelled gets for its own end."""


def spread(
    work: Callable[[T], R],
    items: Sequence[T],
    at_once: int,
    cancelled: Callable[[], bool],
    patience_s: float = PATIENCE_S,
) -> list[R]:
    """What `work` makes of the items, `at_once` at a time, in the order in which they were done.

    Raises what `work` raised first, when the others have ended. When cancelled, what was done by then.
    """
    crew = _Crew(work, items)
    threads = [
        threading.Thread(target=crew.run, name=f"levels-{number}", daemon=True)
        for number in range(min(at_once, len(items)))
    ]
    for thread in threads:
        thread.start()
    until: float | None = None
    for thread in threads:
        while thread.is_alive():
            thread.join(_LOOK_EVERY_S)
            if until is None and cancelled():
                until = time.monotonic() + patience_s
            if until is not None and time.monotonic() > until:
                return crew.leave()
    return crew.results()


class _Crew(Generic[T, R]):
    """What the threads share."""

    def __init__(self, work: Callable[[T], R], items: Sequence[T]) -> None:
        self._work = work
        self._items = deque(items)
        self._guard = threading.Lock()
        self._done: list[R] = []
        self._fault: BaseException | None = None

    def run(self) -> None:
        while True:
            with self._guard:
                if not self._items or self._fault is not None:
                    return
                item = self._items.popleft()
            try:
                result = self._work(item)
            except BaseException as fault:  # noqa: BLE001 - told by `results`, on the thread of whoever waits
                with self._guard:
                    self._fault = self._fault or fault
                return
            with self._guard:
                self._done.append(result)

    def leave(self) -> list[R]:
        """What is done; nothing more is begun."""
        with self._guard:
            self._items.clear()
            return list(self._done)

    def results(self) -> list[R]:
        with self._guard:
            if self._fault is not None:
                raise self._fault
            return list(self._done)
