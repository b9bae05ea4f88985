"""Going on with a batch that stopped: what it was told to do, and what of that is still to be done.

Main process; reads the store and nothing else. The command line and the window go on in the same way.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from signer_app.signing.jobs import DocumentJob, UsageError, job_of
from signer_app.store.batch_model import Batch
from signer_app.store.model import FileState
from signer_app.store.store import Store, Transaction, View


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a batch signs: with which certificate, to which level, and whether anything is to be sent. No secret."""

    certificate: str
    level: str | None
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


def unfinished(view: View, wanted: str | None = None, *, failed: bool = False) -> Unfinished | None:
    """The batch `wanted`, else the one that stopped last; None where none is left. `failed`: also what failed in it is
    to be tried again, and without `wanted` it is the batch begun last.

    UsageError "usage_batch_unknown" where `wanted` names none that can be gone on with.
    """
    waiting = view.batches.unfinished()
    if failed:
        last = view.batches.get(wanted) if wanted else view.batches.latest()
        waiting = (last,) if last is not None and last.begun_at is not None else ()
    batch = next((b for b in waiting if b.id == wanted), None) if wanted else next(iter(waiting[-1:]), None)
    if batch is None:
        if wanted:
            raise UsageError("usage_batch_unknown", batch=wanted)
        return None
    command = msgspec.json.decode(batch.command, type=Command)
    states = [state for state in FileState if state.waits or (failed and state is FileState.FAILED)]
    wishes = (msgspec.json.decode(job, type=DocumentJob) for job in view.batches.jobs(batch.id, states))
    # What has failed may have been tried again with success since, however often this batch is named.
    jobs = (job for job in wishes if not (failed and view.batches.signed_later(batch.id, _place(job))))
    current = tuple(now for job in jobs if (now := _as_now(view, job, send=command.send)) is not None)
    return Unfinished(batch, command.certificate, command.level, current, command.send)


def give_up_rest(store: Store, wanted: str | None = None) -> int:
    """Has nothing more signed of the batch `wanted`, else of the one that stopped last; how many files that are. Their
    copies go, and the numbers of those with which the token hasn't begun; drafts and the clerk's own files stay.
    UsageError as `unfinished`.
    """
    with store.view() as view:
        rest = unfinished(view, wanted)
        if rest is None:
            return 0
    batch = rest.batch.id

    def write(tx: Transaction) -> tuple[int, set[str]]:
        # Counted here: what somebody has gone on with meanwhile is not given up.
        count = sum(n for state, n in tx.batches.counts(batch).items() if state.waits)
        tx.reservations.release_unused(batch)
        return count, tx.batches.give_up(batch, "given_up_by_person")

    count, copies = store.write(write)
    store.discard(copies)
    return count


def without_lost_copies(job: DocumentJob, has: Callable[[str], bool]) -> DocumentJob:
    """The wish of a document that failed, whose copies are gone: its files are opened anew where they lie."""
    if job.draft is not None:
        return job
    files = tuple(
        msgspec.structs.replace(file, blob=file.blob if file.blob is not None and has(file.blob) else None)
        for file in job.files
    )
    attachments = tuple(
        msgspec.structs.replace(item, blob=item.blob if item.blob is not None and has(item.blob) else None)
        for item in job.attachments
    )
    return msgspec.structs.replace(job, files=files, attachments=attachments)


def _place(job: DocumentJob) -> tuple[str, str, str]:
    main = job.files[0]
    return main.path, main.profile.value, main.output


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
    # Whom the page meant when the clerk said yes is still meant, unless the clerk has named others.
    page = job.page if send and not now.receivers else None
    receivers = job.receivers if page is not None else now.receivers if send else ()
    said = job if _without_places(now) == _without_places(job) else now
    return msgspec.structs.replace(said, receivers=receivers, page=page)


def _without_places(job: DocumentJob) -> DocumentJob:
    """The job without where its copies go, to whom, and which plan was seen."""
    files = tuple(msgspec.structs.replace(file, output="", plan=None) for file in job.files)
    attachments = tuple(msgspec.structs.replace(item, output=None) for item in job.attachments)
    return msgspec.structs.replace(job, files=files, receivers=(), page=None, attachments=attachments)
