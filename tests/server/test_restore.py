import sqlite3
from pathlib import Path

import pytest

from signer_server.app import Server
from signer_sync.contract import PacketPhase
from signer_sync.errors import ExchangeError
from tests.server.by_hand import Hand, code
from tests.server.world import OFFICE, World, blob_count, identity, rules


def test_a_state_put_back_from_an_older_copy_begins_a_new_epoch_and_new_chains(world: World) -> None:
    commune, office = world.enrolled(), world.enrolled(OFFICE)
    first, lost = world.packet(), world.packet(number="13")
    commune.put_packet(first)
    epoch = commune.meta().feed_epoch
    copy = world.copy_of_state()
    commune, office = world.again(commune), world.again(office)
    assert commune.meta().feed_epoch == epoch
    commune.put_packet(lost)
    cursor = office.feed(None).cursor
    world.put_back(copy)
    commune, office = world.again(commune), world.again(office)
    assert commune.meta().feed_epoch != epoch
    with pytest.raises(ExchangeError) as caught:
        office.feed(cursor)
    assert caught.value.code == "epoch_changed"
    assert [item.id for item in office.feed(None).items] == [first.packet_id]
    receipt = commune.put_packet(lost).facts
    assert (receipt.seq, receipt.prev_receipt_hash) == (1, None)
    assert commune.put_packet(first).facts.seq == 1
    assert blob_count(world) == 2


def test_an_older_state_under_the_running_servers_feet_is_noticed_by_a_cursor_from_the_future(world: World) -> None:
    commune, office = world.enrolled(), world.enrolled(OFFICE)
    commune.put_packet(world.packet())
    cursor, epoch = office.feed(None).cursor, office.meta().feed_epoch
    world.server.stop()
    with sqlite3.connect(world.folder / "server" / "server.sqlite") as database:
        database.execute("DELETE FROM feed")
    database.close()
    world.server.start()
    office = world.again(office)
    assert office.meta().feed_epoch == epoch
    for ask in (lambda: office.feed(cursor), lambda: office.ack(cursor)):
        with pytest.raises(ExchangeError) as caught:
            ask()
        assert caught.value.code == "epoch_changed"
    assert office.meta().feed_epoch != epoch


def test_an_emptied_server_is_another_epoch_that_knows_nobody(world: World) -> None:
    commune, packet = world.enrolled(), world.packet()
    commune.put_packet(packet)
    epoch, page = commune.meta().feed_epoch, commune.feed(None)
    world.empty()
    with pytest.raises(ExchangeError) as caught:
        world.again(commune).feed(page.cursor)
    assert caught.value.problem == "token-invalid"
    fresh = world.enrolled()
    assert fresh.meta().feed_epoch != epoch
    with pytest.raises(ExchangeError) as old:
        fresh.feed(page.cursor)
    assert old.value.code == "epoch_changed"


def test_packets_whose_bytes_were_lost_are_mended_by_their_sender(world: World) -> None:
    commune, office, packet = world.enrolled(), world.enrolled(OFFICE), world.packet()
    receipt = commune.put_packet(packet)
    (item,) = office.feed(None).items
    next((world.folder / "server" / "packets").glob("*/*")).unlink()
    hand = Hand(world, office, OFFICE)
    assert code(hand.ask("GET", f"/packets/{packet.packet_id}/content")) == "content-lost"
    assert commune.put_packet(packet).text == receipt.text
    assert office.fetch(item, limit=packet.size) == packet.path.read_bytes()


def test_a_waiting_feed_learns_of_a_new_epoch(world: World) -> None:
    office = Hand(world, world.enrolled(OFFICE), OFFICE)
    cursor = office.client.feed(None).cursor
    world.admin.begin_epoch()
    answer = office.ask("GET", f"/orgs/{OFFICE}/feed", params={"cursor": cursor, "wait": "25"})
    assert code(answer) == "epoch-changed"


def test_a_state_of_the_first_version_is_brought_up_to_date_and_loses_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    database = sqlite3.connect(folder / "server.sqlite")
    schema = Path(__file__).parents[2] / "sync" / "signer_server" / "schema.sql"
    database.executescript(schema.read_text(encoding="utf-8"))
    database.executescript(
        """
        INSERT INTO fact VALUES ('epoch', 'e'), ('nonce_secret', 's');
        INSERT INTO organisation VALUES ('H77', 'A', NULL, 1, 1), ('H77.02', 'B', 'H77', 1, 1);
        INSERT INTO device VALUES ('d1', 'H77', '{}', x'00', 'x', 't', NULL);
        INSERT INTO device VALUES ('d2', 'H77', '{}', x'00', 'x', 't', NULL);
        INSERT INTO packet VALUES ('p', 'H77', 'd1', 'ab', 5, 'new', 'doc', 'S', 0, 'accepted', 't', 1, 'r', 'h');
        INSERT INTO recipient VALUES ('p', 'H77.02', 'queued', 't');
        INSERT INTO feed VALUES ('H77.02', 1, 'packet', 'p');
        INSERT INTO feed_ack VALUES ('H77', 0);
        """
    )
    database.close()
    with Server(folder, identity(), rules()) as server:
        state = server._now.context.packets.state("p")
        assert state is not None
        assert (state.state, [item.org for item in state.recipients]) == (PacketPhase.ACCEPTED, ["H77.02"])
        device = server._now.context.accounts
        with device._database.lock:
            chosen = device._db.execute("SELECT id FROM device WHERE chosen = 1").fetchall()
        assert [row["id"] for row in chosen] == ["d1"]
        assert device._database.epoch == "e"
    with Server(folder, identity(), rules()) as again:
        assert again._now.context.packets.state("p") == state
