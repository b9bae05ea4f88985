"""Signs a batch of documents: examine all, then one PIN, then each document to the end of its way.

Runs in the main process. Order of safety: nothing is kept before the secrecy check; nothing is signed before every
file of the document passed its preflight; nobody is told "signed" before the bytes were checked again by other
parsers, are on disk, and are in the database together with evidence, journal and outbox row. Several documents are on
their way at once (`pipeline`); what is kept and told is kept and told here, on one thread. Any token error ends the
batch; what has its signature comes to its end, the rest waits.

A batch lives in the store: what is wanted, what the preflight said, how each file stands. In memory are the documents
that are on their way.
"""

import threading
from collections.abc import Callable, Iterable, Sequence, Sized
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from signer_app.administration.minimum import require_version
from signer_app.awake import kept_awake
from signer_app.custody.book import require_holder
from signer_app.exchange.directory import load_directory
from signer_app.faults import told_fault
from signer_app.levels.raising import Raiser
from signer_app.signing.batch import BatchResult, DocumentWork, Made, Outcome, Progress, never
from signer_app.signing.batch_numbers import BatchNumbers
from signer_app.signing.carrying import Carrier, any_disk_error
from signer_app.signing.certificates import SigningCertificate, require_fit
from signer_app.signing.clock import Onward
from signer_app.signing.control import Control
from signer_app.signing.ending import Ending
from signer_app.signing.examine import Examiner
from signer_app.signing.feeding import Feed
from signer_app.signing.free_space import require_space
from signer_app.signing.images import images_for
from signer_app.signing.jobs import DocumentJob
from signer_app.signing.login import log_in
from signer_app.signing.looking import Look
from signer_app.signing.number_keeping import NumberKeeping
from signer_app.signing.pipeline import Pipeline, Ride
from signer_app.signing.preflights import Preflights
from signer_app.signing.records import Records
from signer_app.signing.resume import Command
from signer_app.signing.returning import Returns
from signer_app.signing.rows import file_rows
from signer_app.signing.seen_before import SeenBefore, context_of
from signer_app.signing.settling import Settler
from signer_app.signing.side_by_side import processors
from signer_app.signing.timestamps import BatchStamps
from signer_app.signing.waiting import Wait, Waits
from signer_app.store import Store
from signer_app.store.batch_model import Batch
from signer_app.store.model import FileState
from signer_app.store.store import Transaction
from signer_app.verification.model import Level
from signer_app.workspace import Workspace
from signer_resources import rules
from signer_resources.errors import KnownError
from signer_sync.ids import uuid7
from signer_token.client import TokenSession
from signer_token.model import Login

_AHEAD = 8
"""So many documents are on their way beside those that the processors work on: they wait for token or network."""


def _quiet(_text: str, _done: int, _all: int) -> None:
    pass


def _unknown(_job: DocumentJob) -> None:
    return None


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

    `jobs` are gone through once, by `examine`. `continues` is the id of a stopped batch whose rest this one takes over,
    `looked` that of a run of which `look_kept` has kept what was seen.
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
        looked: str | None = None,
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
        settler = Settler(space, records, load_directory(space.folder.cache))
        keeping = NumberKeeping.of(chosen, self._today)
        self._batch = uuid7()
        self._begun = False
        before = looked or continues
        self._seen = SeenBefore(space.store, before, self._examiner) if before is not None else None
        self._look = Look(
            store=space.store,
            batch=self._batch,
            examiner=self._examiner,
            keeping=keeping,
            known=self._seen.work if self._seen is not None else _unknown,
            now=space.now,
            at_once=processors(),
        )
        self._numbers = BatchNumbers(space.store, self._batch, keeping, space.now)
        self._ending = Ending(space.store, self._batch, self._look.aside, space.now)
        self._onward = Onward(space.store, space.clock)
        self._returns = Returns(
            space,
            chosen,
            self._batch,
            settler,
            self._look,
            self._numbers.touched,
            self._onward,
            self._waits,
            self._leave_out,
        )
        self._in_the_way: KnownError | None = None
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

        KnownError "interrupted" when it is cancelled, "disk_space_short", "program_too_old"; nothing has happened then.
        """
        require_version(self._space.settings)
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
        if self._seen is not None:
            # Looked at here, for the look itself may bring news about revocation.
            self._seen.compare(self._context())
        self._store.write(lambda tx: tx.batches.add(batch))
        total = sum(len(job.files) for job in self._jobs) if isinstance(self._jobs, Sized) else 0
        self._examiner.refresh()
        try:
            self._look.over(self._jobs, total, self._progress, self._control.cancelled)
            self._examiner.discard_unused()
        except BaseException:
            self._ending.forget()
            raise
        return self._look.ready

    def look_kept(self) -> tuple[str, tuple[Outcome, ...]]:
        """What came of the look; it is kept under this id for the run that signs, until `forget`."""
        context = self._context()
        self._store.write(lambda tx: tx.batches.looked_at(self._batch, context))
        return self._batch, self._ending.outcomes()

    def forget(self) -> None:
        """Nothing of a look to which nobody said yes stays."""
        self._ending.forget()

    def _context(self) -> str:
        """All that a preflight's answer depends on besides file and wish."""
        return context_of(self._space, self._chosen, self._today, self._rules.version, self._images)

    def jump_in(self, job: DocumentJob) -> DocumentWork:
        """Looks at a document that is in a hurry, on the caller's thread, while the batch is signed; if it is ready, it
        is signed next. KnownError "batch_over" where the token has nothing to do any more, "disk_space_short" where
        there is no room for it: what it takes from the rest of the batch is as it should be.
        """
        require_space(self._space, [job])
        work = DocumentWork.of(job)
        self._examiner.examine_document(work)
        # What the thread that signs makes of it is no affair of the caller's.
        if work.ready and not self._control.jump_in(work.copy()):
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
                # Who is refused here for its number is told as what has failed is.
                self._numbers.keep_all(self._document_done)
                self.begin()
            except Exception as error:  # noqa: BLE001 - our own fault, too, ends the batch as a stop does
                # Without a batch nothing is closed at the end, where the numbers would be let go.
                with suppress(KnownError):
                    self._numbers.leave()
                return error if isinstance(error, KnownError) else told_fault(error, self._space.folder.path)
            try:
                return self._sign(session)
            except KnownError as error:
                return error
            except Exception as fault:  # noqa: BLE001 - our own fault ends the batch as a stop does
                return told_fault(fault, self._space.folder.path)

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
                        ended = self._returns.take(ride, pipeline)
                        feed.done(ride.work)
                        if ended is None:
                            done += len(ride.work.files)
                            ended = self._tell(ride.work, done, max(total, done))
                        if ended is not None:
                            pipeline.close()
                            stopped = stopped or ended
            finally:
                # A full disk must not hide why it stopped; who goes on looks at these as at all that wait.
                with suppress(KnownError):
                    feed.end()
                for late in self._control.end():
                    with suppress(KnownError):
                        self._write_down(late)
        return stopped or self._in_the_way or (KnownError("interrupted") if pipeline.was_cancelled else None)

    def _tell(self, work: DocumentWork, done: int, total: int) -> KnownError | None:
        """Tells that a document is done with. A fault of whoever is told must not lose what is on its way."""
        try:
            self._progress("progress_sign", done, total)
            self._document_done(work)
        except Exception as fault:  # noqa: BLE001 - the batch ends as at a stop
            return told_fault(fault, self._space.folder.path)
        return None

    def _next(self, feed: Feed) -> DocumentWork | None:
        """The next document that is to be signed; those that the person skips are left out. None at the end, and where
        something stands in the way of all that are left: what is on its way comes to its end first.
        """
        if self._in_the_way is not None:
            return None
        try:
            now = self._space.now()
            require_fit(self._chosen, now)
            self._onward.require(now)
            while (work := feed.take()) is not None and self._control.skips(work.place):
                self._leave_out(work)
                feed.done(work)
                self._document_done(work)
        except KnownError as error:
            self._in_the_way = error
            return None
        except Exception as fault:  # noqa: BLE001 - what is on its way comes to its end first
            self._in_the_way = told_fault(fault, self._space.folder.path)
            return None
        return work

    def _let_in(self) -> bool:
        """Writes down what has jumped in; whether anything has."""
        before = self._look.files
        # One by one: where the disk is full, the others are still there for the end.
        while (work := self._control.arrival()) is not None:
            self._write_down(work)
        return self._look.files > before

    def _write_down(self, work: DocumentWork) -> None:
        self._look.one(work)
        if work.ready:
            self._numbers.keep(work)
        if not work.ready:
            # Found ready by itself, but another document of the batch has its number.
            self._document_done(work)

    def _pipeline(self, session: TokenSession, folder: Path) -> Pipeline:
        at_once = processors()
        carrier = Carrier(
            space=self._space,
            chosen=self._chosen,
            images=self._images,
            stamps=self._stamps,
            raiser=self._raiser,
            level=Level(self._options.level or Level.B_T),
            folder=folder,
            bench=threading.BoundedSemaphore(at_once),
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
            at_once=at_once + _AHEAD,
            cancelled=self._control.cancelled,
            paused=self._control.paused,
            skips=self._control.skips,
        )

    def _leave_out(self, work: DocumentWork) -> None:
        for file in work.files:
            file.skip("skipped_by_person")

        def write(tx: Transaction) -> None:
            tx.batches.put_files(file_rows(self._batch, work))
            self._numbers.leave_one(tx, work)

        self._store.write(write)

    # ---- its end ----------------------------------------------------------------------------------------------------

    def finish(self, stopped: KnownError | None) -> BatchResult:
        """Closes the batch in the database and gives its result."""
        if not self._begun:
            return self._ending.drop(stopped)
        with suppress(KnownError):
            # A disk that is full must not hide what was signed: the rows of signed documents are there.
            self._numbers.leave()
        return self._ending.close(stopped)

    def reported(self) -> None:
        """To be called when the person or script has been told the result."""
        batches = {*self._examiner.resumed, *({self._batch} if self._begun else ())}

        def mark(tx: Transaction) -> None:
            for batch in batches:
                tx.batches.mark_reported(batch, self._space.now())

        with suppress(KnownError):
            self._store.write(mark)
