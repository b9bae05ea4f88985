"""A cut at each step of keeping a packet: afterwards the server has it whole or not at all."""

import sqlite3
from pathlib import Path

import pytest

from signer_sync.errors import ExchangeError
from tests.server.world import COMMUNE, OFFICE, blob_count, running


class Cut:
    """Breaks off once, at the step with this name."""

    def __init__(self, step: str) -> None:
        self._step: str | None = step

    def __call__(self, step: str) -> None:
        if step == self._step:
            self._step = None
            raise OSError("power cut")


@pytest.mark.parametrize("step", ["file", "rows", "commit"])
def test_a_cut_at_any_step_leaves_one_copy_after_the_same_packet_comes_again(
    tmp_path: Path, step: str, caplog: pytest.LogCaptureFixture
) -> None:
    with running(tmp_path, checkpoint=Cut(step)) as world:
        client, office, packet = world.enrolled(), world.enrolled(OFFICE), world.packet()
        with pytest.raises(ExchangeError) as caught:
            client.put_packet(packet)
        assert caught.value.unreachable
        world.restart()
        assert blob_count(world) == (1 if step == "commit" else 0)
        client, office = world.again(client), world.again(office)
        receipt = client.put_packet(packet)
        assert receipt.facts.seq == 1
        assert [item.id for item in office.feed(None).items] == [packet.packet_id]
        assert blob_count(world) == 1
    assert "power cut" in caplog.text


def test_a_restart_keeps_machines_packets_feeds_and_receipts(tmp_path: Path) -> None:
    with running(tmp_path) as world:
        client, office, packet = world.enrolled(), world.enrolled(OFFICE), world.packet()
        receipt = client.put_packet(packet)
        cursor = office.feed(None).cursor
        epoch = client.meta().feed_epoch
        world.restart()
        client, office = world.again(client), world.again(office)
        assert client.meta().feed_epoch == epoch
        assert client.put_packet(packet).text == receipt.text
        assert client.receipt(packet.packet_id, packet.sha256).text == receipt.text
        assert office.feed(cursor).items == ()
        assert client.put_packet(world.packet()).facts.prev_receipt_hash is not None


def test_unfinished_files_of_an_earlier_run_are_removed_at_start(tmp_path: Path) -> None:
    with running(tmp_path) as world:
        world.enrolled().put_packet(world.packet())
        left = tmp_path / "server" / "packets" / "ab"
        left.mkdir(exist_ok=True)
        (left / f"{'ab' * 32}.0123.tmp").write_bytes(b"half")
        world.restart()
        assert blob_count(world) == 1


def test_files_and_folders_are_for_the_servers_user_only(tmp_path: Path) -> None:
    with running(tmp_path) as world:
        world.enrolled(COMMUNE).put_packet(world.packet())
        modes = {
            path.relative_to(tmp_path).as_posix(): path.stat().st_mode & 0o077
            for path in (tmp_path / "server").rglob("*")
        }
    assert modes
    assert not any(modes.values())


def test_a_packets_file_has_its_final_name_before_its_row_exists(tmp_path: Path) -> None:
    seen: dict[str, tuple[int, int]] = {}

    def look(step: str) -> None:
        with sqlite3.connect(f"file:{tmp_path / 'server' / 'server.sqlite'}?mode=ro", uri=True) as database:
            rows = database.execute("SELECT count(*) FROM packet").fetchone()[0]
        database.close()
        files = list((tmp_path / "server" / "packets").glob("*/*"))
        seen[step] = (sum(len(path.name) == 64 for path in files), rows)

    with running(tmp_path, checkpoint=look) as world:
        world.enrolled().put_packet(world.packet())
    assert seen == {"file": (1, 0), "rows": (1, 0), "commit": (1, 1)}
