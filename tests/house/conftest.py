"""What the tests of the house look at: the checkout itself, its files as git knows them, and its syntax trees.

Reads the checkout, writes nothing in it, imports none of its modules.
"""

import ast
import subprocess
from pathlib import Path

import pytest

from tests.house.tree import ROOMS, Module


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def committed(root: Path) -> list[Path]:
    """Every file that is or would be committed, relative to the checkout."""
    # Whoever runs the tests need not be the one to whom the checkout belongs.
    git = ["git", "-c", f"safe.directory={root}", "-C", str(root)]
    listing = subprocess.run(
        [*git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True, check=True
    ).stdout
    found = [Path(name) for name in listing.decode().split("\0") if name]
    assert len(found) > 100
    return [path for path in found if (root / path).is_file()]


@pytest.fixture(scope="session")
def modules(root: Path, committed: list[Path]) -> list[Module]:
    """Every Python file of the product, tests left out."""
    return [
        Module(path, ast.parse((root / path).read_text(encoding="utf-8")))
        for path in committed
        if path.suffix == ".py" and path.parts[0] in ROOMS
    ]
