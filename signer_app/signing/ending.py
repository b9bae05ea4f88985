"""The end of a batch: how it is closed, what became of each of its files, which copies are thrown away.

Main process, on the thread that signs; what became of the files is read by anybody later, some rows at a time. Decides
nothing about a document: what it says stands in the rows, and beside them for files that must have none.
"""

import datetime as dt
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from signer_app.attachments.keeping import blobs_of
from signer_app.signing.batch import BatchResult, Outcome
from signer_app.signing.feeding import pages
from signer_app.signing.jobs import DocumentJob
from signer_app.signing.rows import outcome_of
from signer_app.store.batch_model import BatchFile
from signer_app.store.model import FileState
from signer_app.store.store import Store
from signer_resources.errors import KnownError

_PAGE = 128
"""Rows read together."""


@dataclass(frozen=True)
class Ending:
    """Of one batch. `aside` are the files without a row, by their place, as `Look` keeps them."""

    store: Store
    batch: str
    aside: Mapping[int, Outcome]
    now: Callable[[], dt.datetime]

    def close(self, stopped: KnownError | None) -> BatchResult:
        """A batch that was begun; copies of what can't be signed any more go."""
        params = {key: str(value) for key, value in stopped.params.items()} if stopped else {}
        with suppress(KnownError):
            # A disk that is full must not hide what was signed: the rows of signed documents are there.
            self.store.write(
                lambda tx: tx.batches.finish(self.batch, self.now(), stopped.code if stopped else None, params)
            )
        with suppress(KnownError):
            self.store.discard(self._copies((FileState.REFUSED, FileState.FAILED, FileState.SKIPPED)))
        return BatchResult(self.batch, stopped, self._counts(), self._outcomes)

    def drop(self, stopped: KnownError | None) -> BatchResult:
        """A batch to which nobody said yes; what was found out about it is in the answer alone."""
        outcomes, counts = self.outcomes(), self._counts()
        self.forget()
        return BatchResult(None, stopped, counts, lambda: iter(outcomes))

    def outcomes(self) -> tuple[Outcome, ...]:
        """What is known of each file by now, all in memory."""
        return tuple(self._outcomes())

    def forget(self) -> None:
        """Nothing of the batch stays, but for drafts."""
        with suppress(KnownError):
            copies = self._copies(tuple(FileState))
            self.store.write(lambda tx: tx.batches.drop_unbegun(self.batch))
            self.store.discard(copies)

    def _copies(self, states: tuple[FileState, ...]) -> set[str]:
        """Copies of the files that stand so, and of what goes along with them; those that a row or a draft still names
        among them.
        """
        found = {blob for outcome in self.aside.values() if (blob := outcome.sha256_in) is not None}
        for row in self._rows(states):
            found |= {blob for blob in (row.input_sha256, row.repaired_sha256) if blob is not None}
        for page in pages(self.store, self.batch, states) if found else ():
            for document in page:
                found |= blobs_of(msgspec.json.decode(document.job, type=DocumentJob).attachments)
        return found

    def _rows(self, states: Iterable[FileState] = FileState) -> Iterator[BatchFile]:
        """The rows of all files that stand so."""
        at, wanted = -1, tuple(states)
        while True:
            with self.store.view() as view:
                page = view.batches.page(self.batch, wanted, at, _PAGE)
            if not page:
                return
            yield from page
            at = page[-1].position

    def _counts(self) -> dict[FileState, int]:
        counts = dict.fromkeys(FileState, 0)
        with self.store.view() as view:
            for state, count in view.batches.counts(self.batch).items():
                counts[FileState.PENDING if state.waits else state] += count
        for outcome in self._without_row().values():
            counts[outcome.state] += 1
        return {state: count for state, count in counts.items() if count}

    def _without_row(self) -> dict[int, Outcome]:
        """Those beside the rows. A document that was on its way when its twin was forgotten may have come back with
        rows of its own, which tell better.
        """
        every = tuple(FileState)
        with self.store.view() as view:
            return {
                at: outcome
                for at, outcome in self.aside.items()
                if outcome.state is not FileState.REFUSED
                or not any(row.position == at for row in view.batches.page(self.batch, every, at - 1, 1))
            }

    def _outcomes(self) -> Iterator[Outcome]:
        """What became of each file, in the order of the batch."""
        aside = deque(sorted(self._without_row().items()))
        for row in self._rows():
            while aside and aside[0][0] < row.position:
                yield aside.popleft()[1]
            with self.store.view() as view:
                draft = view.batches.draft_of(self.batch, row.document) if row.document is not None else None
                stored = view.documents.file(row.file_id) if row.file_id is not None else None
            yield outcome_of(row, draft=draft, document=stored.document_id if stored else None)
        yield from (outcome for _place, outcome in aside)
