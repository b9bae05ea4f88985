"""What the top bar says of tokens, server and waiting documents."""

import datetime as dt
from pathlib import Path

import pytest

from signer_app.desk.exchange import ExchangeSnapshot, Link
from signer_app.desk.tokens import CertificateView, Life, TokensSnapshot, TokenView
from signer_app.pdf.plan import VIETNAM
from signer_app.store.settings import Body, CertificateRole, Exchange, Settings
from signer_resources.errors import KnownError
from signer_token.model import PinState, Token, TokenCertificate
from signer_ui.glow import Glow
from signer_ui.presenters.bar import bar_view, server_light, token_light
from signer_ui.words import Words

NOW = dt.datetime(2026, 11, 20, 8, 0, tzinfo=VIETNAM)
WORDS = Words("vi")


def _certificate(role: CertificateRole, life: Life, days: int = 300, name: str = "UBND XÃ HÒA SƠN") -> CertificateView:
    certificate = TokenCertificate(
        sha256="ab" * 32,
        serial="01",
        subject=f"CN={name}",
        issuer="CN=CA",
        not_before=NOW - dt.timedelta(days=30),
        not_after=NOW + dt.timedelta(days=days),
        key="RSA-2048",
        common_name=name,
        organization="",
        usable_for_signing=True,
        der=b"",
    )
    return CertificateView(certificate, role, role_confirmed=True, body=None, life=life, days_left=days)


def _token(*certificates: CertificateView, pin: PinState = PinState.OK, label: str = "UBND xã Hòa Sơn") -> TokenView:
    return TokenView(Token(label, "77", "", "", Path("driver.so"), pin, ()), certificates)


def _seen(*tokens: TokenView) -> TokensSnapshot:
    return TokensSnapshot(tokens, (), looked=True)


AGENCY, PERSONAL = CertificateRole.AGENCY, CertificateRole.PERSONAL


@pytest.mark.parametrize(
    ("snapshot", "glow", "words"),
    [
        (TokensSnapshot(), Glow.OFF, "đang tìm"),
        (_seen(), Glow.OFF, "Chưa cắm USB ký số"),
        (TokensSnapshot((), (KnownError("driver_timeout", module="x"),), looked=True), Glow.BAD, "có lỗi"),
        (_seen(_token(_certificate(AGENCY, Life.VALID))), Glow.GOOD, "UBND XÃ HÒA SƠN"),
        (_seen(_token(_certificate(AGENCY, Life.ENDING, 57))), Glow.WARN, "còn 57 ngày"),
        (_seen(_token(_certificate(AGENCY, Life.DUE, 27))), Glow.WARN, "chỉ còn 27 ngày, cần gia hạn"),
        (_seen(_token(_certificate(AGENCY, Life.LAST, 6))), Glow.BAD, "sắp hết hạn, còn 6 ngày"),
        (_seen(_token(_certificate(AGENCY, Life.EXPIRED, -3))), Glow.BAD, "hết hạn"),
        (_seen(_token(_certificate(AGENCY, Life.NOT_YET))), Glow.BAD, "chưa có hiệu lực"),
        (_seen(_token(_certificate(AGENCY, Life.VALID), pin=PinState.LOCKED)), Glow.BAD, "đã bị khóa"),
        (_seen(_token(_certificate(AGENCY, Life.VALID), pin=PinState.FINAL)), Glow.WARN, "1 lần nhập PIN"),
        (_seen(_token()), Glow.WARN, "không có chứng thư số"),
    ],
)
def test_the_token_light_says_what_hinders_signing(snapshot: TokensSnapshot, glow: Glow, words: str) -> None:
    light = token_light(snapshot, WORDS)
    assert light.glow is glow
    assert words in light.words


def test_the_bodys_token_comes_before_a_persons() -> None:
    person = _token(_certificate(PERSONAL, Life.VALID, name="Nguyễn Thị Phượng"))
    body = _token(_certificate(AGENCY, Life.ENDING, 10))
    assert "UBND" in token_light(_seen(person, body), WORDS).words


@pytest.mark.parametrize(
    ("link", "glow"),
    [
        (Link.NOT_SET, Glow.OFF),
        (Link.NOT_ENROLLED, Glow.WARN),
        (Link.NOT_ASKED, Glow.OFF),
        (Link.REACHED, Glow.GOOD),
        (Link.AWAY, Glow.WARN),
    ],
)
def test_the_server_light_knows_every_state(link: Link, glow: Glow) -> None:
    light = server_light(ExchangeSnapshot(link, NOW, KnownError("server_not_set")), WORDS)
    assert light.glow is glow
    assert light.words


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("server_unreachable", "Mất mạng từ 08:00"),
        ("captive_portal", "Mạng đòi đăng nhập"),
        ("proxy_refused", "Proxy: cần xem"),
        ("clock_or_certificate", "Giờ máy: cần xem"),
        ("server_certificate_unknown", "Chứng thư máy chủ: cần xem"),
        ("lgsp_login_refused", "Máy chủ: cần xem"),
    ],
)
def test_only_a_missing_network_is_called_one_and_the_rest_says_what_stands_in_the_way(code: str, words: str) -> None:
    light = server_light(ExchangeSnapshot(Link.AWAY, NOW, KnownError(code, host="vb.vn")), WORDS)
    assert (light.words, light.glow) == (words, Glow.WARN)
    assert "vb.vn" in light.tip or code == "proxy_refused"


def test_a_machine_that_only_signs_has_no_server_to_speak_of() -> None:
    settings = Settings(bodies=(Body(code="H41.1", name="UBND xã A", exchange=Exchange.EXTERNAL),))
    light = bar_view(settings, TokensSnapshot(), ExchangeSnapshot(Link.NOT_ENROLLED), NOW, WORDS).server
    assert (light.glow, light.words) == (Glow.OFF, "Chỉ ký, không gửi nhận")


@pytest.mark.parametrize(
    ("waited", "words"),
    [
        (dt.timedelta(minutes=5), "5 phút"),
        (dt.timedelta(hours=3, minutes=59), "3 giờ"),
        (dt.timedelta(days=3), "3 ngày"),
        (dt.timedelta(seconds=59), ""),
        (dt.timedelta(minutes=-5), ""),
    ],
)
def test_how_long_the_oldest_document_waits_is_told_in_whole_units(waited: dt.timedelta, words: str) -> None:
    exchange = ExchangeSnapshot(Link.AWAY, NOW, oldest_unsent=NOW - waited)
    view = bar_view(Settings(), TokensSnapshot(), exchange, NOW, WORDS)
    assert view.unsent == (f"Chờ gửi lâu nhất: {words}" if words else "")


def test_nothing_waits_nothing_is_said() -> None:
    assert bar_view(Settings(), TokensSnapshot(), ExchangeSnapshot(), NOW, WORDS).unsent == ""


def test_a_machine_that_serves_several_bodies_says_so() -> None:
    settings = Settings(
        clerk="Hạnh", bodies=(Body(code="H41.1", name="UBND xã A"), Body(code="H41.2", name="HĐND xã A"))
    )
    view = bar_view(settings, TokensSnapshot(), ExchangeSnapshot(), NOW, WORDS)
    assert view.body == "UBND xã A (và 1 cơ quan khác)"
    assert view.clerk == "Văn thư: Hạnh"
