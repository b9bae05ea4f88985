"""What the signatures of an incoming document are worth: each PDF checked by a worker, and one verdict for all.

Main process, any thread; blocks, but for no longer than it may. A check always has an answer: what a worker can't do
in its time and memory is `unreadable` and `indeterminate`, hinders nothing else and is looked at again. Evidence is
kept of what was screened before.
"""

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from signer_app.evidence.keeping import EvidenceKeeper
from signer_app.evidence.pieces import named
from signer_app.store.incoming_model import CHECK_WAITS, ArrivalVerdict, IncomingFile, Judged
from signer_app.tasks import Verify
from signer_app.verification.model import FileReport, Integrity, TrustMaterial, Verdict
from signer_app.verification.undecided import could_be_decided
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError

_AGAIN = (dt.timedelta(minutes=10), dt.timedelta(hours=1), dt.timedelta(hours=6), dt.timedelta(days=1))
"""After how long an undecided document is looked at again; daily from then on."""
_MOST_RECHECKS = 40
"""After a month of days nobody expects news by itself; a person may still ask."""
_MOST_LATE = 4
"""Looks at a file that can't be checked in its time: the machine may have been busy, the file won't get any smaller."""
_LATE = "verify_limit"
_LEAST_S = 0.5
"""With less left a look isn't begun."""
_WORST = (Verdict.INVALID, Verdict.INDETERMINATE, Verdict.UNSIGNED, Verdict.CHANGED, Verdict.VALID)
"""Which file's verdict is the document's: an unsigned PDF beside a signed one makes no document valid, whichever of the
two the letter is.
"""


@dataclass(frozen=True)
class _Report:
    name: str
    report: FileReport
    material: TrustMaterial


@dataclass(frozen=True)
class Checked:
    """What a check found, for the rows; `reports` are what evidence can be kept of."""

    judged: Judged
    files: tuple[IncomingFile, ...]
    reports: tuple[_Report, ...] = field(repr=False, default=())

    @property
    def waits(self) -> bool:
        """Whether some file was not looked at to its end for want of time."""
        return self.judged.code == CHECK_WAITS


def check_files(
    space: Workspace,
    files: Sequence[IncomingFile],
    *,
    ask_network: bool = True,
    rechecks: int = 0,
    patience_s: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Checked:
    """Checks the PDFs among `files`, which are blobs; `rechecks`: how often these were looked at again before.

    `patience_s`: for all of them together; without it each has as long as a worker gives it. A first look for which
    that, or the network that wasn't asked, was too little is due to be made again at once.
    """
    until = clock() + patience_s if patience_s is not None else None
    reports: list[_Report] = []
    done: list[IncomingFile] = []
    for file in files:
        if not file.is_pdf:
            done.append(file)
            continue
        left = until - clock() if until is not None else None
        too_late = _LATE if rechecks else CHECK_WAITS
        report, material = _look(space, space.store.blobs.path(file.sha256), left, too_late, ask_network=ask_network)
        reports.append(_Report(file.name, report, material))
        done.append(
            msgspec.structs.replace(
                file,
                verdict=report.verdict.value,
                integrity=report.integrity.value,
                message_code=report.message_code,
                message_params=report.message_params,
            )
        )
    now = space.now()
    judged = _judged([one.report for one in reports], now, rechecks, asked=ask_network)
    return Checked(judged, tuple(done), tuple(reports))


def keep_evidence(space: Workspace, checked: Checked) -> None:
    """Keeps what the check found with the CRLs and OCSP answers that it rests on. Only of a document that was screened.

    A full disk hinders no filing: the verdict stands in the row, and the next look keeps what is missing.
    """
    keeper = EvidenceKeeper(space)
    for one in checked.reports:
        if one.report.sha256 is None or not any(signature.chain for signature in one.report.signatures):
            continue
        try:
            keeper.keep(one.report, one.name, partial(named, material=one.material))
        except KnownError:
            return


def _look(
    space: Workspace, path: Path, left_s: float | None, too_late: str, *, ask_network: bool
) -> tuple[FileReport, TrustMaterial]:
    report, material = _verified(space, path, left_s, too_late)
    if ask_network and report.wanted_urls and space.revocation.fetch(report.wanted_urls):
        return _verified(space, path, left_s, too_late)
    return report, material


def _verified(space: Workspace, path: Path, left_s: float | None, too_late: str) -> tuple[FileReport, TrustMaterial]:
    material = space.trust
    code = too_late
    if left_s is None or left_s >= _LEAST_S:
        try:
            return space.workers.verify(Verify(str(path), material, space.now()), left_s).report, material
        except KnownError as error:
            # Late, or dead of the file: an answer all the same, and never a better one.
            code = too_late if left_s is not None and error.code == "worker_timeout" else _LATE
    return FileReport(str(path), Verdict.INDETERMINATE, Integrity.UNREADABLE, code, {}, (), ()), material


def _judged(reports: Sequence[FileReport], now: dt.datetime, rechecks: int, *, asked: bool) -> Judged:
    if not reports:
        return Judged(verdict=ArrivalVerdict.NO_PDF, code=None, at=now)
    worst = min(reports, key=lambda report: _WORST.index(report.verdict))
    verdict = ArrivalVerdict(worst.verdict.value)
    if verdict is not ArrivalVerdict.INDETERMINATE:
        return Judged(verdict=verdict, code=worst.message_code, at=now)
    waits = any(report.message_code == CHECK_WAITS for report in reports)
    again = _again(reports, now, rechecks, at_once=waits or (not asked and not rechecks and _wants(reports)))
    return Judged(verdict=verdict, code=CHECK_WAITS if waits else worst.message_code, at=now, recheck_at=again)


def _again(reports: Sequence[FileReport], now: dt.datetime, rechecks: int, *, at_once: bool) -> dt.datetime | None:
    """When undecided files are looked at again by themselves; None: never."""
    if at_once:
        return now
    late = any(report.message_code == _LATE for report in reports) and rechecks < _MOST_LATE
    news = any(map(could_be_decided, reports)) and rechecks < _MOST_RECHECKS
    return now + _AGAIN[min(rechecks, len(_AGAIN) - 1)] if late or news else None


def _wants(reports: Sequence[FileReport]) -> bool:
    """Whether the network may have what is missing."""
    return any(report.wanted_urls for report in reports)
