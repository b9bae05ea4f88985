"""The command `update`: looks for a newer release, brings it, and starts its installer when the command has ended.

Main process, under the data folder's lock: with a window open it says `busy`, since nothing is replaced beside one.
"""

import argparse

from signer_app.cli.console import Console
from signer_app.desk.updating import Started, UpdateStage, UpdateState, Updating
from signer_app.store.times import VIETNAM
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError


def update(space: Workspace, args: argparse.Namespace, console: Console, updating: Updating | None = None) -> int:
    """Looks, and without `--check` brings and starts; `--back` starts the version before. 1 where the system is too old
    for the newest release.
    """
    desk = updating or Updating(space)
    if args.back:
        state, started = desk.state(), desk.start(back=True, again=False)
    elif args.check:
        state, started = desk.check(args.source), None
    else:
        with console.progress() as progress:
            state = desk.download(args.source, lambda done, size: progress("update_progress", done >> 20, size >> 20))
        started = desk.start(again=False) if state.stage is UpdateStage.READY else None
    if console.as_json:
        console.result(_as_json(state, started))
    else:
        _say(state, started, console)
    return 1 if state.stage is UpdateStage.UNFIT else 0


def _as_json(state: UpdateState, started: Started | None) -> dict[str, object]:
    release = state.release
    return {
        "installed": state.installed,
        "kind": state.kind.value,
        "stage": state.stage.value,
        "source": state.source,
        "release": release
        and {
            "version": release.version,
            "platform": release.platform,
            "minimum_os": release.minimum_os,
            "released": release.released.isoformat() if release.released is not None else None,
            "notes_vi": release.notes_vi,
            "notes_en": release.notes_en,
        },
        "size": state.size,
        "previous": state.previous,
        "minimum": state.minimum,
        "below_minimum": state.below_minimum,
        "checked_at": state.checked_at.isoformat() if state.checked_at is not None else None,
        "started": started and {"version": started.version, "waits": started.waits, "typed": started.typed or None},
    }


def _say(state: UpdateState, started: Started | None, console: Console) -> None:
    console.say("update_installed", version=state.installed)
    if state.below_minimum:
        console.say("update_below", minimum=state.minimum)
    release = state.release
    if started is None and state.checked_at is not None:
        time = state.checked_at.astimezone(VIETNAM).strftime("%d/%m/%Y %H:%M")
        if state.stage is UpdateStage.CURRENT:
            console.say("update_current", time=time)
    if release is not None and (started is None or started.version == release.version):
        size = f"{state.size / (1 << 20):.1f}"
        if state.stage is UpdateStage.UNFIT:
            needed = release.minimum_os or ""
            console.warn(KnownError("update_system_too_old", version=release.version, needed=needed))
        else:
            console.say("update_offered", version=release.version, size=size)
        for line in release.notes(console.lang).splitlines():
            console.say("update_note", line=line)
    if started is not None and started.waits:
        console.say("update_starts", version=started.version)
    elif started is not None:
        console.say("update_typed", version=started.version, command=started.typed)
