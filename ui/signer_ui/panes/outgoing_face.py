"""The controls around the grid of outgoing documents and their places: tools, sums, card, pages, the one button.

UI thread. Says by signals what was pressed, decides nothing; what the controls say is put there by the pane.
"""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QLineEdit,
    QMenu,
    QPushButton,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from signer_ui.panes.outgoing_arranging import Arranging
from signer_ui.panes.outgoing_details import DocumentCard
from signer_ui.panes.outgoing_pages import PagesSide
from signer_ui.panes.settings_form import scrolled
from signer_ui.presenters.outgoing import Line
from signer_ui.shell import Shell
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.grid import Grid
from signer_ui.widgets.inputs import Choice


class ListFace(QWidget):
    """The list with all around it; `foot` lies below it, in sight however low the window is."""

    add_wanted = Signal()
    folder_wanted = Signal()
    fill_wanted = Signal()
    paste_wanted = Signal()
    go_on_wanted = Signal()
    clear_wanted = Signal()
    only_sign_wanted = Signal()
    sign_wanted = Signal()

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        words, space = shell.words, shell.theme.space
        self._words, self._space = words, space
        self.add = button(words("uo_add"), self.add_wanted.emit)
        self.add_folder = button(words("uo_add_folder"), self.folder_wanted.emit)
        self.fill = button(words("uo_fill"), self.fill_wanted.emit)
        self.paste = button(words("uo_paste"), self.paste_wanted.emit)
        self.more = QPushButton(words("uo_more"))
        self.more.setAutoDefault(True)
        self.search = QLineEdit()
        self.search.setPlaceholderText(words("uo_search"))
        self.search.setAccessibleName(words("uo_search"))
        self.search.setClearButtonEnabled(True)
        self.search.setAcceptDrops(False)
        self.search.setMinimumWidth(space(24))
        self.pages = QToolButton()
        self.pages.setText(words("uo_show_pages"))
        self.pages.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.pages.setCheckable(True)
        self.pages.setChecked(True)
        self.summary = label(role="strong", wrap=True)
        self.go_on = button(words("uo_check_again"), self.go_on_wanted.emit, "quiet")
        self.clear = button(words("uo_clear_signed"), self.clear_wanted.emit, "quiet")
        self.certificate = Choice(shell.theme)
        self.certificate.setAccessibleName(words("uo_with"))
        self.certificate.setToolTip(words("uo_with"))
        self.certificate.setMaximumWidth(space(90))
        self.hint = label(role="muted", wrap=True)
        self.only_sign = button(words("uo_only_sign"), self.only_sign_wanted.emit)
        self.only_sign.setToolTip(words("uo_only_sign_tip"))
        self.sign = button("", self.sign_wanted.emit, "primary")
        self.foot = QWidget()
        # In a window too low for all of it the list scrolls; what is said and the button that signs stay in sight.
        self.area = scrolled(self)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def offer(self, can: Arranging, receivers: QAction, look: QAction, give_up: QAction) -> None:
        """Fills the menu of what is rarer; `look` and `give_up` concern what is to be signed."""
        words, menu = self._words, QMenu(self.more)
        menu.addAction(words("uo_add_folder"), self.folder_wanted.emit)
        menu.addAction(words("uo_paste"), self.paste_wanted.emit)
        menu.addSeparator()
        menu.addActions([can.merge, can.split])
        kinds = menu.addMenu(words("uo_kind"))
        kinds.addActions(can.kinds.actions())
        menu.addAction(can.fill_down)
        menu.addAction(receivers)
        menu.addSeparator()
        menu.addAction(can.remove)
        menu.addSeparator()
        menu.addActions([look, give_up])
        self.more.setMenu(menu)

    def lay_out(self, grid: Grid[Line], card: DocumentCard, side: PagesSide) -> None:
        """Puts everything in its place; called when the list itself is in its own."""
        space = self._space
        inner = QVBoxLayout(self)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(space(2))
        tools = row(self.add, self.add_folder, self.fill, self.paste, self.more, spacing=space(2))
        tools.addWidget(self.search, 1)
        tools.addWidget(self.pages)
        inner.addLayout(tools)
        summary = row(self.go_on, self.clear, spacing=space(2))
        summary.insertWidget(0, self.summary, 1)
        inner.addLayout(summary)
        both, left = QSplitter(Qt.Orientation.Horizontal), QSplitter(Qt.Orientation.Vertical)
        for between in (left, both):
            between.setHandleWidth(space(2))
            between.setProperty("role", "gap")
        inner.addWidget(both, 1)
        both.addWidget(left)
        left.addWidget(grid)
        left.addWidget(card)
        both.addWidget(side)
        both.setStretchFactor(0, 2)
        both.setStretchFactor(1, 1)
        both.setSizes([space(242), space(90)])
        left.setStretchFactor(0, 3)
        left.setStretchFactor(1, 1)
        left.setSizes([space(80), space(46)])
        left.setChildrenCollapsible(False)
        grid.setMinimumHeight(space(34))
        foot = row(self.certificate, self.only_sign, self.sign, spacing=space(2))
        foot.insertWidget(0, self.hint, 1)
        self.foot.setLayout(foot)

    def set_narrow(self, narrow: bool) -> None:
        """In a narrow window two of the buttons are in the menu alone."""
        for rare in (self.add_folder, self.paste):
            rare.setVisible(not narrow)

    def heightForWidth(self, width: int) -> int:  # noqa: N802 - Qt's name
        """The least that is needed: a scroll area would take the height that is liked best for that."""
        layout = self.layout()
        return layout.minimumHeightForWidth(width) if layout is not None else super().heightForWidth(width)
