"""The section "Thư mục": from where documents come by themselves, and where signed copies go.

UI thread. Looks whether a folder is there, and at nothing in it.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QLineEdit, QWidget

from signer_app.store.settings import Settings
from signer_ui.panes.settings_form import FormField, Section, card, line_edit
from signer_ui.presenters.settings import Change, Field, Problem
from signer_ui.presenters.settings_folders import FoldersForm
from signer_ui.shell import Shell
from signer_ui.widgets.basics import button, label, row


class FoldersSection(Section[FoldersForm]):
    """Each may be empty."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        words, theme = shell.words, shell.theme
        self.inbox, self.output = line_edit(self.touched), line_edit(self.touched)
        self._inbox = FormField(
            words("ul_folder_inbox"),
            self._with_button(self.inbox, "ul_folder_inbox"),
            theme,
            words("ul_folder_inbox_hint"),
        )
        self._output = FormField(
            words("ul_folder_output"),
            self._with_button(self.output, "ul_folder_output"),
            theme,
            words("ul_folder_output_hint"),
        )
        intro = label(words("ul_folders_hint"), "muted", wrap=True)
        self.frame_up(card(theme, words("ul_section_folders"), intro, self._inbox, self._output))

    def form(self) -> FoldersForm:
        """As typed."""
        return FoldersForm(self.inbox.text(), self.output.text())

    def fill(self, settings: Settings) -> FoldersForm:
        """As set."""
        form = FoldersForm.of(settings)
        self.inbox.setText(form.inbox)
        self.output.setText(form.output)
        return form

    def problems(self, form: FoldersForm) -> Sequence[Problem]:
        """A folder that isn't there."""
        return form.problems(Path.is_dir)

    def change(self, form: FoldersForm) -> Change:
        """These alone."""
        return form.change()

    def field(self, problem: Problem) -> FormField:
        """Where it was typed."""
        return self._inbox if problem.field is Field.INBOX_FOLDER else self._output

    def fields(self) -> Sequence[FormField]:
        """Both."""
        return (self._inbox, self._output)

    def _with_button(self, field: QLineEdit, name: str) -> QWidget:
        words = self.shell.words
        field.setAccessibleName(words(name))
        choose: Callable[[], None] = partial(self._choose, field)
        pick = button(words("ul_folder_choose"), choose)
        pick.setAccessibleName(words("ul_folder_choose_name", what=words(name)))
        made = QWidget()
        across = row(field, pick)
        across.setStretch(0, 1)
        made.setLayout(across)
        return made

    def _choose(self, field: QLineEdit) -> None:
        dialog = QFileDialog(self, self.shell.words("ul_folder_choose_title"), field.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: field.setText(str(Path(name))))
        dialog.open()
