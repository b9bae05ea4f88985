"""What is to be examined and signed of the outgoing documents, with which certificate, and what the one button says.

Pure values in and out; loads no Qt, asks no token.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from signer_app.desk.tokens import TokensSnapshot
from signer_app.outgoing.model import Draft, Profile
from signer_app.store.model import Urgency
from signer_app.store.settings import CertificateRole
from signer_resources.errors import KnownError
from signer_ui.presenters.figures import count
from signer_ui.presenters.outgoing import Line, ticked
from signer_ui.presenters.outgoing_kinds import is_sent, role_for
from signer_ui.words import Words

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


def hurried(chosen: Sequence[Line], lines: Sequence[Line]) -> tuple[Line, ...]:
    """What could be signed before all that waits in a batch: hỏa tốc, ready; of the chosen rows, else of the ticked."""
    able = [line for line in lines if line.draft.urgency >= Urgency.HOA_TOC and line.row.signable]
    ids = {line.id for line in chosen}
    return tuple(line for line in able if line.id in ids) or tuple(line for line in able if line.draft.ticked)
