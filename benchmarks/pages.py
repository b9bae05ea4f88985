"""How the page widget shows 1,000 pages and a scan of 100 MB: time to the first page, and how long its window is deaf.

Run by `./run bench pages`, with a real window (offscreen where there is no display), a real worker and documents that
are made on the fly in a temporary folder. A timer of 5 ms keeps the longest gap between two of its ticks; the same
window without anything to do is the first row of the table. Asserts nothing about time, touches no clerk's data.
"""

import argparse
import io
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QElapsedTimer, QEventLoop, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from rich.console import Console
from rich.table import Table

import signer_resources
from signer_app.pages import Pages
from signer_app.workspace import Overrides, Workspace, workspace
from signer_ui.application import make_application
from signer_ui.tasks import Tasks
from signer_ui.theme import Theme
from signer_ui.widgets.page_canvas import PageCanvas
from signer_ui.widgets.page_view import PageView
from signer_ui.words import Words

TICK_MS = 5
IDLE_MS = 1500
MM = 72 / 25.4
A4 = (210 * MM, 297 * MM)
LINE = "Căn cứ Nghị định số 30/2020/NĐ-CP ngày 05 tháng 3 năm 2020 của Chính phủ về công tác văn thư;"


@dataclass(frozen=True)
class Measured:
    """What one thing to do cost."""

    what: str
    gap_ms: float
    over_50: int
    shown_ms: float | None = None


class StallWatch:
    """Keeps the times in milliseconds between two ticks of a precise timer."""

    def __init__(self) -> None:
        self._gaps: list[float] = []
        self._since = QElapsedTimer()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK_MS)
        self.restart()

    def restart(self) -> None:
        """Forgets what was."""
        self._gaps = []
        self._since.start()

    def _tick(self) -> None:
        self._gaps.append(self._since.nsecsElapsed() / 1e6)
        self._since.start()

    def measured(self, what: str, shown_ms: float | None = None) -> Measured:
        return Measured(what, max(self._gaps), sum(gap > 50 for gap in self._gaps), shown_ms)


class Bench:
    """A window with the page widget in it."""

    def __init__(self, space: Workspace) -> None:
        self.pages = Pages(space)
        self.tasks = Tasks(repr)
        self.view = PageView(self.tasks, self.pages, Words("vi"), Theme(dark=False))
        Theme(dark=False).dress(self.view)
        self.view.resize(1000, 700)
        self.view.show()
        self.canvas = self.view.findChildren(PageCanvas)[0]
        self.arrived: Callable[[], None] = lambda: None
        self.view._pictures.arrived.connect(lambda: self.arrived())
        wait_until(lambda: not self.tasks.busy)
        self.watch = StallWatch()

    def idle(self) -> Measured:
        self.watch.restart()
        wait_ms(IDLE_MS)
        return self.watch.measured("idle window")

    def first_page(self, what: str, path: Path) -> Measured:
        """From the call until the first picture of the first page is painted."""
        self.watch.restart()
        began = time.perf_counter()
        self.view.show_file(path)
        wait_until(lambda: self.view._pictures.stand_in(0) is not None)
        self.canvas.viewport().repaint()
        shown = (time.perf_counter() - began) * 1000
        wait_until(lambda: not self.tasks.busy)
        return self.watch.measured(f"{what}: first page", shown)

    def wheel_through(self, what: str, notches: int) -> Measured:
        """Turns the wheel as fast as events are taken: one notch each 8 ms."""
        self.watch.restart()
        middle = QPointF(self.canvas.viewport().rect().center())
        for _ in range(notches):
            event = QWheelEvent(
                *(middle, self.canvas.viewport().mapToGlobal(middle), QPoint(), QPoint(0, -360)),
                *(Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False),
            )
            QApplication.sendEvent(self.canvas.viewport(), event)
            wait_ms(8)
        wait_until(lambda: not self.tasks.busy)
        return self.watch.measured(f"{what}: wheel through {notches} notches")

    def jump_through(self, what: str, jumps: int) -> Measured:
        """Pulls the scroll bar about the whole document; the last place is shown sharp at the end."""
        self.watch.restart()
        bar, chance = self.canvas.verticalScrollBar(), random.Random(5)
        for _ in range(jumps):
            bar.setValue(chance.randrange(bar.maximum()))
            wait_ms(15)
        began = time.perf_counter()
        wait_until(self._sharp)
        shown = (time.perf_counter() - began) * 1000
        wait_until(lambda: not self.tasks.busy)
        return self.watch.measured(f"{what}: {jumps} jumps by the scroll bar", shown)

    def zoom_through(self, what: str) -> Measured:
        self.watch.restart()
        for zoom in (0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 3.0, 1.5, 1.0):
            self.canvas.set_zoom(zoom)
            wait_ms(60)
        began = time.perf_counter()
        wait_until(self._sharp)
        shown = (time.perf_counter() - began) * 1000
        wait_until(lambda: not self.tasks.busy)
        return self.watch.measured(f"{what}: zoom 50 % to 500 % and back", shown)

    def _sharp(self) -> bool:
        _wanted, needed = self.canvas.wants()
        return all(self.view._pictures.picture(tile) is not None for tile in needed)

    def close(self) -> None:
        self.pages.close()
        self.tasks.close()
        self.view.close()


def wait_ms(ms: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(ms, loop.quit)
    loop.exec()


def wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not true():
        if time.monotonic() > until:
            raise TimeoutError("the page widget did not come to rest")
        wait_ms(1)


def text_document(path: Path, pages: int) -> None:
    """A report: 45 lines of text on each page."""
    pdfmetrics.registerFont(TTFont("serif", str(signer_resources.path("fonts/SignerSerif-Regular.ttf"))))
    canvas = Canvas(str(path), A4)
    for page in range(pages):
        canvas.setFont("serif", 13)
        for line in range(45):
            canvas.drawString(30 * MM, (275 - 5.6 * line) * MM, f"{page + 1}.{line + 1} {LINE}")
        canvas.showPage()
    canvas.save()


def scan(path: Path, megabytes: int) -> int:
    """Colour scans at 300 dpi with the noise of a scanner; how many pages it took to fill the file."""
    chance = random.Random(3)
    noise = Image.frombytes("RGB", (620, 877), chance.randbytes(620 * 877 * 3)).resize((2480, 3508))
    picture = Image.blend(Image.new("RGB", noise.size, "white"), noise, 0.22)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=92)
    count = max(1, round(megabytes * 1e6 / len(out.getvalue())))
    canvas = Canvas(str(path), A4)
    for page in range(count):
        # Each page's picture differs in a corner, or reportlab would keep only one.
        picture.paste((page, 0, 0), (0, 0, 16, 16))
        jpeg = io.BytesIO()
        picture.save(jpeg, "JPEG", quality=92)
        canvas.drawImage(ImageReader(jpeg), 0, 0, *A4)
        canvas.showPage()
    canvas.save()
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=1000, metavar="N", help="pages of the report (1000)")
    parser.add_argument("--megabytes", type=int, default=100, metavar="N", help="size of the scan (100)")
    arguments = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "" if os.environ.get("DISPLAY") else "offscreen")
    application = make_application(sys.argv[:1])
    Theme(dark=False).apply(application)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text_document(folder / "report.pdf", arguments.pages)
        scanned = scan(folder / "scan.pdf", arguments.megabytes)
        size = (folder / "scan.pdf").stat().st_size / 1e6
        documents = (
            (f"{arguments.pages} pages", folder / "report.pdf"),
            (f"scan, {size:.0f} MB, {scanned} pages", folder / "scan.pdf"),
        )
        with workspace(folder / "data", Overrides(), writing=True) as space:
            bench = Bench(space)
            try:
                rows = [bench.idle()]
                for what, path in documents:
                    rows.append(bench.first_page(what, path))
                    rows.append(bench.wheel_through(what, 400))
                    rows.append(bench.jump_through(what, 100))
                    rows.append(bench.zoom_through(what))
            finally:
                bench.close()
    show(rows)


def show(rows: list[Measured]) -> None:
    table = Table(title="The page widget, window 1000 by 700")
    table.add_column("what")
    for head in ("longest gap, ms", "gaps over 50 ms", "until sharp, ms"):
        table.add_column(head, justify="right")
    for row in rows:
        shown = "" if row.shown_ms is None else f"{row.shown_ms:.0f}"
        table.add_row(row.what, f"{row.gap_ms:.1f}", str(row.over_50), shown)
    Console().print(table)


if __name__ == "__main__":
    main()
