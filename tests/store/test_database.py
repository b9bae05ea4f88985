"""The database: migrated one step at a time after a backup, read beside its writer, and honest about
damage.
"""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from signer_app.signing.resume import unfinished
from signer_app.store.database import Migration, load_migrations
from signer_app.store.datafolder import DataFolder
from signer_app.store.model import Urgency
from signer_app.store.store import Store, StoreReader
from signer_resources.errors import KnownError
from tests.store.letters import Letters, not_secret

FIRST = load_migrations()
ADD_NOTE = Migration(len(FIRST) + 1, "ALTER TABLE document ADD COLUMN note TEXT;")
BROKEN = Migration(len(FIRST) + 1, "ALTER TABLE document ADD COLUMN note TEXT; INSERT INTO no_such_table VALUES (1);")
ORPHANING = Migration(len(FIRST) + 1, "DELETE FROM document;")


def version(database: Path) -> int:
    connection = sqlite3.connect(database)
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()


def columns(database: Path) -> set[str]:
    connection = sqlite3.connect(database)
    try:
        return {row[1] for row in connection.execute("PRAGMA table_info(document)")}
    finally:
        connection.close()


def sign_one(folder: DataFolder, letters: Letters, store: Store) -> None:
    store.commit_signed(letters.signing(), not_secret)
    store.close()


def open_with(folder: DataFolder, migrations: Sequence[Migration]) -> None:
    Store.open(folder, migrations=migrations).close()


def test_the_writer_is_durable_and_guards_its_references(store: Store) -> None:
    connection = store._connection
    settings = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
    }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


def test_an_existing_database_is_backed_up_whole_before_it_is_migrated(
    folder: DataFolder, letters: Letters, store: Store
) -> None:
    sign_one(folder, letters, store)
    assert not list(folder.backups.iterdir())
    open_with(folder, [*FIRST, ADD_NOTE])
    assert version(folder.database) == len(FIRST) + 1
    assert "note" in columns(folder.database)
    backup = folder.backups / f"before-{len(FIRST) + 1:04d}.sqlite"
    assert list(folder.backups.iterdir()) == [backup]
    assert version(backup) == len(FIRST)
    connection = sqlite3.connect(backup)
    assert connection.execute("SELECT count(*) FROM document").fetchone() == (1,)
    connection.close()


@pytest.mark.parametrize("bad", [BROKEN, ORPHANING])
def test_a_migration_that_fails_leaves_the_database_as_it_was(
    folder: DataFolder, letters: Letters, store: Store, bad: Migration
) -> None:
    sign_one(folder, letters, store)
    with pytest.raises((sqlite3.OperationalError, ValueError)):
        open_with(folder, [*FIRST, bad])
    assert version(folder.database) == len(FIRST)
    assert "note" not in columns(folder.database)
    with Store.read_only(folder) as reader, reader.view() as view:
        assert len(view.documents.list()) == 1


def test_a_database_of_a_newer_program_is_left_alone_by_writer_and_reader(folder: DataFolder, store: Store) -> None:
    store.close()
    open_with(folder, [*FIRST, ADD_NOTE])
    attempts: tuple[Callable[[], StoreReader], ...] = (
        lambda: Store.open(folder),
        lambda: Store.read_only(folder),
    )
    for attempt in attempts:
        with pytest.raises(KnownError) as caught:
            attempt()
        assert (caught.value.code, caught.value.exit) == ("database_newer", 1)


def test_a_reader_of_a_database_not_yet_migrated_says_to_open_the_program_once(
    folder: DataFolder, store: Store
) -> None:
    store.close()
    with pytest.raises(KnownError) as caught:
        Store.read_only(folder, [*FIRST, ADD_NOTE])
    assert caught.value.code == "database_older"


def test_where_nothing_was_ever_signed_a_reader_sees_nothing_and_makes_nothing(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "none yet")
    with Store.read_only(folder) as reader, reader.view() as view:
        assert view.documents.list() == ()
        assert view.outbox.list() == ()
        assert view.outbox.oldest_unsent() is None
        assert view.journal.verify((), bool).check.entries == 0
    assert not folder.path.exists()


def test_a_reader_sees_one_moment_while_the_writer_goes_on(folder: DataFolder, letters: Letters, store: Store) -> None:
    store.commit_signed(letters.signing("1"), not_secret)
    with Store.read_only(folder) as reader:
        with reader.view() as view:
            assert len(view.documents.list()) == 1
            store.commit_signed(letters.signing("2"), not_secret)
            assert len(view.documents.list()) == 1
            assert view.journal.head().count == 1
        with reader.view() as view:
            assert len(view.documents.list()) == 2


def test_a_reader_cannot_write(folder: DataFolder, store: Store) -> None:
    with Store.read_only(folder) as reader, pytest.raises(KnownError) as caught, reader.view():
        reader._connection.execute("DELETE FROM document")
    assert caught.value.code == "data_folder_unwritable"


@pytest.mark.parametrize("damage", ["no database at all", "page overwritten"])
def test_a_damaged_database_is_called_damaged(folder: DataFolder, letters: Letters, store: Store, damage: str) -> None:
    sign_one(folder, letters, store)
    content = bytearray(folder.database.read_bytes())
    if damage == "no database at all":
        content[:100] = b"x" * 100
    else:
        content[200:8000] = b"\xff" * 7800
    folder.database.write_bytes(content)
    with pytest.raises(KnownError) as caught, Store.open(folder) as opened, opened.view() as view:
        view.documents.list()
    assert (caught.value.code, caught.value.exit) == ("database_damaged", 1)


def test_migrations_count_from_one_without_gaps(tmp_path: Path) -> None:
    (tmp_path / "0001_a.sql").write_text("")
    (tmp_path / "0003_b.sql").write_text("")
    with pytest.raises(ValueError, match="numbered"):
        load_migrations(tmp_path)


def test_a_store_from_before_drafts_is_migrated_with_all_that_is_in_it(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "dữ liệu")
    with folder.lock():
        with Store.open(folder, migrations=FIRST[:1]) as old:
            old._connection.execute(
                "INSERT INTO document (id, body_code, urgency, state, created_at) VALUES ('d', 'H77', 0, 'signed',"
                " '2026-11-20T08:00:00.000+07:00')"
            )
        with Store.open(folder) as store, store.view() as view:
            assert [document.id for document in view.documents.list()] == ["d"]
            assert view.drafts.list() == ()
    assert min(backup.name for backup in folder.backups.iterdir()) == "before-0002.sqlite"


def test_a_batch_from_before_its_documents_were_rows_can_still_be_gone_on_with(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "dữ liệu")
    wish = (
        '{"files":[{"path":"/a.pdf","output":"/b.pdf","role":"main","profile":"agency"},'
        '{"path":"/c.pdf","output":"/d.pdf","role":"appendix","profile":"plain"}],"number":"1","urgency":3}'
    )
    with folder.lock():
        with Store.open(folder, migrations=FIRST[:8]) as old:
            old._connection.execute(
                "INSERT INTO batch (id, created_at, command) VALUES ('b', '2026-11-20T08:00:00.000+07:00', ?)",
                (f'{{"certificate":"ab","level":null,"documents":[{wish}],"send":false}}',),
            )
            old._connection.executemany(
                "INSERT INTO batch_file (batch_id, position, input_path, profile, output_path, state)"
                " VALUES ('b', ?, ?, ?, ?, 'pending')",
                [(4, "/a.pdf", "agency", "/b.pdf"), (5, "/c.pdf", "plain", "/d.pdf")],
            )
        with Store.open(folder) as store, store.view() as view:
            rest = unfinished(view)
    assert rest is not None
    (job,) = rest.jobs
    assert (rest.certificate, rest.level, rest.send) == ("ab", None, False)
    assert [file.path for file in job.files] == ["/a.pdf", "/c.pdf"]
    assert (job.number, job.urgency, job.attachments, job.copy, job.replaces) == ("1", Urgency.HOA_TOC, (), None, None)
