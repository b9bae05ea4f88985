"""Wishes from outside: files and folders that are named, and lists (CSV) that name them.

Main process, on the thread of the command; reads folders and lists, opens no PDF. A wish that makes no sense is a
`UsageError` (exit 2), told before anything else happens.
"""

import csv
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from signer_app.attachments.kinds import is_known, kind_of
from signer_app.pdf.model import Profile
from signer_app.signing.file_codes import FileCode, ListedNames, numbered_scans, require_free_names
from signer_app.signing.jobs import (
    AttachmentJob,
    DocumentJob,
    FileJob,
    Jobs,
    UsageError,
    parse_date,
    parse_number,
    parse_place,
    parse_profile,
    parse_receivers,
)
from signer_app.signing.walking import printable, require_name, walk
from signer_app.store.durable import reachable
from signer_app.store.model import FileRole
from signer_resources.errors import KnownError

_LIST_COLUMNS = ("input", "profile", "number", "date", "place", "role", "document", "to", "file_code")
_MAX_LIST_BYTES = 32 << 20

_Row = tuple[int, dict[str, str]]
"""A line of a list: its number and what its columns say."""
_pack = msgspec.msgpack.Encoder().encode
_row = msgspec.msgpack.Decoder(_Row).decode
_group = msgspec.msgpack.Decoder(list[bytes]).decode

T = TypeVar("T")


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
    _require_text(*inputs, *([out] if out is not None else []))
    for source in inputs:
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


def _require_text(*paths: Path) -> None:
    """Nothing could be written down of files that lie in a folder whose name is no text, nor of copies there."""
    for path in map(Path.absolute, paths):
        if not _is_text(path):
            broken = next(part for part in reversed(path.parts) if not _is_text(Path(part)))
            raise UsageError("file_name_broken", name=printable(broken))


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
    _require_text(listing, *([out] if out is not None else []))
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
    # Rows are kept packed: a list may have a hundred thousand of them.
    groups: dict[str, list[bytes]] = {}
    names = ListedNames(scans)
    try:
        for row in reader:
            line = reader.line_num
            cells = {key: (value or "").strip() for key, value in row.items() if isinstance(key, str)}
            if None in row or not cells["input"]:
                raise UsageError("usage_list", name=listing.name, line=line, reason="input")
            cells["file_code"] = _scan_name(listing, line, cells, profile, names)
            groups.setdefault(cells.get("document") or f"\0{line}", []).append(_pack((line, cells)))
    except csv.Error as error:
        # DictReader's own line_num stays behind when the reader below it fails.
        raise UsageError("usage_list", name=listing.name, line=reader.reader.line_num, reason=str(error)) from None
    if not groups:
        raise UsageError("usage_list", name=listing.name, line=1, reason="0")
    documents = [_pack(rows) for rows in groups.values()]
    if scans is not None and not names.any:
        _require_archive(None, listing.name)
    jobs = Jobs(len(documents), lambda at: _document(listing, _rows(documents[at]), profile, out))
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


def _rows(group: bytes) -> list[_Row]:
    return [_row(row) for row in _group(group)]


def _document(listing: Path, rows: Sequence[_Row], profile: Profile, out: Path | None) -> DocumentJob:
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
    seen: set[bytes] = set()
    for output in outputs:
        # Windows and macOS don't tell names by case.
        name = str(output.absolute()).casefold()
        key = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if key in seen:
            raise UsageError("usage_same_output", name=output.name)
        seen.add(key)
