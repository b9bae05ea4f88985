"""The incoming register's own page: entering what came on paper, and the number at which the book on paper ended.

UI thread; numbers are given by the book alone, on a lane.
"""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit

from signer_app.registers.paper_entries import PaperDocument
from signer_app.store.registers import Book
from signer_resources.errors import KnownError
from signer_ui.panes import register_book_work as work
from signer_ui.panes.register_acts import Place
from signer_ui.panes.register_book import BookPage
from signer_ui.panes.register_dialog import FormDialog, mark
from signer_ui.presenters.figures import day
from signer_ui.presenters.register_forms import PaperField, paper_of, paper_problems
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.widgets.basics import button
from signer_ui.widgets.inputs import Choice, WholeNumber

_WIDTH = 150
"""Units of spacing."""
_HIGHEST = 999_999


class IncomingPage(BookPage):
    """The incoming register."""

    def __init__(self, place: Place) -> None:
        words = place.shell.words
        self.enter = button(words("ur_paper"), self._enter, "primary")
        self.begin = button(words("ur_begin"), self._begin)
        super().__init__(place, Book.INCOMING, (self.enter, self.begin))
        self.begin.hide()

    def filled(self, shelf: work.Shelf) -> None:
        """Where the book begins can be said until the first number of the year was given."""
        begun = {code for code, _name in shelf.bodies}
        own = {one.code for one in self.shell.hub.settings.bodies}
        self.begin.setVisible(bool(own) and (self.shell.desk.now().year not in shelf.years or not own <= begun))

    def _enter(self) -> None:
        dialog = PaperDialog(self.shell, self.body, self)
        dialog.entered.connect(self._entered)
        dialog.open()

    def _entered(self, number: int) -> None:
        self.shell.hub.poke_store()
        self._place.notice.tell(self.shell.words("ur_paper_entered", number=number))

    def _begin(self) -> None:
        dialog = BeginDialog(self.shell, self.body, self)
        dialog.begun.connect(self._begun)
        dialog.open()

    def _begun(self, last: int) -> None:
        self.shell.hub.poke_store()
        self._place.notice.tell(self.shell.words("ur_begun", number=last + 1))


def body_choice(shell: Shell, body: str | None) -> Choice:
    """Our bodies; `body` is the one that was chosen on the page."""
    made = Choice(shell.theme)
    for one in shell.hub.settings.bodies:
        made.addItem(one.name, one.code)
    made.setCurrentIndex(max(0, made.findData(body)))
    return made


class PaperDialog(FormDialog):
    """What the clerk types of a paper; it gets its number when it is entered, never before."""

    entered = Signal(int)
    """Số đến."""

    def __init__(self, shell: Shell, body: str | None, parent: BookPage) -> None:
        super().__init__(shell, "ur_paper_title", "ur_paper_hint", "ur_paper_enter", _WIDTH, parent)
        self.body = body_choice(shell, body)
        if self.body.count() > 1:
            self.add("ur_paper_body", self.body)
        self.fields: dict[PaperField, QLineEdit] = {
            PaperField.ARRIVED: self.line("ur_paper_arrived", day(shell.desk.now().date()), "ur_date_example"),
            PaperField.AUTHOR: self.line("ur_paper_author"),
            PaperField.LABEL: self.line("ur_paper_label", example="ur_paper_label_example"),
            PaperField.DATE: self.line("ur_paper_date", example="ur_date_example"),
            PaperField.TITLE: self.line("ur_paper_subject"),
        }
        if self.body.count() == 0:
            self.yes.setEnabled(False)
            self.remark(shell.words("ur_no_body"))
        self.fields[PaperField.AUTHOR].setFocus()

    def answer(self) -> None:
        """Enters it, if all that is needed is there."""
        texts = {field: edit.text() for field, edit in self.fields.items()}
        wrong = paper_problems(texts, self.shell.desk.now().date())
        for field, edit in self.fields.items():
            mark(edit, field in wrong)
        if wrong:
            self.remark(" ".join(dict.fromkeys(self.shell.words(key) for key in wrong.values())))
            self.fields[next(field for field in self.fields if field in wrong)].setFocus()
            return
        self.remark("")
        self.yes.setEnabled(False)
        self.shell.tasks.run(
            self, Lane.QUICK, _entering(self.shell, self.body.currentData(), paper_of(texts)), self._done,
            failed=self.refuse,
        )  # fmt: skip

    def _done(self, number: int) -> None:
        self.accept()
        self.entered.emit(number)


def _entering(shell: Shell, body: str, paper: PaperDocument) -> Callable[[object], int]:
    desk = shell.desk
    return lambda _control: desk.register_books.enter_paper(body, paper)


class BeginDialog(FormDialog):
    """The last number of the book on paper, before the first one is given here."""

    begun = Signal(int)
    """The last number of the book on paper."""

    def __init__(self, shell: Shell, body: str | None, parent: BookPage) -> None:
        super().__init__(shell, "ur_begin_title", "ur_begin_hint", "ur_begin_yes", _WIDTH, parent)
        self.body = body_choice(shell, body)
        if self.body.count() > 1:
            self.add("ur_paper_body", self.body)
        self.last = WholeNumber(shell.theme)
        self.last.setRange(0, _HIGHEST)
        self.add("ur_begin_last", self.last)
        if self.body.count() == 0:
            self.yes.setEnabled(False)
            self.remark(shell.words("ur_no_body"))
        self.last.setFocus()

    def answer(self) -> None:
        """Keeps it for this year."""
        desk, body, last = self.shell.desk, str(self.body.currentData()), self.last.value()
        year = desk.now().year
        self.yes.setEnabled(False)

        def refused(error: KnownError) -> None:
            self.refuse(error)
            self.last.setFocus()

        def done(_none: None) -> None:
            self.accept()
            self.begun.emit(last)

        self.shell.tasks.run(
            self,
            Lane.QUICK,
            lambda _control: desk.register_books.begin_after(body, year, last),
            done,
            failed=refused,
        )
