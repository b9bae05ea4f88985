"""What the signatures of an incoming document are worth: each PDF checked by a worker, and one verdict for all.

Main process, any thread; blocks. A check always has an answer: what a worker can't do in its time and memory is
`unreadable` and `indeterminate`, and hinders nothing else. Evidence is kept of what was screened before.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from signer_app.evidence.keeping import EvidenceKeeper
from signer_app.evidence.pieces import named
from signer_app.store.incoming_model import ArrivalVerdict, IncomingFile, Judged
from signer_app.tasks import Verify
from signer_app.verification.model import FileReport, Integrity, TrustMaterial, Verdict
from signer_app.verification.undecided import could_be_decided
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError

_AGAIN = (dt.timedelta(minutes=10), dt.timedelta(hours=1), dt.timedelta(hours=6), dt.timedelta(days=1))
"""After how long an undecided document is looked at again; daily from then on."""
_MOST_RECHECKS = 40
"""After a month of days nobody expects news by itself; a person may still ask."""
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


def check_files(
    space: Workspace, files: Sequence[IncomingFile], *, ask_network: bool = True, rechecks: int = 0
) -> Checked:
    """Checks the PDFs among `files`, which are blobs; `rechecks`: how often these were looked at again before."""
    reports: list[_Report] = []
    done: list[IncomingFile] = []
    for file in files:
        if not file.is_pdf:
            done.append(file)
            continue
        report, material = _look(space, space.store.blobs.path(file.sha256), ask_network=ask_network)
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
    return Checked(_judged([one.report for one in reports], now, rechecks), tuple(done), tuple(reports))


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


def _look(space: Workspace, path: Path, *, ask_network: bool) -> tuple[FileReport, TrustMaterial]:
    report, material = _verified(space, path)
    if ask_network and report.wanted_urls and space.revocation.fetch(report.wanted_urls):
        return _verified(space, path)
    return report, material


def _verified(space: Workspace, path: Path) -> tuple[FileReport, TrustMaterial]:
    material = space.trust
    try:
        return space.workers.verify(Verify(str(path), material, space.now())).report, material
    except KnownError:
        # Late, or dead of the file: an answer all the same, and never a better one.
        limit = FileReport(str(path), Verdict.INDETERMINATE, Integrity.UNREADABLE, "verify_limit", {}, (), ())
        return limit, material


def _judged(reports: Sequence[FileReport], now: dt.datetime, rechecks: int) -> Judged:
    if not reports:
        return Judged(verdict=ArrivalVerdict.NO_PDF, code=None, at=now)
    worst = min(reports, key=lambda report: _WORST.index(report.verdict))
    again = None
    if worst.verdict is Verdict.INDETERMINATE and rechecks < _MOST_RECHECKS and any(map(could_be_decided, reports)):
        again = now + _AGAIN[min(rechecks, len(_AGAIN) - 1)]
    return Judged(verdict=ArrivalVerdict(worst.verdict.value), code=worst.message_code, at=now, recheck_at=again)
