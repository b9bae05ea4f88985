"""What is to be signed: files gathered into documents, with what the person said about each.

Pure values, their reading from a person's words, and from a draft. Opens no file. A wish that makes no sense is a
`UsageError` (exit 2), told before anything else happens.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import overload

import msgspec

from signer_app.pdf.model import CopyOrder, LetterFacts, PlaceOption, Profile
from signer_app.pdf.names import fold
from signer_app.pdf.plan import SigningPlan, plan_hash
from signer_app.store.model import Draft, FileRole, InsteadOf, Urgency
from signer_app.store.receivers import PaperReceiver
from signer_resources.errors import KnownError

_NUMBER = re.compile(r"^\s*(?P<number>\d+[a-zđ]?)\s*(?:/(?P<year>\d{4}))?\s*/\s*(?P<notation>[^\s/][^\s]*)\s*$")
_ORG = re.compile(r"^[A-Za-z0-9][A-Za-z0-9.\-_]{0,63}$")


class UsageError(KnownError):
    """The wish itself makes no sense; exit 2."""


class _Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class FileJob(_Value, frozen=True):
    """One file: where it lies, where its signed copy goes (both absolute), how it is signed.

    `blob`: its copy, screened when it was opened; then that is signed, and nothing need lie at `path` any more.
    `plan`: `seen_hash` of the plan that the person saw; another one is not signed. `original`: the file as it came,
    where `blob` is its repaired copy.
    """

    path: str
    output: str
    role: FileRole
    profile: Profile
    place: PlaceOption | None = None
    blob: str | None = None
    plan: str | None = None
    original: str | None = None

    @property
    def name(self) -> str:
        """The file's name as the person knows it."""
        return Path(self.path).name


class AttachmentJob(_Value, frozen=True):
    """A file that goes along unsigned (a spreadsheet, say): where it lies, where a copy goes beside the signed files
    (both absolute; None where it lies there already). `blob`: its copy, looked into when it was opened.
    """

    path: str
    output: str | None
    blob: str | None = None

    @property
    def name(self) -> str:
        """The file's name as the person knows it."""
        return Path(self.path).name


class FromPage(_Value, frozen=True):
    """What the lines of Nơi nhận on the page say beside the receivers' codes: who gets the document on paper, of those
    who have no code, and the lines of which nobody has said yet what they mean.
    """

    paper: tuple[PaperReceiver, ...] = ()
    asked: tuple[str, ...] = ()


class DocumentJob(_Value, frozen=True):
    """One document: its main file first, then its appendices; what the person said of it, None for what the page says.

    `receivers` are codes; `page` is set where they come from the page, None where the person named them. `type` is a
    type's name; `draft` is the id of the draft that ends with the signing. `attachments` go along unsigned. `copy` is
    what the copy profile makes. `replaces` is the id of a document that was signed before, not sent, and is signed
    again (Ký lại): its number goes to the new one. `instead` is one that was sent: this one, under a number of its own,
    goes to its receivers in place of it (Thay thế).
    """

    files: tuple[FileJob, ...]
    number: str | None = None
    notation: str | None = None
    date: dt.date | None = None
    receivers: tuple[str, ...] = ()
    urgency: Urgency = Urgency.NORMAL
    type: str | None = None
    subject: str | None = None
    signer: str | None = None
    draft: str | None = None
    attachments: tuple[AttachmentJob, ...] = ()
    copy: CopyOrder | None = None
    replaces: str | None = None
    page: FromPage | None = None
    instead: InsteadOf | None = None

    @property
    def leaves(self) -> bool:
        """Whether it has receivers to be sent to, and nobody must be asked first who they are."""
        return bool(self.receivers) and (self.page is None or not self.page.asked)


class Jobs(Sequence[DocumentJob]):
    """Wishes that are made anew each time somebody asks for them: a long list costs no more than its names."""

    def __init__(self, count: int, make: Callable[[int], DocumentJob]) -> None:
        self._count = count
        self._make = make

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> DocumentJob: ...

    @overload
    def __getitem__(self, at: slice) -> "Jobs": ...

    def __getitem__(self, at: int | slice) -> "DocumentJob | Jobs":
        if isinstance(at, slice):
            places = range(self._count)[at]
            return Jobs(len(places), lambda place: self._make(places[place]))
        return self._make(range(self._count)[at])

    def changed(self, change: Callable[[DocumentJob], DocumentJob]) -> "Jobs":
        """The same wishes, each with this change."""
        return Jobs(self._count, lambda at: change(self._make(at)))


def job_of(
    draft: Draft, plans: Mapping[str, str] | None = None, outputs: Mapping[str, str] | None = None
) -> DocumentJob:
    """What a draft wants; what it says as the page does is left to the page.

    By id of the file: `plans` are the `seen_hash` of what the person saw, `outputs` places in place of the draft's.
    """
    facts, own = draft.main.facts, has_own_number(draft.profile)
    return DocumentJob(
        files=tuple(
            FileJob(
                path=file.path,
                output=(outputs or {}).get(file.id, file.output),
                role=file.role,
                profile=file.profile,
                place=file.place,
                blob=file.blob,
                plan=(plans or {}).get(file.id),
                original=file.original,
            )
            for file in draft.files
        ),
        number=draft.number or None if own else _said(draft.number, facts.number),
        notation=draft.notation or None if own else _said(draft.notation, facts.notation),
        date=draft.date if own or draft.date != facts.date else None,
        receivers=draft.receivers,
        urgency=draft.urgency,
        type=draft.type or None,
        subject=_said(draft.subject, facts.subject),
        signer=_said(draft.signer, facts.signer),
        draft=draft.id,
        attachments=tuple(
            AttachmentJob(item.path, (outputs or {}).get(item.id, item.output), item.blob) for item in draft.attachments
        ),
        copy=draft.copy if draft.profile is Profile.COPY else None,
        replaces=draft.replaces,
        instead=draft.instead,
    )


def seen_hash(plan: SigningPlan) -> str:
    """How a plan is named that a person has seen: by all that is drawn. Who signs is told again with the PIN, so that
    a page may be looked at before the token is plugged in.
    """
    return plan_hash(msgspec.structs.replace(plan, certificate=""))


def _said(text: str, page: str | None) -> str | None:
    return text if text and text != page else None


def appendix_profile(main: Profile) -> Profile:
    """How an appendix in a file of its own is signed beside a main file of this profile (NĐ 30 PL I): the body puts
    its line on it, of a copy or a scan the line of such (NĐ 30 PL I, ô 14; TT 05/2025, Đ8.1); a leader signs the
    letter, and what goes with it is only bound to it, invisibly.
    """
    if main is Profile.AGENCY:
        return Profile.APPENDIX
    return main if main in (Profile.COPY, Profile.ARCHIVE) else Profile.PLAIN


def has_own_number(profile: Profile) -> bool:
    """Whether number, notation and date are those of what is made, whatever the page says: a copy has its own
    (NĐ 30/2020, Đ25 and PL III), or none.
    """
    return profile is Profile.COPY


_URGENCIES = {
    "khan": Urgency.KHAN,
    "thuong khan": Urgency.THUONG_KHAN,
    "hoa toc": Urgency.HOA_TOC,
    "hoa toc hen gio": Urgency.HOA_TOC_HEN_GIO,
}


def urgency_on_page(facts: LetterFacts) -> Urgency:
    """The degree that the page's mark means; a time that is given beside "HỎA TỐC" doesn't count here."""
    mark = fold(facts.urgency or "")
    return next((degree for words, degree in reversed(_URGENCIES.items()) if mark.startswith(words)), Urgency.NORMAL)


def parse_number(text: str) -> tuple[str, str]:
    """ "5/QĐ-UBND" as ("05", "QĐ-UBND"); a year in the middle stays with the number ("30/2020", "NĐ-CP")."""
    found = _NUMBER.match(text)
    if not found:
        raise UsageError("usage_number", text=text)
    number = printed_number(found["number"])
    if found["year"]:
        number = f"{number}/{found['year']}"
    return number, found["notation"].replace("–", "-").rstrip(".")


def printed_number(number: str) -> str:
    """Numbers below 10 get a leading zero (NĐ 30/2020, appendix I, ô 3)."""
    return f"0{number}" if number.isdecimal() and len(number) == 1 else number


def parse_date(text: str) -> dt.date:
    """A date as YYYY-MM-DD."""
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        raise UsageError("usage_date", text=text) from None


def parse_place(text: str) -> PlaceOption:
    """PAGE,X,Y[,W,H]: page from 1 (-1 is the last), mm from the top left of the displayed page."""
    parts = text.split(",")
    try:
        if len(parts) not in (3, 5):
            raise ValueError
        page = int(parts[0])
        numbers = [float(part) for part in parts[1:]]
        if page == 0 or any(not 0 <= n <= 5000 for n in numbers) or any(n <= 0 for n in numbers[2:]):
            raise ValueError
    except ValueError:
        raise UsageError("usage_place", text=text) from None
    return PlaceOption(page, *numbers)


def parse_receivers(texts: Iterable[str]) -> tuple[str, ...]:
    """Receivers' codes without doubles, in order."""
    codes = [part.strip() for text in texts for part in re.split(r"[,;]", text) if part.strip()]
    for code in codes:
        if not _ORG.match(code):
            raise UsageError("usage_receiver", text=code)
    return tuple(dict.fromkeys(codes))


def parse_profile(text: str) -> Profile:
    """A profile by name."""
    try:
        return Profile(text.strip())
    except ValueError:
        raise UsageError("usage_profile", text=text, known=", ".join(Profile)) from None
