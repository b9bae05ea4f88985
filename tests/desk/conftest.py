from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.desk.office import Office, office
from tests.support.workspace import Site, shared_site


@pytest.fixture(name="office")
def office_of_this_test(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path) as made:
        yield made


@pytest.fixture(scope="session", name="site")
def prepared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demonstration workspace of this run of the tests."""
    with shared_site(tmp_path_factory) as made:
        yield made
