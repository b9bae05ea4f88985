"""The section "Máy chủ" of the settings: the machine's document server, and making this machine known.

UI thread. Enrolling needs the body's token and a PIN once; it works with the address that is saved, never with one that
is only typed.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from signer_app.administration.machine import Key
from signer_app.desk.exchange import ExchangeSnapshot, Link
from signer_app.desk.tokens import TokensSnapshot
from signer_app.exchange.session import only_signs
from signer_app.store.settings import Settings
from signer_resources.errors import KnownError
from signer_token.model import Login
from signer_ui.panes.settings_form import FormField, Section, card, clear, line_edit
from signer_ui.panes.settings_trial import Trial
from signer_ui.presenters.bar import is_offline
from signer_ui.presenters.pin import Purpose
from signer_ui.presenters.sending import explained
from signer_ui.presenters.settings import Change, Enrolment, Problem, ServerForm, enrolments
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.pin_dialog import ask_pin
from signer_ui.widgets.progress import ProgressLine

if TYPE_CHECKING:
    from signer_app.desk.signing import Enrolment as Enrolled

_LINKS = {"reached": "good", "away": "warn"}
"""Roles of the line that tells how the server stands; the others are muted."""


def enrol_machine(
    shell: Shell,
    parent: QWidget,
    certificate: str,
    *,
    begun: Callable[[], None],
    done: "Callable[[Enrolled], None]",
    failed: Callable[[KnownError], None],
    stopped: Callable[[], None],
) -> None:
    """Asks for the PIN and makes this machine known to the server for the certificate's body.

    `begun` is called when the PIN was given, then `done` or `failed`; `stopped` when none was given.
    """

    def answered(login: Login) -> None:
        begun()
        signing = shell.desk.signing
        shell.tasks.run(
            parent,
            Lane.TOKEN,
            lambda _control: signing.enrol(certificate, login),
            done,
            failed=failed,
        )

    ask_pin(shell, parent, certificate, Purpose.ENROL, answered, failed=failed, stopped=stopped)


class ServerSection(Section[ServerForm]):
    """The document server."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        words, space = shell.words, shell.theme.space
        self.url = FormField(
            words("ue_server_url"),
            line_edit(self._typed, words("ue_server_url_example")),
            shell.theme,
            words("ue_server_url_hint"),
        )
        self.another = QCheckBox(words("ue_server_another"))
        self.another.toggled.connect(lambda _on: self.touched())
        self._link = label(wrap=True)
        self.trial = Trial(shell)
        self.progress = ProgressLine(words, shell.theme)
        rows = QWidget()
        self._rows = QVBoxLayout(rows)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(space(2))
        self._enrolling = False
        self.frame_up(
            card(shell.theme, words("ue_server_address"), self.url, self.another, self._link, self.trial),
            card(
                shell.theme,
                words("ue_enrol_title"),
                label(words("ue_enrol_hint"), "muted", wrap=True),
                rows,
                self.progress,
            ),
        )
        shell.hub.tokens_changed.connect(self._tokens_changed)
        shell.hub.exchange_changed.connect(self._exchange_changed)
        self._exchange_changed(shell.hub.exchange)

    def form(self) -> ServerForm:
        """As typed."""
        return ServerForm(self.url.line.text(), another=self.another.isChecked())

    def fill(self, settings: Settings) -> ServerForm:
        """As set."""
        form = ServerForm.of(settings)
        self.url.line.setText(form.url)
        self.another.setChecked(False)
        self._show_bodies()
        return form

    def problems(self, form: ServerForm) -> Sequence[Problem]:
        """An address that may not be asked."""
        return form.problems()

    def change(self, form: ServerForm) -> Change:
        """Another address."""
        return form.change()

    def field(self, problem: Problem) -> FormField:
        """The address."""
        return self.url

    def locked_by(self) -> Mapping[Key, Sequence[FormField]]:
        """Its address; the identity goes with it."""
        return {Key.SERVER: (self.url,)}

    def fields(self) -> Sequence[FormField]:
        """The address."""
        return (self.url,)

    @property
    def working(self) -> bool:
        """An enrolment is under way."""
        return self._enrolling

    def touched(self) -> None:
        """A server that was pinned may only have moved; that it is another one is said."""
        settings = self.shell.hub.settings
        pinned = settings.server is not None and settings.server.server_id is not None
        moved = self.url.line.text().strip() != ServerForm.of(settings).url
        self.another.setVisible(pinned and moved)
        if not (pinned and moved) and self.another.isChecked():
            self.another.setChecked(False)
        self._show_bodies()
        super().touched()
        self.trial.set_unsaved(self.dirty)

    def _typed(self) -> None:
        self.url.complain(None)
        self.touched()

    def _tokens_changed(self, _tokens: TokensSnapshot) -> None:
        self._show_bodies()

    def _exchange_changed(self, exchange: ExchangeSnapshot) -> None:
        told = self.shell.words(f"ue_link_{exchange.link}")
        if only_signs(self.shell.hub.settings):
            told = self.shell.words("un_server_external")
        elif exchange.error is not None and exchange.link is Link.AWAY and not is_offline(exchange):
            told = str(explained(exchange.error, self.shell.words))
        self._link.setText(told)
        self._link.setProperty("role", _LINKS.get(exchange.link, "muted"))
        self._link.style().unpolish(self._link)
        self._link.style().polish(self._link)

    def _show_bodies(self) -> None:
        clear(self._rows)
        words, hub = self.shell.words, self.shell.hub
        bodies = enrolments(hub.settings, hub.tokens)
        if not bodies:
            why = "ue_enrol_no_server" if hub.settings.server is None else "ue_enrol_no_body"
            self._rows.addWidget(label(words(why), "muted", wrap=True))
            return
        for body in bodies:
            self._rows.addWidget(self._body_row(body))

    def _body_row(self, body: Enrolment) -> QWidget:
        words = self.shell.words
        state = label(words("ue_enrolled" if body.enrolled else "ue_enrolled_not"), "good" if body.enrolled else "warn")
        enrol = button(words("ue_enrol_again" if body.enrolled else "ue_enrol"), lambda: self._enrol(body))
        enrol.setAccessibleName(words("ue_enrol_for", name=body.name))
        enrol.setEnabled(body.certificate is not None and not self.dirty and not self._enrolling)
        if body.certificate is None:
            enrol.setToolTip(words("ue_enrol_plug_in"))
        made = QWidget()
        made.setLayout(row(label(f"{body.name} ({body.code})"), state, 1, enrol, spacing=self.shell.theme.space(4)))
        return made

    def _enrol(self, body: Enrolment) -> None:
        if body.certificate is None:
            return
        self.notice.clear()
        self._busy(True)
        enrol_machine(
            self.shell,
            self,
            body.certificate.certificate.sha256,
            begun=lambda: self.progress.begin("ue_enrolling", None),
            done=self._enrolled,
            failed=self._enrol_failed,
            stopped=lambda: self._busy(False),
        )

    def _busy(self, busy: bool) -> None:
        self._enrolling = busy
        if not busy:
            self.progress.end()
        self._show_bodies()

    def _enrolled(self, done: "Enrolled") -> None:
        self._busy(False)
        self.shell.hub.settings_kept(done.settings)
        store = self.shell.words(f"ue_key_{done.enrolled.key_store}")
        self.notice.tell(self.shell.words("ue_enrol_done", org=done.enrolled.org), why=store)

    def _enrol_failed(self, error: KnownError) -> None:
        self._busy(False)
        self.notice.error(error)
