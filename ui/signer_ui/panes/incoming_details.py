"""One incoming packet: the sender's words, its files, and the verify view of the PDF that is chosen; or a file that the
clerk had checked, with the verify view alone.

UI thread. Opening is done on the lane for documents; what nobody looks at any more is given up. What a sender wrote is
shown as plain text.
"""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QFrame, QListWidget, QVBoxLayout, QWidget

from signer_app.desk.incoming import IncomingFile, IncomingRow, OpenedPacket
from signer_app.desk.verifying import Checked
from signer_ui.glow import Glow
from signer_ui.panes.verifying import Subject, VerifyView
from signer_ui.presenters.incoming import file_words, packet_view, suggested_name
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.elided import breakable, plain_tip
from signer_ui.widgets.facts import Facts
from signer_ui.widgets.notice import Notice

_FILES = 3
"""Files of a packet that are in sight at once."""


class Details(QFrame):
    """What is chosen in one of the two lists."""

    def __init__(self, shell: Shell, notice: Notice) -> None:
        super().__init__()
        words, theme = shell.words, shell.theme
        self._shell, self._notice = shell, notice
        self._row: IncomingRow | None = None
        self._files: tuple[IncomingFile, ...] = ()
        self.setProperty("role", "card")
        self._empty = label(role="muted", wrap=True)
        self.heading = label(role="heading", wrap=True)
        self.under = label(role="muted", wrap=True)
        self.facts = Facts(theme)
        self.list = QListWidget()
        self.list.setAccessibleName(words("ut_files"))
        self.list.currentRowChanged.connect(self._file_chosen)
        self.save = button(words("ut_save_file"), self._save)
        above = QWidget()
        lines = QVBoxLayout(above)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(theme.space(2))
        for part in (self._empty, self.heading, self.under):
            lines.addWidget(part)
        self._chooser = QWidget()
        files = row(self.list, self.save, spacing=theme.space(2))
        files.setStretch(0, 1)
        files.setAlignment(self.save, Qt.AlignmentFlag.AlignTop)
        self._chooser.setLayout(files)
        self.view = VerifyView(shell, notice, above, self._chooser, self.facts)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 1, 1, theme.space(2))
        outer.addWidget(self.view)
        self.setMinimumWidth(theme.space(90))
        self.show_nothing(words("ut_choose_incoming"))

    # ---- what the pane asks for ------------------------------------------------------------------------------------

    def show_nothing(self, words: str) -> None:
        """Says `words` in place of a document."""
        self._row, self._files = None, ()
        # The list would tell that none of its files is chosen any more.
        self.list.blockSignals(True)
        self.list.clear()
        self.list.blockSignals(False)
        for part in (self.heading, self.under, self.facts, self._chooser):
            part.hide()
        self._empty.setText(words)
        self._empty.show()
        self.view.clear()

    def show_checked(self, checked: Checked) -> None:
        """A file that was checked."""
        if self.view.subject == Subject(checked.path, checked.name, own=False):
            self.view.refresh(checked)
            return
        self.show_nothing("")
        self._empty.hide()
        self.heading.setText(breakable(checked.name))
        self.under.setText(breakable(str(checked.path.parent)))
        for part in (self.heading, self.under):
            part.show()
        self.view.show_file(Subject(checked.path, checked.name, own=False), checked)

    def show_row(self, entry: IncomingRow | None) -> None:
        """Opens a packet; the one that is open already stays as it is."""
        if entry is not None and self._row is not None and entry.id == self._row.id:
            return
        words, desk = self._shell.words, self._shell.desk
        self.show_nothing(words("ut_choose_incoming"))
        self._row = entry
        if entry is None:
            return
        self._empty.hide()
        self.heading.setText(words("ut_incoming_secret_row") if entry.secret else breakable(entry.subject))
        self.heading.show()
        if entry.secret:
            return
        self.view.begin("ut_opening_packet")
        self.view.run(Lane.DOCUMENTS, lambda _control: desk.incoming.open(entry), self._opened)

    def go_in(self) -> None:
        """Gives the keyboard to the files where there are several, else to the signatures."""
        if len(self._files) > 1:
            self.list.setFocus()
        else:
            self.view.go_in()

    # ---- a packet --------------------------------------------------------------------------------------------------

    def _opened(self, packet: OpenedPacket) -> None:
        self.view.progress.end()
        if self._row is None:
            return
        words = self._shell.words
        view = packet_view(self._row, packet, words)
        self.heading.setText(breakable(view.heading))
        self.under.setText(breakable(view.under))
        self.under.setVisible(bool(view.under))
        self.facts.put([(fact.what, fact.value) for fact in view.facts])
        self._files = packet.files
        self.list.clear()
        self.list.addItems([file_words(file, words) for file in packet.files])
        for at, file in enumerate(packet.files):
            self.list.item(at).setToolTip(plain_tip(file.name))
        # As high as it needs for the usual two or three, no higher: the page needs the room.
        height = self.list.sizeHintForRow(0) if packet.files else 0
        self.list.setFixedHeight(min(_FILES, max(1, len(packet.files))) * height + self._shell.theme.space(1))
        self._chooser.setVisible(bool(packet.files))
        if packet.files:
            self.list.setCurrentRow(next((at for at, file in enumerate(packet.files) if file.is_pdf), 0))
        else:
            self.view.tell(words("ut_no_files"), Glow.OFF)

    def _file_chosen(self, at: int) -> None:
        if not 0 <= at < len(self._files):
            return
        file = self._files[at]
        if file.is_pdf:
            self.view.show_file(Subject(file.path, file.name or self._shell.words("ut_file_nameless"), own=True))
        else:
            self.view.clear()
            self.view.tell(self._shell.words("ut_not_pdf"), Glow.OFF)

    def _save(self) -> None:
        at = self.list.currentRow()
        if not 0 <= at < len(self._files):
            return
        file, words, desk = self._files[at], self._shell.words, self._shell.desk
        chosen, _kind = QFileDialog.getSaveFileName(
            self, words("ut_save_title"), suggested_name(file), options=QFileDialog.Option.DontConfirmOverwrite
        )
        if chosen:
            self._shell.tasks.run(
                self,
                Lane.DOCUMENTS,
                lambda _control: desk.incoming.save(file, Path(chosen)),
                lambda _none: self._notice.tell(words("ut_saved", file=chosen)),
                failed=self._notice.error,
            )
