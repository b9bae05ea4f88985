"""The directory of bodies as rows: codes, names, who is above whom, who came after whom, and how each can be reached.

Reads on any connection, writes only inside a transaction of the main process. Codes are opaque texts; nothing is
derived from their form. A code that the servers tell no more is kept for history.
"""

import datetime as dt
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from signer_app.pdf.names import body_key, fold
from signer_app.store.rows import to_value
from signer_app.store.times import stamp

_HOPS: Final = 16
"""So often a body may have been replaced; more is a circle."""
_MOST_VARIABLES: Final = 500
"""Codes looked up in one statement (SQLite's default limit of variables was 999)."""
_COLUMNS: Final = "code, name, parent, active, valid_from, replaced_by, channels, told"


class Organisation(msgspec.Struct, frozen=True, kw_only=True):
    """A body of the directory. `active`: it receives; `told` is False once its server tells it no more; `channels` are
    the server's words for the ways it receives by, empty where the server doesn't say.
    """

    code: str
    name: str
    parent: str | None = None
    active: bool = True
    valid_from: str | None = None
    replaced_by: str | None = None
    channels: tuple[str, ...] = ()
    told: bool = True


class SourceState(msgspec.Struct, frozen=True):
    """How far a source was read: `cursor` None before its first whole fill; `fetched_at` the day of the directory."""

    cursor: str | None = None
    fetched_at: dt.datetime | None = None
    fills: int = 0


class DirectoryReader:
    """The directory as one connection sees it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def version(self) -> int:
        """Another number whenever anything in it has changed."""
        return int(self._connection.execute("SELECT version FROM directory_version").fetchone()[0])

    def is_known(self) -> bool:
        """Whether any server has told one."""
        return self._connection.execute("SELECT 1 FROM directory_body LIMIT 1").fetchone() is not None

    def fetched_at(self) -> dt.datetime | None:
        """When a server told it last, whole or what had changed; None if never."""
        told = self._connection.execute("SELECT max(fetched_at) FROM directory_source").fetchone()[0]
        return dt.datetime.fromisoformat(told) if told else None

    def state(self, source: str) -> SourceState:
        """How far a source was read."""
        row = self._connection.execute(
            "SELECT cursor, fetched_at, fills FROM directory_source WHERE source = ?", (source,)
        ).fetchone()
        return to_value(row, SourceState) if row else SourceState()

    def get(self, code: str) -> Organisation | None:
        """The body with this code."""
        return self.many([code]).get(code)

    def many(self, codes: Iterable[str]) -> Mapping[str, Organisation]:
        """Code → body, for those of `codes` that the directory has."""
        wanted, found = list(dict.fromkeys(codes)), dict[str, Organisation]()
        for start in range(0, len(wanted), _MOST_VARIABLES):
            some = wanted[start : start + _MOST_VARIABLES]
            marks = ", ".join("?" for _ in some)
            rows = self._connection.execute(f"SELECT {_COLUMNS} FROM directory_body WHERE code IN ({marks})", some)  # noqa: S608 - marks only
            found.update((one.code, one) for one in map(_organisation, rows))
        return found

    def named(self, name: str) -> tuple[Organisation, ...]:
        """Bodies whose name is found under the same key: case, diacritics and short forms don't count. Receiving ones
        first; whether they are the same body is `same_body`'s to say.
        """
        key = body_key(name)
        if not key:
            return ()
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM directory_body WHERE name_key = ? ORDER BY active DESC, code",  # noqa: S608 - names are ours
            (key,),
        )
        return tuple(map(_organisation, rows))

    def search(self, text: str, limit: int = 50, *, active_only: bool = False) -> tuple[Organisation, ...]:
        """Bodies in whose name or code each word of `text` begins a word, without regard to diacritics; the receiving
        ones and short names first. Nothing for an empty text.
        """
        words = body_key(text).split()[:12]
        if not words:
            return ()
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM directory_body WHERE id IN"  # noqa: S608 - names are ours
            " (SELECT rowid FROM directory_word WHERE directory_word MATCH ?) AND active >= ?"
            " ORDER BY name_key <> ? AND code <> ? COLLATE NOCASE, active DESC, length(name_key), name_key, code"
            " LIMIT ?",
            (
                " ".join(f'"{word}"*' for word in words),
                int(active_only),
                " ".join(words),
                text.strip(),
                limit,
            ),
        )
        return tuple(map(_organisation, rows))

    def successor(self, code: str) -> Organisation | None:
        """The body that stands where `code` stood: itself if it wasn't replaced, else the last of those that came after
        it. None for an unknown code, for one whose successor nobody knows, and for a circle.
        """
        seen = {code}
        found = self.get(code)
        while found is not None and found.replaced_by is not None:
            if found.replaced_by in seen or len(seen) > _HOPS:
                return None
            seen.add(found.replaced_by)
            found = self.get(found.replaced_by)
        return found

    def below(self, code: str, *, active_only: bool = True) -> tuple[Organisation, ...]:
        """The bodies directly under this one, by name."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM directory_body WHERE parent = ? AND active >= ? ORDER BY name_key, code",  # noqa: S608 - names are ours
            (code, int(active_only)),
        )
        return tuple(map(_organisation, rows))

    def all(self) -> Iterator[Organisation]:
        """Every body, by code."""
        for row in self._connection.execute(f"SELECT {_COLUMNS} FROM directory_body ORDER BY code"):  # noqa: S608 - names are ours
            yield _organisation(row)

    def briefs(self) -> Iterator[tuple[str, str, bool]]:
        """Code, name and whether it receives, of every body by code; in a tenth of the time that `all` takes."""
        rows = self._connection.execute("SELECT code, name, active FROM directory_body ORDER BY code")
        return ((code, name, bool(active)) for code, name, active in rows)

    def told_now(self, source: str) -> int:
        """How many bodies this source tells and has receive."""
        row = self._connection.execute(
            "SELECT count(*) FROM directory_body WHERE source = ? AND active = 1", (source,)
        ).fetchone()
        return int(row[0])

    def names(self) -> dict[str, str]:
        """Code → name of every body."""
        return dict(self._connection.execute("SELECT code, name FROM directory_body"))


class Directory(DirectoryReader):
    """The directory inside a transaction, where it can be written."""

    def begin_fill(self, source: str) -> int:
        """A fill of the source from the start begins; the number to give to `put` and `end_fill`. One that was cut is
        forgotten by the next.
        """
        self._connection.execute(
            "INSERT INTO directory_source (source, fills) VALUES (?, 1)"
            " ON CONFLICT (source) DO UPDATE SET fills = fills + 1, cursor = NULL",
            (source,),
        )
        return self.state(source).fills

    def put(self, source: str, told_in: int, bodies: Sequence[Organisation]) -> None:
        """Keeps what the source tells of these bodies, in place of what was known of their codes."""
        self._connection.executemany(
            "INSERT INTO directory_body (code, name, name_key, words, parent, active, valid_from, replaced_by,"
            " channels, source, told_in) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (code) DO UPDATE SET name = excluded.name, name_key = excluded.name_key,"
            " words = excluded.words, parent = excluded.parent, active = excluded.active,"
            " valid_from = excluded.valid_from, replaced_by = excluded.replaced_by, channels = excluded.channels,"
            " source = excluded.source, told_in = excluded.told_in, told = 1",
            [_columns(source, told_in, body) for body in bodies],
        )
        self._changed()

    def end_fill(self, source: str, told_in: int) -> int:
        """All of the source was put: bodies that it did not tell receive no more. How many those are."""
        cursor = self._connection.execute(
            "UPDATE directory_body SET told = 0, active = 0 WHERE source = ? AND told_in <> ? AND told = 1",
            (source, told_in),
        )
        self._changed()
        return cursor.rowcount

    def read_to(self, source: str, cursor: str, at: datetime) -> None:
        """The source was read up to this cursor, at this time."""
        self._connection.execute(
            "INSERT INTO directory_source (source, cursor, fetched_at) VALUES (?, ?, ?)"
            " ON CONFLICT (source) DO UPDATE SET cursor = excluded.cursor, fetched_at = excluded.fetched_at",
            (source, cursor, stamp(at)),
        )

    def _changed(self) -> None:
        self._connection.execute("UPDATE directory_version SET version = version + 1")


def _organisation(row: sqlite3.Row) -> Organisation:
    return to_value(row, Organisation, json_columns=("channels",))


def _columns(source: str, told_in: int, body: Organisation) -> tuple[object, ...]:
    key = body_key(body.name)
    return (
        body.code,
        body.name,
        key,
        f"{key} {fold(body.code)}",
        body.parent if body.parent != body.code else None,
        int(body.active),
        body.valid_from,
        body.replaced_by if body.replaced_by != body.code else None,
        msgspec.json.encode(body.channels).decode(),
        source,
        told_in,
    )
