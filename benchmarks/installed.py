"""The installed program beside the same program run from the checkout: starting, memory and work at rest, size.

Run by `./run bench installed` after `./run package`. Both are started in turn on a screen of their own (Xvfb), watched
from outside: a window is painted when the screen shows it. Prints tables; asserts nothing about time. Without
`--data-dir` it prepares a demonstration's workspace in a temporary folder.
"""

import argparse
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops, ImageGrab
from rich.console import Console
from rich.table import Table

from tests.support.screen import missing_programs, screen

ROOT = Path(__file__).resolve().parents[1]
DEADLINE_S = 60.0
SHOWN_SHARE = 0.05
"""So much of the screen has changed when a window is painted."""
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Way:
    """One way to start the program."""

    name: str
    command: tuple[str, ...]
    window: tuple[str, ...]


@dataclass(frozen=True)
class Rest:
    """A window left alone: megabytes and the share of one processor, in percent."""

    main_mb: float
    all_mb: float
    children: int
    percent: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", type=Path, default=ROOT / "dist" / "signer", metavar="DIR")
    parser.add_argument("--runs", type=int, default=11, metavar="N", help="starts of each (11)")
    parser.add_argument(
        "--rest", type=float, default=30.0, metavar="S", help="seconds at rest, before and watched (30)"
    )
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="a demonstration's data folder")
    arguments = parser.parse_args()
    if missing_programs() or not (arguments.program / "signer").exists():
        print(f"Nothing to measure: no program in {arguments.program} (./run package), or no Xvfb, xdotool, openbox.")
        return
    source = Way("checkout", (sys.executable, "-P", "-m", "signer_app"), (sys.executable, "-P", "-m", "signer_ui.main"))
    frozen = Way("installed", (str(arguments.program / "signer"),), (str(arguments.program / "signer-gui"),))
    ways = (source, frozen)
    with contextlib.ExitStack() as stack:
        shown = stack.enter_context(screen())
        data = arguments.data_dir or stack.enter_context(_demonstration())
        environment = {**os.environ, **shown.environment(), "SIGNER_DATA_DIR": str(data)}
        times = _starts(ways, arguments.runs, environment, shown.display)
        rests = {way.name: _rest(way, environment, shown.display, arguments.rest) for way in ways}
    _show(times, rests, arguments.program)


# ---- starting -------------------------------------------------------------------------------------------------------


def _starts(
    ways: Sequence[Way], runs: int, environment: dict[str, str], display: str
) -> dict[tuple[str, str], list[float]]:
    """Milliseconds by what was done and by the way; the first of each doesn't count."""
    found: dict[tuple[str, str], list[float]] = {}
    for number in range(runs + 1):
        for way in ways:
            for what, words in (("signer --help", ("--help",)), ("signer tokens", ("tokens",))):
                ms = _command(way, words, environment)
                if number:
                    found.setdefault((what, way.name), []).append(ms)
            with _window(way, environment, display) as (ms, _process):
                if number:
                    found.setdefault(("the window is on the screen", way.name), []).append(ms)
    return found


def _command(way: Way, words: tuple[str, ...], environment: dict[str, str]) -> float:
    began = time.monotonic()
    subprocess.run(
        [*way.command, *words], env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, timeout=DEADLINE_S, check=True
    )
    return (time.monotonic() - began) * 1000


@contextlib.contextmanager
def _window(way: Way, environment: dict[str, str], display: str) -> Iterator[tuple[float, "subprocess.Popen[bytes]"]]:
    """The window, painted, with the milliseconds that it took; closed afterwards."""
    empty = ImageGrab.grab(xdisplay=display)
    began = time.monotonic()
    process = subprocess.Popen(way.window, env=environment, cwd=ROOT)
    try:
        while _changed(empty, ImageGrab.grab(xdisplay=display)) < SHOWN_SHARE:
            if process.poll() is not None or time.monotonic() - began > DEADLINE_S:
                raise RuntimeError(f"no window: {way.name}")
        yield (time.monotonic() - began) * 1000, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(DEADLINE_S)


def _changed(before: Image.Image, now: Image.Image) -> float:
    """The share of the screen that looks different."""
    same = ImageChops.difference(before, now).convert("L").histogram()[0]
    return 1 - same / (now.width * now.height)


# ---- at rest --------------------------------------------------------------------------------------------------------


def _rest(way: Way, environment: dict[str, str], display: str, seconds: float) -> Rest:
    with _window(way, environment, display) as (_ms, process):
        time.sleep(seconds)
        before, began = _ticks(process.pid), time.monotonic()
        time.sleep(seconds)
        used = (_ticks(process.pid) - before) / _TICKS_A_SECOND / (time.monotonic() - began)
        family = _family(process.pid)
        shares = {pid: _megabytes(pid) for pid in family}
        return Rest(_resident(process.pid), sum(shares.values()), len(family) - 1, used * 100)


def _family(pid: int) -> list[int]:
    """A process and all that came of it."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def _ticks(pid: int) -> int:
    """Processor time of a process, of its children, and of those that have ended."""
    total = 0
    for one in _family(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        total += sum(int(field) for field in fields[11:15])
    return total


def _megabytes(pid: int) -> float:
    """What the process has for itself, and its part of what it shares (PSS)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _resident(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextlib.contextmanager
def _demonstration() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "data"
        command = [sys.executable, "-m", "signer_app", "--data-dir", str(data), "demo", "--headless"]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        yield data


def _show(times: dict[tuple[str, str], list[float]], rests: dict[str, Rest], program: Path) -> None:
    table = Table(
        "from the process's start until", "checkout, ms", "installed, ms", "ratio", "installed, lowest–highest"
    )
    for what in dict.fromkeys(what for what, _ in times):
        source, frozen = (statistics.median(times[what, way]) for way in ("checkout", "installed"))
        ranked = sorted(times[what, "installed"])
        spread = f"{ranked[0]:.0f}–{ranked[-1]:.0f}"
        table.add_row(what, f"{source:.0f}", f"{frozen:.0f}", f"{frozen / source:.2f}", spread)
    idle = Table("the window at rest", "resident, MB", "with children (PSS), MB", "children", "of one processor, %")
    for name, rest in rests.items():
        idle.add_row(name, f"{rest.main_mb:.0f}", f"{rest.all_mb:.0f}", f"{rest.children}", f"{rest.percent:.1f}")
    console = Console(width=120)
    console.print(table)
    console.print(idle)
    size = sum(file.lstat().st_size for file in program.rglob("*") if not file.is_dir())
    console.print(f"installed size: {size / 2**20:.0f} MB")


if __name__ == "__main__":
    main()
