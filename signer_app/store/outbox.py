"""The outbox: every event that is to be told to others, as rows: what waits, what was sent, how far it got with whom.

Reads on any connection, writes only inside a transaction of the main process. A packet is made only in the
transaction of the event that it tells; a proof of the other side is the only proof that it was sent. No HTTP here.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from signer_app.store.journal import Journal
from signer_app.store.model import NewPacket, OutboxPacket, OutboxState, ProofBy
from signer_app.store.outbox_answers import OutboxAnswers
from signer_app.store.outbox_reader import QUESTIONED, OutboxReader
from signer_app.store.rows import insert, params_json
from signer_app.store.soundness import JournalAnchor
from signer_app.store.times import stamp, stamp_or_none
from signer_resources.errors import KnownError
from signer_sync.contract import JournalHead, PacketKind

__all__ = ["Outbox", "OutboxReader"]

_KNOWN = "packet_id NOT IN (SELECT packet_id FROM unsettled WHERE answer = 'open')"
"""SQL: it is not to be asked first whether it left before this database came out of a backup."""
_WAITS = "state IN ('queued', 'sending', 'retrying')"


class Outbox(OutboxAnswers):
    """The outbox inside a transaction, where it can be written."""

    # ---- what is to be sent ----------------------------------------------------------------------------------------

    def add(self, packet: NewPacket) -> None:
        """Queues a packet; one that it supersedes is done with.

        KnownError "replaced_already" for a second one in place of a document. ValueError without receivers, or if the
        other can't be superseded. The database refuses a document without
        number or date, a second packet that carries the same document, a second answer of one kind.
        """
        if not packet.receivers:
            raise ValueError("a packet without receivers")
        changes = packet.changes or (None,) * len(packet.receivers)
        before = self.replacing(packet.replaces) if packet.replaces is not None else None
        if before is not None and before.packet_id != packet.supersedes:
            (label,) = self._connection.execute(
                "SELECT ifnull(number || '/' || notation, '') FROM document WHERE id = ?", (packet.replaces,)
            ).fetchone()
            raise KnownError("replaced_already", label=label)
        for position, (org, change) in enumerate(zip(packet.receivers, changes, strict=True)):
            row = {"packet_id": packet.packet_id, "position": position, "org": org, "change": change}
            insert(self._connection, "outbox_receiver", row)
        if packet.supersedes is not None:
            self._update(
                packet.supersedes,
                "superseded_by = ? WHERE packet_id = ? AND superseded_by IS NULL"
                " AND ((state IN ('failed', 'needs_person') AND uncertain = 0) OR missing_since IS NOT NULL)"
                f" AND {_KNOWN}",
                packet.packet_id,
            )
        insert(
            self._connection,
            "outbox",
            {
                "packet_id": packet.packet_id,
                "document_id": packet.document_id,
                "org": packet.org,
                "kind": packet.kind.value,
                "edxml_id": packet.edxml_id,
                "sha256": packet.sha256,
                "size": packet.size,
                "urgency": int(packet.urgency),
                "created_at": stamp(packet.created_at),
                "operator": packet.operator,
                "state": OutboxState.QUEUED.value,
                "hold_until": stamp_or_none(packet.hold_until),
                "incoming": packet.incoming,
                "about": packet.about,
                "status_code": packet.status_code,
                "reason": packet.reason,
                "replaces": packet.replaces,
                "supersedes": packet.supersedes,
            },
        )
        about = packet.replaces if packet.kind is PacketKind.REPLACE else packet.document_id
        if about is not None and packet.kind is not PacketKind.NEW:
            self._settle_with(packet, about)

    # ---- what a person says ----------------------------------------------------------------------------------------

    def postpone(self, packet_id: str, until: datetime) -> None:
        """Nothing of it leaves before `until`, whoever asks for sending (Hoãn gửi); only what is not on its way."""
        self._update(
            packet_id,
            "hold_until = ?, postponed = 1 WHERE packet_id = ? AND state IN ('queued', 'retrying')",
            stamp(until),
        )

    def send_now(self, packet_id: str) -> None:
        """Neither a hold nor a delay keeps it any longer (Gửi ngay). What needs a person is tried again, unless nobody
        knows whether it arrived: then ValueError, as for what doesn't wait.
        """
        self._update(
            packet_id,
            "hold_until = NULL, postponed = 0, not_before = NULL,"
            " state = CASE state WHEN 'needs_person' THEN 'retrying' ELSE state END"
            " WHERE packet_id = ? AND superseded_by IS NULL AND (state IN ('queued', 'retrying')"
            " OR (state = 'needs_person' AND ifnull(error_code, '') <> 'outcome_undecided'))",
        )

    def send_all_now(self) -> int:
        """Takes holds and delays off all that wait (Gửi ngay), those excepted that a person has postponed, and those of
        which nobody knows whether they arrived; how many may leave now.
        """
        self.try_again()
        return self._connection.execute(
            "UPDATE outbox SET hold_until = NULL, not_before = NULL"
            " WHERE accepted_at IS NULL AND state IN ('queued', 'retrying') AND postponed = 0"
        ).rowcount

    def withdraw(self, packet_id: str, by: str, at: datetime) -> OutboxPacket:
        """Takes it out of the queue before anything of it left (Bỏ khỏi hàng gửi); what it was. ValueError otherwise,
        and for an answer to what came, which belongs to the decision that made it.
        """
        self._update(
            packet_id,
            "state = 'withdrawn', postponed = 0, not_before = NULL, decided_by = ?, decided_at = ?"
            f" WHERE packet_id = ? AND state = 'queued' AND attempts = 0 AND incoming IS NULL AND {_KNOWN}",
            by,
            stamp(at),
        )
        taken = self.require(packet_id)
        # What it was the answer to wants one again.
        self._connection.execute(
            "UPDATE outbox_receiver SET settled_at = NULL, settled_by = NULL, settled_packet = NULL"
            " WHERE settled_packet = ? AND packet_id IN (SELECT packet_id FROM outbox WHERE document_id = ?)",
            (packet_id, taken.replaces or taken.document_id),
        )
        return taken

    def arrived(self, packet_id: str, by: str, at: datetime) -> None:
        """A person has made sure that the other side has it; ValueError unless that is the question."""
        word = {"word": "arrived", "by": by, "at": stamp(at)}
        self._update(
            packet_id,
            "state = 'accepted', proof_by = 'person', proof = ?, accepted_at = ?, not_before = NULL, uncertain = 0,"
            " error_code = NULL, error_params = NULL, decided_by = ?, decided_at = ?"
            " WHERE packet_id = ? AND state = 'needs_person' AND error_code = 'outcome_undecided'",
            msgspec.json.encode(word).decode(),
            stamp(at),
            by,
            stamp(at),
        )

    def not_arrived(self, packet_id: str, by: str, at: datetime) -> None:
        """A person has made sure that the other side doesn't have it: the same packet goes again."""
        self._update(
            packet_id,
            "state = 'retrying', not_before = NULL, uncertain = 0, error_code = NULL, error_params = NULL,"
            " decided_by = ?, decided_at = ?"
            " WHERE packet_id = ? AND state = 'needs_person' AND error_code = 'outcome_undecided'",
            by,
            stamp(at),
        )

    # ---- what the loop says ----------------------------------------------------------------------------------------

    def begin_attempt(self, packet_id: str, now: datetime) -> bool:
        """Records, before the first byte leaves, that an attempt is made; False, and nothing is written, where it may
        not leave any more, or (a person has postponed it) not yet. One whose last attempt nobody has settled is
        uncertain.
        """
        return self._begin(packet_id, stamp(now)) == 1

    def mark_sending(self, packet_id: str) -> None:
        """As `begin_attempt`, for a packet that is known to wait; ValueError for another one."""
        if not self._begin(packet_id, None):
            raise ValueError("no such packet in a state that allows this")

    def _begin(self, packet_id: str, now: str | None) -> int:
        return self._connection.execute(
            "UPDATE outbox SET uncertain = max(uncertain, state = 'sending'), state = 'sending',"  # noqa: S608 - ours
            " attempts = attempts + 1, hold_until = NULL, postponed = 0"
            " WHERE packet_id = ? AND state IN ('queued', 'sending', 'retrying')"
            f" AND (postponed = 0 OR ?2 IS NULL OR hold_until <= ?2) AND NOT {QUESTIONED}",
            (packet_id, now),
        ).rowcount

    def accepted(self, packet_id: str, receipt: str, journal_head: JournalHead | None, at: datetime) -> None:
        """Keeps the checked receipt, and the journal's head that it repeats as an anchor.

        The same packet accepted again changes nothing: the first proof stands.
        """
        done = self._accept(packet_id, ProofBy.RECEIPT, at, receipt=receipt)
        if done and journal_head is not None:
            anchor = JournalAnchor(count=journal_head.count, hash=journal_head.hash, packet_id=packet_id, at=at)
            Journal(self._connection).anchor(anchor)

    def accepted_by_channel(self, packet_id: str, proof: str, doc_id: str | None, at: datetime) -> None:
        """Keeps the answer (JSON) of a channel that gives no receipts, and its number of the document."""
        self._accept(packet_id, ProofBy.CHANNEL, at, proof=proof, doc_id=doc_id)

    def retry(
        self,
        packet_id: str,
        error_code: str,
        not_before: datetime,
        params: Mapping[str, object] = {},
        *,
        uncertain: bool = False,
    ) -> None:
        """The attempt failed: the same packet again, not before then. `uncertain`: the other side may have it, from
        this attempt or an earlier one.
        """
        self._end_attempt(packet_id, OutboxState.RETRYING, error_code, params, not_before)
        self._update(packet_id, "uncertain = (? AND attempts > 0) WHERE packet_id = ?", uncertain)

    def failed(self, packet_id: str, error_code: str, params: Mapping[str, object] = {}) -> None:
        """The server will never take this packet."""
        self._end_attempt(packet_id, OutboxState.FAILED, error_code, params, None)

    def needs_person(self, packet_id: str, error_code: str, params: Mapping[str, object] = {}) -> None:
        """Sending can't go on until someone mends the cause."""
        self._end_attempt(packet_id, OutboxState.NEEDS_PERSON, error_code, params, None)

    def queue_again(self, packet_id: str) -> None:
        """Someone mended the cause: the same packet waits again, to be sent at once."""
        self._update(
            packet_id,
            "state = 'retrying', not_before = NULL WHERE packet_id = ? AND state = 'needs_person'"
            " AND superseded_by IS NULL AND ifnull(error_code, '') <> 'outcome_undecided'",
        )

    def try_again(self, org: str | None = None) -> int:
        """Whoever asks for sending is the person that stopped packets waited for: perhaps their causes were mended.
        Those of which nobody knows whether they arrived stay; how many are tried again.
        """
        return self._connection.execute(
            "UPDATE outbox SET state = 'retrying', not_before = NULL WHERE state = 'needs_person'"
            " AND accepted_at IS NULL AND superseded_by IS NULL AND ifnull(error_code, '') <> 'outcome_undecided'"
            " AND (?1 IS NULL OR org = ?1)",
            (org,),
        ).rowcount

    def forget_delays(self, org: str | None = None) -> int:
        """The way to the other side may be open again: delays after failures end, holds stay; how many there were."""
        return self._connection.execute(
            "UPDATE outbox SET not_before = NULL"
            " WHERE state = 'retrying' AND not_before IS NOT NULL AND (?1 IS NULL OR org = ?1)",
            (org,),
        ).rowcount

    def forget_attempts(self) -> int:
        """After a crash: what was being sent has an unknown outcome, so the same packet goes again; how
        many.
        """
        return self._connection.execute(
            "UPDATE outbox SET state = 'retrying', error_code = 'outcome_unknown', error_params = NULL,"
            " uncertain = 1, not_before = NULL WHERE state = 'sending'"
        ).rowcount

    # ---- after the server began anew -------------------------------------------------------------------------------

    def ask_for_all(self, org: str) -> int:
        """The server began anew: it is to be asked for each packet that it had taken; how many."""
        return self._connection.execute(
            "UPDATE outbox SET to_ask = 1 WHERE org = ? AND proof_by = 'receipt' AND superseded_by IS NULL", (org,)
        ).rowcount

    def answered_for(self, packet_id: str, *, there: bool, at: datetime) -> None:
        """Whether it still has this one. Nothing is sent again by itself."""
        self._update(
            packet_id,
            "to_ask = 0, missing_since = CASE WHEN ? THEN NULL ELSE ifnull(missing_since, ?) END WHERE packet_id = ?",
            there,
            stamp(at),
        )

    # ---- inside ----------------------------------------------------------------------------------------------------

    def _accept(
        self,
        packet_id: str,
        by: ProofBy,
        at: datetime,
        *,
        receipt: str | None = None,
        proof: str | None = None,
        doc_id: str | None = None,
    ) -> bool:
        done = self._connection.execute(
            "UPDATE outbox SET state = 'accepted', proof_by = ?, receipt = ?, proof = ?, doc_id = ?, accepted_at = ?,"
            " hold_until = NULL, postponed = 0, not_before = NULL, uncertain = 0,"
            " error_code = NULL, error_params = NULL"
            " WHERE packet_id = ? AND accepted_at IS NULL AND state <> 'withdrawn'",
            (by.value, receipt, proof, doc_id, stamp(at), packet_id),
        )
        if done.rowcount == 0 and self.get(packet_id) is None:
            raise ValueError("no such packet")
        return done.rowcount == 1

    def _end_attempt(
        self,
        packet_id: str,
        state: OutboxState,
        error_code: str,
        params: Mapping[str, object],
        not_before: datetime | None,
    ) -> None:
        self._update(
            packet_id,
            f"state = ?, error_code = ?, error_params = ?, not_before = ? WHERE packet_id = ? AND {_WAITS}",
            state.value,
            error_code,
            params_json(params),
            stamp_or_none(not_before),
        )
