"""How long the window's thread was away from its events while a clerk worked, beside a window that is left alone.

Run by `./run bench stalls`. Plays the journeys of tests/ui/journeys.py in the real window on a screen of its own, by
mouse, or with `--documents N` the opening, review and signing of so many documents while the list scrolls and is
searched; with the stall watch in the window's process: a precise timer of 5 ms that keeps every gap. Prints the gaps of
each part, and the stacks of what took longest. Beside the gaps stands how long the thread itself computed in them: the
rest is other work of the machine, or of the program's other threads. Asserts nothing about time.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.support.screen import missing_programs, screen
from tests.ui.journeys import JOURNEYS, Stage, many_documents, own_site
from tests.ui.stall import Section, Stall, StallReport

IDLE_S = 10.0
"""So long each window is left alone first."""
FROZEN_MS = 50.0
"""What a person feels."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--journey", choices=JOURNEYS, action="append", metavar="NAME", help="only this; may be repeated"
    )
    parser.add_argument("--documents", type=int, default=0, metavar="N", help="so many documents, and no journey")
    parser.add_argument("--stacks", type=int, default=10, metavar="N", help="stacks of the N longest gaps (10)")
    arguments = parser.parse_args()
    if missing := missing_programs():
        parser.error(f"not installed: {', '.join(missing)}")
    reports: list[StallReport] = []
    try:
        _play(arguments, reports)
    finally:
        # Whatever came after: it may have been measured for an hour.
        _show(reports, arguments.stacks)


def _play(arguments: argparse.Namespace, reports: list[StallReport]) -> None:
    with tempfile.TemporaryDirectory() as name, own_site(Path(name) / "site") as site, screen() as shown:
        if arguments.documents:
            stage = Stage(site.desk(Path(name) / "many"), shown, idle_s=IDLE_S, stalls=reports)
            searches = many_documents(stage, arguments.documents)
            sys.stdout.write(f"searches while signing: {len(searches)}, longest {max(searches, default=0):.2f} s\n")
        for journey in () if arguments.documents else arguments.journey or JOURNEYS:
            desk = site.desk(Path(name) / journey)
            JOURNEYS[journey](Stage(desk, shown, idle_s=IDLE_S, stalls=reports))


def _show(reports: list[StallReport], stacks: int) -> None:
    parts: dict[str, list[Section]] = {}
    for report in reports:
        for section in report.sections:
            parts.setdefault(section.name, []).append(section)
    work = [section for name, found in parts.items() if name not in ("start", "idle") for section in found]
    table = Table("part", "seconds", "p99.9, ms", "longest, ms", "over 50 ms", "longest computing", "computing over 50")
    for name, found in (*parts.items(), ("all the work", work)) if reports else ():
        gaps = sorted(gap for section in found for gap in section.gaps)
        busy = sorted(ms for section in found for ms in section.busy)
        over, own = (sum(ms > FROZEN_MS for ms in times) for times in (gaps, busy))
        at = gaps[min(len(gaps) - 1, int(len(gaps) * 0.999))]
        figures = (f"{at:.0f}", f"{gaps[-1]:.0f}", str(over), f"{busy[-1]:.0f}", str(own))
        table.add_row(name, f"{sum(gaps) / 1000:.1f}", *figures)
    Console(width=120).print(table)
    longest = sorted((stall for report in reports for stall in report.stalls), key=_length, reverse=True)
    for stall in longest[:stacks]:
        if stall.busy_ms >= FROZEN_MS:
            told = f"{stall.ms:.0f} ms, computing {stall.busy_ms:.0f} ms"
            sys.stdout.write(f"\n{stall.section}: {told}\n{stall.stacks}\n")


def _length(stall: Stall) -> float:
    return stall.busy_ms


if __name__ == "__main__":
    main()
