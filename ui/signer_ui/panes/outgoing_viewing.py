"""The document in view: what its card says, which of its files and pages is shown, and what leads to a page.

UI thread. Reads what the pane's rows say, changes nothing.
"""

import time

from PySide6.QtCore import QTimer

from signer_ui.panes.outgoing_bench import Bench
from signer_ui.panes.outgoing_checking import Checking
from signer_ui.panes.outgoing_face import ListFace
from signer_ui.panes.outgoing_pages import PagesSide
from signer_ui.presenters import outgoing as says
from signer_ui.presenters.outgoing_details import details

_FOLLOW_MS = 100
"""While the cursor runs through the list, the card follows so often; a single step it follows at once."""


class Viewing:
    """Follows the cursor of the grid and the list of files."""

    def __init__(self, bench: Bench, side: PagesSide, face: ListFace, checking: Checking) -> None:
        self._bench, self._side, self._face, self._checking = bench, side, face, checking
        self._copy_asked = ""
        """The draft that has just become a copy: who ordered it is asked at once."""
        self._followed = 0.0
        self._later = QTimer(bench.grid)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.show_current)
        bench.grid.current_changed.connect(lambda _id: self._follow())
        bench.grid.activated_row.connect(lambda _id: self._open_row())
        bench.card.files.file_chosen.connect(lambda _id: self._show_pages())
        bench.card.page_wanted.connect(self._show_page)

    def ask_copy(self, draft_id: str) -> None:
        """Who ordered the copy is asked as soon as the draft is one."""
        self._copy_asked = draft_id

    def _follow(self) -> None:
        """Keys that wait in the queue are worked off one after the other: drawing the card for each would keep the
        window from all else.
        """
        if time.monotonic() - self._followed < _FOLLOW_MS / 1000:
            if not self._later.isActive():
                self._later.start(_FOLLOW_MS)
        else:
            self.show_current()

    def show_current(self) -> None:
        """The document with the cursor, as it stands now."""
        self._later.stop()
        self._show_current()
        self._followed = time.monotonic()

    def _show_current(self) -> None:
        bench = self._bench
        line, card, shell = bench.current, bench.card, bench.shell
        card.show_details(
            details(line, shell.desk.now(), shell.words) if line is not None else None,
            editable=line is not None and line.editable,
        )
        if line is not None and line.id == self._copy_asked and card.copying.isVisible():
            self._copy_asked = ""
            card.copying.focus()
        self._show_pages()

    def show_reviewed(self, draft: str, file: str, page: int) -> None:
        """A page of the review is wanted beside the list, where its mark can be moved."""
        self._bench.grid.choose((draft,))
        self._bench.grid.setFocus()
        self._show_page(file, page)
        self._side.view.reveal_mark()

    def _show_pages(self) -> None:
        images, held, file = self._checking.chosen.images, self._checking.held, self._bench.card.files.current_signed
        self._side.show_file(self._bench.current, file, images, held=held)

    def _show_page(self, file_id: str, page: int) -> None:
        """A reason speaks of a page: the page comes into view, also where the pages are put away."""
        self._face.pages.setChecked(True)
        self._bench.card.files.choose(file_id)
        self._side.go_to(page)

    def _open_row(self) -> None:
        """Enter on a cell that isn't edited: the files of the document, or its stamp on the page."""
        grid = self._bench.grid
        if grid.column_key(grid.currentIndex().column()) == says.ATTACHED:
            self._bench.card.files.focus_list()
        else:
            self._side.view.reveal_mark()
