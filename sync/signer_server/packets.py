"""Packets that the server keeps, their receipts, and the feeds that announce them.

Called from the server's worker threads. A packet's file is on disk before its row is committed, and the
row before anyone is answered; so a cut anywhere leaves either everything or an orphan file, which the
next start removes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from signer_server.accounts import Device
from signer_server.blobs import BlobFolder
from signer_server.database import Database
from signer_server.problems import RefusedError
from signer_sync.contract import (
    FeedItem,
    FeedType,
    JwsBody,
    PacketKind,
    PacketPhase,
    PacketState,
    ProblemCode,
    Receipt,
    RecipientState,
    Transport,
)
from signer_sync.edxml import PacketHeader
from signer_sync.jws import digest


@dataclass(frozen=True)
class KeptPacket:
    """A packet that the server has."""

    id: str
    org: str
    sha256: str
    size: int
    receipt: str


@dataclass(frozen=True)
class NewPacket:
    """A checked packet, about to be kept."""

    id: str
    device: Device
    sha256: str
    content: bytes
    header: PacketHeader
    journal_head: str | None


ReceiptSigner = Callable[[Receipt], JwsBody]
Checkpoint = Callable[[str], None]
"""Told the name of each durable step ("file", "rows", "commit"); tests cut the power there."""


class Packets:
    """Packets as rows and files; `collect` what an earlier run left unfinished before the first request."""

    def __init__(
        self, database: Database, folder: Path, server_id: str, checkpoint: Checkpoint = lambda _: None
    ) -> None:
        self._database = database
        self._db = database.connection
        self._blobs = BlobFolder(folder)
        self._server_id = server_id
        self._checkpoint = checkpoint

    def collect(self) -> None:
        """Removes files without a row."""
        with self._database.lock:
            known = {row["sha256"] for row in self._db.execute("SELECT DISTINCT sha256 FROM packet")}
        self._blobs.collect(known)

    def path(self, sha256: str) -> Path:
        """Where a packet's bytes lie."""
        return self._blobs.path(sha256)

    def packet(self, packet_id: str) -> KeptPacket | None:
        """The packet with this id."""
        with self._database.lock:
            return self._packet(packet_id)

    def may_read(self, packet_id: str, org: str) -> bool:
        """Whether `org` sent the packet or is one of its receivers."""
        with self._database.lock:
            row = self._db.execute(
                "SELECT 1 FROM packet WHERE id = ?1 AND org = ?2"
                " UNION ALL SELECT 1 FROM recipient WHERE packet = ?1 AND org = ?2",
                (packet_id, org),
            ).fetchone()
            return row is not None

    def keep(self, packet: NewPacket, sign: ReceiptSigner) -> tuple[KeptPacket, bool]:
        """Keeps a checked packet and makes its receipt; the earlier one if it is there already.

        The second value: whether it is new. RefusedError packet-conflict for the same id with other bytes
        or of another organisation, unknown-receiver.
        """
        with self._database.lock:
            known = same_packet(self._packet(packet.id), packet.device.org, packet.sha256)
            if known is not None:
                return known, False
            self._check_receivers(packet.header)
        self._blobs.write(packet.sha256, packet.content)
        self._checkpoint("file")
        with self._database.transaction():
            known = same_packet(self._packet(packet.id), packet.device.org, packet.sha256)
            if known is not None:
                return known, False
            self._insert(packet, sign)
            self._checkpoint("rows")
        self._checkpoint("commit")
        with self._database.lock:
            kept = self._packet(packet.id)
        assert kept is not None
        return kept, True

    def state(self, packet_id: str) -> PacketState | None:
        """How far a packet is."""
        with self._database.lock:
            row = self._db.execute("SELECT state, since FROM packet WHERE id = ?", (packet_id,)).fetchone()
            if row is None:
                return None
            recipients = self._db.execute(
                "SELECT org, transport, at FROM recipient WHERE packet = ? ORDER BY rowid", (packet_id,)
            ).fetchall()
        return PacketState(
            state=PacketPhase(row["state"]),
            since=row["since"],
            recipients=tuple(
                RecipientState(org=item["org"], transport=Transport(item["transport"]), at=item["at"])
                for item in recipients
            ),
        )

    def feed(self, org: str, after: int, limit: int) -> tuple[tuple[FeedItem, ...], bool]:
        """The entries of `org` behind number `after`, and whether there are more than `limit`."""
        with self._database.lock:
            rows = self._db.execute(
                "SELECT feed.seq, feed.type, packet.* FROM feed JOIN packet ON packet.id = feed.packet"
                " WHERE feed.org = ? AND feed.seq > ? ORDER BY feed.seq LIMIT ?",
                (org, after, limit + 1),
            ).fetchall()
        items = tuple(
            FeedItem(
                seq=row[0],
                type=FeedType(row["type"]),
                id=row["id"],
                sha256=row["sha256"],
                size=row["size"],
                sender=row["org"],
                kind=PacketKind(row["kind"]),
                subject=row["subject"],
                priority=row["priority"],
            )
            for row in rows[:limit]
        )
        return items, len(rows) > limit

    def acknowledge(self, org: str, seq: int) -> frozenset[str]:
        """`org` has all up to `seq` on disk; organisations that get a new entry of the feed by that."""
        with self._database.transaction():
            last = self._db.execute("SELECT coalesce(max(seq), 0) FROM feed WHERE org = ?", (org,)).fetchone()[0]
            if seq > last:
                raise RefusedError(ProblemCode.BAD_REQUEST, "cursor behind the end of the feed")
            row = self._db.execute("SELECT seq FROM feed_ack WHERE org = ?", (org,)).fetchone()
            before = row["seq"] if row is not None else 0
            if seq <= before:
                return frozenset()
            self._db.execute(
                "INSERT INTO feed_ack (org, seq) VALUES (?1, ?2) ON CONFLICT (org) DO UPDATE SET seq = ?2",
                (org, seq),
            )
            packets = self._db.execute(
                "SELECT DISTINCT packet FROM feed WHERE org = ? AND seq > ? AND seq <= ? AND type <> ?",
                (org, before, seq, FeedType.DELIVERY.value),
            ).fetchall()
            return frozenset(sender for row in packets if (sender := self._arrived(row["packet"], org)))

    def _arrived(self, packet_id: str, org: str) -> str | None:
        """One receiver has it; the sender's code if that was the last one."""
        now = self._database.now_text()
        self._db.execute(
            "UPDATE recipient SET transport = ?, at = ? WHERE packet = ? AND org = ?",
            (Transport.DONE.value, now, packet_id, org),
        )
        done = self._db.execute(
            "UPDATE packet SET state = ?1, since = ?2 WHERE id = ?3 AND state = ?4 AND NOT EXISTS"
            " (SELECT 1 FROM recipient WHERE packet = ?3 AND transport <> ?5)",
            (PacketPhase.DELIVERED.value, now, packet_id, PacketPhase.ACCEPTED.value, Transport.DONE.value),
        )
        if done.rowcount == 0:
            return None
        sender = self._db.execute("SELECT org FROM packet WHERE id = ?", (packet_id,)).fetchone()["org"]
        self._announce(sender, FeedType.DELIVERY, packet_id)
        return str(sender)

    def _announce(self, org: str, kind: FeedType, packet_id: str) -> None:
        self._db.execute(
            "INSERT INTO feed (org, seq, type, packet)"
            " SELECT ?1, coalesce(max(seq), 0) + 1, ?2, ?3 FROM feed WHERE org = ?1",
            (org, kind.value, packet_id),
        )

    def _insert(self, packet: NewPacket, sign: ReceiptSigner) -> None:
        header, now = packet.header, self._database.now_text()
        receivers = header.routed_to
        self._check_receivers(header)
        last = self._db.execute(
            "SELECT seq, receipt_hash FROM packet WHERE device = ? ORDER BY seq DESC LIMIT 1",
            (packet.device.id,),
        ).fetchone()
        receipt = Receipt(
            server_id=self._server_id,
            packet_id=packet.id,
            sha256=packet.sha256,
            size=len(packet.content),
            received_at=now,
            seq=last["seq"] + 1 if last is not None else 1,
            prev_receipt_hash=last["receipt_hash"] if last is not None else None,
            journal_head=packet.journal_head,
        )
        message = sign(receipt)
        self._db.execute(
            "INSERT INTO packet (id, org, device, sha256, size, kind, document_id, subject, priority,"
            " state, since, seq, receipt, receipt_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                packet.id,
                packet.device.org,
                packet.device.id,
                packet.sha256,
                len(packet.content),
                header.kind.value,
                header.document_id,
                header.subject[:4000],
                int(header.priority or 0),
                PacketPhase.ACCEPTED.value,
                now,
                receipt.seq,
                msgspec.json.encode(message).decode("ascii"),
                digest(message),
            ),
        )
        feed_type = FeedType.STATUS if header.kind is PacketKind.STATUS else FeedType.PACKET
        for code in receivers:
            self._db.execute(
                "INSERT INTO recipient (packet, org, transport, at) VALUES (?, ?, ?, ?)",
                (packet.id, code, Transport.QUEUED.value, now),
            )
            self._announce(code, feed_type, packet.id)

    def _packet(self, packet_id: str) -> KeptPacket | None:
        row = self._db.execute(
            "SELECT id, org, sha256, size, receipt FROM packet WHERE id = ?", (packet_id,)
        ).fetchone()
        return KeptPacket(*row) if row is not None else None

    def _check_receivers(self, header: PacketHeader) -> None:
        for code in header.routed_to:
            row = self._db.execute("SELECT active FROM organisation WHERE code = ?", (code,)).fetchone()
            if row is None or not row["active"]:
                raise RefusedError(ProblemCode.UNKNOWN_RECEIVER)


def same_packet(known: KeptPacket | None, org: str, sha256: str) -> KeptPacket | None:
    """`known` if it is the packet in question, None if there is none; else RefusedError packet-conflict."""
    if known is not None and (known.org, known.sha256) != (org, sha256):
        raise RefusedError(ProblemCode.PACKET_CONFLICT)
    return known
