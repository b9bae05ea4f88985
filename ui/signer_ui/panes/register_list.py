"""What all lists of the tab have in common: the bar above, the lines, details beside them, how many there are below,
and when the list is read anew.

UI thread. Reads on a lane, one reading at a time; one that is no longer wanted is let go. What is read, and what
becomes of it, is for the page.
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from signer_resources.errors import KnownError
from signer_ui.panes.register_acts import EntryActs, Place
from signer_ui.panes.register_bar import ListBar
from signer_ui.presenters.grid import Column
from signer_ui.presenters.register_books import Part
from signer_ui.tasks import Handle, Lane
from signer_ui.widgets.basics import label
from signer_ui.widgets.grid import Grid
from signer_ui.widgets.progress import ProgressLine

R = TypeVar("R")


class ListPage(QWidget, Generic[R]):
    """See the module; `acts` are the buttons of the page."""

    def __init__(
        self,
        place: Place,
        part: Part,
        columns: Sequence[Column[R]],
        row_id: Callable[[R], str],
        name: str,
        empty: str,
        acts: Sequence[QWidget],
    ) -> None:
        super().__init__()
        self._place = place
        shell = self.shell = place.shell
        words, theme = shell.words, shell.theme
        self._reading: Handle | None = None
        self._again = False
        self._stale = True
        self.bar = ListBar(shell, part, acts)
        self.grid: Grid[R] = Grid(tuple(columns), row_id, words, theme, shell.tasks, words(name))
        self.grid.set_empty_text(words(empty))
        self.progress = ProgressLine(words, theme)
        self.details = EntryActs(place, lambda: self.grid.current_id, self.grid.setFocus).details()
        self.count = label(role="muted")
        self._lay_out()
        self.bar.search.textChanged.connect(self.grid.set_filter)
        self.bar.narrowed.connect(self._narrowed)
        self.bar.find_on(self)

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
        for told in self.told():
            outer.addWidget(told)
        outer.addWidget(self.progress)
        outer.addWidget(splitter, 1)
        outer.addWidget(self.count)
        splitter.setSizes([theme.space(240), theme.space(95)])

    # ---- what the page says ----------------------------------------------------------------------------------------

    def told(self) -> Sequence[QWidget]:
        """What stands between the bar and the lines."""
        return ()

    def reader(self) -> Callable[[Callable[[], bool]], Callable[[], None]]:
        """What reads the list on another thread, given what asks whether it is still wanted; its answer is called on
        the UI thread.
        """
        raise NotImplementedError

    def narrowed(self) -> None:
        """Another year or body was chosen."""

    @property
    def busy(self) -> bool:
        """Whether what is being written now would make a reading old; it is read when that is done."""
        return False

    # ---- what the tab asks -----------------------------------------------------------------------------------------

    def shown(self) -> None:
        """Reads the list if it may have changed since."""
        if self._stale:
            self.read()

    def store_changed(self) -> None:
        """What is in the list may be another by now."""
        self._stale = True
        if self.isVisible():
            self.read()

    def settled(self) -> bool:
        """Whether nothing is typed here that isn't written down."""
        return True

    # ---- reading ---------------------------------------------------------------------------------------------------

    def read(self) -> None:
        """Reads the list anew, after the reading that runs, if one does."""
        if self._reading is not None and self._reading.running:
            self._again = True
            return
        self._again = self._stale = False
        look = self.reader()
        self.progress.begin("ut_register_reading", None)
        self._reading = self.shell.tasks.run(
            self,
            Lane.QUICK,
            lambda control: look(lambda: control.cancelled),
            self._came,
            failed=self._not_read,
        )

    def written(self) -> None:
        """What made the page `busy` is done."""
        if self._again and not self.busy:
            self.read()

    def _narrowed(self) -> None:
        self.narrowed()
        if self._reading is not None:
            self._reading.cancel()
        self.read()

    def _came(self, put: Callable[[], None]) -> None:
        self.progress.end()
        if self.busy:
            # Read before what is being written now.
            self._stale = self._again = True
            return
        put()
        if self._again:
            self.read()

    def _not_read(self, error: KnownError) -> None:
        self.progress.end()
        if error.code != "interrupted":
            self.shell.notice(error)
        elif self._again:
            self.read()
