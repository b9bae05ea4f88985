"""Every screen of the window: a name on each control for a screen reader, and a way to each by keyboard.

The real program on a prepared workspace, without a display.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import msgspec
import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QTabBar,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from signer_app.looks import read_looks
from signer_app.store import DataFolder, Settings, save_settings
from signer_resources import samples
from signer_resources.messages import Lang
from signer_token.model import PinState
from signer_ui.application import Dress
from signer_ui.main import Program
from signer_ui.panes.incoming import IncomingPane
from signer_ui.panes.outgoing import OutgoingPane
from signer_ui.presenters.pin import PinRequest, Purpose
from signer_ui.presenters.today import Alarm
from signer_ui.tabs import Tab
from signer_ui.theme import Theme
from signer_ui.widgets.elided import Elided
from signer_ui.widgets.pin_dialog import PinDialog
from signer_ui.window import Window
from signer_ui.words import Words
from tests.support.workspace import Desk, Site

# Without a screen there is no window manager.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

PATIENCE_MS = 60_000
_CONTROLS = (
    QAbstractButton, QAbstractItemView, QAbstractSpinBox, QComboBox, QLineEdit, QPlainTextEdit, QTabBar, QTextEdit,
)  # fmt: skip
_ROLES = {
    getattr(QAccessible.Role, name)
    for name in (
        "Button", "ButtonDropDown", "ButtonMenu", "CheckBox", "ComboBox", "EditableText", "List", "PageTab",
        "PageTabList", "RadioButton", "Slider", "SpinBox", "Table",
    )
}  # fmt: skip
_DEEPEST = 40
_OF_A_LIST = 30
"""So many children of a list are looked at; the others are made alike."""


@contextmanager
def program(data: Path, qtbot: QtBot) -> Iterator[Program]:
    """The program as it is when its desk is open; closed at the end."""
    made = Program(data, Dress(cast("QApplication", QApplication.instance())), read_looks(data), None, [])
    closed: list[bool] = []
    made.window.closing.connect(lambda: closed.append(True))
    made.start()
    try:
        qtbot.waitUntil(lambda: made.window._shell is not None, timeout=PATIENCE_MS)
        yield made
    finally:
        made.window.close()
        qtbot.waitUntil(lambda: not made.window.isVisible(), timeout=PATIENCE_MS)
        made.deleteLater()


def _tree(node: QAccessibleInterface, path: str, depth: int = 0) -> Iterator[tuple[str, QAccessibleInterface]]:
    if depth > _DEEPEST:
        return
    for index in range(min(node.childCount(), _OF_A_LIST)):
        child = node.child(index)
        if child is None or not child.isValid() or child.state().invisible:
            continue
        name = child.text(QAccessible.Text.Name)
        here = f"{path} > {child.role().name}«{name[:30]}»"
        yield here, child
        yield from _tree(child, here, depth + 1)


def _nameless(root: QWidget) -> list[str]:
    """Paths of the controls in sight that have no name, and of the whole tree nothing else."""
    top = QAccessible.queryAccessibleInterface(root)
    assert top is not None
    found = list(_tree(top, type(root).__name__))
    assert sum(node.role() in _ROLES for _path, node in found) > 0
    # The text field inside a spin box or a combo box belongs to that.
    outer = (QAccessible.Role.SpinBox, QAccessible.Role.ComboBox)
    return [
        path
        for path, node in found
        if node.role() in _ROLES
        and not node.text(QAccessible.Text.Name).strip()
        and (parent := node.parent()) is not None
        and parent.role() not in outer
    ]


def _out_of_reach(root: QWidget) -> list[str]:
    """Controls in sight that no Tab leads to."""
    found = []
    for control in root.findChildren(QWidget):
        inner = isinstance(control.parentWidget(), (QAbstractSpinBox, QComboBox, QAbstractItemView))
        if not isinstance(control, _CONTROLS) or inner or not control.isVisibleTo(root) or not control.isEnabled():
            continue
        reach = control.focusProxy() or control
        if not reach.focusPolicy() & Qt.FocusPolicy.TabFocus:
            found.append(f"{type(control).__name__} «{control.accessibleName() or control.objectName()}»")
    return found


def _require_good(root: QWidget, screen: str) -> None:
    assert (screen, _nameless(root)) == (screen, [])
    assert (screen, _out_of_reach(root)) == (screen, [])


def _with_letters(desk: Desk, window: Window, qtbot: QtBot) -> None:
    letters = [str(desk.letter(name)) for name in ("cong-van.pdf", "thong-bao.pdf")]
    secret = next(sample for sample in samples.load().samples if sample.secret)
    window.open_files([*letters, str(samples.file(secret.main))])
    shell = window._shell
    assert shell is not None
    qtbot.waitUntil(lambda: len(shell.desk.outgoing.rows()) == len(letters), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: window._panes[Tab.OUTGOING].busy() is None, timeout=PATIENCE_MS)


def _require_good_checks(desk: Desk, window: Window, qtbot: QtBot) -> None:
    """The list of checked files with one of them in the verify view, beside the list and alone."""
    window.go(Tab.INCOMING)
    pane = window._panes[Tab.INCOMING]
    assert isinstance(pane, IncomingPane)
    pane.check_paths([desk.letter("cong-van.pdf")])
    qtbot.waitUntil(pane.details.view.pages.isVisible, timeout=PATIENCE_MS)
    for wide in (False, True):
        pane.details.view.wide.setChecked(wide)
        _require_good(window, f"checked files, wide: {wide}")


@pytest.mark.parametrize("lang", ["vi", pytest.param("en", marks=pytest.mark.long)])
def test_every_control_has_a_name_and_can_be_reached_by_keyboard(desk: Desk, qtbot: QtBot, lang: Lang) -> None:
    desk.change_settings(language=lang)
    with program(desk.data, qtbot) as running:
        window = running.window
        _with_letters(desk, window, qtbot)
        for tab in Tab:
            window.go(tab)
            qtbot.wait(50)
            _require_good(window, tab)
        _require_good_checks(desk, window, qtbot)
        window.open_settings()
        page = window._page
        assert page is not None
        sections = page.findChild(QListWidget)
        assert sections is not None
        for row in range(sections.count()):
            sections.setCurrentRow(row)
            qtbot.wait(50)
            _require_good(window, f"settings {row}")
        page.left.emit()
        window.open_custody()
        qtbot.wait(50)
        _require_good(window, "hand-over book")


class _Shown(QObject):
    """Notes every window that comes to the screen."""

    def __init__(self) -> None:
        super().__init__()
        self.windows: list[str] = []

    def eventFilter(self, thing: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() is QEvent.Type.Show and isinstance(thing, QWidget) and thing.isWindow():
            self.windows.append(type(thing).__name__)
        return False


def test_no_part_of_a_pane_comes_to_the_screen_as_a_window_of_its_own(desk: Desk, qtbot: QtBot) -> None:
    """It would flash, and take away what is being typed."""
    application, shown = QApplication.instance(), _Shown()
    assert application is not None
    application.installEventFilter(shown)
    with program(desk.data, qtbot) as running:
        for tab in Tab:
            running.window.go(tab)
            qtbot.wait(50)
        outgoing = running.window._panes[Tab.OUTGOING]
        assert isinstance(outgoing, OutgoingPane)
        outgoing.lists.show_second()
        qtbot.wait(50)
    application.removeEventFilter(shown)
    assert shown.windows == [type(running.window).__name__]


def test_a_low_window_keeps_its_panes_whole_and_the_red_strip_small(desk: Desk, qtbot: QtBot) -> None:
    with program(desk.data, qtbot) as running:
        window = running.window
        window.setMinimumSize(1, 1)
        window.showNormal()
        told = "Hỏa tốc chưa tiếp nhận: 2 văn bản đến, lâu nhất từ Ủy ban nhân dân tỉnh An Sơn (08:12). " * 2
        alarms = (Alarm(told, "Mở văn bản đến", Tab.INCOMING),) * 3
        window.resize(1366, 700)
        window.show_alarms(alarms)
        high = window._strip.sizeHint().height()
        window.resize(683, 384)
        qtbot.waitUntil(lambda: window.height() == 384)
        window.show_alarms(alarms)
        assert window._strip.sizeHint().height() < high
        assert told.strip() in [made.shown() for made in window._strip.findChildren(Elided)]
        window.go(Tab.REGISTER)
        qtbot.wait(10)
        pane = window._panes[Tab.REGISTER]
        assert pane.height() >= window.theme.space(100) > window._stack.height()
        window.go(Tab.TODAY)
        qtbot.wait(10)
        assert window._panes[Tab.TODAY].height() == window._stack.height()


def test_what_waited_longest_leads_to_the_list_of_what_waits(desk: Desk, qtbot: QtBot) -> None:
    with program(desk.data, qtbot) as running:
        running.window.bar._unsent.click()
        assert running.window.tab is Tab.OUTGOING
        outgoing = running.window._panes[Tab.OUTGOING]
        assert isinstance(outgoing, OutgoingPane)
        assert outgoing.lists.is_second


def test_the_first_start_has_names_too(site: Site, desk: Desk, qtbot: QtBot) -> None:
    empty = DataFolder(desk.folder / "new")
    empty.create()
    known = desk.settings()
    save_settings(empty, msgspec.structs.replace(Settings(), modules=known.modules, softhsm2_conf=known.softhsm2_conf))
    with program(empty.path, qtbot) as running:
        window = running.window
        assert window._page is not None
        shell = window._shell
        assert shell is not None
        qtbot.waitUntil(lambda: bool(shell.hub.tokens.tokens), timeout=PATIENCE_MS)
        _require_good(window, "first start")


@pytest.mark.parametrize("state", list(PinState))
def test_the_pin_dialogue_has_names_in_every_state(qtbot: QtBot, state: PinState) -> None:
    dialog = PinDialog(PinRequest(Purpose.TRY, "UBND xã A", state), Words("vi"), Theme(dark=False))
    qtbot.addWidget(dialog)
    dialog.show()
    _require_good(dialog, state)


def test_a_control_without_a_name_would_be_found(qtbot: QtBot) -> None:
    bare = QWidget()
    qtbot.addWidget(bare)
    QLineEdit(bare)
    bare.show()
    assert len(_nameless(bare)) == 1
