"""Making a backup while the program runs: a copy of the database at one moment, then all that it names.

Main process, a thread that may wait; nobody else waits for it. Only what the set doesn't have yet is written; a part of
what it has is read again each time, so that a stick that forgets is found out while the files are still here. Failing
at any step leaves the generations before as they were. What becomes of a run is written down, for the light.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from signer_app.backup.parcel import About, pack, snapshot
from signer_app.backup.sealing import Sealed, SealKeys, SourceError, seal
from signer_app.backup.setting_up import seal_keys
from signer_app.backup.target import FORMAT, BackupSet, Manifest, Piece
from signer_app.signing.batch import never
from signer_app.signing.records import software_version
from signer_app.store.blobs import BlobStore
from signer_app.store.database import load_migrations
from signer_app.store.restored import BackupRun
from signer_app.store.settings import load_settings
from signer_app.store.store import View
from signer_app.store.times import VIETNAM, vietnamese_date
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.contract import JournalHead

Progress = Callable[[int, int], None]

SCRUB_DAYS = 28
"""In so many daily runs everything in the set is read once."""
SCRUB_BYTES = 512 << 20
"""Read again in one run at most."""


@dataclass(frozen=True)
class Made:
    """A backup that was made. `written`: objects that were new, or had to be written again; `missing`: files of rows
    that are gone or damaged here and could not go along; `pictures`: whether the keys of the seals' pictures went
    along.
    """

    manifest: Manifest
    written: int
    written_bytes: int
    missing: int
    pictures: bool


@dataclass(frozen=True)
class _Content:
    """What the copy of the database names."""

    blobs: frozenset[str]
    documents: int
    head: JournalHead


def _no_progress(_done: int, _count: int) -> None:
    """Nobody wants to know how far it is."""


def make_backup(space: Workspace, progress: Progress = _no_progress, cancelled: Callable[[], bool] = never) -> Made:
    """Makes a generation. For the owner of the data folder's lock.

    Raises KnownError: backup_not_set, backup_key_missing, backup_target_away, backup_target_full,
    backup_target_readonly, backup_not_whole, backup_newer, "backup_restored_elsewhere" (another machine goes on in
    place of this one), "interrupted", and those of the database and the disk.
    """
    target = space.settings.backup.target or ""
    try:
        made = _make(space, progress, cancelled)
    except KnownError as error:
        if error.code not in ("backup_not_set", "interrupted"):
            run = BackupRun(at=space.now(), target=target, error_code=error.code, error_params=error.params)
            with suppress(KnownError):
                space.store.write(lambda tx: tx.restored.ran(run))
        raise
    run = BackupRun(at=made.manifest.made_at, target=target, missing=made.missing)
    space.store.write(lambda tx: tx.restored.ran(run))
    return made


def _make(space: Workspace, progress: Progress, cancelled: Callable[[], bool]) -> Made:
    settings = space.settings.backup
    if settings.target is None or settings.machine is None:
        raise KnownError("backup_not_set")
    # Opening it empties `work`, so not in the midst.
    blobs = space.store.blobs
    keys = seal_keys(space)
    place = BackupSet(Path(settings.target), keys)
    place.require_there()
    require_own(space, place)
    place.clear_leftovers()
    number = max((one.number for one in place.generations()), default=0) + 1
    now = space.now()
    with tempfile.TemporaryDirectory(dir=space.folder.work, prefix="backup-") as name:
        folder = Path(name)
        database = folder / "signer.sqlite"
        snapshot(space.folder, database)
        content = _content(space, database)
        pieces, new, missing = _Objects(blobs, place, keys, progress, cancelled).put(content.blobs, now.day)
        place.settle(new)
        head = content.head
        about = About(
            made_at=now,
            machine=settings.machine,
            schema=len(load_migrations()),
            journal_count=head.count,
            journal_hash=head.hash,
        )
        parcel = folder / "state.zip"
        pictures = pack(space, database, about, parcel)
        database.unlink()
        if cancelled():
            raise KnownError("interrupted")

        def state(writer: IO[bytes]) -> Sealed:
            with parcel.open("rb") as reader:
                return _sealed(reader, writer, keys)

        def manifest(piece: Piece) -> Manifest:
            return Manifest(
                format=FORMAT,
                number=number,
                made_at=now,
                machine=about.machine,
                program=software_version(),
                documents=content.documents,
                state=piece,
                objects=tuple(pieces),
            )

        made = place.finish(state, manifest)
    place.prune()
    return Made(made, len(new), sum(piece.size for piece in new) + made.state.size, missing, pictures)


def require_own(space: Workspace, place: BackupSet) -> None:
    """KnownError "backup_restored_elsewhere" where another machine was restored from this set after this one was: then
    this is the old machine, and what it would send may have been sent already.
    """
    claim = place.claimed_by()
    if claim is not None and claim.machine != space.settings.backup.machine:
        moment = claim.at.astimezone(VIETNAM)
        raise KnownError("backup_restored_elsewhere", date=vietnamese_date(moment), time=moment.strftime("%H:%M"))


def _content(space: Workspace, database: Path) -> _Content:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        view = View(connection)
        named = view.blobs() | load_settings(space.folder).blobs()
        released = {sha256 for sha256 in view.restored.released() if not space.store.blobs.has(sha256)}
        blobs = named - released
        (documents,) = connection.execute("SELECT count(*) FROM document").fetchone()
        return _Content(frozenset(blobs), documents, view.journal.head())


def _sealed(reader: IO[bytes], writer: IO[bytes], keys: SealKeys) -> Sealed:
    try:
        return seal(reader, writer, keys.recipient)
    except SourceError as error:
        raise KnownError("disk_fault", folder="work") from error


class _Objects:
    """Brings the blobs into the set, those that it doesn't have."""

    def __init__(
        self, blobs: BlobStore, place: BackupSet, keys: SealKeys, progress: Progress, cancelled: Callable[[], bool]
    ) -> None:
        self._blobs = blobs
        self._place = place
        self._keys = keys
        self._progress = progress
        self._cancelled = cancelled

    def put(self, wanted: Iterable[str], day: int) -> tuple[list[Piece], list[Piece], int]:
        """All objects of the generation, those of them that were written now, and how many files are missing here."""
        names = {self._keys.object_name(sha256): sha256 for sha256 in wanted}
        known = self._known()
        self._scrub(known, [name for name in names if name in known], day)
        pieces, new, missing = [], [], 0
        for done, (name, sha256) in enumerate(sorted(names.items())):
            if self._cancelled():
                raise KnownError("interrupted")
            self._progress(done, len(names))
            piece = known.get(name)
            if piece is None:
                piece = self._write(name, sha256)
                if piece is None:
                    missing += 1
                    continue
                new.append(piece)
            pieces.append(piece)
        self._progress(len(names), len(names))
        return pieces, new, missing

    def _known(self) -> dict[str, Piece]:
        """What earlier generations name and what still lies there in its size."""
        there = self._place.present()
        found: dict[str, Piece] = {}
        for generation in self._place.generations():
            for piece in generation.objects:
                if there.get(piece.name) == piece.size:
                    found.setdefault(piece.name, piece)
        return found

    def _scrub(self, known: dict[str, Piece], names: Iterable[str], day: int) -> None:
        """Reads the day's share again; what is damaged counts as not there."""
        share = [known[name] for name in sorted(names) if int(name[:4], 16) % SCRUB_DAYS == day % SCRUB_DAYS]
        room, chosen = SCRUB_BYTES, []
        for piece in share:
            if piece.size <= room:
                chosen.append(piece)
                room -= piece.size
        for piece in self._place.damaged(chosen):
            self._place.drop(piece)
            del known[piece.name]

    def _write(self, name: str, sha256: str) -> Piece | None:
        """None where the file is gone or damaged here: a broken copy is none."""

        def fill(writer: IO[bytes]) -> Sealed:
            written = seal(reader, writer, self._keys.recipient)
            if written.plain_sha256 != sha256:
                raise SourceError
            return written

        try:
            reader = self._blobs.path(sha256).open("rb")
        except OSError:
            return None
        with reader, suppress(SourceError):
            piece, _written = self._place.write(name, fill)
            return piece
        return None


def free_bytes(place: Path) -> int | None:
    """How much room there is, for who chooses a place; None where that can't be told."""
    try:
        return shutil.disk_usage(place).free
    except OSError:
        return None
