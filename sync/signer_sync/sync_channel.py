"""The Sync API as a channel: translates between the client of the contract and what the loop asks of every channel.

On the threads of the pass; whoever made the client closes it.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from signer_sync import contract as c
from signer_sync.errors import ExchangeError, Scope
from signer_sync.packets import Arrival, ArrivalPage, BinarySink, OutgoingPacket, Proof, SignedReceipt
from signer_sync.ports import Contact, Sought, Traits

SIDE_BY_SIDE: Final = 8
"""Connections at most (Sync API §4.8)."""


class Speaker(Protocol):
    """The client of the contract, as far as exchange needs it; see `client`."""

    @property
    def org(self) -> str:
        """The body for which it speaks."""

    def meta(self) -> c.Meta:
        """Who is there now."""

    def put_packet(
        self, packet: OutgoingPacket, journal_head: c.JournalHead | None, *, sent: Callable[[int], None]
    ) -> SignedReceipt:
        """Sends a packet and checks the receipt; callable from several threads at once."""

    def packet_state(self, packet_id: str) -> c.PacketState:
        """What the server knows of a packet that we sent."""

    def orgs(self, since: str | None) -> c.OrgPage:
        """Bodies changed since the cursor."""

    def feed(self, cursor: str | None, *, limit: int, wait: int) -> c.FeedPage:
        """The feed behind `cursor`."""

    def content(self, item: c.FeedItem, sink: BinarySink, *, limit: int) -> int:
        """Writes a packet's bytes into `sink`."""

    def ack(self, cursor: str) -> None:
        """All up to the cursor is durable here."""


class SyncChannel:
    """`ports.Channel` over the Sync API."""

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker

    @property
    def org(self) -> str:
        """See `ports.Channel`."""
        return self._speaker.org

    @property
    def traits(self) -> Traits:
        """Every write is idempotent by its id, every packet gets a signed receipt, the feed can be held open."""
        return Traits("sync", idempotent=True, receipts=True, side_by_side=SIDE_BY_SIDE, long_poll=True)

    def contact(self) -> Contact:
        """See `ports.Channel`; ExchangeError server_not_ours unless the pinned server answered."""
        meta = self._speaker.meta()
        return Contact(meta.feed_epoch, datetime.fromisoformat(meta.server_time))

    def submit(self, packet: OutgoingPacket, journal_head: c.JournalHead | None, sent: Callable[[int], None]) -> Proof:
        """See `ports.Channel`."""
        receipt = self._speaker.put_packet(packet, journal_head, sent=sent)
        return Proof(receipt.text, receipt)

    def seek(self, packet: OutgoingPacket) -> Sought:
        """See `ports.Channel`; never needed, since the same packet may be sent again."""
        return Sought.ABSENT if self.status(packet.packet_id, "") is None else Sought.THERE

    def status(self, packet_id: str, proof: str) -> c.PacketState | None:
        """See `ports.Channel`; the proof isn't needed."""
        try:
            return self._speaker.packet_state(packet_id)
        except ExchangeError as error:
            if error.problem == c.ProblemCode.NOT_FOUND.code:
                return None
            raise

    def list(self, cursor: str | None, *, limit: int, wait: int) -> ArrivalPage:
        """See `ports.Channel`."""
        page = self._speaker.feed(cursor, limit=limit, wait=wait)
        return ArrivalPage(tuple(map(_arrival, page.items)), page.cursor, page.more)

    def fetch(self, arrival: Arrival, sink: BinarySink, *, limit: int) -> None:
        """See `ports.Channel`; ExchangeError arrival_unknown for an entry that announces a packet without its hash."""
        if arrival.sha256 is None or arrival.size is None:
            raise ExchangeError("arrival_unknown", retry=c.Retry.FIX, scope=Scope.ITEM)
        item = c.FeedItem(seq=0, type=c.FeedType.PACKET.value, id=arrival.id, sha256=arrival.sha256, size=arrival.size)
        self._speaker.content(item, sink, limit=limit)

    def ack(self, cursor: str) -> None:
        """See `ports.Channel`."""
        self._speaker.ack(cursor)

    def directory(self, since: str | None) -> c.OrgPage:
        """See `ports.Channel`."""
        return self._speaker.orgs(since)


def _arrival(item: c.FeedItem) -> Arrival:
    return Arrival(
        id=item.id,
        type=item.feed_type,
        sha256=item.sha256,
        size=item.size,
        sender=item.sender or "",
        kind=item.packet_kind,
        subject=item.subject,
        priority=item.priority,
    )
