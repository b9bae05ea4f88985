"""What the grid of outgoing documents shows: its columns and states.

Pure values in and out; loads no Qt, reads nothing. A `Line` is a row of the drafts with how far its sending is. What is
typed is understood in `outgoing_typing`, what is examined and signed decided in `outgoing_signing`; sums are in
`outgoing_totals`.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from signer_app.desk.signing_values import DocumentOutcome
from signer_app.exchange.directory import Directory
from signer_app.outgoing.model import Draft, Profile, Row, State, Urgency
from signer_app.store.model import FileState, OutboxPacket, OutboxState
from signer_resources.errors import KnownError
from signer_ui.glow import Glow
from signer_ui.presenters.figures import day, time_of
from signer_ui.presenters.grid import Column, Editor, Shade, Suggestion, fold
from signer_ui.presenters.outgoing_kinds import (
    KINDS,
    is_numbered,
    is_sent,
    kind_name,
    kind_of,
    kind_text,
)
from signer_ui.presenters.sending import state_glow, state_words
from signer_ui.words import Words

TICK = "uo_col_tick"
KIND = "uo_col_kind"
NUMBER = "uo_col_number"
DATE = "uo_col_date"
SUBJECT = "uo_col_subject"
SIGNER = "uo_col_signer"
RECEIVERS = "uo_col_receivers"
URGENCY = "uo_col_urgency"
ATTACHED = "uo_col_attached"
STATE = "uo_col_state"

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
_EDITABLE = frozenset(State) - {State.SIGNING, State.SIGNED}
_BOXED = frozenset({State.READY, State.WARNING, State.CHECKING})
"""Rows that can be ticked; what can't be signed as it is has no box."""
_SHORT = (("uy ban nhan dan", "ubnd"), ("hoi dong nhan dan", "hdnd"))
"""What nobody types in full, folded."""
_ENDED = {FileState.SIGNED: State.SIGNED, FileState.FAILED: State.REFUSED, FileState.REFUSED: State.REFUSED}
_RECEIVED = frozenset({OutboxState.ACCEPTED, OutboxState.FORWARDED})


@dataclass(frozen=True)
class Line:
    """A row of the grid; `packet` is there once it is given to the outbox. `no_pdf`: by the id of a file that goes
    along, why it can't become a PDF on this machine.
    """

    row: Row
    packet: OutboxPacket | None = None
    no_pdf: Mapping[str, KnownError] = field(default_factory=dict)

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


def ended(line: Line, outcome: DocumentOutcome) -> Line:
    """The row of a document that has just been signed or not, until it is read anew."""
    state = _ENDED.get(outcome.state, line.row.state)
    return line if state is line.row.state else replace(line, row=replace(line.row, state=state))


# --- columns ----------------------------------------------------------------------------------------------------------


def columns(
    known: Callable[[], Organisations], now: Callable[[], dt.datetime], words: Words
) -> tuple[Column[Line], ...]:
    """The columns of the grid (wording 4), with the tick in front and the state beside it."""

    def receivers(line: Line) -> str:
        if not is_sent(line.draft.profile):
            return ""
        return "; ".join(known().names.get(code, code) for code in line.draft.receivers)

    def editor(allowed: Callable[[Line], bool] = lambda line: line.editable, **more: object) -> Editor[Line]:
        return Editor(allowed=allowed, **more)  # type: ignore[arg-type]

    kinds = tuple(Suggestion(kind_text(kind, words), kind_text(kind, words)) for kind in KINDS)
    urgencies = tuple(Suggestion(urgency_words(urgency, words), urgency_words(urgency, words)) for urgency in Urgency)
    return (
        Column(TICK, lambda _line: "", 2, check=ticked),
        Column(
            STATE,
            lambda line: state_text(line, now(), words),
            8.9,
            sort=lambda line: _STATE_ORDER.index(line.row.state),
            shade=shade,
            dot=True,
            tip=lambda line: state_tip(line, now(), words),
        ),
        Column(
            KIND,
            lambda line: kind_text(kind_of(line.draft), words),
            4.9,
            sort=lambda line: KINDS.index(kind_of(line.draft)),
            editor=editor(suggestions=lambda: kinds, only=True),
            shade=lambda line: Shade.MUTED if line.draft.profile is Profile.AGENCY else None,
            tip=lambda line: kind_name(kind_of(line.draft), words),
        ),
        Column(
            NUMBER,
            lambda line: number_text(line.row, words),
            8.3,
            sort=_number_key,
            editor=editor(_numbered, start=lambda line: line.draft.label),
            shade=lambda line: None if line.draft.number else Shade.MUTED,
            tip=lambda line: _proposal_tip(line.row, words),
        ),
        Column(
            DATE,
            lambda line: day(line.row.date) if is_numbered(line.draft.profile) else "",
            6,
            sort=lambda line: line.row.date,
            editor=editor(_numbered),
            shade=lambda line: None if line.draft.date else Shade.MUTED,
        ),
        Column(
            SUBJECT,
            lambda line: subject_text(line.draft, words),
            5.2,
            editor=editor(start=lambda line: line.draft.subject),
            stretch=True,
            tip=lambda line: subject_text(line.draft, words),
        ),
        Column(SIGNER, lambda line: line.draft.signer, 5.6, editor=editor(), keep_end=True),
        Column(
            RECEIVERS,
            receivers,
            5.2,
            editor=editor(_sent, suggestions=lambda: known().suggestions, several=True),
            tip=receivers,
        ),
        Column(
            URGENCY,
            lambda line: urgency_words(line.draft.urgency, words),
            4.3,
            sort=lambda line: int(line.draft.urgency),
            editor=editor(suggestions=lambda: urgencies, only=True),
            shade=lambda line: _urgency_shade(line.draft.urgency),
        ),
        Column(
            ATTACHED,
            lambda line: attached_text(line.draft, words),
            2.9,
            sort=lambda line: len(line.draft.files) + len(line.draft.attachments),
            tip=lambda line: "\n".join(file.name for file in (*line.draft.files, *line.draft.attachments)),
        ),
    )


def _numbered(line: Line) -> bool:
    return line.editable and is_numbered(line.draft.profile)


def _sent(line: Line) -> bool:
    return line.editable and is_sent(line.draft.profile)


def ticked(line: Line) -> bool | None:
    """The tick of a row; None where it can't be signed as it is."""
    return line.draft.ticked if line.row.state in _BOXED else None


def number_text(row: Row, words: Words) -> str:
    """Số, ký hiệu; while it has none, the number that comes next in brackets. Empty for what carries none."""
    draft = row.draft
    if not is_numbered(draft.profile):
        return ""
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
    """How many files go with the main one, signed or not; empty for none."""
    more = len(draft.files) - 1 + len(draft.attachments)
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
