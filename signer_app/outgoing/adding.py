"""Brings files in: finds them, looks at each in memory, copies what is not secret, reads what its pages say.

Main process, on the thread of the caller; the pages are read by workers. Nothing of a file that is secret, or that
nobody could look at, is kept; a document is taken whole or not at all.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from signer_app.attachments.kinds import is_known, suffix_of
from signer_app.outgoing.grouping import goes_along
from signer_app.outgoing.model import DraftFile, FileRole, Left, Profile
from signer_app.outgoing.outputs import SIGNED_FOLDER
from signer_app.pdf.model import LetterFacts
from signer_app.signing.batch import never
from signer_app.signing.examine import Examiner, why_unreadable
from signer_app.signing.jobs import DocumentJob, FileJob
from signer_app.signing.opening import keep, screened
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.ids import uuid7

MOST_FILES = 5_000
"""Files that are brought in at once; more is somebody's whole disk."""
_TEXTS = frozenset({"doc", "docx", "odt", "rtf"})
_PDF = b"%PDF-"
_HEADER_ROOM = 1024
"""A PDF's header may stand behind some bytes of junk (ISO 32000-1, annex H.3)."""


@dataclass(frozen=True)
class Found:
    """PDF files to be looked at, files that may go along with one (`beside`), and what of the wish was neither."""

    files: tuple[Path, ...]
    left: tuple[Left, ...]
    beside: tuple[Path, ...] = ()


def find(paths: Iterable[Path], cancelled: Callable[[], bool] = never) -> Found:
    """The PDF files among `paths`, and what may go along with them; folders are taken whole, without what was signed
    already. Looks no further than `MOST_FILES`, or when it is cancelled.
    """
    files: dict[Path, None] = {}
    beside: dict[Path, None] = {}
    left: list[Left] = []
    for path in paths:
        if path.is_dir():
            found = list(islice(_in_folder(path.absolute(), cancelled), MOST_FILES + 1))
            if not any(map(_is_pdf_name, found)) and not cancelled():
                left.append(Left(path.name, KnownError("usage_empty_folder", name=path.name)))
            files.update(dict.fromkeys(filter(_is_pdf_name, found)))
            beside.update(dict.fromkeys(other for other in found if not _is_pdf_name(other)))
        elif not path.is_file():
            left.append(Left(path.name, KnownError("file_unreadable", name=path.name)))
        elif not _is_pdf_name(path) and is_known(path.name):
            beside[path.absolute()] = None
        elif not _is_pdf_name(path):
            left.append(Left(path.name, KnownError("out_not_pdf", name=path.name)))
        else:
            files[path.absolute()] = None
        if len(files) > MOST_FILES:
            left.append(Left(path.name, KnownError("out_too_many", count=MOST_FILES)))
            break
    return Found(tuple(islice(files, MOST_FILES)), tuple(left), tuple(islice(beside, MOST_FILES)))


def _is_pdf_name(path: Path) -> bool:
    return path.suffix.lower() == ".pdf"


def _in_folder(folder: Path, cancelled: Callable[[], bool]) -> Iterator[Path]:
    """All PDF files below a folder, and what plainly goes along with one, in order; links to folders are not
    followed.
    """
    for place, folders, names in os.walk(folder):
        if cancelled():
            return
        folders[:] = sorted(name for name in folders if name != SIGNED_FOLDER and not name.startswith("."))
        pdfs = {name[:-4].casefold() for name in names if name.lower().endswith(".pdf")}
        for name in sorted(names):
            lower = name.lower()
            if name.startswith((".", "~$")) or lower.endswith(".signed.pdf"):
                continue
            # A text of the same name as a PDF is what that was made of.
            made = suffix_of(name) in _TEXTS and Path(name).stem.casefold() in pdfs
            if lower.endswith(".pdf") or (is_known(name) and goes_along(name) and not made):
                yield Path(place, name)


def look(space: Workspace, examiner: Examiner, path: Path, known: Path | None = None) -> str:
    """Screens a file in memory, keeping nothing; its SHA-256. `known`: where the person thinks it lies.

    KnownError "secret", "out_already_here", "out_not_pdf", and what makes a PDF unreadable.
    """
    name = (known or path).name
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
    shown = known or path
    blob = keep(space, path, shown.name, sha256)
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
