"""The banner of the training mode, always on top of its window, and the exercise below it, which can be put away.

UI thread. Decides nothing: what its buttons want is told by signal.
"""

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QVBoxLayout, QWidget

from signer_ui.presenters.training import COUNT, Deed, step_view
from signer_ui.theme import Theme
from signer_ui.widgets.basics import button, frame, label, row
from signer_ui.widgets.elided import Elided
from signer_ui.words import Words


class TrainingBanner(QWidget):
    """Says that nothing here has any value; leads through the exercise and out of training."""

    wanted = Signal(object)
    """Deed: what the step's button does."""
    leave_wanted = Signal()
    remove_wanted = Signal()

    def __init__(self, words: Words, theme: Theme) -> None:
        super().__init__()
        self._words = words
        self._beside = theme.space(4) + theme.space(3)
        self._pin = ""
        self._number = 0
        self._told_pin = label(role="strong")
        self.guide = button(words("tr_guide"), self._fold, "quiet")
        self.remove = button(words("tr_remove"), self.remove_wanted.emit, "quiet")
        self.leave = button(words("tr_leave"), self.leave_wanted.emit)
        strip = frame("training")
        title = Elided(words("tr_banner"), "heading")
        self._told_pin.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        line = row(title, self._told_pin, self.guide, self.leave)
        line.setStretch(0, 1)
        line.setContentsMargins(theme.space(4), theme.space(1), theme.space(3), theme.space(1))
        strip.setLayout(line)
        self._heading = label(role="strong")
        self._told = label(wrap=True)
        self.back = button(words("tr_back"), lambda: self._go(-1), "quiet")
        self.act = button("", lambda: self.wanted.emit(self._deed))
        self.next = button(words("tr_next"), lambda: self._go(1), "primary")
        self._exercise = self._make_exercise(theme)
        self._deed = Deed.OPEN_LETTERS
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(strip)
        outer.addWidget(self._exercise)
        self._exercise.hide()
        for part in (self.guide, self._told_pin):
            # Nothing of them works before the folder is ready.
            part.hide()

    def _make_exercise(self, theme: Theme) -> QFrame:
        exercise = frame("training-step")
        lines = QVBoxLayout(exercise)
        lines.setContentsMargins(theme.space(4), theme.space(1), theme.space(3), theme.space(1))
        lines.setSpacing(theme.space(0.5))
        line = row(self._heading, 1, self.remove, self.back, self.act, self.next)
        lines.addLayout(line)
        lines.addWidget(self._told)
        return exercise

    def ready(self, pin: str) -> None:
        """The folder is ready: shows the PIN, and the first step."""
        self._pin = pin
        self._told_pin.setText(self._words("tr_pin", pin=pin))
        for part in (self.guide, self._told_pin):
            part.show()
        self._show_step()
        self._exercise.show()

    @property
    def step(self) -> int:
        """The step that is shown, from 0."""
        return self._number

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """What is told has all its lines, however narrow the window is."""
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        width = self.width() - self._beside
        self._told.setMinimumHeight(max(0, self._told.heightForWidth(width)))

    def _fold(self) -> None:
        self._exercise.setVisible(self._exercise.isHidden())

    def _go(self, by: int) -> None:
        if self._number + by == COUNT:
            self._number = 0
            self._show_step()
            self._exercise.hide()
            return
        self._number += by
        self._show_step()

    def _show_step(self) -> None:
        view = step_view(self._number, self._pin, self._words)
        self._deed = view.deed
        self._heading.setText(view.heading)
        self._told.setText(view.told)
        self._make_room()
        self.act.setText(view.action)
        self.back.setEnabled(not view.first)
        self.next.setText(self._words("tr_done" if view.last else "tr_next"))
