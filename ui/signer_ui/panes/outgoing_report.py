"""The result of a batch, in place of the list: each document with what became of it, to search and to keep.

UI thread; the list is worked out on the quick lane.
"""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QLineEdit, QVBoxLayout, QWidget

from signer_app.desk.signing_values import BatchSummary
from signer_resources.errors import KnownError
from signer_ui.presenters import report as says
from signer_ui.presenters.report import ReportLine
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.grid import Grid
from signer_ui.widgets.notice import Notice
from signer_ui.widgets.progress import ProgressLine


class ReportPage(QWidget):
    """One batch at a time."""

    closed = Signal()

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        words, space = shell.words, shell.theme.space
        self._shell, self._words = shell, words
        self._batch = ""
        self._title = label(role="heading", wrap=True)
        self.search = QLineEdit()
        self.search.setPlaceholderText(words("ul_report_search"))
        self.search.setAccessibleName(words("ul_report_search"))
        self.search.setClearButtonEnabled(True)
        self.grid: Grid[ReportLine] = Grid(
            says.columns(words), lambda line: line.id, words, shell.theme, shell.tasks, words("ul_report_list")
        )
        self.close_button = button(words("ul_report_close"), self.closed.emit)
        self.save = button(words("ul_report_save"), self._ask_where)
        self._line = ProgressLine(words, shell.theme)
        self.notice = Notice(words, shell.theme)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(space(2))
        head = row(self._title, self.search, spacing=space(2))
        head.setStretch(0, 2)
        head.setStretch(1, 1)
        lines.addWidget(self.notice)
        lines.addLayout(head)
        lines.addWidget(self.grid, 1)
        lines.addWidget(self._line)
        lines.addLayout(row(1, self.save, self.close_button, spacing=space(2)))
        self.search.textChanged.connect(self.grid.set_filter)
        escape = QShortcut(QKeySequence("Escape"), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self.closed)

    def put(self, summary: BatchSummary) -> None:
        """Shows what became of a batch."""
        self._batch = summary.batch or ""
        self.save.setVisible(bool(self._batch))
        self.notice.clear()
        self._title.setText(says.title(summary.outcomes, self._words))
        self.search.clear()
        self.grid.set_rows(says.report_lines(summary))
        self.grid.setFocus()

    def _ask_where(self) -> None:
        words = self._words
        chosen, kind = QFileDialog.getSaveFileName(
            self,
            words("ul_report_save_title"),
            words("ul_report_name", date=self._shell.desk.now().strftime("%d-%m-%Y")),
            words("ul_report_kinds"),
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if chosen:
            self.save_to(Path(chosen) if Path(chosen).suffix else Path(chosen + _ending(kind)))

    def save_to(self, target: Path) -> None:
        """Writes the report there; never over a file."""
        signing, batch, words = self._shell.desk.signing, self._batch, self._words

        def saved(_nothing: None) -> None:
            self._line.end()
            self.save.setEnabled(True)
            self.notice.tell(words("ul_report_saved", file=str(target)))

        def failed(error: KnownError) -> None:
            self._line.end()
            self.save.setEnabled(True)
            if error.code != "interrupted":
                self.notice.error(error)

        self.save.setEnabled(False)
        handle = self._shell.tasks.run(
            self,
            Lane.DOCUMENTS,
            lambda control: signing.save_report(
                batch, target, words.lang, progress=control.progress, cancelled=lambda: control.cancelled
            ),
            saved,
            failed=failed,
            progress=self._line.tell,
        )
        self._line.begin("ul_report_saving", handle)


def _ending(kind: str) -> str:
    """The ending of a kind of file as the dialogue names it: "CSV (*.csv)"."""
    return kind[kind.rfind(".") :].rstrip(")") or ".xlsx"
