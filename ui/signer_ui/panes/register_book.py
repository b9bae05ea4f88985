"""One of the two registers: ten columns, the clerk's cells edited in place, details of the chosen line beside it.

UI thread. Reads and writes on a lane. What is typed stands on the screen at once and is written down before anything
is read anew; while a cell is edited nothing under it changes.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QAbstractItemView, QMenu, QPushButton, QSplitter, QToolButton, QVBoxLayout, QWidget

from signer_app.desk.register import Years
from signer_app.store.registers import Book
from signer_resources.errors import KnownError
from signer_ui.panes import register_book_work as work
from signer_ui.panes.register_acts import EntryActs, Place, ask_target
from signer_ui.panes.register_bar import ListBar
from signer_ui.panes.register_report import PeriodDialog
from signer_ui.presenters.grid import Column
from signer_ui.presenters.register import DetailsView
from signer_ui.presenters.register_books import Line, Part, counts_text, incoming_columns, outgoing_columns, write
from signer_ui.tasks import Handle, Lane
from signer_ui.widgets.basics import button, label
from signer_ui.widgets.grid import Grid
from signer_ui.widgets.progress import ProgressLine


class BookPage(QWidget):
    """See the module; `acts` are further buttons of one of the registers."""

    def __init__(self, place: Place, book: Book, acts: Sequence[QWidget] = ()) -> None:
        super().__init__()
        self._place = place
        shell = self.shell = place.shell
        words, theme = shell.words, shell.theme
        self._book = book
        self._shelf: work.Shelf | None = None
        self._held: work.Shelf | None = None
        """Came while a cell was edited."""
        self._wanted = work.Wanted(book, Years.NEWEST, None)
        self._typed: dict[str, Line] = {}
        """Lines as they say since something was typed into them."""
        self._writing = 0
        self._reading: Handle | None = None
        self._again = False
        self._stale = True
        self._go_to_newest = True
        outgoing = book is Book.OUTGOING
        self.export = QPushButton(words("ur_export"))
        self.export.setAutoDefault(True)
        self.export.setMenu(self._export_menu())
        self.report = button(words("ur_report"), self._report)
        self.more = QToolButton()
        self.more.setText(words("ur_details"))
        self.more.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.more.setCheckable(True)
        self.more.toggled.connect(self._show_details)
        part = Part.OUTGOING if outgoing else Part.INCOMING
        self.bar = ListBar(shell, part, (*acts, self.export, self.report, self.more))
        columns: tuple[Column[Line], ...] = outgoing_columns(words) if outgoing else incoming_columns(words)  # type: ignore[assignment]
        name = words("ut_register_name" if outgoing else "register_in_name")
        self.grid: Grid[Line] = Grid(columns, lambda line: line.id, words, theme, shell.tasks, name)
        self.grid.set_empty_text(words("ur_outgoing_empty" if outgoing else "ur_incoming_empty"))
        self.progress = ProgressLine(words, theme)
        self.details = EntryActs(place, lambda: self.grid.current_id, self.grid.setFocus).details()
        self.details.hide()
        self._count = label(role="muted")
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        theme = self.shell.theme
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.setProperty("role", "gap")
        splitter.addWidget(self.grid)
        splitter.addWidget(self.details)
        splitter.setStretchFactor(0, 7)
        splitter.setStretchFactor(1, 3)
        splitter.setHandleWidth(theme.space(2))
        self.details.setMinimumWidth(theme.space(80))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(theme.space(2))
        outer.addWidget(self.bar)
        outer.addWidget(self.progress)
        outer.addWidget(splitter, 1)
        outer.addWidget(self._count)
        splitter.setSizes([theme.space(240), theme.space(95)])

    def _connect(self) -> None:
        self.bar.search.textChanged.connect(self.grid.set_filter)
        self.bar.narrowed.connect(self._narrowed)
        self.bar.find_on(self)
        self.grid.presented.connect(self._presented)
        self.grid.edited.connect(self._edited)
        self.grid.current_changed.connect(lambda _id: self._look_closer())
        self.grid.activated_row.connect(lambda _id: self._activated())
        self.grid.itemDelegate().closeEditor.connect(lambda *_how: QTimer.singleShot(0, self, self._put_held))

    # ---- what the tab asks -----------------------------------------------------------------------------------------

    def shown(self) -> None:
        """Reads the register if it may have changed since."""
        if self._stale:
            self._read()

    def store_changed(self) -> None:
        """What is in the register may be another by now."""
        self._stale = True
        if self.isVisible():
            self._read()

    def settled(self) -> bool:
        """What stands in an open cell is taken as if it had been left with Enter; False until all is written."""
        if self.editing:
            self.grid.setFocus()
        return self._writing == 0

    @property
    def editing(self) -> bool:
        """Whether a cell is open."""
        return self.grid.state() is QAbstractItemView.State.EditingState

    @property
    def body(self) -> str | None:
        """Code of the body that is chosen; None for all."""
        return self._wanted.body

    # ---- the lines -------------------------------------------------------------------------------------------------

    def _narrowed(self) -> None:
        self._wanted = work.Wanted(self._book, self.bar.year, self.bar.body)
        self._go_to_newest = True
        if self._reading is not None:
            self._reading.cancel()
        self._read()

    def _read(self) -> None:
        if self._reading is not None and self._reading.running:
            self._again = True
            return
        self._again = self._stale = False
        wanted, known, desk, words = self._wanted, self._held or self._shelf, self.shell.desk, self.shell.words
        self.progress.begin("ut_register_reading", None)
        self._reading = self.shell.tasks.run(
            self,
            Lane.QUICK,
            lambda _control: work.look(desk, wanted, known, words),
            self._came,
            failed=self._not_read,
        )

    def _came(self, shelf: work.Shelf) -> None:
        self.progress.end()
        if self._writing:
            # Read before what is being written now; it is read once more when that is done.
            self._stale = self._again = True
        elif self.editing:
            self._held = shelf
        else:
            self._put(shelf)
        if self._again and not self._writing:
            self._read()

    def _put_held(self) -> None:
        held, self._held = self._held, None
        if held is not None and not self.editing and not self._writing:
            self._put(held)
        elif held is not None:
            self._stale = True
            self._read()

    def _put(self, shelf: work.Shelf) -> None:
        if shelf is not self._shelf:
            self._shelf = shelf
            self._typed = {}
            self.bar.fill(shelf.year, shelf.years, shelf.bodies)
            self.grid.set_rows(shelf.lines)
            self.filled(shelf)
        self._look_closer()

    def filled(self, shelf: work.Shelf) -> None:
        """The register was read; a page with acts of its own sees which of them make sense."""

    def _not_read(self, error: KnownError) -> None:
        self.progress.end()
        if error.code != "interrupted":
            self.shell.notice(error)
        elif self._again:
            self._read()

    def _presented(self) -> None:
        shelf = self._shelf
        if shelf is None:
            return
        shown = self.grid.shown_ids
        self._count.setText(counts_text(self._book, shelf.counts, len(shown), len(shelf.lines), self.shell.words))
        self.export.setEnabled(bool(shown))
        if self._go_to_newest and self.grid.settled and self.grid.rows is shelf.lines:
            self._go_to_newest = False
            if shelf.newest in shown:
                # The scroll bar doesn't know of the new lines yet.
                self.grid.executeDelayedItemsLayout()
                self.grid.scrollTo(self.grid.model().index(shown.index(shelf.newest), 0))

    def _line(self, line_id: str | None) -> Line | None:
        if line_id is None or self._shelf is None:
            return None
        return self._typed.get(line_id) or self._shelf.by_id.get(line_id)

    # ---- writing ---------------------------------------------------------------------------------------------------

    def _edited(self, line_id: str, column: str, text: str) -> None:
        line = self._line(line_id)
        if line is None:
            return
        try:
            written = write(self._book, line, column, text)
        except KnownError as error:
            self._place.notice.error(error)
            self.grid.forget_typed()
            return
        desk, book = self.shell.desk, self._book
        self._typed[line_id] = written.line
        self.grid.replace_rows({line_id: written.line})
        self._writing += 1
        self.shell.tasks.run(
            self,
            Lane.QUICK,
            lambda _control: desk.register_books.write_one(book, written.edit),
            lambda _none: self._is_written(),
            failed=lambda error: self._is_not_written(error, text),
        )

    def _is_written(self) -> None:
        self._writing -= 1
        if not self._writing and self._again:
            self._read()

    def _is_not_written(self, error: KnownError, text: str) -> None:
        """What stands there now is read again; what was typed is among the details of the notice, to be copied."""
        self._writing -= 1
        self._place.notice.error(KnownError(error.code, **{**error.params, "typed": text}))
        self._shelf = None
        self._read()

    # ---- one line --------------------------------------------------------------------------------------------------

    def _show_details(self, wanted: bool) -> None:
        self.details.setVisible(wanted)
        self._look_closer()

    def _activated(self) -> None:
        if self.details.isHidden():
            self.more.setChecked(True)
        else:
            self.details.open_main()

    def _look_closer(self) -> None:
        line = self._line(self.grid.current_id)
        if self.details.isHidden():
            return
        if line is None:
            self.details.clear()
            return
        desk, words = self.shell.desk, self.shell.words
        self.shell.tasks.run(
            self,
            Lane.QUICK,
            lambda _control: work.details(desk, line, words),
            lambda view: self._show_view(line.id, view),
            failed=self.shell.notice,
        )

    def _show_view(self, line_id: str, view: DetailsView | None) -> None:
        if line_id != self.grid.current_id:
            # Another one was chosen meanwhile.
            return
        if view is None:
            self.details.clear()
        else:
            self.details.show_view(view)

    # ---- files -----------------------------------------------------------------------------------------------------

    def _export_menu(self) -> QMenu:
        menu = QMenu(self)
        kinds = (("ur_export_pdf", ".pdf"), ("ur_export_xlsx", ".xlsx"), ("ur_export_csv", ".csv"))
        for key, ending in kinds:
            menu.addAction(self.shell.words(key)).triggered.connect(self._ask_where(ending))
        return menu

    def _ask_where(self, ending: str) -> Callable[[], None]:
        return lambda *_checked: self._save(ending)

    def _save(self, ending: str) -> None:
        shelf, words = self._shelf, self.shell.words
        if shelf is None:
            return
        book = words("register_out_name" if self._book is Book.OUTGOING else "register_in_name")
        name = f"{book} {shelf.year or ''}".strip() + ending
        target = ask_target(self, words("ur_export_title"), name, ending, words("ur_file_kind", ending=ending))
        if target is not None:
            self._write_file(shelf, target)

    def _write_file(self, shelf: work.Shelf, target: Path) -> None:
        desk, words, wanted = self.shell.desk, self.shell.words, self._wanted
        searched = self.bar.search.text().strip()
        only = frozenset(self.grid.shown_ids) if searched else None

        def written(_none: None) -> None:
            self.progress.end()
            self.export.setEnabled(True)
            self._place.notice.tell(words("ur_exported", file=str(target)))
            if target.suffix.lower() == ".pdf":
                # To be looked at and printed.
                self._place.opener(target)

        def failed(error: KnownError) -> None:
            self.progress.end()
            self.export.setEnabled(True)
            if error.code != "interrupted":
                self._place.notice.error(error)

        self.export.setEnabled(False)
        handle = self.shell.tasks.run(
            self,
            Lane.DOCUMENTS,
            lambda control: work.export(
                desk, wanted, shelf.year, only, searched, target, words, lambda: control.cancelled
            ),
            written,
            failed=failed,
        )
        self.progress.begin("ur_exporting", handle)

    def _report(self) -> None:
        dialog = PeriodDialog(self._place, self.body, self)
        dialog.open()
