"""The outgoing register's own page: while the server that keeps the numbers is away, a number can be taken from the
book on paper and is checked against all that is known here.

UI thread; never proposes a number.
"""

from PySide6.QtCore import QTimer, Signal

from signer_app.desk.exchange import ExchangeSnapshot, Link
from signer_app.registers.typed import TypedNumber
from signer_app.store.registers import Book
from signer_resources.errors import KnownError
from signer_ui.panes import register_book_work as work
from signer_ui.panes.register_acts import Place
from signer_ui.panes.register_book import BookPage
from signer_ui.panes.register_dialog import FormDialog
from signer_ui.panes.register_paper import body_choice
from signer_ui.presenters.register_forms import typed_number_told
from signer_ui.shell import Shell
from signer_ui.tasks import Handle, Lane
from signer_ui.widgets.basics import button
from signer_ui.widgets.inputs import Choice

_WIDTH = 150
"""Units of spacing."""
_PAUSE_MS = 250
"""After the last key, before a number is looked up."""


class OutgoingPage(BookPage):
    """The outgoing register."""

    def __init__(self, place: Place) -> None:
        self.typed = button(place.shell.words("ur_typed"), self._take)
        super().__init__(place, Book.OUTGOING, (self.typed,))
        hub = place.shell.hub
        hub.exchange_changed.connect(self._exchanged)
        self._exchanged(hub.exchange)

    def _exchanged(self, exchange: ExchangeSnapshot) -> None:
        """Only while the server is away: else the numbers are the system's."""
        self.typed.setVisible(exchange.link is Link.AWAY)

    def _take(self) -> None:
        dialog = TypedDialog(self.shell, self.body, self)
        dialog.taken.connect(self._taken)
        dialog.open()

    def _taken(self, label: str) -> None:
        self.shell.hub.poke_drafts()
        self._place.notice.tell(self.shell.words("ur_typed_taken", label=label))


class TypedDialog(FormDialog):
    """Which document, and its number in the book on paper."""

    taken = Signal(str)
    """Số, ký hiệu."""

    def __init__(self, shell: Shell, body: str | None, parent: BookPage) -> None:
        super().__init__(shell, "ur_typed_title", "ur_typed_hint", "ur_typed_yes", _WIDTH, parent)
        self.body = body_choice(shell, body)
        if self.body.count() > 1:
            self.add("ur_paper_body", self.body)
        self.document = Choice(shell.theme)
        # As wide as the dialogue, however long a subject is.
        self.document.setSizeAdjustPolicy(Choice.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.document.setMinimumContentsLength(20)
        self.add("ur_typed_document", self.document)
        self.number = self.line("ur_typed_number", example="ur_typed_example")
        self.yes.setEnabled(False)
        self._looking: Handle | None = None
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._look)
        self.number.textChanged.connect(self._changed)
        for choice in (self.document, self.body):
            choice.activated.connect(lambda _at: self._changed())
        desk = shell.desk
        shell.tasks.run(
            self, Lane.QUICK, lambda _control: (work.numberless(desk), work.holds_lease(desk)), self._came,
            failed=self.refuse,
        )  # fmt: skip
        self.number.setFocus()

    def _came(self, found: tuple[tuple[work.Numberless, ...], str | None]) -> None:
        waiting, register = found
        for one in waiting:
            self.document.addItem(one.title, one.id)
        words = self.shell.words
        if register is not None:
            self.remark(words("ur_typed_lease", register=register), "warn")
        elif self.body.count() == 0:
            self.remark(words("ur_no_body"))
        elif not waiting:
            self.remark(words("ur_typed_none"), "muted")
        self.number.setEnabled(bool(waiting) and register is None and self.body.count() > 0)
        self.number.setFocus()

    def _changed(self) -> None:
        self.yes.setEnabled(False)
        self.remark("")
        if self.number.text().strip():
            self._pause.start()
        else:
            self._pause.stop()

    def _look(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
        desk, body, document, typed = self.shell.desk, *self._wish
        self._looking = self.shell.tasks.run(
            self,
            Lane.QUICK,
            lambda _control: work.check_typed(desk, body, document, typed),
            lambda number: self._known(typed, number),
            failed=lambda error: self._unfit(typed, error),
        )

    @property
    def _wish(self) -> tuple[str, str, str]:
        return str(self.body.currentData()), str(self.document.currentData()), self.number.text().strip()

    def _known(self, typed: str, number: TypedNumber) -> None:
        if typed == self.number.text().strip():
            self.yes.setEnabled(True)
            role = "good" if number.gap_from is None else "warn"
            self.remark(typed_number_told(number, self.shell.words), role)

    def _unfit(self, typed: str, error: KnownError) -> None:
        if error.code != "interrupted" and typed == self.number.text().strip():
            self.refuse(error)
            self.yes.setEnabled(False)

    def answer(self) -> None:
        """Checks it once more and gives it to the document."""
        desk, body, document, typed = self.shell.desk, *self._wish
        self.yes.setEnabled(False)

        def done(label: str) -> None:
            self.accept()
            self.taken.emit(label)

        self.shell.tasks.run(
            self,
            Lane.QUICK,
            lambda _control: work.take_typed(desk, body, document, typed),
            done,
            failed=lambda error: self._unfit(typed, error),
        )
