"""The directory of organisations: taken over from whoever keeps it, handed out whole and by what changed.

Called from the server's worker threads. Nothing is ever removed: an organisation that is no longer listed becomes
inactive, so that old documents keep their sender's name.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from signer_server.database import Database
from signer_sync.contract import MAX_JSON, Org

_PAGE_BYTES: Final = MAX_JSON // 2
"""Encoded bodies in one page of the directory, so that no client has to read more than its limit."""


class Directory:
    """Organisations as rows; each change of a row gets a number of its own, which is what cursors count."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.connection

    def take_over(self, organisations: Sequence[Org]) -> int:
        """Makes `organisations` the active directory; how many rows that changed."""
        with self._database.transaction():
            known = {row["code"]: _org(row) for row in self._db.execute("SELECT * FROM organisation")}
            given = {org.code: org for org in organisations}
            gone = [
                msgspec.structs.replace(org, active=False)
                for code, org in known.items()
                if org.active and code not in given
            ]
            changed = [*gone, *(org for org in given.values() if known.get(org.code) != org)]
            self._write(changed)
            return len(changed)

    def changed_since(self, revision: int, limit: int) -> tuple[tuple[Org, ...], int, bool]:
        """What changed after `revision`, at most `limit` bodies and some hundred kB; where that ends; whether there is
        more.
        """
        with self._database.lock:
            rows = self._db.execute(
                "SELECT * FROM organisation WHERE revision > ? ORDER BY revision LIMIT ?", (revision, limit + 1)
            ).fetchall()
        found: list[Org] = []
        size = 0
        for row in rows[:limit]:
            org = _org(row)
            size += len(msgspec.json.encode(org))
            if found and size > _PAGE_BYTES:
                break
            found.append(org)
            revision = int(row["revision"])
        return tuple(found), revision, len(found) < len(rows)

    def revision(self) -> int:
        """The number of the latest change."""
        with self._database.lock:
            return self._revision()

    def _write(self, organisations: Iterable[Org]) -> None:
        self._db.executemany(
            "INSERT INTO organisation (code, name, parent, active, valid_from, replaced_by, channels, revision)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
            " ON CONFLICT (code) DO UPDATE SET name = ?2, parent = ?3, active = ?4, valid_from = ?5,"
            " replaced_by = ?6, channels = ?7, revision = ?8",
            (
                (
                    org.code,
                    org.name,
                    org.parent,
                    int(org.active),
                    org.valid_from,
                    org.replaced_by,
                    msgspec.json.encode(org.channels).decode(),
                    revision,
                )
                for revision, org in enumerate(organisations, self._revision() + 1)
            ),
        )

    def _revision(self) -> int:
        return int(self._db.execute("SELECT coalesce(max(revision), 0) FROM organisation").fetchone()[0])


def _org(row: sqlite3.Row) -> Org:
    return Org(
        code=row["code"],
        name=row["name"],
        parent=row["parent"],
        active=bool(row["active"]),
        valid_from=row["valid_from"],
        replaced_by=row["replaced_by"],
        channels=msgspec.json.decode(row["channels"], type=tuple[str, ...]),
    )
