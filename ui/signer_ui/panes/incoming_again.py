"""Incoming documents that are not decided yet are looked at again: after each pass those whose time has come, all of
them when the network is back and after trusted certificates or other settings were changed.

UI thread; the work is done on the lane for what is made up for, quietly: no pass waits for it. An error of the network
is none here, for it will be back.
"""

from PySide6.QtCore import QObject, Signal

from signer_app.desk.exchange import ExchangeSnapshot, Link
from signer_resources.errors import KnownError
from signer_ui.shell import Shell
from signer_ui.tasks import Control, Handle, Lane


class DecidingAgain(QObject):
    """One look at a time; a wish that comes meanwhile is granted afterwards."""

    found = Signal()
    """Some of them are decided now."""

    def __init__(self, shell: Shell, parent: QObject) -> None:
        super().__init__(parent)
        self._shell = shell
        self._link = shell.hub.exchange.link
        self._work: Handle | None = None
        self._wanted = False
        self._all = False
        shell.hub.exchange_changed.connect(self._link_news)
        shell.hub.settings_changed.connect(self._settings_news)

    def _link_news(self, snapshot: ExchangeSnapshot) -> None:
        before, self._link = self._link, snapshot.link
        self.look(at_all=snapshot.link is Link.REACHED and before is Link.AWAY)

    def _settings_news(self, _settings: object) -> None:
        self.look(at_all=True)

    def look(self, *, at_all: bool) -> None:
        """Looks at those whose time has come, or at all that are undecided."""
        self._all = self._all or at_all
        if self._work is not None and self._work.running:
            self._wanted = True
            return
        looking = self._shell.desk.incoming.rechecking
        at_all, self._all, self._wanted = self._all, False, False

        def work(control: Control) -> int:
            found = looking.run(lambda: control.cancelled)
            return found + (looking.at_once(lambda: control.cancelled) if at_all else 0)

        self._work = self._shell.tasks.run(self, Lane.LATER, work, self._came, failed=self._failed)

    def _came(self, decided: int) -> None:
        if decided:
            self.found.emit()
        if self._wanted:
            self.look(at_all=False)

    def _failed(self, error: KnownError) -> None:
        if error.code == "program_fault":
            self._shell.notice(error)
