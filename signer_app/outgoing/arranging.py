"""Drafts made and changed: from opened files, by what a person types, by moving files between documents.

Pure functions from drafts to drafts; nothing is written here. What a person says stands until it is taken back; what
only came from a page follows the page.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from signer_app.outgoing.model import Changes, Draft, DraftAttachment, DraftFile, FileRole, Profile, Urgency
from signer_app.outgoing.reading import read_notation, read_number
from signer_app.pdf.model import LetterFacts
from signer_app.pdf.plan import SigningPlan
from signer_app.signing.jobs import appendix_profile, has_own_number, urgency_on_page
from signer_app.signing.release import document_type
from signer_resources.errors import KnownError
from signer_resources.rules import RuleProfile
from signer_sync.ids import uuid7

_replace = msgspec.structs.replace


def new_draft(
    files: Sequence[DraftFile],
    now: dt.datetime,
    position: int,
    rules: RuleProfile,
    attachments: Sequence[DraftAttachment] = (),
) -> Draft:
    """A draft of these files, the first of which is the main one, with what its pages say."""
    facts, profile = files[0].facts, files[0].profile
    issue = page_of_issue(facts, profile)
    return Draft(
        id=uuid7(),
        files=_roles(files, profile),
        created_at=now,
        position=position,
        number=issue.number or "",
        notation=issue.notation or "",
        date=issue.date,
        type=_type(facts.notation or "", rules),
        subject=facts.subject or "",
        signer=facts.signer or "",
        urgency=urgency_on_page(facts),
        attachments=tuple(attachments),
    )


def page_of_issue(facts: LetterFacts, profile: Profile) -> LetterFacts:
    """What the page says of number, notation and date of issue; nothing where they are not those of what is made."""
    return LetterFacts() if has_own_number(profile) else facts


def changed(draft: Draft, changes: Changes, rules: RuleProfile) -> Draft:
    """The draft with what a person has changed; KnownError "out_number_unreadable", "out_notation_unreadable"."""
    unset = msgspec.UNSET
    if changes.profile is not unset and changes.profile is not draft.profile:
        draft = _with_profile(draft, changes.profile)
    facts, page = draft.main.facts, page_of_issue(draft.main.facts, draft.profile)
    number, notation, type_ = draft.number, draft.notation, draft.type
    if changes.number is not unset:
        typed, with_notation = read_number(changes.number) if changes.number.strip() else (page.number or "", None)
        number, notation = typed, with_notation or notation
    if changes.notation is not unset:
        notation = read_notation(changes.notation) if changes.notation.strip() else page.notation or ""
    if changes.type is not unset:
        type_ = changes.type.strip() or _type(notation, rules)
    elif not has_own_number(draft.profile) and draft.type == _type(draft.notation, rules):
        # The type came from the notation, so it goes with it.
        type_ = _type(notation, rules)
    return _replace(
        draft,
        number=number,
        notation=notation,
        type=type_,
        date=draft.date if changes.date is unset else changes.date or page.date,
        subject=draft.subject if changes.subject is unset else changes.subject.strip() or facts.subject or "",
        signer=draft.signer if changes.signer is unset else changes.signer.strip() or facts.signer or "",
        receivers=draft.receivers if changes.receivers is unset else changes.receivers,
        urgency=draft.urgency if changes.urgency is unset else Urgency(changes.urgency),
        copy=draft.copy if changes.copy is unset else changes.copy,
        instead=draft.instead if changes.instead is unset else changes.instead,
    )


def _with_profile(draft: Draft, profile: Profile) -> Draft:
    """The draft signed in another way; number, notation and date that came from the page go and come with it."""
    before, after = (page_of_issue(draft.main.facts, way) for way in (draft.profile, profile))
    moved = _replace(draft, files=_roles(draft.files, profile))
    return _replace(
        moved,
        number=_follow(draft.number, before.number, after.number),
        notation=_follow(draft.notation, before.notation, after.notation),
        date=after.date if draft.date == before.date else draft.date,
    )


def joined(draft: Draft, files: Sequence[DraftFile], attachments: Sequence[DraftAttachment] = ()) -> Draft:
    """The draft with more files, as appendices behind its own; what goes along already goes along once."""
    known = {item.blob for item in draft.attachments}
    more: dict[str, DraftAttachment] = {}
    for item in attachments:
        if item.blob not in known:
            more.setdefault(item.blob, item)
    whole = _replace(draft, attachments=(*draft.attachments, *more.values()))
    return _replace(whole, files=_roles((*draft.files, *files), draft.profile)) if files else whole


def without_attachment(draft: Draft, attachment_id: str) -> Draft:
    """The draft without one of the files that go along."""
    return _replace(draft, attachments=tuple(item for item in draft.attachments if item.id != attachment_id))


def without(draft: Draft, file_id: str) -> tuple[Draft, DraftFile]:
    """The draft without one of its appendices, and that; KnownError "out_main_needed" for the main file."""
    if draft.main.id == file_id:
        raise KnownError("out_main_needed", name=draft.main.name)
    taken = next(file for file in draft.files if file.id == file_id)
    return _replace(draft, files=tuple(file for file in draft.files if file.id != file_id)), taken


def repaired(draft: Draft, plans: Mapping[str, SigningPlan]) -> Draft:
    """The draft with the repaired copies of those of its files for which their plans (by id of the file) name one;
    how the file came is kept beside it.
    """

    def follow(file: DraftFile) -> DraftFile:
        plan = plans.get(file.id)
        if plan is None or plan.original != file.blob or plan.blob == file.blob:
            return file
        return _replace(file, blob=plan.blob, original=plan.original)

    return _replace(draft, files=tuple(map(follow, draft.files)))


def as_main(file: DraftFile, profile: Profile) -> DraftFile:
    """The file as the main one of a document."""
    return _replace(file, role=FileRole.MAIN, profile=profile, place=None)


def with_main(draft: Draft, file_id: str, rules: RuleProfile) -> Draft:
    """The draft with another of its files as the main one; what came from the old one's page follows the new one's."""
    profile = draft.profile
    chosen = next(file for file in draft.files if file.id == file_id)
    others = [file for file in draft.files if file.id != file_id]
    moved = _replace(draft, files=_roles((chosen, *others), profile))
    return _from_page(moved, draft.main.facts, chosen.facts, rules)


def with_files_in_order(draft: Draft, file_ids: Sequence[str]) -> Draft:
    """The draft with its appendices in this order; those not named come behind."""
    order: Mapping[str, int] = {file_id: place for place, file_id in enumerate(file_ids)}
    appendices = sorted(draft.files[1:], key=lambda file: order.get(file.id, len(order)))
    return _replace(draft, files=(draft.main, *appendices))


def _roles(files: Sequence[DraftFile], profile: Profile) -> tuple[DraftFile, ...]:
    """The first one main, the others its appendices; a place by hand stays only where the way of signing stays."""
    roles = [(FileRole.MAIN, profile), *[(FileRole.APPENDIX, appendix_profile(profile))] * (len(files) - 1)]
    return tuple(
        file if (file.role, file.profile) == role else _replace(file, role=role[0], profile=role[1], place=None)
        for file, role in zip(files, roles, strict=True)
    )


def _from_page(draft: Draft, old: LetterFacts, new: LetterFacts, rules: RuleProfile) -> Draft:
    before, after = (page_of_issue(facts, draft.profile) for facts in (old, new))
    notation = _follow(draft.notation, before.notation, after.notation)
    named = new.notation or "" if has_own_number(draft.profile) else notation
    return _replace(
        draft,
        number=_follow(draft.number, before.number, after.number),
        notation=notation,
        date=after.date if draft.date == before.date else draft.date,
        type=_follow(draft.type, _type(old.notation or "", rules), _type(named, rules)),
        subject=_follow(draft.subject, old.subject, new.subject),
        signer=_follow(draft.signer, old.signer, new.signer),
        urgency=urgency_on_page(new) if draft.urgency is urgency_on_page(old) else draft.urgency,
    )


def _follow(value: str, before: str | None, after: str | None) -> str:
    """What a person has said stays; what only came from a page follows it."""
    return after or "" if value == (before or "") else value


def _type(notation: str, rules: RuleProfile) -> str:
    return document_type(notation, rules)[1] if notation else ""
