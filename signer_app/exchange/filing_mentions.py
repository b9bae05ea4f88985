"""What speaks of other documents: recalls, updates, status messages, and what a replacement names.

Inside the transactions of the filing. All may come before the document that they mean, or twice; none is heard that
comes in another's name. Nothing is deleted by it, and nothing answered: that is a person's.
"""

import datetime as dt

from msgspec.structs import replace

from signer_app.exchange.filing_facts import Opened
from signer_app.store import Transaction
from signer_app.store.inbox import IncomingPacket
from signer_app.store.incoming_model import (
    ArrivalState,
    ArrivalVerdict,
    Asked,
    IncomingDocument,
    IncomingEvent,
    IncomingFacts,
    IncomingWhat,
    Judged,
    NewIncoming,
    OwnDoubt,
)
from signer_app.store.incoming_reader import IncomingReader
from signer_app.store.model import NewPacket
from signer_sync.contract import PacketKind
from signer_sync.edxml import StatusCode
from signer_sync.edxml_keys import fold_code, id_key
from signer_sync.ids import uuid7

_WHAT = {Asked.RECALL: IncomingWhat.RECALL_ASKED, Asked.UPDATE: IncomingWhat.UPDATE_ASKED}


def meant_by(rows: IncomingReader, packet: IncomingPacket, opened: Opened) -> tuple[IncomingDocument, ...]:
    """The documents of the same sender that a packet speaks of, those that stand before those that don't any more; no
    rows of mere recalls among them, and none at all for a packet in another's name.
    """
    if not opened.trusted:
        return ()
    sender, header = opened.facts.sender, opened.header
    keys = [id_key(sender, told) for told in header.concerns]
    if header.kind is PacketKind.STATUS:
        keys += [id_key(sender, answered.document_id) for answered in header.response_for]
    elif header.kind is not PacketKind.REPLACE:
        keys.append(opened.key)
    found = rows.of_keys(packet.org, *keys) if keys else ()
    documents = (one for one in found if one.kind is not PacketKind.REVOKE)
    return tuple(sorted(documents, key=lambda one: one.state is ArrivalState.SUPERSEDED))


def recall(tx: Transaction, packet: IncomingPacket, opened: Opened, reason: str, now: dt.datetime) -> None:
    """Files that a sender asks for a document back."""
    _ask(tx, packet, opened, Asked.RECALL, reason, now)


def update(tx: Transaction, packet: IncomingPacket, opened: Opened, now: dt.datetime) -> None:
    """Files an update; one that takes us out of the receivers takes the document back from us."""
    own, header = fold_code(packet.org), opened.header
    ours = [one for one in header.receiver_changes if fold_code(one.organ_code) == own]
    removed = bool(ours) and not any(one.added for one in ours)
    _ask(tx, packet, opened, Asked.RECALL if removed else Asked.UPDATE, header.reason, now)


def status(tx: Transaction, packet: IncomingPacket, opened: Opened, now: dt.datetime) -> None:
    """Files an answer about documents of ours."""
    header, told = opened.header, False
    for answered in header.response_for if opened.trusted else ():
        if header.status is not None:
            told |= tx.outbox.receiver_told(
                answered.document_id,
                header.sender.code,
                header.status.value,
                header.told_at or packet.received_at,
                header.staff.name or None,
                header.description or None,
                packet.packet_id,
            )
    tx.inbox.filed(packet, now, None, None if told else "incoming_status_unmatched")


def is_recall(opened: Opened) -> bool:
    """Whether a status message asks for a document back (13): a recall in other words."""
    return opened.header.status is StatusCode.ASKED_BACK


def put_in_place(
    tx: Transaction, packet: IncomingPacket, opened: Opened, new: NewIncoming, superseded: IncomingEvent
) -> None:
    """A document that was just filed takes the place of what it replaces, and its own place behind what came first: a
    replacement that names it, recalls and updates that overtook it.
    """
    if not opened.trusted:
        return
    if new.kind is PacketKind.REPLACE:
        named = opened.header.concerns
        tx.incoming.replaces(new.id, packet.org, (id_key(opened.facts.sender, told) for told in named))
        for document in meant_by(tx.incoming, packet, opened):
            if document.id != new.id:
                tx.incoming.supersede(document.id, new.id, superseded)
    keys = (opened.key, opened.facts.id_key)
    replacing = tx.incoming.replacing(packet.org, *keys)
    if replacing is not None and replacing.id != new.id:
        tx.incoming.supersede(new.id, replacing.id, replace(superseded, words=replacing.label))
    for early in reversed(tx.incoming.of_keys(packet.org, *keys)):
        if early.kind is PacketKind.REVOKE and OwnDoubt.OTHER_SENDER not in early.doubts:
            _ask_now(tx, early, new.id, superseded)


def _ask_now(tx: Transaction, early: IncomingDocument, new_id: str, superseded: IncomingEvent) -> None:
    """What overtook its document waits in a row of its own, and is asked of the document now."""
    if early.asked is None or early.asked_packet is None:
        return
    asked = IncomingEvent(
        at=superseded.at,
        what=_WHAT[early.asked],
        by=early.sender,
        words=early.asked_reason,
        packet_sha256=early.asked_packet,
    )
    tx.incoming.ask(new_id, early.asked, early.asked_reason, early.asked_packet, asked)
    tx.incoming.supersede(early.id, new_id, replace(superseded, words=""))


def _ask(tx: Transaction, packet: IncomingPacket, opened: Opened, asked: Asked, reason: str, now: dt.datetime) -> None:
    copy = next((one.incoming_id for one in tx.inbox.of_content(packet.org, str(packet.sha256)) if one.incoming_id), "")
    if copy:
        # It was asked, and perhaps answered, when another channel brought the very same.
        tx.incoming.came_again(copy, event_of(IncomingWhat.CAME_AGAIN, now, packet, packet.channel))
        tx.inbox.filed(packet, now, copy)
        return
    event = event_of(_WHAT[asked], packet.received_at, packet, reason, by=opened.facts.sender)
    living = [one for one in meant_by(tx.incoming, packet, opened) if one.state is not ArrivalState.CANCELLED]
    target = living[0].id if living else _row_of_its_own(tx, packet, opened, now)
    tx.incoming.ask(target, asked, reason, str(packet.sha256), event)
    tx.inbox.filed(packet, now, target)


def _row_of_its_own(tx: Transaction, packet: IncomingPacket, opened: Opened, now: dt.datetime) -> str:
    """What speaks of a document that isn't here has to be answered all the same."""
    new = NewIncoming(
        id=uuid7(),
        org=packet.org,
        document_key=f"about|{packet.sha256}",
        content=opened.content,
        packet_sha256=str(packet.sha256),
        kind=PacketKind.REVOKE,
        arrived_at=packet.received_at,
        facts=doubted(opened.facts_of_meant, OwnDoubt.NOT_HERE),
        files=(),
        judged=Judged(verdict=ArrivalVerdict.NO_PDF, code=None, at=now),
    )
    tx.incoming.add(new, event_of(IncomingWhat.ARRIVED, packet.received_at, packet, packet.channel))
    return new.id


def doubted(facts: IncomingFacts, doubt: OwnDoubt) -> IncomingFacts:
    """The facts with one doubt more."""
    return replace(facts, doubts=(*facts.doubts, doubt.value))


def event_of(
    what: IncomingWhat,
    at: dt.datetime,
    packet: IncomingPacket,
    words: str,
    answer: NewPacket | None = None,
    *,
    by: str = "",
) -> IncomingEvent:
    """An event that a packet has brought about; `answer`: what leaves for it."""
    return IncomingEvent(
        at=at,
        what=what,
        by=by,
        words=words,
        packet_sha256=packet.sha256,
        answer=answer.packet_id if answer is not None else None,
    )
