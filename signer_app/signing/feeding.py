"""Gives the documents of a batch to the pipeline, out of their rows: those in a hurry first, then in their order.

Main process, on the thread that signs. Few documents at a time are in memory; that they were handed out is written down
before the token sees the first of them.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from signer_app.signing.batch import DocumentWork
from signer_app.signing.rows import work_of
from signer_app.store.batch_model import BatchDocument
from signer_app.store.model import FileState
from signer_app.store.store import Store, Transaction, View

_PAGE = 128
"""Documents read together where each is looked at once more."""


def pages(store: Store, batch: str, states: Iterable[FileState]) -> Iterator[tuple[BatchDocument, ...]]:
    """The documents of a batch whose main file stands so, some at a time, in their order."""
    at, wanted = -1, tuple(states)
    while True:
        with store.view() as view:
            page = view.batches.documents(batch, wanted, at, _PAGE)
        if not page:
            return
        yield page
        at = page[-1].position


def works(tables: View | Transaction, page: Iterable[BatchDocument]) -> Iterator[DocumentWork]:
    """Documents as they were looked at; those whose rows don't tell any more are left out."""
    for document in page:
        work = work_of(document, tables.batches.of_document(document.batch_id, document.position))
        if work is not None:
            yield work


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
        while not self._shelf:
            if not self._fetch():
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

    def _fetch(self) -> bool:
        """Puts the next ones on the shelf, as far as their rows can be read; whether there were any."""
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
        return bool(found)
