"""Connects the hub's news to what the frame shows: bar and red strip.

UI thread; ends with its window.
"""

from dataclasses import replace

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from signer_ui.presenters.bar import bar_view
from signer_ui.presenters.today import alarms
from signer_ui.presenters.token import certificate_alarms
from signer_ui.presenters.updates import news
from signer_ui.shell import Shell
from signer_ui.window import Window


class Steering(QObject):
    """Keeps bar and strip of a window up to date."""

    def __init__(self, shell: Shell, window: Window) -> None:
        super().__init__(window)
        self._shell = shell
        self._window = window
        self._loud = 0
        """How many presses for which the person was called."""
        hub = shell.hub
        for told in (hub.tokens_changed, hub.exchange_changed, hub.settings_changed):
            told.connect(self._bar)
        hub.updates.changed.connect(self._bar)
        hub.today_changed.connect(self._strip)
        hub.tokens_changed.connect(self._strip)
        self._bar()
        self._strip()

    def _bar(self, *_news: object) -> None:
        shell, hub = self._shell, self._shell.hub
        view = bar_view(hub.settings, hub.tokens, hub.exchange, shell.desk.now(), shell.words)
        self._window.bar.show_view(replace(view, update=news(hub.updates.state, shell.words)))

    def _strip(self, *_news: object) -> None:
        hub, words = self._shell.hub, self._shell.words
        if hub.today is not None:
            told = alarms(hub.today, words)
            self._window.show_alarms((*told, *certificate_alarms(hub.tokens, words)))
            self._call(sum(alarm.loud for alarm in told))

    def _call(self, loud: int) -> None:
        """Who looks elsewhere is called once for each that has become loud."""
        before, self._loud = self._loud, loud
        if loud > before:
            QApplication.alert(self._window)
            QApplication.beep()
