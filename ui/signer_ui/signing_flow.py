"""The way from a press of *Ký số* to the result: look, ask for one PIN, sign, tell what became of each document.

UI thread; the work is done on the token's lane. Asks for a PIN only when the person has pressed, once per press; after
a wrong one it waits for the next press. Before the PIN a pane may have pages reviewed. Holds no PIN longer than the
call that hands it on.
"""

import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget

from signer_app.desk.signing_values import BatchSummary, Choice, DocumentOutcome, Planned, Ready, Standing
from signer_resources.errors import KnownError
from signer_token.model import Login, PinState, Token
from signer_ui.presenters.pace import Pace, line_text
from signer_ui.presenters.signing import (
    Act,
    Told,
    act_words,
    certificate_name,
    pin_request,
    told_error,
    told_of,
)
from signer_ui.shell import Shell, Tab
from signer_ui.signing_look import Looked, Review, Wish, look, with_warnings
from signer_ui.tasks import Handle, Lane, Progress
from signer_ui.widgets.notice import Action, Notice
from signer_ui.widgets.pin_dialog import PinDialog, as_in_training
from signer_ui.widgets.progress import ProgressLine
from signer_ui.widgets.signing_line import SigningLine

_LOOK_EVERY_MS = 500
"""How often the line that tells of the signing is brought up to date."""


class SigningFlow(QObject):
    """One signing at a time. Its `widget` shows progress and result; its place is in the pane that owns the flow."""

    began = Signal()
    """The documents are being signed, and their rows say so."""
    document_done = Signal(str, object)
    """Draft id and DocumentOutcome, as soon as a document is signed and kept, or has failed."""
    ended = Signal(object)
    """BatchSummary, when a batch is over, also one that stopped; not when it came to none."""
    running_changed = Signal(bool)
    form_wanted = Signal()
    """A request to the issuer is to be printed."""
    review_wanted = Signal(object, object)
    """Ready and Review: its pages are to be looked at, then `proceed` or `leave`; `pass_over` where none needs it."""
    reviewed = Signal()
    """What was to be looked at needn't be any more."""
    report_wanted = Signal(object)
    """BatchSummary: what became of each document is to be seen."""
    giving_up_wanted = Signal(str)
    """Id of the batch that stopped: its rest may be to stay unsigned."""

    def __init__(self, shell: Shell, parent: QWidget) -> None:
        super().__init__(parent)
        self._shell = shell
        self._parent = parent
        self._wish: Wish | None = None
        self._certificate: str | None = None
        self._summary: BatchSummary | None = None
        self._review = Review.NONE
        self._without: frozenset[str] = frozenset()
        """Drafts that the person has left out of what was asked for."""
        self.reviewing: Ready | None = None
        """What is being reviewed."""
        self._warnings: tuple[KnownError, ...] = ()
        self.reviews = False
        """Whether somebody shows the pages before the PIN."""
        self._handle: Handle | None = None
        self._running = False
        self._pace = Pace()
        self._looked_on = 0.0
        self._watch = QTimer(self)
        self._watch.setInterval(_LOOK_EVERY_MS)
        self._watch.timeout.connect(self._look_on)
        self._outcomes: deque[DocumentOutcome] = deque()
        self.dialog: PinDialog | None = None
        self.widget = QWidget(parent)
        self.notice = Notice(shell.words, shell.theme)
        self._look_line = ProgressLine(shell.words, shell.theme)
        self.line = SigningLine(shell.words, shell.theme)
        self.line.stop_wanted.connect(self.stop)
        self.line.pause_wanted.connect(self._pause)
        lines = QVBoxLayout(self.widget)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(0)
        for part in (self._look_line, self.line, self.notice):
            lines.addWidget(part)

    # ---- what the pane asks for ------------------------------------------------------------------------------------

    def start(
        self, draft_ids: Sequence[str], certificate: str | None = None, *, send: bool = True, show: bool = False
    ) -> None:
        """Signs these drafts, with `certificate` (SHA-256) if one is named; nothing while another signing runs.

        `send` False: signed and kept, not sent (Chỉ ký). `show`: the person wants to see the pages first.
        """
        wanted, desk = tuple(draft_ids), self._shell.desk
        self._begin(
            lambda named, control: desk.signing.prepare(
                wanted, named, send=send, progress=control.progress, cancelled=lambda: control.cancelled
            ),
            certificate,
            review=Review.WANTED if show else Review.DOUBTFUL,
        )

    def resume(self, batch: str | None = None, *, failed: bool = False) -> None:
        """Goes on with the batch that stopped; None: the last one. `failed`: also with what has failed in it."""
        desk = self._shell.desk
        if not self._running:
            self._without = frozenset()
        self._begin(
            lambda _named, control: desk.signing.prepare_rest(
                batch, failed=failed, progress=control.progress, cancelled=lambda: control.cancelled
            ),
            None,
        )

    def proceed(self, without: Collection[str] = ()) -> None:
        """The pages were looked at: asks for the PIN to sign all but these drafts."""
        ready, self.reviewing = self.reviewing, None
        if ready is None:
            return
        self._without = frozenset(without)
        left = self._left_in(ready)
        self.reviewed.emit()
        if not left:
            self._set_running(False)
            return
        desk, certificate = self._shell.desk, ready.chosen.certificate.sha256

        def asked(token: Token) -> None:
            self._look_line.end()
            self._handle = None
            self._ask(replace(ready, documents=left, token=token))

        # Looking may have taken long: what the token says of its PIN is read anew.
        self._handle = self._shell.tasks.run(
            self,
            Lane.TOKEN,
            lambda _control: desk.signing.token_of(certificate),
            asked,
            failed=self._failed,
            newest_first=True,
        )
        self._look_line.begin("us_looking", self._handle)

    def _left_in(self, ready: Ready) -> tuple[Planned, ...]:
        return tuple(one for one in ready.documents if one.job.draft not in self._without)

    def pass_over(self) -> None:
        """No page needs a look: asks for the PIN at once."""
        ready, self.reviewing = self.reviewing, None
        if ready is not None:
            self._ask(ready)

    def leave(self) -> None:
        """The pages were looked at, and nothing is to be signed now."""
        ready, self.reviewing = self.reviewing, None
        if ready is not None:
            self._put_away(ready)
            self.reviewed.emit()
            self._set_running(False)

    def _put_away(self, ready: Ready) -> None:
        """What was looked at isn't signed now."""
        signing = self._shell.desk.signing
        self._shell.tasks.run(self, Lane.TOKEN, lambda _control: signing.put_away(ready.looked), lambda _nothing: None)

    @property
    def running(self) -> bool:
        """Whether a signing is under way, from the press to the result."""
        return self._running

    def busy(self) -> str | None:
        """Key of a text while documents are being signed; for the pane's `busy`."""
        return None if self.line.isHidden() else "us_busy"

    @property
    def stoppable(self) -> bool:
        """Whether documents are being signed, and nobody has asked for an end yet."""
        return not self.line.isHidden() and not self.line.is_stopping

    def stop(self) -> None:
        """Ends after the documents in hand; what is signed stays signed."""
        self.line.stopping()
        self.leave()
        if self._handle is not None:
            self._handle.cancel()

    def _pause(self, wanted: bool) -> None:
        signing = self._shell.desk.signing
        if wanted:
            signing.pause()
        else:
            signing.go_on()
        self._look_on()

    # ---- look ------------------------------------------------------------------------------------------------------

    def _begin(self, wish: Wish, certificate: str | None, *, review: Review = Review.NONE) -> None:
        if self._running:
            return
        self._wish, self._certificate, self._review = wish, certificate, review
        if review is not Review.NONE:
            self._without = frozenset()
        desk = self._shell.desk
        self._set_running(True)
        self.notice.clear()
        self._handle = self._shell.tasks.run(
            self,
            Lane.TOKEN,
            lambda control: look(desk, wish(certificate, control)),
            self._looked,
            failed=self._failed,
            progress=self._look_line.tell,
            newest_first=True,
        )
        self._look_line.begin("us_looking", self._handle)

    def _looked(self, looked: Looked) -> None:
        self._look_line.end()
        self._handle = None
        found, self._warnings = looked.found, looked.warnings
        if isinstance(found, Choice):
            self._let_choose(found)
        elif not found.documents:
            self._set_running(False)
            summary = self._summary = BatchSummary(None, None, found.refused)
            self._show(told_of(summary, self._shell.words))
            self._tell_hub(signed=False)
            self.ended.emit(summary)
        elif self.reviews and self._review.goes_for(len(found.documents)):
            self.reviewing = found
            self.review_wanted.emit(found, self._review)
        else:
            # After a PIN that was refused the same ones are left out as before.
            self._ask(replace(found, documents=self._left_in(found)))

    def _let_choose(self, choice: Choice) -> None:
        words = self._shell.words
        self._set_running(False)
        ways = tuple((certificate_name(one, words), self._with(one.certificate.sha256)) for one in choice.certificates)
        self.notice.tell(words("us_choose"), *ways, role="notice-warn")

    def _with(self, certificate: str) -> Callable[[], None]:
        def again() -> None:
            if self._wish is not None:
                self._begin(self._wish, certificate, review=self._review)

        return again

    def _failed(self, error: KnownError) -> None:
        """Nothing was signed: before the PIN, or by a fault of the program after it."""
        self._look_line.end()
        self._watch.stop()
        self.line.end()
        self._handle = None
        self._set_running(False)
        if error.code == "interrupted":
            return
        # The calls that an error came through hold their variables, and one of those may be a PIN.
        error.__traceback__ = error.__context__ = error.__cause__ = None
        self._show(told_error(error))
        self._tell_hub(signed=False)

    # ---- ask -------------------------------------------------------------------------------------------------------

    def _ask(self, ready: Ready) -> None:
        shell = self._shell
        hub, words = shell.hub, shell.words
        request = pin_request(ready, hub.exchange, hub.settings, shell.desk.signing.clock_warning(), words)
        shown = as_in_training(with_warnings(request, self._warnings, words), shell)
        dialog = PinDialog(shown, words, shell.theme, self._parent)
        dialog.answered.connect(lambda answer: self._sign(ready, answer))
        dialog.stopped.connect(lambda: self._not_given(ready))
        self.dialog = dialog
        dialog.open()

    def _not_given(self, ready: Ready) -> None:
        self.dialog = None
        self._put_away(ready)
        self._set_running(False)
        if ready.token.pin_state is PinState.LOCKED:
            self._show(told_error(KnownError("pin_locked")))

    # ---- sign ------------------------------------------------------------------------------------------------------

    def _sign(self, ready: Ready, login: Login) -> None:
        self.dialog = None
        total, desk, outcomes = len(ready.documents), self._shell.desk, self._outcomes
        outcomes.clear()
        self._pace = Pace()
        self._pace.tell(0, time.monotonic())
        self.line.begin(line_text(Standing(0, total), self._pace, self._shell.words), total)
        self._watch.start()
        self._handle = self._shell.tasks.run(
            self,
            Lane.TOKEN,
            lambda control: desk.signing.sign(
                ready,
                login,
                progress=control.progress,
                cancelled=lambda: control.cancelled,
                document_done=outcomes.append,
            ),
            self._signed,
            failed=self._failed,
            progress=self._told,
            newest_first=True,
        )

    def _told(self, progress: Progress) -> None:
        if progress.done == 0:
            self.began.emit()
        if time.monotonic() - self._looked_on >= _LOOK_EVERY_MS / 2000:
            self._look_on()
        self._pass_on()

    def _look_on(self) -> None:
        """How the batch stands now: told at each document, and when nothing comes for long."""
        self._looked_on = time.monotonic()
        standing = self._shell.desk.signing.standing()
        if standing is not None and not self.line.isHidden():
            self._pace.tell(standing.done, time.monotonic(), paused=standing.paused)
            self.line.tell(line_text(standing, self._pace, self._shell.words), standing.done, standing.total)

    def _pass_on(self) -> None:
        """Outcomes come on the token's thread, as they arise; here they go to the pane."""
        while self._outcomes:
            outcome = self._outcomes.popleft()
            if outcome.draft is not None:
                self.document_done.emit(outcome.draft, outcome)

    def _signed(self, summary: BatchSummary) -> None:
        self._pass_on()
        self._watch.stop()
        self.line.end()
        self._handle = None
        self._summary = summary
        self._set_running(False)
        self._show(told_of(summary, self._shell.words))
        self._tell_hub(signed=bool(summary.signed))
        self.ended.emit(summary)

    def _tell_hub(self, *, signed: bool) -> None:
        hub = self._shell.hub
        hub.poke_tokens()
        hub.poke_store()
        hub.poke_drafts()
        if signed:
            hub.sync_now()

    # ---- tell ------------------------------------------------------------------------------------------------------

    def _show(self, told: Told) -> None:
        ways: list[Action] = [(act_words(act, told, self._shell.words), self._way(act)) for act in told.acts]
        if Act.GO_ON in told.acts:
            # Never one click: it is asked once more.
            ways.insert(1, (self._shell.words("ul_rest"), self._give_up_rest))
        if told.error is not None:
            self.notice.error(told.error, *ways)
        else:
            self.notice.tell(told.what, *ways, why=told.why, do=told.do, role=told.role)
        self._lead()

    def _lead(self) -> None:
        """Leads the keyboard to the way on, unless somebody types elsewhere or looks at something else."""
        if self.widget.isVisible() and not isinstance(QApplication.focusWidget(), QLineEdit):
            self.notice.focus_action()

    def _give_up_rest(self) -> None:
        if self._summary is not None and self._summary.batch is not None:
            self.giving_up_wanted.emit(self._summary.batch)

    def _way(self, act: Act) -> Callable[[], None]:
        summary = self._summary
        batch = summary.batch if summary is not None else None
        match act:
            case Act.GO_ON:
                return lambda: self.resume(batch)
            case Act.RETRY:
                return lambda: self.resume(batch, failed=True)
            case Act.REPORT:
                return lambda: self.report_wanted.emit(summary)
            case Act.TYPE_AGAIN | Act.TRY_AGAIN:
                return lambda: self._with_same()
            case Act.CHECK_MACHINE:
                return lambda: self._shell.go(Tab.MACHINE)
            case Act.CHANGE_PIN:
                return lambda: self._shell.go(Tab.TOKEN)
            case Act.REQUEST_FORM:
                return self.form_wanted.emit

    def _with_same(self) -> None:
        if self._wish is not None:
            self._begin(self._wish, self._certificate)

    def _set_running(self, running: bool) -> None:
        if self._running != running:
            self._running = running
            self.running_changed.emit(running)
