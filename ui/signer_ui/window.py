"""The main window: top bar, red strip, notices, tabs; it shows and leads, the panes work.

UI thread. Painted first with nothing but its frame; `furnish` brings the desk and the pane in front. The other panes
are made one by one in the quiet moments after it, or when their tab is shown before that. Closing asks the panes
whether something would be interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication, QKeySequence, QPaintEvent, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QScrollArea,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from signer_resources.errors import KnownError
from signer_ui.tabs import Tab
from signer_ui.theme import Theme
from signer_ui.topbar import TopBar
from signer_ui.widgets.basics import button, frame, label, repolish, row
from signer_ui.widgets.elided import Elided
from signer_ui.widgets.notice import Notice
from signer_ui.words import Words

if TYPE_CHECKING:
    from signer_ui.presenters.today import Alarm
    from signer_ui.shell import Page, Pane, Shell
    from signer_ui.widgets.training_banner import TrainingBanner

_SIZE = (1366, 768)
_SMALLEST = (960, 600)
_NARROW = 200
"""Units of width."""
_LOW = 130
"""Units of height of the window, below which the strip makes itself small."""
_PANE_HEIGHT = 100
"""Units that a pane is laid out for at least: on a lower screen, or with larger text, it scrolls."""
_RESTORE_HELPS = frozenset({"restore_unfinished", "database_damaged", "settings_invalid"})
_SETTLE_MS = 20
"""How soon closing looks again whether what was typed is written."""
_AHEAD_MS = 150
"""Between two steps of making a pane that isn't wanted yet."""
_AHEAD_WIDGETS = 40
"""So many of its widgets are styled in one step."""


class Window(QMainWindow):
    """The program's one window."""

    closing = Signal()
    """The window was closed and nothing is left to be waited for."""
    removal_wanted = Signal()
    """In training: leave it, and remove all that was made."""
    painted = Signal()
    """The frame was painted for the first time."""
    restore_wanted = Signal()
    """The data folder should be filled from a backup."""

    def __init__(self, words: Words, theme: Theme, *, training: bool = False) -> None:
        super().__init__()
        self.words = words
        self.theme = theme
        self._shell: Shell | None = None
        self._panes: dict[Tab, Pane] = {}
        self._unplaced: dict[Tab, Pane] = {}
        """Made ahead, and still to be put in its place."""
        self._places: dict[Tab, _Page] = {}
        self._page: Page | None = None
        """What is shown in place of the tabs: settings, first start."""
        self.waiting: list[str] = []
        """Documents that were handed over before the panes came, or while the settings could not be left."""
        self._closing = False
        self._painted = False
        self._ahead: Iterator[None] = iter(())
        """The steps of making what isn't wanted yet."""
        self._pause = QTimer(self)
        self._pause.setInterval(_AHEAD_MS)
        self._pause.timeout.connect(self._step_ahead)
        theme.dress(self)
        self.training: TrainingBanner | None = None
        if training:
            from signer_ui.widgets.training_banner import TrainingBanner

            self.training = TrainingBanner(words, theme)
            self.training.leave_wanted.connect(self.close)
        self.setWindowTitle(words("tr_title" if training else "ui_title"))
        self.bar = TopBar(words, theme)
        self.bar.tab_wanted.connect(lambda tab: self.go(Tab(tab)))
        self.bar.settings_wanted.connect(self.open_settings)
        self.bar.sending_wanted.connect(self.show_sending)
        self.bar.update_wanted.connect(lambda: self.open_settings("up_section"))
        self.notice = Notice(words, theme)
        self._strip = _Strip(words, theme)
        self._strip.pressed.connect(self._alarm_pressed)
        self._strip.given_up.connect(self._give_up_pressed)
        self._stack = QStackedWidget()
        self._tabs = self._make_tabs()
        self._build()
        self._fit_screen()

    def _make_tabs(self) -> QTabBar:
        tabs = QTabBar()
        tabs.setAccessibleName(self.words("ui_window_tabs"))
        tabs.setDrawBase(False)
        tabs.setExpanding(False)
        for number, tab in enumerate(Tab, start=1):
            page = _Page(self.theme)
            self._places[tab] = page
            title = self.words(f"ui_tab_{tab}")
            page.setAccessibleName(title)
            self._stack.addWidget(page)
            tabs.addTab(title)
            shortcut = QShortcut(QKeySequence(f"Alt+{number}"), self)
            shortcut.activated.connect(lambda tab=tab: self.go(tab))
        tabs.tabBarClicked.connect(self._tab_clicked)
        tabs.currentChanged.connect(lambda _index: self._shown())
        return tabs

    def _build(self) -> None:
        body = QWidget()
        lines = QVBoxLayout(body)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(0)
        if self.training is not None:
            lines.addWidget(self.training)
        lines.addWidget(self.bar)
        lines.addWidget(self._strip)
        tab_row = frame("bar")
        tab_line = QHBoxLayout(tab_row)
        tab_line.setContentsMargins(self.theme.space(2), 0, self.theme.space(2), 0)
        tab_line.addWidget(self._tabs, 1)
        lines.addWidget(tab_row)
        around = QHBoxLayout()
        around.setContentsMargins(self.theme.space(4), self.theme.space(2), self.theme.space(4), self.theme.space(1))
        around.addWidget(self.notice)
        self._notice_place = QWidget()
        self._notice_place.setLayout(around)
        self._notice_place.hide()
        lines.addWidget(self._notice_place)
        lines.addWidget(self._stack, 1)
        self.setCentralWidget(body)
        self.notice.visibility_changed.connect(self._notice_place.setVisible)

    def _fit_screen(self) -> None:
        screen = QGuiApplication.primaryScreen()
        free = screen.availableGeometry() if screen is not None else QRect(0, 0, *_SIZE)
        self.setMinimumSize(min(_SMALLEST[0], free.width()), min(_SMALLEST[1], free.height()))
        self.resize(min(_SIZE[0], free.width()), min(_SIZE[1], free.height()))
        if free.width() <= _SIZE[0] or free.height() <= _SIZE[1]:
            self.setWindowState(self.windowState() | Qt.WindowState.WindowMaximized)

    # ---- what the program tells the window -------------------------------------------------------------------------

    def furnish(self, shell: Shell, *, first_start: bool) -> None:
        """The desk is open: the panes may come."""
        self._shell = shell
        if self.training is not None and shell.training is not None:
            from signer_ui.training_steering import lead

            lead(self, self.training, shell.training)
        if first_start:
            self._open_first_start(shell)
        else:
            self._shown()
            _focus_into(self._panes[self.tab])
            self._go_ahead()
            self._bring_in()

    def tell(self, message: KnownError | str) -> None:
        """An error, or a text of the catalogue, in the line at the top."""
        if isinstance(message, KnownError):
            self.notice.error(message)
        else:
            self.notice.tell(self.words(message))

    def refuse(self, error: KnownError, again: Callable[[], None]) -> None:
        """The desk could not be opened: the reason, a way to try again, and where that helps, to a backup."""
        self.bar.lock_settings(True)

        def retry() -> None:
            self.notice.clear()
            self.bar.lock_settings(False)
            again()

        def restore() -> None:
            self.notice.clear()
            self.restore_wanted.emit()

        more = ((self.words("bk_restore"), restore),) if error.code in _RESTORE_HELPS else ()
        self.notice.error(error, *more, (self.words("ui_retry"), retry))

    def show_alarms(self, alarms: tuple[Alarm, ...]) -> None:
        """The red strip; none hides it."""
        self._strip.show_alarms(alarms)

    # ---- where one is ----------------------------------------------------------------------------------------------

    def go(self, tab: Tab) -> None:
        """Shows a tab; leaves the settings if they are open and let go."""
        if self._page is not None:
            if not self._page.may_leave():
                return
            self._back_to_tabs()
        self._tabs.setCurrentIndex(list(Tab).index(tab))

    def show_sending(self) -> None:
        """Shows what waits to be sent."""
        self.go(Tab.OUTGOING)
        if self._page is None:
            self._panes[Tab.OUTGOING].show_sending()

    def _tab_clicked(self, index: int) -> None:
        # The tab that was in front before the settings came is still current, so its click changes nothing by itself.
        if index == self._tabs.currentIndex() and self._page is not None:
            self.go(list(Tab)[index])

    @property
    def tab(self) -> Tab:
        """The tab in front."""
        return list(Tab)[self._tabs.currentIndex()]

    def open_files(self, paths: list[str]) -> None:
        """Documents handed over by another start of the program, or given on its command line."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()
        self.waiting += paths
        if paths and self._shell is not None:
            self.go(Tab.OUTGOING)
            self._bring_in()

    def _bring_in(self) -> None:
        """Opens what was handed over; while the settings can't be left, it waits for their end."""
        if self.waiting and self._page is None:
            paths, self.waiting = self.waiting, []
            self.go(Tab.OUTGOING)
            self._panes[Tab.OUTGOING].open_files(paths)

    def open_settings(self, section: str = "") -> None:
        """The settings, in place of the tabs; `section` as `Pane.settings_wanted`."""
        shell = self._shell
        if shell is None or self._page is not None:
            return
        if self.training is not None:
            self.notice.tell(self.words("tr_no_settings"), role="notice-warn")
            return
        from signer_ui.panes.settings import SettingsPane

        self._instead(SettingsPane(shell, section))

    def open_custody(self) -> None:
        """The hand-over book, in place of the tabs."""
        shell = self._shell
        if shell is None or self._page is not None:
            return
        from signer_ui.panes.custody import CustodyPane
        from signer_ui.widgets.pin_change import change_pin

        pane = CustodyPane(shell)

        def changed() -> None:
            shell.notice("us_change_done")
            if isValid(pane):
                pane.shown()

        pane.pin_change_wanted.connect(lambda certificate: change_pin(shell, pane, certificate, changed, shell.notice))
        self._instead(pane)

    def open_after_restore(self) -> None:
        """What a restore has left to be said, in place of the tabs."""
        shell = self._shell
        if shell is None or self._page is not None:
            return
        from signer_ui.panes.after_restore import AfterRestorePane

        self._instead(AfterRestorePane(shell))

    def show_page(self, page: Page) -> None:
        """A page in place of what is in front, which goes."""
        if self._page is not None:
            self._take_page_out()
        self._instead(page)

    def back_to_first_start(self) -> None:
        """From a page that was shown in its place."""
        if self._shell is not None and self._page is not None:
            self._take_page_out()
            self._open_first_start(self._shell)

    def _open_first_start(self, shell: Shell) -> None:
        from signer_ui.panes.first_start import FirstStartPane

        self._instead(FirstStartPane(shell))

    def _instead(self, pane: Page) -> None:
        self._page = pane
        pane.left.connect(self._back_to_tabs)
        pane.restore_wanted.connect(self.restore_wanted)
        pane.sending_wanted.connect(self.show_sending)
        page = _Page(self.theme)
        page.put(pane)
        self._stack.addWidget(page)
        self._stack.setCurrentWidget(page)
        repolish(self._tabs, "away", "true")
        pane.shown()
        _focus_into(pane)

    def _take_page_out(self) -> None:
        self._page = None
        # While it is shown no tab is, so its place is the one in front.
        around = self._stack.currentWidget()
        assert around is not None
        self._stack.removeWidget(around)
        around.deleteLater()

    def _back_to_tabs(self) -> None:
        if self._page is None:
            return
        self._take_page_out()
        repolish(self._tabs, "away", "false")
        self._shown()
        self._bring_in()
        self._go_ahead()

    def _shown(self) -> None:
        if self._page is not None:
            # A tab was pressed while the settings are open.
            self.go(self.tab)
            return
        tab, shell = self.tab, self._shell
        self._stack.setCurrentIndex(self._tabs.currentIndex())
        if shell is None:
            return
        if tab not in self._panes:
            self._make(tab, shell, _pane_class(tab))
        self._panes[tab].shown()
        if not self._tabs.hasFocus():
            # Who goes through the tabs with the arrow keys stays there.
            _focus_into(self._panes[tab])

    def _make(self, tab: Tab, shell: Shell, make: Callable[[Shell], Pane]) -> None:
        pane = self._panes[tab] = self._unplaced.pop(tab) if tab in self._unplaced else make(shell)
        pane.files_wanted.connect(self.open_files)
        pane.sending_wanted.connect(self.show_sending)
        pane.settings_wanted.connect(self.open_settings)
        pane.custody_wanted.connect(self.open_custody)
        pane.after_restore_wanted.connect(self.open_after_restore)
        self._places[tab].put(pane)
        # Now, not with the next round of events: what isn't visible yet takes no focus.
        pane.show()

    def _make_ahead(self, shell: Shell) -> Iterator[None]:
        # Small steps: a clerk who presses something meanwhile doesn't wait for the rest. And none while a lane works:
        # Qt asks much of Python while it lays out, and would wait for that thread each time.
        yield from _quiet(shell)
        QScrollArea().viewport()  # At the first such call PySide sets up every class of widgets.
        yield from _quiet(shell)
        for tab in Tab:
            if tab in self._panes:
                continue
            make = _pane_class(tab)
            yield from _quiet(shell)
            if tab in self._panes:
                continue
            # To make it takes about as long as to style it, which putting it in its place does.
            self._unplaced[tab] = make(shell)
            yield from _quiet(shell)
            if tab in self._panes:
                continue
            self._make(tab, shell, make)
            yield from _quiet(shell)
            widgets = self._panes[tab].findChildren(QWidget)
            for number, widget in enumerate(widgets, start=1):
                if isValid(widget):
                    widget.ensurePolished()
                if number % _AHEAD_WIDGETS == 0:
                    yield from _quiet(shell)

    def _go_ahead(self) -> None:
        if self._shell is not None:
            self._ahead = self._make_ahead(self._shell)
            self._pause.start()

    @property
    def making_ahead(self) -> bool:
        """Whether panes that nobody has asked for are still being made."""
        return self._pause.isActive()

    def _step_ahead(self) -> None:
        if self._page is not None or self._closing or next(self._ahead, self) is self:
            self._pause.stop()

    def _alarm_pressed(self, alarm: Alarm) -> None:
        self.go(alarm.tab)
        if alarm.batch is not None and self._page is None:
            self._panes[alarm.tab].resume(alarm.batch)
        if alarm.sending:
            self.show_sending()

    def _give_up_pressed(self, alarm: Alarm) -> None:
        self.go(alarm.tab)
        if alarm.batch is not None and self._page is None:
            self._panes[alarm.tab].give_up(alarm.batch)

    # ---- the end ---------------------------------------------------------------------------------------------------

    def busy(self) -> str | None:
        """Key of a text that says what closing now would interrupt; None when nothing."""
        if self._shell is not None and self._shell.hub.changing_pin:
            return "us_change_busy"
        return next((words for pane in self._everything() if (words := pane.busy()) is not None), None)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """In a narrow window the titles of the tabs stand closer, so that all are seen; a low one is for the pane."""
        super().resizeEvent(event)
        repolish(self._tabs, "narrow", "true" if self.width() < self.theme.space(_NARROW) else "false")
        self._strip.set_low(self.height() < self.theme.space(_LOW))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Tells once, when all of the window has been painted."""
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self.painted.emit)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Closes at once when nothing runs; else asks in place, and closes when the work has come to a safe point."""
        if self._closing:
            event.accept()
            return
        if not all(pane.settled() for pane in self._everything()):
            event.ignore()
            QTimer.singleShot(_SETTLE_MS, self.close)
            return
        busy = self.busy()
        if busy is not None:
            event.ignore()
            self.notice.tell(
                self.words(busy),
                (self.words("ui_stop_and_close"), self._stop_then_close),
                (self.words("ui_stay"), self.notice.clear),
                role="notice-warn",
                question=True,
            )
            self.notice.focus_action()
            return
        self._closing = True
        self._drop_unplaced()
        event.accept()
        self.hide()
        self.closing.emit()

    def dismiss(self) -> None:
        """Closes without asking or telling: another window of the same program takes over."""
        self._closing = True
        self._drop_unplaced()
        self.close()
        self.deleteLater()

    def _drop_unplaced(self) -> None:
        """What has no place yet belongs to no window, and would outlive this one."""
        while self._unplaced:
            self._unplaced.popitem()[1].deleteLater()

    def _everything(self) -> list[Page]:
        return [*self._panes.values(), *([self._page] if self._page is not None else [])]

    def _stop_then_close(self) -> None:
        self.notice.tell(self.words("ui_closing_after"), role="notice-warn")
        for pane in self._everything():
            if pane.busy() is not None:
                pane.stop()
        waiting = QTimer(self)
        waiting.setInterval(100)

        def look() -> None:
            if self.busy() is None:
                waiting.stop()
                self.close()

        waiting.timeout.connect(look)
        waiting.start()


def _pane_class(tab: Tab) -> Callable[[Shell], Pane]:
    """What makes a tab's pane; each is loaded when it is first wanted."""
    match tab:
        case Tab.TODAY:
            from signer_ui.panes.today import TodayPane

            return TodayPane
        case Tab.OUTGOING:
            from signer_ui.panes.outgoing import OutgoingPane

            return OutgoingPane
        case Tab.INCOMING:
            from signer_ui.panes.incoming import IncomingPane

            return IncomingPane
        case Tab.REGISTER:
            from signer_ui.panes.register import RegisterPane

            return RegisterPane
        case Tab.TOKEN:
            from signer_ui.panes.token import TokenPane

            return TokenPane
        case Tab.MACHINE:
            from signer_ui.panes.machine import MachinePane

            return MachinePane


def _quiet(shell: Shell) -> Iterator[None]:
    yield
    while shell.tasks.busy:
        yield


def _focus_into(pane: Page) -> None:
    """Gives the keyboard to the pane's first control, for what had it may be hidden now."""
    first = pane.first_control()
    if first is not None:
        first.setFocus(Qt.FocusReason.OtherFocusReason)
        return
    control = pane.nextInFocusChain()
    while control is not None and control is not pane:
        usable = pane.isAncestorOf(control) and control.isVisible() and control.isEnabled()
        # Of what only scrolls nothing shows that it has the keyboard.
        if usable and not isinstance(control, QScrollArea) and control.focusPolicy() & Qt.FocusPolicy.TabFocus:
            control.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        control = control.nextInFocusChain()


class _Place(QVBoxLayout):
    """Of a pane: its lists and texts take the height that there is, whatever they would like."""

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's name
        """False: the area would scroll at any height."""
        return False


class _Page(QScrollArea):
    """A pane's place: it scrolls where the window is lower than any pane can be laid out for."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._height = theme.space(_PANE_HEIGHT)
        self._content = QWidget()
        self._content.setProperty("role", "page")
        self._place = _Place(self._content)
        self._place.setContentsMargins(0, 0, 0, 0)
        self.setWidget(self._content)

    def put(self, pane: Page) -> None:
        """Makes this the pane's place."""
        self._place.addWidget(pane)
        # Said here and not asked of the panes: each of them has its own way to make do with a narrow window.
        self._content.setMinimumSize(1, 1 if pane.scrolls else self._height)


class _Strip(QWidget):
    """The red strip: what must not be overlooked, each with the way to it."""

    pressed = Signal(object)
    """The Alarm whose button it was."""
    given_up = Signal(object)
    """The Alarm of a stopped batch, whose rest may be to stay unsigned: the pane asks once more."""

    def __init__(self, words: Words, theme: Theme) -> None:
        super().__init__()
        self._words = words
        self._theme = theme
        self._alarms: tuple[Alarm, ...] = ()
        self._low = False
        self._frame = frame("strip")
        self._lines = QVBoxLayout(self._frame)
        self._lines.setContentsMargins(theme.space(4), theme.space(1), theme.space(3), theme.space(1))
        self._lines.setSpacing(theme.space(1))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._frame)
        self.hide()

    def set_low(self, low: bool) -> None:
        """Each alarm in one line, the whole of it in its tip, so that the pane below keeps its room."""
        if low is not self._low:
            self._low = low
            self.show_alarms(self._alarms)

    def show_alarms(self, alarms: tuple[Alarm, ...]) -> None:
        self._alarms = alarms
        self._lines.setSpacing(0 if self._low else self._theme.space(1))
        while (item := self._lines.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for alarm in alarms:
            line = QWidget()
            way = button(alarm.action, partial(self.pressed.emit, alarm), "danger")
            ways = [way]
            if alarm.batch is not None:
                ways.append(button(self._words("ul_rest"), partial(self.given_up.emit, alarm)))
            for one in ways:
                one.setProperty("low", self._low)
            told = row(Elided(alarm.text, "strong") if self._low else label(alarm.text, "strong", wrap=True), *ways)
            told.setStretch(0, 1)
            line.setLayout(told)
            self._lines.addWidget(line)
        self.setVisible(bool(alarms))
