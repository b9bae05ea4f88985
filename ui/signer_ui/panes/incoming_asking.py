"""Questions about an incoming document, asked in place, and words that are to be copied or printed.

UI thread; asks and tells, changes nothing itself. Esc leaves everything as it was.
"""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent, QGuiApplication, QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFileDialog,
    QFrame,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QRadioButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from signer_app.desk.incoming_paper import save_note
from signer_ui.presenters.incoming_deciding import Form
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.widgets.basics import button, label, repolish, row
from signer_ui.widgets.elided import breakable
from signer_ui.widgets.flow import Flow
from signer_ui.widgets.notice import Notice

_LONGEST = 300
_NOTE_LINES = 6
_PLACED_MS = 40


def line_edit() -> QLineEdit:
    """A line to be typed, as long as a reason may be."""
    made = QLineEdit()
    made.setMaxLength(_LONGEST)
    return made


def one_line(text: str) -> str:
    """What was typed, with single blanks."""
    return " ".join(text.split())


def _seen_soon(part: QWidget) -> QTimer:
    """Brings `part` into sight when it is started, after all around it has found its place."""
    made = QTimer(part)
    made.setSingleShot(True)
    made.setInterval(_PLACED_MS)
    made.timeout.connect(lambda: _into_sight(part))
    return made


def _into_sight(part: QWidget) -> None:
    """Scrolls what holds `part` until it is seen."""
    above = part.parentWidget()
    while above is not None:
        if isinstance(above, QScrollArea):
            above.ensureWidgetVisible(part, 0, 0)
            above.horizontalScrollBar().setValue(0)
            return
        above = above.parentWidget()


class AskCard(QFrame):
    """One question at a time; hidden while there is none. `back` gets the keyboard when it is put away."""

    changed = Signal()
    """Something is asked, or nothing any more."""

    def __init__(self, shell: Shell, back: Callable[[], None]) -> None:
        super().__init__()
        words, theme = shell.words, shell.theme
        self._back = back
        self._do: Callable[[int, str], None] | None = None
        self._must_type = False
        self.setProperty("role", "notice-warn")
        self._what = label(role="strong", wrap=True)
        self._why = label(wrap=True)
        self._group = QButtonGroup(self)
        self._choices = QVBoxLayout()
        self._choices.setSpacing(theme.space(0.5))
        self.caption = QLabel()
        self.field = line_edit()
        self.caption.setBuddy(self.field)
        self.field.textChanged.connect(self._enable)
        self.field.returnPressed.connect(self._answer)
        self.yes = button("", self._answer)
        self.no = button(words("ua_back"), self.put_away)
        self._ways = Flow((self.yes, self.no), theme.space(2))
        lines = QVBoxLayout(self)
        lines.setContentsMargins(theme.space(3), theme.space(2), theme.space(3), theme.space(2))
        lines.setSpacing(theme.space(1))
        lines.addWidget(self._what)
        lines.addWidget(self._why)
        lines.addLayout(self._choices)
        for part in (self.caption, self.field, self._ways):
            lines.addWidget(part)
        self._seen = _seen_soon(self)
        self.hide()

    @property
    def asking(self) -> bool:
        """Whether a question waits for its answer."""
        return self._do is not None

    def ask(self, form: Form, do: Callable[[int, str], None]) -> None:
        """Asks; `do` is called with the place of the chosen one and with what was typed."""
        self._do, self._must_type = do, form.must_type
        self._what.setText(breakable(form.what))
        self._why.setText(breakable(form.why))
        self._why.setVisible(bool(form.why))
        self._put_choices(form.choices)
        self.caption.setText(form.field)
        self.field.setAccessibleName(form.field)
        self.field.clear()
        for part in (self.caption, self.field):
            part.setVisible(bool(form.field))
        self.yes.setText(form.yes)
        repolish(self.yes, "role", "danger" if form.danger else "primary")
        self.setAccessibleName(f"{form.what} {form.why}".strip())
        self._enable()
        self.show()
        self.first_control().setFocus()
        self.changed.emit()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def _put_choices(self, choices: tuple[str, ...]) -> None:
        for old in self._group.buttons():
            self._group.removeButton(old)
            self._choices.removeWidget(old)
            old.hide()
            old.deleteLater()
        before: QWidget | None = None
        for at, words in enumerate(choices):
            made = QRadioButton(words)
            made.toggled.connect(self._enable)
            self._group.addButton(made, at)
            self._choices.addWidget(made)
            if before is not None:
                QWidget.setTabOrder(before, made)
            made.show()
            before = made
        if before is not None:
            QWidget.setTabOrder(before, self.field)
        if len(choices) == 1:
            self._group.button(0).setChecked(True)

    def first_control(self) -> QWidget:
        """What is asked for first; where nothing is, the way back: Enter pressed twice answers no question."""
        if self._group.buttons() and self._group.checkedId() < 0:
            return self._group.button(0)
        return self.field if not self.field.isHidden() else self.no

    def put_away(self) -> None:
        """Everything stays as it was."""
        asked = self.asking
        self.drop()
        if asked:
            self._back()

    def drop(self) -> None:
        """The question has no sense any more; the keyboard isn't led anywhere."""
        asked, self._do = self.asking, None
        self.hide()
        if asked:
            self.changed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Esc leaves everything as it was."""
        if event.key() == Qt.Key.Key_Escape:
            self.put_away()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """It may stand lower than what is in sight."""
        super().showEvent(event)
        self._seen.start()

    def _enable(self) -> None:
        chosen = not self._group.buttons() or self._group.checkedId() >= 0
        self.yes.setEnabled(chosen and (not self._must_type or bool(one_line(self.field.text()))))

    def _answer(self) -> None:
        do = self._do
        if do is not None and self.yes.isEnabled():
            at, typed = self._group.checkedId(), one_line(self.field.text())
            self.put_away()
            do(at, typed)


class NoteCard(QFrame):
    """Words for the telephone or a letter: to be copied, or to be kept as a PDF and printed."""

    shown = Signal()
    """There are words, or they were put away."""

    def __init__(self, shell: Shell, notice: Notice, back: Callable[[], None]) -> None:
        super().__init__()
        words, theme = shell.words, shell.theme
        self._shell, self._notice, self._back = shell, notice, back
        self._title = self._name = ""
        self.setProperty("role", "notice-good")
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(words("ua_note_title"))
        self.text.setFixedHeight(self.text.fontMetrics().lineSpacing() * _NOTE_LINES + theme.space(5))
        self._copy = button(words("ua_note_copy"), self._copied, "primary")
        save = button(words("ua_note_save"), self._save)
        close = button(words("ua_note_close"), self.put_away)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(theme.space(3), theme.space(2), theme.space(3), theme.space(2))
        lines.setSpacing(theme.space(1))
        lines.addLayout(row(label(words("ua_note_title"), "strong"), 1))
        lines.addWidget(self.text)
        lines.addWidget(Flow((self._copy, save, close), theme.space(2)))
        self._seen = _seen_soon(self)
        self.hide()

    def put(self, title: str, text: str, name: str) -> None:
        """Shows them; `title` stands over them on paper, `name` is suggested for its file."""
        self._title, self._name = title, name
        self.text.setPlainText(text)
        self.show()
        self._copy.setFocus()
        self.shown.emit()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def put_away(self) -> None:
        """They were read."""
        shown = self.isVisible()
        self.drop()
        if shown:
            self._back()

    def drop(self) -> None:
        """Another document is shown; the keyboard isn't led anywhere."""
        self.hide()
        self.shown.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Esc puts it away."""
        if event.key() == Qt.Key.Key_Escape:
            self.put_away()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """It may stand lower than what is in sight."""
        super().showEvent(event)
        self._seen.start()

    def _copied(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())
        self._notice.tell(self._shell.words("ua_note_copied"))

    def _save(self) -> None:
        words, title, text = self._shell.words, self._title, self.text.toPlainText()
        chosen, _kind = QFileDialog.getSaveFileName(
            self,
            words("ua_note_save_title"),
            self._name,
            words("ua_note_kinds"),
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if chosen:
            target = Path(chosen) if Path(chosen).suffix else Path(f"{chosen}.pdf")
            self._shell.tasks.run(
                self,
                Lane.DOCUMENTS,
                lambda _control: save_note(target, title, text),
                lambda _none: self._notice.tell(words("ua_note_saved", file=str(target))),
                failed=self._notice.error,
            )
