"""*Chờ gửi*: what waits to be sent, what was refused, what was sent today; beside it the one that is chosen.

UI thread. The list is read on a lane when something may have changed; countdowns run on by drawing anew what is in
sight. Nothing is kept here, and nothing is sent here.
"""

import datetime as dt
from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QAction, QHideEvent, QKeyEvent, QKeySequence, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import QLineEdit, QMenu, QSplitter, QVBoxLayout, QWidget

from signer_app.desk.sending_rows import SendingItem, Standing
from signer_app.store.notices import Notice as ExchangeNotice
from signer_resources.errors import KnownError
from signer_ui.panes import sending_work as work
from signer_ui.panes.receivers_paper import PaperDialog
from signer_ui.panes.sending_deeds import Deeds
from signer_ui.panes.sending_details import SendingDetails
from signer_ui.presenters import sending_list as says
from signer_ui.presenters.figures import count
from signer_ui.presenters.sending_details import Way, details_view, ways
from signer_ui.shell import Shell
from signer_ui.tasks import Handle, Lane
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.grid import Grid
from signer_ui.widgets.notice import Notice
from signer_ui.widgets.progress import ProgressLine

_TICK_MS = 1000
_OVER_MS = 1500
"""After a hold is over, before the list is read anew: who sends has begun by then."""
_ROOM_FOR_BOTH = 240
"""Units of width from which on list and details have room beside each other."""


class SendingPane(QWidget):
    """List and details."""

    counted = Signal(int)
    """So many documents wait to be sent, or for a person to act on what receivers made of them."""

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        words, theme = shell.words, shell.theme
        self.shell = shell
        self.queue = work.Queue()
        self.found: work.Found | None = None
        self._stale = True
        self._again = False
        self._reading: Handle | None = None
        self._finding: Handle | None = None
        self._told: ExchangeNotice | None = None
        self.notice = Notice(words, theme)
        self.exchange_notice = Notice(words, theme)
        self.progress = ProgressLine(words, theme)
        self.search = QLineEdit()
        self.search.setPlaceholderText(words("ut_search"))
        self.search.setAccessibleName(words("ut_search"))
        self.search.setClearButtonEnabled(True)
        self.summary = label(role="strong", wrap=True)
        self.paper = button("", self._open_paper)
        self.deeds = Deeds(shell, self.notice, lambda: self.grid.setFocus(), self)
        self.send_all = button(words("uq_send_all"), self.deeds.send_all)
        self.grid: Grid[SendingItem] = Grid(
            says.columns(lambda: self.queue.names, shell.desk.now, words),
            lambda item: item.id,
            words,
            theme,
            shell.tasks,
            words("uq_name"),
        )
        self.grid.spare(says.SPARED)
        self.grid.set_empty_text(words("uq_empty"))
        self.later = QMenu(self)
        self.later.setAccessibleName(words("uq_way_postpone"))
        self.later.aboutToShow.connect(self._offer_times)
        self.details = SendingDetails(shell, self.later)
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MS)
        self._tick.timeout.connect(self._count_down)
        self._over = QTimer(self)
        self._over.setSingleShot(True)
        self._over.timeout.connect(self._changed)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        space = self.shell.theme.space
        outer = QVBoxLayout(self)
        outer.setContentsMargins(space(4), space(2), space(4), space(2))
        outer.setSpacing(space(2))
        for part in (self.exchange_notice, self.notice):
            outer.addWidget(part)
        bar = row(self.search, self.paper, self.send_all, spacing=space(2))
        bar.setStretch(0, 1)
        self.search.setMinimumWidth(space(24))
        outer.addLayout(bar)
        outer.addWidget(self.summary)
        outer.addWidget(self.progress)
        self._splitter = splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.setProperty("role", "gap")
        splitter.setHandleWidth(space(2))
        outer.addWidget(splitter, 1)
        splitter.addWidget(self.grid)
        splitter.addWidget(self.details)
        splitter.setStretchFactor(0, 7)
        splitter.setStretchFactor(1, 3)
        splitter.setSizes([space(242), space(93)])
        self.paper.hide()

    def _connect(self) -> None:
        hub = self.shell.hub
        self.search.textChanged.connect(self.grid.set_filter)
        self.search.returnPressed.connect(self.grid.setFocus)
        self.grid.current_changed.connect(lambda _id: self._chosen())
        self.grid.activated_row.connect(lambda _id: self._go_in())
        self.grid.presented.connect(self._first)
        self.details.wanted.connect(self._do)
        self.details.arrived.connect(self._arrived)
        self.deeds.done.connect(self._changed)
        hub.store_changed.connect(self._changed)
        hub.exchange_changed.connect(lambda _snapshot: self._changed())
        find = QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self)
        find.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        find.activated.connect(self._go_to_search)
        self._now = QAction(self.shell.words("uq_way_send_now"), self)
        self._now.triggered.connect(lambda _checked=False: self._do(Way.SEND_NOW))
        later = QAction(self.shell.words("uq_way_postpone"), self)
        later.setMenu(self.later)
        self.grid.addActions([self._now, later])

    # ---- the list --------------------------------------------------------------------------------------------------

    def first_control(self) -> QWidget:
        """The list."""
        return self.grid

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Comes to the front: what may have changed meanwhile is read."""
        super().showEvent(event)
        if self._stale:
            self._read()
        self._run_down()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """Nobody looks: no countdown runs."""
        super().hideEvent(event)
        self._tick.stop()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """In a narrow window the details stand below the list."""
        super().resizeEvent(event)
        across = self.width() >= self.shell.theme.space(_ROOM_FOR_BOTH)
        wanted = Qt.Orientation.Horizontal if across else Qt.Orientation.Vertical
        if self._splitter.orientation() is not wanted:
            self._splitter.setOrientation(wanted)
            whole = sum(self._splitter.sizes())
            shares = (242, 93) if across else (1, 1)
            self._splitter.setSizes([whole * share // sum(shares) for share in shares])

    def _changed(self) -> None:
        self._stale = True
        if self.isVisible():
            self._read()

    def _read(self) -> None:
        if self._reading is not None and self._reading.running:
            self._again = True
            return
        self._again = self._stale = False
        desk, known = self.shell.desk, self.queue
        if not known.items:
            self.progress.begin("ut_register_reading", None)
        self._reading = self.shell.tasks.run(
            self, Lane.QUICK, lambda _control: work.look(desk, known), self._came, failed=self._not_read
        )

    def _came(self, queue: work.Queue) -> None:
        self.progress.end()
        before, self.queue = self.queue, queue
        if queue.items is not before.items:
            self.grid.set_rows(queue.items)
        words = self.shell.words
        self.summary.setText(says.summary(queue.sums, self.shell.desk.now(), words))
        self.paper.setText(words("uq_p_open", count=count(queue.paper, words)))
        self.paper.setVisible(queue.paper > 0)
        self.send_all.setEnabled(queue.sums.waiting + queue.sums.answers > 0)
        self.counted.emit(queue.sums.waiting + queue.sums.answered)
        self._tell(queue.notices)
        self._run_down()
        self._find()
        if self._again:
            self._read()

    def _not_read(self, error: KnownError) -> None:
        self.progress.end()
        self.notice.error(error)

    def _first(self) -> None:
        """One is always chosen, so that what can be done is in sight."""
        if self.grid.current_id is None and self.grid.shown_ids:
            self.grid.choose(self.grid.shown_ids[:1], column=says.LABEL)

    def _tell(self, notices: tuple[ExchangeNotice, ...]) -> None:
        """What the exchange has to say stays until a person has seen it; the newest first."""
        told = notices[0] if notices else None
        if told == self._told:
            return
        self._told = told
        if told is None:
            self.exchange_notice.clear()
            return
        desk, words = self.shell.desk, self.shell.words

        def seen() -> None:
            self.shell.tasks.run(
                self, Lane.QUICK, lambda _control: desk.sending.seen(told), lambda _none: self._changed()
            )

        said = words.explain(KnownError(told.code, **told.params))
        self.exchange_notice.tell(
            said.what, (words("uq_notice_seen"), seen), why=said.why, do=said.do, role="notice-warn", question=True
        )

    # ---- countdowns ------------------------------------------------------------------------------------------------

    def _run_down(self) -> None:
        """Runs while something is held back for a moment; when the first of these moments is over, all is read anew."""
        now = self.shell.desk.now()
        holds = [
            item.next_try
            for item in self.queue.items
            if item.standing is Standing.HELD and item.next_try is not None and item.next_try > now
        ]
        if not holds or not self.isVisible():
            self._tick.stop()
            return
        self._tick.start()
        self._over.start(round((min(holds) - now) / dt.timedelta(milliseconds=1)) + _OVER_MS)

    def _count_down(self) -> None:
        self.grid.viewport().update()
        item = self._item
        if item is not None and self.found is not None:
            now = self.shell.desk.now()
            self.details.show_state(says.state_words(item, now, self.shell.words), says.glow(item))

    # ---- one of them -----------------------------------------------------------------------------------------------

    @property
    def _item(self) -> SendingItem | None:
        return self.queue.by_id.get(self.grid.current_id or "")

    def _chosen(self) -> None:
        if self.grid.current_id is None:
            self.found = None
            self.details.clear()
        else:
            self._find()

    def _find(self) -> None:
        item, desk = self._item, self.shell.desk
        if item is None:
            return
        if self._finding is not None:
            self._finding.cancel()
        self._finding = self.shell.tasks.run(
            self,
            Lane.QUICK,
            lambda _control: work.find(desk, item.id),
            self._show_found,
            failed=self._not_found,
            newest_first=True,
        )

    def _not_found(self, error: KnownError) -> None:
        if error.code not in ("interrupted", "packet_moved_on"):
            self.notice.error(error)

    def _show_found(self, found: work.Found) -> None:
        if found.told.item.id != self.grid.current_id:
            # Another one was chosen meanwhile.
            return
        anew = self.found is None or self.found.told.item.id != found.told.item.id
        self.found = found
        now, words = self.shell.desk.now(), self.shell.words
        view = details_view(found.told, found.document, found.receipts, found.names, now, words)
        self.details.show_view(view, anew=anew)

    def _go_in(self) -> None:
        first = next((press for press in self.details.ways.values() if press.isVisible()), None)
        if first is not None:
            first.setFocus()

    # ---- deeds -----------------------------------------------------------------------------------------------------

    def _able(self, way: Way) -> list[str]:
        """Those of the chosen rows with which that can be done; the current one where only it is chosen."""
        ids = self.grid.chosen_ids or ((self.grid.current_id,) if self.grid.current_id else ())
        items = (self.queue.by_id.get(packet_id) for packet_id in ids)
        return [item.id for item in items if item is not None and way in ways(item)]

    def _do(self, way: Way) -> None:
        if way is Way.SEND_NOW:
            self.deeds.send_now(self._able(way))
            return
        found = self.found
        if found is None or found.told.item.id != self.grid.current_id:
            return
        deeds = {
            Way.WITHDRAW: self.deeds.withdraw,
            Way.SETTLE: self.deeds.settle,
            Way.AGAIN: self.deeds.again,
            Way.AGAIN_OTHERS: self.deeds.again_others,
            Way.CHANGE: self.deeds.change,
            Way.REPLACE: self.deeds.replace,
            Way.RECALL: self.deeds.recall,
        }
        deeds[way](found)

    def _arrived(self, arrived: bool) -> None:
        if self.found is not None and self.details.sure.isChecked():
            self.deeds.say_arrived(self.found.told.item.id, arrived=arrived)

    def _offer_times(self) -> None:
        words, ids = self.shell.words, self._able(Way.POSTPONE)
        self.later.clear()
        for later in says.times_to_postpone(self.shell.desk.now(), words):
            self.later.addAction(later.text, partial(self.deeds.postpone, ids, later.until))
        self.later.addAction(words("uq_later_other"), partial(self.deeds.ask_time, ids))
        self.later.setEnabled(bool(ids))

    def _open_paper(self) -> None:
        dialog = PaperDialog(self.shell, self)
        dialog.changed.connect(self._changed)
        dialog.open()

    # ---- the keyboard ----------------------------------------------------------------------------------------------

    def _go_to_search(self) -> None:
        self.search.setFocus()
        self.search.selectAll()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Esc leads from the details back to the list."""
        if event.key() == Qt.Key.Key_Escape:
            self.grid.setFocus()
        else:
            super().keyPressEvent(event)
