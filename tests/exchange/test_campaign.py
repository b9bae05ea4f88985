"""Programs and server are killed while they exchange over a bad line: in the end nothing is lost, nothing doubled."""

import random
from pathlib import Path

import pytest

from signer_app.store import DataFolder, Store
from tests.server.world import COMMUNE, OFFICE
from tests.support.exchange_campaign import Campaign, Findings, campaign, findings


def run(folder: Path, documents: int, kills: int, seed: int, share: float, pause_s: float) -> None:
    with campaign(folder, documents, kills, random.Random(seed), share) as made:
        made.kill(pause_s)
        made.finish()
        found = findings(made.place, made.tally.given)
        spoilt = _findings_of_spoilt(made)
    assert made.line.counts.total() > 0
    assert made.tally.kills.total() == kills
    assert (made.tally.ends, made.tally.tracebacks) == ({}, 0)
    assert found.documents == documents
    assert found.all_is_well, found
    assert found.packets == found.receipts == 2 * documents, "each document was answered by one status message"
    assert (len(spoilt.lost), len(spoilt.altered)) == (1, 1), "the look at the end sees what is wrong"


def _findings_of_spoilt(made: Campaign) -> Findings:
    """What is found where a document more was given than there is, and a packet that came has rotted on the disk."""
    data = DataFolder(made.place.data(OFFICE))
    with Store.read_only(data) as store, store.view() as view:
        blob = store.blobs.path(view.inbox.list()[0].sha256 or "")
    blob.chmod(0o600)
    blob.write_bytes(b"rot")
    given = made.tally.given
    return findings(made.place, {**given, COMMUNE: given[COMMUNE] + 1})


@pytest.mark.timeout(300)
def test_nothing_is_lost_or_doubled_while_programs_and_server_are_killed_on_a_bad_line(tmp_path: Path) -> None:
    run(tmp_path, documents=8, kills=3, seed=3, share=0.25, pause_s=0.5)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_or_doubled_in_a_long_campaign_of_kills(tmp_path: Path, seed: int) -> None:
    run(tmp_path, documents=60, kills=40, seed=seed, share=0.1, pause_s=4.0)
