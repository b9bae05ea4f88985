"""The demonstration's PKI for tests: one per run of the tests, because making its keys takes seconds.

    @pytest.fixture(scope="session")
    def pki(tmp_path_factory: pytest.TempPathFactory) -> DemoPki:
        return shared_pki(tmp_path_factory)

Whatever asks gets the same PKI, also from different rooms and processes; nobody may write into its folder. The services
(`with pki.services():`) have one port: only tests/demo/test_pki_services.py opens them, and a file stays with one
process.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from signer_app.demo.pki import DemoPki
from signer_app.demo.pki_names import Holder
from signer_app.demo.softhsm import SoftToken
from tests.support.shared import made_once

AGENCY_TOKEN = "UBND xã Hòa Sơn"
LEADER_TOKEN = "Nguyễn Thị Phượng"

SETUP_COMMAND: Sequence[str] = (
    sys.executable,
    "-c",
    "from signer_app.demo.softhsm import child_main; raise SystemExit(child_main())",
)
"""What `--child=softhsm-setup` of the program comes to."""


def shared_pki(factory: pytest.TempPathFactory) -> DemoPki:
    """The PKI of this run of the tests."""
    return DemoPki.create_or_load(made_once(factory, "shared-pki", DemoPki.create_or_load))


def two_tokens(pki: DemoPki) -> tuple[SoftToken, SoftToken]:
    """What is on the two tokens of a demonstration: the agency's and the leader's certificate."""
    return (
        SoftToken(AGENCY_TOKEN, pki.leaf(Holder.AGENCY)),
        SoftToken(LEADER_TOKEN, pki.leaf(Holder.LEADER)),
    )


def copied_folder(pki_folder: Path, to: Path) -> Path:
    """A copy of a PKI's folder that a test may damage."""
    return Path(shutil.copytree(pki_folder, to))
