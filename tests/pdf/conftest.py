"""Fixtures of the PDF room: the demonstration's PKI with its keys in memory, and one who signs with them."""

from pathlib import Path

import pytest

from signer_app.demo.pki import DemoPki
from tests.pdf.signing import Desk
from tests.support.pki import shared_pki


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> DemoPki:
    return shared_pki(tmp_path_factory)


@pytest.fixture
def desk(pki: DemoPki, tmp_path: Path) -> Desk:
    return Desk(pki, tmp_path)
