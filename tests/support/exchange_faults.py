"""A bad line between clients and a document server: it loses answers, cuts, stalls, lies and flips bits, by chance.

For the campaigns of the exchange, on threads of its own. It knows the framing of HTTP/1.1 as far as our client and
server use it, so that each fault falls at a chosen place of a request. Bits are flipped only where the contract itself
can notice it: in packets and in what the server signs. All else is guarded by TLS, which no fault of a line passes.
"""

import random
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import IO, Final
from urllib.parse import urlsplit

_BLOCK: Final = 1 << 16
_PATIENCE_S: Final = 90.0
"""Longer than a feed is held open."""
_STALL_S: Final = 1.5


class Fault(Enum):
    """What the line does to one request."""

    LOST = "answer lost"
    RESET = "reset in the body"
    STALL = "stalled, then went on"
    STALL_CUT = "stalled, then cut"
    TRUNCATED = "answer truncated"
    PORTAL = "portal page"
    GATEWAY = "5xx of a gateway"
    BUSY = "429"
    FLIPPED_UP = "bit flipped on the way up"
    FLIPPED_DOWN = "bit flipped on the way down"


_PACKET_UP = re.compile(rb"PUT /v1/orgs/[^/ ]+/packets/[^/ ]+/content |PATCH /v1/uploads/")
_CHECKED_DOWN = re.compile(
    rb"GET /v1/packets/|GET /v1/meta |PUT /v1/orgs/[^/ ]+/packets/|GET /v1/orgs/[^/ ]+/packets/[^/ ]+/receipt "
)
_PORTAL_PAGE: Final = "<!DOCTYPE html><title>Đăng nhập mạng</title><form>Mã phòng:</form>".encode()
_PORTAL_HEADS: Final = (
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://portal.example.vn/login\r\n",
    b"HTTP/1.1 511 Network Authentication Required\r\n",
)
_GATEWAY_HEADS: Final = (
    b"HTTP/1.1 500 Internal Server Error\r\n",
    b"HTTP/1.1 502 Bad Gateway\r\n",
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n",
    b"HTTP/1.1 504 Gateway Timeout\r\n",
)
_BUSY_BODY: Final = b'{"status":429,"code":"rate-limited","retry":"after"}'


@dataclass(frozen=True)
class _Head:
    """A head as it came, with its first line and the length of the body; None: up to the end of the line."""

    raw: bytes
    length: int | None

    @property
    def first(self) -> bytes:
        return self.raw.partition(b"\r\n")[0]


class _BrokenError(Exception):
    """This connection is over."""


@dataclass
class BadLine:
    """Relays to `target`; each request meets a fault with the probability `share`. `counts`: how many of each."""

    target: str
    chance: random.Random
    share: float
    url: str = ""
    counts: Counter[Fault] = field(default_factory=Counter)
    asked: int = 0
    """Requests that came while it was bad."""
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)
    _ends: set[socket.socket] = field(default_factory=set)
    _threads: list[threading.Thread] = field(default_factory=list)

    def calm(self) -> None:
        """From now on the line is good."""
        self.share = 0.0

    def serve(self, listener: socket.socket) -> None:
        """Takes connections until the listener is closed."""
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            self._threads.append(thread := threading.Thread(target=self._relay, args=(near,), daemon=True))
            thread.start()

    def end(self) -> None:
        """Hangs up on everybody."""
        self._over.set()
        with self._turn:
            ends = list(self._ends)
        for end in ends:
            _hang_up(end)
        for thread in self._threads:
            thread.join(20)

    # ---- one connection ----------------------------------------------------------------------------------------------

    def _relay(self, near: socket.socket) -> None:
        parts = urlsplit(self.target)
        with near, suppress(_BrokenError, OSError):
            self._know(near)
            try:
                with socket.create_connection((parts.hostname, parts.port), 10) as far:
                    self._know(far)
                    try:
                        self._talk(near, far)
                    finally:
                        self._forget(far)
            finally:
                self._forget(near)

    def _talk(self, near: socket.socket, far: socket.socket) -> None:
        for end in (near, far):
            end.settimeout(_PATIENCE_S)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        asking, answering = near.makefile("rb"), far.makefile("rb")
        with asking, answering:
            while not self._over.is_set():
                head = _read_head(asking)
                fault = self._draw(head)
                if fault in (Fault.PORTAL, Fault.GATEWAY, Fault.BUSY):
                    self._answer_ourselves(near, asking, head, fault)
                    return
                self._pass_request(near, far, asking, head, fault)
                if self._pass_answer(near, answering, head, fault):
                    return

    def _draw(self, head: _Head) -> Fault | None:
        with self._turn:
            if not self.share:
                return None
            self.asked += 1
            if self.chance.random() >= self.share:
                return None
            kinds = [fault for fault in Fault if _fits(fault, head)]
            fault = self.chance.choice(kinds)
            self.counts[fault] += 1
            return fault

    def _pick(self, below: int) -> int:
        with self._turn:
            return self.chance.randrange(max(below, 1))

    def _answer_ourselves(self, near: socket.socket, asking: IO[bytes], head: _Head, fault: Fault) -> None:
        for _ in _body(asking, head.length or 0):
            pass  # who hangs up on a body that still comes would be a reset
        kind, page, first = b"text/html; charset=utf-8", _PORTAL_PAGE, b""
        if fault is Fault.BUSY:
            first, kind, page = (
                b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\n",
                b"application/problem+json",
                _BUSY_BODY,
            )
        else:
            heads = _PORTAL_HEADS if fault is Fault.PORTAL else _GATEWAY_HEADS
            first = heads[self._pick(len(heads))]
        more = b"Content-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (kind, len(page))
        near.sendall(first + more + (b"" if head.first.startswith(b"HEAD ") else page))

    def _pass_request(
        self, near: socket.socket, far: socket.socket, asking: IO[bytes], head: _Head, fault: Fault | None
    ) -> None:
        length = head.length or 0
        at = self._pick(length)
        far.sendall(head.raw)
        passed = 0
        for block in _body(asking, length):
            data = block
            here = passed <= at < passed + len(block)
            if here and fault is Fault.FLIPPED_UP:
                data = _flipped(block, at - passed, self._pick(8))
            if here and fault is Fault.RESET:
                far.sendall(block[: at - passed])
                _reset(near)
                raise _BrokenError
            if here and fault in (Fault.STALL, Fault.STALL_CUT):
                self._stall(far, fault)
            try:
                far.sendall(data)
            except OSError:
                return  # who answers before all has come may have hung up; the answer is still to be read
            passed += len(block)
        if length == 0:
            if fault is Fault.RESET:
                _reset(near)
                raise _BrokenError
            if fault in (Fault.STALL, Fault.STALL_CUT):
                self._stall(far, fault)

    def _stall(self, far: socket.socket, fault: Fault) -> None:
        self._over.wait(_STALL_S * self._pick(1000) / 1000)
        if fault is Fault.STALL_CUT:
            _hang_up(far)
            raise _BrokenError

    def _pass_answer(self, near: socket.socket, answering: IO[bytes], asked: _Head, fault: Fault | None) -> bool:
        """Whether the connection ends with this answer."""
        head = _read_head(answering)
        status = head.first.split(b" ")[1]
        if fault is Fault.LOST:
            _reset(near)
            raise _BrokenError
        bare = asked.first.startswith(b"HEAD ") or status in (b"204", b"304")
        length = 0 if bare else head.length
        whole = len(head.raw) + (length or 0)
        keep = self._pick(whole) if fault is Fault.TRUNCATED else None
        flip = self._pick(length or 1) if fault is Fault.FLIPPED_DOWN else None
        near.sendall(head.raw if keep is None else head.raw[:keep])
        passed = 0
        for block in _body(answering, length):
            data = block
            if flip is not None and passed <= flip < passed + len(block):
                data = _flipped(block, flip - passed, self._pick(8))
            if keep is not None:
                data = data[: max(keep - len(head.raw) - passed, 0)]
            near.sendall(data)
            passed += len(block)
        return keep is not None or length is None or re.search(rb"(?i)\r\nconnection: close\r\n", head.raw) is not None

    def _know(self, end: socket.socket) -> None:
        with self._turn:
            self._ends.add(end)

    def _forget(self, end: socket.socket) -> None:
        with self._turn:
            self._ends.discard(end)


def _fits(fault: Fault, head: _Head) -> bool:
    if fault is Fault.FLIPPED_UP:
        return bool(head.length) and _PACKET_UP.match(head.raw) is not None
    return fault is not Fault.FLIPPED_DOWN or _CHECKED_DOWN.match(head.raw) is not None


def _read_head(source: IO[bytes]) -> _Head:
    raw = b""
    while not raw.endswith(b"\r\n\r\n"):
        line = source.readline(_BLOCK)
        if not line:
            raise _BrokenError
        raw += line
    told = re.search(rb"(?i)\r\ncontent-length: *(\d+)\r\n", raw)
    asks = not raw.startswith(b"HTTP/")
    return _Head(raw, int(told[1]) if told else (0 if asks else None))


def _body(source: IO[bytes], length: int | None) -> Iterator[bytes]:
    left = length
    while left is None or left > 0:
        block: bytes = source.read1(_BLOCK if left is None else min(left, _BLOCK))  # type: ignore[attr-defined]
        if not block:
            if left is None:
                return
            raise _BrokenError
        left = None if left is None else left - len(block)
        yield block


def _flipped(block: bytes, at: int, bit: int) -> bytes:
    return block[:at] + bytes([block[at] ^ (1 << bit)]) + block[at + 1 :]


def _reset(end: socket.socket) -> None:
    """The far side gets an RST: whatever was on its way is gone."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()


def _hang_up(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@contextmanager
def bad_line(target: str, chance: random.Random, share: float) -> Iterator[BadLine]:
    """A line to `target` that is bad from the start."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        line = BadLine(target, chance, share, url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread = threading.Thread(target=line.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield line
        finally:
            _hang_up(listener)
            thread.join(20)
            line.end()
