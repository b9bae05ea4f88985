"""The server is killed at random instants while packets come in: each is there once, and every promise made is kept."""

import hashlib
import random
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from signer_sync.client import ServerClient
from signer_sync.errors import ExchangeError
from signer_sync.http import HttpSettings, open_session
from signer_sync.keystore import DeviceIdentity
from signer_sync.packets import OutgoingPacket, SignedReceipt
from tests.server.process import prepare, process
from tests.server.world import COMMUNE, OFFICE, make_packet, pinned, trust


def client_of(stack: ExitStack, url: str, org: str) -> ServerClient:
    session = stack.enter_context(open_session(HttpSettings(connect_timeout=10, read_timeout=20)))
    client = ServerClient(url, pinned(), None, session)
    holder = trust().commune if org == COMMUNE else trust().office
    client.enrol(holder.sign, holder.chain_der, DeviceIdentity.create(org))
    return client


def campaign(folder: Path, kills: int, seed: int) -> None:
    """Sends small and large packets over and over through `kills` violent ends, then looks what is there."""
    chance, port = random.Random(seed), prepare(folder)
    url = f"http://127.0.0.1:{port}"
    packets = [
        make_packet(folder, number=str(number), content=chance.randbytes(600_000 if number % 4 == 0 else 3000))
        for number in range(1, 9)
    ]
    receipts: dict[str, SignedReceipt] = {}
    sender: ServerClient | None = None
    with ExitStack() as stack:
        for _ in range(kills):
            with process(folder, port) as server:
                sender = sender or client_of(stack, url, COMMUNE)
                end = threading.Timer(chance.uniform(0.02, 0.5), server.kill)
                end.start()
                while server.poll() is None:
                    send_one(sender, chance.choice(packets), receipts)
                end.join()
        assert sender is not None
        stack.enter_context(process(folder, port))
        office = client_of(stack, url, OFFICE)
        for packet in packets:
            send_one(sender, packet, receipts)
        assert sorted(item.facts.seq for item in receipts.values()) == [*range(1, len(packets) + 1)]
        items = office.feed(None).items
        assert sorted(item.id for item in items) == sorted(packet.packet_id for packet in packets)
        for item, packet in ((item, packet) for item in items for packet in packets if item.id == packet.packet_id):
            content = office.fetch(item, limit=packet.size)
            assert hashlib.sha256(content).hexdigest() == packet.sha256
    names = sorted(path.name for path in (folder / "server" / "packets").glob("*/*"))
    assert names == sorted(packet.sha256 for packet in packets)


def send_one(sender: ServerClient, packet: OutgoingPacket, receipts: dict[str, SignedReceipt]) -> None:
    """One try; a receipt, once given, is the same for ever."""
    try:
        receipt = sender.put_packet(packet)
    except ExchangeError as error:
        if not error.unreachable:
            raise
        return
    assert receipts.setdefault(packet.packet_id, receipt).text == receipt.text


def test_a_server_killed_at_random_instants_has_each_packet_once_and_keeps_its_receipts(tmp_path: Path) -> None:
    campaign(tmp_path, kills=3, seed=1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_a_server_killed_many_times_has_each_packet_once_and_keeps_its_receipts(tmp_path: Path, seed: int) -> None:
    campaign(tmp_path, kills=20, seed=seed)
