"""Opens a file: screened in memory by a worker, and only then copied into the store.

Main process. What carries a mark of secrecy, or what nobody could look at, never becomes a blob; nor does what changed
between the look and the copy.
"""

from pathlib import Path

from signer_app.pdf.model import Screened
from signer_app.tasks import Screen
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
