"""The hand-over book, in place of the tabs: who holds which certificate, the form of a hand-over, papers to print.

UI thread. Draws what the presenter says; everything that reads or writes runs on a lane, and the rooms behind it are
loaded there too. A hand-over is filled in, asked once more, and then needs the giver's PIN: never one click.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFrame,
    QGridLayout,
    QLineEdit,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from signer_app.custody.values import LONGEST, BookSnapshot, Holding, Wish
from signer_app.paper.writing import write_paper
from signer_app.store.custody import HandOver
from signer_resources.errors import KnownError
from signer_resources.forms import FormKind
from signer_token.model import Login
from signer_ui.glow import Glow
from signer_ui.panes.settings_form import FormField, card, clear, scrolled
from signer_ui.presenters.custody import (
    CustodyPage,
    EntryLine,
    Field,
    HandOverForm,
    HoldingCard,
    custody_page,
    first_form,
    problems,
    question,
    waiting_words,
    wish_of,
)
from signer_ui.presenters.pin import Purpose
from signer_ui.shell import Pane, Shell
from signer_ui.tasks import Control, Lane
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.notice import Notice
from signer_ui.widgets.pin_dialog import ask_pin
from signer_ui.widgets.progress import ProgressLine

if TYPE_CHECKING:
    from signer_app.custody.book import Book

T = TypeVar("T")

_TONES = {Glow.GOOD: "good", Glow.WARN: "warn", Glow.BAD: "bad", Glow.OFF: "muted"}
_FORMS = {FormKind.LOCKED: "uc_form_locked", FormKind.LOST: "uc_form_lost", FormKind.RENEW: "uc_form_renew"}
_PAIRS = (
    (Field.GIVER, Field.RECEIVER),
    (Field.NUMBER, Field.DATE),
    (Field.BY, Field.WITNESS),
    (Field.PLACE, Field.UNTIL),
    (Field.PURPOSE,),
)


class CustodyPane(Pane):
    """List and form. `pin_change_wanted` names the certificate (SHA-256) whose PIN is to be changed."""

    pin_change_wanted = Signal(str)

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        words, space = shell.words, shell.theme.space
        self._snapshot: BookSnapshot | None = None
        self._writing = False
        self.notice = Notice(words, shell.theme)
        self.progress = ProgressLine(words, shell.theme)
        self.back = button(words("uc_back"), self._back)
        self.form = _Form(shell, self._ask, self._close_form)
        content = QWidget()
        self._lines = QVBoxLayout(content)
        self._lines.setContentsMargins(0, 0, space(2), 0)
        self._lines.setSpacing(space(3))
        self._stack = QStackedWidget()
        for page, key in ((content, "uc_entries"), (self.form, "uc_record")):
            area = scrolled(page)
            area.setAccessibleName(words(key))
            self._stack.addWidget(area)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(space(4), space(3), space(4), space(3))
        lines.setSpacing(space(3))
        lines.addLayout(row(label(words("uc_title"), "title"), 1, self.back))
        lines.addWidget(self.notice)
        lines.addWidget(self.progress)
        lines.addWidget(self._stack, 1)

    def first_control(self) -> QWidget:
        """The way back."""
        return self.back

    def shown(self) -> None:
        """Reads the book anew."""
        self._read()

    def may_leave(self) -> bool:
        """Not while a hand-over is being written."""
        if self._writing:
            self.notice.tell(self.shell.words("uc_busy"), role="notice-warn")
        return not self._writing

    def busy(self) -> str | None:
        """A hand-over that is being written."""
        return "uc_busy" if self._writing else None

    @property
    def filling_in(self) -> bool:
        """Whether the form is in front."""
        return self._stack.currentIndex() == 1

    # ---- the list ----------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        self.progress.begin("uc_reading", None)
        self._run(Lane.TOKEN, lambda book: book.look(), self._came)

    def _came(self, snapshot: BookSnapshot) -> None:
        self._snapshot = snapshot
        self._draw(custody_page(snapshot, self.shell.words))

    def _draw(self, page: CustodyPage) -> None:
        words, theme = self.shell.words, self.shell.theme
        clear(self._lines)
        if page.empty:
            self._lines.addWidget(label(page.empty, "muted", wrap=True))
        for one in page.cards:
            self._lines.addWidget(self._card(one))
        entries = [self._entry(line) for line in page.entries]
        shown = entries or [label(words("custody_empty"), "muted", wrap=True)]
        self._lines.addWidget(card(theme, words("uc_entries"), *shown))
        self._lines.addStretch(1)

    def _card(self, one: HoldingCard) -> QFrame:
        words, theme = self.shell.words, self.shell.theme
        told = [label(one.device, "small", wrap=True), label(one.holder, _TONES[one.glow], wrap=True)]
        acts = []
        if one.pin_open:
            told.append(label(one.pin_open, "warn", wrap=True))
            change = button(words("uc_change_pin"), lambda: self.pin_change_wanted.emit(one.certificate), "primary")
            change.setEnabled(one.plugged)
            acts.append(change)
            acts.append(button(words("uc_pin_told"), lambda: self._pin_told(one)))
        hand_over = button(words("uc_hand_over"), lambda: self._open_form(one.certificate))
        hand_over.setEnabled(one.plugged)
        acts.append(hand_over)
        papers = [button(words(key), self._request(kind, one)) for kind, key in _FORMS.items()]
        for act in (*acts, *papers):
            act.setAccessibleDescription(one.name)
        rows = QWidget()
        lines = QVBoxLayout(rows)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(theme.space(2))
        lines.addLayout(row(*acts, 1, spacing=theme.space(2)))
        lines.addLayout(row(*papers, 1, spacing=theme.space(2)))
        made = card(theme, one.name, *told, rows)
        made.setAccessibleName(one.name)
        return made

    def _entry(self, line: EntryLine) -> QWidget:
        words, theme = self.shell.words, self.shell.theme
        made = QWidget()
        lines = QVBoxLayout(made)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(theme.space(1))
        see = button(words("uc_save_minute"), lambda: self._save_minute(line.number))
        see.setAccessibleDescription(line.heading)
        heading = row(label(line.heading, "strong", wrap=True), see, spacing=theme.space(2))
        heading.setStretch(0, 1)
        lines.addLayout(heading)
        lines.addWidget(label(line.facts, "muted", wrap=True))
        return made

    def _pin_told(self, one: HoldingCard) -> None:
        words = self.shell.words
        yes = (words("uc_pin_told_yes"), lambda: self._pin_was_changed(one))
        self.notice.tell(
            words("uc_pin_told_sure", name=one.name), yes, (words("uc_stop"), self.notice.clear),
            role="notice-warn", question=True,
        )  # fmt: skip

    def _pin_was_changed(self, one: HoldingCard) -> None:
        self.notice.clear()
        self._run(Lane.QUICK, lambda book: book.pin_was_changed(one.device_serial), lambda _none: self._read())

    # ---- papers ------------------------------------------------------------------------------------------------------

    def _request(self, kind: FormKind, one: HoldingCard) -> Callable[[], None]:
        name = self.shell.words("uc_file_form", kind=kind.value)
        return lambda: self._save(name, lambda book: book.request_pdf(kind, one.certificate))

    def _save_minute(self, number: int) -> None:
        # No token is asked: it needn't wait until a batch is signed.
        self._save(
            self.shell.words("uc_file_minute", number=number), lambda book: book.minute_pdf(number), Lane.DOCUMENTS
        )

    def _save(self, name: str, make: "Callable[[Book], bytes]", lane: Lane = Lane.TOKEN) -> None:
        words = self.shell.words
        chosen, _kind = QFileDialog.getSaveFileName(
            self,
            words("uc_save_title"),
            name,
            words("ut_pdf_files"),
            # Nothing is ever replaced, so there is nothing to confirm.
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if chosen:
            self._run(
                lane,
                lambda book: write_paper(Path(chosen), make(book)),
                lambda _none: self.notice.tell(words("custody_written", file=chosen)),
            )

    # ---- handing over ------------------------------------------------------------------------------------------------

    def _open_form(self, certificate: str) -> None:
        if self._snapshot is None:
            return
        holding = next(h for h in self._snapshot.holdings if h.subject.certificate.sha256 == certificate)
        self.notice.clear()
        self.form.begin(holding, self._snapshot, self.shell.hub.settings.clerk)
        self._stack.setCurrentIndex(1)
        self.form.first_control().setFocus()

    def _close_form(self) -> None:
        self.notice.clear()
        self._stack.setCurrentIndex(0)

    def _ask(self, holding: Holding, wish: Wish, signed: bool) -> None:
        words, certificate = self.shell.words, holding.subject.certificate
        go_on = (words("uc_sure_yes"), lambda: self._confirmed(certificate.sha256, wish, signed))
        self.notice.tell(
            question(certificate.name, wish, words), go_on, (words("uc_stop"), self.notice.clear),
            role="notice-warn", question=True,
        )  # fmt: skip
        self.notice.focus_action()

    def _confirmed(self, certificate: str, wish: Wish, signed: bool) -> None:
        self.notice.clear()
        self._hold(writing=True)
        if not signed:
            self._write(certificate, wish, None)
            return
        ask_pin(
            self.shell,
            self,
            certificate,
            Purpose.HAND_OVER,
            lambda login: self._write(certificate, wish, login),
            failed=self._failed,
            stopped=lambda: self._hold(writing=False),
        )

    def _write(self, certificate: str, wish: Wish, login: Login | None) -> None:
        self._run(Lane.TOKEN, lambda book: book.record(certificate, wish, login), self._written)

    def _written(self, entry: HandOver) -> None:
        words, number = self.shell.words, entry.minute.number
        self._hold(writing=False)
        self._close_form()
        self.notice.tell(
            words("custody_recorded", number=number), (words("uc_save_minute"), lambda: self._save_minute(number))
        )
        self.shell.hub.poke_store()
        self._read()

    def _hold(self, *, writing: bool) -> None:
        self._writing = writing
        self.form.setEnabled(not writing)

    # ---- small steps -------------------------------------------------------------------------------------------------

    def _run(self, lane: Lane, work: "Callable[[Book], T]", done: Callable[[T], None]) -> None:
        space = self.shell.desk.space

        def there(_control: Control) -> T:
            # Loaded on the lane: with the PDF library it takes half a second.
            from signer_app.custody.book import Book

            return work(Book(space))

        def came(result: T) -> None:
            self.progress.end()
            done(result)

        self.shell.tasks.run(self, lane, there, came, failed=self._failed)

    def _failed(self, error: KnownError) -> None:
        self.progress.end()
        self._hold(writing=False)
        if error.code != "interrupted":
            self.notice.error(error)

    def _back(self) -> None:
        if self.filling_in and not self._writing:
            self._close_form()
        elif self.may_leave():
            self.left.emit()


def _line() -> QLineEdit:
    made = QLineEdit()
    made.setMaxLength(LONGEST)
    return made


class _Form(QWidget):
    """The fields of a hand-over."""

    def __init__(self, shell: Shell, asked: Callable[[Holding, Wish, bool], None], closed: Callable[[], None]) -> None:
        super().__init__()
        words, theme = shell.words, shell.theme
        self._words, self._asked = words, asked
        self._holding: Holding | None = None
        self._title = label(role="heading", wrap=True)
        self._waiting = label(role="muted", wrap=True)
        self.fields = {field: FormField(words(f"uc_field_{field}"), _line(), theme) for field in Field}
        self.returned = QCheckBox(words("uc_field_returned"))
        self.returned.toggled.connect(self._returned)
        self.pin_change = QCheckBox(words("uc_field_pin_change"))
        self.signed = QCheckBox(words("uc_field_signed"))
        self.record = button(words("uc_record"), self._ask, "primary")
        stop = button(words("uc_stop"), closed)
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.space(4))
        grid.setVerticalSpacing(theme.space(2))
        for line, pair in enumerate(_PAIRS):
            for at, field in enumerate(pair):
                grid.addWidget(self.fields[field], line, at, 1, 1 if len(pair) == 2 else 2)
        fields = QWidget()
        fields.setLayout(grid)
        parts = (self._title, self._waiting, fields, self.returned, self.pin_change, self.signed)
        inside = card(theme, "", *parts)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, theme.space(2), 0)
        lines.setSpacing(theme.space(3))
        lines.addWidget(inside)
        lines.addLayout(row(1, stop, self.record, spacing=theme.space(2)))
        lines.addStretch(1)

    def first_control(self) -> QWidget:
        """The first field that is empty."""
        empty = (made.line for made in self.fields.values() if not made.line.text())
        return next(empty, self.fields[Field.GIVER].line)

    def begin(self, holding: Holding, snapshot: BookSnapshot, clerk: str) -> None:
        """An empty form about this certificate."""
        words = self._words
        self._holding = holding
        self._title.setText(words("uc_form_title", name=holding.subject.certificate.name))
        self._waiting.setText(waiting_words(snapshot, words))
        first = first_form(holding, clerk, words)
        for field, made in self.fields.items():
            made.line.setText(first.texts[field])
            made.complain(None)
        self.returned.setChecked(first.returned)
        self.pin_change.setChecked(first.pin_change)
        self.signed.setChecked(first.signed)

    def _form(self) -> HandOverForm:
        texts = {field: made.line.text() for field, made in self.fields.items()}
        return HandOverForm(texts, self.returned.isChecked(), self.pin_change.isChecked(), self.signed.isChecked())

    def _returned(self, on: bool) -> None:
        self.fields[Field.RECEIVER].setEnabled(not on)
        self.pin_change.setEnabled(not on)

    def _ask(self) -> None:
        form = self._form()
        wrong = problems(form)
        for field, made in self.fields.items():
            made.complain(self._words(wrong[field]) if field in wrong else None)
        if wrong:
            next(self.fields[field] for field in Field if field in wrong).line.setFocus()
        elif self._holding is not None:
            self._asked(self._holding, wish_of(form), form.signed)
