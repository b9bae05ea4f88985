import gzip
import hashlib
import tracemalloc
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from signer_sync import contract as c
from signer_sync.client import ServerClient
from signer_sync.contract import JournalHead
from signer_sync.errors import ExchangeError
from signer_sync.ids import uuid7
from tests.server.world import (
    COMMUNE,
    OFFICE,
    World,
    blob_count,
    packet_bytes,
    rules,
    running,
)

HEAD = JournalHead(12, "ab" * 32)


def raw_put(
    world: World,
    client: ServerClient,
    body: bytes,
    *,
    content: bytes | None = None,
    packet_id: str | None = None,
    org: str = COMMUNE,
    **headers: Any,
) -> requests.Response:
    """A packet sent by hand: `body` goes over the wire, `content` is what the digest speaks of."""
    client.feed(None)
    digest = hashlib.sha256(body if content is None else content).digest()
    sent = {
        "Authorization": f"Bearer {client._bearer}",
        "Content-Type": c.MEDIA_PACKET,
        c.HEADER_PACKET_DIGEST: c.digest_header(digest),
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"{world.server.url}/v1/orgs/{org}/packets/{packet_id or uuid7()}/content"
    return world.session().put(url, data=body, headers=sent)


def code(answer: requests.Response) -> str:
    assert answer.headers["Content-Type"] == c.MEDIA_PROBLEM
    problem = msgspec.json.decode(answer.content, type=c.Problem)
    assert problem.status == answer.status_code
    return problem.code


def test_a_packet_sent_twice_has_one_receipt_and_one_copy(world: World) -> None:
    client, packet = world.enrolled(), world.packet()
    first = client.put_packet(packet, HEAD)
    second = client.put_packet(packet, JournalHead(13, "cd" * 32))
    assert first.text == second.text
    assert first.facts.journal_head == str(HEAD)
    assert first.facts.size == packet.size
    assert blob_count(world) == 1


def test_the_first_answer_is_201_and_each_later_one_200_with_the_same_bytes(world: World) -> None:
    client, data, packet_id = world.enrolled(), packet_bytes(world.folder), uuid7()
    answers = [raw_put(world, client, data, packet_id=packet_id) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert len({answer.content for answer in answers}) == 1


def test_the_same_id_with_other_bytes_is_a_conflict_and_changes_nothing(world: World) -> None:
    client, packet = world.enrolled(), world.packet()
    receipt = client.put_packet(packet)
    other = world.packet(packet_id=packet.packet_id, subject="Nội dung khác")
    with pytest.raises(ExchangeError) as caught:
        client.put_packet(other)
    assert caught.value.code == "packet_conflict"
    assert client.receipt(packet.packet_id, packet.sha256).text == receipt.text
    assert blob_count(world) == 1


def test_an_id_that_another_body_used_is_a_conflict(world: World) -> None:
    packet = world.packet()
    world.enrolled().put_packet(packet)
    with pytest.raises(ExchangeError) as caught:
        world.enrolled(OFFICE).put_packet(world.packet(org=OFFICE, to=(COMMUNE,), packet_id=packet.packet_id))
    assert caught.value.code == "packet_conflict"


def test_receipts_of_a_device_form_a_chain(world: World) -> None:
    client, other = world.enrolled(), world.enrolled()
    receipts = [client.put_packet(world.packet()) for _ in range(3)]
    assert [item.facts.seq for item in receipts] == [1, 2, 3]
    assert receipts[0].facts.prev_receipt_hash is None
    for before, after in pairwise(receipts):
        compact = f"{before.message.protected}.{before.message.payload}.{before.message.signature}"
        assert after.facts.prev_receipt_hash == hashlib.sha256(compact.encode()).hexdigest()
    assert other.put_packet(world.packet()).facts.seq == 1


def test_a_packet_that_the_server_has_is_answered_although_it_is_too_large_now(tmp_path: Path) -> None:
    with running(tmp_path) as world:
        client, data, packet_id = world.enrolled(), packet_bytes(world.folder), uuid7()
        receipt = raw_put(world, client, data, packet_id=packet_id)
        world.restart(server_rules=rules(max_inline=1000))
        again = world.again(client)
        answer = raw_put(world, again, data, packet_id=packet_id)
        assert (answer.status_code, answer.content) == (200, receipt.content)
        assert code(raw_put(world, again, packet_bytes(world.folder, b"new"))) == "too-large"


def test_a_client_does_not_even_try_what_the_server_will_not_take(tmp_path: Path) -> None:
    with running(tmp_path, server_rules=rules(max_inline=1000, max_packet=1000)) as world:
        client = world.enrolled()
        with pytest.raises(ExchangeError) as caught:
            client.put_packet(world.packet())
        assert caught.value.code == "packet_too_large"


def test_a_gzip_bomb_is_refused_before_it_fills_the_memory(world: World) -> None:
    client = world.enrolled()
    bomb = gzip.compress(b"\0" * (96 << 20), compresslevel=9)
    assert len(bomb) < 1 << 20
    tracemalloc.start()
    try:
        answer = raw_put(world, client, bomb, content=b"", Content_Encoding="gzip")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert code(answer) == "too-large"
    assert peak < 48 << 20
    assert blob_count(world) == 0


@pytest.mark.parametrize("declared", [True, False])
def test_an_oversized_body_is_refused_with_and_without_a_declared_length(tmp_path: Path, declared: bool) -> None:
    with running(tmp_path, server_rules=rules(max_inline=100_000)) as world:
        client, body = world.enrolled(), b"x" * 100_001
        client.feed(None)
        answer = world.session().put(
            f"{world.server.url}/v1/orgs/{COMMUNE}/packets/{uuid7()}/content",
            data=body if declared else iter([body]),
            headers={
                "Authorization": f"Bearer {client._bearer}",
                c.HEADER_PACKET_DIGEST: c.digest_header(hashlib.sha256(body).digest()),
            },
        )
        assert code(answer) == "too-large"


def test_digests_are_checked_over_what_was_sent_and_what_it_holds(world: World) -> None:
    client, data = world.enrolled(), packet_bytes(world.folder)
    wrong = c.digest_header(hashlib.sha256(b"other").digest())
    assert code(raw_put(world, client, data, content=b"other")) == "digest-mismatch"
    assert code(raw_put(world, client, data, Content_Digest=wrong)) == "digest-mismatch"
    encoded = gzip.compress(data)
    right = c.digest_header(hashlib.sha256(encoded).digest())
    fine = raw_put(world, client, encoded, content=data, Content_Encoding="gzip", Content_Digest=right)
    assert fine.status_code == 201
    assert blob_count(world) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Packet_Digest": "sha-256=:bm90MzI=:"},
        {"Packet_Digest": "md5=:bm90MzI=:"},
        {"Content_Digest": "sha-256=nonsense"},
        {"Content_Encoding": "br"},
        {"Content_Encoding": "gzip"},
        {"Journal_Head": "12"},
    ],
)
def test_malformed_headers_are_a_bad_request(world: World, headers: dict[str, Any]) -> None:
    assert code(raw_put(world, world.enrolled(), packet_bytes(world.folder), **headers)) == "bad-request"


def test_a_gzip_body_cut_short_or_followed_by_more_is_a_bad_request(world: World) -> None:
    client, data = world.enrolled(), packet_bytes(world.folder)
    encoded = gzip.compress(data)
    for body in (encoded[:-4], encoded + b"tail"):
        answer = raw_put(world, client, body, content=data, Content_Encoding="gzip")
        assert code(answer) == "bad-request"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"to": ("H77.404",)}, "unknown-receiver"),
        ({"to": ("H77.99",)}, "unknown-receiver"),
        ({"to": (OFFICE, "H77.404")}, "unknown-receiver"),
        ({"data": b"not xml"}, "invalid-edxml"),
        ({"data": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'}, "invalid-edxml"),
        ({"data": b"<a xmlns='urn:other'/>"}, "invalid-edxml"),
        ({"name": "12-BC (MẬT).pdf"}, "secret-refused"),
        ({"subject": "Báo cáo [Tối mật]"}, "secret-refused"),
    ],
)
def test_what_must_not_travel_is_refused_and_nothing_of_it_is_kept(
    world: World, changes: dict[str, object], expected: str
) -> None:
    client, packet = world.enrolled(), world.packet(**changes)
    with pytest.raises(ExchangeError) as caught:
        client.put_packet(packet)
    assert caught.value.problem == expected
    assert blob_count(world) == 0
    with pytest.raises(ExchangeError) as unknown:
        client.packet_state(packet.packet_id)
    assert unknown.value.problem == "not-found"


def test_a_packet_in_another_bodys_name_is_refused(world: World) -> None:
    forged = packet_bytes(world.folder).replace(f"{COMMUNE}<".encode(), f"{OFFICE}<".encode(), 1)
    answer = raw_put(world, world.enrolled(), forged)
    assert code(answer) == "metadata-mismatch"


def test_a_machine_of_one_body_can_neither_read_nor_write_for_another(world: World) -> None:
    commune, office = world.enrolled(), world.enrolled(OFFICE)
    packet = world.packet(to=("H77",))
    commune.put_packet(packet)
    office.feed(None)
    session = world.session()
    session.headers["Authorization"] = f"Bearer {office._bearer}"
    base = f"{world.server.url}/v1"
    for path in (
        f"/orgs/{COMMUNE}/feed",
        f"/orgs/{COMMUNE}/packets/{packet.packet_id}",
        f"/orgs/{COMMUNE}/packets/{packet.packet_id}/receipt",
        f"/orgs/{OFFICE}/packets/{packet.packet_id}",
        f"/orgs/{OFFICE}/packets/{packet.packet_id}/receipt",
        f"/packets/{packet.packet_id}/content",
    ):
        answer = session.get(base + path)
        assert (answer.status_code, code(answer)) == (403, "not-allowed")
    write = session.put(f"{base}/orgs/{COMMUNE}/feed/ack", json={"cursor": "abc"})
    assert code(write) == "not-allowed"
    assert code(raw_put(world, office, packet_bytes(world.folder), org=COMMUNE)) == "not-allowed"


def test_content_is_served_to_sender_and_receiver_with_its_hash_and_in_ranges(world: World) -> None:
    commune, office, packet = world.enrolled(), world.enrolled(OFFICE), world.packet()
    commune.put_packet(packet)
    office.feed(None)
    session = world.session()
    url = f"{world.server.url}/v1/packets/{packet.packet_id}/content"
    for client in (commune, office):
        whole = session.get(url, headers={"Authorization": f"Bearer {client._bearer}"})
        assert hashlib.sha256(whole.content).hexdigest() == packet.sha256
        assert whole.headers["ETag"] == f'"sha256-{packet.sha256}"'
        assert whole.headers["Repr-Digest"] == c.digest_header(bytes.fromhex(packet.sha256))
    part = session.get(
        url,
        headers={
            "Authorization": f"Bearer {office._bearer}",
            "Range": "bytes=10-19",
            "If-Range": whole.headers["ETag"],
        },
    )
    assert (part.status_code, part.content) == (206, whole.content[10:20])
