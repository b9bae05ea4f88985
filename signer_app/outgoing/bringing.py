"""Documents brought in: from files and folders, or once more from what a signed document was signed from.

Main process; several threads look and copy, the caller's writes down. Each document is kept as soon as it is whole, or
not at all: it must not go out without its appendix, and nothing stays of one with a secret part.
"""

from collections.abc import Callable, Mapping, Sequence
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
from signer_app.signing.side_by_side import side_by_side
from signer_app.store.receivers import PaperReason
from signer_app.store.store import Transaction
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError

F = TypeVar("F", DraftFile, DraftAttachment)
_SAID = frozenset({PaperReason.LAW, PaperReason.CHOSEN})


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


@dataclass
class _Opened:
    """A group that was looked at, and copied where nothing speaks against it. `error` is why all of it is left out."""

    group: Group
    seen: dict[Path, str] = field(default_factory=dict)
    beside: list[opening.Seen] = field(default_factory=list)
    faults: dict[Path, KnownError] = field(default_factory=dict)
    files: list[DraftFile] = field(default_factory=list)
    attached: list[DraftAttachment] = field(default_factory=list)
    error: KnownError | None = None
    again: bool = False

    @property
    def blobs(self) -> set[str]:
        """Its copies."""
        return {file.blob for file in self.files} | {item.blob for item in self.attached}


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
        progress("out_progress_open", done, len(found.files))
        for files, opened in side_by_side(groups, lambda files: self._open(files, run), cancelled):
            self._settle(opened, run)
            done += len(files.files)
            progress("out_progress_open", done, len(found.files))
        return run.added(interrupted=cancelled() and (not groups or done < len(found.files)))

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
            # What the clerk said of this document's paper holds for it signed again; the rest is looked up anew.
            said = [one for one in tx.receivers.paper(document_id) if one.reason in _SAID and one.done_at is None]
            tx.receivers.put_paper(placed.id, said, self._space.now())
            return placed

        return self._space.store.write(write)

    def _open(self, files: Group, run: _Run) -> _Opened:
        """Looks at a group and copies it, several of them at once; nothing is written down yet. All files are looked at
        before the first is copied: nothing stays of a document with a secret part.
        """
        made = _Opened(files)
        for path in files.files:
            try:
                made.seen[path] = adding.look(self._space, run.examiner, path)
            except KnownError as error:
                made.faults[path] = error
        for path in files.attachments:
            try:
                made.beside.append(opening.look(self._space, path))
            except KnownError as error:
                made.faults[path] = error
        if not all(isinstance(error, adding.AlreadyHereError) for error in made.faults.values()):
            made.error = KnownError("out_part_left")
            return made
        try:
            for path, sha256 in made.seen.items():
                main = path == files.main
                role, how = (FileRole.MAIN, run.profile) if main else (FileRole.APPENDIX, appendix_profile(run.profile))
                made.files.append(run.placed(path, adding.take(self._space, run.examiner, path, sha256, role, how)))
            made.attached += [run.placed(one.path, along.take(self._space, one)) for one in made.beside]
        except BaseException as error:
            self._space.store.discard(made.blobs)
            if not isinstance(error, KnownError):
                raise
            made.error = error
        return made

    def _settle(self, made: _Opened, run: _Run) -> None:
        """Writes down what was opened, in the order of the files."""
        draft = None
        if made.error is None:
            try:
                draft = self._keep(made.files, made.attached, made.faults.get(made.group.main), run)
            except BaseException as error:
                self._space.store.discard(made.blobs)
                if not isinstance(error, KnownError):
                    raise
                if error.code == "out_already_here" and not made.again:
                    # The very same file was opened beside it: now that it is in a draft, the look says so.
                    again = self._open(made.group, run)
                    again.again = True
                    self._settle(again, run)
                    return
                made.error = error
        run.left += [Left(path.name, error) for path, error in made.faults.items()]
        if made.error is not None:
            run.left += [Left(path.name, made.error) for path in (*made.seen, *(one.path for one in made.beside))]
        if draft is not None:
            run.drafts.append(draft)
            known = (adding.signed_before(self._space, file.name, file.blob) for file in made.files)
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
            for blob in {file.blob for file in opened} | {item.blob for item in attached}:
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
