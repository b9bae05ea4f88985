"""First start: from a token that is plugged in to a body with a seal and a test signature, or to what was left out."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QScrollArea
from pytestqt.qtbot import QtBot

import signer_resources
from signer_app.desk.desk import Desk, open_desk
from signer_app.desk.setup import BodyGuess
from signer_app.desk.tokens import TokensSnapshot
from signer_app.store.settings import CertificateRole, Settings
from signer_app.workspace import Overrides
from signer_resources.errors import KnownError
from signer_ui.hub import Hub
from signer_ui.panes.first_start import FirstStartPane
from signer_ui.presenters.first_start import Stand, Step, Way, proposed, token_seen
from signer_ui.presenters.settings_bodies import BodyForm
from signer_ui.shell import Shell
from signer_ui.tasks import Tasks
from signer_ui.theme import Theme
from signer_ui.widgets.pin_dialog import PinDialog
from signer_ui.words import Words
from tests.support.workspace import CANARY_PIN, Site, shared_site
from tests.support.workspace import Desk as Place

# Without a screen there is no window manager that could be told a smallest size.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

PATIENCE_MS = 30_000
WORDS = Words("vi")
SEAL = signer_resources.path("images/sample-seal.png")


# ---- the way ---------------------------------------------------------------------------------------------------------


def test_steps_light_up_one_after_the_other() -> None:
    way = Way()
    assert [way.stand(step) for step in Step] == [Stand.CURRENT, Stand.COMING, Stand.COMING, Stand.COMING]
    way = way.finished(Step.TOKEN).postponed(Step.BODY)
    assert [way.stand(step) for step in Step] == [Stand.DONE, Stand.LATER, Stand.CURRENT, Stand.COMING]
    assert not way.ended
    assert way.finished(Step.SEAL).postponed(Step.TRIAL).ended


def test_going_back_to_a_step_leads_on_to_where_one_was() -> None:
    way = Way().finished(Step.TOKEN).finished(Step.BODY).opened(Step.TOKEN)
    assert [way.stand(step) for step in Step] == [Stand.CURRENT, Stand.DONE, Stand.COMING, Stand.COMING]
    assert way.finished(Step.TOKEN).current is Step.SEAL
    assert way.postponed(Step.TOKEN).stand(Step.TOKEN) is Stand.LATER


def test_what_was_typed_is_not_replaced_by_another_certificate() -> None:
    first, second = BodyGuess("SỞ A", "H1", "TỈNH", "B"), BodyGuess("SỞ C", "", "TỈNH D", "")
    form = proposed(BodyForm(), first, BodyGuess())
    assert (form.name, form.code, form.parent_name, form.place_name) == ("SỞ A", "H1", "TỈNH", "B")
    typed = replace(form, name="SỞ A MỚI")
    again = proposed(typed, second, first)
    assert (again.name, again.code, again.parent_name) == ("SỞ A MỚI", "", "TỈNH D")


def test_without_a_driver_one_is_to_be_chosen() -> None:
    no_driver = TokensSnapshot((), (KnownError("no_module"),), looked=True)
    assert token_seen(no_driver, Settings()).driver_wanted
    set_up = Settings(modules=("/driver.so",))
    assert token_seen(TokensSnapshot(), set_up).key == "ue_start_looking"
    assert token_seen(TokensSnapshot(looked=True), set_up).key == "ue_start_no_token"
    broken = token_seen(TokensSnapshot((), (KnownError("driver_crashed", module="/driver.so"),), looked=True), set_up)
    assert broken.driver_wanted
    assert broken.error is not None
    assert not broken.good


# ---- the page --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session", name="site")
def prepared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with shared_site(tmp_path_factory) as made:
        yield made


@pytest.fixture(scope="module")
def place(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return site.desk(tmp_path_factory.mktemp("first-start"))


@pytest.fixture(scope="module")
def desk(site: Site, place: Place) -> Iterator[Desk]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("signer_app.workspace.Workers", lambda: site.workers)
        with open_desk(place.data, Overrides()) as desk:
            desk.begin()
            yield desk


class Clerk:
    """The page over a workspace in which nothing is set, and who sees it for the first time."""

    def __init__(self, qtbot: QtBot, desk: Desk, settings: Settings) -> None:
        self._qtbot, self.desk = qtbot, desk
        self.told: list[KnownError | str] = []
        self.tasks = Tasks(lambda fault: repr(fault))
        self.hub = Hub(desk, self.tasks, settings)
        shell = Shell(desk, self.tasks, self.hub, WORDS, Theme(dark=False), self.told.append, lambda _tab: None)
        self.pane = FirstStartPane(shell)
        self.left: list[bool] = []
        self.pane.left.connect(lambda: self.left.append(True))
        qtbot.addWidget(self.pane)
        self.pane.resize(1366, 680)
        self.pane.show()
        qtbot.waitExposed(self.pane)

    def wait(self, until: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(until, timeout=PATIENCE_MS)

    def idle(self) -> None:
        self.wait(lambda: not self.tasks.busy)

    def plug_in(self) -> None:
        self.hub.poke_tokens()
        self.idle()

    def open_step(self) -> Step | None:
        shown = [step for step, card in self.pane.cards.items() if card.content.isVisible()]
        assert len(shown) <= 1
        return shown[0] if shown else None

    def buttons(self, words: str) -> list[QPushButton]:
        return [b for b in self.pane.findChildren(QPushButton) if b.text() == words and b.isVisible()]

    def press(self, words: str) -> None:
        found = self.buttons(words)
        assert len(found) == 1, [b.text() for b in self.pane.findChildren(QPushButton) if b.isVisible()]
        assert found[0].isEnabled()
        # As by keyboard.
        found[0].setFocus()
        QTest.keyClick(found[0], Qt.Key.Key_Space)

    def go_on(self, words: str, to: Step | None) -> None:
        self.press(WORDS(words))
        self.wait(lambda: self.open_step() is to)

    def type_pin(self, pin: str) -> None:
        def dialogs() -> list[PinDialog]:
            return [dialog for dialog in self.pane.findChildren(PinDialog) if dialog.isVisible()]

        self.wait(lambda: bool(dialogs()))
        QTest.keyClicks(dialogs()[0].field, pin)
        QTest.keyClick(dialogs()[0].field, Qt.Key.Key_Return)

    @property
    def settings(self) -> Settings:
        return self.desk.space.settings


@pytest.fixture
def blank(desk: Desk) -> Iterator[Settings]:
    """A machine with a driver, and nothing else set."""
    before = desk.space.settings

    def strip(settings: Settings) -> Settings:
        return msgspec.structs.replace(settings, bodies=(), roles={}, handwriting={}, server=None, tsa_url=None)

    yield desk.change_settings(strip)
    desk.change_settings(lambda _changed: before)


@pytest.fixture
def clerk(qtbot: QtBot, desk: Desk, blank: Settings) -> Iterator[Clerk]:
    made = Clerk(qtbot, desk, blank)
    yield made
    assert made.told == []
    made.hub.stop()
    made.tasks.close()


def test_a_clerk_comes_from_the_token_to_a_test_signature(clerk: Clerk, place: Place) -> None:
    assert clerk.open_step() is Step.TOKEN
    clerk.plug_in()
    assert "ỦY BAN NHÂN DÂN XÃ HÒA SƠN" in clerk.pane.certificate.currentText()
    assert clerk.pane.of_body.isChecked()
    clerk.go_on("ue_start_next", Step.BODY)
    assert clerk.pane.name.line.text() == "ỦY BAN NHÂN DÂN XÃ HÒA SƠN"
    assert clerk.pane.place.line.text() == "Hòa Sơn"

    clerk.pane.code.line.clear()
    clerk.press(WORDS("ue_start_save_next"))
    assert clerk.pane.code.complaint == WORDS("ue_wrong_code_empty")
    QTest.keyClicks(clerk.pane.code.line, "H77.15")
    clerk.go_on("ue_start_save_next", Step.SEAL)
    body = clerk.settings.bodies[0]
    assert (body.code, body.certificates) == ("H77.15", (place.agency,))
    assert clerk.settings.roles[place.agency] is CertificateRole.AGENCY

    clerk.pane.seal.take_file(SEAL)
    clerk.wait(lambda: clerk.pane.seal.value.there)
    clerk.go_on("ue_start_save_next", Step.TRIAL)
    assert clerk.settings.bodies[0].seal is not None

    clerk.press(WORDS("ue_start_try"))
    clerk.type_pin("Wrong-pin-1")
    clerk.wait(lambda: "Sai mã PIN" in clerk.pane.notice.text)
    assert clerk.open_step() is Step.TRIAL
    assert not clerk.pane.begin.isEnabled()
    clerk.press(WORDS("ue_start_try"))
    clerk.type_pin(CANARY_PIN)
    clerk.wait(lambda: clerk.open_step() is None)
    assert WORDS("ue_start_tried") in clerk.pane.notice.text
    assert clerk.pane.busy() is None
    clerk.press(WORDS("ue_start_begin"))
    assert clerk.left == [True]


def test_every_step_can_be_left_for_later_and_says_what_will_not_work(clerk: Clerk) -> None:
    for step in Step:
        assert clerk.open_step() is step
        clerk.press(WORDS("ue_start_later"))
        assert clerk.pane.cards[step].result.text() == WORDS(f"ue_later_{step}")
    assert clerk.settings.bodies == ()
    clerk.press(WORDS("ue_start_begin"))
    assert clerk.left == [True]


def test_a_step_that_is_opened_again_changes_what_was_kept(clerk: Clerk, place: Place) -> None:
    clerk.press(WORDS("ue_start_later"))
    clerk.pane.name.line.setText("UBND XÃ A")
    clerk.pane.code.line.setText("H1")
    clerk.go_on("ue_start_save_next", Step.SEAL)
    clerk.pane.seal.take_file(SEAL)
    clerk.wait(lambda: clerk.pane.seal.value.there)
    clerk.go_on("ue_start_save_next", Step.TRIAL)
    assert clerk.settings.bodies[0].certificates == ()

    clerk.plug_in()
    clerk.pane.cards[Step.TOKEN].reopen.click()
    clerk.go_on("ue_start_next", Step.TRIAL)
    body = clerk.settings.bodies[0]
    assert (body.name, body.certificates) == ("UBND XÃ A", (place.agency,))
    assert body.seal is not None


def test_a_seal_without_a_body_leads_back_to_the_body(clerk: Clerk) -> None:
    for _step in (Step.TOKEN, Step.BODY):
        clerk.press(WORDS("ue_start_later"))
    clerk.pane.seal.take_file(SEAL)
    clerk.wait(lambda: clerk.pane.seal.value.there)
    clerk.go_on("ue_start_save_next", Step.BODY)
    assert WORDS("ue_start_seal_needs_body") in clerk.pane.notice.text


def test_a_driver_found_on_the_machine_is_taken_with_one_press(
    qtbot: QtBot, desk: Desk, blank: Settings, tmp_path: Path
) -> None:
    driver = blank.modules[0]
    none = desk.change_settings(lambda settings: msgspec.structs.replace(settings, modules=()))
    with pytest.MonkeyPatch.context() as patch:
        places = (tmp_path / "none.so", Path(driver))
        patch.setattr("signer_token.drivers._table_places", lambda _system, _environ: iter(places))
        clerk = Clerk(qtbot, desk, none)
        clerk.plug_in()
        use = WORDS("ue_driver_use", file=driver)
        clerk.wait(
            lambda: any(b.text() == use and b.isVisibleTo(clerk.pane) for b in clerk.pane.findChildren(QPushButton))
        )
        clerk.press(use)
        clerk.wait(lambda: clerk.settings.modules == (driver,))
        clerk.idle()
        clerk.wait(lambda: clerk.pane.certificate.count() == 2)
    clerk.hub.stop()
    clerk.tasks.close()


def test_the_page_needs_no_scrolling_on_a_small_screen(clerk: Clerk) -> None:
    clerk.plug_in()
    area = clerk.pane.findChild(QScrollArea)
    assert isinstance(area, QScrollArea)
    for step in Step:
        assert clerk.open_step() is step
        if step is Step.SEAL:
            clerk.pane.seal.take_file(SEAL)
            clerk.wait(lambda: clerk.pane.seal.value.there)
        # Layouts follow with the next events.
        QTest.qWait(0)
        assert area.verticalScrollBar().maximum() == 0
        clerk.press(WORDS("ue_start_later"))
