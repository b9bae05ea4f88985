"""The dialogue in which receivers are chosen; it can't be ended while a line is unknown.

UI thread. Around the chooser only a heading, what went wrong, and the two buttons.
"""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from signer_app.store.receivers import PaperReceiver
from signer_resources.errors import KnownError
from signer_ui.panes.receivers import ReceiversChooser
from signer_ui.panes.settings_form import scrolled
from signer_ui.presenters.figures import count
from signer_ui.presenters.receivers import Choice
from signer_ui.shell import Shell
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.notice import Notice

_WIDTH, _HEIGHT = 190, 140
"""Units of spacing."""


class ReceiversDialog(QDialog):
    """The chooser as a dialogue; `chosen` with a Choice when all lines are known and the clerk is done."""

    chosen = Signal(object)

    def __init__(
        self,
        shell: Shell,
        parent: QWidget,
        title: str,
        body: str,
        lines: Sequence[str] = (),
        *,
        paper: Sequence[PaperReceiver] = (),
        done: str = "",
    ) -> None:
        super().__init__(parent)
        words, space = shell.words, shell.theme.space
        self._words = words
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.notice = Notice(words, shell.theme)
        self.chooser = ReceiversChooser(shell, body, lines)
        if paper:
            self.chooser.keep_paper(paper)
        self.hint = label(role="warn", wrap=True)
        self.done_button = button(done or words("uq_r_done"), self._done, "primary")
        self.leave = button(words("uq_no"), self.reject)
        for one in (self.done_button, self.leave):
            # Enter in the search adds a receiver; it never ends the dialogue.
            one.setAutoDefault(False)
        for one in self.chooser.findChildren(type(self.leave)):
            one.setAutoDefault(False)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(*[space(4)] * 4)
        outer.setSpacing(space(2))
        outer.addWidget(label(title, "heading", wrap=True))
        outer.addWidget(self.notice)
        area = scrolled(self.chooser)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        outer.addWidget(area, 1)
        foot = row(self.leave, self.done_button, spacing=space(2))
        foot.insertWidget(0, self.hint, 1)
        outer.addLayout(foot)
        self.chooser.changed.connect(self._enable)
        self.chooser.failed.connect(self._failed)
        screen = self.screen().availableGeometry() if self.screen() is not None else None
        wanted = QSize(space(_WIDTH), space(_HEIGHT))
        self.resize(wanted.boundedTo(screen.size() * 0.94) if screen is not None else wanted)
        self._enable()
        self.chooser.search.setFocus()

    def _enable(self) -> None:
        asked = self.chooser.said.asked
        self.done_button.setEnabled(self.chooser.settled and not asked)
        self.hint.setText(self._words("uq_r_still", count=count(asked, self._words)) if asked else "")

    def _failed(self, error: KnownError) -> None:
        self.notice.error(error)
        self._enable()

    def _done(self) -> None:
        choice: Choice = self.chooser.said.choice
        self.accept()
        self.chosen.emit(choice)
