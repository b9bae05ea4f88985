"""Signing from the window: which certificate, what will be signed, then one PIN and the batch; enrolment and trial too.

Main process, on the thread that talks to token hosts; every method may block. The PIN goes to the token host and
nowhere else: no answer of this module and no error in it holds one. What is signed and kept is the engine's work.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from signer_app.custody.book import require_holder
from signer_app.desk.choosing import Choosing, profiles_of
from signer_app.desk.outcomes import by_document, document_outcome, left_outcome
from signer_app.desk.running import Running
from signer_app.desk.signing_values import BatchSummary, Choice, DocumentOutcome, Planned, Ready, Standing
from signer_app.desk.trial import Trial, sign_sample
from signer_app.exchange.session import Enrolled, enrol
from signer_app.outgoing.model import Row
from signer_app.outgoing.outgoing import Outgoing
from signer_app.pdf.model import Profile
from signer_app.signing.batch import DocumentWork, Progress, never
from signer_app.signing.certificates import SigningCertificate
from signer_app.signing.clock import ensure_clock
from signer_app.signing.engine import Options, SigningRun
from signer_app.signing.jobs import DocumentJob, UsageError
from signer_app.signing.login import log_in, tell_journal
from signer_app.signing.resume import Unfinished, unfinished, without_lost_copies
from signer_app.store.model import FileState, JournalAction
from signer_app.store.settings import Settings
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_resources.messages import Lang
from signer_token.client import TokenError, TokenSession
from signer_token.model import Login, Pin, Token


@dataclass(frozen=True)
class Enrolment:
    """This machine is known to the server; `settings` are those on disk now."""

    enrolled: Enrolled
    settings: Settings


@dataclass(frozen=True)
class _Wish:
    """What is wanted, before anybody has looked."""

    jobs: tuple[DocumentJob, ...]
    send: bool = True
    level: str | None = None
    continues: str | None = None


def _quiet(_key: str, _done: int, _total: int) -> None:
    pass


def _unheard(_outcome: DocumentOutcome) -> None:
    pass


class Signing:
    """What the window does with tokens. One call at a time."""

    def __init__(self, space: Workspace, outgoing: Outgoing) -> None:
        self._space = space
        self._outgoing = outgoing
        self._choosing = Choosing(space)
        self._running: tuple[Running, Ready] | None = None
        self._looked: tuple[str, SigningRun] | None = None
        """The last look before a PIN: what it saw is kept until it is signed, or until the next one."""

    # ---- before the PIN --------------------------------------------------------------------------------------------

    def prepare(
        self,
        draft_ids: Sequence[str],
        certificate: str | None = None,
        *,
        send: bool = True,
        progress: Progress = _quiet,
        cancelled: Callable[[], bool] = never,
    ) -> Ready | Choice:
        """What a PIN would sign of these drafts; `certificate` (SHA-256) where the person has named one.

        `send` False: they are signed and kept, not sent. A Choice when more than one certificate could sign. Raises
        TokenError (no token, driver's fault), KnownError where the certificate may not sign, "us_mixed_kinds",
        "interrupted", and as `Outgoing.jobs`.
        """
        jobs = self._outgoing.jobs(draft_ids, send=send)
        profiles = profiles_of(jobs)
        if certificate is None:
            found = self._choosing.among_all(profiles, draft_ids)
            if len(found) > 1:
                return Choice(found)
            certificate = found[0].certificate.sha256
        chosen = self._choosing.fit(certificate, profiles)
        return self._look(_Wish(jobs, send=send), chosen, progress, cancelled)

    def prepare_rest(
        self,
        batch: str | None = None,
        *,
        failed: bool = False,
        progress: Progress = _quiet,
        cancelled: Callable[[], bool] = never,
    ) -> Ready:
        """What a PIN would sign of the batch that stopped (None: the last); `failed`: also what has failed in it.

        Raises as `prepare`, "us_nothing_left".
        """
        try:
            with self._space.store.view() as view:
                rest = unfinished(view, batch, failed=failed)
        except UsageError:
            rest = None
        if rest is None or not rest.jobs:
            raise KnownError("us_nothing_left")
        chosen = self._choosing.fit(rest.certificate, profiles_of(rest.jobs))
        rows = self._outgoing.examine(rest.drafts, chosen, progress, cancelled).rows
        wish = _Wish(self._rest_as_now(rest, rows), rest.send, rest.level, rest.batch.id)
        ready = self._look(wish, chosen, progress, cancelled)
        left = tuple(left_outcome(row) for row in rows if not row.signable)
        return replace(ready, refused=(*ready.refused, *left))

    def _rest_as_now(self, rest: Unfinished, rows: Sequence[Row]) -> tuple[DocumentJob, ...]:
        """What is left of a batch; a draft as it stands now, but under the plan that was seen when the batch began."""
        signable = [row.draft.id for row in rows if row.signable]
        began = {job.draft: job for job in rest.jobs if job.draft is not None}
        drafts = (_as_seen(began[job.draft or ""], job) for job in self._outgoing.jobs(signable, send=rest.send))
        has = self._space.store.blobs.has
        return (*drafts, *(without_lost_copies(job, has) for job in rest.jobs if job.draft is None))

    def chosen_for(self, profiles: Sequence[Profile]) -> SigningCertificate | None:
        """The certificate that would sign these, None while there is none or it is open which; asks no network."""
        return self._choosing.only_one(profiles)

    def token_of(self, certificate: str) -> Token:
        """The token with this certificate (SHA-256), read now; raises as `Choosing.token_of`."""
        return self._choosing.token_of(certificate)

    def _look(
        self, wish: _Wish, chosen: SigningCertificate, progress: Progress, cancelled: Callable[[], bool]
    ) -> Ready:
        require_holder(self._space.store, chosen.certificate.sha256, chosen.token.serial)
        ensure_clock(self._space.store, self._space.now(), self._space.clock)
        planned = self._planned(wish.jobs)
        run = SigningRun(
            self._space,
            chosen,
            wish.jobs,
            Options(wish.level),
            progress,
            preflights=self._outgoing.preflights,
            cancelled=cancelled,
        )
        self.put_away()
        run.examine()
        kept, outcomes = run.look_kept()
        self._looked = kept, run
        looked = by_document(planned, outcomes)
        return Ready(
            chosen,
            self._choosing.token_of(chosen.certificate.sha256),
            tuple(one for one, outcome in zip(planned, looked, strict=True) if outcome.state is FileState.PENDING),
            tuple(outcome for outcome in looked if outcome.state is not FileState.PENDING),
            send=wish.send,
            level=wish.level,
            continues=wish.continues,
            looked=kept,
        )

    def put_away(self, look: str | None = None) -> None:
        """What was seen before a PIN that isn't given is not kept: under this id alone, or (None) whatever there is."""
        looked = self._looked
        if looked is not None and look in (None, looked[0]):
            self._looked = None
            looked[1].forget()

    def _planned(self, jobs: Sequence[DocumentJob]) -> tuple[Planned, ...]:
        with self._space.store.view() as view:
            drafts = {draft.id: draft for draft in view.drafts.list()}
        planned = []
        for job in jobs:
            draft = drafts.get(job.draft or "")
            given = f"{job.number}/{job.notation}" if job.number and job.notation else None
            planned.append(Planned(job, (draft.label if draft else given) or job.files[0].name))
        return tuple(planned)

    def clock_warning(self) -> KnownError | None:
        """What is to be said of the machine's clock before a PIN is asked for; asks nobody."""
        return self._space.clock.warning(self._space.now())

    # ---- with the PIN ----------------------------------------------------------------------------------------------

    def sign(
        self,
        ready: Ready,
        login: Login,
        *,
        progress: Progress = _quiet,
        cancelled: Callable[[], bool] = never,
        document_done: Callable[[DocumentOutcome], None] = _unheard,
    ) -> BatchSummary:
        """One login, then one document after the other; what stopped it is in the answer, never raised.

        `cancelled` is asked between documents. Raises KnownError only before the login: "us_changed" when the drafts
        are not what they were when the PIN was asked for, "interrupted", a disk's fault.
        """
        drafts = tuple(one.job for one in ready.documents if one.job.draft is not None)
        with login, self._outgoing.signing([job.draft or "" for job in drafts], send=ready.send) as now:
            if _without_outputs(now) != _without_outputs(drafts) or not self._as_asked(ready):
                raise KnownError("us_changed")
            with self._space.tokens_held():
                return self._sign(ready, login, progress, cancelled, document_done)

    def _as_asked(self, ready: Ready) -> bool:
        """Whether body and driver are those for which the PIN was asked."""
        space = self._space
        body = space.settings.body_of(ready.chosen.certificate.sha256)
        return body == ready.chosen.body and ready.chosen.token.module in space.hosts.modules

    def _sign(
        self,
        ready: Ready,
        login: Login,
        progress: Progress,
        cancelled: Callable[[], bool],
        document_done: Callable[[DocumentOutcome], None],
    ) -> BatchSummary:
        running = Running(self._outgoing, ready.documents, cancelled)
        progress("us_signing", 0, len(ready.documents))

        def told(work: DocumentWork) -> None:
            planned = running.done_with(work)
            self._outgoing.follow(work)
            document_done(document_outcome(planned, [file.outcome for file in work.files]))
            standing = running.standing()
            progress("us_signing", standing.done, standing.total)

        run = SigningRun(
            self._space,
            ready.chosen,
            [one.job for one in ready.documents],
            Options(ready.level, ready.send),
            continues=ready.continues,
            looked=ready.looked,
            preflights=self._outgoing.preflights,
            control=running.control,
            waits=running.waits,
            document_done=told,
        )
        stopped = None
        # From here on a pause counts, also one that is wanted while it is looked at.
        self._running = running, ready
        try:
            # What was seen before the PIN goes where it still holds: a number may have been taken while it was typed.
            # The batch begins with the login: a PIN that was refused leaves nothing to go on with, the drafts wait in
            # their list as before.
            if found := run.examine():
                running.begin(run, found)
                stopped = run.sign_with(login)
        finally:
            self._running = None
            running.close()
            self.put_away()
        result = run.finish(_without_frames(stopped))
        run.reported()
        outcomes = (*by_document(running.documents(result.files), result.files), *ready.refused)
        wanted = self._space.settings.tsa_url is not None and ready.level != "b-b"
        missing = wanted and any(o.level == "b-b" for o in outcomes)
        return BatchSummary(result.batch, result.stopped, outcomes, missing, ready.unchecked)

    # ---- while it is signed -----------------------------------------------------------------------------------------

    def standing(self) -> Standing | None:
        """How the batch that is being signed stands; None while none is. Never blocks."""
        found = self._running
        return found[0].standing() if found is not None else None

    def pause(self) -> None:
        """Nothing more is begun until `go_on`. Never blocks."""
        found = self._running
        if found is not None:
            found[0].control.pause()

    def go_on(self) -> None:
        """Ends a pause. Never blocks."""
        found = self._running
        if found is not None:
            found[0].control.go_on()

    def skip(self, drafts: Sequence[str]) -> None:
        """Leaves these out, as far as the token hasn't begun with them. Never blocks."""
        found = self._running
        if found is not None:
            found[0].skip(drafts)

    def jump_in(self, draft_id: str) -> None:
        """Has a draft signed next by the batch that is being signed; blocks until it has been looked at.

        KnownError "batch_over", "certificate_none_fits", why it can't be signed, and as `Outgoing.signing`.
        """
        found = self._running
        if found is None:
            raise KnownError("batch_over")
        running, ready = found
        with self._space.store.view() as view:
            draft = view.drafts.get(draft_id)
        if draft is None:
            raise KnownError("out_gone")

        def fits(job: DocumentJob) -> None:
            self._choosing.require_fits(ready.chosen, ready.token, profiles_of([job]))

        running.jump_in(draft_id, send=ready.send, label=draft.label or draft.main.name, fits=fits)

    def save_report(
        self,
        batch: str,
        target: Path,
        lang: Lang,
        *,
        progress: Progress = _quiet,
        cancelled: Callable[[], bool] = never,
    ) -> None:
        """Writes the report of a batch; what it is, the name's end says. Raises as `write_report`, "us_nothing_left"
        where the batch is gone.
        """
        from signer_app.batch_reports.reading import report_of
        from signer_app.batch_reports.writing import write_report

        store = self._space.store
        head = report_of(store, batch)
        if head is None:
            raise KnownError("us_nothing_left")
        write_report(store, head, target, lang, self._space.now(), progress=progress, cancelled=cancelled)

    def test_signature(self, certificate: str, login: Login) -> Trial:
        """Signs a sample and checks it; nothing is kept but the journal's entry. Raises as `sign_sample`."""
        with login:
            chosen = self._choosing.fit(certificate, [Profile.PLAIN])
            with self._session(chosen, login) as session:
                trial = sign_sample(self._space, chosen, session)
        tell_journal(self._space, chosen, JournalAction.SIGN, "ok", trial.sha256)
        return trial

    def enrol(self, certificate: str, login: Login) -> Enrolment:
        """Makes this machine known to the document server for the certificate's body; raises as `session.enrol`."""
        with login:
            chosen = self._choosing.fit(certificate, [Profile.AGENCY])
            with self._session(chosen, login) as session:
                done = enrol(self._space, chosen, session)
        self._space.reload()
        return Enrolment(done, self._space.settings)

    def change_pin(self, certificate: str, old: Pin, new: Pin, *, final_try: bool) -> None:
        """Gives the token with this certificate another PIN; raises as `token_of` and `TokenHosts.change_pin`."""
        with old, new:
            chosen = self._choosing.known(certificate)
            # "ok" lifts a forced change in the hand-over book: written only when the token has said yes.
            result = "program_fault"
            try:
                self._space.hosts.change_pin(chosen.token, certificate, old, new, final_try=final_try)
                result = "ok"
            except TokenError as error:
                result = error.code
                raise
            finally:
                with suppress(KnownError):
                    # The token has the new PIN, or has not: a full disk must not say otherwise.
                    tell_journal(self._space, chosen, JournalAction.CHANGE_PIN, result)

    @contextmanager
    def _session(self, chosen: SigningCertificate, login: Login) -> Iterator[TokenSession]:
        """A login that the journal tells, and what came of it when it failed."""
        require_holder(self._space.store, chosen.certificate.sha256, chosen.token.serial)
        with self._space.tokens_held(), log_in(self._space, chosen, login) as session:
            try:
                yield session
            except TokenError as error:
                with suppress(KnownError):
                    # A full disk must not hide what the token said.
                    tell_journal(self._space, chosen, JournalAction.SIGN, error.code)
                raise


def _without_outputs(jobs: Sequence[DocumentJob]) -> tuple[DocumentJob, ...]:
    """The jobs without where their copies go, which depends on what else waits."""
    return tuple(
        msgspec.structs.replace(job, files=tuple(msgspec.structs.replace(file, output="") for file in job.files))
        for job in jobs
    )


def _as_seen(began: DocumentJob, now: DocumentJob) -> DocumentJob:
    """`now`, with the plans that were seen when the batch began; where the draft was changed since, there are none."""
    if any(file.plan is None for file in began.files):
        return now
    seen = {file.blob: file.plan for file in began.files}
    files = tuple(msgspec.structs.replace(file, plan=seen.get(file.blob, file.plan)) for file in now.files)
    return msgspec.structs.replace(now, files=files)


def _without_frames(error: KnownError | None) -> KnownError | None:
    """The error without the calls that it came through: their variables, the PIN among them, go with them."""
    if error is not None:
        error.__traceback__ = error.__context__ = error.__cause__ = None
    return error
