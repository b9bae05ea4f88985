"""`signer events`, `settings`, `setup`, `support-code`: for an administrator, by hand or by a script.

Main process. `events` and `settings export` read beside a window; `settings import` and `setup` take the lock.
"""

import argparse

from signer_app.administration.enrolment import set_up
from signer_app.administration.events import parse_since, write_events
from signer_app.administration.exported import Difference
from signer_app.administration.transfer import look_at, take, write_settings
from signer_app.cli.console import Console, ask_person
from signer_app.desk.support import read_support_code
from signer_app.signing.jobs import UsageError
from signer_app.workspace import Workspace
from signer_resources.messages import text


def events(space: Workspace, args: argparse.Namespace, console: Console) -> int:
    """JSON lines into a new file, or onto stdout."""
    try:
        since = parse_since(args.since) if args.since else None
    except ValueError as error:
        raise UsageError("usage_since", text=args.since) from error
    if args.out is not None:
        done = write_events(space, since, args.out)
        if console.as_json:
            console.result({"out": str(args.out), "count": done.count, "first": done.first, "last": done.last})
        else:
            console.say("events_done", count=done.count, file=args.out)
        return 0
    with space.reader.view() as view:
        if console.as_json:
            console.result_with({}, "events", view.events.since(since))
        else:
            for event in view.events.since(since):
                console.line(event)
    return 0


def settings(space: Workspace, args: argparse.Namespace, console: Console) -> int:
    """Export, or import: what would change is told, then asked for unless --yes."""
    if args.action == "export":
        write_settings(space, args.file)
        if console.as_json:
            console.result({"file": str(args.file), "changes": [], "taken": False, "kept": None})
        else:
            console.say("settings_exported", file=args.file)
        return 0
    wanted = look_at(space, args.file)
    _say_changes(wanted.differences, console)
    taken, kept = False, None
    if wanted.differences and (args.yes or _agreed(console)):
        taken, kept = True, take(space, wanted)
    if console.as_json:
        console.result(
            {
                "file": str(args.file),
                "changes": [_as_json(one) for one in wanted.differences],
                "taken": taken,
                "kept": str(kept) if kept is not None else None,
            }
        )
    elif taken:
        console.say("settings_imported", count=len(wanted.differences), file=kept or "–")
    else:
        console.say("settings_not_imported")
    return 0


def setup(space: Workspace, args: argparse.Namespace, console: Console) -> int:
    """Sets this machine up by its enrolment file."""
    changed = set_up(space, args.enrolment)
    if console.as_json:
        console.result({"changes": [_as_json(one) for one in changed]})
    else:
        _say_changes(changed, console)
        console.say("setup_done", count=len(space.settings.bodies))
    return 0


def support_code_command(args: argparse.Namespace, console: Console) -> int:
    """Tells a support code back; needs no data folder."""
    found = read_support_code(args.code)
    if console.as_json:
        told = None
        if found.error == "?":
            told = {"code": "?", "message": text("support_unknown", console.lang)}
        elif found.error is not None:
            told = {"code": found.error, "message": _headline(found.error, console)}
        states = {light.value: state.value for light, state in found.lights}
        console.result({"version": found.version, "lights": states, "error": told})
        return 0
    console.say("support_version", version=found.version)
    for light, state in found.lights:
        title, told_state = text(f"ua_light_{light}", console.lang), text(f"ut_light_{state}", console.lang)
        console.say("doctor_light", title=title, state=told_state)
    if found.error is None:
        console.say("support_nothing")
    elif found.error == "?":
        console.say("support_unknown")
    else:
        console.say("support_error", error=f"[{found.error}] {_headline(found.error, console)}")
    return 0


class _Gaps(dict[str, object]):
    """What only the machine itself knows stays a gap."""

    def __missing__(self, key: str) -> str:
        return "…"


def _headline(code: str, console: Console) -> str:
    from signer_resources.messages import catalogue

    told = catalogue().errors[code].texts[console.lang]
    return f"{told.what} {told.do}".strip().format_map(_Gaps())


def _agreed(console: Console) -> bool:
    if console.as_json:
        return False
    return ask_person(text("settings_ask", console.lang)).strip().casefold() in ("c", "có", "y", "yes")


def _say_changes(changes: "tuple[Difference, ...]", console: Console) -> None:
    for one in changes:
        console.say("settings_change", place=one.place, before=one.before or "–", after=one.after or "–")


def _as_json(one: Difference) -> dict[str, str]:
    return {"place": one.place, "before": one.before, "after": one.after}
