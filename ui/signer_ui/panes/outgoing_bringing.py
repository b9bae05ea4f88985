"""How documents come into the list: files and folders are asked for, or come from outside, and are opened elsewhere.

UI thread; what is opened is screened on the lane for documents. Draws nothing but how far it is.
"""

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from signer_resources.errors import KnownError
from signer_ui.shell import Shell
from signer_ui.tasks import Handle, Lane, Progress
from signer_ui.widgets.progress import ProgressLine


class Bringing(QObject):
    """Brings documents in, one call at a time after the other."""

    begun = Signal()
    one_more = Signal()
    """Another file is open: the rows are others."""
    came = Signal(object)
    """Added: all are open."""
    failed = Signal(object)
    """KnownError; what was opened before stays."""

    def __init__(self, shell: Shell, line: ProgressLine, parent: QWidget) -> None:
        super().__init__(parent)
        self._shell, self._line, self._parent = shell, line, parent
        self._adding: Handle | None = None

    @property
    def running(self) -> bool:
        """Whether files are being opened."""
        return self._adding is not None and self._adding.running

    def ask_files(self) -> None:
        """Asks for files (Thêm văn bản…)."""
        words = self._shell.words
        paths, _kind = QFileDialog.getOpenFileNames(self._parent, words("uo_choose_files"), "", words("uo_file_kinds"))
        self.open_files(paths)

    def ask_folder(self) -> None:
        """Asks for a folder (Thêm thư mục…)."""
        folder = QFileDialog.getExistingDirectory(self._parent, self._shell.words("uo_choose_folder"))
        self.open_files([folder] if folder else [])

    def open_files(self, paths: list[str]) -> None:
        """Brings in files and folders."""
        if not paths:
            return
        self.begun.emit()
        outgoing, wanted = self._shell.desk.outgoing, [Path(path) for path in paths]
        self._adding = self._shell.tasks.run(
            self,
            Lane.DOCUMENTS,
            lambda control: outgoing.add(wanted, control.progress, lambda: control.cancelled),
            self._added,
            failed=self._not_added,
            progress=self._opened_one,
        )
        self._line.begin("out_progress_open", self._adding)

    def stop(self) -> None:
        """Ends after the document in hand."""
        if self._adding is not None:
            self._adding.cancel()

    def _opened_one(self, progress: Progress) -> None:
        self._line.tell(progress)
        self.one_more.emit()

    def _added(self, added: object) -> None:
        self._line.end()
        self.came.emit(added)

    def _not_added(self, error: KnownError) -> None:
        self._line.end()
        self.failed.emit(error)
