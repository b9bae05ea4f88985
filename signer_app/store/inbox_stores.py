"""The inbox as the receiving loop wants it: `signer_sync`'s Protocol over our tables and blobs.

Called on the network's thread; each method is one transaction of the store, durable when it returns. A packet lies in
memory until the screen that is handed in has looked for marks of secrecy; only then is anything of it written.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from enum import Enum
from typing import IO, Protocol

from signer_app.store.inbox import SYNC, IncomingPacket
from signer_app.store.store import Store, Transaction
from signer_resources.errors import KnownError
from signer_sync.contract import Retry
from signer_sync.errors import ExchangeError
from signer_sync.packets import Arrival, BinarySink
from signer_sync.ports import FeedPosition, Taken
from signer_sync.secrecy import field_is_secret

_SUBJECT = 1000
"""Characters of a feed's words about a packet that are kept."""


class Screening(Enum):
    """What a look for marks of secrecy found; `unsure`: some files could not be looked into."""

    OPEN = "open"
    SECRET = "secret"  # noqa: S105 - a state, no password
    UNSURE = "unsure"


class Held(Protocol):
    """Bytes that lie in memory alone."""

    @property
    def sha256(self) -> str:
        """Their SHA-256 in hex."""

    @property
    def size(self) -> int:
        """How many."""

    def write(self, data: bytes, /) -> None:
        """Takes all of `data`."""

    def reader(self) -> IO[bytes]:
        """They from the first on."""


class SqlInbox:
    """`signer_sync.ports.InboxStore` over the store for one channel.

    `screen(arrival, held)` looks for marks of secrecy, `hold()` makes room in memory, `cancelled` is asked before a
    packet is fetched.
    """

    def __init__(
        self,
        store: Store,
        now: Callable[[], datetime],
        screen: Callable[[Arrival, Held], Screening],
        hold: Callable[[], AbstractContextManager[Held]],
        cancelled: Callable[[], bool] = lambda: False,
        channel: str = SYNC,
    ) -> None:
        self._store = store
        self._now = now
        self._screen = screen
        self._hold = hold
        self._cancelled = cancelled
        self._channel = channel

    def position(self, org: str) -> FeedPosition | None:
        """Where to go on in the org's feed, None at the start."""
        with self._store.view() as view:
            return view.inbox.position(org, self._channel)

    def advance(self, org: str, position: FeedPosition) -> None:
        """Everything up to `position` is stored and acknowledged."""
        self._store.write(lambda tx: tx.inbox.set_position(org, position, self._channel))

    def has(self, org: str, arrival: Arrival) -> bool:
        """Whether this very packet is kept, or was recorded as secret; KnownError "interrupted"."""
        if self._cancelled():
            raise KnownError("interrupted")
        with self._store.view() as view:
            return view.inbox.has(org, arrival.id, arrival.sha256, self._channel)

    def take(self, org: str, arrival: Arrival, fetch: Callable[[BinarySink], None]) -> Taken:
        """Fetches a packet into memory, looks for marks, then keeps file and row; of a secret one the id alone.

        ExchangeError "content_wrong" for other bytes than were announced, what `fetch` raises, and as `Store.write`;
        then nothing is kept.
        """
        with self._hold() as held:
            fetch(held)
            if arrival.sha256 is not None and held.sha256 != arrival.sha256:
                raise ExchangeError("content_wrong", retry=Retry.AFTER)
            with self._store.view() as view:
                if view.inbox.has(org, arrival.id, held.sha256, self._channel):
                    return Taken.KNOWN
            found = self._screen(arrival, held)
            if found is Screening.SECRET:
                self._store.write(lambda tx: tx.inbox.add_secret(org, arrival.id, self._now(), self._channel))
                return Taken.SECRET
            blob = self._store.blobs.add_stream(held.reader())
        packet = IncomingPacket(
            org=org,
            channel=self._channel,
            packet_id=arrival.id,
            received_at=self._now(),
            sha256=blob.sha256,
            size=blob.size,
            unscreened=found is Screening.UNSURE,
            kind=arrival.kind,
            from_org=arrival.sender or None,
            subject=arrival.subject[:_SUBJECT],
            priority=arrival.priority,
        )
        return Taken.KEPT if self._store.write(lambda tx: tx.inbox.add(packet)) else Taken.KNOWN

    def told(self, org: str, arrival: Arrival) -> None:
        """The server's administrator tells something; nothing of it that bears a mark of secrecy."""
        if field_is_secret("Subject", arrival.subject):
            return
        now, said = self._now(), {"subject": arrival.subject[:_SUBJECT]}
        self._store.write(lambda tx: tx.notices.tell(org, "server_notice", now, said))

    def missed(self, org: str, arrival: Arrival, error: KnownError) -> int:
        """It could not be had in this pass; in how many so far."""
        return self._store.write(lambda tx: tx.inbox.missed(org, arrival.id, self._channel))

    def give_up(self, org: str, arrival: Arrival, error: KnownError) -> None:
        """It can never be had: recorded with the reason, and nothing of what the feed says of it; a person is told."""
        now, said = self._now(), {"id": arrival.id, "reason": error.code}

        def work(tx: Transaction) -> None:
            tx.inbox.give_up(org, arrival.id, now, error.code, error.params, self._channel)
            tx.notices.tell(org, "incoming_given_up", now, said)

        self._store.write(work)
