"""Packets that the server keeps, and their receipts.

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
from signer_server.delivery import Delivery
from signer_server.feeds import Feeds
from signer_server.problems import RefusedError
from signer_server.registers import use_number
from signer_sync.contract import (
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
    """A checked packet, about to be kept: its bytes, or the finished upload that holds them."""

    id: str
    device: Device
    sha256: str
    size: int
    header: PacketHeader
    content: bytes | Path
    journal_head: str | None = None
    upload: str | None = None
    register_no: str | None = None
    supersedes: str | None = None


@dataclass(frozen=True)
class Keeping:
    """What became of a packet: its row, whether it is new, and whom that gives something to read."""

    packet: KeptPacket
    new: bool
    told: frozenset[str] = frozenset()


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
        self.feeds = Feeds(database)
        self.delivery = Delivery(database, self.feeds)

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

    def whole(self, packet: KeptPacket) -> bool:
        """Whether the packet's bytes are there; a state put back from a copy may lack them."""
        return self._blobs.path(packet.sha256).is_file()

    def mend(self, packet: KeptPacket, content: bytes) -> None:
        """Puts back bytes that are missing; they have been checked against the packet's hash."""
        self._blobs.write(packet.sha256, content)

    def may_read(self, packet_id: str, org: str) -> bool:
        """Whether `org` sent the packet or is one of its receivers."""
        with self._database.lock:
            row = self._db.execute(
                "SELECT 1 FROM packet WHERE id = ?1 AND org = ?2"
                " UNION ALL SELECT 1 FROM recipient WHERE packet = ?1 AND org = ?2",
                (packet_id, org),
            ).fetchone()
            return row is not None

    def used(self, org: str) -> int:
        """Bytes of packets that `org` has sent."""
        with self._database.lock:
            row = self._db.execute("SELECT coalesce(sum(size), 0) FROM packet WHERE org = ?", (org,)).fetchone()
            return int(row[0])

    def free(self) -> int:
        """Bytes left on the disk."""
        return self._blobs.free()

    def keep(self, packet: NewPacket, sign: ReceiptSigner) -> Keeping:
        """Keeps a checked packet and makes its receipt; the earlier one if it is there already.

        RefusedError packet-conflict for the same id with other bytes or of another organisation, unknown-receiver,
        metadata-mismatch if it doesn't supersede a failed packet of its organisation.
        """
        with self._database.lock:
            known = same_packet(self._packet(packet.id), packet.device.org, packet.sha256)
            if known is not None:
                return Keeping(known, new=False)
            self._check(packet)
        if isinstance(packet.content, Path):
            self._blobs.adopt(packet.sha256, packet.content)
        else:
            self._blobs.write(packet.sha256, packet.content)
        self._checkpoint("file")
        with self._database.transaction():
            known = same_packet(self._packet(packet.id), packet.device.org, packet.sha256)
            if known is not None:
                return Keeping(known, new=False)
            told = self._insert(packet, sign)
            self._checkpoint("rows")
        self._checkpoint("commit")
        with self._database.lock:
            kept = self._packet(packet.id)
        assert kept is not None
        return Keeping(kept, new=True, told=told)

    def state(self, packet_id: str) -> PacketState | None:
        """How far a packet is."""
        with self._database.lock:
            row = self._db.execute(
                "SELECT state, since, axis_doc_id, error FROM packet WHERE id = ?", (packet_id,)
            ).fetchone()
            if row is None:
                return None
            recipients = self._db.execute(
                "SELECT * FROM recipient WHERE packet = ? ORDER BY rowid", (packet_id,)
            ).fetchall()
        return PacketState(
            state=PacketPhase(row["state"]),
            since=row["since"],
            axis_doc_id=row["axis_doc_id"],
            error=row["error"],
            recipients=tuple(
                RecipientState(
                    org=item["org"],
                    transport=Transport(item["transport"]),
                    business_code=item["business_code"],
                    at=item["at"],
                    by=item["by_whom"],
                    evidence=item["evidence"],
                )
                for item in recipients
            ),
        )

    def acknowledge(self, device: Device, seq: int) -> set[str]:
        """`device` has all up to `seq` on disk; organisations that are told something by that."""
        with self._database.transaction():
            arrived = self.feeds.acknowledged(device, seq)
            return self.delivery.arrived(arrived, device.org)

    def _insert(self, packet: NewPacket, sign: ReceiptSigner) -> frozenset[str]:
        header, now = packet.header, self._database.now_text()
        self._check(packet)
        receipt = self._receipt(packet, now)
        message = sign(receipt)
        self._db.execute(
            "INSERT INTO packet (id, org, device, sha256, size, kind, document_id, subject, priority, state, since,"
            " register_no, supersedes, epoch, seq, receipt, receipt_hash)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                packet.id,
                packet.device.org,
                packet.device.id,
                packet.sha256,
                packet.size,
                header.kind.value,
                header.document_id,
                header.subject[:4000],
                int(header.priority or 0),
                PacketPhase.ACCEPTED.value,
                now,
                packet.register_no,
                packet.supersedes,
                self._database.epoch,
                receipt.seq,
                msgspec.json.encode(message).decode("ascii"),
                digest(message),
            ),
        )
        if packet.upload is not None:
            self._db.execute("UPDATE upload SET committed = 1 WHERE id = ?", (packet.upload,))
        feed_type = FeedType.STATUS if header.kind is PacketKind.STATUS else FeedType.PACKET
        for code in header.routed_to:
            self._db.execute(
                "INSERT INTO recipient (packet, org, transport, at) VALUES (?, ?, ?, ?)",
                (packet.id, code, Transport.QUEUED.value, now),
            )
            self.feeds.announce(code, feed_type, packet.id)
        use_number(self._database, packet.device.org, packet.id, header)
        told = set(header.routed_to)
        if header.kind is PacketKind.STATUS:
            told |= self.delivery.reported(packet.id, packet.device.org, header)
        return frozenset(told)

    def _receipt(self, packet: NewPacket, now: str) -> Receipt:
        """The next link of the device's chain; a new epoch begins a new one."""
        last = self._db.execute(
            "SELECT seq, receipt_hash FROM packet WHERE device = ? AND epoch = ? ORDER BY seq DESC LIMIT 1",
            (packet.device.id, self._database.epoch),
        ).fetchone()
        return Receipt(
            server_id=self._server_id,
            packet_id=packet.id,
            sha256=packet.sha256,
            size=packet.size,
            received_at=now,
            seq=last["seq"] + 1 if last is not None else 1,
            prev_receipt_hash=last["receipt_hash"] if last is not None else None,
            journal_head=packet.journal_head,
        )

    def _packet(self, packet_id: str) -> KeptPacket | None:
        row = self._db.execute(
            "SELECT id, org, sha256, size, receipt FROM packet WHERE id = ?", (packet_id,)
        ).fetchone()
        return KeptPacket(*row) if row is not None else None

    def _check(self, packet: NewPacket) -> None:
        for code in packet.header.routed_to:
            row = self._db.execute("SELECT active FROM organisation WHERE code = ?", (code,)).fetchone()
            if row is None or not row["active"]:
                raise RefusedError(ProblemCode.UNKNOWN_RECEIVER)
        if packet.supersedes is not None:
            row = self._db.execute(
                "SELECT 1 FROM packet WHERE id = ? AND org = ? AND state = ?",
                (packet.supersedes, packet.device.org, PacketPhase.FAILED.value),
            ).fetchone()
            if row is None:
                raise RefusedError(ProblemCode.METADATA_MISMATCH, "supersedes no failed packet")


def same_packet(known: KeptPacket | None, org: str, sha256: str) -> KeptPacket | None:
    """`known` if it is the packet in question, None if there is none; else RefusedError packet-conflict."""
    if known is not None and (known.org, known.sha256) != (org, sha256):
        raise RefusedError(ProblemCode.PACKET_CONFLICT)
    return known
