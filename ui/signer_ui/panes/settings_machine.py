"""The sections "USB ký số" and "Hiển thị": drivers, language, looks. UI thread.

Drivers are looked for where nobody waits for it; none is loaded here.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from signer_app.store.settings import Settings, ThemeChoice
from signer_resources.messages import Lang
from signer_ui.panes.settings_form import FormField, Section, card, clear, line_edit
from signer_ui.presenters.settings import (
    Change,
    DisplayForm,
    DriversForm,
    Problem,
)
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.inputs import Choice

_LANGUAGES: tuple[tuple[Lang, str], ...] = (("vi", "Tiếng Việt"), ("en", "English"))
"""Each in its own words, so that whoever lands in the other one finds back."""


def choose_driver(shell: Shell, parent: QWidget, chosen: Callable[[str], None]) -> None:
    """Asks for the file of a driver."""
    dialog = QFileDialog(parent, shell.words("ue_driver_choose_title"))
    dialog.setNameFilters([f"{shell.words('ue_driver_files')} (*.so *.so.* *.dll *.dylib)"])
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(lambda name: chosen(str(Path(name))))
    dialog.open()


class DriversSection(Section[DriversForm]):
    """Drivers of tokens."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        words, space = shell.words, shell.theme.space
        self._form = DriversForm()
        self._found: tuple[Path, ...] = ()
        self.add = button(words("ue_driver_add"), self._choose)
        list_of_drivers = QWidget()
        self._drivers = QVBoxLayout(list_of_drivers)
        self._drivers.setContentsMargins(0, 0, 0, 0)
        self._drivers.setSpacing(space(2))
        self.drivers = FormField(words("ue_drivers_list"), list_of_drivers, shell.theme)
        buttons = QWidget()
        buttons.setLayout(row(self.add, 1))
        offers = QWidget()
        self._offers = QVBoxLayout(offers)
        self._offers.setContentsMargins(0, 0, 0, 0)
        self._offers.setSpacing(space(1))
        self.frame_up(
            card(
                shell.theme,
                words("ue_drivers_title"),
                label(words("ue_drivers_hint"), "muted", wrap=True),
                self.drivers,
                offers,
                buttons,
            ),
        )

    def form(self) -> DriversForm:
        """As typed."""
        return self._form

    def fill(self, settings: Settings) -> DriversForm:
        """As set; looks for drivers elsewhere."""
        self._form, setup = DriversForm.of(settings), self.setup
        self.send(Lane.DOCUMENTS, lambda _control: setup.drivers(), self._looked)
        self._show()
        return self._form

    def problems(self, form: DriversForm) -> Sequence[Problem]:
        """A driver that isn't there."""
        return form.problems(Path.is_file)

    def change(self, form: DriversForm) -> Change:
        """These alone."""
        return form.change()

    def field(self, problem: Problem) -> FormField:
        """The list."""
        return self.drivers

    def fields(self) -> Sequence[FormField]:
        """The list."""
        return (self.drivers,)

    def add_driver(self, path: str) -> None:
        """Another driver, unless it is there."""
        if path not in self._form.modules:
            self._set(DriversForm((*self._form.modules, path)))

    def _looked(self, found: tuple[Path, ...]) -> None:
        self._found = found
        self._show()

    def _set(self, form: DriversForm) -> None:
        self._form = form
        self.drivers.complain(None)
        self._show()
        self.touched()

    def _show(self) -> None:
        words, space = self.shell.words, self.shell.theme.space
        clear(self._drivers)
        clear(self._offers)
        for module in self._form.modules:
            remove = button(words("ue_driver_remove"), partial(self._drop, module), "quiet")
            remove.setAccessibleName(words("ue_driver_remove_name", file=module))
            line = QWidget()
            across = row(label(module, wrap=True), remove, spacing=space(2))
            across.setStretch(0, 1)
            line.setLayout(across)
            self._drivers.addWidget(line)
        if not self._form.modules:
            self._drivers.addWidget(label(words("ue_drivers_none"), "warn", wrap=True))
        for place in self._found:
            if str(place) not in self._form.modules:
                use = button(words("ue_driver_use", file=str(place)), partial(self.add_driver, str(place)))
                line = QWidget()
                line.setLayout(row(use, 1))
                self._offers.addWidget(line)

    def _drop(self, module: str) -> None:
        self._set(DriversForm(tuple(m for m in self._form.modules if m != module)))
        self.add.setFocus()

    def _choose(self) -> None:
        choose_driver(self.shell, self, self.add_driver)


class DisplaySection(Section[DisplayForm]):
    """Language, looks, the clerk's name."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        words, theme = shell.words, shell.theme
        self.language, self.theme = Choice(theme), Choice(theme)
        for language, name in _LANGUAGES:
            self.language.addItem(name, language)
        for choice in ThemeChoice:
            self.theme.addItem(words(f"ue_theme_{choice}"), choice.value)
        for box in (self.language, self.theme):
            box.setMaximumWidth(theme.space(70))
            box.currentIndexChanged.connect(lambda _index: self.touched())
        self.clerk = line_edit(self.touched, words("ue_clerk_example"), 120)
        self.frame_up(
            card(
                theme,
                words("ue_display_title"),
                FormField(words("ue_language"), self.language, theme),
                FormField(words("ue_theme"), self.theme, theme),
                FormField(words("ue_clerk"), self.clerk, theme, words("ue_clerk_hint")),
            )
        )

    def form(self) -> DisplayForm:
        """As chosen."""
        language = _LANGUAGES[self.language.currentIndex()][0]
        return DisplayForm(language, ThemeChoice(self.theme.currentData()), self.clerk.text())

    def fill(self, settings: Settings) -> DisplayForm:
        """As set."""
        form = DisplayForm.of(settings)
        self.language.setCurrentIndex(self.language.findData(form.language))
        self.theme.setCurrentIndex(self.theme.findData(form.theme.value))
        self.clerk.setText(form.clerk)
        return form

    def problems(self, form: DisplayForm) -> Sequence[Problem]:
        """Nothing can be wrong."""
        return ()

    def change(self, form: DisplayForm) -> Change:
        """These alone."""
        return form.change()

    def field(self, problem: Problem) -> FormField:
        """There is never one."""
        raise LookupError(problem.field)
