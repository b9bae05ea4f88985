"""What goes along with a draft unsigned: put with it, taken from it, or turned into a PDF that is signed with it.

Main process, on the thread of the caller; files are looked into by workers, PDFs are made by the LibreOffice of this
machine. A copy that comes into no draft is thrown away at once.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from signer_app.attachments.office import Office
from signer_app.outgoing import along, arranging
from signer_app.outgoing.changing import taken, with_attachment
from signer_app.outgoing.examining import Examining
from signer_app.outgoing.grid import Grid
from signer_app.outgoing.memory import Memory
from signer_app.outgoing.model import Left
from signer_app.outgoing.outputs import Place, with_outputs
from signer_app.signing.batch import Progress
from signer_app.store.store import Transaction
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError


class Attaching:
    """Attaches files to the drafts of one workspace."""

    def __init__(
        self,
        space: Workspace,
        memory: Memory,
        grid: Grid,
        examining: Examining,
        office: Callable[[], Office | None],
    ) -> None:
        self._space = space
        self._memory = memory
        self._grid = grid
        self._examining = examining
        self._office = office

    def attach(self, draft_id: str, paths: Sequence[Path]) -> tuple[Left, ...]:
        """Has files go along with a document; what was not taken."""
        with self._space.store.view() as view:
            if view.drafts.get(draft_id) is None:
                raise KnownError("out_gone")
        added, left = along.take_all(self._space, paths)

        def write(tx: Transaction) -> None:
            draft = taken(tx, self._memory, draft_id)
            tx.drafts.put(arranging.joined(draft, (), with_outputs(tx, added, Place.of(self._space))))

        try:
            self._space.store.write(write)
        except BaseException:
            self._space.store.discard({item.blob for item in added})
            raise
        return left

    def detach(self, attachment_id: str) -> str:
        """Takes a file that goes along out of its document; the id of that."""

        def write(tx: Transaction) -> tuple[str, str]:
            draft, item = with_attachment(tx, self._memory, attachment_id)
            tx.drafts.put(arranging.without_attachment(draft, attachment_id))
            return draft.id, item.blob

        draft_id, blob = self._space.store.write(write)
        self._space.store.discard({blob})
        return draft_id

    def why_not_converted(self, attachment_id: str) -> KnownError | None:
        """Why a file that goes along can't become a PDF on this machine; None where it can."""
        with self._space.store.view() as view:
            _draft, item = with_attachment(view, self._memory, attachment_id)
        return along.why_not_converted(item, self._office())

    def convert(self, attachment_id: str, *, keep_source: bool, progress: Progress) -> str:
        """Has LibreOffice make an appendix of a file that goes along; the id of its document."""
        with self._space.store.view() as view:
            draft, item = with_attachment(view, self._memory, attachment_id)
        progress("attachment_progress_convert", 0, 1)
        made = along.converted(self._space, self._examining.reader(), draft, item, self._office())

        def write(tx: Transaction) -> str:
            now, _item = with_attachment(tx, self._memory, attachment_id)
            rest = now if keep_source else arranging.without_attachment(now, attachment_id)
            tx.drafts.put(arranging.joined(rest, with_outputs(tx, [made], Place.of(self._space))))
            return now.id

        try:
            draft_id = self._space.store.write(write)
        except BaseException:
            self._space.store.discard({made.blob})
            raise
        self._space.store.discard({item.blob})
        progress("attachment_progress_convert", 1, 1)
        return draft_id
