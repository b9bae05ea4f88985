"""Drafts looked at as the signing will look at them; what is found is remembered, ticked and kept repaired.

Main process; several threads wait for the workers that read the pages, the caller's takes in order what they found.
What the preflight knows already is not asked again. Never signs; of a document with a mark of secrecy nothing stays.
"""

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import msgspec

from signer_app.outgoing import arranging
from signer_app.outgoing.grid import Grid
from signer_app.outgoing.memory import Memory
from signer_app.outgoing.model import Draft, Examined, Left, Row, State
from signer_app.outgoing.outputs import Place, outputs_of
from signer_app.outgoing.rows import Answer, FileAnswer, question
from signer_app.signing.batch import DocumentWork, Progress
from signer_app.signing.certificates import SigningCertificate
from signer_app.signing.examine import Examiner
from signer_app.signing.forgetting import forget_draft
from signer_app.signing.images import Images, images_for
from signer_app.signing.jobs import job_of
from signer_app.signing.preflights import Preflights
from signer_app.signing.side_by_side import side_by_side
from signer_app.store.store import Transaction
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError


class Examining:
    """Examines the drafts of one workspace."""

    def __init__(self, space: Workspace, memory: Memory, grid: Grid) -> None:
        self.preflights = Preflights(space)
        self._space = space
        self._memory = memory
        self._grid = grid

    def examine(
        self,
        ids: Collection[str],
        chosen: SigningCertificate | None,
        progress: Progress,
        cancelled: Callable[[], bool],
    ) -> Examined:
        """Looks at drafts with the certificate that will sign, or without a token."""
        self._memory.choose(chosen)
        examiner, today, left = self._examiner(chosen), self._grid.today(), list[Left]()
        wanted = frozenset(ids)
        with self._space.store.view() as view:
            drafts = view.drafts.some(wanted)
        outputs = outputs_of(self._space.store, wanted, Place.of(self._space))
        total, done = sum(len(draft.files) for draft in drafts), 0
        self.preflights.refresh()

        def look(draft: Draft) -> DocumentWork:
            work = DocumentWork.of(job_of(draft, outputs=outputs))
            examiner.examine_document(work)
            return work

        progress("progress_examine", done, total)
        for draft, work in side_by_side(drafts, look, cancelled):
            if any(file.secret for file in work.files):
                left += self._drop(draft)
            else:
                self.remember(self._repaired(draft, work), work, today)
            done += len(draft.files)
            progress("progress_examine", done, total)
        examiner.discard_unused()
        return Examined(self._ticked(self._grid.rows_of(ids)), tuple(left))

    def remember(self, draft: Draft, work: DocumentWork, today: dt.date) -> None:
        """Keeps what an examination, or a signing that failed, said of a draft."""
        files = {file.id: FileAnswer.of(found) for file, found in zip(draft.files, work.files, strict=True)}
        self._memory.remember(draft.id, Answer(question(draft, today), files))

    def reader(self) -> Examiner:
        """Reads pages even where a picture of the settings is missing; that is told when the draft is examined."""
        self.preflights.refresh()
        chosen = self._memory.chosen
        try:
            return self._examiner(chosen)
        except KnownError:
            return Examiner(self._space, chosen, Images(), self._grid.rules(), self.preflights)

    def _examiner(self, chosen: SigningCertificate | None) -> Examiner:
        images = images_for(self._space, chosen, self._grid.today())
        return Examiner(self._space, chosen, images, self._grid.rules(), self.preflights)

    def _repaired(self, draft: Draft, work: DocumentWork) -> Draft:
        """The draft with what was repaired for it: from now on the repaired copy is shown and signed."""
        plans = {
            file.id: done.plan for file, done in zip(draft.files, work.files, strict=True) if done.plan is not None
        }
        now = arranging.repaired(draft, plans)
        if now != draft:

            def write(tx: Transaction) -> None:
                # What else was changed of it meanwhile stays.
                if (current := tx.drafts.get(draft.id)) is not None:
                    tx.drafts.put(arranging.repaired(current, plans))

            self._space.store.write(write)
        return now

    def _drop(self, draft: Draft) -> list[Left]:
        """A mark was seen that the screen at opening, by an older program, had not: nothing of it stays."""
        forget_draft(self._space.store, draft)
        self._memory.forget([draft.id])
        return [Left(file.name, KnownError("secret")) for file in draft.files]

    def _ticked(self, rows: Sequence[Row]) -> tuple[Row, ...]:
        """The rows, ticked by their states where nobody has ticked by hand."""
        ready = {row.draft.id: row.state is State.READY for row in rows if row.state is not State.CHECKING}
        wrong = [
            row for row in rows
            if not row.draft.ticked_by_hand and ready.get(row.draft.id, row.draft.ticked) != row.draft.ticked
        ]  # fmt: skip
        if not wrong:
            return tuple(rows)

        def write(tx: Transaction) -> None:
            for ticked in (True, False):
                ids = [row.draft.id for row in wrong if ready[row.draft.id] is ticked]
                tx.drafts.tick(ids, ticked=ticked, by_hand=False)

        self._space.store.write(write)
        changed = {row.draft.id: msgspec.structs.replace(row.draft, ticked=ready[row.draft.id]) for row in wrong}
        return tuple(replace(row, draft=changed.get(row.draft.id, row.draft)) for row in rows)
