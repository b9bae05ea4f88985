"""What is to be signed: files gathered into documents, with what the person said about each.

Pure values and their reading from the command line, a list (CSV) or a draft. Opens no PDF. A wish that makes no sense
is a `UsageError` (exit 2), told before anything else happens.
"""

import csv
import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar, overload

import msgspec

from signer_app.attachments.kinds import is_known, kind_of
from signer_app.pdf.model import CopyOrder, LetterFacts, PlaceOption, Profile
from signer_app.pdf.names import fold
from signer_app.pdf.plan import SigningPlan, plan_hash
from signer_app.signing.file_codes import FileCode, ListedNames, numbered_scans, require_free_names
from signer_app.signing.walking import printable, require_name, walk
from signer_app.store.durable import reachable
from signer_app.store.model import Draft, FileRole, Urgency
from signer_resources.errors import KnownError

_NUMBER = re.compile(r"^\s*(?P<number>\d+[a-zđ]?)\s*(?:/(?P<year>\d{4}))?\s*/\s*(?P<notation>[^\s/][^\s]*)\s*$")
_LIST_COLUMNS = ("input", "profile", "number", "date", "place", "role", "document", "to", "file_code")
_MAX_LIST_BYTES = 32 << 20
_ORG = re.compile(r"^[A-Za-z0-9][A-Za-z0-9.\-_]{0,63}$")


T = TypeVar("T")


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


class DocumentJob(_Value, frozen=True):
    """One document: its main file first, then its appendices; what the person said of it, None for what the page says.

    `receivers` are codes; `type` is a type's name; `draft` is the id of the draft that ends with the signing.
    `attachments` go along unsigned. `copy` is what the copy profile makes. `replaces` is the id of a document that was
    signed before, not sent, and is signed again (Ký lại): its number goes to the new one.
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


def _unheard(_error: KnownError) -> None:
    pass


def gather(
    inputs: Sequence[Path],
    *,
    profile: Profile,
    out: Path | None,
    number: str | None,
    date: str | None,
    place: str | None,
    receivers: Sequence[str],
    scans: FileCode | None = None,
    told: Callable[[KnownError], None] = _unheard,
) -> Jobs:
    """Each file a document of its own; a folder is taken recursively and mirrored under `out`. With `scans` the outputs
    are called by the file's code and the order of the names; KnownError "file_code_taken" where one is there. What of
    a folder can't be read or named is `told` and left out.
    """
    pairs: list[tuple[str, str]] = []
    for source in inputs:
        if not _is_text(source):
            raise UsageError("file_name_broken", name=printable(source.name))
        if reachable(source.absolute()).is_dir():
            top = source.absolute()
            found = sorted(path for path in _pdfs_in(top, told) if scans is None or not scans.has_made(path, out))
            if not found:
                raise UsageError("usage_empty_folder", name=source.name)
            pairs += [_pair(path, out / path.relative_to(top).parent if out else None) for path in found]
        elif reachable(source.absolute()).is_file():
            if is_known(source.name):
                raise UsageError("usage_attachment_alone", name=source.name)
            pairs.append(_pair(source, out))
        else:
            raise UsageError("usage_missing_input", name=str(source))
    if len(pairs) > 1 and (number or date):
        raise UsageError("usage_one_number_many_files")
    if scans is not None:
        _require_archive(profile, Path(pairs[0][0]).name)
        pairs = numbered_scans(pairs, scans)
        require_free_names(output for _source, output in pairs)
    _no_common_output(Path(output) for _source, output in pairs)
    split = parse_number(number) if number else (None, None)
    day = parse_date(date) if date else None
    where = parse_place(place) if place else None
    codes = parse_receivers(receivers)
    return Jobs(
        len(pairs),
        lambda at: DocumentJob(
            files=(FileJob(*pairs[at], FileRole.MAIN, profile, where),),
            number=split[0],
            notation=split[1],
            date=day,
            receivers=codes,
        ),
    )


def _pdfs_in(folder: Path, told: Callable[[KnownError], None]) -> Iterator[Path]:
    """The PDF files below a folder that are not signed copies."""

    def unreadable(place: Path) -> None:
        told(KnownError("folder_unreadable", name=printable(place.name)))

    for place, names in walk(folder, unreadable):
        for name in names:
            path = place / name
            if path.suffix.lower() != ".pdf" or name.lower().endswith(".signed.pdf"):
                continue
            if not _is_text(path):
                told(KnownError("file_name_broken", name=printable(name)))
            elif reachable(path).is_file():
                yield path


def _is_text(path: Path) -> bool:
    try:
        require_name(path)
    except KnownError:
        return False
    return True


def _pair(source: Path, folder: Path | None) -> tuple[str, str]:
    """Where a file lies and where its signed copy goes."""
    return str(source.absolute()), str(_output(source, folder).absolute())


def _require_archive(profile: Profile | None, name: str) -> None:
    if profile is not Profile.ARCHIVE:
        raise UsageError("usage_file_code_profile", name=name)


def read_list(listing: Path, *, profile: Profile, out: Path | None, scans: FileCode | None = None) -> Jobs:
    """The documents of a CSV list: UTF-8, header, commas, paths relative to the list's folder. Scans for the archive
    are called as the column `file_code` says, else by `scans` in the order of the rows; KnownError "file_code_taken"
    where one is there.
    """
    try:
        if listing.stat().st_size > _MAX_LIST_BYTES:
            raise UsageError("usage_list", name=listing.name, line=1, reason="> 32 MB")
        text = listing.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("usage_list", name=listing.name, line=1, reason=type(error).__name__) from None
    reader = csv.DictReader(text.splitlines(), strict=True)
    if reader.fieldnames is None or "input" not in reader.fieldnames:
        raise UsageError("usage_list", name=listing.name, line=1, reason="input")
    unknown = [name for name in reader.fieldnames if name not in _LIST_COLUMNS]
    if unknown:
        raise UsageError("usage_list", name=listing.name, line=1, reason=str(unknown[0]))
    groups: dict[str, list[tuple[int, dict[str, str]]]] = {}
    names = ListedNames(scans)
    try:
        for row in reader:
            line = reader.line_num
            cells = {key: (value or "").strip() for key, value in row.items() if isinstance(key, str)}
            if None in row or not cells["input"]:
                raise UsageError("usage_list", name=listing.name, line=line, reason="input")
            cells["file_code"] = _scan_name(listing, line, cells, profile, names)
            groups.setdefault(cells.get("document") or f"\0{line}", []).append((line, cells))
    except csv.Error as error:
        # DictReader's own line_num stays behind when the reader below it fails.
        raise UsageError("usage_list", name=listing.name, line=reader.reader.line_num, reason=str(error)) from None
    if not groups:
        raise UsageError("usage_list", name=listing.name, line=1, reason="0")
    documents = list(groups.values())
    if scans is not None and not names.any:
        _require_archive(None, listing.name)
    jobs = Jobs(len(documents), lambda at: _document(listing, documents[at], profile, out))
    # Each is made once here, so that whatever is wrong with the list is told before anything happens.
    _no_common_output(Path(output) for job in jobs for output in _outputs(job))
    if names.any:
        require_free_names(file.output for job in jobs for file in job.files if names.has_given(file.output))
    return jobs


def _scan_name(listing: Path, line: int, cells: Mapping[str, str], profile: Profile, names: ListedNames) -> str:
    """What the signed copy of a row is called, without its ending; empty: as any other."""
    cell = cells.get("file_code") or ""
    archive = (cells.get("profile") or profile) == Profile.ARCHIVE
    if cells.get("role") == FileRole.ATTACHMENT or not archive:
        if cell:
            raise UsageError("usage_list", name=listing.name, line=line, reason=f"file_code {cell}")
        return ""
    try:
        return names.name(cell, cells["input"]) or ""
    except KnownError as error:
        if error.code != "usage_file_code":
            raise
        raise UsageError("usage_list", name=listing.name, line=line, reason=f"file_code {cell}") from None


def _document(
    listing: Path, rows: Sequence[tuple[int, dict[str, str]]], profile: Profile, out: Path | None
) -> DocumentJob:
    files: list[FileJob] = []
    attached: list[Path] = []
    facts: dict[str, tuple[int, str]] = {}

    def parsed(parse: Callable[[str], T], line: int, text: str) -> T:
        try:
            return parse(text)
        except UsageError as error:
            reason = str(error.params.get("text", text))
            raise UsageError("usage_list", name=listing.name, line=line, reason=reason) from None

    for line, cells in rows:
        source = listing.parent / cells["input"]
        if not source.is_file():
            raise UsageError("usage_missing_input", name=str(source))
        role_text = cells.get("role") or "main"
        if role_text not in list(FileRole):
            raise UsageError("usage_list", name=listing.name, line=line, reason=f"role {role_text}")
        role = FileRole(role_text)
        if role is FileRole.ATTACHMENT:
            attached.append(_attachment(listing, line, source, cells))
            continue
        if is_known(source.name):
            raise UsageError("usage_attachment_alone", name=source.name)
        # An appendix in a file of its own gets the appendix's signature (NĐ 30 PL I), unless the row says other.
        fallback = Profile.APPENDIX if role is FileRole.APPENDIX and profile is Profile.AGENCY else profile
        chosen = parsed(parse_profile, line, cells["profile"]) if cells.get("profile") else fallback
        where = parsed(parse_place, line, cells["place"]) if cells.get("place") else None
        output = _output(source, out, cells.get("file_code")).absolute()
        files.append(FileJob(str(source.absolute()), str(output), role, chosen, where))
        for key in ("number", "date", "to"):
            value = cells.get(key, "")
            if value and facts.setdefault(key, (line, value))[1] != value:
                raise UsageError("usage_list", name=listing.name, line=line, reason=f"{key} {value}")
    mains = [file for file in files if file.role is FileRole.MAIN]
    if len(mains) != 1:
        raise UsageError("usage_list_main", name=listing.name, line=rows[0][0], count=len(mains))
    ordered = (*mains, *(file for file in files if file.role is not FileRole.MAIN))
    number, notation = parsed(parse_number, *facts["number"]) if "number" in facts else (None, None)
    return DocumentJob(
        ordered,
        number,
        notation,
        parsed(parse_date, *facts["date"]) if "date" in facts else None,
        parsed(lambda text: parse_receivers([text]), *facts["to"]) if "to" in facts else (),
        attachments=tuple(_attachment_job(source, out or Path(mains[0].output).parent) for source in attached),
    )


def _attachment(listing: Path, line: int, source: Path, cells: Mapping[str, str]) -> Path:
    """An attachment of a list; nothing is drawn on it, and what it is must be known."""
    if cells.get("profile") or cells.get("place"):
        raise UsageError("usage_list", name=listing.name, line=line, reason="attachment")
    kind_of(source.name)
    return source.absolute()


def _attachment_job(source: Path, folder: Path) -> AttachmentJob:
    copy = (folder / source.name).absolute()
    return AttachmentJob(str(source), None if copy == source else str(copy))


def _outputs(job: DocumentJob) -> list[str]:
    attached = [item.output for item in job.attachments if item.output is not None]
    return [*(file.output for file in job.files), *attached]


def _output(source: Path, folder: Path | None, scan: str | None = None) -> Path:
    return (folder or source.parent) / f"{scan or f'{source.stem}.signed'}.pdf"


def _no_common_output(outputs: Iterable[Path]) -> None:
    seen: set[str] = set()
    for output in outputs:
        # Windows and macOS don't tell names by case.
        key = str(output.absolute()).casefold()
        if key in seen:
            raise UsageError("usage_same_output", name=output.name)
        seen.add(key)
