"""Changing a token's PIN: what is said, what is refused before a try is spent, and a real change."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from signer_token.model import Pin, PinState, Token
from signer_ui.presenters.pin_change import change_view, wrong_with
from signer_ui.theme import Theme
from signer_ui.widgets.pin_change import Change, PinChangeDialog
from signer_ui.words import Words

# Without a screen there is no window manager that could be told a smallest size.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

WORDS, THEME = Words("vi"), Theme(dark=False)
OLD, NEW = "Canary-4xQ9-old", "Canary-7bT2-new"


def token(state: PinState = PinState.OK, *, pin_pad: bool = False, least: int = 4, most: int = 16) -> Token:
    return Token(
        "UBND xã Hòa Sơn", "77", "", "", Path("m.so"), state, (), pin_pad=pin_pad, pin_least=least, pin_most=most
    )


class Asked:
    """An open dialogue, and what came of it."""

    def __init__(self, qtbot: QtBot, state: PinState = PinState.OK) -> None:
        self.parent = QWidget()
        qtbot.addWidget(self.parent)
        self.parent.show()
        self.dialog = PinChangeDialog(token(state), WORDS, THEME, self.parent)
        self.changes: list[Change] = []
        self.dialog.answered.connect(self.changes.append)
        self.dialog.open()
        qtbot.waitExposed(self.dialog)

    def type(self, old: str, new: str, again: str) -> None:
        fields = (self.dialog.old, self.dialog.new, self.dialog.again)
        for field, text in zip(fields, (old, new, again), strict=True):
            QTest.keyClicks(field, text)
        QTest.keyClick(self.dialog.again, Qt.Key.Key_Return)

    @property
    def typed(self) -> str:
        return self.dialog.old.text() + self.dialog.new.text() + self.dialog.again.text()


def test_old_and_new_are_given_once_and_nothing_stays_in_the_fields(qtbot: QtBot) -> None:
    asked = Asked(qtbot)
    asked.type(OLD, NEW, NEW)
    (change,) = asked.changes
    assert (change.old.reveal(), change.new.reveal(), change.final_try) == (OLD, NEW, False)
    assert "Canary" not in repr(change)
    assert asked.typed == ""


@pytest.mark.parametrize(
    ("old", "new", "again", "says"),
    [
        (OLD, NEW, NEW + "x", "Hai lần nhập mã mới không giống nhau."),
        (OLD, OLD, OLD, "Mã mới giống mã đang dùng."),
        (OLD, "abc1", "abc1", "Mã mới quá ngắn."),
        (OLD, "a1" * 9, "a1" * 9, "Mã mới quá dài"),
        ("", NEW, NEW, "Chưa nhập mã PIN"),
    ],
)
def test_what_can_not_be_right_costs_no_try(qtbot: QtBot, old: str, new: str, again: str, says: str) -> None:
    asked = Asked(qtbot)
    asked.type(old, new, again)
    assert (asked.changes, asked.typed) == ([], "")
    assert asked.dialog.hint.startswith(says)


def test_the_last_try_for_the_old_pin_is_confirmed_first(qtbot: QtBot) -> None:
    asked = Asked(qtbot, PinState.FINAL)
    assert not asked.dialog.accept_button.isEnabled()
    asked.type(OLD, NEW, NEW)
    assert asked.changes == []
    asked.dialog.sure.click()
    QTest.mouseClick(asked.dialog.accept_button, Qt.MouseButton.LeftButton)
    assert [change.final_try for change in asked.changes] == [True]


def test_a_locked_token_and_one_with_keys_of_its_own_take_no_pin_here() -> None:
    assert not change_view(token(PinState.LOCKED), WORDS).takes_pin
    assert not change_view(token(pin_pad=True), WORDS).takes_pin


def test_the_rules_are_the_tokens_own_and_never_less_than_the_issuers_guide() -> None:
    assert "từ 8 đến 16 ký tự" in change_view(token(), WORDS).rules
    assert "từ 10 đến 12 ký tự" in change_view(token(least=10, most=12), WORDS).rules
    assert "từ 8 ký tự" in change_view(token(least=4, most=255), WORDS).rules
    assert wrong_with(token(least=4, most=6), Pin("123456"), Pin("654321"), Pin("654321")) is None


def test_escape_gives_it_up_and_wipes(qtbot: QtBot) -> None:
    asked = Asked(qtbot)
    QTest.keyClicks(asked.dialog.old, OLD)
    dialog = asked.dialog
    QTest.keyClick(dialog.old, Qt.Key.Key_Escape)
    assert (asked.changes, dialog.isVisible()) == ([], False)
