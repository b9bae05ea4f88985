"""Connections to signer.sqlite: one writer in the main process, readers anywhere; migrations; what faults
are called.

WAL with synchronous=FULL, so that what was committed survives a power cut. Each migration is one
transaction, after a `VACUUM INTO` backup of an existing database. Knows no table: those belong to the
repositories.
"""

import re
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from signer_app.store.datafolder import DataFolder
from signer_app.store.durable import disk_errors, fsync_file, move_over
from signer_resources.errors import KnownError

_BUSY_TIMEOUT_MS = 5_000
_NAME = re.compile(r"(\d{4})_\w+\.sql\Z")
_NO_ROOM_BYTES = 256 << 10
"""With less than this free, an I/O error of SQLite is taken for a full disk (its shared memory file can't
grow).
"""


@dataclass(frozen=True)
class Migration:
    """One step of the schema; `number` counts from 1 and becomes PRAGMA user_version."""

    number: int
    sql: str


def load_migrations(folder: Path = Path(__file__).parent / "migrations") -> tuple[Migration, ...]:
    """The migrations NNNN_name.sql in `folder`, in order; ValueError if a number is missing or stands
    twice.
    """
    files = sorted(file for file in folder.iterdir() if _NAME.match(file.name))
    numbers = [int(file.name[:4]) for file in files]
    if numbers != list(range(1, len(files) + 1)):
        raise ValueError(f"migrations are not numbered 1, 2, 3, …: {numbers}")
    return tuple(
        Migration(number, file.read_text(encoding="utf-8")) for number, file in zip(numbers, files, strict=True)
    )


class DatabaseFullError(KnownError):
    """The disk had no room for the transaction, which was rolled back; code "disk_full"."""

    def __init__(self, folder: Path) -> None:
        super().__init__("disk_full", folder=str(folder))


@contextmanager
def database_errors(folder: DataFolder) -> Iterator[None]:
    """Turns SQLite's complaints about the world into KnownError; those about our own SQL go through."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        known = _known(error, folder)
        if known is None:
            raise
        raise known from error


def _known(error: sqlite3.DatabaseError, folder: DataFolder) -> KnownError | None:
    primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    place = str(folder.path)
    if primary == sqlite3.SQLITE_FULL:
        return DatabaseFullError(folder.path)
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return KnownError("database_damaged", file=str(folder.database))
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return KnownError("busy", folder=place)
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return KnownError("data_folder_unwritable", folder=place)
    if primary == sqlite3.SQLITE_IOERR:
        try:
            free = shutil.disk_usage(folder.path).free
        except OSError:
            free = _NO_ROOM_BYTES
        if free < _NO_ROOM_BYTES:
            return DatabaseFullError(folder.path)
        return KnownError("disk_fault", folder=place)
    return None


def connect_writer(folder: DataFolder, migrations: Sequence[Migration]) -> sqlite3.Connection:
    """The one writing connection, its schema brought up to date. Only for the owner of the data folder's
    lock.

    May be used from several threads, one at a time. Raises KnownError "database_newer", "database_damaged",
    "disk_full", "data_folder_unwritable".
    """
    with disk_errors(folder.path, "data_folder_unwritable"), database_errors(folder):
        # Made by us for its mode; SQLite gives its -wal and -shm the mode of the database.
        folder.database.touch(mode=0o600, exist_ok=True)
        connection = sqlite3.connect(
            folder.database, isolation_level=None, check_same_thread=False, timeout=_BUSY_TIMEOUT_MS / 1000
        )
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            # Nothing of a transaction reaches the disk before its COMMIT, and what is deleted is overwritten.
            connection.execute("PRAGMA cache_spill = OFF")
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA journal_size_limit = 16777216")
            _migrate(connection, folder, migrations)
            connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            connection.close()
            raise
    return connection


def connect_reader(folder: DataFolder, migrations: Sequence[Migration]) -> sqlite3.Connection:
    """A connection that can only read, also while a writer writes; where there is no database yet, one with
    no rows.

    Raises KnownError "database_newer", "database_older" (the program has not been opened since an update),
    "database_damaged".
    """
    with database_errors(folder):
        if folder.database.is_file():
            connection = sqlite3.connect(
                f"{folder.database.as_uri()}?mode=ro",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
                timeout=_BUSY_TIMEOUT_MS / 1000,
            )
            try:
                version = _version(connection)
                _refuse_newer(version, folder, migrations)
                if 0 < version < len(migrations):
                    raise KnownError("database_older", file=str(folder.database))
            except BaseException:
                connection.close()
                raise
            if version:
                connection.row_factory = sqlite3.Row
                return connection
            connection.close()
        empty = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        empty.row_factory = sqlite3.Row
        for migration in migrations:
            empty.executescript(migration.sql)
        empty.execute("PRAGMA query_only = ON")
        return empty


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _refuse_newer(version: int, folder: DataFolder, migrations: Sequence[Migration]) -> None:
    if version > len(migrations):
        raise KnownError("database_newer", file=str(folder.database))


def _migrate(connection: sqlite3.Connection, folder: DataFolder, migrations: Sequence[Migration]) -> None:
    version = _version(connection)
    _refuse_newer(version, folder, migrations)
    for migration in migrations[version:]:
        # What is made in this very call holds nothing yet.
        if version > 0:
            _back_up(connection, folder, migration.number)
        try:
            connection.executescript("BEGIN EXCLUSIVE;\n" + migration.sql)
            # Foreign keys are off while tables are rebuilt (https://sqlite.org/lang_altertable.html,
            # section 7).
            if broken := connection.execute("PRAGMA foreign_key_check").fetchall():
                raise ValueError(f"migration {migration.number} leaves {len(broken)} rows without their parents")
            connection.execute(f"PRAGMA user_version = {migration.number:d}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _back_up(connection: sqlite3.Connection, folder: DataFolder, number: int) -> None:
    """A whole copy of the database as it was before migration `number`: backups/before-NNNN.sqlite."""
    target = folder.backups / f"before-{number:04d}.sqlite"
    temporary = target.with_suffix(".part")
    temporary.unlink(missing_ok=True)
    temporary.touch(mode=0o600)
    connection.execute("VACUUM INTO ?", (str(temporary),))
    with closing(sqlite3.connect(f"{temporary.as_uri()}?mode=ro", uri=True)) as copy:
        if copy.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise KnownError("database_damaged", file=str(folder.database))
    fsync_file(temporary)
    move_over(temporary, target)
