"""What the verify view says of a checked file: verdict, the course of its signatures, the facts of each, the frames.

Pure values in and out; loads no Qt and decides nothing about signatures: that was done by `signer_app.verification`.
What a file says of itself (names, fields) is text to be read, never markup.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from msgspec.structs import replace

from signer_app.verification.facts import local, signature_facts
from signer_app.verification.model import (
    Change,
    ChangeKind,
    FileReport,
    Integrity,
    SignatureReport,
    StampReport,
    Verdict,
)
from signer_app.verification.report import change_message, message
from signer_ui.glow import Glow
from signer_ui.presenters.figures import Fact, time_of
from signer_ui.presenters.frames import Frame, frames_of, signature_spots, spots_of
from signer_ui.presenters.pages import Spot
from signer_ui.words import Words

GLOWS = {
    Verdict.VALID: Glow.GOOD,
    Verdict.CHANGED: Glow.WARN,
    Verdict.INDETERMINATE: Glow.WARN,
    Verdict.INVALID: Glow.BAD,
    Verdict.UNSIGNED: Glow.WARN,
}
_OWN_ENTRIES = frozenset({ChangeKind.SIGNATURE, ChangeKind.TIMESTAMP})
"""Later signatures and timestamps stand in the course of things themselves; as changes only where they do harm."""
_ON_A_PAGE = "verify_forbidden_change_on_page"
"""The reason of a verdict that the frames show."""
_PAGES_NAMED = 5
_MOST_CHANGES = 150
"""So many are listed; a file may be made to hold thousands."""


class EntryKind(Enum):
    """What an entry of the course speaks of."""

    SIGNATURE = "signature"
    STAMP = "stamp"
    CHANGE = "change"


@dataclass(frozen=True)
class Entry:
    """A line of the course: what happened, more about it below, its facts, and where it shows.

    `page` (from 0) is where to look when there are no `spots`.
    """

    kind: EntryKind
    glow: Glow
    text: str
    under: str
    facts: tuple[Fact, ...]
    spots: tuple[Spot, ...] = ()
    page: int | None = None


@dataclass(frozen=True)
class FileView:
    """All that the view shows of a file; `first` is the entry to be chosen at the beginning, None without entries."""

    verdict: str
    glow: Glow
    why: str
    about: str
    entries: tuple[Entry, ...]
    frames: tuple[Frame, ...]
    first: int | None


def file_view(report: FileReport, now: dt.datetime, words: Words) -> FileView:
    """The file as it was checked."""
    changes = _changes(report)
    entries = tuple(_course(report, changes, now, words))
    return FileView(
        words(f"verdict_{report.verdict}"),
        GLOWS[report.verdict],
        reason(report, words, _framed_pages(changes)),
        _about(report, now, words),
        entries,
        frames_of(report.signatures, changes),
        _first(entries),
    )


def reason(report: FileReport, words: Words, framed: Sequence[int] = ()) -> str:
    """Why the verdict is what it is and what to do; the verdict isn't said twice. `framed`: pages with red frames."""
    if report.verdict in (Verdict.VALID, Verdict.UNSIGNED):
        return ""
    if report.message_code == _ON_A_PAGE and framed:
        named = ", ".join(str(page) for page in framed[:_PAGES_NAMED])
        return words("uv_broken_pages", pages=f"{named}…" if len(framed) > _PAGES_NAMED else named)
    return _without_verdict(report, words)


def _without_verdict(told: FileReport | SignatureReport, words: Words) -> str:
    rest = message(told, words.lang).removeprefix(words(f"verdict_{told.verdict}")).lstrip(":. ")
    return rest[:1].upper() + rest[1:]


def _about(report: FileReport, now: dt.datetime, words: Words) -> str:
    """How much there is, and when it was checked."""
    told = [words("uv_signature_count", count=len(report.signatures))] if report.signatures else []
    told += [words("uv_stamp_count", count=len(report.stamps))] if report.stamps else []
    told += [words("uv_checked_at", time=_time(report.checked_at, now))] if report.checked_at else []
    return " · ".join(told)


# ---- the course of things -------------------------------------------------------------------------------------------


def _changes(report: FileReport) -> tuple[Change, ...]:
    """Each change once, as the signature sees it to which it does most harm, with the state after which it was made."""
    found: dict[tuple[object, ...], Change] = {}
    for signature in report.signatures:
        for change in signature.changes:
            # Covered ink is found by looking at the file as it is now: each signature before it tells of it anew.
            made = None if change.kind is ChangeKind.INK_COVERED else change.after
            params = tuple(sorted(change.params.items()))
            key = (change.kind, change.page, change.message_code, params, change.areas, made)
            after = change.after if change.after is not None else signature.revision
            known = found.get(key, change)
            wanted = _later(known.after, after), known.allowed and change.allowed, known.harmless and change.harmless
            if (known.after, known.allowed, known.harmless) == wanted:
                found[key] = known
            else:
                found[key] = replace(known, after=wanted[0], allowed=wanted[1], harmless=wanted[2])
    return tuple(found.values())


def _later(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)


def _framed_pages(changes: Sequence[Change]) -> list[int]:
    """Pages (from 1) with a red frame."""
    forbidden = (change for change in changes if not change.harmless and not change.allowed)
    return sorted({change.page for change in forbidden if change.areas and change.page is not None})


def _course(report: FileReport, changes: Sequence[Change], now: dt.datetime, words: Words) -> Iterator[Entry]:
    """Signed states, the oldest first, each followed by what was changed after it."""
    alone = len(report.signatures) == 1
    states: list[tuple[int | None, Entry]] = [
        (signature.revision, _signature(number, signature, now, words, alone=alone))
        for number, signature in enumerate(report.signatures, start=1)
    ]
    states += [(stamp.revision, _stamp(stamp, now, words)) for stamp in report.stamps]
    made, left = _weightiest([one for one in changes if not (one.harmless and one.kind in _OWN_ENTRIES)])
    states.sort(key=lambda state: (state[0] is None, state[0] or 0))
    told: set[int] = set()
    for revision, entry in states:
        yield entry
        for at, change in enumerate(made):
            if at not in told and revision is not None and change.after == revision:
                told.add(at)
                yield _change(change, entry, words)
    for at, change in enumerate(made):
        if at not in told:
            yield _change(change, None, words)
    if left:
        yield Entry(EntryKind.CHANGE, Glow.OFF, words("uv_entry_more", count=left), "", ())


def _weightiest(changes: list[Change]) -> tuple[list[Change], int]:
    """As many changes as a list can show, in their order, and how many lighter ones are left out."""
    if len(changes) <= _MOST_CHANGES:
        return changes, 0
    by_weight = sorted(range(len(changes)), key=lambda at: (changes[at].harmless, changes[at].allowed, at))
    kept = sorted(by_weight[:_MOST_CHANGES])
    return [changes[at] for at in kept], len(changes) - _MOST_CHANGES


def _first(entries: Sequence[Entry]) -> int | None:
    """What was changed and shows on a page, the worst of it; else the worst signature; else the first entry."""
    weights = (Glow.BAD, Glow.WARN, Glow.GOOD, Glow.OFF)
    changes = [at for at, one in enumerate(entries) if one.kind is EntryKind.CHANGE and one.spots]
    changes = [at for at in changes if entries[at].glow is not Glow.OFF]
    signatures = [at for at, one in enumerate(entries) if one.kind is EntryKind.SIGNATURE]
    for some in (changes, signatures):
        if some:
            return min(some, key=lambda at: weights.index(entries[at].glow))
    return 0 if entries else None


# ---- signatures ------------------------------------------------------------------------------------------------------


def _signature(number: int, signature: SignatureReport, now: dt.datetime, words: Words, *, alone: bool) -> Entry:
    """`alone`: its reason is the file's own and said above."""
    verdict = words(f"verdict_{signature.verdict}")
    who = signature.signer or words("ut_signer_unknown")
    # What an untrusted timestamp says is no time of signing.
    when = signature.signing_time
    under = (signature.organization, _step(signature, words), _time(when, now) if when else "")
    return Entry(
        EntryKind.SIGNATURE,
        GLOWS[signature.verdict],
        words("uv_entry_signature", number=number, who=who, verdict=verdict),
        " · ".join(part for part in under if part),
        _facts(signature, words, tell_why=not alone),
        signature_spots(signature),
        signature.page - 1 if signature.page is not None else None,
    )


def _step(signature: SignatureReport, words: Words) -> str:
    """What kind of signature this step is, as far as its certificate and its appearance tell.

    No machine mark tells a body's certificate from a person's; a name in capitals, or that of its organisation, is a
    body's (as `signer_app.signing.roles`).
    """
    if signature.signer is None:
        return ""
    named = signature.organization is not None and signature.signer in signature.organization.split(", ")
    of_body = named or signature.signer == signature.signer.upper()
    told = words("uv_step_body" if of_body else "uv_step_person")
    return f"{told}, {words('uv_step_locks')}" if signature.docmdp == 1 else told


def _facts(signature: SignatureReport, words: Words, *, tell_why: bool) -> tuple[Fact, ...]:
    """The verdict's reason where there is one, then what TT 15/2025/TT-BKHCN, Điều 6.4 asks for."""
    why = _without_verdict(signature, words) if tell_why and signature.verdict is not Verdict.VALID else ""
    told = [Fact(words("uv_fact_verdict"), why)] if why else []
    told += [Fact(fact.what, fact.value) for fact in signature_facts(signature, words.lang)]
    told += [Fact(words("uv_fact_serial"), _in_fours(signature.serial))] if signature.serial else []
    told += [Fact(words("uv_fact_legacy"), words("uv_legacy"))] if signature.legacy else []
    return tuple(told)


def _in_fours(serial: str) -> str:
    return " ".join(serial[at : at + 4] for at in range(0, len(serial), 4))


# ---- timestamps and changes ------------------------------------------------------------------------------------------


def _stamp(stamp: StampReport, now: dt.datetime, words: Words) -> Entry:
    unknown = words("verify_fact_unknown")
    when = _time(stamp.time, now) if stamp.time else unknown
    facts = (
        ("uv_fact_stamper", stamp.authority or unknown),
        ("uv_fact_stamp_time", when),
        ("verify_fact_integrity", words(f"verify_integrity_{stamp.integrity}")),
        ("uv_fact_stamp_valid", words("uv_stamp_valid" if stamp.valid else "uv_stamp_invalid")),
    )
    broken = stamp.integrity is Integrity.BROKEN
    # One whose chain is not known proves no time, and does no harm either.
    glow = Glow.BAD if broken else Glow.GOOD if stamp.valid else Glow.WARN
    return Entry(
        EntryKind.STAMP,
        glow,
        words("uv_entry_stamp_broken" if broken else "uv_entry_stamp" if stamp.valid else "uv_entry_stamp_unsure"),
        " · ".join(part for part in (stamp.authority, when) if part),
        tuple(Fact(words(key), value) for key, value in facts),
    )


def _change(change: Change, before: Entry | None, words: Words) -> Entry:
    weight = "harmless" if change.harmless else "allowed" if change.allowed else "forbidden"
    facts = [
        Fact(words("uv_fact_change"), change_message(change, words.lang)),
        Fact(words("uv_fact_weight"), words(f"uv_change_{weight}")),
    ]
    if change.page is not None:
        facts.append(Fact(words("uv_fact_page"), str(change.page)))
    if before is not None:
        facts.append(Fact(words("uv_fact_after"), before.text))
    return Entry(
        EntryKind.CHANGE,
        {"harmless": Glow.OFF, "allowed": Glow.WARN, "forbidden": Glow.BAD}[weight],
        change_message(change, words.lang),
        words(f"uv_change_{weight}"),
        tuple(facts),
        spots_of(change),
        change.page - 1 if change.page is not None else None,
    )


def _time(at: dt.datetime, now: dt.datetime) -> str:
    return time_of(local(at), now)
