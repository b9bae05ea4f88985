"""Letting files of sent documents go, after the receipt and the time that the body has set; off unless it was set.

Main process, under the data folder's lock, when nobody works. What goes is written down first and deleted then, so that
a cut leaves at most a file that goes the next time; each says from then on that it was let go, and when.
"""

import datetime as dt
from dataclasses import dataclass

from signer_app.store.settings import load_settings
from signer_app.workspace import Workspace


@dataclass(frozen=True)
class LetGo:
    """How many files went, and the room that they took, in bytes."""

    files: int
    size: int


def let_files_go(space: Workspace) -> LetGo:
    """Deletes what may go by now; KnownError as `Store.write`, "data_folder_unwritable"."""
    days = space.settings.backup.keep_sent_days
    if days is None:
        return LetGo(0, 0)
    store, now = space.store, space.now()
    with store.view() as view:
        going = view.retention.may_go(now - dt.timedelta(days=days))
        needed = view.drafts.blobs() | view.batches.blobs() | view.inbox.blobs() | view.incoming.blobs()
        needed |= view.evidence.blobs() | load_settings(store.folder).blobs()
    there = [(sha256, store.blobs.size(sha256)) for sha256 in sorted(going - needed) if store.blobs.has(sha256)]
    if not there:
        return LetGo(0, 0)
    store.write(lambda tx: tx.restored.release_blobs(there, now))
    for sha256, _size in there:
        store.blobs.delete(sha256)
    return LetGo(len(there), sum(size for _sha256, size in there))
