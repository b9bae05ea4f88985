from pathlib import Path

import pytest

from tests.support.shared import made_once
from tests.support.workspace import Desk, Site


@pytest.fixture
def desk(site: Site, tmp_path: Path) -> Desk:
    """A clerk's place of this test alone; its document server is away."""
    return site.desk(tmp_path)


@pytest.fixture(scope="session")
def full_outbox(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A place where three letters were signed and wait to be sent. To be copied, never used."""

    def fill(folder: Path) -> None:
        desk = site.desk(folder)
        for sample in ("cong-van.pdf", "giay-moi.pdf", "ke-hoach.pdf"):
            desk.letter(sample)
        listing = desk.listing(
            "input,number,date,to",
            "cong-van.pdf,1/UBND-VP,2026-11-20,H77;H77.02",
            "giay-moi.pdf,2/GM-UBND,2026-11-20,H77.16",
            "ke-hoach.pdf,3/KH-UBND,2026-11-20,H77",
        )
        answer = desk.sign("--list", listing, "--profile", "agency")
        assert answer.code == 0, answer.out

    return site.desk_at(made_once(tmp_path_factory, "full-outbox", fill))


@pytest.fixture
def waiting(site: Site, full_outbox: Desk, tmp_path: Path) -> Desk:
    """A copy of the place where three letters wait to be sent."""
    return site.desk(tmp_path, full_outbox)
