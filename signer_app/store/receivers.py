"""What the clerk has said of receivers, as rows: what a line of Nơi nhận means, groups, who gets what on paper.

Reads on any connection, writes only inside a transaction of the main process. Decides nothing: what a line means is
asked of a person once, and kept for its body.
"""

import datetime as dt
import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from signer_app.store.rows import require_one, to_value
from signer_app.store.times import stamp


class PaperReason(StrEnum):
    """Why a receiver gets a document on paper."""

    UNKNOWN = "unknown"
    """It is in no directory."""
    INACTIVE = "inactive"
    """It no longer receives, and no successor is known."""
    LOCKED = "locked"
    """The exchange has locked it."""
    NO_CHANNEL = "no_channel"
    """It has no way to receive electronic documents."""
    LAW = "law"
    """The law keeps paper for this document or this receiver."""
    CHOSEN = "chosen"
    """The clerk says so."""


class KnownLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a line of Nơi nhận means: the bodies with these codes, or nobody to send to, or on paper."""

    line: str
    codes: tuple[str, ...] = ()
    paper: bool = False


class ReceiverGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Receivers that are chosen together."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    codes: tuple[str, ...]


class PaperReceiver(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who gets a document on paper; `done_at` once a person said that it was sent so."""

    name: str
    reason: PaperReason
    code: str | None = None
    done_at: dt.datetime | None = None
    done_by: str | None = None


class ReceiverReader:
    """What is known of receivers, as one connection sees it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def lines(self, body_code: str, lines: Iterable[str]) -> Mapping[str, KnownLine]:
        """Key of a line (`line_key`) → what it means, for those that the body's clerk was asked about."""
        rows = self._connection.execute(
            "SELECT line, codes, paper FROM known_line WHERE body_code = ?"
            " AND line_key IN (SELECT value FROM json_each(?))",
            (body_code, _json({line_key(line) for line in lines})),
        )
        known = (to_value(row, KnownLine, json_columns=("codes",)) for row in rows)
        return {line_key(one.line): one for one in known}

    def groups(self, body_code: str) -> tuple[ReceiverGroup, ...]:
        """The body's groups, by name."""
        rows = self._connection.execute(
            "SELECT name, codes FROM receiver_group WHERE body_code = ? ORDER BY name_key", (body_code,)
        )
        return tuple(to_value(row, ReceiverGroup, json_columns=("codes",)) for row in rows)

    def paper(self, subject: str) -> tuple[PaperReceiver, ...]:
        """Who gets this document (or draft) on paper."""
        rows = self._connection.execute(
            "SELECT name, code, reason, done_at, done_by FROM paper_receiver WHERE subject = ? ORDER BY position",
            (subject,),
        )
        return tuple(to_value(row, PaperReceiver) for row in rows)

    def papers(self, subjects: Iterable[str]) -> Mapping[str, Sequence[PaperReceiver]]:
        """As `paper`, of several at once; those without any are left out."""
        rows = self._connection.execute(
            "SELECT subject, name, code, reason, done_at, done_by FROM paper_receiver"
            " WHERE subject IN (SELECT value FROM json_each(?)) ORDER BY subject, position",
            (_json(subjects),),
        )
        found: dict[str, list[PaperReceiver]] = {}
        for row in rows:
            found.setdefault(row["subject"], []).append(to_value(row, PaperReceiver))
        return found

    def paper_open(self, limit: int = 1000) -> tuple[str, ...]:
        """Signed documents of which a copy on paper is still to be sent, the oldest first."""
        rows = self._connection.execute(
            "SELECT paper_receiver.subject FROM paper_receiver JOIN document ON document.id = paper_receiver.subject"
            " WHERE done_at IS NULL GROUP BY paper_receiver.subject ORDER BY min(at) LIMIT ?",
            (limit,),
        )
        return tuple(row[0] for row in rows)


class Receivers(ReceiverReader):
    """The same inside a transaction, where it can be written."""

    def remember(self, body_code: str, known: KnownLine, at: datetime, operator: str) -> None:
        """Keeps what a line means in place of what was kept of it."""
        self._connection.execute(
            "INSERT OR REPLACE INTO known_line (body_code, line_key, line, codes, paper, at, operator)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                body_code,
                line_key(known.line),
                known.line,
                msgspec.json.encode(known.codes).decode(),
                int(known.paper),
                stamp(at),
                operator,
            ),
        )

    def forget(self, body_code: str, line: str) -> None:
        """The line is asked about again."""
        self._connection.execute(
            "DELETE FROM known_line WHERE body_code = ? AND line_key = ?", (body_code, line_key(line))
        )

    def put_group(self, body_code: str, group: ReceiverGroup, at: datetime) -> None:
        """Keeps a group in place of one of the same name."""
        self._connection.execute(
            "INSERT OR REPLACE INTO receiver_group (body_code, name_key, name, codes, at) VALUES (?, ?, ?, ?, ?)",
            (body_code, line_key(group.name), group.name, msgspec.json.encode(group.codes).decode(), stamp(at)),
        )

    def remove_group(self, body_code: str, name: str) -> None:
        """The group is no more; nothing happens if there is none."""
        self._connection.execute(
            "DELETE FROM receiver_group WHERE body_code = ? AND name_key = ?", (body_code, line_key(name))
        )

    def put_paper(self, subject: str, receivers: Sequence[PaperReceiver], at: datetime) -> None:
        """Keeps who gets a document on paper, in place of what was kept; what was said to be done stays so."""
        done = {(one.code, one.name): one for one in self.paper(subject) if one.done_at is not None}
        self._connection.execute("DELETE FROM paper_receiver WHERE subject = ?", (subject,))
        kept = [done.get((one.code, one.name), one) for one in receivers]
        kept += [one for one in done.values() if one not in kept]
        for position, one in enumerate(kept):
            self._connection.execute(
                "INSERT INTO paper_receiver (subject, position, name, code, reason, at, done_at, done_by)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    subject,
                    position,
                    one.name,
                    one.code,
                    one.reason.value,
                    stamp(at),
                    stamp(one.done_at) if one.done_at is not None else None,
                    one.done_by,
                ),
            )

    def move_paper(self, draft: str, document: str) -> None:
        """A draft was signed: what was kept of it is the document's now."""
        self._connection.execute("UPDATE paper_receiver SET subject = ? WHERE subject = ?", (document, draft))

    def paper_done(self, subject: str, position: int, at: datetime, operator: str) -> None:
        """The copy on paper was sent; ValueError if there is no such one waiting."""
        cursor = self._connection.execute(
            "UPDATE paper_receiver SET done_at = ?, done_by = ? WHERE subject = ? AND position = ? AND done_at IS NULL",
            (stamp(at), operator, subject, position),
        )
        require_one(cursor, "nobody waits for this copy")


def _json(texts: Iterable[str]) -> str:
    return msgspec.json.encode(list(texts)).decode()


def line_key(line: str) -> str:
    """A line in the one form by which it is found: its words in lower case. Diacritics count, since bodies of one
    province may differ in them alone (xã Đồng Tâm, xã Đông Tâm).
    """
    return " ".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFC", line).casefold()))
