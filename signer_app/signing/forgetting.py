"""Takes every trace of a document that turned out to be secret out of the store: draft, copies, places in batches.

Main process. A mark can be seen late: by a newer program, or only on the signed page. What was written down of the
document until then must not stay, not even the name of its file.
"""

from collections.abc import Collection

from signer_app.signing.batch import DocumentWork
from signer_app.store.batch_model import BatchFile
from signer_app.store.model import Draft
from signer_app.store.store import Store, Transaction


def forget_work(store: Store, work: DocumentWork, attached: Collection[str] = ()) -> tuple[BatchFile, ...]:
    """Forgets a document that was on its way through a batch; KnownError as `Store.write`. The rows that are gone with
    it: of the very same file in other documents too.

    `attached` are the copies of what was to go along with it.
    """
    blobs = {item.blob for item in work.job.attachments} | {*attached}
    for file in work.files:
        # As it came, and mended: either may be the one that is named.
        blobs |= {file.job.blob, file.job.original, file.outcome.sha256_in, file.outcome.sha256_repaired}
        blobs |= {file.plan.blob, file.plan.original} if file.plan is not None else {None}
    return _forget(store, work.job.draft, {file.path for file in work.job.files}, {blob for blob in blobs if blob})


def forget_draft(store: Store, draft: Draft) -> None:
    """Forgets a draft, also where batches that stopped still wait for it; KnownError as `Store.write`."""
    _forget(store, draft.id, {file.path for file in draft.files}, draft.blobs)


def _forget(store: Store, draft: str | None, paths: Collection[str], blobs: Collection[str]) -> tuple[BatchFile, ...]:
    def write(tx: Transaction) -> tuple[BatchFile, ...]:
        if draft is not None:
            tx.drafts.remove([draft])
        for blob in blobs:
            tx.reservations.forget(blob)
        return tx.batches.forget(paths, blobs)

    removed = store.write(write)
    store.discard(set(blobs))
    store.truncate_log()
    return removed
