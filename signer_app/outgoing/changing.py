"""Drafts changed by hand: filled in, ticked, placed, merged and split, put in order, taken out.

Main process, any thread; each change is one transaction, all of it or none. A draft that is being signed is not
changed; a number that is kept for a draft is never lost unsaid.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from signer_app.outgoing import arranging, numbers
from signer_app.outgoing.grid import Grid
from signer_app.outgoing.inbox_folder import times_of
from signer_app.outgoing.memory import Memory
from signer_app.outgoing.model import Changes, Draft, DraftAttachment, FileRole, PlaceOption
from signer_app.signing.giving_up import let_go
from signer_app.store.store import Transaction, View
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError


def taken(tables: View | Transaction, memory: Memory, draft_id: str) -> Draft:
    """A draft that may be changed; KnownError "out_gone", "out_being_signed"."""
    return _free(tables.drafts.get(draft_id), memory)


def with_file(tables: View | Transaction, memory: Memory, file_id: str) -> Draft:
    """The draft of a file; raises as `taken`."""
    return _free(tables.drafts.with_file(file_id), memory)


def with_attachment(tables: View | Transaction, memory: Memory, attachment_id: str) -> tuple[Draft, DraftAttachment]:
    """The draft of a file that goes along, and that; raises as `taken`."""
    draft = _free(tables.drafts.with_attachment(attachment_id), memory)
    return draft, next(item for item in draft.attachments if item.id == attachment_id)


def _free(draft: Draft | None, memory: Memory) -> Draft:
    if draft is None:
        raise KnownError("out_gone")
    return memory.require_free(draft)


class Changing:
    """Changes the drafts of one workspace."""

    def __init__(self, space: Workspace, memory: Memory, grid: Grid) -> None:
        self._space = space
        self._memory = memory
        self._grid = grid

    # --- one document ----------------------------------------------------------------------------------------------

    def edit(self, changes: Mapping[str, Changes], reason: str | None) -> None:
        """Changes several drafts, all or none."""
        rules = self._grid.rules()

        def write(tx: Transaction) -> None:
            for draft_id, change in changes.items():
                before = taken(tx, self._memory, draft_id)
                after = arranging.changed(before, change, rules)
                self._let_go(tx, before, after, reason)
                tx.drafts.put(after)

        self._space.store.write(write)

    def tick(self, ids: Collection[str], *, ticked: bool) -> None:
        """Ticks or unticks by hand."""
        self._space.store.write(lambda tx: tx.drafts.tick(ids, ticked=ticked, by_hand=True))

    def place(self, file_id: str, option: PlaceOption | None) -> str:
        """Puts the seal or signature of a file elsewhere; the id of its draft."""

        def write(tx: Transaction) -> str:
            draft = with_file(tx, self._memory, file_id)
            files = tuple(
                msgspec.structs.replace(file, place=option) if file.id == file_id else file for file in draft.files
            )
            tx.drafts.put(msgspec.structs.replace(draft, files=files))
            return draft.id

        return self._space.store.write(write)

    def remove(self, ids: Collection[str], reason: str | None) -> None:
        """Takes drafts out, with their copies; what of them lies in the inbox folder stays out."""

        def write(tx: Transaction) -> set[str]:
            found = [draft for draft_id in ids if (draft := tx.drafts.get(draft_id)) is not None]
            drafts = [self._memory.require_free(draft) for draft in found]
            for draft in drafts:
                self._let_go(tx, draft, None, reason)
                self._stays_out(tx, draft)
            blobs = {blob for draft in drafts for blob in draft.blobs}
            tx.drafts.remove([draft.id for draft in drafts])
            tx.batches.skip_pending(blobs, "out_removed")
            return blobs

        self._space.store.discard(self._space.store.write(write))
        self._memory.forget(ids)

    def _stays_out(self, tx: Transaction, draft: Draft) -> None:
        """What still lies in the inbox folder doesn't come by itself again, also after a start."""
        folder = self._space.settings.inbox_folder
        for file in draft.files if folder is not None else ():
            path = Path(file.path)
            times = times_of(path) if path.parent == Path(folder or "").absolute() else None
            if times is not None:
                tx.taken_out.put(file.original or file.blob, times, self._space.now())

    # --- files between documents -----------------------------------------------------------------------------------

    def merge(self, ids: Collection[str], main: str) -> None:
        """Makes one document of several."""

        def write(tx: Transaction) -> None:
            whole = taken(tx, self._memory, main)
            found = [draft.id for draft in tx.drafts.list() if draft.id in ids and draft.id != main]
            others = [taken(tx, self._memory, draft_id) for draft_id in found]
            for draft in others:
                self._let_go(tx, draft, None, None)
            tx.drafts.remove([draft.id for draft in others])
            # In a batch that stopped they wait no more: they are parts of another document now.
            for draft in others:
                tx.batches.skip_draft(draft.id, "out_merged")
            files = [file for draft in others for file in draft.files]
            tx.drafts.put(arranging.joined(whole, files, [item for draft in others for item in draft.attachments]))

        self._space.store.write(write)

    def split(self, file_id: str) -> tuple[str, str]:
        """Makes an appendix a document of its own, right behind the one it was in; the ids of both."""

        def write(tx: Transaction) -> tuple[str, str]:
            draft = with_file(tx, self._memory, file_id)
            rest, apart = arranging.without(draft, file_id)
            main = arranging.as_main(apart, draft.profile)
            own = arranging.new_draft([main], self._space.now(), draft.position, self._grid.rules())
            tx.drafts.put(rest)
            tx.drafts.add(own)
            order = [other.id for other in tx.drafts.list() if other.id != own.id]
            order.insert(order.index(rest.id) + 1, own.id)
            tx.drafts.order(order)
            return rest.id, own.id

        return self._space.store.write(write)

    def set_role(self, file_id: str, role: FileRole) -> str:
        """Makes a file the main one of its document; the id of that."""

        def write(tx: Transaction) -> str:
            draft = with_file(tx, self._memory, file_id)
            main = draft.main.id == file_id
            if main and role is not FileRole.MAIN:
                raise KnownError("out_main_needed", name=draft.main.name)
            if not main and role is FileRole.MAIN:
                moved = arranging.with_main(draft, file_id, self._grid.rules())
                self._let_go(tx, draft, moved, None)
                tx.drafts.put(moved)
            return draft.id

        return self._space.store.write(write)

    def reorder(self, ids: Sequence[str]) -> None:
        """Puts the documents into this order."""
        self._space.store.write(lambda tx: tx.drafts.order(ids))

    def reorder_files(self, draft_id: str, file_ids: Sequence[str]) -> None:
        """Puts the appendices of a document into this order."""

        def write(tx: Transaction) -> None:
            tx.drafts.put(arranging.with_files_in_order(taken(tx, self._memory, draft_id), file_ids))

        self._space.store.write(write)

    def _let_go(self, tx: Transaction, before: Draft, after: Draft | None, reason: str | None) -> None:
        """Gives up what the draft keeps and doesn't want any more; KnownError "out_number_kept" without a reason."""
        kept = tx.reservations.of_owner(numbers.owner_of(before))
        let_go(tx, numbers.dropped(kept, after, self._grid.today(), self._space.settings), reason, self._space.now())
