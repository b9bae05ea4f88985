"""Signs a batch of documents: examine all, then one PIN, then each document to the end of its way.

Runs in the main process. Order of safety: nothing is kept before the secrecy check; nothing is signed before every
file of the document passed its preflight; nobody is told "signed" before the bytes were checked again by other
parsers, are on disk, and are in the database together with evidence, journal and outbox row. Several documents are on
their way at once (`pipeline`); what is kept and told is kept and told here, on one thread. Any token error ends the
batch; what has its signature comes to its end, the rest stays pending.
"""

import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from signer_app.attachments.keeping import blobs_of
from signer_app.awake import kept_awake
from signer_app.custody.book import require_holder
from signer_app.exchange.directory import load_directory
from signer_app.levels.raising import Raiser
from signer_app.signing.batch import BatchResult, DocumentWork, FileWork, Progress, never
from signer_app.signing.carrying import Carrier, any_disk_error
from signer_app.signing.certificates import SigningCertificate
from signer_app.signing.examine import Examiner
from signer_app.signing.forgetting import forget_work
from signer_app.signing.images import images_for
from signer_app.signing.jobs import DocumentJob
from signer_app.signing.login import log_in, tell_journal
from signer_app.signing.number_keeping import NUMBER_REFUSALS, NumberKeeping
from signer_app.signing.pipeline import Pipeline, Ride, TurnedAwayError
from signer_app.signing.preflights import Preflights
from signer_app.signing.records import Records, batch_row
from signer_app.signing.resume import Command, wish_of
from signer_app.signing.settling import Settler
from signer_app.signing.timestamps import BatchStamps
from signer_app.store import Store
from signer_app.store.model import Batch, BatchFile, FileState, JournalAction
from signer_app.store.store import Transaction
from signer_app.verification.model import Level
from signer_app.workspace import Workspace
from signer_resources import rules
from signer_resources.errors import KnownError
from signer_sync.ids import uuid7
from signer_token.client import TokenError, TokenSession
from signer_token.model import Login

_AHEAD = 4
"""So many documents are on their way beside those that the processors work on: they wait for token or network."""


def _quiet(_text: str, _done: int, _all: int) -> None:
    pass


def _unheard(_document: DocumentWork) -> None:
    pass


@dataclass(frozen=True)
class Options:
    """What holds for the whole batch. `level` None: the best that comes at once. `send` False: nothing is sent, also
    when the batch is gone on with.
    """

    level: str | None = None
    send: bool = True


class SigningRun:
    """One batch with one certificate: `examine`, perhaps `begin`, `sign_with` a PIN, `finish`, `reported`.

    `continues` is the id of a stopped batch whose rest this one takes over. `preflights` may know answers from before.
    `cancelled` is asked between documents: what is signed stays, the rest stays pending. `document_done` is told each
    document that was signed or has failed, once it is kept. Both are called on the thread that signs.
    """

    def __init__(
        self,
        space: Workspace,
        chosen: SigningCertificate,
        jobs: Sequence[DocumentJob],
        options: Options,
        progress: Progress = _quiet,
        *,
        continues: str | None = None,
        preflights: Preflights | None = None,
        cancelled: Callable[[], bool] = never,
        document_done: Callable[[DocumentWork], None] = _unheard,
    ) -> None:
        self._space = space
        self._cancelled = cancelled
        self._document_done = document_done
        self._continues = continues
        self._chosen = chosen
        self._options = options
        self._progress = progress
        self._documents = [DocumentWork.of(job) for job in jobs]
        files = [file for work in self._documents for file in work.files]
        self._positions = {id(file): position for position, file in enumerate(files)}
        self._today = space.now().date()
        self._rules = rules.load(self._today)
        self._records = Records(chosen, self._rules)
        self._images = images_for(space, chosen, self._today)
        self._examiner = Examiner(space, chosen, self._images, self._rules, preflights or Preflights(space))
        self._settler = Settler(space, self._records, load_directory(space.folder.cache))
        self._batch: str | None = None
        self._kept: list[DocumentWork] = []
        """Documents whose numbers were kept for them by this run."""
        self._begun: set[int] = set()
        """Documents with which the token has begun, by identity."""
        pool = space.timestamps if options.level != "b-b" else None
        self._stamps = BatchStamps(pool) if pool is not None else None
        higher = options.level in (Level.B_LT, Level.B_LTA)
        self._raiser = Raiser(space, self._stamps.over if self._stamps is not None else None) if higher else None

    @property
    def _store(self) -> Store:
        return self._space.store

    def examine(self) -> int:
        """Screens and preflights every file; the number of documents that are ready to be signed.

        KnownError "interrupted" when it is cancelled; nothing has happened then.
        """
        self._store.finish_exports()
        self._examiner.examine(self._documents, self._progress, self._cancelled)
        for work in self._documents:
            if any(file.secret for file in work.files):
                forget_work(self._store, work, blobs_of(work.attached))
        return sum(document.ready for document in self._documents)

    def begin(self) -> None:
        """Writes the batch with its files, none for a secret document, before the first signature.

        `sign_with` calls it after the login, unless it was called before: then also a batch whose PIN was refused can
        be gone on with.
        """
        known = [work for work in self._documents if not any(file.secret for file in work.files)]
        command = Command(
            self._chosen.certificate.sha256,
            self._options.level,
            tuple(work.job for work in known),
            send=self._options.send,
        )
        batch = Batch(id=uuid7(), created_at=self._space.now(), command=msgspec.json.encode(command).decode())
        rows = [row for _file, row in self._rows(batch.id)]
        wished = {wish_of(row) for row in rows}
        # A draft may go elsewhere today than when its batch was cut; its file is in no other draft.
        drafted = {file.blob for work in known if work.job.draft for file in work.job.files if file.blob}

        def write(tx: Transaction) -> None:
            tx.batches.add(batch, rows)
            # A batch that was cut still waits for files that are begun anew here; `resume` must not sign them twice.
            for earlier in tx.batches.unfinished():
                for row in tx.batches.files(earlier.id) if earlier.id != batch.id else ():
                    whole = earlier.id == self._continues
                    again = wish_of(row) in wished or row.input_sha256 in drafted
                    if row.state is FileState.PENDING and (whole or again):
                        taken_over = msgspec.structs.replace(row, state=FileState.SKIPPED, code="taken_over")
                        tx.batches.put_files([taken_over])

        self._store.write(write)
        self._batch = batch.id

    def sign_with(self, login: Login, *, progress: Progress = _quiet) -> KnownError | None:
        """One login, then all that is ready; the error that stopped it, None if nothing did."""
        self._progress = progress
        try:
            with login:
                require_holder(self._store, self._chosen.certificate.sha256, self._chosen.token.serial)
                session = log_in(self._space, self._chosen, login)
        except KnownError as error:
            return error
        with session, kept_awake():
            try:
                self._keep_numbers()
                if self._batch is None:
                    self.begin()
            except KnownError as error:
                # Without a batch nothing is closed at the end, where the numbers would be let go.
                with suppress(KnownError):
                    self._store.write(self._leave_numbers)
                return error
            try:
                return self._sign(session)
            except KnownError as error:
                return error

    def _keep_numbers(self) -> None:
        """From here on each number belongs to its document, whatever becomes of its signing. One that somebody else has
        got since the document was examined refuses it.
        """
        keeping, now = NumberKeeping.of(self._chosen, self._today), self._space.now()
        refused: list[tuple[DocumentWork, KnownError]] = []

        def write(tx: Transaction) -> None:
            refused.clear()
            self._kept.clear()
            for work in self._documents:
                try:
                    if work.ready and keeping.keep(tx, work, now):
                        self._kept.append(work)
                except KnownError as error:
                    if error.code not in NUMBER_REFUSALS:
                        raise
                    refused.append((work, error))

        self._store.write(write)
        for work, error in refused:
            for file in work.files:
                file.refuse(error if file is work.main else KnownError("part_refused"))

    def _leave_numbers(self, tx: Transaction) -> None:
        """A batch that was stopped takes no number from the documents that it never came to."""
        keeping, now = NumberKeeping.of(self._chosen, self._today), self._space.now()
        for work in self._kept:
            if work.ready and id(work) not in self._begun:
                keeping.leave(tx, work, now)

    def _sign(self, session: TokenSession) -> KnownError | None:
        """All that is ready, several documents on their way at once; what stopped it."""
        ready = [work for work in self._documents if work.ready]
        total, done = sum(len(work.files) for work in ready), 0
        self._progress("progress_sign", done, total)
        stopped: KnownError | None = None
        work = self._space.folder.work
        with any_disk_error(work), TemporaryDirectory(dir=work, ignore_cleanup_errors=True) as folder:
            pipeline = self._pipeline(session, Path(folder))
            coming = iter(ready)
            with closing(pipeline.rides(lambda: next(coming, None))) as rides:
                for ride in rides:
                    ended = self._done_with(ride, pipeline)
                    if ended is not None:
                        stopped = stopped or ended
                        continue
                    done += len(ride.work.files)
                    self._progress("progress_sign", done, total)
                    self._document_done(ride.work)
        return stopped or (KnownError("interrupted") if pipeline.was_cancelled else None)

    def _pipeline(self, session: TokenSession, folder: Path) -> Pipeline:
        processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        carrier = Carrier(
            space=self._space,
            chosen=self._chosen,
            images=self._images,
            stamps=self._stamps,
            raiser=self._raiser,
            level=Level(self._options.level or Level.B_T),
            folder=folder,
            bench=threading.BoundedSemaphore(processors),
        )
        return Pipeline(session.sign, carrier.carry, at_once=processors + _AHEAD, cancelled=self._cancelled)

    def _done_with(self, ride: Ride, pipeline: Pipeline) -> KnownError | None:
        """Keeps what was made of a document, or tells what went wrong; the error if the batch stops with it."""
        work = ride.work
        self._begun.add(id(work))
        try:
            if ride.error is not None:
                raise ride.error
            with any_disk_error(self._space.folder.work):
                self._settler.settle(work, ride.made, self._signed_row)
        except TurnedAwayError:
            # The token ended between its two signatures: it waits, as if none had been made.
            self._tell_use("interrupted")
        except TokenError as error:
            self._tell_use(error.code)
            if not error.goes_on:
                pipeline.break_off()
                return error
            self._fail(work, error)
        except KnownError as error:
            if ride.signatures:
                self._tell_use(error.code)
            self._fail(work, error)
            if error.code == "disk_full":
                pipeline.close()
                return error
            if error.code == "secret":
                # Not even its name stays in the batch.
                try:
                    forget_work(self._store, work, blobs_of(work.attached))
                except KnownError as fault:
                    pipeline.close()
                    return fault
        finally:
            if ride.folder is not None:
                shutil.rmtree(ride.folder, ignore_errors=True)
        return None

    def _tell_use(self, result: str) -> None:
        """The key was used and no document came of it: the journal says so, without naming a document."""
        with suppress(KnownError):
            tell_journal(self._space, self._chosen, JournalAction.SIGN, result)

    def _fail(self, work: DocumentWork, error: KnownError) -> None:
        """Nothing of the document is kept; a full disk leaves it to be signed later, other faults are its own."""
        for file in work.files:
            file.outcome = replace(file.outcome, state=FileState.PENDING, level=None, sha256_out=None, document=None)
            if error.code != "disk_full":
                file.fail(error if file is work.main else KnownError("part_refused"))

    def _signed_row(self, file: FileWork, stored: str) -> BatchFile:
        assert self._batch is not None
        return batch_row(self._batch, self._positions[id(file)], file, stored)

    def _rows(self, batch: str) -> Iterator[tuple[FileWork, BatchFile]]:
        """Each file of the batch with its row as it stands; secret documents have none."""
        for work in self._documents:
            if any(file.secret for file in work.files):
                continue
            for file in work.files:
                if not file.done_before:
                    yield file, batch_row(batch, self._positions[id(file)], file)

    def finish(self, stopped: KnownError | None) -> BatchResult:
        """Closes the batch in the database and gives its result."""
        if self._batch is not None:
            batch = self._batch
            unsigned = [row for _file, row in self._rows(batch) if row.state is not FileState.SIGNED]
            params = {key: str(value) for key, value in stopped.params.items()} if stopped else {}

            def close(tx: Transaction) -> None:
                tx.batches.put_files(unsigned)
                self._leave_numbers(tx)
                tx.batches.finish(batch, self._space.now(), stopped.code if stopped else None, params)

            with suppress(KnownError):
                # A disk that is full must not hide what was signed: the rows of signed documents are there.
                self._store.write(close)
        self._forget_unsigned()
        return BatchResult(self._batch, stopped, tuple(file.outcome for work in self._documents for file in work.files))

    def _forget_unsigned(self) -> None:
        """Copies of what was not signed go at once; what a row still names stays, and so does every draft's."""
        left = {
            blob
            for work in self._documents
            if work.job.draft is None
            for file in work.files
            if file.outcome.state is not FileState.SIGNED
            for blob in (file.outcome.sha256_in, file.plan.blob if file.plan else None)
        }
        for work in self._documents:
            if work.job.draft is None and work.main.outcome.state is not FileState.SIGNED:
                left |= blobs_of(work.attached)
        with suppress(KnownError):
            self._store.discard({sha256 for sha256 in left if sha256 is not None})

    def reported(self) -> None:
        """To be called when the person or script has been told the result."""
        batches = {*self._examiner.resumed, *({self._batch} if self._batch else ())}

        def mark(tx: Transaction) -> None:
            for batch in batches:
                tx.batches.mark_reported(batch, self._space.now())

        with suppress(KnownError):
            self._store.write(mark)
