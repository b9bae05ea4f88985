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
        # On a thread of its own: this one may be inside the event, holding its lock.
        threading.Thread(target=stop.set, name="stop", daemon=True).start()
        give_back()

    def give_back() -> None:
        for number, handler in kept.items():
            signal.signal(number, handler)

    kept = {number: signal.signal(number, stopped) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        give_back()


def wait_for(stop: threading.Event) -> None:
    """Returns once `stop` is set by a signal.

    Looks once a second: a signal that comes in the moment before the thread begins to wait is seen by Python only when
    the waiting ends.
    """
    while not stop.wait(1.0):
        pass
