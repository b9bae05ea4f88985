"""Looks at every file before any PIN: secret or not, what will happen to it, whether its number is free.

Main process; the PDF work is the workers'. A signing run keeps a copy of each file that is not secret as a blob, and
all that follows is about that blob; a draft's file is one already. `check` looks at files where they lie and keeps
nothing.
"""

import datetime as dt
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import msgspec

from signer_app.attachments.keeping import keep_attachments
from signer_app.exchange.replacing import place_of
from signer_app.pdf.model import Body, Finding, PlaceOption, PreflightRequest, PreflightResult, Profile, Severity
from signer_app.signing.batch import DocumentWork, FileWork
from signer_app.signing.certificates import SigningCertificate
from signer_app.signing.images import Images
from signer_app.signing.jobs import DocumentJob, FileJob, has_own_number, seen_hash
from signer_app.signing.machine_findings import of_output
from signer_app.signing.number_keeping import NumberKeeping
from signer_app.signing.opening import as_signed, keep_to_sign, screened
from signer_app.signing.preflights import Preflights
from signer_app.signing.release import issues_number, type_of
from signer_app.store.durable import disk_errors, reachable
from signer_app.store.model import Document, FileState
from signer_app.store.settings import CertificateRole
from signer_app.tasks import PreflightAnswer, Repair
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_resources.rules import RuleProfile
from signer_resources.rules.profiles import Signs


class Examiner:
    """The preflight of a batch: one certificate (or, for `check`, only a name), one day, one rule profile."""

    def __init__(
        self,
        space: Workspace,
        chosen: SigningCertificate | None,
        images: Images,
        rules: RuleProfile,
        preflights: Preflights,
    ) -> None:
        self._space = space
        self._chosen = chosen
        self._preflights = preflights
        self._images = images
        self._rules = rules
        self._today = space.now().date()
        self.resumed: set[str] = set()
        """Batches that ended before they could tell, and whose files were met again."""
        self._mended: dict[str, tuple[str, ...]] = {}
        """What was mended in each file as it came, by its blob."""
        self._unused: set[str] = set()
        """Repaired copies of what was refused."""

    def refresh(self) -> None:
        """To be called before a batch is looked at: what is in hand about trust may have changed."""
        self._preflights.refresh()

    def discard_unused(self) -> None:
        """To be called when what was looked at is written down: repaired copies that nothing needs go."""
        unused, self._unused = self._unused, set()
        self._space.store.discard(unused)

    def examine_document(self, document: DocumentWork) -> None:
        """Fills plan, findings and refusals of a document's files; keeps a blob of each that is not secret. May be
        called for several documents at once.
        """
        for file in document.files:
            try:
                self._examine(document, file)
            except KnownError as error:
                file.refuse(error)
        if document.ready:
            try:
                for item in document.job.attachments:
                    if item.output is not None:
                        _require_output(Path(item.output))
                document.attached = keep_attachments(self._space, document.job)
            except KnownError as error:
                document.main.refuse(error)
        self._whole_document(document)

    def still_holds(self, document: DocumentWork) -> bool:
        """Whether what was said of a document in another run goes for this one too, where file, wish and rules are the
        same: its copies are there, its outputs can be written, its number is free.
        """
        try:
            for file in document.files:
                self._space.store.blobs.size(file.plan.blob if file.plan is not None else "")
                _require_output(Path(file.job.output))
            for item in document.attached:
                self._space.store.blobs.size(item.blob or "")
            if issues_number(document.main.job.profile):
                self._free_number(document)
        except KnownError:
            return False
        return True

    def look(self, path: Path, job: DocumentJob, file: FileJob) -> PreflightResult:
        """The preflight of a file where it lies, for `check`; KnownError "secret"."""
        path = reachable(path)
        sha256 = screened(self._space, path, file.name).sha256
        assert sha256 is not None
        with as_signed(self._space, path, sha256) as (shown, blob):
            return self._look(shown, blob, job, file)

    def _look(self, path: Path, sha256: str, job: DocumentJob, file: FileJob) -> PreflightResult:
        result = self.answer(path, sha256, job, file).result
        if not _needs_repair(result):
            return result
        with self._repaired(path, sha256) as (mended, repaired):
            return self.answer(mended, repaired, job, msgspec.structs.replace(file, original=sha256)).result

    def answer(self, path: Path, blob: str, job: DocumentJob, file: FileJob) -> PreflightAnswer:
        """What will happen to the bytes `blob` that lie at `path`, which are known not to be secret."""
        profile = file.profile
        request = PreflightRequest(
            profile=profile,
            blob=blob,
            certificate=self._chosen.certificate.sha256 if self._chosen else "",
            certificate_name=self._chosen.certificate.common_name if self._chosen else self._fallback_name(profile),
            rules=self._rules.version,
            number=job.number,
            notation=job.notation,
            date=job.date,
            today=self._today,
            body=self._body(job.date or self._today),
            picture=self._images.picture(profile),
            picture_mm=self._images.picture_mm(profile),
            place=file.place,
            remembered=self._remembered(profile, job),
            copy=job.copy,
            # The command line says nothing of urgency, so the page's mark is not held against it there.
            urgency=int(job.urgency) if job.draft is not None else None,
            original=file.original,
            repairs=self._repairs(file.original, blob) if file.original is not None else (),
            training=self._space.folder.is_training,
        )
        return self._preflights.ask(path, request)

    def _whole(self, blob: str, job: DocumentJob, file: FileJob) -> PreflightAnswer:
        """The preflight of a blob; of its repaired copy where it is broken and nobody has signed it.

        Then that copy is a blob too, and is what gets signed. KnownError where it can't be repaired.
        """
        store = self._space.store
        answer = self.answer(store.blobs.path(blob), blob, job, file)
        if not _needs_repair(answer.result):
            return answer
        with self._repaired(store.blobs.path(blob), blob) as (mended, repaired):
            store.blobs.adopt(mended)
        answer = self.answer(store.blobs.path(repaired), repaired, job, msgspec.structs.replace(file, original=blob))
        if answer.result.plan is None:
            # Not thrown away here: the very same file may be ready under another wish, on another thread.
            self._unused.add(repaired)
        return answer

    @contextmanager
    def _repaired(self, path: Path, original: str) -> Iterator[tuple[Path, str]]:
        """A repaired copy in a folder that goes with the block, and its SHA-256; KnownError why there is none."""
        folder = self._space.folder.work
        with disk_errors(folder, "data_folder_unwritable"), tempfile.TemporaryDirectory(dir=folder) as place:
            target = Path(place, "repaired.pdf")
            answer = self._space.workers.repair(Repair(str(path), str(target)))
            self._mended[original] = answer.repaired.changes
            yield target, answer.repaired.sha256

    def _repairs(self, original: str, blob: str) -> tuple[str, ...]:
        """What was mended in a file whose copy `blob` may have been made on another day: a repair gives the same bytes
        each time, so it is made once more. KnownError "repair_beyond" where it gives others now.
        """
        if original not in self._mended:
            with self._repaired(self._space.store.blobs.path(original), original) as (_mended, again):
                if again != blob:
                    raise KnownError("repair_differs", what="SHA-256")
        return self._mended[original]

    def _remembered(self, profile: Profile, job: DocumentJob) -> PlaceOption | None:
        """Where the clerk put the mark on the last document of this body and type."""
        if self._chosen is None:
            return None
        with self._space.reader.view() as view:
            return view.places.get(self._chosen.body_code, profile, type_of(job, self._rules))

    def _examine(self, document: DocumentWork, file: FileWork) -> None:
        blob = self._opened(document.job, file) if file.job.blob is None else self._kept_before(file, file.job.blob)
        if blob is None:
            return
        answer = self._whole(blob, _as_on_the_main_page(document, file), file.job)
        result = answer.result
        file.before, file.facts, file.plan, file.result = answer.report, result.facts, result.plan, result
        file.outcome = replace(
            file.outcome,
            warnings=tuple(f for f in result.findings if f.severity is Severity.WARNING),
            sha256_repaired=result.plan.blob if result.plan is not None and result.plan.original else None,
        )
        refusal = next((f for f in result.findings if f.severity is Severity.REFUSED), None)
        if refusal is not None:
            if refusal.code == "secret":
                self._space.store.discard({blob})
            raise KnownError(refusal.code, **refusal.params)
        if file.job.plan is not None and result.plan is not None and seen_hash(result.plan) != file.job.plan:
            raise KnownError("plan_changed", name=file.job.name)

    def _opened(self, job: DocumentJob, file: FileWork) -> str | None:
        """Screens a file and keeps a copy; the blob, None for a file that a batch has signed before."""
        path = reachable(Path(file.job.path))
        seen = screened(self._space, path, file.job.name)
        assert seen.sha256 is not None
        file.outcome = replace(file.outcome, sha256_in=seen.sha256)
        self._require_role(file.job.profile)
        known = self._signed_before(job, file, seen.sha256)
        if known is not None:
            export = self._space.store.export(known)
            if export.error is not None:
                # Signed and kept; only the copy can't be put back where it is told to be.
                params = {key: str(value) for key, value in export.error.params.items()}
                file.outcome = replace(file.outcome, code=export.error.code, params=params)
            return None
        _require_output(Path(file.job.output))
        if not seen.readable:
            # Nobody could look for a mark, so nothing is kept; the preflight says what is wrong with it.
            self._refuse_unreadable(path, seen.sha256, job, file.job)
        return keep_to_sign(self._space, path, file.job.name, seen.sha256)

    def _kept_before(self, file: FileWork, blob: str) -> str:
        """The blob of a file that was screened and copied when it was opened."""
        file.outcome = replace(file.outcome, sha256_in=blob)
        self._space.store.blobs.size(blob)
        self._require_role(file.job.profile)
        _require_output(Path(file.job.output))
        return blob

    def _refuse_unreadable(self, path: Path, sha256: str, job: DocumentJob, file: FileJob) -> NoReturn:
        raise why_unreadable(self.answer(path, sha256, job, file).result)

    def _fallback_name(self, profile: Profile) -> str:
        """Without a token, `check` takes the name of the only body for the seal's profiles."""
        bodies = self._space.settings.bodies
        agency = self._rules.profile(profile.value).signs is Signs.AGENCY
        return bodies[0].name if len(bodies) == 1 and agency else ""

    def _body(self, day: dt.date) -> Body | None:
        """The body with the names that a document of this day may bear."""
        body = self._chosen.body if self._chosen else None
        if body is None and self._chosen is None and len(self._space.settings.bodies) == 1:
            body = self._space.settings.bodies[0]
        if body is None:
            return Body((self._chosen.certificate.common_name,)) if self._chosen else None
        return Body(
            names=body.names_on(day),
            seal=self._images.seal,
            seal_mm=self._images.seal_mm or 38.0,
            signers=body.signers,
            former=body.former_on(day),
            notations=body.notations,
        )

    def _require_role(self, profile: Profile) -> None:
        """A body's profiles take a body's certificate, a leader's takes a person's; a guessed role stands. The picture
        that the profile shows must be one for today.
        """
        self._images.require(profile)
        if self._chosen is None:
            return
        name, role = self._chosen.certificate.common_name, self._chosen.role
        signs = self._rules.profile(profile.value).signs
        if signs is Signs.AGENCY and role is not CertificateRole.AGENCY:
            raise KnownError("certificate_not_of_body", certificate=name)
        if signs is Signs.PERSON and role is not CertificateRole.PERSONAL:
            raise KnownError("certificate_not_personal", certificate=name)

    def _whole_document(self, document: DocumentWork) -> None:
        """One part refused, nothing of the document is signed; its number must be free."""
        main = document.main
        if main.ready and issues_number(main.job.profile):
            try:
                self._free_number(document)
            except KnownError as error:
                main.refuse(error)
            self._issued_before(main, document.job.replaces)
        if document.job.replaces is not None and main.ready:
            try:
                with self._space.store.view() as view:
                    view.replacing.require_replaceable(document.job.replaces)
            except KnownError as error:
                main.refuse(error)
        if document.job.instead is not None and main.ready:
            try:
                with self._space.store.view() as view:
                    place_of(view, document.job.instead, self._chosen.body_code if self._chosen else None)
            except KnownError as error:
                main.refuse(error)
        if main.job.profile is not Profile.AGENCY:
            for file in document.files:
                if file.ready and file.job.profile is Profile.APPENDIX:
                    file.refuse(KnownError("appendix_without_main"))
        if any(file.outcome.state is FileState.REFUSED for file in document.files):
            for file in document.files:
                if file.ready:
                    file.refuse(KnownError("part_refused"))

    def _free_number(self, document: DocumentWork) -> None:
        if self._chosen is not None:
            with self._space.store.view() as view:
                NumberKeeping.of(self._chosen, self._today).require_free(view, document, self._space.now())

    def _issued_before(self, file: FileWork, replaces: str | None) -> None:
        """The very same letter under another number may be a mistake; the clerk is told, not stopped."""
        if file.plan is None:
            return
        with self._space.store.view() as view:
            known = view.documents.issued_of(file.plan.blob)
        if known is not None and known.label is not None and known.id != replaces:
            warning = Finding("issued_before", Severity.WARNING, {"number": known.label})
            file.outcome = replace(file.outcome, warnings=(*file.outcome.warnings, warning))

    def _signed_before(self, job: DocumentJob, file: FileWork, sha256: str) -> str | None:
        """The id of this very file as a batch has signed it that ended before it could tell; None if none has."""
        with self._space.store.view() as view:
            for row in view.batches.signed_untold(sha256, file.job.profile, file.job.output):
                stored = view.documents.file(row.file_id or "")
                document = view.documents.get(stored.document_id) if stored else None
                if document is None or not _same_wish(job, document):
                    continue
                self.resumed.add(row.batch_id)
                file.done_before = True
                file.outcome = replace(
                    file.outcome,
                    state=FileState.SIGNED,
                    level=row.level,
                    sha256_out=row.output_sha256,
                    sha256_repaired=stored.blob_in if stored is not None and stored.original else None,
                    seconds=row.seconds or 0.0,
                )
                return row.file_id
        return None


def _needs_repair(result: PreflightResult) -> bool:
    """Whether nothing else is wrong with a file than that it is broken, and may be rewritten."""
    refused = [finding.code for finding in result.findings if finding.severity is Severity.REFUSED]
    return "pdf_needs_repair" in refused


def why_unreadable(result: PreflightResult) -> KnownError:
    """What is wrong with a file whose pages nobody could look at."""
    refusal = next((f for f in result.findings if f.severity is Severity.REFUSED), None)
    return KnownError("pdf_unreadable") if refusal is None else KnownError(refusal.code, **refusal.params)


def _as_on_the_main_page(document: DocumentWork, file: FileWork) -> DocumentJob:
    """An appendix carries its letter's number, also one that is typed on the letter's page."""
    job, facts = document.job, document.main.facts
    if file is document.main or has_own_number(document.main.job.profile):
        return job
    return msgspec.structs.replace(job, number=job.number or facts.number, notation=job.notation or facts.notation)


def _same_wish(job: DocumentJob, document: Document) -> bool:
    """Whether a document that was made before is what is wanted now; what wasn't said then and now is the same."""
    wanted = ((job.number, document.number), (job.notation, document.notation), (job.date, document.doc_date))
    return all(want is None or want == have for want, have in wanted)


def _require_output(output: Path) -> None:
    """Before any PIN: KnownError where the signed copy can't be written under its name."""
    for finding in of_output(output):
        if finding.severity is Severity.REFUSED:
            raise KnownError(finding.code, **finding.params)


def day_of(document: DocumentWork, today: dt.date) -> dt.date:
    """The document's date: as given, else as typed on the page, else today."""
    own = has_own_number(document.main.job.profile)
    return document.job.date or (None if own else document.main.facts.date) or today
