"""What goes along with a document that is about to be signed: copies of it, looked into before anything is kept.

Main process. The file of a draft is a copy already; one that the command line names becomes one here, as the files that
are signed do.
"""

from pathlib import Path

import msgspec

from signer_app.attachments import opening
from signer_app.signing.jobs import AttachmentJob, DocumentJob
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError


def keep_attachments(space: Workspace, job: DocumentJob) -> tuple[AttachmentJob, ...]:
    """The job's attachments, each with its copy; all are looked into before the first is copied.

    KnownError "secret", the "attachment_…" of a look, "attachment_already" for the same file twice, "input_changed",
    "blob_damaged"; then nothing is kept of those that were no copies.
    """
    seen: dict[str, opening.Seen] = {}
    hashes: set[str] = set()
    for item in job.attachments:
        if item.blob is None:
            seen[item.path] = opening.look(space, Path(item.path))
        else:
            space.store.blobs.size(item.blob)
        sha256 = item.blob or seen[item.path].sha256
        if sha256 in hashes:
            raise KnownError("attachment_already", name=item.name)
        hashes.add(sha256)
    taken: set[str] = set()
    try:
        for one in seen.values():
            taken.add(opening.take(space, one))
    except BaseException:
        space.store.discard(taken)
        raise
    return tuple(msgspec.structs.replace(item, blob=item.blob or seen[item.path].sha256) for item in job.attachments)


def blobs_of(attached: tuple[AttachmentJob, ...]) -> set[str]:
    """The copies of what goes along."""
    return {item.blob for item in attached if item.blob is not None}
