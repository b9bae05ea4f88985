"""Backups in the window: set up with the code on paper, made, restored from the first start, and what is asked then."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtPrintSupport import QPrinter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from signer_app.backup.phrase import RecoveryCode
from signer_app.desk.check_values import Check, CheckName, CheckState
from signer_app.looks import read_looks
from signer_app.store import DataFolder
from signer_app.store.arrival_book import ArrivalEntry
from signer_app.store.settings import Settings
from signer_resources.errors import KnownError
from signer_ui.application import Dress
from signer_ui.backups import ASK_EVERY_S
from signer_ui.code_page import paint_code
from signer_ui.main import Program
from signer_ui.panes.after_restore import AfterRestorePane
from signer_ui.panes.first_start import FirstStartPane
from signer_ui.panes.restoring import RestorePage
from signer_ui.panes.settings import SettingsPane
from signer_ui.panes.settings_backup import BackupSection
from signer_ui.panes.today import TodayPane
from signer_ui.presenters.backup import BackupForm, kept_choices
from signer_ui.presenters.machine import Mend, machine_view
from signer_ui.tabs import Tab
from signer_ui.theme import Theme
from signer_ui.widgets.code_entry import CodeEntry
from signer_ui.words import Words
from tests.backup.spare import Spare
from tests.desk.office import ORG, TODAY, Office, office
from tests.desk.window import Desktop, desktop, nameless, press, visible_texts
from tests.exchange.post import post

# Without a screen there is no window manager.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

WORDS = Words("vi")
PATIENCE_MS = 20_000


@pytest.fixture
def screen(qtbot: QtBot, tmp_path: Path) -> Iterator[Desktop]:
    with office(tmp_path) as place, desktop(qtbot, place) as made:
        yield made


@pytest.fixture
def spare(tmp_path: Path) -> Iterator[Spare]:
    with post(tmp_path) as made:
        yield Spare.set_up(made, tmp_path / "ổ ngoài")


def opened(screen: Desktop) -> BackupSection:
    pane = screen.show(lambda shell: SettingsPane(shell, "bk_section"))
    screen.wait(lambda: bool(pane._sections))
    idle(screen)
    (section,) = pane._sections.values()
    assert isinstance(section, BackupSection)
    return section


def idle(screen: Desktop) -> None:
    screen.wait(lambda: not screen.shell.tasks.busy)


def unnamed(widget: QWidget) -> list[QWidget]:
    return [found for found in nameless(widget) if not isinstance(found, QScrollArea)]


def shown_code(section: BackupSection) -> str:
    """The groups as a person reads them."""
    texts = [made.text() for made in section.setup_steps.findChildren(QLabel) if made.isVisible()]
    return "".join(text for text in texts if text.isdigit())


def press_enter(widget: QWidget) -> None:
    """By keyboard alone."""
    widget.setFocus()
    QTest.keyClick(widget, Qt.Key.Key_Return)


def set_up(screen: Desktop, section: BackupSection, place: Path) -> str:
    """Goes through the steps; the code."""
    steps = section.setup_steps
    press_enter(section.begin)
    steps.place.setText(str(place))
    press_enter(steps.go_on)
    idle(screen)
    code = shown_code(section)
    press_enter(steps.written)
    QTest.keyClicks(steps.entry.fields[0], code[:6])
    for at in range(1, 8):
        # A group that is right leads on to the next.
        assert steps.focusWidget() is steps.entry.fields[at]
        QTest.keyClicks(steps.entry.fields[at], code[at * 6 : at * 6 + 6])
    press_enter(steps.begin)
    idle(screen)
    screen.wait(lambda: not screen.hub.backups.running)
    idle(screen)
    return code


# ---- the code


def test_each_group_of_a_code_is_looked_at_as_it_is_typed(qtbot: QtBot) -> None:
    entry = CodeEntry(WORDS, Theme(dark=False))
    qtbot.addWidget(entry)
    entry.show()
    groups = RecoveryCode.make().groups
    QTest.keyClicks(entry.fields[0], groups[1])
    assert entry.fields[0].accessibleDescription() == entry.says.text() == WORDS("bk_group_wrong", number=1)
    assert not unnamed(entry)
    entry.clear()
    QTest.keyClicks(entry.fields[0], groups[0])
    assert entry.says.text() == WORDS("bk_groups_so_far", count=1, all=8)
    assert not entry.right
    entry.clear()
    QApplication.clipboard().setText(f" {' . '.join(groups)}\n")
    entry.fields[0].paste()
    assert entry.right
    assert RecoveryCode.parse(entry.code).groups == groups
    assert entry.says.text() == WORDS("bk_groups_all")
    entry.fields[3].clear()
    entry.fields[3].setFocus()
    QTest.keyClick(entry.fields[3], Qt.Key.Key_Backspace)
    assert entry.focusWidget() is entry.fields[2]


def test_the_paper_has_all_groups_and_what_to_do_with_it(qtbot: QtBot, tmp_path: Path, screen: Desktop) -> None:
    import pypdfium2

    printer = QPrinter()
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(tmp_path / "paper.pdf"))
    printer.setFullPage(True)
    groups = RecoveryCode.make().groups
    paint_code(printer, groups, screen.shell.desk.now(), WORDS)
    with pypdfium2.PdfDocument(tmp_path / "paper.pdf") as document:
        assert len(document) == 1
        text = document[0].get_textpage().get_text_bounded()
    assert [group for group in groups if group not in text] == []
    assert "Nhóm 8" in text
    assert "cùng con dấu" in text


# ---- the settings


def test_backups_are_set_up_by_keyboard_and_the_first_one_follows(screen: Desktop, tmp_path: Path) -> None:
    section, place = opened(screen), tmp_path / "ổ ngoài"
    place.mkdir()
    screen.office.signed("12")
    assert not section.now.isVisible()
    code = set_up(screen, section, place)
    settings = screen.office.space.settings.backup
    assert settings.is_set
    assert settings.recipient == RecoveryCode.parse(code).recipient()
    assert len(list(place.glob("signer-backup-*/generations/*.backup"))) == 1
    assert "Đã sao lưu 1 văn bản" in section.notice.text
    assert section.now.isVisible()
    assert not section.setup_steps.isVisible()
    # The code is nowhere any more.
    assert code[:6] not in visible_texts(section)
    assert all(not field.text() for field in section.setup_steps.entry.fields)
    assert code[:6] not in screen.office.space.folder.settings.read_text()
    # The place is on the disk of the data here, and that is said.
    screen.wait(lambda: "cùng ổ với dữ liệu" in visible_texts(section))
    assert not unnamed(section)


def test_another_code_than_the_one_shown_is_refused_and_nothing_is_set(screen: Desktop, tmp_path: Path) -> None:
    section = opened(screen)
    steps = section.setup_steps
    press_enter(section.begin)
    assert not steps.go_on.isEnabled()
    steps.place.setText(str(tmp_path / "không có"))
    press_enter(steps.go_on)
    idle(screen)
    assert section.notice.text.startswith(
        WORDS.explain(KnownError("backup_target_away", folder=str(tmp_path / "không có"))).what
    )
    (tmp_path / "không có").mkdir()
    press_enter(steps.go_on)
    idle(screen)
    assert list((tmp_path / "không có").iterdir()) == []
    press_enter(steps.written)
    for field, group in zip(steps.entry.fields, RecoveryCode.make().groups, strict=True):
        QTest.keyClicks(field, group)
    press_enter(steps.begin)
    idle(screen)
    assert section.notice.text.startswith(WORDS.explain(KnownError("recovery_code_other")).what)
    assert not screen.office.space.settings.backup.is_set
    press_enter(steps.stop)
    assert section.begin.isVisible()


def test_a_stick_that_is_away_is_told_and_kept_on_the_screen(screen: Desktop, tmp_path: Path) -> None:
    section, place = opened(screen), tmp_path / "ổ ngoài"
    place.mkdir()
    set_up(screen, section, place)
    place.rename(tmp_path / "đã rút")
    screen.office.clock.go_on(60)
    press_enter(section.now)
    idle(screen)
    screen.wait(lambda: not screen.hub.backups.running)
    idle(screen)
    assert "không thấy nơi sao lưu" in section.notice.text
    assert "không thấy nơi sao lưu" in visible_texts(section)
    assert WORDS("bk_room_unknown") in visible_texts(section)


def test_a_backup_is_stopped_by_its_button(screen: Desktop, tmp_path: Path) -> None:
    section, place = opened(screen), tmp_path / "ổ ngoài"
    place.mkdir()
    set_up(screen, section, place)
    for number in range(3):
        screen.office.signed(str(number + 1))
    section.backups.make_now()
    section.backups.cancel()
    screen.wait(lambda: not section.backups.running)
    idle(screen)
    assert section.notice.text == WORDS("bk_stopped")
    assert len(list(place.glob("signer-backup-*/generations/*.backup"))) == 1


def test_how_long_files_stay_is_saved_and_another_time_is_not_lost(screen: Desktop) -> None:
    section = opened(screen)
    section.keep.setCurrentIndex(section.keep.findText("5 năm"))
    assert section.dirty
    section.save()
    idle(screen)
    assert screen.office.space.settings.backup.keep_sent_days == 5 * 365
    assert ("400 ngày", 400) in kept_choices(400, WORDS)
    assert BackupForm(None).change()(screen.office.space.settings).backup.keep_sent_days is None


# ---- by itself


def test_the_day_has_one_backup_in_a_quiet_moment_and_the_home_screen_says_when(
    screen: Desktop, tmp_path: Path
) -> None:
    section, place = opened(screen), tmp_path / "ổ ngoài"
    place.mkdir()
    set_up(screen, section, place)
    now, backups = [0.0], screen.hub.backups
    backups._clock = lambda: now[0]
    backups._next = 0.0
    home = screen.show(TodayPane)

    def quiet_moment() -> int:
        now[0] += ASK_EVERY_S
        begun = backups.begin_if_due()
        idle(screen)
        assert begun
        return len(list(place.glob("signer-backup-*/generations/*.backup")))

    assert quiet_moment() == 1
    assert not backups.begin_if_due()
    screen.office.clock.go_on(24 * 3600)
    assert quiet_moment() == 2
    assert "Sao lưu gần nhất" in visible_texts(home)
    assert backups.state is not None
    assert not backups.state.due


def test_a_backup_that_was_missed_is_made_after_the_start(screen: Desktop, tmp_path: Path) -> None:
    place = tmp_path / "ổ ngoài"
    place.mkdir()
    set_up(screen, opened(screen), place)
    for days, made in ((1, 1), (2, 2)):
        screen.office.clock.go_on(days * 24 * 3600)
        screen.hub.backups.look(make_up=True)
        idle(screen)
        screen.wait(lambda: not screen.hub.backups.running)
        idle(screen)
        assert len(list(place.glob("signer-backup-*/generations/*.backup"))) == made


def test_a_backup_gives_way_to_signing(screen: Desktop, tmp_path: Path) -> None:
    place = tmp_path / "ổ ngoài"
    place.mkdir()
    set_up(screen, opened(screen), place)
    screen.office.clock.go_on(24 * 3600)
    space = screen.office.space
    with space.tokens_held():
        with pytest.raises(KnownError) as raised:
            screen.shell.desk.backing_up.run_if_due()
        assert raised.value.code == "interrupted"
    assert screen.shell.desk.backing_up.run_if_due() is not None


# ---- restoring


def start(folder: Path, qtbot: QtBot) -> Program:
    made = Program(folder, Dress(cast("QApplication", QApplication.instance())), read_looks(folder), None, [])
    made.start()
    qtbot.waitUntil(lambda: made.window._shell is not None or bool(made.window.notice.text), timeout=PATIENCE_MS)
    return made


def end(running: Program, qtbot: QtBot) -> None:
    running.window.close()
    qtbot.waitUntil(lambda: not running.window.isVisible(), timeout=PATIENCE_MS)
    running.deleteLater()


def page_of(running: Program, qtbot: QtBot) -> RestorePage:
    qtbot.waitUntil(lambda: isinstance(running.window._page, RestorePage), timeout=PATIENCE_MS)
    page = running.window._page
    assert isinstance(page, RestorePage)
    return page


def found(page: RestorePage, place: Path, code: RecoveryCode, qtbot: QtBot) -> None:
    """Types place and code, and looks."""
    page.place.setText(str(place))
    QApplication.clipboard().setText(str(code))
    page.entry.fields[0].paste()
    page.look.click()
    qtbot.waitUntil(lambda: not page.running, timeout=PATIENCE_MS)


def test_a_new_machine_is_made_from_the_first_start(spare: Spare, qtbot: QtBot) -> None:
    spare.post.kept("1")
    spare.make()
    running = start(spare.folder.path, qtbot)
    first = running.window._page
    assert isinstance(first, FirstStartPane)
    first.restore.click()
    page = page_of(running, qtbot)
    assert not unnamed(page)
    found(page, spare.place, RecoveryCode.make(), qtbot)
    assert "không mở được" in page.notice.text
    found(page, spare.place, spare.code, qtbot)
    assert "có 1 văn bản" in page.found.text()
    page.go.click()
    # Never one click.
    assert running._opened is not None
    press(page.notice, WORDS("bk_restore_yes"))
    qtbot.waitUntil(lambda: page.restored, timeout=PATIENCE_MS)
    assert "Đã phục hồi 1 văn bản" in visible_texts(page)
    assert not unnamed(page)
    assert not DataFolder(spare.folder.path).restoring.exists()
    before = running.window
    # A tab leads on as well as the button: what stands behind the page is closed.
    running.window.go(Tab.TODAY)
    qtbot.waitUntil(lambda: running.window is not before and running.window._shell is not None, timeout=PATIENCE_MS)
    shell = running.window._shell
    assert shell is not None
    assert shell.hub.settings.bodies
    assert running.window._page is None
    shell.hub.backups.look()
    home = running.window._panes[running.window.tab]
    qtbot.waitUntil(lambda: WORDS("bk_after_numbers") in visible_texts(home), timeout=PATIENCE_MS)
    press(home, WORDS("bk_after_go_on"))
    assert isinstance(running.window._page, AfterRestorePane)
    end(running, qtbot)


def test_going_back_leads_to_the_first_start_again(tmp_path: Path, qtbot: QtBot) -> None:
    running = start(tmp_path / "mới", qtbot)
    first = running.window._page
    assert isinstance(first, FirstStartPane)
    first.restore.click()
    page_of(running, qtbot).back.click()
    qtbot.waitUntil(lambda: isinstance(running.window._page, FirstStartPane), timeout=PATIENCE_MS)
    end(running, qtbot)


def test_a_restore_that_was_cut_is_offered_again_and_then_done(spare: Spare, qtbot: QtBot) -> None:
    spare.post.kept("1")
    spare.make()
    spare.folder.create()
    spare.folder.restoring.touch()
    running = start(spare.folder.path, qtbot)
    press(running.window.notice, WORDS("bk_restore"))
    page = page_of(running, qtbot)
    found(page, spare.place, spare.code, qtbot)
    page.go.click()
    press(page.notice, WORDS("bk_restore_yes"))
    qtbot.waitUntil(lambda: page.restored, timeout=PATIENCE_MS)
    page.open.click()
    qtbot.waitUntil(lambda: running.window._shell is not None, timeout=PATIENCE_MS)
    end(running, qtbot)


def test_data_that_is_there_is_put_aside_only_when_asked(spare: Spare, qtbot: QtBot) -> None:
    spare.post.kept("1")
    spare.make()
    with office(spare.place.parent / "khác") as other:
        other.signed("7")
        used = other.space.folder.path
    running = start(used, qtbot)
    first = running.window._page
    assert isinstance(first, FirstStartPane)
    first.restore.click()
    page = page_of(running, qtbot)
    found(page, spare.place, spare.code, qtbot)
    page.go.click()
    press(page.notice, WORDS("bk_restore_yes"))
    qtbot.waitUntil(lambda: not page.running, timeout=PATIENCE_MS)
    assert "đã có dữ liệu" in page.notice.text
    press(page.notice, WORDS("bk_restore_aside"))
    qtbot.waitUntil(lambda: page.restored, timeout=PATIENCE_MS)
    (aside,) = [one for one in used.parent.iterdir() if one.name.startswith(f"{used.name}-")]
    assert (aside / "signer.sqlite").is_file()
    assert str(aside) in visible_texts(page)
    end(running, qtbot)


# ---- after it


def test_numbers_and_packets_are_asked_for_after_a_restore(spare: Spare, qtbot: QtBot) -> None:
    post_ = spare.post
    post_.office.signed("5", receivers=(), group="UBND-VHXH")
    arrived = ArrivalEntry(author="Sở Nội vụ", at=post_.office.clock(), operator="Lê")
    spare.space.store.write(lambda tx: tx.arrivals.enter(ORG, TODAY, arrived))
    first, second = post_.given("6"), post_.given("7")
    spare.make()
    spare.restored()
    with spare.new_machine() as new:
        place = Office(new.space, post_.office.clock, post_.office.folder)
        with desktop(qtbot, place) as screen:
            pane = screen.show(AfterRestorePane)
            screen.wait(lambda: WORDS("bk_after_to_ask", count=2) in visible_texts(pane))
            # The server is asked in a pass, and has neither.
            assert new.sync().sent == 0
            screen.store_changed()
            screen.wait(lambda: len(pane.boxes) == 2)
            assert not unnamed(pane)
            outgoing = pane.fields[0]
            assert not pane.send.isEnabled()
            press(pane, WORDS("bk_numbers_confirm"))
            assert outgoing.complaint == WORDS("bk_number_wanted")
            for field in pane.fields:
                field.line.setText("3")
            press(pane, WORDS("bk_numbers_confirm"))
            assert WORDS("bk_number_lower", last=7) in [field.complaint for field in pane.fields]
            for field in pane.fields:
                field.line.setText("9")
            press(pane, WORDS("bk_numbers_confirm"))
            press(pane.notice, WORDS("bk_numbers_yes"))
            screen.wait(lambda: not pane._numbers_card.isVisible())
            assert "số ghi là đã dùng" in pane.notice.text
            pane.boxes[0].click()
            pane.send.click()
            screen.wait(lambda: len(pane.boxes) == 1)
            idle(screen)
            screen.wait(lambda: new.packet(first.packet_id).proof_by is not None)
            assert new.packet(second.packet_id).proof_by is None


def test_without_a_restore_nothing_is_asked(screen: Desktop) -> None:
    home = screen.show(TodayPane)
    screen.hub.backups.look()
    idle(screen)
    assert WORDS("bk_after_title") not in visible_texts(home)
    assert screen.hub.backups.after is not None
    assert not screen.hub.backups.after.open
    assert Settings().backup.is_set is False


def test_the_light_of_the_backups_leads_to_their_settings() -> None:
    check = Check(CheckName.BACKUP, CheckState.WARN, "ut_backup_none", error=KnownError("machine_backup_unset"))
    (view,) = machine_view((check,), WORDS).checks
    assert (view.mend, view.mend_words) == (Mend.BACKUP, WORDS("ut_mend_backup"))
