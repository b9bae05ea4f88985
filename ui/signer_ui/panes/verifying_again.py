"""What could not be decided is checked again by itself: when the network is back, and after roots were installed.

UI thread; the work is done on the network's lane, quietly: nothing is told but newer answers, and an error of the
network is none here, for it will be back another time.
"""

from PySide6.QtCore import QObject, QTimer, Signal

from signer_app.desk.exchange import ExchangeSnapshot, Link
from signer_app.desk.verifying import Checked
from signer_resources.errors import KnownError
from signer_ui.shell import Shell
from signer_ui.tasks import Control, Handle, Lane

_EVERY_MS = 10 * 60_000
"""How often it is tried without any news: where there is no document server, nobody tells that the network is back."""


class CheckingAgain(QObject):
    """Looks again at what was undecided, one pass at a time."""

    again = Signal(object)
    """Newer answers: a tuple of Checked."""

    def __init__(self, shell: Shell, parent: QObject) -> None:
        super().__init__(parent)
        self._shell = shell
        self._link = shell.hub.exchange.link
        self._work: Handle | None = None
        self._wanted = False
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(_EVERY_MS)
        shell.hub.exchange_changed.connect(self._link_news)
        shell.hub.settings_changed.connect(self._settings_news)

    def _link_news(self, snapshot: ExchangeSnapshot) -> None:
        before, self._link = self._link, snapshot.link
        if snapshot.link is Link.REACHED and before is not Link.REACHED:
            self.look()

    def _settings_news(self, _settings: object) -> None:
        self.look()

    def look(self) -> None:
        """Looks now; while that is under way, once more afterwards."""
        if self._work is not None and self._work.running:
            self._wanted = True
            return
        self._wanted = False
        desk = self._shell.desk

        def work(control: Control) -> tuple[Checked, ...]:
            if not desk.verifying.undecided():
                return ()
            return desk.verifying.check_again(lambda: control.cancelled)

        self._work = self._shell.tasks.run(self, Lane.NETWORK, work, self._came, failed=self._failed)

    def _came(self, found: tuple[Checked, ...]) -> None:
        if found:
            self.again.emit(found)
        if self._wanted:
            self.look()

    def _failed(self, error: KnownError) -> None:
        if error.code == "program_fault":
            self._shell.notice(error)
