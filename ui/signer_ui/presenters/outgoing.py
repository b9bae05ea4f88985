"""What the pane of outgoing documents shows and understands: columns, states, sums, reasons, what was typed.

Pure values in and out; loads no Qt, reads nothing. A `Line` is a row of the drafts with how far its sending is.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from signer_app.desk.tokens import TokensSnapshot
from signer_app.exchange.directory import Directory
from signer_app.outgoing.model import Changes, Draft, Profile, Row, State, Urgency
from signer_app.outgoing.reading import read_day, read_number, read_receivers
from signer_app.store.model import OutboxPacket, OutboxState
from signer_app.store.settings import CertificateRole
from signer_resources.errors import KnownError
from signer_ui.glow import Glow
from signer_ui.presenters.figures import count, day, time_of
from signer_ui.presenters.grid import Column, Editor, Shade, Suggestion, fold
from signer_ui.presenters.outgoing_kinds import (
    KINDS,
    is_numbered,
    is_sent,
    kind_name,
    kind_named,
    kind_of,
    kind_text,
    role_for,
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
_COUNTED = (
    State.READY, State.WARNING, State.REFUSED, State.NEEDS_NUMBER, State.CHECKING, State.SIGNING, State.SIGNED,
)  # fmt: skip
_EDITABLE = frozenset(State) - {State.SIGNING, State.SIGNED}
_BOXED = frozenset({State.READY, State.WARNING, State.CHECKING})
"""Rows that can be ticked; what can't be signed as it is has no box."""
_DAY_AND_MONTH = re.compile(r"\s*\d{1,2}\s*[/.\-]\s*\d{1,2}\s*")
_SHORT = (("uy ban nhan dan", "ubnd"), ("hoi dong nhan dan", "hdnd"))
"""What nobody types in full, folded."""
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
            8,
            sort=lambda line: _STATE_ORDER.index(line.row.state),
            shade=shade,
            dot=True,
            tip=lambda line: state_tip(line, now(), words),
        ),
        Column(
            KIND,
            lambda line: kind_text(kind_of(line.draft), words),
            4.5,
            sort=lambda line: KINDS.index(kind_of(line.draft)),
            editor=editor(suggestions=lambda: kinds, only=True),
            shade=lambda line: Shade.MUTED if line.draft.profile is Profile.AGENCY else None,
            tip=lambda line: kind_name(kind_of(line.draft), words),
        ),
        Column(
            NUMBER,
            lambda line: number_text(line.row, words),
            7.8,
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
            5.6,
            editor=editor(start=lambda line: line.draft.subject),
            stretch=True,
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


# --- what is typed ----------------------------------------------------------------------------------------------------


def typed(draft: Draft, column: str, text: str, directory: Directory, today: dt.date, words: Words) -> Changes:
    """What a text typed into a cell of a draft changes; KnownError "out_…_unreadable" where it makes no sense."""
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
    if column == KIND:
        return kind_named(text, words).changes(draft)
    if column == SUBJECT:
        return Changes(subject=_one_line(text))
    if column == SIGNER:
        return Changes(signer=_one_line(text))
    raise ValueError(f"{column} is not typed")


def copied_down(column: str, source: Line, targets: Sequence[Line]) -> dict[str, Changes]:
    """The value of a cell for other rows; a number is for one document alone, so it is never copied."""
    draft = source.draft
    if column == KIND:
        kind = kind_of(draft)
        return {line.id: kind.changes(line.draft) for line in targets if line.editable and line.id != source.id}
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
    files = tuple((file.id, file.blob, file.role, file.profile, file.place) for file in draft.files)
    return certificate, today, draft.number, draft.notation, draft.date, draft.urgency, draft.copy, files


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


def press(
    lines: Sequence[Line],
    certificates: Mapping[Profile, str],
    plugged: Sequence[Signer],
    today: dt.date,
    words: Words,
) -> Press:
    """What the one button does now."""
    wanted = [line for line in lines if line.row.signable and line.draft.ticked]
    ids = tuple(line.id for line in wanted)
    sent = sum(1 for line in wanted if _leaves(line))
    text = words("uo_sign_send" if sent or not ids else "uo_sign_only", count=count(len(ids), words))
    if not ids:
        hint = words("uo_hint_none") if any(ticked(line) is not None for line in lines) else ""
        return Press(text, (), False, hint, None)
    named = {certificates.get(line.draft.profile) for line in wanted}
    certificate = next(iter(named)) if len(named) == 1 else None
    if None in named:
        error = KnownError("no_token") if not plugged else KnownError("certificate_none_fits")
        fits = any(_may_sign(signer, wanted, today) for signer in plugged)
        key = "uo_hint_no_token" if not plugged else "uo_hint_choose" if fits else "uo_hint_no_fit"
        return Press(text, ids, bool(sent), words(key), None, error)
    name = next((signer.name for signer in plugged if signer.sha256 == certificate), "")
    told = [words("uo_hint_with", name=name)] if name else []
    kept = len(wanted) - sent
    if sent:
        told.append(words("uo_hint_send", count=count(sent, words)))
    if kept and sent:
        told.append(words("uo_hint_keep", count=count(kept, words)))
    elif kept:
        lacking = any(is_sent(line.draft.profile) for line in wanted)
        told.append(words("uo_hint_all_kept" if lacking else "uk_hint_kept"))
    return Press(text, ids, bool(sent), " ".join(told), certificate)


def _leaves(line: Line) -> bool:
    """Whether it is given to be sent: a copy without a number of its own is kept."""
    draft = line.draft
    return bool(draft.receivers) and is_sent(draft.profile) and (draft.profile is Profile.AGENCY or bool(draft.number))


def must_choose(lines: Sequence[Line], plugged: Sequence[Signer], today: dt.date) -> bool:
    """Whether more than one of the certificates could sign some of these documents."""
    kinds = {line.draft.profile: line for line in lines if line.editable}
    return any(sum(_may_sign(signer, [line], today) for signer in plugged) > 1 for line in kinds.values())


def _may_sign(signer: Signer, lines: Sequence[Line], today: dt.date) -> bool:
    needed = {role_for(line.draft.profile, today) for line in lines}
    return needed <= {signer.role, None}
