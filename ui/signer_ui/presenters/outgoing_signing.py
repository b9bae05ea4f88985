"""What is to be examined and signed of the outgoing documents, with which certificate, and what the one button says.

Pure values in and out; loads no Qt, asks no token.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from signer_app.desk.tokens import TokensSnapshot
from signer_app.outgoing.model import Draft, Profile
from signer_app.store.settings import CertificateRole
from signer_resources.errors import KnownError
from signer_ui.presenters.figures import count
from signer_ui.presenters.outgoing import Line
from signer_ui.presenters.outgoing_kinds import is_sent, role_for
from signer_ui.presenters.outgoing_totals import Totals
from signer_ui.words import Words

Question = tuple[object, ...]

_AT_A_TIME = 8
_LOOKS = 64


def question(draft: Draft, certificate: str, today: dt.date) -> Question:
    """What an examination with a certificate (SHA-256, empty for none) depends on."""
    files = tuple((file.id, file.blob, file.role, file.profile, file.place) for file in draft.files)
    return certificate, today, draft.number, draft.notation, draft.date, draft.urgency, draft.copy, files


@dataclass(frozen=True)
class Part:
    """What is examined next: rows of one kind, by id with what is asked of each. `pending`: all that wait."""

    pending: tuple[str, ...] = ()
    profile: Profile | None = None
    questions: Mapping[str, Question] = field(default_factory=dict)


def to_examine(
    lines: Sequence[Line],
    asked: Mapping[str, Question],
    certificates: Mapping[Profile, str],
    today: dt.date,
    first: str | None,
) -> Part:
    """The next rows that were not examined as they are, with the certificate that will sign; `first` before others.

    `asked` are the questions that were answered. A row that stays unexamined after its question is not asked again.
    """
    open_ = [
        (line, wanted) for line in lines
        if line.editable
        and asked.get(line.id) != (wanted := question(line.draft, certificates.get(line.draft.profile, ""), today))
    ]  # fmt: skip
    if not open_:
        return Part()
    open_.sort(key=lambda each: each[0].id != first)
    # What signs documents of the body comes last: its series of numbers is what the checks go by.
    profile = max((line.draft.profile for line, _ in open_), key=lambda kind: kind is not Profile.AGENCY)
    of_kind = [(line.id, wanted) for line, wanted in open_ if line.draft.profile is profile]
    return Part(tuple(line.id for line, _ in open_), profile, dict(of_kind[: at_a_time(len(lines))]))


def at_a_time(rows: int) -> int:
    """How many are examined before they are shown as such: for each part the numbers of all rows are looked through."""
    return max(_AT_A_TIME, rows // _LOOKS)


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
    totals: Totals,
    certificates: Mapping[Profile, str],
    plugged: Sequence[Signer],
    today: dt.date,
    words: Words,
) -> Press:
    """What the one button does now."""
    ids, kinds, sent = tuple(totals.wanted), totals.signing, totals.leaving
    text = words("uo_sign_send" if sent or not ids else "uo_sign_only", count=count(len(ids), words))
    if not ids:
        return Press(text, (), False, words("uo_hint_none") if totals.boxed else "", None)
    named = {certificates.get(profile) for profile in kinds}
    certificate = next(iter(named)) if len(named) == 1 else None
    if None in named:
        error = KnownError("no_token") if not plugged else KnownError("certificate_none_fits")
        fits = any(_may_sign(signer, kinds, today) for signer in plugged)
        key = "uo_hint_no_token" if not plugged else "uo_hint_choose" if fits else "uo_hint_no_fit"
        return Press(text, ids, bool(sent), words(key), None, error)
    name = next((signer.name for signer in plugged if signer.sha256 == certificate), "")
    told = [words("uo_hint_with", name=name)] if name else []
    kept = len(ids) - sent
    if sent:
        told.append(words("uo_hint_send", count=count(sent, words)))
    if kept and sent:
        told.append(words("uo_hint_keep", count=count(kept, words)))
    elif kept:
        told.append(words("uo_hint_all_kept" if any(map(is_sent, kinds)) else "uk_hint_kept"))
    return Press(text, ids, bool(sent), " ".join(told), certificate)


def must_choose(totals: Totals, plugged: Sequence[Signer], today: dt.date) -> bool:
    """Whether more than one of the certificates could sign some of these documents."""
    return any(sum(_may_sign(signer, [kind], today) for signer in plugged) > 1 for kind in totals.editable)


def _may_sign(signer: Signer, kinds: Iterable[Profile], today: dt.date) -> bool:
    needed = {role_for(kind, today) for kind in kinds}
    return needed <= {signer.role, None}
