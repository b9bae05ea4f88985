"""Setting backups up, step by step: the place, the recovery code on paper, the code typed back. UI thread.

The code is shown once, and hidden while it is typed back, so that it comes from the paper; nothing of it is kept here
when it is in force or the person has stopped. What looks at disks runs elsewhere.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QGridLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from signer_resources.errors import KnownError
from signer_ui.panes.settings_form import FormField, line_edit
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.theme import Type
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.code_entry import CodeEntry

if TYPE_CHECKING:
    from signer_app.backup.setting_up import NewCode

_PLACE, _CODE, _TYPED = range(3)
_IN_A_LINE = 4


def choose_folder(parent: QWidget, title: str, begin: str) -> str:
    """A folder that a person chooses; empty when none was."""
    return QFileDialog.getExistingDirectory(parent, title, begin)


class BackupSetup(QWidget):
    """The steps; where the code stays, the place alone is asked for."""

    done = Signal()
    """Backups are set up, and one should be made."""
    stopped = Signal()
    failed = Signal(object)
    """KnownError."""

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self._shell = shell
        self._new: NewCode | None = None
        self._with_code = True
        self._working = False
        words, theme = shell.words, shell.theme
        self._steps = QStackedWidget()
        self._steps.addWidget(self._place_step())
        self._steps.addWidget(self._code_step())
        self._steps.addWidget(self._typed_step())
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(theme.space(2))
        self._title = label("", "strong", wrap=True)
        outer.addWidget(self._title)
        outer.addWidget(self._steps)
        self.stop = button(words("bk_setup_stop"), self._stop, "quiet")
        outer.addLayout(row(self.stop, 1))

    # ---- the steps -------------------------------------------------------------------------------------------------

    def _place_step(self) -> QWidget:
        words, theme = self._shell.words, self._shell.theme
        self.place = line_edit(self._enable, words("bk_place_example"), 1000)
        self.choose = button(words("bk_choose"), self._choose)
        across = QWidget()
        line = row(self.place, self.choose, spacing=theme.space(2))
        line.setStretch(0, 1)
        across.setLayout(line)
        across.setFocusProxy(self.place)
        self.go_on = button(words("bk_go_on"), self._placed, "primary")
        field = FormField(words("bk_place_title"), across, theme, words("bk_place_hint"))
        self.place.setAccessibleName(words("bk_place_title"))
        return _step(theme.space(2), field, self.go_on)

    def _code_step(self) -> QWidget:
        words, theme = self._shell.words, self._shell.theme
        grid = QWidget()
        self._groups = QGridLayout(grid)
        self._groups.setContentsMargins(0, 0, 0, 0)
        self._groups.setHorizontalSpacing(theme.space(8))
        self._groups.setVerticalSpacing(theme.space(2))
        self._groups.setColumnStretch(_IN_A_LINE, 1)
        self.print = button(words("bk_print"), self._print)
        self.written = button(words("bk_written"), self._written, "primary")
        return _step(theme.space(2), label(words("bk_code_hint"), wrap=True), grid, self.written, self.print)

    def _typed_step(self) -> QWidget:
        words, theme = self._shell.words, self._shell.theme
        self.entry = CodeEntry(words, theme)
        self.entry.changed.connect(self._enable)
        self.begin = button(words("bk_begin"), self._confirm, "primary")
        self.again = button(words("bk_code_again"), lambda: self._go(_CODE))
        return _step(theme.space(2), label(words("bk_typed_hint"), wrap=True), self.entry, self.begin, self.again)

    # ---- from outside ----------------------------------------------------------------------------------------------

    def open(self, place: str, *, with_code: bool) -> None:
        """Begins with the place that is set."""
        self._with_code = with_code
        self._forget()
        self.place.setText(place)
        self._go(_PLACE)

    @property
    def working(self) -> bool:
        """Whether the code is in force in this very moment."""
        return self._working

    # ---- on the way ------------------------------------------------------------------------------------------------

    def _go(self, step: int) -> None:
        titles = ("bk_step_place", "bk_step_code", "bk_step_typed") if self._with_code else ("bk_move",)
        self._title.setText(self._shell.words(titles[step]))
        self._steps.setCurrentIndex(step)
        self._enable()
        (self.place, self.written, self.entry)[step].setFocus()

    def _enable(self) -> None:
        # A path as it is typed, of this machine or a share; whether it can be used is seen when it is.
        self.go_on.setEnabled(Path(self.place.text().strip()).is_absolute() and not self._working)
        self.begin.setEnabled(self.entry.right and not self._working)
        self.again.setEnabled(not self._working)

    def _choose(self) -> None:
        chosen = choose_folder(self, self._shell.words("bk_place_title"), self.place.text())
        if chosen:
            self.place.setText(str(Path(chosen)))

    def _placed(self) -> None:
        desk, place, tasks = self._shell.desk, Path(self.place.text().strip()), self._shell.tasks
        self._work(True)
        if not self._with_code:

            def move(_control: object) -> None:
                desk.backing_up.move(place)

            tasks.run(self, Lane.LATER, move, lambda _none: self._ready(), failed=self._no)
            return

        # The place is looked at before a code is written down for it.
        def work(_control: object) -> "NewCode":
            desk.backing_up.try_place(place)
            return desk.backing_up.begin()

        tasks.run(self, Lane.LATER, work, self._made, failed=self._no)

    def _made(self, new: "NewCode") -> None:
        self._work(False)
        self._new = new
        self._show_code(new.groups)
        self._go(_CODE)

    def _show_code(self, groups: tuple[str, ...]) -> None:
        self._clear_groups()
        for at, group in enumerate(groups):
            shown = label(group, "code")
            font = self._shell.theme.font(Type.MONO)
            font.setPointSizeF(self._shell.theme.font(Type.TITLE).pointSizeF())
            shown.setFont(font)
            number = label(self._shell.words("bk_group", number=at + 1), "small")
            cell = QWidget()
            lines = QVBoxLayout(cell)
            lines.setContentsMargins(0, 0, 0, 0)
            lines.setSpacing(0)
            lines.addWidget(number)
            lines.addWidget(shown)
            self._groups.addWidget(cell, at // _IN_A_LINE, at % _IN_A_LINE)

    def _clear_groups(self) -> None:
        while (item := self._groups.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()

    def _print(self) -> None:
        if self._new is not None:
            from signer_ui.code_page import print_code

            print_code(self, self._new.groups, self._shell.desk.now(), self._shell.words)

    def _written(self) -> None:
        self.entry.clear()
        self._go(_TYPED)

    def _confirm(self) -> None:
        new, desk, place, typed = self._new, self._shell.desk, Path(self.place.text().strip()), self.entry.code
        if new is None:
            return
        self._work(True)
        self._shell.tasks.run(
            self,
            Lane.LATER,
            lambda _control: desk.backing_up.confirm(place, new, typed),
            lambda _none: self._ready(),
            failed=self._no,
        )

    def _ready(self) -> None:
        self._work(False)
        self._forget()
        self.done.emit()

    def _no(self, error: KnownError) -> None:
        self._work(False)
        self.failed.emit(error)

    def _stop(self) -> None:
        self._forget()
        self.stopped.emit()

    def _work(self, working: bool) -> None:
        self._working = working
        self.stop.setEnabled(not working)
        self._enable()

    def _forget(self) -> None:
        self._new = None
        self._clear_groups()
        self.entry.clear()


def _step(space: int, *parts: QWidget) -> QWidget:
    """Parts below each other, its buttons side by side at the end."""
    made = QWidget()
    lines = QVBoxLayout(made)
    lines.setContentsMargins(0, 0, 0, 0)
    lines.setSpacing(space)
    for part in parts:
        if not isinstance(part, QPushButton):
            lines.addWidget(part)
    lines.addLayout(row(*(part for part in parts if isinstance(part, QPushButton)), 1, spacing=space))
    lines.addStretch(1)
    return made
