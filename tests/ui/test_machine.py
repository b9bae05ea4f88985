"""The machine check: what each light says, what can be done about it, the report, and the pane that asks again."""

import datetime as dt
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from signer_app.desk.check_values import Check, CheckName, CheckState
from signer_app.desk.lights import Light, lights
from signer_app.desk.support import read_support_code, support_code
from signer_app.levels.later import LaterResult
from signer_app.store.levels import WhyHigher
from signer_app.store.model import JournalAction
from signer_app.store.store import Transaction
from signer_resources.errors import KnownError
from signer_ui.glow import Glow
from signer_ui.panes.machine import MachinePane
from signer_ui.presenters.machine import Mend, machine_view, report
from signer_ui.words import Words
from tests.desk.office import MONDAY, office
from tests.desk.window import Desktop, desktop, nameless, press, visible_texts

# Without a screen there is no window manager that could be told a smallest size.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

WORDS = Words("vi")
DISK = Check(CheckName.DISK, CheckState.GOOD, "ut_disk_good", {"free": "75 GB"})
DATABASE = Check(CheckName.DATABASE, CheckState.NOT_CHECKED, "ut_database_not_checked")
SERVER = Check(CheckName.SERVER, CheckState.WARN, "ut_server_none", error=KnownError("server_not_set"))
CERTIFICATE = Check(
    CheckName.CERTIFICATE,
    CheckState.BAD,
    "ut_certificate_bad",
    {"name": "UBND", "until": "20/11/2026", "list": ""},
    KnownError("certificate_expired", name="UBND", date="20/11/2026"),
)


def test_a_light_says_what_was_found() -> None:
    (view,) = machine_view((DISK,), WORDS).checks
    assert (view.title, view.state, view.glow, view.found) == ("Ổ đĩa", "Tốt", Glow.GOOD, "Còn trống 75 GB, ghi được.")
    assert (view.why, view.do, view.mend) == ("", "", None)


def test_what_is_amiss_says_why_and_what_to_do_with_a_button_where_there_is_one() -> None:
    server, certificate, database = machine_view((SERVER, CERTIFICATE, DATABASE), WORDS).checks
    assert (server.found, server.why) == ("Chưa khai báo máy chủ văn bản.", "Cài đặt chưa có địa chỉ máy chủ.")
    assert server.do == "Nhập địa chỉ máy chủ trong Cài đặt."
    assert (server.mend, server.mend_words) == (Mend.SETTINGS, "Mở Cài đặt")
    assert (certificate.mend, certificate.glow) == (Mend.TOKENS, Glow.BAD)
    assert (database.glow, database.state, database.mend) == (Glow.OFF, "Chưa kiểm tra", None)


@pytest.mark.parametrize(
    ("code", "mend"),
    [
        ("captive_portal", Mend.NETWORK),
        ("proxy_refused", Mend.NETWORK),
        ("server_certificate_unknown", Mend.NETWORK),
        ("extra_ca_unreadable", Mend.NETWORK),
        ("lgsp_login_refused", Mend.SETTINGS),
        ("server_unreachable", None),
    ],
)
def test_what_lies_in_the_network_leads_to_its_settings(code: str, mend: Mend | None) -> None:
    error = KnownError(code, host="vb.vn", proxy="p", file="/ca.pem")
    (view,) = machine_view((Check(CheckName.SERVER, CheckState.WARN, "ut_server_away", error=error),), WORDS).checks
    assert (view.mend, view.mend_words) == (mend, WORDS(f"ut_mend_{mend}") if mend else "")


def test_what_waits_for_timestamps_can_be_tried_unless_there_is_nobody_to_ask() -> None:
    params = {"waiting": 2, "raised": 1, "given_up": 0}
    waits = Check(CheckName.LEVELS, CheckState.GOOD, "ut_levels_waiting", params)
    told = KnownError("machine_levels_waiting", **params)
    failed = Check(CheckName.LEVELS, CheckState.WARN, "ut_levels_waiting", params, told, (KnownError("tsa_no_answer"),))
    alone = Check(CheckName.LEVELS, CheckState.WARN, "ut_levels_waiting", params, told, (KnownError("level_no_tsa"),))
    done = Check(CheckName.LEVELS, CheckState.GOOD, "ut_levels_done", {**params, "waiting": 0})
    mends = [view.mend for view in machine_view((waits, failed, alone, done), WORDS).checks]
    assert mends == [Mend.LEVELS, Mend.LEVELS, Mend.SETTINGS, None]
    (view,) = machine_view((waits,), WORDS, trying=True).checks
    assert view.mend_words == "Đang thử…"


def test_the_whole_is_said_in_one_sentence() -> None:
    assert machine_view((DISK,), WORDS).summary == "Máy sẵn sàng để ký và gửi."
    assert machine_view((DISK, DATABASE), WORDS).summary.startswith("Chưa thấy gì trở ngại.")
    assert machine_view((DISK, SERVER, CERTIFICATE), WORDS).summary == "2 mục cần xem."


def test_the_report_can_be_read_out_and_names_each_fault_by_its_code() -> None:
    assert report((DISK, SERVER), "0.1.0", MONDAY, WORDS).splitlines() == [
        "Kiểm tra máy, 08:42 23/11/2026, phiên bản 0.1.0",
        f"Mã hỗ trợ: {support_code('0.1.0', lights((DISK, SERVER)))}",
        "Ổ đĩa: Tốt",
        "    Còn trống 75 GB, ghi được.",
        "Máy chủ văn bản: Cần xem [server_not_set]",
        "    Chưa khai báo máy chủ.",
        "    Chưa khai báo máy chủ văn bản.",
        "    Cài đặt chưa có địa chỉ máy chủ.",
    ]


def test_several_faults_of_one_kind_are_all_named_and_the_advice_is_given_once() -> None:
    faults = [KnownError("module_missing", module=f"/usr/lib/{name}.so") for name in ("a", "b")]
    driver = Check(CheckName.DRIVER, CheckState.BAD, "ut_driver_bad", {"names": "a, b"}, faults[0], (faults[1],))
    (view,) = machine_view((driver,), WORDS).checks
    assert view.why.splitlines() == ["Không có tệp /usr/lib/a.so.", "Không có tệp /usr/lib/b.so."]
    assert len(view.do.splitlines()) == 1


def test_the_word_about_the_clock_is_asked_for_twice() -> None:
    error = KnownError("clock_before_last_signature", machine="08:42:00 23/11/2026", last="08:42:00 21/02/2027")
    clock = Check(CheckName.CLOCK, CheckState.BAD, "ut_clock_bad", {"time": "08:42:00 23/11/2026"}, error)
    (first,) = machine_view((clock,), WORDS).checks
    (second,) = machine_view((clock,), WORDS, confirming=True).checks
    assert (first.mend, first.mend_words) == (Mend.CLOCK, "Giờ máy đúng…")
    assert (second.mend, second.mend_words) == (Mend.CLOCK_SURE, "Đã so, giờ máy đúng")
    assert "08:42:00 23/11/2026" in second.do


# ---- the pane


@pytest.fixture
def screen(qtbot: QtBot, tmp_path: Path) -> Iterator[Desktop]:
    with office(tmp_path) as place, desktop(qtbot, place) as made:
        yield made


def test_what_can_be_seen_is_shown_at_once_and_the_rest_when_it_is_asked_for(screen: Desktop) -> None:
    pane = screen.show(MachinePane)
    screen.wait(lambda: "Ổ đĩa" in visible_texts(pane))
    assert "Chưa đọc kiểm tra lần nào" in visible_texts(pane)
    press(pane, "Kiểm tra lại")
    assert not pane.check_again.isEnabled()
    screen.wait(lambda: "Đã kiểm tra lúc" in visible_texts(pane) and not screen.shell.tasks.busy)
    shown = visible_texts(pane)
    assert "Đọc được trọn vẹn." in shown
    assert "Nhập địa chỉ máy chủ trong Cài đặt." in shown
    assert pane.check_again.isEnabled()
    assert not nameless(pane)


def test_the_lights_follow_the_tokens(screen: Desktop) -> None:
    pane = screen.show(MachinePane)
    screen.wait(lambda: "Ổ đĩa" in visible_texts(pane))
    screen.hub.poke_tokens()
    screen.wait(lambda: "Máy chưa có trình điều khiển USB ký số." in visible_texts(pane))


def test_a_button_leads_to_where_it_can_be_mended(screen: Desktop) -> None:
    pane = screen.show(MachinePane)
    screen.hub.poke_tokens()
    screen.wait(lambda: "Máy chưa có trình điều khiển USB ký số." in visible_texts(pane))
    driver = pane.cards[Light.DRIVER]
    with screen.qtbot.waitSignal(pane.settings_wanted):
        press(driver, "Mở Cài đặt")


def test_a_clock_behind_the_last_signature_is_set_free_by_two_presses_and_the_journal_says_so(screen: Desktop) -> None:
    screen.office.at(MONDAY + dt.timedelta(days=90))
    screen.office.signed("1")
    screen.office.at(MONDAY)
    pane = screen.show(MachinePane)
    screen.wait(lambda: "Giờ máy đúng…" in visible_texts(pane))
    press(pane, "Giờ máy đúng…")
    screen.wait(lambda: "Nhìn đồng hồ khác" in visible_texts(pane))
    press(pane, "Đã so, giờ máy đúng")
    screen.wait(lambda: "sớm hơn lần ký gần nhất" not in visible_texts(pane))
    with screen.office.store.view() as view:
        (entry,) = view.journal.entries(limit=1)
    assert (entry.use.action, entry.use.result) == (JournalAction.CLOCK, "confirmed")
    assert not nameless(pane)


def test_what_waits_for_timestamps_is_tried_by_a_press_without_waiting_for_a_quiet_moment(
    screen: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, go_on, tried = screen.office, threading.Event(), list[bool]()
    document = office.signed("1")
    with office.store.view() as view:
        (file,) = view.documents.files(document.id)
    away = KnownError("tsa_no_answer")

    def work(tx: Transaction) -> None:
        tx.levels.want(file.id, "b-t", WhyHigher.TIMESTAMP, office.now)
        tx.levels.postpone(file.id, away, office.now + dt.timedelta(days=1))

    office.store.write(work)
    screen.shell.desk.change_settings(lambda old: msgspec.structs.replace(old, tsa_url="http://127.0.0.1:9"))

    def run(_progress: object, _cancelled: object, *, wanted: bool) -> LaterResult:
        tried.append(wanted)
        go_on.wait(10)
        return LaterResult()

    monkeypatch.setattr(screen.shell.desk.levels, "run", run)
    pane = screen.show(MachinePane)
    screen.wait(lambda: "1 tệp chờ bổ sung dấu thời gian" in visible_texts(pane))
    press(pane, "Thử ngay")
    screen.wait(lambda: "Đang thử…" in visible_texts(pane))
    press(pane, "Đang thử…")
    go_on.set()
    screen.wait(lambda: "Thử ngay" in visible_texts(pane))
    assert tried == [True]
    assert not nameless(pane)


def test_the_report_is_copied(screen: Desktop) -> None:
    pane = screen.show(MachinePane)
    screen.wait(lambda: "Ổ đĩa" in visible_texts(pane))
    press(pane, "Chép báo cáo")
    text = QGuiApplication.clipboard().text()
    assert text.startswith("Kiểm tra máy, 08:42 23/11/2026, phiên bản ")
    assert "Ổ đĩa: Tốt" in text
    assert screen.told == ["ut_report_copied"]


def test_eight_lights_stand_there_and_the_code_below_says_the_same(screen: Desktop) -> None:
    pane = screen.show(MachinePane)
    screen.wait(lambda: "Ổ đĩa" in visible_texts(pane))
    shown = visible_texts(pane)
    for title in ("Trình điều khiển", "USB ký số", "Chứng thư số", "Giờ máy", "Mạng", "Máy chủ", "Sao lưu", "Ổ đĩa"):
        assert title in shown
    told = read_support_code(pane.code.text().rpartition(" ")[2])
    assert told.lights == tuple((one.light, one.state) for one in lights(pane.checks))
    assert [light for light, _state in told.lights] == list(Light)


def test_the_diagnostic_file_is_shown_before_it_is_saved(screen: Desktop, tmp_path: Path) -> None:
    pane, target = screen.show(MachinePane), tmp_path / "signer.zip"
    screen.wait(lambda: "Ổ đĩa" in visible_texts(pane))
    press(pane, "Tệp chẩn đoán…")
    screen.wait(lambda: "số bản ghi" in visible_texts(pane))
    assert "kết quả kiểm tra máy" in visible_texts(pane)
    assert not target.exists()
    pane.diagnostic.save_to(target)
    screen.wait(target.exists)
    screen.wait(lambda: not pane.diagnostic.isVisible())
    assert screen.told == ["ua_diagnostic_saved"]
    assert not nameless(pane)
