"""Documents that come by themselves: what is dropped into the folder of the settings becomes a draft, nothing ticked.

Main process, any thread, one look at a time; polls, and has no thread of its own. A look that finds nothing new costs
one listing of the folder. What is in a draft, was signed, or was taken out of the list by a person is left alone, also
after a restart; the last comes again once it is written to or dropped anew.
"""

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from signer_app.outgoing.grouping import Group
from signer_app.outgoing.inbox_folder import MOST_FILES, Watch, times_of
from signer_app.outgoing.model import Draft, Left, Note
from signer_app.outgoing.outgoing import Outgoing
from signer_app.signing.batch import never
from signer_app.store.durable import reachable
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError

_FOR_NOW = frozenset({"file_unreadable", "input_unreadable", "input_changed", "disk_full"})
"""What may be otherwise after a while: another program has the file open, say. Told once all the same."""
_WHILE_S = 60.0


@dataclass(frozen=True)
class InboxLook:
    """What one look brought: new or changed drafts, what was not taken and why, and what is wrong with the folder; each
    is told once.
    """

    added: tuple[Draft, ...] = ()
    refused: tuple[Left, ...] = ()
    fault: KnownError | None = None
    notes: tuple[Note, ...] = ()


class InboxFolder:
    """The folder of one workspace's settings."""

    def __init__(self, space: Workspace, outgoing: Outgoing, clock: Callable[[], float] = time.monotonic) -> None:
        self._space = space
        self._outgoing = outgoing
        self._clock = clock
        self._turn = threading.Lock()
        self._watch: Watch | None = None
        self._told: str | None = None
        """What is wrong with the folder, as it was told."""
        self._waiting: set[tuple[Path, str]] = set()
        """Files that could not be taken for now, and why: that was told."""

    def look(self, cancelled: Callable[[], bool] = never) -> InboxLook:
        """Brings in what is finished since the last look; each document whole or not at all."""
        with self._turn:
            watch = self._watched()
            if watch is None:
                return InboxLook()
            try:
                ready = watch.look(self._clock())
            except KnownError as error:
                return InboxLook(fault=self._once(error))
            crowded = KnownError("inbox_folder_crowded", folder=str(watch.folder), most=MOST_FILES)
            fault = self._once(crowded if watch.crowded else None)
            return replace(self._bring(watch, ready, cancelled), fault=fault)

    def _once(self, error: KnownError | None) -> KnownError | None:
        """What is wrong with the folder, if that was not told already."""
        code = error.code if error is not None else None
        told, self._told = self._told, code
        return error if code != told else None

    def _watched(self) -> Watch | None:
        """The watch over the folder that is set now; secret files stay known when it changes."""
        wanted = self._space.settings.inbox_folder
        if wanted is None:
            return None
        folder = Path(wanted).absolute()
        if self._watch is None or self._watch.folder != folder:
            self._watch = Watch(folder, secret=self._watch.secret if self._watch is not None else set())
            self._told = None
        return self._watch

    def _bring(self, watch: Watch, ready: list[Group], cancelled: Callable[[], bool]) -> InboxLook:
        added: list[Draft] = []
        refused: list[Left] = []
        notes: list[Note] = []
        for at, files in enumerate(ready):
            if cancelled():
                for rest in ready[at:]:
                    watch.again(rest, self._clock())
                break
            if watch.has_secret(files):
                refused += [Left(path.name, KnownError("out_part_left")) for path in files.files]
                continue
            if self._is_known(files):
                continue
            result = self._outgoing.add(files.files, cancelled=cancelled, by_hand=True)
            added += result.drafts
            notes += result.notes
            refused += self._refused(watch, files, result.left)
            if result.interrupted:
                watch.again(files, self._clock())
        return InboxLook(tuple(added), tuple(refused), notes=tuple(notes))

    def _refused(self, watch: Watch, files: Group, left: tuple[Left, ...]) -> list[Left]:
        """What is to be told of files that were not taken; what they come back for is remembered."""
        paths = {path.name: path for path in files.files}
        for one in left:
            if one.error.code == "secret":
                watch.found_secret(paths[one.name])
        if not any(one.error.code in _FOR_NOW for one in left):
            return [one for one in left if one.error.code != "out_already_here"]
        watch.again(files, self._clock() + _WHILE_S)
        new = [one for one in left if (paths[one.name], one.error.code) not in self._waiting]
        self._waiting |= {(paths[one.name], one.error.code) for one in new}
        return new

    def _is_known(self, files: Group) -> bool:
        """Whether each file of the document is in a draft, was signed, or was taken out by a person: in an earlier run
        of the program, say.
        """
        found = [(_sha256(path), times_of(path)) for path in files.files]
        with self._space.store.view() as view:
            return all(
                sha256 is not None
                and (
                    view.drafts.with_blob(sha256) is not None
                    or view.documents.signed_of(sha256) is not None
                    or (times is not None and view.taken_out.has(sha256, times))
                )
                for sha256, times in found
            )


def _sha256(path: Path) -> str | None:
    try:
        with reachable(path).open("rb") as reader:
            return hashlib.file_digest(reader, "sha256").hexdigest()
    except OSError:
        return None
