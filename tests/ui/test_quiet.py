"""What the program does while nobody works: when it begins, when it is cut, and that nobody is told."""

import threading
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from signer_app.desk.exchange import Link
from signer_app.levels.later import LaterResult
from signer_resources.errors import KnownError
from signer_ui.quiet import AGAIN_AFTER_S, IDLE_S, QuietWork, network_is_there
from signer_ui.tasks import Lane, Tasks

Work = Callable[[Callable[[], bool]], LaterResult]


class Evening:
    """A window that nobody touches, and a clock that is turned by hand."""

    def __init__(self, qtbot: QtBot) -> None:
        self._qtbot = qtbot
        self.now = 0.0
        self.allowed = True
        self.runs = 0
        self.wanted: list[bool] = []
        """Of each run, whether a person wanted it."""
        self.work: Work = lambda _cancelled: LaterResult()
        self.tasks = Tasks(lambda fault: repr(fault))
        self.told: list[KnownError] = []
        self.tasks.unhandled.connect(self.told.append)
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.window.show()
        qtbot.waitExposed(self.window)
        self.quiet = QuietWork(self.tasks, self._work, lambda: self.allowed, clock=lambda: self.now)
        self.raised: list[bool] = []
        self.quiet.raised.connect(lambda: self.raised.append(True))

    def _work(self, cancelled: Callable[[], bool], wanted: bool) -> LaterResult:
        self.runs += 1
        self.wanted.append(wanted)
        return self.work(cancelled)

    def passes(self, seconds: float) -> int:
        """Looks after so many seconds; how many runs there were in all."""
        self.now += seconds
        self.quiet.look()
        self._qtbot.waitUntil(lambda: not self.tasks.busy)
        return self.runs


@pytest.fixture
def evening(qtbot: QtBot) -> Iterator[Evening]:
    made = Evening(qtbot)
    yield made
    made.quiet.stop()
    made.tasks.close()


def test_work_begins_when_nobody_has_touched_anything_for_a_while(evening: Evening) -> None:
    assert evening.passes(IDLE_S / 2) == 0
    QTest.keyClick(evening.window.windowHandle(), Qt.Key.Key_A)
    assert evening.passes(IDLE_S / 2 + 1) == 0
    assert evening.passes(IDLE_S / 2) == 1


def test_nothing_begins_while_others_work_or_say_no(evening: Evening, qtbot: QtBot) -> None:
    evening.allowed = False
    assert evening.passes(IDLE_S) == 0
    evening.allowed = True
    signed = threading.Event()
    evening.tasks.run(evening.window, Lane.TOKEN, lambda _control: signed.wait(), lambda _done: None)
    evening.quiet.look()
    signed.set()
    qtbot.waitUntil(lambda: not evening.tasks.busy)
    assert evening.runs == 0
    assert evening.passes(0) == 1


def test_who_comes_back_cuts_it_and_it_goes_on_in_the_next_quiet_moment(evening: Evening, qtbot: QtBot) -> None:
    begun, cut = threading.Event(), threading.Event()

    def works(cancelled: Callable[[], bool]) -> LaterResult:
        begun.set()
        while not cancelled():
            cut.wait(0.01)
        return LaterResult(raised=3)

    evening.work = works
    evening.now = IDLE_S
    evening.quiet.look()
    qtbot.waitUntil(begun.is_set)
    QTest.mouseClick(evening.window.windowHandle(), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not evening.tasks.busy)
    assert evening.raised == [True]
    evening.work = lambda _cancelled: LaterResult()
    assert evening.passes(IDLE_S) == 2


def test_with_nothing_left_to_do_it_looks_again_much_later_unless_something_changes(evening: Evening) -> None:
    assert evening.passes(IDLE_S) == 1
    assert evening.passes(AGAIN_AFTER_S - 1) == 1
    assert evening.passes(1) == 2
    evening.quiet.hurry()
    assert evening.passes(1) == 3


def test_what_fails_is_told_nobody_and_tried_again_later(evening: Evening) -> None:
    def fails(_cancelled: Callable[[], bool]) -> LaterResult:
        raise KnownError("disk_full", folder="/")

    evening.work = fails
    assert evening.passes(IDLE_S) == 1
    assert evening.passes(IDLE_S) == 1
    assert evening.passes(AGAIN_AFTER_S) == 2
    assert (evening.told, evening.raised) == ([], [])


def test_what_a_person_wants_begins_at_once_and_no_touch_cuts_it(evening: Evening, qtbot: QtBot) -> None:
    begun, go_on = threading.Event(), threading.Event()
    cut: list[bool] = []

    def works(cancelled: Callable[[], bool]) -> LaterResult:
        begun.set()
        go_on.wait(10)
        cut.append(cancelled())
        return LaterResult()

    evening.work, evening.allowed = works, False
    evening.quiet.look()
    assert evening.runs == 0
    evening.quiet.run_now()
    evening.quiet.run_now()
    qtbot.waitUntil(begun.is_set)
    assert evening.quiet.wanted
    QTest.mouseClick(evening.window.windowHandle(), Qt.MouseButton.LeftButton)
    go_on.set()
    qtbot.waitUntil(lambda: not evening.tasks.busy)
    assert (evening.wanted, cut, evening.quiet.wanted) == ([True], [False], False)


def test_a_fault_is_told_to_who_wanted_the_run(evening: Evening, qtbot: QtBot) -> None:
    def fails(_cancelled: Callable[[], bool]) -> LaterResult:
        raise KnownError("disk_full", folder="/")

    evening.work = fails
    evening.quiet.run_now()
    qtbot.waitUntil(lambda: not evening.tasks.busy)
    assert [error.code for error in evening.told] == ["disk_full"]
    assert not evening.quiet.wanted


def test_only_a_server_that_was_asked_in_vain_speaks_against_a_network() -> None:
    assert [link for link in Link if not network_is_there(link)] == [Link.AWAY]
