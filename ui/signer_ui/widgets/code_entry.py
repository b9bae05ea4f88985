"""Eight fields for a recovery code; each says at once whether its group can be right.

UI thread. A full group leads on to the next; a whole code that is pasted, or typed on and on, fills them all. What
stands in them is given out by `code` alone, and is in no name, tip or message.
"""

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent, QKeyEvent
from PySide6.QtWidgets import QGridLayout, QLineEdit, QVBoxLayout, QWidget

from signer_app.backup.groups import DIGITS, GROUPS, digits_of, group_value
from signer_ui.theme import Theme, Type
from signer_ui.widgets.basics import label, repolish
from signer_ui.words import Words

_IN_A_LINE = 4
"""As the code is shown and printed."""


class CodeEntry(QWidget):
    """The code as it is typed."""

    changed = Signal()

    def __init__(self, words: Words, theme: Theme) -> None:
        super().__init__()
        self._words = words
        self.fields = tuple(_Group(words("bk_group", number=place + 1), theme) for place in range(GROUPS))
        for place, field in enumerate(self.fields):
            field.textEdited.connect(partial(self._typed, place))
            field.emptied.connect(partial(self._back, place))
        self.says = label("", "muted", wrap=True)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(theme.space(1.5))
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.space(3))
        grid.setVerticalSpacing(theme.space(1))
        grid.setColumnStretch(_IN_A_LINE, 1)
        for place, field in enumerate(self.fields):
            above = 2 * (place // _IN_A_LINE)
            grid.addWidget(label(words("bk_group", number=place + 1), "small"), above, place % _IN_A_LINE)
            grid.addWidget(field, above + 1, place % _IN_A_LINE)
        lines.addLayout(grid)
        lines.addWidget(self.says)
        self.setFocusProxy(self.fields[0])
        self._tell()

    @property
    def code(self) -> str:
        """What was typed."""
        return "-".join(field.text() for field in self.fields)

    @property
    def right(self) -> bool:
        """Whether all groups are there and none of them can be wrong."""
        return all(self._stands(place) for place in range(GROUPS))

    def clear(self) -> None:
        """Forgets what was typed."""
        for field in self.fields:
            field.clear()
        self._tell()

    def _typed(self, place: int, text: str) -> None:
        digits = digits_of(text)
        if len(digits) <= DIGITS:
            if digits != text:
                self.fields[place].setText(digits)
            if len(digits) == DIGITS and self._stands(place) and place + 1 < GROUPS:
                self.fields[place + 1].setFocus(Qt.FocusReason.OtherFocusReason)
                self.fields[place + 1].selectAll()
        else:
            # A whole code in any field, behind what stood there; or more than one group.
            if len(digits) >= GROUPS * DIGITS:
                digits, place = digits[-GROUPS * DIGITS :], 0
            for number, at in enumerate(range(place, GROUPS)):
                part = digits[number * DIGITS : (number + 1) * DIGITS]
                if not part:
                    break
                self.fields[at].setText(part)
                self.fields[at].setFocus(Qt.FocusReason.OtherFocusReason)
        self._tell()
        self.changed.emit()

    def _back(self, place: int) -> None:
        if place > 0:
            self.fields[place - 1].setFocus(Qt.FocusReason.OtherFocusReason)

    def _stands(self, place: int) -> bool:
        digits = self.fields[place].text()
        return len(digits) == DIGITS and group_value(place, digits) is not None

    def _tell(self) -> None:
        wrong = None
        for place, field in enumerate(self.fields):
            bad = len(field.text()) == DIGITS and not self._stands(place)
            repolish(field, "wrong", bad)
            field.setAccessibleDescription(self._words("bk_group_wrong", number=place + 1) if bad else "")
            wrong = place + 1 if bad and wrong is None else wrong
        right = sum(self._stands(place) for place in range(GROUPS))
        if wrong is not None:
            told, role = self._words("bk_group_wrong", number=wrong), "bad"
        elif right == GROUPS:
            told, role = self._words("bk_groups_all"), "good"
        else:
            told, role = self._words("bk_groups_so_far", count=right, all=GROUPS), "muted"
        news = told != self.says.text()
        self.says.setText(told)
        repolish(self.says, "role", role)
        if news and role != "muted":
            QAccessible.updateAccessibility(QAccessibleEvent(self.says, QAccessible.Event.Alert))


class _Group(QLineEdit):
    """One group."""

    emptied = Signal()
    """Backspace was pressed where nothing is left."""

    def __init__(self, name: str, theme: Theme) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setFont(theme.font(Type.MONO))
        self.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        # Numbers where the keyboard is on the screen, and no input method that composes letters.
        self.setInputMethodHints(
            Qt.InputMethodHint.ImhDigitsOnly
            | Qt.InputMethodHint.ImhSensitiveData
            | Qt.InputMethodHint.ImhNoPredictiveText
        )
        self.setFixedWidth(self.fontMetrics().horizontalAdvance("0" * DIGITS) + theme.space(7))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Backspace in an empty field leads back to the one before."""
        if event.key() == Qt.Key.Key_Backspace and not self.text():
            self.emptied.emit()
            return
        super().keyPressEvent(event)
