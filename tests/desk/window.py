"""A shell over an office, for tests of panes: the real hub and lanes; what a pane tells or asks for is written down."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget
from pytestqt.qtbot import QtBot

from signer_app.desk.exchange import ExchangeSnapshot, Link
from signer_resources.errors import KnownError
from signer_ui.hub import Hub
from signer_ui.shell import Pane, Shell, Tab
from signer_ui.tasks import Tasks
from signer_ui.theme import Theme
from signer_ui.words import Words
from tests.desk.office import Office

P = TypeVar("P", bound=Pane)
WORDS = Words("vi")


@dataclass
class Desktop:
    """What a pane is shown on."""

    qtbot: QtBot
    office: Office
    shell: Shell
    told: list[KnownError | str] = field(default_factory=list)
    tabs: list[Tab] = field(default_factory=list)
    panes: list[Pane] = field(default_factory=list)

    @property
    def hub(self) -> Hub:
        return self.shell.hub

    def show(self, make: Callable[[Shell], P]) -> P:
        """The pane in front."""
        pane = make(self.shell)
        self.panes.append(pane)
        pane.resize(1366, 640)
        pane.show()
        pane.shown()
        return pane

    def wait(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=20_000)

    def store_changed(self) -> None:
        self.hub.poke_store()


@contextmanager
def desktop(qtbot: QtBot, office: Office) -> Iterator[Desktop]:
    """Lanes, hub and shell over the office; no timer runs, and every fault of the program fails the test."""
    faults: list[BaseException] = []

    def log(fault: BaseException) -> str:
        faults.append(fault)
        return "log"

    told: list[KnownError | str] = []
    tabs: list[Tab] = []
    tasks = Tasks(log)
    tasks.unhandled.connect(told.append)
    desk = office.desk
    hub = Hub(desk, tasks, desk.begin())
    shell = Shell(desk, tasks, hub, WORDS, Theme(dark=False), told.append, tabs.append)
    made = Desktop(qtbot, office, shell, told, tabs)
    try:
        yield made
    finally:
        hub.stop()
        tasks.close()
        # Gone before the next test, here and now: the garbage collector would do it on whichever thread it runs.
        for thing in (*made.panes, hub, tasks):
            thing.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not faults


def visible_texts(widget: QWidget) -> str:
    """All words that a person sees."""
    labels = [made.text() for made in widget.findChildren(QLabel) if made.isVisible()]
    return "\n".join([*labels, *(made.text() for made in widget.findChildren(QAbstractButton) if made.isVisible())])


def press(widget: QWidget, words: str) -> None:
    """Presses the visible button with these words."""
    found = [
        made
        for made in widget.findChildren(QAbstractButton)
        if made.isVisible() and made.text().replace("&", "") == words
    ]
    assert len(found) == 1, words
    found[0].click()


def nameless(widget: QWidget) -> list[QWidget]:
    """Visible controls that have neither words nor a name for those who can't see them."""
    return [
        made
        for made in widget.findChildren(QWidget)
        if made.isVisible()
        and made.focusPolicy().value
        and not made.accessibleName()
        and not (isinstance(made, QAbstractButton | QLabel) and made.text())
        and made.objectName() != "qt_spinbox_lineedit"
    ]


def away(since: dt.datetime) -> ExchangeSnapshot:
    """The server can't be reached."""
    return ExchangeSnapshot(Link.AWAY, since, KnownError("server_unreachable", host="x"))
