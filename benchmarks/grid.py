"""How the grid holds 100,000 rows: the longest time its window didn't answer, and how long until a result shows.

Run by `./run bench grid`, in one process with a real window (offscreen where there is no display) and made-up rows of
a register. A timer of 5 ms keeps the longest gap between two of its ticks; the same window without anything to do is
the first row of the table. Asserts nothing about time, touches no data folder.
"""

import argparse
import datetime as dt
import os
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QElapsedTimer, QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QApplication
from rich.console import Console
from rich.table import Table

from signer_ui.presenters.grid import Column
from signer_ui.tasks import Tasks
from signer_ui.theme import Theme
from signer_ui.widgets.grid import Grid
from signer_ui.words import Words

TICK_MS = 5
IDLE_MS = 1500
SUBJECTS = (
    "Về việc tổ chức hội nghị tổng kết công tác năm",
    "Quyết định phê duyệt kế hoạch đầu tư công trung hạn",
    "Báo cáo kết quả rà soát thủ tục hành chính",
    "Thông báo kết luận của Chủ tịch Ủy ban nhân dân tỉnh",
    "Giấy mời dự họp giao ban công tác văn thư, lưu trữ",
)
SIGNERS = ("Nguyễn Văn Đức", "Trần Thị Ánh", "Lê Hoàng Phước", "Đỗ Minh Tuệ")


@dataclass(frozen=True)
class Entry:
    """A row of a register."""

    number: int
    notation: str
    date: dt.date
    subject: str
    signer: str
    receivers: str


@dataclass(frozen=True)
class Measured:
    """What one thing to do cost."""

    what: str
    gap_ms: float
    shown_ms: float | None


class StallWatch:
    """Keeps the longest time in milliseconds between two ticks of a precise timer."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._since = QElapsedTimer()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK_MS)
        self.restart()

    def restart(self) -> None:
        """Forgets what was."""
        self.longest = 0.0
        self._since.start()

    def _tick(self) -> None:
        self.longest = max(self.longest, self._since.nsecsElapsed() / 1e6)
        self._since.start()


def entries(count: int) -> tuple[Entry, ...]:
    chance = random.Random(8)
    first = dt.date(2020, 1, 1)
    return tuple(
        Entry(
            number,
            f"{number}/{chance.choice(('QĐ-UBND', 'UBND-VHXH', 'TB-UBND', 'BC-UBND'))}",
            first + dt.timedelta(days=chance.randrange(2400)),
            f"{chance.choice(SUBJECTS)} {chance.randrange(10_000)}",
            chance.choice(SIGNERS),
            "; ".join(f"H41.01.{chance.randrange(99):02}" for _ in range(3)),
        )
        for number in range(1, count + 1)
    )


COLUMNS: tuple[Column[Entry], ...] = (
    Column("uo_col_number", lambda row: row.notation, 9, sort=lambda row: row.number),
    Column("uo_col_date", lambda row: f"{row.date:%d/%m/%Y}", 7, sort=lambda row: row.date),
    Column("uo_col_subject", lambda row: row.subject, 20, stretch=True),
    Column("uo_col_signer", lambda row: row.signer, 10),
    Column("uo_col_receivers", lambda row: row.receivers, 12),
)


class Bench:
    """A window with the grid in it."""

    def __init__(self, rows: tuple[Entry, ...]) -> None:
        self.tasks = Tasks(repr)
        self.grid: Grid[Entry] = Grid(
            COLUMNS, lambda row: str(row.number), Words("vi"), Theme(dark=False), self.tasks, "benchmark"
        )
        Theme(dark=False).dress(self.grid)
        self.grid.resize(1366, 700)
        self.grid.show()
        self.rows = rows
        # The first letters ever drawn cost tenths of a second, in every window; they are no matter of the grid.
        self.grid.set_rows(rows[:100])
        self.grid.viewport().repaint()
        self.watch = StallWatch()

    def idle(self) -> Measured:
        """The window with nothing to do."""
        self._spin(IDLE_MS)
        self.watch.restart()
        self._spin(IDLE_MS)
        return Measured("idle", self.watch.longest, None)

    def ask(self, what: str, do: Callable[[], None]) -> Measured:
        """From asking until the result is painted, and what follows it in the background."""
        loop = QEventLoop()
        self.grid.presented.connect(loop.quit)
        self.watch.restart()
        start = time.perf_counter()
        do()
        if not self.grid.settled:
            loop.exec()
        self.grid.viewport().repaint()
        shown = (time.perf_counter() - start) * 1e3
        self.grid.presented.disconnect(loop.quit)
        while self.tasks.busy:
            self._spin(2 * TICK_MS)
        return Measured(what, self.watch.longest, shown)

    def type_words(self, text: str) -> Measured:
        """One letter each 60 ms, as people type; until the last result."""
        self.watch.restart()
        for end in range(1, len(text)):
            self.grid.set_filter(text[:end])
            self._spin(60)
        last = self.ask("", lambda: self.grid.set_filter(text))
        return Measured(f"type «{text}»", max(self.watch.longest, last.gap_ms), last.shown_ms)

    def other_rows(self) -> None:
        """Rows that nobody has searched yet, and a search for them."""
        self.grid.set_rows(self.rows[1:])
        self.grid.set_filter("duc")

    def scroll(self) -> Measured:
        """A hundred places of the table, one after the other."""
        bar = self.grid.verticalScrollBar()
        self.watch.restart()
        for step in range(100):
            bar.setValue(bar.maximum() * step // 100)
            QApplication.processEvents()
        self._spin(2 * TICK_MS)
        return Measured("scroll through", self.watch.longest, None)

    def close(self) -> None:
        self.tasks.close()
        self.grid.close()

    def _spin(self, ms: int) -> None:
        loop = QEventLoop()
        QTimer.singleShot(ms, loop.quit)
        loop.exec()


def measure(count: int) -> list[Measured]:
    bench = Bench(entries(count))
    grid = bench.grid
    results = [
        bench.idle(),
        bench.ask(f"{count:,} rows put in", lambda: grid.set_rows(bench.rows)),
        bench.scroll(),
        bench.ask("sort by date, first time", lambda: grid.sort_by("uo_col_date")),
        bench.ask("sort by subject, first time", lambda: grid.sort_by("uo_col_subject")),
        bench.ask("sort by subject, downwards", lambda: grid.sort_by("uo_col_subject", descending=True)),
        bench.ask("sort by signer (4 names)", lambda: grid.sort_by("uo_col_signer")),
        bench.ask("as the rows came", lambda: grid.sort_by(None)),
        bench.type_words("quyet dinh duc 77"),
        bench.ask("filter taken away", lambda: grid.set_filter("")),
        bench.ask("other rows, searched at once", bench.other_rows),
        bench.idle(),
    ]
    bench.close()
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, metavar="N", help="rows in the grid (100000)")
    count = max(1, parser.parse_args().rows)
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication([])
    Theme(dark=False).apply(application)
    results = measure(count)
    table = Table("what", "longest gap, ms", "shown after, ms")
    for result in results:
        shown = "" if result.shown_ms is None else f"{result.shown_ms:.0f}"
        table.add_row(result.what, f"{result.gap_ms:.1f}", shown)
    Console().print(table)


if __name__ == "__main__":
    main()
