"""Who may touch an upload: one request at a time, and a newer one need not wait for a dead connection.

Lives on the server's event loop and is touched from nowhere else.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turn:
    """The right to touch one upload; `wanted` is set as soon as somebody else asks for it."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.wanted = asyncio.Event()
        self.users = 0


class Turns:
    """One turn per upload, for as long as somebody has it or waits for it."""

    def __init__(self) -> None:
        self._turns: dict[str, Turn] = {}

    @asynccontextmanager
    async def turn(self, upload_id: str) -> AsyncIterator[Turn]:
        """The upload for oneself; whoever has it now is asked to hand it over."""
        turn = self._turns.setdefault(upload_id, Turn())
        turn.users += 1
        turn.wanted.set()
        try:
            async with turn.lock:
                if turn.users == 1:
                    turn.wanted.clear()
                yield turn
        finally:
            turn.users -= 1
            if not turn.users:
                del self._turns[upload_id]
