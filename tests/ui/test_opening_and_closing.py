"""Opening and closing the window again and again: nothing stays behind in the process.

The real program on a prepared workspace, without a display; what Qt warns of fails the test.
"""

import gc
import os
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from signer_ui.tabs import Tab
from tests.support.workspace import Desk
from tests.ui.test_every_screen import PATIENCE_MS, program

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


def _children() -> set[int]:
    """Processes that this one has started and that live."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        # A thread may end while its folder is being read.
        with suppress(FileNotFoundError, ProcessLookupError):
            found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


def _handles() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - only the number


def _memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _once(desk: Desk, qtbot: QtBot, tab: Tab) -> None:
    with program(desk.data, qtbot) as running:
        shell = running.window._shell
        assert shell is not None
        running.window.go(tab)
        qtbot.waitUntil(lambda: shell.hub.tokens.looked and shell.hub.today is not None, timeout=PATIENCE_MS)


def _left(before: set[int]) -> tuple[list[str], set[int]]:
    threads = [t.name for t in threading.enumerate() if t.name.startswith(("signer-", "child-"))]
    return threads, _children() - before


def test_nothing_lives_on_after_the_window_was_closed(desk: Desk, qtbot: QtBot) -> None:
    before = _children()
    threads = {t.name for t in threading.enumerate()}
    for tab in (Tab.OUTGOING, Tab.TOKEN):
        _once(desk, qtbot, tab)
        left, children = _left(before)
        assert (sorted(set(left) - threads), children) == ([], set())
        assert not (desk.data / "window").exists()


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_hundred_times_open_and_closed_leaks_neither_handles_nor_memory(desk: Desk, qtbot: QtBot) -> None:
    before = _children()
    for _ in range(10):
        _once(desk, qtbot, Tab.OUTGOING)
    gc.collect()
    handles, memory = _handles(), _memory_mb()
    for number in range(90):
        _once(desk, qtbot, list(Tab)[number % len(Tab)])
    gc.collect()
    assert _left(before)[1] == set()
    assert _handles() <= handles + 3
    # What 90 windows would keep if each kept its widgets is far more.
    assert _memory_mb() - memory < 60
