"""The outgoing register's own page: who gives the numbers; and while the server that keeps them is away, a number can
be taken from the book on paper and is checked against all that is known here.

UI thread; never proposes a number.
"""

from collections.abc import Sequence

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QWidget

from signer_app.desk.exchange import ExchangeSnapshot, Link
from signer_app.registers.rights import Standing
from signer_app.registers.typed import TypedNumber
from signer_app.store.registers import Book
from signer_resources.errors import KnownError
from signer_ui.panes import register_book_work as work
from signer_ui.panes.register_acts import Place
from signer_ui.panes.register_book import BookPage
from signer_ui.panes.register_dialog import FormDialog
from signer_ui.panes.register_paper import body_choice
from signer_ui.panes.register_rights import RightsDialog, may_have_rights
from signer_ui.presenters.register_forms import right_told, typed_number_told
from signer_ui.shell import Shell
from signer_ui.tasks import Handle, Lane
from signer_ui.widgets.basics import button, label, repolish
from signer_ui.widgets.inputs import Choice

_WIDTH = 150
"""Units of spacing."""
_PAUSE_MS = 250
"""After the last key, before a number is looked up."""


class OutgoingPage(BookPage):
    """The outgoing register."""

    def __init__(self, place: Place) -> None:
        words = place.shell.words
        self.typed = button(words("ur_typed"), self._take)
        self.right = button(words("ur_right"), self._ask_right)
        self.holding = label(role="muted", wrap=True)
        """Who gives the numbers of registers that a server keeps."""
        self.holding.hide()
        super().__init__(place, Book.OUTGOING, (self.typed, self.right))
        hub = place.shell.hub
        hub.exchange_changed.connect(self._exchanged)
        hub.settings_changed.connect(lambda _settings: self._look_at_rights())
        self._exchanged(hub.exchange)

    def told(self) -> Sequence[QWidget]:
        """Who numbers."""
        return (self.holding,)

    def filled(self, shelf: work.Shelf) -> None:
        """Numbers may have come, or been given up."""
        self._look_at_rights()

    def _exchanged(self, exchange: ExchangeSnapshot) -> None:
        """Only while the server is away: else the numbers are the system's."""
        self.typed.setVisible(exchange.link is Link.AWAY)
        self._look_at_rights()

    def _look_at_rights(self) -> None:
        self.right.setVisible(may_have_rights(self.shell))
        desk = self.shell.desk
        self.shell.tasks.run(
            self,
            Lane.QUICK,
            lambda _control: desk.number_rights.standings(),
            self._tell_rights,
            failed=self.shell.notice,
        )

    def _tell_rights(self, standings: tuple[Standing, ...]) -> None:
        told = "\n".join(right_told(one, self.shell.words) for one in standings)
        self.holding.setText(told)
        self.holding.setVisible(bool(told))
        repolish(self.holding, "role", "bad" if any(one.differing for one in standings) else "muted")

    def _ask_right(self) -> None:
        dialog = RightsDialog(self.shell, self.body, self)
        dialog.changed.connect(self._right_changed)
        dialog.open()

    def _right_changed(self, told: str) -> None:
        self._look_at_rights()
        self.shell.hub.poke_store()
        self.shell.hub.poke_drafts()
        self._place.notice.tell(told)

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
        self._waiting: dict[str, work.Numberless] = {}
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._look)
        self.number.textChanged.connect(self._changed)
        for choice in (self.document, self.body):
            choice.activated.connect(lambda _at: self._changed())
        desk = shell.desk
        shell.tasks.run(self, Lane.QUICK, lambda _control: work.numberless(desk), self._came, failed=self.refuse)
        self.number.setFocus()

    def _came(self, waiting: tuple[work.Numberless, ...]) -> None:
        for one in waiting:
            self.document.addItem(one.title, one.id)
        self._waiting = {one.id: one for one in waiting}
        self._changed()
        self.number.setFocus()

    def _changed(self) -> None:
        self.yes.setEnabled(False)
        self._pause.stop()
        words, one = self.shell.words, self._waiting.get(str(self.document.currentData()))
        here = one.register if one is not None else ""
        self.number.setEnabled(one is not None and not here and self.body.count() > 0)
        if self.body.count() == 0:
            self.remark(words("ur_no_body"))
        elif one is None:
            self.remark(words("ur_typed_none"), "muted")
        elif here:
            self.remark(words("ur_typed_lease", register=here), "warn")
        else:
            self.remark("")
            if self.number.text().strip():
                self._pause.start()

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
