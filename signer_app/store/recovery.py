"""What is put right at every start, by the owner of the data folder's lock, before anything else writes.

A process can end at any instant; what it left half-done is either finished by the database itself, collected
here, or tried again. Never deletes anything that a row or the settings name.
"""

import time
from collections.abc import Callable

import msgspec

from signer_app.store.durable import disk_errors
from signer_app.store.settings import load_settings
from signer_app.store.store import Store, Transaction


class Recovery(msgspec.Struct, frozen=True):
    """What was found: files of stopped signings, leftovers of writing, blobs that no row names, unknown
    outcomes.
    """

    work_files: int
    temporaries: int
    orphans: int
    unknown_outcomes: int


def recover(store: Store, clock: Callable[[], float] = time.time) -> Recovery:
    """Clears `work`, drops batches to which nobody said yes, collects orphans older than this call, and lets packets
    caught in sending be sent again.

    `clock` gives seconds since the epoch, as the file system's times. Raises KnownError "settings_invalid"
    (which seals to keep can't be told then, so nothing is collected), "data_folder_unwritable", and as
    `Store.transaction`.
    """
    folder = store.folder
    if not folder.locked:
        raise RuntimeError("only the owner of the data folder's lock recovers")
    started = clock()
    keep_for_settings = load_settings(folder).blobs()
    unknown = store.write(lambda transaction: transaction.outbox.forget_attempts())
    store.write(_drop_unbegun)
    with store.view() as view:
        keep = view.blobs() | keep_for_settings
    with disk_errors(folder.path, "data_folder_unwritable"):
        work_files = folder.clear_work()
        stale = [file for file in folder.path.glob(".*.part") if file.is_file()]
        for file in stale:
            file.unlink()
        collected = store.blobs.collect(keep, started)
    folder.refill_reserve()
    return Recovery(work_files, len(stale) + collected.temporaries, collected.orphans, unknown)


def _drop_unbegun(transaction: Transaction) -> None:
    """Batches to which nobody said yes, with the numbers that were kept for them already when the process was cut."""
    transaction.reservations.release_unused()
    transaction.batches.drop_unbegun()
