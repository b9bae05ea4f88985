"""The feeds: what each organisation is told, in which order, and how far its machines have it.

Called from the server's worker threads; whoever calls a method with a leading note "in a transaction" holds one.
"""

import uuid
from collections.abc import Iterable
from typing import Final

import msgspec

from signer_server.accounts import Device
from signer_server.database import Database
from signer_sync.contract import MAX_JSON, FeedItem, FeedType, PacketKind, Transport

_PAGE_BYTES: Final = MAX_JSON // 2
"""Encoded entries in one page, so that no client has to read more than its limit."""


class Feeds:
    """Entries as rows; `seq` grows within one organisation and is never given twice."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.connection

    def page(self, device: Device, after: int, limit: int) -> tuple[tuple[FeedItem, ...], bool]:
        """The entries behind number `after`, at most `limit` and some hundred kB; whether there are more.

        What the chosen machine is shown counts as sent to its organisation.
        """
        with self._database.lock:
            rows = self._db.execute(
                "SELECT feed.seq, feed.type, feed.id AS entry, feed.subject AS words, packet.* FROM feed"
                " LEFT JOIN packet ON packet.id = feed.packet"
                " WHERE feed.org = ? AND feed.seq > ? ORDER BY feed.seq LIMIT ?",
                (device.org, after, limit + 1),
            ).fetchall()
        items = _that_fit(
            FeedItem(
                seq=row[0],
                type=row["type"],
                id=row["entry"],
                sha256=row["sha256"],
                size=row["size"] or 0,
                sender=row["org"],
                kind=row["kind"] or PacketKind.NEW.value,
                subject=row["subject"] if row["subject"] is not None else row["words"],
                priority=row["priority"] or 0,
            )
            for row in rows[:limit]
        )
        if device.chosen:
            self._shown(device.org, items)
        return items, len(rows) > len(items)

    def acknowledged(self, device: Device, seq: int) -> tuple[str, ...]:
        """In a transaction: `device` has all up to `seq` on disk; packets that its organisation has by that.

        An older number does nothing. Only the chosen machine counts for its organisation.
        """
        self._db.execute(
            "INSERT INTO device_ack (device, seq) VALUES (?1, ?2)"
            " ON CONFLICT (device) DO UPDATE SET seq = ?2 WHERE seq < ?2",
            (device.id, seq),
        )
        if not device.chosen:
            return ()
        rows = self._db.execute(
            "SELECT DISTINCT recipient.packet FROM recipient"
            " JOIN feed ON feed.org = recipient.org AND feed.packet = recipient.packet"
            " WHERE recipient.org = ? AND recipient.transport IN ('queued', 'sent')"
            " AND feed.type <> 'delivery' AND feed.seq <= ?",
            (device.org, seq),
        ).fetchall()
        return tuple(row["packet"] for row in rows)

    def last(self, org: str) -> int:
        """The number of the newest entry; the caller holds the lock."""
        row = self._db.execute("SELECT coalesce(max(seq), 0) FROM feed WHERE org = ?", (org,)).fetchone()
        return int(row[0])

    def announce(self, org: str, kind: FeedType, packet_id: str) -> None:
        """In a transaction: a packet came for `org`, or one of its own got further.

        Of the news about one packet's way only the latest stays, under a number of its own.
        """
        seq = self.last(org) + 1
        self._db.execute(
            "INSERT INTO feed (org, seq, type, id, packet) VALUES (?1, ?2, ?3, ?4, ?4)",
            (org, seq, kind.value, packet_id),
        )
        if kind is FeedType.DELIVERY:
            self._db.execute(
                "DELETE FROM feed WHERE org = ? AND packet = ? AND type = ? AND seq < ?",
                (org, packet_id, kind.value, seq),
            )

    def tell(self, orgs: Iterable[str], kind: FeedType, subject: str) -> None:
        """In a transaction: an entry without packet (`directory`, `notice`) for each of `orgs`."""
        for org in orgs:
            self._db.execute(
                "INSERT INTO feed (org, seq, type, id, subject) VALUES (?, ?, ?, ?, ?)",
                (org, self.last(org) + 1, kind.value, str(uuid.uuid4()), subject),
            )

    def readers(self) -> tuple[str, ...]:
        """In a transaction: the organisations that have a machine."""
        rows = self._db.execute("SELECT DISTINCT org FROM device WHERE revoked_at IS NULL ORDER BY org").fetchall()
        return tuple(row["org"] for row in rows)

    def _shown(self, org: str, items: Iterable[FeedItem]) -> None:
        shown = {item.id for item in items if item.sha256 is not None and item.type != FeedType.DELIVERY.value}
        with self._database.lock:
            rows = self._db.execute(
                "SELECT packet FROM recipient WHERE org = ? AND transport IN ('queued', 'sent')"
                " AND transport = 'queued'",
                (org,),
            ).fetchall()
        sent = shown & {row["packet"] for row in rows}
        if not sent:
            return
        now = self._database.now_text()
        with self._database.transaction():
            self._db.executemany(
                "UPDATE recipient SET transport = ?, at = ? WHERE packet = ? AND org = ? AND transport = ?",
                [(Transport.SENT.value, now, packet, org, Transport.QUEUED.value) for packet in sorted(sent)],
            )


def _that_fit(items: Iterable[FeedItem]) -> tuple[FeedItem, ...]:
    """The first ones, as many as go into one page, and at least one."""
    found: list[FeedItem] = []
    size = 0
    for item in items:
        size += len(msgspec.json.encode(item))
        if found and size > _PAGE_BYTES:
            break
        found.append(item)
    return tuple(found)
