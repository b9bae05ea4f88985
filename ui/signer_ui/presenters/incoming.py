"""What the pane of incoming documents says: the list's columns, a packet's facts, its files.

Pure values in and out; loads no Qt. All that a sender wrote is text to be read, never markup and never a path.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from signer_app.desk.incoming import IncomingFile, IncomingRow, OpenedPacket
from signer_app.store.model import Urgency
from signer_sync.contract import PacketKind
from signer_sync.edxml import PacketHeader
from signer_ui.glow import Glow
from signer_ui.presenters.figures import Fact, day, moment, size
from signer_ui.presenters.grid import Column, Shade
from signer_ui.words import Words

_STATUS_CODES = frozenset({"01", "02", "03", "04", "05", "06", "13", "15", "16"})
"""The states of a document at its receiver (QCVN 102:2016/BTTTT; domain rules on status messages)."""
_RETURNED = "02"


@dataclass(frozen=True)
class PacketView:
    """A packet's own words: the subject as heading, who and when in one line, the rest as facts."""

    heading: str
    under: str
    facts: tuple[Fact, ...]


def columns(words: Words, now: Callable[[], dt.datetime]) -> tuple[Column[IncomingRow], ...]:
    """The list's columns."""
    return (
        Column("ut_head_came", lambda row: moment(row.at, now()), 4.5, sort=lambda row: row.at),
        Column("ut_head_sender", lambda row: row.sender, 10, tip=lambda row: row.sender),
        Column("ut_head_label", lambda row: row.facts.label if row.facts else "", 8),
        Column(
            "ut_head_subject",
            lambda row: words("ut_incoming_secret_row") if row.secret else row.subject,
            12,
            tip=lambda row: words("ut_incoming_secret_row") if row.secret else row.subject,
            stretch=True,
        ),
        Column(
            "ut_head_state",
            lambda row: state(row, words),
            10.5,
            sort=lambda row: (-row.urgency, state(row, words)),
            shade=lambda row: _SHADES[state_glow(row)],
            dot=True,
        ),
    )


_SHADES = {Glow.GOOD: Shade.GOOD, Glow.WARN: Shade.WARN, Glow.BAD: Shade.BAD, Glow.OFF: None}


def state(row: IncomingRow, words: Words) -> str:
    """What the clerk has to know of a packet at a glance: urgency, then what it does."""
    if row.secret:
        return words("ut_state_secret")
    if row.facts is not None and not row.facts.readable:
        return words("ut_state_unreadable")
    if row.kind is PacketKind.STATUS:
        code = row.facts.status_code if row.facts else ""
        return words(f"ut_status_{code}") if code in _STATUS_CODES else words("ut_kind_status")
    if not row.urgency:
        return words(f"ut_kind_{row.kind}")
    urgency = words(f"ut_urgency_{row.urgency.value}")
    return urgency if row.kind is PacketKind.NEW else f"{urgency} · {words(f'ut_kind_{row.kind}')}"


def state_glow(row: IncomingRow) -> Glow:
    """How that stands."""
    returned = row.facts is not None and row.facts.status_code == _RETURNED
    if row.secret or returned or row.kind is PacketKind.REVOKE or row.urgency >= Urgency.HOA_TOC:
        return Glow.BAD
    unreadable = row.facts is not None and not row.facts.readable
    return Glow.WARN if row.urgency or unreadable else Glow.OFF


def packet_view(row: IncomingRow, opened: OpenedPacket, words: Words) -> PacketView:
    """What the packet says of itself; what it doesn't say is left out."""
    header = opened.header
    label = row.facts.label if row.facts else ""
    label = label or "/".join(part for part in (header.code_number, header.code_notation) if part)
    told = (
        (words("ut_fact_signer"), _signer(header)),
        (words("ut_fact_receivers"), "; ".join(organ.name or organ.code for organ in header.receivers)),
        (words("ut_fact_due"), header.due),
        (words("ut_fact_reason"), header.reason or header.description if row.kind is not PacketKind.NEW else ""),
        (words("ut_fact_clerk"), ", ".join(part for part in (header.staff.name, header.staff.department) if part)),
    )
    sender = header.sender.name or header.sender.code
    under = " · ".join(part for part in (header.type_name, label, written_day(header.issued), sender) if part)
    return PacketView(
        header.subject or label or words(f"ut_kind_{row.kind}"),
        under,
        tuple(Fact(what, value) for what, value in told if value),
    )


def written_day(text: str) -> str:
    """A date of the packet as it is written here; one that is none stays as the sender wrote it."""
    try:
        return day(dt.datetime.strptime(text, "%Y/%m/%d").date())  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return text


def _signer(header: PacketHeader) -> str:
    signer = header.signer
    return ", ".join(part for part in (signer.full_name, signer.position) if part)


def file_words(file: IncomingFile, words: Words) -> str:
    """A file as the list of files names it."""
    return words("ut_file", name=file.name or words("ut_file_nameless"), size=size(file.size, words))


def suggested_name(file: IncomingFile) -> str:
    """A name for the save dialogue: the sender's, with nothing in it that could lead to another place."""
    kept = "".join(letter if letter.isprintable() and letter not in '\\/:*?"<>|' else "_" for letter in file.name)
    kept = kept.strip(" .")[:120]
    return kept or ("van-ban.pdf" if file.is_pdf else "tep-dinh-kem")
