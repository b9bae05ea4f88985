"""Ends training: the folder goes, and with it everything that was made in it.

Main process. Takes the folder's lock first, so nobody works in it meanwhile; never touches a folder that is not one of
training.
"""

import shutil
from pathlib import Path

from signer_app.store import DataFolder
from signer_app.store.durable import disk_errors, fsync_folder
from signer_resources.errors import KnownError


def remove_training(path: Path) -> None:
    """Deletes the training folder `path`; KnownError "training_not_there", "busy", "data_folder_unwritable"."""
    folder = DataFolder(path)
    if path.is_symlink() or not folder.is_training:
        raise KnownError("training_not_there", folder=str(path))
    with disk_errors(path, "data_folder_unwritable"):
        with folder.lock():
            for entry in path.iterdir():
                # The mark goes last: what a cut leaves is still known for what it is.
                if entry.name not in (folder.training.name, "lock"):
                    _remove(entry)
        # Windows deletes no file that is open, as the lock's was.
        folder.training.unlink()
        shutil.rmtree(path)
        fsync_folder(path.parent)


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()
