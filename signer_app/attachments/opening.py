"""Opens an attachment: looked into by a worker, and only then copied into the store; looked into again at the seams.

Main process, on the thread of the caller. What carries a mark of secrecy, holds a program or can't be read as what its
name says never becomes a blob.
"""

from dataclasses import dataclass
from pathlib import Path

from signer_app.attachments.kinds import kind_of
from signer_app.attachments.model import LookedInto
from signer_app.signing.opening import keep
from signer_app.tasks import LookInto
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.secrecy import name_is_secret


@dataclass(frozen=True)
class Seen:
    """A file that may go along, as it was looked at; nothing of it is kept yet."""

    path: Path
    sha256: str
    size: int
    words: bool
    """Whether its words could be read; else only its name was looked at."""


def look(space: Workspace, path: Path) -> Seen:
    """Looks into a file where it lies; KnownError "secret", and the "attachment_…" of `look_into`."""
    # A name alone may be enough to refuse it; then nobody need read it.
    if name_is_secret(path.name):
        raise KnownError("secret")
    kind_of(path.name)
    found = _looked_into(space, path, path.name)
    assert found.sha256 is not None
    return Seen(path, found.sha256, found.size, found.words)


def take(space: Workspace, seen: Seen) -> str:
    """The blob of a file that was looked at; KnownError "input_changed" and as `BlobStore.add_file`."""
    return keep(space, seen.path, seen.path.name, seen.sha256)


def look_again(space: Workspace, blob: str, name: str) -> LookedInto:
    """A look into a copy, before a document is kept or queued; KnownError "secret" and as `look`."""
    return _looked_into(space, space.store.blobs.path(blob), name)


def _looked_into(space: Workspace, path: Path, name: str) -> LookedInto:
    found = space.workers.look_into(LookInto(str(path), name)).found
    if found.secret or found.sha256 is None:
        raise KnownError("secret")
    return found
