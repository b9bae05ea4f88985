"""Fixtures of the tests of levels."""

import unittest.mock
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from signer_app.demo.pki_names import Authority
from signer_app.workspace import Overrides, workspace
from tests.levels.signed import Clock, Place
from tests.pdf.signing import Desk
from tests.support.workspace import Site


@pytest.fixture(scope="session")
def anchors(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root, as an administrator installs it, and this year's lists: OCSP answers must be fetched."""
    folder = tmp_path_factory.mktemp("anchors")
    (folder / "root.cer").write_bytes(site.pki.root_der)
    for authority in Authority:
        (folder / f"{authority}.crl").write_bytes(site.pki.crl_der(authority))
    return folder


@pytest.fixture
def place(site: Site, anchors: Path, tmp_path: Path) -> Iterator[Place]:
    """A place of this test alone, with the services of the PKI up."""
    clock, letters = Clock(), tmp_path / "văn bản"
    letters.mkdir()
    with (
        unittest.mock.patch("signer_app.workspace.Workers", return_value=site.workers),
        workspace(tmp_path / "dữ liệu", Overrides(trust_dir=anchors), writing=True, now=clock) as space,
    ):
        made = Place(space, Desk(site.pki, letters), clock, site.pki.tsa_url)
        made.settings(lambda old: msgspec.structs.replace(old, tsa_url=site.pki.tsa_url))
        yield made


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between two rounds over the servers."""
    monkeypatch.setattr("signer_app.signing.timestamps._PAUSES_S", (0.0, 0.0))
