"""The bar at the top: body and clerk, lights for token and server, what has waited longest, settings.

UI thread.
"""

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from signer_ui.presenters.barview import BarView
from signer_ui.tabs import Tab
from signer_ui.theme import Theme
from signer_ui.widgets.basics import button, column
from signer_ui.widgets.elided import Elided
from signer_ui.widgets.light import Light
from signer_ui.words import Words

_NARROW = 200
"""Units of width below which lights stand without their words."""


class TopBar(QFrame):
    """Shows a `BarView`; its lights lead to the tabs that tell more."""

    tab_wanted = Signal(str)
    settings_wanted = Signal()
    sending_wanted = Signal()
    """The list of what waits to be sent."""
    update_wanted = Signal()
    """The newer version of which it speaks."""

    def __init__(self, words: Words, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setProperty("role", "bar")
        self._body = Elided(words("ui_opening"), "heading")
        self._clerk = Elided("", "small")
        self._token = Light(theme, lambda: self.tab_wanted.emit(Tab.TOKEN))
        self._server = Light(theme, lambda: self.tab_wanted.emit(Tab.MACHINE))
        self._unsent = button("", self.sending_wanted.emit, "light")
        self._update = button("", self.update_wanted.emit, "light")
        for part in (self._token, self._server, self._unsent, self._update):
            part.hide()
        self._settings = button(words("ui_settings"), self.settings_wanted.emit, "quiet")
        self._settings.setToolTip(words("ui_settings_tip"))
        line = QHBoxLayout(self)
        line.setContentsMargins(theme.space(4), theme.space(1.5), theme.space(3), theme.space(1.5))
        line.setSpacing(theme.space(1))
        line.addLayout(column(self._body, self._clerk, spacing=0), 1)
        for part in (self._update, self._unsent, self._server, self._token, self._settings):
            line.addWidget(part)

    def show_view(self, view: BarView) -> None:
        """Shows the bar as it stands."""
        self._body.put(view.body)
        self._clerk.put(view.clerk)
        self._token.show_state(view.token.glow, view.token.words, view.token.tip)
        self._server.show_state(view.server.glow, view.server.words, view.server.tip)
        self._unsent.setText(view.unsent)
        self._unsent.setVisible(bool(view.unsent))
        self._update.setText(view.update)
        self._update.setVisible(bool(view.update))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """In a narrow window the name of the body has the room."""
        super().resizeEvent(event)
        for light in (self._token, self._server):
            light.set_brief(self.width() < self._theme.space(_NARROW))

    def lock_settings(self, locked: bool) -> None:
        """Whether the settings can't be opened now."""
        self._settings.setEnabled(not locked)
