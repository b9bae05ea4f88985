"""Going on with a batch that stopped: what it was told to do, and what of that is still to be done.

Main process; reads the store and nothing else. The command line and the window go on in the same way.
"""

from dataclasses import dataclass

import msgspec

from signer_app.signing.jobs import DocumentJob, FileJob, UsageError, job_of
from signer_app.store.model import Batch, BatchFile, FileState
from signer_app.store.store import View


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is needed to go on with a batch: the wishes, the certificate, the level, whether anything is to be sent.
    No secret, no secret file.
    """

    certificate: str
    level: str | None
    documents: tuple[DocumentJob, ...]
    send: bool = True


@dataclass(frozen=True)
class Unfinished:
    """A batch that stopped before its end: the documents that are still to be signed, and with what."""

    batch: Batch
    certificate: str
    level: str | None
    jobs: tuple[DocumentJob, ...]
    send: bool = True

    @property
    def drafts(self) -> tuple[str, ...]:
        """Ids of the drafts among the jobs."""
        return tuple(job.draft for job in self.jobs if job.draft is not None)


def unfinished(view: View, wanted: str | None = None) -> Unfinished | None:
    """The batch `wanted`, else the one that stopped last; None where none is left.

    UsageError "usage_batch_unknown" where `wanted` names none that can be gone on with.
    """
    waiting = view.batches.unfinished()
    batch = next((b for b in waiting if b.id == wanted), None) if wanted else next(iter(waiting[-1:]), None)
    if batch is None:
        if wanted:
            raise UsageError("usage_batch_unknown", batch=wanted)
        return None
    command = msgspec.json.decode(batch.command, type=Command)
    rows = view.batches.files(batch.id)
    pending = {wish_of(row) for row in rows if row.state is FileState.PENDING}
    jobs = (job for job in command.documents if all(_wish(file) in pending for file in job.files))
    current = tuple(now for job in jobs if (now := _as_now(view, job, send=command.send)) is not None)
    return Unfinished(batch, command.certificate, command.level, current, command.send)


def wish_of(row: BatchFile) -> tuple[str, str | None, str | None]:
    """What is wanted of a file of a batch: where it lies, how it is signed, where the copy goes."""
    return row.input_path, row.profile, row.output_path


def _wish(file: FileJob) -> tuple[str, str | None, str | None]:
    return file.path, file.profile.value, file.output


def _as_now(view: View, job: DocumentJob, *, send: bool) -> DocumentJob | None:
    """A job as it is wanted now: the draft it came from may have been changed since, or be gone (then None). It goes
    where the clerk wants it to go now, but what was only to be signed is not sent on the way.
    """
    if job.draft is None:
        return job
    draft = view.drafts.get(job.draft)
    if draft is None:
        return None
    now = job_of(draft)
    receivers = now.receivers if send else ()
    if _without_places(now) == _without_places(job):
        return msgspec.structs.replace(job, receivers=receivers)
    return msgspec.structs.replace(now, receivers=receivers)


def _without_places(job: DocumentJob) -> DocumentJob:
    """The job without where its copies go, to whom, and which plan was seen."""
    files = tuple(msgspec.structs.replace(file, output="", plan=None) for file in job.files)
    attachments = tuple(msgspec.structs.replace(item, output=None) for item in job.attachments)
    return msgspec.structs.replace(job, files=files, receivers=(), attachments=attachments)
