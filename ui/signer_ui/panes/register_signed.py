"""All documents signed here, with a number or without, the newest first; of one its files, proof and receipt.

UI thread. Reads on a lane and shows. A file is opened by the system's own program, and only if it still is what was
signed.
"""

from collections.abc import Callable, Mapping

from signer_app.desk.register import RegisterSnapshot, Years
from signer_app.store.listings import RegisterEntry
from signer_ui.panes import register_work as work
from signer_ui.panes.register_acts import Place
from signer_ui.panes.register_list import ListPage
from signer_ui.presenters.figures import count
from signer_ui.presenters.incoming import Answering
from signer_ui.presenters.register import BookLine, columns, details_view, line_id, number_view
from signer_ui.presenters.register_books import Part
from signer_ui.tasks import Lane
from signer_ui.widgets.basics import button


class SignedPage(ListPage[BookLine]):
    """List and details."""

    def __init__(self, place: Place) -> None:
        shell = place.shell
        self._book: work.Book | None = None
        self._year: int | Years = Years.NEWEST
        self.copy = button(shell.words("ut_copy_rows"), self._copy)
        super().__init__(
            place,
            Part.SIGNED,
            columns(self._receivers, shell.words, shell.desk.now),
            line_id,
            "ur_signed_name",
            "ut_register_empty",
            (self.copy,),
        )
        self.copy.setEnabled(False)
        self.grid.presented.connect(self._counted)
        self.grid.current_changed.connect(self._chosen)
        self.grid.activated_row.connect(lambda _id: self.details.open_main())
        self.grid.chosen_changed.connect(lambda: self.copy.setEnabled(bool(self.grid.chosen_ids)))

    def narrowed(self) -> None:
        """Another year or body was chosen."""
        self._year = self.bar.year

    def reader(self) -> Callable[[Callable[[], bool]], Callable[[], None]]:
        """Reads the documents."""
        year, body, desk, known = self._year, self.bar.body, self.shell.desk, self._book

        def read(cancelled: Callable[[], bool]) -> Callable[[], None]:
            book = work.look(desk, year, body, known, cancelled)
            return lambda: self._put(book)

        return read

    def _put(self, book: work.Book | None) -> None:
        if book is None:
            return
        if book is not self._book:
            self._book = book
            self._fill(book.snapshot)
            self.grid.set_rows(book.lines)
        # A level that was raised meanwhile is no change of the list.
        self._chosen(self.grid.current_id)

    def _fill(self, snapshot: RegisterSnapshot) -> None:
        bodies = [(code, snapshot.names.get(code, code)) for code in snapshot.bodies]
        self.bar.fill(snapshot.year, snapshot.years, bodies)

    def _receivers(self) -> Mapping[str, str]:
        return self._book.snapshot.names if self._book is not None else {}

    def _counted(self) -> None:
        shown, numbers = self.grid.shown_ids, self._book.numbers if self._book is not None else {}
        documents = len(shown) - (sum(1 for one in shown if one in numbers) if numbers else 0)
        self.count.setText(self.shell.words("ut_register_count", count=count(documents, self.shell.words)))

    def _copy(self) -> None:
        self.grid.copy()
        self.shell.notice("ut_rows_copied")

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
        ours = Answering.of(self.shell.hub.settings).orgs
        self.details.show_view(details_view(entry, found.details, found.levels, self._receivers(), now, words, ours))
