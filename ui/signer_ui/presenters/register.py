"""What the pane of the register says: its columns, and of one document the files, the level, the proof, the receipt.

Pure values in and out; loads no Qt. Numbers that are kept or were given up stand among the documents, never hidden.
"""

import datetime as dt
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from signer_app.desk.register import Proof, RegisterDetails, SentPacket, SignedFile
from signer_app.store.levels import LEVELS
from signer_app.store.listings import RegisterEntry
from signer_app.store.model import DocumentState, OutboxState
from signer_app.store.number_book import NumberEntry, NumberState
from signer_app.store.times import VIETNAM
from signer_resources.errors import KnownError
from signer_ui.glow import Glow
from signer_ui.presenters.figures import common_name, day, grouped, time_of
from signer_ui.presenters.grid import Column, Shade
from signer_ui.presenters.sending import error_words, explained, state_glow
from signer_ui.words import Words

_DIGITS = re.compile(r"\d+")
_SHADES = {Glow.GOOD: Shade.GOOD, Glow.WARN: Shade.WARN, Glow.BAD: Shade.BAD, Glow.OFF: None}


BookLine = RegisterEntry | NumberEntry
"""A line of the register: a document, or a number without one."""


def line_id(row: BookLine) -> str:
    """What tells a line from all others."""
    return row.id if isinstance(row, RegisterEntry) else f"{row.body_code} {row.year} {row.sequence} {row.number}"


@dataclass(frozen=True)
class FileLevel:
    """How far a signed file is: the level that it was sent at, its newest one, and what it waits for (empty: nothing).

    `given_up` is why it can't be raised any more.
    """

    sent: str
    newest: str
    waits_for: str = ""
    given_up: KnownError | None = None


@dataclass(frozen=True)
class Fact:
    """What, and its value."""

    what: str
    value: str


@dataclass(frozen=True)
class FileView:
    """A file of a document, and the proof of its signature in short; `proof` is for a tip and for copying."""

    id: str
    name: str
    under: str
    proof: tuple[Fact, ...]


@dataclass(frozen=True)
class ArrivalNumber:
    """A số đến that is in use."""

    body_code: str
    year: int
    number: int


@dataclass(frozen=True)
class Kept:
    """A document that was signed and kept, and may be given to be sent: what it is called, and whose it is."""

    id: str
    label: str
    body_code: str


@dataclass(frozen=True)
class DetailsView:
    """One document."""

    heading: str
    under: str
    facts: tuple[Fact, ...]
    files: tuple[FileView, ...]
    receipt: tuple[Fact, ...]
    trouble: str = ""
    """What hinders the sending; empty where nothing does."""
    note: str = ""
    """What is to be known of it: of its timestamp, or of a number."""
    again: str = ""
    """What it is called where it may be signed again; empty where it may not."""
    give: Kept | None = None
    """What may be given to be sent."""
    number: NumberEntry | None = None
    """The number that may be given up."""
    arrival: ArrivalNumber | None = None
    """The số đến that may be given up."""


def columns(
    names: Callable[[], Mapping[str, str]], words: Words, now: Callable[[], dt.datetime]
) -> tuple[Column[BookLine], ...]:
    """The register's columns (wording of Decree 30/2020, appendix IV, as far as the program knows them)."""
    return (
        Column("ut_head_label", lambda row: row.label, 9, sort=number_key, shade=_grey),
        Column(
            "ut_head_date", lambda row: day(row.doc_date), 8, sort=lambda row: row.doc_date or dt.date.min, shade=_grey
        ),
        Column(
            "ut_head_type_subject",
            lambda row: title(row, words),
            12,
            tip=lambda row: title(row, words),
            stretch=True,
            shade=_grey,
        ),
        Column("ut_head_signer", lambda row: row.signer_name or "" if isinstance(row, RegisterEntry) else "", 9),
        Column("ut_head_receivers", lambda row: receivers(row, names()), 8, tip=lambda row: receivers(row, names())),
        Column(
            "ut_head_state",
            lambda row: brief_state(row, words),
            9.5,
            shade=lambda row: _SHADES[glow(row)] if isinstance(row, RegisterEntry) else Shade.MUTED,
            dot=True,
            tip=lambda row: state(row, now(), words),
        ),
    )


def _grey(row: BookLine) -> Shade | None:
    """A number without a document stands there in grey."""
    return None if isinstance(row, RegisterEntry) else Shade.MUTED


def number_key(row: BookLine) -> tuple[int, int, str]:
    """Sorts numbers as numbers: year, then 9 before 10, then what stands behind ("12a", the notation)."""
    found = _DIGITS.match(row.number or "")
    return row.year, int(found.group()) if found else 0, row.label


def title(row: BookLine, words: Words) -> str:
    """Type and subject; the type is left out where the subject begins with it. Of a number why it has no document."""
    if isinstance(row, NumberEntry):
        if row.state is NumberState.VOIDED:
            return words("uk_number_row", reason=row.reason or "")
        return words("uk_number_row_kept", name=row.subject or "")
    kind, subject = row.type or "", row.subject or ""
    if not kind or subject.casefold().startswith(kind.casefold()):
        return subject or kind
    return f"{kind}: {subject}" if subject else kind


def receivers(row: BookLine, names: Mapping[str, str]) -> str:
    """The receivers' names."""
    return "; ".join(names.get(code, code) for code in row.receivers) if isinstance(row, RegisterEntry) else ""


_ANSWERS = {"02": "returned", "16": "declined", "": "not_reached"}
"""The words for what receivers have made of a document, by what a person must act on."""


def brief_state(row: BookLine, words: Words) -> str:
    """How far the document is, in a word or two."""
    if isinstance(row, NumberEntry):
        return words("uk_number_voided" if row.state is NumberState.VOIDED else "uk_number_reserved")
    if row.sending is None:
        return words("uk_signed_again" if row.again else "ut_state_signed")
    if row.answer in _ANSWERS:
        return words(f"uq_standing_{_ANSWERS[row.answer]}")
    if row.sending is OutboxState.FORWARDED:
        return words("outbox_accepted")
    if row.sending is OutboxState.RETRYING:
        return words("outbox_queued")
    return words(f"outbox_{row.sending}")


def state(row: BookLine, now: dt.datetime, words: Words) -> str:
    """How far the document is, and since when."""
    if isinstance(row, NumberEntry):
        return brief_state(row, words)
    if row.answer in _ANSWERS:
        return brief_state(row, words)
    if row.sending in (OutboxState.ACCEPTED, OutboxState.FORWARDED) and row.accepted_at is not None:
        return words("outbox_received", time=time_of(row.accepted_at, now))
    if row.sending is OutboxState.NEEDS_PERSON:
        return words("ut_sent_needs_person")
    return brief_state(row, words)


def glow(row: RegisterEntry) -> Glow:
    """How that stands."""
    if row.answer in _ANSWERS:
        return Glow.BAD
    return state_glow(row.sending, None) if row.sending is not None else Glow.OFF


def number_view(row: NumberEntry, names: Mapping[str, str], now: dt.datetime, words: Words) -> DetailsView:
    """A number without a document, in words; one that is only kept may be given up."""
    voided = row.state is NumberState.VOIDED
    told = (
        (words("ut_fact_state"), brief_state(row, words)),
        (words("uk_number_reason"), row.reason or ""),
        (words("uk_number_at"), time_of(row.at.astimezone(VIETNAM), now)),
        (words("uk_number_by"), row.operator or "" if voided else ""),
    )
    under = " · ".join(part for part in (day(row.doc_date), names.get(row.body_code, row.body_code)) if part)
    return DetailsView(
        row.label,
        under,
        tuple(Fact(what, value) for what, value in told if value),
        (),
        (),
        note=words("uk_number_told" if voided else "uk_number_told_kept"),
        number=None if voided else row,
    )


def details_view(
    row: RegisterEntry,
    details: RegisterDetails,
    levels: Mapping[str, FileLevel],
    names: Mapping[str, str],
    now: dt.datetime,
    words: Words,
    ours: Collection[str] = (),
) -> DetailsView:
    """One document in words; `levels` by the id of a signed file; `ours`: the bodies for which this program sends."""
    told = (
        (words("ut_fact_state"), state(row, now, words)),
        (words("ut_fact_signer"), row.signer_name or ""),
        (words("ut_fact_receivers"), receivers(row, names) or words("ut_no_receivers")),
        (words("ut_fact_urgency"), words(f"ut_urgency_{row.urgency.value}") if row.urgency else ""),
        (words("uk_level"), level_text(tuple(levels.values()), words)),
    )
    sent = details.packets[-1] if details.packets else None
    under = " · ".join(part for part in (row.label, day(row.doc_date), names.get(row.body_code, row.body_code)) if part)
    return DetailsView(
        title(row, words) or words("ut_no_subject"),
        under,
        tuple(Fact(what, value) for what, value in told if value),
        tuple(_file(file, now, words) for file in details.files),
        _receipt(sent, now, words) if sent else (),
        error_words(sent.error, words) if sent else "",
        level_note(tuple(levels.values()), words),
        (row.label or title(row, words)) if _may_be_again(row) else "",
        Kept(row.id, row.label, row.body_code) if _may_be_again(row) and row.label and row.body_code in ours else None,
    )


def _may_be_again(row: RegisterEntry) -> bool:
    """Whether nothing of it was given to be sent; whether it can be signed again is found out when that is wanted."""
    return row.sending is None and row.state is DocumentState.SIGNED


def level_text(levels: Sequence[FileLevel], words: Words) -> str:
    """The lowest level of the document's signatures: B-B, B-T, B-LT, B-LTA."""
    if not levels:
        return ""
    lowest = min(levels, key=lambda one: LEVELS.index(one.newest))
    if lowest.newest == lowest.sent:
        return lowest.newest.upper()
    return words("uk_level_raised", level=lowest.newest.upper(), sent=lowest.sent.upper())


def level_note(levels: Sequence[FileLevel], words: Words) -> str:
    """What is still to come: a timestamp (wording 29), a higher level; or why it doesn't come any more."""
    given_up = next((one.given_up for one in levels if one.given_up is not None), None)
    if given_up is not None:
        return words("uk_level_given_up", why=words.explain(given_up).what)
    waiting = [one for one in levels if one.waits_for]
    if any(one.newest == "b-b" for one in waiting):
        return words("uk_level_untimed")
    if waiting:
        return words("uk_level_waiting", level=max((one.waits_for for one in waiting), key=LEVELS.index).upper())
    return ""


def _file(file: SignedFile, now: dt.datetime, words: Words) -> FileView:
    proof = file.proof
    if proof is None:
        return FileView(file.id, file.name, words("ut_state_signed" if file.level else "ut_file_unsigned"), ())
    verdict = words(f"verdict_{proof.verdict}")
    signed = time_of(proof.signed_at.astimezone(VIETNAM), now)
    under = words("ut_file_signed", signer=proof.signer or words("ut_signer_unknown"), time=signed, verdict=verdict)
    return FileView(file.id, file.name, under, _proof(file, proof, words))


def _proof(file: SignedFile, proof: Proof, words: Words) -> tuple[Fact, ...]:
    told = (
        (words("ut_proof_certificate"), grouped(proof.certificate_serial)),
        (words("ut_proof_issuer"), common_name(proof.issuer)),
        (words("ut_proof_status"), words(f"ut_known_{proof.status}")),
        (words("ut_proof_level"), (file.level or "").upper()),
        (words("ut_proof_timestamp"), words("ut_yes" if proof.timestamped else "ut_no")),
        (words("ut_proof_token"), grouped(proof.token_serial)),
        (words("ut_proof_operator"), proof.operator),
        (words("ut_proof_rules"), proof.rule_profile),
        (words("ut_proof_program"), proof.software_version),
        (words("ut_proof_warnings"), "; ".join(explained(KnownError(code), words).what for code in proof.warnings)),
        (words("ut_proof_sha256"), grouped(proof.sha256)),
    )
    return tuple(Fact(what, value) for what, value in told if value)


def _receipt(sent: SentPacket, now: dt.datetime, words: Words) -> tuple[Fact, ...]:
    told = (
        (words("ut_receipt_queued"), time_of(sent.queued_at.astimezone(VIETNAM), now)),
        (words("ut_receipt_accepted"), time_of(sent.accepted_at.astimezone(VIETNAM), now) if sent.accepted_at else ""),
        (words("ut_receipt_server"), sent.server_id),
        (words("ut_receipt_sequence"), sent.sequence),
        (words("ut_receipt_packet"), sent.packet_id),
    )
    return tuple(Fact(what, value) for what, value in told if value)
