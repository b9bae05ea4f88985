"""One of the two registers: ten columns, the clerk's cells edited in place, details of the chosen line beside it.

UI thread. Reads and writes on a lane. What is typed stands on the screen at once and is written down before anything
is read anew; while a cell is edited nothing under it changes.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QAbstractItemView, QMenu, QPushButton, QToolButton, QWidget

from signer_app.desk.register import Years
from signer_app.store.registers import Book
from signer_resources.errors import KnownError
from signer_ui.panes import register_book_work as work
from signer_ui.panes.register_acts import Place, ask_target
from signer_ui.panes.register_list import ListPage
from signer_ui.panes.register_report import PeriodDialog
from signer_ui.presenters.grid import Column
from signer_ui.presenters.register import DetailsView
from signer_ui.presenters.register_books import Line, Part, counts_text, incoming_columns, outgoing_columns, write
from signer_ui.tasks import Lane
from signer_ui.widgets.basics import button


class BookPage(ListPage[Line]):
    """See the module; `acts` are further buttons of one of the registers."""

    def __init__(self, place: Place, book: Book, acts: Sequence[QWidget] = ()) -> None:
        words = place.shell.words
        self._book = book
        self._shelf: work.Shelf | None = None
        self._held: work.Shelf | None = None
        """Came while a cell was edited."""
        self._wanted = work.Wanted(book, Years.NEWEST, None)
        self._typed: dict[str, Line] = {}
        """Lines as they say since something was typed into them."""
        self._writing = 0
        self._go_to_newest = True
        outgoing = book is Book.OUTGOING
        self.export = QPushButton(words("ur_export"))
        self.export.setAutoDefault(True)
        self.report = button(words("ur_report"), self._report)
        self.more = QToolButton()
        self.more.setText(words("ur_details"))
        self.more.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.more.setCheckable(True)
        columns: tuple[Column[Line], ...] = outgoing_columns(words) if outgoing else incoming_columns(words)  # type: ignore[assignment]
        super().__init__(
            place,
            Part.OUTGOING if outgoing else Part.INCOMING,
            columns,
            lambda line: line.id,
            "ut_register_name" if outgoing else "register_in_name",
            "ur_outgoing_empty" if outgoing else "ur_incoming_empty",
            (*acts, self.export, self.report, self.more),
        )
        self.export.setMenu(self._export_menu())
        self.details.hide()
        self.more.toggled.connect(self._show_details)
        self.grid.presented.connect(self._presented)
        self.grid.edited.connect(self._edited)
        self.grid.current_changed.connect(lambda _id: self._look_closer())
        self.grid.activated_row.connect(lambda _id: self._activated())
        self.grid.itemDelegate().closeEditor.connect(lambda *_how: QTimer.singleShot(0, self, self._put_held))

    # ---- what the tab asks -----------------------------------------------------------------------------------------

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

    @property
    def busy(self) -> bool:
        """Whether a cell is being written."""
        return self._writing > 0

    def narrowed(self) -> None:
        """Another year or body was chosen."""
        self._wanted = work.Wanted(self._book, self.bar.year, self.bar.body)
        self._go_to_newest = True

    def reader(self) -> Callable[[Callable[[], bool]], Callable[[], None]]:
        """Reads the register; what comes while a cell is edited is held back."""
        wanted, known, desk, words = self._wanted, self._held or self._shelf, self.shell.desk, self.shell.words

        def read(_cancelled: Callable[[], bool]) -> Callable[[], None]:
            shelf = work.look(desk, wanted, known, words)
            return lambda: self._read_now(shelf)

        return read

    def _read_now(self, shelf: work.Shelf) -> None:
        if self.editing:
            self._held = shelf
        else:
            self._put(shelf)

    def _put_held(self) -> None:
        held, self._held = self._held, None
        if held is not None and not self.editing and not self._writing:
            self._put(held)
        elif held is not None:
            self._stale = True
            self.read()

    def _put(self, shelf: work.Shelf) -> None:
        if shelf is not self._shelf:
            before, self._shelf = self._shelf, shelf
            self._typed = {}
            self.bar.fill(shelf.year, shelf.years, shelf.bodies)
            changed = shelf.changed_since(before) if before is not None and not self._go_to_newest else None
            if changed is None:
                self.grid.set_rows(shelf.lines)
            else:
                self.grid.replace_rows(changed)
                self._presented()
            self.filled(shelf)
        self._look_closer()

    def filled(self, shelf: work.Shelf) -> None:
        """The register was read; a page with acts of its own sees which of them make sense."""

    def _presented(self) -> None:
        shelf = self._shelf
        if shelf is None:
            return
        shown = self.grid.shown_ids
        self.count.setText(counts_text(self._book, shelf.counts, len(shown), len(shelf.lines), self.shell.words))
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
            lambda _control: work.write_cell(desk, book, line, written.edit),
            lambda done: self._is_written(*done),
            failed=lambda error: self._is_not_written(error, text),
        )

    def _is_written(self, commits: int, line: Line | None) -> None:
        """Only this line changed, unless something else was written since the register was read."""
        self._writing -= 1
        shelf = self._shelf
        if shelf is None or line is None or shelf.commits != commits:
            self._again = True
        else:
            self._shelf = shelf.with_line(line, commits + 1)
            if not self._writing:
                self._typed.pop(line.id, None)
                self.grid.replace_rows({line.id: line})
        self.written()

    def _is_not_written(self, error: KnownError, text: str) -> None:
        """What stands there now is read again; what was typed is among the details of the notice, to be copied."""
        self._writing -= 1
        self._place.notice.error(KnownError(error.code, **{**error.params, "typed": text}))
        self._shelf = None
        self.read()

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
