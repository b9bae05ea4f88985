"""The section "Chứng thư tin cậy" in words: sets of certificates, what is missing, what became of an imported file.

Pure; loads no Qt, reads no file. Names come from other people's certificates: they are shown in one line, shortened.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from signer_app.desk.trusting import Installed, Missing, Offered, PinSource, TrustSnapshot
from signer_app.store.times import vietnamese_date
from signer_app.trust.keeper import Imported, Outcome
from signer_app.trust.kept import Use
from signer_app.verification.model import AnchorSet
from signer_ui.presenters.settings import OwnAnchorForm
from signer_ui.words import Words

_BEGINNING = 8
"""Digits of a fingerprint that are shown of it until somebody wants the whole."""
_GROUP = 4
_NAME = 90
"""Characters of a name that are shown."""
_TOLD = 4
"""Refused certificates that are told one by one; a file may bring fifty."""


class Standing(StrEnum):
    """How a line stands; the value is a tone of the style sheet."""

    QUIET = "muted"
    """Installed, or missing without great harm."""
    WANTED = "warn"
    """A root that is missing."""
    USELESS = "bad"


@dataclass(frozen=True)
class Line:
    """A certificate in the list; `facts` are shown on demand. `removable`: its whole fingerprint, or None."""

    name: str
    told: str
    standing: Standing
    facts: tuple[tuple[str, str], ...]
    removable: str | None = None


@dataclass(frozen=True)
class SetView:
    """One of the sets with what is installed, then what is missing; `hint`: how to get it."""

    set: AnchorSet
    title: str
    hint: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class TrustView:
    """The whole section."""

    summary: str
    error: str
    sets: tuple[SetView, ...]
    rules: tuple[tuple[str, str], ...]
    rules_hint: str


@dataclass(frozen=True)
class Told:
    """What is said of an act; `role` is one of `Notice`'s, `changed`: whether anchors are others now."""

    what: str
    why: str = ""
    do: str = ""
    role: str = "notice-good"
    changed: bool = True


def grouped(sha256: str) -> str:
    """A fingerprint as it is compared by eye: capitals, four by four."""
    return " ".join(sha256[at : at + _GROUP].upper() for at in range(0, len(sha256), _GROUP))


def beginning(sha256: str) -> str:
    """What is shown of a fingerprint beside a name."""
    return grouped(sha256[:_BEGINNING])


def offered_facts(offered: Offered, words: Words) -> tuple[tuple[str, str], ...]:
    """Of the certificate that waits to be added; not its fingerprint, which a person brings from elsewhere."""
    return (
        (words("ux_fact_name"), _short(offered.candidate.name)),
        (words("ux_fact_issuer"), _short(offered.issuer)),
        (words("ux_fact_validity"), _validity(offered.not_before, offered.not_after, words)),
    )


def added_told(form: OwnAnchorForm, words: Words) -> Told:
    """That the body's own anchor is in."""
    name = form.label or (form.offered.candidate.name if form.offered is not None else "")
    return Told(words("ux_own_added", name=_short(name)))


def trust_view(snapshot: TrustSnapshot, now: dt.datetime, words: Words) -> TrustView:
    """What is shown of everything that decides about trust."""
    anchors = sum(one.use is Use.ANCHOR for one in snapshot.installed) + len(snapshot.folder_anchors)
    summary = words("ux_summary", count=anchors) if anchors else words("ux_summary_none")
    told = words.explain(snapshot.error) if snapshot.error is not None else None
    return TrustView(
        "" if told else summary,
        " ".join(part for part in (told.what, told.why, told.do) if part) if told else "",
        tuple(_set(one, snapshot, now, words) for one in AnchorSet),
        _rules(snapshot, words),
        words("ux_rules_hint", file=snapshot.settings_file),
    )


def _set(which: AnchorSet, snapshot: TrustSnapshot, now: dt.datetime, words: Words) -> SetView:
    here = tuple(_installed(one, now, words) for one in snapshot.installed if one.set is which)
    missing = tuple(_missing(one, words) for one in snapshot.missing if one.set is which)
    lacking = snapshot.open_places if which is AnchorSet.NATIONAL else ()
    places = tuple(_open_place(name, snapshot.settings_file, words) for name in lacking)
    hint = words(f"ux_hint_{which}") if missing or places or which is AnchorSet.OWN else ""
    return SetView(which, words(f"trust_set_{which}"), hint, (*here, *missing, *places))


def _installed(one: Installed, now: dt.datetime, words: Words) -> Line:
    ended = one.not_after is not None and one.not_after < now
    if one.use is Use.VOID:
        standing, told = Standing.USELESS, words("ux_line_void", start=beginning(one.sha256))
    else:
        standing = Standing.USELESS if ended else Standing.QUIET
        key = "ux_line_ended" if ended else "ux_line_installed"
        told = words(key, use=words(f"trust_use_{one.use}"), date=_day(one.not_after), start=beginning(one.sha256))
    facts = (
        (words("trust_head_sha256"), grouped(one.sha256)),
        (words("ux_fact_issuer"), _short(one.issuer)),
        (words("ux_fact_validity"), _validity(one.not_before, one.not_after, words)),
        (words("trust_head_added"), vietnamese_date(one.added_at)),
    )
    return Line(_short(one.name), told, standing, facts, one.sha256)


def _missing(one: Missing, words: Words) -> Line:
    sources = {
        PinSource.STATED: "ux_source_stated",
        PinSource.REPORTED: "ux_source_reported",
        PinSource.ADMINISTRATOR: "ux_source_administrator",
    }
    facts = [
        (words("trust_head_sha256"), grouped(one.sha256)),
        (words("ux_fact_source"), words(sources[one.source])),
    ]
    if one.since is not None:
        facts.append((words("ux_fact_since"), vietnamese_date(one.since)))
    told = words("ux_line_missing", use=words(f"trust_use_{one.use}"), start=beginning(one.sha256))
    # Without a CA of the list a chain still comes together when the signature brings it along.
    standing = Standing.WANTED if one.use is Use.ANCHOR else Standing.QUIET
    return Line(_short(one.name), told, standing, tuple(facts))


def _open_place(name: str, file: str, words: Words) -> Line:
    facts = ((words("ux_fact_do"), words("ux_open_place_do", file=file)),)
    return Line(_short(name), words("ux_line_open_place"), Standing.WANTED, facts)


def _rules(snapshot: TrustSnapshot, words: Words) -> tuple[tuple[str, str], ...]:
    """What else decides, as an administrator has set it."""
    before = snapshot.legacy_sha1_before
    sha1 = words("ux_sha1_off") if before is None else words("ux_sha1_before", date=vietnamese_date(before))
    rules = [(words("ux_fact_sha1"), sha1)]
    if snapshot.folder is not None:
        names = ", ".join(_short(name) for name in snapshot.folder_anchors[:_TOLD])
        more = len(snapshot.folder_anchors) - _TOLD
        anchors = words("ux_folder_more", names=names, count=more) if more > 0 else names or words("ux_folder_empty")
        rules.append((words("ux_fact_folder"), words("ux_folder", folder=snapshot.folder, anchors=anchors)))
    if snapshot.shared_store is not None:
        rules.append((words("ux_fact_store"), snapshot.shared_store))
    return tuple(rules)


def import_told(found: Sequence[Imported], words: Words) -> Told:
    """What became of the certificates of the files."""
    refused = [one for one in found if one.outcome is Outcome.REFUSED]
    added = [one for one in found if one.outcome is Outcome.ADDED]
    already = len(found) - len(refused) - len(added)
    parts = (("ux_told_added", len(added)), ("ux_told_already", already), ("ux_told_refused", len(refused)))
    what = " ".join(words(key, count=count) for key, count in parts if count)
    if not refused:
        return Told(what, ", ".join(_short(one.name) for one in added[:_TOLD]), changed=bool(added))
    named = [
        words("ux_told_one", name=_short(one.name), file=_short(one.file.name), start=beginning(one.sha256))
        for one in refused[:_TOLD]
    ]
    if len(refused) > _TOLD:
        named.append(words("ux_told_more", count=len(refused) - _TOLD))
    return Told(what, words("ux_told_why", names="; ".join(named)), words("ux_told_do"), "notice-warn", bool(added))


def _validity(begin: dt.datetime | None, end: dt.datetime | None, words: Words) -> str:
    return words("ux_validity", begin=_day(begin), end=_day(end))


def _day(moment: dt.datetime | None) -> str:
    return vietnamese_date(moment) if moment is not None else "?"


def _short(name: str) -> str:
    """In one line, without characters that turn the direction of what is shown."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())
    return line if len(line) <= _NAME else line[: _NAME - 1] + "…"
