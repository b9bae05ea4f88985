"""What a broken or hostile other side can still try: each of it ends in time, and in an error with words."""

import itertools
import re
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import msgspec
import pytest

from signer_sync import contract as c
from signer_sync import http as http_module
from signer_sync import jws, uploads
from signer_sync.client import ClientPool, ServerClient
from signer_sync.errors import ExchangeError
from signer_sync.http import HttpSettings, TransferError, TransferFault, chunks, open_session, streamed
from signer_sync.ids import uuid7
from signer_sync.keystore import DeviceIdentity
from signer_sync.sync_channel import SyncChannel
from tests.server.world import COMMUNE, make_packet, pinned, trust
from tests.sync.faults import Reply, json_reply, lying_server, signed_meta
from tests.sync.test_http import serving
from tests.sync.test_malicious import after_login, lied_to

DEEP = b"[" * 100_000 + b"]" * 100_000


def test_an_answer_nested_without_end_in_a_member_that_nobody_knows_is_nonsense_like_any_other() -> None:
    reply = Reply(200, parts=(b'{"items":[],"cursor":"x","later":' + DEEP + b"}",))
    with lied_to(after_login(lambda: reply)) as (client, _):
        for ask in (lambda: client.feed(None), lambda: client.orgs(), lambda: client.me()):
            with pytest.raises(ExchangeError) as caught:
                ask()
            assert caught.value.code == "server_answer_wrong"


def test_a_refusal_nested_without_end_is_nonsense_too() -> None:
    reply = Reply(409, c.MEDIA_PROBLEM, (b'{"status":409,"code":"x","later":' + DEEP + b"}",))
    with lied_to(after_login(lambda: reply)) as (client, _), pytest.raises(ExchangeError) as caught:
        client.feed(None)
    assert caught.value.code == "server_answer_wrong"


@pytest.mark.parametrize("where", ["body", "header"])
def test_whoever_answers_the_first_question_with_endless_nesting_is_not_our_server(where: str) -> None:
    nested = b'{"alg":"RS256","later":' + b"[" * 9000 + b"]" * 9000 + b"}"
    message = {"protected": jws._b64(nested), "payload": "", "signature": jws._b64(b"s" * 256)}
    body = msgspec.json.encode(message) if where == "header" else b'{"later":' + DEEP + b"}"
    with lying_server(lambda *_: Reply(200, c.MEDIA_JOSE, (body,))) as server, open_session(HttpSettings()) as session:
        client = ServerClient(server.url, pinned(), None, session)
        with pytest.raises(ExchangeError) as caught:
            client.meta()
    assert caught.value.code == "server_not_ours"


@pytest.mark.parametrize("told", ["2026-11-20T08:00:00", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+07:00"])
def test_a_time_that_is_none_makes_no_server_ours(told: str) -> None:
    holder = trust().server
    genuine = jws.verify(
        msgspec.json.decode(b"".join(signed_meta().parts), type=c.JwsBody),
        jws.certificate_key(holder.certificate),
        typ=c.TYP_META,
    )
    meta = msgspec.structs.replace(msgspec.json.decode(genuine.payload, type=c.Meta), server_time=told)
    message = jws.sign(msgspec.json.encode(meta), holder.key, typ=c.TYP_META, chain_der=holder.chain_der)
    reply = json_reply(message, media=c.MEDIA_JOSE)
    with lied_to(lambda *_: reply) as (client, _), pytest.raises(ExchangeError) as caught:
        SyncChannel(client).contact()
    assert caught.value.code == "server_not_ours"


@pytest.mark.parametrize("life", ["9" * 400, str(1 << 63), "1e300"])
def test_a_token_said_to_live_for_ages_is_nonsense(life: str) -> None:
    token = Reply(200, parts=(f'{{"access_token":"{"x" * 20}","token_type":"Bearer","expires_in":{life}}}'.encode(),))
    answer = lambda _method, path, _body: token if path == "/v1/token" else None  # noqa: E731
    with lied_to(answer) as (client, _), pytest.raises(ExchangeError) as caught:
        client.feed(None)
    assert caught.value.code == "server_answer_wrong"


def test_sizes_beyond_any_disk_are_nonsense() -> None:
    page = b'{"items":[{"seq":1,"type":"packet","id":"0199a1b2-0000-7000-8000-00000000c0de","size":%s}],"cursor":"x"}'
    for size in (b"9" * 400, b"-1", b"1.5", b"true"):
        with lied_to(after_login(lambda size=size: Reply(200, parts=(page % size,)))) as (client, _):  # type: ignore[misc]
            with pytest.raises(ExchangeError) as caught:
                client.feed(None)
            assert caught.value.code == "server_answer_wrong"


def _dripping(first: bytes, drop: bytes) -> tuple[Callable[[BaseHTTPRequestHandler], None], threading.Event]:
    gone = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + first)
        for _ in itertools.repeat(None):
            if gone.wait(0.02):
                return
            handler.wfile.write(drop)

    return drip, gone


@pytest.mark.parametrize(
    ("first", "drop"),
    [(b"1;", b"x"), (b"1\r\nx\r\n0\r\n", b"X-More: 1\r\n"), (b"", b"1\r\nx\r\n")],
    ids=["a length without end", "trailers without end", "one byte at a time"],
)
def test_a_body_that_drips_ends_when_its_time_is_over(first: bytes, drop: bytes) -> None:
    drip, gone = _dripping(first, drop)
    found: list[BaseException] = []

    def ask(url: str) -> None:
        try:
            with open_session(HttpSettings(read_timeout=5)) as session, streamed(session, "GET", url) as response:
                b"".join(chunks(response, 1 << 20, seconds=0.3))
        except TransferError as error:
            found.append(error)

    with serving(drip) as url:
        thread = threading.Thread(target=ask, args=(url,), daemon=True)
        thread.start()
        thread.join(5)
        over = not thread.is_alive()
        gone.set()
        thread.join(10)
    assert over
    assert [error.fault for error in found if isinstance(error, TransferError)] == [TransferFault.TOO_SLOW]


def test_cookies_are_neither_kept_nor_sent_back() -> None:
    cookie = (("Set-Cookie", "track=" + "x" * 4000 + "; Path=/"),)
    page = c.FeedPage(items=(), cursor="x")
    reply = Reply(200, parts=(msgspec.json.encode(page),), headers=cookie)
    with lied_to(after_login(lambda: reply)) as (client, server):
        client.feed(None)
        client.feed(None)
    assert not any("cookie" in head for head in server.heads)


class _Closing:
    """Keeps connections open, and closes them as soon as a second request begins to come: no answer, no word."""

    def __init__(self, answers_each: int = 1, takes: list[bytes] | None = None) -> None:
        self.asked: list[bytes] = []
        self._bodies = takes if takes is not None else []
        self.connections = 0
        self._answers_each = answers_each
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with near:
                self._talk(near)

    def _talk(self, near: socket.socket) -> None:
        answered, held = 0, b""
        while True:
            while b"\r\n\r\n" not in held:
                if not (data := near.recv(65536)):
                    return
                held += data
            head, _, held = held.partition(b"\r\n\r\n")
            self.asked.append(head.split(b"\r\n")[0])
            if answered == self._answers_each:
                return
            answered += 1
            length = re.search(rb"Content-Length: (\d+)", head)
            while length is not None and len(held) < int(length[1]):
                held += near.recv(65536)
            self._bodies.append(held)
            held = b""
            near.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


@pytest.mark.parametrize(("method", "repeated"), [("GET", True), ("PUT", True), ("POST", False)])
def test_what_meets_a_kept_connection_that_is_just_being_closed_is_asked_once_more_if_that_does_no_harm(
    method: str, repeated: bool
) -> None:
    server = _Closing()
    with open_session(HttpSettings()) as session:
        http_module.exchange(session, "GET", server.url, limit=100)
        if repeated:
            assert http_module.exchange(session, method, server.url, limit=100).body == b"ok"
        else:
            with pytest.raises(TransferError):
                http_module.exchange(session, method, server.url, limit=100)
    server.close()
    assert server.connections == (2 if repeated else 1)


def test_a_fresh_connection_that_is_closed_is_not_tried_a_second_time_at_once() -> None:
    server = _Closing(answers_each=0)
    with open_session(HttpSettings()) as session, pytest.raises(TransferError) as caught:
        http_module.exchange(session, "GET", server.url, limit=100)
    server.close()
    assert (caught.value.fault, server.connections) == (TransferFault.UNREACHABLE, 1)


def test_a_pool_of_a_closed_server_says_so_once() -> None:
    server = _Closing()
    with ClientPool(server.url, pinned(), DeviceIdentity.create(COMMUNE), HttpSettings()) as pool:
        with pytest.raises(ExchangeError) as caught:
            pool.meta()
        server.close()
    assert caught.value.code == "server_not_ours"


def test_an_upload_whose_server_goes_back_and_forth_comes_to_an_end(tmp_path: Path) -> None:
    offsets = itertools.cycle(["10", "0"])
    tus = c.Tus(version=c.TUS_VERSION, extensions=("creation",))
    upload = (("Location", f"/v1/uploads/{uuid7()}"), ("Upload-Offset", "0"))

    def answer(method: str, path: str, _body: bytes) -> Reply | None:
        if path == "/v1/meta":
            return signed_meta(max_inline=10, tus=tus)
        if method == "POST" and path == "/v1/uploads":
            return Reply(201, headers=upload)
        if method == "HEAD":
            return Reply(200, headers=(("Upload-Offset", next(offsets)),))
        if method == "PATCH":
            refused = c.Problem(status=409, code="offset-mismatch", retry="now")
            return json_reply(refused, 409, c.MEDIA_PROBLEM)
        return None

    found: list[ExchangeError] = []

    def send(client: ServerClient) -> None:
        try:
            client.put_packet(make_packet(tmp_path))
        except ExchangeError as error:
            found.append(error)

    with lied_to(answer) as (client, server):
        thread = threading.Thread(target=send, args=(client,), daemon=True)
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
    assert len(found) == 1
    assert len(server.asked) < 1000


def test_an_inline_packet_that_meets_a_closed_connection_is_sent_again_whole(tmp_path: Path) -> None:
    packet, bodies = make_packet(tmp_path), list[bytes]()
    server = _Closing(takes=bodies)
    with open_session(HttpSettings()) as session, packet.path.open("rb") as file:
        body = uploads._Outgoing(file, packet.size, lambda _: None)
        http_module.exchange(session, "GET", server.url, limit=100)
        assert http_module.exchange(session, "PUT", server.url, limit=100, data=body).body == b"ok"
    server.close()
    assert bodies[-1] == packet.path.read_bytes()
