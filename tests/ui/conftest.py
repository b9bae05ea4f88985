"""What the tests of the window share: the prepared workspace of this run, and a screen for windows that are driven."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.screen import Screen, screen
from tests.support.workspace import Desk, Site, shared_site


@pytest.fixture(scope="session", name="site")
def prepared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demonstration workspace of this run of the tests."""
    with shared_site(tmp_path_factory) as made:
        yield made


@pytest.fixture
def desk(site: Site, tmp_path: Path) -> Desk:
    """A clerk's place of this test alone; its document server is away."""
    return site.desk(tmp_path)


@pytest.fixture(scope="session")
def display() -> Iterator[Screen]:
    """A screen of 1366×768, the smallest that the window is made for."""
    with screen() as shown:
        yield shown
