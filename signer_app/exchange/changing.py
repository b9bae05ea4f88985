"""What else becomes of a document on its way: given to be sent after all, other receivers, another one in its place, a
packet once more under a new id.

Main process. Each makes its packet's bytes durable, then one transaction. One sending per document and receiver: who
has it gets it only by a change of receivers, a new wording only by another document in its place.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from signer_app.exchange.going import Goes, goes
from signer_app.exchange.holders import Holder, holders
from signer_app.exchange.outgoing import Outgoing, clerk, exchanging_body, keep_packet, organs, outgoing_document
from signer_app.exchange.replacing import place_of
from signer_app.exchange.withdrawing import CARRYING, sent_document
from signer_app.signing.release import hold_until
from signer_app.store.model import (
    Document,
    InsteadOf,
    NewPacket,
    OutboxPacket,
    OutboxState,
    ReceiverChange,
    Urgency,
)
from signer_app.store.receivers import PaperReceiver
from signer_app.store.store import Transaction
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync import edxml
from signer_sync.contract import PacketKind
from signer_sync.edxml_write import write_packet
from signer_sync.ids import uuid7


def give(
    space: Workspace, document_id: str, receivers: Sequence[str], paper: Sequence[PaperReceiver] | None = None
) -> str:
    """Gives a document that was signed and kept to be sent to those of `receivers` who can be reached; the others come
    on its paper list, in the same transaction. `paper`: that list as the person chose it, None as it is. The packet's
    id.

    KnownError "give_not_kept" unless it is signed, sealed by the body and not on its way; "receivers_on_paper" where
    all get it on paper, which is written down; "receivers_missing", "exchange_external", "secret",
    "document_not_sealed", and as `keep_packet`.
    """
    document, packet = _kept(space, document_id)
    body = exchanging_body(space, document.body_code)
    to = _reached(space, document, receivers, paper)
    outgoing = _addressed(space, outgoing_document(space, document, body, packet), to)
    written = keep_packet(space, lambda out: write_packet(outgoing.says, outgoing.files, out))
    return _release(space, outgoing, _new(space, document, PacketKind.NEW, written, to.codes), to)


def replace_sent(
    space: Workspace, sent_id: str, document_id: str, reason: str, receivers: Sequence[str] | None = None
) -> str:
    """Sends a document that was signed and kept in place of one that was sent (type 3), to `receivers` or to all who
    have that one; the packet's id.

    KnownError "replace_needs_reason", "recall_not_sent", "recall_nobody", "replace_other_body", "replaced_already", and
    as `give`.
    """
    document, packet = _kept(space, document_id)
    with space.store.view() as view:
        place = place_of(view, InsteadOf(document_id=sent_id, reason=reason), document.body_code)
    chosen = _some(receivers) if receivers is not None else place.holding
    body = exchanging_body(space, document.body_code)
    to = _reached(space, document, chosen, None)
    outgoing = _addressed(space, outgoing_document(space, document, body, packet), to)
    written = keep_packet(space, lambda out: write_packet(outgoing.says, outgoing.files, out, place.told))
    made = _new(space, document, PacketKind.REPLACE, written, to.codes, reason=reason.strip(), replaces=sent_id)
    return _release(space, outgoing, made, to)


def change_receivers(
    space: Workspace,
    document_id: str,
    added: Sequence[str],
    removed: Sequence[str],
    reason: str = "",
    paper: Sequence[PaperReceiver] = (),
) -> str:
    """Adds receivers to a document that was sent, who get it, and removes others, who are told so (type 2); the
    packet's id. Of those added who can't be reached come on its paper list, as do those of `paper`.

    KnownError "recall_not_sent", "recall_nobody", "receivers_missing" where nothing changes, "receivers_on_paper" where
    all that changes is on paper, which is written down, "receiver_has_it" for an added one who has it,
    "recall_not_there" for a removed one who hasn't, "exchange_external", and as `keep_packet`.
    """
    document, carrier, having = sent_document(space, document_id)
    body = exchanging_body(space, document.body_code)
    fewer = tuple(dict.fromkeys(removed))
    to = Goes()
    if added or paper:
        with space.store.view() as view:
            listed = (*view.receivers.paper(document_id), *paper)
        to = _reached(space, document, added, listed, needed=not fewer)
    more = to.codes
    _require_changeable(having, more, fewer)
    chosen = _some((*more, *fewer))
    outgoing = outgoing_document(space, document, body, carrier)
    outgoing = outgoing.to(organs(space, chosen), space.now(), paper=bool(to.names) or None)
    outgoing.require_open()
    changes = (
        *(edxml.ReceiverChange(org, added=True) for org in more),
        *(edxml.ReceiverChange(org, added=False) for org in fewer),
    )
    told = edxml.Update(receivers=changes)
    if reason.strip():
        told = replace(told, reason=reason.strip())
    files = outgoing.files if more else ()
    written = keep_packet(space, lambda out: write_packet(outgoing.says, files, out, told))
    kinds = (*(ReceiverChange.ADDED for _ in more), *(ReceiverChange.REMOVED for _ in fewer))
    made = _new(space, document, PacketKind.UPDATE, written, chosen, reason=reason.strip() or None, changes=kinds)

    def work(tx: Transaction) -> None:
        # Somebody else may have changed or recalled it meanwhile.
        _require_changeable(holders(tx.outbox, document_id), more, fewer)
        tx.outbox.add(made)
        _put_paper(tx, space, document_id, to)

    space.store.write(work)
    return made.packet_id


def _require_changeable(having: Sequence[Holder], added: Sequence[str], removed: Sequence[str]) -> None:
    holding = {holder.org for holder in having if holder.has_it}
    for org in added:
        if org in holding or org in removed:
            raise KnownError("receiver_has_it", receiver=org)
    for org in removed:
        if org not in holding:
            raise KnownError("recall_not_there", receiver=org)


def send_in_place(
    space: Workspace,
    packet_id: str,
    receivers: Sequence[str] | None = None,
    paper: Sequence[PaperReceiver] | None = None,
) -> str:
    """Sends a packet that was refused for good, that needs a person, or that the server lost, once more under a new id:
    the same bytes, or, of one that carries a document, its document to other `receivers`, and on paper to those who
    can't be reached, besides `paper`, as in `give`. The new packet's id.

    KnownError "packet_moved_on" unless it may be superseded, "exchange_external", and as `give`.
    """
    with space.store.view() as view:
        packet = view.outbox.get(packet_id)
        told = view.outbox.receivers(packet_id)
    if packet is None or not may_be_superseded(packet):
        raise KnownError("packet_moved_on")
    exchanging_body(space, packet.org)
    to: Goes | None = None
    if receivers is not None and (paper is not None or set(receivers) != {one.org for one in told}):
        made, to = _rewritten(space, packet, receivers, paper)
    else:
        changes = tuple(one.change for one in told if one.change is not None)
        made = NewPacket(
            packet_id=uuid7(),
            document_id=packet.document_id,
            org=packet.org,
            kind=packet.kind,
            sha256=packet.sha256,
            size=packet.size,
            created_at=space.now(),
            receivers=packet.receivers,
            urgency=packet.urgency,
            edxml_id=packet.edxml_id,
            operator=clerk(space),
            incoming=packet.incoming,
            about=(packet.document or "") if packet.incoming is not None else "",
            status_code=packet.status_code,
            reason=packet.reason,
            replaces=packet.replaces,
            supersedes=packet_id,
            changes=changes,
        )

    def work(tx: Transaction) -> None:
        tx.outbox.add(made)
        if to is not None and made.document_id is not None:
            _put_paper(tx, space, made.document_id, to)

    try:
        space.store.write(work)
    except ValueError as error:
        raise KnownError("packet_moved_on") from error
    return made.packet_id


def may_be_superseded(packet: OutboxPacket) -> bool:
    """Whether another packet may be sent in its place: the other side refused it or lost it. While nobody knows whether
    it has it, the same packet goes again instead.
    """
    if packet.superseded_by is not None:
        return False
    refused = packet.state in (OutboxState.FAILED, OutboxState.NEEDS_PERSON) and not packet.uncertain
    return packet.missing_since is not None or refused


def _rewritten(
    space: Workspace, packet: OutboxPacket, receivers: Sequence[str], paper: Sequence[PaperReceiver] | None
) -> tuple[NewPacket, Goes]:
    """The packet's document anew, to others; no hold, for whoever mends a packet wants it sent."""
    if packet.kind is not PacketKind.NEW or packet.document_id is None:
        raise KnownError("packet_moved_on")
    with space.store.view() as view:
        document = view.documents.get(packet.document_id)
    assert document is not None
    body = exchanging_body(space, document.body_code)
    to = _reached(space, document, receivers, paper)
    outgoing = _addressed(space, outgoing_document(space, document, body, packet), to)
    outgoing.require_open()
    written = keep_packet(space, lambda out: write_packet(outgoing.says, outgoing.files, out))
    return _new(space, document, PacketKind.NEW, written, to.codes, supersedes=packet.packet_id, held=False), to


def _reached(
    space: Workspace,
    document: Document,
    receivers: Sequence[str],
    paper: Sequence[PaperReceiver] | None,
    *,
    needed: bool = True,
) -> Goes:
    """To whom a document goes, its paper list being `paper`, None as it is; the `paper` of the answer is the whole
    list. Where it goes to nobody by the exchange and that is `needed`: KnownError "receivers_missing", or
    "receivers_on_paper" once the list is kept.
    """
    with space.store.view() as view:
        before = view.receivers.paper(document.id) if paper is None else tuple(paper)
        found = goes(view, document.body_code, before, tuple(dict.fromkeys(receivers)))
    to = replace(found, paper=(*before, *found.paper))
    if needed and not to.codes:
        if not to.paper:
            raise KnownError("receivers_missing")
        space.store.write(lambda tx: _put_paper(tx, space, document.id, to))
        raise KnownError("receivers_on_paper", label=document.label or "", names="; ".join(to.names))
    return to


def _addressed(space: Workspace, outgoing: Outgoing, to: Goes) -> Outgoing:
    return outgoing.to(organs(space, to.codes), space.now(), paper=bool(to.names))


def _put_paper(tx: Transaction, space: Workspace, document_id: str, to: Goes) -> None:
    if to.paper:
        tx.receivers.put_paper(document_id, to.paper, space.now())


def _kept(space: Workspace, document_id: str) -> tuple[Document, OutboxPacket | None]:
    """A document that is signed, kept and not on its way, and what was queued of it before; KnownError
    "give_not_kept".
    """
    with space.store.view() as view:
        document = view.documents.get(document_id)
        packets = [packet for packet in view.outbox.of_document(document_id) if packet.kind in CARRYING]
        replaced = view.replacing.replaced_by(document_id)
    if document is None or replaced is not None or any(p.state is not OutboxState.WITHDRAWN for p in packets):
        raise KnownError("give_not_kept")
    return document, packets[-1] if packets else None


def _some(receivers: Sequence[str]) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(receivers))
    if not chosen:
        raise KnownError("receivers_missing")
    return chosen


def _new(
    space: Workspace,
    document: Document,
    kind: PacketKind,
    written: edxml.WrittenPacket,
    receivers: Sequence[str],
    *,
    held: bool = True,
    reason: str | None = None,
    replaces: str | None = None,
    supersedes: str | None = None,
    changes: tuple[ReceiverChange, ...] = (),
) -> NewPacket:
    now = space.now()
    hold = dt.timedelta(seconds=space.settings.hold_seconds if held else 0)
    return NewPacket(
        packet_id=uuid7(),
        document_id=document.id,
        org=document.body_code,
        kind=kind,
        sha256=written.sha256,
        size=written.size,
        created_at=now,
        receivers=tuple(receivers),
        urgency=Urgency(document.urgency),
        hold_until=hold_until(document.urgency, now, hold),
        edxml_id=written.document_id,
        operator=clerk(space),
        reason=reason,
        replaces=replaces,
        supersedes=supersedes,
        changes=changes,
    )


def _release(space: Workspace, outgoing: Outgoing, packet: NewPacket, to: Goes) -> str:
    try:
        space.store.release(packet, outgoing.require_open, to.paper)
    except ValueError as error:
        raise KnownError("give_not_kept") from error
    return packet.packet_id
