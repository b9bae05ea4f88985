"""Drafts handed to the signing: which of them, in what order, as they were seen; and what has become of each.

Main process, any thread. What is handed over is changed by nobody until it is given back. Never signs itself.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import msgspec

from signer_app.outgoing import numbers
from signer_app.outgoing.examining import Examining
from signer_app.outgoing.grid import Grid
from signer_app.outgoing.memory import Memory
from signer_app.outgoing.model import Row
from signer_app.outgoing.outputs import Place, outputs_of
from signer_app.signing.batch import DocumentWork
from signer_app.signing.jobs import DocumentJob, job_of, seen_hash
from signer_app.store.model import FileState
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError


class Handing:
    """Hands the drafts of one workspace to its signing."""

    def __init__(self, space: Workspace, memory: Memory, grid: Grid, examining: Examining) -> None:
        self._space = space
        self._memory = memory
        self._grid = grid
        self._examining = examining

    def jobs(self, ids: Collection[str], *, send: bool) -> tuple[DocumentJob, ...]:
        """What the signing is told of these drafts."""
        return self._jobs(self._signable(ids), send=send)

    @contextmanager
    def signing(self, ids: Collection[str], *, send: bool) -> Iterator[tuple[DocumentJob, ...]]:
        """As `jobs`, and nobody changes these drafts until the end."""
        # Held before they are read: who changes one from now on is refused, who did before is seen.
        self._memory.hold(ids)
        try:
            rows = self._signable(ids)
            self._memory.hold_as(rows)
            yield self._jobs(rows, send=send)
        finally:
            self._memory.release(ids)

    def follow(self, work: DocumentWork) -> None:
        """A document of `signing` was signed or has failed."""
        row = self._memory.held(work.job.draft or "")
        if row is None:
            return
        outcomes = tuple(file.outcome for file in work.files)
        if all(outcome.state is FileState.SIGNED for outcome in outcomes):
            self._memory.release_signed(row, outcomes)
            return
        if any(file.secret for file in work.files):
            self._memory.forget([row.draft.id])
        else:
            self._examining.remember(row.draft, work, self._grid.today())
        self._memory.release([row.draft.id])

    def _signable(self, ids: Collection[str]) -> tuple[Row, ...]:
        """The rows in the order of signing; each was examined as it is."""
        rows = self._grid.rows_of(ids)
        for row in rows:
            if not row.signable or not all(file.id in row.plans for file in row.draft.files):
                raise KnownError("out_not_ready", name=row.draft.label or row.draft.main.name)
        if len(rows) != len(set(ids)):
            raise KnownError("out_gone")
        return tuple(sorted(rows, key=lambda row: numbers.signing_order(row.draft)))

    def _jobs(self, rows: Sequence[Row], *, send: bool) -> tuple[DocumentJob, ...]:
        outputs = outputs_of(self._space.store, [row.draft.id for row in rows], Place.of(self._space))
        jobs = []
        for row in rows:
            job = job_of(row.draft, {key: seen_hash(plan) for key, plan in row.plans.items()}, outputs)
            page = row.receivers.page
            jobs.append(msgspec.structs.replace(job, page=page) if send else msgspec.structs.replace(job, receivers=()))
        return tuple(jobs)
