"""The journal of token use: hash-chained, only appended to, anchored by the server's signed receipts.

Reads anywhere, appends only inside a transaction of the writer. The hash of an entry is SHA-256 over the
hash before it and the entry's canonical JSON (sorted keys, no blanks, UTF-8), number and time included, so
that an entry changed, taken out or moved shows (usage log of the agency's device: Decree 30/2020, article
32; domain rule "chain by hash").
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable
from datetime import datetime

import msgspec

from signer_app.store.model import JournalAnchor, JournalCheck, TokenUse
from signer_app.store.rows import to_value
from signer_app.store.times import stamp
from signer_sync.contract import JournalHead

GENESIS = "0" * 64
"""What stands before the first entry."""


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
    return hashlib.sha256(message.encode()).hexdigest()


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
            "SELECT seq, at, entry FROM journal WHERE ?1 IS NULL OR seq < ?1 ORDER BY seq DESC LIMIT ?2",
            (before, limit),
        )
        return tuple(
            RecordedUse(
                row["seq"],
                datetime.fromisoformat(row["at"]),
                msgspec.json.decode(row["entry"], type=TokenUse),
            )
            for row in rows
        )

    def anchors(self) -> tuple[JournalAnchor, ...]:
        """All anchors, the oldest first."""
        rows = self._connection.execute(
            "SELECT count, hash, packet_id, at FROM journal_anchor ORDER BY count, at, packet_id"
        )
        return tuple(to_value(row, JournalAnchor) for row in rows)

    def verify(self, proven: Callable[[JournalAnchor], bool] = lambda anchor: True) -> JournalCheck:
        """Recomputes the chain and holds it against the anchors for which `proven` is true.

        `proven` may check the receipt's signature; an anchor it doesn't vouch for is left out.
        """
        anchors: dict[int, set[str]] = {}
        for anchor in self.anchors():
            if proven(anchor):
                anchors.setdefault(anchor.count, set()).add(anchor.hash)
        previous, entries, sound_to, broken_at = GENESIS, 0, 0, None
        for row in self._connection.execute("SELECT seq, at, entry, prev_hash, hash FROM journal ORDER BY seq"):
            entries += 1
            if broken_at is not None:
                continue
            computed = entry_hash(previous, entries, row["at"], row["entry"])
            if (row["seq"], row["prev_hash"], row["hash"]) != (entries, previous, computed):
                broken_at = entries
                continue
            previous = computed
            if entries in anchors:
                if anchors[entries] == {computed}:
                    sound_to = entries
                else:
                    # The chain fits in itself but not to what the server signed: rewritten since the last
                    # anchor.
                    broken_at = sound_to + 1
        if broken_at is None and anchors and max(anchors) > entries:
            broken_at = entries + 1
        last_sound = entries if broken_at is None else broken_at - 1
        return JournalCheck(
            entries=entries, sound_to=sound_to, newer=max(0, last_sound - sound_to), broken_at=broken_at
        )


class Journal(JournalReader):
    """The journal inside a transaction, where it can be added to."""

    def append(self, use: TokenUse, at: datetime) -> JournalHead:
        """Adds an entry; the new head. Durable with the transaction that it is part of."""
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
