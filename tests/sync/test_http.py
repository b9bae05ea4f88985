import gzip
import os
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from signer_resources.errors import KnownError
from signer_sync import connections
from signer_sync.http import (
    Answer,
    HttpSettings,
    PlainHttp,
    TransferError,
    TransferFault,
    check_address,
    chunks,
    exchange,
    open_session,
    streamed,
    unpacked,
)
from signer_sync.proxies import Proxies, Proxy
from signer_sync.tls import Distrust

Reply = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(reply: Reply, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A real server on loopback that answers each GET and POST by `reply`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reply(self)

        do_HEAD = do_POST = do_GET  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that hangs up is what several of these tests do."""

    server = Quiet(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def body(data: bytes, **headers: str) -> Reply:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        for name, value in ({"Content_Length": str(len(data))} | headers).items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data)

    return reply


def get(url: str, settings: HttpSettings | None = None, limit: int = 1 << 20) -> Answer:
    with open_session(settings or HttpSettings()) as session:
        return exchange(session, "GET", url, limit=limit)


def fault(url: str, settings: HttpSettings | None = None, limit: int = 1 << 20) -> TransferFault:
    with pytest.raises(TransferError) as caught:
        get(url, settings, limit)
    return caught.value.fault


@pytest.mark.parametrize(
    "url",
    [
        "http://192.168.1.10/x",
        "http://example.vn/",
        "http://127.0.0.1.example.vn/",
        "http://[::ffff:10.0.0.1]/",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "https://user:secret@example.vn/",
        "https://",
        "https://[",
        "//127.0.0.1/",
        "",
    ],
)
def test_only_https_or_this_machine_is_asked(url: str) -> None:
    with pytest.raises(KnownError) as caught:
        check_address(url, PlainHttp.LOOPBACK)
    assert caught.value.code == "server_insecure"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["https://a.vn", "http://127.0.0.1:1/", "http://127.9.9.9/", "http://[::1]:5/", "http://localhost/"],
)
def test_https_and_loopback_addresses_are_fine(url: str) -> None:
    check_address(url, PlainHttp.LOOPBACK)


def test_the_rule_holds_in_the_session_too_and_plain_http_can_be_let_through() -> None:
    with open_session(HttpSettings()) as session, pytest.raises(KnownError):
        session.get("http://192.0.2.1/ocsp")
    check_address("http://ca.gov.vn/pki/cp.crl", PlainHttp.ANYWHERE)
    with pytest.raises(KnownError):
        check_address("gopher://ca.gov.vn/", PlainHttp.ANYWHERE)


def test_we_say_who_we_are_and_ask_for_no_compression() -> None:
    seen: dict[str, str] = {}

    def reply(handler: BaseHTTPRequestHandler) -> None:
        seen.update(handler.headers.items())
        body(b"ok")(handler)

    with serving(reply) as url:
        assert get(url).body == b"ok"
    assert seen["User-Agent"].startswith("signer/")
    assert seen["Accept-Encoding"] == "identity"


def test_the_environments_proxies_and_passwords_are_not_consulted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    seen: list[str | None] = []

    def reply(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers["Authorization"])
        body(b"direct")(handler)

    with serving(reply) as url:
        assert get(url).body == b"direct"
    assert seen == [None]


def test_a_proxy_is_used_where_one_is_set_but_never_for_this_machine() -> None:
    asked: list[str] = []

    def proxy(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        body(b"by proxy")(handler)

    with serving(proxy) as proxy_url, serving(body(b"direct")) as url:
        settings = HttpSettings(proxies=Proxies({"http": Proxy(proxy_url)}), plain_http=PlainHttp.ANYWHERE)
        assert get("http://ocsp.example.vn/a", settings).body == b"by proxy"
        assert get(url, settings).body == b"direct"
    assert asked == ["http://ocsp.example.vn/a"]


@pytest.mark.parametrize("target", ["file:///etc/passwd", "http://192.0.2.1/", "{}/elsewhere"])
def test_redirects_are_answers_and_are_not_followed(target: str) -> None:
    asked: list[str] = []

    def reply(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        handler.send_response(302)
        handler.send_header("Location", target.format(f"http://{handler.headers['Host']}"))
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with serving(reply) as url:
        assert get(url + "/start").status == 302
    assert asked == ["/start"]


def test_more_than_the_limit_is_refused_whether_announced_or_not() -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 65536)

    with serving(body(b"x" * 1001)) as url:
        assert fault(url, limit=1000) is TransferFault.TOO_LARGE
        assert len(get(url, limit=1001).body) == 1001
    with serving(endless) as url:
        assert fault(url, limit=1 << 20) is TransferFault.TOO_LARGE


def test_a_body_that_drips_is_given_up_after_the_time_allowed() -> None:
    ticks = iter([0.0, 10.0, 20.0, 31.0])
    arrived = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        for _ in range(3):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            arrived.wait(10)
            arrived.clear()

    seen = []

    def read(url: str) -> None:
        with open_session(HttpSettings()) as session, streamed(session, "GET", url) as response:
            for chunk in chunks(response, 1000, seconds=30, clock=lambda: next(ticks)):
                seen.append(chunk)
                arrived.set()

    with serving(drip) as url:
        with pytest.raises(TransferError) as caught:
            read(url)
        arrived.set()
    assert caught.value.fault is TransferFault.TOO_SLOW
    assert seen == [b"x", b"x"]


def test_a_body_cut_short_is_no_answer() -> None:
    with serving(body(b"half", Content_Length="1000")) as url:
        assert fault(url) is TransferFault.CUT


def test_a_compressed_answer_is_not_unpacked() -> None:
    with serving(body(gzip.compress(b"0" * 1000), Content_Encoding="gzip")) as url:
        assert fault(url) is TransferFault.ENCODED


def test_nobody_there_and_silence_are_told_apart() -> None:
    with serving(body(b"")) as url:
        pass
    assert fault(url) is TransferFault.UNREACHABLE
    release = threading.Event()

    def silent(handler: BaseHTTPRequestHandler) -> None:
        release.wait(10)

    with serving(silent) as url:
        assert fault(url, HttpSettings(read_timeout=0.05)) is TransferFault.TIMEOUT
        release.set()


def test_tls_is_verified_whatever_the_caller_or_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, context = tls_server(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(certificate))
    with serving(body(b"ok"), context) as url:
        assert fault(url) is TransferFault.TLS
        with open_session(HttpSettings()) as session:
            session.verify = False
            with pytest.raises(TransferError) as caught:
                exchange(session, "GET", url, limit=10)
            assert caught.value.fault is TransferFault.TLS
        assert get(url, HttpSettings(extra_ca=certificate)).body == b"ok"


@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_file_of_authorities_that_cannot_be_used_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(KnownError) as caught:
        open_session(HttpSettings(extra_ca=file))
    assert (caught.value.code, caught.value.params["file"]) == ("extra_ca_unreadable", str(file))


def test_a_bodys_authorities_may_come_with_remarks_or_in_binary_and_a_new_file_counts_at_once(tmp_path: Path) -> None:
    certificate, context = tls_server(tmp_path)
    file = tmp_path / "ca.cer"
    pem = certificate.read_bytes()
    with serving(body(b"ok"), context) as url:
        for content in (
            "Chứng thư gốc của tỉnh\n".encode() + pem,
            x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER),
        ):
            file.write_bytes(content)
            os.utime(file, ns=(len(content), len(content)))
            assert get(url, HttpSettings(extra_ca=file)).body == b"ok"


@pytest.mark.parametrize(
    ("names", "days", "trusted", "distrust"),
    [
        (("127.0.0.1",), (-1, 1), False, Distrust.UNKNOWN),
        (("127.0.0.2",), (-1, 1), True, Distrust.NAME),
        (("lienthong.example.vn",), (-1, 1), True, Distrust.NAME),
        (("127.0.0.1",), (-9, -1), True, Distrust.EXPIRED),
        (("127.0.0.1",), (1, 9), True, Distrust.NOT_YET_VALID),
    ],
    ids=["unknown issuer", "other address", "other name", "expired", "not yet valid"],
)
def test_the_reason_why_a_certificate_is_refused_is_told(
    tmp_path: Path, names: tuple[str, ...], days: tuple[int, int], trusted: bool, distrust: Distrust
) -> None:
    certificate, context = tls_server(tmp_path, names, days)
    settings = HttpSettings(extra_ca=certificate if trusted else None)
    with serving(body(b"ok"), context) as url, pytest.raises(TransferError) as caught:
        get(url, settings)
    assert (caught.value.fault, caught.value.distrust) == (TransferFault.TLS, distrust)


def test_a_server_that_speaks_no_tls_is_not_a_matter_of_its_certificate() -> None:
    with serving(body(b"ok")) as url, pytest.raises(TransferError) as caught:
        get(url.replace("http:", "https:"))
    assert (caught.value.fault, caught.value.distrust) == (TransferFault.TLS, None)


@pytest.mark.parametrize("interim", [False, True], ids=["a head byte by byte", "interim answers without end"])
def test_a_head_that_drips_is_given_up_after_the_time_allowed(interim: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_GRACE", -29.5)
    gone = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"" if interim else b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not gone.wait(0.02):
            handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n" if interim else b"x")

    with serving(drip) as url:
        assert fault(url, HttpSettings(read_timeout=30)) is TransferFault.TIMEOUT
        gone.set()


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 " + b"2" * 200_000,
        b"\0\1\2\3 not http at all\r\n\r\n",
    ],
    ids=["many headers", "a long header", "a long status", "no http"],
)
def test_a_flood_of_headers_is_no_answer(head: bytes) -> None:
    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(head)

    with serving(flood) as url:
        assert fault(url) is TransferFault.UNREACHABLE


def test_a_gzipped_body_is_unpacked_up_to_a_limit_and_only_if_whole() -> None:
    packed = gzip.compress(b"0" * 100_000)
    assert unpacked(iter([packed[:20], packed[20:]]), 100_000) == b"0" * 100_000
    for parts, limit, expected in (
        ([packed], 99_999, TransferFault.TOO_LARGE),
        ([packed[:-9]], 100_000, TransferFault.CUT),
        ([packed, b"more"], 100_000, TransferFault.ENCODED),
        ([b"not gzip"], 100_000, TransferFault.ENCODED),
        ([], 100_000, TransferFault.CUT),
    ):
        with pytest.raises(TransferError) as caught:
            unpacked(iter(parts), limit)
        assert caught.value.fault is expected


def tls_server(
    folder: Path, names: tuple[str, ...] = ("127.0.0.1",), days: tuple[int, int] = (-1, 1)
) -> tuple[Path, ssl.SSLContext]:
    """A certificate for these names that no store knows, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path, key_path = folder / "tls.pem", folder / "tls.key"
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key_path)
    return path, context


def _general(name: str) -> x509.GeneralName:
    return x509.IPAddress(IPv4Address(name)) if name[0].isdigit() else x509.DNSName(name)
