"""Commands that find the data folder in the window's hands ask the window to do the work.

Main process of the command. With `--pin-stdin` a script is at work, which needs an answer and not a window. Of `sign`
only the documents go over; numbers, dates and receivers are typed in the window, before anything is signed.
"""

import argparse
from pathlib import Path

from signer_app.cli.console import Console, message_of
from signer_app.handover import Wish, hand_over
from signer_resources.errors import KnownError

_TYPED_IN_THE_WINDOW = ("number", "date", "list", "place", "out", "level", "cert", "to")


def hand_to_window(folder: Path, args: argparse.Namespace, console: Console) -> bool:
    """Whether the open window has taken the wish over; it is told, and waits for the person."""
    if getattr(args, "pin_stdin", False):
        return False
    files: list[Path] = []
    match args.command:
        case "sign" if args.files and not any(getattr(args, name, None) for name in _TYPED_IN_THE_WINDOW):
            wish, files = Wish.OPEN, [file.absolute() for file in args.files]
        case "resume" if not args.batch:
            wish = Wish.RESUME
        case "sync" if not args.enrol:
            wish = Wish.SEND
        case _:
            return False
    if not hand_over(folder, [str(file) for file in files], wish):
        return False
    told = KnownError("handed_to_window")
    if console.as_json:
        console.result(_shape(args.command, files, told, console))
    else:
        console.say("handed_to_window")
    return True


def _shape(command: str, files: list[Path], told: KnownError, console: Console) -> dict[str, object]:
    message = message_of(told, console.lang)
    if command == "sync":
        return {"sent": 0, "received": 0, "waiting": 0, "packets": [], "stopped": message}
    waiting = [
        {
            "input": str(file),
            "output": None,
            "state": "pending",
            **message,
            "level": None,
            "sha256_in": None,
            "sha256_repaired": None,
            "sha256_out": None,
            "seconds": 0.0,
        }
        for file in files
    ]
    return {"batch": None, "stopped": message, "documents": waiting}
