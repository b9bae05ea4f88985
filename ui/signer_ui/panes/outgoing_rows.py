"""The rows of the pane of outgoing documents: read whole on the quick lane, and brought up to date where they stand.

UI thread. Reading ten thousand takes a second: while documents are signed, what came of each is written into its row,
and other news of the store wait a while. Changes nothing.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal

from signer_app.desk.signing_values import BatchSummary, DocumentOutcome
from signer_app.outgoing.model import Row
from signer_ui.panes import outgoing_work as work
from signer_ui.presenters import outgoing as says
from signer_ui.presenters.outgoing import Line, Organisations
from signer_ui.presenters.outgoing_totals import Totals
from signer_ui.shell import Shell
from signer_ui.tasks import Handle, Lane

_SHOW_ENDED_MS = 400
"""So often rows of documents that were signed are shown as such."""
_LATER_MS = 10_000
"""So long at least other news of the store wait while documents are signed."""
_REST = 10.0
"""So many times as long as a reading took lies between the beginnings of two."""


class Rows(QObject):
    """`lines` by draft, in the clerk's order; `totals` is what they come to; `known` are those who receive."""

    read = Signal()
    """All of them were read anew."""
    changed = Signal(object)
    """Lines (dict) that stand otherwise than before, each where it was."""

    def __init__(
        self,
        shell: Shell,
        is_signing: Callable[[], bool],
        parent: QObject,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._clock = clock
        self._shell = shell
        self._is_signing = is_signing
        self.lines: Mapping[str, Line] = {}
        self.totals = Totals()
        self.known = Organisations()
        self._loading: Handle | None = None
        self._again = False
        self._ended: dict[str, DocumentOutcome] = {}
        """What has come to its end in the batch that runs."""
        self._fresh: set[str] = set()
        """What of that isn't shown yet."""
        self._soon = self._timer(_SHOW_ENDED_MS, self._show_ended)
        self._later = self._timer(_LATER_MS, self.reload)
        self._rested = self._timer(0, self.reload)
        self._began = self._took = 0.0
        """When the last reading began, and how long it took; seconds."""

    def reload(self) -> None:
        """Reads the rows; while they are being read, once more afterwards."""
        if self._loading is not None and self._loading.running:
            self._again = True
            return
        self._again = False
        self._later.stop()
        self._rested.stop()
        self._began = self._clock()
        desk = self._shell.desk
        self._loading = self._shell.tasks.run(self, Lane.QUICK, lambda _control: work.load(desk), self._loaded)

    def reload_soon(self) -> None:
        """Rows come one after the other: read no more often than that others have most of the time."""
        rest = self._began + _REST * self._took - self._clock()
        if rest <= 0:
            self.reload()
        elif not self._rested.isActive():
            self._rested.start(round(rest * 1000))

    def reload_later(self) -> None:
        """Something may have changed elsewhere: read at once, unless documents are being signed."""
        if not self._is_signing():
            self.reload()
        elif not self._later.isActive():
            self._later.start(max(_LATER_MS, round(2 * _REST * self._took * 1000)))

    def document_done(self, draft: str, outcome: DocumentOutcome) -> None:
        """A document was signed, has failed or was left out."""
        self._ended[draft] = outcome
        self._fresh.add(draft)
        if not self._soon.isActive():
            self._soon.start()

    def examined(self, rows: Iterable[Row]) -> None:
        """These were examined, on which no other row depends."""
        if self._loading is not None and self._loading.running:
            # What is read right now may be older.
            self._again = True
        pairs = [(line, replace(line, row=row)) for row in rows if (line := self.lines.get(row.draft.id)) is not None]
        self._put(pairs)
        if pairs:
            self.changed.emit({after.id: after for _before, after in pairs})

    def batch_ended(self, _summary: BatchSummary) -> None:
        """From now on the rows say it themselves."""
        self._ended.clear()
        self._fresh.clear()
        self.reload()

    def _timer(self, milliseconds: int, act: Callable[[], None]) -> QTimer:
        made = QTimer(self)
        made.setSingleShot(True)
        made.setInterval(milliseconds)
        made.timeout.connect(act)
        return made

    def _loaded(self, loaded: work.Loaded) -> None:
        self._took = self._clock() - self._began
        if self._again:
            self._loading = None
            self.reload()
        if loaded.directory is not self.known.directory:
            self.known = Organisations.of(loaded.directory, self._shell.words)
        self.lines, self.totals = loaded.lines, loaded.totals
        # They may have been read before these came to their end.
        self._put_ended(self._ended)
        self.read.emit()

    def _show_ended(self) -> None:
        fresh, self._fresh = self._fresh, set()
        changed = self._put_ended(fresh)
        if changed:
            self.changed.emit(changed)

    def _put_ended(self, drafts: Iterable[str]) -> dict[str, Line]:
        """Has the rows of these say that they came to their end; those that said something else."""
        lines = self.lines
        pairs = [
            (line, end)
            for key in drafts
            if (line := lines.get(key)) is not None and (end := says.ended(line, self._ended[key])) is not line
        ]
        self._put(pairs)
        return {end.id: end for _line, end in pairs}

    def _put(self, pairs: Sequence[tuple[Line, Line]]) -> None:
        """Each as it was, and as it is."""
        if pairs:
            self.lines = {**self.lines, **{after.id: after for _before, after in pairs}}
            self.totals = self.totals.replaced(pairs)
