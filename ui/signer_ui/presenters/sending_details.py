"""What is told of one packet of the list *Chờ gửi*: facts, how far it is with each receiver, what may be done with it.

Pure values in and out; loads no Qt. What a receiver or a server wrote is text to be read, never markup.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from signer_app.desk.register import SentPacket
from signer_app.desk.sending import DocumentSending, PacketDetails
from signer_app.desk.sending_rows import Deed, SendingItem
from signer_app.exchange.holders import Holder
from signer_app.store.model import OutboxState, PacketReceiver, ProofBy
from signer_sync.contract import PacketKind, Transport
from signer_ui.glow import Glow
from signer_ui.presenters.figures import Fact, day
from signer_ui.presenters.sending import error_words
from signer_ui.presenters.sending_list import (
    CARRYING,
    answer_words,
    deadline_words,
    glow,
    is_status,
    local_time,
    state_words,
    subject,
)
from signer_ui.words import Words


class Way(StrEnum):
    """What can be done with a packet; each is a button."""

    SEND_NOW = "send_now"
    POSTPONE = "postpone"
    WITHDRAW = "withdraw"
    SETTLE = "settle"
    AGAIN = "again"
    AGAIN_OTHERS = "again_others"
    """Once more, to receivers that are chosen anew."""
    CHANGE = "change"
    REPLACE = "replace"
    RECALL = "recall"


@dataclass(frozen=True)
class ReceiverLine:
    """A receiver and how far it is there."""

    name: str
    words: str
    glow: Glow


@dataclass(frozen=True)
class DetailsView:
    """One packet in words. `asks`: a person has to find out whether it arrived."""

    heading: str
    under: str
    state: str
    glow: Glow
    facts: tuple[Fact, ...]
    trouble: str
    receivers: tuple[ReceiverLine, ...]
    story: tuple[str, ...]
    """What else was sent of the document, and how far that is."""
    receipt: tuple[Fact, ...]
    ways: tuple[Way, ...]
    asks: bool


def ways(item: SendingItem) -> tuple[Way, ...]:
    """What can be done with a packet, the most wanted first."""
    deeds, found = item.deeds, list[Way]()
    for deed, way in (
        (Deed.SEND_NOW, Way.SEND_NOW),
        (Deed.POSTPONE, Way.POSTPONE),
        (Deed.WITHDRAW, Way.WITHDRAW),
        (Deed.SETTLE, Way.SETTLE),
        (Deed.SEND_IN_PLACE, Way.AGAIN),
    ):
        if deed in deeds:
            found.append(way)
    if Deed.SEND_IN_PLACE in deeds and item.row.kind is PacketKind.NEW and item.row.document_id is not None:
        found.append(Way.AGAIN_OTHERS)
    if Deed.RECALL in deeds and item.row.document_id is not None:
        found += [Way.CHANGE, Way.REPLACE, Way.RECALL]
    return tuple(found)


def details_view(
    told: PacketDetails,
    document: DocumentSending | None,
    receipts: Sequence[SentPacket],
    names: Mapping[str, str],
    now: dt.datetime,
    words: Words,
) -> DetailsView:
    """One packet; `document`, with the `receipts` of its packets, where it is about one of ours."""
    item, packet = told.item, told.packet
    row = item.row
    who = names.get(row.org, row.org)
    under = " · ".join(part for part in (row.label, day(row.doc_date), who) if part)
    facts = (
        (words("ut_fact_urgency"), words(f"ut_urgency_{row.urgency.value}") if row.urgency else ""),
        (words("uq_fact_deadline"), deadline_words(item, now, words)),
        (words("uq_fact_since"), local_time(item.since, now)),
        (words("uq_fact_attempts"), str(row.attempts) if row.attempts > 1 else ""),
        (words("ut_fact_reason"), packet.reason or ""),
        (words("uq_fact_by"), packet.operator),
    )
    carries, accepted = row.kind in CARRYING, packet.accepted_at is not None
    if document is not None and carries:
        receivers = tuple(_holder(one, names, now, words, accepted=accepted) for one in document.holders)
    else:
        receivers = ()
    if not receivers:
        receivers = tuple(_receiver(one, names, now, words, accepted=accepted) for one in told.receivers)
    return DetailsView(
        heading=subject(item, words) or row.label or words(f"outbox_kind_{row.kind}"),
        under=under,
        state=state_words(item, now, words),
        glow=glow(item),
        facts=tuple(Fact(what, value) for what, value in facts if value),
        trouble=_trouble(item, names, words),
        receivers=receivers,
        story=_story(told, document, now, words),
        receipt=_receipt(told, receipts, now, words),
        ways=ways(item),
        asks=Deed.SAY_ARRIVED in item.deeds,
    )


def _trouble(item: SendingItem, names: Mapping[str, str], words: Words) -> str:
    """What hinders it, or who sent it back and why; and what to do."""
    if told := answer_words(item.row, names, words):
        return words(f"uq_trouble_{item.standing}", told=told)
    return error_words(item.error, words)


def _holder(
    holder: Holder, names: Mapping[str, str], now: dt.datetime, words: Words, *, accepted: bool
) -> ReceiverLine:
    name = names.get(holder.org, holder.org)
    if holder.asked:
        return ReceiverLine(name, words("uq_receiver_asked"), Glow.WARN)
    if holder.answer is not None:
        good = Glow.GOOD if holder.gave_back else Glow.BAD
        return ReceiverLine(name, _status(holder.answer, now, words), good)
    return _receiver(holder.told, names, now, words, accepted=accepted)


def _receiver(
    told: PacketReceiver, names: Mapping[str, str], now: dt.datetime, words: Words, *, accepted: bool
) -> ReceiverLine:
    name = names.get(told.org, told.org)
    if told.code is not None:
        returned = told.code == "02"
        return ReceiverLine(name, _status(told, now, words), Glow.BAD if returned else Glow.GOOD)
    if told.transport is None:
        return ReceiverLine(name, words("uq_receiver_open" if accepted else "uq_receiver_waiting"), Glow.OFF)
    failed = told.transport is Transport.FAIL
    shape = Glow.BAD if failed else Glow.GOOD if told.transport is Transport.DONE else Glow.OFF
    return ReceiverLine(name, words(f"uq_transport_{told.transport}"), shape)


def _status(told: PacketReceiver, now: dt.datetime, words: Words) -> str:
    said = words(f"ut_status_{told.code}") if is_status(told.code) else words("ut_kind_status")
    if told.code_at is not None:
        said = words("uq_status_at", status=said, time=local_time(told.code_at, now))
    more = "; ".join(part for part in (told.code_by, told.code_reason) if part)
    return words("uq_status_more", status=said, more=more) if more else said


def _story(told: PacketDetails, document: DocumentSending | None, now: dt.datetime, words: Words) -> tuple[str, ...]:
    if document is None:
        return ()
    others = [one for one in document.packets if one.packet.packet_id != told.packet.packet_id]
    return tuple(
        words(
            "uq_story",
            time=local_time(one.packet.created_at, now),
            kind=words(f"outbox_kind_{one.packet.kind}"),
            state=words("uq_story_replaced") if one.packet.superseded_by else state_words(one.item, now, words),
        )
        for one in others
    )


def _receipt(told: PacketDetails, receipts: Sequence[SentPacket], now: dt.datetime, words: Words) -> tuple[Fact, ...]:
    packet = told.packet
    if packet.accepted_at is None:
        return ()
    at = local_time(packet.accepted_at, now)
    key = "uq_receipt_person" if packet.proof_by is ProofBy.PERSON else "ut_receipt_accepted"
    sent = next((one for one in receipts if one.packet_id == packet.packet_id), None)
    facts = (
        (words(key), at),
        (words("ut_receipt_server"), sent.server_id if sent is not None else ""),
        (words("ut_receipt_sequence"), sent.sequence if sent is not None else ""),
        (words("uq_receipt_number"), packet.doc_id or ""),
        (words("uq_receipt_by"), packet.decided_by or ""),
        (words("ut_receipt_packet"), packet.packet_id),
    )
    return tuple(Fact(what, value) for what, value in facts if value)


def to_recall(document: DocumentSending) -> tuple[str, ...]:
    """Codes of those who have the document and were not asked for it."""
    return tuple(holder.org for holder in document.holders if holder.has_it and not holder.asked)


def having(document: DocumentSending) -> tuple[str, ...]:
    """Codes of those who have the document."""
    return tuple(holder.org for holder in document.holders if holder.has_it)


def was_withdrawn(told: PacketDetails) -> bool:
    """Whether it was taken out of the queue."""
    return told.packet.state is OutboxState.WITHDRAWN
