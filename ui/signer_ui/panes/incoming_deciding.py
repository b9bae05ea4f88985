"""What a clerk may do with the incoming document that is shown: how it stands, the buttons, the questions.

UI thread. What is decided is written on the lane for short work; whoever owns this hears of it and reads anew.
"""

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from signer_app.desk.incoming import IncomingRow
from signer_app.desk.incoming_model import IncomingDetails
from signer_app.exchange.deciding import Accepted
from signer_app.store.inbox import IncomingPacket
from signer_app.store.incoming_model import Asked
from signer_resources.errors import KnownError
from signer_ui.glow import Glow
from signer_ui.panes.incoming_asking import AskCard, NoteCard
from signer_ui.panes.incoming_request import RequestCard
from signer_ui.presenters import incoming_deciding as says
from signer_ui.presenters.incoming_deciding import Act, Offer
from signer_ui.presenters.incoming_details import Standing
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.widgets.basics import button, label, repolish
from signer_ui.widgets.elided import breakable
from signer_ui.widgets.flow import Flow
from signer_ui.widgets.notice import Notice

T = TypeVar("T")

_ROLES = {Glow.GOOD: "good", Glow.WARN: "warn", Glow.BAD: "bad", Glow.OFF: "muted"}


class Deciding(QWidget):
    """One row at a time."""

    decided = Signal(str)
    """The id of a row about which nothing more is to be done now."""
    changed = Signal()
    """Something was written down."""
    pressing_changed = Signal(bool)
    """Whether something is asked or told here that should be in sight as a whole."""
    look_wanted = Signal()
    """A recalled document should be shown for the log."""

    def __init__(self, shell: Shell, notice: Notice, back: Callable[[], None]) -> None:
        super().__init__()
        words, theme = shell.words, shell.theme
        self._shell, self._notice, self._back = shell, notice, back
        self._row_id = ""
        self._details: IncomingDetails | None = None
        self._packet: IncomingPacket | None = None
        self._writing = False
        self._offer = Offer()
        self.told = label(role="strong", wrap=True)
        self.doubts = label(role="warn", wrap=True)
        self.external = label(words("ua_external_row"), "muted", wrap=True)
        self.asking = AskCard(shell, self._lead_back)
        self.request = RequestCard(shell, self.asking.ask, self._answered)
        self.note = NoteCard(shell, notice, back)
        self.note.shown.connect(self._arrange)
        self.asking.changed.connect(self._arrange)
        acts = {
            Act.ACCEPT: self._accept,
            Act.SEND_BACK: self._send_back,
            Act.REPORT: self._report,
            Act.PASS_ON: self._pass_on,
            Act.TELL_SECRET: self._tell_secret,
            Act.LOOK: self.look_wanted.emit,
        }
        self.buttons = {act: button(words(says.BUTTONS[act]), do) for act, do in acts.items()}
        self._acts = Flow(tuple(self.buttons.values()), theme.space(2))
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(theme.space(2))
        for part in (self.told, self.doubts, self.external, self.request, self._acts, self.asking, self.note):
            lines.addWidget(part)
        self.clear()

    # ---- what the owner calls --------------------------------------------------------------------------------------

    def clear(self) -> None:
        """Nothing is shown, nothing asked."""
        self._row_id, self._details, self._packet = "", None, None
        self.asking.drop()
        self.note.drop()
        self.request.put(None)
        self.hide()
        self._fill(None, Offer())

    def show_packet(self, row: IncomingRow, standing: Standing) -> None:
        """A packet without a document."""
        if row.id != self._row_id:
            self.clear()
        self._row_id, self._packet = row.id, row.packet
        self._put(standing, says.packet_offer(row))

    def show_document(self, details: IncomingDetails, standing: Standing, *, answers: bool) -> None:
        """A document as it stands now; a question about how it stood before is put away, words to copy stay."""
        before = self._details
        if before is not None and _stands(before) != _stands(details):
            self.asking.drop()
        self._row_id, self._details = details.document.id, details
        offer = says.offer(details, answers=answers)
        self.request.put(details if offer.asked else None)
        self._put(standing, offer)

    def _put(self, standing: Standing | None, offer: Offer) -> None:
        self._fill(standing, offer)
        self.show()

    def _fill(self, standing: Standing | None, offer: Offer) -> None:
        told = standing.told if standing is not None else ""
        self.told.setText(breakable(told))
        self.told.setVisible(bool(told))
        repolish(self.told, "tone", _ROLES[standing.glow if standing is not None else Glow.OFF])
        doubts = standing.doubts if standing is not None else ()
        self.doubts.setText("\n".join(doubts))
        self.doubts.setVisible(bool(doubts))
        self.external.setVisible(offer.external)
        for act, made in self.buttons.items():
            made.setVisible(act in offer.acts)
        accept = self.buttons[Act.ACCEPT]
        accept.setText(self._shell.words("ua_accept_ask" if offer.accept_asks else "ua_accept"))
        repolish(accept, "role", None if offer.accept_asks else "primary")
        self._offer = offer
        self._arrange()
        self._enable()

    def _arrange(self) -> None:
        """While something is asked, there is room for that alone."""
        asking = self.asking.asking
        self._acts.setVisible(bool(self._offer.acts) and not asking)
        self.request.setVisible(self._offer.asked and not asking)
        self.pressing_changed.emit(asking or self._offer.asked or not self.note.isHidden())

    def first_control(self) -> QWidget | None:
        """The leader's name where something is asked for, else the first button; None without any."""
        if not self.request.isHidden():
            return self.request.leader
        return next((made for made in self.buttons.values() if not made.isHidden()), None)

    def _lead_back(self) -> None:
        first = self.first_control()
        if first is not None and first.isEnabled():
            first.setFocus()
        else:
            self._back()

    def _enable(self) -> None:
        self._acts.setEnabled(not self._writing)
        self.request.enable(not self._writing)

    # ---- what is done ----------------------------------------------------------------------------------------------

    def _run(self, work: Callable[[], T], done: Callable[[T], None], lane: Lane = Lane.QUICK) -> None:
        """One decision at a time; when it is refused, the list is read anew, for it may be an old one."""
        if self._writing:
            return
        self._writing = True
        self._enable()

        def came(result: T) -> None:
            self._writing = False
            self._enable()
            done(result)

        def failed(error: KnownError) -> None:
            self._writing = False
            self._enable()
            if error.code != "interrupted":
                self._notice.error(error)
                self.changed.emit()

        self._shell.tasks.run(self, lane, lambda _control: work(), came, failed=failed)

    def _tell(self, row_id: str, words: str) -> None:
        self._notice.tell(words)
        self.decided.emit(row_id)
        self.changed.emit()

    def _accept(self) -> None:
        details, words = self._details, self._shell.words
        if details is None:
            return
        form = says.accept_form(details.document, words)
        if form is None:
            self._accept_now("")
        else:
            self.asking.ask(form, lambda _at, typed: self._accept_now(typed))

    def _accept_now(self, by_order: str) -> None:
        details, words, desk = self._details, self._shell.words, self._shell.desk
        if details is None:
            return
        document = details.document

        def done(number: int) -> None:
            told = says.accepted_words((Accepted(document.id, number),), says.name_of(document, words), words)
            self._tell(document.id, told.what)

        self._run(lambda: desk.incoming.deciding.accept(document.id, by_order=by_order), done)

    def _send_back(self) -> None:
        details, words, desk = self._details, self._shell.words, self._shell.desk
        if details is None:
            return
        document, reasons = details.document, details.may_return

        def answered(at: int, typed: str) -> None:
            told = words("ua_told_returned", label=says.name_of(document, words))
            self._run(
                lambda: desk.incoming.deciding.send_back(document.id, reasons[at], typed),
                lambda _none: self._tell(document.id, told),
            )

        self.asking.ask(says.return_form(details, words), answered)

    def _report(self) -> None:
        details, words, desk = self._details, self._shell.words, self._shell.desk
        if details is None:
            return
        document = details.document

        def done(text: str) -> None:
            self._put_note(document.id, words("ua_paper_sender"), text, words("ua_note_name"))

        self.asking.ask(
            says.report_form(document, words),
            lambda _at, typed: self._run(lambda: desk.incoming.deciding.report(document.id, typed), done),
        )

    def _pass_on(self) -> None:
        details, words, desk = self._details, self._shell.words, self._shell.desk
        if details is None:
            return
        document = details.document

        def done(to: str) -> None:
            self._notice.tell(words("ua_told_passed_on", label=says.name_of(document, words), to=to))
            self.changed.emit()

        def answered(_at: int, to: str) -> None:
            self._run(lambda: desk.incoming.deciding.pass_on(document.id, to), lambda _none: done(to))

        self.asking.ask(says.pass_on_form(document, words), answered)

    def _tell_secret(self) -> None:
        packet, words, desk, row_id = self._packet, self._shell.words, self._shell.desk, self._row_id
        if packet is None:
            return

        def done(text: str) -> None:
            self._put_note(row_id, words("ua_paper_secret"), text, words("ua_note_name_secret"))

        self.asking.ask(
            says.secret_form(packet.packet_id, words),
            lambda _at, _typed: self._run(lambda: desk.incoming.deciding.report_secret(packet), done),
        )

    def _put_note(self, row_id: str, title: str, text: str, name: str) -> None:
        if row_id == self._row_id:
            self.note.put(title, text, name)
        self.changed.emit()

    def _answered(self, agree: bool, leader: str, more: str) -> None:
        details, words, desk = self._details, self._shell.words, self._shell.desk
        if details is None:
            return
        document = details.document
        told = words("ua_told_agreed" if agree else "ua_told_declined", label=says.name_of(document, words))
        self._run(
            lambda: desk.incoming.deciding.answer(document.id, agree=agree, decided_by=leader, words=more),
            lambda _none: self._tell(document.id, told),
            # An update's files are checked first.
            Lane.DOCUMENTS if agree and document.asked is Asked.UPDATE else Lane.QUICK,
        )


def _stands(details: IncomingDetails) -> tuple[object, ...]:
    """By what a question about a document loses its sense."""
    document = details.document
    return document.id, document.state, document.asked, document.asked_packet, document.content, document.verdict
