"""The command `training`: opens the window of the training mode, makes its folder ready, or removes it.

Main process. The folder lies beside the data folder of the call, never in it.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from signer_app.cli.console import Console
from signer_app.looks import read_looks, training_folder
from signer_app.training.preparing import prepare
from signer_app.training.removing import remove_training
from signer_app.training.starting import window_command


def training_command(folder: Path, args: argparse.Namespace, console: Console) -> int:
    """0 when the folder is ready or gone; the window's own exit code where one is opened."""
    place = training_folder(folder)
    if args.remove:
        remove_training(place)
        if console.as_json:
            console.result({"data_dir": str(place), "removed": True, "pin": None, "letters": []})
        else:
            console.say("training_removed", folder=str(place))
        return 0
    if not args.prepare and _can_show_a_window():
        return subprocess.run(window_command(folder, args.lang), check=False).returncode
    with console.progress() as progress:
        ready = prepare(place, progress, read_looks(folder))
    pin, letters = ready.pin, [str(letter) for letter in ready.letters]
    if console.as_json:
        console.result({"data_dir": str(place), "removed": False, "pin": pin, "letters": letters})
    else:
        console.say("training_ready", folder=str(place), pin=pin, letters=", ".join(letters))
    return 0


def _can_show_a_window() -> bool:
    display = sys.platform == "win32" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return display and (getattr(sys, "frozen", False) or importlib.util.find_spec("signer_ui") is not None)
