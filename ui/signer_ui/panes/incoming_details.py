"""One incoming document: how it stands and what may be done with it, the sender's words, its files, and the verify view
of the PDF that is chosen; or a file that the clerk had checked, with the verify view alone.

UI thread. Opening is done on the lane for documents; what nobody looks at any more is given up. What a sender wrote is
shown as plain text.
"""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QListWidget, QVBoxLayout, QWidget

from signer_app.desk.incoming import IncomingFile, IncomingRow, OpenedPacket
from signer_app.desk.incoming_model import IncomingDetails
from signer_app.desk.verifying import Checked
from signer_app.store.incoming_model import ArrivalState, ArrivalVerdict
from signer_app.verification.model import Verdict
from signer_resources.errors import KnownError
from signer_ui.glow import Glow
from signer_ui.panes.incoming_deciding import Deciding
from signer_ui.panes.verifying import Subject, VerifyView
from signer_ui.presenters.figures import Fact
from signer_ui.presenters.incoming import Answering
from signer_ui.presenters.incoming_details import file_words, packet_standing, packet_view, standing, suggested_name
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.elided import breakable, plain_tip
from signer_ui.widgets.facts import Facts
from signer_ui.widgets.notice import Notice

_FILES = 3
"""Files of a packet that are in sight at once."""


class Details(QFrame):
    """What is chosen in one of the two lists. `back` gets the keyboard when nothing here wants it any more."""

    rechecked = Signal()
    """A document that could not be decided was looked at again, and now it is."""

    def __init__(self, shell: Shell, notice: Notice, back: Callable[[], None]) -> None:
        super().__init__()
        words, theme = shell.words, shell.theme
        self._shell, self._notice = shell, notice
        self._row: IncomingRow | None = None
        self._files: tuple[IncomingFile, ...] = ()
        self._said: tuple[Fact, ...] = ()
        self._done: tuple[Fact, ...] = ()
        """What the packet says of itself, and what was done with it here."""
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
        self.deciding = Deciding(shell, notice, back)
        self.deciding.look_wanted.connect(self._open_for_log)
        for part in (self._empty, self.heading, self.under, self.deciding):
            lines.addWidget(part)
        self._chooser = QWidget()
        files = row(self.list, self.save, spacing=theme.space(2))
        files.setStretch(0, 1)
        files.setAlignment(self.save, Qt.AlignmentFlag.AlignTop)
        self._chooser.setLayout(files)
        self.view = VerifyView(shell, notice, above, self._chooser, self.facts)
        self.view.checked.connect(self._checked)
        self.deciding.pressing_changed.connect(self.view.press_words)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 1, 1, theme.space(2))
        outer.addWidget(self.view)
        self.setMinimumWidth(theme.space(90))
        self.show_nothing(words("ut_choose_incoming"))

    # ---- what the pane asks for ------------------------------------------------------------------------------------

    def show_nothing(self, words: str) -> None:
        """Says `words` in place of a document."""
        self._row, self._files, self._said, self._done = None, (), (), ()
        self.deciding.clear()
        self._close_files()
        for part in (self.heading, self.under, self.facts):
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
        """Opens a document; the one that is open already stays as it is, but for how it stands now."""
        before = self._row
        if entry is not None and before is not None and entry.id == before.id:
            self._row = entry
            if entry != before:
                self._look()
            if _shown(entry) != _shown(before):
                self._open(for_log=False)
            return
        words = self._shell.words
        self.show_nothing(words("ut_choose_incoming"))
        self._row = entry
        if entry is None:
            return
        self._empty.hide()
        self.heading.setText(words("ut_incoming_secret_row") if entry.secret else breakable(entry.subject))
        self.heading.setVisible(bool(self.heading.text()))
        self._look()
        if entry.sha256 is not None:
            self._open(for_log=False)

    def _open(self, *, for_log: bool) -> None:
        entry, desk = self._row, self._shell.desk
        assert entry is not None
        self._close_files()
        self.view.clear()
        self.view.begin("ut_opening_packet")
        self.view.run(Lane.DOCUMENTS, lambda _control: desk.incoming.open(entry, for_log=for_log), self._opened)

    def _open_for_log(self) -> None:
        if self._row is not None:
            self._open(for_log=True)

    def _look(self) -> None:
        """Reads how the document stands; on the lane for short work, not behind what is being checked."""
        entry, desk, words = self._row, self._shell.desk, self._shell.words
        assert entry is not None
        if entry.document is None:
            found = packet_standing(entry, desk.now(), words)
            self.deciding.show_packet(entry, found)
            self._done = found.facts
            self._put_facts()
            return

        def came(details: IncomingDetails) -> None:
            row = self._row
            if row is None or row.id != details.document.id:
                return
            answering = Answering.of(self._shell.hub.settings)
            found = standing(details, row, desk.now(), words)
            self.deciding.show_document(details, found, answers=details.document.org in answering.orgs)
            self._done = found.facts
            self._put_facts()

        def failed(error: KnownError) -> None:
            if self._row is entry:
                self.view.fail(error)

        self._shell.tasks.run(self, Lane.QUICK, lambda _control: desk.incoming.details(entry.id), came, failed=failed)

    def _put_facts(self) -> None:
        self.facts.put([(fact.what, fact.value) for fact in (*self._said, *self._done)])

    def _close_files(self) -> None:
        self._files = ()
        # The list would tell that none of its files is chosen any more.
        self.list.blockSignals(True)
        self.list.clear()
        self.list.blockSignals(False)
        self._chooser.hide()

    def go_in(self) -> None:
        """Gives the keyboard to what can be decided, else to the files where there are several, or the signatures."""
        first = self.deciding.first_control()
        if first is not None and self.deciding.isVisible():
            first.setFocus()
        elif len(self._files) > 1:
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
        self.heading.show()
        self.under.setText(breakable(view.under))
        self.under.setVisible(bool(view.under))
        self._said = view.facts
        self._put_facts()
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

    def _checked(self, checked: Checked) -> None:
        """A check that knows more than the list: the document itself is looked at again."""
        document = self._row.document if self._row is not None else None
        subject, desk = self.view.subject, self._shell.desk
        if document is None or subject is None or not subject.own:
            return
        if document.verdict is ArrivalVerdict.INDETERMINATE and checked.report.verdict is not Verdict.INDETERMINATE:
            self._shell.tasks.run(
                self,
                Lane.LATER,
                lambda _control: desk.incoming.rechecking.one(document.id),
                lambda verdict: self.rechecked.emit() if verdict is not document.verdict else None,
                failed=self._notice.error,
            )

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


def _shown(entry: IncomingRow) -> tuple[object, ...]:
    """By what the pages and words of a document are other ones."""
    document = entry.document
    if document is None:
        return (entry.sha256,)
    return document.content, document.packet_sha256, document.state is ArrivalState.CANCELLED
