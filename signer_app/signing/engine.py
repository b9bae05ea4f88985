"""Signs a batch of documents: examine all, then one PIN, then one document after the other to the end of its way.

Runs in the main process. Order of safety: nothing is kept before the secrecy check; nothing is signed before every
file of the document passed its preflight; nobody is told "signed" before the bytes were checked again by other
parsers, are on disk, and are in the database together with evidence, journal and outbox row. Any token error ends the
batch; what was signed stays signed, the rest stays pending.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from signer_app.attachments.keeping import blobs_of
from signer_app.attachments.opening import look_again
from signer_app.awake import kept_awake
from signer_app.custody.book import require_holder
from signer_app.evidence.pieces import keep_pieces, named
from signer_app.exchange.directory import load_directory
from signer_app.levels.raising import Raiser
from signer_app.pdf.model import Finding, PlaceOption, Profile, Severity
from signer_app.signing.batch import BatchResult, DocumentWork, FileWork, Made, Progress, never
from signer_app.signing.certificates import SigningCertificate
from signer_app.signing.clock import TimeSource
from signer_app.signing.examine import Examiner, day_of
from signer_app.signing.forgetting import forget_work
from signer_app.signing.images import images_for
from signer_app.signing.jobs import DocumentJob
from signer_app.signing.login import log_in, tell_journal
from signer_app.signing.number_keeping import NUMBER_REFUSALS, NumberKeeping, owner_of
from signer_app.signing.opening import screened
from signer_app.signing.preflights import Preflights
from signer_app.signing.records import Records, batch_row, level_of, own_signature
from signer_app.signing.release import is_released, make_packet, type_of
from signer_app.signing.resume import Command, wish_of
from signer_app.signing.timestamps import BatchStamps
from signer_app.store import Store
from signer_app.store.model import Batch, BatchFile, DocumentState, FileState, JournalAction, StoredFile
from signer_app.store.store import Signing, Transaction
from signer_app.tasks import Finish, Prepare, Recheck
from signer_app.verification.model import Level
from signer_app.workspace import Workspace
from signer_resources import rules
from signer_resources.errors import KnownError
from signer_sync.ids import uuid7
from signer_token.client import TokenError, TokenSession
from signer_token.model import Login


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
        self._today = space.now().date()
        self._rules = rules.load(self._today)
        self._records = Records(chosen, self._rules)
        self._images = images_for(space, chosen, self._today)
        self._examiner = Examiner(space, chosen, self._images, self._rules, preflights or Preflights(space))
        self._directory = load_directory(space.folder.cache)
        self._batch: str | None = None
        self._kept: list[DocumentWork] = []
        """Documents whose numbers were kept for them by this run."""
        self._begun: set[int] = set()
        """Documents with which the token has begun, by identity."""
        self._made_for_nothing = 0
        """Signatures that the token has made and no document is kept with yet."""
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
            return self._sign(session)

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
        ready = [work for work in self._documents if work.ready]
        total, done = sum(len(work.files) for work in ready), 0
        self._progress("progress_sign", done, total)
        for work in ready:
            if self._cancelled():
                return KnownError("interrupted")
            try:
                self._sign_document(session, work)
            except TokenError as error:
                with suppress(KnownError):
                    tell_journal(self._space, self._chosen, JournalAction.SIGN, error.code)
                if not error.goes_on:
                    return error
                self._fail(work, error)
            except KnownError as error:
                self._tell_use(error)
                self._fail(work, error)
                if error.code == "disk_full":
                    return error
                if error.code == "secret":
                    # Not even its name stays in the batch.
                    try:
                        forget_work(self._store, work, blobs_of(work.attached))
                    except KnownError as fault:
                        return fault
            done += len(work.files)
            self._progress("progress_sign", done, total)
            self._document_done(work)
        return None

    def _tell_use(self, error: KnownError) -> None:
        """The key was used though no document came of it: the journal says so, without naming a document."""
        if self._made_for_nothing:
            with suppress(KnownError):
                tell_journal(self._space, self._chosen, JournalAction.SIGN, error.code)

    def _fail(self, work: DocumentWork, error: KnownError) -> None:
        """Nothing of the document is kept; a full disk leaves it to be signed later, other faults are its own."""
        for file in work.files:
            file.outcome = replace(file.outcome, state=FileState.PENDING, level=None, sha256_out=None, document=None)
            if error.code != "disk_full":
                file.fail(error if file is work.main else KnownError("part_refused"))

    def _sign_document(self, session: TokenSession, work: DocumentWork) -> None:
        folder = Path(tempfile.mkdtemp(prefix="sign-", dir=self._space.folder.work))
        self._made_for_nothing = 0
        self._begun.add(id(work))
        try:
            made = []
            for index, file in enumerate(work.files):
                part = folder / str(index)
                part.mkdir(mode=0o700)
                made.append(self._sign_file(session, file, part))
            stored = self._keep(work, made, folder)
            self._made_for_nothing = 0
        except OSError as error:
            raise KnownError("disk_full" if error.errno == 28 else "disk_fault", folder=str(folder)) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        # What goes along is told of at the main file.
        told = [*work.files, *[work.main] * len(work.attached)]
        for file, item in zip(told, stored, strict=True):
            if item.output_path is None:
                continue
            export = self._store.export(item.id)
            if export.error is not None:
                # Signed and kept; only the copy beside the input is missing, and is made up for at the next start.
                params = {key: str(value) for key, value in export.error.params.items()}
                file.outcome = replace(file.outcome, code=export.error.code, params=params)

    def _sign_file(self, session: TokenSession, file: FileWork, folder: Path) -> Made:
        assert file.plan is not None
        assert file.before is not None
        space, certificate, chain = self._space, self._chosen.certificate, self._chosen.chain
        started = time.monotonic()
        source = self._store.blobs.path(file.plan.blob)
        current, stamped, moment = source, None, space.now()
        for number, step in enumerate(file.plan.steps):
            moment, target = space.now(), folder / f"{number}.pdf"
            prepared = space.workers.prepare(
                Prepare(
                    source=str(current),
                    output=str(target),
                    step=step,
                    images=self._images.shown_by(step),
                    moment=moment,
                    certificate=certificate.der,
                    chain=chain,
                    source_sha256=file.plan.blob if number == 0 else None,
                )
            ).prepared
            signature = session.sign(prepared.to_be_signed)
            self._made_for_nothing += 1
            stamped = self._stamps.stamp(signature) if self._stamps is not None else None
            if stamped is not None:
                space.clock.saw(stamped.time, space.now(), TimeSource.TSA)
            space.workers.finish(
                Finish(
                    path=str(target),
                    prepared=prepared,
                    certificate=certificate.der,
                    chain=chain,
                    signature=signature,
                    timestamp=stamped.token if stamped else None,
                )
            )
            current = target
        answer = space.workers.recheck(
            Recheck(
                source=str(source),
                output=str(current),
                steps=file.plan.steps,
                before=file.before,
                certificate_sha256=certificate.sha256,
                trust=space.trust,
                now=space.now(),
                certified_may_change=file.plan.profile == Profile.AGENCY,
            )
        )
        checked = answer.rechecked
        if checked.fault is not None:
            raise KnownError(checked.fault, detail=checked.detail)
        if answer.secret:
            # A stamp has made a mark of it; the screening before the commit would find it, too.
            raise KnownError("secret")
        seconds = time.monotonic() - started
        made = Made(file, current, checked.sha256, answer.report, stamped, moment, seconds)
        return made if self._raiser is None else self._raised(self._raiser, made, folder)

    def _raised(self, raiser: Raiser, made: Made, folder: Path) -> Made:
        """The file with what the wanted level needs appended, as far as it can be had now; nobody has it yet."""
        raised = raiser.raise_to(made.path, Level(self._options.level or Level.B_T), folder)
        if raised.reason is not None:
            # Signed at a lower level: told, and no failure.
            params = {key: str(value) for key, value in raised.reason.params.items()}
            warning = Finding(raised.reason.code, Severity.WARNING, params)
            made.file.outcome = replace(made.file.outcome, warnings=(*made.file.outcome.warnings, warning))
        report = raised.standing.report
        if raised.path is None or report.sha256 is None:
            return made
        return replace(made, path=raised.path, sha256=report.sha256, report=report, level=raised.level.value)

    def _keep(self, work: DocumentWork, made: Sequence[Made], folder: Path) -> tuple[StoredFile, ...]:
        """Durable blobs first, then everything about the document in one transaction."""
        space, store, records = self._space, self._store, self._records
        for item in made:
            if store.blobs.adopt(item.path).sha256 != item.sha256:
                raise KnownError("output_changed", name=item.file.job.name)
        document = records.document(work, day_of(work, self._today), space.now())
        files = tuple(records.stored(document, item, position) for position, item in enumerate(made))
        attached = records.attached(document, work.attached, len(files))
        packet, body = None, self._chosen.body
        if body is not None and is_released(work, document, body):
            document = msgspec.structs.replace(document, state=DocumentState.RELEASED)
            packet = make_packet(
                work,
                document,
                files,
                made,
                body=body,
                rules=self._rules,
                directory=self._directory,
                blobs=store.blobs,
                folder=folder,
                now=space.now(),
                attached=attached,
            )
        for item in made:
            item.file.outcome = replace(
                item.file.outcome,
                state=FileState.SIGNED,
                level=level_of(item),
                sha256_out=item.sha256,
                seconds=round(item.seconds, 3),
                document=document.id,
            )
        ids = {id(item.file): stored.id for item, stored in zip(made, files, strict=True)}
        assert self._batch is not None
        batch_rows = self._rows(self._batch)
        rows = [msgspec.structs.replace(row, file_id=ids[id(file)]) for file, row in batch_rows if id(file) in ids]
        store.commit_signed(
            Signing(
                document=document,
                files=(*files, *attached),
                evidence=tuple(
                    records.evidence(
                        s,
                        m,
                        keep_pieces(store.blobs, own_signature(m).proofs, self._find_pieces),
                        attached if m.file is work.main else (),
                    )
                    for s, m in zip(files, made, strict=True)
                ),
                packet=packet,
                uses=tuple(records.use(JournalAction.SIGN, "ok", document, item.sha256) for item in made),
                batch_files=tuple(rows),
                draft=work.job.draft,
                owner=owner_of(work),
                sequences=self._records.sequences,
                replaces=work.job.replaces,
            ),
            lambda: self._screen_again(files, attached),
        )
        self._remember(work)
        return (*files, *attached)

    def _remember(self, work: DocumentWork) -> None:
        """Where the clerk put marks by hand is proposed for the next document of this body and type."""
        kind = type_of(work.job, self._rules)
        places = [(file.job.profile, place) for file in work.files if (place := _place_by_hand(file)) is not None]
        if not places:
            return

        def write(tx: Transaction) -> None:
            for profile, place in places:
                tx.places.put(self._chosen.body_code, profile, kind, place, self._space.now())

        with suppress(KnownError):
            self._store.write(write)

    def _find_pieces(self, wanted: AbstractSet[str]) -> Mapping[str, bytes]:
        """The CRLs and OCSP answers that a status rests on; read again only where one is not kept yet."""
        return named(wanted, self._space.trust)

    def _screen_again(self, files: Sequence[StoredFile], attached: Sequence[StoredFile]) -> None:
        for stored in files:
            screened(self._space, self._store.blobs.path(stored.blob_out or ""), stored.name)
        for item in attached:
            look_again(self._space, item.blob_in, item.name)

    def _rows(self, batch: str) -> Iterator[tuple[FileWork, BatchFile]]:
        """Each file of the batch with its row as it stands; secret documents have none."""
        position = 0
        for work in self._documents:
            hidden = any(file.secret for file in work.files)
            for file in work.files:
                if not hidden and not file.done_before:
                    yield file, batch_row(batch, position, file)
                position += 1

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


def _place_by_hand(file: FileWork) -> PlaceOption | None:
    """The place that the person gave; on the last page of several it is remembered as that."""
    place, pages = file.job.place, file.facts.pages
    if place is not None and pages > 1 and place.page == pages:
        return msgspec.structs.replace(place, page=-1)
    return place
