"""A signed document as a draft once more (Ký lại): made of what it was signed from, where nothing of it was sent.

Main process, on the thread of the caller. What the clerk had said is taken from the batch that signed it, as far as
that is still known; the rest from the register and from the pages. Changes nothing of the document itself.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from signer_app.attachments.opening import look_again
from signer_app.outgoing import adding
from signer_app.outgoing.arranging import page_of_issue
from signer_app.outgoing.model import Draft, DraftAttachment, DraftFile, FileRole, Profile
from signer_app.signing.examine import Examiner
from signer_app.signing.jobs import DocumentJob, FileJob
from signer_app.store.model import Document, StoredFile
from signer_app.store.store import View
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.ids import uuid7


@dataclass(frozen=True)
class SignedBefore:
    """A document of the register: its files, where their inputs lay, and the wish it was signed by, if still known."""

    document: Document
    files: tuple[StoredFile, ...]
    paths: dict[str, str]
    """By id of the file."""
    wish: DocumentJob | None


def read_signed(view: View, document_id: str) -> SignedBefore:
    """The document; KnownError "again_unknown", "again_sent", "again_replaced"."""
    view.replacing.require_replaceable(document_id)
    document = view.documents.get(document_id)
    files = tuple(sorted(view.documents.files(document_id), key=lambda file: file.position))
    if document is None or not files:
        raise KnownError("again_unknown")
    paths = {file.id: path for file in files if (path := view.replacing.input_path(file.id)) is not None}
    return SignedBefore(document, files, paths, wish_of(view, files[0]))


def draft_again(space: Workspace, examiner: Examiner, signed: SignedBefore) -> Draft:
    """The draft; its place in the list and the outputs are still to be given.

    KnownError "secret" where a newer look finds a mark, "blob_damaged".
    """
    document, wish = signed.document, signed.wish
    files = tuple(_file(space, examiner, signed, file) for file in signed.files if file.role is not FileRole.ATTACHMENT)
    folder = Path(files[0].path).parent
    paths = {Path(item.path).name: item.path for item in wish.attachments} if wish is not None else {}
    page = page_of_issue(files[0].facts, files[0].profile)
    return Draft(
        id=uuid7(),
        files=files,
        created_at=space.now(),
        position=0,
        number=document.number or page.number or "",
        notation=document.notation or page.notation or "",
        date=document.doc_date,
        type=document.type or "",
        subject=document.subject or "",
        signer=document.signer_name or "",
        # Whom the page meant, the page says again.
        receivers=wish.receivers if wish is not None and wish.page is None else (),
        urgency=document.urgency,
        attachments=tuple(
            _attachment(space, file, paths.get(file.name, str(folder / file.name)))
            for file in signed.files
            if file.role is FileRole.ATTACHMENT
        ),
        copy=wish.copy if wish is not None else None,
        replaces=document.id,
    )


def wish_of(view: View, main: StoredFile) -> DocumentJob | None:
    """The wish by which a document with this main file was signed, if it is still known."""
    wish = view.batches.job_of(main.id)
    with suppress(msgspec.MsgspecError):
        return msgspec.json.decode(wish, type=DocumentJob) if wish is not None else None
    return None


def _file(space: Workspace, examiner: Examiner, signed: SignedBefore, file: StoredFile) -> DraftFile:
    path = signed.paths.get(file.id) or file.output_path or file.name
    jobs = {job.path: job for job in signed.wish.files} if signed.wish is not None else {}
    job = jobs.get(path) or FileJob(path, "", file.role, Profile(file.profile or Profile.PLAIN))
    original = job.original if job.original is not None and space.store.blobs.has(job.original) else None
    return DraftFile(
        id=uuid7(),
        name=file.name,
        path=path,
        output="",
        role=file.role,
        profile=Profile(file.profile or Profile.PLAIN),
        blob=file.blob_in,
        facts=adding.read_facts(space, examiner, file.blob_in, job),
        place=job.place,
        original=original,
    )


def _attachment(space: Workspace, file: StoredFile, path: str) -> DraftAttachment:
    found = look_again(space, file.blob_in, file.name)
    return DraftAttachment(
        id=uuid7(), name=file.name, path=path, output="", blob=file.blob_in, size=found.size, words=found.words
    )
