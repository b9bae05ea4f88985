"""The one way to run work elsewhere: who is called back, where, and when not."""

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from signer_resources.errors import KnownError
from signer_ui.tasks import Control, Handle, Lane, Progress, Tasks


class Faults:
    def __init__(self) -> None:
        self.written: list[BaseException] = []

    def __call__(self, fault: BaseException) -> str:
        self.written.append(fault)
        return "logs/fault.txt"


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def tasks(qtbot: QtBot, faults: Faults) -> Iterator[Tasks]:
    made = Tasks(faults)
    yield made
    made.close()


def _ended(handle: Handle, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not handle.running)


def test_the_result_comes_back_on_the_thread_of_the_screen(tasks: Tasks, qtbot: QtBot) -> None:
    seen: list[tuple[str, str]] = []
    here = threading.current_thread().name

    def work(_control: Control) -> str:
        return threading.current_thread().name

    _ended(tasks.run(tasks, Lane.QUICK, work, lambda name: seen.append((name, threading.current_thread().name))), qtbot)
    assert seen == [("signer-quick", here)]


def test_one_lane_does_one_thing_at_a_time_and_in_order(tasks: Tasks, qtbot: QtBot) -> None:
    running, most, order = 0, 0, list[int]()
    guard = threading.Lock()

    def work(number: int) -> int:
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
        with guard:
            running -= 1
        return number

    for number in range(20):
        last = tasks.run(tasks, Lane.TOKEN, lambda _control, n=number: work(n), order.append)  # type: ignore[misc]
    _ended(last, qtbot)
    assert order == list(range(20))
    assert most == 1


def test_lanes_do_not_wait_for_each_other(tasks: Tasks, qtbot: QtBot) -> None:
    gate = threading.Event()
    slow = tasks.run(tasks, Lane.TOKEN, lambda _control: gate.wait(30), lambda _: None)
    _ended(tasks.run(tasks, Lane.QUICK, lambda _control: None, lambda _: None), qtbot)
    assert slow.running
    gate.set()
    _ended(slow, qtbot)


def test_what_is_newest_goes_first_where_that_is_wanted(tasks: Tasks, qtbot: QtBot) -> None:
    gate, order = threading.Event(), list[int]()
    tasks.run(tasks, Lane.PAGES, lambda _control: gate.wait(30), lambda _: None)
    handles = [
        tasks.run(tasks, Lane.PAGES, lambda _control, n=n: n, order.append, newest_first=True)  # type: ignore[misc]
        for n in range(3)
    ]
    gate.set()
    for handle in handles:
        _ended(handle, qtbot)
    assert order == [2, 1, 0]


def test_an_error_of_the_world_goes_to_the_caller(tasks: Tasks, qtbot: QtBot) -> None:
    told: list[KnownError] = []

    def work(_control: Control) -> None:
        raise KnownError("no_token")

    _ended(tasks.run(tasks, Lane.QUICK, work, lambda _: None, failed=told.append), qtbot)
    assert [error.code for error in told] == ["no_token"]


def test_without_a_caller_who_listens_an_error_is_unhandled_and_not_lost(tasks: Tasks, qtbot: QtBot) -> None:
    def work(_control: Control) -> None:
        raise KnownError("no_token")

    with qtbot.waitSignal(tasks.unhandled) as heard:
        tasks.run(tasks, Lane.QUICK, work, lambda _: None)
    assert heard.args is not None
    assert heard.args[0].code == "no_token"


def test_a_fault_of_the_program_is_written_down_and_told_in_words(tasks: Tasks, faults: Faults, qtbot: QtBot) -> None:
    told: list[KnownError] = []

    def work(_control: Control) -> None:
        raise ZeroDivisionError("1234")

    _ended(tasks.run(tasks, Lane.QUICK, work, lambda _: None, failed=told.append), qtbot)
    assert [type(fault) for fault in faults.written] == [ZeroDivisionError]
    assert told[0].code == "program_fault"
    assert "1234" not in str(told[0].params)


def test_who_is_gone_is_told_nothing_and_the_work_ends_all_the_same(tasks: Tasks, qtbot: QtBot) -> None:
    gate, ended, told = threading.Event(), threading.Event(), list[str]()

    def work(control: Control) -> None:
        control.progress("progress_sign", 1, 2)
        gate.wait(30)
        ended.set()

    owner = QObject()
    tasks.run(
        owner,
        Lane.QUICK,
        work,
        lambda _: told.append("done"),
        failed=lambda _: told.append("failed"),
        progress=lambda _: told.append("progress"),
    )
    delete(owner)
    gate.set()
    _ended(tasks.run(tasks, Lane.QUICK, lambda _control: None, lambda _: told.append("the next")), qtbot)
    assert ended.is_set()
    assert told == ["the next"]


def test_cancelled_work_that_waits_is_never_begun(tasks: Tasks, qtbot: QtBot) -> None:
    gate, begun = threading.Event(), list[str]()
    tasks.run(tasks, Lane.PAGES, lambda _control: gate.wait(30), lambda _: None)
    doomed = tasks.run(tasks, Lane.PAGES, lambda _control: begun.append("doomed"), lambda _: begun.append("told"))
    doomed.cancel()
    assert not doomed.running
    last = tasks.run(tasks, Lane.PAGES, lambda _control: None, lambda _: None)
    gate.set()
    _ended(last, qtbot)
    assert begun == []


def test_cancelled_work_ends_where_it_next_looks_and_says_so_to_who_asked(tasks: Tasks, qtbot: QtBot) -> None:
    begun, gate, told = threading.Event(), threading.Event(), list[str]()

    def work(control: Control) -> None:
        begun.set()
        gate.wait(30)
        control.check()
        told.append("went on")

    handle = tasks.run(
        tasks, Lane.QUICK, work, lambda _: told.append("done"), failed=lambda error: told.append(error.code)
    )
    begun.wait(30)
    handle.cancel()
    gate.set()
    _ended(handle, qtbot)
    assert told == ["interrupted"]


def test_a_result_that_came_in_spite_of_the_cancelling_is_not_lost(tasks: Tasks, qtbot: QtBot) -> None:
    begun, gate, told = threading.Event(), threading.Event(), list[str]()

    def work(_control: Control) -> str:
        begun.set()
        gate.wait(30)
        return "signed"

    handle = tasks.run(tasks, Lane.TOKEN, work, told.append, failed=lambda error: told.append(error.code))
    begun.wait(30)
    handle.cancel()
    gate.set()
    _ended(handle, qtbot)
    assert told == ["signed"]


def test_progress_is_thinned_out_but_its_end_is_told(tasks: Tasks, qtbot: QtBot) -> None:
    told: list[Progress] = []

    def work(control: Control) -> None:
        for n in range(10_001):
            control.progress("progress_sign", n, 10_000)

    _ended(tasks.run(tasks, Lane.DOCUMENTS, work, lambda _: None, progress=told.append), qtbot)
    assert told[-1] == Progress("progress_sign", 10_000, 10_000)
    assert len(told) < 2_000


def test_nothing_is_called_after_closing_and_no_thread_stays(qtbot: QtBot, faults: Faults) -> None:
    before = set(threading.enumerate())
    tasks, begun, gate, told = Tasks(faults), threading.Event(), threading.Event(), list[str]()

    def work(control: Control) -> None:
        begun.set()
        while not control.cancelled:
            gate.wait(0.01)

    handle = tasks.run(tasks, Lane.QUICK, work, lambda _: told.append("done"), failed=lambda _: told.append("failed"))
    waiting = tasks.run(tasks, Lane.QUICK, lambda _control: told.append("begun"), lambda _: None)
    begun.wait(30)
    tasks.close()
    assert tasks.run(tasks, Lane.QUICK, lambda _control: None, lambda _: told.append("late")).running is False
    qtbot.wait(1)
    assert told == []
    assert not [t for t in threading.enumerate() if t.name.startswith("signer-") and t not in before]
    del handle, waiting


def test_busy_is_told_when_it_begins_and_when_it_ends(tasks: Tasks, qtbot: QtBot) -> None:
    told: list[bool] = []
    tasks.busy_changed.connect(told.append)
    for _ in range(3):
        handle = tasks.run(tasks, Lane.QUICK, lambda _control: None, lambda _: None)
    _ended(handle, qtbot)
    assert told[0] is True
    assert told[-1] is False
    assert not tasks.busy


def test_what_the_work_was_given_goes_with_its_end_though_somebody_keeps_the_handle(tasks: Tasks, qtbot: QtBot) -> None:
    class Given:
        pass

    given = Given()
    gone = weakref.ref(given)

    def work(_control: Control, held: Given | None = given) -> None:
        assert held is not None

    handle = tasks.run(tasks, Lane.TOKEN, work, lambda _: None)
    del work, given
    _ended(handle, qtbot)
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("fault", [SystemExit, MemoryError, KeyboardInterrupt])
def test_a_lane_outlives_whatever_its_work_raises_and_a_log_that_can_not_be_written(
    qtbot: QtBot, fault: type[BaseException]
) -> None:
    def broken(_fault: BaseException) -> str:
        raise RuntimeError

    def work(_control: Control) -> None:
        raise fault

    tasks, told = Tasks(broken), list[str]()
    _ended(tasks.run(tasks, Lane.QUICK, work, lambda _: None, failed=lambda error: told.append(error.code)), qtbot)
    _ended(tasks.run(tasks, Lane.QUICK, lambda _control: "still there", told.append), qtbot)
    assert told == ["program_fault", "still there"]
    tasks.close()


def test_closing_does_not_wait_for_ever_for_what_hangs_in_the_system(qtbot: QtBot, faults: Faults) -> None:
    tasks, begun, gate = Tasks(faults), threading.Event(), threading.Event()

    def work(_control: Control) -> None:
        begun.set()
        gate.wait(30)
        raise ZeroDivisionError

    tasks.run(tasks, Lane.DOCUMENTS, work, lambda _: None)
    begun.wait(30)
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "signer-documents"]
    tasks.close(patience_s=0)
    assert thread.is_alive()
    gate.set()
    thread.join(30)
    # The store was closed under it: what it raises then is no fault of the program.
    assert (thread.is_alive(), faults.written) == (False, [])
