from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.desk.office import Office, office


@pytest.fixture(name="office")
def office_of_this_test(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path / "office") as made:
        yield made
