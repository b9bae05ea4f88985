"""The way of one document from its plan to finished and checked files, which nobody has yet.

Main process, on a thread of the pipeline; blocks on workers, token and network. Writes into a folder of its own and
keeps nothing: the store, the journal and the person are told by the thread that signs.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from signer_app.levels.raising import Raiser
from signer_app.pdf.model import Finding, Profile, Severity
from signer_app.signing.batch import FileWork, Made, Stamped
from signer_app.signing.certificates import SigningCertificate
from signer_app.signing.clock import TimeSource
from signer_app.signing.images import Images
from signer_app.signing.pipeline import Ride
from signer_app.signing.timestamps import BatchStamps
from signer_app.signing.waiting import Wait, Waits
from signer_app.store.durable import is_full
from signer_app.tasks import Finish, Prepare, Recheck
from signer_app.verification.model import Level
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError


@contextmanager
def any_disk_error(folder: Path) -> Iterator[None]:
    """Whatever the disk refuses is a KnownError: "disk_full" or "disk_fault"."""
    try:
        yield
    except OSError as error:
        raise KnownError("disk_full" if is_full(error) else "disk_fault", folder=str(folder)) from error


@dataclass(frozen=True)
class Carrier:
    """What all documents of a batch share: certificate, pictures, timestamps (None: none are wanted), and who raises
    to `level` at once (None: nobody).
    """

    space: Workspace
    chosen: SigningCertificate
    images: Images
    stamps: BatchStamps | None
    raiser: Raiser | None
    level: Level
    folder: Path
    bench: AbstractContextManager[object]
    """Held while a worker works: no more of them at once than the machine has processors."""
    waits: Waits

    def carry(self, ride: Ride) -> tuple[Made, ...]:
        """The document's files, in the ride's own folder. Raises KnownError, TokenError, TurnedAwayError."""
        with any_disk_error(self.folder):
            ride.folder = Path(tempfile.mkdtemp(prefix="document-", dir=self.folder))
            made = []
            for index, file in enumerate(ride.work.files):
                part = ride.folder / str(index)
                part.mkdir(mode=0o700)
                made.append(self._sign(ride, file, part))
            return tuple(made)

    def _sign(self, ride: Ride, file: FileWork, folder: Path) -> Made:
        assert file.plan is not None
        assert file.before is not None
        space, certificate, chain = self.space, self.chosen.certificate, self.chosen.chain
        started = time.monotonic()
        source = space.store.blobs.path(file.plan.blob)
        current, stamped, moment = source, None, space.now()
        for number, step in enumerate(file.plan.steps):
            moment, target = space.now(), folder / f"{number}.pdf"
            with self.bench:
                prepared = space.workers.prepare(
                    Prepare(
                        source=str(current),
                        output=str(target),
                        step=step,
                        images=self.images.shown_by(step),
                        moment=moment,
                        certificate=certificate.der,
                        chain=chain,
                        source_sha256=file.plan.blob if number == 0 else None,
                    )
                ).prepared
            signature = ride.sign(prepared.to_be_signed)
            stamped = self._stamped(signature)
            with self.bench:
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
        with self.bench:
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
            # The input was screened, and nothing but the stamps has come to it: one of them makes a mark.
            raise KnownError("secret")
        made = Made(file, current, checked.sha256, answer.report, stamped, moment, time.monotonic() - started)
        return made if self.raiser is None else self._raised(self.raiser, made, folder)

    def _stamped(self, signature: bytes) -> Stamped | None:
        if self.stamps is None:
            return None
        with self.waits.on(Wait.TSA):
            stamped = self.stamps.stamp(signature)
        if stamped is not None:
            self.space.clock.saw(stamped.time, self.space.now(), TimeSource.TSA)
        return stamped

    def _raised(self, raiser: Raiser, made: Made, folder: Path) -> Made:
        """The file with what the wanted level needs appended, as far as it can be had now; nobody has it yet."""
        raised = raiser.raise_to(made.path, self.level, folder)
        if raised.reason is not None:
            # Signed at a lower level: told, and no failure.
            params = {key: str(value) for key, value in raised.reason.params.items()}
            warning = Finding(raised.reason.code, Severity.WARNING, params)
            made = replace(made, warnings=(*made.warnings, warning))
        report = raised.standing.report
        if raised.path is None or report.sha256 is None:
            return made
        return replace(made, path=raised.path, sha256=report.sha256, report=report, level=raised.level.value)
