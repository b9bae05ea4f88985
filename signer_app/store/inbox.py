"""Packets that came by the channels, and how far each feed was read, as rows.

Reads on any connection, writes only inside a transaction of the main process. Of a secret packet only its id
is kept: the check is made in memory before anything comes here. What a packet brings is `incoming`'s affair.
"""

import datetime as dt
import sqlite3
from collections.abc import Mapping
from datetime import datetime

import msgspec

from signer_app.store.rows import insert, params_json, require_one, to_value
from signer_app.store.times import stamp, stamp_or_none
from signer_sync.contract import PacketKind
from signer_sync.ports import FeedPosition

SYNC = "sync"
"""The channel of the Sync API, the one that there was before there were others."""


class IncomingPacket(msgspec.Struct, frozen=True, kw_only=True):
    """A packet that came; of a secret one, and of one that could not be had, only org, channel, id and time are known.

    `filed_at`: when what it brings was written down; `incoming_id` names the document that it brought or speaks of.
    """

    org: str
    packet_id: str
    received_at: dt.datetime
    channel: str = SYNC
    secret: bool = False
    given_up: bool = False
    unscreened: bool = False
    """Some of its files could not be looked into for marks of secrecy."""
    sha256: str | None = None
    size: int | None = None
    kind: PacketKind | None = None
    from_org: str | None = None
    subject: str | None = None
    priority: int | None = None
    error_code: str | None = None
    error_params: Mapping[str, object] = {}
    filed_at: dt.datetime | None = None
    incoming_id: str | None = None
    told_at: dt.datetime | None = None
    told_by: str | None = None


class InboxReader:
    """The inbox as one connection sees it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def list(self, limit: int = 1000) -> tuple[IncomingPacket, ...]:
        """The newest first."""
        return self._many("ORDER BY received_at DESC, packet_id DESC LIMIT ?", limit)

    def get(self, org: str, channel: str, packet_id: str) -> IncomingPacket | None:
        """The packet with this id, the one that came last."""
        found = self._many(
            "WHERE org = ? AND channel = ? AND packet_id = ? ORDER BY received_at DESC, rowid DESC LIMIT 1",
            org,
            channel,
            packet_id,
        )
        return found[0] if found else None

    def has(self, org: str, packet_id: str, sha256: str | None, channel: str = SYNC) -> bool:
        """Whether this packet is known: with these bytes (with any, where none are told), or as a secret one, whose
        bytes nobody kept. One that was given up is not.
        """
        row = self._connection.execute(
            "SELECT 1 FROM inbox WHERE org = ? AND channel = ? AND packet_id = ?"
            " AND (secret = 1 OR (sha256 IS NOT NULL AND (?4 IS NULL OR sha256 = ?4)))",
            (org, channel, packet_id, sha256),
        ).fetchone()
        return row is not None

    def to_file(self, limit: int) -> tuple[IncomingPacket, ...]:
        """Packets whose document is not written down yet, hỏa tốc first, then the oldest."""
        return self._many(
            "WHERE sha256 IS NOT NULL AND filed_at IS NULL ORDER BY priority DESC, received_at, packet_id LIMIT ?",
            limit,
        )

    def without_document(self, limit: int) -> tuple[IncomingPacket, ...]:
        """Packets that no document of the list stands for: secret, given up, or not yet filed; the newest first."""
        return self._many(
            "WHERE incoming_id IS NULL AND filed_at IS NULL ORDER BY received_at DESC, packet_id DESC LIMIT ?", limit
        )

    def of_incoming(self, incoming_id: str) -> tuple[IncomingPacket, ...]:
        """The packets that brought a document or speak of it, the first one first."""
        return self._many("WHERE incoming_id = ? ORDER BY received_at, packet_id", incoming_id)

    def of_content(self, org: str, sha256: str) -> tuple[IncomingPacket, ...]:
        """The packets of the org with these bytes, whatever channels brought them, the first one first."""
        return self._many("WHERE org = ? AND sha256 = ? ORDER BY received_at, packet_id", org, sha256)

    def position(self, org: str, channel: str = SYNC) -> FeedPosition | None:
        """How far the org's feed was read; None if never."""
        row = self._connection.execute(
            "SELECT epoch, cursor FROM feed_cursor WHERE org = ? AND channel = ?", (org, channel)
        ).fetchone()
        return FeedPosition(row["epoch"], row["cursor"]) if row else None

    def blobs(self) -> set[str]:
        """The blobs of all packets."""
        return {row[0] for row in self._connection.execute("SELECT sha256 FROM inbox WHERE sha256 IS NOT NULL")}

    def _many(self, clause: str, *values: object) -> tuple[IncomingPacket, ...]:
        rows = self._connection.execute(
            f"SELECT * FROM inbox {clause}",  # noqa: S608 - clauses of this class; values are bound
            values,
        )
        return tuple(to_value(row, IncomingPacket, ("error_params",)) for row in rows)


class Inbox(InboxReader):
    """The inbox inside a transaction, where it can be written."""

    def add(self, packet: IncomingPacket) -> bool:
        """Adds a packet that is not secret and whose blob is in the store; False if it is known already."""
        if packet.secret or packet.given_up or packet.sha256 is None:
            raise ValueError("only a packet that was kept is added; others by add_secret and give_up")
        if self.has(packet.org, packet.packet_id, packet.sha256, packet.channel):
            return False
        self._forget_given_up(packet.org, packet.channel, packet.packet_id)
        insert(
            self._connection,
            "inbox",
            {
                "org": packet.org,
                "channel": packet.channel,
                "packet_id": packet.packet_id,
                "sha256": packet.sha256,
                "size": packet.size,
                "kind": packet.kind.value if packet.kind else None,
                "from_org": packet.from_org,
                "subject": packet.subject,
                "priority": packet.priority,
                "received_at": stamp(packet.received_at),
                "secret": 0,
                "unscreened": int(packet.unscreened),
                "filed_at": stamp_or_none(packet.filed_at),
            },
        )
        return True

    def add_secret(self, org: str, packet_id: str, received_at: datetime, channel: str = SYNC) -> bool:
        """Records that a secret packet came, and nothing more of it; False if that is known already."""
        known = self._connection.execute(
            "SELECT 1 FROM inbox WHERE org = ? AND channel = ? AND packet_id = ? AND secret = 1",
            (org, channel, packet_id),
        ).fetchone()
        if known:
            return False
        self._forget_given_up(org, channel, packet_id)
        insert(
            self._connection,
            "inbox",
            {
                "org": org,
                "channel": channel,
                "packet_id": packet_id,
                "received_at": stamp(received_at),
                "secret": 1,
            },
        )
        return True

    def give_up(
        self,
        org: str,
        packet_id: str,
        at: datetime,
        code: str,
        params: Mapping[str, object] = {},
        channel: str = SYNC,
    ) -> None:
        """Records that a packet could never be had, and why; one that is known by its bytes or as secret stays so."""
        if self.has(org, packet_id, None, channel):
            return
        self._forget_given_up(org, channel, packet_id)
        insert(
            self._connection,
            "inbox",
            {
                "org": org,
                "channel": channel,
                "packet_id": packet_id,
                "received_at": stamp(at),
                "secret": 0,
                "given_up": 1,
                "error_code": code,
                "error_params": params_json(params),
            },
        )

    def missed(self, org: str, packet_id: str, channel: str = SYNC) -> int:
        """One pass more in which a packet could not be had; how many so far. Forgotten once it is had."""
        row = self._connection.execute(
            "INSERT INTO inbox_missed (org, channel, packet_id, passes) VALUES (?, ?, ?, 1)"
            " ON CONFLICT (org, channel, packet_id) DO UPDATE SET passes = passes + 1 RETURNING passes",
            (org, channel, packet_id),
        ).fetchone()
        return int(row[0])

    def filed(
        self, packet: IncomingPacket, at: datetime, incoming_id: str | None = None, code: str | None = None
    ) -> None:
        """What the packet brings is written down; `incoming_id`: the document that it brought or speaks of, `code`: why
        it led to nothing.
        """
        done = self._connection.execute(
            "UPDATE inbox SET filed_at = ?, incoming_id = ?, error_code = ? WHERE org = ? AND channel = ?"
            " AND packet_id = ? AND sha256 = ? AND filed_at IS NULL",
            (stamp(at), incoming_id, code, packet.org, packet.channel, packet.packet_id, packet.sha256),
        )
        require_one(done, "no such packet that waits to be filed")

    def told(self, org: str, channel: str, packet_id: str, at: datetime, by: str) -> None:
        """Somebody told the person in charge of state secrets of a secret packet; the first time stands."""
        done = self._connection.execute(
            "UPDATE inbox SET told_at = ifnull(told_at, ?), told_by = ifnull(told_by, ?)"
            " WHERE org = ? AND channel = ? AND packet_id = ? AND secret = 1",
            (stamp(at), by, org, channel, packet_id),
        )
        require_one(done, "no such secret packet")

    def set_position(self, org: str, position: FeedPosition, channel: str = SYNC) -> None:
        """Records how far the org's feed was read."""
        self._connection.execute(
            "INSERT INTO feed_cursor (org, channel, epoch, cursor) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (org, channel) DO UPDATE SET epoch = excluded.epoch, cursor = excluded.cursor",
            (org, channel, position.epoch, position.cursor),
        )

    def _forget_given_up(self, org: str, channel: str, packet_id: str) -> None:
        self._connection.execute(
            "DELETE FROM inbox_missed WHERE org = ? AND channel = ? AND packet_id = ?", (org, channel, packet_id)
        )
        self._connection.execute(
            "DELETE FROM inbox WHERE org = ? AND channel = ? AND packet_id = ? AND given_up = 1",
            (org, channel, packet_id),
        )
