"""Runs one command: arguments, workspace, command, exit code. No traceback ever reaches the screen.

Main process. Exit codes: 0 all done, 1 some refused, failed, waiting or not valid, 2 wrong usage, 3 token, 4 a fault
of the program, whose details go to a file in the data folder's logs and never hold what was typed or read.
"""

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from signer_app.cli.arguments import language_of, parse
from signer_app.cli.console import Console
from signer_app.cli.window import hand_to_window
from signer_app.faults import told_fault
from signer_app.logs import log_event, watch_uncaught
from signer_app.looks import default_data_folder
from signer_app.workspace import Overrides, Workspace, workspace
from signer_resources.errors import KnownError

Command = Callable[[Workspace, argparse.Namespace, Console], int]

_WRITING = frozenset({"sign", "resume", "upgrade", "sync", "backup", "restored", "update", "setup"})
"""Commands that take the data folder's lock."""
_LEAVING = frozenset({"sync", "backup", "upgrade"})
"""Commands by which something leaves the machine, or asks for something from outside: never in training."""
_SOMETIMES_WRITING = frozenset({"evidence", "settings", "trust"})
"""Commands that take it for some of their actions."""
_WRITING_ACTIONS = frozenset({"destroy", "import", "add", "remove"})


def command_line(argv: Sequence[str]) -> int:
    """The exit code of the command that `argv` asks for."""
    for stream in (sys.stdout, sys.stderr):
        # A frozen program on Windows starts with the old code page.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    lang = language_of(argv) or "vi"
    console = Console(lang, as_json="--json" in argv)
    folder: Path | None = None
    begun = time.monotonic()
    try:
        args = parse(argv, lang)
        folder = _data_dir(args)
        done = _run(args, folder, console)
        log_event("command", command=args.command, exit=done, seconds=round(time.monotonic() - begun, 1))
        return done
    except KnownError as error:
        log_event("refused", code=error.code, exit=error.exit)
        console.error(error)
        return error.exit
    except KeyboardInterrupt:
        console.error(KnownError("interrupted"))
        return 1
    except BrokenPipeError:
        # Whoever read our output went away; nothing was lost.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as fault:  # noqa: BLE001 - the last net: our own fault, told in words
        console.error(told_fault(fault, folder))
        return 4


def _run(args: argparse.Namespace, folder: Path, console: Console) -> int:
    if args.command == "demo":
        from signer_app.demo.command import demo

        return demo(folder, args, console)
    if args.command == "support-code":
        from signer_app.cli.administration import support_code_command

        return support_code_command(args, console)
    if args.command == "restore":
        from signer_app.cli.backup import restore_command

        return restore_command(folder, args, console)
    if args.command == "training":
        from signer_app.cli.training import training_command

        return training_command(folder, args, console)
    overrides = Overrides(tuple(args.module), getattr(args, "trust", None), args.lang)
    try:
        with workspace(folder, overrides, writing=_writes(args)) as space:
            console.lang = space.lang
            if space.machine.trouble is not None:
                console.warn(space.machine.trouble)
            if args.command in _LEAVING and space.folder.is_training:
                raise KnownError("training_no_exchange")
            return _command(args.command)(space, args, console)
    except KnownError as error:
        if error.code == "busy" and hand_to_window(folder, args, console):
            return 1
        raise


def _writes(args: argparse.Namespace) -> bool:
    asks_to = ("confirm_clock", "record", "pin_changed", "void")
    if args.command in _SOMETIMES_WRITING:
        return str(args.action) in _WRITING_ACTIONS
    return args.command in _WRITING or any(getattr(args, name, False) for name in asks_to)


def _command(name: str) -> Command:
    """The command's function; only its own room is loaded, so that a look at the outbox waits for no PDF library."""
    if name in ("check", "sign", "resume"):
        from signer_app.cli import signing

        return {"check": signing.check, "sign": signing.sign, "resume": signing.resume}[name]
    if name == "upgrade":
        from signer_app.cli.upgrade import upgrade

        return upgrade
    if name == "sync":
        from signer_app.cli import exchange

        return exchange.sync
    if name == "backup":
        from signer_app.cli.backup import backup

        return backup
    if name == "restored":
        from signer_app.cli.restored import restored

        return restored
    if name == "update":
        from signer_app.cli.update import update

        return update
    if name == "doctor":
        from signer_app.cli.doctor import doctor

        return doctor
    if name in ("events", "settings", "setup"):
        from signer_app.cli import administration

        return {"events": administration.events, "settings": administration.settings, "setup": administration.setup}[
            name
        ]
    if name == "drivers":
        from signer_app.cli.drivers import drivers

        return drivers
    if name == "verify":
        from signer_app.cli.verify import verify

        return verify
    if name == "evidence":
        from signer_app.cli.evidence import evidence

        return evidence
    if name == "trust":
        from signer_app.cli.trust import trust

        return trust
    if name in ("handover", "form"):
        from signer_app.cli import custody

        return {"handover": custody.handover, "form": custody.form}[name]
    if name == "inbox":
        from signer_app.cli.inbox import inbox

        return inbox
    if name == "register":
        from signer_app.cli.register import register

        return register
    if name == "report":
        from signer_app.cli.report import report

        return report
    from signer_app.cli import listings

    looks: dict[str, Command] = {
        "tokens": listings.tokens,
        "outbox": listings.outbox,
        "journal": listings.journal,
    }
    return looks[name]


def _data_dir(args: argparse.Namespace) -> Path:
    if args.data_dir is not None:
        return Path(args.data_dir)
    named = os.environ.get("SIGNER_DATA_DIR")
    if named:
        return Path(named)
    return default_data_folder()


def main(argv: Sequence[str]) -> int:
    """Entry for the executable."""
    watch_uncaught()
    return command_line(argv)
