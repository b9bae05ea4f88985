"""The commands `backup` and `restore`.

Main process. The recovery code is shown on stderr once, and is read from the terminal or one line of stdin; it is never
an argument, for those can be read by others and are remembered by shells.
"""

import argparse
import getpass
import sys
from pathlib import Path

from signer_app.backup.making import Made, make_backup
from signer_app.backup.restoring import RestoreResult, open_backup, restore
from signer_app.backup.setting_up import confirm_code, new_code, place_target, shares_disk
from signer_app.cli.console import Console, ask_person
from signer_app.signing.jobs import UsageError
from signer_app.store.datafolder import DataFolder
from signer_app.store.times import VIETNAM
from signer_app.workspace import Workspace, vietnam_now
from signer_resources.errors import KnownError
from signer_resources.messages import text

_MAX_LINE = 1024


def backup(space: Workspace, args: argparse.Namespace, console: Console) -> int:
    """Makes a backup now; with DIR there from now on. The first time, or with --new-code, a recovery code is made."""
    settings = space.settings.backup
    if args.new_code or settings.recipient is None:
        target = args.dir or (Path(settings.target) if settings.target is not None else None)
        if target is None:
            raise KnownError("backup_not_set")
        _set_up(space, target, console)
    elif args.dir is not None:
        place_target(space, args.dir)
    target = Path(space.settings.backup.target or "")
    with console.progress() as progress:
        made = make_backup(space, lambda done, count: progress("backup_progress", done, count))
    if shares_disk(space, target):
        console.warn(KnownError("backup_same_disk"))
    if not made.pictures:
        console.warn(KnownError("backup_pictures_left"))
    _tell(made, target, console)
    return 1 if made.missing else 0


def _set_up(space: Workspace, target: Path, console: Console) -> None:
    new = new_code()
    console.note("backup_code_shown")
    # On stderr like every question: stdout may hold one JSON document and nothing else.
    sys.stderr.write("\n    " + "   ".join(new.groups[:4]) + "\n    " + "   ".join(new.groups[4:]) + "\n\n")
    sys.stderr.flush()
    confirm_code(space, target, new, ask_person(text("backup_code_typed", console.lang)))


def _tell(made: Made, target: Path, console: Console) -> None:
    if console.as_json:
        console.result(
            {
                "made_at": made.manifest.made_at.isoformat(),
                "target": str(target),
                "documents": made.manifest.documents,
                "files": len(made.manifest.objects),
                "new_files": made.written,
                "new_bytes": made.written_bytes,
                "missing": made.missing,
                "pictures": made.pictures,
            }
        )
        return
    size = f"{made.written_bytes / (1 << 20):.1f}"
    console.say("backup_done", documents=made.manifest.documents, folder=str(target), files=made.written, size=size)
    if made.missing:
        console.say("backup_missing", count=made.missing)


def restore_command(folder: Path, args: argparse.Namespace, console: Console) -> int:
    """Fills the data folder from a backup; 1 where something was not to be had. Opens no workspace."""
    if args.phrase_stdin:
        typed = sys.stdin.readline(_MAX_LINE)
    elif sys.stdin.isatty():
        typed = getpass.getpass(text("restore_code_asked", console.lang))
    else:
        raise UsageError("usage_no_terminal")
    opened = open_backup(args.dir, typed)
    with console.progress() as progress:
        result = restore(
            DataFolder(folder),
            opened,
            vietnam_now,
            keep_old=args.keep_old,
            progress=lambda done, count: progress("restore_progress", done, count),
        )
    _tell_restored(result, console)
    return 1 if result.missing or result.passed_over else 0


def _tell_restored(result: RestoreResult, console: Console) -> None:
    if console.as_json:
        console.result(
            {
                "made_at": result.made_at.isoformat(),
                "documents": result.documents,
                "files": result.files,
                "missing": list(result.missing),
                "passed_over": result.passed_over,
                "held": result.held,
                "undecided": result.undecided,
                "pictures": result.pictures,
                "told": result.told,
                "kept_old": str(result.kept_old) if result.kept_old is not None else None,
            }
        )
        return
    time = result.made_at.astimezone(VIETNAM).strftime("%d/%m/%Y %H:%M")
    console.say("restore_done", documents=result.documents, files=result.files, time=time)
    if result.passed_over:
        console.say("restore_passed_over", count=result.passed_over)
    if result.missing:
        console.say("restore_missing", count=len(result.missing))
    if result.held:
        console.say("restore_held", count=result.held)
    if result.undecided:
        console.say("restore_undecided", count=result.undecided)
    if not result.pictures:
        console.say("restore_pictures_left")
    if not result.told:
        console.say("restore_not_told")
    if result.kept_old is not None:
        console.say("restore_kept_old", folder=str(result.kept_old))
    console.say("restore_next")
