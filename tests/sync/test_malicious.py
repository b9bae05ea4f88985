"""What a server may do to us: nothing is written outside, the words are clear, and it comes to an end."""

import gzip
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import msgspec
import pytest

from signer_sync import client as client_module
from signer_sync import connections
from signer_sync import contract as c
from signer_sync.client import ClientPool, ServerClient
from signer_sync.errors import ExchangeError
from signer_sync.http import HttpSettings, open_session
from signer_sync.ids import uuid7
from signer_sync.keystore import DeviceIdentity
from tests.server.world import COMMUNE, OFFICE, REGISTER, World, make_packet, pinned
from tests.sync.faults import Answer, LyingServer, Reply, json_reply, lying_server
from tests.sync.test_http import serving

ITEM = c.FeedItem(seq=1, type=c.FeedType.PACKET, id=uuid7(), sha256="ab" * 32, size=100, sender=OFFICE)


@contextmanager
def lied_to(answer: Answer) -> Iterator[tuple[ServerClient, LyingServer]]:
    with lying_server(answer) as server, open_session(HttpSettings()) as session:
        yield ServerClient(server.url, pinned(), DeviceIdentity.create(COMMUNE), session), server


def everything(client: ServerClient, packet_folder: Path) -> list[Callable[[], object]]:
    """All that is ever asked of a server after the login."""
    packet = make_packet(packet_folder, data=b"<edXML/>")
    return [
        lambda: client.put_packet(packet),
        lambda: client.receipt(packet.packet_id, packet.sha256),
        lambda: client.packet_state(packet.packet_id),
        lambda: client.orgs(),
        lambda: list(client.all_orgs()),
        lambda: client.me(),
        lambda: client.feed(None),
        lambda: client.fetch(ITEM, limit=1 << 20),
        lambda: client.ack("cursor"),
        lambda: client.lease(REGISTER, uuid7()),
        lambda: client.take_number(REGISTER, uuid7(), c.NumberWish(doc_type="QĐ", issued_date="2026-11-20")),
        lambda: client.void_number(REGISTER, uuid7(), "nhầm"),
    ]


def after_login(reply: Callable[[], Reply]) -> Answer:
    return lambda _method, path, _body: None if path in ("/v1/meta", "/v1/token") else reply()


MOODS: dict[str, Callable[[], Reply]] = {
    "html": lambda: Reply(200, "text/html", (b"<html>sign in</html>",)),
    "redirect to a file": lambda: Reply(302, headers=(("Location", "file:///etc/passwd"),)),
    "redirect elsewhere": lambda: Reply(307, headers=(("Location", "http://192.0.2.1/steal"),)),
    "endless": lambda: Reply(200, parts=itertools.repeat(b"[" * 65536)),
    "endless refusal": lambda: Reply(500, c.MEDIA_PROBLEM, parts=itertools.repeat(b"[" * 65536)),
    "deep": lambda: Reply(200, parts=(b"[" * 500_000,)),
    "encoded": lambda: Reply(200, parts=(b"x",), headers=(("Content-Encoding", "br"),)),
    "no refusal": lambda: Reply(500, c.MEDIA_PROBLEM, (b'{"code":7}',)),
    "nothing": lambda: Reply(500, "text/plain"),
    "odd status": lambda: Reply(299, parts=(b"{}",)),
}


@pytest.mark.parametrize("mood", MOODS)
def test_nonsense_of_every_kind_is_an_error_with_words_whatever_was_asked(tmp_path: Path, mood: str) -> None:
    with lied_to(after_login(MOODS[mood])) as (client, server):
        for ask in everything(client, tmp_path):
            with pytest.raises(ExchangeError) as caught:
                ask()
            assert caught.value.code in {"server_answer_wrong", "server_unreachable", "content_wrong"}
            assert str(caught.value)
    assert not any("passwd" in line or "steal" in line for line in server.asked)
    assert [path.suffix for path in tmp_path.iterdir()] == [".edxml"], "nothing was written but the test's own packet"


def test_a_directory_that_is_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MAX_DIRECTORY", 1 << 20)
    bomb = gzip.compress(b" " * (8 << 20))
    assert len(bomb) < 10_000
    reply = Reply(200, parts=(bomb,), headers=(("Content-Encoding", "gzip"),))
    with lied_to(after_login(lambda: reply)) as (client, _), pytest.raises(ExchangeError) as caught:
        client.orgs()
    assert caught.value.code == "server_answer_wrong"


def test_a_gzipped_directory_is_read() -> None:
    page = c.OrgPage(items=tuple(c.Org(code=f"H{n}", name="Cơ quan") for n in range(5000)), cursor="end")
    packed = Reply(200, parts=(gzip.compress(msgspec.json.encode(page)),), headers=(("Content-Encoding", "gzip"),))
    with lied_to(after_login(lambda: packed)) as (client, server):
        assert client.orgs() == page
        assert server.heads[-1]["accept-encoding"] == "gzip"


def test_a_directory_comes_in_pages_and_one_that_goes_round_in_circles_ends() -> None:
    pages = {
        None: json_reply(c.OrgPage(items=(c.Org(code="H1", name="a"),), cursor="one", more=True)),
        "one": json_reply(c.OrgPage(items=(c.Org(code="H2", name="b"),), cursor="two")),
    }

    def answer(_method: str, path: str, _body: bytes) -> Reply | None:
        if not path.startswith("/v1/orgs"):
            return None
        return pages[path.partition("since=")[2] or None]

    with lied_to(answer) as (client, _):
        assert [org.code for page in client.all_orgs() for org in page.items] == ["H1", "H2"]
    circle = json_reply(c.OrgPage(items=(), cursor="same", more=True))
    with lied_to(after_login(lambda: circle)) as (client, server), pytest.raises(ExchangeError) as caught:
        list(client.all_orgs("same"))
    assert caught.value.code == "server_answer_wrong"
    assert len(server.asked) == 3


DATE = ("Date", formatdate(1_800_000_000, usegmt=True))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ((("Retry-After", "120"),), 120.0),
        ((("Retry-After", "9" * 30),), 7 * 86400.0),
        ((("Retry-After", formatdate(1_800_000_090, usegmt=True)), DATE), 90),
        ((("Retry-After", formatdate(0, usegmt=True)),), 0.0),
        ((("Retry-After", "-5"),), None),
        ((("Retry-After", "soon"),), None),
        ((("Retry-After", "1e9"),), None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("media", [c.MEDIA_PROBLEM, "text/html"])
def test_when_to_come_again_is_understood_in_either_form(
    headers: tuple[tuple[str, str], ...], seconds: float | None, media: str
) -> None:
    busy = Reply(503, media, (b'{"status":503,"code":"unavailable","retry":"after"}',), headers)
    with lied_to(after_login(lambda: busy)) as (client, _), pytest.raises(ExchangeError) as caught:
        client.feed(None)
    assert caught.value.retry_after == seconds
    assert caught.value.retry is c.Retry.AFTER
    assert caught.value.unreachable is (media == "text/html")


def test_a_token_with_a_line_end_never_becomes_a_header() -> None:
    def answer(_method: str, path: str, _body: bytes) -> Reply | None:
        if path == "/v1/token":
            token = {"access_token": "x" * 20 + "\r\nX-Evil: 1", "token_type": "Bearer", "expires_in": 900}
            return json_reply(token)
        return None

    with lied_to(answer) as (client, server), pytest.raises(ExchangeError) as caught:
        client.feed(None)
    assert caught.value.code == "server_answer_wrong"
    assert server.asked == ["GET /v1/meta", "POST /v1/token"]


def test_a_server_that_drips_is_left_after_the_time_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_GRACE", -29.5)
    gone = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not gone.wait(0.02):
            handler.wfile.write(b"x")

    with (
        serving(drip) as url,
        ClientPool(url, pinned(), None, HttpSettings(read_timeout=30)) as pool,
        pytest.raises(ExchangeError) as caught,
    ):
        pool.meta()
    gone.set()
    assert (caught.value.code, caught.value.unreachable) == ("server_unreachable", True)


def test_the_real_server_tells_who_we_are_and_gives_numbers_that_repeat(world: World) -> None:
    client = world.enrolled()
    me = client.me()
    assert [org.code for org in me.orgs] == [COMMUNE]
    lease = client.lease(REGISTER, uuid7())
    wish = c.NumberWish(doc_type="QĐ", issued_date="2026-11-20", fence=lease.fence)
    first_id = uuid7()
    first, again = client.take_number(REGISTER, first_id, wish), client.take_number(REGISTER, first_id, wish)
    second = client.take_number(REGISTER, uuid7(), wish)
    assert first == again
    assert int(second.number) == int(first.number) + 1
    assert client.void_number(REGISTER, first_id, "Ghi nhầm loại").state is c.NumberState.VOID
    with pytest.raises(ExchangeError) as caught:
        client.take_number(REGISTER, uuid7(), msgspec.structs.replace(wish, fence=lease.fence + 5))
    assert caught.value.code == "register_lease_lost"


@pytest.mark.parametrize("bad", ["", "../orgs", "x" * 36, "0199A1B2-0000-7000-8000-00000000C0DE"])
def test_what_is_no_id_never_becomes_part_of_an_address(bad: str) -> None:
    with lied_to(lambda *_: None) as (client, server):
        asks: list[Callable[[], object]] = [
            lambda: client.lease(bad, uuid7()),
            lambda: client.lease(REGISTER, bad),
            lambda: client.take_number(REGISTER, bad, c.NumberWish(doc_type="QĐ", issued_date="2026-11-20")),
            lambda: client.void_number(bad, uuid7(), "x"),
            lambda: client.packet_state(bad),
            lambda: client.fetch(msgspec.structs.replace(ITEM, id=bad), limit=1000),
        ]
        for ask in asks:
            with pytest.raises(ValueError, match="not a"):
                ask()
    assert server.asked == []
