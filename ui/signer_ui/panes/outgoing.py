"""The pane *Văn bản đi*: bring documents in, fill in the grid, see reasons and pages, sign with one button.

UI thread. Draws what the presenter says, has everything done on lanes, and shows what came of it: after each change the
rows are read anew, and what was not examined as it is now gets examined, the row in view first. Nothing is kept here
that would be lost with the window: drafts live in the store.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeySequence,
    QResizeEvent,
    QShortcut,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from signer_app.outgoing.model import Added, Examined, State
from signer_resources.errors import KnownError
from signer_ui.panes.outgoing_along import Along
from signer_ui.panes.outgoing_arranging import Arranging
from signer_ui.panes.outgoing_batch import BatchSide
from signer_ui.panes.outgoing_bench import Bench, Changing
from signer_ui.panes.outgoing_bringing import Bringing
from signer_ui.panes.outgoing_checking import Checking
from signer_ui.panes.outgoing_details import DocumentCard
from signer_ui.panes.outgoing_face import ListFace
from signer_ui.panes.outgoing_filling import Filling
from signer_ui.panes.outgoing_pages import PagesSide
from signer_ui.panes.outgoing_parts import DropCard, SecretCard
from signer_ui.panes.outgoing_pasting import Pasting
from signer_ui.panes.outgoing_pressing import Pressing
from signer_ui.panes.outgoing_rows import Rows
from signer_ui.panes.outgoing_telling import Telling
from signer_ui.panes.outgoing_viewing import Viewing
from signer_ui.panes.receivers_drafts import DraftReceivers
from signer_ui.panes.register import open_by_system
from signer_ui.panes.sending_switch import ListSwitch
from signer_ui.presenters import outgoing as says
from signer_ui.presenters.outgoing import Line
from signer_ui.shell import Pane, Shell
from signer_ui.signing_flow import SigningFlow
from signer_ui.widgets.dropping import local_paths
from signer_ui.widgets.giving_up import GivingUp
from signer_ui.widgets.grid import Grid
from signer_ui.widgets.notice import Notice
from signer_ui.widgets.progress import ProgressLine

_ROOM_FOR_BOTH = 300
"""Units of width from which on grid and pages have room beside each other."""
_ROOM_FOR_TOOLS = 260
"""Units of width from which on all buttons have room beside each other."""
_RECEIPT_EM = 14.4


class OutgoingPane(Pane):
    """Documents on their way to be signed."""

    def __init__(self, shell: Shell, opener: Callable[[Path], None] = open_by_system) -> None:
        super().__init__(shell)
        words = shell.words
        self._show_after: tuple[str, ...] = ()
        self._was_shown = False
        self.setAcceptDrops(True)
        self.lists = ListSwitch(shell)
        self.flow = SigningFlow(shell, self)
        self._rows = Rows(shell, lambda: self.flow.busy() is not None, self)
        self.notice = Notice(words, shell.theme)
        self.secret = SecretCard(words, shell.theme)
        self._telling = Telling(shell, self.notice, self.secret)
        self._opening_line = ProgressLine(words, shell.theme)
        self._checking_line = ProgressLine(words, shell.theme)
        self._converting_line = ProgressLine(words, shell.theme)
        self._checking = Checking(shell, self._checking_line, self)
        self.grid: Grid[Line] = Grid(
            says.columns(lambda: self._rows.known, shell.desk.now, words),
            lambda line: line.id,
            words,
            shell.theme,
            shell.tasks,
            words("uo_grid_name"),
        )
        self.card = DocumentCard(words, shell.theme)
        self.giving_up = GivingUp(words, shell.theme, self.grid.setFocus)
        self._bringing = Bringing(shell, self._opening_line, self)
        self.drop = DropCard(words, shell.theme, self._bringing.ask_files, self._bringing.ask_folder, self)
        self.changing = Changing(shell, self)
        self.side = PagesSide(shell, self.changing, self.notice)
        self.pages = self.side.view
        self._bench = Bench(
            shell,
            self.grid,
            self.card,
            self.notice,
            self.changing,
            lines=lambda: self._lines,
            totals=lambda: self._rows.totals,
        )
        self._face = ListFace(shell)
        self._viewing = Viewing(self._bench, self.side, self._face, self._checking)
        self.whom = DraftReceivers(self._bench, self)
        self._filling = Filling(self._bench, self.giving_up, self._viewing.ask_copy, self.whom)
        self._pasting = Pasting(self._bench, self._filling.edited)
        self._arranging = Arranging(self._bench, self.open_files, self._viewing.ask_copy, self)
        self._batch = BatchSide(self._bench, self.flow, lambda: self._checking.chosen.images)
        self._along = Along(self._bench, self._converting_line, self._telling.left, opener, self)
        self._pressing = Pressing(self._bench, self._face, self._checking, self.flow, self.lists.place)
        self._face.offer(self._arranging, self.whom.choose, self._pressing.look, self._batch.give_up)
        self._make_keys()
        self._lay_out()
        self._connect()
        self._show_lines()
        self._checking.choose()

    # ---- what the window asks for ----------------------------------------------------------------------------------

    def shown(self) -> None:
        """Reads the rows anew: other panes and processes may have changed them."""
        self._inbox_came()
        self._reload()

    def open_files(self, paths: list[str]) -> None:
        """Brings in files and folders."""
        self.lists.show_second(False)
        self._bringing.open_files(paths)

    def show_sending(self) -> None:
        """Brings *Chờ gửi* to the front."""
        self.lists.show_second()

    def resume(self, batch: str) -> None:
        """Asks for the PIN and signs what the batch has left."""
        self.lists.show_second(False)
        self.flow.resume(batch)

    def give_up(self, batch: str) -> None:
        """Asks whether what the batch has left is to stay unsigned."""
        self.lists.show_second(False)
        self._batch.rest.ask(batch)

    def busy(self) -> str | None:
        """Signing and bringing in; examining can be cut at any time."""
        if self._bringing.running:
            return "uo_busy_adding"
        if self._along.running:
            return "uk_busy_converting"
        return self.flow.busy()

    def settled(self) -> bool:
        """What stands in an open cell is taken as if it had been left with Enter."""
        if self.grid.state() is QAbstractItemView.State.EditingState:
            self.grid.setFocus()
        return not self.changing.running

    def stop(self) -> None:
        """Ends after the document in hand."""
        self._bringing.stop()
        self.flow.stop()

    # ---- parts -----------------------------------------------------------------------------------------------------

    def _make_keys(self) -> None:
        keys: tuple[tuple[str, Callable[[], None]], ...] = (
            ("Ctrl+O", self._bringing.ask_files),
            ("Ctrl+Return", self.sign),
            ("Ctrl+Enter", self.sign),
            ("Ctrl+F", self._go_to_search),
            ("Ctrl+D", self._filling.fill),
        )
        for key, act in keys:
            context = Qt.ShortcutContext.WidgetWithChildrenShortcut
            QShortcut(QKeySequence(key), self.lists.place, context=context).activated.connect(act)

    def _lay_out(self) -> None:
        # From the outside in: what moves into another widget has all that it holds styled anew.
        space = self.shell.theme.space
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.lists)
        lines = QVBoxLayout(self.lists.place)
        lines.setContentsMargins(space(4), space(2), space(4), space(3))
        lines.setSpacing(space(2))
        self._stack = QStackedWidget()
        for part in (self.secret, self.giving_up, self.notice, self._opening_line, self._converting_line):
            lines.addWidget(part)
        lines.addWidget(self._stack, 1)
        self._stack.addWidget(self.drop)
        for page in (self._face.area, self._batch.review, self._batch.report):
            self._stack.addWidget(page)
        self._face.lay_out(self.grid, self.card, self.side)
        for under in (self._checking_line, self._batch.rest, self.flow.widget, self._face.foot):
            lines.addWidget(under)

    def _connect(self) -> None:
        hub = self.shell.hub
        self.lists.turned.connect(lambda: self.first_control().setFocus())
        self._rows.read.connect(self._read)
        self._rows.changed.connect(self._changed_in_place)
        hub.drafts_changed.connect(self._rows.reload_later)
        hub.store_changed.connect(self._rows.reload_later)
        hub.inbox_changed.connect(self._inbox_came)
        hub.today_changed.connect(lambda _today: self._batch.offer_rest())
        face = self._face
        face.search.textChanged.connect(self.grid.set_filter)
        face.search.returnPressed.connect(self.grid.setFocus)
        face.pages.toggled.connect(self.side.setVisible)
        face.add_wanted.connect(self._bringing.ask_files)
        face.folder_wanted.connect(self._bringing.ask_folder)
        face.fill_wanted.connect(self._filling.fill)
        face.paste_wanted.connect(self._pasting.paste_clipboard)
        face.go_on_wanted.connect(self._checking.go_on)
        face.clear_wanted.connect(self._clear_signed)
        face.sign_wanted.connect(self.sign)
        self._bringing.begun.connect(self.notice.clear)
        self._bringing.one_more.connect(self._rows.reload_soon)
        self._bringing.came.connect(self._added)
        self._bringing.failed.connect(self._adding_failed)
        self._checking.chosen_changed.connect(self._certificates_chosen)
        self._checking.examined.connect(self._examined)
        # Their order may have become another one.
        self._checking.ended.connect(self._reload)
        self._checking.failed.connect(self.notice.error)
        self.changing.changed.connect(self._changed)
        self.changing.failed.connect(lambda _error: self._reload())
        self.grid.pasted.connect(self._pasting.paste_at)
        self.grid.chosen_changed.connect(self._enable)
        self.flow.document_done.connect(self._rows.document_done)
        self.flow.ended.connect(self._rows.batch_ended)
        self.flow.running_changed.connect(self._running_changed)
        self.flow.began.connect(lambda: self._running_changed(True))
        self.flow.form_wanted.connect(self.custody_wanted)
        self._batch.front_changed.connect(self._bring_forward)
        self._batch.page_wanted.connect(self._viewing.show_reviewed)
        self._batch.changed.connect(self._reload)

    # ---- bringing in -----------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """A narrow window begins with the grid alone; the pages are a press away."""
        super().showEvent(event)
        if not self._was_shown:
            self._was_shown = True
            self._face.pages.setChecked(self._has_room(_ROOM_FOR_BOTH))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """A narrow window has fewer buttons."""
        super().resizeEvent(event)
        self._face.set_narrow(not self._has_room(_ROOM_FOR_TOOLS))

    def _has_room(self, units: int) -> bool:
        return self.width() >= self.shell.theme.space(units)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Files and folders may be dropped anywhere on the pane."""
        if local_paths(event.mimeData()):
            event.acceptProposedAction()
            self.drop.light_up(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:  # noqa: N802 - Qt's name
        """They went away again."""
        self.drop.light_up(False)
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """They were dropped."""
        self.drop.light_up(False)
        event.acceptProposedAction()
        self.open_files(local_paths(event.mimeData()))

    def _added(self, added: Added) -> None:
        self._telling.added(added)
        self._show_after = tuple(draft.id for draft in added.drafts)
        self._checking.go_on()
        self.shell.hub.poke_drafts()

    def _adding_failed(self, error: KnownError) -> None:
        if error.code != "interrupted":
            self.notice.error(error)
        self._reload()

    def _inbox_came(self) -> None:
        self._telling.inbox(looked_at=self.isVisible())

    # ---- reading the rows ------------------------------------------------------------------------------------------

    @property
    def _lines(self) -> Mapping[str, Line]:
        return self._rows.lines

    def _reload(self) -> None:
        self._rows.reload()

    def _read(self) -> None:
        self._show_lines()
        self._look_on()

    def _look_on(self) -> None:
        # Examining would only wait behind the opening of documents, and two lines would tell of progress. What comes
        # while others are signed is examined: it may be in a hurry.
        if not self._bringing.running and (not self.flow.running or self.flow.busy() is not None):
            self._checking.look(self._lines, self.grid.current_id)
        self._face.go_on.setVisible(self._checking.held)

    def _changed_in_place(self, changed: dict[str, Line]) -> None:
        self.grid.replace_rows(changed)
        self._face.summary.setText(self._rows.totals.summary(self.shell.words))
        if self.grid.current_id in changed:
            self._viewing.show_current()
        self._enable()

    def _show_lines(self) -> None:
        lines, totals = tuple(self._lines.values()), self._rows.totals
        self._show_front()
        self.grid.show_column(says.KIND, totals.kinds_differ)
        self.grid.set_rows(lines)
        if totals.received:
            # What matters of a sent document is its receipt.
            self.grid.widen(says.STATE, _RECEIPT_EM)
        if self._show_after and self._show_after[0] in self._lines:
            self.grid.choose(self._show_after[:1], column=says.NUMBER)
            self.grid.setFocus()
            self._show_after = ()
        elif lines and self.grid.current_id is None and self.grid.settled:
            self.grid.choose((lines[0].id,), column=says.NUMBER)
        self._face.summary.setText(totals.summary(self.shell.words))
        self._face.clear.setVisible(totals.states[State.SIGNED] > 0)
        self._viewing.show_current()
        self._enable()

    def first_control(self) -> QWidget:
        """The grid, or the button that brings documents; of a batch its list; of the other list its own."""
        if (other := self.lists.first_control()) is not None:
            return other
        firsts: dict[QWidget | None, QWidget] = {
            self._face.area: self.grid,
            self._batch.review: self._batch.review.sheet,
            self._batch.report: self._batch.report.grid,
        }
        return firsts.get(self._stack.currentWidget(), self.drop.add)

    def _bring_forward(self) -> None:
        self._show_front()
        self._enable()

    def _show_front(self) -> None:
        """The list, or what stands in its place now."""
        front = self._batch.front
        self._show_part(front if front is not None else self._face.area if self._lines else self.drop)

    def _show_part(self, part: QWidget) -> None:
        """The list, or the invitation to bring documents; the keyboard goes along."""
        before, focus = self._stack.currentWidget(), QApplication.focusWidget()
        if part is before:
            return
        self._stack.setCurrentWidget(part)
        if before is not None and focus is not None and before.isAncestorOf(focus):
            self.first_control().setFocus()

    def _certificates_chosen(self) -> None:
        self._pressing.offer_certificates()
        self._viewing.show_current()
        self._enable()

    def _examined(self, examined: Examined) -> None:
        self._telling.left(examined.left)
        if examined.rows and not examined.left:
            self._rows.examined(examined.rows)
            self._look_on()
        else:
            self._reload()

    # ---- filling in ------------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        self._checking.go_on()
        self._reload()
        self.shell.hub.poke_drafts()

    def _clear_signed(self) -> None:
        self.flow.notice.clear()
        self.changing.run(lambda outgoing: outgoing.forget_signed())

    # ---- signing ---------------------------------------------------------------------------------------------------

    def sign(self) -> None:
        """The one button, and its key."""
        if not self._batch.go():
            self._pressing.sign(send=True)

    def _running_changed(self, _running: bool) -> None:
        self._enable()
        self._reload()

    # ---- what can be done now --------------------------------------------------------------------------------------

    def _enable(self) -> None:
        self._pressing.enable(on_list=self._batch.front is None)
        self._batch.offer(self._bench.chosen)
        self._arranging.enable()
        self.whom.enable()
        totals = self._rows.totals
        self.lists.count_to_sign(totals.count - totals.states[State.SIGNED])

    def _go_to_search(self) -> None:
        self._face.search.setFocus()
        self._face.search.selectAll()
