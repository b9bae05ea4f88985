"""Gives the documents of a batch to the pipeline, out of their rows: those in a hurry first, then in their order.

Main process, on the thread that signs. Few documents at a time are in memory; that they were handed out is written down
before the token sees the first of them.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from signer_app.signing.batch import DocumentWork
from signer_app.signing.rows import work_of
from signer_app.store.model import BatchDocument, FileState
from signer_app.store.store import Store, Transaction


@dataclass
class Feed:
    """`taken` are places of documents that are out; `at_once` how many rows are read together."""

    store: Store
    batch: str
    at_once: int
    hurry: Callable[[], bool]
    """Whether a document in a hurry has come to the batch since this was asked last."""
    taken: set[int] = field(default_factory=set)
    _shelf: deque[DocumentWork] = field(default_factory=deque)

    def take(self) -> DocumentWork | None:
        """The next document; None: there is none left."""
        if self.hurry() and self._shelf:
            self._put_back()
        if not self._shelf:
            self._fetch()
        if not self._shelf:
            return None
        work = self._shelf.popleft()
        self.taken.add(work.place)
        return work

    def done(self, work: DocumentWork) -> None:
        """It came back, whatever became of it."""
        self.taken.discard(work.place)

    def end(self) -> None:
        """What was handed out and didn't come back waits as before."""
        self._put_back()
        left = sorted(self.taken)
        if left:
            self.store.write(lambda tx: tx.batches.mark(self.batch, left, FileState.PREPARED))
        self.taken.clear()

    def _put_back(self) -> None:
        places = [work.place for work in self._shelf]
        self._shelf.clear()
        if places:
            self.store.write(lambda tx: tx.batches.mark(self.batch, places, FileState.PREPARED))

    def _fetch(self) -> None:
        found: list[tuple[BatchDocument, DocumentWork | None]] = []

        def write(tx: Transaction) -> None:
            found.clear()
            for document in tx.batches.next_documents(self.batch, self.at_once):
                work = work_of(document, tx.batches.of_document(self.batch, document.position))
                found.append((document, work))
            signing = [document.position for document, work in found if work is not None]
            tx.batches.mark(self.batch, signing, FileState.SIGNING)
            # What can't be read any more is looked at again when the batch is gone on with.
            lost = [document.position for document, work in found if work is None]
            tx.batches.mark(self.batch, lost, FileState.PENDING)

        self.store.write(write)
        self._shelf.extend(work for _document, work in found if work is not None)
        if found and not self._shelf:
            self._fetch()
