import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from signer_sync import contract as c
from signer_sync.ids import uuid7
from tests.server.by_hand import Hand, code, upload_files
from tests.server.world import COMMUNE, OFFICE, World, blob_count, packet_bytes, rules, running

UNKNOWN = "0199a1b2-0000-7000-8000-00000000dead"


@pytest.fixture
def hand(world: World) -> Hand:
    return Hand(world, world.enrolled())


def test_a_large_packet_comes_in_pieces_and_is_a_packet_like_any_other(world: World, hand: Hand) -> None:
    office = world.enrolled(OFFICE)
    data, packet = packet_bytes(world.folder, b"%PDF" * 100_000), uuid7()
    upload = hand.upload_id(data, packet)
    for start in range(0, len(data), 200_000):
        assert hand.offset(upload) == start
        answer = hand.patch(upload, start, data[start : start + 200_000])
        assert answer.status_code == 204
        assert answer.headers[c.HEADER_UPLOAD_OFFSET] == str(min(len(data), start + 200_000))
        assert answer.headers[c.HEADER_UPLOAD_EXPIRES].endswith("GMT")
    first, again = hand.commit(data, packet, upload), hand.commit(data, packet, upload)
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.content == again.content
    (item,) = office.feed(None).items
    assert office.fetch(item, limit=1 << 22) == data
    assert (blob_count(world), upload_files(world)) == (1, 0)


def test_the_same_packet_announced_again_is_the_same_upload_as_far_as_it_has_come(world: World, hand: Hand) -> None:
    data, packet = packet_bytes(world.folder), uuid7()
    upload = hand.upload_id(data, packet)
    hand.patch(upload, 0, data[:1000])
    again = hand.create(data, packet)
    assert again.headers["Location"].endswith(upload)
    assert again.headers[c.HEADER_UPLOAD_OFFSET] == "1000"
    hand.patch(upload, 1000, data[1000:])
    hand.commit(data, packet, upload)
    done = hand.create(data, packet)
    assert done.headers[c.HEADER_UPLOAD_OFFSET] == str(len(data))
    assert code(hand.create(data + b" ", packet)) == "packet-conflict"


def test_a_wrong_offset_changes_nothing(world: World, hand: Hand) -> None:
    data, packet = packet_bytes(world.folder), uuid7()
    upload = hand.upload_id(data, packet)
    hand.patch(upload, 0, data[:1000])
    for offset in (0, 999, 1001):
        assert code(hand.patch(upload, offset, data[:10])) == "offset-mismatch"
    assert code(hand.commit(data, packet, upload)) == "offset-mismatch"
    assert hand.offset(upload) == 1000


def test_more_than_was_announced_is_refused_and_what_was_there_stays(world: World, hand: Hand) -> None:
    data = packet_bytes(world.folder)
    upload = hand.upload_id(data, uuid7())
    hand.patch(upload, 0, data[:1000])
    assert code(hand.patch(upload, 1000, data)) == "too-large"

    def endless() -> Iterator[bytes]:
        yield data[1000:]
        yield b"more"

    assert code(hand.patch(upload, 1000, endless())) == "too-large"
    assert hand.offset(upload) in (1000, len(data))  # as the blocks happened to arrive


def test_what_arrived_before_the_connection_died_stays(world: World, hand: Hand) -> None:
    data, packet = packet_bytes(world.folder), uuid7()
    upload = hand.upload_id(data, packet)
    head = (
        f"PATCH /v1/uploads/{upload} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n"
        f"Authorization: {hand.authorization}\r\n"
        f"Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: {c.MEDIA_OFFSET}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", world.server.port)) as line:
        line.sendall(head.encode() + data[:1500])
        # the head of the request is with the server once the upload is being written or waited for
        while hand.offset(upload) == 0:
            pass
    assert hand.offset(upload) == 1500
    assert hand.patch(upload, 1500, data[1500:]).status_code == 204
    assert hand.commit(data, packet, upload).status_code == 202


def test_a_newer_request_need_not_wait_for_a_connection_that_says_nothing_more(world: World, hand: Hand) -> None:
    data, packet = packet_bytes(world.folder), uuid7()
    upload = hand.upload_id(data, packet)
    head = (
        f"PATCH /v1/uploads/{upload} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n"
        f"Authorization: {hand.authorization}\r\n"
        f"Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: {c.MEDIA_OFFSET}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", world.server.port)) as line:
        line.sendall(head.encode() + data[:700])
        while (offset := hand.offset(upload)) == 0:
            pass
        assert offset == 700
        assert hand.patch(upload, 700, data[700:]).status_code == 204
        assert b"409" in line.recv(100)
    assert hand.commit(data, packet, upload).status_code == 202


def test_an_upload_goes_on_after_a_restart_of_the_server(world: World, hand: Hand) -> None:
    data, packet = packet_bytes(world.folder), uuid7()
    upload = hand.upload_id(data, packet)
    hand.patch(upload, 0, data[:2000])
    with (world.folder / "server" / "uploads" / upload).open("ab") as file:
        file.write(b"never acknowledged")
    world.restart()
    assert hand.offset(upload) == 2000
    hand.patch(upload, 2000, data[2000:])
    assert hand.commit(data, packet, upload).status_code == 202


def test_an_upload_that_is_over_or_anothers_is_gone(world: World, hand: Hand) -> None:
    data, packet = packet_bytes(world.folder), uuid7()
    upload = hand.upload_id(data, packet)
    office = Hand(world, world.enrolled(OFFICE), OFFICE)
    assert code(office.patch(upload, 0, data)) == "upload-expired"
    assert code(office.commit(data, packet, upload)) == "upload-expired"
    assert office.ask("HEAD", f"/uploads/{upload}", headers={c.HEADER_TUS: "1.0.0"}).status_code == 410
    world.clock.seconds += 7 * 86400 + 1
    hand = Hand(world, hand.client)
    assert code(hand.patch(upload, 0, data)) == "upload-expired"
    second = hand.upload_id(data, packet)
    assert second != upload
    assert upload_files(world) == 1
    assert hand.ask("DELETE", f"/uploads/{second}", headers={c.HEADER_TUS: "1.0.0"}).status_code == 204
    assert upload_files(world) == 0
    assert code(hand.patch(second, 0, data)) == "upload-expired"
    assert code(hand.patch(UNKNOWN, 0, data)) == "upload-expired"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"kind": "revoke"}, "metadata-mismatch"),
        ({"edxmlDocumentId": "other"}, "metadata-mismatch"),
        ({"size": 5}, "metadata-mismatch"),
        ({"supersedes": UNKNOWN}, "metadata-mismatch"),
        ({"upload": UNKNOWN}, "upload-expired"),
        ({"kind": "nonsense"}, "bad-request"),
    ],
)
def test_a_commit_says_what_its_packet_says_or_nothing_is_kept(
    world: World, hand: Hand, changes: dict[str, object], expected: str
) -> None:
    data, packet = packet_bytes(world.folder), uuid7()
    assert code(hand.send_large(data, packet, **changes)) == expected
    assert blob_count(world) == 0
    upload = hand.create(data, packet).headers["Location"].rpartition("/")[2]
    assert hand.commit(data, packet, upload).status_code == 202


@pytest.mark.parametrize(
    ("document", "expected"),
    [({"name": "12-BC (MẬT).pdf"}, "secret-refused"), ({"subject": "Báo cáo [Tối mật]"}, "secret-refused")],
)
def test_of_a_secret_upload_no_byte_is_left(
    world: World, hand: Hand, document: dict[str, object], expected: str
) -> None:
    data = packet_bytes(world.folder, **document)  # type: ignore[arg-type]
    assert code(hand.send_large(data)) == expected
    assert (blob_count(world), upload_files(world)) == (0, 0)


def test_wrong_bytes_end_the_upload(world: World, hand: Hand) -> None:
    data, packet = packet_bytes(world.folder), uuid7()
    upload = hand.upload_id(data, packet)
    hand.patch(upload, 0, data[:-1] + b"\0")
    assert code(hand.commit(data, packet, upload)) == "digest-mismatch"
    assert upload_files(world) == 0
    assert code(hand.send_large(b"not xml at all")) == "invalid-edxml"
    assert (blob_count(world), upload_files(world)) == (0, 0)


def test_a_receiver_unknown_today_may_be_known_tomorrow(world: World, hand: Hand) -> None:
    data, packet = packet_bytes(world.folder).replace(f"{OFFICE}<".encode(), b"H77.55<"), uuid7()
    upload = hand.upload_id(data, packet)
    hand.patch(upload, 0, data)
    assert code(hand.commit(data, packet, upload)) == "unknown-receiver"
    world.admin.set_directory([*rules().directory(), c.Org(code="H77.55", name="Sở mới")])
    assert hand.commit(data, packet, upload).status_code == 202


def test_announcements_out_of_form_are_refused(world: World, hand: Hand) -> None:
    data = packet_bytes(world.folder)
    assert code(hand.create(data, "no-uuid")) == "bad-request"
    assert code(hand.create(data, uuid7(), length=0)) == "bad-request"
    assert code(hand.create(data, uuid7(), length=1 << 40)) == "too-large"
    hand.org = OFFICE
    assert code(hand.create(data, uuid7())) == "not-allowed"
    assert code(hand.ask("POST", "/uploads")) == "tus-version"
    assert code(hand.ask("POST", "/uploads", headers={c.HEADER_TUS: "1.0.0"})) == "bad-request"
    meta = world.anonymous().meta()
    extensions = ("creation", "expiration", "termination")
    assert meta.tus == c.Tus(version="1.0.0", extensions=extensions, encodings=("gzip",))


def test_uploads_count_towards_the_quota_before_their_bytes_come(tmp_path: Path) -> None:
    with running(tmp_path, server_rules=rules(quota=30_000)) as world:
        hand = Hand(world, world.enrolled())
        data = packet_bytes(tmp_path)
        packet = uuid7()
        assert hand.send_large(data, packet).status_code == 202
        full = hand.create(data, uuid7(), length=29_000)
        assert (full.status_code, code(full)) == (507, "quota")
        assert int(full.headers["Retry-After"]) > 0
        me = msgspec.json.decode(hand.ask("GET", "/me").content, type=c.Me)
        assert me.quota == c.Quota(used=len(data), limit=30_000)
        assert hand.put(data, packet).status_code == 200
        assert hand.create(data, packet).status_code == 201


def test_files_of_uploads_are_for_the_servers_user_only(world: World, hand: Hand) -> None:
    upload = hand.upload_id(packet_bytes(world.folder), uuid7())
    assert (world.folder / "server" / "uploads" / upload).stat().st_mode & 0o077 == 0
    assert hand.org == COMMUNE
