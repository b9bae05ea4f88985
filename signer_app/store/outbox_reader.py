"""The outbox for reading: packets, their receivers, what is due, what waits, and since when.

On any connection, in any process. Nothing is decided here.
"""

import sqlite3
from datetime import datetime, timedelta

from signer_app.store.model import OutboxPacket, PacketReceiver
from signer_app.store.rows import to_value
from signer_app.store.times import stamp

_COLUMNS = (
    "SELECT outbox.*, CASE WHEN outbox.about <> '' THEN outbox.about WHEN document.number IS NULL THEN NULL"
    " ELSE document.number || '/' || document.notation END AS document,"
    " (SELECT json_group_array(org) FROM (SELECT org FROM outbox_receiver"
    "  WHERE outbox_receiver.packet_id = outbox.packet_id ORDER BY position)) AS receivers"
    " FROM outbox LEFT JOIN document ON document.id = outbox.document_id "
)
_FOLLOWS_UNSENT = (
    "(outbox.kind IN ('revoke', 'update', 'status') AND outbox.document_id IS NOT NULL AND EXISTS (SELECT 1"
    " FROM outbox AS carrier WHERE carrier.document_id = outbox.document_id AND carrier.kind IN ('new', 'replace')"
    " AND carrier.accepted_at IS NULL AND carrier.superseded_by IS NULL"
    " AND carrier.state NOT IN ('failed', 'withdrawn')))"
)
_JSON = ("error_params", "receivers")
_LONGEST_HOLD = timedelta(hours=1)
"""As the settings allow."""
_LONGEST_DELAY = timedelta(days=2)
"""Far beyond what the loop waits after a failure, or for a server that asks for time."""

OPEN = "settled_at IS NULL AND (code IN ('02', '16') OR (code IS NULL AND transport = 'fail'))"
"""SQL, of a receiver: it sent the packet's document back, declined to give it back, or could not be reached, and nobody
has acted on that. In these very words there is an index.
"""

UNHEARD = (
    "settled_at IS NULL AND (code IS NULL OR code = '01') AND transport IS NOT 'fail' AND ifnull(change, 1) = 1"
    " AND outbox_receiver.packet_id IN (SELECT flash.packet_id FROM outbox AS flash WHERE flash.urgency >= 3"
    " AND flash.accepted_at IS NOT NULL AND flash.kind IN ('new', 'replace', 'update'))"
)
"""SQL, of a receiver: a hỏa tốc was sent to it, nobody there has accepted it (that it arrived, 01, is a machine's
word), and nobody here has acted on that.
"""

ANSWERED = (
    f"outbox.packet_id IN (SELECT outbox_receiver.packet_id FROM outbox_receiver WHERE {OPEN})"  # noqa: S608 - our words
    " AND +outbox.accepted_at IS NOT NULL AND outbox.state <> 'failed' AND +outbox.superseded_by IS NULL"
    " AND outbox.missing_since IS NULL"
)
"""SQL: what the other side has, and of which a receiver is open. Few are: they are looked for by their ids, and by no
index that would walk through all that was ever sent.
"""

QUESTIONED = (
    "EXISTS (SELECT 1 FROM unsettled WHERE unsettled.packet_id = outbox.packet_id AND answer <> 'there'"
    " OR unsettled.org = outbox.org AND answer = 'open')"
)
"""SQL: what may not leave because this database came out of a backup. The packet itself may be there already, or there
is another of its body that is still to be asked for.
"""

SILENT = (
    "outbox.urgency >= 3 AND outbox.accepted_at > ? AND outbox.accepted_at <= ?"  # noqa: S608 - our words
    " AND outbox.state <> 'failed' AND outbox.superseded_by IS NULL AND outbox.missing_since IS NULL"
    " AND EXISTS (SELECT 1 FROM outbox_receiver WHERE outbox_receiver.packet_id = outbox.packet_id"
    f" AND {UNHEARD}) AND NOT ({ANSWERED})"
)
"""SQL: a hỏa tốc that the other side took between two moments, of which a receiver is `UNHEARD`; those that are
`ANSWERED` are told as such.
"""

UNSENT = "outbox.accepted_at IS NULL AND outbox.state NOT IN ('failed', 'withdrawn') AND outbox.superseded_by IS NULL"
"""SQL: what is not sent and not given up."""


class OutboxReader:
    """The outbox as one connection sees it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, packet_id: str) -> OutboxPacket | None:
        """The packet with this id."""
        row = self._connection.execute(f"{_COLUMNS} WHERE packet_id = ?", (packet_id,)).fetchone()
        return to_value(row, OutboxPacket, _JSON) if row else None

    def require(self, packet_id: str) -> OutboxPacket:
        """The packet with this id; ValueError if there is none."""
        packet = self.get(packet_id)
        if packet is None:
            raise ValueError("no such packet")
        return packet

    def of_document(self, document_id: str) -> tuple[OutboxPacket, ...]:
        """The packets that carry or follow a document, in the order in which they were made."""
        return self._many("WHERE document_id = ? ORDER BY outbox.created_at, packet_id", document_id)

    def of_incoming(self, incoming: str) -> tuple[OutboxPacket, ...]:
        """The status messages on what came, in the order in which they were made."""
        return self._many("WHERE incoming = ? ORDER BY outbox.created_at, packet_id", incoming)

    def carrying(self, document_id: str) -> OutboxPacket | None:
        """The packet that carries a document now: neither taken out of the queue nor superseded."""
        found = self._many(
            "WHERE document_id = ? AND kind IN ('new', 'replace') AND outbox.state <> 'withdrawn'"
            " AND superseded_by IS NULL",
            document_id,
        )
        return found[0] if found else None

    def receivers(self, packet_id: str) -> tuple[PacketReceiver, ...]:
        """The receivers of a packet in their order, and how far it is with each."""
        rows = self._connection.execute(
            "SELECT org, change, transport, code, code_at, code_by, code_reason, evidence, settled_at, settled_by"
            " FROM outbox_receiver WHERE packet_id = ? ORDER BY position",
            (packet_id,),
        )
        return tuple(to_value(row, PacketReceiver) for row in rows)

    def list(self, limit: int = 1000) -> tuple[OutboxPacket, ...]:
        """What is not proven to be sent first, then what receivers sent back and nobody has acted on, then the newest
        of the rest.
        """
        return self._many(
            f"ORDER BY CASE WHEN {UNSENT} THEN 0 WHEN {ANSWERED} THEN 1 ELSE 2 END,"
            f" CASE WHEN {UNSENT} THEN outbox.urgency END DESC,"
            f" CASE WHEN {UNSENT} THEN outbox.created_at END, outbox.created_at DESC, packet_id"
            " LIMIT ?",
            limit,
        )

    def due(self, org: str, now: datetime, *, at_once: bool = False) -> tuple[OutboxPacket, ...]:
        """What may be sent for `org` at `now`: urgent first, then by age. `at_once` looks at no delay, and at no hold
        but one that a person has set.

        A hold or a delay that is longer than any that is ever set was set by a clock that was wrong: it keeps nothing.

        A packet whose last attempt was cut is among them: the same one goes again. What is said about a document (its
        recall, a change of its receivers) waits until the document itself is sent or given up.
        """
        return self._many(
            "WHERE outbox.accepted_at IS NULL AND outbox.org = ?1 AND outbox.state IN ('queued', 'sending', 'retrying')"
            " AND (hold_until IS NULL OR hold_until <= ?2 OR (postponed = 0 AND (?3 OR hold_until > ?4)))"
            " AND (not_before IS NULL OR not_before <= ?2 OR ?3 OR not_before > ?5)"
            f" AND NOT {_FOLLOWS_UNSENT} AND NOT {QUESTIONED}"
            " ORDER BY outbox.urgency DESC, outbox.created_at, packet_id",
            org,
            stamp(now),
            at_once,
            stamp(now + _LONGEST_HOLD),
            stamp(now + _LONGEST_DELAY),
        )

    def next_time(self, org: str | None = None) -> datetime | None:
        """When the next packet that is held or delayed may leave; in the past where one may already; None where none
        waits for its time.
        """
        row = self._connection.execute(
            "SELECT min(max(ifnull(hold_until, created_at), ifnull(not_before, created_at)))"  # noqa: S608 - ours
            " FROM outbox"
            " WHERE accepted_at IS NULL AND state IN ('queued', 'sending', 'retrying') AND (?1 IS NULL OR org = ?1)"
            f" AND NOT {_FOLLOWS_UNSENT} AND NOT {QUESTIONED}",
            (org,),
        ).fetchone()
        return datetime.fromisoformat(row[0]) if row[0] else None

    def waiting(self, org: str | None = None) -> int:
        """How many packets (of `org`) are not sent and not given up, those that need a person included."""
        row = self._connection.execute(
            f"SELECT count(*) FROM outbox WHERE {UNSENT} AND (?1 IS NULL OR org = ?1)",  # noqa: S608 - ours
            (org,),
        ).fetchone()
        return int(row[0])

    def oldest_unsent(self) -> datetime | None:
        """Since when the oldest packet has waited that is not sent and not given up; None if there is
        none.
        """
        row = self._connection.execute(f"SELECT min(created_at) FROM outbox WHERE {UNSENT}").fetchone()  # noqa: S608
        return datetime.fromisoformat(row[0]) if row[0] else None

    def failed_there(self, packet_id: str) -> bool:
        """Whether the server itself knows this packet as failed, so that it will take another in its place."""
        row = self._connection.execute(
            "SELECT accepted_at IS NOT NULL AND state = 'failed' AND missing_since IS NULL FROM outbox"
            " WHERE packet_id = ?",
            (packet_id,),
        ).fetchone()
        return bool(row and row[0])

    def to_ask(self, org: str, limit: int) -> tuple[OutboxPacket, ...]:
        """Packets for which a server that began anew is still to be asked, the newest first."""
        return self._many(
            "WHERE outbox.to_ask = 1 AND outbox.org = ? ORDER BY outbox.created_at DESC, packet_id LIMIT ?", org, limit
        )

    def missing(self, org: str | None = None) -> int:
        """How many packets a server that began anew no longer has."""
        row = self._connection.execute(
            "SELECT count(*) FROM outbox WHERE missing_since IS NOT NULL AND superseded_by IS NULL"
            " AND (?1 IS NULL OR org = ?1)",
            (org,),
        ).fetchone()
        return int(row[0])

    def replacing(self, document_id: str) -> OutboxPacket | None:
        """The newest packet that brings another document in place of this one, unless it was taken out of the queue."""
        found = self._many(
            "WHERE replaces = ? AND outbox.state <> 'withdrawn' AND superseded_by IS NULL"
            " ORDER BY outbox.created_at DESC LIMIT 1",
            document_id,
        )
        return found[0] if found else None

    def blobs(self) -> set[str]:
        """The blobs of all packets."""
        return {row[0] for row in self._connection.execute("SELECT sha256 FROM outbox")}

    def _many(self, clause: str, *values: object) -> tuple[OutboxPacket, ...]:
        rows = self._connection.execute(f"{_COLUMNS} {clause}", values)
        return tuple(to_value(row, OutboxPacket, _JSON) for row in rows)
