from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.desk.office import Office, office
from tests.exchange.post import Post, post


@pytest.fixture(name="office")
def office_of_this_test(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path) as made:
        yield made


@pytest.fixture(name="post")
def post_of_this_test(tmp_path: Path) -> Iterator[Post]:
    with post(tmp_path) as made:
        yield made
