"""Files what was received: packets become documents with verified files, recalls and updates find theirs, status
messages reach ours.

Main process, any thread, one at a time; after the transport was acknowledged, so that what takes long here holds up no
receiving. All that one packet means is one transaction, with the status message 01 that it calls for; a process that is
cut files the packet anew. Answers nothing but 01: everything else is a person's.
"""

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from msgspec.structs import replace

from signer_app.exchange.answering import answers_for, status_of
from signer_app.exchange.filing_facts import Opened, Unreadable, open_kept
from signer_app.exchange.incoming_checks import Checked, check_files, keep_evidence
from signer_app.signing.batch import never
from signer_app.store import Transaction
from signer_app.store.inbox import IncomingPacket
from signer_app.store.incoming import IncomingReader
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
from signer_app.store.model import NewPacket
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind
from signer_sync.edxml import StatusCode
from signer_sync.edxml_keys import fold_code, id_key
from signer_sync.ids import uuid7

_AT_ONCE = 50
_GONE = frozenset({ArrivalState.RETURNED, ArrivalState.CANCELLED})
"""After these a document that comes once more is a new sending of it."""


_turns: "WeakKeyDictionary[Workspace, threading.Lock]" = WeakKeyDictionary()
"""Who files in a workspace: the exchange after a pass, the window, a command; one at a time."""


@dataclass(frozen=True)
class Filed:
    """What a run has done: packets filed, documents among them that are new, packets that are gone from the disk."""

    packets: int = 0
    documents: int = 0
    stuck: int = 0


class Filing:
    """The filing of one workspace; one run at a time."""

    def __init__(self, space: Workspace) -> None:
        self._space = space
        self._turn = _turns.setdefault(space, threading.Lock())

    def run(self, cancelled: Callable[[], bool] = never, *, ask_network: bool = True) -> Filed:
        """Files all that waits, hỏa tốc first; KnownError as `Store.write` and `BlobStore.add_stream`.

        A packet that is gone from the disk hinders no other and is tried again by the next run. `ask_network`: the
        addresses of CRLs and OCSP are asked for what the checks want.
        """
        packets = documents = 0
        stuck: set[tuple[str, str, str]] = set()
        with self._turn:
            while not cancelled():
                with self._space.store.view() as view:
                    found = view.inbox.to_file(_AT_ONCE + len(stuck))
                waiting = [packet for packet in found if _name(packet) not in stuck]
                if not waiting:
                    break
                for packet in waiting:
                    if cancelled():
                        break
                    try:
                        documents += self._file(packet, ask_network=ask_network)
                        packets += 1
                    except KnownError as error:
                        if error.code != "blob_damaged":
                            raise
                        stuck.add(_name(packet))
        return Filed(packets, documents, len(stuck))

    def _file(self, packet: IncomingPacket, *, ask_network: bool) -> bool:
        """Files one packet; whether a document is new by it."""
        opened = open_kept(self._space, packet)
        if isinstance(opened, Unreadable):
            return self._unreadable(packet, opened)
        header = opened.header
        match header.kind:
            case PacketKind.STATUS:
                self._status(packet, opened)
                return False
            case PacketKind.REVOKE:
                self._space.store.write(lambda tx: self._recall(tx, packet, opened, header.reason))
                return False
            case PacketKind.UPDATE if self._about_known(packet, opened):
                self._space.store.write(lambda tx: self._update(tx, packet, opened))
                return False
            case _:
                return self._document(packet, opened, ask_network=ask_network)

    # ---- documents -------------------------------------------------------------------------------------------------

    def _document(self, packet: IncomingPacket, opened: Opened, *, ask_network: bool) -> bool:
        checked = check_files(self._space, opened.files, ask_network=ask_network)
        while True:
            with self._space.store.view() as view:
                rounds = view.incoming.of_key(packet.org, opened.key)
            new = self._new_round(packet, opened, checked, rounds)
            arrived = self._arrived(packet, new) if new is not None else None

            def work(
                tx: Transaction,
                rounds: tuple[IncomingDocument, ...] = rounds,
                new: NewIncoming | None = new,
                arrived: NewPacket | None = arrived,
            ) -> bool:
                if _states(tx.incoming.of_key(packet.org, opened.key)) != _states(rounds):
                    # The clerk has decided something about it meanwhile.
                    return False
                self._write_document(tx, packet, opened, rounds, new, arrived)
                return True

            if self._space.store.write(work):
                break
        if new is not None and not packet.unscreened:
            keep_evidence(self._space, checked)
        return new is not None

    def _new_round(
        self, packet: IncomingPacket, opened: Opened, checked: Checked, rounds: tuple[IncomingDocument, ...]
    ) -> NewIncoming | None:
        """The row for a document, None where the same one is here already."""
        last = rounds[0] if rounds else None
        facts = opened.facts
        if last is not None:
            if last.content == opened.content and last.state not in _GONE:
                return None
            if last.content != opened.content and last.state not in _GONE:
                facts = _doubted(facts, OwnDoubt.CAME_CHANGED)
        return NewIncoming(
            id=uuid7(),
            org=packet.org,
            document_key=opened.key,
            content=opened.content,
            packet_sha256=str(packet.sha256),
            kind=opened.header.kind,
            arrived_at=packet.received_at,
            facts=facts,
            files=checked.files,
            judged=checked.judged,
            round=last.round + 1 if last is not None else 1,
        )

    def _arrived(self, packet: IncomingPacket, new: NewIncoming) -> NewPacket | None:
        body = answers_for(self._space, packet.org)
        if body is None or not new.facts.sender or not new.facts.document_id:
            return None
        try:
            return status_of(self._space, body, new.id, new.facts, StatusCode.ARRIVED, "")
        except KnownError as error:
            if error.code != "edxml_invalid":
                raise
            # Its sender writes of itself what can't be written back; the document is here all the same.
            return None

    def _write_document(
        self,
        tx: Transaction,
        packet: IncomingPacket,
        opened: Opened,
        rounds: tuple[IncomingDocument, ...],
        new: NewIncoming | None,
        arrived: NewPacket | None,
    ) -> None:
        now = self._space.now()
        if new is None:
            tx.incoming.came_again(rounds[0].id, _event(IncomingWhat.CAME_AGAIN, now, packet, packet.channel))
            tx.inbox.filed(packet, now, rounds[0].id)
            return
        if arrived is not None:
            tx.outbox.add(arrived)
        event = _event(IncomingWhat.ARRIVED, packet.received_at, packet, packet.channel, arrived)
        tx.incoming.add(new, event)
        tx.inbox.filed(packet, now, new.id)
        superseded = _event(IncomingWhat.SUPERSEDED, now, packet, new.facts.label)
        if rounds and rounds[0].state is ArrivalState.ARRIVED:
            tx.incoming.supersede(rounds[0].id, new.id, superseded)
        if new.kind is PacketKind.REPLACE:
            for document in self._meant(tx.incoming, packet, opened):
                if document.id != new.id:
                    tx.incoming.supersede(document.id, new.id, superseded)
        self._recalled_before(tx, packet, opened, new.id)

    def _recalled_before(self, tx: Transaction, packet: IncomingPacket, opened: Opened, new_id: str) -> None:
        """A recall may overtake its document: it waits in a row of its own, and is asked of the document now."""
        for recall in tx.incoming.of_keys(packet.org, opened.key, opened.facts.id_key):
            if recall.kind is PacketKind.REVOKE and recall.asked is Asked.RECALL and recall.asked_packet is not None:
                now = self._space.now()
                asked = IncomingEvent(
                    at=now,
                    what=IncomingWhat.RECALL_ASKED,
                    by=recall.sender,
                    words=recall.asked_reason,
                    packet_sha256=recall.asked_packet,
                )
                tx.incoming.ask(new_id, Asked.RECALL, recall.asked_reason, recall.asked_packet, asked)
                tx.incoming.supersede(recall.id, new_id, _event(IncomingWhat.SUPERSEDED, now, packet, ""))

    def _unreadable(self, packet: IncomingPacket, found: Unreadable) -> bool:
        """A packet that nobody can read is a line of the list: its sender has to be told by a person."""
        facts = IncomingFacts(
            sender=packet.from_org or "",
            subject=packet.subject or "",
            urgency=found.urgency,
            doubts=(OwnDoubt.UNSCREENED,) if packet.unscreened else (),
        )
        new = NewIncoming(
            id=uuid7(),
            org=packet.org,
            document_key=f"packet|{packet.sha256}",
            content=str(packet.sha256),
            packet_sha256=str(packet.sha256),
            kind=PacketKind.NEW,
            arrived_at=packet.received_at,
            facts=facts,
            files=(),
            judged=Judged(verdict=ArrivalVerdict.UNREADABLE, code=found.code, at=self._space.now()),
            readable=False,
        )

        def work(tx: Transaction) -> bool:
            known = tx.incoming.of_key(packet.org, new.document_key)
            if known:
                tx.incoming.came_again(known[0].id, _event(IncomingWhat.CAME_AGAIN, packet.received_at, packet, ""))
            else:
                tx.incoming.add(new, _event(IncomingWhat.ARRIVED, packet.received_at, packet, packet.channel))
            tx.inbox.filed(packet, self._space.now(), known[0].id if known else new.id)
            return not known

        return self._space.store.write(work)

    # ---- what speaks of documents ----------------------------------------------------------------------------------

    def _meant(self, rows: IncomingReader, packet: IncomingPacket, opened: Opened) -> tuple[IncomingDocument, ...]:
        """The documents of the same sender that a packet speaks of, no rows of mere recalls among them."""
        sender, header = opened.facts.sender, opened.header
        keys = [id_key(sender, told) for told in header.concerns]
        if header.kind is PacketKind.STATUS:
            keys += [id_key(sender, answered.document_id) for answered in header.response_for]
        elif header.kind is not PacketKind.REPLACE:
            keys.append(opened.key)
        found = rows.of_keys(packet.org, *keys) if keys else ()
        return tuple(one for one in found if one.kind is not PacketKind.REVOKE)

    def _about_known(self, packet: IncomingPacket, opened: Opened) -> bool:
        """Whether an update is about a document that is here; else what it brings is filed as one."""
        with self._space.store.view() as view:
            return bool(self._meant(view.incoming, packet, opened)) or not opened.files

    def _recall(self, tx: Transaction, packet: IncomingPacket, opened: Opened, reason: str) -> None:
        self._ask(tx, packet, opened, Asked.RECALL, reason)

    def _update(self, tx: Transaction, packet: IncomingPacket, opened: Opened) -> None:
        """An update that takes us out of the receivers takes the document back from us."""
        own, header = fold_code(packet.org), opened.header
        ours = [one for one in header.receiver_changes if fold_code(one.organ_code) == own]
        removed = bool(ours) and not any(one.added for one in ours)
        self._ask(tx, packet, opened, Asked.RECALL if removed else Asked.UPDATE, header.reason)

    def _ask(self, tx: Transaction, packet: IncomingPacket, opened: Opened, asked: Asked, reason: str) -> None:
        now = self._space.now()
        what = IncomingWhat.RECALL_ASKED if asked is Asked.RECALL else IncomingWhat.UPDATE_ASKED
        event = _event(what, packet.received_at, packet, reason, by=opened.facts.sender)
        living = [one for one in self._meant(tx.incoming, packet, opened) if one.state is not ArrivalState.CANCELLED]
        target = living[0].id if living else self._row_of_its_own(tx, packet, opened)
        tx.incoming.ask(target, asked, reason, str(packet.sha256), event)
        tx.inbox.filed(packet, now, target)

    def _row_of_its_own(self, tx: Transaction, packet: IncomingPacket, opened: Opened) -> str:
        """What speaks of a document that isn't here has to be answered all the same."""
        new = NewIncoming(
            id=uuid7(),
            org=packet.org,
            document_key=f"about|{packet.sha256}",
            content=opened.content,
            packet_sha256=str(packet.sha256),
            kind=PacketKind.REVOKE,
            arrived_at=packet.received_at,
            facts=_doubted(opened.facts_of_meant, OwnDoubt.NOT_HERE),
            files=(),
            judged=Judged(verdict=ArrivalVerdict.NO_PDF, code=None, at=self._space.now()),
        )
        tx.incoming.add(new, _event(IncomingWhat.ARRIVED, packet.received_at, packet, packet.channel))
        return new.id

    def _status(self, packet: IncomingPacket, opened: Opened) -> None:
        """An answer about documents of ours; 13 is a recall in other words."""
        header = opened.header
        if header.status is StatusCode.ASKED_BACK:
            self._space.store.write(lambda tx: self._recall(tx, packet, opened, header.description))
            return

        def work(tx: Transaction) -> None:
            told = False
            for answered in header.response_for:
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
            tx.inbox.filed(packet, self._space.now(), None, None if told else "incoming_status_unmatched")

        self._space.store.write(work)


def _name(packet: IncomingPacket) -> tuple[str, str, str]:
    return packet.org, packet.channel, packet.packet_id


def _states(rounds: tuple[IncomingDocument, ...]) -> list[tuple[str, ArrivalState]]:
    return [(one.id, one.state) for one in rounds]


def _doubted(facts: IncomingFacts, doubt: OwnDoubt) -> IncomingFacts:
    return replace(facts, doubts=(*facts.doubts, doubt.value))


def _event(
    what: IncomingWhat,
    at: dt.datetime,
    packet: IncomingPacket,
    words: str,
    answer: NewPacket | None = None,
    *,
    by: str = "",
) -> IncomingEvent:
    return IncomingEvent(
        at=at,
        what=what,
        by=by,
        words=words,
        packet_sha256=packet.sha256,
        answer=answer.packet_id if answer is not None else None,
    )
