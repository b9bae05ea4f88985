"""The register: every document signed here, searched without marks; of one document its files, proof and receipt.

UI thread. Reads on a lane and shows; writes nothing but what the clerk asks for: copies, a number given up, a document
that is signed again. A file is opened by the system's own program, and only if it still is what was signed.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QLineEdit,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from signer_app.desk.register import RegisterSnapshot, Years
from signer_app.store.listings import RegisterEntry
from signer_app.store.number_book import NumberEntry
from signer_resources.errors import KnownError
from signer_ui.panes import register_work as work
from signer_ui.panes.register_details import EntryDetails
from signer_ui.presenters.figures import count
from signer_ui.presenters.register import (
    BookLine,
    FileView,
    columns,
    details_view,
    line_id,
    number_view,
)
from signer_ui.shell import Pane, Shell, Tab
from signer_ui.tasks import Handle, Lane
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.giving_up import GivingUp
from signer_ui.widgets.grid import Grid
from signer_ui.widgets.inputs import Choice
from signer_ui.widgets.notice import Notice
from signer_ui.widgets.progress import ProgressLine


def open_by_system(path: Path) -> None:
    """Has the system's own program show a file."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


class RegisterPane(Pane):
    """List and details."""

    def __init__(self, shell: Shell, opener: Callable[[Path], None] = open_by_system) -> None:
        super().__init__(shell)
        words, theme = shell.words, shell.theme
        self._opener = opener
        self._book: work.Book | None = None
        self._year: int | Years = Years.NEWEST
        self._reading: Handle | None = None
        self._again = False
        self._stale = True
        self.notice = Notice(words, theme)
        self.search = QLineEdit()
        self.search.setPlaceholderText(words("ut_search"))
        self.search.setAccessibleName(words("ut_search"))
        self.search.setClearButtonEnabled(True)
        self.years = Choice(theme)
        self.years.setAccessibleName(words("ut_year"))
        self.years.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.bodies = Choice(theme)
        self.bodies.setAccessibleName(words("ut_body"))
        self.bodies.hide()
        self._count = label(role="muted")
        self.copy = button(words("ut_copy_rows"), self._copy)
        self.grid: Grid[BookLine] = Grid(
            columns(self._receivers, words, shell.desk.now),
            line_id,
            words,
            theme,
            shell.tasks,
            words("ut_register_name"),
        )
        self.grid.set_empty_text(words("ut_register_empty"))
        self.progress = ProgressLine(words, theme)
        self.giving_up = GivingUp(words, theme, self.grid.setFocus)
        self.details = EntryDetails(shell, self._open_file, self._save_file, self._ask_again, self._ask_reason)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        theme = self.shell.theme
        left = QWidget()
        lines = QVBoxLayout(left)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(theme.space(2))
        bar = row(self.search, self.years, self.bodies, self.copy, spacing=theme.space(2))
        bar.setStretch(0, 1)
        lines.addLayout(bar)
        lines.addWidget(self.progress)
        lines.addWidget(self.grid, 1)
        lines.addWidget(self._count)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.setProperty("role", "gap")
        splitter.addWidget(left)
        splitter.addWidget(self.details)
        splitter.setStretchFactor(0, 7)
        splitter.setStretchFactor(1, 3)
        splitter.setHandleWidth(theme.space(2))
        self.details.setMinimumWidth(theme.space(80))
        outer = QVBoxLayout(self)
        margin = theme.space(4)
        outer.setContentsMargins(margin, theme.space(3), margin, theme.space(2))
        outer.setSpacing(theme.space(2))
        outer.addWidget(self.giving_up)
        outer.addWidget(self.notice)
        outer.addWidget(splitter, 1)
        splitter.setSizes([theme.space(240), theme.space(95)])

    def _connect(self) -> None:
        self.search.textChanged.connect(self.grid.set_filter)
        self.grid.presented.connect(self._counted)
        self.grid.current_changed.connect(self._chosen)
        self.grid.activated_row.connect(lambda _id: self.details.open_main())
        self.grid.chosen_changed.connect(lambda: self.copy.setEnabled(bool(self.grid.chosen_ids)))
        self.copy.setEnabled(False)
        self.years.activated.connect(self._narrowed)
        self.bodies.activated.connect(self._narrowed)
        self.shell.hub.store_changed.connect(self._store_changed)
        find = QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self)
        find.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        find.activated.connect(self.search.setFocus)

    # ---- the list --------------------------------------------------------------------------------------------------

    def first_control(self) -> QWidget:
        """The search."""
        return self.search

    def shown(self) -> None:
        """Reads the register if it may have changed since."""
        if self._stale:
            self._read()

    def _store_changed(self) -> None:
        self._stale = True
        if self.isVisible():
            self._read()

    def _narrowed(self, _index: int) -> None:
        self._year = self.years.currentData()
        if self._reading is not None:
            self._reading.cancel()
        self._read()

    def _read(self) -> None:
        if self._reading is not None and self._reading.running:
            self._again = True
            return
        self._again = self._stale = False
        year, body, desk, known = self._year, self.bodies.currentData(), self.shell.desk, self._book
        self.progress.begin("ut_register_reading", None)
        self._reading = self.shell.tasks.run(
            self,
            Lane.QUICK,
            lambda control: work.look(desk, year, body, known, lambda: control.cancelled),
            self._came,
            failed=self._not_read,
        )

    def _came(self, book: work.Book | None) -> None:
        self.progress.end()
        if book is not None and book is not self._book:
            self._book = book
            self._fill(book.snapshot)
            self.grid.set_rows(book.lines)
        if book is not None:
            # A level that was raised meanwhile is no change of the list.
            self._chosen(self.grid.current_id)
        if self._again:
            self._read()

    def _not_read(self, error: KnownError) -> None:
        self.progress.end()
        if error.code != "interrupted":
            self.shell.notice(error)
        elif self._again:
            self._read()

    def _fill(self, snapshot: RegisterSnapshot) -> None:
        """The choices: years and bodies that have documents."""
        words = self.shell.words
        _choices(
            self.years, [(words("ut_all_years"), Years.ALL), *((str(y), y) for y in snapshot.years)], snapshot.year
        )
        names = [(snapshot.names.get(code, code), code) for code in snapshot.bodies]
        _choices(self.bodies, [(words("ut_all_bodies"), None), *names], self.bodies.currentData())
        self.bodies.setVisible(len(names) > 1)

    def _receivers(self) -> Mapping[str, str]:
        return self._book.snapshot.names if self._book is not None else {}

    def _counted(self) -> None:
        shown, numbers = self.grid.shown_ids, self._book.numbers if self._book is not None else {}
        documents = len(shown) - (sum(1 for one in shown if one in numbers) if numbers else 0)
        self._count.setText(self.shell.words("ut_register_count", count=count(documents, self.shell.words)))

    def _copy(self) -> None:
        self.grid.copy()
        self.shell.notice("ut_rows_copied")

    # ---- one document ----------------------------------------------------------------------------------------------

    def _chosen(self, chosen: object) -> None:
        book, key = self._book, str(chosen or "")
        number = book.numbers.get(key) if book is not None else None
        if number is not None:
            self.details.show_view(number_view(number, self._receivers(), self.shell.desk.now(), self.shell.words))
            return
        entry = book.snapshot.by_id.get(key) if book is not None else None
        if entry is None:
            self.details.clear()
            return
        desk = self.shell.desk
        self.shell.tasks.run(
            self,
            Lane.QUICK,
            lambda _control: work.find(desk, entry.id),
            lambda found: self._opened(entry, found),
            failed=self.shell.notice,
        )

    def _opened(self, entry: RegisterEntry, found: work.Found) -> None:
        if entry.id != self.grid.current_id:
            # Another one was chosen meanwhile.
            return
        now, words = self.shell.desk.now(), self.shell.words
        self.details.show_view(details_view(entry, found.details, found.levels, self._receivers(), now, words))

    def _ask_again(self, label: str) -> None:
        """The second step is the answer to a question; what was sent is refused with the reason."""
        words, document = self.shell.words, self.grid.current_id
        if document is None:
            return
        yes = (words("uk_again_yes"), lambda: self._sign_again(document))
        no = (words("uk_again_no"), self._leave)
        self.notice.tell(words("uk_again_ask", label=label), yes, no, role="notice-warn", question=True)
        self.notice.focus_action()

    def _sign_again(self, document: str) -> None:
        desk = self.shell.desk
        self._leave()
        self.shell.tasks.run(
            self,
            Lane.DOCUMENTS,
            lambda _control: desk.outgoing.sign_again(document),
            lambda _draft: self._waits_again(),
            failed=self.notice.error,
        )

    def _waits_again(self) -> None:
        self.shell.hub.poke_drafts()
        self.shell.go(Tab.OUTGOING)
        self.shell.notice("uk_again_ready")

    def _leave(self) -> None:
        self.notice.clear()
        self.grid.setFocus()

    def _ask_reason(self, number: NumberEntry) -> None:
        self.giving_up.ask(
            KnownError("out_number_kept", number=number.label), lambda reason: self._give_up(number, reason)
        )

    def _give_up(self, number: NumberEntry, reason: str) -> None:
        desk, words = self.shell.desk, self.shell.words

        def given_up(label: str) -> None:
            self.notice.tell(words("uk_number_given_up", number=label))
            self.shell.hub.poke_store()
            self.shell.hub.poke_drafts()

        self.shell.tasks.run(
            self, Lane.QUICK, lambda _control: work.give_up(desk, number, reason), given_up, failed=self.notice.error
        )

    def _open_file(self, file_id: str) -> None:
        desk = self.shell.desk
        self.shell.tasks.run(
            self,
            Lane.DOCUMENTS,
            lambda _control: desk.register.copy_to_open(file_id),
            self._opener,
            failed=self.notice.error,
        )

    def _save_file(self, file: FileView) -> None:
        words, desk = self.shell.words, self.shell.desk
        chosen, _kind = QFileDialog.getSaveFileName(
            self,
            words("ut_save_title"),
            file.name,
            words("ut_pdf_files"),
            # Nothing is ever replaced, so there is nothing to confirm.
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if chosen:
            self.shell.tasks.run(
                self,
                Lane.DOCUMENTS,
                lambda _control: desk.register.save(file.id, Path(chosen)),
                lambda _none: self.notice.tell(words("ut_saved", file=chosen)),
                failed=self.notice.error,
            )


def _choices(box: QComboBox, wanted: Sequence[tuple[str, object]], current: object) -> None:
    """Gives the box these choices; whoever has it open keeps what is chosen."""
    if [(box.itemText(i), box.itemData(i)) for i in range(box.count())] != list(wanted):
        box.clear()
        for text, value in wanted:
            box.addItem(text, value)
    found = next((at for at, (_text, value) in enumerate(wanted) if value == current), 0)
    box.setCurrentIndex(found)
