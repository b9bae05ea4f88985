"""What stands above every list of the tab: the switch between the registers, the search, year and body.

UI thread; shows and tells, decides nothing.
"""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QLineEdit, QToolButton, QWidget

from signer_app.desk.register import Years
from signer_ui.presenters.register_books import Part
from signer_ui.shell import Shell
from signer_ui.widgets.basics import row
from signer_ui.widgets.flow import Flow
from signer_ui.widgets.inputs import Choice

_SEARCH = 58
"""Units of spacing."""


class WideLine(QLineEdit):
    """A field as wide as it is told to be, where its layout asks it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self._width = width

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """That width, and the height of a line."""
        return QSize(self._width, super().sizeHint().height())


class Switch(QWidget):
    """The three lists of the tab; the one that is shown is pressed in."""

    wanted = Signal(object)
    """Part."""

    def __init__(self, shell: Shell, part: Part) -> None:
        super().__init__()
        words = shell.words
        self.buttons: dict[Part, QToolButton] = {}
        for one, key in (
            (Part.OUTGOING, "ur_outgoing"),
            (Part.INCOMING, "ur_incoming"),
            (Part.SIGNED, "ur_signed"),
        ):
            made = QToolButton()
            made.setText(words(key))
            made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            made.setCheckable(True)
            made.clicked.connect(self._chosen(one))
            made.setChecked(one is part)
            # A press on the one that is shown must not make it look as if none were.
            made.toggled.connect(lambda _on, made=made, one=one: made.setChecked(one is part))
            self.buttons[one] = made
        self.setLayout(row(*self.buttons.values(), spacing=shell.theme.space(1)))

    def _chosen(self, part: Part) -> Callable[..., None]:
        return lambda *_checked: self.wanted.emit(part)


class ListBar(Flow):
    """See the module; `acts` are further buttons."""

    narrowed = Signal()
    """Another year or body was chosen."""

    def __init__(self, shell: Shell, part: Part, acts: Sequence[QWidget]) -> None:
        words, theme = shell.words, shell.theme
        self._words = words
        self.switch = Switch(shell, part)
        self.search = WideLine(theme.space(_SEARCH))
        self.search.setPlaceholderText(words("ut_search"))
        self.search.setAccessibleName(words("ut_search"))
        self.search.setClearButtonEnabled(True)
        self.years = _choice(shell, "ut_year")
        self.bodies = _choice(shell, "ut_body")
        self.bodies.hide()
        super().__init__((self.switch, self.search, self.years, self.bodies, *acts), theme.space(2))
        self.years.activated.connect(lambda _at: self.narrowed.emit())
        self.bodies.activated.connect(lambda _at: self.narrowed.emit())

    def find_on(self, page: QWidget) -> None:
        """Ctrl+F anywhere on the page leads to the search."""
        find = QShortcut(QKeySequence(QKeySequence.StandardKey.Find), page)
        find.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        find.activated.connect(self.search.setFocus)

    def fill(self, year: int | None, years: Sequence[int], bodies: Sequence[tuple[str, str]]) -> None:
        """The choices: years and bodies (code, name) that have documents."""
        words = self._words
        every = (words("ut_all_years"), Years.ALL)
        _choices(self.years, [every, *((str(one), one) for one in years)], year)
        _choices(self.bodies, [(words("ut_all_bodies"), None), *((name, code) for code, name in bodies)], self.body)
        self.bodies.setVisible(len(bodies) > 1)

    @property
    def year(self) -> int | Years:
        """The year that is chosen."""
        chosen: int | Years = self.years.currentData()
        return chosen

    @property
    def body(self) -> str | None:
        """Code of the body that is chosen; None for all."""
        chosen: str | None = self.bodies.currentData()
        return chosen


def _choice(shell: Shell, key: str) -> Choice:
    made = Choice(shell.theme)
    made.setAccessibleName(shell.words(key))
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    return made


def _choices(box: QComboBox, wanted: Sequence[tuple[str, object]], current: object) -> None:
    """Gives the box these choices; whoever has it open keeps what is chosen."""
    if [(box.itemText(i), box.itemData(i)) for i in range(box.count())] != list(wanted):
        box.clear()
        for text, value in wanted:
            box.addItem(text, value)
    found = next((at for at, (_text, value) in enumerate(wanted) if value == current), 0)
    box.setCurrentIndex(found)
