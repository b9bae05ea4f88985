"""Export and import of settings, on disk: what would change is shown first, then all of it or nothing; the former
settings are kept beside.

Main process; an import needs the data folder's lock.
"""

from dataclasses import dataclass
from pathlib import Path

from signer_app.administration.exported import Difference, differences, export_settings, imported, read_exported
from signer_app.administration.locking import require_unlocked
from signer_app.store.durable import disk_errors, write_atomically
from signer_app.store.settings import Settings
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError

_KEPT = 5


@dataclass(frozen=True)
class Import:
    """What a file would change here, and the settings in it."""

    file: Path
    coming: Settings
    differences: tuple[Difference, ...]


def write_settings(space: Workspace, target: Path) -> None:
    """Writes the settings that travel to a new file (0600); KnownError "output_exists", "output_unwritable"."""
    with disk_errors(target.parent, "output_unwritable"):
        try:
            write_atomically(target, export_settings(space.settings), replace=False)
        except FileExistsError as error:
            raise KnownError("output_exists", file=str(target)) from error


def look_at(space: Workspace, file: Path) -> Import:
    """What an import of `file` would change; nothing happens.

    KnownError "settings_import_invalid", "setting_locked".
    """
    before, coming = space.settings, read_exported(file)
    after = imported(before, coming)
    require_unlocked(space.machine, before, after)
    return Import(file, coming, differences(before, after))


def take(space: Workspace, wanted: Import) -> Path | None:
    """Does it; where the former settings lie now, None where there were none.

    KnownError as `Workspace.change_settings`: then nothing has changed.
    """
    settings = space.folder.settings
    kept = settings.with_name(f"settings.before-{space.now():%Y%m%dT%H%M%S}.json")
    with disk_errors(space.folder.path, "data_folder_unwritable"):
        had = settings.exists()
        if had:
            write_atomically(kept, settings.read_bytes())
    try:
        space.change_settings(lambda now: imported(now, wanted.coming))
    except BaseException:
        kept.unlink(missing_ok=True)
        raise
    for old in sorted(space.folder.path.glob("settings.before-*.json"))[:-_KEPT]:
        old.unlink(missing_ok=True)
    return kept if had else None
