"""Opens a file: screened in memory by a worker, and only then copied into the store.

Main process. What carries a mark of secrecy, or what nobody could look at, never becomes a blob; nor does what changed
between the look and the copy. In training, what is copied gets its mark first, so that it is there on every screen and
in every signature.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from signer_app.pdf.model import Screened
from signer_app.store.durable import disk_errors
from signer_app.tasks import MarkTraining, Screen
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError


def screened(space: Workspace, path: Path, name: str) -> Screened:
    """The worker's look at the file, known to the person as `name`; KnownError "secret"."""
    answer = space.workers.screen(Screen(str(path), name)).screened
    if answer.secret or answer.sha256 is None:
        raise KnownError("secret")
    return answer


def keep(space: Workspace, path: Path, name: str, sha256: str) -> str:
    """The blob of a file that was screened as `sha256`; KnownError "input_changed" and as `BlobStore.add_file`."""
    blob = space.store.blobs.add_file(path)
    if blob.sha256 != sha256:
        # It changed between the check and the copy, so the copy was never checked: it must not stay.
        space.store.discard({blob.sha256})
        raise KnownError("input_changed", name=name)
    return blob.sha256


def keep_to_sign(space: Workspace, path: Path, name: str, sha256: str) -> str:
    """As `keep`, for a PDF that is to be signed: in training the blob of its marked copy.

    Also raises as `training_mark.mark`.
    """
    blob = keep(space, path, name, sha256)
    if not space.folder.is_training:
        return blob
    marked = None
    try:
        with as_signed(space, space.store.blobs.path(blob), blob) as (shown, marked):
            if marked != blob:
                space.store.blobs.adopt(shown)
    finally:
        if marked != blob:
            space.store.discard({blob})
    return marked


@contextmanager
def as_signed(space: Workspace, path: Path, sha256: str) -> Iterator[tuple[Path, str]]:
    """The file as it would be signed, and its SHA-256: itself, but in training a copy that carries the mark, which goes
    with the block. KnownError as `training_mark.mark`.
    """
    if not space.folder.is_training:
        yield path, sha256
        return
    folder = space.folder.work
    with disk_errors(folder, "data_folder_unwritable"), tempfile.TemporaryDirectory(dir=folder) as place:
        target = Path(place, "marked.pdf")
        if space.workers.mark_training(MarkTraining(str(path), str(target))).already:
            yield path, sha256
            return
        with target.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
        yield target, digest
