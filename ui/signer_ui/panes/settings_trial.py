"""Trying the way to the servers (Thử kết nối), and saying what is wrong in the words of the error. UI thread.

Tries what is saved, never what is only typed; asked on the network's lane, where no pass runs meanwhile.
"""

from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from signer_app.desk.networking import Tried
from signer_resources.errors import KnownError
from signer_ui.glow import Glow
from signer_ui.panes.settings_form import clear
from signer_ui.presenters.settings_network import TrialLine, trial_lines
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.widgets.basics import button, label, row

_ROLES = {Glow.GOOD: "good", Glow.WARN: "warn", Glow.BAD: "bad", Glow.OFF: "muted"}


class Trial(QWidget):
    """The button and what came of it."""

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        words, space = shell.words, shell.theme.space
        self._shell = shell
        self._unsaved = False
        self._trying = False
        self._told: tuple[str, ...] = ()
        self.button = button(words("un_try"), self._try)
        self._hint = label(role="muted", wrap=True)
        self._lines = QVBoxLayout()
        self._lines.setSpacing(space(1))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(space(2))
        outer.addLayout(row(self.button, 1))
        outer.addWidget(self._hint)
        outer.addLayout(self._lines)
        self._enable()

    def set_unsaved(self, unsaved: bool) -> None:
        """While something is only typed, there is nothing to be tried."""
        self._unsaved = unsaved
        self._enable()

    @property
    def told(self) -> str:
        """What came of it, in one text."""
        return "\n".join(self._told)

    def _enable(self) -> None:
        self.button.setEnabled(not self._unsaved and not self._trying)
        key = "un_trying" if self._trying else "un_try_save_first" if self._unsaved else "un_try_hint"
        self._hint.setText(self._shell.words(key))

    def _try(self) -> None:
        networking = self._shell.desk.networking
        self._trying = True
        clear(self._lines)
        self._enable()
        self._shell.tasks.run(
            self, Lane.NETWORK, lambda _control: networking.try_ways(), self._tried, failed=self._failed
        )

    def _tried(self, tried: tuple[Tried, ...]) -> None:
        self._show(trial_lines(tried, self._shell.words))

    def _failed(self, error: KnownError) -> None:
        self._show((TrialLine(str(self._shell.words.explain(error)), Glow.BAD),))

    def _show(self, lines: tuple[TrialLine, ...]) -> None:
        self._trying = False
        self._enable()
        clear(self._lines)
        self._told = tuple(line.text for line in lines)
        for line in lines:
            made = label(line.text, _ROLES[line.glow], wrap=True)
            self._lines.addWidget(made)
            QAccessible.updateAccessibility(QAccessibleEvent(made, QAccessible.Event.Alert))
