"""The numbers of a batch: kept for its documents once the token is open, let go where a batch never came to them.

Main process, on the thread that signs. Goes through the batch's rows some at a time. What a number may be kept for is
`number_keeping`'s to say.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from signer_app.signing.batch import DocumentWork
from signer_app.signing.feeding import pages, works
from signer_app.signing.number_keeping import NUMBER_REFUSALS, NumberKeeping
from signer_app.signing.rows import file_rows
from signer_app.store.batch_model import BatchDocument
from signer_app.store.model import FileState
from signer_app.store.store import Store, Transaction
from signer_resources.errors import KnownError

_WAITING = (FileState.PENDING, FileState.PREPARED, FileState.SIGNING)


@dataclass
class BatchNumbers:
    """Those of one batch. `touched` are places of waiting documents with which the token has begun."""

    store: Store
    batch: str
    keeping: NumberKeeping
    now: Callable[[], dt.datetime]
    touched: set[int] = field(default_factory=set)
    _kept: set[int] = field(default_factory=set)
    """Places of documents whose numbers were kept for them by this run."""

    def keep_all(self, refused: Callable[[DocumentWork], None]) -> None:
        """From here on each number belongs to its document, whatever becomes of its signing. One that somebody else has
        got since the document was examined refuses it, which is told to `refused` once it is written down.
        """
        now = self.now()
        for page in pages(self.store, self.batch, (FileState.PREPARED,)):
            kept: list[int] = []
            lost: list[DocumentWork] = []

            def write(
                tx: Transaction,
                page: Iterable[BatchDocument] = page,
                kept: list[int] = kept,
                lost: list[DocumentWork] = lost,
            ) -> None:
                kept.clear()
                lost.clear()
                for work in works(tx, page):
                    try:
                        if self.keeping.keep(tx, work, now):
                            kept.append(work.place)
                    except KnownError as error:
                        self._refuse(tx, work, error)
                        lost.append(work)

            self.store.write(write)
            self._kept.update(kept)
            for work in lost:
                refused(work)

    def keep(self, work: DocumentWork) -> None:
        """The same for a document that came later, which is refused where it can't have its number."""
        now = self.now()

        def write(tx: Transaction) -> bool:
            try:
                return self.keeping.keep(tx, work, now)
            except KnownError as error:
                self._refuse(tx, work, error)
                return False

        if self.store.write(write):
            self._kept.add(work.place)

    def leave_one(self, tx: Transaction, work: DocumentWork) -> None:
        """The number of a document that the person leaves out before the token has begun with it is free again."""
        if work.place in self._kept:
            self.keeping.leave(tx, work, self.now())

    def leave(self) -> None:
        """A batch that was stopped takes no number from the documents that it never came to."""
        now = self.now()
        for page in pages(self.store, self.batch, _WAITING) if self._kept else ():

            def write(tx: Transaction, page: Iterable[BatchDocument] = page) -> None:
                for work in works(tx, page):
                    if work.place in self._kept and work.place not in self.touched:
                        self.keeping.leave(tx, work, now)

            self.store.write(write)

    def _refuse(self, tx: Transaction, work: DocumentWork, error: KnownError) -> None:
        if error.code not in NUMBER_REFUSALS:
            raise error
        work.refuse(error)
        tx.batches.put_files(file_rows(self.batch, work))
