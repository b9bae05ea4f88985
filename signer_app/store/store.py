"""The store as the rest of the program meets it: transactions over all tables, and the one that keeps a
signing.

The writer lives in the main process under the data folder's lock and may be used from several threads, one
at a time; readers live anywhere. Files become durable blobs first, then rows name them, never the other way
round. Decides nothing about what may be signed or sent.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Self, TypeVar

import msgspec

from signer_app.store.arrival_book import ArrivalReader, Arrivals
from signer_app.store.attachments import AttachmentReader, leaving_blob
from signer_app.store.batch_model import BatchFile
from signer_app.store.batch_reader import BatchReader
from signer_app.store.batches import Batches
from signer_app.store.blobs import BlobStore
from signer_app.store.custody import Custody, CustodyReader
from signer_app.store.database import (
    DatabaseFullError,
    Migration,
    connect_reader,
    connect_writer,
    database_errors,
    load_migrations,
)
from signer_app.store.datafolder import DataFolder
from signer_app.store.directory import Directory, DirectoryReader
from signer_app.store.documents import DocumentReader, Documents
from signer_app.store.drafts import DraftReader, Drafts
from signer_app.store.event_reader import EventReader
from signer_app.store.evidence import EvidenceReader, EvidenceTable
from signer_app.store.inbox import Inbox, InboxReader
from signer_app.store.incoming import IncomingTable
from signer_app.store.incoming_reader import IncomingReader
from signer_app.store.journal import Journal, JournalReader
from signer_app.store.leases import LeaseReader, Leases
from signer_app.store.levels import LevelReader, Levels
from signer_app.store.listings import Listings
from signer_app.store.model import Document, DocumentState, Evidence, JournalAction, NewPacket, StoredFile, TokenUse
from signer_app.store.notices import NoticeReader, Notices
from signer_app.store.number_book import NumberBook
from signer_app.store.outbox import Outbox, OutboxReader
from signer_app.store.places import PlaceReader, Places
from signer_app.store.queue import QueueReader
from signer_app.store.receivers import PaperReceiver, ReceiverReader, Receivers
from signer_app.store.registers import RegisterReader, Registers
from signer_app.store.replacing import FreedNumber, Replacing, ReplacingReader
from signer_app.store.reservations import ReservationReader, Reservations
from signer_app.store.restored import Restored, RestoredReader
from signer_app.store.retention import RetentionReader
from signer_app.store.sequences import BY_NOTATION, Sequences
from signer_app.store.settings import load_settings
from signer_app.store.taken_out import TakenOut, TakenOutReader
from signer_app.store.times import utc_now
from signer_resources.errors import KnownError

T = TypeVar("T")


class View:
    """All tables at one moment, for reading."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.drafts = DraftReader(connection)
        self.attachments = AttachmentReader(connection)
        self.replacing = ReplacingReader(connection)
        self.documents = DocumentReader(connection)
        self.reservations = ReservationReader(connection)
        self.number_book = NumberBook(connection)
        self.places = PlaceReader(connection)
        self.taken_out = TakenOutReader(connection)
        self.evidence = EvidenceReader(connection)
        self.batches = BatchReader(connection)
        self.outbox = OutboxReader(connection)
        self.queue = QueueReader(connection)
        self.notices = NoticeReader(connection)
        self.inbox = InboxReader(connection)
        self.incoming = IncomingReader(connection)
        self.journal = JournalReader(connection)
        self.custody = CustodyReader(connection)
        self.levels = LevelReader(connection)
        self.directory = DirectoryReader(connection)
        self.receivers = ReceiverReader(connection)
        self.listings = Listings(connection)
        self.registers = RegisterReader(connection)
        self.arrivals = ArrivalReader(connection)
        self.leases = LeaseReader(connection)
        self.restored = RestoredReader(connection)
        self.retention = RetentionReader(connection)
        self.events = EventReader(connection)
        self._connection = connection

    def schema_number(self) -> int:
        """The number of the last migration that was made."""
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def counts(self) -> dict[str, int]:
        """How many rows each table has; names of tables come from the schema, not from anybody outside."""
        names = self._connection.execute(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%'"
            " ORDER BY name"
        ).fetchall()
        return {
            name: int(self._connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])  # noqa: S608 - see above
            for (name,) in names
        }

    def blobs(self) -> set[str]:
        """Every blob that a row refers to."""
        documents = self.documents.blobs() | self.evidence.blobs() | self.levels.blobs()
        return self.drafts.blobs() | documents | self.batches.blobs() | self.outbox.blobs() | self._arrived()

    def _arrived(self) -> set[str]:
        return self.inbox.blobs() | self.incoming.blobs()


class Transaction:
    """All tables, for writing; what is written here is durable together or not at all."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.drafts = Drafts(connection)
        self.attachments = AttachmentReader(connection)
        self.replacing = Replacing(connection)
        self.documents = Documents(connection)
        self.reservations = Reservations(connection)
        self.places = Places(connection)
        self.taken_out = TakenOut(connection)
        self.evidence = EvidenceTable(connection)
        self.batches = Batches(connection)
        self.outbox = Outbox(connection)
        self.notices = Notices(connection)
        self.inbox = Inbox(connection)
        self.incoming = IncomingTable(connection)
        self.journal = Journal(connection)
        self.custody = Custody(connection)
        self.levels = Levels(connection)
        self.directory = Directory(connection)
        self.receivers = Receivers(connection)
        self.registers = Registers(connection)
        self.arrivals = Arrivals(connection)
        self.leases = Leases(connection)
        self.restored = Restored(connection)


class Signing(msgspec.Struct, frozen=True, kw_only=True):
    """The result of signing one document, as it is kept: all blobs are in the store already.

    `uses` are the uses of the token that made it, `batch_files` the new state of its rows in a batch,
    `packet` what is to be sent of it, None where nothing is. `draft` is the id of the draft that ends with it,
    `replaces` that of the document in whose place it comes: signed before, not sent, and signed again.
    """

    document: Document
    files: tuple[StoredFile, ...]
    evidence: tuple[Evidence, ...] = ()
    packet: NewPacket | None = None
    uses: tuple[TokenUse, ...] = ()
    batch_files: tuple[BatchFile, ...] = ()
    draft: str | None = None
    replaces: str | None = None
    owner: str | None = None
    """For whom its number was kept: SHA-256 of the main file as it was opened; None: the main file's `blob_in`."""
    sequences: Sequences = BY_NOTATION
    """How the body's numbers run."""
    paper: tuple[PaperReceiver, ...] = ()
    """Who gets it on paper, besides those for whom that was kept with the draft."""

    @property
    def keeper(self) -> str:
        """For whom its number was kept."""
        return self.owner or self.files[0].blob_in

    def blobs(self) -> set[str]:
        """Every blob it refers to."""
        named = {blob for file in self.files for blob in (file.blob_in, file.blob_out, file.original)}
        named |= {sha256 for item in self.evidence for sha256 in item.pieces}
        if self.packet is not None:
            named.add(self.packet.sha256)
        return {sha256 for sha256 in named if sha256 is not None}


class Export(msgspec.Struct, frozen=True):
    """What became of a copy outside the store: `error` None if it is there."""

    file_id: str
    path: str
    error: KnownError | None


class _Screen:
    """A secrecy check that remembers whether it raised, and whether it found a mark."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self.hit = False
        self.secret = False

    def __call__(self) -> None:
        try:
            self._check()
        except BaseException as error:
            self.hit = True
            self.secret = isinstance(error, KnownError) and error.code == "secret"
            raise


class StoreReader:
    """The store for reading, without the lock, also while another process writes."""

    def __init__(self, folder: DataFolder, connection: sqlite3.Connection) -> None:
        self.folder = folder
        self.blobs = BlobStore(folder.blobs)
        self._connection = connection
        self._turn = threading.RLock()

    @contextmanager
    def view(self) -> Iterator[View]:
        """The tables at one moment; KnownError "database_damaged", "disk_fault"."""
        with self._turn, database_errors(self.folder):
            if self._connection.in_transaction:
                yield View(self._connection)
                return
            self._connection.execute("BEGIN")
            try:
                yield View(self._connection)
            finally:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Ends the connection; a second time does nothing."""
        with self._turn:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Store(StoreReader):
    """The store for writing."""

    def __init__(
        self, folder: DataFolder, connection: sqlite3.Connection, now: Callable[[], datetime] = utc_now
    ) -> None:
        super().__init__(folder, connection)
        self._now = now
        self._commits = 0

    @classmethod
    def open(
        cls,
        folder: DataFolder,
        now: Callable[[], datetime] = utc_now,
        migrations: Sequence[Migration] | None = None,
    ) -> "Store":
        """The writer; RuntimeError if `folder` is not locked by this process. Migrates; makes the reserve.

        Raises KnownError "database_newer", "database_damaged", "disk_full", "data_folder_unwritable".
        """
        if not folder.locked:
            raise RuntimeError("only the owner of the data folder's lock writes")
        steps = load_migrations() if migrations is None else migrations
        try:
            connection = connect_writer(folder, steps)
        except DatabaseFullError:
            if not folder.release_reserve():
                raise
            connection = connect_writer(folder, steps)
        folder.refill_reserve()
        return cls(folder, connection, now)

    @staticmethod
    def read_only(folder: DataFolder, migrations: Sequence[Migration] | None = None) -> StoreReader:
        """A reader; of an empty store where there is none yet. Raises as `database.connect_reader`."""
        return StoreReader(folder, connect_reader(folder, load_migrations() if migrations is None else migrations))

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """What is written inside is committed at the end, or rolled back if anything is raised.

        Raises KnownError "disk_full" after the reserve was given back, "database_damaged", "disk_fault";
        RuntimeError inside another transaction.
        """
        with self._turn:
            if self._connection.in_transaction:
                raise RuntimeError("a transaction is open already")
            try:
                with database_errors(self.folder):
                    self._connection.execute("BEGIN IMMEDIATE")
                    yield Transaction(self._connection)
                    self._connection.execute("COMMIT")
                self._commits += 1
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @property
    def commits(self) -> int:
        """How many transactions this process has committed; as it is before a view is opened, the view has all of them.
        Nothing is committed while a transaction of one's own runs.
        """
        return self._commits

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Runs `work` in a transaction; on a full disk once more in the room of the reserve. Raises as
        `transaction`.
        """
        with self._turn:
            try:
                with self.transaction() as transaction:
                    return work(transaction)
            except DatabaseFullError:
                if not self.folder.release_reserve():
                    raise
                with self.transaction() as transaction:
                    return work(transaction)

    def commit_signed(self, signing: Signing, secrecy_check: Callable[[], None]) -> None:
        """Keeps a signing, its evidence, its journal entries, its packet and its place in the batch, and ends its
        draft, all or nothing.

        `secrecy_check` is called inside the transaction, right before the packet is queued (or before the
        commit, where none is): what it raises undoes everything, and the signing's blobs are deleted unless
        something else refers to them; where it raises "secret", the draft goes too. On a full disk it is called
        again for the second try.

        Where it replaces a document, that one's number is free for it: all of it happens, or the old one stays.

        Raises KnownError "number_used", "again_sent", "again_replaced", "again_unknown", what `secrecy_check` raises,
        and as `transaction`; ValueError for a packet without receivers or number, for parts that don't belong
        together, and for a blob that is not in the store.
        """
        self._require_whole(signing)
        screen = _Screen(secrecy_check)

        def work(transaction: Transaction) -> None:
            freed = transaction.replacing.give_up(signing.replaces) if signing.replaces is not None else None
            if signing.document.notation_group is not None:
                transaction.reservations.issue(signing.document, signing.keeper, signing.sequences)
            transaction.documents.add(signing.document, signing.sequences)
            transaction.documents.add_files(signing.files)
            if signing.replaces is not None:
                self._replace(transaction, signing, signing.replaces, freed)
            transaction.evidence.add(signing.evidence)
            for use in signing.uses:
                transaction.journal.append(use, self._now())
            transaction.batches.put_files(signing.batch_files)
            self._put_paper(transaction, signing)
            if signing.draft is not None:
                transaction.drafts.remove([signing.draft])
            screen()
            if signing.packet is not None:
                transaction.outbox.add(signing.packet)

        try:
            self.write(work)
        finally:
            if screen.secret:
                self.write(lambda transaction: _forget_secret(transaction, signing))
            if screen.hit:
                self.discard(signing.blobs())

    def _replace(self, transaction: Transaction, signing: Signing, replaced: str, freed: FreedNumber | None) -> None:
        """Has the new document stand in the old one's place; a number that it doesn't take over is given up."""
        operator, now = next((use.operator for use in signing.uses), ""), self._now()
        if transaction.replacing.record(replaced, signing.document.id, freed, now, operator) and freed is not None:
            given_up = TokenUse(
                action=JournalAction.NUMBER_GIVEN_UP,
                operator=operator,
                certificate_sha256=None,
                token_serial=None,
                result="ok",
                number=freed.label,
            )
            transaction.journal.append(given_up, now)

    def _put_paper(self, transaction: Transaction, signing: Signing) -> None:
        """Who gets the document on paper: the list of the draft is the document's now. Of a document that it replaces
        no copy is to be sent any more.
        """
        receivers, document = transaction.receivers, signing.document.id
        if signing.draft is not None:
            receivers.move_paper(signing.draft, document)
        if signing.paper:
            receivers.put_paper(document, (*receivers.paper(document), *signing.paper), self._now())
        if signing.replaces is not None:
            receivers.put_paper(signing.replaces, (), self._now())

    def release(
        self, packet: NewPacket, secrecy_check: Callable[[], None], paper: Sequence[PaperReceiver] | None = None
    ) -> None:
        """Queues a document that was signed and kept before; `secrecy_check` as in `commit_signed`. `paper`: who gets
        it on paper from now on, None as before.

        Raises what `secrecy_check` raises, and as `transaction`; ValueError if the document is not there, has
        no number taken for it, or was released before.
        """
        if packet.document_id is None:
            raise ValueError("a packet without a document")
        released = packet.document_id
        self._require_blobs({packet.sha256})
        screen = _Screen(secrecy_check)

        def work(transaction: Transaction) -> None:
            transaction.documents.mark_released(released)
            if paper is not None:
                transaction.receivers.put_paper(released, paper, self._now())
            screen()
            transaction.outbox.add(packet)

        try:
            self.write(work)
        finally:
            if screen.hit:
                self.discard({packet.sha256})

    def discard(self, blobs: AbstractSet[str]) -> None:
        """Deletes those of `blobs` that no row and no setting refers to, such as those of a secret
        document.
        """
        if not blobs:
            return
        with self._turn:
            with self.view() as view:
                keep = view.blobs() | load_settings(self.folder).blobs()
            for sha256 in blobs - keep:
                self.blobs.delete(sha256)

    def truncate_log(self) -> None:
        """Takes what was deleted out of the write-ahead log too, unless a reader is in the way. Raises as `view`."""
        with self._turn, database_errors(self.folder):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _require_whole(self, signing: Signing) -> None:
        document, packet = signing.document, signing.packet
        ids = {file.id for file in signing.files}
        if not (
            signing.files
            and all(file.document_id == document.id for file in signing.files)
            and all(item.file_id in ids for item in signing.evidence)
            and (packet is None or packet.document_id == document.id)
        ):
            raise ValueError("the parts of a signing belong to one document")
        if (packet is not None) != (document.state is DocumentState.RELEASED):
            raise ValueError("a document is released exactly when it has a packet")
        if packet is not None and document.notation_group is None:
            raise ValueError("a document whose number is not taken is not queued")
        self._require_blobs(signing.blobs())

    def _require_blobs(self, blobs: AbstractSet[str]) -> None:
        if missing := [sha256 for sha256 in blobs if not self.blobs.has(sha256)]:
            raise ValueError(f"{len(missing)} files of a signing are not in the store")

    def export(self, file_id: str) -> Export:
        """Puts the copy of a signed file where it is wanted and records it; a copy that is there already
        counts.

        A KnownError of the place ("output_exists", "output_unwritable", "disk_full"), or of writing it down, is in the
        answer: the document itself is safe in the store.
        """
        with self.view() as view:
            file = view.documents.file(file_id)
        if file is None or leaving_blob(file) is None or file.output_path is None:
            raise ValueError("no file that is wanted outside the store")
        return self._export(file)

    def finish_exports(self) -> tuple[Export, ...]:
        """Makes up for the copies that a crash or a closed folder prevented."""
        with self.view() as view:
            pending = (*view.documents.pending_exports(), *view.attachments.pending_exports())
        return tuple(self._export(file) for file in pending)

    def _export(self, file: StoredFile) -> Export:
        blob = leaving_blob(file)
        assert blob is not None
        assert file.output_path is not None
        destination = Path(file.output_path)
        try:
            if not self.blobs.is_exported(blob, destination):
                self.blobs.export(blob, destination)
            self.write(lambda transaction: transaction.documents.mark_exported(file.id, self._now()))
        except KnownError as error:
            return Export(file.id, file.output_path, error)
        except OSError:
            # A share that is gone gives errors of the network: whatever it is, the document is signed and kept.
            return Export(file.id, file.output_path, KnownError("output_unwritable", folder=str(destination.parent)))
        return Export(file.id, file.output_path, None)


def _forget_secret(transaction: Transaction, signing: Signing) -> None:
    """The draft of a secret document goes, and the row that keeps its number under its file's name."""
    if signing.draft is not None:
        transaction.drafts.remove([signing.draft])
    transaction.reservations.forget(signing.keeper)
    transaction.leases.forget(signing.keeper, "–")
