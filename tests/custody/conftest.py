"""What the tests of custody share: an office without tokens, and a clerk's place with two real ones."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from signer_app.workspace import Overrides, Workspace, workspace
from tests.desk.office import Office, office
from tests.support.workspace import Desk, Site


@pytest.fixture(name="office")
def office_of_this_test(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path) as made:
        yield made


@pytest.fixture
def desk(site: Site, tmp_path: Path) -> Desk:
    """A clerk's place of this test alone."""
    return site.desk(tmp_path)


@pytest.fixture
def space(desk: Desk) -> Iterator[Workspace]:
    """The place, opened for writing, with its tokens."""
    with workspace(desk.data, Overrides(), writing=True) as opened:
        yield opened
