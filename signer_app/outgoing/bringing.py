"""Documents brought in: from files and folders, or once more from what a signed document was signed from.

Main process, on the thread of the caller; the pages are read by workers. Each document is kept as soon as it is whole,
or not at all: it must not go out without its appendix, and nothing stays of one with a secret part.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from signer_app.attachments import opening
from signer_app.outgoing import adding, again, along, arranging
from signer_app.outgoing.examining import Examining
from signer_app.outgoing.grid import Grid
from signer_app.outgoing.grouping import Group, group
from signer_app.outgoing.memory import Memory
from signer_app.outgoing.model import Added, Draft, DraftAttachment, DraftFile, FileRole, Left, Note, Profile
from signer_app.outgoing.outputs import Place, Taken, with_outputs
from signer_app.signing.batch import Progress
from signer_app.signing.examine import Examiner
from signer_app.signing.jobs import appendix_profile
from signer_app.store.store import Transaction
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError

F = TypeVar("F", DraftFile, DraftAttachment)


@dataclass
class _Run:
    """One bringing-in. `roots` are the folders that were brought in whole, by the files in them; `taken` the places of
    copies, read once for all of it; `by_hand`: whether the clerk alone ticks what comes.
    """

    examiner: Examiner
    profile: Profile
    roots: Mapping[Path, Path]
    by_hand: bool
    taken: Taken | None = None
    drafts: list[Draft] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def placed(self, path: Path, item: F) -> F:
        """The item, knowing with which folder it came."""
        root = self.roots.get(path)
        return msgspec.structs.replace(item, root=str(root)) if root is not None else item

    def added(self, *, interrupted: bool = False) -> Added:
        """What became of all of it."""
        return Added(tuple(self.drafts), tuple(self.left), interrupted, tuple(self.notes))


class Bringing:
    """Brings documents into one workspace."""

    def __init__(self, space: Workspace, memory: Memory, grid: Grid, examining: Examining) -> None:
        self._space = space
        self._memory = memory
        self._grid = grid
        self._examining = examining

    def add(
        self,
        paths: Sequence[Path],
        profile: Profile,
        progress: Progress,
        cancelled: Callable[[], bool],
        *,
        by_hand: bool = False,
    ) -> Added:
        """Brings in files and folders, grouped into documents; `by_hand`: only a person ever ticks them."""
        found = adding.find(paths, cancelled, without=Place.of(self._space).chosen)
        groups, done = group(found.files, found.beside), 0
        run = _Run(self._examining.reader(), profile, found.roots, by_hand, left=list(found.left))
        grouped = {path for files in groups for path in files.attachments}
        run.left += [along.left_alone(path) for path in found.beside if path not in grouped]
        for files in groups:
            if cancelled():
                return run.added(interrupted=True)
            progress("out_progress_open", done, len(found.files))
            self._add_group(files, run)
            done += len(files.files)
        progress("out_progress_open", done, len(found.files))
        return run.added(interrupted=not groups and cancelled())

    def again(self, document_id: str) -> Draft:
        """A draft of what a document was signed from; the one that waits already where there is one."""
        with self._space.store.view() as view:
            signed, waiting = again.read_signed(view, document_id), view.drafts.replacing(document_id)
        if waiting is not None:
            return waiting
        draft = again.draft_again(self._space, self._examining.reader(), signed)

        def write(tx: Transaction) -> Draft:
            tx.replacing.require_replaceable(document_id)
            place, outputs = Place.of(self._space), Taken.of(tx)
            placed = msgspec.structs.replace(
                draft,
                position=tx.drafts.next_position(),
                files=with_outputs(tx, draft.files, place, outputs),
                attachments=with_outputs(tx, draft.attachments, place, outputs),
            )
            tx.drafts.add(placed)
            return placed

        return self._space.store.write(write)

    def _add_group(self, files: Group, run: _Run) -> None:
        """All files are looked at before the first is copied: nothing stays of a document with a secret part."""
        seen: dict[Path, str] = {}
        beside: list[opening.Seen] = []
        faults: dict[Path, KnownError] = {}
        for path in files.files:
            try:
                seen[path] = adding.look(self._space, run.examiner, path)
            except KnownError as error:
                faults[path] = error
        for path in files.attachments:
            try:
                beside.append(opening.look(self._space, path))
            except KnownError as error:
                faults[path] = error
        run.left += [Left(path.name, error) for path, error in faults.items()]
        looked_at = [*seen, *(one.path for one in beside)]
        if not all(isinstance(error, adding.AlreadyHereError) for error in faults.values()):
            run.left += [Left(path.name, KnownError("out_part_left")) for path in looked_at]
            return
        opened: list[DraftFile] = []
        attached: list[DraftAttachment] = []
        try:
            for path, sha256 in seen.items():
                main = path == files.main
                role, how = (FileRole.MAIN, run.profile) if main else (FileRole.APPENDIX, appendix_profile(run.profile))
                opened.append(run.placed(path, adding.take(self._space, run.examiner, path, sha256, role, how)))
            attached += [run.placed(one.path, along.take(self._space, one)) for one in beside]
            draft = self._keep(opened, attached, faults.get(files.main), run)
        except BaseException as error:
            self._space.store.discard(_blobs(opened, attached))
            if not isinstance(error, KnownError):
                raise
            run.left += [Left(path.name, error) for path in looked_at]
            return
        if draft is not None:
            run.drafts.append(draft)
            known = (adding.signed_before(self._space, file.name, file.blob) for file in opened)
            run.notes += [note for note in known if note is not None]

    def _keep(
        self,
        opened: Sequence[DraftFile],
        attached: Sequence[DraftAttachment],
        main_known: KnownError | None,
        run: _Run,
    ) -> Draft | None:
        """Writes the draft; what comes with a main file that is in a draft already joins that one."""
        place = Place.of(self._space)

        def write(tx: Transaction) -> Draft | None:
            for blob in _blobs(opened, attached):
                # Another thread may have thrown the very same bytes away meanwhile, when no row named them.
                self._space.store.blobs.size(blob)
            run.taken = run.taken or Taken.of(tx)
            files = with_outputs(tx, opened, place, run.taken)
            beside = with_outputs(tx, attached, place, run.taken)
            if isinstance(main_known, adding.AlreadyHereError):
                host = tx.drafts.with_blob(main_known.blob)
                if host is not None:
                    whole = arranging.joined(self._memory.require_free(host), files, beside)
                    if whole == host:
                        return None
                    tx.drafts.put(whole)
                    return whole
            if not files:
                return None
            draft = arranging.new_draft(files, self._space.now(), tx.drafts.next_position(), self._grid.rules(), beside)
            draft = msgspec.structs.replace(draft, ticked_by_hand=run.by_hand)
            tx.drafts.add(draft)
            return draft

        return self._space.store.write(write)


def _blobs(files: Iterable[DraftFile], attachments: Iterable[DraftAttachment]) -> set[str]:
    return {file.blob for file in files} | {item.blob for item in attachments}
