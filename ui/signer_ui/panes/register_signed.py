"""All documents signed here, with a number or without, the newest first; of one its files, proof and receipt.

UI thread. Reads on a lane and shows. A file is opened by the system's own program, and only if it still is what was
signed.
"""

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from signer_app.desk.register import RegisterSnapshot, Years
from signer_app.store.listings import RegisterEntry
from signer_resources.errors import KnownError
from signer_ui.panes import register_work as work
from signer_ui.panes.register_acts import EntryActs, Place
from signer_ui.panes.register_bar import ListBar
from signer_ui.presenters.figures import count
from signer_ui.presenters.register import BookLine, columns, details_view, line_id, number_view
from signer_ui.presenters.register_books import Part
from signer_ui.tasks import Handle, Lane
from signer_ui.widgets.basics import button, label
from signer_ui.widgets.grid import Grid
from signer_ui.widgets.progress import ProgressLine


class SignedPage(QWidget):
    """List and details."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        shell = self._shell = place.shell
        words, theme = shell.words, shell.theme
        self._book: work.Book | None = None
        self._year: int | Years = Years.NEWEST
        self._reading: Handle | None = None
        self._again = False
        self._stale = True
        self._count = label(role="muted")
        self.copy = button(words("ut_copy_rows"), self._copy)
        self.bar = ListBar(shell, Part.SIGNED, (self.copy,))
        self.grid: Grid[BookLine] = Grid(
            columns(self._receivers, words, shell.desk.now),
            line_id,
            words,
            theme,
            shell.tasks,
            words("ur_signed_name"),
        )
        self.grid.set_empty_text(words("ut_register_empty"))
        self.progress = ProgressLine(words, theme)
        self.details = EntryActs(place, lambda: self.grid.current_id, self.grid.setFocus).details()
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        theme = self._shell.theme
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
        self.grid.presented.connect(self._counted)
        self.grid.current_changed.connect(self._chosen)
        self.grid.activated_row.connect(lambda _id: self.details.open_main())
        self.grid.chosen_changed.connect(lambda: self.copy.setEnabled(bool(self.grid.chosen_ids)))
        self.copy.setEnabled(False)
        self.bar.narrowed.connect(self._narrowed)
        self.bar.find_on(self)

    def shown(self) -> None:
        """Reads the list if it may have changed since."""
        if self._stale:
            self._read()

    def store_changed(self) -> None:
        """What is in the list may be another by now."""
        self._stale = True
        if self.isVisible():
            self._read()

    def settled(self) -> bool:
        """Nothing is typed here."""
        return True

    def _narrowed(self) -> None:
        self._year = self.bar.year
        if self._reading is not None:
            self._reading.cancel()
        self._read()

    def _read(self) -> None:
        if self._reading is not None and self._reading.running:
            self._again = True
            return
        self._again = self._stale = False
        year, body, desk, known = self._year, self.bar.body, self._shell.desk, self._book
        self.progress.begin("ut_register_reading", None)
        self._reading = self._shell.tasks.run(
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
            self._shell.notice(error)
        elif self._again:
            self._read()

    def _fill(self, snapshot: RegisterSnapshot) -> None:
        bodies = [(code, snapshot.names.get(code, code)) for code in snapshot.bodies]
        self.bar.fill(snapshot.year, snapshot.years, bodies)

    def _receivers(self) -> Mapping[str, str]:
        return self._book.snapshot.names if self._book is not None else {}

    def _counted(self) -> None:
        shown, numbers = self.grid.shown_ids, self._book.numbers if self._book is not None else {}
        documents = len(shown) - (sum(1 for one in shown if one in numbers) if numbers else 0)
        self._count.setText(self._shell.words("ut_register_count", count=count(documents, self._shell.words)))

    def _copy(self) -> None:
        self.grid.copy()
        self._shell.notice("ut_rows_copied")

    def _chosen(self, chosen: object) -> None:
        book, key = self._book, str(chosen or "")
        number = book.numbers.get(key) if book is not None else None
        if number is not None:
            self.details.show_view(number_view(number, self._receivers(), self._shell.desk.now(), self._shell.words))
            return
        entry = book.snapshot.by_id.get(key) if book is not None else None
        if entry is None:
            self.details.clear()
            return
        desk = self._shell.desk
        self._shell.tasks.run(
            self,
            Lane.QUICK,
            lambda _control: work.find(desk, entry.id),
            lambda found: self._opened(entry, found),
            failed=self._shell.notice,
        )

    def _opened(self, entry: RegisterEntry, found: work.Found) -> None:
        if entry.id != self.grid.current_id:
            # Another one was chosen meanwhile.
            return
        now, words = self._shell.desk.now(), self._shell.words
        self.details.show_view(details_view(entry, found.details, found.levels, self._receivers(), now, words))
