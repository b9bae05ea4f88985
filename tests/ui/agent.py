"""The window under test, in a process of its own, with an agent in it that tells the driver what the screen shows.

`python -m tests.ui.agent ARGUMENT…` runs `signer_ui.main` as a user's start does. The agent reads requests from stdin
and answers on stdout, a line of JSON each: what a screen reader would find (the accessible tree), a picture of the
screen, the gaps of the stall watch. It never acts on the window: that is done with real events, from outside.
"""

import os
import sys
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import Future
from io import RawIOBase
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from PySide6.QtCore import QObject, QRect, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleInterface, QGuiApplication
from PySide6.QtWidgets import QAbstractItemView, QApplication, QComboBox, QLabel, QTabBar, QTableView, QWidget

from tests.ui.stall import StallReport, StallWatch

_DEEPEST = 40
_MOST_ITEMS = 400
"""Of the children of a list only so many are told."""


class Look(msgspec.Struct, frozen=True, tag=True):
    """What is on the screen; answered by `View`."""


class Picture(msgspec.Struct, frozen=True, tag=True):
    """The screen as PNG into the file `path`; answered by `Done`."""

    path: str


class Clip(msgspec.Struct, frozen=True, tag=True):
    """Puts a text on the clipboard, as copying in another program does; answered by `Done`."""

    text: str


class Begin(msgspec.Struct, frozen=True, tag=True):
    """A new section of the stall watch; answered by `Done`."""

    section: str


class Stalls(msgspec.Struct, frozen=True, tag=True):
    """The stall watch; answered by `StallReport`."""


Request = Look | Picture | Clip | Begin | Stalls


class Done(msgspec.Struct, frozen=True):
    """It is done."""


class Seen(msgspec.Struct, frozen=True):
    """One thing of the accessible tree that is visible. `place` is x, y, width, height in pixels of the screen."""

    role: str
    name: str
    value: str
    place: tuple[int, int, int, int]
    enabled: bool
    focused: bool
    checked: bool
    selected: bool
    focusable: bool
    window: int
    """The number of its window; the one in front has the highest."""
    path: str
    """Its widget and the widgets around it, innermost last."""

    @property
    def middle(self) -> tuple[int, int]:
        """A place to click at."""
        x, y, width, height = self.place
        return x + width // 2, y + height // 2


class View(msgspec.Struct, frozen=True):
    """All that is visible, in the order of the tree."""

    seen: tuple[Seen, ...]
    clickable_without_focus: tuple[str, ...]
    """Paths of enabled widgets that take clicks and can't be reached by keyboard."""
    texts_hidden: tuple[str, ...]
    """Paths of labels whose name says something else than their text: a screen reader never tells the text."""


class Ended(msgspec.Struct, frozen=True):
    """What was still there when the window had been closed."""

    code: int
    threads: tuple[str, ...]
    children: tuple[int, ...]


class Agent(QObject):
    """Listens in a thread of its own, looks on the UI thread."""

    _wanted = Signal(object)
    _born = Signal()

    def __init__(self, hears: RawIOBase, tells: BinaryIO) -> None:
        super().__init__()
        self._hears = hears
        self._tells = tells
        self._watch: StallWatch | None = None
        self._wanted.connect(self._do, Qt.ConnectionType.QueuedConnection)
        # A timer needs the application, which is made later; this comes with its first events.
        self._born.connect(self._begin_watch, Qt.ConnectionType.QueuedConnection)
        self._born.emit()
        threading.Thread(target=self._run_agent, name="agent", daemon=True).start()

    def tell(self, answer: Any) -> None:
        """Writes one line to the driver."""
        self._tells.write(msgspec.json.encode(answer) + b"\n")
        self._tells.flush()

    def end(self) -> None:
        """The window's loop has ended."""
        if self._watch is not None:
            self._watch.end()

    def _begin_watch(self) -> None:
        # As a screen reader does: else what Qt remembers of tables grows old.
        QAccessible.setActive(True)
        self._watch = StallWatch()

    def _run_agent(self) -> None:
        for line in self._hears:
            request = msgspec.json.decode(line, type=Request)
            answer: Future[Any] = Future()
            self._wanted.emit((request, answer))
            self.tell(answer.result())
        # Whoever drove it is gone: nobody will ever close this window.
        os._exit(70)

    def _do(self, wanted: tuple[Request, "Future[Any]"]) -> None:
        request, answer = wanted
        assert self._watch is not None
        with self._watch.excused():
            try:
                answer.set_result(self._answer(request))
            except Exception:  # noqa: BLE001 - the driver reads it, and fails
                traceback.print_exc()
                os._exit(71)

    def _answer(self, request: Request) -> View | Done | StallReport:
        match request:
            case Look():
                return look()
            case Picture(path):
                QGuiApplication.primaryScreen().grabWindow(0).save(path)
            case Clip(text):
                QGuiApplication.clipboard().setText(text)
            case Begin(section):
                assert self._watch is not None
                self._watch.begin(section)
            case Stalls():
                assert self._watch is not None
                return self._watch.report()
        return Done()


def look() -> View:
    """Walks the accessible tree of every visible window."""
    seen: list[Seen] = []
    without: list[str] = []
    hidden: list[str] = []
    windows = [w for w in QApplication.topLevelWidgets() if w.isVisible() and w.windowHandle() is not None]
    windows.sort(key=lambda window: (window is QApplication.activeWindow(), window.isModal()))
    for number, window in enumerate(windows):
        seen += _walk(QAccessible.queryAccessibleInterface(window), number, window.devicePixelRatioF(), "", 0)
        without += [_path(w) for w in window.findChildren(QWidget) if _takes_clicks_only(w)]
        hidden += [_path(w) for w in window.findChildren(QLabel) if _hides_its_text(w)]
    return View(tuple(seen), tuple(without), tuple(hidden))


def _walk(
    interface: QAccessibleInterface | None,
    window: int,
    ratio: float,
    path: str,
    depth: int,
    inside: QWidget | None = None,
) -> Iterator[Seen]:
    """`inside`: the widget that an item without a widget of its own belongs to."""
    if interface is None or not interface.isValid() or depth > _DEEPEST:
        return
    state = interface.state()
    widget = interface.object()
    if isinstance(widget, QWidget):
        if not widget.isVisible():
            return
        path, inside = _path(widget), widget
    elif state.invisible:
        return
    role = interface.role()
    own = isinstance(widget, QWidget)
    yield Seen(
        role.name,
        _name(interface, widget),
        "" if state.passwordEdit else interface.text(QAccessible.Text.Value),
        _place(_visible_part(widget, interface.rect(), role, inside), ratio),
        not state.disabled,
        # The viewport of what scrolls, the current cell of a table and the current tab claim more than is so.
        inside is QApplication.focusWidget() and (own or bool(state.focused)),
        bool(state.checked),
        bool(state.selected),
        isinstance(widget, QWidget) and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus),
        window,
        path if own else f"{path} · {role.name}",
    )
    for child in _children(interface, widget):
        yield from _walk(child, window, ratio, path, depth + 1, inside)


def _name(interface: QAccessibleInterface, widget: QObject | None) -> str:
    """What a screen reader calls it. On Unix Qt gives a box's content for its name, and the name as a relation."""
    if isinstance(widget, QComboBox | QTabBar):
        labels = [found for found, kind in interface.relations() if kind & QAccessible.RelationFlag.Label]
        named = [found.text(QAccessible.Text.Name) for found in labels if found is not None]
        return widget.accessibleName() or next((name for name in named if name), "")
    return interface.text(QAccessible.Text.Name)


def _children(interface: QAccessibleInterface, widget: QObject | None) -> Iterator[QAccessibleInterface | None]:
    if isinstance(widget, QTableView) and widget.model() is not None:
        for index in _visible_cells(widget):
            yield interface.child(index)
        # What lies over the cells: the editor of one of them.
        for child in widget.viewport().findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
            yield QAccessible.queryAccessibleInterface(child)
        return
    count = interface.childCount()
    for number in range(min(count, _MOST_ITEMS) if isinstance(widget, QAbstractItemView) else count):
        yield interface.child(number)


def _visible_cells(view: QTableView) -> Iterator[int]:
    """Qt numbers a table's children row by row, with its heads as row 0 and column 0, shown or not."""
    columns = [c for c in range(view.model().columnCount()) if not view.isColumnHidden(c)]
    width = view.model().columnCount() + 1
    if view.horizontalHeader().isVisible():
        yield from (1 + column for column in columns)
    first, last = view.rowAt(0), view.rowAt(view.viewport().height() - 1)
    for row in range(max(0, first), (view.model().rowCount() if last < 0 else last + 1) if first >= 0 else 0):
        yield from ((row + 1) * width + column + 1 for column in columns)


def _visible_part(widget: QObject | None, rect: QRect, role: QAccessible.Role, inside: QWidget | None) -> QRect:
    """Of a widget in a scrolled surface, and of a cell, only what can be seen can be clicked."""
    if isinstance(widget, QWidget):
        return _shown(widget)
    if role is QAccessible.Role.Cell and isinstance(inside, QTableView):
        return rect & _shown(inside.viewport())
    return rect


def _shown(widget: QWidget) -> QRect:
    part, around = widget.rect(), widget
    while not around.isWindow() and (outer := around.parentWidget()) is not None:
        part, around = part.translated(around.pos()) & outer.rect(), outer
    return QRect(around.mapToGlobal(part.topLeft()), part.size()) if not part.isEmpty() else QRect()


def _place(rect: QRect, ratio: float) -> tuple[int, int, int, int]:
    x, y, width, height = (round(number * ratio) for number in (rect.x(), rect.y(), rect.width(), rect.height()))
    return x, y, width, height


def _path(widget: QWidget) -> str:
    names: list[str] = []
    around: QWidget | None = widget
    while around is not None:
        names.append(type(around).__name__)
        around = around.parentWidget()
    return "/".join(reversed(names))


_CLICKED = {QAccessible.Role.Button, QAccessible.Role.CheckBox, QAccessible.Role.RadioButton, QAccessible.Role.ComboBox}


def _takes_clicks_only(widget: QWidget) -> bool:
    """Whether it is a control that the mouse reaches and the keyboard doesn't."""
    if not widget.isVisible() or not widget.isEnabled() or widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
        return False
    interface = QAccessible.queryAccessibleInterface(widget)
    return interface is not None and interface.role() in _CLICKED


def _hides_its_text(label: QLabel) -> bool:
    name, text = label.accessibleName(), label.text().rstrip("…")
    return label.isVisible() and bool(name) and text not in name


def _children_alive() -> tuple[int, ...]:
    alive: list[int] = []
    for children in Path("/proc/self/task").glob("*/children"):
        alive += map(int, children.read_text(encoding="ascii").split())
    return tuple(alive)


def main() -> int:
    """The window's exit code; what it left behind is told before."""
    tells = os.fdopen(os.dup(1), "wb")
    # What the program itself prints must not be taken for an answer.
    os.dup2(2, 1)
    # Unbuffered: the thread that waits in a read at the end must hold no lock of the interpreter.
    agent = Agent(os.fdopen(os.dup(0), "rb", buffering=0), tells)
    from signer_ui.main import main as window

    code = window(sys.argv[1:])
    agent.end()
    threads = tuple(thread.name for thread in threading.enumerate() if thread.name not in ("MainThread", "agent"))
    agent.tell(Ended(code, threads, _children_alive()))
    return code


if __name__ == "__main__":
    raise SystemExit(main())
