"""The light for backups: whether there is one, how old it is, whether another machine has taken over.

Main process, any thread; reads the database and the settings, and looks at no other disk: a share that is away may let
one wait for a minute.
"""

from signer_app.desk.check_values import Check, CheckName, CheckState
from signer_app.store.times import VIETNAM
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError


def backup_check(space: Workspace) -> Check:
    """The light: whether there is a backup, how old it is, whether another machine has taken over."""
    settings = space.settings
    if settings.softhsm2_conf and not settings.backup.is_set:
        return Check(CheckName.BACKUP, CheckState.NOT_CHECKED, "ut_backup_demo")
    if not settings.backup.is_set:
        return Check(CheckName.BACKUP, CheckState.WARN, "ut_backup_none", error=KnownError("machine_backup_unset"))
    try:
        with (space.store if space.folder.locked else space.reader).view() as view:
            made, run = view.restored.last_made(), view.restored.last_run()
    except KnownError:
        # A database that can't be read has a light of its own.
        return Check(CheckName.BACKUP, CheckState.NOT_CHECKED, "ut_backup_none")
    failed = run.error if run is not None else None
    if made is None:
        error = failed or KnownError("machine_backup_never")
        return Check(CheckName.BACKUP, CheckState.WARN, "ut_backup_none", error=error)
    now = space.now()
    params = {"time": made.at.astimezone(VIETNAM).strftime("%d/%m/%Y %H:%M")}
    if failed is not None and failed.code == "backup_restored_elsewhere":
        return Check(CheckName.BACKUP, CheckState.BAD, "ut_backup_bad", params, failed)
    age = (now - made.at).days
    if age >= settings.backup.warn_after_days:
        old = KnownError("machine_backup_old", days=age)
        return Check(CheckName.BACKUP, CheckState.WARN, "ut_backup_bad", params, old, (failed,) if failed else ())
    if made.missing:
        incomplete = KnownError("machine_backup_incomplete", missing=made.missing)
        return Check(CheckName.BACKUP, CheckState.WARN, "ut_backup_good", params, incomplete)
    return Check(CheckName.BACKUP, CheckState.GOOD, "ut_backup_good", params)
