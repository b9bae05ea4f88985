"""Saving the diagnostic file: first what will be in it is shown, then it is saved where the clerk wants it. UI thread.

Gathering and writing are done elsewhere.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QFrame, QVBoxLayout

from signer_app.administration.diagnostic import Diagnostic, gather
from signer_app.desk.check_values import Check
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.widgets.basics import button, label, row


class DiagnosticBox(QFrame):
    """Hidden until it is asked for; then a list of what would be saved, with a button to do it."""

    def __init__(self, shell: Shell, checks: Callable[[], Sequence[Check]]) -> None:
        super().__init__()
        self._shell = shell
        self._checks = checks
        self._made: Diagnostic | None = None
        words, space = shell.words, shell.theme.space
        self.setProperty("role", "card")
        self._list = label(wrap=True)
        self.save = button(words("ua_diagnostic_save"), self._choose, "primary")
        self.leave = button(words("ua_diagnostic_leave"), self._close, "quiet")
        lines = QVBoxLayout(self)
        lines.setContentsMargins(space(4), space(3), space(4), space(3))
        lines.setSpacing(space(2))
        lines.addWidget(label(words("ua_diagnostic_title"), "strong"))
        lines.addWidget(self._list)
        lines.addLayout(row(self.save, self.leave, 1, spacing=space(2)))
        self.hide()

    def begin(self) -> None:
        """Gathers, then shows."""
        space, checks = self._shell.desk.space, tuple(self._checks())
        self._shell.tasks.run(
            self, Lane.DOCUMENTS, lambda _control: gather(space, checks), self._show, failed=self._shell.notice
        )

    def _show(self, made: Diagnostic) -> None:
        self._made = made
        words = self._shell.words
        told = dict.fromkeys(words(entry.key) for entry in made.entries)
        self._list.setText("\n".join(f"• {one}" for one in told))
        self.show()
        self.save.setFocus()

    def _choose(self) -> None:
        words = self._shell.words
        dialog = QFileDialog(self, words("ua_diagnostic"), "", words("ua_diagnostic_files"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("zip")
        dialog.selectFile(f"signer-{self._shell.desk.now():%Y%m%d-%H%M}.zip")
        dialog.fileSelected.connect(lambda name: self.save_to(Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def save_to(self, target: Path) -> None:
        """Saves what was shown."""
        made = self._made
        if made is None:
            return

        def done(_nothing: object) -> None:
            self._close()
            self._shell.notice("ua_diagnostic_saved")

        self._shell.tasks.run(self, Lane.DOCUMENTS, lambda _control: made.save(target), done, failed=self._shell.notice)

    def _close(self) -> None:
        self._made = None
        self.hide()
