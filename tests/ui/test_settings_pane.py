"""The settings: what is typed is checked in place, saved as a whole, and never lost unasked; seals in mm."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
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
    QScrollArea,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

import signer_resources
from signer_app.desk.desk import Desk, open_desk
from signer_app.desk.setup import Setup, guess_body
from signer_app.desk.tokens import TokensSnapshot
from signer_app.exchange.directory import Directory, KnownOrganisation
from signer_app.store.sequences import Register
from signer_app.store.settings import (
    ArchiveLevel,
    Body,
    CertificateRole,
    Exchange,
    FormerName,
    HandKind,
    Handwriting,
    Seal,
    ServerSettings,
    Settings,
    ThemeChoice,
    TimestampServer,
)
from signer_app.workspace import Overrides
from signer_resources.errors import KnownError
from signer_ui.hub import Hub
from signer_ui.panes.settings import SettingsPane
from signer_ui.panes.settings_bodies import BodiesSection
from signer_ui.panes.settings_folders import FoldersSection
from signer_ui.panes.settings_form import FormField, Section
from signer_ui.panes.settings_hands import HandsSection
from signer_ui.panes.settings_machine import DisplaySection, DriversSection
from signer_ui.panes.settings_server import ServerSection
from signer_ui.panes.settings_timestamps import TimestampSection
from signer_ui.presenters.settings import DisplayForm, Field, Problem, ServerForm, enrolments
from signer_ui.presenters.settings_bodies import (
    BodyForm,
    SealForm,
    bodies_change,
    body_problems,
    next_seal,
    with_newest_seal,
)
from signer_ui.presenters.settings_hands import HandForm, HandsForm
from signer_ui.presenters.settings_timestamps import ServerRow, TimestampForm
from signer_ui.shell import Shell
from signer_ui.tasks import Tasks
from signer_ui.theme import Theme
from signer_ui.widgets.pin_dialog import PinDialog
from signer_ui.widgets.rows_editor import RowsEditor
from signer_ui.widgets.seal_editor import SealEditor
from signer_ui.widgets.seal_ruler import ORIGIN_MM, write_ruler_page
from signer_ui.words import Words
from tests.support.workspace import CANARY_PIN, Site, shared_site
from tests.support.workspace import Desk as Place

# Without a screen there is no window manager that could be told a smallest size.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

PATIENCE_MS = 30_000
WORDS = Words("vi")
BODIES, HANDS, SERVER, NETWORK, SENDING, TIMESTAMP, DRIVERS, FOLDERS, DISPLAY = range(9)
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
        seals=(
            Seal(diameter_mm=36, picture="a" * 64, valid_to=dt.date(2026, 6, 30)),
            Seal(diameter_mm=38, picture="b" * 64, valid_from=dt.date(2026, 7, 1)),
        ),
        signers=("Lê C",),
        former_names=(FormerName(name="SỞ CŨ", valid_to=dt.date(2025, 6, 30)),),
        notations=("SA", "SA-VP"),
        registers=(Register(name="Văn bản đi", notations=("QĐ-SA", "TB-SA"), server="r"),),
        server=ServerSettings(url="https://rieng.vn", server_id="s", devices={"H41": "d"}),
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


def test_a_new_seal_is_named_by_its_picture_in_the_vault_and_kept_from_collection() -> None:
    form = BodyForm(code="A", name="A", seals=(SealForm(36.5, b"png", Seal(diameter_mm=38, file="/old.png")),))
    settings = bodies_change((form,), {b"png": "c" * 64})(Settings())
    assert settings.bodies[0].seals == (Seal(diameter_mm=36.5, picture="c" * 64),)
    assert settings.kept_pictures() == {"c" * 64}
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


@pytest.mark.parametrize(
    ("field", "wrong", "right", "key"),
    [
        (Field.FORMER, {"former": (("SỞ CŨ", "30/2025"),)}, {"former": (("SỞ CŨ", "30/06/2025"),)}, "ub_wrong_former"),
        (Field.FORMER, {"former": (("SỞ CŨ", ""),)}, {"former": (("", " "),)}, "ub_wrong_former"),
        (Field.NOTATIONS, {"notations": "UBND VP"}, {"notations": "UBND; VP"}, "ub_wrong_notation"),
        (Field.REGISTERS, {"registers": (("Đi", ""),)}, {"registers": (("Đi", "QĐ-A, TB-A"),)}, "ub_wrong_register"),
        (
            Field.REGISTERS,
            {"registers": (("Đi", "QĐ-A"), ("Khác", "qđ-a"))},
            {"registers": (("Đi", "QĐ-A"), ("Khác", "TB-A"))},
            "ub_wrong_register_twice",
        ),
        (
            Field.SEAL,
            {"seals": (SealForm(png=b"1", begins="02/11/2026", ends="01/11/2026"),)},
            {"seals": (SealForm(png=b"1", begins="01/11/2026", ends="01/11/2026"),)},
            "ub_wrong_days",
        ),
        (
            Field.SEAL,
            {"seals": (SealForm(png=b"1"), SealForm())},
            {"seals": (SealForm(png=b"1"),)},
            "ub_wrong_seal_empty",
        ),
        (
            Field.OWN_SERVER,
            {"server_url": "http://vb.vn"},
            {"server_url": "http://vb.vn", "exchange": Exchange.EXTERNAL},
            "ue_wrong_server_address",
        ),
    ],
)
def test_what_is_wrong_with_a_body_is_told_at_its_field(
    field: Field, wrong: dict[str, Any], right: dict[str, Any], key: str
) -> None:
    form = BodyForm(code="A", name="A")
    assert body_problems((replace(form, **wrong),)) == (Problem(field, key),)
    assert body_problems((replace(form, **right),)) == ()


def test_a_new_seal_is_used_from_today_and_the_old_one_up_to_yesterday() -> None:
    today = dt.date(2026, 11, 23)
    (first,) = next_seal((), today)
    assert (first.begins, first.ends) == ("", "")
    old, new = next_seal((SealForm(34, png=b"1"),), today)
    assert (old.ends, new.begins, new.diameter_mm) == ("22/11/2026", "23/11/2026", 34)
    # One that begins only today can't end yesterday.
    assert next_seal((SealForm(34, png=b"1", begins="23/11/2026"),), today)[0].ends == ""
    body = with_newest_seal(BodyForm(code="A", name="A", seals=(old, new)), replace(new, png=b"2"))
    seals = bodies_change((body,), {b"1": "a" * 64, b"2": "b" * 64})(Settings()).bodies[0].seals
    assert [(seal.picture, seal.valid_from, seal.valid_to) for seal in seals] == [
        ("a" * 64, None, dt.date(2026, 11, 22)),
        ("b" * 64, today, None),
    ]


def test_a_body_s_own_server_forgets_its_pins_with_another_address_and_counts_for_enrolment() -> None:
    own = ServerSettings(url="https://a.vn", server_id="s", devices={"A": "d"})
    form = BodyForm.of(Body(code="A", name="A", server=own))
    settings = bodies_change((form,), {})(Settings())
    assert settings.bodies[0].server == own
    assert [one.enrolled for one in enrolments(settings, TokensSnapshot())] == [True]
    moved = bodies_change((replace(form, server_url="https://b.vn"),), {})(Settings())
    assert moved.bodies[0].server == ServerSettings(url="https://b.vn")
    assert [one.enrolled for one in enrolments(moved, TokensSnapshot())] == [False]
    assert enrolments(bodies_change((replace(form, server_url=""),), {})(Settings()), TokensSnapshot()) == ()


def test_a_timestamp_server_may_be_asked_by_plain_http_and_stands_there_once() -> None:
    right, wrong = ServerRow("http://tsa.ca.gov.vn/"), ServerRow("tsa.ca.gov.vn")
    assert TimestampForm((right,)).problems() == ()
    assert TimestampForm((right, wrong)).problems() == (Problem(Field.TSA_URL, "ue_wrong_tsa_address", 1),)
    assert TimestampForm((right, right)).problems() == (Problem(Field.TSA_URL, "ub_wrong_tsa_twice", 1),)


def test_timestamp_servers_keep_their_order_and_what_they_grant() -> None:
    other = TimestampServer(url="https://b.vn", limit_s=5, patience_s=60, per_day=100)
    before = Settings(tsa_url="http://a.vn", tsa_timeout_s=8, tsa_per_minute=3, tsa_others=(other,))
    form = TimestampForm.of(before)
    assert form.change()(Settings()) == before
    turned = form.moved(1, -1).change()(before)
    assert [server.url for server in turned.timestamp_servers] == ["https://b.vn", "http://a.vn"]
    assert (turned.tsa_timeout_s, turned.tsa_per_day, turned.tsa_others[0].per_minute) == (5, 100, 3)
    none = replace(form.without(1).without(0), level=ArchiveLevel.B_B).change()(before)
    assert (none.timestamp_servers, none.tsa_per_minute, none.archive_level) == ((), None, ArchiveLevel.B_B)


def test_a_new_picture_takes_over_from_the_day_on_which_it_was_added() -> None:
    old, initial = Handwriting(picture="e" * 64), Handwriting(picture="d" * 64, kind=HandKind.INITIAL)
    before = Settings(handwriting={"a" * 64: (old, initial)})
    form = HandsForm.of(before).with_new("a" * 64, HandKind.SIGNATURE, b"png", dt.date(2026, 11, 23))
    after = form.change({b"png": "c" * 64})(before)
    assert after.handwriting == {
        "a" * 64: (
            msgspec.structs.replace(old, valid_to=dt.date(2026, 11, 22)),
            initial,
            Handwriting(picture="c" * 64, valid_from=dt.date(2026, 11, 23)),
        )
    }
    # The only picture of its kind has no limit.
    alone = HandsForm().with_new("b" * 64, HandKind.INITIAL, b"png", dt.date(2026, 11, 23))
    assert alone.hands == (HandForm("b" * 64, HandKind.INITIAL, b"png"),)


def test_pictures_that_are_taken_out_go_and_those_of_a_renewed_certificate_stay() -> None:
    before = Settings(handwriting={"a" * 64: (Handwriting(picture="e" * 64),)})
    form = HandsForm.of(before).without(0)
    renewed = {"b" * 64: (Handwriting(picture="e" * 64),)}
    meanwhile = msgspec.structs.replace(before, handwriting={**before.handwriting, **renewed})
    assert form.change({})(meanwhile).handwriting == renewed
    wrong = HandsForm.of(before).with_days(0, "1/13/2026", "")
    assert wrong.problems() == (Problem(Field.HANDS, "ub_wrong_day", 0),)


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
    # What a look at the tokens notes down meanwhile is no news of the settings.
    assert clerk.hub.settings.bodies == clerk.settings.bodies
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
    clerk.bodies().seals.picture.take_file(SEAL)
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
    section.seals.picture.take_file(SEAL)
    clerk.wait(lambda: section.seals.picture.value.png is not None)
    section.seals.picture.diameter.setValue(36.5)
    clerk.save(section)
    seal = clerk.settings.bodies[0].seal
    assert seal is not None
    assert (seal.diameter_mm, seal.file, seal.blob) == (36.5, None, None)
    assert Setup(clerk.desk.space).seal_png(seal) == section.setup.kept_png(str(seal.picture))
    assert seal.picture in clerk.settings.kept_pictures()
    assert "36,5 mm" in section.seals.picture.preview.accessibleDescription()


def test_a_file_that_is_no_picture_is_told_and_the_old_seal_stays(clerk: Clerk, tmp_path: Path) -> None:
    section = clerk.bodies()
    bad = tmp_path / "dấu.png"
    bad.write_bytes(b"no picture")
    section.seals.picture.take_file(bad)
    clerk.wait(lambda: section.seals.picture.notice.text != "")
    assert "dấu.png" in section.seals.picture.notice.text
    assert not section.dirty


def test_the_ruler_page_is_opened_or_its_place_is_told(clerk: Clerk, qtbot: QtBot) -> None:
    opened: list[Path] = []

    def open_file(path: Path) -> bool:
        opened.append(path)
        return len(opened) == 1

    editor = SealEditor(clerk.shell, open_file=open_file)
    qtbot.addWidget(editor)
    picture = clerk.desk.setup.keep(SEAL.read_bytes())
    editor.set_value(SealForm(38, kept=Seal(diameter_mm=38, picture=picture)))
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
    section = clerk.open(HANDS)
    assert isinstance(section, HandsSection)
    before = clerk.settings.handwriting.get(place.leader, ())
    for kind in HandKind:
        section.take_picture(place.leader, kind, SIGNATURE)
        clerk.idle()
    section.fields()[-1].editor.setFocus()
    QTest.keyClicks(clerk.pane.window().focusWidget(), "31/02/2027")
    clerk.save(section)
    assert section.fields()[-1].complaint == WORDS("ub_wrong_day")
    section.fields()[-1].editor.findChildren(QLineEdit)[0].clear()
    QTest.keyClicks(clerk.pane.window().focusWidget(), "01/03/2027")
    clerk.save(section)
    signature, initial = clerk.settings.handwriting[place.leader][len(before) :]
    assert (signature.kind, initial.kind) == (HandKind.SIGNATURE, HandKind.INITIAL)
    assert initial.valid_from == dt.date(2027, 3, 1)
    assert signature.picture in clerk.settings.kept_pictures()
    assert section.setup.kept_png(signature.picture).startswith(b"\x89PNG")


def test_former_names_and_a_second_seal_are_typed_and_saved(clerk: Clerk) -> None:
    section = clerk.bodies()
    editor = section.former.editor
    assert isinstance(editor, RowsEditor)
    QTest.mouseClick(editor.add, Qt.MouseButton.LeftButton)
    name, last = editor.fields[0]
    assert clerk.pane.window().focusWidget() is name
    QTest.keyClicks(name, "XA CU")
    clerk.save(section)
    assert section.former.complaint == WORDS("ub_wrong_former")
    QTest.keyClicks(last, "30/6/2025")
    had = len(clerk.settings.bodies[0].seals)
    QTest.mouseClick(section.seals.add, Qt.MouseButton.LeftButton)
    section.seals.picture.take_file(SEAL)
    clerk.idle()
    clerk.save(section)
    body = clerk.settings.bodies[0]
    assert body.former_names == (FormerName(name="XA CU", valid_to=dt.date(2025, 6, 30)),)
    today = clerk.desk.now().date()
    assert len(body.seals) == had + 1
    assert (body.seals[-2].valid_to, body.seals[-1].valid_from) == (today - dt.timedelta(days=1), today)
    assert body.seal_on(today) == body.seals[-1]
    assert section.seals.chosen.count() == had + 1


def test_an_address_without_tls_is_refused_in_place(clerk: Clerk) -> None:
    section = clerk.open(SERVER)
    assert isinstance(section, ServerSection)
    assert not section.another.isVisible()
    clerk.retype(section.url, "http://vb.tinh.vn")
    assert section.another.isVisible()
    clerk.save(section)
    assert section.url.complaint == WORDS("ue_wrong_server_address")


def test_timestamp_servers_are_added_ordered_and_tried(clerk: Clerk) -> None:
    section = clerk.open(TIMESTAMP)
    assert isinstance(section, TimestampSection)
    while section.rows:
        QTest.mouseClick(section.rows[0].remove, Qt.MouseButton.LeftButton)
    clerk.save(section)
    assert clerk.settings.tsa_url is None
    assert not section.kept.isEnabled()
    for _server in range(2):
        QTest.mouseClick(section.add, Qt.MouseButton.LeftButton)
    assert section.rows[0].url.line.text() == "http://tsa.ca.gov.vn/"
    QTest.keyClicks(section.rows[1].url.line, "http://127.0.0.1:9/")
    section.level.setCurrentIndex(3)
    QTest.mouseClick(section.rows[1].up, Qt.MouseButton.LeftButton)
    clerk.save(section)
    assert [server.url for server in clerk.settings.timestamp_servers] == [
        "http://127.0.0.1:9/",
        "http://tsa.ca.gov.vn/",
    ]
    assert clerk.settings.archive_level is ArchiveLevel.B_LTA
    # Nobody listens at that port.
    QTest.mouseClick(section.rows[0].try_it, Qt.MouseButton.LeftButton)
    clerk.idle()
    assert section.rows[0].told.text() == "Chưa lấy được dấu thời gian."


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
        QTest.mouseClick(section.trial.button, Qt.MouseButton.LeftButton)
        clerk.idle()
        assert section.trial.told.endswith(": Kết nối tốt.")


def test_every_field_of_every_section_has_a_name(clerk: Clerk) -> None:
    nameless = []
    for number in range(9):
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


def test_folders_are_kept_when_they_are_there_and_apart(clerk: Clerk, tmp_path: Path) -> None:
    section = clerk.open(FOLDERS)
    assert isinstance(section, FoldersSection)
    inbox, output = tmp_path / "chờ ký", tmp_path / "chờ ký" / "đã ký"
    section.inbox.setText(str(inbox))
    section.save()
    clerk.idle()
    assert "Không có thư mục này" in section._inbox.complaint
    output.mkdir(parents=True)
    section.output.setText(str(output))
    section.save()
    clerk.idle()
    assert "nằm trong thư mục chờ ký" in section._output.complaint
    section.output.setText("")
    section.save()
    clerk.idle()
    assert (clerk.hub.settings.inbox_folder, clerk.hub.settings.output_folder) == (str(inbox), None)


def test_in_a_narrow_window_the_sections_are_one_choice_and_nothing_scrolls_sideways(clerk: Clerk) -> None:
    pane = clerk.pane
    assert pane.list.isVisible()
    assert not pane.choice.isVisible()
    clerk.open(SERVER)
    pane.list.setFocus()
    pane.setFixedWidth(pane.shell.theme.space(170))
    clerk.wait(lambda: pane.choice.isVisible())
    assert pane.choice.isVisible()
    assert not pane.list.isVisible()
    assert pane.focusWidget() is pane.choice
    assert pane.choice.currentText() == pane.list.item(SERVER).text()
    QTest.keyClick(pane.choice, Qt.Key.Key_Home)
    clerk.idle()
    assert pane.list.currentRow() == 0
    for number in range(pane.list.count()):
        section = clerk.open(number)
        area = section.findChild(QScrollArea)
        assert isinstance(area, QScrollArea)
        clerk.wait(lambda area=area: area.horizontalScrollBar().maximum() == 0)  # type: ignore[misc]
    pane.setFixedWidth(1300)
    clerk.wait(lambda: pane.list.isVisible() and not pane.choice.isVisible())
