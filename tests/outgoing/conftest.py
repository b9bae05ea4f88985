"""Fixtures of the outgoing room: a clerk's place in the prepared workspace, opened as the window opens it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from unittest import mock

import pytest

from signer_app.outgoing.outgoing import Outgoing
from signer_app.workspace import Overrides, Workspace, workspace
from tests.support.workspace import Desk, Site, shared_site

Opener = Callable[[Desk], AbstractContextManager[Workspace]]


@pytest.fixture(scope="session", name="site")
def prepared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with shared_site(tmp_path_factory) as made:
        yield made


@contextmanager
def opened(desk: Desk) -> Iterator[Workspace]:
    """The workspace, with the lock; its workers stay warm for the next one."""
    with (
        mock.patch("signer_app.workspace.Workers", return_value=desk.site.workers),
        workspace(desk.data, Overrides(), writing=True) as space,
    ):
        yield space


@pytest.fixture
def desk(site: Site, tmp_path: Path) -> Desk:
    return site.desk(tmp_path)


@pytest.fixture
def space(desk: Desk) -> Iterator[Workspace]:
    with opened(desk) as space:
        yield space


@pytest.fixture
def outgoing(space: Workspace) -> Outgoing:
    return Outgoing(space)
