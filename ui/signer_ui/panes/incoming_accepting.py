"""Accepting all valid documents by one click (Tiếp nhận 55), or those of several that are chosen, with how far it is
and a way to stop.

UI thread; the work is done on the lane for documents, and so many as a whole list holds are counted on the quick one.
One that can't be accepted any more hinders no other.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from PySide6.QtCore import QObject, Signal

from signer_app.desk.incoming import IncomingRow
from signer_app.exchange.deciding import Accepted
from signer_resources.errors import KnownError
from signer_ui.presenters.figures import count
from signer_ui.presenters.incoming import Answering
from signer_ui.presenters.incoming_deciding import accepted_words, name_of
from signer_ui.shell import Shell
from signer_ui.tasks import Control, Handle, Lane
from signer_ui.widgets.basics import button
from signer_ui.widgets.notice import Notice
from signer_ui.widgets.progress import ProgressLine

_AT_ONCE = 500
"""So few chosen rows are looked through where they are shown: a millisecond."""


class AcceptingAll(QObject):
    """The button and the line of its progress."""

    changed = Signal()
    """Documents were accepted."""

    def __init__(self, shell: Shell, notice: Notice) -> None:
        super().__init__()
        self._shell, self._notice = shell, notice
        self._work: Handle | None = None
        self._ready = 0
        self._rows: Mapping[str, IncomingRow] = {}
        self._chosen: tuple[str, ...] = ()
        self._valid: tuple[str, ...] | None = ()
        """Those of the chosen that one click takes; None while they are being counted."""
        self._counting: Handle | None = None
        self.button = button("", self.start, "primary")
        self.progress = ProgressLine(shell.words, shell.theme)
        self.put(0, {})

    @property
    def running(self) -> bool:
        """Whether documents are being accepted."""
        return self._work is not None and self._work.running

    def put(self, ready: int, rows: Mapping[str, IncomingRow]) -> None:
        """So many would be accepted by one click; `rows` are those of the list by their ids."""
        self._ready, self._rows = ready, rows
        self._count()

    def choose(self, ids: Sequence[str]) -> None:
        """These rows are chosen; while they are several, the button is about the valid ones among them."""
        self._chosen = tuple(ids) if len(ids) > 1 else ()
        self._count()

    def _count(self) -> None:
        """Looks which of the chosen are valid; of many on another thread."""
        if self._counting is not None:
            self._counting.cancel()
            self._counting = None
        chosen, rows, orgs = self._chosen, self._rows, Answering.of(self._shell.hub.settings).orgs
        if len(chosen) <= _AT_ONCE:
            self._counted(_valid(chosen, rows, orgs))
            return
        self._valid = None
        self.button.setEnabled(False)
        self._counting = self._shell.tasks.run(
            self,
            Lane.QUICK,
            lambda _control: _valid(chosen, rows, orgs),
            self._counted,
            failed=lambda _error: None,
            newest_first=True,
        )

    def _counted(self, valid: tuple[str, ...]) -> None:
        self._valid = valid
        self._show()

    def _show(self) -> None:
        words, valid = self._shell.words, len(self._valid or ())
        if self._chosen:
            named = words("ua_accept_chosen_name", count=count(valid, words), of=count(len(self._chosen), words))
            told, ready = words("ua_accept_chosen", count=count(valid, words)), valid
        else:
            number, ready = count(self._ready, words), self._ready
            named = words("ua_accept_all_name", count=number)
            told = words("ua_accept_all", count=number) if ready else words("ua_accept_none")
        self.button.setText(told)
        self.button.setAccessibleName(named)
        self.button.setToolTip(named)
        self.button.setEnabled(bool(ready) and not self.running)

    def start(self) -> None:
        """Accepts what the button says: all that is valid, for every body for which this program answers, or of the
        chosen what is.
        """
        if self.running:
            return
        if self._chosen:
            self._accept(self._valid or ())
        elif self._ready:
            self._accept_all()

    def _accept(self, ids: tuple[str, ...]) -> None:
        deciding = self._shell.desk.incoming.deciding

        def work(control: Control) -> tuple[Accepted, ...]:
            def told(done: int, of: int) -> None:
                control.progress("ua_accepting", done, of)

            return deciding.accept_some(ids, lambda: control.cancelled, told)

        if ids:
            self._begin(work)

    def _accept_all(self) -> None:
        desk, total = self._shell.desk, self._ready
        orgs = sorted(Answering.of(self._shell.hub.settings).orgs)

        def work(control: Control) -> tuple[Accepted, ...]:
            found: list[Accepted] = []
            for org in orgs:
                before = len(found)

                def told(done: int, _of: int, before: int = before) -> None:
                    control.progress("ua_accepting", before + done, max(total, before + done))

                found += desk.incoming.deciding.accept_all_valid(org, lambda: control.cancelled, told)
            return tuple(found)

        self._begin(work)

    def _begin(self, work: Callable[[Control], tuple[Accepted, ...]]) -> None:
        self._work = self._shell.tasks.run(
            self, Lane.DOCUMENTS, work, self._came, failed=self._failed, progress=self.progress.tell
        )
        self.progress.begin("ua_accepting", self._work)
        self.button.setEnabled(False)

    def stop(self) -> None:
        """Accepts no further one; those that were accepted stay so."""
        if self._work is not None:
            self._work.cancel()

    def _came(self, results: tuple[Accepted, ...]) -> None:
        words = self._shell.words
        self.progress.end()
        accepted = [result.id for result in results if result.number is not None]
        document = self._rows[accepted[0]].document if accepted and accepted[0] in self._rows else None
        told = accepted_words(results, name_of(document, words) if document is not None else "", words)
        self._notice.tell(told.what, why=told.why, role="notice-good" if told.good else "notice-warn")
        self.put(self._ready, self._rows)
        self.changed.emit()

    def _failed(self, error: KnownError) -> None:
        self.progress.end()
        self.put(self._ready, self._rows)
        if error.code != "interrupted":
            self._notice.error(error)
        # Some may have been accepted before.
        self.changed.emit()


def _valid(chosen: Sequence[str], rows: Mapping[str, IncomingRow], orgs: Collection[str]) -> tuple[str, ...]:
    """Those of the chosen that one click takes, in the order of numbers: hỏa tốc first, then the oldest."""
    found = (rows[one] for one in chosen if one in rows)
    valid = [row for row in found if row.document is not None and row.document.valid and row.document.org in orgs]
    return tuple(row.id for row in sorted(valid, key=lambda row: (-row.urgency, row.at, row.id)))
