"""The settings of network, channel, hold and calendar: kept as typed, no secret shown again, trials told in words."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from keyring.backend import KeyringBackend
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from signer_app.desk.networking import NO_SECRET, Account, Kept, Secret, Tried
from signer_app.exchange.network import lgsp_account
from signer_app.store.calendar_settings import AddedDay, AddedKind, CalendarSettings
from signer_app.store.settings import (
    Body,
    ChannelKind,
    Exchange,
    NetworkSettings,
    ProxyChoice,
    ServerSettings,
    Settings,
)
from signer_resources.errors import KnownError
from signer_sync.lgsp_settings import LgspSettings
from signer_sync.proxies import PROXY_PASSWORD
from signer_sync.secrets import SecretStore
from signer_ui.glow import Glow
from signer_ui.panes.settings import SettingsPane
from signer_ui.panes.settings_bodies import BodiesSection
from signer_ui.panes.settings_form import FormField, Section
from signer_ui.panes.settings_network import NetworkSection
from signer_ui.panes.settings_sending import SendingSection
from signer_ui.panes.settings_server import ServerSection
from signer_ui.presenters.settings import Field, Problem
from signer_ui.presenters.settings_bodies import BodyForm, bodies_change, body_problems
from signer_ui.presenters.settings_channel import ChannelForm
from signer_ui.presenters.settings_network import NetworkForm, TrialLine, trial_lines
from signer_ui.presenters.settings_sending import SendingForm, shipped_years, unknown_year
from signer_ui.widgets.rows_editor import RowsEditor
from signer_ui.words import Words
from tests.desk.office import ORG, Office, changed, office
from tests.desk.window import Desktop, desktop, nameless, visible_texts
from tests.sync.lgsp_server import lgsp_server
from tests.sync.office_proxy import office_proxy
from tests.sync.test_http import body, serving, tls_server

# Without a screen there is no window manager that could be told a smallest size.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

WORDS = Words("vi")
BODIES, _HANDS, SERVER, NETWORK, SENDING = range(5)
ACCOUNT = Account("vanthu", Secret("đúng mật khẩu"), Secret("khoa-bi-mat"))
LGSP = LgspSettings(base_url="https://lgsp.tinh.vn", application_code="SIGNER", system_id="H37.15")


class DictKeyring(KeyringBackend):
    """Keeps what it is given."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[str, str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[username]


@pytest.fixture
def screen(qtbot: QtBot, tmp_path: Path) -> Iterator[Desktop]:
    with office(tmp_path) as place:
        # As in a demonstration: nothing of a test goes into the keyring of whoever runs it.
        changed(place, softhsm2_conf="/x")
        with desktop(qtbot, place) as made:
            yield made


def opened(screen: Desktop, number: int) -> Section[Any]:
    """The settings in front, at this section."""
    pane = screen.show(SettingsPane)
    QTest.qWait(1)
    pane.list.setCurrentRow(number)
    section = pane.section(number)
    idle(screen)
    return section


def idle(screen: Desktop) -> None:
    screen.wait(lambda: not screen.shell.tasks.busy)


def unnamed(section: QWidget) -> list[QWidget]:
    """Controls without a name; what only scrolls needs none."""
    return [found for found in nameless(section) if not isinstance(found, QScrollArea)]


def retype(field: FormField, text: str) -> None:
    field.line.selectAll()
    QTest.keyClicks(field.line, text)


def save(screen: Desktop, section: Section[Any]) -> None:
    assert section.save_button.isEnabled()
    QTest.mouseClick(section.save_button, Qt.MouseButton.LeftButton)
    idle(screen)


def with_keyring(screen: Desktop) -> DictKeyring:
    backend = DictKeyring()
    screen.office.space.__dict__["secrets"] = SecretStore(backend)
    return backend


# ---- forms


def test_a_proxy_by_hand_needs_an_address_without_a_login_in_it() -> None:
    by_hand = ProxyChoice.MANUAL
    wrong = [NetworkForm(by_hand, url) for url in ("", "http://a:b@proxy.vn:3128", "socks5://proxy.vn", "http://a b")]
    assert {form.problems(lambda _file: True) for form in wrong} == {(Problem(Field.PROXY_URL, "un_proxy_wrong"),)}
    assert NetworkForm(by_hand, " http://proxy.vn:3128 ").problems(lambda _file: True) == ()
    assert NetworkForm(ProxyChoice.NONE, "rubbish").problems(lambda _file: True) == ()
    assert NetworkForm(extra_ca="/x.pem").problems(lambda _file: False) == (Problem(Field.EXTRA_CA, "un_ca_wrong"),)


def test_a_network_goes_through_its_form_unchanged_and_shows_no_secret() -> None:
    network = NetworkSettings(
        proxy=ProxyChoice.MANUAL, proxy_url="http://p.vn:1", proxy_user="u", no_proxy="a.vn", extra_ca="/ca.pem"
    )
    form = NetworkForm.of(Settings(network=network))
    assert form.password == NO_SECRET
    assert form.change()(Settings()).network == network
    assert "mat-khau" not in repr(NetworkForm(password=Secret("mat-khau"))) + repr(ACCOUNT)
    assert "khoa-bi-mat" not in repr(ChannelForm(account=ACCOUNT))


def test_hold_and_days_go_through_their_form_unchanged() -> None:
    days = (
        AddedDay(date=dt.date(2027, 4, 16), kind=AddedKind.OFF, name="Giỗ Tổ"),
        AddedDay(date=dt.date(2027, 4, 24), kind=AddedKind.WORKED, name="Làm bù"),
    )
    before = Settings(hold_seconds=90, calendar=CalendarSettings(days=days, weekdays=(0, 1, 2, 3, 4, 5)))
    form = SendingForm.of(before)
    assert (form.hold_minutes, form.off, form.worked) == (
        2,
        (("16/04/2027", "Giỗ Tổ"),),
        (("24/04/2027", "Làm bù"),),
    )
    assert form.change()(before) == before
    assert msgspec.structs.replace(before, hold_seconds=300) == SendingForm(
        5, form.off, form.worked, form.weekdays
    ).change()(before)
    assert SendingForm.of(Settings()).change()(Settings()) == Settings()


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (SendingForm(weekdays=()), Field.WEEKDAYS),
        (SendingForm(weekdays=(0,), off=(("31/02/2027", ""),)), Field.DAYS_OFF),
        (SendingForm(weekdays=(0,), off=(("", "Lễ"),)), Field.DAYS_OFF),
        (SendingForm(weekdays=(0,), off=(("1/1/2027", ""),), worked=(("01/01/2027", ""),)), Field.DAYS_WORKED),
    ],
)
def test_days_that_cannot_be_are_told_at_their_list(form: SendingForm, field: Field) -> None:
    assert [problem.field for problem in form.problems()] == [field]


def test_the_year_to_come_is_asked_for_in_december() -> None:
    _first, last = shipped_years()
    assert unknown_year(dt.date(last, 11, 30)) is None
    assert unknown_year(dt.date(last, 12, 1)) == last + 1


def test_a_channel_goes_through_its_form_and_one_that_is_not_used_keeps_what_was_set() -> None:
    lgsp = msgspec.structs.replace(LGSP, first_days=30)
    settings = Settings(bodies=(Body(code="A", name="A", channel=ChannelKind.LGSP, lgsp=lgsp, exchange_folder="/x"),))
    form = BodyForm.of(settings.bodies[0])
    assert bodies_change((form,), {})(Settings()).bodies == settings.bodies
    sync = msgspec.structs.replace(settings.bodies[0], channel=ChannelKind.SYNC)
    chosen = BodyForm.of(sync)
    assert bodies_change((chosen,), {})(Settings()).bodies == (sync,)


@pytest.mark.parametrize(
    ("channel", "problem"),
    [
        (ChannelForm(ChannelKind.LGSP, "http://x.vn", "A", "B"), (Field.LGSP, "ue_wrong_server_address")),
        (ChannelForm(ChannelKind.LGSP, "https://x.vn", "", "B"), (Field.LGSP, "un_lgsp_wrong")),
        (ChannelForm(ChannelKind.LGSP, "https://x.vn", "A", "mã 1"), (Field.LGSP, "un_lgsp_wrong")),
        (
            ChannelForm(ChannelKind.LGSP, "https://x.vn", "A", "B", account=Account("u")),
            (Field.LGSP_ACCOUNT, "un_account_wrong"),
        ),
        (
            ChannelForm(ChannelKind.LGSP, "https://x.vn", "A", "B", account=Account("u", Secret("p"), Secret("kh óa"))),
            (Field.LGSP_ACCOUNT, "un_account_wrong"),
        ),
        (ChannelForm(ChannelKind.FOLDER, folder="gone"), (Field.EXCHANGE_FOLDER, "un_folder_wrong")),
        (ChannelForm(ChannelKind.LGSP, "https://x.vn", "A", "B", account=ACCOUNT), None),
        (ChannelForm(ChannelKind.FOLDER, folder="/mine"), None),
    ],
)
def test_what_is_wrong_with_a_channel_is_told_at_its_field(
    channel: ChannelForm, problem: tuple[Field, str] | None
) -> None:
    form = BodyForm(code="A", name="A", channel=channel)
    told = body_problems((form,), lambda path: path.is_absolute())
    assert told == (() if problem is None else (Problem(*problem),))
    # Nothing of it counts where another system exchanges.
    external = BodyForm(code="A", name="A", channel=channel, exchange=Exchange.EXTERNAL)
    assert body_problems((external,), lambda _path: False) == ()


def test_a_folder_belongs_to_one_body() -> None:
    folder = ChannelForm(ChannelKind.FOLDER, folder="/x")
    forms = (BodyForm(code="A", name="A", channel=folder), BodyForm(code="B", name="B", channel=folder))
    assert body_problems(forms) == (Problem(Field.EXCHANGE_FOLDER, "un_folder_twice", 1),)


def test_a_trial_is_told_in_the_words_of_what_is_wrong() -> None:
    sync, clock = ChannelKind.SYNC, KnownError("machine_clock_wrong", machine="08:00", right="09:00")
    tried = (Tried("A", sync), Tried("", sync, enrolled=False), Tried("C", sync, clock=clock))
    assert trial_lines(tried, WORDS) == (
        TrialLine("A: Kết nối tốt.", Glow.GOOD),
        TrialLine("Máy chủ văn bản: Đến được máy chủ, nhưng máy này chưa đăng ký.", Glow.WARN),
        TrialLine(f"C: {WORDS.explain(clock)}", Glow.BAD),
    )
    assert trial_lines((), WORDS)[0].glow is Glow.WARN


# ---- the sections


def test_a_proxy_is_set_by_hand_and_its_password_goes_to_the_keyring_alone(screen: Desktop) -> None:
    backend = with_keyring(screen)
    section = opened(screen, NETWORK)
    assert isinstance(section, NetworkSection)
    assert not section.url.isVisible()
    section.choices[ProxyChoice.MANUAL].click()
    assert not section.password.isEnabled()
    retype(section.user, "vanthu")
    retype(section.password, "mat-khau-proxy")
    assert section.password.line.echoMode() is QLineEdit.EchoMode.Password
    save(screen, section)
    assert section.url.complaint == WORDS("un_proxy_wrong")
    assert backend.kept == {}
    retype(section.url, "http://proxy.tinh.vn:3128")
    save(screen, section)
    network = screen.office.space.settings.network
    assert (network.proxy, network.proxy_url, network.proxy_user) == (
        ProxyChoice.MANUAL,
        "http://proxy.tinh.vn:3128",
        "vanthu",
    )
    assert backend.kept == {PROXY_PASSWORD: "mat-khau-proxy"}
    assert "mat-khau-proxy" not in screen.office.space.folder.settings.read_text()
    assert (section.password.line.text(), section.dirty) == ("", False)
    assert section.kept.text() == WORDS("un_kept_keyring")
    assert not unnamed(section)
    section.user.line.clear()
    save(screen, section)
    assert backend.kept == {}


def test_without_a_keyring_it_is_said_that_the_password_is_forgotten_at_the_end(screen: Desktop) -> None:
    section = opened(screen, NETWORK)
    assert isinstance(section, NetworkSection)
    assert section.kept.text() == WORDS("un_kept_none")
    retype(section.user, "vanthu")
    retype(section.password, "mat-khau-proxy")
    save(screen, section)
    assert "chỉ nhớ đến khi tắt" in section.kept.text()
    assert screen.office.space.secrets.kept(PROXY_PASSWORD) is Kept.MEMORY


def test_each_step_of_the_way_is_told_until_the_server_is_reached(screen: Desktop, tmp_path: Path) -> None:
    certificate, context = tls_server(tmp_path, ("vb.tinh.vn",))
    office = screen.office
    with (
        serving(body(b"no document server"), context) as url,
        office_proxy(url.partition("//")[2].rstrip("/"), login="vanthu:dung") as proxy,
    ):
        changed(
            office,
            server=ServerSettings(url="https://vb.tinh.vn"),
            network=NetworkSettings(proxy=ProxyChoice.MANUAL, proxy_url=proxy.url, proxy_user="vanthu"),
        )
        screen.hub.settings = office.space.settings
        section = opened(screen, NETWORK)
        assert isinstance(section, NetworkSection)

        def tried() -> str:
            QTest.mouseClick(section.trial.button, Qt.MouseButton.LeftButton)
            idle(screen)
            return section.trial.told

        assert "không cho đến máy chủ" in tried()
        retype(section.password, "dung")
        assert not section.trial.button.isEnabled()
        save(screen, section)
        assert "không biết nơi cấp chứng thư số" in tried()
        section._ca.setText(str(tmp_path / "gone.pem"))
        save(screen, section)
        assert section.extra_ca.complaint == WORDS("un_ca_wrong")
        section._ca.setText(str(certificate))
        save(screen, section)
        assert "không phải máy chủ văn bản" in tried()


def test_a_body_that_goes_by_the_lgsp_is_set_up_and_tried(screen: Desktop) -> None:
    with lgsp_server() as lgsp:
        lgsp.quirks.clock = lambda: screen.office.clock().astimezone(dt.UTC)
        changed(screen.office, bodies=(Body(code=ORG, name="UBND xã Hòa Sơn"),))
        screen.hub.settings = screen.office.space.settings
        section = opened(screen, BODIES)
        assert isinstance(section, BodiesSection)
        channel = section.channel
        channel.kind.setCurrentIndex(channel.kind.findData("lgsp"))
        assert not section.own_server.isVisible()
        for field, text in (
            (channel.url, lgsp.url),
            (channel.application, "SIGNER"),
            (channel.system, lgsp.system_id),
            (channel.user, lgsp.username),
            (channel.key, lgsp.secret_key),
        ):
            retype(field, text)
        save(screen, section)
        assert channel.user.complaint == WORDS("un_account_wrong")
        channel.password.line.setText(lgsp.password)
        save(screen, section)
        account = lgsp_account(screen.office.space, ORG)
        assert account is not None
        assert (account.username, account.secret_key) == (lgsp.username, lgsp.secret_key)
        assert screen.office.space.settings.bodies[0].channel is ChannelKind.LGSP
        assert {field.line.text() for field in (channel.user, channel.password, channel.key)} == {""}
        assert "chỉ nhớ đến khi tắt" in channel.kept.text()
        assert not unnamed(channel)
        server = opened(screen, SERVER)
        assert isinstance(server, ServerSection)
        QTest.mouseClick(server.trial.button, Qt.MouseButton.LeftButton)
        idle(screen)
        assert server.trial.told == "UBND xã Hòa Sơn: Kết nối tốt."
        section.external.setChecked(True)
        assert not channel.isVisible()
        save(screen, section)
        QTest.mouseClick(server.trial.button, Qt.MouseButton.LeftButton)
        idle(screen)
        assert server.trial.told == WORDS("un_try_none")


def test_hold_and_days_are_typed_and_kept(screen: Desktop) -> None:
    section = opened(screen, SENDING)
    assert isinstance(section, SendingSection)
    section.minutes.setValue(0)
    assert section.minutes.text() == "Không giữ"
    section.weekdays[5].click()
    editor = section.off.editor
    assert isinstance(editor, RowsEditor)
    editor.add.click()
    QTest.keyClicks(editor.fields[0][0], "31/02/2027")
    save(screen, section)
    assert section.off.complaint == WORDS("un_day_wrong")
    editor.fields[0][0].setText("16/4/2027")
    QTest.keyClicks(editor.fields[0][1], "Gio To")
    save(screen, section)
    settings = screen.office.space.settings
    assert settings.hold_seconds == 0
    assert settings.calendar.days == (AddedDay(date=dt.date(2027, 4, 16), kind=AddedKind.OFF, name="Gio To"),)
    assert settings.calendar.weekdays == (0, 1, 2, 3, 4, 5)
    assert editor.fields[0][0].text() == "16/04/2027"
    assert not unnamed(section)
    assert "2025" in visible_texts(section)


def test_an_office_that_has_another_holiday_gets_another_deadline(screen: Desktop) -> None:
    place: Office = screen.office
    place.signed("9", dt.date(2026, 11, 20))
    assert place.desk.today().outgoing.before_hour == 1
    off = (AddedDay(date=dt.date(2026, 11, 23), kind=AddedKind.OFF),)
    changed(place, calendar=CalendarSettings(days=off))
    told = place.desk.today().outgoing
    assert (told.before_hour, told.late) == (0, 0)
