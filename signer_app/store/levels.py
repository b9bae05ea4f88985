"""Later versions of signed files, the files that wait for a higher level, and the uses of timestamp servers, as rows.

Reads on any connection, writes only inside a transaction of the main process. The file that was signed, and perhaps
sent, stays what it is; a version stands beside it. Knows no PDF and asks nobody.
"""

import datetime as dt
import sqlite3
from collections.abc import Collection, Mapping
from enum import StrEnum

import msgspec

from signer_app.store.model import StoredFile
from signer_app.store.rows import insert, params_json, require_one, to_value
from signer_app.store.times import stamp, stamp_or_none
from signer_resources.errors import KnownError

LEVELS = ("b-b", "b-t", "b-lt", "b-lta")
"""From low to high (ETSI EN 319 142-1, 6)."""

_BELOW = (
    "INSERT INTO awaited_level (file_id, level, reason, not_before)"
    " SELECT id, ?1, CASE level WHEN 'b-b' THEN 'timestamp' ELSE ?2 END, ?3 FROM file"
    " WHERE blob_out NOT IN (SELECT sha256 FROM released_blob)"
    " AND signed_at > ?4 AND ifnull((SELECT level FROM file_version"
    " WHERE file_version.file_id = file.id ORDER BY position DESC LIMIT 1), file.level)"
    " IN (SELECT value FROM json_each(?5)) AND NOT EXISTS (SELECT 1 FROM awaited_level WHERE file_id = file.id)"
)
_ENDS = (
    "INSERT INTO awaited_level (file_id, level, reason, not_before)"
    " SELECT file.id, 'b-lta', 'certificates_end', ?1 FROM file LEFT JOIN file_version AS version"
    " ON version.file_id = file.id"
    " AND version.position = (SELECT max(position) FROM file_version WHERE file_version.file_id = file.id)"
    " WHERE file.blob_out NOT IN (SELECT sha256 FROM released_blob) AND CASE WHEN version.file_id IS NULL"
    " THEN file.level <> 'b-lta' AND file.certificate_sha256 IN (SELECT value FROM json_each(?2))"
    " ELSE version.ends_at < ?3 AND (version.level <> 'b-lta' OR version.made_at < ?4) END"
    " ON CONFLICT (file_id) DO UPDATE SET level = 'b-lta', reason = 'certificates_end'"
    " WHERE awaited_level.given_up = 0 AND awaited_level.level <> 'b-lta'"
)


def below(level: str) -> tuple[str, ...]:
    """The levels that are lower than `level`."""
    return LEVELS[: LEVELS.index(level)]


class WhyHigher(StrEnum):
    """Why a file is to be raised."""

    TIMESTAMP = "timestamp"
    """It was signed without a timestamp, because none came in time."""
    SETTING = "setting"
    """The body keeps its documents at a higher level."""
    CERTIFICATES_END = "certificates_end"
    """The certificates on which it rests run out, so that later nobody could check it."""


class FileVersion(msgspec.Struct, frozen=True, kw_only=True):
    """What was made of a signed file: `position` counts from 1, the highest is the newest; `tsa` is the address of the
    server whose timestamp it got.
    """

    file_id: str
    position: int
    blob: str
    level: str
    made_at: dt.datetime
    tsa: str | None = None
    ends_at: dt.datetime | None = None


class AwaitedLevel(msgspec.Struct, frozen=True, kw_only=True):
    """A file that waits for `level`; `given_up`: it can't be raised, for the reason `error_code`."""

    file_id: str
    level: str
    reason: WhyHigher
    not_before: dt.datetime
    attempts: int = 0
    error_code: str | None = None
    error_params: Mapping[str, object] = {}
    given_up: bool = False

    @property
    def error(self) -> KnownError | None:
        """What the last attempt came to."""
        return KnownError(self.error_code, **self.error_params) if self.error_code is not None else None


class LevelCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many files wait, how many of them were tried in vain, were given up, and have got a later version."""

    waiting: int
    tried: int
    given_up: int
    raised: int


class LevelReader:
    """Versions and waiting files as one connection sees them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def versions(self, file_id: str) -> tuple[FileVersion, ...]:
        """The later versions of a file, the oldest first."""
        rows = self._connection.execute("SELECT * FROM file_version WHERE file_id = ? ORDER BY position", (file_id,))
        return tuple(to_value(row, FileVersion) for row in rows)

    def newest(self, file_id: str) -> FileVersion | None:
        """The newest later version of a file; None while there is none but the signed file."""
        row = self._connection.execute(
            "SELECT * FROM file_version WHERE file_id = ? ORDER BY position DESC LIMIT 1", (file_id,)
        ).fetchone()
        return to_value(row, FileVersion) if row else None

    def file_of(self, sha256: str) -> StoredFile | None:
        """The signed file of which these bytes are the file itself or a later version; the newest where several are."""
        row = self._connection.execute(
            "SELECT * FROM file WHERE blob_out = ?1 OR id IN (SELECT file_id FROM file_version WHERE blob = ?1)"
            " ORDER BY signed_at DESC, id DESC LIMIT 1",
            (sha256,),
        ).fetchone()
        return to_value(row, StoredFile) if row else None

    def awaited(self, file_id: str) -> AwaitedLevel | None:
        """What this file waits for."""
        row = self._connection.execute("SELECT * FROM awaited_level WHERE file_id = ?", (file_id,)).fetchone()
        return to_value(row, AwaitedLevel, json_columns=("error_params",)) if row else None

    def due(self, now: dt.datetime, limit: int) -> tuple[AwaitedLevel, ...]:
        """Files that may be tried now, those that wait for their first timestamp before all others."""
        rows = self._connection.execute(
            "SELECT * FROM awaited_level WHERE given_up = 0 AND not_before <= ?"
            " ORDER BY reason <> 'timestamp', not_before, file_id LIMIT ?",
            (stamp(now), limit),
        )
        return tuple(to_value(row, AwaitedLevel, json_columns=("error_params",)) for row in rows)

    def listed(self, limit: int) -> tuple[AwaitedLevel, ...]:
        """All that wait and all that were given up, the latter last."""
        rows = self._connection.execute(
            "SELECT * FROM awaited_level ORDER BY given_up, not_before, file_id LIMIT ?", (limit,)
        )
        return tuple(to_value(row, AwaitedLevel, json_columns=("error_params",)) for row in rows)

    def counts(self) -> LevelCounts:
        """How the files stand."""
        row = self._connection.execute(
            "SELECT ifnull(sum(given_up = 0), 0) AS waiting, ifnull(sum(given_up = 0 AND attempts > 0), 0) AS tried,"
            " ifnull(sum(given_up), 0) AS given_up,"
            " (SELECT count(DISTINCT file_id) FROM file_version) AS raised FROM awaited_level"
        ).fetchone()
        return LevelCounts(**dict(row))

    def certificates(self) -> tuple[tuple[str, str], ...]:
        """Each certificate with which files were signed here, and one of those files: their chain is the same."""
        rows = self._connection.execute(
            "SELECT certificate_sha256, max(id) FROM file WHERE blob_out IS NOT NULL"
            " AND certificate_sha256 IS NOT NULL GROUP BY certificate_sha256"
        )
        return tuple((row[0], row[1]) for row in rows)

    def uses(self, tsa: str, since: dt.datetime) -> int:
        """How many requests were made to this timestamp server after `since`."""
        row = self._connection.execute(
            "SELECT count(*) FROM timestamp_use WHERE tsa = ? AND at > ?", (tsa, stamp(since))
        ).fetchone()
        return int(row[0])

    def blobs(self) -> set[str]:
        """All blobs that versions are."""
        return {row[0] for row in self._connection.execute("SELECT blob FROM file_version")}


class Levels(LevelReader):
    """The same inside a transaction, where it can be changed."""

    def add(self, version: FileVersion) -> None:
        """Adds the next version of a file, whose blob is in the store; ValueError if it isn't the next one."""
        newest = self.newest(version.file_id)
        if version.position != (newest.position if newest else 0) + 1:
            raise ValueError("not the next version of the file")
        insert(
            self._connection,
            "file_version",
            {
                "file_id": version.file_id,
                "position": version.position,
                "blob": version.blob,
                "level": version.level,
                "made_at": stamp(version.made_at),
                "tsa": version.tsa,
                "ends_at": stamp_or_none(version.ends_at),
            },
        )

    def want(self, file_id: str, level: str, reason: WhyHigher, not_before: dt.datetime) -> None:
        """Has a file wait for a level; one that waits for a higher one already goes on to do so."""
        waits = self.awaited(file_id)
        if waits is not None and waits.level in LEVELS[LEVELS.index(level) :] and not waits.given_up:
            return
        self._connection.execute("DELETE FROM awaited_level WHERE file_id = ?", (file_id,))
        row = {"file_id": file_id, "level": level, "reason": reason.value, "not_before": stamp(not_before)}
        insert(self._connection, "awaited_level", row)

    def want_all_below(self, level: str, reason: WhyHigher, now: dt.datetime, since: dt.datetime) -> int:
        """Has every signed file wait that is below `level`, was signed after `since` and doesn't wait yet; how many."""
        values = level, reason.value, stamp(now), stamp(since), _json(below(level))
        return self._connection.execute(_BELOW, values).rowcount

    def want_before_end(
        self, certificates: Collection[str], now: dt.datetime, until: dt.datetime, made_before: dt.datetime
    ) -> int:
        """Has files wait for B-LTA that were signed with one of these certificates and have no later version, and those
        whose last version ends before `until`; one at B-LTA only if it was made before `made_before`. How many.
        """
        values = stamp(now), _json(tuple(certificates)), stamp(until), stamp(made_before)
        return self._connection.execute(_ENDS, values).rowcount

    def postpone(self, file_id: str, error: KnownError, not_before: dt.datetime) -> None:
        """Another attempt was in vain, for this reason; ValueError for a file that doesn't wait."""
        self._tried(file_id, error, not_before, given_up=False)

    def give_up(self, file_id: str, error: KnownError, now: dt.datetime) -> None:
        """The file can't be raised, for this reason; ValueError for a file that doesn't wait."""
        self._tried(file_id, error, now, given_up=True)

    def _tried(self, file_id: str, error: KnownError, not_before: dt.datetime, *, given_up: bool) -> None:
        done = self._connection.execute(
            "UPDATE awaited_level SET attempts = attempts + 1, error_code = ?, error_params = ?, not_before = ?,"
            " given_up = ? WHERE file_id = ?",
            (error.code, params_json(error.params), stamp(not_before), int(given_up), file_id),
        )
        require_one(done, "no file that waits")

    def settle(self, file_id: str) -> None:
        """The file waits no more."""
        self._connection.execute("DELETE FROM awaited_level WHERE file_id = ?", (file_id,))

    def ask_again(self, now: dt.datetime) -> None:
        """What was postponed is due: a person wants it now."""
        self._connection.execute("UPDATE awaited_level SET not_before = ?1 WHERE not_before > ?1", (stamp(now),))

    def use(self, tsa: str, at: dt.datetime, forget_before: dt.datetime) -> None:
        """Counts a request to a timestamp server, and forgets those of long ago."""
        self._connection.execute("DELETE FROM timestamp_use WHERE at < ?", (stamp(forget_before),))
        insert(self._connection, "timestamp_use", {"tsa": tsa, "at": stamp(at)})


def _json(texts: tuple[str, ...]) -> str:
    return msgspec.json.encode(texts).decode()
