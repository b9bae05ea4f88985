"""The clerk's day on the sample letters: number, date and seal for each, one PIN, then sent, received, checked.

Main process, through the same engine, store and loop as every other command. A letter that an earlier run has done is
recognised by its bytes and not done again. The secret letter is tried, and must be refused without a trace.
"""

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from signer_app.demo.batch import certificate, sign_all
from signer_app.demo.pki_names import Holder
from signer_app.demo.workspace import Demo
from signer_app.exchange.passes import one_pass
from signer_app.exchange.session import enrol
from signer_app.pdf.model import Profile
from signer_app.signing.batch import Outcome
from signer_app.signing.certificates import SigningCertificate
from signer_app.signing.jobs import DocumentJob, FileJob, printed_number
from signer_app.signing.login import log_in
from signer_app.store.model import Document, FileRole, OutboxPacket, StoredFile
from signer_app.tasks import Verify
from signer_app.verification.model import Verdict
from signer_app.workspace import Workspace
from signer_resources import samples
from signer_resources.errors import KnownError
from signer_token.model import Login, Pin

Progress = Callable[[str, int, int], None]

TYPED_YEAR = 2026
"""Every sample has its year typed by its drafter, as letters do; one has its month typed as well."""


@dataclass(frozen=True)
class Row:
    """What became of one sample: its number, the verdict on each signed file, the server's receipt, or the refusal."""

    sample: str
    secret: bool
    number: str | None
    verdict: Verdict | None
    received: dt.datetime | None
    error: KnownError | None

    @property
    def as_expected(self) -> bool:
        """A secret letter is refused for being secret; every other one is valid and at the server."""
        if self.secret:
            return self.error is not None and self.error.code == "secret"
        return self.error is None and self.verdict is Verdict.VALID and self.received is not None


def _clerk(space: Workspace, demo: Demo) -> SigningCertificate:
    """The body's certificate on its software token."""
    return certificate(space, demo.pki.leaf(Holder.AGENCY).sha256, Profile.AGENCY)


def enrol_machine(space: Workspace, demo: Demo) -> bool:
    """Makes the machine known to the document server, once; True if it had to be done."""
    server = space.settings.server
    if server is not None and server.devices:
        return False
    chosen = _clerk(space, demo)
    with log_in(space, chosen, Login(Pin(demo.pin.reveal()))) as session:
        enrol(space, chosen, session)
    return True


def work(space: Workspace, demo: Demo, progress: Progress) -> list[Row]:
    """The whole day: signs, sends, checks. One row a sample, in the samples' order."""
    chosen, known = _clerk(space, demo), samples.load()
    space.store.finish_exports()
    numbers = {s.id: printed_number(str(i)) for i, s in enumerate((s for s in known.samples if not s.secret), start=1)}
    open_samples = [s for s in known.samples if s.secret or _done(space, demo, s) is None]
    today = space.now().date()
    jobs = [_job(demo, s, numbers.get(s.id, "99"), today) for s in open_samples]
    result = sign_all(space, chosen, jobs, demo.pin, progress)
    outcomes = {outcome.input: outcome for outcome in result.files}
    report = one_pass(
        space,
        space.settings.bodies[0],
        at_once=True,
        progress=lambda n, all_: progress("progress_send", n, all_),
    )
    if report.stopped is not None:
        raise report.stopped
    return [_row(space, demo, s, outcomes) for s in known.samples]


def _inputs(demo: Demo, sample: samples.Sample) -> list[Path]:
    # The secret letter is read where it lies in the program's resources and goes nowhere.
    return [samples.file(name) if sample.secret else demo.samples / name for name in sample.files]


def issue_date(sample: samples.Sample, today: dt.date) -> dt.date:
    """Today where the typed year and month allow it, else a day that they allow: a typed date is never overprinted."""
    if today.year == TYPED_YEAR and sample.month in (None, today.month):
        return today
    return dt.date(TYPED_YEAR, sample.month or 12, 20)


def _job(demo: Demo, sample: samples.Sample, number: str, today: dt.date) -> DocumentJob:
    main, *rest = _inputs(demo, sample)
    files = [FileJob(str(main), str(demo.signed / main.name), FileRole.MAIN, Profile.AGENCY)]
    files += [FileJob(str(p), str(demo.signed / p.name), FileRole.APPENDIX, Profile.APPENDIX) for p in rest]
    return DocumentJob(tuple(files), number, sample.notation, issue_date(sample, today), sample.receivers)


def _done(
    space: Workspace, demo: Demo, sample: samples.Sample
) -> tuple[Document, tuple[StoredFile, ...], OutboxPacket | None] | None:
    """The document that an earlier run made of this sample."""
    digest = hashlib.sha256(_inputs(demo, sample)[0].read_bytes()).hexdigest()
    with space.store.view() as view:
        for document in view.documents.list():
            files = view.documents.files(document.id)
            if files and files[0].blob_in == digest and files[0].profile == Profile.AGENCY:
                return document, files, next(iter(view.outbox.of_document(document.id)), None)
    return None


def _row(space: Workspace, demo: Demo, sample: samples.Sample, outcomes: dict[str, Outcome]) -> Row:
    outcome = outcomes.get(str(_inputs(demo, sample)[0]))
    error = KnownError(outcome.code, **outcome.params) if outcome is not None and outcome.code is not None else None
    done = None if sample.secret else _done(space, demo, sample)
    if done is None:
        return Row(sample.id, sample.secret, None, None, None, error)
    document, files, packet = done
    verdicts = []
    for file in files:
        path = str(space.store.blobs.path(file.blob_out or ""))
        verdicts.append(space.workers.verify(Verify(path, space.trust, space.now())).report.verdict)
    worst = next((v for v in verdicts if v is not Verdict.VALID), Verdict.VALID)
    return Row(
        sample.id,
        sample.secret,
        document.label,
        worst,
        packet.accepted_at if packet is not None else None,
        error,
    )
