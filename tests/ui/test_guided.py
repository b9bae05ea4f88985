"""The clerk's guide, followed in the real window on a real screen."""

import pytest

from tests.support.screen import Screen
from tests.support.workspace import Desk
from tests.ui.guided import GUIDED
from tests.ui.journeys import Stage


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", GUIDED)
def test_who_follows_the_guide_comes_through(desk: Desk, display: Screen, page: str) -> None:
    GUIDED[page](Stage(desk, display))
