"""What holds for every test: windows without a screen, no authorities, and an order that keeps two processes busy.

Read before any test module, so that Qt, wherever it is first imported, finds its platform chosen.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.workspace import Site

# A person who wants to see the windows says so: QT_QPA_PLATFORM=xcb ./run test -k window.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Every HTTP session reads the system's certificate authorities, which takes longer than a request on loopback; no test
# asks a server that they vouch for.
os.environ["SSL_CERT_FILE"] = os.devnull

_FIRST = (
    # One process prepares the workspace of all tests of the program while the other is busy elsewhere.
    "app/test_demo.py",
    "pdf/test_place.py",
    "app/test_kill_campaign.py",
    "app/test_trouble.py",
    "app",
    "ui",
    "outgoing",
    "desk",
    "pdf",
    "verification",
    "token",
    "demo",
)
"""Files and rooms that take longest: begun first, so that what is left at the end is short."""


@pytest.fixture(scope="session", name="site")
def prepared_site(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Site]":
    """The demonstration workspace of this run of the tests."""
    # Here, because importing the whole program takes a second that most rooms' tests can do without.
    from tests.support.workspace import shared_site

    with shared_site(tmp_path_factory) as made:
        yield made


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file is the unit of work of a process (`--dist loadscope`); they are handed out in this order."""
    items.sort(key=lambda item: _turn(item.path))


def _turn(path: Path) -> int:
    place = "/".join(path.parts[-2:])
    return next(
        (turn for turn, name in enumerate(_FIRST) if place == name or place.startswith(f"{name}/")), len(_FIRST)
    )
