"""Incoming documents: what the list, a packet and a verdict say, and the pane that opens them."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

import signer_resources
from signer_app.desk.incoming import Facts, IncomingFile, IncomingRow
from signer_app.store.model import Urgency
from signer_sync.contract import PacketKind
from signer_ui.glow import Glow
from signer_ui.panes.incoming import IncomingPane
from signer_ui.presenters.incoming import columns, state, state_glow, suggested_name, written_day
from signer_ui.words import Words
from tests.desk.office import MONDAY, Office, office
from tests.desk.window import Desktop, desktop, nameless, press, visible_texts

# Without a screen there is no window manager that could be told a smallest size.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

WORDS = Words("vi")
ROW = IncomingRow("1", MONDAY, False, "UBND tỉnh", "V/v họp", Urgency.NORMAL, PacketKind.NEW, "ab", None)
SECRET = replace(ROW, secret=True, sender="", subject="", sha256=None)


def test_columns_say_when_who_which_what_and_how() -> None:
    row = replace(ROW, facts=Facts("12/UBND-VX"), at=MONDAY - dt.timedelta(days=3))
    texts = [column.text(row) for column in columns(WORDS, lambda: MONDAY)]
    assert texts == ["20/11", "UBND tỉnh", "12/UBND-VX", "V/v họp", "Văn bản mới"]


def test_a_secret_packet_is_one_line_that_says_what_to_do() -> None:
    texts = [column.text(SECRET) for column in columns(WORDS, lambda: MONDAY)]
    assert texts == [
        "08:42",
        "",
        "",
        "Có dấu chỉ độ mật, không giữ lại. Báo ngay người phụ trách bảo vệ bí mật nhà nước.",
        "Không giữ lại",
    ]


@pytest.mark.parametrize(
    ("row", "words", "glow"),
    [
        (ROW, "Văn bản mới", Glow.OFF),
        (replace(ROW, urgency=Urgency.KHAN), "Khẩn", Glow.WARN),
        (replace(ROW, urgency=Urgency.HOA_TOC), "Hỏa tốc", Glow.BAD),
        (replace(ROW, kind=PacketKind.REVOKE), "Thu hồi văn bản", Glow.BAD),
        (replace(ROW, kind=PacketKind.REPLACE, urgency=Urgency.KHAN), "Khẩn · Thay thế", Glow.WARN),
        (replace(ROW, kind=PacketKind.STATUS), "Phản hồi", Glow.OFF),
        (replace(ROW, kind=PacketKind.STATUS, facts=Facts(status_code="03")), "Đã tiếp nhận", Glow.OFF),
        (replace(ROW, kind=PacketKind.STATUS, facts=Facts(status_code="02")), "Bị trả lại", Glow.BAD),
        (replace(ROW, kind=PacketKind.STATUS, facts=Facts(status_code="77")), "Phản hồi", Glow.OFF),
        (replace(ROW, facts=Facts(readable=False)), "Không đọc được", Glow.WARN),
        (SECRET, "Không giữ lại", Glow.BAD),
    ],
)
def test_the_state_says_what_matters_most(row: IncomingRow, words: str, glow: Glow) -> None:
    assert (state(row, WORDS), state_glow(row)) == (words, glow)


def test_a_date_that_is_none_stays_as_it_was_written() -> None:
    assert (written_day("2026/11/20"), written_day("2026/02/30"), written_day("")) == ("20/11/2026", "2026/02/30", "")


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("Công văn 12.pdf", "Công văn 12.pdf"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("a\nb:c?.pdf", "a_b_c_.pdf"),
        ("  ", "van-ban.pdf"),
    ],
)
def test_the_save_dialogue_s_name_leads_nowhere_else(name: str, suggested: str) -> None:
    assert suggested_name(IncomingFile(name, 1, "ab", True, Path("x"))) == suggested


# ---- the pane


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path) as made:
        yield made


@pytest.fixture
def screen(qtbot: QtBot, place: Office) -> Iterator[Desktop]:
    with desktop(qtbot, place) as made:
        yield made


def shown(screen: Desktop, count: int) -> IncomingPane:
    pane = screen.show(IncomingPane)
    screen.wait(lambda: len(pane.grid.shown_ids) == count and not screen.shell.tasks.busy)
    return pane


def test_a_letter_is_opened_with_its_words_its_page_and_the_verdict(
    place: Office, screen: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = signer_resources.path("samples/cong-van.pdf").read_bytes()
    place.came(place.packet(("<b>thư</b>.pdf", letter), ("bảng.xlsx", b"PK"), subject="<b>V/v rà soát</b>"))
    pane = shown(screen, 1)
    pane.grid.choose(pane.grid.shown_ids)
    screen.wait(lambda: "Không có chữ ký số" in visible_texts(pane.details))
    words = visible_texts(pane.details)
    assert "<b>V/v rà soát</b>" in words
    assert "Công văn · 12/UBND-VX · 20/11/2026 · Ủy ban nhân dân tỉnh An Sơn" in words
    assert "Trần Văn An, CHỦ TỊCH" in words
    assert pane.details.view.pages.isVisible()
    assert not nameless(pane)

    target = tmp_path / "lưu.pdf"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args, **_kwargs: (str(target), ""))
    press(pane, "Lưu tệp…")
    screen.wait(lambda: "Đã lưu" in pane.notice.text)
    assert target.read_bytes() == letter

    pane.details.list.setCurrentRow(1)
    screen.wait(lambda: "Tệp này không phải PDF." in visible_texts(pane.details))
    assert not pane.details.view.pages.isVisible()


def test_numbers_come_from_the_packets_and_secret_ones_are_not_opened(place: Office, screen: Desktop) -> None:
    place.came(place.packet(number="12"))
    place.clock.go_on(60)
    place.secret_came()
    pane = shown(screen, 2)
    screen.wait(lambda: any(row.facts and row.facts.label == "12/UBND-VX" for row in pane.grid.rows))
    pane.grid.choose(pane.grid.shown_ids[:1])
    assert "Báo ngay người phụ trách bảo vệ bí mật nhà nước." in visible_texts(pane.details)
    assert not pane.details.view.pages.isVisible()


def test_a_packet_that_nobody_can_read_says_so_in_place(place: Office, screen: Desktop) -> None:
    place.came(b"no edXML", "Gói hỏng")
    pane = shown(screen, 1)
    pane.grid.choose(pane.grid.shown_ids)
    screen.wait(lambda: "Gói edXML không hợp lệ." in visible_texts(pane.details))
    assert screen.told == []


def test_what_comes_later_is_shown_and_the_search_needs_no_marks(place: Office, screen: Desktop) -> None:
    pane = shown(screen, 0)
    place.came(place.packet(number="1"), "Giấy mời họp")
    place.clock.go_on(60)
    place.came(place.packet(number="2"), "Đôn đốc báo cáo")
    screen.store_changed()
    screen.wait(lambda: len(pane.grid.shown_ids) == 2)
    QTest.keyClicks(pane.search, "don doc")
    screen.wait(lambda: len(pane.grid.shown_ids) == 1)
