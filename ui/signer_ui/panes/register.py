"""The registers: outgoing, incoming, and all that was signed here; one of them at a time.

UI thread. The frame of the tab: notices, questions, and which list is shown; a list is made when it is first wanted.
"""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from signer_ui.panes.register_acts import Place, open_by_system
from signer_ui.panes.register_book import BookPage
from signer_ui.panes.register_paper import IncomingPage
from signer_ui.panes.register_signed import SignedPage
from signer_ui.panes.register_typed import OutgoingPage
from signer_ui.presenters.register_books import Part
from signer_ui.shell import Pane, Shell
from signer_ui.widgets.giving_up import GivingUp
from signer_ui.widgets.notice import Notice

__all__ = ["RegisterPane", "open_by_system"]

Page = BookPage | SignedPage


class RegisterPane(Pane):
    """See the module."""

    def __init__(self, shell: Shell, opener: Callable[[Path], None] = open_by_system) -> None:
        super().__init__(shell)
        words, theme = shell.words, shell.theme
        self.notice = Notice(words, theme)
        self.giving_up = GivingUp(words, theme, self._back)
        self.voiding = GivingUp(words, theme, self._back)
        self.voiding.reason.setPlaceholderText(words("ur_void_reason"))
        self.voiding.reason.setAccessibleName(words("ur_void_reason"))
        self.voiding.yes.setText(words("ur_void_yes"))
        self._place = Place(shell, self, self.notice, self.giving_up, self.voiding, opener)
        self._stack = QStackedWidget()
        self._pages: dict[Part, Page] = {}
        outer = QVBoxLayout(self)
        margin = theme.space(4)
        outer.setContentsMargins(margin, theme.space(3), margin, theme.space(2))
        outer.setSpacing(theme.space(2))
        for part in (self.giving_up, self.voiding, self.notice):
            outer.addWidget(part)
        outer.addWidget(self._stack, 1)
        self._front(Part.OUTGOING)
        shell.hub.store_changed.connect(self._store_changed)

    @property
    def page(self) -> Page:
        """The list that is shown."""
        return next(page for page in self._pages.values() if page is self._stack.currentWidget())

    def show_part(self, part: Part) -> Page:
        """Shows another list; the keyboard stays in the switch."""
        page = self._front(part)
        page.shown()
        page.bar.switch.buttons[part].setFocus()
        return page

    def first_control(self) -> QWidget:
        """The search."""
        return self.page.bar.search

    def shown(self) -> None:
        """Reads what may have changed since."""
        self.page.shown()

    def settled(self) -> bool:
        """Has what is being typed written down, on each page."""
        unsettled = [page for page in self._pages.values() if not page.settled()]
        return not unsettled

    def _front(self, part: Part) -> Page:
        page = self._pages.get(part)
        if page is None:
            page = self._pages[part] = self._make(part)
            page.bar.switch.wanted.connect(self.show_part)
            self._stack.addWidget(page)
        self.giving_up.hide()
        self.voiding.hide()
        self._stack.setCurrentWidget(page)
        return page

    def _make(self, part: Part) -> Page:
        if part is Part.SIGNED:
            return SignedPage(self._place)
        return OutgoingPage(self._place) if part is Part.OUTGOING else IncomingPage(self._place)

    def _back(self) -> None:
        self.page.grid.setFocus()

    def _store_changed(self) -> None:
        for page in self._pages.values():
            page.store_changed()
