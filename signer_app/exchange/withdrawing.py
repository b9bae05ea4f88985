"""Taking a document back: out of the queue while nothing of it has left, by a recall from then on.

Main process. From the first attempt on only the receivers can give a document up; each answers for itself (15 or 16),
and nothing is ever deleted by a recall alone. What is sent about a document goes after the document itself.
"""

from collections.abc import Collection, Sequence

from signer_app.exchange.holders import Holder, holders, sent_in
from signer_app.exchange.messages import asking_back_packet
from signer_app.exchange.outgoing import (
    Outgoing,
    clerk,
    exchanging_body,
    keep_packet,
    organs,
    outgoing_document,
)
from signer_app.store.model import Document, NewPacket, OutboxPacket
from signer_app.store.settings import Body
from signer_app.store.store import Transaction
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind
from signer_sync.edxml import ResponseFor
from signer_sync.edxml_write import write_recall
from signer_sync.ids import uuid7

CARRYING = (PacketKind.NEW, PacketKind.REPLACE)


def withdraw(space: Workspace, packet_id: str) -> OutboxPacket:
    """Takes a packet out of the queue (Bỏ khỏi hàng gửi); its document is signed and kept, as if it had not been given
    to be sent, and may be sent again or signed again.

    KnownError "withdraw_too_late" where anything of it may have left, or it is not one that may be taken out.
    """

    def work(tx: Transaction) -> OutboxPacket:
        packet = tx.outbox.withdraw(packet_id, clerk(space), space.now())
        if packet.kind in CARRYING and packet.document_id is not None:
            tx.documents.mark_kept(packet.document_id)
        return packet

    try:
        return space.store.write(work)
    except ValueError as error:
        raise KnownError("withdraw_too_late") from error


def recall(space: Workspace, document_id: str, reason: str, receivers: Collection[str] | None = None) -> str:
    """Recalls a document (type 1) from `receivers`, or from all who have it and were not asked yet; the packet's id.

    KnownError "recall_needs_reason", "recall_not_sent" (take it out of the queue instead), "recall_nobody" where nobody
    has it or all were asked, "recall_not_there" for one who hasn't got it, "exchange_external", and as `keep_packet`.
    """
    sent, body, asked = _to_be_asked(space, document_id, reason, receivers)
    now = space.now()
    back = sent.to(organs(space, asked), now)
    written = keep_packet(space, lambda out: write_recall(back.says, reason.strip(), out))
    packet = NewPacket(
        packet_id=uuid7(),
        document_id=document_id,
        org=body.code,
        kind=PacketKind.REVOKE,
        sha256=written.sha256,
        size=written.size,
        created_at=now,
        receivers=tuple(asked),
        edxml_id=written.document_id,
        operator=clerk(space),
        reason=reason.strip(),
    )
    _queue(space, document_id, asked, [packet])
    return packet.packet_id


def ask_back(
    space: Workspace, document_id: str, reason: str, receivers: Collection[str] | None = None
) -> tuple[str, ...]:
    """Asks for a document back by status messages (13), one for each receiver: for those whose system knows no recall.
    The packets' ids. Raises as `recall`.
    """
    sent, body, asked = _to_be_asked(space, document_id, reason, receivers)
    now, says = space.now(), sent.says
    packets = []
    for org in asked:
        answered = ResponseFor(
            organ_code=org,
            code=f"{says.number}/{says.notation}",
            issued=f"{says.issued:%Y/%m/%d}",
            document_id=says.document_id,
        )
        packets.append(asking_back_packet(space, body, org, document_id, answered, reason, now))
    _queue(space, document_id, asked, packets)
    return tuple(packet.packet_id for packet in packets)


def sent_document(space: Workspace, document_id: str) -> tuple[Document, OutboxPacket, tuple[Holder, ...]]:
    """A document, the packet that carries it, and who has it; KnownError "recall_not_sent" while nothing of it left."""
    with space.store.view() as view:
        return sent_in(view, document_id)


def _to_be_asked(
    space: Workspace, document_id: str, reason: str, receivers: Collection[str] | None
) -> tuple[Outgoing, Body, Sequence[str]]:
    if not reason.strip():
        raise KnownError("recall_needs_reason")
    document, carrier, having = sent_document(space, document_id)
    body = exchanging_body(space, document.body_code)
    asked = _choose(having, receivers)
    return outgoing_document(space, document, body, carrier), body, asked


def _choose(having: Sequence[Holder], receivers: Collection[str] | None) -> tuple[str, ...]:
    open_to_ask = tuple(holder.org for holder in having if holder.has_it and not holder.asked)
    if receivers is None:
        if not open_to_ask:
            raise KnownError("recall_nobody")
        return open_to_ask
    chosen = tuple(dict.fromkeys(receivers))
    for org in chosen:
        if org not in open_to_ask:
            raise KnownError("recall_not_there", receiver=org)
    if not chosen:
        raise KnownError("recall_nobody")
    return chosen


def _queue(space: Workspace, document_id: str, asked: Sequence[str], packets: Sequence[NewPacket]) -> None:
    """Queues all of them, unless somebody else has asked or answered meanwhile."""

    def work(tx: Transaction) -> None:
        _choose(holders(tx.outbox, document_id), asked)
        for packet in packets:
            tx.outbox.add(packet)

    space.store.write(work)
