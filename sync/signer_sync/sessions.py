"""Who has which HTTP session: a session serves one thread at a time, and is lent for one request.

Any thread.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol

import requests

from signer_resources.errors import KnownError
from signer_sync.contract import Retry
from signer_sync.errors import ExchangeError, Scope
from signer_sync.http import HttpSettings, open_session, settings_of

MOST: Final = 10
"""Sessions at once: eight that send, one that listens, one for all else (Sync API §4.8: 2 growing to 8)."""


class Sessions(Protocol):
    """Lends sessions of the same settings."""

    @property
    def settings(self) -> HttpSettings:
        """How all of them reach servers."""

    def lend(self) -> AbstractContextManager[requests.Session]:
        """A session for this thread alone, until the end of the `with`."""


class OneSession:
    """The caller's own session; whoever uses it does so on one thread at a time."""

    def __init__(self, session: requests.Session) -> None:
        self._session = session

    @property
    def settings(self) -> HttpSettings:
        """See `Sessions`."""
        return settings_of(self._session)

    @contextmanager
    def lend(self) -> Iterator[requests.Session]:
        """See `Sessions`."""
        yield self._session


class SessionPool:
    """Opens sessions as they are needed, up to `most`; further borrowers wait.

    The one used last goes out first, so that its connection is still warm. Close it after use; what is
    lent then is closed when it comes back.
    """

    def __init__(
        self,
        settings: HttpSettings,
        most: int = MOST,
        *,
        make: Callable[[HttpSettings], requests.Session] = open_session,
    ) -> None:
        self._settings = settings
        self._make = make
        self._idle: list[requests.Session] = []
        self._turn = threading.Lock()
        self._free = threading.BoundedSemaphore(most)
        self._closed = False

    @property
    def settings(self) -> HttpSettings:
        """See `Sessions`."""
        return self._settings

    @contextmanager
    def lend(self) -> Iterator[requests.Session]:
        """See `Sessions`; RuntimeError once the pool is closed, ExchangeError extra_ca_unreadable."""
        with self._free:
            session = self._take()
            try:
                yield session
            finally:
                self._give_back(session)

    def close(self) -> None:
        """Closes all that is not lent."""
        with self._turn:
            self._closed = True
            idle, self._idle = self._idle, []
        for session in idle:
            session.close()

    def _take(self) -> requests.Session:
        with self._turn:
            if self._closed:
                raise RuntimeError("the pool is closed")
            if self._idle:
                return self._idle.pop()
        try:
            return self._make(self._settings)
        except KnownError as error:  # the settings, not the packet that happens to be sent
            if error.code != "extra_ca_unreadable":
                raise
            file = error.params["file"]
            raise ExchangeError("extra_ca_unreadable", retry=Retry.FIX, scope=Scope.SERVER, file=file) from error

    def _give_back(self, session: requests.Session) -> None:
        with self._turn:
            if not self._closed:
                self._idle.append(session)
                return
        session.close()
