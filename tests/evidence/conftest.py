"""Fixtures of the tests of checking and its evidence: a workspace with a clock that stands still, a small PKI, and
workers that stay warm.
"""

import datetime as dt
import unittest.mock
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from signer_app.store.settings import load_settings, save_settings
from signer_app.workspace import Overrides, Workspace, workspace
from tests.support.workspace import WarmWorkers
from tests.verification.documents import SignAs, make_document, sign
from tests.verification.small_pki import NOW, Pki, make_certificate, make_crl


class Clock:
    """The time of the small PKI, until it is told to go on."""

    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> dt.datetime:
        return self.time


Opener = Callable[..., Workspace]
"""Opens the workspace in the test's folder: with the lock unless `writing` is False; `trust` as --trust."""


@pytest.fixture(scope="session")
def pki() -> Pki:
    root = make_certificate("Gốc thử nghiệm", None, ca=True)
    ca = make_certificate("CA thử nghiệm", root, ca=True)
    leader = make_certificate("Nguyễn Văn Ổn", ca, key=rsa.generate_private_key(65537, 2048))
    body = make_certificate("UBND xã Đồng Tâm", ca)
    return Pki(root, ca, leader, body, make_certificate("TSA", ca))


@pytest.fixture(scope="session")
def letter(pki: Pki) -> bytes:
    """A letter with two signatures."""
    first = sign(make_document(), pki.leader, SignAs("LanhDao"))
    return sign(first, pki.body, SignAs("ConDau"))


@pytest.fixture(scope="session")
def crls(pki: Pki) -> tuple[bytes, bytes]:
    return make_crl(pki.root), make_crl(pki.ca)


@pytest.fixture(scope="session")
def workers() -> Iterator[WarmWorkers]:
    made = WarmWorkers()
    yield made
    made.end()


@pytest.fixture
def anchors(tmp_path: Path, pki: Pki, crls: tuple[bytes, bytes]) -> Path:
    """A folder of trust."""
    folder = tmp_path / "anchors"
    folder.mkdir()
    for name, content in (("root.cer", pki.root.der), ("ca.cer", pki.ca.der), ("1.crl", crls[0]), ("2.crl", crls[1])):
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def opened(tmp_path: Path, workers: WarmWorkers) -> Iterator[Opener]:
    with ExitStack() as stack:
        stack.enter_context(unittest.mock.patch("signer_app.workspace.Workers", return_value=workers))

        def open_it(*, writing: bool = True, trust: Path | None = None) -> Workspace:
            return stack.enter_context(
                workspace(tmp_path / "dữ liệu", Overrides(trust_dir=trust), writing=writing, now=Clock())
            )

        yield open_it


def trust_from(space: Workspace, folder: Path) -> None:
    """The administrator names a folder of trust."""
    save_settings(space.folder, msgspec.structs.replace(load_settings(space.folder), trust_dir=str(folder)))
    space.reload()
