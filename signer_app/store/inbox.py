"""Packets that came from the document server, and how far each feed was read, as rows.

Reads on any connection, writes only inside a transaction of the main process. Of a secret packet only its id
is kept: the check is made in memory before anything comes here.
"""

import datetime as dt
import sqlite3
from datetime import datetime

import msgspec

from signer_app.store.rows import insert, to_value
from signer_app.store.times import stamp
from signer_sync.contract import PacketKind
from signer_sync.ports import FeedPosition


class IncomingPacket(msgspec.Struct, frozen=True, kw_only=True):
    """A packet that came; of a secret one only org, id and time are known."""

    org: str
    packet_id: str
    received_at: dt.datetime
    secret: bool = False
    sha256: str | None = None
    size: int | None = None
    kind: PacketKind | None = None
    from_org: str | None = None
    subject: str | None = None
    priority: int | None = None


class InboxReader:
    """The inbox as one connection sees it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def list(self, limit: int = 1000) -> tuple[IncomingPacket, ...]:
        """The newest first."""
        rows = self._connection.execute(
            "SELECT * FROM inbox ORDER BY received_at DESC, packet_id DESC LIMIT ?", (limit,)
        )
        return tuple(to_value(row, IncomingPacket) for row in rows)

    def has(self, org: str, packet_id: str, sha256: str) -> bool:
        """Whether this packet is known: with these bytes, or as a secret one, whose bytes nobody kept."""
        row = self._connection.execute(
            "SELECT 1 FROM inbox WHERE org = ? AND packet_id = ? AND (sha256 = ? OR secret = 1)",
            (org, packet_id, sha256),
        ).fetchone()
        return row is not None

    def position(self, org: str) -> FeedPosition | None:
        """How far the org's feed was read; None if never."""
        row = self._connection.execute("SELECT epoch, cursor FROM feed_cursor WHERE org = ?", (org,)).fetchone()
        return FeedPosition(row["epoch"], row["cursor"]) if row else None

    def blobs(self) -> set[str]:
        """The blobs of all packets."""
        return {row[0] for row in self._connection.execute("SELECT sha256 FROM inbox WHERE sha256 IS NOT NULL")}


class Inbox(InboxReader):
    """The inbox inside a transaction, where it can be written."""

    def add(self, packet: IncomingPacket) -> bool:
        """Adds a packet that is not secret and whose blob is in the store; False if it is known already."""
        if packet.secret or packet.sha256 is None:
            raise ValueError("only a packet that was kept is added; a secret one by add_secret")
        if self.has(packet.org, packet.packet_id, packet.sha256):
            return False
        insert(
            self._connection,
            "inbox",
            {
                "org": packet.org,
                "packet_id": packet.packet_id,
                "sha256": packet.sha256,
                "size": packet.size,
                "kind": packet.kind.value if packet.kind else None,
                "from_org": packet.from_org,
                "subject": packet.subject,
                "priority": packet.priority,
                "received_at": stamp(packet.received_at),
                "secret": 0,
            },
        )
        return True

    def add_secret(self, org: str, packet_id: str, received_at: datetime) -> bool:
        """Records that a secret packet came, and nothing more of it; False if that is known already."""
        known = self._connection.execute(
            "SELECT 1 FROM inbox WHERE org = ? AND packet_id = ? AND secret = 1", (org, packet_id)
        ).fetchone()
        if known:
            return False
        insert(
            self._connection,
            "inbox",
            {"org": org, "packet_id": packet_id, "received_at": stamp(received_at), "secret": 1},
        )
        return True

    def set_position(self, org: str, position: FeedPosition) -> None:
        """Records how far the org's feed was read."""
        self._connection.execute(
            "INSERT INTO feed_cursor (org, epoch, cursor) VALUES (?, ?, ?)"
            " ON CONFLICT (org) DO UPDATE SET epoch = excluded.epoch, cursor = excluded.cursor",
            (org, position.epoch, position.cursor),
        )
