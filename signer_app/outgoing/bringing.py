"""Documents brought in: from files and folders, or once more from what a signed document was signed from.

Main process, on the thread of the caller; the pages are read by workers. Each document is kept as soon as it is whole,
or not at all: it must not go out without its appendix, and nothing stays of one with a secret part.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from signer_app.attachments import opening
from signer_app.outgoing import adding, again, along, arranging
from signer_app.outgoing.examining import Examining
from signer_app.outgoing.grid import Grid
from signer_app.outgoing.grouping import Group, group
from signer_app.outgoing.memory import Memory
from signer_app.outgoing.model import Added, Draft, DraftAttachment, DraftFile, FileRole, Left, Profile
from signer_app.outgoing.outputs import with_outputs
from signer_app.signing.batch import Progress
from signer_app.signing.examine import Examiner
from signer_app.signing.jobs import appendix_profile
from signer_app.store.store import Transaction
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError


class Bringing:
    """Brings documents into one workspace."""

    def __init__(self, space: Workspace, memory: Memory, grid: Grid, examining: Examining) -> None:
        self._space = space
        self._memory = memory
        self._grid = grid
        self._examining = examining

    def add(self, paths: Sequence[Path], profile: Profile, progress: Progress, cancelled: Callable[[], bool]) -> Added:
        """Brings in files and folders, grouped into documents."""
        found = adding.find(paths, cancelled)
        groups, left = group(found.files, found.beside), list(found.left)
        grouped = {path for files in groups for path in files.attachments}
        left += [along.left_alone(path) for path in found.beside if path not in grouped]
        examiner, drafts, done = self._examining.reader(), list[Draft](), 0
        for files in groups:
            if cancelled():
                return Added(tuple(drafts), tuple(left), interrupted=True)
            progress("out_progress_open", done, len(found.files))
            draft, refused = self._add_group(files, examiner, profile)
            left += refused
            if draft is not None:
                drafts.append(draft)
            done += len(files.files)
        progress("out_progress_open", done, len(found.files))
        return Added(tuple(drafts), tuple(left), interrupted=not groups and cancelled())

    def again(self, document_id: str) -> Draft:
        """A draft of what a document was signed from; the one that waits already where there is one."""
        with self._space.store.view() as view:
            signed, waiting = again.read_signed(view, document_id), view.drafts.replacing(document_id)
        if waiting is not None:
            return waiting
        draft = again.draft_again(self._space, self._examining.reader(), signed)

        def write(tx: Transaction) -> Draft:
            tx.replacing.require_replaceable(document_id)
            today = self._grid.today()
            placed = msgspec.structs.replace(
                draft,
                position=tx.drafts.next_position(),
                files=with_outputs(tx, draft.files, today),
                attachments=with_outputs(tx, draft.attachments, today),
            )
            tx.drafts.add(placed)
            return placed

        return self._space.store.write(write)

    def _add_group(self, files: Group, examiner: Examiner, profile: Profile) -> tuple[Draft | None, list[Left]]:
        """All files are looked at before the first is copied: nothing stays of a document with a secret part."""
        seen: dict[Path, str] = {}
        beside: list[opening.Seen] = []
        faults: dict[Path, KnownError] = {}
        for path in files.files:
            try:
                seen[path] = adding.look(self._space, examiner, path)
            except KnownError as error:
                faults[path] = error
        for path in files.attachments:
            try:
                beside.append(opening.look(self._space, path))
            except KnownError as error:
                faults[path] = error
        left = [Left(path.name, error) for path, error in faults.items()]
        looked_at = [*seen, *(one.path for one in beside)]
        if not all(isinstance(error, adding.AlreadyHereError) for error in faults.values()):
            return None, [*left, *(Left(path.name, KnownError("out_part_left")) for path in looked_at)]
        opened: list[DraftFile] = []
        attached: list[DraftAttachment] = []
        try:
            for path, sha256 in seen.items():
                main = path == files.main
                role, how = (FileRole.MAIN, profile) if main else (FileRole.APPENDIX, appendix_profile(profile))
                opened.append(adding.take(self._space, examiner, path, sha256, role, how))
            attached += [along.take(self._space, one) for one in beside]
            return self._keep(opened, attached, faults.get(files.main)), left
        except BaseException as error:
            self._space.store.discard(_blobs(opened, attached))
            if not isinstance(error, KnownError):
                raise
            return None, [*left, *(Left(path.name, error) for path in looked_at)]

    def _keep(
        self, opened: Sequence[DraftFile], attached: Sequence[DraftAttachment], main_known: KnownError | None
    ) -> Draft | None:
        """Writes the draft; what comes with a main file that is in a draft already joins that one."""

        def write(tx: Transaction) -> Draft | None:
            for blob in _blobs(opened, attached):
                # Another thread may have thrown the very same bytes away meanwhile, when no row named them.
                self._space.store.blobs.size(blob)
            today = self._grid.today()
            files, beside = with_outputs(tx, opened, today), with_outputs(tx, attached, today)
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
            tx.drafts.add(draft)
            return draft

        return self._space.store.write(write)


def _blobs(files: Iterable[DraftFile], attachments: Iterable[DraftAttachment]) -> set[str]:
    return {file.blob for file in files} | {item.blob for item in attachments}
