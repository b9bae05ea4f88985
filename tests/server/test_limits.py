"""Clients that want too much, send too slowly, or only pretend to be clients."""

import hashlib
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from signer_server.gate import Gate
from signer_server.problems import RefusedError
from signer_sync import contract as c
from signer_sync.contract import ProblemCode
from signer_sync.ids import uuid7
from tests.server.by_hand import Hand, code
from tests.server.world import COMMUNE, OFFICE, World, packet_bytes, rules, running


def test_too_many_requests_are_told_when_to_come_back_but_what_is_known_is_answered(tmp_path: Path) -> None:
    with running(tmp_path, server_rules=rules(requests_per_minute=3)) as world:
        hand, other = Hand(world, world.enrolled()), world.enrolled(OFFICE)
        data, packet = packet_bytes(tmp_path), uuid7()
        first = hand.put(data, packet)
        answers = [hand.ask("GET", "/me") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert code(answers[-1]) == "rate-limited"
        assert int(answers[-1].headers["Retry-After"]) >= 1
        again = hand.put(data, packet)
        assert (again.status_code, again.content) == (200, first.content)
        assert code(hand.put(packet_bytes(tmp_path, b"new"))) == "rate-limited"
        assert other.feed(None).items


def test_the_gate_lets_in_as_many_as_time_allows() -> None:
    now = [0.0]
    gate = Gate(requests_per_minute=60, bodies_at_once=1, min_client="1.2", seconds=lambda: now[0])
    for _ in range(60):
        gate.count("a")
    with pytest.raises(RefusedError) as caught:
        gate.count("a")
    assert caught.value.retry_after == 1
    gate.count("b")
    now[0] = 1.0
    gate.count("a")
    with gate.body("a"), pytest.raises(RefusedError), gate.body("a"):
        pass
    with gate.body("a"):
        pass
    for agent in ("signer/1.2", "signer/1.2.0", "signer/1.10", "signer/0", "curl/8", ""):
        gate.check_version(agent)
    with pytest.raises(RefusedError) as old:
        gate.check_version("signer/1.1.9")
    assert old.value.problem is ProblemCode.CLIENT_TOO_OLD


def test_a_client_too_old_is_told_so_but_gets_the_receipts_it_is_owed(tmp_path: Path) -> None:
    with running(tmp_path) as world:
        hand, data, packet = Hand(world, world.enrolled()), packet_bytes(tmp_path), uuid7()
        hand.put(data, packet)
        world.restart(server_rules=rules(min_client="99.1"))
        assert code(hand.ask("GET", "/me")) == "client-too-old"
        assert code(hand.put(packet_bytes(tmp_path, b"new"))) == "client-too-old"
        assert hand.put(data, packet).status_code == 200
        assert world.anonymous().meta().min_client == "99.1"


def test_a_full_quota_stops_new_packets_only(tmp_path: Path) -> None:
    with running(tmp_path, server_rules=rules(quota=8000)) as world:
        hand, data, packet = Hand(world, world.enrolled()), packet_bytes(tmp_path), uuid7()
        first = hand.put(data, packet)
        refused = hand.put(packet_bytes(tmp_path, b"new" * 3000))
        assert (first.status_code, code(refused)) == (201, "quota")
        assert int(refused.headers["Retry-After"]) > 0
        assert hand.put(data, packet).content == first.content


def test_a_disk_that_is_nearly_full_takes_nothing_new(tmp_path: Path) -> None:
    with running(tmp_path, server_rules=rules(reserve=1 << 60)) as world:
        hand = Hand(world, world.enrolled())
        assert code(hand.put(packet_bytes(tmp_path))) == "quota"
        assert code(hand.create(b"x" * 100, uuid7())) == "quota"
        assert hand.ask("GET", "/me").status_code == 200


def test_dead_connections_of_every_kind_do_not_stop_the_server_and_are_closed(tmp_path: Path) -> None:
    with running(tmp_path, server_rules=rules(idle_seconds=1.5, keep_seconds=1)) as world, ExitStack() as stack:
        hand, data = Hand(world, world.enrolled()), packet_bytes(tmp_path)
        token = hand.authorization
        digest = c.digest_header(hashlib.sha256(data).digest())
        path = f"/v1/orgs/{COMMUNE}/packets/{uuid7()}/content"
        beginnings = [
            b"",
            b"GET /v1/meta HT",
            b"GET /v1/meta HTTP/1.1\r\nHost: x\r\nX: ",
            f"PUT /v1/devices/{uuid7()} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{{".encode(),
            (
                f"PUT {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nPacket-Digest: {digest}\r\n"
                f"Content-Length: {len(data)}\r\n\r\n<"
            ).encode(),
        ]
        lines = []
        for number in range(40):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", world.server.port)))
            line.sendall(beginnings[number % len(beginnings)])
            line.settimeout(20)
            lines.append(line)
        fresh = Hand(world, hand.client)
        answer = fresh.ask("GET", "/me")
        assert answer.status_code == 200
        for line in lines:  # each ends by itself: with an answer or without, but it ends
            while True:
                try:
                    if not line.recv(4096):
                        break
                except ConnectionResetError:
                    break
        assert fresh.put(data).status_code == 201


def test_more_connections_than_allowed_are_turned_away_and_the_rest_is_served(tmp_path: Path) -> None:
    with running(tmp_path, server_rules=rules(max_connections=8)) as world, ExitStack() as stack:
        hand = Hand(world, world.enrolled())
        lines = [stack.enter_context(socket.create_connection(("127.0.0.1", world.server.port))) for _ in range(20)]
        ended = 0
        for line in lines:
            line.settimeout(0.2)
            try:
                ended += not line.recv(1)
            except ConnectionResetError:
                ended += 1
            except TimeoutError:
                pass
        assert ended >= 12
        for line in lines:
            line.close()
        assert Hand(world, hand.client).ask("GET", "/me").status_code == 200


@pytest.mark.parametrize(
    "flood",
    [
        b"GET /v1/meta HTTP/1.1\r\n" + b"X: y\r\n" * 20_000,
        b"GET /v1/meta HTTP/1.1\r\nX: " + b"y" * 200_000,
        b"GET /" + b"a" * 200_000,
        b"\x16\x03\x01\x02\x00" * 40_000,
    ],
)
def test_floods_of_headers_are_cut_off(world: World, flood: bytes) -> None:
    with socket.create_connection(("127.0.0.1", world.server.port)) as line:
        line.settimeout(20)
        got = b""
        try:
            line.sendall(flood)
            while block := line.recv(4096):
                got += block
        except (ConnectionResetError, BrokenPipeError):
            pass
    assert not got or got.startswith(b"HTTP/1.1 400")
    assert world.anonymous().meta().server_id
