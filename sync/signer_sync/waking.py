"""What rouses a resting loop: calls from other threads, and a doorbell that rings when something came in.

`Wake` may be called from any thread. The doorbell's own thread only holds the channel's list open; it takes nothing,
acknowledges nothing and touches no store.
"""

import threading
import time
from enum import Flag, auto

from signer_resources.errors import KnownError
from signer_sync.contract import MAX_WAIT
from signer_sync.ports import Channel


class Call(Flag):
    """Why a resting loop is roused."""

    NOTHING = 0
    WORK = auto()
    """Something was queued."""
    OPEN = auto()
    """The network is another: what failed may pass now, holds stay."""
    NOW = auto()
    """Gửi ngay: no delay and no hold."""
    NEWS = auto()
    """Something came."""
    STOP = auto()


class Wake:
    """Rouses a resting loop, from any thread. Calls add up until the loop looks; a stop stays."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._call = Call.NOTHING

    def call(self, call: Call) -> None:
        """Adds to what the loop shall do; it is roused at once."""
        with self._changed:
            self._call |= call
            self._changed.notify_all()

    @property
    def stopped(self) -> bool:
        """Whether the loop shall end."""
        return Call.STOP in self._call

    def wait(self, seconds: float) -> Call:
        """Rests so long or until roused; what was called for, which is forgotten with that."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._call), seconds)
            called, self._call = self._call, self._call & Call.STOP
            return called


class Doorbell:
    """Calls NEWS when something stands behind a cursor, or when the list can't be held open any more."""

    def __init__(self, channel: Channel, wake: Wake) -> None:
        self._channel = channel
        self._wake = wake
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def listen(self, cursor: str | None) -> None:
        """Holds the list open behind `cursor` until it has rung once; nothing new while it still does so."""
        if self._thread is None or not self._thread.is_alive():
            # A list that is held open can't be cut short; the program need not wait for it to end.
            self._thread = threading.Thread(target=self._hold, args=(cursor,), name="doorbell", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """It rings no more; the list held open just now ends by itself, within `MAX_WAIT` seconds."""
        self._closed.set()

    def _hold(self, cursor: str | None) -> None:
        while not self._closed.is_set():
            began = time.monotonic()
            try:
                page = self._channel.list(cursor, limit=1, wait=MAX_WAIT)
            except KnownError:
                break  # the next pass meets it, and tells
            if page.items or time.monotonic() - began < MAX_WAIT / 2:
                break  # an empty answer at once: it is not held open at all
        if not self._closed.is_set():
            self._wake.call(Call.NEWS)
