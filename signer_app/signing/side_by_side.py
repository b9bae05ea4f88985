"""Several things done at a time, each on a thread of its own, and taken back in their order.

Main process. The thread that iterates hands out and takes back; what is done on the others waits for workers, so there
are as many as the machine has processors. Few are on their way at once, however many there are to do.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def side_by_side(
    things: Iterable[A], do: Callable[[A], B], cancelled: Callable[[], bool], at_once: int = 0
) -> Iterator[tuple[A, B]]:
    """Each thing with what `do` gives for it; what that raises is raised here, in the thing's turn, and ends it all.
    `at_once` 0: as many as there are processors. Once it is cancelled nothing more is begun; what is on its way comes.
    """
    running: deque[tuple[A, Future[B]]] = deque()
    at_once = at_once or processors()
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="side")
    try:
        for thing in things:
            if cancelled():
                break
            running.append((thing, pool.submit(do, thing)))
            if len(running) > at_once:
                first, future = running.popleft()
                yield first, future.result()
        while running:
            first, future = running.popleft()
            yield first, future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
