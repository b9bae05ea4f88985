"""One way to run work in a child process that may die: capped, schema-checked frames over inherited pipes.

Both ends live here. `Child` is the parent's end: one request, one reply, a deadline; a child that is late,
dies or talks nonsense is killed and a typed error raised. Each `Child` has one thread that does its
blocking pipe work, so that deadlines hold on Windows too, where pipes can't be polled. `serve` is the
child's end: the handler runs on the child's main thread, a second thread watches for the parent's death.
Never pickles, never forks, never repeats a request, never puts what a frame holds into an error or a log.
"""

import functools
import operator
import os
import queue
import signal
import struct
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from io import FileIO
from typing import IO, Any, Generic, Self, TypeVar, cast

import msgspec

from signer_token.dumps import no_core_dumps

DEFAULT_CAP = 1 << 20
"""Bytes that one frame may hold unless the caller says otherwise."""

_HEADER = struct.Struct(">I")
_KILL_WAIT_S = 5.0
"""A killed process that doesn't end (uninterruptible in a driver) is given up after this."""
END_S = 5.0
"""A child that was told to end may take that long; more than any parent waits before it kills."""
_EXIT_BAD_REQUEST = 65
_EXIT_ORPHANED = 66
if sys.platform == "win32":
    _CREATION_FLAGS = subprocess.CREATE_NO_WINDOW
else:
    _CREATION_FLAGS = 0


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """Base of everything that travels: tagged with its class name, closed against unknown fields."""


class Failure(Message, frozen=True):
    """The reply of a handler that refused: a code of the message catalogue and what fills its sentences."""

    code: str
    params: dict[str, str | int]


Req = TypeVar("Req", bound=msgspec.Struct)
Rep = TypeVar("Rep", bound=msgspec.Struct)


class Refusal(Exception):  # noqa: N818  raised by a handler on purpose; it is an answer, not an accident
    """What a handler raises to answer with `Failure(code, params)`."""

    def __init__(self, code: str, /, **params: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


class ChildError(Exception):
    """The child gave no good reply."""


class ChildTimeout(ChildError):  # noqa: N818
    """No reply within the deadline; the child was killed."""


class ChildCrashed(ChildError):  # noqa: N818
    """The child ended before it replied; `returncode` as subprocess gives it (negative: a signal)."""

    def __init__(self, returncode: int | None) -> None:
        super().__init__(f"the child ended with {returncode}")
        self.returncode = returncode


class ChildGarbage(ChildError):  # noqa: N818
    """The child sent something that is no reply; it was killed."""


class ChildFailed(ChildError):  # noqa: N818
    """The child lives and refused. "child_fault" with "type" means that its handler broke."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.code)
        self.code = failure.code
        self.params = failure.params


class _FrameTooLongError(Exception):
    pass


def _read_exactly(source: FileIO, size: int) -> bytearray:
    """`size` bytes; fewer only at the end of the stream."""
    frame = bytearray(size)
    view, filled = memoryview(frame), 0
    while filled < size:
        count = source.readinto(view[filled:])
        if not count:
            break
        filled += count
    view.release()
    del frame[filled:]
    return frame


def _read_frame(source: FileIO, cap: int) -> bytearray:
    """The next frame's payload; EOFError at the end of the stream, also in mid-frame."""
    header = _read_exactly(source, _HEADER.size)
    if len(header) < _HEADER.size:
        raise EOFError
    (size,) = _HEADER.unpack(header)
    if size > cap:
        raise _FrameTooLongError
    payload = _read_exactly(source, size)
    if len(payload) < size:
        raise EOFError
    return payload


def _write_frame(sink: FileIO, payload: bytes | bytearray) -> None:
    for part in (_HEADER.pack(len(payload)), payload):
        written = 0
        while written < len(part):
            with memoryview(part) as view, view[written:] as rest:
                written += sink.write(rest)


def _wipe(frame: bytearray) -> None:
    """Overwrites what a frame held."""
    frame[:] = bytes(len(frame))


def _decoder(types: Sequence[type[msgspec.Struct]]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(functools.reduce(operator.or_, cast("Sequence[Any]", types)))


_DECODING_ERRORS = (msgspec.MsgspecError, ValueError, RecursionError)


# The parent's end


def _exchange(
    process: subprocess.Popen[bytes],
    requests: "queue.SimpleQueue[bytearray | None]",
    replies: "queue.SimpleQueue[bytearray | type[ChildError]]",
    cap: int,
) -> None:
    """The thread of one child: a request out, a reply in, until None comes or the child is gone."""
    sink, source = cast("FileIO", process.stdin), cast("FileIO", process.stdout)
    try:
        while (request := requests.get()) is not None:
            try:
                _write_frame(sink, request)
            finally:
                _wipe(request)  # it may hold a PIN: not kept while the driver works
            replies.put(_read_frame(source, cap))
    except _FrameTooLongError:
        replies.put(ChildGarbage)
    except (EOFError, OSError):
        replies.put(ChildCrashed)
    finally:
        # Closed here and nowhere else, so no other thread can close what this one reads.
        for pipe in (sink, source):
            with suppress(OSError):
                pipe.close()


class Child(Generic[Req, Rep]):
    """A running child process. After any error but `ChildFailed` it is dead: make a new one.

    `command` and `env` as subprocess takes them; `reply_types` are the tagged structs a reply may be; `cap`
    limits frames in both directions, in bytes; `stderr` is an open file for what the child prints, None
    throws it away.
    """

    def __init__(
        self,
        command: Sequence[str],
        reply_types: Sequence[type[Rep]],
        *,
        env: Mapping[str, str] | None = None,
        cap: int = DEFAULT_CAP,
        stderr: IO[Any] | None = None,
    ) -> None:
        self._cap = cap
        self._decoder = _decoder([*reply_types, Failure])
        self._requests: queue.SimpleQueue[bytearray | None] = queue.SimpleQueue()
        self._replies: queue.SimpleQueue[bytearray | type[ChildError]] = queue.SimpleQueue()
        self._one_at_a_time = threading.Lock()
        self._ended = False
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if stderr is None else stderr,
            env=None if env is None else dict(env),
            bufsize=0,
            creationflags=_CREATION_FLAGS,
        )
        self._thread = threading.Thread(
            target=_exchange,
            args=(self._process, self._requests, self._replies, cap),
            name=f"child-{self._process.pid}",
            daemon=True,
        )
        self._thread.start()

    @property
    def pid(self) -> int:
        """The process id, also after its end."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can still be called; a process that has just died by itself may not be noticed yet."""
        return not self._ended and self._process.poll() is None

    def call(self, request: Req, deadline_s: float) -> Rep:
        """Send `request` and wait at most `deadline_s` seconds for its reply.

        Calls from several threads wait for each other. Raises ChildTimeout, ChildCrashed, ChildGarbage (the
        child is dead then), ChildFailed (it lives), ValueError for a request over the cap (nothing was
        sent).
        """
        payload = bytearray()
        msgspec.json.Encoder().encode_into(request, payload)
        if len(payload) > self._cap:
            raise ValueError(f"a request of {len(payload)} bytes; the cap is {self._cap}")
        with self._one_at_a_time:
            if self._ended:
                raise ChildCrashed(self._process.returncode)
            self._requests.put(payload)
            try:
                reply = self._reply(deadline_s)
            except BaseException:
                # Also at Ctrl+C: a reply that comes later would be taken for the answer to the next request.
                self._end(patience_s=0)
                raise
        if isinstance(reply, Failure):
            raise ChildFailed(reply)
        return cast("Rep", reply)

    def _reply(self, deadline_s: float) -> object:
        try:
            frame = self._replies.get(timeout=deadline_s)
        except queue.Empty:
            raise ChildTimeout(f"no reply within {deadline_s:g} s") from None
        if frame is ChildGarbage:
            raise ChildGarbage("a frame over the cap")
        if frame is ChildCrashed:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_KILL_WAIT_S)
            raise ChildCrashed(self._process.returncode)
        try:
            return self._decoder.decode(cast("bytearray", frame))
        except _DECODING_ERRORS:
            # The decoder's own words may quote the frame.
            raise ChildGarbage("not one of the agreed replies") from None

    def close(self, patience_s: float = 2.0) -> None:
        """End the child: its input is closed, and after `patience_s` seconds it is killed. Harmless twice."""
        self._end(patience_s)

    def _end(self, patience_s: float) -> None:
        self._ended = True
        self._requests.put(None)
        try:
            if patience_s <= 0:
                self._process.kill()
            self._process.wait(patience_s or _KILL_WAIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_KILL_WAIT_S)
        if self._thread is not threading.current_thread():
            self._thread.join(_KILL_WAIT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


# The child's end


def _take_pipes() -> tuple[FileIO, FileIO]:
    """The two ends of the channel, moved where a vendor module that prints or reads can't reach them."""
    source, sink = FileIO(os.dup(0), "rb"), FileIO(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return source, sink


def _listen(
    source: FileIO, inbox: "queue.SimpleQueue[bytearray | None]", busy: threading.Event, cap: int, end_s: float
) -> None:
    """The child's second thread: hands frames over; without a parent it ends the child, even in mid-call."""
    with suppress(EOFError, OSError, _FrameTooLongError):
        while True:
            frame = _read_frame(source, cap)
            busy.set()
            inbox.put(frame)
    if busy.is_set():
        # Nobody waits for the answer, and the handler may hang in a driver for good.
        os._exit(_EXIT_ORPHANED)
    inbox.put(None)
    # The handler's thread puts things in order and ends the process, and this thread with it; unless it hangs.
    time.sleep(end_s)
    os._exit(_EXIT_ORPHANED)


def serve(
    handler: Callable[[Req], Rep],
    request_types: Sequence[type[Req]],
    *,
    cap: int = DEFAULT_CAP,
    idle: Callable[[], None] = lambda: None,
    idle_every_s: float | None = None,
    settle: Callable[[], None] = lambda: None,
    end_s: float = END_S,
) -> int:
    """Answer requests with `handler` until the parent closes the pipe; returns the exit code of the process.

    `idle` is called every `idle_every_s` seconds while nobody asks anything, `settle` after each answer, both on the
    handler's thread. Once the parent is gone, the process has `end_s` seconds to end.

    Takes over stdin and stdout: from here on both `print` and a printing library write to stderr. A handler
    answers by returning a reply or raising `Refusal`; whatever else it raises becomes
    Failure("child_fault", {"type": …}) with the class name alone, for its text could hold a secret.
    """
    # The parent's Ctrl+C is not ours.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    no_core_dumps()
    source, sink = _take_pipes()
    decoder = _decoder(request_types)
    inbox: queue.SimpleQueue[bytearray | None] = queue.SimpleQueue()
    busy = threading.Event()
    threading.Thread(target=_listen, args=(source, inbox, busy, cap, end_s), name="listen", daemon=True).start()
    while True:
        try:
            frame = inbox.get(timeout=idle_every_s)
        except queue.Empty:
            idle()
            continue
        if frame is None:
            break
        try:
            request = cast("Req", decoder.decode(frame))
        except _DECODING_ERRORS:
            busy.clear()  # or the listener would take the parent's next step for its death
            return _EXIT_BAD_REQUEST
        _wipe(frame)
        payload = msgspec.json.encode(_answer(handler, request))
        del request
        if len(payload) > cap:
            payload = msgspec.json.encode(Failure("child_fault", {"type": "ReplyTooLong"}))
        busy.clear()  # before the reply: the parent may close the pipe as soon as it has it
        try:
            _write_frame(sink, payload)
        except OSError:
            break
        settle()
    return 0


def _answer(handler: Callable[[Req], Rep], request: Req) -> msgspec.Struct:
    try:
        return handler(request)
    except Refusal as refusal:
        return Failure(refusal.code, refusal.params)
    except Exception as fault:  # noqa: BLE001  it is told to the parent, and the child stays usable
        traceback.print_tb(fault.__traceback__)  # places only: the message could hold a secret
        return Failure("child_fault", {"type": type(fault).__name__})
