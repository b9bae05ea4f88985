"""The pane *Văn bản đi*: bring documents in, fill in the grid, see reasons and pages, sign with one button.

UI thread. Draws what the presenter says, has everything done on lanes, and shows what came of it: after each change the
rows are read anew, and what was not examined as it is now gets examined, the row in view first. Nothing is kept here
that would be lost with the window: drafts live in the store.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

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
    QComboBox,
    QFileDialog,
    QLineEdit,
    QMenu,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from signer_app.outgoing.model import Added, Changes, CopyOrder, Left, Row, State
from signer_resources.errors import KnownError
from signer_ui.panes import outgoing_work as work
from signer_ui.panes.outgoing_along import Along
from signer_ui.panes.outgoing_arranging import Arranging
from signer_ui.panes.outgoing_bench import Bench, Changing
from signer_ui.panes.outgoing_checking import Checking
from signer_ui.panes.outgoing_details import DocumentCard
from signer_ui.panes.outgoing_pages import PagesSide
from signer_ui.panes.outgoing_parts import DropCard, SecretCard
from signer_ui.panes.outgoing_pasting import Pasting
from signer_ui.panes.register import open_by_system
from signer_ui.panes.settings_form import scrolled
from signer_ui.presenters import outgoing as says
from signer_ui.presenters import outgoing_news as news
from signer_ui.presenters.figures import count
from signer_ui.presenters.outgoing import Line, Organisations, Press
from signer_ui.presenters.outgoing_details import details
from signer_ui.shell import Pane, Shell, Tab
from signer_ui.signing_flow import SigningFlow
from signer_ui.tasks import Handle, Lane, Progress
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.dropping import local_paths
from signer_ui.widgets.giving_up import GivingUp
from signer_ui.widgets.grid import Grid
from signer_ui.widgets.notice import Notice
from signer_ui.widgets.progress import ProgressLine

T = TypeVar("T")

_ROOM_FOR_BOTH = 260
"""Units of width from which on grid and pages have room beside each other."""
_RECEIPT_EM = 14.4


class OutgoingPane(Pane):
    """Documents on their way to be signed."""

    def __init__(self, shell: Shell, opener: Callable[[Path], None] = open_by_system) -> None:
        super().__init__(shell)
        words = shell.words
        self._lines: dict[str, Line] = {}
        self._known = Organisations()
        self._loading: Handle | None = None
        self._load_again = False
        self._adding: Handle | None = None
        self._show_after: tuple[str, ...] = ()
        self._press: Press | None = None
        self._copy_asked = ""
        """The draft that has just become a copy: who ordered it is asked at once."""
        self._was_shown = False
        self.setAcceptDrops(True)
        self.flow = SigningFlow(shell, self)
        self.notice = Notice(words, shell.theme)
        self.secret = SecretCard(words, shell.theme)
        self._opening_line = ProgressLine(words, shell.theme)
        self._checking_line = ProgressLine(words, shell.theme)
        self._converting_line = ProgressLine(words, shell.theme)
        self._checking = Checking(shell, self._checking_line, self)
        self.grid: Grid[Line] = Grid(
            says.columns(lambda: self._known, shell.desk.now, words),
            lambda line: line.id,
            words,
            shell.theme,
            shell.tasks,
            words("uo_grid_name"),
        )
        self.card = DocumentCard(words, shell.theme)
        self.giving_up = GivingUp(words, shell.theme, self.grid.setFocus)
        self.drop = DropCard(words, shell.theme, self.add_files, self.add_folder, self)
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
            directory=lambda: self._known.directory,
        )
        self._pasting = Pasting(self._bench, self._edited)
        self._arranging = Arranging(self._bench, self.open_files, self._ask_copy, self)
        self._along = Along(self._bench, self._converting_line, self._left_out, opener, self)
        self._make_keys()
        self._make_controls()
        self._lay_out()
        self._connect()
        self._show_lines()
        self._checking.choose()

    # ---- what the window asks for ----------------------------------------------------------------------------------

    def shown(self) -> None:
        """Reads the rows anew: other panes and processes may have changed them."""
        self._reload()

    def open_files(self, paths: list[str]) -> None:
        """Brings in files and folders."""
        if not paths:
            return
        self.notice.clear()
        outgoing, wanted = self.shell.desk.outgoing, [Path(path) for path in paths]
        self._adding = self.shell.tasks.run(
            self,
            Lane.DOCUMENTS,
            lambda control: outgoing.add(wanted, control.progress, lambda: control.cancelled),
            self._added,
            failed=self._adding_failed,
            progress=self._opened_one,
        )
        self._opening_line.begin("out_progress_open", self._adding)

    def resume(self, batch: str) -> None:
        """Asks for the PIN and signs what the batch has left."""
        self.flow.resume(batch)

    def busy(self) -> str | None:
        """Signing and bringing in; examining can be cut at any time."""
        if self._adding is not None and self._adding.running:
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
        if self._adding is not None:
            self._adding.cancel()
        self.flow.stop()

    # ---- parts -----------------------------------------------------------------------------------------------------

    def _make_keys(self) -> None:
        keys: tuple[tuple[str, Callable[[], None]], ...] = (
            ("Ctrl+O", self.add_files),
            ("Ctrl+Return", self.sign),
            ("Ctrl+Enter", self.sign),
            ("Ctrl+F", self._go_to_search),
            ("Ctrl+D", self._fill),
        )
        for key, act in keys:
            QShortcut(QKeySequence(key), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut).activated.connect(
                act
            )

    def _make_controls(self) -> None:
        words = self.shell.words
        self._add = button(words("uo_add"), self.add_files)
        self._add_folder = button(words("uo_add_folder"), self.add_folder)
        self._fill_button = button(words("uo_fill"), self._fill)
        self._paste_button = button(words("uo_paste"), self._pasting.paste_clipboard)
        self._more = QPushButton(words("uo_more"))
        self._more.setAutoDefault(True)
        menu, can = QMenu(self._more), self._arranging
        menu.addAction(words("uo_add_folder"), self.add_folder)
        menu.addAction(words("uo_paste"), self._pasting.paste_clipboard)
        menu.addSeparator()
        menu.addActions([can.merge, can.split])
        kinds = menu.addMenu(words("uo_kind"))
        kinds.addActions(can.kinds.actions())
        menu.addAction(can.fill_down)
        menu.addSeparator()
        menu.addAction(can.remove)
        self._more.setMenu(menu)
        self._search = QLineEdit()
        self._search.setPlaceholderText(words("uo_search"))
        self._search.setAccessibleName(words("uo_search"))
        self._search.setClearButtonEnabled(True)
        self._search.setAcceptDrops(False)
        self._search.setMinimumWidth(self.shell.theme.space(24))
        self._pages_button = QToolButton()
        self._pages_button.setText(words("uo_show_pages"))
        self._pages_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._pages_button.setCheckable(True)
        self._pages_button.setChecked(True)
        self._pages_button.toggled.connect(self.side.setVisible)
        self._summary = label(role="strong", wrap=True)
        self._go_on = button(words("uo_check_again"), self._checking.go_on, "quiet")
        self._clear = button(words("uo_clear_signed"), self._clear_signed, "quiet")
        self._with = QComboBox()
        self._with.setAccessibleName(words("uo_with"))
        self._with.setToolTip(words("uo_with"))
        self._with.setMaximumWidth(self.shell.theme.space(90))
        self._hint = label(role="muted", wrap=True)
        self._only_sign = button(words("uo_only_sign"), partial(self._sign, send=False))
        self._only_sign.setToolTip(words("uo_only_sign_tip"))
        self._sign_button = button("", self.sign, "primary")

    def _lay_out(self) -> None:
        # From the outside in: what moves into another widget has all that it holds styled anew.
        space = self.shell.theme.space
        lines = QVBoxLayout(self)
        lines.setContentsMargins(space(4), space(3), space(4), space(3))
        lines.setSpacing(space(2))
        self._stack = QStackedWidget()
        for part in (self.secret, self.giving_up, self.notice, self._opening_line, self._converting_line):
            lines.addWidget(part)
        lines.addWidget(self._stack, 1)
        self._stack.addWidget(self.drop)
        self._list = QWidget()
        # In a window too low for all of it the list scrolls; what is said and the button that signs stay in sight.
        self._rows = scrolled(self._list)
        self._rows.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._stack.addWidget(self._rows)
        self._lay_out_list(QVBoxLayout(self._list))
        self._foot = QWidget()
        for under in (self._checking_line, self.flow.widget, self._foot):
            lines.addWidget(under)
        foot = row(self._with, self._only_sign, self._sign_button, spacing=space(2))
        foot.insertWidget(0, self._hint, 1)
        self._foot.setLayout(foot)

    def _lay_out_list(self, inner: QVBoxLayout) -> None:
        space = self.shell.theme.space
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(space(2))
        buttons = (self._add, self._add_folder, self._fill_button, self._paste_button, self._more)
        tools = row(*buttons, spacing=space(2))
        tools.addWidget(self._search, 1)
        tools.addWidget(self._pages_button)
        inner.addLayout(tools)
        summary = row(self._go_on, self._clear, spacing=space(2))
        summary.insertWidget(0, self._summary, 1)
        inner.addLayout(summary)
        both, left = QSplitter(Qt.Orientation.Horizontal), QSplitter(Qt.Orientation.Vertical)
        for between in (left, both):
            between.setHandleWidth(space(2))
            between.setProperty("role", "gap")
        inner.addWidget(both, 1)
        both.addWidget(left)
        left.addWidget(self.grid)
        left.addWidget(self.card)
        both.addWidget(self.side)
        both.setStretchFactor(0, 2)
        both.setStretchFactor(1, 1)
        both.setSizes([space(242), space(90)])
        left.setStretchFactor(0, 3)
        left.setStretchFactor(1, 1)
        left.setSizes([space(80), space(46)])
        left.setChildrenCollapsible(False)
        self.grid.setMinimumHeight(space(34))
        self.card.setMinimumHeight(space(14))

    def _connect(self) -> None:
        hub = self.shell.hub
        hub.drafts_changed.connect(self._reload)
        hub.store_changed.connect(self._reload)
        self._search.textChanged.connect(self.grid.set_filter)
        self._search.returnPressed.connect(self.grid.setFocus)
        self._with.activated.connect(lambda place: self._checking.name(self._with.itemData(place)))
        self._checking.chosen_changed.connect(self._certificates_chosen)
        self._checking.examined.connect(self._examined)
        self._checking.failed.connect(self.notice.error)
        self.changing.begun.connect(self._change_begun)
        self.changing.reason_wanted.connect(self._reason_wanted)
        self.changing.changed.connect(self._changed)
        self.changing.failed.connect(self._change_failed)
        self.grid.edited.connect(self._edited)
        self.grid.ticked.connect(self._ticked)
        self.grid.pasted.connect(self._pasting.paste_at)
        self.grid.current_changed.connect(lambda _id: self._show_current())
        self.grid.chosen_changed.connect(self._enable)
        self.grid.activated_row.connect(lambda _id: self._open_row())
        self.card.files.file_chosen.connect(lambda _id: self._show_pages())
        self.card.page_wanted.connect(self._show_page)
        self.card.copying.told.connect(self._copy_told)
        self.flow.document_done.connect(lambda _id, _outcome: self._reload())
        self.flow.ended.connect(lambda _summary: self._reload())
        self.flow.running_changed.connect(self._running_changed)
        self.flow.began.connect(lambda: self._running_changed(True))
        self.flow.form_wanted.connect(self.custody_wanted)

    # ---- bringing in -----------------------------------------------------------------------------------------------

    def add_files(self) -> None:
        """Asks for files (Thêm văn bản…)."""
        words = self.shell.words
        paths, _kind = QFileDialog.getOpenFileNames(self, words("uo_choose_files"), "", words("uo_file_kinds"))
        self.open_files(paths)

    def add_folder(self) -> None:
        """Asks for a folder (Thêm thư mục…)."""
        folder = QFileDialog.getExistingDirectory(self, self.shell.words("uo_choose_folder"))
        self.open_files([folder] if folder else [])

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """A narrow window begins with the grid alone; the pages are a press away."""
        super().showEvent(event)
        if not self._was_shown:
            self._was_shown = True
            self._pages_button.setChecked(not self._narrow())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """In a narrow window two of the buttons are in the menu alone."""
        super().resizeEvent(event)
        for rare in (self._add_folder, self._paste_button):
            rare.setVisible(not self._narrow())

    def _narrow(self) -> bool:
        return self.width() < self.shell.theme.space(_ROOM_FOR_BOTH)

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

    def _opened_one(self, progress: Progress) -> None:
        self._opening_line.tell(progress)
        self._reload()

    def _added(self, added: Added) -> None:
        self._opening_line.end()
        view = news.added_view(added, self.shell.words)
        self._tell_left(view)
        self._show_after = tuple(draft.id for draft in added.drafts)
        self._checking.go_on()
        self.shell.hub.poke_drafts()

    def _adding_failed(self, error: KnownError) -> None:
        self._opening_line.end()
        if error.code != "interrupted":
            self.notice.error(error)
        self._reload()

    def _left_out(self, left: Sequence[Left]) -> None:
        self._tell_left(news.left_view(left, self.shell.words))

    def _tell_left(self, view: news.LeftView) -> None:
        self.secret.tell(view.secret)
        if view.heading:
            self.notice.tell(view.heading, why=view.lines, role="notice-warn")

    # ---- reading the rows ------------------------------------------------------------------------------------------

    def _reload(self) -> None:
        """Reads the rows; while they are being read, once more afterwards."""
        if self._loading is not None and self._loading.running:
            self._load_again = True
            return
        self._load_again = False
        desk = self.shell.desk
        self._loading = self.shell.tasks.run(self, Lane.QUICK, lambda _control: work.load(desk), self._loaded)

    def _loaded(self, loaded: work.Loaded) -> None:
        if self._load_again:
            self._loading = None
            self._reload()
        if loaded.directory is not self._known.directory:
            self._known = Organisations.of(loaded.directory, self.shell.words)
        self._lines = {line.id: line for line in loaded.lines}
        self.side.remember_rules(tuple(line.row for line in loaded.lines))
        self._show_lines()
        # Examining would only wait behind the opening of documents, and two lines would tell of progress.
        if not self.flow.running and not (self._adding is not None and self._adding.running):
            self._checking.look(self._lines, self.grid.current_id)
        self._go_on.setVisible(self._checking.held)

    def _show_lines(self) -> None:
        lines = tuple(self._lines.values())
        self._show_part(self._rows if lines else self.drop)
        self.grid.set_rows(lines)
        if any(line.packet is not None and line.packet.accepted_at is not None for line in lines):
            # What matters of a sent document is its receipt.
            self.grid.widen(says.STATE, _RECEIPT_EM)
        if self._show_after and self._show_after[0] in self._lines:
            self.grid.choose(self._show_after[:1], column=says.NUMBER)
            self.grid.setFocus()
            self._show_after = ()
        elif lines and self.grid.current_id is None and self.grid.settled:
            self.grid.choose((lines[0].id,), column=says.NUMBER)
        self._summary.setText(says.summary(lines, self.shell.words))
        self._clear.setVisible(any(line.row.state is State.SIGNED for line in lines))
        self._show_current()
        self._enable()

    def first_control(self) -> QWidget:
        """The grid, or the button that brings documents."""
        return self.grid if self._stack.currentWidget() is self._rows else self.drop.add

    def _show_part(self, part: QWidget) -> None:
        """The list, or the invitation to bring documents; the keyboard goes along."""
        before, focus = self._stack.currentWidget(), QApplication.focusWidget()
        if part is before:
            return
        self._stack.setCurrentWidget(part)
        if before is not None and focus is not None and before.isAncestorOf(focus):
            self.first_control().setFocus()

    # ---- certificates ----------------------------------------------------------------------------------------------

    def _certificates_chosen(self) -> None:
        words, wanted = self.shell.words, self._checking.wanted
        self._with.clear()
        self._with.addItem(words("uo_with_auto"), None)
        for signer in says.signers(self.shell.hub.tokens):
            self._with.addItem(words("uo_with_item", name=signer.name, token=signer.token), signer.sha256)
        self._with.setCurrentIndex(max(0, self._with.findData(wanted)))
        self._show_current()
        self._enable()

    def _examined(self, left: tuple[Left, ...]) -> None:
        self._left_out(left)
        self._reload()

    # ---- filling in ------------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        self._checking.go_on()
        self._reload()
        self.shell.hub.poke_drafts()

    def _change_failed(self, error: KnownError) -> None:
        self.notice.error(error)
        self.grid.forget_typed()
        self._reload()

    def _change_begun(self) -> None:
        self.notice.clear()
        self.giving_up.put_away()

    def _reason_wanted(self, error: KnownError, do: Callable[[str], None]) -> None:
        """A number would be given up: nothing was changed so far, and the cell says again what holds."""
        self.grid.forget_typed()
        self.giving_up.ask(error, do)

    def _ask_copy(self, draft_id: str) -> None:
        """Who ordered the copy is asked as soon as the draft is one."""
        self._copy_asked = draft_id

    def _copy_told(self, draft_id: str, order: CopyOrder) -> None:
        self.changing.edit({draft_id: Changes(copy=order)})

    def _edited(self, draft_id: str, column: str, text: str) -> None:
        line, today = self._lines.get(draft_id), self.shell.desk.now().date()
        if line is None:
            return
        try:
            changes = says.typed(line.draft, column, text, self._known.directory, today, self.shell.words)
        except KnownError as error:
            self.notice.error(error)
            self.grid.forget_typed()
            return
        if column == says.KIND:
            self._ask_copy(draft_id)
        self.changing.edit({draft_id: changes})

    def _ticked(self, ids: tuple[str, ...], ticked: bool) -> None:
        self.changing.run(lambda outgoing: outgoing.tick(ids, ticked=ticked))

    def _fill(self) -> None:
        words = self.shell.words
        ids = says.to_number(tuple(self._lines.values()), self.grid.chosen_ids)
        if not ids:
            self.notice.tell(words("uo_fill_nothing"), role="notice-warn")
            return

        def filled(rows: tuple[Row, ...]) -> None:
            self.notice.tell(words("uo_filled", count=count(len(rows), words)))

        self.changing.run(lambda outgoing: outgoing.fill(ids), filled)

    def _clear_signed(self) -> None:
        self.flow.notice.clear()
        self.changing.run(lambda outgoing: outgoing.forget_signed())

    # ---- the document in view --------------------------------------------------------------------------------------

    def _show_current(self) -> None:
        line = self._bench.current
        now = self.shell.desk.now()
        self.card.show_details(
            details(line, now, self.shell.words) if line is not None else None,
            editable=line is not None and line.editable,
        )
        if line is not None and line.id == self._copy_asked and self.card.copying.isVisible():
            self._copy_asked = ""
            self.card.copying.focus()
        self._show_pages()

    def _show_pages(self) -> None:
        images, held = self._checking.chosen.images, self._checking.held
        self.side.show_file(self._bench.current, self.card.files.current_signed, images, held=held)

    def _show_page(self, file_id: str, page: int) -> None:
        """A reason speaks of a page: the page comes into view, also where the pages are put away."""
        self._pages_button.setChecked(True)
        self.card.files.choose(file_id)
        self.side.go_to(page)

    def _open_row(self) -> None:
        """Enter on a cell that isn't edited: the files of the document, or its stamp on the page."""
        if self.grid.column_key(self.grid.currentIndex().column()) == says.ATTACHED:
            self.card.files.focus_list()
        else:
            self.pages.reveal_mark()

    # ---- signing ---------------------------------------------------------------------------------------------------

    def sign(self) -> None:
        """The one button."""
        self._sign(send=True)

    def _sign(self, *, send: bool) -> None:
        press = self._press
        if press is None or not press.ids or self.flow.running:
            return
        if press.error is not None:
            check = (self.shell.words("us_act_check_machine"), lambda: self.shell.go(Tab.MACHINE))
            self.notice.error(press.error, check)
            return
        self.notice.clear()
        # The button goes off now and would hand the keyboard to whatever comes next.
        self.grid.setFocus()
        self.flow.start(press.ids, press.certificate, send=send)

    def _running_changed(self, _running: bool) -> None:
        self._enable()
        self._reload()

    # ---- what can be done now --------------------------------------------------------------------------------------

    def _enable(self) -> None:
        lines, running = tuple(self._lines.values()), self.flow.running
        # While it is being signed, the line that shows how far has the place of the button.
        self._foot.setVisible(bool(lines) and self.flow.busy() is None)
        plugged = says.signers(self.shell.hub.tokens)
        today = self.shell.desk.now().date()
        self._press = says.press(lines, self._checking.chosen.names, plugged, today, self.shell.words)
        self._sign_button.setText(self._press.text)
        self._sign_button.setEnabled(bool(self._press.ids) and not running)
        self._only_sign.setVisible(self._press.sends)
        self._only_sign.setEnabled(not running)
        self._hint.setText(self._press.hint)
        named = self._checking.wanted in {signer.sha256 for signer in plugged}
        self._with.setVisible(named or says.must_choose(lines, plugged, today))
        self._arranging.enable()

    def _go_to_search(self) -> None:
        self._search.setFocus()
        self._search.selectAll()
