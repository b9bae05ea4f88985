"""Incoming documents that could not be decided are looked at again at once: when the network is back, and after trusted
certificates or other settings were changed.

UI thread; the work is done on the network's lane, quietly. An error of the network is none here, for it will be back.
"""

from PySide6.QtCore import QObject, Signal

from signer_app.desk.exchange import ExchangeSnapshot, Link
from signer_resources.errors import KnownError
from signer_ui.shell import Shell
from signer_ui.tasks import Handle, Lane


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
        shell.hub.exchange_changed.connect(self._link_news)
        shell.hub.settings_changed.connect(self._settings_news)

    def _link_news(self, snapshot: ExchangeSnapshot) -> None:
        before, self._link = self._link, snapshot.link
        if snapshot.link is Link.REACHED and before is Link.AWAY:
            self.look()

    def _settings_news(self, _settings: object) -> None:
        self.look()

    def look(self) -> None:
        """Looks at all that is undecided."""
        if self._work is not None and self._work.running:
            self._wanted = True
            return
        self._wanted = False
        desk = self._shell.desk
        self._work = self._shell.tasks.run(
            self,
            Lane.NETWORK,
            lambda control: desk.incoming.rechecking.at_once(lambda: control.cancelled),
            self._came,
            failed=self._failed,
        )

    def _came(self, decided: int) -> None:
        if decided:
            self.found.emit()
        if self._wanted:
            self.look()

    def _failed(self, error: KnownError) -> None:
        if error.code == "program_fault":
            self._shell.notice(error)
