"""Files what was received: packets become documents with verified files; what speaks of others is `filing_mentions`'.

Main process, any thread, one at a time; after the transport was acknowledged. Signatures get a short first look: what
takes longer, or wants the network, is filed all the same and looked at by `rechecking`. All that one packet means is
one transaction, with the status message 01 that it calls for; a process that is cut files the packet anew. Answers
nothing but 01: everything else is a person's.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from signer_app.exchange import filing_mentions as mentions
from signer_app.exchange.answering import answers_for, arrived_packet
from signer_app.exchange.filing_facts import Opened, Unreadable, open_kept
from signer_app.exchange.filing_mentions import doubted, event_of
from signer_app.exchange.incoming_checks import Checked, check_files, keep_evidence
from signer_app.exchange.voices import Heard, voices
from signer_app.faults import write_fault
from signer_app.signing.batch import never
from signer_app.store import Transaction
from signer_app.store.inbox import IncomingPacket
from signer_app.store.incoming_model import (
    ArrivalState,
    ArrivalVerdict,
    IncomingDocument,
    IncomingFacts,
    IncomingWhat,
    Judged,
    NewIncoming,
    OwnDoubt,
)
from signer_app.store.model import NewPacket
from signer_app.store.notices import Voice
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind
from signer_sync.edxml_read import read_header
from signer_sync.ids import uuid7

_AT_ONCE = 50
_FIRST_LOOK_S = 20.0
"""For the signatures of one document; a run in which that was too little for one only files the others."""
_GONE = frozenset({ArrivalState.RETURNED, ArrivalState.CANCELLED})
"""After these a document that comes once more is a new sending of it."""


_turns: "WeakKeyDictionary[Workspace, threading.Lock]" = WeakKeyDictionary()
"""Who files in a workspace: the exchange after a pass, the window, a command; one at a time."""
_faulty: "WeakKeyDictionary[Workspace, set[tuple[str, str, str]]]" = WeakKeyDictionary()
"""Packets at which the program itself failed: each is written down once, not with every pass."""


@dataclass(frozen=True)
class Filed:
    """What a run has done: packets filed, documents among them that are new, packets that could not be filed, packets
    whose filing waits until the server tells who answers them.
    """

    packets: int = 0
    documents: int = 0
    stuck: int = 0
    later: int = 0


class _NotYetError(Exception):
    """Whether a packet was answered already can't be asked now."""


def _nobody_asked(_packet: IncomingPacket) -> bool | None:
    return None


class Filing:
    """The filing of one workspace; one run at a time. `heard` tells what our body has answered from other machines."""

    def __init__(
        self, space: Workspace, clock: Callable[[], float] = time.monotonic, heard: Heard = _nobody_asked
    ) -> None:
        self._space = space
        self._clock = clock
        self._heard = heard
        self._voice = voices(space)
        self._turn = _turns.setdefault(space, threading.Lock())
        self._faulty = _faulty.setdefault(space, set())
        self._patience = _FIRST_LOOK_S

    def run(self, cancelled: Callable[[], bool] = never, *, ask_network: bool = True) -> Filed:
        """Files all that waits, hỏa tốc first; KnownError as `Store.write` and `BlobStore.add_stream`.

        A packet that is gone from the disk, or at which the program fails, hinders no other and is tried again by the
        next run; so is one of a body of which it isn't known yet whether this machine answers for it. `ask_network`:
        the addresses of CRLs and OCSP are asked for what the checks want.
        """
        packets = documents = 0
        stuck: set[tuple[str, str, str]] = set()
        later: set[tuple[str, str, str]] = set()
        with self._turn:
            self._patience = _FIRST_LOOK_S
            self._voice = voices(self._space)
            while not cancelled():
                with self._space.store.view() as view:
                    found = view.inbox.to_file(_AT_ONCE + len(stuck) + len(later))
                waiting = [packet for packet in found if _name(packet) not in stuck | later]
                if not waiting:
                    break
                for packet in waiting:
                    if cancelled():
                        break
                    if self._voice(packet.org) is None:
                        later.add(_name(packet))
                        continue
                    try:
                        documents += self._file(packet, ask_network=ask_network)
                        packets += 1
                    except KnownError as error:
                        if error.code != "blob_damaged":
                            raise
                        stuck.add(_name(packet))
                    except _NotYetError:
                        later.add(_name(packet))
                    except Exception as fault:  # noqa: BLE001 - nobody's packet may keep those of all others away
                        stuck.add(_name(packet))
                        self._write_down(packet, fault)
        return Filed(packets, documents, len(stuck), len(later))

    def _write_down(self, packet: IncomingPacket, fault: Exception) -> None:
        if _name(packet) not in self._faulty:
            self._faulty.add(_name(packet))
            write_fault(fault, self._space.folder.path)

    def _file(self, packet: IncomingPacket, *, ask_network: bool) -> bool:
        """Files one packet; whether a document is new by it."""
        opened = open_kept(self._space, packet)
        if isinstance(opened, Unreadable):
            return self._unreadable(packet, opened)
        header, now = opened.header, self._space.now()
        match header.kind:
            case PacketKind.STATUS if mentions.is_recall(opened):
                self._space.store.write(lambda tx: mentions.recall(tx, packet, opened, header.description, now))
            case PacketKind.STATUS:
                self._space.store.write(lambda tx: mentions.status(tx, packet, opened, now))
            case PacketKind.REVOKE:
                self._space.store.write(lambda tx: mentions.recall(tx, packet, opened, header.reason, now))
            case PacketKind.UPDATE if self._about_known(packet, opened):
                self._space.store.write(lambda tx: mentions.update(tx, packet, opened, now))
            case _:
                return self._document(packet, opened, ask_network=ask_network)
        return False

    def _about_known(self, packet: IncomingPacket, opened: Opened) -> bool:
        """Whether an update is about a document that is here; else what it brings is filed as one."""
        with self._space.store.view() as view:
            return bool(mentions.meant_by(view.incoming, packet, opened)) or not opened.files

    # ---- documents -------------------------------------------------------------------------------------------------

    def _document(self, packet: IncomingPacket, opened: Opened, *, ask_network: bool) -> bool:
        begun = self._clock()
        checked = check_files(
            self._space, opened.files, ask_network=ask_network, patience_s=self._patience, clock=self._clock
        )
        if checked.waits and self._clock() - begun >= self._patience:
            self._patience = 0.0
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
        if _same(rounds, opened) is not None:
            return None
        last = rounds[0] if rounds else None
        facts = opened.facts
        if last is not None and last.state not in _GONE and not self._overtaken_by(last, opened):
            facts = doubted(facts, OwnDoubt.CAME_CHANGED)
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

    def _overtaken_by(self, last: IncomingDocument, opened: Opened) -> bool:
        """Whether `last` is an update of this document that came before it: then it stands, whatever comes later."""
        if last.kind is not PacketKind.UPDATE or opened.header.kind is not PacketKind.NEW or not opened.trusted:
            return False
        if OwnDoubt.OTHER_SENDER in last.doubts:
            return False
        with self._space.store.blobs.path(last.packet_sha256).open("rb") as stream:
            updated_at = read_header(stream).told_at
        written_at = opened.header.told_at
        return written_at is None or updated_at is None or written_at <= updated_at

    def _arrived(self, packet: IncomingPacket, new: NewIncoming) -> NewPacket | None:
        if self._voice(packet.org) is Voice.CATCHING_UP:
            heard = self._heard(packet)
            if heard is None:
                raise _NotYetError
            if heard:
                return None
        body = answers_for(self._space, packet.org)
        if body is None or self._voice(packet.org) is Voice.SILENT:
            return None
        return arrived_packet(self._space, body, new.id, new.facts)

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
        known = _same(rounds, opened)
        if new is None and known is not None:
            tx.incoming.came_again(known.id, event_of(IncomingWhat.CAME_AGAIN, now, packet, packet.channel))
            tx.inbox.filed(packet, now, known.id)
        if new is None:
            return
        if arrived is not None:
            tx.outbox.add(arrived)
        event = event_of(IncomingWhat.ARRIVED, packet.received_at, packet, packet.channel, arrived)
        tx.incoming.add(new, event)
        tx.inbox.filed(packet, now, new.id)
        superseded = event_of(IncomingWhat.SUPERSEDED, now, packet, new.facts.label)
        last = rounds[0] if rounds else None
        if last is not None and self._overtaken_by(last, opened):
            tx.incoming.supersede(new.id, last.id, superseded)
        elif last is not None and last.state is ArrivalState.ARRIVED and opened.trusted:
            tx.incoming.supersede(last.id, new.id, superseded)
        mentions.put_in_place(tx, packet, opened, new, superseded)

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
                tx.incoming.came_again(known[0].id, event_of(IncomingWhat.CAME_AGAIN, packet.received_at, packet, ""))
            else:
                tx.incoming.add(new, event_of(IncomingWhat.ARRIVED, packet.received_at, packet, packet.channel))
            tx.inbox.filed(packet, self._space.now(), known[0].id if known else new.id)
            return not known

        return self._space.store.write(work)


def _name(packet: IncomingPacket) -> tuple[str, str, str]:
    return packet.org, packet.channel, packet.packet_id


def _same(rounds: tuple[IncomingDocument, ...], opened: Opened) -> IncomingDocument | None:
    """The round that is this very document: the last one, or an earlier one that still stands."""
    return next(
        (
            one
            for one in rounds
            if one.content == opened.content
            and one.state not in _GONE
            and (one is rounds[0] or one.state is not ArrivalState.SUPERSEDED)
        ),
        None,
    )


def _states(rounds: tuple[IncomingDocument, ...]) -> list[tuple[str, ArrivalState]]:
    return [(one.id, one.state) for one in rounds]
