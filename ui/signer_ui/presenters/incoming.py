"""What the list of incoming documents says: its columns, how each document stands, what is summed up over it.

Pure values in and out; loads no Qt. All that a sender wrote is text to be read, never markup and never a path.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from signer_app.desk.incoming import IncomingRow, IncomingSnapshot
from signer_app.desk.incoming_model import Place, asked_key
from signer_app.store.incoming_model import ArrivalState, ArrivalVerdict, Asked, IncomingDocument
from signer_app.store.model import Urgency
from signer_app.store.settings import Exchange, Settings
from signer_ui.glow import Glow
from signer_ui.presenters.figures import count, moment, short_body
from signer_ui.presenters.grid import Column, Shade
from signer_ui.words import Words

_SHADES = {Glow.GOOD: Shade.GOOD, Glow.WARN: Shade.WARN, Glow.BAD: Shade.BAD, Glow.OFF: None}
_ASKED = {Asked.RECALL: "ua_asked_recall", Asked.UPDATE: "ua_asked_update"}
_VERDICTS = {
    ArrivalVerdict.VALID: Glow.GOOD,
    ArrivalVerdict.CHANGED: Glow.WARN,
    ArrivalVerdict.INDETERMINATE: Glow.WARN,
    ArrivalVerdict.INVALID: Glow.BAD,
    ArrivalVerdict.UNSIGNED: Glow.WARN,
    ArrivalVerdict.NO_PDF: Glow.WARN,
    ArrivalVerdict.UNREADABLE: Glow.BAD,
}
_BRIEF = {
    "incoming_verdict_valid": "ua_brief_valid",
    "incoming_verdict_invalid": "ua_brief_invalid",
    "incoming_verdict_changed": "ua_brief_changed",
    "incoming_verdict_indeterminate": "ua_brief_indeterminate",
    "incoming_verdict_unsigned": "ua_brief_unsigned",
}
"""Shorter words under a head that says that they are about signatures."""
_VERDICTS_FIRST = tuple(ArrivalVerdict)
SPARED = ("ua_head_number", "ut_head_came", "ut_head_sender", "ua_head_verdict", "ut_head_subject")
"""Columns that a narrow list can do without, in this order: the document beside it says all of that."""


@dataclass(frozen=True)
class Answering:
    """For whom this program answers: `orgs`, or `external` when another system does for every body."""

    orgs: frozenset[str]
    external: bool

    @classmethod
    def of(cls, settings: Settings) -> "Answering":
        """As the settings say."""
        orgs = frozenset(body.code for body in settings.bodies if body.exchange is Exchange.SERVER)
        return cls(orgs, bool(settings.bodies) and not orgs)


@dataclass(frozen=True, eq=False)
class ListView:
    """The list, and what is said over it. `ready`: how many one click accepts. `loud`: empty, or what must be heard."""

    snapshot: IncomingSnapshot
    ready: int
    summary: str
    glow: Glow
    loud: str
    loud_id: str | None


def list_view(snapshot: IncomingSnapshot, answering: Answering, now: dt.datetime, words: Words) -> ListView:
    """The list as it stands now; takes some milliseconds for ten thousand rows that wait."""
    waiting = snapshot.rows[: snapshot.open]
    ready = sum(row.document is not None and row.document.org in answering.orgs and row.document.valid
                for row in waiting) if snapshot.valid else 0  # fmt: skip
    if answering.external:
        return ListView(snapshot, 0, words("ua_summary_external"), Glow.OFF, "", None)
    late, loud = len(snapshot.late(now)), snapshot.loud(now)
    told = [words("ua_summary", open=count(snapshot.open, words))] if snapshot.open else [words("ua_summary_done")]
    if late:
        told.append(words("ua_summary_late", count=count(late, words)))
    if snapshot.open:
        told.append(words("ua_summary_rule"))
    first = min(loud, key=lambda row: row.at) if loud else None
    return ListView(
        snapshot,
        ready,
        " · ".join(told),
        Glow.BAD if late else Glow.OFF,
        _loud(first, len(loud), now, words) if first is not None else "",
        first.id if first is not None else None,
    )


def _loud(first: IncomingRow, number: int, now: dt.datetime, words: Words) -> str:
    minutes = count(int((now - first.at).total_seconds() // 60), words)
    label = label_of(first) or words("ua_no_label")
    if number == 1:
        return words("ua_loud_one", minutes=minutes, label=label, sender=first.sender)
    return words("ua_loud_many", count=number, minutes=minutes, label=label, sender=first.sender)


def columns(words: Words, now: Callable[[], dt.datetime]) -> tuple[Column[IncomingRow], ...]:
    """The list's columns."""
    return (
        Column("ut_head_came", lambda row: moment(row.at, now()), 3.1, sort=lambda row: row.at),
        Column("ua_head_number", number, 2.5, sort=_by_number, number=True),
        Column(
            "ut_head_sender",
            lambda row: short_body(row.sender),
            8.6,
            tip=lambda row: row.sender,
            also=lambda row: row.sender,
        ),
        Column("ut_head_label", label_of, 8.1, tip=label_of),
        Column(
            "ut_head_subject",
            lambda row: words("ut_incoming_secret_row") if row.secret else row.subject,
            6,
            tip=lambda row: words("ut_incoming_secret_row") if row.secret else row.subject,
            stretch=True,
            also=lambda row: row.search,
        ),
        Column(
            "ua_head_verdict",
            lambda row: verdict(row, words, brief=True),
            7.5,
            sort=_by_verdict,
            shade=lambda row: _SHADES[verdict_glow(row)],
            dot=True,
            tip=lambda row: verdict(row, words),
        ),
        Column(
            "ut_head_state",
            lambda row: state(row, now(), words),
            11,
            sort=lambda row: (row.place, -row.urgency, row.at),
            shade=lambda row: _SHADES[state_glow(row, now())],
            dot=True,
            tip=lambda row: state(row, now(), words),
        ),
    )


def label_of(row: IncomingRow) -> str:
    """Số, ký hiệu as the sender wrote it; empty where nobody knows it yet."""
    return row.facts.label if row.facts is not None else ""


def number(row: IncomingRow) -> str:
    """The number that it got in the register here; empty without one."""
    return str(row.document.number) if row.document is not None and row.document.number is not None else ""


def _by_number(row: IncomingRow) -> tuple[int, int]:
    document = row.document
    if document is None or document.number is None:
        return 0, 0
    return document.number_year or 0, document.number


def verdict(row: IncomingRow, words: Words, *, brief: bool = False) -> str:
    """What its signatures are worth; empty for what has none to judge. `brief`: under a head that says of what."""
    if row.verdict_key is None:
        return ""
    return words(_BRIEF.get(row.verdict_key, row.verdict_key) if brief else row.verdict_key)


def verdict_glow(row: IncomingRow) -> Glow:
    """How that stands."""
    return _VERDICTS[row.document.verdict] if row.document is not None and row.verdict_key is not None else Glow.OFF


def _by_verdict(row: IncomingRow) -> int:
    if row.document is None or row.verdict_key is None:
        return len(_VERDICTS_FIRST)
    return _VERDICTS_FIRST.index(row.document.verdict)


def state(row: IncomingRow, now: dt.datetime, words: Words) -> str:
    """What the clerk has to know at a glance: urgency where it still counts, then how it stands."""
    told = _state(row, now, words)
    if row.place == Place.DONE or not row.urgency:
        return told
    return f"{words(f'ut_urgency_{row.urgency.value}')} · {told}"


def _state(row: IncomingRow, now: dt.datetime, words: Words) -> str:
    document = row.document
    if document is None:
        if row.secret:
            told = row.packet is not None and row.packet.told_at is not None
            return words("ua_secret_told" if told else "ut_state_secret")
        return words(row.state_key)
    if document.asked is not None:
        return words(_ASKED[document.asked])
    return waiting(row, now, words) if document.state is ArrivalState.ARRIVED else words(row.state_key)


def waiting(row: IncomingRow, now: dt.datetime, words: Words) -> str:
    """How long a document that waits to be accepted still may."""
    deadline, document = row.deadline, row.document
    if deadline is not None and deadline.is_late(now):
        days = deadline.days_late(now)
        return words("ua_late_days", days=days) if days else words("ua_late_today")
    if deadline is not None and deadline.is_red(now) and row.urgency < Urgency.KHAN:
        if now >= deadline.target:
            return words("ua_late_today")
        return words("ua_waits_until", hour=deadline.target.strftime("%H:%M"))
    doubted = document is not None and document.verdict is ArrivalVerdict.VALID and not document.valid
    return words("ua_waits_look" if doubted else "ua_waits")


def state_glow(row: IncomingRow, now: dt.datetime) -> Glow:
    """How that stands."""
    document = row.document
    if row.place == Place.DONE:
        return Glow.GOOD if document is not None and document.state is ArrivalState.ACCEPTED else Glow.OFF
    late = row.deadline is not None and row.deadline.is_late(now)
    if late or row.secret or row.urgency >= Urgency.HOA_TOC or _recalled(document):
        return Glow.BAD
    pressed = row.deadline is not None and row.deadline.is_red(now)
    failed = row.packet is not None and row.packet.given_up
    return Glow.WARN if pressed or failed or row.urgency or _is_asked(document) else Glow.OFF


def _recalled(document: IncomingDocument | None) -> bool:
    return document is not None and document.asked is Asked.RECALL


def _is_asked(document: IncomingDocument | None) -> bool:
    return document is not None and asked_key(document) is not None
