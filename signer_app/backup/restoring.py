"""A machine made from a backup: everything is checked on the way in, and nothing leaves before it was asked for.

Main process, on a data folder that nobody has open. Nothing that is in use is overwritten: a folder with documents is
refused, or put aside if a person says so. The database comes last, and it comes with its questions: what was not proven
to be sent is held (`reconciling`), no number is given before the books on paper were looked into, and the journal goes
on in a new epoch. A restore that was cut is begun anew, with the files that came already; until then nothing else opens
the folder.
"""

import datetime as dt
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from signer_app.backup.making import Progress
from signer_app.backup.parcel import DATABASE, Unpacked, put_files, unpack
from signer_app.backup.phrase import RecoveryCode
from signer_app.backup.sealing import DamagedError, OpenKeys, unseal
from signer_app.backup.target import BackupSet, Claim, Manifest, Piece, sets_below
from signer_app.signing.batch import never
from signer_app.store.blobs import BlobStore
from signer_app.store.database import connect_reader, connect_writer, database_errors, load_migrations
from signer_app.store.datafolder import DataFolder
from signer_app.store.durable import disk_errors, fsync_file, move_over, write_atomically
from signer_app.store.model import JournalAction, OutboxState, TokenUse
from signer_app.store.outbox_reader import UNSENT
from signer_app.store.restored import BackupRun, Epoch
from signer_app.store.settings import Body, ChannelKind, ServerSettings, Settings, load_settings, save_settings
from signer_app.store.store import Transaction, View
from signer_app.vault.opening import open_vault
from signer_app.workspace import operator_name
from signer_resources.errors import KnownError
from signer_sync.ids import uuid7
from signer_sync.keystore import FileKeyStore


@dataclass(frozen=True)
class OpenedBackup:
    """The set that a recovery code opens, and its generations, the newest first."""

    place: BackupSet
    keys: OpenKeys
    generations: tuple[Manifest, ...]


@dataclass(frozen=True)
class RestoreResult:
    """What was restored. `missing`: files (SHA-256) that the backup has not, or not whole; `passed_over`: newer
    generations that can't be used. `held`: packets that the server is asked for before anything leaves; `undecided`:
    those of channels that can't be asked, which a person decides one by one. `pictures`: whether all seals can be
    opened; `told`: whether the old machine will hear of it. `kept_old`: where the former data folder lies.
    """

    made_at: dt.datetime
    documents: int
    files: int
    missing: tuple[str, ...]
    passed_over: int
    held: int
    undecided: int
    pictures: bool
    told: bool
    kept_old: Path | None


def open_backup(place: Path, typed: str) -> OpenedBackup:
    """Finds the set that the code opens in `place`, or `place` itself.

    Raises KnownError: recovery_code_length, recovery_code_group, backup_target_away, "backup_none_there" where there
    are no backups at all, "backup_code_wrong" where those there belong to another code, "backup_damaged" where none of
    them can be read, backup_newer.
    """
    keys = OpenKeys(RecoveryCode.parse(typed))
    place = place.expanduser().absolute()
    name = keys.seal.set_name
    there = sets_below(place)
    if name not in there:
        if not there and not place.name.startswith("signer-backup-"):
            raise KnownError("backup_none_there", folder=str(place))
        if place.name != name:
            raise KnownError("backup_code_wrong", folder=str(place))
        place = place.parent
    found = BackupSet(place, keys.seal)
    generations = found.generations()
    if not generations:
        raise KnownError("backup_damaged" if found.unreadable() else "backup_none_there", folder=str(place))
    return OpenedBackup(found, keys, generations)


def restore(
    folder: DataFolder,
    opened: OpenedBackup,
    now: Callable[[], dt.datetime],
    *,
    keep_old: bool = False,
    progress: Progress = lambda _done, _count: None,
    cancelled: Callable[[], bool] = never,
) -> RestoreResult:
    """Fills the data folder from the newest generation that is whole; KnownError "restore_folder_used" where there are
    documents in it, unless `keep_old` has them put aside.

    Also raises KnownError: "busy", "backup_damaged", "database_newer", "disk_full", "data_folder_unwritable",
    "data_folder_network", "interrupted".
    """
    kept = _put_aside(folder, now()) if keep_old and is_used(folder) else None
    with folder.lock():
        if is_used(folder):
            raise KnownError("restore_folder_used", folder=str(folder.path))
        with disk_errors(folder.path, "data_folder_unwritable"):
            write_atomically(folder.restoring, b"")
            folder.clear_work()
            with tempfile.TemporaryDirectory(dir=folder.work, prefix="restore-") as name:
                restored = _Restoring(folder, opened, now(), Path(name), progress, cancelled).run()
            folder.restoring.unlink()
    return replace(restored, kept_old=kept)


def is_used(folder: DataFolder) -> bool:
    """Whether there is anything in it that could be lost; a restore that was cut leaves nothing of the kind."""
    if folder.restoring.exists():
        return False
    try:
        if load_settings(folder).bodies:
            return True
        if not folder.database.is_file():
            return False
        with closing(connect_reader(folder, load_migrations())) as connection:
            return any(connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() for table in _TELLING)  # noqa: S608
    except KnownError:
        # What can't be read may be all that somebody has.
        return True


_TELLING = ("document", "draft", "journal", "outbox", "inbox", "incoming", "arrival", "reserved_number", "evidence")


class _Restoring:
    """One restore, in the folder `work` of its own."""

    def __init__(
        self,
        folder: DataFolder,
        opened: OpenedBackup,
        now: dt.datetime,
        work: Path,
        progress: Progress,
        cancelled: Callable[[], bool],
    ) -> None:
        self._folder = folder
        self._place = opened.place
        self._keys = opened.keys
        self._generations = opened.generations
        self._now = now
        self._work = work
        self._progress = progress
        self._cancelled = cancelled
        self._machine = uuid7()

    def run(self) -> RestoreResult:
        passed_over, generation, unpacked = self._newest()
        # A data folder of its own, so that its database is brought up to date before anybody sees it.
        staged = DataFolder(self._work / "staged")
        staged.create()
        (unpacked.folder / DATABASE).replace(staged.database)
        if (unpacked.folder / "settings.json").is_file():
            (unpacked.folder / "settings.json").replace(staged.settings)
        settings = load_settings(staged)
        connection = connect_writer(staged, load_migrations())
        try:
            with database_errors(staged):
                if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                    raise KnownError("backup_damaged", folder=str(self._place.place))
                view = View(connection)
                wanted, released = view.blobs() | settings.blobs(), view.restored.released()
                missing = tuple(one for one in self._blobs(wanted, generation) if one not in released)
                held, undecided = self._question(connection, settings, generation)
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.execute("PRAGMA journal_mode = DELETE")
        finally:
            connection.close()
        put_files(unpacked, self._folder)
        pictures = self._keys_of_pictures(unpacked, settings)
        self._settings(settings)
        self._database(staged.database)
        return RestoreResult(
            made_at=generation.made_at,
            documents=generation.documents,
            files=len(wanted) - len(missing),
            missing=missing,
            passed_over=passed_over,
            held=held,
            undecided=undecided,
            pictures=pictures,
            told=self._claim(),
            kept_old=None,
        )

    # ---- what comes out of the backup ------------------------------------------------------------------------------

    def _newest(self) -> tuple[int, Manifest, Unpacked]:
        """The newest generation whose state is whole, and how many were passed over for it."""
        for passed_over, generation in enumerate(self._generations):
            with suppress(DamagedError):
                return passed_over, generation, self._state(generation)
        raise KnownError("backup_damaged", folder=str(self._place.place))

    def _state(self, generation: Manifest) -> Unpacked:
        if not self._place.state_is_whole(generation):
            raise DamagedError
        parcel, target = self._work / "state.zip", self._work / "state"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(mode=0o700)
        parcel.touch(mode=0o600)
        with self._place.open_state(generation) as reader, parcel.open("wb") as writer:
            unseal(reader, writer, self._keys.code)
        unpacked = unpack(parcel, target)
        parcel.unlink()
        if unpacked.about.schema > len(load_migrations()):
            raise KnownError("database_newer", file=str(self._place.place))
        return unpacked

    def _blobs(self, wanted: Iterable[str], generation: Manifest) -> tuple[str, ...]:
        """Brings all files in, each checked by its content; those that can't be had."""
        pieces = {piece.name: piece for piece in generation.objects}
        blobs, missing, all_wanted = BlobStore(self._folder.blobs), [], sorted(wanted)
        for done, sha256 in enumerate(all_wanted):
            if self._cancelled():
                raise KnownError("interrupted")
            self._progress(done, len(all_wanted))
            if not self._blob(blobs, sha256, pieces):
                missing.append(sha256)
        self._progress(len(all_wanted), len(all_wanted))
        return tuple(missing)

    def _blob(self, blobs: BlobStore, sha256: str, pieces: Mapping[str, Piece]) -> bool:
        with suppress(KnownError):
            # A restore that was cut has brought it.
            blobs.verify(sha256)
            return True
        name = self._keys.seal.object_name(sha256)
        if name not in pieces:
            return False
        temporary = self._work / "blob"
        temporary.unlink(missing_ok=True)
        temporary.touch(mode=0o600)
        try:
            with self._place.open_object(name) as reader, temporary.open("wb") as writer:
                if unseal(reader, writer, self._keys.code) != sha256:
                    return False
        except DamagedError:
            return False
        blobs.delete(sha256)
        blobs.adopt(temporary)
        return True

    def _keys_of_pictures(self, unpacked: Unpacked, settings: Settings) -> bool:
        """The pictures' keys into this machine's keyring, or the file where there is none; whether all pictures that
        the settings name can be opened.
        """
        vault = open_vault(self._folder, settings)
        for key_id, key in unpacked.keys.items():
            with suppress(ValueError):
                vault.keys.take_over(key_id, key)
        try:
            for picture in settings.kept_pictures():
                vault.open(picture)
        except KnownError:
            return False
        return True

    # ---- what it must ask ------------------------------------------------------------------------------------------

    def _question(self, connection: sqlite3.Connection, settings: Settings, generation: Manifest) -> tuple[int, int]:
        """The new epoch of the journal, and what may not leave before it was asked for; how many the server is asked
        for, and how many a person decides.
        """
        connection.execute("BEGIN IMMEDIATE")
        tx = Transaction(connection)
        head = tx.journal.head()
        epoch = Epoch(
            epoch=len(tx.restored.epochs()) + 1,
            at=self._now,
            backup_at=generation.made_at,
            journal_count=head.count,
            journal_hash=head.hash,
        )
        tx.restored.begin_epoch(epoch)
        entry = TokenUse(
            action=JournalAction.RESTORED,
            operator=operator_name(),
            certificate_sha256=None,
            token_serial=None,
            result="ok",
            sha256=head.hash,
        )
        tx.journal.append(entry, self._now)
        tx.outbox.forget_attempts()
        asked = {body.code for body in settings.bodies if body.channel is ChannelKind.SYNC}
        rows = connection.execute(
            f"SELECT packet_id, org, state FROM outbox WHERE {UNSENT}"  # noqa: S608 - ours
        ).fetchall()
        to_ask = [(row["packet_id"], row["org"]) for row in rows if row["org"] in asked]
        tx.restored.hold(to_ask)
        others = [row for row in rows if row["org"] not in asked]
        for row in others:
            if row["state"] == OutboxState.NEEDS_PERSON.value:
                # Whatever it waited for: first it must be known whether it has left meanwhile.
                connection.execute("UPDATE outbox SET state = 'retrying' WHERE packet_id = ?", (row["packet_id"],))
            tx.outbox.needs_person(row["packet_id"], "outcome_undecided")
        tx.restored.ran(BackupRun(at=generation.made_at, target=str(self._place.place)))
        connection.execute("COMMIT")
        return len(to_ask), len(others)

    # ---- into place ------------------------------------------------------------------------------------------------

    def _settings(self, restored: Settings) -> None:
        """The settings, with what belongs to the old machine left behind: its device, its drivers, its name in the set.

        A device key is not restored: the server tells two machines apart by it, and can shut the lost one out.
        """
        present = Settings()
        with suppress(KnownError):
            present = load_settings(self._folder)
        modules = present.modules or tuple(module for module in restored.modules if Path(module).exists())
        key = uuid7()
        FileKeyStore(self._folder.path / "keys").save(key, self._keys.seal.vouch)
        backup = msgspec.structs.replace(
            restored.backup,
            target=str(self._place.place),
            recipient=self._keys.seal.recipient,
            key=key,
            machine=self._machine,
        )
        settings = msgspec.structs.replace(
            restored,
            modules=modules,
            server=_without_devices(restored.server),
            bodies=tuple(_body(body) for body in restored.bodies),
            backup=backup,
        )
        save_settings(self._folder, settings)

    def _database(self, source: Path) -> None:
        for left in ("-wal", "-shm"):
            self._folder.database.with_name(self._folder.database.name + left).unlink(missing_ok=True)
        fsync_file(source)
        move_over(source, self._folder.database)

    def _claim(self) -> bool:
        """Tells the old machine, should it come back; a medium that can't be written to says nothing."""
        try:
            self._place.claim(Claim(machine=self._machine, at=self._now))
        except KnownError:
            return False
        return True


def _put_aside(folder: DataFolder, now: dt.datetime) -> Path:
    """Gives the data folder another name beside it; KnownError "busy" where somebody has it open."""
    with folder.lock():
        pass
    aside = folder.path.with_name(f"{folder.path.name}-{now:%Y%m%d-%H%M%S}")
    with disk_errors(folder.path.parent, "data_folder_unwritable"):
        folder.path.rename(aside)
    return aside


def _body(body: Body) -> Body:
    return msgspec.structs.replace(body, server=_without_devices(body.server))


def _without_devices(server: ServerSettings | None) -> ServerSettings | None:
    return None if server is None else msgspec.structs.replace(server, devices={})
