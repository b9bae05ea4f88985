"""What a document's sender asks for (a recall, an update), with the leader's opinion and the two answers.

UI thread; asks and tells, changes nothing itself. Agreeing is asked once more, never one click; declining needs the
name of who decided.
"""

from collections.abc import Callable

from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout

from signer_app.desk.incoming_model import IncomingDetails
from signer_ui.panes.incoming_asking import line_edit, one_line
from signer_ui.presenters.incoming_deciding import Form, agree_form, request
from signer_ui.shell import Shell
from signer_ui.widgets.basics import button, label, repolish
from signer_ui.widgets.elided import breakable
from signer_ui.widgets.flow import Flow


class RequestCard(QFrame):
    """One request; hidden while there is none. `ask(form, do)` has the second step asked beside it.

    `answer` is called with whether it is agreed to, who decided, and what was added.
    """

    def __init__(
        self,
        shell: Shell,
        ask: Callable[[Form, Callable[[int, str], None]], None],
        answer: Callable[[bool, str, str], None],
    ) -> None:
        super().__init__()
        words, theme = shell.words, shell.theme
        self._words, self._ask, self._answer = words, ask, answer
        self._details: IncomingDetails | None = None
        self.setProperty("role", "notice-bad")
        self.what = label(role="strong", wrap=True)
        self.holders = label(wrap=True)
        caption = QLabel(words("ua_decided_by"))
        self.leader = line_edit()
        self.leader.setAccessibleName(words("ua_decided_by"))
        caption.setBuddy(self.leader)
        self.more = line_edit()
        self.more.setPlaceholderText(words("ua_field_optional"))
        self.more.setAccessibleName(words("ua_field_optional"))
        self.agree = button(words("ua_agree"), self._agree)
        self.decline = button(words("ua_decline"), self._decline)
        self.leader.textChanged.connect(self._enable)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(theme.space(3), theme.space(2), theme.space(3), theme.space(2))
        lines.setSpacing(theme.space(1))
        for part in (self.what, self.holders, caption, self.leader, self.more):
            lines.addWidget(part)
        lines.addWidget(Flow((self.agree, self.decline), theme.space(2)))
        self._enable()
        self.hide()

    def put(self, details: IncomingDetails | None) -> None:
        """What is asked for; None: nothing is. What was typed about the same request stays. Its owner shows it."""
        before, self._details = self._details, details
        if details is None:
            return
        told = request(details, self._words)
        self.what.setText(breakable(told.what))
        self.holders.setText(breakable(told.holders))
        self.setAccessibleName(told.what)
        document = details.document
        if before is None or (before.document.id, before.document.asked_packet) != (document.id, document.asked_packet):
            self.leader.clear()
            self.more.clear()
        repolish(self, "role", "notice-bad" if document.asked == "recall" else "notice-warn")

    def enable(self, on: bool) -> None:
        """Whether answers are taken; not while one is being written."""
        self.setEnabled(on)

    def _enable(self) -> None:
        said = bool(one_line(self.leader.text()))
        self.agree.setEnabled(said)
        self.decline.setEnabled(said)

    def _agree(self) -> None:
        leader, more, details = one_line(self.leader.text()), one_line(self.more.text()), self._details
        if details is not None and leader:
            self._ask(agree_form(details, leader, self._words), lambda _at, _typed: self._answer(True, leader, more))

    def _decline(self) -> None:
        leader = one_line(self.leader.text())
        if self._details is not None and leader:
            self._answer(False, leader, one_line(self.more.text()))
