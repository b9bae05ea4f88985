"""The way through an office's proxy, and the words for what goes wrong on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from signer_resources.errors import KnownError
from signer_sync import contract as c
from signer_sync.client import ServerClient
from signer_sync.errors import ExchangeError, Scope
from signer_sync.http import HttpSettings, PlainHttp, TransferError, TransferFault, exchange, open_session
from signer_sync.proxies import NO_PROXIES, Proxies, ProxyMode, ProxySettings, resolve
from signer_sync.secrets import Secret
from tests.server.world import pinned
from tests.sync.faults import signed_meta
from tests.sync.office_proxy import office_proxy
from tests.sync.test_http import Reply, body, serving, tls_server

NAME = "lienthong.example.vn"
URL = f"https://{NAME}"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def manual(url: str, user: str = "", password: str | None = None, no_proxy: str = "") -> Proxies:
    settings = ProxySettings(ProxyMode.MANUAL, url, user, no_proxy)
    return resolve(settings, None if password is None else Secret(password))


# -- which proxy -------------------------------------------------------------------------------------------


def test_the_systems_proxies_are_read_only_when_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example.vn:3128")
    monkeypatch.setenv("no_proxy", "noibo.example.vn,10.1.0.0/16")
    system = resolve(ProxySettings())
    chosen = system.of("https://a.example.vn/")
    assert chosen is not None
    assert (chosen.address, chosen.host) == ("http://proxy.example.vn:3128", "proxy.example.vn")
    assert system.of("http://a.example.vn/") is None
    for direct in ("https://noibo.example.vn/", "https://may1.noibo.example.vn/x", "https://10.1.2.3/"):
        assert system.of(direct) is None
    assert resolve(ProxySettings(ProxyMode.NONE)) == NO_PROXIES
    assert HttpSettings().proxies.of(URL) is None


def test_a_proxy_for_everything_is_taken_from_the_system_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "proxy.example.vn:3128")
    chosen = resolve(ProxySettings()).of(URL)
    assert chosen is not None
    assert chosen.address == "http://proxy.example.vn:3128"


@pytest.mark.parametrize(
    ("url", "direct"),
    [
        ("https://example.vn/", True),
        ("https://a.b.example.vn/", True),
        ("https://notexample.vn/", False),
        ("https://10.200.1.1/", True),
        ("https://11.0.0.1/", False),
        ("https://may5/", True),
        ("https://[fd00::1]/", True),
    ],
)
def test_exceptions_set_by_hand_are_hosts_domains_and_networks(url: str, direct: bool) -> None:
    proxies = manual("http://proxy:3128", no_proxy=" .Example.VN , 10.0.0.0/8,MAY5, fd00::/8,, nonsense/99")
    assert (proxies.of(url) is None) is direct


def test_a_star_excepts_everything() -> None:
    assert manual("http://proxy:3128", no_proxy="*").of(URL) is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("proxy:3128", "http://proxy:3128"),
        (" http://proxy.example.vn:8080/ ", "http://proxy.example.vn:8080"),
        ("https://proxy.example.vn", "https://proxy.example.vn:443"),
        ("http://[fd00::5]:3128", "http://[fd00::5]:3128"),
    ],
)
def test_addresses_of_proxies_as_people_write_them(written: str, meant: str) -> None:
    chosen = manual(written).of(URL)
    assert chosen is not None
    assert chosen.address == meant


@pytest.mark.parametrize(
    "address",
    ["", "socks5://proxy:1080", "http://", "http://proxy:port", "http://proxy:99999", "http://[", "a b",
     "http://user:hunter2@proxy:3128", "file:///etc/passwd"],
)  # fmt: skip
def test_what_is_no_address_of_a_proxy_is_told_without_its_password(address: str) -> None:
    with pytest.raises(KnownError) as caught:
        manual(address)
    assert caught.value.code == "proxy_address_wrong"
    assert "hunter2" not in f"{caught.value!r} {caught.value} {caught.value.params}"


# -- through the proxy -------------------------------------------------------------------------------------


def meta_reply(handler: BaseHTTPRequestHandler) -> None:
    reply = signed_meta()
    assert isinstance(reply.parts, tuple)
    body(reply.parts[0], Content_Type=c.MEDIA_JOSE)(handler)


@contextmanager
def server(folder: Path, reply: Reply = meta_reply, names: tuple[str, ...] = (NAME,)) -> Iterator[tuple[str, Path]]:
    """A TLS server by that name somewhere else; where it really is, and whom to trust."""
    certificate, context = tls_server(folder, names)
    with serving(reply, context) as url:
        yield url.removeprefix("https://"), certificate


def meta(proxies: Proxies, extra_ca: Path | None = None, url: str = URL) -> c.Meta:
    settings = HttpSettings(proxies=proxies, extra_ca=extra_ca, connect_timeout=20, read_timeout=20)
    with open_session(settings) as session:
        return ServerClient(url, pinned(), None, session).meta()


def failure(proxies: Proxies, extra_ca: Path | None = None, url: str = URL) -> ExchangeError:
    with pytest.raises(ExchangeError) as caught:
        meta(proxies, extra_ca, url)
    return caught.value


def test_the_server_is_reached_through_a_proxy_that_wants_a_login_and_never_sees_more(tmp_path: Path) -> None:
    with server(tmp_path) as (there, ca), office_proxy(there, login="vănthư:mật khẩu") as proxy:
        assert meta(manual(proxy.url, "vănthư", "mật khẩu"), ca).api_versions == ("1",)
    assert proxy.asked == [f"CONNECT {NAME}:443"]
    assert "user-agent" not in proxy.heads[0]


def test_a_login_in_the_systems_own_address_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with server(tmp_path) as (there, ca), office_proxy(there, login="u:p@ss") as proxy:
        monkeypatch.setenv("https_proxy", proxy.url.replace("http://", "http://u:p%40ss@"))
        proxies = resolve(ProxySettings())
        assert meta(proxies, ca).api_versions == ("1",)
    assert "p@ss" not in repr(proxies)
    assert "p%40ss" not in repr(HttpSettings(proxies=proxies))


@pytest.mark.parametrize("password", [None, "hunter2"])
def test_a_proxy_that_wants_another_login_is_told_and_not_tried_again(tmp_path: Path, password: str | None) -> None:
    with server(tmp_path) as (there, ca), office_proxy(there, login="u:right") as proxy:
        error = failure(manual(proxy.url, "u" if password else "", password), ca)
        assert len(proxy.asked) == 1
    assert (error.code, error.scope, error.retry, error.unreachable) == (
        "proxy_refused", Scope.SERVER, c.Retry.FIX, True,
    )  # fmt: skip
    assert error.params["proxy"] == "127.0.0.1"
    assert "hunter2" not in f"{error!r} {error} {error.params}"


def test_a_proxy_that_blocks_the_address_is_told(tmp_path: Path) -> None:
    with office_proxy(refuse=403) as proxy:
        assert failure(manual(proxy.url)).code == "proxy_refused"


def test_a_proxy_that_is_away_is_told_apart_from_a_server_that_is_away(tmp_path: Path) -> None:
    with office_proxy() as proxy:
        assert failure(manual(proxy.url)).code == "server_unreachable"
    away = failure(manual(proxy.url))
    assert (away.code, away.scope, away.retry, away.unreachable) == (
        "proxy_unreachable", Scope.SERVER, c.Retry.AFTER, True,
    )  # fmt: skip


def test_this_machine_itself_is_never_reached_through_a_proxy() -> None:
    with serving(meta_reply) as url, office_proxy(refuse=403) as proxy:
        assert meta(manual(proxy.url), url=url).api_versions == ("1",)
        assert proxy.asked == []


def test_a_proxys_demand_for_a_login_is_told_without_tls_too() -> None:
    with office_proxy(login="u:p") as proxy:
        settings = HttpSettings(proxies=manual(proxy.url), plain_http=PlainHttp.ANYWHERE)
        with open_session(settings) as session, pytest.raises(TransferError) as caught:
            exchange(session, "GET", "http://ocsp.example.vn/", limit=1000)
        assert caught.value.fault is TransferFault.PROXY_REFUSED
        allowed = HttpSettings(proxies=manual(proxy.url, "u", "p"), plain_http=PlainHttp.ANYWHERE)
        with open_session(allowed) as session:
            assert exchange(session, "GET", "http://ocsp.example.vn/", limit=1000).status == 502


def test_a_server_that_plays_proxy_gets_no_login_and_is_no_server() -> None:
    def demand(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers["Proxy-Authorization"])
        handler.send_response(407)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    seen: list[str | None] = []
    with serving(demand) as url, office_proxy() as proxy:
        error = failure(manual(proxy.url, "u", "p"), url=url)
    assert seen == [None]
    assert error.unreachable
    assert error.code != "server_refused"


# -- what else stands in the way ---------------------------------------------------------------------------


def to(location: str | None, status: int = 302, media: str = "text/html") -> Reply:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", media)
        if location is not None:
            handler.send_header("Location", location)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return reply


@pytest.mark.parametrize(
    ("plain", "code"),
    [
        (to("http://192.0.2.1/login"), "captive_portal"),
        (to(None, 511), "captive_portal"),
        (to(None, 200), "captive_portal"),
        (to(f"https://{NAME}/v1/meta", 301), "server_unreachable"),
        (to("/elsewhere"), "server_unreachable"),
        (to(None, 404), "server_unreachable"),
        (to(None, 200, "application/json"), "server_unreachable"),
    ],
    ids=["redirect", "511", "page", "way to TLS", "own redirect", "not found", "something else"],
)
def test_a_sign_in_page_in_the_way_is_told_from_a_server_that_is_away(plain: Reply, code: str) -> None:
    with office_proxy(plain=plain) as network:
        assert failure(manual(network.url)).code == code
        assert network.asked[-1] == f"GET http://{NAME}/v1/meta"
        assert not {"authorization", "cookie"} & set(network.heads[-1])


def test_a_sign_in_page_that_shows_its_own_certificate_is_still_one(tmp_path: Path) -> None:
    page = to("http://192.0.2.1/login")
    with server(tmp_path, page, ("portal.example",)) as (there, _), office_proxy(there, plain=page) as network:
        assert failure(manual(network.url)).code == "captive_portal"


def test_certificates_of_strangers_and_of_other_names_are_told_apart(tmp_path: Path) -> None:
    with server(tmp_path) as (there, _), office_proxy(there) as proxy:
        assert failure(manual(proxy.url)).code == "server_certificate_unknown"
    with server(tmp_path, names=("other.example.vn",)) as (there, ca), office_proxy(there) as proxy:
        error = failure(manual(proxy.url), ca)
    assert (error.code, error.scope, error.unreachable) == ("server_certificate_name", Scope.SERVER, True)
