"""Connections whose answers must begin in time: urllib3's, with an end to how long the head of an answer may take.

Any thread. The time limit of a socket bounds each receive, so a head that drips byte by byte, or interim answers
without end, would hold a thread for as long as the other side likes.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

HEAD_GRACE: Final = 15.0
"""Seconds that the whole head may take beyond the time that its first byte may."""


@contextmanager
def _bounded(connection: HTTPConnection) -> Iterator[None]:
    seconds = connection.timeout if isinstance(connection.timeout, int | float) else None
    if seconds is None or connection.sock is None:
        yield
        return
    sock, late = connection.sock, threading.Event()

    def hang_up() -> None:
        late.set()
        try:
            # the plain socket's: a TLS socket that is being read must not be taken apart by another thread
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        except OSError:
            return

    timer = threading.Timer(seconds + HEAD_GRACE, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if late.is_set():  # whatever came of it: a head that was cut off reads like a whole one
            raise TimeoutError("the head of the answer took too long")


class _Plain(HTTPConnection):
    def getresponse(self) -> Any:
        with _bounded(self):
            return super().getresponse()


class BoundedTls(HTTPSConnection):
    """A TLS connection whose answers begin in time."""

    def getresponse(self) -> Any:
        """The head of the answer; TimeoutError if it does not come to its end in time."""
        with _bounded(self):
            return super().getresponse()


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = BoundedTls


def bound(manager: urllib3.PoolManager) -> None:
    """Makes all connections of `manager` such as this module describes; before its first use."""
    manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
