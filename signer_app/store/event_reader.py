"""What happened, as a province's monitoring wants it: uses of tokens, refusals, packets that left or came.

Reads on any connection, never writes, row by row. Of a document no more than its id, number and hash; no file's name.
"""

import heapq
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from signer_app.store.times import stamp

Event = Mapping[str, object]
"""As the schema `events` has it."""

_JOURNAL = {
    "sign": "signed",
    "login": "pin",
    "change_pin": "pin_changed",
    "hand_over": "hand_over",
    "enrol": "enrolled",
    "clock": "clock_confirmed",
    "trust_add": "trust_added",
    "trust_remove": "trust_removed",
    "evidence_destroyed": "evidence_destroyed",
    "number_given_up": "number_given_up",
    "restored": "restored",
}
"""Action of the journal → kind of event."""


class EventReader:
    """Events as one connection sees them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def since(self, moment: datetime | None) -> Iterator[Event]:
        """All events from `moment` on (None: from the beginning), the oldest first."""
        begin = stamp(moment if moment is not None else datetime.fromtimestamp(0, UTC))
        parts = (
            self._journal(begin),
            self._refused(begin),
            self._sent(begin),
            self._given_up(begin),
            self._came(begin),
        )
        return heapq.merge(*parts, key=lambda event: str(event["at"]))

    def _journal(self, begin: str) -> Iterator[Event]:
        rows = self._connection.execute("SELECT seq, at, entry FROM journal WHERE at >= ? ORDER BY at, seq", (begin,))
        for row in rows:
            try:
                entry = msgspec.json.decode(row["entry"], type=dict[str, object])
            except (msgspec.MsgspecError, UnicodeError):
                yield _event(f"journal:{row['seq']}", row["at"], "unreadable", "journal_entry")
                continue
            yield _event(
                f"journal:{row['seq']}",
                row["at"],
                _JOURNAL.get(str(entry.get("action")), "other"),
                str(entry.get("result", "")),
                operator=entry.get("operator"),
                holder=entry.get("holder"),
                certificate=entry.get("certificate_sha256"),
                token=entry.get("token_serial"),
                document=entry.get("document_id"),
                number=entry.get("number"),
                sha256=entry.get("sha256"),
            )

    def _refused(self, begin: str) -> Iterator[Event]:
        rows = self._connection.execute(
            "SELECT batch.created_at AS at, batch_file.batch_id, batch_file.position, batch_file.state,"
            " batch_file.code, batch_file.input_sha256 FROM batch JOIN batch_file ON batch_file.batch_id = batch.id"
            " WHERE batch.begun_at IS NOT NULL AND batch.created_at >= ? AND batch_file.state IN ('refused', 'failed')"
            " ORDER BY batch.created_at, batch_file.position",
            (begin,),
        )
        for row in rows:
            yield _event(
                f"batch:{row['batch_id']}:{row['position']}",
                row["at"],
                row["state"],
                row["code"] or "",
                sha256=row["input_sha256"],
            )

    def _sent(self, begin: str) -> Iterator[Event]:
        rows = self._connection.execute(
            "SELECT accepted_at AS at, packet_id, org, kind, sha256, document_id, operator, proof_by FROM outbox"
            " WHERE accepted_at >= ? ORDER BY accepted_at, packet_id",
            (begin,),
        )
        for row in rows:
            yield _event(
                f"sent:{row['packet_id']}",
                row["at"],
                "sent",
                "ok",
                operator=row["operator"] or None,
                document=row["document_id"],
                sha256=row["sha256"],
                packet=row["packet_id"],
                org=row["org"],
                packet_kind=row["kind"],
            )

    def _given_up(self, begin: str) -> Iterator[Event]:
        rows = self._connection.execute(
            "SELECT created_at AS at, packet_id, org, kind, sha256, document_id, error_code, state FROM outbox"
            " WHERE created_at >= ? AND accepted_at IS NULL AND state IN ('failed', 'needs_person')"
            " ORDER BY created_at, packet_id",
            (begin,),
        )
        for row in rows:
            yield _event(
                f"unsent:{row['packet_id']}",
                row["at"],
                "not_sent",
                row["error_code"] or row["state"],
                document=row["document_id"],
                sha256=row["sha256"],
                packet=row["packet_id"],
                org=row["org"],
                packet_kind=row["kind"],
            )

    def _came(self, begin: str) -> Iterator[Event]:
        rows = self._connection.execute(
            "SELECT received_at AS at, packet_id, org, kind, sha256, from_org, secret FROM inbox"
            " WHERE received_at >= ? ORDER BY received_at, packet_id",
            (begin,),
        )
        for row in rows:
            yield _event(
                f"received:{row['org']}:{row['packet_id']}:{(row['sha256'] or '')[:12]}",
                row["at"],
                "received",
                "secret" if row["secret"] else "ok",
                sha256=row["sha256"],
                packet=row["packet_id"],
                org=row["org"],
                packet_kind=row["kind"],
                sender=row["from_org"],
            )


def _event(event_id: str, at: str, kind: str, result: str, **facts: object) -> Event:
    """What is None isn't said."""
    said = {name: value for name, value in facts.items() if value is not None}
    return {"format": 1, "id": event_id, "at": at, "event": kind, "result": result, **said}
