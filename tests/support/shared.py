"""What a run of the tests makes once for all its processes: keys, tokens and letters that take seconds to make.

Whichever process asks first makes it, the others wait for it; nobody writes into it afterwards. Services that all
processes need run in a child which ends when the last of them is gone, however it went.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from signer_app.demo.pki import DemoPki

_ROOT = Path(__file__).resolve().parents[2]


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder `name` of this run of the tests; `make` is called with its path if it isn't there yet."""
    base = factory.getbasetemp()
    home = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, whole = home / name, home / f"{name}.whole"
    with FileLock(home / f"{name}.lock"):
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            whole.touch()
    return folder


@contextmanager
def services_of(pki: DemoPki, meeting_place: Path) -> Iterator[None]:
    """The services of a PKI that several processes use, up from here to the end of the block in the last of them.

    `meeting_place` is a folder that all of them name.
    """
    door, lock = meeting_place / "services.door", meeting_place / "services.lock"
    with FileLock(lock):
        held = _enter(door)
        if held is None:
            _start_services(pki.folder, door, lock)
            held = os.open(door, os.O_WRONLY | os.O_NONBLOCK)
    try:
        yield
    finally:
        os.close(held)


def _start_services(*paths: Path) -> None:
    """Returns when they answer; the child has then been let go."""
    command = [sys.executable, "-m", "tests.support.pki_child", *map(str, paths)]
    # It keeps no stream of ours: whoever reads them would wait for its end too.
    null = subprocess.DEVNULL
    subprocess.run(command, cwd=_ROOT, check=True, timeout=60, stdin=null, stdout=null, stderr=null)


def _enter(door: Path) -> int | None:
    """Our end of the door that the services' child watches, or None where there is no such child."""
    try:
        return os.open(door, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None
