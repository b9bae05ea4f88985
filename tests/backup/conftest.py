from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backup.spare import Spare
from tests.exchange.post import Post, post


@pytest.fixture(name="post")
def post_of_this_test(tmp_path: Path) -> Iterator[Post]:
    with post(tmp_path) as made:
        yield made


@pytest.fixture(name="spare")
def spare_of_this_test(post: Post, tmp_path: Path) -> Spare:
    return Spare.set_up(post, tmp_path / "ổ ngoài")
