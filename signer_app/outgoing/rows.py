"""A row of the grid: a draft with what its examination said, what the checks say, and how it stands by all that.

Pure functions on any thread; nothing is read or asked here.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from signer_app.outgoing import checks, numbers
from signer_app.outgoing.checks import Ground
from signer_app.outgoing.model import Draft, Finding, Row, Severity, State
from signer_app.pdf.names import fold
from signer_app.pdf.plan import Placement, SigningPlan
from signer_app.signing.batch import FileWork
from signer_app.store.model import FileState
from signer_app.store.times import vietnamese_date

_DERIVED = frozenset({"part_refused", "number_used"})
"""Refusals of a file that are told elsewhere: at the other part, by the checks of the document."""


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """What an examination, or a signing that failed, said of one file: no more than a row shows, for there may be ten
    thousand of them.
    """

    findings: tuple[Finding, ...]
    plan: SigningPlan | None
    placements: tuple[Placement, ...] | None
    """None where no preflight was made."""

    @classmethod
    def of(cls, work: FileWork) -> "FileAnswer":
        """What `work` says; its findings with the reason for which it was refused or has failed."""
        placements = work.result.placements if work.result is not None else None
        if work.plan is not None and work.plan.placements == placements:
            # Equal, but read twice.
            placements = work.plan.placements
        return cls(_findings(work), work.plan, placements)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said of a draft, and in answer to which question; by id of the file."""

    question: tuple[object, ...]
    files: Mapping[str, FileAnswer]


def question(draft: Draft, today: dt.date) -> tuple[object, ...]:
    """What of a draft an examination depends on."""
    files = tuple((file.id, file.blob, file.role, file.profile, file.place) for file in draft.files)
    return draft.number, draft.notation, draft.date, draft.urgency, draft.copy, today, files


def make_row(draft: Draft, ground: Ground, answer: Answer | None, proposal: str | None) -> Row:
    """The row as it stands; an answer to another question is none."""
    examined = answer is not None and answer.question == question(draft, ground.today)
    files = answer.files if answer is not None and examined else {}
    findings = {file.id: files[file.id].findings if file.id in files else () for file in draft.files}
    main = draft.main.id
    # Both look whether it may take another's place: what one of them said isn't said twice.
    said = checks.check(draft, ground)
    findings[main] = (*said, *(one for one in findings[main] if one not in said))
    return Row(
        draft=draft,
        state=_state(draft, findings) if examined else State.CHECKING,
        date=numbers.day_of(draft, ground.today),
        findings=findings,
        plans={key: file.plan for key, file in files.items() if file.plan is not None},
        placements={key: file.placements for key, file in files.items() if file.placements is not None},
        notes=checks.notes(draft, ground),
        receivers=ground.receivers_of(draft),
        proposal=proposal,
        register=_register(draft, ground),
        key=_search_key(draft, ground.today),
    )


def _register(draft: Draft, ground: Ground) -> str:
    waits = not draft.number and numbers.takes_number(draft)
    register = ground.taken.sequences.on_server(draft.notation) if waits else None
    return register.name if register is not None else ""


def _findings(work: FileWork) -> tuple[Finding, ...]:
    """What was found at one file, with the reason for which it was refused or has failed."""
    found = list(work.result.findings) if work.result is not None else []
    told = {finding.code for finding in found} | _DERIVED
    code = work.outcome.code if work.outcome.state in (FileState.REFUSED, FileState.FAILED) else None
    if code is not None and code not in told:
        found.append(Finding(code, Severity.REFUSED, work.outcome.params))
    if work.result is not None and not all(placement.sure for placement in work.result.placements):
        found.append(Finding("out_place_unsure", Severity.WARNING))
    return tuple(map(_without_token, found))


def _without_token(finding: Finding) -> Finding:
    """Without a token nobody knows whose seal it will be, where several bodies, or none, are in the settings."""
    if finding.code == "certificate_not_of_body" and not finding.params.get("certificate"):
        return Finding("out_token_needed", Severity.REFUSED)
    return finding


def _state(draft: Draft, findings: Mapping[str, Sequence[Finding]]) -> State:
    """How an examined draft stands."""
    everything = [finding for found in findings.values() for finding in found]
    refused = {finding.code for finding in everything if finding.severity is Severity.REFUSED}
    if refused == {"number_missing"} and not draft.number:
        return State.NEEDS_NUMBER
    if refused:
        return State.REFUSED
    return State.WARNING if everything else State.READY


def _search_key(draft: Draft, today: dt.date) -> str:
    day = vietnamese_date(numbers.day_of(draft, today))
    names = [*(file.name for file in draft.files), *(item.name for item in draft.attachments)]
    return " ".join(map(_folded, (draft.label, day, draft.type, draft.subject, draft.signer, *draft.receivers, *names)))


@lru_cache(maxsize=32_768)
def _folded(text: str) -> str:
    return fold(text)
