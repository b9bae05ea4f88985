"""The command `demo`: a workspace with two software tokens, a test PKI, sample letters and a document server.

Main process. `--headless` does the day's work and ends; `--serve` prepares, gives the lock back and keeps the
services up until a signal, so that other commands work beside it. Without either, and with a display, the window opens
on the workspace, in a process of its own, and the services end with it; without a display it is as `--headless`.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from signer_app.cli.console import Console, message_of
from signer_app.cli.stopping import stop_signal, wait_for
from signer_app.store import DataFolder, Store
from signer_app.workspace import Overrides, Workspace, workspace
from signer_resources.errors import KnownError
from signer_resources.messages import text

if TYPE_CHECKING:
    from signer_app.demo.day import Row
    from signer_app.demo.workspace import Demo

_PARTS = ("certomancer", "starlette", "uvicorn", "signer_server")


def demo(folder: Path, args: argparse.Namespace, console: Console) -> int:
    """Exit 0 when each sample ended as expected, or, with `--serve`, at a signal."""
    if any(importlib.util.find_spec(part) is None for part in _PARTS):
        raise KnownError("demo_parts_missing")
    from signer_app.demo.day import enrol_machine, work
    from signer_app.demo.leaders import sign_samples
    from signer_app.demo.services import running
    from signer_app.demo.workspace import prepare

    stop = threading.Event()
    window = not (args.serve or args.headless) and _can_show_a_window()
    with ExitStack() as services:
        if args.serve:
            services.enter_context(stop_signal(stop))
        with workspace(folder, Overrides(lang=args.lang), writing=True) as space:
            _require_demo_folder(space.folder)
            console.lang = space.lang
            console.note("demo_preparing", folder=folder)
            made = prepare(space.folder, args.port)
            services.enter_context(running(made.pki, made.home / "server", made.port))
            with console.progress() as progress:
                sign_samples(made, progress)
            # Settings were just written, and enrolment writes them again.
            space.reload()
            if enrol_machine(space, made):
                space.reload()
            if not (args.serve or window):
                with console.progress() as progress:
                    rows = work(space, made, progress)
                return _tell(space, rows, console)
        # The lock is free from here on: other commands work while the services stay.
        if window:
            console.note("demo_window", pin=made.pin.reveal())
            return _show_window(made, args)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        wait_for(stop)
    return 0


def _can_show_a_window() -> bool:
    has_display = sys.platform == "win32" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return has_display and importlib.util.find_spec("PySide6") is not None


def _show_window(made: "Demo", args: argparse.Namespace) -> int:
    """The window until it is closed; the first time with the morning's letters, the secret one among them."""
    command = [sys.executable, "-P", "-m", "signer_ui.main", "--data-dir", str(made.folder.path)]
    if args.lang:
        command += ["--lang", args.lang]
    with Store.read_only(made.folder) as store, store.view() as view:
        first_time = not view.documents.list(limit=1)
    letters = [file for file in made.letters() if first_time]
    return subprocess.run([*command, *map(str, letters)], check=False).returncode


def _require_demo_folder(folder: DataFolder) -> None:
    """A folder with a clerk's real data never becomes a demonstration."""
    if folder.database.exists() and not (folder.path / "demo").is_dir():
        raise KnownError("demo_folder_in_use", folder=str(folder.path))


def _tell(space: Workspace, rows: "Sequence[Row]", console: Console) -> int:
    good = all(row.as_expected for row in rows)
    if console.as_json:
        console.result(
            {
                "samples": [
                    {
                        "sample": row.sample,
                        "number": row.number,
                        "verdict": row.verdict.value if row.verdict is not None else None,
                        "received_at": row.received.isoformat() if row.received is not None else None,
                        "error": message_of(row.error, console.lang) if row.error is not None else None,
                        "as_expected": row.as_expected,
                    }
                    for row in rows
                ],
                "data_dir": str(space.folder.path),
            }
        )
        return 0 if good else 1
    cells = []
    for row in rows:
        if row.error is not None:
            note = row.error.explain(console.lang).what
        elif row.received is not None:
            note = text("outbox_received", console.lang, time=row.received.strftime("%H:%M"))
        else:
            note = text("demo_not_sent", console.lang)
        verdict = text(f"verdict_{row.verdict}", console.lang) if row.verdict is not None else ""
        cells.append([row.sample, row.number or "", verdict, note, "✓" if row.as_expected else "✗"])
    console.table(("head_sample", "head_document", "head_verdict", "head_note", "head_expected"), cells)
    console.say("demo_done" if good else "demo_bad", folder=space.folder.path / "Đã ký")
    return 0 if good else 1
