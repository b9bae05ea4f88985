"""Timestamp servers: one for another, each with its limit and quota, and none believed that lies."""

import datetime as dt
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from signer_app.levels.uses import StoredUses
from signer_app.signing.batch import Stamped
from signer_app.signing.timestamps import (
    BatchStamps,
    Means,
    ServerState,
    TimestampClient,
    TimestampPool,
    ask_tsa,
)
from signer_app.store import DataFolder, Store
from signer_app.store.settings import Settings, TimestampServer
from signer_app.store.times import VIETNAM
from signer_resources.errors import KnownError
from tests.levels.signed import NoUses
from tests.support.workspace import Site

MORNING = dt.datetime(2026, 11, 23, 8, 0, tzinfo=VIETNAM)
IMPRINT = hashlib.sha256(b"document").digest()


class Network:
    """Servers as the test says, and clocks that go on when somebody waits or an answer takes time."""

    def __init__(self, **seconds: float | None) -> None:
        self.seconds = seconds
        """Server → how long its answer takes; None: it refuses at once."""
        self.asked: list[str] = []
        self.limits: list[float] = []
        self.waited: list[float] = []
        self.elapsed = 0.0
        self.now = MORNING

    def ask(self, url: str, _imprint: bytes, limit_s: float, _nonce: int) -> Stamped:
        self.asked.append(url)
        self.limits.append(limit_s)
        needed = self.seconds[url]
        self.go_on(min(needed, limit_s) if needed is not None else 0.0)
        if needed is None or needed > limit_s:
            raise ValueError("refused")
        return Stamped(b"token", self.now)

    def go_on(self, seconds: float) -> None:
        self.elapsed += seconds
        self.now += dt.timedelta(seconds=seconds)

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.go_on(seconds)

    def means(self) -> Means:
        return Means(monotonic=lambda: self.elapsed, now=lambda: self.now, wait=self.wait, ask=self.ask)

    def pool(self, *servers: TimestampServer) -> TimestampPool:
        return TimestampPool(servers or [TimestampServer(url=url) for url in self.seconds], NoUses(), self.means())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    with folder.lock(), Store.open(folder) as opened:
        yield opened


def test_a_server_stands_in_for_another_and_the_choice_is_told() -> None:
    network = Network(one=None, two=0.1)
    stamped = network.pool().at_once(IMPRINT)
    assert stamped is not None
    assert (stamped.tsa, network.asked) == ("two", ["one", "two"])


def test_a_server_that_failed_is_left_alone_for_longer_each_time() -> None:
    network = Network(one=None, two=0.0)
    pool = network.pool()
    pool.at_once(IMPRINT)
    network.go_on(59)
    pool.at_once(IMPRINT)
    assert network.asked == ["one", "two", "two"]
    assert pool.status()[0].state is ServerState.LEFT_ALONE
    network.go_on(2)
    pool.at_once(IMPRINT)
    network.go_on(61)
    pool.at_once(IMPRINT)
    assert network.asked[3:] == ["one", "two", "two"]


def test_after_no_server_answered_the_rest_of_the_batch_goes_without() -> None:
    network = Network(one=None, two=11.0)
    batch = BatchStamps(network.pool())
    assert [batch.stamp(b"signature") for _ in range(3)] == [None, None, None]
    with pytest.raises(KnownError, match="No timestamp could be had"):
        batch.over(IMPRINT)
    assert network.asked == ["one", "two"]
    # Each had the ten seconds that a person may be kept waiting.
    assert network.limits == [10.0, 10.0]


def test_nobody_waits_for_more_than_three_minutes_and_between_rounds_there_is_a_pause() -> None:
    network = Network(one=None, two=None)
    with pytest.raises(KnownError) as caught:
        network.pool().patiently(IMPRINT)
    assert (caught.value.code, network.asked, network.waited) == ("tsa_no_answer", ["one", "two"] * 3, [2.0, 4.0])
    slow = Network(one=1000.0, two=1000.0)
    with pytest.raises(KnownError):
        slow.pool().patiently(IMPRINT)
    assert slow.limits == [150.0, 30.0]
    assert slow.elapsed == 180.0


def test_an_answer_after_two_minutes_is_good_when_nobody_waits() -> None:
    network = Network(one=131.0)
    assert network.pool().patiently(IMPRINT).tsa == "one"


def test_a_server_that_has_just_failed_is_asked_after_the_others() -> None:
    network = Network(one=1000.0, two=1.0)
    pool = network.pool()
    assert [pool.patiently(IMPRINT).tsa for _ in range(3)] == ["two", "two", "two"]
    assert network.asked == ["one", "two", "two", "two"]


def test_waiting_ends_when_it_is_cancelled() -> None:
    network = Network(one=None)
    with pytest.raises(KnownError) as caught:
        network.pool().patiently(IMPRINT, lambda: len(network.asked) == 2)
    assert (caught.value.code, network.asked) == ("interrupted", ["one", "one"])


def test_a_quota_for_the_day_holds_across_starts_until_midnight(store: Store) -> None:
    network = Network(one=0.0)
    server = TimestampServer(url="one", per_day=3)

    def started() -> TimestampPool:
        return TimestampPool([server], StoredUses(store), network.means())

    assert [started().at_once(IMPRINT) is not None for _ in range(4)] == [True, True, True, False]
    assert len(network.asked) == 3
    status = started().status()[0]
    assert (status.state, status.today, status.per_day) == (ServerState.USED_UP, 3, 3)
    with pytest.raises(KnownError) as caught:
        started().patiently(IMPRINT)
    assert caught.value.code == "tsa_quota_used"
    network.now = dt.datetime(2026, 11, 24, 0, 0, 1, tzinfo=VIETNAM)
    assert started().at_once(IMPRINT) is not None


def test_a_quota_for_the_minute_moves_on_and_counts_what_failed(store: Store) -> None:
    network = Network(one=None, two=0.0)
    servers = [TimestampServer(url="one", per_minute=1), TimestampServer(url="two", per_minute=2)]
    pool = TimestampPool(servers, StoredUses(store), network.means())
    assert [pool.patiently(IMPRINT).tsa for _ in range(2)] == ["two", "two"]
    assert network.asked == ["one", "two", "two"]
    network.go_on(61)
    assert pool.patiently(IMPRINT).tsa == "two"


def test_a_new_quota_of_the_minute_is_waited_for_when_nobody_waits(store: Store) -> None:
    network = Network(one=1.0)
    pool = TimestampPool([TimestampServer(url="one", per_minute=1, per_day=3)], StoredUses(store), network.means())
    # The wait is no part of the three minutes for an answer.
    assert [pool.patiently(IMPRINT).tsa for _ in range(3)] == ["one"] * 3
    assert 120 <= network.elapsed <= 130
    assert pool.at_once(IMPRINT) is None, "a person never waits for it"
    with pytest.raises(KnownError) as caught:
        pool.patiently(IMPRINT)
    assert (caught.value.code, len(network.asked)) == ("tsa_quota_used", 3)


def test_waiting_for_a_quota_has_an_end_and_can_be_cancelled(store: Store) -> None:
    network = Network(one=0.0)
    means = network.means()

    class OthersFirst(StoredUses):
        def used(self, tsa: str, since: dt.datetime) -> int:
            return super().used(tsa, since) + 1

    pool = TimestampPool([TimestampServer(url="one", per_minute=1)], OthersFirst(store), means)
    with pytest.raises(KnownError) as caught:
        pool.patiently(IMPRINT)
    assert (caught.value.code, network.asked) == ("tsa_quota_used", [])
    assert 600 <= network.elapsed <= 605
    with pytest.raises(KnownError) as caught:
        pool.patiently(IMPRINT, lambda: network.elapsed > 610)
    assert (caught.value.code, network.elapsed < 615) == ("interrupted", True)


def test_at_most_four_are_asked_at_once() -> None:
    together, inside, most = threading.Barrier(4), [0], [0]
    guard = threading.Lock()

    def ask(_url: str, _imprint: bytes, _limit: float, _nonce: int) -> Stamped:
        with guard:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        # Nobody leaves before there are four: with fewer at once this would never end.
        together.wait(timeout=60)
        with guard:
            inside[0] -= 1
        return Stamped(b"token", MORNING)

    pool = TimestampPool([TimestampServer(url="one")], NoUses(), Means(ask=ask))
    threads = [threading.Thread(target=pool.at_once, args=(IMPRINT,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [4]


def test_the_first_server_of_the_settings_keeps_its_place_and_its_limit() -> None:
    other = TimestampServer(url="http://two/", per_day=5)
    settings = Settings(
        tsa_url="http://one/", tsa_timeout_s=7, tsa_per_day=9, tsa_others=(other, TimestampServer(url="http://one/"))
    )
    first, second = settings.timestamp_servers
    assert (first.url, first.limit_s, first.per_day, second) == ("http://one/", 7, 9, other)
    assert Settings(tsa_others=(other,)).timestamp_servers == ()


# Over HTTP


@contextmanager
def answering(answer: Callable[[bytes], bytes | None]) -> Iterator[str]:
    """A server that answers a request with these bytes, or says nothing until the test is over."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = answer(self.rfile.read(int(self.headers["Content-Length"])))
            if body is None:
                over.wait(60)
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            over.set()
            server.shutdown()
            thread.join()


def posted(site: Site, query: bytes) -> bytes:
    """What the real server answers."""
    header = {"Content-Type": "application/timestamp-query"}
    return requests.post(site.pki.tsa_url, query, headers=header, timeout=30).content


def test_the_real_server_gives_a_token_that_is_checked(site: Site) -> None:
    stamped = ask_tsa(site.pki.tsa_url, IMPRINT, 10.0, 4711)
    assert abs(stamped.time - dt.datetime.now(dt.UTC)) < dt.timedelta(hours=1)


def test_a_server_that_stamps_something_else_is_not_believed(site: Site) -> None:
    def for_something_else(query: bytes) -> bytes:
        other = query.replace(IMPRINT, hashlib.sha256(b"other").digest())
        return posted(site, other)

    with answering(for_something_else) as url, pytest.raises(ValueError, match="something else"):
        ask_tsa(url, IMPRINT, 10.0, 4711)


def test_a_token_of_yesterday_is_not_believed(site: Site) -> None:
    kept: list[bytes] = []

    def again(query: bytes) -> bytes:
        if not kept:
            kept.append(posted(site, query))
        return kept[0]

    with answering(again) as url:
        ask_tsa(url, IMPRINT, 10.0, 1)
        with pytest.raises(ValueError, match="old one"):
            ask_tsa(url, IMPRINT, 10.0, 2)


@pytest.mark.parametrize("nonsense", [b"", b"<html>", b"0\x03\x02\x01\x02"])
def test_nonsense_is_no_timestamp(nonsense: bytes) -> None:
    with answering(lambda _query: nonsense) as url:
        assert TimestampClient(url, 10.0).stamp(b"signature") is None


def test_a_server_that_says_nothing_costs_its_limit_and_the_next_one_is_asked(site: Site) -> None:
    with answering(lambda _query: None) as silent:
        servers = [TimestampServer(url=silent, limit_s=0.2), TimestampServer(url=site.pki.tsa_url)]
        stamped = TimestampPool(servers, NoUses()).at_once(IMPRINT)
    assert stamped is not None
    assert stamped.tsa == site.pki.tsa_url
