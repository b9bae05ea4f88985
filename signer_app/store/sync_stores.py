"""The outbox as the sending loop wants it: `signer_sync`'s Protocol over our tables and blobs.

Called on the network pool; each method is one transaction of the store, durable when it returns. Decides
nothing: what becomes of a packet is the loop's affair. The inbox is `inbox_stores`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from signer_app.store.model import OutboxPacket, OutboxState
from signer_app.store.outbox import OutboxReader
from signer_app.store.receivers import PaperReason, PaperReceiver
from signer_app.store.store import Store, Transaction
from signer_resources.errors import KnownError
from signer_sync.contract import JournalHead, PacketState
from signer_sync.lgsp_errors import RECEIVER_LOCKED
from signer_sync.packets import OutgoingPacket, Proof


class SqlOutbox:
    """`signer_sync.ports.OutboxStore` over the store."""

    def __init__(
        self, store: Store, now: Callable[[], datetime], sends: Callable[[str], bool] = lambda _org: True
    ) -> None:
        """`sends`: whether this program sends for a body; asked anew before each packet, for that is a setting."""
        self._store = store
        self._now = now
        self._sends = sends

    def due(self, org: str, now: datetime, *, at_once: bool) -> Sequence[OutgoingPacket]:
        """Packets to be tried now, urgent ones first; "at once" doesn't mean what a person has postponed."""
        with self._store.view() as view:
            return [self._outgoing(packet, view.outbox) for packet in view.outbox.due(org, now, at_once=at_once)]

    def _outgoing(self, packet: OutboxPacket, outbox: OutboxReader) -> OutgoingPacket:
        # The server takes the name of a packet in whose place this one comes only if it knows that one as failed.
        before = packet.supersedes if packet.supersedes and outbox.failed_there(packet.supersedes) else None
        return OutgoingPacket(
            packet_id=packet.packet_id,
            org=packet.org,
            path=self._store.blobs.path(packet.sha256),
            sha256=packet.sha256,
            size=packet.size,
            urgency=int(packet.urgency),
            created_at=packet.created_at,
            attempts=packet.attempts,
            kind=packet.kind,
            document_id=packet.edxml_id,
            supersedes=before,
            # An attempt that nobody has settled was cut.
            uncertain=packet.uncertain or packet.state is OutboxState.SENDING,
        )

    def forget_delays(self, org: str) -> None:
        """The way is open again: delays after failures are over, holds stay."""
        self._store.write(lambda transaction: transaction.outbox.forget_delays(org))

    def waiting(self, org: str) -> int:
        """How many packets are not proven to be sent and not given up."""
        with self._store.view() as view:
            return view.outbox.waiting(org)

    def journal_head(self) -> JournalHead | None:
        """The journal's head; None while it is empty."""
        with self._store.view() as view:
            head = view.journal.head()
        return head if head.count else None

    def mark_sending(self, packet_id: str) -> bool:
        """The first byte is about to leave; False where a person was quicker, who withdrew or postponed it, or has
        another system send for the body.
        """
        now = self._now()

        def work(transaction: Transaction) -> bool:
            packet = transaction.outbox.require(packet_id)
            return self._sends(packet.org) and transaction.outbox.begin_attempt(packet_id, now)

        return self._store.write(work)

    def accepted(self, packet_id: str, proof: Proof) -> None:
        """Keeps the checked proof; the journal's head in a receipt becomes an anchor."""
        now = self._now()
        receipt = proof.receipt
        if receipt is None:
            self._store.write(
                lambda transaction: transaction.outbox.accepted_by_channel(packet_id, proof.text, proof.doc_id, now)
            )
            return
        head = _head(receipt.facts.journal_head)
        self._store.write(lambda transaction: transaction.outbox.accepted(packet_id, receipt.text, head, now))

    def retry(self, packet_id: str, error: KnownError, not_before: datetime, *, uncertain: bool) -> None:
        """Not sent, or outcome unknown: the same packet again from `not_before` on."""
        self._store.write(
            lambda transaction: transaction.outbox.retry(
                packet_id, error.code, not_before, error.params, uncertain=uncertain
            )
        )

    def needs_person(self, packet_id: str, error: KnownError) -> None:
        """Someone must change something first. Who is locked gets the document on paper, unless a person finds another
        receiver: it comes on the paper list.
        """
        now = self._now()

        def work(transaction: Transaction) -> None:
            transaction.outbox.needs_person(packet_id, error.code, error.params)
            if error.code == RECEIVER_LOCKED:
                _put_on_paper(transaction, packet_id, str(error.params.get("codes", "")).split(), now)

        self._store.write(work)

    def failed(self, packet_id: str, error: KnownError) -> None:
        """The server will never take this packet."""
        self._store.write(lambda transaction: transaction.outbox.failed(packet_id, error.code, error.params))

    def delivery(self, packet_id: str, state: PacketState) -> None:
        """The server tells more about a packet that it accepted; of another one it is ignored."""
        self._store.write(lambda transaction: transaction.outbox.delivery(packet_id, state))


def _put_on_paper(transaction: Transaction, packet_id: str, codes: Sequence[str], now: datetime) -> None:
    document = transaction.outbox.require(packet_id).document_id
    if document is None:
        return
    listed = transaction.receivers.paper(document)
    known = transaction.directory.many(codes)
    more = [
        PaperReceiver(name=known[code].name if code in known else code, code=code, reason=PaperReason.LOCKED)
        for code in codes
        if code not in {one.code for one in listed}
    ]
    if more:
        transaction.receivers.put_paper(document, (*listed, *more), now)


def _head(text: str | None) -> JournalHead | None:
    try:
        return JournalHead.parse(text) if text is not None else None
    except ValueError:
        return None
