"""What the sections of the settings share: fields with their complaint below, and saving as a whole. UI thread.

A section is unsaved as long as its form differs from the one it was filled with; it is saved by one button, or not at
all. Work on disk is done elsewhere.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from PySide6.QtCore import Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame, QLabel, QLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from signer_app.store.settings import Settings
from signer_resources.errors import KnownError
from signer_ui.presenters.settings import Change, Field, Problem
from signer_ui.shell import Shell
from signer_ui.tasks import Control, Lane
from signer_ui.theme import Theme
from signer_ui.widgets.basics import button, frame, label, repolish, row
from signer_ui.widgets.notice import Notice

if TYPE_CHECKING:
    from signer_app.administration.machine import Key

F = TypeVar("F")
T = TypeVar("T")


class FormField(QWidget):
    """A caption, an editor, and a line below that is red when something is wrong."""

    def __init__(self, caption: str, editor: QWidget, theme: Theme, hint: str = "") -> None:
        super().__init__()
        self.editor = editor
        self._hint = hint
        title = QLabel(caption)
        title.setBuddy(editor)
        editor.setAccessibleName(caption.replace("&", ""))
        self._below = label(hint, "muted", wrap=True)
        self._below.setVisible(bool(hint))
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(theme.space(0.75))
        for part in (title, editor, self._below):
            lines.addWidget(part)
        lines.addStretch(1)

    @property
    def line(self) -> QLineEdit:
        """The editor of a field with one line."""
        assert isinstance(self.editor, QLineEdit)
        return self.editor

    def complain(self, text: str | None) -> None:
        """Says what is wrong, None: nothing is."""
        wrong = text is not None
        repolish(self.editor, "wrong", wrong)
        repolish(self._below, "role", "bad" if wrong else "muted")
        self._below.setText(text if text is not None else self._hint)
        self._below.setVisible(bool(self._below.text()))
        self.editor.setAccessibleDescription(text or "")
        if wrong:
            QAccessible.updateAccessibility(QAccessibleEvent(self._below, QAccessible.Event.Alert))

    def lock(self, told: str | None) -> None:
        """Shows what is set and lets nobody change it, saying who has set it; None: it may be changed."""
        self.setEnabled(told is None)
        if told is not None:
            self._hint = told
            self._below.setText(told)
            self._below.show()
            self.editor.setAccessibleDescription(told)

    @property
    def complaint(self) -> str:
        """What is said to be wrong now."""
        return self.editor.accessibleDescription()


def line_edit(changed: Callable[[], None], placeholder: str = "", limit: int = 300) -> QLineEdit:
    """A field for one line of text."""
    made = QLineEdit()
    made.setMaxLength(limit)
    made.setPlaceholderText(placeholder)
    made.textChanged.connect(lambda _text: changed())
    return made


def card(theme: Theme, title: str, *parts: QWidget) -> QFrame:
    """A titled card with parts below each other."""
    made = frame("card")
    lines = QVBoxLayout(made)
    margin = theme.space(4)
    lines.setContentsMargins(margin, theme.space(3), margin, margin)
    lines.setSpacing(theme.space(3))
    if title:
        lines.addWidget(label(title, "heading"))
    for part in parts:
        lines.addWidget(part)
    return made


def scrolled(content: QWidget) -> QScrollArea:
    """`content` in an area that scrolls where the screen is too low."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    content.setProperty("role", "page")
    area.setWidget(content)
    return area


def clear(layout: QLayout) -> None:
    """Takes all widgets out of a layout and lets them go."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            # Gone from the screen now, not only when the events have been worked off.
            widget.hide()
            widget.deleteLater()


class Section(QWidget, Generic[F]):
    """A section: `F` is the type of its form. Subclasses build the fields and say what the form means."""

    edited = Signal()
    """Whether anything is unsaved may have changed."""
    saved = Signal()
    refused = Signal()
    """It could not be saved; the section says why."""

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self.shell = shell
        self.setup = shell.desk.setup
        self.notice = Notice(shell.words, shell.theme)
        self._clean: F | None = None
        self._saving = False
        self._state = label("", "muted")
        self.save_button = button(shell.words("ue_save"), self.save, "primary")
        self.discard_button = button(shell.words("ue_discard"), self.discard, "quiet")
        shell.hub.settings_changed.connect(self._settings_changed)

    # ---- what a section is -----------------------------------------------------------------------------------------

    def form(self) -> F:
        """What is typed now."""
        raise NotImplementedError

    def fill(self, settings: Settings) -> F:
        """Shows the settings; the form that they are."""
        raise NotImplementedError

    def problems(self, form: F) -> Sequence[Problem]:
        """What is wrong with the form. Runs elsewhere, so it may look at the disk."""
        raise NotImplementedError

    def change(self, form: F) -> Change:
        """The change of the settings that the form means. Runs elsewhere; may keep pictures."""
        raise NotImplementedError

    def field(self, problem: Problem) -> FormField:
        """Where a problem is shown; brings its item to the front."""
        raise NotImplementedError

    def locked_by(self) -> "Mapping[Key, Sequence[FormField]]":
        """Which fields show what an administrator may have set for the whole machine."""
        return {}

    def fields(self) -> Sequence[FormField]:
        """All fields that can be wrong."""
        return ()

    # ---- what all sections do --------------------------------------------------------------------------------------

    def frame_up(self, *cards: QWidget) -> None:
        """Lays out: notice, cards that scroll, the buttons below."""
        space = self.shell.theme.space
        content = QWidget()
        inside = QVBoxLayout(content)
        inside.setContentsMargins(0, 0, space(2), 0)
        inside.setSpacing(space(3))
        for made in cards:
            inside.addWidget(made)
        inside.addStretch(1)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(space(3))
        lines.addWidget(self.notice)
        lines.addWidget(scrolled(content), 1)
        lines.addLayout(row(self._state, 1, self.discard_button, self.save_button, spacing=space(2)))
        self.start_anew(self.shell.hub.settings)

    def start_anew(self, settings: Settings) -> None:
        """Shows the settings as they are, whatever was typed."""
        self._clean = None
        self._clean = self.fill(settings)
        for key, fields in self.locked_by().items():
            for field in fields:
                field.lock(self.shell.words("ua_locked") if key in self.shell.desk.locked else None)
        self._complain({})
        self.touched()

    @property
    def dirty(self) -> bool:
        """Whether anything is unsaved."""
        return self._clean is not None and self.form() != self._clean

    @property
    def working(self) -> bool:
        """Whether something runs that must not be left alone."""
        return False

    @property
    def saving(self) -> bool:
        """Whether it is being written."""
        return self._saving

    def touched(self) -> None:
        """Something was typed."""
        if self._clean is None:
            return
        dirty = self.dirty
        self.save_button.setEnabled(dirty and not self._saving)
        self.discard_button.setVisible(dirty)
        if dirty:
            self._state.setText(self.shell.words("ue_unsaved"))
        elif self._state.text() == self.shell.words("ue_unsaved"):
            self._state.setText("")
        self.edited.emit()

    def discard(self) -> None:
        """Forgets what was typed."""
        self.notice.clear()
        self._state.setText("")
        self.start_anew(self.shell.hub.settings)

    def save(self) -> None:
        """Looks at the form and keeps it whole, or says what is wrong."""
        if self._saving:
            return
        self._saving = True
        self.notice.clear()
        form, desk = self.form(), self.shell.desk
        self.touched()

        def work(_control: object) -> Settings | tuple[Problem, ...]:
            wrong = tuple(self.problems(form))
            return wrong or desk.change_settings(self.change(form))

        self.send(Lane.QUICK, work, lambda result: self._kept(form, result), self._failed)

    def send(
        self,
        lane: Lane,
        work: Callable[[Control], T],
        done: Callable[[T], None],
        failed: Callable[[KnownError], None] | None = None,
    ) -> None:
        """Has work done for this section; without `failed`, its notice tells."""
        self.shell.tasks.run(self, lane, work, done, failed=failed or self.notice.error)

    def _kept(self, form: F, result: Settings | tuple[Problem, ...]) -> None:
        self._saving = False
        if isinstance(result, tuple):
            self._wrong(result)
            return
        # What was typed while it was written is unsaved; else all is filled anew when the settings' news comes.
        self._clean = form
        self._complain({})
        self._state.setText(self.shell.words("ue_saved"))
        self.touched()
        self.saved.emit()
        self.shell.hub.settings_kept(result)

    def _failed(self, error: KnownError) -> None:
        self._saving = False
        self.touched()
        self.notice.error(error)
        self.refused.emit()

    def _wrong(self, problems: tuple[Problem, ...]) -> None:
        first = self.field(problems[0])
        here = [problem for problem in problems if problem.item == problems[0].item]
        self._complain({problem.field: problem for problem in reversed(here)})
        self.touched()
        first.editor.setFocus()
        self.refused.emit()

    def _complain(self, problems: dict[Field, Problem]) -> None:
        for field in self.fields():
            field.complain(None)
        for problem in problems.values():
            self.field(problem).complain(self.shell.words(problem.key))

    def _settings_changed(self, settings: Settings) -> None:
        if not self.dirty and not self._saving:
            self.start_anew(settings)
