"""Who waits for news: the long polls of the feed and how they are woken.

Lives on the server's event loop and is touched from nowhere else.
"""

import asyncio
from collections.abc import Iterable


class Bell:
    """Rung once when an organisation gets a new entry; make it before looking whether there is one."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wakes whoever waits."""
        self._event.set()

    async def ring_within(self, seconds: float) -> bool:
        """Whether it rings within `seconds`."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return False
        return True


class Hub:
    """One bell per organisation at a time; after `close` all bells have rung."""

    def __init__(self) -> None:
        self._bells: dict[str, Bell] = {}
        self._closed = False

    def bell(self, org: str) -> Bell:
        """The bell that the next news for `org` will ring."""
        bell = self._bells.setdefault(org, Bell())
        if self._closed:
            bell.ring()
        return bell

    def wake(self, orgs: Iterable[str]) -> None:
        """There is news for these."""
        for org in orgs:
            if (bell := self._bells.pop(org, None)) is not None:
                bell.ring()

    def close(self) -> None:
        """The server stops: nobody is to wait any longer."""
        self._closed = True
        self.wake(tuple(self._bells))
