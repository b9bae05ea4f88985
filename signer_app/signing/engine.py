"""Signs a batch of documents: examine all, then one PIN, then each document to the end of its way.

Runs in the main process. Order of safety: nothing is kept before the secrecy check; nothing is signed before every
file of the document passed its preflight; nobody is told "signed" before the bytes were checked again by other
parsers, are on disk, and are in the database together with evidence, journal and outbox row. Several documents are on
their way at once (`pipeline`); what is kept and told is kept and told here, on one thread. Any token error ends the
batch; what has its signature comes to its end, the rest waits.

A batch lives in the store: what is wanted, what the preflight said, how each file stands. In memory are the documents
that are on their way.
"""

import hashlib
import os
import shutil
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
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
from signer_app.signing.batch import BatchResult, DocumentWork, Made, Outcome, Progress, never
from signer_app.signing.carrying import Carrier, any_disk_error
from signer_app.signing.certificates import SigningCertificate, require_fit
from signer_app.signing.control import Control
from signer_app.signing.examine import Examiner
from signer_app.signing.feeding import Feed
from signer_app.signing.free_space import require_space
from signer_app.signing.images import images_for
from signer_app.signing.jobs import DocumentJob
from signer_app.signing.login import log_in, tell_journal
from signer_app.signing.looking import Look
from signer_app.signing.number_keeping import NUMBER_REFUSALS, NumberKeeping
from signer_app.signing.pipeline import Pipeline, Ride, TurnedAwayError
from signer_app.signing.preflights import Preflights
from signer_app.signing.records import Records, software_version
from signer_app.signing.resume import Command
from signer_app.signing.rows import file_rows, outcome_of, work_of
from signer_app.signing.settling import Settler
from signer_app.signing.timestamps import BatchStamps
from signer_app.signing.waiting import Wait, Waits
from signer_app.store import Store
from signer_app.store.model import Batch, BatchDocument, BatchFile, FileState, JournalAction
from signer_app.store.store import Transaction, View
from signer_app.verification.model import Level
from signer_app.workspace import Workspace
from signer_resources import rules
from signer_resources.errors import KnownError
from signer_sync.ids import uuid7
from signer_token.client import TokenError, TokenSession
from signer_token.model import Login

_AHEAD = 8
"""So many documents are on their way beside those that the processors work on: they wait for token or network."""
_PAGE = 128
"""Documents read together where each is looked at once more."""
_WAITING = (FileState.PENDING, FileState.PREPARED, FileState.SIGNING)


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

    `jobs` are gone through once, by `examine`. `continues` is the id of a stopped batch whose rest this one takes over.
    `preflights` may know answers from before. `control` takes the person's wishes while it runs: what is signed stays,
    the rest waits. `document_done` is told each document that was signed or has failed, once it is kept, on the thread
    that signs.
    """

    def __init__(
        self,
        space: Workspace,
        chosen: SigningCertificate,
        jobs: Iterable[DocumentJob],
        options: Options,
        progress: Progress = _quiet,
        *,
        continues: str | None = None,
        preflights: Preflights | None = None,
        cancelled: Callable[[], bool] = never,
        control: Control | None = None,
        waits: Waits | None = None,
        document_done: Callable[[DocumentWork], None] = _unheard,
    ) -> None:
        self._space = space
        self._chosen = chosen
        self._jobs = jobs
        self._options = options
        self._progress = progress
        self._continues = continues
        self._control = control or Control(cancelled)
        self._waits = waits or Waits()
        self._document_done = document_done
        self._today = space.now().date()
        self._rules = rules.load(self._today)
        records = Records(chosen, self._rules)
        self._images = images_for(space, chosen, self._today)
        self._examiner = Examiner(space, chosen, self._images, self._rules, preflights or Preflights(space, most=0))
        self._settler = Settler(space, records, load_directory(space.folder.cache))
        self._keeping = NumberKeeping.of(chosen, self._today)
        self._batch = uuid7()
        self._begun = False
        self._look = Look(
            store=space.store,
            batch=self._batch,
            examiner=self._examiner,
            keeping=self._keeping,
            known=self._known,
            now=space.now,
            at_once=_processors(),
        )
        self._same_world = False
        """Whether what the batch that is gone on with has seen goes for this one."""
        self._kept: set[int] = set()
        """Places of documents whose numbers were kept for them by this run."""
        self._in_the_way: KnownError | None = None
        self._touched: set[int] = set()
        """Places of waiting documents with which the token has begun."""
        pool = space.timestamps if options.level != "b-b" else None
        self._stamps = BatchStamps(pool) if pool is not None else None
        higher = options.level in (Level.B_LT, Level.B_LTA)
        self._raiser = Raiser(space, self._stamps.over if self._stamps is not None else None) if higher else None

    @property
    def _store(self) -> Store:
        return self._space.store

    # ---- before the PIN ---------------------------------------------------------------------------------------------

    def examine(self) -> int:
        """Screens and preflights every file; the number of documents that are ready to be signed.

        KnownError "interrupted" when it is cancelled, "disk_space_short"; nothing has happened then.
        """
        self._store.finish_exports()
        if isinstance(self._jobs, Sequence):
            require_space(self._space, self._jobs)
        command = Command(self._chosen.certificate.sha256, self._options.level, send=self._options.send)
        batch = Batch(
            id=self._batch,
            created_at=self._space.now(),
            command=msgspec.json.encode(command).decode(),
            continues=self._continues,
        )
        context = self._context()
        with self._store.view() as view:
            earlier = view.batches.get(self._continues) if self._continues is not None else None
        # Looked at here, for the look itself may bring news about revocation.
        self._same_world = earlier is not None and earlier.context == context
        self._store.write(lambda tx: tx.batches.add(batch))
        total = sum(len(job.files) for job in self._jobs) if isinstance(self._jobs, Sized) else 0
        self._examiner.refresh()
        try:
            self._look.over(self._jobs, total, self._progress, self._control.cancelled)
        except BaseException:
            self._drop()
            raise
        return self._look.ready

    def _known(self, job: DocumentJob) -> DocumentWork | None:
        """The document as the batch that is gone on with has seen it, if nothing it depends on has changed since."""
        if self._continues is None or not self._same_world:
            return None
        main = job.files[0]
        with self._store.view() as view:
            row = view.batches.waiting_for(self._continues, (main.path, main.profile.value, main.output))
            if row is None or row.document is None:
                return None
            document = view.batches.document(self._continues, row.document)
            files = view.batches.of_document(self._continues, row.document)
        work = work_of(document, files) if document is not None else None
        if work is None or msgspec.structs.replace(work.job, receivers=job.receivers) != job:
            return None
        work.job = job
        return work if self._examiner.still_holds(work) else None

    def _context(self) -> str:
        """All that a preflight's answer depends on besides file and wish."""
        parts = (
            self._chosen.certificate.sha256,
            self._chosen.body,
            self._today.isoformat(),
            self._rules.version,
            self._images.without_contents(),
            self._space.trust,
            software_version(),
        )
        return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()

    def jump_in(self, job: DocumentJob) -> DocumentWork:
        """Looks at a document that is in a hurry, on the caller's thread, while the batch is signed; if it is ready, it
        is signed next. KnownError "batch_over" where the token has nothing to do any more.
        """
        work = DocumentWork.of(job)
        self._examiner.examine_document(work)
        if work.ready and not self._control.jump_in(work):
            raise KnownError("batch_over")
        return work

    def begin(self) -> None:
        """The person has said yes: from now on the batch can be gone on with.

        `sign_with` calls it after the login, unless it was called before: then also a batch whose PIN was refused can
        be gone on with.
        """
        if not self._begun:
            context = self._context()
            self._store.write(lambda tx: tx.batches.begin(self._batch, self._space.now(), context))
            self._begun = True

    # ---- with the PIN -----------------------------------------------------------------------------------------------

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
                self.begin()
            except KnownError as error:
                # Without a batch nothing is closed at the end, where the numbers would be let go.
                with suppress(KnownError):
                    self._leave_numbers()
                return error
            try:
                return self._sign(session)
            except KnownError as error:
                return error

    def _keep_numbers(self) -> None:
        """From here on each number belongs to its document, whatever becomes of its signing. One that somebody else has
        got since the document was examined refuses it.
        """
        now = self._space.now()
        for page in self._pages((FileState.PREPARED,)):
            kept: list[int] = []

            def write(tx: Transaction, page: Iterable[BatchDocument] = page, kept: list[int] = kept) -> None:
                kept.clear()
                for work in self._works(tx, page):
                    try:
                        if self._keeping.keep(tx, work, now):
                            kept.append(work.place)
                    except KnownError as error:
                        if error.code not in NUMBER_REFUSALS:
                            raise
                        work.refuse(error)
                        tx.batches.put_files(file_rows(self._batch, work))

            self._store.write(write)
            self._kept.update(kept)

    def _leave_numbers(self) -> None:
        """A batch that was stopped takes no number from the documents that it never came to."""
        now = self._space.now()
        for page in self._pages(_WAITING) if self._kept else ():

            def write(tx: Transaction, page: Iterable[BatchDocument] = page) -> None:
                for work in self._works(tx, page):
                    if work.place in self._kept and work.place not in self._touched:
                        self._keeping.leave(tx, work, now)

            self._store.write(write)

    def _pages(self, states: Iterable[FileState]) -> Iterator[tuple[BatchDocument, ...]]:
        """The documents that stand so, some at a time."""
        at, wanted = -1, tuple(states)
        while True:
            with self._store.view() as view:
                page = view.batches.documents(self._batch, wanted, at, _PAGE)
            if not page:
                return
            yield page
            at = page[-1].position

    def _works(self, view: View | Transaction, page: Iterable[BatchDocument]) -> Iterator[DocumentWork]:
        for document in page:
            work = work_of(document, view.batches.of_document(self._batch, document.position))
            if work is not None:
                yield work

    def _sign(self, session: TokenSession) -> KnownError | None:
        """All that is ready, several documents on their way at once; what stopped it."""
        with self._store.view() as view:
            total, done = view.batches.counts(self._batch).get(FileState.PREPARED, 0), 0
        self._progress("progress_sign", done, total)
        stopped: KnownError | None = None
        folder = self._space.folder.work
        with any_disk_error(folder), TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as place:
            pipeline = self._pipeline(session, Path(place))
            feed = Feed(self._store, self._batch, pipeline.at_once, self._let_in)
            try:
                with closing(pipeline.rides(lambda: self._next(feed))) as rides:
                    for ride in rides:
                        ended = self._done_with(ride, pipeline)
                        feed.done(ride.work)
                        if ended is not None:
                            stopped = stopped or ended
                            continue
                        done += len(ride.work.files)
                        self._progress("progress_sign", done, max(total, done))
                        self._document_done(ride.work)
            finally:
                with suppress(KnownError):
                    # A full disk must not hide why it stopped; who goes on looks at these as at all that wait.
                    feed.end()
                    for late in self._control.end():
                        self._write_down(late)
        return stopped or self._in_the_way or (KnownError("interrupted") if pipeline.was_cancelled else None)

    def _next(self, feed: Feed) -> DocumentWork | None:
        """The next document that is to be signed; those that the person skips are left out. None at the end, and where
        something stands in the way of all that are left: what is on its way comes to its end first.
        """
        if self._in_the_way is not None:
            return None
        try:
            require_fit(self._chosen, self._space.now())
            while (work := feed.take()) is not None and self._control.skips(work.place):
                for file in work.files:
                    file.skip("skipped_by_person")
                self._put(file_rows(self._batch, work))
                feed.done(work)
                self._document_done(work)
        except KnownError as error:
            self._in_the_way = error
            return None
        return work

    def _let_in(self) -> bool:
        """Writes down what has jumped in; whether anything has."""
        arrived = self._control.arrivals()
        for work in arrived:
            self._write_down(work)
        return bool(arrived)

    def _write_down(self, work: DocumentWork) -> None:
        self._look.one(work)
        if work.ready:
            self._keep_number(work)

    def _keep_number(self, work: DocumentWork) -> None:
        now = self._space.now()
        try:
            self._store.write(lambda tx: self._keeping.keep(tx, work, now))
        except KnownError as error:
            if error.code not in NUMBER_REFUSALS:
                raise
            work.refuse(error)
            self._put(file_rows(self._batch, work))
        else:
            self._kept.add(work.place)

    def _pipeline(self, session: TokenSession, folder: Path) -> Pipeline:
        processors = _processors()
        carrier = Carrier(
            space=self._space,
            chosen=self._chosen,
            images=self._images,
            stamps=self._stamps,
            raiser=self._raiser,
            level=Level(self._options.level or Level.B_T),
            folder=folder,
            bench=threading.BoundedSemaphore(processors),
            waits=self._waits,
        )

        def sign(data: bytes) -> bytes:
            with self._waits.on(Wait.TOKEN):
                return session.sign(data)

        def carry(ride: Ride) -> tuple[Made, ...]:
            with self._waits.on(None):
                return carrier.carry(ride)

        return Pipeline(
            sign,
            carry,
            at_once=processors + _AHEAD,
            cancelled=self._control.cancelled,
            paused=self._control.paused,
        )

    def _done_with(self, ride: Ride, pipeline: Pipeline) -> KnownError | None:
        """Keeps what was made of a document, or tells what went wrong; the error if the batch stops with it."""
        work = ride.work
        try:
            if ride.error is not None:
                raise ride.error
            with self._waits.on(Wait.DISK), any_disk_error(self._space.folder.work):
                self._settler.settle(work, ride.made, self._batch)
        except TurnedAwayError:
            # The token ended between its two signatures: it waits, as if none had been made.
            self._touched.add(work.place)
            self._tell_use("interrupted")
            self._put_rows(work)
        except TokenError as error:
            self._touched.add(work.place)
            self._tell_use(error.code)
            if not error.goes_on:
                pipeline.break_off()
                self._put_rows(work)
                return error
            self._fail(work, error)
        except KnownError as error:
            self._touched.add(work.place)
            if ride.signatures:
                self._tell_use(error.code)
            self._fail(work, error)
            if error.code == "disk_full":
                pipeline.close()
                return error
            if error.code == "secret":
                # Not even its name stays in the batch.
                try:
                    self._look.forget(work)
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
        if error.code != "secret":
            self._put_rows(work)

    def _put_rows(self, work: DocumentWork) -> None:
        with suppress(KnownError):
            # A full disk: the rows say that it was handed out, and so it waits.
            self._put(tuple(_as_waiting(row) for row in file_rows(self._batch, work)))

    def _put(self, rows: Sequence[BatchFile]) -> None:
        self._store.write(lambda tx: tx.batches.put_files(rows))

    # ---- its end ----------------------------------------------------------------------------------------------------

    def finish(self, stopped: KnownError | None) -> BatchResult:
        """Closes the batch in the database and gives its result."""
        if not self._begun:
            outcomes = tuple(self._outcomes())
            counts = self._counts()
            self._drop()
            return BatchResult(None, stopped, counts, lambda: iter(outcomes))
        params = {key: str(value) for key, value in stopped.params.items()} if stopped else {}
        with suppress(KnownError):
            # A disk that is full must not hide what was signed: the rows of signed documents are there.
            self._leave_numbers()
            self._store.write(
                lambda tx: tx.batches.finish(self._batch, self._space.now(), stopped.code if stopped else None, params)
            )
        self._discard((FileState.REFUSED, FileState.FAILED, FileState.SKIPPED))
        return BatchResult(self._batch, stopped, self._counts(), self._outcomes)

    def _drop(self) -> None:
        """Nobody said yes: nothing of it stays, but for drafts."""
        with suppress(KnownError):
            self._discard(tuple(FileState), dropped=True)

    def _discard(self, states: tuple[FileState, ...], *, dropped: bool = False) -> None:
        """Copies of what was not signed go at once; what a row or a draft still names stays."""
        with suppress(KnownError):
            left = {blob for outcome in self._look.aside.values() if (blob := outcome.sha256_in) is not None}
            for row in self._rows(states):
                left |= {blob for blob in (row.input_sha256, row.repaired_sha256) if blob is not None}
            for page in self._pages(states) if left else ():
                for document in page:
                    left |= blobs_of(msgspec.json.decode(document.job, type=DocumentJob).attachments)
            if dropped:
                self._store.write(lambda tx: tx.batches.drop_unbegun(self._batch))
            self._store.discard(left)

    def _rows(self, states: Iterable[FileState] = FileState) -> Iterator[BatchFile]:
        """The rows of all files that stand so, some at a time."""
        at, wanted = -1, tuple(states)
        while True:
            with self._store.view() as view:
                page = view.batches.page(self._batch, wanted, at, _PAGE)
            if not page:
                return
            yield from page
            at = page[-1].position

    def _counts(self) -> dict[FileState, int]:
        counts = dict.fromkeys(FileState, 0)
        with self._store.view() as view:
            for state, count in view.batches.counts(self._batch).items():
                counts[FileState.PENDING if state.waits else state] += count
        for outcome in self._look.aside.values():
            counts[outcome.state] += 1
        return {state: count for state, count in counts.items() if count}

    def _outcomes(self) -> Iterator[Outcome]:
        """What became of each file, in the order of the batch."""
        aside = deque(sorted(self._look.aside.items()))
        for row in self._rows():
            while aside and aside[0][0] < row.position:
                yield aside.popleft()[1]
            with self._store.view() as view:
                draft = view.batches.draft_of(self._batch, row.document) if row.document is not None else None
                stored = view.documents.file(row.file_id) if row.file_id is not None else None
            yield outcome_of(row, draft=draft, document=stored.document_id if stored else None)
        yield from (outcome for _place, outcome in aside)

    def reported(self) -> None:
        """To be called when the person or script has been told the result."""
        batches = {*self._examiner.resumed, *({self._batch} if self._begun else ())}

        def mark(tx: Transaction) -> None:
            for batch in batches:
                tx.batches.mark_reported(batch, self._space.now())

        with suppress(KnownError):
            self._store.write(mark)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _as_waiting(row: BatchFile) -> BatchFile:
    """What waits has been looked at: it is ready for the token."""
    return msgspec.structs.replace(row, state=FileState.PREPARED) if row.state is FileState.PENDING else row
