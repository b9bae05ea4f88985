"""The notice in place: its lines, its ways on, its keys, and where the keyboard is led to and back."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from signer_resources.errors import KnownError
from signer_ui.theme import Theme
from signer_ui.widgets.notice import Notice
from signer_ui.words import Words

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


class Place:
    """A window with a field and a notice above it."""

    def __init__(self, qtbot: QtBot) -> None:
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.notice = Notice(Words("vi"), Theme(dark=False))
        self.field = QLineEdit()
        lines = QVBoxLayout(self.window)
        lines.addWidget(self.notice)
        lines.addWidget(self.field)
        self.window.resize(900, 720)
        self.window.show()
        self.window.activateWindow()
        qtbot.waitUntil(self.window.isActiveWindow)
        self.field.setFocus()
        self.pressed: list[str] = []

    def ways(self, *words: str) -> list[tuple[str, object]]:
        return [(one, lambda one=one: self.pressed.append(one)) for one in words]

    def lines(self) -> list[str]:
        return [one.text() for one in self.notice.findChildren(QLabel) if one.isVisible()]

    def buttons(self) -> list[str]:
        return [one.text() for one in self.notice.findChildren(QPushButton) if one.isVisible()]

    def key(self, key: Qt.Key) -> None:
        focus = QApplication.focusWidget()
        assert focus is not None
        QTest.keyClick(focus, key)


@pytest.fixture
def place(qtbot: QtBot) -> Place:
    return Place(qtbot)


def test_an_error_has_its_lines_and_its_details(place: Place) -> None:
    place.notice.error(KnownError("out_date_unreadable", text="31/2"))
    assert place.lines() == ["«31/2» không phải ngày.", "Cần dạng 20/11/2026.", "Sửa lại rồi thử lại."]
    assert place.buttons() == ["Chép chi tiết", "Đóng"]


def test_a_low_window_has_room_for_two_lines_but_the_text_stays_the_same(place: Place) -> None:
    place.notice.error(KnownError("out_date_unreadable", text="31/2"))
    whole = place.notice.text
    place.window.resize(911, 420)
    assert place.lines() == ["«31/2» không phải ngày.", "Cần dạng 20/11/2026. Sửa lại rồi thử lại."]
    assert place.notice.text == whole


def test_enter_presses_what_has_the_keyboard_which_then_goes_back(place: Place) -> None:
    place.notice.tell("Dán vào 2 văn bản?", *place.ways("Dán", "Không"), question=True)  # type: ignore[arg-type]
    place.notice.focus_action()
    assert place.buttons() == ["Dán", "Không"]
    place.key(Qt.Key.Key_Return)
    assert place.pressed == ["Dán"]
    place.notice.clear()
    assert place.field.hasFocus()


def test_escape_answers_a_question_with_its_last_way(place: Place) -> None:
    place.notice.tell("Dán vào 2 văn bản?", *place.ways("Dán", "Không"), question=True)  # type: ignore[arg-type]
    place.notice.focus_action()
    place.key(Qt.Key.Key_Escape)
    assert place.pressed == ["Không"]


def test_escape_puts_away_what_asks_nothing(place: Place) -> None:
    place.notice.tell("Đã bỏ 1 văn bản.", *place.ways("Thêm lại"))  # type: ignore[arg-type]
    place.notice.focus_action()
    place.key(Qt.Key.Key_Escape)
    assert place.pressed == []
    assert place.notice.isHidden()
    assert place.field.hasFocus()


def test_a_newer_notice_takes_the_keyboard_from_nobody(place: Place) -> None:
    place.notice.tell("Một", *place.ways("Làm"))  # type: ignore[arg-type]
    place.notice.focus_action()
    place.notice.tell("Hai")
    assert place.field.hasFocus()
