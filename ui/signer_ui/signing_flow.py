"""The way from a press of *Ký số* to the result: look, ask for one PIN, sign, tell what became of each document.

UI thread; the work is done on the token's lane. Asks for a PIN only when the person has pressed, once per press; after
a wrong one it waits for the next press. Holds no PIN longer than the call that hands it on.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget

from signer_app.desk.signing_values import BatchSummary, Choice, DocumentOutcome, Ready
from signer_resources.errors import KnownError
from signer_token.model import Login, PinState
from signer_ui.presenters.signing import (
    Act,
    Told,
    certificate_name,
    pin_request,
    progress_words,
    told_error,
    told_of,
)
from signer_ui.shell import Shell, Tab
from signer_ui.tasks import Control, Handle, Lane, Progress
from signer_ui.widgets.notice import Action, Notice
from signer_ui.widgets.pin_dialog import PinDialog
from signer_ui.widgets.progress import ProgressLine
from signer_ui.widgets.signing_line import SigningLine

Wish = Callable[[str | None, Control], Ready | Choice]
"""What was asked for, looked at with the certificate that the person named (None: whichever fits)."""


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

    def __init__(self, shell: Shell, parent: QWidget) -> None:
        super().__init__(parent)
        self._shell = shell
        self._parent = parent
        self._wish: Wish | None = None
        self._certificate: str | None = None
        self._batch: str | None = None
        self._handle: Handle | None = None
        self._running = False
        self._began = 0.0
        self._outcomes: deque[DocumentOutcome] = deque()
        self.dialog: PinDialog | None = None
        self.widget = QWidget(parent)
        self.notice = Notice(shell.words, shell.theme)
        self._look_line = ProgressLine(shell.words, shell.theme)
        self.line = SigningLine(shell.words, shell.theme, self.stop)
        lines = QVBoxLayout(self.widget)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(0)
        for part in (self._look_line, self.line, self.notice):
            lines.addWidget(part)

    # ---- what the pane asks for ------------------------------------------------------------------------------------

    def start(self, draft_ids: Sequence[str], certificate: str | None = None, *, send: bool = True) -> None:
        """Signs these drafts, with `certificate` (SHA-256) if one is named; nothing while another signing runs.

        `send` False: signed and kept, not sent (Chỉ ký).
        """
        wanted, desk = tuple(draft_ids), self._shell.desk
        self._begin(
            lambda named, control: desk.signing.prepare(
                wanted, named, send=send, progress=control.progress, cancelled=lambda: control.cancelled
            ),
            certificate,
        )

    def resume(self, batch: str | None = None) -> None:
        """Goes on with the batch that stopped; None: the last one."""
        desk = self._shell.desk
        self._begin(
            lambda _named, control: desk.signing.prepare_rest(
                batch, progress=control.progress, cancelled=lambda: control.cancelled
            ),
            None,
        )

    @property
    def running(self) -> bool:
        """Whether a signing is under way, from the press to the result."""
        return self._running

    def busy(self) -> str | None:
        """Key of a text while documents are being signed; for the pane's `busy`."""
        return None if self.line.isHidden() else "us_busy"

    def stop(self) -> None:
        """Ends after the document in hand; what is signed stays signed."""
        if self._handle is not None:
            self._handle.cancel()

    # ---- look ------------------------------------------------------------------------------------------------------

    def _begin(self, wish: Wish, certificate: str | None) -> None:
        if self._running:
            return
        self._wish, self._certificate = wish, certificate
        self._set_running(True)
        self.notice.clear()
        self._handle = self._shell.tasks.run(
            self,
            Lane.TOKEN,
            lambda control: wish(certificate, control),
            self._looked,
            failed=self._failed,
            progress=self._look_line.tell,
            newest_first=True,
        )
        self._look_line.begin("us_looking", self._handle)

    def _looked(self, found: Ready | Choice) -> None:
        self._look_line.end()
        self._handle = None
        if isinstance(found, Choice):
            self._let_choose(found)
        elif not found.documents:
            self._set_running(False)
            summary = BatchSummary(None, None, found.refused)
            self._show(told_of(summary, self._shell.words))
            self._tell_hub(signed=False)
            self.ended.emit(summary)
        else:
            self._ask(found)

    def _let_choose(self, choice: Choice) -> None:
        words = self._shell.words
        self._set_running(False)
        ways = tuple((certificate_name(one, words), self._with(one.certificate.sha256)) for one in choice.certificates)
        self.notice.tell(words("us_choose"), *ways, role="notice-warn")

    def _with(self, certificate: str) -> Callable[[], None]:
        def again() -> None:
            if self._wish is not None:
                self._begin(self._wish, certificate)

        return again

    def _failed(self, error: KnownError) -> None:
        """Nothing was signed: before the PIN, or by a fault of the program after it."""
        self._look_line.end()
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
        dialog = PinDialog(request, words, shell.theme, self._parent)
        dialog.answered.connect(lambda answer: self._sign(ready, answer))
        dialog.stopped.connect(lambda: self._not_given(ready))
        self.dialog = dialog
        dialog.open()

    def _not_given(self, ready: Ready) -> None:
        self.dialog = None
        self._set_running(False)
        if ready.token.pin_state is PinState.LOCKED:
            self._show(told_error(KnownError("pin_locked")))

    # ---- sign ------------------------------------------------------------------------------------------------------

    def _sign(self, ready: Ready, login: Login) -> None:
        self.dialog = None
        total, desk, outcomes = len(ready.documents), self._shell.desk, self._outcomes
        outcomes.clear()
        self._began = time.monotonic()
        self.line.begin(progress_words(0, total, 0, self._shell.words), total)
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
        seconds = time.monotonic() - self._began
        text = progress_words(progress.done, progress.total, seconds, self._shell.words)
        self.line.tell(text, progress.done, progress.total)
        if progress.done == 0:
            self.began.emit()
        self._pass_on()

    def _pass_on(self) -> None:
        """Outcomes come on the token's thread, as they arise; here they go to the pane."""
        while self._outcomes:
            outcome = self._outcomes.popleft()
            if outcome.draft is not None:
                self.document_done.emit(outcome.draft, outcome)

    def _signed(self, summary: BatchSummary) -> None:
        self._pass_on()
        self.line.end()
        self._handle = None
        self._batch = summary.batch
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
        ways: tuple[Action, ...] = tuple((self._shell.words(f"us_act_{act}"), self._way(act)) for act in told.acts)
        if told.error is not None:
            self.notice.error(told.error, *ways)
        else:
            self.notice.tell(told.what, *ways, why=told.why, do=told.do, role=told.role)
        self._lead()

    def _lead(self) -> None:
        """Leads the keyboard to the way on, unless somebody types elsewhere or looks at something else."""
        if self.widget.isVisible() and not isinstance(QApplication.focusWidget(), QLineEdit):
            self.notice.focus_action()

    def _way(self, act: Act) -> Callable[[], None]:
        match act:
            case Act.GO_ON:
                batch = self._batch
                return lambda: self.resume(batch)
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
