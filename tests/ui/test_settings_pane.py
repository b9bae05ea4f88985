"""The settings: what is typed is checked in place, saved as a whole, and never lost unasked; seals in mm."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pypdfium2 as pdfium
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

import signer_resources
from signer_app.desk.desk import Desk, open_desk
from signer_app.desk.setup import Setup, guess_body
from signer_app.exchange.directory import Directory, KnownOrganisation
from signer_app.store.settings import Body, CertificateRole, Exchange, Seal, ServerSettings, Settings, ThemeChoice
from signer_app.workspace import Overrides
from signer_resources.errors import KnownError
from signer_ui.hub import Hub
from signer_ui.panes.settings import SettingsPane
from signer_ui.panes.settings_bodies import BodiesSection
from signer_ui.panes.settings_form import FormField, Section
from signer_ui.panes.settings_machine import DisplaySection, DriversSection
from signer_ui.panes.settings_server import ServerSection, TimestampSection
from signer_ui.presenters.settings import (
    BodyForm,
    DisplayForm,
    DriversForm,
    Field,
    Problem,
    SealForm,
    ServerForm,
    TimestampForm,
    bodies_change,
    body_problems,
)
from signer_ui.shell import Shell
from signer_ui.tasks import Tasks
from signer_ui.theme import Theme
from signer_ui.widgets.pin_dialog import PinDialog
from signer_ui.widgets.seal_editor import SealEditor
from signer_ui.widgets.seal_ruler import ORIGIN_MM, write_ruler_page
from signer_ui.words import Words
from tests.support.workspace import CANARY_PIN, Site, shared_site
from tests.support.workspace import Desk as Place

# Without a screen there is no window manager that could be told a smallest size.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

PATIENCE_MS = 30_000
WORDS = Words("vi")
BODIES, SERVER, TIMESTAMP, DRIVERS, DISPLAY = range(5)
SEAL, SIGNATURE = (signer_resources.path(f"images/sample-{name}.png") for name in ("seal", "signature"))


# ---- forms -----------------------------------------------------------------------------------------------------------


def test_a_body_needs_a_name_and_a_code_of_its_own() -> None:
    forms = (BodyForm(code="H41.01", name="A"), BodyForm(code=" h41.01 ", name=" "), BodyForm(code="H 41", name="B"))
    assert body_problems(forms) == (
        Problem(Field.CODE, "ue_wrong_code_twice", 1),
        Problem(Field.NAME, "ue_wrong_name_empty", 1),
        Problem(Field.CODE, "ue_wrong_code_form", 2),
    )
    assert body_problems((BodyForm(),))[0].key == "ue_wrong_code_empty"


def test_a_body_goes_through_its_form_unchanged() -> None:
    body = Body(
        code="H41",
        name="SỞ A",
        aliases=("Sở A",),
        parent_name="TỈNH B",
        place_name="B",
        certificates=("a" * 64,),
        seal=Seal(diameter_mm=38, blob="b" * 64),
        signers=("Lê C",),
        exchange=Exchange.EXTERNAL,
    )
    settings = bodies_change((BodyForm.of(body),), {})(Settings())
    assert settings.bodies == (body,)


def test_a_certificate_seals_for_one_body_alone() -> None:
    both = (
        BodyForm(code="A", name="A", certificates=("a" * 64,)),
        BodyForm(code="B", name="B", certificates=("a" * 64,)),
    )
    settings = bodies_change(both, {})(Settings())
    assert [body.certificates for body in settings.bodies] == [("a" * 64,), ()]
    assert settings.roles == {"a" * 64: CertificateRole.AGENCY}


def test_a_new_seal_is_named_by_its_blob_and_kept_from_collection() -> None:
    form = BodyForm(code="A", name="A", seal=SealForm(36.5, b"png", Seal(diameter_mm=38, file="/old.png")))
    settings = bodies_change((form,), {b"png": "c" * 64})(Settings())
    assert settings.bodies[0].seal == Seal(diameter_mm=36.5, blob="c" * 64)
    assert settings.blobs() == {"c" * 64}
    assert SealForm(30).unusual
    assert not SealForm(38).unusual


def test_a_server_that_moved_stays_known_and_another_one_does_not() -> None:
    known = ServerSettings(url="https://a.vn", server_id="s", devices={"H41": "d"})
    moved = ServerForm("https://b.vn").change()(Settings(server=known))
    assert moved.server == msgspec.structs.replace(known, url="https://b.vn")
    other = ServerForm("https://b.vn", another=True).change()(Settings(server=known))
    assert other.server == ServerSettings(url="https://b.vn")
    assert ServerForm(" ").change()(Settings(server=known)).server is None


@pytest.mark.parametrize(
    ("url", "right"),
    [
        ("https://vb.tinh.vn", True),
        ("http://127.0.0.1:8080", True),
        ("http://vb.tinh.vn", False),
        ("vb.tinh.vn", False),
    ],
)
def test_a_server_is_asked_by_https_or_on_this_machine(url: str, right: bool) -> None:
    assert (ServerForm(url).problems() == ()) is right


def test_a_timestamp_server_may_be_asked_by_plain_http() -> None:
    assert TimestampForm(True, "http://tsa.ca.gov.vn/").problems() == ()
    assert TimestampForm(True, "tsa.ca.gov.vn").problems() == (Problem(Field.TSA_URL, "ue_wrong_tsa_address"),)
    assert TimestampForm(False, "").problems() == ()
    assert TimestampForm(False, "http://tsa.ca.gov.vn/", 5).change()(Settings(tsa_url="x")).tsa_url is None


def test_a_new_picture_of_a_signature_goes_before_the_file_that_was_set() -> None:
    form = DriversForm().with_picture("a" * 64, b"old").with_picture("a" * 64, b"png").with_picture("b" * 64, None)
    before = Settings(pictures={"a" * 64: "/a.png", "b" * 64: "/b.png"})
    after = form.change({b"png": "c" * 64})(before)
    assert (after.signatures, after.pictures) == ({"a" * 64: "c" * 64}, {})
    assert after.blobs() == {"c" * 64}


def test_what_others_wrote_meanwhile_is_kept() -> None:
    change = DisplayForm("en", ThemeChoice.DARK, " Trần  Hoa ").change()
    after = change(Settings(modules=("/driver.so",), tsa_url="http://tsa.vn"))
    assert (after.clerk, after.theme, after.modules, after.tsa_url) == (
        "Trần Hoa", ThemeChoice.DARK, ("/driver.so",), "http://tsa.vn",
    )  # fmt: skip


# ---- the seal on paper -----------------------------------------------------------------------------------------------


def test_the_printed_ruler_and_seal_have_true_millimetres(qapp: object, tmp_path: Path) -> None:
    page = tmp_path / "ruler.pdf"
    write_ruler_page(page, QImage(str(SEAL)), 38.0, WORDS)
    per_mm = 40.0
    with pdfium.PdfDocument(page) as document:
        # PDFium's image is as large as its box; a pixel is 0.025 mm.
        drawn = document[0].render(scale=per_mm * 25.4 / 72, grayscale=True).to_pil()

    def ink(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        """Where the ink begins and ends in a piece of the page, all in mm."""
        left, top = round(box[0] * per_mm), round(box[1] * per_mm)
        piece = drawn.crop((left, top, round(box[2] * per_mm), round(box[3] * per_mm)))
        found = piece.point(lambda value: 255 if value < 128 else 0).getbbox()
        assert found is not None
        return (
            (left + found[0]) / per_mm,
            (top + found[1]) / per_mm,
            (left + found[2]) / per_mm,
            (top + found[3]) / per_mm,
        )

    x, y = ORIGIN_MM
    # The ends of the marks for 0 and 100, where those of single millimetres don't reach.
    zero, hundred = (ink((x + mm - 0.5, y - 5.9, x + mm + 0.5, y - 4.5)) for mm in (0, 100))
    assert (hundred[0] + hundred[2] - zero[0] - zero[2]) / 2 == pytest.approx(100, abs=0.1)
    top, bottom = (ink((x - 5.9, y + mm - 0.5, x - 4.5, y + mm + 0.5)) for mm in (0, 100))
    assert (bottom[1] + bottom[3] - top[1] - top[3]) / 2 == pytest.approx(100, abs=0.1)
    # A strip through the seal, beside the line through its middle.
    across = ink((x + 75 - 25, y + 75 - 1.0, x + 75 + 25, y + 75 - 0.3))
    assert across[2] - across[0] == pytest.approx(38, abs=0.2)


# ---- a body out of a certificate -------------------------------------------------------------------------------------


@pytest.fixture(scope="session", name="site")
def prepared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with shared_site(tmp_path_factory) as made:
        yield made


@pytest.fixture(scope="module")
def place(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return site.desk(tmp_path_factory.mktemp("settings"))


@pytest.fixture(scope="module")
def desk(site: Site, place: Place) -> Iterator[Desk]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("signer_app.workspace.Workers", lambda: site.workers)
        with open_desk(place.data, Overrides()) as desk:
            desk.begin()
            yield desk


def test_name_and_place_are_read_from_the_certificate_and_the_code_from_the_directory(desk: Desk) -> None:
    views = [view for token in desk.tokens().tokens for view in token.certificates]
    body = next(view.certificate for view in views if view.role is CertificateRole.AGENCY)
    person = next(view.certificate for view in views if view.role is CertificateRole.PERSONAL)
    known = Directory(dt.datetime.now(dt.UTC), (KnownOrganisation("H77.15", "Uỷ ban nhân dân xã Hòa Sơn"),))
    guess = guess_body(body, desk.space.settings, known)
    assert (guess.name, guess.code) == ("ỦY BAN NHÂN DÂN XÃ HÒA SƠN", "H77.15")
    assert (guess.parent_name, guess.place_name) == ("ỦY BAN NHÂN DÂN TỈNH AN SƠN", "Hòa Sơn")
    assert guess_body(body, desk.space.settings, Directory()).code == ""
    assert guess_body(person, desk.space.settings, known).name == "ỦY BAN NHÂN DÂN XÃ HÒA SƠN"


# ---- the pane --------------------------------------------------------------------------------------------------------


class Clerk:
    """The settings pane over a real workspace, and who works with it."""

    def __init__(self, qtbot: QtBot, desk: Desk) -> None:
        self._qtbot, self.desk = qtbot, desk
        self.told: list[KnownError | str] = []
        self.tasks = Tasks(lambda fault: repr(fault))
        self.hub = Hub(desk, self.tasks, desk.space.settings)
        self.shell = Shell(desk, self.tasks, self.hub, WORDS, Theme(dark=False), self.told.append, lambda _tab: None)
        self.pane = SettingsPane(self.shell)
        self.left: list[bool] = []
        self.pane.left.connect(lambda: self.left.append(True))
        self._window = QWidget()
        qtbot.addWidget(self._window)
        QVBoxLayout(self._window).addWidget(self.pane)
        self._window.resize(1366, 700)
        self._window.show()
        qtbot.waitExposed(self._window)

    def wait(self, until: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(until, timeout=PATIENCE_MS)

    def idle(self) -> None:
        self.wait(lambda: not self.tasks.busy)

    def open(self, number: int) -> Section[Any]:
        self.pane.list.setCurrentRow(number)
        self.idle()
        return self.pane.section(number)

    def bodies(self) -> BodiesSection:
        section = self.open(BODIES)
        assert isinstance(section, BodiesSection)
        return section

    def retype(self, field: FormField, text: str) -> None:
        field.line.setFocus()
        field.line.selectAll()
        QTest.keyClicks(field.line, text)

    def save(self, section: Section[Any]) -> None:
        QTest.mouseClick(section.save_button, Qt.MouseButton.LeftButton)
        self.idle()

    def press(self, words: str) -> None:
        found = [b for b in self.pane.findChildren(QPushButton) if b.text() == words and b.isVisible()]
        # Buttons of a notice that was there before go with the next events.
        QTest.mouseClick(found[-1], Qt.MouseButton.LeftButton)

    @property
    def settings(self) -> Settings:
        return self.desk.space.settings


@pytest.fixture
def clerk(qtbot: QtBot, desk: Desk) -> Iterator[Clerk]:
    before = desk.space.settings
    made = Clerk(qtbot, desk)
    yield made
    assert made.told == []
    made.hub.stop()
    made.tasks.close()
    desk.change_settings(lambda _changed: before)


def test_a_changed_name_is_saved_by_the_button_and_told(clerk: Clerk) -> None:
    section = clerk.bodies()
    assert not section.save_button.isEnabled()
    clerk.retype(section.name, "UY BAN NHAN DAN XA MOI")
    assert section.save_button.isEnabled()
    assert clerk.pane.busy() == "ue_busy_unsaved"
    clerk.save(section)
    assert clerk.settings.bodies[0].name == "UY BAN NHAN DAN XA MOI"
    assert clerk.hub.settings == clerk.settings
    assert not section.dirty
    assert clerk.pane.busy() is None


def test_what_is_wrong_stands_under_its_field_and_nothing_is_saved(clerk: Clerk) -> None:
    section, before = clerk.bodies(), clerk.settings
    clerk.retype(section.place, "Noi khac")
    section.code.line.clear()
    clerk.save(section)
    assert section.code.complaint == WORDS("ue_wrong_code_empty")
    assert clerk.pane.window().focusWidget() is section.code.line
    assert section.name.complaint == ""
    assert clerk.settings == before
    assert section.place.line.text() == "Noi khac"
    section.discard()
    assert (section.code.complaint, section.code.line.text()) == ("", before.bodies[0].code)


def test_leaving_with_something_unsaved_asks_in_place(clerk: Clerk) -> None:
    section, before = clerk.bodies(), clerk.settings
    clerk.retype(section.place, "Noi khac")
    clerk.open(DISPLAY)
    assert not clerk.pane.may_leave()
    assert "Cơ quan" in clerk.pane.notice.text
    clerk.press(WORDS("ue_leave_discard"))
    assert (clerk.left, clerk.settings) == ([True], before)


def test_a_pane_that_was_left_is_not_told_what_was_done_for_it(clerk: Clerk) -> None:
    gone: list[bool] = []
    clerk.pane.destroyed.connect(lambda: gone.append(True))
    clerk.bodies().seal.take_file(SEAL)
    clerk.pane.deleteLater()
    clerk.wait(lambda: gone == [True])
    clerk.idle()


def test_saving_while_leaving_stops_where_something_is_wrong(clerk: Clerk) -> None:
    section = clerk.bodies()
    clerk.retype(section.code, "H 1")
    clerk.open(DISPLAY)
    QTest.mouseClick(clerk.pane.back, Qt.MouseButton.LeftButton)
    clerk.press(WORDS("ue_leave_save"))
    clerk.wait(lambda: section.code.complaint != "")
    assert (clerk.left, clerk.pane.list.currentRow()) == ([], BODIES)
    clerk.retype(section.code, "H1")
    clerk.save(section)
    assert clerk.left == []
    clerk.retype(section.code, "H2")
    clerk.pane.may_leave()
    clerk.press(WORDS("ue_leave_save"))
    clerk.wait(lambda: clerk.left == [True])
    assert clerk.settings.bodies[0].code == "H2"


def test_a_second_body_is_added_and_taken_away_again(clerk: Clerk) -> None:
    section = clerk.bodies()
    QTest.mouseClick(section.add, Qt.MouseButton.LeftButton)
    clerk.retype(section.name, "HOI DONG NHAN DAN")
    clerk.retype(section.code, "H77.99")
    section.external.setChecked(True)
    clerk.save(section)
    assert [(body.code, body.exchange) for body in clerk.settings.bodies] == [
        ("H77.15", Exchange.SERVER),
        ("H77.99", Exchange.EXTERNAL),
    ]
    assert section.chosen.currentText() == "HOI DONG NHAN DAN"
    QTest.mouseClick(section.remove, Qt.MouseButton.LeftButton)
    clerk.save(section)
    assert [body.code for body in clerk.settings.bodies] == ["H77.15"]


def test_a_certificate_on_the_token_is_ticked_for_a_body(clerk: Clerk, place: Place) -> None:
    section = clerk.bodies()

    def shown() -> list[QCheckBox]:
        return [box for box in section.findChildren(QCheckBox) if box.isVisibleTo(section)]

    clerk.hub.poke_tokens()
    # Until the token was looked at, a certificate is only known by its number.
    clerk.wait(lambda: [box.text().split(" (")[0] for box in shown()] == ["ỦY BAN NHÂN DÂN XÃ HÒA SƠN"])
    boxes = shown()
    assert [box.isChecked() for box in boxes] == [True]
    boxes[0].setChecked(False)
    clerk.save(section)
    assert clerk.settings.bodies[0].certificates == ()


def test_a_new_seal_is_trimmed_shown_and_kept_with_its_millimetres(clerk: Clerk, tmp_path: Path) -> None:
    section = clerk.bodies()
    section.seal.take_file(SEAL)
    clerk.wait(lambda: section.seal.value.png is not None)
    section.seal.diameter.setValue(36.5)
    clerk.save(section)
    seal = clerk.settings.bodies[0].seal
    assert seal is not None
    assert (seal.diameter_mm, seal.file) == (36.5, None)
    assert Setup(clerk.desk.space).seal_png(seal) == section.setup.kept_png(str(seal.blob))
    assert seal.blob in clerk.settings.blobs()
    assert "36,5 mm" in section.seal.preview.accessibleDescription()


def test_a_file_that_is_no_picture_is_told_and_the_old_seal_stays(clerk: Clerk, tmp_path: Path) -> None:
    section = clerk.bodies()
    bad = tmp_path / "dấu.png"
    bad.write_bytes(b"no picture")
    section.seal.take_file(bad)
    clerk.wait(lambda: section.seal.notice.text != "")
    assert "dấu.png" in section.seal.notice.text
    assert not section.dirty


def test_the_ruler_page_is_opened_or_its_place_is_told(clerk: Clerk, qtbot: QtBot) -> None:
    opened: list[Path] = []

    def open_file(path: Path) -> bool:
        opened.append(path)
        return len(opened) == 1

    editor = SealEditor(clerk.shell, open_file=open_file)
    qtbot.addWidget(editor)
    editor.set_value(SealForm(38, kept=Seal(diameter_mm=38, file=str(SEAL))))
    clerk.idle()
    for told in (WORDS("ue_ruler_opened"), WORDS("ue_ruler_not_opened")):
        editor.ruler.click()
        clerk.idle()
        assert told in editor.notice.text
    assert opened[0].read_bytes().startswith(b"%PDF-")
    assert (opened[0].stat().st_mode & 0o777, opened[0].parent) == (0o600, clerk.desk.space.folder.work)
    assert str(opened[1]) in editor.notice.text


def test_a_driver_that_is_not_there_is_refused(clerk: Clerk, tmp_path: Path) -> None:
    section = clerk.open(DRIVERS)
    assert isinstance(section, DriversSection)
    gone = tmp_path / "gone.so"
    section.add_driver(str(gone))
    clerk.save(section)
    assert section.drivers.complaint == WORDS("ue_wrong_driver_missing")
    assert len(clerk.settings.modules) == 1
    gone.write_bytes(b"")
    clerk.save(section)
    assert str(gone) in clerk.settings.modules


def test_a_leaders_signature_is_kept_trimmed_for_that_certificate_alone(clerk: Clerk, place: Place) -> None:
    section = clerk.open(DRIVERS)
    assert isinstance(section, DriversSection)
    clerk.hub.poke_tokens()
    clerk.idle()
    section.take_picture(place.leader, SIGNATURE)
    clerk.wait(lambda: section.dirty)
    clerk.save(section)
    assert list(clerk.settings.signatures) == [place.leader]
    assert place.leader not in clerk.settings.pictures
    assert clerk.settings.signatures[place.leader] in clerk.settings.blobs()


def test_an_address_without_tls_is_refused_in_place(clerk: Clerk) -> None:
    section = clerk.open(SERVER)
    assert isinstance(section, ServerSection)
    assert not section.another.isVisible()
    clerk.retype(section.url, "http://vb.tinh.vn")
    assert section.another.isVisible()
    clerk.save(section)
    assert section.url.complaint == WORDS("ue_wrong_server_address")


def test_switching_timestamps_on_proposes_the_public_server(clerk: Clerk) -> None:
    section = clerk.open(TIMESTAMP)
    assert isinstance(section, TimestampSection)
    section.on.setChecked(False)
    clerk.save(section)
    assert clerk.settings.tsa_url is None
    assert section.url.line.text() == ""
    section.on.setChecked(True)
    clerk.save(section)
    assert clerk.settings.tsa_url == "http://tsa.ca.gov.vn/"


def test_language_and_looks_are_told_to_the_window_at_once(clerk: Clerk) -> None:
    told: list[Settings] = []
    clerk.hub.settings_changed.connect(told.append)
    section = clerk.open(DISPLAY)
    assert isinstance(section, DisplaySection)
    section.theme.setCurrentIndex(section.theme.findData("dark"))
    clerk.save(section)
    assert [settings.theme for settings in told] == [ThemeChoice.DARK]


def test_this_machine_is_enrolled_from_the_settings(clerk: Clerk, place: Place, qtbot: QtBot) -> None:
    clerk.hub.poke_tokens()
    clerk.idle()
    section = clerk.open(SERVER)
    assert isinstance(section, ServerSection)
    with place.server() as server:
        clerk.hub.settings_kept(clerk.desk.change_settings(lambda settings: settings))
        clerk.idle()
        before = dict(clerk.settings.server.devices) if clerk.settings.server else {}
        enrol = [b for b in section.findChildren(QPushButton) if b.text() == WORDS("ue_enrol_again") and b.isVisible()]
        assert enrol[0].isEnabled(), server
        QTest.mouseClick(enrol[0], Qt.MouseButton.LeftButton)
        clerk.wait(lambda: any(d.isVisible() for d in section.findChildren(PinDialog)))
        dialog = next(d for d in section.findChildren(PinDialog) if d.isVisible())
        QTest.keyClicks(dialog.field, CANARY_PIN)
        QTest.keyClick(dialog.field, Qt.Key.Key_Return)
        clerk.wait(lambda: section.notice.text != "")
        assert "Đã đăng ký máy cho H77.15" in section.notice.text
        clerk.idle()
        assert clerk.settings.server is not None
        assert clerk.settings.server.devices.keys() == before.keys()
        assert clerk.settings.server.devices != before


def test_every_field_of_every_section_has_a_name(clerk: Clerk) -> None:
    nameless = []
    for number in range(5):
        section = clerk.open(number)
        for kind in (QLineEdit, QPlainTextEdit, QComboBox, QAbstractSpinBox, QListWidget):
            for widget in section.findChildren(kind):
                inner = isinstance(widget.parent(), QAbstractSpinBox)
                if not inner and not named(widget):
                    nameless.append((number, widget))
    assert nameless == []


def named(widget: QWidget) -> bool:
    found = QAccessible.queryAccessibleInterface(widget)
    return bool(found.text(QAccessible.Text.Name))
