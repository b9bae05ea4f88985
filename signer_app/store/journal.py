"""The journal of token use: hash-chained, only appended to, anchored by what others have signed of its head.

Reads anywhere, appends only inside a transaction of the writer. The hash of an entry is SHA-256 over the
hash before it and the entry's canonical JSON (sorted keys, no blanks, UTF-8), number and time included, so
that an entry changed, taken out or moved shows (usage log of the agency's device: Decree 30/2020, article
32; domain rule "chain by hash"). Which signed heads there are, and whether their signatures are good, is
handed in: nothing here trusts a row.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, Protocol, TypeVar

import msgspec

from signer_app.store.custody import Custody, CustodyReader, PinProof
from signer_app.store.model import JournalAction, TokenUse
from signer_app.store.soundness import JournalAnchor, JournalCheck, JournalFault
from signer_app.store.times import stamp
from signer_sync.contract import JournalHead

GENESIS = "0" * 64
"""What stands before the first entry."""


class SignedHead(Protocol):
    """A head of the journal that somebody has signed, or is said to have signed."""

    @property
    def count(self) -> int:
        """Number of entries."""

    @property
    def hash(self) -> str:
        """Of the last of them."""


A = TypeVar("A", bound=SignedHead)


@dataclass(frozen=True)
class Verified(Generic[A]):
    """What a check found. `anchor` proves the entries up to `check.sound_to`; `against` proves that they were rewritten
    or cut. Nobody vouches for `unproven` heads, which would fit and reach farther, nor for `contradicting` ones: either
    they were tampered with or the journal was.
    """

    check: JournalCheck
    anchor: A | None = None
    against: A | None = None
    unproven: int = 0
    contradicting: int = 0


@dataclass(frozen=True)
class _Chain:
    """The chain as far as it fits in itself: `hashes` are those of the wanted counts, `broken` where it stops."""

    entries: int
    reach: int
    hashes: Mapping[int, str]
    fault: JournalFault | None


class RecordedUse(msgspec.Struct, frozen=True):
    """An entry of the journal with its number (from 1) and time."""

    seq: int
    at: datetime
    use: TokenUse


def canonical(value: object) -> str:
    """JSON with one spelling per value: sorted keys, no blanks, Unicode as it is; ValueError for NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def entry_hash(previous: str, seq: int, at: str, entry: str) -> str:
    """The chained hash of one entry, in lower-case hex."""
    message = previous + canonical({"at": at, "entry": entry, "seq": seq})
    return hashlib.sha256(message.encode(errors="surrogateescape")).hexdigest()


def _text(raw: bytes) -> str:
    """A kept text; bytes that are none (a damaged disk, a foreign hand) stay what they are, and fit no hash."""
    return raw.decode(errors="surrogateescape")


def _moment(raw: bytes) -> datetime:
    """A kept time; the beginning of time for one that can't be read, so that what it stands beside is still seen."""
    try:
        moment = datetime.fromisoformat(_text(raw))
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return moment if moment.tzinfo is not None else datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class KeptReceipt:
    """A packet's receipt as it is kept: its text exactly as it came, and the packet that it must be for."""

    packet_id: str
    sha256: str
    text: str
    at: datetime


class JournalReader:
    """The journal as one connection sees it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def head(self) -> JournalHead:
        """Number of entries and hash of the last; (0, zeros) if there is none."""
        row = self._connection.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        return JournalHead(row["seq"], row["hash"]) if row else JournalHead(0, GENESIS)

    def entries(self, limit: int = 1000, before: int | None = None) -> tuple[RecordedUse, ...]:
        """The newest entries first, those with a number less than `before`."""
        rows = self._connection.execute(
            "SELECT seq, CAST(at AS BLOB) AS at, CAST(entry AS BLOB) AS entry FROM journal"
            " WHERE ?1 IS NULL OR seq < ?1 ORDER BY seq DESC LIMIT ?2",
            (before, limit),
        )
        return tuple(_recorded(row) for row in rows)

    def hash_at(self, count: int) -> str | None:
        """The hash that stands at the entry with this number, whether it is right or not; zeros before the first."""
        if count == 0:
            return GENESIS
        row = self._connection.execute("SELECT hash FROM journal WHERE seq = ?", (count,)).fetchone()
        return row["hash"] if row else None

    def anchors(self) -> tuple[JournalAnchor, ...]:
        """All heads that receipts are said to repeat, the oldest first; nothing here has checked a signature."""
        rows = self._connection.execute(
            "SELECT count, hash, packet_id, CAST(at AS BLOB) AS at FROM journal_anchor ORDER BY count, at, packet_id"
        )
        return tuple(
            JournalAnchor(count=row["count"], hash=row["hash"], packet_id=row["packet_id"], at=_moment(row["at"]))
            for row in rows
        )

    def receipts(self) -> Iterator[KeptReceipt]:
        """Every kept receipt, the oldest first; what they say of the journal is what the server has signed."""
        rows = self._connection.execute(
            "SELECT packet_id, sha256, receipt, CAST(accepted_at AS BLOB) AS accepted_at FROM outbox"
            " WHERE receipt IS NOT NULL ORDER BY accepted_at, packet_id"
        )
        return (
            KeptReceipt(row["packet_id"], row["sha256"], row["receipt"], _moment(row["accepted_at"])) for row in rows
        )

    def verify(self, heads: Iterable[A], proven: Callable[[A], bool]) -> Verified[A]:
        """Recomputes the chain and holds it against the signed `heads`.

        `proven` checks the signature of one head. It is asked for heads that contradict the chain, and for fitting ones
        from the newest down until one is good; a head that nobody vouches for proves nothing.
        """
        known = sorted((head for head in heads if head.count > 0), key=lambda head: head.count)
        chain = self._chain({head.count for head in known})
        contrary = [head for head in known if _contradicts(head, chain)]
        against = next((head for head in contrary if proven(head)), None)
        limit = chain.reach if against is None or against.count > chain.entries else against.count - 1
        anchor, unproven = _newest(known, chain, limit, proven)
        sound_to = anchor.count if anchor is not None else 0
        broken_at, fault = None, chain.fault
        if against is not None and against.count > chain.entries:
            broken_at, fault = chain.entries + 1, JournalFault.CUT
        elif against is not None:
            # The chain fits in itself but not to what was signed: rewritten since the last sound anchor.
            broken_at, fault = sound_to + 1, JournalFault.REWRITTEN
        elif fault is not None:
            broken_at = chain.reach + 1
        check = JournalCheck(
            entries=chain.entries,
            sound_to=sound_to,
            newer=(broken_at - 1 if broken_at is not None else chain.entries) - sound_to,
            broken_at=broken_at,
            fault=fault,
            broken_time=self._time_of(broken_at) if broken_at is not None else None,
        )
        return Verified(check, anchor, against, unproven, len(contrary) if against is None else 0)

    def _chain(self, wanted: set[int]) -> _Chain:
        previous, entries, reach = GENESIS, 0, 0
        hashes: dict[int, str] = {}
        fault: JournalFault | None = None
        for row in self._connection.execute(
            "SELECT seq, CAST(at AS BLOB) AS at, CAST(entry AS BLOB) AS entry, prev_hash, hash"
            " FROM journal ORDER BY seq"
        ):
            entries += 1
            if fault is not None:
                continue
            computed = entry_hash(previous, entries, _text(row["at"]), _text(row["entry"]))
            fault = _fault(row, entries, previous, computed)
            if fault is None:
                previous, reach = computed, entries
                if entries in wanted:
                    hashes[entries] = computed
        return _Chain(entries, reach, hashes, fault)

    def _time_of(self, seq: int) -> datetime | None:
        row = self._connection.execute("SELECT CAST(at AS BLOB) AS at FROM journal WHERE seq = ?", (seq,)).fetchone()
        try:
            return datetime.fromisoformat(_text(row["at"])) if row else None
        except ValueError:
            return None


def _contradicts(head: SignedHead, chain: _Chain) -> bool:
    """Whether the chain, where it fits in itself, is another one than the head's."""
    if head.count in chain.hashes:
        return chain.hashes[head.count] != head.hash
    return chain.fault is None and head.count > chain.entries


def _newest(known: Sequence[A], chain: _Chain, limit: int, proven: Callable[[A], bool]) -> tuple[A | None, int]:
    """The newest fitting head up to `limit` that is proven, and how many newer ones are not."""
    unproven = 0
    for head in reversed(known):
        if head.count <= limit and chain.hashes.get(head.count) == head.hash:
            if proven(head):
                return head, unproven
            unproven += 1
    return None, unproven


def _fault(row: sqlite3.Row, seq: int, previous: str, computed: str) -> JournalFault | None:
    """What of this row is not as it was written."""
    if row["seq"] != seq:
        return JournalFault.MISSING
    if row["prev_hash"] != previous:
        return JournalFault.LINK
    return None if row["hash"] == computed else JournalFault.CONTENT


def _recorded(row: sqlite3.Row) -> RecordedUse:
    """The entry; what can't be read any more is shown as such, so that the others can be."""
    try:
        at, use = datetime.fromisoformat(_text(row["at"])), msgspec.json.decode(row["entry"], type=TokenUse)
        if at.tzinfo is not None:
            return RecordedUse(row["seq"], at, use)
    except (ValueError, msgspec.MsgspecError):
        pass
    altered = TokenUse(
        action=JournalAction.UNREADABLE, operator="?", certificate_sha256=None, token_serial=None, result="?"
    )
    return RecordedUse(row["seq"], datetime.fromtimestamp(0, UTC), altered)


class Journal(JournalReader):
    """The journal inside a transaction, where it can be added to."""

    def append(self, use: TokenUse, at: datetime) -> JournalHead:
        """Adds an entry; the new head. Durable with the transaction that it is part of.

        Who holds the certificate is added here, so that every entry says it, whoever wrote it; and a changed PIN is
        noted in the hand-over book, which may wait for it, in the same transaction.
        """
        if use.action is JournalAction.CHANGE_PIN and use.result == "ok" and use.token_serial is not None:
            Custody(self._connection).pin_changed(use.token_serial, at, PinProof.HERE)
        if use.certificate_sha256 is not None:
            holder = CustodyReader(self._connection).holder(use.certificate_sha256, use.token_serial or "")
            use = msgspec.structs.replace(use, holder=holder)
        head = self.head()
        seq, moment, entry = head.count + 1, stamp(at), canonical(msgspec.to_builtins(use))
        new = JournalHead(seq, entry_hash(head.hash, seq, moment, entry))
        self._connection.execute(
            "INSERT INTO journal (seq, at, entry, prev_hash, hash) VALUES (?, ?, ?, ?, ?)",
            (seq, moment, entry, head.hash, new.hash),
        )
        return new

    def anchor(self, anchor: JournalAnchor) -> None:
        """Keeps a head that a signed receipt repeats; the same one again changes nothing."""
        self._connection.execute(
            "INSERT INTO journal_anchor (count, hash, packet_id, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (anchor.count, anchor.hash, anchor.packet_id, stamp(anchor.at)),
        )
