"""One connection of the server: a limit on how many there are, and no patience with those that say nothing.

Runs on the server's event loop, inside uvicorn. What a request's body may take is watched where it is read; here it is
about connections on which no request ever comes to its first line's end, and answers that nobody fetches.
"""

import asyncio
import socket
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

_ANSWER_SECONDS = 120
"""Longest wait for the far side to take bytes that were sent."""


def protocol(*, max_connections: int, header_seconds: float) -> type[H11Protocol]:
    """The class of connections under these limits, for uvicorn's `http` setting."""

    class Connection(H11Protocol):
        """Closed if there are too many, or if it brings no complete head of a request in time."""

        _head_due: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > max_connections:
                transport.abort()
                return
            _be_impatient(transport.get_extra_info("socket"))
            self._await_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._head_came()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            before = self.cycle
            if before is not None and before.response_complete and self._head_due is None:
                self._await_head()
            super().data_received(data)
            if self.cycle is not before:
                self._head_came()

        def _await_head(self) -> None:
            self._head_due = self.loop.call_later(header_seconds, self._give_up)

        def _head_came(self) -> None:
            if self._head_due is not None:
                self._head_due.cancel()
                self._head_due = None

        def _give_up(self) -> None:
            self._head_due = None
            if not self.transport.is_closing():
                self.transport.abort()

    return Connection


def _be_impatient(connection: Any) -> None:
    """Asks the system to notice a far side that is gone or takes nothing; where it can't, keep-alive probes do."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _ANSWER_SECONDS * 1000)
