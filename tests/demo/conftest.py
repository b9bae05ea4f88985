import pytest

from signer_app.demo.pki import DemoPki
from tests.support.pki import shared_pki


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> DemoPki:
    return shared_pki(tmp_path_factory)
