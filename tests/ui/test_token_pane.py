"""The pane of the tokens: what it shows of each, and how a press changes what a certificate is used for."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractButton, QLabel
from pytestqt.qtbot import QtBot

from signer_app.desk.desk import Desk, open_desk
from signer_app.desk.tokens import CertificateView, Life, TokensSnapshot, TokenView, assign_body, confirm_role
from signer_app.pdf.plan import VIETNAM
from signer_app.signing.certificate_facts import Usage
from signer_app.signing.renewal import Inheritance
from signer_app.store.settings import Body, CertificateRole, KnownCertificate, Settings
from signer_app.workspace import Overrides, Workspace
from signer_resources.errors import KnownError
from signer_token.model import PinState, Token, TokenCertificate
from signer_ui.glow import Glow
from signer_ui.hub import Hub
from signer_ui.panes.token import TokenPane
from signer_ui.presenters.token import AskAsNew, SetBody, SetRole, TakeOver, certificate_alarms, token_page
from signer_ui.shell import Shell, Tab
from signer_ui.tasks import Tasks
from signer_ui.theme import Theme
from signer_ui.words import Words

# Without a screen there is no window manager that could be told a smallest size.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

NOW = dt.datetime(2026, 11, 21, 8, 0, tzinfo=VIETNAM)
WORDS = Words("vi")
AGENCY, PERSONAL = CertificateRole.AGENCY, CertificateRole.PERSONAL
BODY = Body(code="H77.05", name="UBND xã Hòa Sơn")
OTHER = Body(code="H77.06", name="HĐND xã Hòa Sơn")
SHA256, OLD_SHA256 = "ab" * 32, "cd" * 32


def certificate(
    role: CertificateRole, *, confirmed: bool = True, body: str | None = None, life: Life = Life.VALID, days: int = 300
) -> CertificateView:
    made = TokenCertificate(
        sha256=SHA256,
        serial="0a1b",
        subject="CN=UBND XÃ HÒA SƠN",
        issuer="C=VN,O=Ban Cơ yếu Chính phủ,CN=CA thử\\, cấp 2",
        not_before=NOW - dt.timedelta(days=30),
        not_after=NOW + dt.timedelta(days=days),
        key="RSA-2048",
        common_name="UBND XÃ HÒA SƠN",
        organization="UBND tỉnh Mẫu",
        usable_for_signing=True,
        der=b"",
    )
    return CertificateView(made, role, confirmed, body, life, days)


def seen(*certificates: CertificateView, pin: PinState = PinState.OK) -> TokensSnapshot:
    token = Token("UBND xã Hòa Sơn", "77", "", "", Path("/usr/lib/driver.so"), pin, ())
    return TokensSnapshot((TokenView(token, certificates),), (), looked=True)


def settings(*bodies: Body, role: CertificateRole | None = None) -> Settings:
    return Settings(bodies=bodies, roles={SHA256: role} if role else {})


def test_a_token_shows_label_serial_driver_and_the_state_of_its_pin_in_words() -> None:
    (card,) = token_page(seen(certificate(AGENCY), pin=PinState.LOW), settings(BODY), WORDS).cards
    assert (card.name, card.where) == ("UBND xã Hòa Sơn", "Số hiệu 77 · Trình điều khiển driver.so")
    assert card.pin == "Đã có lần nhập sai mã PIN. Nhập sai nhiều lần, USB ký số sẽ bị khóa."


def test_a_certificate_shows_holder_issuer_validity_and_key() -> None:
    ((one,),) = (card.certificates for card in token_page(seen(certificate(AGENCY)), settings(BODY), WORDS).cards)
    assert one.name == "UBND XÃ HÒA SƠN"
    assert dict(one.facts) == {
        "Tổ chức": "UBND tỉnh Mẫu",
        "Nơi cấp": "CA thử, cấp 2",
        "Hiệu lực": "22/10/2026 đến 17/09/2027 (còn 300 ngày)",
        "Số sê-ri": "0a1b",
        "Khóa": "RSA-2048",
        "Khóa bí mật": "chỉ thấy được sau khi nhập mã PIN",
    }


def test_a_certificate_says_what_it_is_for_and_whether_its_key_is_there() -> None:
    view = replace(certificate(AGENCY), usages=(Usage.SIGNING, Usage.NON_REPUDIATION))
    there = replace(view, certificate=replace(view.certificate, key_present=True))
    gone = replace(view, certificate=replace(view.certificate, key_present=False))
    (card,) = token_page(seen(there, gone), settings(BODY), WORDS).cards
    one, other = card.certificates
    assert dict(one.facts)["Dùng để"] == "ký số, chống chối bỏ"
    assert (dict(one.facts)["Khóa bí mật"], one.warning, one.glow) == ("có trên USB ký số", "", Glow.GOOD)
    assert dict(other.facts)["Khóa bí mật"] == "không có trên USB ký số"
    assert (other.glow, "không ký được" in other.warning) == (Glow.BAD, True)


@pytest.mark.parametrize(
    ("life", "days", "words", "glow"),
    [
        (Life.VALID, 300, "", Glow.GOOD),
        (Life.ENDING, 57, "Chứng thư số còn 57 ngày (đến 17/01/2027).", Glow.WARN),
        (Life.DUE, 27, "Chỉ còn 27 ngày (đến 18/12/2026).", Glow.WARN),
        (Life.LAST, 5, "Sắp hết hạn: còn 5 ngày (đến 26/11/2026).", Glow.BAD),
        (Life.EXPIRED, -3, "đã hết hạn ngày 18/11/2026, không ký được.", Glow.BAD),
        (Life.NOT_YET, 300, "chưa có hiệu lực", Glow.BAD),
    ],
)
def test_a_certificate_near_or_past_its_end_is_warned_of(life: Life, days: int, words: str, glow: Glow) -> None:
    ((one,),) = (
        card.certificates
        for card in token_page(seen(certificate(AGENCY, life=life, days=days)), settings(BODY), WORDS).cards
    )
    assert words in one.warning
    assert bool(one.warning) == bool(words)
    assert one.glow is glow


def test_in_its_last_week_a_certificate_stands_in_the_red_strip_unless_its_successor_is_there() -> None:
    last = certificate(AGENCY, life=Life.LAST, days=5)
    successor = replace(last, certificate=certificate(AGENCY, days=700).certificate, life=Life.VALID, days_left=700)
    (alarm,) = certificate_alarms(seen(last), WORDS)
    assert (alarm.text, alarm.tab) == ("Chứng thư số UBND XÃ HÒA SƠN còn 5 ngày (đến 26/11/2026).", Tab.TOKEN)
    assert certificate_alarms(seen(last, successor), WORDS) == ()
    assert certificate_alarms(seen(certificate(AGENCY, life=Life.DUE, days=9)), WORDS) == ()


def replacing(body: Body | None = BODY, role: CertificateRole = AGENCY) -> CertificateView:
    """A certificate that seems to replace one which was here before."""
    old = KnownCertificate(
        subject="CN=UBND XÃ HÒA SƠN",
        issuer="CN=CA",
        serial="0909",
        not_before=NOW - dt.timedelta(days=700),
        not_after=NOW + dt.timedelta(days=20),
        key_id="cd" * 32,
    )
    new = msgspec.structs.replace(old, serial="0a1b", not_after=NOW + dt.timedelta(days=700))
    wish = Inheritance(SHA256, new, OLD_SHA256, old, role, body)
    return replace(certificate(role, confirmed=False), replaces=wish)


@pytest.mark.parametrize(
    ("view", "question"),
    [
        (replacing(), "(số 0909, đến 11/12/2026) của cùng đơn vị, dùng đóng dấu cho UBND xã Hòa Sơn?"),
        (replacing(None), "(số 0909, đến 11/12/2026) của cùng đơn vị?"),
        (replacing(None, PERSONAL), "(số 0909, đến 11/12/2026) của cùng một người?"),
    ],
)
def test_a_renewed_certificate_is_one_question_with_two_answers(view: CertificateView, question: str) -> None:
    ((one,),) = (card.certificates for card in token_page(seen(view), settings(BODY), WORDS).cards)
    assert one.use == f"Chứng thư mới thay cho chứng thư cũ {question}"
    assert view.replaces is not None
    assert {offer.words: offer.change for offer in one.offers} == {
        "Đúng, thay chứng thư cũ": TakeOver(view.replaces),
        "Không, chứng thư khác": AskAsNew(view.replaces),
    }


@pytest.mark.parametrize(
    ("view", "known", "use", "offers"),
    [
        (
            certificate(AGENCY, confirmed=False),
            settings(BODY),
            "Có vẻ là chứng thư số của cơ quan. Đúng không?",
            {
                "Dùng con dấu này cho UBND xã Hòa Sơn": SetBody(SHA256, BODY.code),
                "Đúng, của cơ quan": SetRole(SHA256, AGENCY),
                "Không, của cá nhân": SetRole(SHA256, PERSONAL),
            },
        ),
        (
            certificate(PERSONAL, confirmed=False),
            settings(BODY),
            "Có vẻ là chứng thư số của cá nhân. Đúng không?",
            {"Đúng, của cá nhân": SetRole(SHA256, PERSONAL), "Không, của cơ quan": SetRole(SHA256, AGENCY)},
        ),
        (
            certificate(AGENCY, body=BODY.name),
            assign_body(settings(BODY, OTHER), SHA256, BODY.code),
            "Chứng thư số của cơ quan, dùng đóng dấu cho UBND xã Hòa Sơn.",
            {
                "Dùng con dấu này cho HĐND xã Hòa Sơn": SetBody(SHA256, OTHER.code),
                "Không dùng cho UBND xã Hòa Sơn nữa": SetBody(SHA256, None),
                "Đổi thành của cá nhân": SetRole(SHA256, PERSONAL),
            },
        ),
        (
            certificate(AGENCY),
            settings(role=AGENCY),
            "Chứng thư số của cơ quan. Chưa khai báo cơ quan nào: vào Cài đặt để khai báo.",
            {"Đổi thành của cá nhân": SetRole(SHA256, PERSONAL)},
        ),
    ],
)
def test_a_certificate_says_what_it_is_used_for_and_offers_the_rest(
    view: CertificateView, known: Settings, use: str, offers: dict[str, object]
) -> None:
    ((one,),) = (card.certificates for card in token_page(seen(view), known, WORDS).cards)
    assert one.use == use
    assert {offer.words: offer.change for offer in one.offers} == offers


def test_a_certificate_seals_for_one_body_at_most_and_a_persons_for_none() -> None:
    first = assign_body(settings(BODY, OTHER), SHA256, BODY.code)
    second = assign_body(first, SHA256, OTHER.code)
    assert [body.certificates for body in second.bodies] == [(), (SHA256,)]
    third = confirm_role(second, SHA256, PERSONAL)
    assert [body.certificates for body in third.bodies] == [(), ()]
    assert third.roles == {SHA256: PERSONAL}


def test_no_token_and_a_drivers_fault_are_told_as_errors() -> None:
    assert token_page(TokensSnapshot(), settings(), WORDS).waiting
    assert [e.code for e in token_page(TokensSnapshot(looked=True), settings(), WORDS).errors] == ["no_token"]
    fault = KnownError("driver_crashed", module="x.so")
    assert token_page(TokensSnapshot((), (fault,), looked=True), settings(), WORDS).errors == (fault,)


# ---- the pane itself -----------------------------------------------------------------------------------------------


class ScriptedDesk(Desk):
    """A real desk whose token is what the test says."""

    def __init__(self, space: Workspace) -> None:
        super().__init__(space)
        self.views: tuple[CertificateView, ...] = ()
        self.plugged_in = True

    def tokens(self, *, fresh: bool = False) -> TokensSnapshot:
        return seen(*map(self._as_set, self.views)) if self.plugged_in else TokensSnapshot(looked=True)

    def _as_set(self, view: CertificateView) -> CertificateView:
        known = self.space.settings
        role = known.roles.get(SHA256)
        body = known.body_of(SHA256)
        return replace(
            view,
            role=role or view.role,
            role_confirmed=role is not None,
            body=body.name if body is not None else None,
            replaces=view.replaces if SHA256 not in known.certificates else None,
        )


class Shown:
    def __init__(self, qtbot: QtBot, desk: ScriptedDesk) -> None:
        self._qtbot, self.desk = qtbot, desk
        self.tabs: list[Tab] = []
        self.tasks = Tasks(lambda fault: repr(fault))
        known = desk.change_settings(lambda old: msgspec.structs.replace(old, bodies=(BODY,)))
        self.hub = Hub(desk, self.tasks, known)
        shell = Shell(desk, self.tasks, self.hub, WORDS, Theme(dark=False), lambda _told: None, self.tabs.append)
        self.pane = TokenPane(shell)
        qtbot.addWidget(self.pane)
        self.pane.resize(1200, 600)
        self.pane.show()
        self.pane.shown()

    @property
    def words(self) -> str:
        return "\n".join(made.text() for made in self.pane.findChildren(QLabel) if made.isVisible())

    def button(self, words: str) -> QAbstractButton:
        def found() -> list[QAbstractButton]:
            self.hub.poke_tokens()
            buttons = self.pane.findChildren(QAbstractButton)
            return [made for made in buttons if made.text() == words and made.isVisible()]

        self._qtbot.waitUntil(lambda: len(found()) == 1)
        return found()[0]

    def wait_for(self, words: str) -> None:
        def there() -> bool:
            self.hub.poke_tokens()
            return words in self.words

        self._qtbot.waitUntil(there)


@pytest.fixture
def shown(qtbot: QtBot, tmp_path: Path) -> Iterator[Shown]:
    with open_desk(tmp_path / "data", Overrides()) as desk:
        made = Shown(qtbot, ScriptedDesk(desk.space))
        yield made
        made.hub.stop()
        made.tasks.close()


def test_one_press_confirms_a_role_and_it_is_kept(shown: Shown) -> None:
    shown.desk.views = (certificate(PERSONAL, confirmed=False),)
    shown.wait_for("Có vẻ là chứng thư số của cá nhân.")
    shown.button("Đúng, của cá nhân").click()
    shown.wait_for("Chứng thư số của cá nhân, dùng cho lãnh đạo ký.")
    assert shown.desk.space.settings.roles == {SHA256: PERSONAL}


def test_one_press_hands_on_what_the_old_certificate_had(shown: Shown) -> None:
    shown.desk.change_settings(lambda old: assign_body(old, OLD_SHA256, BODY.code))
    shown.desk.views = (replacing(),)
    shown.button("Đúng, thay chứng thư cũ").click()
    shown.wait_for("Chứng thư số của cơ quan, dùng đóng dấu cho UBND xã Hòa Sơn.")
    known = shown.desk.space.settings
    assert (known.roles[SHA256], known.bodies[0].certificates) == (AGENCY, (OLD_SHA256, SHA256))


def test_a_no_leads_to_the_questions_about_any_new_certificate(shown: Shown) -> None:
    shown.desk.views = (replacing(),)
    shown.button("Không, chứng thư khác").click()
    shown.wait_for("Có vẻ là chứng thư số của cơ quan. Đúng không?")
    assert shown.desk.space.settings.roles == {}


def test_the_keyboard_stays_with_the_certificate_when_its_buttons_change(shown: Shown) -> None:
    shown.desk.views = (certificate(AGENCY, confirmed=False),)
    pressed = shown.button("Dùng con dấu này cho UBND xã Hòa Sơn")
    pressed.setFocus()
    pressed.click()
    shown.wait_for("dùng đóng dấu cho UBND xã Hòa Sơn.")
    assert shown.desk.space.settings.bodies[0].certificates == (SHA256,)
    focus = shown.pane.focusWidget()
    assert isinstance(focus, QAbstractButton)
    assert "UBND xã Hòa Sơn" in focus.text()


def test_pulling_the_token_out_is_seen_and_leads_to_the_check_of_the_machine(shown: Shown) -> None:
    shown.desk.plugged_in = False
    shown.wait_for("Chưa cắm USB ký số.")
    shown.button("Kiểm tra máy").click()
    assert shown.tabs == [Tab.MACHINE]


def test_every_button_has_a_name_that_tells_it_from_its_neighbours(shown: Shown) -> None:
    shown.desk.views = (certificate(AGENCY, confirmed=False),)
    shown.button("Đúng, của cơ quan")
    names = []
    for made in shown.pane.findChildren(QAbstractButton):
        told = QAccessible.queryAccessibleInterface(made)
        assert told is not None
        names.append(told.text(QAccessible.Text.Name))
    assert all(names)
    assert len(names) == len(set(names))
