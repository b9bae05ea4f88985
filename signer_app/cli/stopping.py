"""Ctrl+C and the system's wish that we end, as an event that is looked at where stopping does no harm.

Main process, on its main thread; elsewhere no signal comes, and the event is never set.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stop_signal(stop: threading.Event) -> Iterator[None]:
    """`stop` is set by the first signal; the next one does what it always does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stopped(_number: int, _frame: object) -> None:
        stop.set()
        give_back()

    def give_back() -> None:
        for number, handler in kept.items():
            signal.signal(number, handler)

    kept = {number: signal.signal(number, stopped) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        give_back()
