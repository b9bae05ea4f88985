"""A clerk's journeys through the real window on a real screen, by mouse and keyboard and by keyboard alone.

Each ends with the window closed: without a thread, a child process or a word of Qt left behind.
"""

import pytest

from tests.support.screen import Screen
from tests.support.workspace import Desk
from tests.ui.journeys import JOURNEYS, Stage, wrong_pin


def test_a_wrong_pin_is_spent_once_in_the_real_window_by_keyboard_alone(desk: Desk, display: Screen) -> None:
    wrong_pin(Stage(desk, display, keys_alone=True))


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("keys_alone", [False, True], ids=["mouse", "keyboard alone"])
@pytest.mark.parametrize("name", JOURNEYS)
def test_a_clerk_comes_through(desk: Desk, display: Screen, name: str, keys_alone: bool) -> None:
    JOURNEYS[name](Stage(desk, display, keys_alone=keys_alone))
