"""The one way to run work elsewhere: a few named threads, callbacks on the UI thread.

Each lane is one thread with a queue, so what belongs to one owner (a token, the network) never runs twice at a time.
The work itself is plain code of `signer_app` that may block; it gets a `Control` to tell how far it is and to hear
that it is no longer wanted. Nothing here knows what the work does. Threads are joined when the window closes; one that
hangs in the system (a network drive that is gone) is left to the end of the process.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot
from shiboken6 import isValid

from signer_resources.errors import KnownError

T = TypeVar("T")

_PROGRESS_EVERY_S = 0.05
"""Progress is told this often at most; a screen can't show more."""
PATIENCE_S = 10.0
"""Seconds that closing waits for work that was told to end."""


class Lane(StrEnum):
    """Who does the work."""

    QUICK = "quick"
    """Snapshots of the store and the settings: milliseconds each."""
    DOCUMENTS = "documents"
    """Opening files, preflight."""
    TOKEN = "token"  # noqa: S105 - a lane's name
    """Everything that talks to a token host: listing, signing, enrolment."""
    NETWORK = "network"
    LATER = "later"
    """What is made up for while nobody works: timestamps and validation data."""
    PAGES = "pages"


@dataclass(frozen=True)
class Progress:
    """How far a piece of work is; `key` is a text of the catalogue."""

    key: str
    done: int
    total: int


class Cancelled(Exception):  # noqa: N818 - not an error: the person changed their mind
    """Raised in the work by `Control.check` when nobody wants its result any more."""


FaultLog = Callable[[BaseException], str]
"""Writes a fault of the program down and gives the file's place."""


@dataclass
class _Job:
    owner: QObject
    work: Callable[["Control"], Any]
    done: Callable[[Any], None]
    failed: Callable[[KnownError], None]
    told: Callable[[Progress], None] | None
    cancelled: threading.Event = field(default_factory=threading.Event)
    asks_when_cancelled: bool = False
    finished: bool = False
    """Set on the UI thread, when the last callback has run or none will come."""
    latest: Progress | None = None
    latest_told: float = 0.0


def _spent(_control: "Control") -> None:
    """Stands in a job whose work has been done."""


class Control:
    """What the work is given, on its own thread."""

    def __init__(self, tasks: "Tasks", job: _Job) -> None:
        self._tasks = tasks
        self._job = job

    def progress(self, key: str, done: int, total: int) -> None:
        """Tells how far the work is; cheap, however often it is called."""
        job = self._job
        if job.told is None:
            return
        now = time.monotonic()
        must_show = job.latest is None or job.latest.key != key or done >= total
        job.latest = Progress(key, done, total)
        if must_show or now - job.latest_told >= _PROGRESS_EVERY_S:
            job.latest_told = now
            self._tasks._tell(job, "progress", job.latest)

    @property
    def cancelled(self) -> bool:
        """Whether the result is no longer wanted."""
        return self._job.cancelled.is_set()

    def check(self) -> None:
        """Raises Cancelled when the result is no longer wanted."""
        if self.cancelled:
            raise Cancelled


class Handle:
    """What the caller keeps of a piece of work, on the UI thread."""

    def __init__(self, job: _Job) -> None:
        self._job = job

    def cancel(self) -> None:
        """The result isn't wanted any more. Work that began ends when it next looks.

        Nothing is called any more, unless the caller gave `failed`: then the work's end is told as it was, a result
        that came nevertheless to `done`, else "interrupted" to `failed`.
        """
        self._job.cancelled.set()
        if not self._job.asks_when_cancelled:
            self._job.finished = True

    @property
    def running(self) -> bool:
        """Whether a callback may still come."""
        return not self._job.finished


class _LaneThread:
    def __init__(self, lane: Lane, tasks: "Tasks") -> None:
        self._tasks = tasks
        self._queue: deque[_Job] = deque()
        self._current: _Job | None = None
        self._ready = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"signer-{lane}", daemon=True)
        self._thread.start()

    def put(self, job: _Job, *, first: bool) -> None:
        with self._ready:
            if first:
                self._queue.append(job)
            else:
                self._queue.appendleft(job)
            self._ready.notify()

    def close(self) -> None:
        with self._ready:
            self._closing = True
            for job in (*self._queue, self._current):
                if job is not None:
                    job.cancelled.set()
            self._ready.notify()

    def join(self, patience_s: float) -> None:
        self._thread.join(patience_s)

    def _run(self) -> None:
        while True:
            with self._ready:
                while not self._queue and not self._closing:
                    self._ready.wait()
                if self._closing:
                    return
                self._current = self._queue.pop()
            self._tasks._do(self._current)
            self._current = None


class Tasks(QObject):
    """All work that the window has others do. Lives on the UI thread; `run` is called there.

    Where the caller gives no `failed`, `unhandled` is emitted with the error.
    """

    unhandled = Signal(object)
    busy_changed = Signal(bool)
    _arrived = Signal(object, str, object)

    def __init__(self, fault_log: FaultLog, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._fault_log = fault_log
        self._lanes: dict[Lane, _LaneThread] = {}
        self._running = 0
        self._closed = False
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        owner: QObject,
        lane: Lane,
        work: Callable[[Control], T],
        done: Callable[[T], None],
        *,
        failed: Callable[[KnownError], None] | None = None,
        progress: Callable[[Progress], None] | None = None,
        newest_first: bool = False,
    ) -> Handle:
        """Has `work` done on `lane`; the callbacks run here, on the UI thread, while `owner` is there.

        The work itself goes on to its end, whoever is left to hear of it. A KnownError goes to `failed`, every other
        exception is written to the log and goes there as "program_fault". What comes after `cancel`: see there.
        `newest_first`: before everything that waits on the lane already.
        """
        job = _Job(owner, work, done, failed or self.unhandled.emit, progress, asks_when_cancelled=failed is not None)
        if self._closed:
            job.finished = True
            return Handle(job)
        if lane not in self._lanes:
            self._lanes[lane] = _LaneThread(lane, self)
        self._running += 1
        if self._running == 1:
            self.busy_changed.emit(True)
        self._lanes[lane].put(job, first=newest_first)
        return Handle(job)

    @property
    def busy(self) -> bool:
        """Whether anything runs or waits."""
        return self._running > 0

    def close(self, patience_s: float = PATIENCE_S) -> None:
        """Nothing more is called; waiting work is dropped, running work is told and waited for, `patience_s` in all."""
        self._closed = True
        until = time.monotonic() + patience_s
        for lane in self._lanes.values():
            lane.close()
        for lane in self._lanes.values():
            lane.join(max(0.0, until - time.monotonic()))
        self._lanes.clear()

    def _do(self, job: _Job) -> None:
        """One piece of work, on its lane's thread."""
        # Taken out of the job, which a handle may keep: what the work was given, perhaps a PIN, goes when it has ended.
        work, job.work = job.work, _spent
        if job.cancelled.is_set():
            self._tell(job, "failed", KnownError("interrupted"))
            return
        try:
            result = work(Control(self, job))
        except Cancelled:
            self._tell(job, "failed", KnownError("interrupted"))
        except KnownError as error:
            # The frames of a failed login hold the PIN as long as the error lives, and a screen may show it for hours.
            error.__context__ = error.__cause__ = None
            self._tell(job, "failed", error.with_traceback(None))
        except BaseException as fault:  # noqa: BLE001 - the last net: our own fault, told in words; the lane lives on
            self._tell(job, "failed", KnownError("program_fault", kind=type(fault).__name__, file=self._logged(fault)))
        else:
            self._tell(job, "done", result)

    def _logged(self, fault: BaseException) -> str:
        """Where the fault was written down; "-" where it could not be, or came of closing under the work."""
        if self._closed:
            return "-"
        try:
            return self._fault_log(fault)
        except Exception:  # noqa: BLE001 - a fault of the log must not end the lane
            return "-"

    def _tell(self, job: _Job, what: str, value: object) -> None:
        if not self._closed:
            self._arrived.emit(job, what, value)

    @Slot(object, str, object)
    def _deliver(self, job: _Job, what: str, value: Any) -> None:
        if what == "progress":
            if not (self._closed or job.finished or job.cancelled.is_set() or not isValid(job.owner)) and job.told:
                job.told(value)
            return
        self._running -= 1
        if self._running == 0 and not self._closed:
            self.busy_changed.emit(False)
        if self._closed or job.finished:
            return
        job.finished = True
        if not isValid(job.owner):
            return
        if what == "done":
            job.done(value)
        else:
            job.failed(value)
