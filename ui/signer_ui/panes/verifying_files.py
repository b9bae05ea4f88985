"""Files and folders that the clerk has checked: what is still to do, how far it is, and the list of results.

UI thread; a few files at a time are checked on the lane for documents, so that other documents needn't wait for a whole
folder; when all have an answer, the network is asked for what they wanted, once. Results live as long as the window.
Which of them is looked at is told by signal.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from signer_app.desk.verifying import Checked, files_of
from signer_resources.errors import KnownError
from signer_ui.panes.verifying_keeping import save_report
from signer_ui.presenters.verifying_files import Result, Results, columns, report_name
from signer_ui.shell import Shell
from signer_ui.tasks import Control, Handle, Lane, Progress
from signer_ui.widgets.basics import button, label
from signer_ui.widgets.flow import Flow
from signer_ui.widgets.grid import Grid
from signer_ui.widgets.notice import Notice
from signer_ui.widgets.progress import ProgressLine

_AT_A_TIME = 4
"""Files of one piece of work."""
_REFRESH_MS = 250
"""The list is shown anew so often at most."""


class CheckedFiles(QWidget):
    """The list of results, and the work that fills it."""

    chosen = Signal(object)
    """The Checked that is looked at, or None."""

    def __init__(self, shell: Shell, notice: Notice, back: Callable[[], None]) -> None:
        super().__init__()
        words, theme = shell.words, shell.theme
        self._shell, self._notice = shell, notice
        self._found = Results(words)
        self._waiting: list[Path] = []
        self._wanting: list[Checked] = []
        self._done = 0
        self._finding: Handle | None = None
        self._work: Handle | None = None
        self._untouched = True
        """The clerk has chosen none by hand: the worst is shown when all are there."""
        self.summary = label(role="strong", wrap=True)
        self.progress = ProgressLine(words, theme)
        self.back = button(words("uv_back"), back)
        self.more = button(words("uv_check_files"), self.choose_files)
        self.folder = button(words("uv_check_folder"), self.choose_folder)
        self.save = button(words("uv_save_all"), self._save)
        self.clear = button(words("uv_clear"), self.forget)
        self.grid: Grid[Result] = Grid(
            columns(words), lambda result: result.id, words, theme, shell.tasks, words("uv_results")
        )
        self.grid.set_empty_text(words("uv_results_empty"))
        self.grid.current_changed.connect(self._row_chosen)
        self._refreshing = QTimer(self)
        self._refreshing.setSingleShot(True)
        self._refreshing.setInterval(_REFRESH_MS)
        self._refreshing.timeout.connect(self._show)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(theme.space(2))
        lines.addWidget(Flow((self.back, self.more, self.folder), theme.space(2)))
        lines.addWidget(self.progress)
        lines.addWidget(self.summary)
        lines.addWidget(self.grid, 1)
        lines.addWidget(Flow((self.save, self.clear), theme.space(2)))
        self._show()

    # ---- what is to be checked -------------------------------------------------------------------------------------

    def choose_files(self) -> None:
        """Asks for files (Kiểm tra tệp…)."""
        words = self._shell.words
        paths, _kind = QFileDialog.getOpenFileNames(self, words("uv_choose_files"), "", words("ut_pdf_files"))
        self.check([Path(path) for path in paths])

    def choose_folder(self) -> None:
        """Asks for a folder (Kiểm tra thư mục…)."""
        folder = QFileDialog.getExistingDirectory(self, self._shell.words("uv_choose_folder"))
        self.check([Path(folder)] if folder else [])

    def check(self, paths: Sequence[Path]) -> None:
        """Checks files, and folders with all that is below them; after what is being checked already."""
        if not paths:
            return
        self._notice.clear()
        self._untouched = True
        if not self.running:
            self._done = 0
            self.progress.begin("uv_checking_files", self.stop)

        def work(control: Control) -> tuple[Path, ...]:
            found = files_of(paths, lambda: control.cancelled)
            control.check()
            return found

        self._finding = self._shell.tasks.run(self, Lane.DOCUMENTS, work, self._files_found, failed=self._failed)

    def _files_found(self, files: tuple[Path, ...]) -> None:
        if not files:
            self._notice.tell(self._shell.words("uv_no_files"), role="notice-warn")
        known = set(self._waiting)
        self._waiting += [file for file in files if file not in known]
        self._next()

    @property
    def running(self) -> bool:
        """Whether something is being checked, waits to be, or is being looked for."""
        at_work = any(work is not None and work.running for work in (self._finding, self._work))
        return at_work or bool(self._waiting)

    def stop(self) -> None:
        """Ends after the file in hand; what was found stays."""
        self._waiting.clear()
        self._wanting.clear()
        for work in (self._finding, self._work):
            if work is not None:
                work.cancel()

    def _next(self) -> None:
        self.progress.tell(Progress("uv_checking_files", self._done, self._done + len(self._waiting)))
        if self._work is not None and self._work.running:
            return
        if not self._waiting:
            if self._wanting:
                self._ask()
            elif not self.running:
                self.progress.end()
            self._show()
            return
        some, self._waiting = self._waiting[:_AT_A_TIME], self._waiting[_AT_A_TIME:]
        desk = self._shell.desk

        def work(control: Control) -> tuple[Checked, ...]:
            found: list[Checked] = []
            check_many = desk.verifying.check_many
            check_many(some, found.append, control.progress, lambda: control.cancelled, ask_network=False)
            return tuple(found)

        self._work = self._shell.tasks.run(self, Lane.DOCUMENTS, work, self._came, failed=self._failed)

    def _came(self, found: tuple[Checked, ...]) -> None:
        self._done += len(found)
        self._wanting += [one for one in found if one.report.wanted_urls]
        self.take(found)
        self._next()

    def _ask(self) -> None:
        """One pass over the network for all that wanted news."""
        wanting, self._wanting = tuple(self._wanting), []
        desk = self._shell.desk

        def work(control: Control) -> tuple[Checked, ...]:
            found: list[Checked] = []
            desk.verifying.ask_for_many(wanting, found.append, control.progress, lambda: control.cancelled)
            return tuple(found)

        def came(found: tuple[Checked, ...]) -> None:
            self.take(found)
            self._next()

        self._work = self._shell.tasks.run(self, Lane.NETWORK, work, came, failed=self._failed)

    def _failed(self, error: KnownError) -> None:
        if error.code != "interrupted":
            self._waiting.clear()
            self._wanting.clear()
            self._notice.error(error)
        self._next()

    # ---- the results -----------------------------------------------------------------------------------------------

    def take(self, checked: Iterable[Checked]) -> None:
        """New answers, or newer ones."""
        for one in checked:
            self._found.put(one)
        if not self._refreshing.isActive():
            self._refreshing.start()

    def replace(self, checked: Iterable[Checked]) -> None:
        """Newer answers for those of these files that are in the list."""
        self.take([one for one in checked if one.path in self._found])

    def forget(self) -> None:
        """Empties the list (Xóa danh sách); the evidence stays where it is kept."""
        self.stop()
        self._found.clear()
        self._show()

    @property
    def current(self) -> Checked | None:
        """The one that is looked at."""
        row_id = self.grid.current_id
        return self._found.find(Path(row_id)) if row_id is not None else None

    def _show(self) -> None:
        self._refreshing.stop()
        lines, told = self._found.lines, self._found.summary()
        self.grid.set_rows(lines)
        self.summary.setText(told)
        self.summary.setVisible(bool(told))
        for part in (self.save, self.clear):
            part.setEnabled(bool(lines))
        if lines and self._untouched and not self.running:
            self._untouched = False
            self.grid.choose([lines[0].id])
        if not lines:
            self.chosen.emit(None)

    def _row_chosen(self, row_id: object) -> None:
        found = self._found.find(Path(str(row_id))) if row_id else None
        if found is not None:
            self._untouched = False
            self.chosen.emit(found)

    def _save(self) -> None:
        checked = tuple(line.checked for line in self._found.lines)
        if checked:
            save_report(self._shell, self._notice, self, checked, report_name("", self._shell.words))
