"""Setting backups up: the recovery code is made, shown once, typed back, and forgotten; what stays can only write.

Main process. The code lives in a `NewCode` between the two steps and nowhere else: not in the settings, a log or a
file.
"""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from signer_app.backup.phrase import RecoveryCode
from signer_app.backup.sealing import SealKeys, require_recipient
from signer_app.backup.target import BackupSet, target_errors
from signer_app.store.backup_settings import BackupSettings
from signer_app.store.settings import Settings
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.ids import uuid7
from signer_sync.keystore import FileKeyStore

_PROBE_BYTES = 4096


@dataclass(frozen=True)
class NewCode:
    """A code that was made and is not in force yet; `groups` are what the person writes down."""

    _code: RecoveryCode = field(repr=False)

    @property
    def groups(self) -> tuple[str, ...]:
        """Eight groups of six digits."""
        return self._code.groups


def new_code() -> NewCode:
    """A new recovery code. With the one before, if there was any, the backups made so far stay readable."""
    return NewCode(RecoveryCode.make())


def confirm_code(space: Workspace, target: Path, new: NewCode, typed: str) -> None:
    """Puts the code in force that the person has typed back from the paper, with `target` for the backups.

    Raises KnownError: recovery_code_length, recovery_code_group, "recovery_code_other" for another code than the one
    shown, and as `place_target`.
    """
    if not RecoveryCode.parse(typed).is_same(new._code):
        raise KnownError("recovery_code_other")
    adopt_code(space, target, new._code)


def adopt_code(space: Workspace, target: Path, code: RecoveryCode) -> None:
    """Puts a code in force that a person has, as after a restore; raises as `place_target`."""
    place = _usable(space, target)
    keys = SealKeys(code.recipient(), code.seal_key())
    BackupSet(place, keys).set_up()
    key = uuid7()
    # In a file even where there is a keyring: it opens nothing, and a backup at night must not wait for a keyring that
    # asks. Whoever reads this folder has the database itself.
    FileKeyStore(space.folder.path / "keys").save(key, keys.vouch)
    machine = space.settings.backup.machine or uuid7()
    _change(space, target=str(place), recipient=keys.recipient, key=key, machine=machine)


def place_target(space: Workspace, target: Path) -> None:
    """From now on backups go there, under the same code.

    Raises KnownError: "backup_not_set" before there is a code, "backup_target_inside" for a place in the data folder,
    backup_target_away, backup_target_readonly, backup_target_full.
    """
    keys = seal_keys(space)
    place = _usable(space, target)
    BackupSet(place, keys).set_up()
    _change(space, target=str(place))


def try_place(space: Workspace, target: Path) -> None:
    """Looks whether backups could be written there, before a person writes a code down for it; leaves nothing there.

    Raises as `place_target`, save "backup_not_set".
    """
    place = _usable(space, target)
    with target_errors(place), tempfile.NamedTemporaryFile(dir=place, prefix=".signer-") as probe:
        probe.write(b"\0" * _PROBE_BYTES)
        probe.flush()


def seal_keys(space: Workspace) -> SealKeys:
    """What this machine writes backups with; KnownError "backup_not_set", "backup_key_missing"."""
    settings = space.settings.backup
    if settings.recipient is None or settings.key is None:
        raise KnownError("backup_not_set")
    require_recipient(settings.recipient)
    vouch = FileKeyStore(space.folder.path / "keys").load(settings.key)
    if vouch is None:
        raise KnownError("backup_key_missing")
    return SealKeys(settings.recipient, vouch)


def shares_disk(space: Workspace, target: Path) -> bool:
    """Whether a place lies on the disk that the data lies on, with which it would be lost; False where that can't be
    told.
    """
    try:
        return target.stat().st_dev == space.folder.path.stat().st_dev
    except OSError:
        return False


def _usable(space: Workspace, target: Path) -> Path:
    place = target.expanduser().absolute()
    if place.resolve().is_relative_to(space.folder.path.resolve()):
        raise KnownError("backup_target_inside", folder=str(place))
    return place


def _change(space: Workspace, **changes: str) -> None:
    def change(now: Settings) -> Settings:
        backup: BackupSettings = msgspec.structs.replace(now.backup, **changes)
        return msgspec.structs.replace(now, backup=backup)

    space.change_settings(change)
