"""Whether this machine's clock or the server's certificate is to blame."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from signer_sync.client import ServerClient
from signer_sync.diagnosis import CertificateClue, http_date
from signer_sync.errors import ExchangeError, Scope
from signer_sync.http import HttpSettings, open_session
from signer_sync.tls import Distrust
from tests.server.world import pinned
from tests.sync.office_proxy import office_proxy
from tests.sync.test_http import Reply, serving, tls_server
from tests.sync.test_proxies import manual

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("server_days", "distrust", "blamed"),
    [
        (None, Distrust.EXPIRED, None),
        (None, Distrust.NOT_YET_VALID, True),
        (0, Distrust.EXPIRED, False),
        (-30, Distrust.EXPIRED, True),
        (-90, Distrust.EXPIRED, False),
        (30, Distrust.NOT_YET_VALID, False),
    ],
)
def test_the_clock_is_blamed_when_the_certificate_is_good_by_the_servers_clock(
    server_days: int | None, distrust: Distrust, blamed: bool | None
) -> None:
    there = None if server_days is None else NOW + server_days * DAY
    clue = CertificateClue(NOW - 60 * DAY, NOW - 10 * DAY, there)
    assert clue.clock_is_off(NOW, distrust) is blamed


@pytest.mark.parametrize(("days", "blamed"), [(-30, True), (30, False), (0, False)])
def test_without_the_certificate_the_two_clocks_decide(days: int, blamed: bool) -> None:
    assert CertificateClue(server_time=NOW + days * DAY).clock_is_off(NOW, Distrust.EXPIRED) is blamed


def dated(moment: datetime | None) -> Reply:
    """An answer with another server's clock, or with none."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response_only(404)
        if moment is not None:
            handler.send_header("Date", format_datetime(moment, usegmt=True))
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return reply


def failure(url: str, settings: HttpSettings) -> ExchangeError:
    with open_session(settings) as session, pytest.raises(ExchangeError) as caught:
        ServerClient(url, pinned(), None, session).meta()
    assert (caught.value.scope, caught.value.unreachable) == (Scope.SERVER, True)
    return caught.value


@pytest.mark.parametrize(
    ("days", "server_days", "code"),
    [
        ((-30, -5), 0, "server_certificate_expired"),
        ((-30, -5), -10, "clock_or_certificate"),
        ((-30, -5), None, "clock_or_certificate"),
        ((5, 30), 10, "clock_or_certificate"),
        ((5, 30), 0, "server_certificate_expired"),
    ],
)
def test_a_certificate_out_of_date_and_a_wrong_clock_are_told_apart(
    tmp_path: Path, days: tuple[int, int], server_days: int | None, code: str
) -> None:
    now = datetime.now(UTC)
    certificate, context = tls_server(tmp_path, days=days)
    told = None if server_days is None else now + server_days * DAY
    with serving(dated(told), context) as url:
        error = failure(url, HttpSettings(extra_ca=certificate))
    assert error.code == code
    assert "{" not in str(error)
    if told is not None:
        assert error.params["there"] == f"{told.astimezone():%H:%M %d/%m/%Y}"


def test_the_look_at_the_certificate_takes_the_same_way_through_the_proxy(tmp_path: Path) -> None:
    certificate, context = tls_server(tmp_path, ("lienthong.example.vn",), (-30, -5))
    with (
        serving(dated(datetime.now(UTC) - 10 * DAY), context) as url,
        office_proxy(url.removeprefix("https://"), login="u:p") as proxy,
    ):
        settings = HttpSettings(proxies=manual(proxy.url, "u", "p"), extra_ca=certificate)
        error = failure("https://lienthong.example.vn", settings)
    assert error.code == "clock_or_certificate"
    assert {line for line in proxy.asked if line.startswith("CONNECT")} == {"CONNECT lienthong.example.vn:443"}


@pytest.mark.parametrize(
    "text", [None, "", "soon", "Mon, 99 Nov 2026 08:00:00 GMT", "x" * 1000, "Mon, 23 Nov 99999999 08:00:00 GMT"]
)
def test_what_is_no_date_is_none(text: str | None) -> None:
    assert http_date(text) is None


def test_a_date_of_http_is_read() -> None:
    assert http_date("Mon, 23 Nov 2026 08:00:00 GMT") == NOW
