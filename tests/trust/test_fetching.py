"""Lists and OCSP answers from the addresses that certificates name: what is kept, for how long, and how little time it
may take. Real HTTP on loopback; the clock is handed in.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from signer_app.signing import revocation
from signer_app.signing.revocation import RevocationCache
from signer_app.verification.model import RevocationUrl, RevocationUrlKind, TrustMaterial
from signer_sync.http import TransferError, TransferFault
from tests.verification.small_pki import DAY, NOW, Holder, make_certificate, make_crl, make_ocsp

CRL, OCSP = RevocationUrlKind.CRL, RevocationUrlKind.OCSP


@dataclass
class Web:
    """What lies at which path, and who asked."""

    url: str = ""
    content: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def ca() -> Holder:
    return make_certificate("CA", make_certificate("Gốc", None, ca=True), ca=True)


@pytest.fixture(scope="module")
def leader(ca: Holder) -> Holder:
    return make_certificate("Lãnh đạo", ca)


@pytest.fixture(scope="module")
def server() -> Iterator[Web]:
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.asked.append(self.path)
            body = web.content.get(self.path)
            self.send_response(404 if body is None else 302 if self.path == "/moved" else 200)
            if self.path == "/moved":
                self.send_header("Location", f"{web.url}/crl")
            self.end_headers()
            self.wfile.write(body or b"")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_args: object) -> None:
            """Says nothing on the screen."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.url = f"http://127.0.0.1:{listening.server_port}"
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield web
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.fixture
def web(server: Web) -> Web:
    server.content.clear()
    server.asked.clear()
    return server


class Clock:
    at = 0.0

    def __call__(self) -> float:
        return self.at


def wanted(web: Web, leader: Holder, path: str = "/crl", kind: RevocationUrlKind = CRL) -> RevocationUrl:
    assert leader.issuer is not None
    return RevocationUrl(kind, web.url + path, leader.der, leader.issuer.der)


def crls(cache: RevocationCache) -> tuple[bytes, ...]:
    return cache.extend(TrustMaterial()).crls


def test_lists_and_answers_outlast_the_run_and_are_the_users_alone(
    tmp_path: Path, web: Web, ca: Holder, leader: Holder
) -> None:
    web.content |= {"/crl": make_crl(ca), "/ocsp": make_ocsp(leader)}
    cache = RevocationCache(tmp_path)
    assert cache.fetch([wanted(web, leader), wanted(web, leader, "/ocsp", OCSP)])
    later = RevocationCache(tmp_path).extend(TrustMaterial(crls=(b"own",)))
    assert (later.crls, later.ocsps) == ((b"own", web.content["/crl"]), (web.content["/ocsp"],))
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert {file.parent.stat().st_mode & 0o777 for file in files} == {0o700}


def test_nothing_of_a_stranger_is_kept(tmp_path: Path, web: Web, ca: Holder, leader: Holder) -> None:
    other = make_certificate("CA", None, ca=True)
    someone = make_certificate("Ai đó", ca)
    web.content |= {
        "/nonsense": b"<html>",
        "/of-no-version": make_crl(ca).replace(b"\x02\x01\x01\x30", b"\x02\x01\x7e\x30", 1),
        "/forged": make_crl(ca, signed_by=other.key),
        "/others": make_crl(make_certificate("CA khác", None, ca=True)),
        "/moved": b"",
        "/about-another": make_ocsp(someone),
        "/by-another": make_ocsp(leader, responder=someone),
    }
    cache = RevocationCache(tmp_path)
    kinds = {"/about-another": OCSP, "/by-another": OCSP}
    assert not cache.fetch([wanted(web, leader, path, kinds.get(path, CRL)) for path in web.content])
    assert web.asked == list(web.content)
    assert cache.extend(TrustMaterial()) == TrustMaterial()


def test_an_older_list_that_is_played_back_takes_no_newer_ones_place(
    tmp_path: Path, web: Web, ca: Holder, leader: Holder
) -> None:
    newer = web.content["/crl"] = make_crl(ca, [(leader, NOW - DAY)], issued=NOW)
    cache = RevocationCache(tmp_path)
    assert cache.fetch([wanted(web, leader)])
    web.content["/crl"] = make_crl(ca, issued=NOW - 2 * DAY)
    assert not cache.fetch([wanted(web, leader)], again=True)
    assert crls(cache) == (newer,)


def test_an_address_is_asked_again_after_a_while_or_when_things_have_changed(
    tmp_path: Path, web: Web, ca: Holder, leader: Holder
) -> None:
    clock = Clock()
    cache = RevocationCache(tmp_path, clock=clock)
    asks = [wanted(web, leader)]
    assert not cache.fetch(asks)
    web.content["/crl"] = make_crl(ca)
    assert not cache.fetch(asks)
    assert cache.fetch(asks, again=True)
    assert len(web.asked) == 2
    clock.at += 61
    web.content["/crl"] = make_crl(ca, issued=NOW)
    assert not cache.fetch(asks)
    clock.at += 900
    assert cache.fetch(asks)
    assert crls(cache) == (web.content["/crl"],)


def test_two_dead_hosts_are_enough_and_the_others_stay_unasked(
    tmp_path: Path, web: Web, ca: Holder, leader: Holder
) -> None:
    web.content["/crl"] = make_crl(ca)
    # Port 1 is nobody's; the numbers of loopback are as many hosts.
    dead = [
        RevocationUrl(CRL, f"http://127.0.0.{n}:1/{part}", leader.der, ca.der) for n in (2, 3) for part in ("a", "b")
    ]
    cache = RevocationCache(tmp_path)
    assert not cache.fetch([*dead, wanted(web, leader)])
    assert web.asked == []
    assert cache.fetch([wanted(web, leader)])


def test_a_dead_host_is_left_alone_for_a_minute_whoever_asks_next(
    tmp_path: Path, ca: Holder, leader: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, asked = Clock(), list[str]()
    cache = RevocationCache(tmp_path, clock=clock)

    def unreachable(item: RevocationUrl, _seconds: float) -> bytes:
        asked.append(item.url)
        raise TransferError(TransferFault.TIMEOUT)

    monkeypatch.setattr(cache, "_get", unreachable)
    some = [RevocationUrl(CRL, f"http://crl.example/{n}.crl", leader.der, ca.der) for n in range(4)]
    for item in some[:3]:
        assert not cache.fetch([item])
    assert asked == [some[0].url]
    assert not cache.fetch([some[1]], again=True)
    clock.at += 60
    assert not cache.fetch([some[2]])
    assert asked == [one.url for one in some[:3]]


def test_all_of_it_together_takes_no_longer_than_allowed(tmp_path: Path, web: Web, ca: Holder, leader: Holder) -> None:
    class Slow(Clock):
        def __call__(self) -> float:
            self.at += 7.0
            return self.at

    web.content |= {f"/{n}": make_crl(ca) for n in range(9)}
    RevocationCache(tmp_path, clock=Slow()).fetch([wanted(web, leader, path) for path in web.content])
    assert 0 < len(web.asked) < 4


def test_the_oldest_go_when_there_are_too_many(
    tmp_path: Path, web: Web, ca: Holder, leader: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(revocation._MOST, CRL, 2)
    cache = RevocationCache(tmp_path)
    for n in range(4):
        web.content[f"/{n}"] = make_crl(ca, issued=NOW - n * DAY)
        assert cache.fetch([wanted(web, leader, f"/{n}")])
    assert set(crls(cache)) == {web.content["/2"], web.content["/3"]}
    assert len(list(tmp_path.rglob("*.crl"))) == 2
