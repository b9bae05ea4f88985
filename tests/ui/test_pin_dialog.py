"""The PIN dialogue: what it says, what it takes, and that nothing of a PIN stays in it."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QInputMethodEvent, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from signer_token.model import Login, Pin, PinState
from signer_ui.presenters.pin import PinRequest, Purpose, pin_view
from signer_ui.theme import Theme
from signer_ui.widgets.pin_dialog import PinDialog
from signer_ui.words import Words

# Without a screen there is no window manager that could be told a smallest size.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

CANARY = "Canary-4xQ9-pin"
WORDS, THEME = Words("vi"), Theme(dark=False)


class Asked:
    """An open dialogue, and what came of it."""

    def __init__(self, qtbot: QtBot, state: PinState, *, asks_again: bool = False, pin_pad: bool = False) -> None:
        self.parent = QWidget()
        qtbot.addWidget(self.parent)
        self.parent.show()
        labels = tuple(f"{number}/QĐ-UBND" for number in range(125, 131))
        request = PinRequest(
            Purpose.SIGN,
            "UBND xã Hòa Sơn",
            state,
            count=38,
            labels=labels,
            asks_again=asks_again,
            pin_pad=pin_pad,
        )
        self.dialog = PinDialog(request, WORDS, THEME, self.parent)
        self.answers: list[Login] = []
        self.stops = 0
        self.dialog.answered.connect(self.answers.append)
        self.dialog.stopped.connect(self._stopped)
        self.dialog.open()
        qtbot.waitExposed(self.dialog)

    def _stopped(self) -> None:
        self.stops += 1

    @property
    def field(self) -> QLineEdit:
        return self.dialog.field

    @property
    def words(self) -> str:
        return "\n".join(made.text() for made in self.dialog.findChildren(QLabel) if made.isVisible())

    def type(self, text: str) -> None:
        QTest.keyClicks(self.field, text)

    def press(self, key: Qt.Key) -> None:
        focus = self.dialog.focusWidget() or self.dialog
        QTest.keyClick(focus, key)


@pytest.fixture
def asked(qtbot: QtBot) -> Asked:
    return Asked(qtbot, PinState.OK)


def test_it_says_what_is_signed_with_which_token_and_how_the_pin_stands(asked: Asked) -> None:
    assert "Nhập mã PIN USB ký số «UBND xã Hòa Sơn» để ký 38 văn bản" in asked.words
    assert "125/QĐ-UBND, 126/QĐ-UBND, 127/QĐ-UBND, 128/QĐ-UBND và 34 văn bản khác" in asked.words
    assert "Mã PIN bình thường." in asked.words
    assert asked.dialog.windowModality() is Qt.WindowModality.WindowModal


def test_enter_gives_the_pin_and_leaves_the_field_empty(asked: Asked) -> None:
    asked.type(CANARY)
    asked.press(Qt.Key.Key_Return)
    assert [(answer.pin and answer.pin.reveal(), answer.final_try) for answer in asked.answers] == [(CANARY, False)]
    assert asked.field.text() == ""
    assert not asked.field.isUndoAvailable()
    assert CANARY not in repr(asked.answers)
    assert asked.stops == 0


def test_escape_stops_and_leaves_nothing_of_what_was_typed(asked: Asked) -> None:
    asked.type(CANARY)
    asked.press(Qt.Key.Key_Escape)
    assert (asked.stops, asked.answers, asked.field.text()) == (1, [], "")


def test_the_field_shows_nothing_and_gives_nothing_away(asked: Asked) -> None:
    QApplication.clipboard().setText("something else")
    asked.type(CANARY)
    field = asked.field
    field.selectAll()
    QTest.keyClick(field, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(field, Qt.Key.Key_X, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == "something else"
    assert field.echoMode() is QLineEdit.EchoMode.Password
    assert not field.dragEnabled()
    assert field.contextMenuPolicy() is Qt.ContextMenuPolicy.NoContextMenu
    hints = field.inputMethodHints()
    for hint in ("ImhHiddenText", "ImhSensitiveData", "ImhNoPredictiveText"):
        assert hints & getattr(Qt.InputMethodHint, hint)
    told = QAccessible.queryAccessibleInterface(field)
    assert told is not None
    assert told.text(QAccessible.Text.Name) == "Mã PIN"
    assert CANARY not in told.text(QAccessible.Text.Value)


def _by_key(field: QLineEdit) -> None:
    QApplication.sendEvent(field, QKeyEvent(QKeyEvent.Type.KeyPress, 0, Qt.KeyboardModifier.NoModifier, "â"))


def _by_input_method(field: QLineEdit) -> None:
    event = QInputMethodEvent("", [])
    event.setCommitString("â")
    QApplication.sendEvent(field, event)


def _by_paste(field: QLineEdit) -> None:
    QApplication.clipboard().setText("mật khẩu")
    field.paste()
    QApplication.clipboard().clear()


@pytest.mark.parametrize("enter", [_by_key, _by_input_method, _by_paste])
def test_a_vietnamese_letter_empties_the_field_and_names_unikey(
    asked: Asked, enter: Callable[[QLineEdit], None]
) -> None:
    asked.type("1234")
    enter(asked.field)
    assert asked.field.text() == ""
    assert "Tắt Unikey (Ctrl+Shift) rồi nhập lại." in asked.dialog.hint
    asked.press(Qt.Key.Key_Return)
    assert asked.answers == []
    assert asked.dialog.isVisible()


def test_an_empty_pin_is_not_given(asked: Asked) -> None:
    asked.press(Qt.Key.Key_Return)
    assert asked.answers == []
    assert "Chưa nhập mã PIN" in asked.dialog.hint


def test_caps_lock_is_told_by_the_case_of_letters(asked: Asked) -> None:
    def letter(text: str, modifiers: Qt.KeyboardModifier) -> bool:
        QApplication.sendEvent(asked.field, QKeyEvent(QKeyEvent.Type.KeyPress, Qt.Key.Key_A, modifiers, text))
        return asked.dialog.caps_lock_told

    shift, plain = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.NoModifier
    assert [letter("a", plain), letter("A", plain), letter("a", plain), letter("a", shift), letter("A", shift)] == [
        False, True, False, True, False,
    ]  # fmt: skip
    assert not letter("1", plain)


def test_the_last_try_is_confirmed_in_a_step_of_its_own_where_enter_stops(qtbot: QtBot) -> None:
    asked = Asked(qtbot, PinState.FINAL)
    assert "Chỉ còn 1 lần nhập. Nếu không chắc, bấm Dừng lại." in asked.words
    assert not asked.field.isVisible()
    assert not asked.dialog.accept_button.isEnabled()
    asked.press(Qt.Key.Key_Return)
    assert (asked.stops, asked.answers) == (1, [])


def test_after_the_tick_the_last_try_can_be_spent(qtbot: QtBot) -> None:
    asked = Asked(qtbot, PinState.FINAL)
    asked.dialog.sure.setFocus()
    asked.press(Qt.Key.Key_Space)
    assert asked.dialog.accept_button.isEnabled()
    asked.dialog.accept_button.setFocus()
    asked.press(Qt.Key.Key_Space)
    assert asked.field.isVisible()
    assert asked.answers == []
    asked.type("123456")
    asked.press(Qt.Key.Key_Return)
    assert [answer.final_try for answer in asked.answers] == [True]


def test_a_locked_token_gets_no_field(qtbot: QtBot) -> None:
    asked = Asked(qtbot, PinState.LOCKED)
    assert "USB ký số đã bị khóa, không mở được tại chỗ." in asked.words
    assert not asked.field.isVisible()
    assert not asked.dialog.accept_button.isVisible()
    asked.press(Qt.Key.Key_Return)
    assert asked.stops == 1


def test_everything_can_be_reached_by_keyboard_and_has_a_name(asked: Asked) -> None:
    seen = set()
    for _step in range(3):
        focus = asked.dialog.focusWidget()
        assert focus is not None
        told = QAccessible.queryAccessibleInterface(focus)
        assert told is not None
        seen.add(told.text(QAccessible.Text.Name))
        asked.press(Qt.Key.Key_Tab)
    assert seen == {"Mã PIN", "Dừng lại", "Ký số"}


@pytest.mark.parametrize("state", list(PinState))
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_every_state_has_words(state: PinState, lang: str) -> None:
    words = Words("vi" if lang == "vi" else "en")
    for purpose in Purpose:
        view = pin_view(PinRequest(purpose, "T", state, count=1200), words)
        assert view.heading
        assert view.state
        assert view.takes_pin == (state is not PinState.LOCKED)
    assert "1.200" in pin_view(PinRequest(Purpose.SIGN, "T", state, count=1200), Words("vi")).heading


def test_a_signature_pin_of_its_own_is_given_beside_the_pin(qtbot: QtBot) -> None:
    asked = Asked(qtbot, PinState.OK, asks_again=True)
    asked.type(CANARY)
    QTest.keyClicks(asked.dialog.second, "ky-2026")
    asked.press(Qt.Key.Key_Return)
    assert [(a.pin and a.pin.reveal(), a.signature_pin and a.signature_pin.reveal()) for a in asked.answers] == [
        (CANARY, "ky-2026")
    ]
    assert (asked.field.text(), asked.dialog.second.text()) == ("", "")


def test_a_tick_says_that_the_signature_pin_is_the_same(qtbot: QtBot) -> None:
    asked = Asked(qtbot, PinState.OK, asks_again=True)
    QTest.keyClicks(asked.dialog.second, "123456")
    asked.dialog.same.click()
    assert (asked.dialog.second.text(), asked.dialog.second.isEnabled()) == ("", False)
    asked.type(CANARY)
    QTest.keyClick(asked.field, Qt.Key.Key_Return)
    (answer,) = asked.answers
    assert answer.pin is answer.signature_pin


def test_a_missing_signature_pin_is_asked_for_and_nothing_stays_typed(qtbot: QtBot) -> None:
    asked = Asked(qtbot, PinState.OK, asks_again=True)
    asked.type(CANARY)
    asked.press(Qt.Key.Key_Return)
    assert asked.answers == []
    assert asked.dialog.hint
    assert asked.field.text() == ""


def test_a_pin_for_the_readers_own_keys_has_no_field(qtbot: QtBot) -> None:
    asked = Asked(qtbot, PinState.OK, pin_pad=True)
    assert not asked.field.isVisible()
    assert "trên bàn phím của đầu đọc" in asked.words
    QTest.mouseClick(asked.dialog.accept_button, Qt.MouseButton.LeftButton)
    assert asked.answers == [Login(None)]


def test_an_answer_never_shows_its_pin() -> None:
    assert CANARY not in f"{Login(Pin(CANARY), signature_pin=Pin(CANARY))}"
