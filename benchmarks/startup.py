"""How soon the window is painted, beside an empty window of PySide6 in the same run; and when it shows the day's work.

Run by `./run bench startup`. Starts both many times in turn, each in a process of its own, on a screen of their own
(Xvfb), first with the files out of the system's cache as far as that can be asked for, then warm. Prints a table;
asserts nothing about time. Without `--data-dir` it prepares a demonstration's workspace in a temporary folder.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.support.screen import missing_programs, screen

ROOT = Path(__file__).resolve().parents[1]
STARTED = Path(__file__).parent / "started"
EMPTY, OURS = "an empty QMainWindow", "our window"
DEADLINE_S = 60.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15, metavar="N", help="warm starts of each (15)")
    parser.add_argument("--cold", type=int, default=5, metavar="N", help="starts of each with an empty cache (5)")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="a demonstration's data folder")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        environment = stack.enter_context(_display())
        data = arguments.data_dir or stack.enter_context(_demonstration())
        cold = _measure(arguments.cold, data, environment, cold=True)
        warm = _measure(arguments.runs, data, environment, cold=False)
    _show(cold, warm)


# ---- measuring ------------------------------------------------------------------------------------------------------


def _measure(runs: int, data: Path, environment: dict[str, str], *, cold: bool) -> dict[tuple[str, str], list[float]]:
    """Milliseconds from a process's start, by window and by what it told."""
    found: dict[tuple[str, str], list[float]] = {}
    # One start of each that doesn't count: byte code, the list of fonts.
    for number in range(-1, runs):
        for name, script in (
            (EMPTY, "empty_window.py"),
            (OURS, "our_window.py"),
        ):
            if cold:
                _forget_files()
            # As from the menu: without a word on the command line.
            for what, ms in _start(script, {**environment, "SIGNER_DATA_DIR": str(data)}):
                if number >= 0:
                    found.setdefault((name, what), []).append(ms)
    return found


def _start(script: str, environment: dict[str, str]) -> list[tuple[str, float]]:
    began = time.monotonic()
    ran = subprocess.run(
        [sys.executable, str(STARTED / script)],
        stdout=subprocess.PIPE,
        env={**os.environ, **environment},
        cwd=ROOT,
        timeout=DEADLINE_S,
        check=True,
        text=True,
    )
    return [(what, (float(at) - began) * 1000) for what, at in (line.split() for line in ran.stdout.splitlines())]


def _forget_files() -> None:
    """Asks the system to drop what it holds of every file that a start may read; mapped pages stay."""
    for folder in (Path(sysconfig.get_path("purelib")), Path(sysconfig.get_path("stdlib")), ROOT / "ui"):
        for path in folder.rglob("*.*"):
            with contextlib.suppress(OSError), path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@contextlib.contextmanager
def _display() -> Iterator[dict[str, str]]:
    """A screen where there are the programs for it; else Qt's own memory."""
    if missing_programs():
        yield {"QT_QPA_PLATFORM": "offscreen"}
        return
    with screen() as shown:
        yield shown.environment()


@contextlib.contextmanager
def _demonstration() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "data"
        command = [sys.executable, "-m", "signer_app", "--data-dir", str(data), "demo", "--headless"]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        yield data


def _show(cold: dict[tuple[str, str], list[float]], warm: dict[tuple[str, str], list[float]]) -> None:
    table = Table("from the process's start to", "cold, ms", "ratio", "warm, ms", "ratio", "warm, lowest–highest, ms")
    for key, label in (
        ((EMPTY, "painted"), f"{EMPTY} is painted"),
        ((OURS, "painted"), f"{OURS} is painted"),
        ((OURS, "filled"), "the home screen shows the day's work"),
    ):
        cells = [label]
        for times in (cold, warm):
            middle, base = (statistics.median(times[k]) if times.get(k) else 0.0 for k in (key, (EMPTY, "painted")))
            cells += [f"{middle:.0f}", f"{middle / base:.2f}" if base else "-"]
        ranked = sorted(warm.get(key, [0.0]))
        table.add_row(*cells, f"{ranked[0]:.0f}–{ranked[-1]:.0f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
