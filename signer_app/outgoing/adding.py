"""Brings files in: finds them, looks at each in memory, copies what is not secret, reads what its pages say.

Main process, on the thread of the caller; the pages are read by workers. Nothing of a file that is secret, or that
nobody could look at, is kept; a document is taken whole or not at all.
"""

import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from signer_app.attachments.kinds import is_known, suffix_of
from signer_app.outgoing.grouping import goes_along
from signer_app.outgoing.model import DraftFile, FileRole, Left, Note, Profile
from signer_app.outgoing.outputs import SIGNED_FOLDER
from signer_app.pdf.model import LetterFacts
from signer_app.signing.batch import never
from signer_app.signing.examine import Examiner, why_unreadable
from signer_app.signing.jobs import DocumentJob, FileJob
from signer_app.signing.opening import keep_to_sign, screened
from signer_app.signing.walking import printable, require_name, walk
from signer_app.store.durable import reachable
from signer_app.store.times import vietnamese_date
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.ids import uuid7

MOST_FILES = 20_000
"""Files that are brought in at once; more is somebody's whole disk."""
_TEXTS = frozenset({"doc", "docx", "odt", "rtf"})
_PDF = b"%PDF-"
_HEADER_ROOM = 1024
"""A PDF's header may stand behind some bytes of junk (ISO 32000-1, annex H.3)."""


@dataclass(frozen=True)
class Found:
    """PDF files to be looked at, files that may go along with one (`beside`), and what of the wish was neither. `roots`
    are the folders that were brought in whole, by the files from in or below them.
    """

    files: tuple[Path, ...]
    left: tuple[Left, ...]
    beside: tuple[Path, ...] = ()
    roots: Mapping[Path, Path] = field(default_factory=dict)


def find(paths: Iterable[Path], cancelled: Callable[[], bool] = never, *, without: Path | None = None) -> Found:
    """The PDF files among `paths`, and what may go along with them; folders are taken whole, without what was signed
    already: not what lies in "Đã ký", nor below `without`. Looks no further than `MOST_FILES`, or when it is cancelled.
    """
    files: dict[Path, None] = {}
    beside: dict[Path, None] = {}
    roots: dict[Path, Path] = {}
    left: list[Left] = []
    for path in map(Path.absolute, paths):
        try:
            require_name(path)
            if reachable(path).is_dir():
                told = len(left)
                apart = without if without != path else None
                found = list(islice(_in_folder(path, left, cancelled, apart), MOST_FILES + 1))
                _take_all(found, path, files, beside, roots)
                if not any(map(_is_pdf_name, found)) and len(left) == told and not cancelled():
                    raise KnownError("usage_empty_folder", name=path.name)
            else:
                _take_one(path, files, beside)
        except KnownError as error:
            left.append(Left(printable(path.name), error))
        if len(files) > MOST_FILES:
            left.append(Left(path.name, KnownError("out_too_many", count=MOST_FILES)))
            break
    return Found(tuple(islice(files, MOST_FILES)), tuple(left), tuple(islice(beside, MOST_FILES)), roots)


def _take_all(
    found: Iterable[Path],
    folder: Path,
    files: dict[Path, None],
    beside: dict[Path, None],
    roots: dict[Path, Path],
) -> None:
    for path in found:
        if path not in files and path not in beside:
            (files if _is_pdf_name(path) else beside)[path] = None
            roots[path] = folder


def _take_one(path: Path, files: dict[Path, None], beside: dict[Path, None]) -> None:
    if not reachable(path).is_file():
        raise KnownError("file_unreadable", name=path.name)
    if _is_pdf_name(path):
        files[path] = None
    elif is_known(path.name):
        beside[path] = None
    else:
        raise KnownError("out_not_pdf", name=path.name)


def _is_pdf_name(path: Path) -> bool:
    return path.suffix.lower() == ".pdf"


def _in_folder(folder: Path, left: list[Left], cancelled: Callable[[], bool], without: Path | None) -> Iterator[Path]:
    """All PDF files below a folder, and what plainly goes along with one, in order; what can't be read or named goes to
    `left`.
    """

    def unreadable(place: Path) -> None:
        name = printable(place.name)
        left.append(Left(name, KnownError("folder_unreadable", name=name)))

    for place, names in walk(folder, unreadable, enters=_is_entered):
        if cancelled():
            return
        if without is not None and place.is_relative_to(without):
            continue
        pdfs = {name[:-4].casefold() for name in names if name.lower().endswith(".pdf")}
        for name in names:
            if _is_wanted(name, pdfs):
                try:
                    require_name(place / name)
                except KnownError as error:
                    left.append(Left(printable(name), error))
                else:
                    yield place / name


def _is_entered(name: str) -> bool:
    """Whether what lies in a folder of this name is taken: what was signed is not, however its name is spelt."""
    return not name.startswith(".") and unicodedata.normalize("NFC", name) != SIGNED_FOLDER


def _is_wanted(name: str, pdfs: Collection[str]) -> bool:
    lower = name.lower()
    if name.startswith((".", "~$")) or lower.endswith(".signed.pdf"):
        return False
    # A text of the same name as a PDF is what that was made of.
    made = suffix_of(name) in _TEXTS and Path(name).stem.casefold() in pdfs
    return lower.endswith(".pdf") or (is_known(name) and goes_along(name) and not made)


def look(space: Workspace, examiner: Examiner, path: Path, known: Path | None = None) -> str:
    """Screens a file in memory, keeping nothing; its SHA-256. `known`: where the person thinks it lies.

    KnownError "secret", "out_already_here", "out_not_pdf", and what makes a PDF unreadable.
    """
    name, path = (known or path).name, reachable(path)
    seen = screened(space, path, name)
    assert seen.sha256 is not None
    if not seen.readable:
        if not _is_pdf(path):
            raise KnownError("out_not_pdf", name=name)
        job = FileJob(str(path), "", FileRole.MAIN, Profile.PLAIN)
        raise why_unreadable(examiner.answer(path, seen.sha256, DocumentJob((job,)), job).result)
    with space.store.view() as view:
        if view.drafts.with_blob(seen.sha256) is not None:
            raise AlreadyHereError(name, seen.sha256)
    return seen.sha256


def take(
    space: Workspace,
    examiner: Examiner,
    path: Path,
    sha256: str,
    role: FileRole,
    profile: Profile,
    known: Path | None = None,
) -> DraftFile:
    """Copies a file that `look` has seen as `sha256`, and reads what its pages say; its output is still to be named.

    KnownError "secret", and those of copying and reading; then the copy is gone again.
    """
    shown, path = known or path, reachable(path)
    blob = keep_to_sign(space, path, shown.name, sha256)
    try:
        facts = read_facts(space, examiner, blob, FileJob(str(shown), "", role, profile))
    except BaseException:
        space.store.discard({blob})
        raise
    return DraftFile(
        id=uuid7(),
        name=shown.name,
        path=str(shown),
        output="",
        role=role,
        profile=profile,
        blob=blob,
        facts=facts,
    )


def read_facts(space: Workspace, examiner: Examiner, blob: str, job: FileJob) -> LetterFacts:
    """What the pages of a copy say; KnownError "secret" where a newer look finds a mark."""
    result = examiner.answer(space.store.blobs.path(blob), blob, DocumentJob((job,)), job).result
    if any(finding.code == "secret" for finding in result.findings):
        raise KnownError("secret")
    return result.facts


def signed_before(space: Workspace, name: str, blob: str) -> Note | None:
    """That the very same file was signed before, and when, as what; None if it was not."""
    with space.store.view() as view:
        issued = view.documents.issued_of(blob)
        signed = issued or view.documents.signed_of(blob)
    if signed is None:
        return None
    params = {"name": name, "date": vietnamese_date(signed.created_at)}
    number = issued.label if issued is not None else None
    if number is None:
        return Note("out_signed_before", params)
    return Note("out_issued_before", {**params, "number": number})


class AlreadyHereError(KnownError):
    """The very same file is in a draft; `blob` is its hash."""

    def __init__(self, name: str, blob: str) -> None:
        super().__init__("out_already_here", name=name)
        self.blob = blob


def _is_pdf(path: Path) -> bool:
    try:
        with path.open("rb") as handle:
            return _PDF in handle.read(_HEADER_ROOM)
    except OSError:
        return False
