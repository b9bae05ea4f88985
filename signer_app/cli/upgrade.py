"""The command `upgrade`: timestamps and validation data for files that are signed already.

Main process, under the data folder's lock. Asks for no PIN and needs no token; the files that are named stay as they
are.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from signer_app.cli.console import Console, message_of
from signer_app.desk.verifying import files_of, is_file, is_folder
from signer_app.levels.files import Upgrade, Upgraded, UpgradeResult, is_raised_name
from signer_app.signing.jobs import UsageError
from signer_app.store.model import FileState
from signer_app.verification.model import Level
from signer_app.workspace import Workspace
from signer_resources.messages import Lang


def upgrade(space: Workspace, args: argparse.Namespace, console: Console) -> int:
    """Raises each file; exit 0 only when all are at the level."""
    files = _files(args.files)
    with console.progress() as progress:
        result = Upgrade(space, Level(args.level), args.out).run(files, progress)
    if console.as_json:
        console.result(_shape(result, console.lang))
    else:
        _tell(result, console)
    return 0 if all(one.error is None and one.state in _REACHED for one in result.files) else 1


_REACHED = (FileState.SIGNED, FileState.SKIPPED)


def _files(named: Sequence[Path]) -> tuple[Path, ...]:
    """Those named; of a folder every PDF but those that are results of this command."""
    for source in named:
        if not (is_folder(source) or is_file(source)):
            raise UsageError("usage_missing_input", name=str(source))
    given = {source for source in named if is_file(source)}
    return tuple(file for file in files_of(named) if file in given or not is_raised_name(file))


def _shape(result: UpgradeResult, lang: Lang) -> dict[str, object]:
    return {
        "batch": None,
        "stopped": message_of(result.stopped, lang) if result.stopped is not None else None,
        "documents": [
            {
                "input": str(one.input),
                "output": str(one.output) if one.output is not None else None,
                "state": one.state.value,
                "code": one.error.code if one.error is not None else None,
                "message": str(one.error.explain(lang)) if one.error is not None else "",
                "level": one.level.value if one.level is not None else None,
                "sha256_in": one.sha256_in,
                "sha256_out": one.sha256_out,
                "seconds": one.seconds,
            }
            for one in result.files
        ],
    }


def _tell(result: UpgradeResult, console: Console) -> None:
    raised = [one for one in result.files if one.state is FileState.SIGNED and one.error is None]
    there = [one for one in result.files if one.state is FileState.SKIPPED]
    console.say("upgrade_done", count=len(raised), there=len(there), rest=len(result.files) - len(raised) - len(there))
    for one in result.files:
        _tell_one(one, console)
    if result.stopped is not None:
        console.warn(result.stopped)


def _tell_one(one: Upgraded, console: Console) -> None:
    if one.output is not None and one.level is not None:
        console.say("upgrade_line", name=one.input.name, output=one.output, level=one.level.upper())
    if one.error is not None:
        console.say("upgrade_reason", name=one.input.name, message=str(one.error.explain(console.lang)))
