"""Who has a document that was sent: all to whom it was given, less those from whom it was taken or who gave it back.

Pure reading of one moment's tables, any process.
"""

from dataclasses import dataclass

from signer_app.store.model import Document, OutboxPacket, OutboxState, PacketReceiver, ReceiverChange
from signer_app.store.outbox import OutboxReader
from signer_app.store.store import View
from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind, Transport
from signer_sync.edxml import StatusCode

_CARRYING = (PacketKind.NEW, PacketKind.REPLACE)
_ASKING = (PacketKind.REVOKE, PacketKind.STATUS)


@dataclass(frozen=True)
class Holder:
    """A receiver of a document: how far it is there (`told`), and how the newest recall stands with it. `asked`: it was
    asked for the document and has not answered; `answer`: what it answered, 15 or 16.
    """

    org: str
    told: PacketReceiver
    has_it: bool
    asked: bool = False
    answer: PacketReceiver | None = None

    @property
    def gave_back(self) -> bool:
        """Whether it agreed to a recall (15)."""
        return self.answer is not None and self.answer.code == StatusCode.AGREED


def holders(outbox: OutboxReader, document_id: str) -> tuple[Holder, ...]:
    """All to whom the document was ever given, in the order in which they were; those of a packet that nobody took or
    that was taken out of the queue are none.
    """
    found: dict[str, Holder] = {}
    for packet in outbox.of_document(document_id):
        if packet.state is OutboxState.WITHDRAWN or packet.superseded_by is not None:
            continue
        for told in outbox.receivers(packet.packet_id):
            _see(found, packet, told)
    return tuple(found.values())


def sent_in(view: View, document_id: str) -> tuple[Document, OutboxPacket, tuple[Holder, ...]]:
    """A document, the packet that carries it, and who has it; KnownError "recall_not_sent" while nothing of it left,
    "recall_nobody" where nobody took it.
    """
    document, carrier = view.documents.get(document_id), view.outbox.carrying(document_id)
    having = holders(view.outbox, document_id)
    if document is None or carrier is None or (carrier.attempts == 0 and carrier.accepted_at is None):
        raise KnownError("recall_not_sent")
    if carrier.state is OutboxState.FAILED:
        raise KnownError("recall_nobody")
    return document, carrier, having


def _see(found: dict[str, Holder], packet: OutboxPacket, told: PacketReceiver) -> None:
    org = told.org
    if packet.kind in _CARRYING or told.change is ReceiverChange.ADDED:
        gone = told.code == StatusCode.RETURNED or told.transport is Transport.FAIL
        found[org] = Holder(org, told, has_it=packet.state is not OutboxState.FAILED and not gone)
    elif (before := found.get(org)) is None:
        return
    elif told.change is ReceiverChange.REMOVED:
        found[org] = Holder(org, before.told, has_it=told.code == StatusCode.DECLINED)
    elif packet.kind in _ASKING and packet.state is not OutboxState.FAILED:
        answered = told.code in (StatusCode.AGREED, StatusCode.DECLINED)
        has_it = before.has_it and told.code != StatusCode.AGREED
        found[org] = Holder(org, before.told, has_it, asked=not answered, answer=told if answered else None)
