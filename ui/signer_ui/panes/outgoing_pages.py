"""The pages of the file in view: as they will be signed, or as they came before a repair; marks are put in place here.

UI thread. A mark that is moved or confirmed is kept with the draft, which is examined again; nothing is planned here.
"""

from collections.abc import Mapping

from PySide6.QtWidgets import QVBoxLayout, QWidget

from signer_app.outgoing.model import DraftFile, PlaceOption, State
from signer_app.pdf.plan import Placement
from signer_ui.panes import outgoing_work as work
from signer_ui.panes.outgoing_bench import Changing
from signer_ui.presenters.outgoing import Line
from signer_ui.presenters.outgoing_details import pages_of
from signer_ui.shell import Shell
from signer_ui.widgets.notice import Notice
from signer_ui.widgets.page_versions import PageVersions
from signer_ui.widgets.page_view import PageView


class PagesSide(QWidget):
    """Page view, and above it the choice between the file as it came and its repaired copy."""

    def __init__(self, shell: Shell, changing: Changing, notice: Notice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shell, self._changing, self._notice = shell, changing, notice
        self._line: Line | None = None
        self._rule_places: dict[str, tuple[Placement, ...]] = {}
        self._images: Mapping[str, bytes] = {}
        self.file = ""
        """Id of the file in view; empty for none."""
        self.blob = ""
        """What is shown of it."""
        self.view = PageView(shell.tasks, shell.desk.pages, shell.words, shell.theme)
        # The pages lie beside a grid that needs the room more.
        self.view.show_thumbnails(False)
        self.versions = PageVersions(shell.words, shell.theme)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(shell.theme.space(1))
        lines.addWidget(self.versions)
        lines.addWidget(self.view, 1)
        self.setMinimumWidth(shell.theme.space(88))
        self.view.moved.connect(self._placed)
        self.view.confirmed.connect(self._confirmed)
        self.versions.changed.connect(lambda: self._show(held=False))

    def show_file(self, line: Line | None, file_id: str, images: Mapping[str, bytes], *, held: bool) -> None:
        """Shows a file of a row; `held`: nobody goes on examining, so what is known of it now is all there is."""
        self._line, self._images = line, images
        file = self._file_of(line, file_id)
        if line is not None and file is not None and file.place is None and file.id in line.row.placements:
            # A mark is moved by hand only where it is in view; so it finds back.
            self._rule_places[file.id] = line.row.placements[file.id]
        if file is None:
            if self.file:
                self.view.clear()
            self.file = self.blob = ""
            self.versions.offer(False, anew=True)
            return
        self.versions.offer(file.original is not None, anew=file.id != self.file)
        same, self.file = file.id == self.file, file.id
        self._show(held=held, same=same)

    def go_to(self, page: int) -> None:
        """Shows a page (from 0) of the file in view."""
        self.view.go_to(page)

    def _file_of(self, line: Line | None, file_id: str) -> DraftFile | None:
        files = line.draft.files if line is not None else ()
        return next((file for file in files if file.id == file_id), None)

    def _show(self, *, held: bool, same: bool = True) -> None:
        line, file = self._line, self._file_of(self._line, self.file)
        if line is None or file is None:
            return
        blob, plan = pages_of(line.row, file, before=self.versions.before)
        if same and blob == self.blob:
            # While it is examined anew, what was moved stays in sight and in hand; nothing can be signed meanwhile.
            if plan is not None or line.row.state is not State.CHECKING or held:
                self.view.set_plan(plan, self._images)
            return
        self.blob = blob
        path = work.blob_path(self._shell.desk, blob)
        self.view.show_file(path, plan, self._images, self._rule_places.get(file.id, ()), stay=same)

    def _placed(self, option: PlaceOption | None) -> None:
        line, file_id = self._line, self.file
        if line is not None and line.editable and file_id:
            self._changing.run(lambda outgoing: outgoing.place(file_id, option))

    def _confirmed(self, option: PlaceOption) -> None:
        line, file_id, words = self._line, self.file, self._shell.words
        if line is not None and line.editable and file_id:
            said = words("uk_place_kept")
            self._changing.run(lambda outgoing: outgoing.place(file_id, option), lambda _row: self._notice.tell(said))
