"""What the parts of the pane of outgoing documents share: the rows, what is chosen, and the one way to change a draft.

UI thread; a change itself is made on the quick lane. Draws nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from signer_app.outgoing.model import Changes
from signer_app.outgoing.outgoing import Outgoing
from signer_resources.errors import KnownError
from signer_ui.panes.outgoing_details import DocumentCard
from signer_ui.presenters.outgoing import Line
from signer_ui.presenters.outgoing_totals import Totals
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.widgets.grid import Grid
from signer_ui.widgets.notice import Notice

T = TypeVar("T")


class Changing(QObject):
    """Has something changed in the drafts."""

    begun = Signal()
    changed = Signal()
    failed = Signal(object)
    """KnownError; nothing was changed."""
    reason_wanted = Signal(object, object)
    """KnownError "out_number_kept", and what to call with the reason; nothing was changed so far."""

    def __init__(self, shell: Shell, parent: QObject) -> None:
        super().__init__(parent)
        self._shell = shell
        self._under_way = 0

    @property
    def running(self) -> bool:
        """Whether something is still to be written."""
        return self._under_way > 0

    def run(
        self,
        do: Callable[[Outgoing], T],
        done: Callable[[T], None] = lambda _done: None,
        refused: Callable[[KnownError], None] | None = None,
        lane: Lane = Lane.QUICK,
    ) -> None:
        """Does it elsewhere, on this lane; `done` is told what came of it, then everybody that something has changed;
        `refused` why nothing has (without it, everybody is).
        """
        if refused is None:
            refused = self.failed.emit
        outgoing = self._shell.desk.outgoing
        self.begun.emit()
        self._under_way += 1

        def changed(result: T) -> None:
            self._under_way -= 1
            done(result)
            self.changed.emit()

        def failed(error: KnownError) -> None:
            self._under_way -= 1
            refused(error)

        self._shell.tasks.run(self, lane, lambda _control: do(outgoing), changed, failed=failed)

    def run_with_reason(
        self,
        do: Callable[[Outgoing, str | None], T],
        done: Callable[[T], None] = lambda _done: None,
        reason: str | None = None,
    ) -> None:
        """As `run`; where a number would be given up by it, the person is asked why, and it is done with the reason."""

        def refused(error: KnownError) -> None:
            if error.code == "out_number_kept":
                self.reason_wanted.emit(error, lambda why: self.run_with_reason(do, done, why))
            else:
                self.failed.emit(error)

        self.run(lambda outgoing: do(outgoing, reason), done, refused)

    def edit(self, changes: dict[str, Changes]) -> None:
        """Changes what is given, by draft; nothing given is no change."""
        if changes:
            self.run_with_reason(lambda outgoing, reason: outgoing.edit_many(changes, reason))


@dataclass(frozen=True)
class Bench:
    """What the parts work on together; `lines` and `totals` answer with what is there now."""

    shell: Shell
    grid: Grid[Line]
    card: DocumentCard
    notice: Notice
    changing: Changing
    lines: Callable[[], Mapping[str, Line]]
    totals: Callable[[], Totals]

    @property
    def current(self) -> Line | None:
        """The row with the cursor."""
        return self.lines().get(self.grid.current_id or "")

    @property
    def chosen(self) -> list[Line]:
        """The chosen rows in the order that is shown."""
        lines = self.lines()
        return [lines[key] for key in self.grid.chosen_ids if key in lines]

    @property
    def changeable(self) -> list[Line]:
        """Those of the chosen rows that may still be changed."""
        return [line for line in self.chosen if line.editable]
