"""Copies on paper that are still to be sent: ticked off one by one, and printed as a list.

UI thread; read and written on lanes, the list is written to a file that the clerk names.
"""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QFileDialog, QLabel, QListWidget, QVBoxLayout, QWidget

from signer_app.desk.desk import Desk
from signer_app.desk.receivers import reason_words
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.notice import Notice

_WIDTH, _HEIGHT = 150, 90
"""Units of spacing."""


class PaperDialog(QDialog):
    """See the module."""

    changed = Signal()
    """A copy was said to be sent."""

    def __init__(self, shell: Shell, parent: QWidget) -> None:
        super().__init__(parent)
        words, space = shell.words, shell.theme.space
        self._shell = shell
        self._lines: list[tuple[str, int]] = []
        """Document and place in its list of each line."""
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(words("uq_p_title"))
        self.setAccessibleName(words("uq_p_title"))
        self.notice = Notice(words, shell.theme)
        self.list = QListWidget()
        self.list.setWordWrap(True)
        self.sent = button(words("uq_p_done"), self._sent)
        self.print = button(words("uq_p_print"), self._print)
        self.leave = button(words("uq_p_close"), self.reject)
        title = QLabel(words("uq_p_list"))
        title.setBuddy(self.list)
        self.list.setAccessibleName(title.text().replace("&", ""))
        lines = QVBoxLayout(self)
        lines.setContentsMargins(*[space(4)] * 4)
        lines.setSpacing(space(2))
        lines.addWidget(label(words("uq_p_title"), "heading", wrap=True))
        lines.addWidget(self.notice)
        lines.addWidget(title)
        lines.addWidget(self.list, 1)
        lines.addLayout(row(self.sent, self.print, 1, self.leave, spacing=space(2)))
        self.resize(space(_WIDTH), space(_HEIGHT))
        self._read()

    def _read(self) -> None:
        desk = self._shell.desk
        self._shell.tasks.run(
            self, Lane.QUICK, lambda _control: _waiting(desk, self._shell), self._came, failed=self.notice.error
        )

    def _came(self, told: list[tuple[str, int, str]]) -> None:
        at = self.list.currentRow()
        self._lines = [(document, place) for document, place, _text in told]
        self.list.clear()
        self.list.addItems([text for _document, _place, text in told])
        self.list.setCurrentRow(max(0, min(at, len(told) - 1)) if told else -1)
        for act in (self.sent, self.print):
            act.setEnabled(bool(told))
        if not told:
            self.notice.tell(self._shell.words("uq_p_none"))

    def _sent(self) -> None:
        at = self.list.currentRow()
        if not 0 <= at < len(self._lines):
            return
        (document, place), desk = self._lines[at], self._shell.desk

        def done(_none: None) -> None:
            self.changed.emit()
            self._read()

        self._shell.tasks.run(
            self,
            Lane.QUICK,
            lambda _control: desk.receivers.paper_sent(document, place),
            done,
            failed=self.notice.error,
        )

    def _print(self) -> None:
        shell, words = self._shell, self._shell.words
        chosen, _kind = QFileDialog.getSaveFileName(
            self,
            words("uq_p_save_title"),
            words("uq_p_file"),
            words("ut_pdf_files"),
            # Nothing is ever replaced, so there is nothing to confirm.
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if chosen:
            shell.tasks.run(
                self,
                Lane.DOCUMENTS,
                lambda _control: shell.desk.save_paper_copies(Path(chosen), words.lang),
                lambda _none: self.notice.tell(words("uq_p_saved", file=chosen)),
                failed=self.notice.error,
            )


def _waiting(desk: Desk, shell: Shell) -> list[tuple[str, int, str]]:
    """Document, place in its list, and words of each copy that is still to be sent."""
    words = shell.words
    return [
        (
            copies.document_id,
            place,
            words(
                "uq_p_line",
                label=copies.label or copies.subject,
                name=one.name,
                reason=reason_words(one.reason, words.lang),
            ),
        )
        for copies in desk.paper_copies()
        for place, one in enumerate(copies.receivers)
        if one.done_at is None
    ]
