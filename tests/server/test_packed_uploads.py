"""Uploads whose bytes come gzipped: the packet they hold counts, and nothing else of them is kept."""

import gzip
import hashlib
import sqlite3
from pathlib import Path

import pytest

from signer_sync import contract as c
from signer_sync.ids import uuid7
from tests.server.by_hand import Hand, code, upload_files
from tests.server.world import OFFICE, World, blob_count, packet_bytes, rules, running


@pytest.fixture
def hand(world: World) -> Hand:
    return Hand(world, world.enrolled())


def test_a_packed_upload_is_the_packet_that_was_packed(world: World, hand: Hand) -> None:
    office = world.enrolled(OFFICE)
    data, packet = packet_bytes(world.folder, b"%PDF" * 100_000), uuid7()
    first = hand.send_packed(data, gzip.compress(data), packet)
    assert first.status_code == 202
    (item,) = office.feed(None).items
    assert (item.sha256, item.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert office.fetch(item, limit=1 << 22) == data
    assert (blob_count(world), upload_files(world)) == (1, 0)
    assert hand.put(data, packet).json()["receipt"] == first.json()["receipt"]


@pytest.mark.parametrize("again", [9, None], ids=["packed otherwise", "as it is"])
def test_other_bytes_of_the_same_packet_begin_anew_and_the_same_ones_go_on(
    world: World, hand: Hand, again: int | None
) -> None:
    data, packet = packet_bytes(world.folder, b"%PDF-1.7 Quy" * 5000), uuid7()
    stream = gzip.compress(data, 1, mtime=0)
    first = hand.create_packed(data, packet, stream)
    upload = first.headers["Location"].rpartition("/")[2]
    hand.patch(upload, 0, stream[:100])
    same = hand.create_packed(data, packet, stream)
    assert same.headers["Location"] == first.headers["Location"]
    assert same.headers[c.HEADER_UPLOAD_OFFSET] == "100"
    other = data if again is None else gzip.compress(data, again, mtime=0)
    made = hand.create(data, packet) if again is None else hand.create_packed(data, packet, other)
    assert made.headers[c.HEADER_UPLOAD_OFFSET] == "0"
    assert code(hand.patch(upload, 100, stream[100:])) == "upload-expired"
    upload = made.headers["Location"].rpartition("/")[2]
    assert hand.patch(upload, 0, other).status_code == 204
    assert hand.commit(data, packet, upload).status_code == 202
    assert (blob_count(world), upload_files(world)) == (1, 0)


def test_a_packet_that_is_there_needs_no_byte_in_whatever_way_it_would_come(world: World, hand: Hand) -> None:
    data, packet = packet_bytes(world.folder), uuid7()
    assert hand.send_large(data, packet).status_code == 202
    for level in (1, 9):
        stream = gzip.compress(data, level, mtime=0)
        made = hand.create_packed(data, packet, stream)
        assert made.headers[c.HEADER_UPLOAD_OFFSET] == str(len(stream))
        assert hand.commit(data, packet, made.headers["Location"].rpartition("/")[2]).status_code == 200
    assert code(hand.create_packed(data, packet, b"x", size="5")) == "packet-conflict"


def test_a_stream_that_is_no_packet_of_that_length_leaves_nothing(world: World, hand: Hand) -> None:
    data = packet_bytes(world.folder)
    stream = gzip.compress(data)
    for wrong in (
        gzip.compress(data + bytes(1 << 20)),
        gzip.compress(data[:-1]),
        stream[:-1],
        stream + b"more",
        stream + gzip.compress(b""),
        b"\x1f\x8bnonsense",
        data,
    ):
        assert code(hand.send_packed(data, wrong)) == "bad-request"
        assert (blob_count(world), upload_files(world)) == (0, 0)
    assert code(hand.send_packed(data, gzip.compress(data[:-1] + b"?"))) == "digest-mismatch"
    assert (blob_count(world), upload_files(world)) == (0, 0)


def test_what_was_garbled_on_its_way_is_welcome_again(world: World, hand: Hand) -> None:
    data, packet = packet_bytes(world.folder), uuid7()
    stream = gzip.compress(data, mtime=0)
    upload = hand.create_packed(data, packet, stream).headers["Location"].rpartition("/")[2]
    hand.patch(upload, 0, stream[:20] + b"\0\0\0" + stream[23:])
    assert code(hand.commit(data, packet, upload)) == "digest-mismatch"
    assert upload_files(world) == 0
    assert hand.send_packed(data, stream, packet).status_code == 202


def test_of_a_packed_secret_no_byte_is_left(world: World, hand: Hand) -> None:
    data = packet_bytes(world.folder, name="12-BC (MẬT).pdf")
    assert code(hand.send_packed(data, gzip.compress(data))) == "secret-refused"
    assert (blob_count(world), upload_files(world)) == (0, 0)


def test_after_a_refusal_that_may_pass_the_upload_waits_packed(world: World, hand: Hand) -> None:
    data, packet = packet_bytes(world.folder).replace(f"{OFFICE}<".encode(), b"H77.55<"), uuid7()
    assert code(hand.send_packed(data, gzip.compress(data, mtime=0), packet)) == "unknown-receiver"
    assert (blob_count(world), upload_files(world)) == (0, 1)
    world.admin.set_directory([*rules().directory(), c.Org(code="H77.55", name="Sở mới")])
    made = hand.create_packed(data, packet, gzip.compress(data, mtime=0))
    assert hand.commit(data, packet, made.headers["Location"].rpartition("/")[2]).status_code == 202
    assert (blob_count(world), upload_files(world)) == (1, 0)


def test_packed_announcements_out_of_form_are_refused(hand: Hand) -> None:
    data = b"<edXML/>"
    for changes in ({"encoding": "br"}, {"size": ""}, {"size": "-1"}, {"size": "0"}, {"encodedSha256": "xyz"}):
        assert code(hand.create_packed(data, uuid7(), b"1234", **changes)) == "bad-request"  # type: ignore[arg-type]
    assert code(hand.create_packed(data, uuid7(), b"1234", length=0)) == "bad-request"
    assert code(hand.create_packed(data, uuid7(), b"1234", size=str(1 << 40))) == "too-large"
    assert code(hand.create_packed(data, uuid7(), b"1234", length=1 << 40)) == "too-large"


def test_the_packets_own_size_counts_towards_the_quota(tmp_path: Path) -> None:
    with running(tmp_path, server_rules=rules(quota=30_000)) as world:
        hand = Hand(world, world.enrolled())
        assert code(hand.create_packed(b"", uuid7(), b"1234", size="30001")) == "quota"
        assert hand.create_packed(b"", uuid7(), b"1234", size="20000").status_code == 201
        assert code(hand.create_packed(b"", uuid7(), b"1234", size="10001")) == "quota"


def test_an_upload_begun_with_an_earlier_server_goes_on(world: World, hand: Hand) -> None:
    data, packet = packet_bytes(world.folder), uuid7()
    upload = hand.upload_id(data, packet)
    hand.patch(upload, 0, data[:1000])
    world.server.stop()
    with sqlite3.connect(world.folder / "server" / "server.sqlite") as database:
        for column in ("packet_size", "gzip_sha256"):
            database.execute(f"ALTER TABLE upload DROP COLUMN {column}")
        database.execute("PRAGMA user_version = 2")
    database.close()
    world.server.start()
    assert hand.offset(upload) == 1000
    assert hand.patch(upload, 1000, data[1000:]).status_code == 204
    assert hand.commit(data, packet, upload).status_code == 202
