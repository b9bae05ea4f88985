"""The connection over which long lists are read, so that no signing waits for a reader.

Main process, any thread.
"""

import threading

from signer_app.store.store import StoreReader
from signer_app.workspace import Workspace

_turn = threading.Lock()


def reading(space: Workspace) -> StoreReader:
    """The workspace's reader; the writer is opened before it, for that makes and migrates the database."""
    with _turn:
        _ = space.store
        return space.reader
