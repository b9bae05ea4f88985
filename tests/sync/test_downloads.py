"""Downloads from the real server over lines that break, and from a server that lies."""

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from signer_sync import contract as c
from signer_sync import downloads
from signer_sync.client import ServerClient
from signer_sync.errors import ExchangeError
from signer_sync.http import HttpSettings, open_session
from signer_sync.ids import uuid7
from signer_sync.keystore import DeviceIdentity
from tests.server.world import COMMUNE, OFFICE, World, pinned
from tests.sync.faults import FaultProxy, LyingServer, Reply, fault_proxy, lying_server

BYTES = bytes(range(256)) * 4
DIGEST = hashlib.sha256(BYTES).digest()
ITEM = c.FeedItem(seq=1, type=c.FeedType.PACKET, id=uuid7(), sha256=DIGEST.hex(), size=len(BYTES), sender=OFFICE)
ETAG = ("ETag", f'"sha256-{DIGEST.hex()}"')
CONTENT = rb"^GET /v1/packets/"


class OneWay:
    """A sink that cannot be taken back."""

    def __init__(self) -> None:
        self.got = b""

    def write(self, data: bytes, /) -> None:
        self.got += data


@contextmanager
def behind(world: World) -> Iterator[tuple[ServerClient, c.FeedItem, FaultProxy]]:
    """The receiver of one packet, over a line that can be broken."""
    world.enrolled().put_packet(world.packet(content=b"%PDF-1.7\n" + BYTES * 300))
    office = world.enrolled(OFFICE)
    (item,) = office.feed(None).items
    with fault_proxy(world.server.url) as proxy:
        yield world.again(office, proxy.url), item, proxy


def contents(proxy: FaultProxy) -> int:
    return sum(line.startswith(b"GET /v1/packets/") for line in proxy.asked)


def test_a_download_that_is_cut_goes_on_where_it_broke(world: World) -> None:
    sink = OneWay()
    with behind(world) as (client, item, proxy):
        proxy.cut_answers(CONTENT, 100_000, times=2)
        assert client.content(item, sink, limit=1 << 20) == item.size
        assert contents(proxy) == 3
    assert hashlib.sha256(sink.got).hexdigest() == item.sha256


def test_a_line_that_brings_nothing_is_given_up(world: World) -> None:
    with behind(world) as (client, item, proxy):
        proxy.cut_answers(CONTENT, 10, times=50)
        with pytest.raises(ExchangeError) as caught:
            client.fetch(item, limit=1 << 20)
        assert contents(proxy) == downloads.MAX_IDLE_CUTS
    assert (caught.value.code, caught.value.unreachable) == ("server_unreachable", True)


def test_a_line_that_breaks_after_every_few_bytes_still_gets_there(world: World) -> None:
    with behind(world) as (client, item, proxy):
        proxy.cut_answers(CONTENT, 60_000, times=50)
        assert len(client.fetch(item, limit=1 << 20)) == item.size
        assert 4 < contents(proxy) < 20


# -- against a server that lies ----------------------------------------------------------------------------


class Scripted:
    """Answers the requests for the content one after the other; the last answer stays."""

    def __init__(self, *replies: Reply | Callable[[], Reply]) -> None:
        self.replies = list(replies)

    def __call__(self, _method: str, path: str, _body: bytes) -> Reply | None:
        if not path.startswith("/v1/packets/"):
            return None
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return reply if isinstance(reply, Reply) else reply()


@contextmanager
def receiving(*replies: Reply | Callable[[], Reply]) -> Iterator[tuple[ServerClient, LyingServer]]:
    with lying_server(Scripted(*replies)) as server, open_session(HttpSettings()) as session:
        yield ServerClient(server.url, pinned(), DeviceIdentity.create(COMMUNE), session), server


def broken(*headers: tuple[str, str], status: int = 200, begin: int = 0, end: int = 500) -> Callable[[], Reply]:
    """A part of the content, then the end of the line although more was promised."""
    promised = ("Content-Length", str(len(BYTES) - begin))
    return lambda: Reply(status, parts=iter([BYTES[begin:end]]), headers=(promised, *headers))


def rest(begin: int = 500, told: str | None = None, *headers: tuple[str, str]) -> Reply:
    said = told if told is not None else f"bytes {begin}-{len(BYTES) - 1}/{len(BYTES)}"
    return Reply(206, parts=(BYTES[begin:],), headers=(("Content-Range", said), *headers))


def ranges(server: LyingServer) -> list[tuple[str | None, str | None]]:
    return [
        (head.get("range"), head.get("if-range"))
        for head, line in zip(server.heads, server.asked, strict=True)
        if "/packets/" in line
    ]


def test_the_rest_is_asked_for_by_range_and_only_of_the_same_representation() -> None:
    with receiving(broken(ETAG), rest()) as (client, server):
        assert client.fetch(ITEM, limit=1 << 20) == BYTES
    assert ranges(server) == [(None, None), ("bytes=500-", ETAG[1])]


@pytest.mark.parametrize("etag", [None, ("ETag", 'W/"weak"'), ("ETag", "bare")], ids=["none", "weak", "bare"])
def test_without_a_strong_etag_the_whole_is_asked_for_again(etag: tuple[str, str] | None) -> None:
    with receiving(broken(*([etag] if etag else [])), Reply(parts=(BYTES,))) as (client, server):
        sink = OneWay()
        client.content(ITEM, sink, limit=1 << 20)
    assert sink.got == BYTES
    assert ranges(server) == [(None, None)] * 2


def test_a_server_that_ignores_the_range_is_understood() -> None:
    sink = OneWay()
    with receiving(broken(ETAG), Reply(parts=(BYTES,))) as (client, _):
        client.content(ITEM, sink, limit=1 << 20)
    assert sink.got == BYTES


@pytest.mark.parametrize(
    "told",
    ["bytes 0-1023/1024", "bytes 500-1023/9999", "bytes 499-1023/1024", "bytes */1024", "", "bytes 500-1023/*"],
)
def test_another_range_than_the_one_asked_for_is_not_taken(told: str) -> None:
    sink = OneWay()
    with receiving(broken(ETAG), rest(500, told)) as (client, _), pytest.raises(ExchangeError) as caught:
        client.content(ITEM, sink, limit=1 << 20)
    assert caught.value.code == "content_wrong"
    assert sink.got == BYTES[:500]


def test_wrong_bytes_are_thrown_away_and_fetched_once_more() -> None:
    wrong = Reply(parts=(b"?" * len(BYTES),))
    sink = io.BytesIO()
    sink.write(b"before")
    with receiving(wrong, Reply(parts=(BYTES,))) as (client, server):
        client.content(ITEM, sink, limit=1 << 20)
    assert sink.getvalue() == b"before" + BYTES
    assert len(ranges(server)) == 2


def test_bytes_that_stay_wrong_are_told_after_the_second_time() -> None:
    with receiving(Reply(parts=(b"?" * len(BYTES),))) as (client, server), pytest.raises(ExchangeError) as caught:
        client.fetch(ITEM, limit=1 << 20)
    assert (caught.value.code, caught.value.retry) == ("content_wrong", c.Retry.AFTER)
    assert len(ranges(server)) == 2


def test_nothing_of_the_first_try_is_left_beneath_a_shorter_second() -> None:
    sink = io.BytesIO()
    wrong, shorter = Reply(parts=(b"?" * len(BYTES),)), Reply(parts=(b"!!",))
    with receiving(wrong, shorter) as (client, _), pytest.raises(ExchangeError):
        client.content(ITEM, sink, limit=1 << 20)
    assert sink.getvalue() == b"!!"


def test_a_sink_that_cannot_be_taken_back_is_the_callers_to_throw_away() -> None:
    with receiving(Reply(parts=(b"?" * len(BYTES),))) as (client, server), pytest.raises(ExchangeError) as caught:
        client.content(ITEM, OneWay(), limit=1 << 20)
    assert caught.value.code == "content_wrong"
    assert len(ranges(server)) == 1


@pytest.mark.parametrize("value", [c.digest_header(bytes(32)), "sha-256=:AA:", "sha-256=nonsense"])
def test_a_digest_that_promises_something_else_is_believed_before_the_body(value: str) -> None:
    sink = OneWay()
    promised = Reply(parts=(BYTES,), headers=((c.HEADER_REPR_DIGEST, value),))
    with receiving(promised) as (client, _), pytest.raises(ExchangeError) as caught:
        client.content(ITEM, sink, limit=1 << 20)
    assert caught.value.code == "content_wrong"
    assert sink.got == b""


def test_a_digest_by_another_algorithm_is_passed_over() -> None:
    with receiving(Reply(parts=(BYTES,), headers=((c.HEADER_REPR_DIGEST, "sha-512=:AAAA:"),))) as (client, _):
        assert client.fetch(ITEM, limit=1 << 20) == BYTES


def test_a_packet_without_a_hash_is_never_right() -> None:
    bare = c.FeedItem(seq=1, type=c.FeedType.PACKET, id=ITEM.id, size=len(BYTES))
    with receiving(Reply(parts=(BYTES,))) as (client, _), pytest.raises(ExchangeError) as caught:
        client.fetch(bare, limit=1 << 20)
    assert caught.value.code == "content_wrong"
