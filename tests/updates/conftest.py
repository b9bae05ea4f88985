"""What the tests of updates share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.updates.publisher import Clerk, Publisher, clerk


@pytest.fixture(name="publisher")
def publisher_of_this_test(tmp_path: Path) -> Publisher:
    return Publisher.begin(tmp_path / "phát hành")


@pytest.fixture(name="machine")
def machine_of_this_test(tmp_path: Path, publisher: Publisher) -> Iterator[Clerk]:
    with clerk(tmp_path / "dữ liệu", publisher.root) as made:
        yield made
