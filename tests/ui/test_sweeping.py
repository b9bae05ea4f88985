"""Garbage in cycles is swept on the UI thread: the young often, what grew old seldom, all of it when nobody looks."""

import gc
import weakref
from collections.abc import Iterator
from weakref import WeakSet

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from signer_ui.sweeping import LettingGo, Sweeper


class Cycle:
    """Goes only with a sweep."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def sweeper(qtbot: QtBot) -> Iterator[Sweeper]:
    gc.collect()
    made = Sweeper()
    gc.disable()
    made.settle()
    yield made
    made.stop()


def looks(sweeper: Sweeper, times: int, *, away: bool = False) -> None:
    for _time in range(times):
        sweeper.look(away=away)


def test_a_cycle_goes_within_a_second_where_much_is_made_and_stays_where_nothing_is(sweeper: Sweeper) -> None:
    gone = weakref.ref(Cycle())
    looks(sweeper, 20)
    assert gone() is not None
    kept = [[n] for n in range(1_000)]
    looks(sweeper, 10)
    assert gone() is None
    assert len(kept) == 1_000


def test_thousands_of_rows_are_left_alone_until_nobody_is_at_the_window(sweeper: Sweeper) -> None:
    frozen, rows = gc.get_freeze_count(), list[list[int]]()
    cycles: list[Cycle] = []
    for _load in range(6):
        rows += [[n] for n in range(10_000)]
        cycles.append(Cycle())
        sweeper.look(away=False)
    assert gc.get_freeze_count() > frozen + 50_000
    gone = [weakref.ref(cycle) for cycle in cycles]
    cycles.clear()
    looks(sweeper, 6_000)
    assert gone[0]() is not None
    looks(sweeper, 1, away=True)
    assert [one() for one in gone] == [None] * 6
    assert len(rows) == 60_000


def test_what_grew_a_little_old_is_swept_once_a_minute(sweeper: Sweeper) -> None:
    held = Cycle()
    gone = weakref.ref(held)
    kept = [[n] for n in range(1_000)]
    looks(sweeper, 10)
    del held
    looks(sweeper, 580)
    assert gone() is not None
    looks(sweeper, 20)
    assert gone() is None
    assert len(kept) == 1_000


class Row:
    """Something of which there are thousands."""


def test_what_was_replaced_goes_a_little_at_a_time(qtbot: QtBot) -> None:
    parent = QObject()
    leaving = LettingGo(parent)
    rows = [Row() for _ in range(1000)]
    left = WeakSet(rows)
    leaving.add(rows)
    rows.clear()
    assert len(left) == 1000
    some = set[int]()

    def all_gone() -> bool:
        some.add(len(left))
        return not left

    qtbot.waitUntil(all_gone)
    assert some - {0, 1000}
