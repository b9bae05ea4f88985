"""Uploads against the real server, over lines that break; and against a server that lies."""

import base64
import gzip
import hashlib
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from signer_sync import contract as c
from signer_sync import jws, uploads
from signer_sync.client import ClientPool, ServerClient
from signer_sync.errors import ExchangeError
from signer_sync.http import HttpSettings, open_session
from signer_sync.ids import uuid7
from signer_sync.keystore import DeviceIdentity
from signer_sync.packets import OutgoingPacket
from tests.server.world import COMMUNE, OFFICE, SERVER_ID, World, make_packet, pinned, rules, running, trust
from tests.sync.faults import FaultProxy, LyingServer, Reply, fault_proxy, json_reply, lying_server, signed_meta

INLINE = 4096
SIZE = 3 << 20
CONTENT = b"%PDF-1.7\n" + bytes(range(256)) * (SIZE // 256)
PATCH = rb"^PATCH /v1/uploads/"
TUS = c.Tus(version="1.0.0", extensions=("creation", "expiration", "termination"))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with running(tmp_path, server_rules=rules(max_inline=INLINE)) as made:
        yield made


@pytest.fixture
def packet(world: World) -> OutgoingPacket:
    return world.packet(content=CONTENT)


@contextmanager
def behind(world: World) -> Iterator[tuple[ServerClient, FaultProxy]]:
    """An enrolled client that reaches the server over a line that can be broken."""
    device = world.enrolled()
    with fault_proxy(world.server.url) as proxy:
        yield world.again(device, proxy.url), proxy


def patches(proxy: FaultProxy) -> int:
    return sum(line.startswith(b"PATCH ") for line in proxy.asked)


def arrived(world: World, packet: OutgoingPacket) -> list[str]:
    """The ids of what the receiver got, whose bytes are exactly those sent."""
    office = world.enrolled(OFFICE)
    items = office.feed(None).items
    for item in items:
        assert office.fetch(item, limit=1 << 24) == packet.path.read_bytes()
    return [item.id for item in items]


# -- against the real server, over lines that break --------------------------------------------------------


def test_a_packet_above_the_inline_size_goes_as_one_upload_in_one_patch(world: World, packet: OutgoingPacket) -> None:
    told: list[int] = []
    with behind(world) as (client, proxy):
        receipt = client.put_packet(packet, sent=told.append)
    assert (receipt.facts.sha256, receipt.facts.size) == (packet.sha256, packet.size)
    assert patches(proxy) == 1
    assert sum(told) == packet.size
    assert arrived(world, packet) == [packet.packet_id]


def test_a_large_packet_goes_packed_and_takes_less_of_the_line(world: World) -> None:
    with behind(world) as (client, proxy):
        packet = world.packet(content=random.Random(5).randbytes(300_000))
        client.put_packet(packet)
        assert proxy.brought < 0.8 * packet.size
    assert arrived(world, packet) == [packet.packet_id]


def test_a_cut_upload_goes_on_where_it_broke_within_one_call(world: World, packet: OutgoingPacket) -> None:
    told: list[int] = []
    with behind(world) as (client, proxy):
        proxy.cut_requests(PATCH, 1 << 20, times=2)
        receipt = client.put_packet(packet, sent=told.append)
    assert receipt.facts.seq == 1
    assert patches(proxy) == 3
    assert sum(told) == packet.size
    assert arrived(world, packet) == [packet.packet_id]


def test_a_cut_upload_goes_on_where_it_broke_in_a_later_call_of_another_process(
    world: World, packet: OutgoingPacket
) -> None:
    with behind(world) as (client, proxy):
        proxy.cut_requests(PATCH, 2 << 20)
        proxy.cut_requests(rb"^HEAD ", 1)
        with pytest.raises(ExchangeError) as caught:
            client.put_packet(packet)
        assert (caught.value.code, caught.value.unreachable) == ("server_unreachable", True)
        told: list[int] = []
        world.again(client, proxy.url).put_packet(replace(packet, attempts=1), sent=told.append)
    assert patches(proxy) == 2
    assert told[0] >= 1 << 20, "what is there already is told at once and not sent again"
    assert sum(told) == packet.size
    assert arrived(world, packet) == [packet.packet_id]


def test_a_lost_answer_to_the_last_patch_sends_nothing_twice(world: World, packet: OutgoingPacket) -> None:
    with behind(world) as (client, proxy):
        proxy.lose_answers(PATCH)
        client.put_packet(packet)
    assert (proxy.lost, patches(proxy)) == (1, 1)
    assert arrived(world, packet) == [packet.packet_id]


def test_a_lost_answer_to_the_commit_gets_the_same_receipt_without_the_bytes(
    world: World, packet: OutgoingPacket
) -> None:
    with behind(world) as (client, proxy):
        # the first time on a kept connection, which might have been closed while nobody asked: it asks once more
        proxy.lose_answers(rb"^PUT /v1/orgs/[^ ]+/packets/[0-9a-f-]+ ", times=2)
        with pytest.raises(ExchangeError) as caught:
            client.put_packet(packet)
        assert caught.value.unreachable
        receipt = client.put_packet(replace(packet, attempts=1, uncertain=True))
    assert (receipt.facts.seq, patches(proxy)) == (1, 1)
    assert sum(line == b"POST /v1/uploads" for line in proxy.asked) == 1
    assert arrived(world, packet) == [packet.packet_id]


def test_an_upload_that_the_server_has_dropped_is_begun_anew(world: World, packet: OutgoingPacket) -> None:
    with behind(world) as (client, proxy):
        proxy.cut_requests(PATCH, 1 << 20)
        proxy.cut_requests(rb"^HEAD ", 1)
        with pytest.raises(ExchangeError):
            client.put_packet(packet)
        world.clock.seconds += 8 * 86400
        receipt = world.again(client, proxy.url).put_packet(replace(packet, attempts=1))
    assert receipt.facts.sha256 == packet.sha256
    assert arrived(world, packet) == [packet.packet_id]


def test_chunks_are_bounded_once_a_proxy_holds_whole_requests_back(
    world: World, packet: OutgoingPacket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "BUFFER_SIGN", 512 << 10)
    with behind(world) as (client, proxy):
        proxy.holds = 1 << 20
        client.put_packet(packet)
    assert arrived(world, packet) == [packet.packet_id]
    assert patches(proxy) > 3
    assert len(proxy.asked) < 40


def test_a_line_that_never_lets_anything_through_is_given_up(world: World, packet: OutgoingPacket) -> None:
    with behind(world) as (client, proxy):
        proxy.cut_requests(PATCH, 1, times=50)
        with pytest.raises(ExchangeError) as caught:
            client.put_packet(packet)
    assert (caught.value.code, caught.value.unreachable) == ("server_unreachable", True)
    assert patches(proxy) == uploads.MAX_IDLE_CUTS


def test_an_expired_token_in_the_middle_is_renewed(world: World, packet: OutgoingPacket) -> None:
    with behind(world) as (client, proxy):
        client.feed(None)
        world.clock.seconds += 901
        client.put_packet(packet)
    assert arrived(world, packet) == [packet.packet_id]
    assert sum(line == b"POST /v1/token" for line in proxy.asked) == 2


def test_a_large_packet_is_not_held_in_memory_although_the_server_would_take_it_in_one_request(
    world: World, packet: OutgoingPacket, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.restart(server_rules=rules(max_inline=1 << 24))
    monkeypatch.setattr(uploads, "INLINE_HERE", 1 << 20)
    with behind(world) as (client, proxy):
        client.put_packet(packet)
    assert patches(proxy) == 1
    assert arrived(world, packet) == [packet.packet_id]


def test_a_damaged_file_is_not_uploaded(world: World, packet: OutgoingPacket) -> None:
    with behind(world) as (client, proxy):
        for damage in (b"short", packet.path.read_bytes()[:-1] + b"?", packet.path.read_bytes() + b"more", None):
            if damage is None:
                packet.path.unlink()
            else:
                packet.path.write_bytes(damage)
            with pytest.raises(ExchangeError) as caught:
                client.put_packet(packet)
            assert (caught.value.code, caught.value.retry) == ("packet_damaged", c.Retry.FIX)
    assert not any(b"/uploads" in line for line in proxy.asked)


def test_the_same_id_with_other_content_is_a_conflict(world: World, packet: OutgoingPacket) -> None:
    client = world.enrolled()
    client.put_packet(packet)
    other = make_packet(world.folder, content=CONTENT + b"!", packet_id=packet.packet_id)
    with pytest.raises(ExchangeError) as caught:
        client.put_packet(other)
    assert (caught.value.code, caught.value.retry) == ("packet_conflict", c.Retry.NEVER)


def test_the_kind_and_document_id_of_the_commit_must_be_those_of_the_packet(
    world: World, packet: OutgoingPacket
) -> None:
    with pytest.raises(ExchangeError) as caught:
        world.enrolled().put_packet(replace(packet, kind=c.PacketKind.REVOKE))
    assert (caught.value.code, caught.value.problem) == ("packet_refused", "metadata-mismatch")


def test_the_journals_head_is_anchored_in_the_receipt_of_an_upload(world: World, packet: OutgoingPacket) -> None:
    head = c.JournalHead(7, "ab" * 32)
    assert world.enrolled().put_packet(packet, head).facts.journal_head == str(head)


def test_who_listens_can_end_an_upload_and_it_goes_on_there_later(world: World, packet: OutgoingPacket) -> None:
    class StoppedError(Exception):
        pass

    def stop_half_way(_more: int) -> None:
        so_far.append(_more)
        if sum(so_far) > SIZE // 2:
            raise StoppedError

    so_far: list[int] = []
    client = world.enrolled()
    with pytest.raises(StoppedError):
        client.put_packet(packet, sent=stop_half_way)
    assert client.put_packet(replace(packet, attempts=1)).facts.seq == 1
    assert arrived(world, packet) == [packet.packet_id]


def test_several_threads_send_over_one_pool_with_one_token(world: World) -> None:
    device = world.enrolled().device
    packets = [world.packet(content=CONTENT[: 20_000 + number]) for number in range(6)]
    failed: list[BaseException] = []
    with (
        fault_proxy(world.server.url) as proxy,
        ClientPool(proxy.url, pinned(), device, HttpSettings(), most=3, epoch_seconds=world.clock) as pool,
    ):

        def send(packet: OutgoingPacket) -> None:
            try:
                pool.put_packet(packet)
            except BaseException as error:  # noqa: BLE001 - told to the test's own thread
                failed.append(error)

        threads = [threading.Thread(target=send, args=(packet,)) for packet in packets]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed
        assert sum(line == b"POST /v1/token" for line in proxy.asked) == 1
        assert sum(line == b"GET /v1/meta" for line in proxy.asked) == 1
    office = world.enrolled(OFFICE)
    assert {item.id for item in office.feed(None).items} == {packet.packet_id for packet in packets}


def test_a_closed_pool_asks_nobody(world: World) -> None:
    pool = ClientPool(world.server.url, pinned(), world.enrolled().device, HttpSettings(), epoch_seconds=world.clock)
    pool.meta()
    pool.close()
    with pytest.raises(RuntimeError):
        pool.meta()


# -- against a server that lies ----------------------------------------------------------------------------

UPLOAD = "0199a1b2-0000-7000-8000-0000000000aa"


def big_packet(folder: Path) -> OutgoingPacket:
    return make_packet(folder, data=b"x" * 9000)


def receipt_for(packet: OutgoingPacket, **changes: str) -> Reply:
    facts = c.Receipt(
        **{  # type: ignore[arg-type]
            "server_id": SERVER_ID,
            "packet_id": packet.packet_id,
            "sha256": packet.sha256,
            "size": packet.size,
            "received_at": "2026-11-20T08:00:00+07:00",
            "seq": 1,
            **changes,
        }
    )
    message = jws.sign(msgspec.json.encode(facts), trust().server.key, typ=c.TYP_RECEIPT)
    return json_reply(c.AcceptedPacket(state=c.PacketPhase.ACCEPTED, receipt=message), 202)


def made(**headers: str) -> Reply:
    """The answer to the creation of an upload."""
    told = {"Location": f"/v1/uploads/{UPLOAD}", "Tus_Resumable": "1.0.0", "Upload_Offset": "0"} | headers
    return Reply(201, headers=tuple((name.replace("_", "-"), value) for name, value in told.items()))


def at(offset: object, status: int = 204) -> Reply:
    return Reply(status, headers=(("Upload-Offset", str(offset)), ("Tus-Resumable", "1.0.0")))


@contextmanager
def uploading(
    replies: dict[str, Reply], *, tus: c.Tus | None = TUS, max_chunk: int = 0
) -> Iterator[tuple[ServerClient, LyingServer]]:
    """A server that takes uploads and answers by method; PUT is the commit."""

    def answer(method: str, path: str, _body: bytes) -> Reply | None:
        if path == "/v1/meta":
            return signed_meta(max_inline=INLINE, max_chunk=max_chunk, tus=tus)
        if path == "/v1/token":
            return None
        return replies.get(method)

    with lying_server(answer) as server, open_session(HttpSettings()) as session:
        yield ServerClient(server.url, pinned(), DeviceIdentity.create(COMMUNE), session), server


@pytest.mark.parametrize(
    "tus", [None, c.Tus(version="2.0.0", extensions=("creation",)), c.Tus(version="1.0.0")], ids=["none", "2", "bare"]
)
def test_a_server_without_uploads_gets_none(tmp_path: Path, tus: c.Tus | None) -> None:
    with uploading({}, tus=tus) as (client, server), pytest.raises(ExchangeError) as caught:
        client.put_packet(big_packet(tmp_path))
    assert (caught.value.code, caught.value.params["limit"]) == ("packet_too_large", INLINE)
    assert server.asked == ["GET /v1/meta"]


def test_the_servers_address_for_an_upload_is_never_asked(tmp_path: Path) -> None:
    packet = big_packet(tmp_path)
    replies = {
        "POST": made(Location=f"http://192.0.2.1/evil/{UPLOAD}"),
        "PATCH": at(9000),
        "PUT": receipt_for(packet),
    }
    with uploading(replies) as (client, server):
        assert client.put_packet(packet).facts.seq == 1
    assert f"PATCH /v1/uploads/{UPLOAD}" in server.asked


@pytest.mark.parametrize(
    "location", ["", "../../orgs", "/v1/uploads/../../etc", "file:///etc/passwd", "http://[", f"/x/{UPLOAD.upper()}"]
)
def test_an_upload_with_a_bad_name_is_refused(tmp_path: Path, location: str) -> None:
    with uploading({"POST": made(Location=location)}) as (client, server), pytest.raises(ExchangeError) as caught:
        client.put_packet(big_packet(tmp_path))
    assert caught.value.code == "server_answer_wrong"
    assert server.asked[-1] == "POST /v1/uploads"


@pytest.mark.parametrize("offset", ["9001", "-1", "x", "", "1e3", "9" * 40])
def test_an_offset_that_cannot_be_is_refused(tmp_path: Path, offset: str) -> None:
    for replies in ({"POST": made(Upload_Offset=offset)}, {"POST": made(), "PATCH": at(offset), "HEAD": at(offset)}):
        with uploading(replies) as (client, _), pytest.raises(ExchangeError) as caught:
            client.put_packet(big_packet(tmp_path))
        assert caught.value.code == "server_answer_wrong"


def test_a_server_whose_offset_never_moves_is_given_up(tmp_path: Path) -> None:
    problem = c.Problem(status=409, code="offset-mismatch", retry="now")
    stuck = {"POST": made(), "PATCH": json_reply(problem, 409, c.MEDIA_PROBLEM), "HEAD": at(0, 200)}
    with uploading(stuck) as (client, server), pytest.raises(ExchangeError) as caught:
        client.put_packet(big_packet(tmp_path))
    assert (caught.value.code, caught.value.retry) == ("upload_interrupted", c.Retry.NOW)
    assert sum(line.startswith("PATCH") for line in server.asked) == uploads.MAX_IDLE_CUTS


def test_an_upload_that_always_is_gone_is_given_up(tmp_path: Path) -> None:
    gone = {"POST": made(), "PATCH": Reply(410, c.MEDIA_PROBLEM, (b'{"status":410,"code":"upload-expired"}',))}
    with uploading(gone) as (client, server), pytest.raises(ExchangeError) as caught:
        client.put_packet(big_packet(tmp_path))
    assert caught.value.code == "upload_interrupted"
    assert sum(line.startswith("POST /v1/uploads") for line in server.asked) == uploads.MAX_RENEWALS + 1


def test_the_servers_largest_request_is_kept_to(tmp_path: Path) -> None:
    packet = big_packet(tmp_path)
    bodies: list[bytes] = []

    def answer(method: str, path: str, body: bytes) -> Reply | None:
        if path == "/v1/meta":
            return signed_meta(max_inline=INLINE, max_chunk=4000, tus=TUS)
        if method == "POST" and path == "/v1/uploads":
            return made()
        if method == "PATCH":
            bodies.append(body)
            return at(sum(map(len, bodies)))
        return receipt_for(packet) if method == "PUT" else None

    with lying_server(answer) as server, open_session(HttpSettings()) as session:
        client = ServerClient(server.url, pinned(), DeviceIdentity.create(COMMUNE), session)
        client.put_packet(packet)
        offsets = [head["upload-offset"] for head in server.heads if "upload-offset" in head]
    assert [len(body) for body in bodies] == [4000, 4000, 1000]
    assert hashlib.sha256(b"".join(bodies)).hexdigest() == packet.sha256
    assert offsets == ["0", "4000", "8000"]


def test_a_packed_upload_tells_what_it_holds_and_goes_on_from_any_offset(tmp_path: Path) -> None:
    packet = make_packet(tmp_path, data=base64.b64encode(random.Random(5).randbytes(9000)))
    brought, packed = bytearray(), c.Tus(version="1.0.0", extensions=("creation",), encodings=("gzip",))

    def answer(method: str, path: str, body: bytes) -> Reply | None:
        if path == "/v1/meta":
            return signed_meta(max_inline=INLINE, max_chunk=4000, tus=packed)
        if method == "POST" and path == "/v1/uploads":
            return made()
        if method == "PATCH":
            brought.extend(body[:3000])  # the rest of each request gets lost
            return at(len(brought))
        return receipt_for(packet) if method == "PUT" else None

    told: list[int] = []
    with lying_server(answer) as server, open_session(HttpSettings()) as session:
        client = ServerClient(server.url, pinned(), DeviceIdentity.create(COMMUNE), session)
        client.put_packet(packet, sent=told.append)
        announced = next(head for head in server.heads if "upload-metadata" in head)
    facts = {
        name: base64.b64decode(value).decode()
        for name, value in (pair.split(" ") for pair in announced["upload-metadata"].split(","))
    }
    assert gzip.decompress(brought) == packet.path.read_bytes()
    assert announced["upload-length"] == str(len(brought))
    assert facts["encoding"] == "gzip"
    assert (facts["sha256"], facts["size"]) == (packet.sha256, str(packet.size))
    assert facts["encodedSha256"] == hashlib.sha256(brought).hexdigest()
    assert sum(told) == packet.size


@pytest.mark.parametrize("changes", [{"server_id": "x.example"}, {"packet_id": uuid7()}, {"sha256": "00" * 32}])
def test_a_wrong_receipt_for_an_upload_is_no_proof(tmp_path: Path, changes: dict[str, str]) -> None:
    packet = big_packet(tmp_path)
    replies = {"POST": made(), "PATCH": at(9000), "PUT": receipt_for(packet, **changes)}
    with uploading(replies) as (client, _), pytest.raises(ExchangeError) as caught:
        client.put_packet(packet)
    assert caught.value.code == "receipt_wrong"
