"""Updates in the window: told quietly, looked for, brought with progress, installed when the program has closed."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtWidgets import QScrollArea
from pytestqt.qtbot import QtBot

from signer_app.desk.updating import Surroundings, Updating
from signer_app.store.settings import Settings
from signer_app.store.update_settings import UpdateSettings
from signer_app.updates.releases import Machine
from signer_app.updates.starting import InstallKind, Launch, Waiting
from signer_resources.errors import KnownError
from signer_ui.glow import Glow
from signer_ui.panes.settings import SettingsPane
from signer_ui.panes.settings_updates import UpdatesSection
from signer_ui.panes.today import TodayPane
from signer_ui.presenters.barview import BarView, LightView
from signer_ui.presenters.settings import Field, Problem
from signer_ui.presenters.updates import UpdatesForm, news
from signer_ui.theme import Theme
from signer_ui.topbar import TopBar
from signer_ui.words import Words
from tests.desk.office import changed, office
from tests.desk.window import Desktop, desktop, nameless, press, visible_texts
from tests.updates.publisher import PLATFORM, Publisher

# Without a screen there is no window manager.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

WORDS = Words("vi")


@dataclass
class Shop:
    """A desk whose program takes updates from a publisher; what was to be started is written down."""

    screen: Desktop
    publisher: Publisher
    launched: list[Launch]
    kinds: list[InstallKind]
    """How the program was installed; the last one counts."""

    def idle(self) -> None:
        self.screen.wait(lambda: not self.screen.shell.tasks.busy)

    def opened(self) -> UpdatesSection:
        pane = self.screen.show(lambda shell: SettingsPane(shell, "up_section"))
        self.screen.wait(lambda: bool(pane._sections))
        self.idle()
        (section,) = pane._sections.values()
        assert isinstance(section, UpdatesSection)
        return section

    def source(self, place: Path | None) -> None:
        settings = UpdateSettings(source=str(place) if place is not None else None)
        changed(self.screen.office, updates=settings)
        self.screen.hub.settings = self.screen.office.space.settings


@pytest.fixture
def shop(qtbot: QtBot, tmp_path: Path) -> Iterator[Shop]:
    publisher = Publisher.begin(tmp_path / "phát hành")
    launched: list[Launch] = []
    kinds = [InstallKind.WINDOWS_USER]

    def start(chosen: Launch, *, again: str = "") -> Waiting:
        assert again
        launched.append(chosen)
        return Waiting()

    around = Surroundings(
        machine=lambda: Machine(PLATFORM, "2.36"),
        installed=lambda: "1.0.0",
        kind=lambda: kinds[-1],
        root=lambda: publisher.root,
        start=start,
        others=lambda: False,
    )
    with office(tmp_path) as place, desktop(qtbot, place) as screen:
        screen.shell.desk.__dict__["updating"] = Updating(place.space, around)
        yield Shop(screen, publisher, launched, kinds)


def test_a_newer_version_is_brought_and_installed_when_the_program_closes(shop: Shop) -> None:
    shop.publisher.release("1.2.0")
    shop.source(shop.publisher.tree)
    section = shop.opened()
    shop.screen.wait(lambda: "Đang dùng bản 1.0.0." in visible_texts(section))
    assert not section.bring.isVisible()
    section.check.click()
    shop.idle()
    shop.screen.wait(lambda: section.bring.isVisible())
    shop.screen.wait(lambda: "Có bản mới: 1.2.0" in visible_texts(section))
    assert "Có gì mới trong 1.2.0" in visible_texts(section)
    section.bring.click()
    shop.idle()
    shop.screen.wait(lambda: section.install.isVisible())
    unnamed = [found for found in nameless(section) if not isinstance(found, QScrollArea)]
    assert not unnamed
    section.install.click()
    assert shop.launched == []
    window = section.window()
    press(section.notice, WORDS("up_install_yes"))
    shop.idle()
    shop.screen.wait(lambda: bool(shop.launched))
    shop.screen.wait(lambda: not window.isVisible())


def test_where_a_person_installs_it_the_command_is_told_and_the_window_stays(shop: Shop) -> None:
    shop.kinds.append(InstallKind.OTHER)
    shop.publisher.release("1.2.0")
    shop.source(shop.publisher.tree)
    section = shop.opened()
    section.check.click()
    shop.idle()
    section.bring.click()
    shop.idle()
    section.install.click()
    press(section.notice, WORDS("up_install_yes"))
    shop.screen.wait(lambda: "Đóng chương trình rồi chạy" in section.notice.text)
    assert (shop.launched, section.window().isVisible()) == ([], True)


def test_a_stick_is_looked_at_without_any_source_set(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.publisher.release("1.2.0")
    stick = shop.publisher.copy(tmp_path / "usb")
    section = shop.opened()
    assert not section.check.isEnabled()
    monkeypatch.setattr("signer_ui.panes.settings_updates.choose_folder", lambda *_words: str(stick))
    section.stick.click()
    shop.idle()
    shop.screen.wait(lambda: section.bring.isVisible())
    section.bring.click()
    shop.idle()
    shop.screen.wait(lambda: section.install.isVisible())


def test_what_went_wrong_is_told_in_words(shop: Shop, tmp_path: Path) -> None:
    shop.source(tmp_path / "không có")
    section = shop.opened()
    section.check.click()
    shop.idle()
    shop.screen.wait(lambda: bool(section.notice.text))
    expected = KnownError("update_source_away", source=str(tmp_path / "không có"))
    assert section.notice.text.startswith(WORDS.explain(expected).what)
    assert section.check.isEnabled()


def test_a_source_is_a_safe_address_or_a_whole_path() -> None:
    wrong = (Problem(Field.UPDATE_SOURCE, "up_source_wrong"),)
    for source in ("http://x.vn", "cập nhật", "https://a:b@x.vn", "https://", "ftp://x.vn", "https://[x"):
        assert UpdatesForm(source).problems() == wrong
    for source in ("", "https://x.vn/signer", "/media/usb"):
        assert UpdatesForm(source).problems() == ()
    kept = UpdatesForm(" https://x.vn ").change()(Settings(updates=UpdateSettings(minimum_version="1.0")))
    assert kept.updates == UpdateSettings(source="https://x.vn", minimum_version="1.0")


def test_once_a_day_a_quiet_moment_is_used_and_the_home_screen_says_so(shop: Shop) -> None:
    shop.publisher.release("1.2.0")
    updates, home = shop.screen.hub.updates, shop.screen.show(TodayPane)
    updates.look()
    shop.idle()
    assert not updates.begin_if_due()
    shop.source(shop.publisher.tree)
    assert updates.begin_if_due()
    shop.idle()
    shop.screen.wait(lambda: "Có bản mới 1.2.0" in visible_texts(home))
    assert not updates.begin_if_due()
    shop.screen.office.clock.time += dt.timedelta(days=1)
    assert updates.begin_if_due()
    shop.idle()
    assert news(updates.state, WORDS) == "Có bản mới 1.2.0"


def test_the_bar_has_a_quiet_note_that_leads_to_the_settings(qtbot: QtBot) -> None:
    bar = TopBar(WORDS, Theme(dark=False))
    qtbot.addWidget(bar)
    bar.show()
    light = LightView(Glow.OFF, "")
    bar.show_view(BarView("UBND", "Lê", light, light, ""))
    assert "bản mới" not in visible_texts(bar)
    bar.show_view(BarView("UBND", "Lê", light, light, "", "Có bản mới 1.2.0"))
    with qtbot.waitSignal(bar.update_wanted):
        press(bar, "Có bản mới 1.2.0")
