"""What the pane of outgoing documents shows and understands: columns, states, sums, reasons, what was typed.

Pure values in and out; loads no Qt, reads nothing. A `Line` is a row of the drafts with how far its sending is.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from signer_app.desk.tokens import TokensSnapshot
from signer_app.exchange.directory import Directory
from signer_app.outgoing.model import (
    Added,
    Changes,
    Draft,
    DraftFile,
    FileRole,
    Finding,
    Left,
    Profile,
    Row,
    Severity,
    State,
    Urgency,
)
from signer_app.outgoing.paste import Pasted
from signer_app.outgoing.reading import read_day, read_number, read_receivers
from signer_app.pdf.plan import SigningPlan
from signer_app.store.model import OutboxPacket, OutboxState
from signer_app.store.settings import CertificateRole
from signer_resources.errors import KnownError
from signer_ui.glow import Glow
from signer_ui.presenters.figures import count, day, time_of
from signer_ui.presenters.grid import Column, Editor, Shade, Suggestion, fold
from signer_ui.presenters.sending import error_words, state_glow, state_words
from signer_ui.words import Words

TICK = "uo_col_tick"
NUMBER = "uo_col_number"
DATE = "uo_col_date"
SUBJECT = "uo_col_subject"
SIGNER = "uo_col_signer"
RECEIVERS = "uo_col_receivers"
URGENCY = "uo_col_urgency"
ATTACHED = "uo_col_attached"
STATE = "uo_col_state"

KINDS = (Profile.AGENCY, Profile.LEADER, Profile.PLAIN)
"""How a document may be signed; an appendix follows its main file."""

_SHADES = {
    State.CHECKING: Shade.MUTED,
    State.NEEDS_NUMBER: Shade.WARN,
    State.READY: Shade.GOOD,
    State.WARNING: Shade.WARN,
    State.REFUSED: Shade.BAD,
    State.SIGNING: Shade.ACCENT,
    State.SIGNED: Shade.GOOD,
}
_GLOW_SHADES = {Glow.GOOD: Shade.GOOD, Glow.WARN: Shade.WARN, Glow.BAD: Shade.BAD, Glow.OFF: Shade.MUTED}
_STATE_ORDER = tuple(_SHADES)
_COUNTED = (
    State.READY, State.WARNING, State.REFUSED, State.NEEDS_NUMBER, State.CHECKING, State.SIGNING, State.SIGNED,
)  # fmt: skip
_EDITABLE = frozenset(State) - {State.SIGNING, State.SIGNED}
_BOXED = frozenset({State.READY, State.WARNING, State.CHECKING})
"""Rows that can be ticked; what can't be signed as it is has no box."""
_DAY_AND_MONTH = re.compile(r"\s*\d{1,2}\s*[/.\-]\s*\d{1,2}\s*")
_OF_THE_PLAN = frozenset({"two_signatures"})
"""Findings that tell what signing will do; said no more when it is done."""
_LINES_SHOWN = 6
_SHORT = (("uy ban nhan dan", "ubnd"), ("hoi dong nhan dan", "hdnd"))
"""What nobody types in full, folded."""
_RECEIVED = frozenset({OutboxState.ACCEPTED, OutboxState.FORWARDED})


@dataclass(frozen=True)
class Line:
    """A row of the grid; `packet` is there once it is given to the outbox."""

    row: Row
    packet: OutboxPacket | None = None

    @property
    def id(self) -> str:
        """The draft's id."""
        return self.row.draft.id

    @property
    def draft(self) -> Draft:
        """The draft."""
        return self.row.draft

    @property
    def editable(self) -> bool:
        """Whether anything of it may still be changed."""
        return self.row.state in _EDITABLE


@dataclass(frozen=True)
class Organisations:
    """Receivers by name and by code, as cells show them and as they are typed."""

    directory: Directory = field(default_factory=Directory)
    names: Mapping[str, str] = field(default_factory=dict)
    suggestions: tuple[Suggestion, ...] = ()

    @classmethod
    def of(cls, directory: Directory, words: Words) -> "Organisations":
        """A name stands for its organisation where no other has the same; else the code does."""
        often = Counter(org.name for org in directory.organisations)
        names = {org.code: org.name for org in directory.organisations if often[org.name] == 1 and ";" not in org.name}
        suggestions = tuple(
            Suggestion(
                names.get(org.code, org.code), words("uo_organisation", name=org.name, code=org.code), _short(org.name)
            )
            for org in directory.organisations
            if org.active
        )
        return cls(directory, names, suggestions)


def _short(name: str) -> str:
    """A body's name as clerks type it: ubnd tinh an son."""
    short = fold(name)
    for whole, letters in _SHORT:
        short = short.replace(whole, letters)
    return short


# --- columns ----------------------------------------------------------------------------------------------------------


def columns(
    known: Callable[[], Organisations], now: Callable[[], dt.datetime], words: Words
) -> tuple[Column[Line], ...]:
    """The columns of the grid (wording 4), with the tick in front and the state beside it."""

    def receivers(line: Line) -> str:
        return "; ".join(known().names.get(code, code) for code in line.draft.receivers)

    def editor(**more: object) -> Editor[Line]:
        return Editor(allowed=lambda line: line.editable, **more)  # type: ignore[arg-type]

    urgencies = tuple(Suggestion(urgency_words(urgency, words), urgency_words(urgency, words)) for urgency in Urgency)
    return (
        Column(TICK, lambda _line: "", 2, check=ticked),
        Column(
            STATE,
            lambda line: state_text(line, now(), words),
            8.7,
            sort=lambda line: _STATE_ORDER.index(line.row.state),
            shade=shade,
            dot=True,
            tip=lambda line: state_tip(line, now(), words),
        ),
        Column(
            NUMBER,
            lambda line: number_text(line.row, words),
            8,
            sort=_number_key,
            editor=editor(start=lambda line: line.draft.label),
            shade=lambda line: None if line.draft.number else Shade.MUTED,
            tip=lambda line: _proposal_tip(line.row, words),
        ),
        Column(
            DATE,
            lambda line: day(line.row.date),
            6,
            sort=lambda line: line.row.date,
            editor=editor(),
            shade=lambda line: None if line.draft.date else Shade.MUTED,
        ),
        Column(
            SUBJECT,
            lambda line: subject_text(line.draft, words),
            5.6,
            editor=editor(start=lambda line: line.draft.subject),
            stretch=True,
        ),
        Column(SIGNER, lambda line: line.draft.signer, 5.6, editor=editor(), keep_end=True),
        Column(
            RECEIVERS,
            receivers,
            5.2,
            editor=editor(suggestions=lambda: known().suggestions, several=True),
            tip=receivers,
        ),
        Column(
            URGENCY,
            lambda line: urgency_words(line.draft.urgency, words),
            4.4,
            sort=lambda line: int(line.draft.urgency),
            editor=editor(suggestions=lambda: urgencies, only=True),
            shade=lambda line: _urgency_shade(line.draft.urgency),
        ),
        Column(
            ATTACHED,
            lambda line: attached_text(line.draft, words),
            2.6,
            sort=lambda line: len(line.draft.files),
            tip=lambda line: "\n".join(file.name for file in line.draft.files),
        ),
    )


def ticked(line: Line) -> bool | None:
    """The tick of a row; None where it can't be signed as it is."""
    return line.draft.ticked if line.row.state in _BOXED else None


def number_text(row: Row, words: Words) -> str:
    """Số, ký hiệu; while it has none, the number that comes next in brackets."""
    draft = row.draft
    if draft.number or not row.proposal:
        return draft.label
    if draft.notation:
        return words("uo_proposed", number=row.proposal, notation=draft.notation)
    return words("uo_proposed_alone", number=row.proposal)


def subject_text(draft: Draft, words: Words) -> str:
    """Type and subject; a document that says nothing of itself goes by its file's name."""
    if not draft.subject:
        return draft.main.name
    if not draft.type or draft.subject.casefold().startswith(draft.type.casefold()):
        return draft.subject
    return words("uo_type_subject", type=draft.type, subject=draft.subject)


def urgency_words(urgency: Urgency, words: Words) -> str:
    """Mức độ khẩn."""
    return words(f"uo_urgency_{urgency.value}")


def attached_text(draft: Draft, words: Words) -> str:
    """How many files go with the main one; empty for none."""
    more = len(draft.files) - 1
    return words("uo_attached", count=more) if more else ""


def state_text(line: Line, now: dt.datetime, words: Words) -> str:
    """How the row stands, to the receipt of the server."""
    packet = line.packet
    if line.row.state is not State.SIGNED or packet is None:
        return words(f"uo_state_{line.row.state}")
    if packet.state in _RECEIVED and packet.accepted_at is not None:
        return words("uo_state_received", time=time_of(packet.accepted_at.astimezone(now.tzinfo), now))
    return state_words(packet.state, packet.accepted_at, packet.error_code, now, words)


def state_tip(line: Line, now: dt.datetime, words: Words) -> str:
    """The state with its first reason."""
    told = [state_text(line, now, words)]
    told += [words.explain(KnownError(finding.code, **finding.params)).what for finding in line.row.reasons[:3]]
    return "\n".join(told)


def shade(line: Line) -> Shade:
    """The colour of the state."""
    if line.row.state is State.SIGNED and line.packet is not None:
        return _GLOW_SHADES[state_glow(line.packet.state, line.packet.error_code)]
    return _SHADES[line.row.state]


def _number_key(line: Line) -> tuple[int, str, int, str]:
    digits = re.match(r"\d+", line.draft.number)
    return (line.row.date.year, line.draft.notation, int(digits.group()) if digits else 0, line.draft.number)


def _proposal_tip(row: Row, words: Words) -> str:
    return words("uo_proposed_tip", number=row.proposal) if row.proposal and not row.draft.number else ""


def _urgency_shade(urgency: Urgency) -> Shade | None:
    if urgency is Urgency.NORMAL:
        return Shade.MUTED
    return Shade.BAD if urgency >= Urgency.HOA_TOC else Shade.WARN


# --- what is typed ----------------------------------------------------------------------------------------------------


def typed(column: str, text: str, directory: Directory, today: dt.date, words: Words) -> Changes:
    """What a text typed into a cell changes; KnownError "out_…_unreadable" where it makes no sense."""
    if column == NUMBER:
        if not text:
            return Changes(number="")
        number, notation = read_number(text)
        return Changes(number=number) if notation is None else Changes(number=number, notation=notation)
    if column == DATE:
        if not text:
            return Changes(date=None)
        return Changes(date=read_day(f"{text}/{today.year}" if _DAY_AND_MONTH.fullmatch(text) else text))
    if column == RECEIVERS:
        return Changes(receivers=read_receivers(text, directory))
    if column == URGENCY:
        return Changes(urgency=next(one for one in Urgency if urgency_words(one, words) == text))
    if column == SUBJECT:
        return Changes(subject=_one_line(text))
    if column == SIGNER:
        return Changes(signer=_one_line(text))
    raise ValueError(f"{column} is not typed")


def copied_down(column: str, source: Line, targets: Sequence[Line]) -> dict[str, Changes]:
    """The value of a cell for other rows; a number is for one document alone, so it is never copied."""
    draft = source.draft
    changes = {
        DATE: Changes(date=draft.date),
        SUBJECT: Changes(subject=draft.subject),
        SIGNER: Changes(signer=draft.signer),
        RECEIVERS: Changes(receivers=draft.receivers),
        URGENCY: Changes(urgency=draft.urgency),
    }.get(column)
    if changes is None:
        return {}
    return {line.id: changes for line in targets if line.editable and line.id != source.id}


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


# --- what is to be done -----------------------------------------------------------------------------------------------


Question = tuple[object, ...]


def question(draft: Draft, certificate: str, today: dt.date) -> Question:
    """What an examination with a certificate (SHA-256, empty for none) depends on."""
    files = tuple((file.id, file.blob, file.profile, file.place) for file in draft.files)
    return certificate, today, draft.number, draft.notation, draft.date, files


def to_examine(
    lines: Sequence[Line],
    asked: Mapping[str, Question],
    certificates: Mapping[Profile, str],
    today: dt.date,
    first: str | None,
) -> tuple[str, ...]:
    """Ids of rows that were not examined as they are, with the certificate that will sign; row `first` before others.

    `asked` are the questions that were answered. A row that stays unexamined after its question is not asked again.
    """
    pending = [
        line for line in lines
        if line.editable and asked.get(line.id) != question(line.draft, certificates.get(line.draft.profile, ""), today)
    ]  # fmt: skip
    return tuple(line.id for line in sorted(pending, key=lambda line: line.id != first))


def to_number(lines: Sequence[Line], chosen: Collection[str]) -> tuple[str, ...]:
    """Which rows get the next numbers: of several chosen ones those without a number, else all without one."""
    lacking = [line for line in lines if line.editable and line.row.proposal and not line.draft.number]
    return tuple(line.id for line in lacking if len(chosen) < 2 or line.id in chosen)


def to_paste(shown: Sequence[str], chosen: Sequence[str], current: str | None) -> tuple[str, ...]:
    """The rows that a paste fills, in their order: several chosen ones, or all from the current one on."""
    if len(chosen) > 1:
        return tuple(chosen)
    return tuple(shown[shown.index(current) :]) if current in shown else tuple(shown)


# --- the line of the preflight, the button ----------------------------------------------------------------------------


def summary(lines: Sequence[Line], words: Words) -> str:
    """Wording 8, with what else there is; empty without rows."""
    if not lines:
        return ""
    often = Counter(line.row.state for line in lines)
    told = [words(f"uo_count_{state}", count=count(often[state], words)) for state in _COUNTED if often[state]]
    return words("uo_summary", counts=" · ".join(told))


@dataclass(frozen=True)
class Signer:
    """A certificate that may be named for signing."""

    sha256: str
    name: str
    token: str
    role: CertificateRole


@dataclass(frozen=True)
class Press:
    """The button that signs: its words, what it would sign, and what will happen, in one line beside it."""

    text: str
    ids: tuple[str, ...]
    sends: bool
    hint: str
    certificate: str | None
    error: KnownError | None = None
    """Why pressing it can't lead to a signature now."""


def signers(tokens: TokensSnapshot) -> tuple[Signer, ...]:
    """All certificates that are plugged in."""
    return tuple(
        Signer(view.certificate.sha256, view.certificate.common_name or view.certificate.serial, token.name, view.role)
        for token in tokens.tokens
        for view in token.certificates
    )


def press(lines: Sequence[Line], certificates: Mapping[Profile, str], plugged: Sequence[Signer], words: Words) -> Press:
    """What the one button does now."""
    wanted = [line for line in lines if line.row.signable and line.draft.ticked]
    ids = tuple(line.id for line in wanted)
    sent = sum(1 for line in wanted if line.draft.receivers and line.draft.profile is Profile.AGENCY)
    text = words("uo_sign_send" if sent or not ids else "uo_sign_only", count=count(len(ids), words))
    if not ids:
        hint = words("uo_hint_none") if any(ticked(line) is not None for line in lines) else ""
        return Press(text, (), False, hint, None)
    named = {certificates.get(line.draft.profile) for line in wanted}
    certificate = next(iter(named)) if len(named) == 1 else None
    if None in named:
        error = KnownError("no_token") if not plugged else KnownError("certificate_none_fits")
        fits = any(_may_sign(signer, wanted) for signer in plugged)
        key = "uo_hint_no_token" if not plugged else "uo_hint_choose" if fits else "uo_hint_no_fit"
        return Press(text, ids, bool(sent), words(key), None, error)
    name = next((signer.name for signer in plugged if signer.sha256 == certificate), "")
    told = [words("uo_hint_with", name=name)] if name else []
    kept = len(wanted) - sent
    if sent:
        told.append(words("uo_hint_send", count=count(sent, words)))
    if kept:
        told.append(words("uo_hint_keep", count=count(kept, words)) if sent else words("uo_hint_all_kept"))
    return Press(text, ids, bool(sent), " ".join(told), certificate)


def must_choose(lines: Sequence[Line], plugged: Sequence[Signer]) -> bool:
    """Whether more than one of the certificates could sign some of these documents."""
    kinds = {line.draft.profile: line for line in lines if line.editable}
    return any(sum(_may_sign(signer, [line]) for signer in plugged) > 1 for line in kinds.values())


def _may_sign(signer: Signer, lines: Sequence[Line]) -> bool:
    needed = {line.draft.profile for line in lines}
    if needed & {Profile.AGENCY, Profile.APPENDIX} and signer.role is not CertificateRole.AGENCY:
        return False
    return Profile.LEADER not in needed or signer.role is CertificateRole.PERSONAL


# --- one document -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """One thing to know of a document, in up to three lines."""

    shade: Shade
    what: str
    why: str = ""
    do: str = ""


@dataclass(frozen=True)
class FileLine:
    """A file of a document."""

    id: str
    text: str
    main: bool


@dataclass(frozen=True)
class Details:
    """One document in words."""

    heading: str
    under: str
    told: tuple[Told, ...]
    files: tuple[FileLine, ...]


def details(line: Line, now: dt.datetime, words: Words) -> Details:
    """What is to be known of a row: its state, its reasons, its files."""
    draft = line.draft
    under = " · ".join(part for part in (draft.label, day(line.row.date), _kind(draft.profile, words)) if part)
    files = tuple(FileLine(file.id, _file_text(file, words), file.role is FileRole.MAIN) for file in draft.files)
    return Details(subject_text(draft, words), under, _told(line, now, words), files)


def pages_of(row: Row, file: DraftFile) -> tuple[str, SigningPlan | None]:
    """Blob of the pages to show for a file, and the plan of what is still to come onto them.

    Once it is signed, the signed file itself: what was done is shown, not what was planned.
    """
    for outcome in row.outcomes:
        if outcome.sha256_out is not None and outcome.sha256_in == file.blob:
            return outcome.sha256_out, None
    return file.blob, row.plans.get(file.id)


def _told(line: Line, now: dt.datetime, words: Words) -> tuple[Told, ...]:
    row = line.row
    if row.state is State.SIGNED:
        return _told_signed(line, now, words)
    several = len(row.draft.files) > 1
    told = [
        _finding(finding, file.name if several and file.role is not FileRole.MAIN else "", words)
        for file in row.draft.files
        for finding in row.findings.get(file.id, ())
    ]
    told.sort(key=lambda one: one.shade is not Shade.BAD)
    told += [
        Told(Shade.MUTED, explained.what, explained.why, explained.do)
        for explained in (words.explain(KnownError(note.code, **note.params)) for note in row.notes)
    ]
    if row.state is State.CHECKING:
        told.insert(0, Told(Shade.MUTED, words("uo_being_checked")))
    elif not any(one.shade in (Shade.BAD, Shade.WARN) for one in told):
        told.insert(0, Told(Shade.GOOD, words("uo_nothing_wrong")))
    return tuple(told)


def _told_signed(line: Line, now: dt.datetime, words: Words) -> tuple[Told, ...]:
    levels = [outcome.level for outcome in line.row.outcomes if outcome.level]
    told = [Told(Shade.GOOD, words("uo_signed_kept", level=min(levels, default="").upper()))]
    packet = line.packet
    if packet is not None:
        error = KnownError(packet.error_code, **packet.error_params) if packet.error_code else None
        told.append(Told(shade(line), state_text(line, now, words), error_words(error, words)))
    told += [
        _finding(finding, "", words)
        for outcome in line.row.outcomes
        for finding in outcome.warnings
        if finding.code not in _OF_THE_PLAN
    ]
    return tuple(told)


def _finding(finding: Finding, file: str, words: Words) -> Told:
    explained = words.explain(KnownError(finding.code, **finding.params))
    what = words("uo_of_file", name=file, what=explained.what) if file else explained.what
    refused = finding.severity is Severity.REFUSED
    return Told(Shade.BAD if refused else Shade.WARN, what, explained.why, explained.do)


def _file_text(file: DraftFile, words: Words) -> str:
    key = "uo_file_main" if file.role is FileRole.MAIN else "uo_file_appendix"
    return words(key, name=file.name, pages=file.pages)


def _kind(profile: Profile, words: Words) -> str:
    return words(f"uo_kind_{profile}").replace("&", "") if profile in KINDS else ""


# --- what was not taken, what would be pasted -------------------------------------------------------------------------


@dataclass(frozen=True)
class LeftView:
    """Files that were not taken: what a notice says of them. Secret ones are told apart, strongly."""

    secret: tuple[str, ...] = ()
    heading: str = ""
    lines: str = ""


def left_view(left: Sequence[Left], words: Words) -> LeftView:
    """The files that were left, each with its reason."""
    secret = tuple(one.name for one in left if one.error.code == "secret")
    others = [one for one in left if one.error.code != "secret"]
    if not others:
        return LeftView(secret)
    told = []
    for one in others[:_LINES_SHOWN]:
        explained = words.explain(one.error)
        told.append(words("uo_left_line", name=one.name, what=explained.what, do=explained.do).strip())
    if len(others) > _LINES_SHOWN:
        told.append(words("uo_left_more", count=count(len(others) - _LINES_SHOWN, words)))
    return LeftView(secret, words("uo_left_heading", count=count(len(others), words)), "\n".join(told))


def added_view(added: Added, words: Words) -> LeftView:
    """What a notice says after files were brought in."""
    view = left_view(added.left, words)
    if not added.interrupted:
        return view
    stopped = words("uo_left_stopped")
    return LeftView(
        view.secret, view.heading or stopped, "\n".join(filter(None, (view.lines, view.heading and stopped)))
    )


@dataclass(frozen=True)
class PasteView:
    """What a paste would do: a question, what is in the way, and whether there is anything to paste at all."""

    question: str
    problems: str
    possible: bool


def paste_view(pasted: Pasted, documents: int, words: Words) -> PasteView:
    """What pasting these cells into so many documents would change."""
    rows = [row for row in pasted.rows[:documents] if row.changes is not None and row.changes != Changes()]
    often: Counter[str] = Counter()
    for row in rows:
        often.update(name for name in Changes.__struct_fields__ if _given(row.changes, name))
    fields = [
        words("uo_paste_field", count=count(often[name], words), field=words(f"uo_field_{name}"))
        for name in Changes.__struct_fields__
        if often[name] and not (name == "notation" and often["number"])
    ]
    problems = [
        words("uo_paste_fault", row=fault.row, what=words.explain(fault.error).what)
        for fault in pasted.faults[:_LINES_SHOWN]
    ]
    if len(pasted.faults) > _LINES_SHOWN:
        problems.append(words("uo_paste_faults_more", count=count(len(pasted.faults) - _LINES_SHOWN, words)))
    if pasted.faults:
        problems.append(words("uo_paste_faulty"))
    if len(pasted.rows) > documents:
        problems.append(words("uo_paste_over", count=count(len(pasted.rows) - documents, words)))
    if pasted.ignored:
        problems.append(words("uo_paste_ignored", names=", ".join(pasted.ignored)))
    asked = words("uo_paste_ask", count=count(len(rows), words), fields=" · ".join(fields))
    return PasteView(asked if rows else words("uo_paste_nothing_read"), "\n".join(problems), bool(rows))


def _given(changes: Changes | None, name: str) -> bool:
    return getattr(changes, name, msgspec.UNSET) is not msgspec.UNSET


def is_one_cell(text: str) -> bool:
    """Whether a clipboard holds a single value, which goes into the current cell alone."""
    return "\t" not in text and "\n" not in text.strip("\r\n")
