"""Connections whose answers must begin in time: urllib3's, with an end to how long the head of an answer may take.

It also tells a kept connection that the other side had closed from all other failures. Any thread. The time limit of a
socket bounds each receive, so a head that drips byte by byte, or interim answers without end, would hold a thread for
as long as the other side likes.
"""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

HEAD_GRACE: Final = 15.0
"""Seconds that the whole head may take beyond the time that its first byte may."""


def _shut(sock: socket.socket | None) -> None:
    try:
        if sock is not None:
            # the plain socket's: a TLS socket that is being read must not be taken apart by another thread
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        return


@contextmanager
def _bounded(connection: HTTPConnection) -> Iterator[None]:
    seconds = connection.timeout if isinstance(connection.timeout, int | float) else None
    if seconds is None or connection.sock is None:
        yield
        return
    sock, late = connection.sock, threading.Event()

    def hang_up() -> None:
        late.set()
        _shut(sock)

    timer = threading.Timer(seconds + HEAD_GRACE, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if late.is_set():  # whatever came of it: a head that was cut off reads like a whole one
            raise TimeoutError("the head of the answer took too long")


class StaleConnectionError(ConnectionResetError):
    """The other side closed a kept connection just when the next request set out on it: it said nothing to that."""


def was_stale(error: BaseException | None, depth: int = 0) -> bool:
    """Whether a StaleConnectionError lies beneath `error`, as requests and urllib3 wrap errors into one another."""
    if error is None or depth > 8:
        return False
    # not its context: what failed before, and is being dealt with, says nothing of this request
    beneath = (*error.args, getattr(error, "reason", None), error.__cause__)
    return isinstance(error, StaleConnectionError) or any(
        was_stale(inner, depth + 1) for inner in beneath if isinstance(inner, BaseException)
    )


class _Kept(HTTPConnection):
    """A connection whose answers begin in time, and can be hung up on; it tells if it was closed while nobody asked."""

    _answered = 0

    def connect(self) -> None:
        self._answered = 0
        super().connect()

    def request(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().request(*args, **kwargs)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            # without TLS urllib3 looks for an answer all the same, and `getresponse` finds that there is none
            if not self._answered:
                raise
            raise StaleConnectionError("closed meanwhile") from error

    def getresponse(self) -> Any:
        """The head of the answer; TimeoutError if it does not come to its end in time."""
        sock = self.sock
        response: Any = None
        try:
            with _bounded(self):
                response = super().getresponse()
        except OSError as error:
            if response is not None:  # a head that was cut off because it came too late
                response.close()
            if not (isinstance(error, ConnectionError) and self._answered):
                raise
            raise StaleConnectionError("closed meanwhile") from error
        self._answered += 1
        response.hang_up = lambda: _shut(sock)
        return response


class _Plain(_Kept):
    pass


class BoundedTls(_Kept, HTTPSConnection):
    """A TLS connection whose answers begin in time."""


@contextmanager
def hung_up_after(response: Any, seconds: float) -> Iterator[threading.Event]:
    """Hangs up on an answer whose body has not come after so many seconds; the event tells that this has happened.

    For what no time limit of a socket ends: lengths of chunks and trailers that drip.
    """
    late = threading.Event()
    hang_up = getattr(response, "hang_up", None)
    if hang_up is None:
        yield late
        return

    def give_up() -> None:
        late.set()
        hang_up()

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = BoundedTls


def bound(manager: urllib3.PoolManager) -> None:
    """Makes all connections of `manager` such as this module describes; before its first use."""
    manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
