"""What the exchange has to say to a person until the person has seen it, the other side as it was last met, and whether
this machine answers there.

Reads on any connection, writes only inside a transaction of the main process. A notice is a code of the catalogue with
its parameters, or (`server_notice`) what the administrator of the server tells.
"""

import datetime as dt
import sqlite3
from collections.abc import Mapping
from enum import StrEnum

import msgspec

from signer_app.store.rows import params_json, to_value
from signer_app.store.times import stamp


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a person should know: `code` and `params` make its message; `at`: when it was said last."""

    id: int
    org: str
    code: str
    at: dt.datetime
    params: Mapping[str, object] = {}


class Voice(StrEnum):
    """Whether this machine answers for a body of itself: one of the body's machines does, the server says which.

    `catching_up`: ours does from now on, and what came before may have been answered by another one.
    """

    SILENT = "silent"
    CATCHING_UP = "catching_up"
    OURS = "ours"


class NoticeReader:
    """The notices as one connection sees them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def unseen(self) -> tuple[Notice, ...]:
        """What nobody has seen yet, the newest first."""
        rows = self._connection.execute(
            "SELECT id, org, code, params, at FROM exchange_notice WHERE seen_at IS NULL ORDER BY at DESC, id DESC"
        )
        return tuple(to_value(row, Notice, ("params",)) for row in rows)

    def epoch(self, org: str) -> str | None:
        """The other side's epoch when it was last met; None before that."""
        row = self._connection.execute("SELECT epoch FROM exchange_side WHERE org = ?", (org,)).fetchone()
        return str(row[0]) if row else None

    def voice(self, org: str) -> Voice | None:
        """Whether this machine answers for the body; None before the server was asked."""
        row = self._connection.execute("SELECT voice FROM exchange_voice WHERE org = ?", (org,)).fetchone()
        return Voice(row[0]) if row else None

    def is_login_refused(self, revision: str) -> bool:
        """Whether a login with these credentials was refused, and they have not been typed anew since."""
        row = self._connection.execute("SELECT 1 FROM refused_login WHERE revision = ?", (revision,)).fetchone()
        return row is not None


class Notices(NoticeReader):
    """The notices inside a transaction, where they can be written."""

    def tell(self, org: str, code: str, at: dt.datetime, params: Mapping[str, object] = {}) -> bool:
        """Says something; what is said already and not seen yet is only said anew. Whether it is news."""
        written = params_json(params)
        done = self._connection.execute(
            "UPDATE exchange_notice SET at = ? WHERE org = ? AND code = ? AND ifnull(params, '') = ifnull(?, '')"
            " AND seen_at IS NULL",
            (stamp(at), org, code, written),
        )
        if done.rowcount:
            return False
        self._connection.execute(
            "INSERT INTO exchange_notice (org, code, params, at) VALUES (?, ?, ?, ?)", (org, code, written, stamp(at))
        )
        return True

    def take_back(self, org: str, code: str) -> None:
        """It is no longer so; what was said stays written, and is shown no more."""
        self._connection.execute(
            "UPDATE exchange_notice SET seen_at = at WHERE org = ? AND code = ? AND seen_at IS NULL", (org, code)
        )

    def seen(self, notice_id: int, at: dt.datetime) -> None:
        """A person has seen it; a second time changes nothing."""
        self._connection.execute(
            "UPDATE exchange_notice SET seen_at = ? WHERE id = ? AND seen_at IS NULL", (stamp(at), notice_id)
        )

    def met(self, org: str, epoch: str) -> bool:
        """The other side was met in this epoch; whether it was met in another one before."""
        before = self.epoch(org)
        self._connection.execute(
            "INSERT INTO exchange_side (org, epoch) VALUES (?, ?)"
            " ON CONFLICT (org) DO UPDATE SET epoch = excluded.epoch",
            (org, epoch),
        )
        return before is not None and before != epoch

    def speaks(self, org: str, voice: Voice) -> None:
        """From now on that is so."""
        self._connection.execute(
            "INSERT INTO exchange_voice (org, voice) VALUES (?, ?)"
            " ON CONFLICT (org) DO UPDATE SET voice = excluded.voice",
            (org, voice.value),
        )

    def login_refused(self, revision: str, at: dt.datetime) -> None:
        """A login with these credentials was refused just now."""
        self._connection.execute(
            "INSERT INTO refused_login (revision, at) VALUES (?, ?) ON CONFLICT (revision) DO NOTHING",
            (revision, stamp(at)),
        )

    def login_taken(self, revision: str) -> None:
        """A login with these credentials succeeded."""
        self._connection.execute("DELETE FROM refused_login WHERE revision = ?", (revision,))
