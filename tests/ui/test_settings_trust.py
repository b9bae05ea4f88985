"""The trusted certificates in the settings: what is shown, what comes in and goes, and whom it is told."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QScrollArea
from pytestqt.qtbot import QtBot

import signer_resources.trust as pins
from signer_app.desk.check_values import Check, CheckName, CheckState
from signer_app.desk.trusting import Installed, Trusting, TrustSnapshot
from signer_app.store.model import JournalAction
from signer_app.trust.kept import Use
from signer_app.verification.model import AnchorSet
from signer_resources.errors import KnownError
from signer_resources.rules import Mark
from signer_resources.trust import Pin, PinKind, PinSet
from signer_ui.panes.incoming import IncomingPane
from signer_ui.panes.machine import MachinePane
from signer_ui.panes.settings import SettingsPane
from signer_ui.panes.settings_trust import CertificateLine, TrustSection
from signer_ui.presenters.machine import Mend, machine_view
from signer_ui.presenters.settings_trust import Standing, grouped, trust_view
from tests.desk.office import MONDAY, Office, changed, office
from tests.desk.window import WORDS, Desktop, desktop, nameless, press, visible_texts
from tests.verification.documents import SignAs, make_document, sign
from tests.verification.small_pki import DAY, Holder, make_certificate, make_crl

# Without a screen there is no window manager that could be told a smallest size.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

SECTION = "Chứng thư tin cậy"
VALID, UNDECIDED = "Chữ ký hợp lệ", "Chưa đủ thông tin để xác thực"


@pytest.fixture(scope="module")
def root() -> Holder:
    return make_certificate("Gốc G9", None, ca=True)


@pytest.fixture(scope="module")
def stranger() -> Holder:
    return make_certificate("Gốc của Sở", None, ca=True)


@pytest.fixture
def pinned(monkeypatch: pytest.MonkeyPatch, root: Holder) -> None:
    """`root` is the one certificate in the table of pins."""
    table = (Pin("g9", "Gốc G9", PinSet.VGCA, PinKind.ROOT, Mark.REPORTED, "a test", MONDAY.date(), sha(root)),)
    for place in ("signer_resources.trust", "signer_app.desk.trusting"):
        monkeypatch.setattr(f"{place}.all_pins", lambda: table)
    assert pins.pin_of(sha(root)) is not None


@pytest.fixture
def screen(qtbot: QtBot, tmp_path: Path) -> Iterator[Desktop]:
    with office(tmp_path / "office") as place, desktop(qtbot, place) as made:
        yield made


def sha(holder: Holder) -> str:
    return hashlib.sha256(holder.der).hexdigest()


def written(folder: Path, holder: Holder, name: str = "tệp.cer") -> Path:
    file = folder / name
    file.write_bytes(holder.der)
    return file


def opened(screen: Desktop) -> TrustSection:
    """The settings in front, at the section, with what it shows."""
    pane = screen.show(SettingsPane)
    names = [pane.list.item(number).text() for number in range(pane.list.count())]
    pane.list.setCurrentRow(names.index(SECTION))
    section = pane.section(names.index(SECTION))
    assert isinstance(section, TrustSection)
    screen.wait(lambda: section.sets[AnchorSet.OWN].shown is not None)
    pane.activateWindow()
    screen.wait(pane.isActiveWindow)
    return section


def lines(section: TrustSection, which: AnchorSet) -> list[CertificateLine]:
    return section.sets[which].lines


def journal(place: Office) -> list[tuple[JournalAction, str | None]]:
    with place.store.view() as view:
        return [(entry.use.action, entry.use.certificate_sha256) for entry in view.journal.entries()]


def idle(screen: Desktop) -> None:
    screen.wait(lambda: not screen.shell.tasks.busy)


# ---- what is shown


def test_a_new_machine_shows_what_is_missing_and_how_to_get_it(screen: Desktop) -> None:
    section = opened(screen)
    words = visible_texts(section)
    assert "Máy chưa có chứng thư số gốc tin cậy nào" in words
    assert "ca.gov.vn" in words
    roots = {one.line.name for which in AnchorSet for one in lines(section, which) if one.line.standing == "warn"}
    assert roots == {
        "Co quan chung thuc so chuyen dung Chinh phu (RootCA)",
        "RootCA chuyên dùng Chính phủ G2",
        "MIC National Root CA",
        "Vietnam National Root CA",
    }
    place = lines(section, AnchorSet.NATIONAL)[-1]
    place.details.click()
    told = visible_texts(place)
    assert "national_root" in told
    assert str(screen.office.space.folder.settings) in told
    assert "Không chấp nhận" in visible_texts(section)


def test_the_whole_fingerprint_is_shown_when_it_is_wanted(screen: Desktop) -> None:
    first = lines(opened(screen), AnchorSet.VGCA)[0]
    whole = grouped("f7bc89054cec7f12730d7b8cd3eb7955b163835087e5eb873edfb584763b3f90")
    assert "SHA-256 F7BC 8905…" in visible_texts(first)
    assert whole not in visible_texts(first)
    first.details.setFocus()
    QTest.keyClick(first.details, Qt.Key.Key_Return)
    assert whole in visible_texts(first)
    QTest.keyClick(first.details, Qt.Key.Key_Return)
    assert whole not in visible_texts(first)


def test_an_administrators_settings_are_shown_and_lead_nowhere_else(
    screen: Desktop, tmp_path: Path, root: Holder, stranger: Holder
) -> None:
    anchors = tmp_path / "gốc"
    anchors.mkdir()
    written(anchors, stranger)
    changed(screen.office, legacy_sha1_before=dt.date(2020, 1, 1), national_root=sha(root), trust_dir=str(anchors))
    section = opened(screen)
    words = visible_texts(section)
    assert "trước ngày 01/01/2020" in words
    assert f"{anchors}: Gốc của Sở" in words
    assert "Máy có 1 chứng thư số gốc tin cậy." in words
    # What the administrator has pinned is missing now, and its place open no longer.
    place = lines(section, AnchorSet.NATIONAL)[-1]
    assert place.line.name == "Vietnam National Root CA"
    assert grouped(sha(root)) == place.line.facts[0][1]


def test_what_is_of_no_use_is_told_as_such() -> None:
    def one(name: str, use: Use, ends: dt.datetime) -> Installed:
        return Installed("ab" * 32, name, AnchorSet.OWN, use, name, MONDAY - DAY, ends, MONDAY)

    kept = (
        one("Còn hạn", Use.ANCHOR, MONDAY + DAY),
        one("Hết hạn", Use.ANCHOR, MONDAY - DAY),
        one("Không \u202e\ncòn  ghim" + "m" * 500, Use.VOID, MONDAY + DAY),
    )
    view = trust_view(TrustSnapshot(installed=kept), MONDAY, WORDS)
    (own,) = (found for found in view.sets if found.set is AnchorSet.OWN)
    assert [line.standing for line in own.lines] == [Standing.QUIET, Standing.USELESS, Standing.USELESS]
    assert "đã hết hạn ngày 22/11/2026" in own.lines[1].told
    assert "Không dùng" in own.lines[2].told
    # Other people's names are shown in one line, the right way round.
    assert own.lines[2].name.startswith("Không còn ghimm")
    assert len(own.lines[2].name) < 100


def test_a_damaged_store_is_told_in_place(screen: Desktop) -> None:
    store = screen.office.space.folder.path / "trust"
    store.mkdir()
    (store / "trust.json").write_bytes(b"{")
    section = opened(screen)
    assert "Không đọc được các chứng thư số tin cậy đã cài." in section.error.text()
    assert section.error.isVisible()
    assert not section.summary.isVisible()


@pytest.mark.parametrize("code", ["machine_roots_missing", "machine_national_root_open"])
def test_the_machines_check_of_the_roots_leads_to_the_section(code: str) -> None:
    error = KnownError(code, name="Vietnam National Root CA")
    check = Check(CheckName.ANCHORS, CheckState.WARN, "ut_anchors_bad", error=error)
    assert machine_view((check,), WORDS).checks[0].mend is Mend.TRUST


def test_the_button_of_that_check_opens_the_settings_at_the_section(screen: Desktop) -> None:
    machine = screen.show(MachinePane)
    screen.wait(lambda: "Mở Chứng thư tin cậy" in visible_texts(machine))
    with screen.qtbot.waitSignal(machine.settings_wanted) as wanted:
        press(machine, "Mở Chứng thư tin cậy")
    pane = screen.show(lambda shell: SettingsPane(shell, *wanted.args))
    screen.wait(lambda: bool(pane.findChildren(TrustSection)))
    assert pane.list.currentItem().text() == SECTION


# ---- in


@pytest.mark.usefixtures("pinned")
def test_what_is_pinned_comes_in_and_the_rest_is_refused_with_the_reason(
    screen: Desktop, tmp_path: Path, root: Holder, stranger: Holder
) -> None:
    section = opened(screen)
    (line,) = lines(section, AnchorSet.VGCA)
    assert line.remove is None
    files = [written(tmp_path, root, "g9.cer"), written(tmp_path, stranger, "lạ.cer")]
    press(section, "Nhập tệp chứng thư…")
    dialog = section.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    dialog.filesSelected.emit([str(file) for file in files])
    dialog.close()
    screen.wait(lambda: bool(section.notice.text))
    assert "Đã cài 1 chứng thư số, đã ghi nhật ký. Không nhận 1 chứng thư số." in section.notice.text
    assert f"«Gốc của Sở» (tệp lạ.cer, SHA-256 {grouped(sha(stranger))[:9]}…)" in section.notice.text
    screen.wait(lambda: "hiệu lực đến" in visible_texts(lines(section, AnchorSet.VGCA)[0]))
    assert lines(section, AnchorSet.VGCA)[0].remove is not None
    assert screen.office.space.trust.anchors == (root.der,)
    assert journal(screen.office) == [(JournalAction.TRUST_ADD, sha(root))]
    section.import_files(files[:1])
    screen.wait(lambda: section.notice.text == "1 chứng thư số đã có từ trước.")


def test_a_file_without_certificates_is_told(screen: Desktop, tmp_path: Path) -> None:
    section = opened(screen)
    (tmp_path / "trang.cer").write_bytes(b"<html>")
    section.import_files([tmp_path / "trang.cer"])
    screen.wait(lambda: "Không lấy được chứng thư số nào" in section.notice.text)


def test_an_own_root_waits_for_a_fingerprint_that_the_screen_does_not_show(
    screen: Desktop, tmp_path: Path, stranger: Holder
) -> None:
    section = opened(screen)
    file = written(tmp_path, stranger)
    press(section, "Thêm chứng thư của đơn vị…")
    dialog = section.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    dialog.fileSelected.emit(str(file))
    dialog.close()
    # Without a window manager nobody brings the window back to the front.
    section.window().activateWindow()
    screen.wait(lambda: QApplication.focusWidget() is section.fingerprint.line)
    shown = visible_texts(section).replace(" ", "").lower()
    assert "gốccủasở" in shown
    assert sha(stranger)[:8] not in shown
    for wrong in (sha(stranger)[-8:], "0" * 64):
        section.fingerprint.line.setText(wrong)
        press(section, "Thêm vào máy này")
        screen.wait(lambda: bool(section.fingerprint.complaint))
        assert ("64 chữ số" in section.fingerprint.complaint) is (len(wrong) < 64)
    assert journal(screen.office) == []
    section.fingerprint.line.setText(":".join(grouped(sha(stranger)).split()))
    section.name.line.setText("Gốc riêng")
    press(section, "Thêm vào máy này")
    screen.wait(lambda: bool(lines(section, AnchorSet.OWN)))
    assert lines(section, AnchorSet.OWN)[0].line.name == "Gốc riêng"
    assert "Đã thêm «Gốc riêng»" in section.notice.text
    assert not section.fingerprint.isVisible()
    assert not section.save_button.isVisible()
    assert screen.office.space.trust.anchors == (stranger.der,)
    assert journal(screen.office) == [(JournalAction.TRUST_ADD, sha(stranger))]


def test_leaving_while_a_root_waits_for_its_fingerprint_asks_in_place(
    screen: Desktop, tmp_path: Path, stranger: Holder
) -> None:
    section = opened(screen)
    (pane,) = screen.panes
    assert pane.may_leave()
    section.offer(written(tmp_path, stranger))
    screen.wait(section.fingerprint.isVisible)
    assert not pane.may_leave()
    press(section, "Thôi")
    assert pane.may_leave()
    assert not section.fingerprint.isVisible()
    assert journal(screen.office) == []


def test_a_certificate_that_may_not_issue_is_no_root(screen: Desktop, tmp_path: Path, root: Holder) -> None:
    section = opened(screen)
    section.offer(written(tmp_path, make_certificate("Ai đó", root)))
    screen.wait(lambda: "Không nhận «Ai đó» làm chứng thư số gốc." in section.notice.text)
    assert not section.fingerprint.isVisible()


# ---- out


def test_removing_asks_once_and_leaves_a_line_in_the_journal(screen: Desktop, tmp_path: Path, stranger: Holder) -> None:
    trust = Trusting(screen.office.space)
    trust.add_own(trust.offer(written(tmp_path, stranger)), sha(stranger), "Gốc riêng")
    section = opened(screen)
    (line,) = lines(section, AnchorSet.OWN)
    assert line.remove is not None
    line.remove.setFocus()
    QTest.keyClick(line.remove, Qt.Key.Key_Return)
    assert f"Bỏ chứng thư số «Gốc riêng» (SHA-256 {grouped(sha(stranger))[:9]}…)?" in section.notice.text
    assert "nhật ký" in section.notice.text
    asked = QApplication.focusWidget()
    assert asked is not None
    QTest.keyClick(asked, Qt.Key.Key_Escape)
    assert (section.notice.text, QApplication.focusWidget()) == ("", line.remove)
    assert screen.office.space.trust.anchors == (stranger.der,)
    line.remove.click()
    press(section, "Bỏ chứng thư số")
    screen.wait(lambda: not lines(section, AnchorSet.OWN))
    assert "Đã bỏ «Gốc riêng», đã ghi nhật ký." in section.notice.text
    assert QApplication.focusWidget() is section.import_button
    assert not screen.office.space.trust.anchors
    assert journal(screen.office)[0] == (JournalAction.TRUST_REMOVE, sha(stranger))


# ---- whom it is told


@pytest.mark.usefixtures("pinned")
def test_who_leaves_the_settings_at_once_leaves_no_one_untold(screen: Desktop, tmp_path: Path, root: Holder) -> None:
    section = opened(screen)
    with screen.qtbot.waitSignal(screen.hub.settings_changed):
        section.import_files([written(tmp_path, root)])
        screen.panes.pop().deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    idle(screen)
    assert screen.told == []
    assert screen.office.space.trust.anchors == (root.der,)


def test_undecided_files_are_checked_again_when_their_root_was_added(
    screen: Desktop, tmp_path: Path, stranger: Holder
) -> None:
    lists = tmp_path / "danh sách"
    lists.mkdir()
    (lists / "root.crl").write_bytes(make_crl(stranger))
    changed(screen.office, trust_dir=str(lists))
    letter = tmp_path / "công văn.pdf"
    letter.write_bytes(sign(make_document(), make_certificate("Nguyễn Văn Ổn", stranger), SignAs("Leader")))
    incoming = screen.show(IncomingPane)
    incoming.check_paths([letter])
    screen.wait(lambda: incoming.details.view.verdict.text() == UNDECIDED)
    section = opened(screen)
    assert "không có chứng thư số gốc nào" in visible_texts(section)
    section.offer(written(tmp_path, stranger))
    screen.wait(section.fingerprint.isVisible)
    section.fingerprint.line.setText(sha(stranger))
    section.save()
    screen.wait(lambda: incoming.details.view.verdict.text() == VALID)


# ---- by keyboard


def test_every_control_has_a_name_and_its_turn(screen: Desktop, tmp_path: Path, stranger: Holder) -> None:
    trust = Trusting(screen.office.space)
    trust.add_own(trust.offer(written(tmp_path, stranger)), sha(stranger), "")
    section = opened(screen)
    # One of the sets is made anew: it keeps its turn.
    screen.hub.keep_settings(lambda old: msgspec.structs.replace(old, national_root="0" * 64))
    screen.wait(lambda: "Chưa có dấu vân tay" not in visible_texts(section))
    idle(screen)
    section.offer(written(tmp_path, stranger))
    screen.wait(section.fingerprint.isVisible)
    assert not [one for one in nameless(section) if not isinstance(one, QScrollArea)]
    (own,) = lines(section, AnchorSet.OWN)
    assert own.remove is not None
    wanted = [section.import_button, section.add_button, section.fingerprint.line, section.name.line]
    wanted += [section.discard_button, section.save_button]
    wanted += [one.details for which in AnchorSet for one in lines(section, which)]
    wanted += [own.remove]
    section.import_button.setFocus()
    passed = []
    for _step in wanted:
        passed.append(QApplication.focusWidget())
        QTest.keyClick(passed[-1] or section, Qt.Key.Key_Tab)
    assert passed == wanted
