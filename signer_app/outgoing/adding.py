"""Brings files in: finds them, screens each in memory, copies what is not secret, reads what its pages say.

Main process, on the thread of the caller; the pages are read by workers. Nothing of a file that is secret, or that
nobody could look at, is kept; a document is taken whole or not at all.
"""

import datetime as dt
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from signer_app.outgoing.model import DraftFile, FileRole, Left, Profile
from signer_app.signing.batch import never
from signer_app.signing.examine import Examiner, why_unreadable
from signer_app.signing.jobs import DocumentJob, FileJob
from signer_app.signing.opening import keep, screened
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.ids import uuid7

SIGNED_FOLDER = "Đã ký"
"""Where signed copies go, beside the originals."""
MOST_FILES = 5_000
"""Files that are brought in at once; more is somebody's whole disk."""
_PDF = b"%PDF-"
_HEADER_ROOM = 1024
"""A PDF's header may stand behind some bytes of junk (ISO 32000-1, annex H.3)."""


@dataclass(frozen=True)
class Found:
    """PDF files to be looked at, and what of the wish was none."""

    files: tuple[Path, ...]
    left: tuple[Left, ...]


def find(paths: Iterable[Path], cancelled: Callable[[], bool] = never) -> Found:
    """The PDF files among `paths`; folders are taken whole, without what was signed already. Looks no further than
    `MOST_FILES`, or when it is cancelled.
    """
    files: dict[Path, None] = {}
    left: list[Left] = []
    for path in paths:
        if path.is_dir():
            found = list(islice(_in_folder(path.absolute(), cancelled), MOST_FILES + 1))
            if not found and not cancelled():
                left.append(Left(path.name, KnownError("usage_empty_folder", name=path.name)))
            files.update(dict.fromkeys(found))
        elif not path.is_file():
            left.append(Left(path.name, KnownError("file_unreadable", name=path.name)))
        elif path.suffix.lower() != ".pdf":
            left.append(Left(path.name, KnownError("out_not_pdf", name=path.name)))
        else:
            files[path.absolute()] = None
        if len(files) > MOST_FILES:
            left.append(Left(path.name, KnownError("out_too_many", count=MOST_FILES)))
            break
    return Found(tuple(islice(files, MOST_FILES)), tuple(left))


def _in_folder(folder: Path, cancelled: Callable[[], bool]) -> Iterator[Path]:
    """All PDF files below a folder, in order; links to folders are not followed."""
    for place, folders, names in os.walk(folder):
        if cancelled():
            return
        folders[:] = sorted(name for name in folders if name != SIGNED_FOLDER and not name.startswith("."))
        for name in sorted(names):
            lower = name.lower()
            if lower.endswith(".pdf") and not lower.endswith(".signed.pdf") and not name.startswith("."):
                yield Path(place, name)


def look(space: Workspace, examiner: Examiner, path: Path) -> str:
    """Screens a file in memory, keeping nothing; its SHA-256.

    KnownError "secret", "out_already_here", "out_not_pdf", and what makes a PDF unreadable.
    """
    seen = screened(space, path, path.name)
    assert seen.sha256 is not None
    if not seen.readable:
        if not _is_pdf(path):
            raise KnownError("out_not_pdf", name=path.name)
        job = FileJob(str(path), "", FileRole.MAIN, Profile.PLAIN)
        raise why_unreadable(examiner.answer(path, seen.sha256, DocumentJob((job,)), job).result)
    with space.store.view() as view:
        if view.drafts.with_blob(seen.sha256) is not None:
            raise AlreadyHereError(path.name, seen.sha256)
    return seen.sha256


def take(space: Workspace, examiner: Examiner, path: Path, sha256: str, role: FileRole, profile: Profile) -> DraftFile:
    """Copies a file that `look` has seen as `sha256`, and reads what its pages say; its output is still to be named.

    KnownError "secret", and those of copying and reading; then the copy is gone again.
    """
    job = FileJob(str(path), "", role, profile)
    blob = keep(space, path, path.name, sha256)
    try:
        result = examiner.answer(space.store.blobs.path(blob), blob, DocumentJob((job,)), job).result
        if any(finding.code == "secret" for finding in result.findings):
            raise KnownError("secret")
    except BaseException:
        space.store.discard({blob})
        raise
    return DraftFile(
        id=uuid7(),
        name=path.name,
        path=str(path),
        output="",
        role=role,
        profile=profile,
        blob=blob,
        facts=result.facts,
    )


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


def outputs_for(files: Sequence[DraftFile], today: dt.date, taken: Collection[str]) -> dict[str, str]:
    """File id → where its signed copy goes: "Đã ký/YYYY-MM-DD" beside the original, under the same name; with " (2)"
    and so on where that name is taken on the disk or by another copy that is still to be made.
    """
    used = {path.casefold() for path in taken}
    outputs: dict[str, str] = {}
    for file in files:
        source = Path(file.path)
        folder = source.parent / SIGNED_FOLDER / today.isoformat()
        kept = Path(file.output) if file.output else None
        if kept is None or kept.parent != folder or not _free(kept, used):
            kept = next(path for path in _names(folder, source.name) if _free(path, used))
        used.add(str(kept).casefold())
        outputs[file.id] = str(kept)
    return outputs


def _names(folder: Path, name: str) -> Iterator[Path]:
    stem, suffix = Path(name).stem, Path(name).suffix
    yield folder / name
    number = 2
    while True:
        yield folder / f"{stem} ({number}){suffix}"
        number += 1


def _free(path: Path, used: Collection[str]) -> bool:
    # Windows and macOS don't tell names by case.
    return str(path).casefold() not in used and not os.path.lexists(path)
