"""What a clerk does with one entry of a register, from whichever list it was chosen: open and keep its files, sign it
again, give it to be sent, give its number up.

UI thread; asks and tells in place, has the work done elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from signer_app.store.number_book import NumberEntry
from signer_resources.errors import KnownError
from signer_ui.panes import register_work as work
from signer_ui.panes.register_details import EntryDetails
from signer_ui.panes.sending_deeds import Deeds
from signer_ui.presenters.register import ArrivalNumber, FileView, Kept
from signer_ui.shell import Shell, Tab
from signer_ui.tasks import Lane
from signer_ui.widgets.giving_up import GivingUp
from signer_ui.widgets.notice import Notice


def open_by_system(path: Path) -> None:
    """Has the system's own program show a file."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


@dataclass(frozen=True)
class Place:
    """What all pages of the tab share: where it is told and asked, and what opens files."""

    shell: Shell
    owner: QWidget
    notice: Notice
    giving_up: GivingUp
    voiding: GivingUp
    opener: Callable[[Path], None]


class EntryActs:
    """The acts of one page; `current` is the chosen document, `back` gets the keyboard after a question."""

    def __init__(self, place: Place, current: Callable[[], str | None], back: Callable[[], None]) -> None:
        self._at = place
        self._current, self._back = current, back
        self._deeds = Deeds(place.shell, place.notice, back, place.owner)

    def details(self) -> EntryDetails:
        """Details whose buttons do what is done here."""
        return EntryDetails(
            self._at.shell,
            self.open_file,
            self.save_file,
            self._ask_again,
            self._give,
            self._ask_reason,
            self._ask_void,
        )

    def open_file(self, file_id: str) -> None:
        """Opens the copy, if it still is what was signed."""
        desk = self._at.shell.desk
        self._at.shell.tasks.run(
            self._at.owner,
            Lane.DOCUMENTS,
            lambda _control: desk.register.copy_to_open(file_id),
            self._at.opener,
            failed=self._at.notice.error,
        )

    def save_file(self, file: FileView) -> None:
        """Asks where a copy shall be, and puts it there."""
        words, desk = self._at.shell.words, self._at.shell.desk
        chosen, _kind = QFileDialog.getSaveFileName(
            self._at.owner,
            words("ut_save_title"),
            file.name,
            words("ut_pdf_files"),
            # Nothing is ever replaced, so there is nothing to confirm.
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if chosen:
            self._at.shell.tasks.run(
                self._at.owner,
                Lane.DOCUMENTS,
                lambda _control: desk.register.save(file.id, Path(chosen)),
                lambda _none: self._at.notice.tell(words("ut_saved", file=chosen)),
                failed=self._at.notice.error,
            )

    # ---- signing again ---------------------------------------------------------------------------------------------

    def _ask_again(self, label: str) -> None:
        """The second step is the answer to a question; what was sent is refused with the reason."""
        words, document = self._at.shell.words, self._current()
        if document is None:
            return
        yes = (words("uk_again_yes"), lambda: self._sign_again(document))
        no = (words("uk_again_no"), self._leave)
        self._at.notice.tell(words("uk_again_ask", label=label), yes, no, role="notice-warn", question=True)
        self._at.notice.focus_action()

    def _sign_again(self, document: str) -> None:
        desk = self._at.shell.desk
        self._leave()
        self._at.shell.tasks.run(
            self._at.owner,
            Lane.DOCUMENTS,
            lambda _control: desk.outgoing.sign_again(document),
            lambda _draft: self._waits_again(),
            failed=self._at.notice.error,
        )

    def _waits_again(self) -> None:
        shell = self._at.shell
        shell.hub.poke_drafts()
        shell.go(Tab.OUTGOING)
        shell.notice("uk_again_ready")

    def _leave(self) -> None:
        self._at.notice.clear()
        self._back()

    # ---- sending ---------------------------------------------------------------------------------------------------

    def _give(self, kept: Kept) -> None:
        """Chọn nơi nhận và gửi: the same as after a document was taken out of the queue."""
        self._deeds.give(kept.id, kept.label, kept.body_code, ())

    # ---- numbers ---------------------------------------------------------------------------------------------------

    def _ask_reason(self, number: NumberEntry) -> None:
        self._at.giving_up.ask(
            KnownError("out_number_kept", number=number.label), lambda reason: self._give_up(number, reason)
        )

    def _give_up(self, number: NumberEntry, reason: str) -> None:
        desk, words, hub = self._at.shell.desk, self._at.shell.words, self._at.shell.hub

        def given_up(label: str) -> None:
            self._at.notice.tell(words("uk_number_given_up", number=label))
            hub.poke_store()
            hub.poke_drafts()

        self._at.shell.tasks.run(
            self._at.owner,
            Lane.QUICK,
            lambda _control: work.give_up(desk, number, reason),
            given_up,
            failed=self._at.notice.error,
        )

    def _ask_void(self, number: ArrivalNumber) -> None:
        self._at.voiding.ask(
            KnownError("arrival_void_asked", number=number.number, year=number.year),
            lambda reason: self._void(number, reason),
        )

    def _void(self, number: ArrivalNumber, reason: str) -> None:
        desk, words, hub = self._at.shell.desk, self._at.shell.words, self._at.shell.hub

        def voided(_arrival: object) -> None:
            self._at.notice.tell(words("ur_voided", number=number.number))
            hub.poke_store()

        self._at.shell.tasks.run(
            self._at.owner,
            Lane.QUICK,
            lambda _control: desk.register_books.void_arrival(number.body_code, number.year, number.number, reason),
            voided,
            failed=self._at.notice.error,
        )


def ask_target(owner: QWidget, title: str, name: str, ending: str, kind: str) -> Path | None:
    """Asks where a new file shall be; its name ends as its kind does. None: nowhere."""
    chosen, _kind = QFileDialog.getSaveFileName(
        # Nothing is ever replaced, so there is nothing to confirm.
        owner,
        title,
        name,
        kind,
        options=QFileDialog.Option.DontConfirmOverwrite,
    )
    if not chosen:
        return None
    return Path(chosen if chosen.lower().endswith(ending) else chosen + ending)
