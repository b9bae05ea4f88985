"""Files that go along with a draft unsigned: opened beside the files that are signed, or turned into one of them.

Main process, on the thread of the caller. All are looked into before the first is copied; what LibreOffice makes of a
file is screened and read like any PDF that a person brings.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from signer_app.attachments import opening
from signer_app.attachments.kinds import kind_of
from signer_app.attachments.office import Office, converts
from signer_app.attachments.opening import Seen
from signer_app.outgoing import adding
from signer_app.outgoing.model import DraftAttachment, DraftFile, FileRole, Left
from signer_app.signing.examine import Examiner
from signer_app.signing.jobs import appendix_profile
from signer_app.store.model import Draft
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.ids import uuid7
from signer_sync.secrecy import name_is_secret


def take(space: Workspace, seen: Seen) -> DraftAttachment:
    """Copies a file that was looked into; its output is still to be named. Raises as `opening.take`."""
    return DraftAttachment(
        id=uuid7(),
        name=seen.path.name,
        path=str(seen.path),
        output="",
        blob=opening.take(space, seen),
        size=seen.size,
        words=seen.words,
    )


def take_all(space: Workspace, paths: Sequence[Path]) -> tuple[tuple[DraftAttachment, ...], tuple[Left, ...]]:
    """Copies of all that may go along, and what may not, with the reason; nothing is kept of that."""
    taken: list[DraftAttachment] = []
    left: list[Left] = []
    for path in paths:
        try:
            taken.append(take(space, opening.look(space, path.absolute())))
        except KnownError as error:
            left.append(Left(path.name, error))
    return tuple(taken), tuple(left)


def left_alone(path: Path) -> Left:
    """Why a file that is no PDF and belongs to no document was not taken."""
    if name_is_secret(path.name):
        return Left(path.name, KnownError("secret"))
    try:
        kind_of(path.name)
    except KnownError as error:
        return Left(path.name, error)
    return Left(path.name, KnownError("attachment_alone", name=path.name))


def why_not_converted(item: DraftAttachment, office: Office | None) -> KnownError | None:
    """Why an attachment can't become a PDF here; None where it can."""
    if not converts(item.name):
        return KnownError("office_kind", name=item.name)
    return KnownError("office_missing", name=item.name) if office is None else None


def converted(
    space: Workspace, examiner: Examiner, draft: Draft, item: DraftAttachment, office: Office | None
) -> DraftFile:
    """The PDF that LibreOffice makes of an attachment, as an appendix of its draft; its output is still to be named.

    KnownError "office_…", "secret", and what makes a PDF unreadable.
    """
    reason = why_not_converted(item, office)
    if reason is not None or office is None:
        raise reason or KnownError("office_missing", name=item.name)
    with tempfile.TemporaryDirectory(prefix="office-", dir=space.folder.work) as folder:
        made = office.to_pdf(space.store.blobs.path(item.blob), item.name, Path(folder))
        known = Path(item.path).with_suffix(".pdf")
        sha256 = adding.look(space, examiner, made, known)
        profile = appendix_profile(draft.profile)
        file = adding.take(space, examiner, made, sha256, FileRole.APPENDIX, profile, known)
    return msgspec.structs.replace(file, made_from=item.blob)
