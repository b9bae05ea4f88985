"""How far a packet is: by receiver from acknowledgements, status messages and the axis, and for the whole from those.

Called in a transaction from the server's worker threads. Nothing here ever goes back: `failed` is final, and a business
code gives way only to a later one.
"""

from collections.abc import Iterable
from typing import Final

from signer_server.database import Database
from signer_server.feeds import Feeds
from signer_sync.contract import FeedType, PacketKind, PacketPhase, Transport
from signer_sync.edxml import PacketHeader

_PHASES: Final = {
    PacketPhase.ACCEPTED: 0,
    PacketPhase.FORWARDED: 1,
    PacketPhase.PARTIALLY: 2,
    PacketPhase.DELIVERED: 3,
    PacketPhase.FAILED: 3,
}
_CODES: Final = {"01": 1, "03": 2, "04": 3, "05": 4, "06": 5, "02": 6, "16": 7, "15": 8}
"""Codes of status messages (QCVN 102, domain §6.4) in the order in which they may follow each other; 13 is the sender's
own and says nothing of a receiver.
"""
_ANSWERS: Final = frozenset({"15", "16"})
"""Answers to a recall or an update."""


class Delivery:
    """Moves recipients and packets on; each change is told to the sender by an entry in its feed."""

    def __init__(self, database: Database, feeds: Feeds) -> None:
        self._database = database
        self._db = database.connection
        self._feeds = feeds

    def arrived(self, packet_ids: Iterable[str], org: str) -> set[str]:
        """`org` has these packets; organisations that were told something by that."""
        told = set()
        for packet_id in packet_ids:
            changed = self._move(packet_id, org, Transport.DONE)
            told |= self._settle(packet_id, news=changed)
        return told

    def reported(self, evidence: str, reporter: str, header: PacketHeader) -> set[str]:
        """A status message of `reporter`, kept as packet `evidence`, says how far documents sent to it are."""
        code = header.status_code
        told: set[str] = set()
        if code not in _CODES:
            return told
        for response in header.response_for:
            packets = self._meant(response.organ_code, response.document_id, reporter, code)
            for packet_id in packets:
                if self._advance(packet_id, reporter, code, header.staff.name, evidence):
                    self._move(packet_id, reporter, Transport.DONE)
                    told |= self._settle(packet_id, news=True)
                    if code not in _ANSWERS:
                        break
        return told

    def forwarded(self, packet_id: str, axis_doc_id: str) -> set[str]:
        """The axis has taken the packet under this number."""
        self._db.execute(
            "UPDATE packet SET axis_doc_id = ? WHERE id = ? AND axis_doc_id IS NULL", (axis_doc_id, packet_id)
        )
        self._db.execute(
            "UPDATE recipient SET transport = ?, at = ? WHERE packet = ? AND transport = ?",
            (Transport.SENT.value, self._database.now_text(), packet_id, Transport.QUEUED.value),
        )
        return self._settle(packet_id)

    def failed(self, packet_id: str, org: str, error: str) -> set[str]:
        """The packet can't be brought to `org`, for good; `error` is the axis's own code."""
        if not self._move(packet_id, org, Transport.FAIL):
            return set()
        self._db.execute("UPDATE packet SET error = ? WHERE id = ?", (error, packet_id))
        return self._settle(packet_id, news=True)

    def _move(self, packet_id: str, org: str, transport: Transport) -> bool:
        done = self._db.execute(
            "UPDATE recipient SET transport = ?, at = ? WHERE packet = ? AND org = ? AND transport IN (?, ?)",
            (
                transport.value,
                self._database.now_text(),
                packet_id,
                org,
                Transport.QUEUED.value,
                Transport.SENT.value,
            ),
        )
        return done.rowcount > 0

    def _settle(self, packet_id: str, *, news: bool = False) -> set[str]:
        """Brings the packet's own state up to its receivers'; the sender if it was told something."""
        packet = self._db.execute("SELECT org, state, axis_doc_id FROM packet WHERE id = ?", (packet_id,)).fetchone()
        if packet is None:
            return set()
        rows = self._db.execute("SELECT transport FROM recipient WHERE packet = ?", (packet_id,)).fetchall()
        phase = _phase([Transport(row["transport"]) for row in rows], axis=packet["axis_doc_id"] is not None)
        if _PHASES[phase] > _PHASES[PacketPhase(packet["state"])]:
            self._db.execute(
                "UPDATE packet SET state = ?, since = ? WHERE id = ?",
                (phase.value, self._database.now_text(), packet_id),
            )
            news = True
        if not news:
            return set()
        self._feeds.announce(packet["org"], FeedType.DELIVERY, packet_id)
        return {packet["org"]}

    def _meant(self, sender: str, document_id: str, receiver: str, code: str) -> list[str]:
        """The packets of `sender` to `receiver` that a code may speak of, likeliest first.

        Answers are for recalls, updates and replacements (and a recall that was agreed to for the document itself); all
        else is for the document as it was sent last, then for what came after it. But for the likeliest one, what the
        receiver hasn't been shown can't be meant: its software may have repeated itself.
        """
        if not document_id:
            return []
        rows = self._db.execute(
            "SELECT packet.id, packet.kind, recipient.transport FROM packet"
            " JOIN recipient ON recipient.packet = packet.id"
            " WHERE packet.org = ? AND packet.document_id = ? AND recipient.org = ? AND packet.kind <> ?"
            " ORDER BY packet.rowid DESC",
            (sender, document_id, receiver, PacketKind.STATUS.value),
        ).fetchall()
        later = [row["id"] for row in rows if row["kind"] != PacketKind.NEW.value]
        if code == "16":
            return later[:1]
        if code == "15":
            recalled = bool(rows) and rows[0]["kind"] == PacketKind.REVOKE.value
            return [row["id"] for row in rows] if recalled else later[:1]
        rows.sort(key=lambda row: row["kind"] == PacketKind.REVOKE.value)  # stable: newest first within each
        return [row["id"] for place, row in enumerate(rows) if place == 0 or row["transport"] != Transport.QUEUED.value]

    def _advance(self, packet_id: str, org: str, code: str, by_whom: str, evidence: str) -> bool:
        row = self._db.execute(
            "SELECT business_code FROM recipient WHERE packet = ? AND org = ?", (packet_id, org)
        ).fetchone()
        if _CODES[code] <= _CODES.get(row["business_code"] or "", 0):
            return False
        self._db.execute(
            "UPDATE recipient SET business_code = ?, by_whom = ?, evidence = ?, at = ? WHERE packet = ? AND org = ?",
            (code, by_whom[:300] or None, evidence, self._database.now_text(), packet_id, org),
        )
        return True


def _phase(recipients: list[Transport], *, axis: bool) -> PacketPhase:
    done = sum(item is Transport.DONE for item in recipients)
    failed = sum(item is Transport.FAIL for item in recipients)
    if done == len(recipients):
        return PacketPhase.DELIVERED
    if failed == len(recipients):
        return PacketPhase.FAILED
    if done:
        return PacketPhase.PARTIALLY
    return PacketPhase.FORWARDED if axis else PacketPhase.ACCEPTED
