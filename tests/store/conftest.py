"""What the store's tests share: a data folder, an open writer, a clock that is told, and small signings."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from signer_app.store.datafolder import DataFolder
from signer_app.store.store import Store
from tests.store.letters import Clock, Letters


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "dữ liệu")


@pytest.fixture
def store(folder: DataFolder, clock: Clock) -> Iterator[Store]:
    with folder.lock(), Store.open(folder, clock) as opened:
        yield opened


@pytest.fixture
def letters(store: Store, clock: Clock) -> Letters:
    return Letters(store, clock)
