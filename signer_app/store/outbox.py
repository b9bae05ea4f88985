"""The outbox: packets that wait, are sent, or have the server's receipt, as rows.

Reads on any connection, writes only inside a transaction of the main process. A packet is made only in the
transaction of the signing that it sends; the receipt is the only proof that it was sent. No HTTP here.
"""

import sqlite3
from collections.abc import Mapping
from datetime import datetime

from signer_app.store.journal import Journal
from signer_app.store.model import NewPacket, OutboxPacket, OutboxState
from signer_app.store.rows import insert, params_json, require_one, to_value
from signer_app.store.soundness import JournalAnchor
from signer_app.store.times import stamp, stamp_or_none
from signer_sync.contract import JournalHead

_COLUMNS = (
    "SELECT outbox.*, CASE WHEN document.number IS NULL THEN NULL"
    " ELSE document.number || '/' || document.notation END AS document,"
    " (SELECT json_group_array(org) FROM (SELECT org FROM outbox_receiver"
    "  WHERE outbox_receiver.packet_id = outbox.packet_id ORDER BY position)) AS receivers"
    " FROM outbox LEFT JOIN document ON document.id = outbox.document_id "
)
_JSON = ("error_params", "receivers")
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


class OutboxReader:
    """The outbox as one connection sees it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, packet_id: str) -> OutboxPacket | None:
        """The packet with this id."""
        row = self._connection.execute(f"{_COLUMNS} WHERE packet_id = ?", (packet_id,)).fetchone()
        return to_value(row, OutboxPacket, _JSON) if row else None

    def of_document(self, document_id: str) -> tuple[OutboxPacket, ...]:
        """The packets that carry or follow a document."""
        return self._many("WHERE document_id = ? ORDER BY outbox.created_at, packet_id", document_id)

    def list(self, limit: int = 1000) -> tuple[OutboxPacket, ...]:
        """What has no receipt first, then the newest of the rest."""
        return self._many(
            "ORDER BY receipt IS NOT NULL, CASE WHEN receipt IS NULL THEN outbox.urgency END DESC,"
            " CASE WHEN receipt IS NULL THEN outbox.created_at END, outbox.created_at DESC, packet_id"
            " LIMIT ?",
            limit,
        )

    def due(self, org: str, now: datetime, *, at_once: bool = False) -> tuple[OutboxPacket, ...]:
        """What may be sent for `org` at `now`: urgent first, then by age; `at_once` looks at no hold or
        delay.

        A packet whose last attempt was cut is among them: the same one goes again.
        """
        return self._many(
            "WHERE outbox.org = ? AND outbox.state IN ('queued', 'sending', 'retrying')"
            " AND (? OR not_before IS NULL OR not_before <= ?)"
            " ORDER BY outbox.urgency DESC, outbox.created_at, packet_id",
            org,
            at_once,
            stamp(now),
        )

    def waiting(self, org: str | None = None) -> int:
        """How many packets (of `org`) are not sent and not given up, those that need a person included."""
        row = self._connection.execute(
            "SELECT count(*) FROM outbox WHERE receipt IS NULL AND state <> 'failed' AND (?1 IS NULL OR org = ?1)",
            (org,),
        ).fetchone()
        return int(row[0])

    def oldest_unsent(self) -> datetime | None:
        """Since when the oldest packet has waited that is not sent and not given up; None if there is
        none.
        """
        row = self._connection.execute(
            "SELECT min(created_at) FROM outbox WHERE receipt IS NULL AND state <> 'failed'"
        ).fetchone()
        return datetime.fromisoformat(row[0]) if row[0] else None

    def blobs(self) -> set[str]:
        """The blobs of all packets."""
        return {row[0] for row in self._connection.execute("SELECT sha256 FROM outbox")}

    def _many(self, clause: str, *values: object) -> tuple[OutboxPacket, ...]:
        rows = self._connection.execute(f"{_COLUMNS} {clause}", values)
        return tuple(to_value(row, OutboxPacket, _JSON) for row in rows)


class Outbox(OutboxReader):
    """The outbox inside a transaction, where it can be written."""

    def add(self, packet: NewPacket) -> None:
        """Queues a packet. ValueError without receivers; the database refuses a document without number or
        date.
        """
        if not packet.receivers:
            raise ValueError("a packet without receivers")
        for position, org in enumerate(packet.receivers):
            insert(
                self._connection,
                "outbox_receiver",
                {"packet_id": packet.packet_id, "position": position, "org": org},
            )
        insert(
            self._connection,
            "outbox",
            {
                "packet_id": packet.packet_id,
                "document_id": packet.document_id,
                "org": packet.org,
                "kind": packet.kind.value,
                "sha256": packet.sha256,
                "size": packet.size,
                "urgency": int(packet.urgency),
                "created_at": stamp(packet.created_at),
                "state": OutboxState.QUEUED.value,
                "not_before": stamp_or_none(packet.not_before),
            },
        )

    def mark_sending(self, packet_id: str) -> None:
        """Records, before the first byte leaves, that an attempt is made."""
        self._update(
            packet_id,
            "state = 'sending', attempts = attempts + 1"
            " WHERE packet_id = ? AND state IN ('queued', 'sending', 'retrying')",
        )

    def accepted(self, packet_id: str, receipt: str, journal_head: JournalHead | None, at: datetime) -> None:
        """Keeps the checked receipt, and the journal's head that it repeats as an anchor.

        The same packet accepted again changes nothing: the first receipt stands.
        """
        done = self._connection.execute(
            "UPDATE outbox SET state = 'accepted', receipt = ?, accepted_at = ?, not_before = NULL,"
            " error_code = NULL, error_params = NULL WHERE packet_id = ? AND receipt IS NULL",
            (receipt, stamp(at), packet_id),
        )
        if done.rowcount == 0:
            if self.get(packet_id) is None:
                raise ValueError("no such packet")
        elif journal_head is not None:
            anchor = JournalAnchor(count=journal_head.count, hash=journal_head.hash, packet_id=packet_id, at=at)
            Journal(self._connection).anchor(anchor)

    def retry(self, packet_id: str, error_code: str, not_before: datetime, params: Mapping[str, object] = {}) -> None:
        """The attempt failed, or nobody knows how it ended: the same packet again, not before then."""
        self._end_attempt(packet_id, OutboxState.RETRYING, error_code, params, not_before)

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
            "state = 'retrying', not_before = NULL WHERE packet_id = ? AND state = 'needs_person'",
        )

    def moved_on(self, packet_id: str, state: OutboxState) -> None:
        """The server's word on a packet that it accepted; an older word, or one on another packet, is
        ignored.
        """
        packet = self.get(packet_id)
        if packet is None or packet.receipt is None:
            return
        if _SERVER_RANK[state] > _SERVER_RANK[packet.state]:
            self._update(packet_id, "state = ? WHERE packet_id = ?", state.value)

    def forget_attempts(self) -> int:
        """After a crash: what was being sent has an unknown outcome, so the same packet goes again; how
        many.
        """
        return self._connection.execute(
            "UPDATE outbox SET state = 'retrying', error_code = 'outcome_unknown', error_params = NULL,"
            " not_before = NULL WHERE state = 'sending'"
        ).rowcount

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
            "state = ?, error_code = ?, error_params = ?, not_before = ?"
            " WHERE packet_id = ? AND state IN ('queued', 'sending', 'retrying')",
            state.value,
            error_code,
            params_json(params),
            stamp_or_none(not_before),
        )

    def _update(self, packet_id: str, assignments: str, *values: object) -> None:
        done = self._connection.execute(
            f"UPDATE outbox SET {assignments}",  # noqa: S608 - literals of this class; values are bound
            (*values, packet_id),
        )
        require_one(done, "no such packet in a state that allows this")
