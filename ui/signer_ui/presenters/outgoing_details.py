"""What the card of the document in view says: its state, its reasons by their weight, where marks land, its files.

Pure values in and out; loads no Qt. A reason that speaks of a page names it, so that the card can lead there.
"""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

from signer_app.outgoing.model import DraftAttachment, DraftFile, FileRole, Finding, Row, Severity, State
from signer_app.pdf.plan import Mark, Placement, SigningPlan
from signer_resources.errors import KnownError
from signer_ui.presenters.figures import day, size
from signer_ui.presenters.grid import Shade
from signer_ui.presenters.outgoing import Line, shade, state_text, subject_text
from signer_ui.presenters.outgoing_kinds import CopyQuestion, copy_question, is_numbered, kind_name, kind_of
from signer_ui.presenters.sending import error_words
from signer_ui.words import Words

_OF_THE_PLAN = frozenset(
    {"two_signatures", "two_signatures_fields", "place_unsure", "place_unsure_mark", "pdf_repaired"}
)
"""Findings that tell what signing will do; said no more when it is done."""
_ASKING = frozenset({"place_unsure", "place_unsure_mark", "out_place_unsure", "joint_leader_unclear"})
"""What waits for the person's hand on the page; told before what only needs a look."""
_SAID_BETTER = frozenset({"place_unsure", "place_unsure_mark"})
_PLACED = frozenset({Mark.SEAL, Mark.SIGNATURE, Mark.INITIAL, Mark.STAMP_TEXT})
"""What a person cares to find; number and date stand on their line."""
_FIRST_PAGE = re.compile(r"\d{1,6}")
_SHORT_HASH = 12


@dataclass(frozen=True)
class Told:
    """One thing to know of a document, in up to three lines; `page` (from 0) of `file` is where it can be seen."""

    shade: Shade
    what: str
    why: str = ""
    do: str = ""
    file: str = ""
    page: int | None = None


@dataclass(frozen=True)
class FileLine:
    """A file of a document that is signed."""

    id: str
    text: str
    main: bool


@dataclass(frozen=True)
class AlongLine:
    """A file that goes along unsigned: `sha256` in full for copying; `no_pdf` is why it can't become a PDF here."""

    id: str
    name: str
    text: str
    sha256: str
    no_pdf: KnownError | None


@dataclass(frozen=True)
class Details:
    """One document in words."""

    heading: str
    under: str
    told: tuple[Told, ...]
    files: tuple[FileLine, ...]
    along: tuple[AlongLine, ...] = ()
    copy: CopyQuestion | None = None


def details(line: Line, now: dt.datetime, words: Words) -> Details:
    """What is to be known of a row: its state, its reasons, its files."""
    draft = line.draft
    numbered = is_numbered(draft.profile)
    parts = (draft.label if numbered else "", day(line.row.date) if numbered else "", kind_name(kind_of(draft), words))
    return Details(
        subject_text(draft, words),
        " · ".join(part for part in parts if part),
        _told(line, now, words),
        tuple(FileLine(file.id, _file_text(file, words), file.role is FileRole.MAIN) for file in draft.files),
        tuple(_along(item, line, words) for item in draft.attachments),
        copy_question(draft, words) if line.editable else None,
    )


def pages_of(row: Row, file: DraftFile, *, before: bool = False) -> tuple[str, SigningPlan | None]:
    """Blob of the pages to show for a file, and the plan of what is still to come onto them.

    Once it is signed, the signed file itself: what was done is shown, not what was planned. `before`: as it came,
    before its repair.
    """
    if before and file.original is not None:
        return file.original, None
    for outcome in row.outcomes:
        if outcome.sha256_out is not None and outcome.sha256_in == file.blob:
            return outcome.sha256_out, None
    return file.blob, row.plans.get(file.id)


def _told(line: Line, now: dt.datetime, words: Words) -> tuple[Told, ...]:
    row = line.row
    if row.state is State.SIGNED:
        return _told_signed(line, now, words)
    told = [told for _weight, told in sorted(_reasons(row, words), key=lambda one: one[0])]
    wrong = bool(told)
    told += _landing(row, words)
    if row.draft.replaces is not None:
        told.append(Told(Shade.MUTED, words("uk_again_row")))
    if row.draft.instead is not None:
        told.append(Told(Shade.MUTED, words("uq_replace_row", reason=row.draft.instead.reason)))
    told += [
        Told(Shade.MUTED, explained.what, explained.why, explained.do)
        for explained in (words.explain(KnownError(note.code, **note.params)) for note in row.notes)
    ]
    if row.state is State.CHECKING:
        told.insert(0, Told(Shade.MUTED, words("uo_being_checked")))
    elif not wrong:
        told.insert(0, Told(Shade.GOOD, words("uo_nothing_wrong")))
    return tuple(told)


def _reasons(row: Row, words: Words) -> Iterator[tuple[int, Told]]:
    """Each finding with its weight: what forbids signing, what asks for a hand, what needs a look."""
    several = len(row.draft.files) > 1
    for file in row.draft.files:
        found = row.findings.get(file.id, ())
        codes = {finding.code for finding in found}
        for finding in found:
            if finding.code == "out_place_unsure" and codes & _SAID_BETTER:
                continue
            name = file.name if several and file.role is not FileRole.MAIN else ""
            weight = 0 if finding.severity is Severity.REFUSED else 1 if finding.code in _ASKING else 2
            yield weight, _finding(finding, file, name, words)


def _landing(row: Row, words: Words) -> Iterator[Told]:
    """Where each mark lands, and the rule that found its place."""
    for file in row.draft.files:
        for placement in row.placements.get(file.id, ()):
            if placement.what in _PLACED and (file.role is FileRole.MAIN or not placement.sure):
                yield Told(Shade.MUTED, landing_text(placement, words), file=file.id, page=placement.page - 1)


def landing_text(placement: Placement, words: Words) -> str:
    """What lands on which page, by which rule."""
    what = words(f"page_what_{placement.what}")
    return words("uk_landing", what=what, page=placement.page, rule=words(placement.rule_text))


def _told_signed(line: Line, now: dt.datetime, words: Words) -> tuple[Told, ...]:
    levels = [outcome.level for outcome in line.row.outcomes if outcome.level]
    told = [Told(Shade.GOOD, words("uo_signed_kept", level=min(levels, default="").upper()))]
    packet = line.packet
    if packet is not None:
        error = KnownError(packet.error_code, **packet.error_params) if packet.error_code else None
        told.append(Told(shade(line), state_text(line, now, words), error_words(error, words)))
    told += [
        _finding(finding, None, "", words)
        for outcome in line.row.outcomes
        for finding in outcome.warnings
        if finding.code not in _OF_THE_PLAN
    ]
    return tuple(told)


def _finding(finding: Finding, file: DraftFile | None, name: str, words: Words) -> Told:
    explained = words.explain(KnownError(finding.code, **finding.params))
    what = words("uo_of_file", name=name, what=explained.what) if name else explained.what
    refused = finding.severity is Severity.REFUSED
    page = page_of(finding) if file is not None else None
    return Told(
        Shade.BAD if refused else Shade.WARN,
        what,
        explained.why,
        explained.do,
        file.id if file is not None and page is not None else "",
        page,
    )


def page_of(finding: Finding) -> int | None:
    """The first page (from 0) that a finding speaks of; None where it names none."""
    told = finding.params.get("where", finding.params.get("page", ""))
    found = _FIRST_PAGE.match(told)
    # A name of a body that begins with a digit is no page.
    if found is None or ("where" not in finding.params and found.group() != told) or int(found.group()) < 1:
        return None
    return int(found.group()) - 1


def _file_text(file: DraftFile, words: Words) -> str:
    key = "uo_file_main" if file.role is FileRole.MAIN else "uo_file_appendix"
    return words(key, name=file.name, pages=file.pages)


def _along(item: DraftAttachment, line: Line, words: Words) -> AlongLine:
    text = words("uk_along", name=item.name, size=size(item.size, words), hash=f"{item.blob[:_SHORT_HASH]}…")
    return AlongLine(item.id, item.name, text, item.blob, line.no_pdf.get(item.id))
