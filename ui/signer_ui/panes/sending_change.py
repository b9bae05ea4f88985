"""Two forms of the list *Chờ gửi*: other receivers of a document that was sent, and a time until which sending waits.

UI thread; asks and tells, changes nothing itself.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QDialog, QLabel, QLineEdit, QVBoxLayout, QWidget

from signer_app.exchange.receivers import Line
from signer_ui.panes.receivers import ReceiversChooser
from signer_ui.panes.sending_steps import TwoSteps, codes_of, ticked_list
from signer_ui.presenters.figures import count
from signer_ui.presenters.receivers import Choice
from signer_ui.presenters.sending_list import read_time
from signer_ui.shell import Shell
from signer_ui.widgets.basics import button, label, row

_HEIGHT, _WIDTH = 150, 190
"""Units of spacing."""
_LOW = 22


class ChangeDialog(TwoSteps):
    """Cập nhật nơi nhận: who gets it too, who is told that it isn't meant for them; then once more."""

    def __init__(
        self, shell: Shell, parent: QWidget, what: str, body: str, receivers: Sequence[str], names: Mapping[str, str]
    ) -> None:
        words, space = shell.words, shell.theme.space
        super().__init__(shell, parent, words("uq_change_title", label=what), words("uq_change_yes"))
        self._label = what
        self._names = names
        self.have = ticked_list([(code, names.get(code, code)) for code in receivers])
        self.have.setMaximumHeight(space(_LOW))
        self.have.itemChanged.connect(lambda _item: self.enable())
        title = QLabel(words("uq_change_have"))
        title.setWordWrap(True)
        title.setBuddy(self.have)
        self.have.setAccessibleName(title.text().replace("&", ""))
        self.chooser = ReceiversChooser(shell, body, groups=False)
        self.chooser.changed.connect(self.enable)
        self.form.addWidget(title)
        self.form.addWidget(self.have)
        self.form.addWidget(label(words("uq_change_add"), "strong"))
        self.form.addWidget(self.chooser, 1)
        self.ask_reason()
        for one in self.chooser.findChildren(type(self.no)):
            one.setAutoDefault(False)
        # Enter in the search adds a receiver.
        self.go_on.setAutoDefault(False)
        self.go_on.setDefault(False)
        screen = self.screen().availableGeometry().size() if self.screen() is not None else self.size()
        self.resize(min(space(_WIDTH), screen.width() * 94 // 100), min(space(_HEIGHT), screen.height() * 94 // 100))
        self.enable()
        self.have.setFocus()

    @property
    def removed(self) -> tuple[str, ...]:
        """Codes of those who are told that it isn't meant for them."""
        return codes_of(self.have, ticked=False)

    @property
    def choice(self) -> Choice:
        """Who gets it too; who has it already is passed over."""
        had = {*codes_of(self.have, ticked=True), *self.removed}
        chosen = self.chooser.said.choice
        return Choice(tuple(code for code in chosen.codes if code not in had), chosen.paper)

    def is_complete(self) -> bool:
        """Somebody is added or removed, and no line is unknown; who is removed is told why."""
        if not self.chooser.settled or self.chooser.said.asked:
            return False
        return bool(self.reason_given) if self.removed else bool(self.choice.codes)

    def summary(self) -> tuple[str, Sequence[str]]:
        """Who is added, who is removed."""
        words, added, removed = self.shell.words, self.choice.codes, self.removed
        names = {**self._names, **_names(self.chooser.said.resolution.lines)}
        what = words(
            "uq_change_sure",
            label=self._label,
            added=count(len(added), words),
            removed=count(len(removed), words),
        )
        told = []
        for key, codes in (("uq_change_more", added), ("uq_change_less", removed)):
            if codes:
                told.append(words(key, names="; ".join(names.get(code, code) for code in codes)))
        if self.reason_given:
            told.append(words("uq_reason_line", reason=self.reason_given))
        return what, told


def _names(lines: Sequence[Line]) -> dict[str, str]:
    return {reach.code: reach.name for line in lines for reach in line.reaches}


class PostponeDialog(QDialog):
    """Hoãn gửi đến: an hour and a day; `chosen` with the moment."""

    chosen = Signal(object)
    """datetime."""

    def __init__(self, shell: Shell, parent: QWidget) -> None:
        super().__init__(parent)
        words, space = shell.words, shell.theme.space
        self._shell = shell
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(words("uq_later_title"))
        self.setAccessibleName(words("uq_later_title"))
        self.clock, self.day = QLineEdit(), QLineEdit()
        self.wrong = label(role="bad", wrap=True)
        self.wrong.hide()
        self.accept_button = button(words("uq_way_postpone"), self._accepted, "primary")
        self.leave = button(words("uq_no"), self.reject)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(*[space(5)] * 4)
        lines.setSpacing(space(2))
        lines.addWidget(label(words("uq_later_title"), "heading"))
        for key, field in (("uq_later_clock", self.clock), ("uq_later_day", self.day)):
            title = QLabel(words(key))
            title.setBuddy(field)
            field.setAccessibleName(title.text().replace("&", ""))
            field.setMaxLength(20)
            lines.addWidget(title)
            lines.addWidget(field)
        lines.addWidget(self.wrong)
        lines.addLayout(row(1, self.leave, self.accept_button, spacing=space(2)))
        self.setMinimumWidth(space(90))
        self.leave.setAutoDefault(False)
        self.accept_button.setDefault(True)
        self.clock.setFocus()

    def _accepted(self) -> None:
        until: dt.datetime | None = read_time(self.clock.text(), self.day.text(), self._shell.desk.now())
        if until is None:
            self.wrong.setText(self._shell.words("uq_later_wrong"))
            self.wrong.show()
            QAccessible.updateAccessibility(QAccessibleEvent(self.wrong, QAccessible.Event.Alert))
            return
        self.accept()
        self.chosen.emit(until)
