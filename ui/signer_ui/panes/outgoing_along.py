"""What is done with files that go along unsigned: added, taken out, opened, made a PDF, their SHA-256 copied.

UI thread; drafts are changed on the quick lane, files looked into and converted on the lane for documents.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QWidget

from signer_app.outgoing.model import Attached, DraftAttachment, Left, Row
from signer_resources.errors import KnownError
from signer_ui.panes import outgoing_work as work
from signer_ui.panes.outgoing_bench import Bench
from signer_ui.presenters.figures import count
from signer_ui.tasks import Handle, Lane
from signer_ui.widgets.progress import ProgressLine


class Along:
    """`left` is told of files that were not taken; `opener` has the system show a file."""

    def __init__(
        self,
        bench: Bench,
        progress: ProgressLine,
        left: Callable[[Sequence[Left]], None],
        opener: Callable[[Path], None],
        parent: QWidget,
    ) -> None:
        self._bench, self._progress, self._left, self._opener, self._parent = bench, progress, left, opener, parent
        self._converting: Handle | None = None
        files = bench.card.files
        files.add_wanted.connect(self._choose)
        files.dropped.connect(self._attach)
        files.out_wanted.connect(self._detach)
        files.open_wanted.connect(self._open)
        files.pdf_wanted.connect(self._convert)
        files.hash_wanted.connect(self._copy_hash)

    @property
    def running(self) -> bool:
        """Whether a file is being converted."""
        return self._converting is not None and self._converting.running

    def _choose(self) -> None:
        words = self._bench.shell.words
        paths, _kind = QFileDialog.getOpenFileNames(self._parent, words("uk_along_choose"))
        self._attach(paths)

    def _attach(self, paths: list[str]) -> None:
        line, shell = self._bench.current, self._bench.shell
        if line is None or not line.editable or not paths:
            return
        outgoing, draft, files = shell.desk.outgoing, line.id, [Path(path) for path in paths]
        before = len(line.draft.attachments)

        def attached(done: Attached) -> None:
            added = len(done.row.draft.attachments) - before
            if added > 0:
                self._bench.notice.tell(shell.words("uk_along_added", count=count(added, shell.words)))
            self._left(done.left)
            self._bench.changing.changed.emit()

        # Workers look into the files first, so this is no affair of the quick lane.
        self._bench.changing.begun.emit()
        shell.tasks.run(
            self._parent,
            Lane.DOCUMENTS,
            lambda _control: outgoing.attach(draft, files),
            attached,
            failed=self._bench.changing.failed.emit,
        )

    def _detach(self, attachment_id: str) -> None:
        self._bench.changing.run(lambda outgoing: outgoing.detach(attachment_id))

    def _open(self, attachment_id: str) -> None:
        item, shell = self._item(attachment_id), self._bench.shell
        if item is not None:
            shell.tasks.run(
                self._parent,
                Lane.DOCUMENTS,
                lambda _control: work.attachment_to_open(shell.desk, item),
                self._opener,
                failed=self._bench.notice.error,
            )

    def _copy_hash(self, attachment_id: str) -> None:
        item = self._item(attachment_id)
        if item is not None:
            QGuiApplication.clipboard().setText(item.blob)
            self._bench.notice.tell(self._bench.shell.words("uk_along_hash_copied", name=item.name))

    def _convert(self, attachment_id: str) -> None:
        """LibreOffice may take two minutes; meanwhile everything else goes on."""
        item, shell = self._item(attachment_id), self._bench.shell
        if item is None or self.running:
            return
        outgoing = shell.desk.outgoing
        self._bench.changing.begun.emit()
        self._converting = shell.tasks.run(
            self._parent,
            Lane.DOCUMENTS,
            lambda control: outgoing.convert(attachment_id, keep_source=False, progress=control.progress),
            partial(self._converted, item.name),
            failed=self._not_converted,
            progress=self._progress.tell,
        )
        self._progress.begin("attachment_progress_convert", None)

    def _converted(self, name: str, row: Row) -> None:
        self._progress.end()
        words = self._bench.shell.words
        if row.draft.files:
            self._bench.card.files.choose_next(row.draft.files[-1].id)
        self._bench.notice.tell(words("uk_along_converted", name=name))
        self._bench.changing.changed.emit()

    def _not_converted(self, error: KnownError) -> None:
        self._progress.end()
        if error.code == "secret":
            self._left((Left(self._bench.shell.words("uo_files"), error),))
        else:
            self._bench.notice.error(error)
        self._bench.changing.changed.emit()

    def _item(self, attachment_id: str) -> DraftAttachment | None:
        line = self._bench.current
        items = line.draft.attachments if line is not None else ()
        return next((item for item in items if item.id == attachment_id), None)
