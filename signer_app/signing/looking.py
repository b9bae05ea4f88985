"""Looks at all documents of a batch before any PIN, several at a time, and writes what came of it as rows.

Main process. Documents come one by one from whoever wants them signed, and are let go as soon as their rows are
written: a batch of a hundred thousand takes no more memory than one of a thousand. A secret document gets no row.
"""

import datetime as dt
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from signer_app.attachments.keeping import blobs_of
from signer_app.pdf.model import Finding, Severity
from signer_app.signing.batch import DocumentWork, Outcome, Progress
from signer_app.signing.examine import Examiner
from signer_app.signing.forgetting import forget_work
from signer_app.signing.jobs import DocumentJob
from signer_app.signing.number_keeping import NumberKeeping
from signer_app.signing.rows import document_row, file_rows
from signer_app.store.model import FileState
from signer_app.store.store import Store, Transaction
from signer_resources.errors import KnownError

_TOGETHER = 32
"""Documents whose rows are written in one transaction."""


@dataclass
class Look:
    """The look at one batch. `known` may give a document as it was looked at before; None: look.

    `aside` are files without a row, by their place in the batch: of secret documents, and those that an earlier batch
    has signed.
    """

    store: Store
    batch: str
    examiner: Examiner
    keeping: NumberKeeping
    known: Callable[[DocumentJob], DocumentWork | None]
    now: Callable[[], dt.datetime]
    at_once: int
    ready: int = 0
    files: int = 0
    aside: dict[int, Outcome] = field(default_factory=dict)

    def over(self, jobs: Iterable[DocumentJob], total: int, progress: Progress, cancelled: Callable[[], bool]) -> None:
        """Looks at all of them; `total` are their files, for the progress. KnownError "interrupted"."""
        written: list[DocumentWork] = []
        for work in self._examined(jobs, cancelled):
            progress("progress_examine", self.files, max(total, self.files))
            work.place = self.files
            self.files += len(work.files)
            written.append(work)
            if len(written) == _TOGETHER:
                self._write(written)
                written = []
        self._write(written)
        progress("progress_examine", self.files, max(total, self.files))

    def one(self, work: DocumentWork) -> None:
        """Writes a document that was looked at by itself."""
        work.place = self.files
        self.files += len(work.files)
        self._write([work])

    def forget(self, work: DocumentWork) -> None:
        """A secret document leaves no trace but in the answer, nor does the very same file under another name;
        KnownError as `forget_work`.
        """
        for row in forget_work(self.store, work, blobs_of(work.attached)):
            if row.batch_id == self.batch:
                code = "secret" if row.position == row.document else "part_refused"
                self.aside[row.position] = Outcome(row.input_path, row.output_path, FileState.REFUSED, code)
        self.aside |= {work.place + at: file.outcome for at, file in enumerate(work.files)}

    def _examined(self, jobs: Iterable[DocumentJob], cancelled: Callable[[], bool]) -> Iterator[DocumentWork]:
        """Each as it was looked at, in their order."""
        running: deque[Future[DocumentWork]] = deque()
        pool = ThreadPoolExecutor(self.at_once, thread_name_prefix="look")
        try:
            for job in jobs:
                if cancelled():
                    raise KnownError("interrupted")
                running.append(pool.submit(self._look, job))
                if len(running) > 2 * self.at_once:
                    yield running.popleft().result()
            while running:
                if cancelled():
                    raise KnownError("interrupted")
                yield running.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _look(self, job: DocumentJob) -> DocumentWork:
        work = self.known(job)
        if work is None:
            work = DocumentWork.of(job)
            self.examiner.examine_document(work)
        return work

    def _write(self, works: list[DocumentWork]) -> None:
        secret = [work for work in works if any(file.secret for file in work.files)]
        for work in secret:
            self.forget(work)
        known = [work for work in works if work not in secret]
        if not known:
            return

        def write(tx: Transaction) -> None:
            for work in known:
                key = self._number_key(tx, work)
                self._point_out_twins(tx, work)
                tx.batches.put_document(document_row(self.batch, work, key), file_rows(self.batch, _as_prepared(work)))

        self.store.write(write)
        for work in known:
            self.ready += work.ready
            self.aside |= {work.place + at: file.outcome for at, file in enumerate(work.files) if file.done_before}

    def _number_key(self, tx: Transaction, work: DocumentWork) -> str | None:
        """The number that the document issues, unless another one of the batch does: then it is refused."""
        wish = self.keeping.wish(work, self.now()) if work.ready else None
        if wish is None:
            return None
        key = f"{wish.year}/{wish.notation_group}/{wish.number}"
        other = tx.batches.with_number(self.batch, key)
        if other is None or other.position == work.place:
            return key
        (first, *_rest) = tx.batches.of_document(self.batch, other.position)
        refusal = KnownError("number_twice_in_batch", number=wish.label, name=_name(first.input_path))
        work.refuse(refusal)
        return None

    def _point_out_twins(self, tx: Transaction, work: DocumentWork) -> None:
        """The very same file twice in one batch may be a mistake; the clerk is told, not stopped."""
        for file in work.files:
            if not file.ready or file.outcome.sha256_in is None:
                continue
            twin = tx.batches.with_input(self.batch, file.outcome.sha256_in)
            if twin is not None and twin.document != work.place and not file.is_told("same_file_in_batch"):
                told = Finding("same_file_in_batch", Severity.WARNING, {"name": _name(twin.input_path)})
                file.outcome = replace(file.outcome, warnings=(*file.outcome.warnings, told))


def _as_prepared(work: DocumentWork) -> DocumentWork:
    """The document as its rows tell of it: what is ready is prepared."""
    if not work.ready:
        return work
    return DocumentWork(
        work.job,
        [replace(file, outcome=replace(file.outcome, state=FileState.PREPARED)) for file in work.files],
        work.attached,
        place=work.place,
    )


def _name(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1]
