"""What is said of one incoming document: its packet's own words, what was done with it here, its files.

Pure values in and out; loads no Qt. All that a sender wrote is text to be read, never markup and never a path.
"""

import datetime as dt
from dataclasses import dataclass

from signer_app.desk.incoming import IncomingFile, IncomingRow, OpenedPacket
from signer_app.desk.incoming_model import IncomingDetails
from signer_app.store.incoming_model import ArrivalState, ArrivalVerdict, IncomingEvent, IncomingWhat, OwnDoubt
from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind
from signer_sync.edxml import Doubt, PacketHeader
from signer_ui.glow import Glow
from signer_ui.presenters.figures import Fact, day, size, time_of
from signer_ui.presenters.incoming import label_of, state_glow
from signer_ui.words import Words

_DOUBTS: dict[str, str] = {doubt.value: doubt.text_key for doubt in (*OwnDoubt, *Doubt)}


@dataclass(frozen=True)
class PacketView:
    """A packet's own words: the subject as heading, who and when in one line, the rest as facts."""

    heading: str
    under: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Standing:
    """How a document stands here: a line and how bad that is, what is odd about it, facts and history."""

    told: str
    glow: Glow
    doubts: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()


def packet_view(row: IncomingRow, opened: OpenedPacket, words: Words) -> PacketView:
    """What the packet says of itself; what it doesn't say is left out."""
    header = opened.header
    label = label_of(row) or "/".join(part for part in (header.code_number, header.code_notation) if part)
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


def standing(details: IncomingDetails, row: IncomingRow, now: dt.datetime, words: Words) -> Standing:
    """How a document stands, as of `row`."""
    document = details.document
    facts = []
    if document.number is not None:
        year = f"/{document.number_year}" if document.number_year else ""
        facts.append(Fact(words("ua_fact_number"), f"{document.number}{year}"))
    if document.decided_by and document.decided_at is not None:
        at = time_of(document.decided_at, now)
        facts.append(Fact(words("ua_fact_decided"), f"{document.decided_by} · {at}"))
    if document.note:
        facts.append(Fact(words("ua_fact_note"), document.note))
    if details.holders:
        facts.append(Fact(words("ua_fact_holders"), "; ".join(details.holders)))
    if document.kind is not PacketKind.NEW:
        facts.append(Fact(words("ua_fact_kind"), words(f"ut_kind_{document.kind}")))
    facts += [_event(event, now, words) for event in details.events]
    doubts = tuple(words(_DOUBTS[doubt]) for doubt in document.doubts if doubt in _DOUBTS)
    return Standing(*_line(row, now, words), doubts, tuple(facts))


def _line(row: IncomingRow, now: dt.datetime, words: Words) -> tuple[str, Glow]:
    document, deadline = row.document, row.deadline
    assert document is not None
    if document.state is ArrivalState.CANCELLED:
        return words("ua_quarantined"), Glow.BAD
    told, glow = words(row.state_key), state_glow(row, now)
    if document.state is ArrivalState.ACCEPTED and document.number is not None and document.asked is None:
        return words("ua_accepted_number", number=document.number), glow
    if deadline is None:
        return told, glow
    when = {"hour": deadline.target.strftime("%H:%M"), "day": day(deadline.target.date())}
    if deadline.is_late(now):
        return words("ua_due_late", days=max(1, deadline.days_late(now)), **when), Glow.BAD
    return words("ua_due_by" if document.asked is None else "ua_answer_by", **when), glow


def _event(event: IncomingEvent, now: dt.datetime, words: Words) -> Fact:
    # A verdict and a channel are written down by their names, and who came by which channel or packet is no person.
    told = words(f"ua_event_{event.what.value}")
    said = event.words
    if event.what is IncomingWhat.VERIFIED and said in {verdict.value for verdict in ArrivalVerdict}:
        said = words(f"incoming_verdict_{said}")
    elif event.what in (IncomingWhat.ARRIVED, IncomingWhat.CAME_AGAIN):
        said = words(_WAYS[said]) if said in _WAYS else ""
    by = event.by if event.what in _BY_PERSONS else ""
    return Fact(time_of(event.at, now), " · ".join(part for part in (told, said, by) if part))


_WAYS = {"sync": "ua_by_sync", "lgsp": "ua_by_lgsp", "folder": "ua_by_folder"}
"""How it came, by the channel's name."""
_BY_PERSONS = frozenset(
    {
        IncomingWhat.ACCEPTED,
        IncomingWhat.RETURNED,
        IncomingWhat.REPORTED,
        IncomingWhat.AGREED,
        IncomingWhat.DECLINED,
        IncomingWhat.TRANSFERRED,
    }
)


def packet_standing(row: IncomingRow, now: dt.datetime, words: Words) -> Standing:
    """How a packet stands for which there is no document: being filed, secret, not to be had."""
    packet = row.packet
    glow = state_glow(row, now)
    if packet is None:
        return Standing(words(row.state_key), glow)
    facts = [Fact(words("ut_head_came"), time_of(row.at, now)), Fact(words("ua_fact_packet"), packet.packet_id)]
    if packet.told_at is not None:
        by = " · ".join(part for part in (packet.told_by or "", time_of(packet.told_at, now)) if part)
        facts.append(Fact(words("ua_secret_told"), by))
    told = words(row.state_key)
    if packet.given_up and packet.error_code:
        told = f"{told}. {_why(packet.error_code, dict(packet.error_params), words)}"
    return Standing(told, glow, (), tuple(facts) if row.sha256 is None else ())


def _why(code: str, params: dict[str, object], words: Words) -> str:
    explained = words.explain(KnownError(code, **params))
    return " ".join(part for part in (explained.what, explained.do) if part)


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
    kept = kept.strip(" .")
    stem, dot, ending = kept.rpartition(".")
    if not dot or not stem or len(ending) > _LONGEST_ENDING:
        stem, dot, ending = kept, "", ""
    stem = stem.encode()[:_LONGEST_NAME].decode(errors="ignore").rstrip(" .")
    if stem.split(".")[0].strip().upper() in _DEVICES:
        stem = f"_{stem}"
    return f"{stem}{dot}{ending}" if stem else ("van-ban.pdf" if file.is_pdf else "tep-dinh-kem")


_LONGEST_NAME = 180
"""Bytes of a name, its ending apart: file systems take 255, and a letter of ours has up to three."""
_LONGEST_ENDING = 10
_DEVICES = frozenset({"CON", "PRN", "AUX", "NUL", *(f"{one}{n}" for one in ("COM", "LPT") for n in range(1, 10))})
"""Names that no file can have on Windows, with whatever ending."""
