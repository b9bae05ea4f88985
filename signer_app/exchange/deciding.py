"""The clerk's decisions on incoming documents: accept, return, report, pass on, answer a recall or an update.

Main process, any thread. A decision, its entry in the register and the status message that tells the sender are one
transaction: nobody can be told what isn't so here, nor anything be so here that nobody will be told. What cannot be
decided is never returned by itself; a recall never deletes anything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from signer_app.exchange.answering import answers_for, clerk_of, status_of
from signer_app.exchange.filing_facts import Opened, open_blob
from signer_app.exchange.incoming_checks import Checked, check_files, keep_evidence
from signer_app.signing.batch import never
from signer_app.store import Transaction
from signer_app.store.arrival_book import ArrivalEntry
from signer_app.store.inbox import IncomingPacket
from signer_app.store.incoming_model import (
    ArrivalState,
    ArrivalVerdict,
    Asked,
    IncomingDocument,
    IncomingEvent,
    IncomingWhat,
    OwnDoubt,
    ReturnReason,
)
from signer_app.store.model import NewPacket
from signer_app.store.settings import Body
from signer_app.store.times import vietnamese_date
from signer_app.workdays import day_in_vietnam
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_resources.messages import Lang, text
from signer_sync.contract import PacketKind
from signer_sync.edxml import StatusCode

_SENT_IN: Lang = "vi"
"""What leaves is Vietnamese, whatever the window speaks."""
_DECIDABLE = frozenset({ArrivalState.ARRIVED, ArrivalState.REPORTED})
_UNPROVEN = frozenset({ArrivalVerdict.INVALID, ArrivalVerdict.UNSIGNED, ArrivalVerdict.NO_PDF})
"""Verdicts with which a document may be returned for its signature; one that could not be decided is not among them."""
_ALTERED = frozenset({"broken", "changed"})
"""Integrity of a file with which its document may be returned as altered."""


@dataclass(frozen=True)
class Accepted:
    """One document of those that were to be accepted: its number in the register, or why it has none."""

    id: str
    number: int | None = None
    error: KnownError | None = None


class Deciding:
    """The decisions of one workspace."""

    def __init__(self, space: Workspace) -> None:
        self._space = space

    # ---- accepting -------------------------------------------------------------------------------------------------

    def accept(self, incoming_id: str, *, by_order: str = "", only_valid: bool = False) -> int:
        """Accepts a document: its number in the register, and 03 to its sender (Tiếp nhận).

        `by_order`: who has ordered to accept one whose signature is invalid, which is written down. `only_valid`: as
        one of several, at which nobody looks one by one; KnownError "incoming_not_plain" for one that isn't `valid`
        (any more). KnownError "incoming_unknown", "incoming_decided", "incoming_asked" while its sender asks for it,
        "incoming_unreadable", "incoming_invalid" without an order, and as `status_packet`, `Arrivals.enter` and
        `Store.write`.
        """
        document, body = self._waiting(incoming_id)
        if document.asked is Asked.RECALL:
            raise KnownError("incoming_asked", label=document.label)
        if not document.readable:
            raise KnownError("incoming_unreadable")
        if document.verdict is ArrivalVerdict.INVALID and not by_order.strip():
            raise KnownError("incoming_invalid", label=document.label)
        if only_valid and not document.valid:
            raise KnownError("incoming_not_plain", label=document.label)
        packet = status_of(self._space, body, document.id, document, StatusCode.ACCEPTED, "")

        def work(tx: Transaction) -> int:
            self._same(tx, document)
            now, clerk = self._space.now(), clerk_of(self._space)
            day = day_in_vietnam(now)
            number = tx.arrivals.enter(document.org, day, _entry(document, self._space, clerk))
            event = IncomingEvent(
                at=now, what=IncomingWhat.ACCEPTED, by=clerk, words=by_order.strip(), answer=packet.packet_id
            )
            tx.incoming.accept(document.id, number, day.year, event, note=by_order.strip())
            tx.outbox.add(packet)
            return number

        return self._space.store.write(work)

    def accept_all_valid(
        self,
        org: str | None = None,
        cancelled: Callable[[], bool] = never,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> tuple[Accepted, ...]:
        """Accepts all that is valid and waits, hỏa tốc first (Tiếp nhận tất cả hợp lệ); `progress(done, total)`.

        One that can't be accepted any more hinders no other. KnownError as `Store.write` for a full disk and the like.
        """
        with self._space.store.view() as view:
            waiting = view.incoming.waiting_valid(org)
        return self.accept_some(waiting, cancelled, progress)

    def accept_some(
        self,
        ids: Sequence[str],
        cancelled: Callable[[], bool] = never,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> tuple[Accepted, ...]:
        """Accepts those of these that are valid one by one, as `accept_all_valid`."""
        done: list[Accepted] = []
        for incoming_id in ids:
            if cancelled():
                break
            try:
                done.append(Accepted(incoming_id, self.accept(incoming_id, only_valid=True)))
            except KnownError as error:
                if error.code not in _OF_ONE:
                    raise
                done.append(Accepted(incoming_id, error=error))
            progress(len(done), len(ids))
        return tuple(done)

    # ---- returning and reporting -----------------------------------------------------------------------------------

    def may_return(self, incoming_id: str) -> tuple[ReturnReason, ...]:
        """The lawful reasons with which this document may be returned as it stands; KnownError "incoming_unknown"."""
        document = self._get(incoming_id)
        if document.state not in _DECIDABLE or document.kind is PacketKind.REVOKE or not document.readable:
            return ()
        with self._space.store.view() as view:
            files = view.incoming.files(incoming_id)
        found = []
        if document.verdict in _UNPROVEN:
            found.append(ReturnReason.SIGNATURE_INVALID)
        if any(file.integrity in _ALTERED for file in files):
            found.append(ReturnReason.ALTERED)
        return (*found, ReturnReason.WRONG_RECEIVER)

    def send_back(self, incoming_id: str, reason: ReturnReason, words: str) -> None:
        """Returns a document (Trả lại nơi gửi): 02 with the reason leaves for its sender.

        `words`: what the clerk adds. KnownError "incoming_not_returnable" for a reason that isn't so, and as `accept`.
        """
        document, body = self._waiting(incoming_id)
        if reason not in self.may_return(incoming_id):
            raise KnownError("incoming_not_returnable", label=document.label)
        told = _with_words(text(_REASONS[reason], _SENT_IN), words)
        packet = status_of(self._space, body, document.id, document, StatusCode.RETURNED, told)

        def work(tx: Transaction) -> None:
            self._same(tx, document)
            event = self._event(IncomingWhat.RETURNED, told, packet)
            tx.incoming.decide(document.id, ArrivalState.RETURNED, event, reason=reason.value, note=words.strip())
            tx.outbox.add(packet)

        self._space.store.write(work)

    def report(self, incoming_id: str, words: str) -> str:
        """Records that its sender was told outside of the axis (Báo nơi gửi: unreadable, doubtful); the words to copy.

        No message leaves: nothing is refused by it, and the document can still be accepted or returned. KnownError
        "incoming_unknown", "incoming_decided", and as `Store.write`.
        """
        document = self._get(incoming_id)
        if document.state not in _DECIDABLE or document.kind is PacketKind.REVOKE:
            raise KnownError("incoming_decided", label=document.label)
        told = self.words_for_sender(document, words)

        def work(tx: Transaction) -> None:
            self._same(tx, document)
            event = self._event(IncomingWhat.REPORTED, told)
            tx.incoming.decide(document.id, ArrivalState.REPORTED, event, note=words.strip())

        self._space.store.write(work)
        return told

    def words_for_sender(self, document: IncomingDocument, words: str) -> str:
        """What to tell the sender by telephone or mail, with all that finds the document there."""
        at = document.arrived_at.strftime("%H:%M %d/%m/%Y")
        body = self._space.settings.body(document.org)
        return text(
            "incoming_report",
            "vi",
            body=body.name if body is not None else document.org,
            label=document.label or "-",
            issued=vietnamese_date(document.issued_on) if document.issued_on else document.issued or "-",
            subject=document.subject or "-",
            time=at,
            document=document.document_id or document.packet_sha256,
            words=words.strip(),
        )

    def report_secret(self, packet: IncomingPacket) -> str:
        """Records that the person in charge was told of a secret packet (Báo người phụ trách); the words to hand over.

        Nothing of the packet is known but its id. ValueError for a packet that isn't secret.
        """
        if not packet.secret:
            raise ValueError("not a secret packet")
        clerk, now = clerk_of(self._space), self._space.now()
        self._space.store.write(lambda tx: tx.inbox.told(packet.org, packet.channel, packet.packet_id, now, clerk))
        at = packet.received_at.strftime("%H:%M %d/%m/%Y")
        return text("incoming_secret_report", "vi", packet=packet.packet_id, time=at, clerk=clerk)

    # ---- passing on ------------------------------------------------------------------------------------------------

    def pass_on(self, incoming_id: str, to: str) -> None:
        """Writes down to whom a document was passed on (Đã chuyển); KnownError "incoming_no_holder" without a name,
        "incoming_quarantined", and as `report`.
        """
        document = self._get(incoming_id)
        if not to.strip():
            raise KnownError("incoming_no_holder")
        if document.state is ArrivalState.CANCELLED:
            raise KnownError("incoming_quarantined", label=document.label)
        event = self._event(IncomingWhat.TRANSFERRED, to.strip())
        self._space.store.write(lambda tx: tx.incoming.transferred(document.id, event))

    # ---- what senders ask for --------------------------------------------------------------------------------------

    def answer(self, incoming_id: str, *, agree: bool, decided_by: str, words: str = "") -> None:
        """Answers what a document's sender asks for: 15 (Đồng ý) or 16 (Chưa đồng ý), by the opinion of `decided_by`.

        A recall that is agreed to marks the copy cancelled and moves it to quarantine, where it is kept for the log; an
        update that is agreed to puts its words and files in the place of the old ones. KnownError "incoming_not_asked",
        "incoming_no_leader" without a name, "edxml_invalid", and as `accept`.
        """
        document = self._get(incoming_id)
        if document.asked is None or document.asked_packet is None:
            raise KnownError("incoming_not_asked", label=document.label)
        if not decided_by.strip():
            raise KnownError("incoming_no_leader")
        body = self._body(document)
        code = StatusCode.AGREED if agree else StatusCode.DECLINED
        packet = status_of(self._space, body, document.id, document, code, words.strip())
        told = _with_words(decided_by.strip(), words)
        update = self._update(document) if agree and document.asked is Asked.UPDATE else None

        def work(tx: Transaction) -> None:
            self._same(tx, document)
            event = self._event(IncomingWhat.AGREED if agree else IncomingWhat.DECLINED, told, packet)
            if not agree:
                tx.incoming.declined(document.id, event)
            elif update is None:
                tx.incoming.cancel(document.id, event)
            else:
                opened, checked = update
                files, judged = (checked.files, checked.judged) if checked is not None else (None, None)
                content = opened.content if checked is not None else None
                tx.incoming.renew(document.id, opened.facts, files, judged, content, event)
            tx.outbox.add(packet)

        self._space.store.write(work)
        if update is not None and update[1] is not None and OwnDoubt.UNSCREENED not in update[0].facts.doubts:
            keep_evidence(self._space, update[1])

    def _update(self, document: IncomingDocument) -> tuple[Opened, Checked | None]:
        """The update as it was sent; its files checked, where it brings any."""
        assert document.asked_packet is not None
        with self._space.store.view() as view:
            packet = view.inbox.of_content(document.org, document.asked_packet)[0]
        opened = open_blob(self._space, document.asked_packet, packet)
        if not isinstance(opened, Opened):
            raise KnownError("edxml_invalid", reason="", line=0)
        return opened, check_files(self._space, opened.files) if opened.files else None

    # ---- common parts ----------------------------------------------------------------------------------------------

    def _get(self, incoming_id: str) -> IncomingDocument:
        with self._space.store.view() as view:
            found = view.incoming.get(incoming_id)
        if found is None:
            raise KnownError("incoming_unknown")
        return found

    def _waiting(self, incoming_id: str) -> tuple[IncomingDocument, Body]:
        document = self._get(incoming_id)
        if document.state not in _DECIDABLE or document.kind is PacketKind.REVOKE:
            raise KnownError("incoming_decided", label=document.label)
        return document, self._body(document)

    def _body(self, document: IncomingDocument) -> Body:
        body = answers_for(self._space, document.org)
        if body is None:
            raise KnownError("exchange_external", body=document.org)
        return body

    def _same(self, tx: Transaction, document: IncomingDocument) -> None:
        """KnownError "incoming_decided" if it isn't any more what the person has looked at."""
        now = tx.incoming.get(document.id)
        if now is None or _looked_at(now) != _looked_at(document):
            raise KnownError("incoming_decided", label=document.label)

    def _event(self, what: IncomingWhat, words: str, packet: NewPacket | None = None) -> IncomingEvent:
        answer = packet.packet_id if packet is not None else None
        return IncomingEvent(at=self._space.now(), what=what, by=clerk_of(self._space), words=words, answer=answer)


_OF_ONE = frozenset(
    {
        "exchange_external",
        "incoming_asked",
        "incoming_decided",
        "incoming_invalid",
        "incoming_not_plain",
        "incoming_unknown",
        "incoming_unreadable",
    }
)
_REASONS = {
    ReturnReason.SIGNATURE_INVALID: "incoming_reason_signature_invalid",
    ReturnReason.ALTERED: "incoming_reason_altered",
    ReturnReason.WRONG_RECEIVER: "incoming_reason_wrong_receiver",
}


def _looked_at(document: IncomingDocument) -> tuple[object, ...]:
    return document.state, document.asked, document.asked_packet, document.content, document.verdict, document.doubts


def _with_words(first: str, words: str) -> str:
    return f"{first}: {words.strip()}" if words.strip() else first


def _entry(document: IncomingDocument, space: Workspace, clerk: str) -> ArrivalEntry:
    return ArrivalEntry(
        author=document.sender_name or document.sender,
        at=space.now(),
        operator=clerk,
        label=document.label,
        doc_date=document.issued_on,
        doc_date_text=document.issued if document.issued_on is None else "",
        type=document.type_name,
        subject=document.subject,
        incoming=document.id,
        received_at=document.arrived_at,
    )
