"""The two lists of the tab *Văn bản đi*, *Chờ ký* and *Chờ gửi*: the switch above them, and the one that is in front.

UI thread. The second list is made when it is first wanted. Holds no rows; the counts are told from outside.
"""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QStackedWidget, QToolButton, QVBoxLayout, QWidget

from signer_app.desk.today import TodaySnapshot
from signer_ui.panes.sending import SendingPane
from signer_ui.presenters.figures import count
from signer_ui.shell import Shell
from signer_ui.widgets.basics import row

_KEYS = ("Ctrl+Tab", "F8")


class ListSwitch(QWidget):
    """See the module. `place` is where the first list is laid out."""

    turned = Signal()
    """The other list is in front now."""

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        words, space = shell.words, shell.theme.space
        self._shell = shell
        self._to_sign = self._waiting = 0
        self.sending: SendingPane | None = None
        """The second list, once it was wanted."""
        self.to_sign, self.to_send = QToolButton(), QToolButton()
        self._second = False
        # No QButtonGroup: it would let the Tab key reach the pressed one alone.
        for each, second in ((self.to_sign, False), (self.to_send, True)):
            each.setCheckable(True)
            each.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            each.setToolTip(words("uq_lists_tip"))
            each.clicked.connect(lambda _on=False, second=second: self.show_second(second))
        self.to_sign.setChecked(True)
        self.place = QWidget()
        self._stack = QStackedWidget()
        self._stack.addWidget(self.place)
        head = QWidget()
        head.setAccessibleName(words("uq_lists"))
        line = row(self.to_sign, self.to_send, 1, spacing=space(1))
        line.setContentsMargins(space(4), space(2), space(4), 0)
        head.setLayout(line)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(0)
        lines.addWidget(head)
        lines.addWidget(self._stack, 1)
        for key in _KEYS:
            made = QShortcut(QKeySequence(key), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
            made.activated.connect(self.other)
        shell.hub.today_changed.connect(self._look)
        if shell.hub.today is not None:
            self._look(shell.hub.today)
        self._name()

    @property
    def is_second(self) -> bool:
        """Whether *Chờ gửi* is in front."""
        return self._second

    def count_to_sign(self, number: int) -> None:
        """So many wait to be signed."""
        self._to_sign = number
        self._name()

    def show_second(self, shown: bool = True) -> None:
        """Brings *Chờ gửi* to the front, or *Chờ ký*."""
        self.to_sign.setChecked(not shown)
        self.to_send.setChecked(shown)
        if shown is not self._second:
            self._second = shown
            self._turn(second=shown)

    def other(self) -> None:
        """Brings the other one to the front, and the keyboard into it."""
        self.show_second(not self.is_second)

    def first_control(self) -> QWidget | None:
        """Of the second list, if that is in front."""
        return self.sending.first_control() if self.sending is not None and self.is_second else None

    def _look(self, today: TodaySnapshot) -> None:
        sending = today.sending
        self._waited(sending.documents + sending.answered + len(sending.silent))

    def _waited(self, number: int) -> None:
        self._waiting = number
        self._name()

    def _name(self) -> None:
        words = self._shell.words
        for each, number, alone, counted in (
            (self.to_sign, self._to_sign, "uq_to_sign", "uq_to_sign_count"),
            (self.to_send, self._waiting, "uq_to_send", "uq_to_send_count"),
        ):
            each.setText(words(counted, count=count(number, words)) if number else words(alone))

    def _turn(self, *, second: bool) -> None:
        if second and self.sending is None:
            self.sending = SendingPane(self._shell)
            self.sending.counted.connect(self._waited)
            self._stack.addWidget(self.sending)
        shown = self.sending if second else self.place
        if shown is not None:
            self._stack.setCurrentWidget(shown)
        self.turned.emit()
