"""What others make of what was sent, as rows: the server's states, the receivers' words, and what a person must act on.

Inside a transaction of the main process. A receiver's return, a declined recall and a receiver that was not reached
stay open until a person settles them. Nothing is sent or decided here.
"""

from collections.abc import Collection
from datetime import datetime

from signer_app.store.model import NewPacket, OutboxState
from signer_app.store.outbox_reader import OPEN, UNHEARD, OutboxReader
from signer_app.store.rows import params_json, require_one
from signer_app.store.times import stamp
from signer_sync.contract import PacketKind, PacketPhase, PacketState

_SERVER_RANK = {
    OutboxState.ACCEPTED: 0,
    OutboxState.FORWARDED: 1,
    OutboxState.PARTIALLY: 2,
    OutboxState.DELIVERED: 3,
    OutboxState.FAILED: 3,
}
"""How late the server's states are; a packet never goes back, the last two are final (Sync API, packet
state).
"""

_ARRIVED = "01"
_RECALL_ANSWERS = frozenset({"15", "16"})
_ASKING = (PacketKind.REVOKE, PacketKind.UPDATE, PacketKind.STATUS)
_CARRYING = (PacketKind.NEW, PacketKind.REPLACE, PacketKind.UPDATE)
_PHASES = {phase: OutboxState(phase.value) for phase in PacketPhase}


class OutboxAnswers(OutboxReader):
    """The outbox inside a transaction, as far as others speak of it."""

    def moved_on(self, packet_id: str, state: OutboxState, error: str | None = None) -> None:
        """The server's word on a packet that it accepted; an older word, or one on another packet, is ignored."""
        packet = self.get(packet_id)
        if packet is None or packet.accepted_at is None:
            return
        if _SERVER_RANK[state] > _SERVER_RANK[packet.state]:
            self._update(packet_id, "state = ? WHERE packet_id = ?", state.value)
            if state is OutboxState.FAILED:
                self._update(
                    packet_id,
                    "error_code = 'not_forwarded', error_params = ? WHERE packet_id = ?",
                    params_json({"reason": error or "?"}),
                )

    def delivery(self, packet_id: str, told: PacketState) -> bool:
        """All that the server tells of a packet and of each of its receivers, as far as it is news; whether the packet
        is one of ours that it has.
        """
        packet = self.get(packet_id)
        if packet is None or packet.accepted_at is None:
            return False
        self.moved_on(packet_id, _PHASES[told.state], told.error)
        for one in told.recipients:
            self._connection.execute(
                "UPDATE outbox_receiver SET transport = ? WHERE packet_id = ? AND org = ? COLLATE NOCASE",
                (one.transport.value, packet_id, one.org),
            )
            if one.business_code is not None:
                at = _moment(one.at) or _moment(told.since) or packet.accepted_at
                self._receiver_says(packet_id, one.org, one.business_code, at, one.by, None, one.evidence)
        return True

    def receiver_told(
        self,
        edxml_id: str,
        org: str,
        code: str,
        at: datetime,
        by: str | None = None,
        reason: str | None = None,
        evidence: str | None = None,
    ) -> bool:
        """A status message (01 to 06, 15, 16) of `org` on the document of ours that goes by this DocumentId; `evidence`
        is the id of the packet that brought it. Whether such a document was ever given to that receiver.

        An answer to a recall belongs to the newest recall or change that the receiver got, all else to the packet that
        brought the document to it.
        """
        kinds = _ASKING if code in _RECALL_ANSWERS else ()
        found = self._packet_at(edxml_id, org, kinds) or self._packet_at(edxml_id, org, _CARRYING)
        if found is None:
            return False
        self._receiver_says(found, org, code, at, by, reason, evidence)
        return True

    def settle(self, packet_id: str, orgs: Collection[str], by: str, at: datetime) -> None:
        """A person has acted on what became of a packet at these receivers (sent back, declined, not reached, a hỏa tốc
        without an answer); ValueError where one of them waits for nobody.
        """
        for org in orgs:
            done = self._connection.execute(
                "UPDATE outbox_receiver SET settled_at = ?, settled_by = ?"  # noqa: S608 - our own words
                f" WHERE packet_id = ? AND org = ? AND (({OPEN}) OR ({UNHEARD}))",
                (stamp(at), by, packet_id, org),
            )
            require_one(done, "nobody waits for this receiver")

    def _settle_with(self, packet: NewPacket, document_id: str) -> None:
        """Whoever recalls a document, changes its receivers or sends another in its place has acted on all that became
        of it until then; of one who doesn't answer a hỏa tốc, a change of receivers says nothing.
        """
        acted = OPEN if packet.kind is PacketKind.UPDATE else f"({OPEN}) OR ({UNHEARD})"
        self._connection.execute(
            "UPDATE outbox_receiver SET settled_at = ?, settled_by = ?, settled_packet = ?"  # noqa: S608 - our own words
            f" WHERE packet_id IN (SELECT packet_id FROM outbox WHERE document_id = ?) AND ({acted})"
            # What is sent is not acted on before it is sent.
            " AND packet_id <> ?",
            (stamp(packet.created_at), packet.operator, packet.packet_id, document_id, packet.packet_id),
        )

    def _packet_at(self, edxml_id: str, org: str, kinds: tuple[PacketKind, ...]) -> str | None:
        """The newest packet of these kinds on that document which went to `org`, and did not take it away there."""
        for packet_id, kind, change in self._connection.execute(
            "SELECT outbox.packet_id, kind, change FROM outbox"
            " JOIN outbox_receiver ON outbox_receiver.packet_id = outbox.packet_id"
            " WHERE edxml_id = ? AND edxml_id <> '' AND outbox_receiver.org = ? COLLATE NOCASE AND state <> 'withdrawn'"
            " ORDER BY outbox.created_at DESC, outbox.packet_id DESC",
            (edxml_id, org),
        ):
            brings = PacketKind.UPDATE in kinds and PacketKind.NEW in kinds
            if kind in {one.value for one in kinds} and not (brings and kind == "update" and change != 1):
                return str(packet_id)
        return None

    def _receiver_says(
        self,
        packet_id: str,
        org: str,
        code: str,
        at: datetime,
        by: str | None,
        reason: str | None,
        evidence: str | None,
    ) -> None:
        """The receiver's newest word stands, by its own time; that it arrived never stands over another word. The same
        word once more only adds what was not known of it, for a server tells the code, and the message itself who and
        why; in a newer message it is a word of its own.
        """
        values = (code, stamp(at), by or None, reason or None, evidence, packet_id, org, _ARRIVED)
        said_before = self._connection.execute(
            "UPDATE outbox_receiver SET code_by = ifnull(code_by, ?3), code_reason = ifnull(code_reason, ?4),"
            " evidence = ifnull(evidence, ?5) WHERE packet_id = ?6 AND org = ?7 COLLATE NOCASE AND code = ?1"
            " AND NOT (code_at < ?2 AND ifnull(evidence <> ?5, 0))",
            values[:7],
        )
        if said_before.rowcount:
            return
        self._connection.execute(
            "UPDATE outbox_receiver SET code = ?1, code_at = ?2, code_by = ?3, code_reason = ?4, evidence = ?5,"
            # That it arrived is nothing new to who has telephoned there.
            " settled_at = CASE WHEN ?1 = ?8 THEN settled_at END, settled_by = CASE WHEN ?1 = ?8 THEN settled_by END,"
            " settled_packet = CASE WHEN ?1 = ?8 THEN settled_packet END"
            " WHERE packet_id = ?6 AND org = ?7 COLLATE NOCASE AND (code IS NULL OR (?1 <> ?8 AND"
            " (code = ?8 OR code_at <= ?2)))",
            values,
        )

    def _update(self, packet_id: str, assignments: str, *values: object) -> None:
        done = self._connection.execute(
            f"UPDATE outbox SET {assignments}",  # noqa: S608 - literals of this class; values are bound
            (*values, packet_id),
        )
        require_one(done, "no such packet in a state that allows this")


def _moment(text: str | None) -> datetime | None:
    """A time as a server writes it; None for one that is none, or knows no zone."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
