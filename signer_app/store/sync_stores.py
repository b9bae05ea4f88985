"""The outbox and inbox as the sending loop wants them: `signer_sync`'s Protocols over our tables and blobs.

Called on the network pool; each method is one transaction of the store, durable when it returns. Decides
nothing: what becomes of a packet is the loop's affair, whether it is secret is asked of the screen that is
handed in.
"""

import io
from collections.abc import Callable, Sequence
from datetime import datetime

from signer_app.store.inbox import IncomingPacket
from signer_app.store.model import OutboxState
from signer_app.store.store import Store
from signer_resources.errors import KnownError
from signer_sync.contract import FeedItem, JournalHead, PacketState
from signer_sync.packets import OutgoingPacket, SignedReceipt
from signer_sync.ports import FeedPosition


class SqlOutbox:
    """`signer_sync.ports.OutboxStore` over the store; `cancelled` is asked before a packet leaves."""

    def __init__(
        self, store: Store, now: Callable[[], datetime], cancelled: Callable[[], bool] = lambda: False
    ) -> None:
        self._store = store
        self._now = now
        self._cancelled = cancelled

    def due(self, org: str, now: datetime, *, at_once: bool) -> Sequence[OutgoingPacket]:
        """Packets to be tried now, urgent ones first."""
        with self._store.view() as view:
            packets = view.outbox.due(org, now, at_once=at_once)
        return [
            OutgoingPacket(
                packet_id=packet.packet_id,
                org=packet.org,
                path=self._store.blobs.path(packet.sha256),
                sha256=packet.sha256,
                size=packet.size,
                urgency=int(packet.urgency),
                created_at=packet.created_at,
                attempts=packet.attempts,
            )
            for packet in packets
        ]

    def waiting(self, org: str) -> int:
        """How many packets have no receipt yet and are not given up."""
        with self._store.view() as view:
            return view.outbox.waiting(org)

    def journal_head(self) -> JournalHead | None:
        """The journal's head; None while it is empty."""
        with self._store.view() as view:
            head = view.journal.head()
        return head if head.count else None

    def mark_sending(self, packet_id: str) -> None:
        """The first byte is about to leave; KnownError "interrupted", then none leaves."""
        _go_on(self._cancelled)
        self._store.write(lambda transaction: transaction.outbox.mark_sending(packet_id))

    def accepted(self, packet_id: str, receipt: SignedReceipt) -> None:
        """Keeps the checked receipt; the journal's head in it becomes an anchor."""
        head = _head(receipt.facts.journal_head)
        self._store.write(lambda transaction: transaction.outbox.accepted(packet_id, receipt.text, head, self._now()))

    def retry(self, packet_id: str, error: KnownError, not_before: datetime) -> None:
        """Not sent, or outcome unknown: the same packet again from `not_before` on."""
        self._store.write(lambda transaction: transaction.outbox.retry(packet_id, error.code, not_before, error.params))

    def needs_person(self, packet_id: str, error: KnownError) -> None:
        """Someone must change something first."""
        self._store.write(lambda transaction: transaction.outbox.needs_person(packet_id, error.code, error.params))

    def failed(self, packet_id: str, error: KnownError) -> None:
        """The server will never take this packet."""
        self._store.write(lambda transaction: transaction.outbox.failed(packet_id, error.code, error.params))

    def delivery(self, packet_id: str, state: PacketState) -> None:
        """The server tells more about a packet that it accepted; of another one it is ignored."""
        told = OutboxState(state.state.value)
        self._store.write(lambda transaction: transaction.outbox.moved_on(packet_id, told))


class SqlInbox:
    """`signer_sync.ports.InboxStore` over the store; `secret(item, data)` looks for secrecy marks in
    memory, `cancelled` is asked before a packet is fetched.
    """

    def __init__(
        self,
        store: Store,
        now: Callable[[], datetime],
        secret: Callable[[FeedItem, bytes], bool],
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._now = now
        self._secret = secret
        self._cancelled = cancelled

    def position(self, org: str) -> FeedPosition | None:
        """Where to go on in the org's feed, None at the start."""
        with self._store.view() as view:
            return view.inbox.position(org)

    def advance(self, org: str, position: FeedPosition) -> None:
        """Everything up to `position` is stored and acknowledged."""
        self._store.write(lambda transaction: transaction.inbox.set_position(org, position))

    def has(self, org: str, packet_id: str, sha256: str) -> bool:
        """Whether this very packet is kept, or was recorded as secret; KnownError "interrupted"."""
        _go_on(self._cancelled)
        with self._store.view() as view:
            return view.inbox.has(org, packet_id, sha256)

    def screen(self, org: str, item: FeedItem, data: bytes) -> bool:
        """Whether the packet carries a secrecy mark."""
        return self._secret(item, data)

    def record_secret(self, org: str, packet_id: str) -> None:
        """Keeps the id and nothing else of a secret packet."""
        self._store.write(lambda transaction: transaction.inbox.add_secret(org, packet_id, self._now()))

    def receive(self, org: str, item: FeedItem, data: bytes) -> None:
        """Keeps the packet: the blob, durable, then the row. ValueError if the bytes are not the item's."""
        blob = self._store.blobs.add_stream(io.BytesIO(data))
        if blob.sha256 != item.sha256:
            raise ValueError("the bytes of a packet are not those that its feed announced")
        packet = IncomingPacket(
            org=org,
            packet_id=item.id,
            received_at=self._now(),
            sha256=blob.sha256,
            size=blob.size,
            kind=item.kind,
            from_org=item.sender,
            subject=item.subject,
            priority=item.priority,
        )
        self._store.write(lambda transaction: transaction.inbox.add(packet))


def _go_on(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise KnownError("interrupted")


def _head(text: str | None) -> JournalHead | None:
    try:
        return JournalHead.parse(text) if text is not None else None
    except ValueError:
        return None
