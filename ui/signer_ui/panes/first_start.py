"""First start on one page: token, body, seal, test signature; one step is open, the others are a line each. UI thread.

What a step has found is kept when the step is left, so that a program closed in between has lost nothing. Any step can
be left for later; the page says what will not work until then.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
from PySide6.QtWidgets import (
    QGridLayout,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from signer_app.desk.setup import BodyGuess
from signer_app.desk.tokens import TokensSnapshot
from signer_app.store.settings import CertificateRole, Settings
from signer_app.store.times import vietnamese_date
from signer_app.verification.model import Trust
from signer_resources.errors import KnownError
from signer_token.model import Login
from signer_ui.panes.first_start_card import StepCard
from signer_ui.panes.settings_form import FormField, clear, line_edit, scrolled
from signer_ui.panes.settings_machine import choose_driver
from signer_ui.panes.settings_server import enrol_machine
from signer_ui.presenters.figures import millimetres
from signer_ui.presenters.first_start import Candidate, Stand, Step, TokenSeen, Way, proposed, token_seen
from signer_ui.presenters.pin import Purpose
from signer_ui.presenters.settings import Field, enrolments
from signer_ui.presenters.settings_bodies import (
    BodyForm,
    bodies_change,
    body_problems,
    with_newest_seal,
)
from signer_ui.shell import Pane, Shell
from signer_ui.tasks import Control, Lane
from signer_ui.training_steering import enter
from signer_ui.widgets.basics import button, label, repolish, row
from signer_ui.widgets.inputs import Choice
from signer_ui.widgets.notice import Notice
from signer_ui.widgets.pin_dialog import ask_pin
from signer_ui.widgets.progress import ProgressLine
from signer_ui.widgets.seal_editor import SealEditor

if TYPE_CHECKING:
    from signer_app.desk.signing import Enrolment
    from signer_app.desk.trial import Trial

T = TypeVar("T")


class FirstStartPane(Pane):
    """The page that is shown while no body is set; `left` is emitted when work begins."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._setup = shell.desk.setup
        self._way = Way()
        self._seen = TokenSeen("ue_start_looking")
        self._form = BodyForm()
        self._guess = BodyGuess()
        self._chosen: str | None = None
        self._role = CertificateRole.AGENCY
        self._working = False
        self._results: dict[Step, str] = {}
        words = shell.words
        self.notice = Notice(words, shell.theme)
        self.progress = ProgressLine(words, shell.theme)
        self.cards = {
            step: StepCard(number, step, shell, partial(self._reopen, step))
            for number, step in enumerate(Step, start=1)
        }
        self._build_token()
        self._build_body()
        self._build_seal()
        self._build_trial()
        self._build()
        shell.hub.tokens_changed.connect(self._tokens_changed)
        shell.hub.settings_changed.connect(self._settings_changed)
        self._look_for_drivers()
        self._tokens_changed(shell.hub.tokens)
        self._refresh()

    def may_leave(self) -> bool:
        """Work with a token is waited for."""
        if self._working:
            self.notice.tell(self.shell.words("ue_busy_trial"), role="notice-warn")
        return not self._working

    def busy(self) -> str | None:
        """A test signature or an enrolment is under way."""
        return "ue_busy_trial" if self._working else None

    # ---- the page -------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        words, space = self.shell.words, self.shell.theme.space
        content = QWidget()
        inside = QVBoxLayout(content)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(space(2))
        for made in self.cards.values():
            inside.addWidget(made)
        inside.addStretch(1)
        self._end = label("", "muted", wrap=True)
        self.restore = button(words("bk_restore"), self._restore, "quiet")
        # What has a value doesn't belong where nothing has.
        self.restore.setVisible(self.shell.training is None)
        self.enrol = button(words("ue_enrol"), self._enrol)
        self.begin = button(words("ue_start_begin"), self.left.emit, "primary")
        lines = QVBoxLayout(self)
        lines.setContentsMargins(space(4), space(3), space(4), space(3))
        lines.setSpacing(space(2))
        self.training = button(words("tr_enter"), lambda: enter(self.shell, self), "quiet")
        self.training.setToolTip(words("tr_enter_tip"))
        lines.addLayout(row(label(words("ue_start_title"), "title"), 1, self.training))
        lines.addWidget(label(words("ue_start_hint"), "muted", wrap=True))
        lines.addWidget(self.notice)
        lines.addWidget(scrolled(content), 1)
        lines.addWidget(self.progress)
        end = row(self._end, self.enrol, self.begin, spacing=space(2))
        end.setStretch(0, 1)
        lines.addLayout(end)

    def _restore(self) -> None:
        if self.may_leave():
            self.restore_wanted.emit()

    def _buttons(self, step: Step, key: str, act: Callable[[], None]) -> tuple[QWidget, Callable[[bool], None]]:
        """The buttons of a step: what finishes it, and *Để sau*; and how to let the first be pressed."""
        words, space = self.shell.words, self.shell.theme.space
        go = button(words(key), act, "primary")
        later = button(words("ue_start_later"), partial(self._postpone, step), "quiet")
        later.setToolTip(words(f"ue_later_{step}"))
        later.setAccessibleDescription(words(f"ue_later_{step}"))
        made = QWidget()
        made.setLayout(row(go, later, label(words(f"ue_later_{step}"), "muted"), 1, spacing=space(2)))
        return made, go.setEnabled

    def _refresh(self) -> None:
        words, way = self.shell.words, self._way
        for step, made in self.cards.items():
            stand = way.stand(step)
            result = self._results.get(step, "") if stand is Stand.DONE else ""
            made.show_stand(stand, words(f"ue_later_{step}") if stand is Stand.LATER else result)
        self.begin.setEnabled(way.ended)
        self._end.setText(words("ue_start_all_done" if way.ended and not way.later else "ue_start_change_later"))
        self.enrol.setVisible(way.ended and self._enrolable() is not None)
        self.enrol.setEnabled(not self._working)
        self._trial_enabled(self._chosen is not None and not self._working)
        self._trial_hint.setText(words("ue_start_trial_hint" if self._chosen else "ue_start_trial_plug_in"))

    def _go_on(self, way: Way) -> None:
        self.notice.clear()
        self._way = way
        self._refresh()
        current = way.current
        if current is None:
            self.begin.setFocus()
        else:
            self._first(current).setFocus()

    def _first(self, step: Step) -> QWidget:
        """What has the focus when a step comes to the front."""
        first = {
            Step.TOKEN: self.certificate,
            Step.BODY: self.name.editor,
            Step.SEAL: self.seal.choose,
            Step.TRIAL: self.trial,
        }
        return first[step]

    def _postpone(self, step: Step) -> None:
        if step is Step.TOKEN:
            self._chosen = None
        self._go_on(self._way.postponed(step))

    def _reopen(self, step: Step) -> None:
        self._go_on(self._way.opened(step))

    # ---- 1: token -------------------------------------------------------------------------------------------------

    def _build_token(self) -> None:
        words, space = self.shell.words, self.shell.theme.space
        self._told = label("", wrap=True)
        self.certificate = Choice(self.shell.theme)
        self.certificate.setAccessibleName(words("ue_start_certificate"))
        self.certificate.setMinimumWidth(space(110))
        self.certificate.currentIndexChanged.connect(lambda _index: self._certificate_picked())
        self.of_body = QRadioButton(words("ue_start_of_body"))
        self.of_person = QRadioButton(words("ue_start_of_person"))
        self._found = QWidget()
        found = QVBoxLayout(self._found)
        found.setContentsMargins(0, 0, 0, 0)
        found.setSpacing(space(2))
        found.addLayout(row(self.certificate, 1))
        found.addLayout(row(self.of_body, self.of_person, 1, spacing=space(4)))
        self._drivers = QWidget()
        self._driver_lines = QVBoxLayout(self._drivers)
        self._driver_lines.setContentsMargins(0, 0, 0, 0)
        self._driver_lines.setSpacing(space(1.5))
        buttons, self._token_enabled = self._buttons(Step.TOKEN, "ue_start_next", self._token_done)
        for part in (self._told, self._found, self._drivers, buttons):
            self.cards[Step.TOKEN].lines.addWidget(part)

    def _look_for_drivers(self) -> None:
        setup = self._setup
        self._send(Lane.QUICK, lambda _control: setup.drivers(), self._show_drivers)

    def _show_drivers(self, places: tuple[Path, ...]) -> None:
        words, space = self.shell.words, self.shell.theme.space
        clear(self._driver_lines)
        self._driver_lines.addWidget(label(words("ue_drivers_hint"), "muted", wrap=True))
        for place in places:
            use = button(words("ue_driver_use", file=str(place)), partial(self._use_driver, str(place)))
            line = QWidget()
            line.setLayout(row(use, 1))
            self._driver_lines.addWidget(line)
        other = button(words("ue_driver_add"), lambda: choose_driver(self.shell, self, self._use_driver))
        line = QWidget()
        line.setLayout(row(other, 1, spacing=space(2)))
        self._driver_lines.addWidget(line)

    def _use_driver(self, path: str) -> None:
        def change(settings: Settings) -> Settings:
            # One that answered with a fault gives way to the one that is chosen now.
            return msgspec.structs.replace(settings, modules=(path,))

        self._keep(change, lambda _settings: None)

    def _tokens_changed(self, tokens: TokensSnapshot) -> None:
        self._seen = seen = token_seen(tokens, self.shell.hub.settings)
        words = self.shell.words
        told = [words(seen.key)]
        if seen.error is not None:
            why = words.explain(seen.error)
            told = [part for part in (why.what, why.why, why.do) if part]
        self._told.setText("\n".join(told))
        repolish(self._told, "role", "good" if seen.good else "bad" if seen.error else "warn")
        self._drivers.setVisible(seen.driver_wanted)
        self._found.setVisible(seen.good)
        self._token_enabled(seen.good)
        before = self._candidate()
        self.certificate.blockSignals(True)
        self.certificate.clear()
        for one in seen.candidates:
            view = one.view.certificate
            until = vietnamese_date(view.not_after)
            self.certificate.addItem(
                words("ue_start_certificate_of", name=view.common_name, token=one.token.name, date=until), one.sha256
            )
        again = self.certificate.findData(before) if before else -1
        self.certificate.setCurrentIndex(max(again, 0) if seen.good else -1)
        self.certificate.blockSignals(False)
        if self._candidate() != before:
            self._certificate_picked()

    def _settings_changed(self, _settings: Settings) -> None:
        self._look_for_drivers()
        self._tokens_changed(self.shell.hub.tokens)
        self._refresh()

    def _candidate(self) -> str | None:
        found = self.certificate.currentData()
        return str(found) if found is not None else None

    def _picked(self) -> Candidate | None:
        sha256 = self._candidate()
        return next((one for one in self._seen.candidates if one.sha256 == sha256), None)

    def _certificate_picked(self) -> None:
        picked = self._picked()
        if picked is not None:
            (self.of_body if picked.view.role is CertificateRole.AGENCY else self.of_person).setChecked(True)

    def _token_done(self) -> None:
        picked = self._picked()
        if picked is None:
            return
        self._chosen = picked.sha256
        self._role = CertificateRole.AGENCY if self.of_body.isChecked() else CertificateRole.PERSONAL
        self._results[Step.TOKEN] = picked.view.certificate.common_name
        certificate, role, setup = picked.view.certificate, self._role, self._setup

        def change(settings: Settings) -> Settings:
            return msgspec.structs.replace(settings, roles={**settings.roles, certificate.sha256: role})

        def read(_settings: Settings) -> None:
            self._send(Lane.QUICK, lambda _control: setup.body_of(certificate), self._body_read)

        self._keep(change, read)

    def _body_read(self, guess: BodyGuess) -> None:
        certificates = (self._chosen,) if self._chosen and self._role is CertificateRole.AGENCY else ()
        form = replace(proposed(self._typed_body(), guess, self._guess), certificates=certificates)
        self._guess = guess
        self._show_body(form)
        if form.base is None:
            self._go_on(self._way.finished(Step.TOKEN))
        else:
            self._keep_body(form, Step.TOKEN)

    # ---- 2: body --------------------------------------------------------------------------------------------------

    def _build_body(self) -> None:
        words, theme = self.shell.words, self.shell.theme

        def field(key: str, limit: int = 300) -> FormField:
            return FormField(words(key), line_edit(self._body_typed, words(f"{key}_example"), limit), theme)

        self.name, self.code = field("ue_body_name"), field("ue_body_code", 64)
        self.parent_name, self.place = field("ue_body_parent"), field("ue_body_place")
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.space(4))
        grid.setVerticalSpacing(theme.space(2))
        for number, part in enumerate((self.name, self.code, self.parent_name, self.place)):
            grid.addWidget(part, number // 2, number % 2)
        grid.setColumnStretch(0, 3)
        grid.setColumnStretch(1, 2)
        buttons, _enable = self._buttons(Step.BODY, "ue_start_save_next", self._body_done)
        lines = self.cards[Step.BODY].lines
        lines.addWidget(label(words("ue_start_body_hint"), "muted", wrap=True))
        lines.addLayout(grid)
        lines.addWidget(buttons)

    def _typed_body(self) -> BodyForm:
        return replace(
            self._form,
            name=self.name.line.text(),
            code=self.code.line.text(),
            parent_name=self.parent_name.line.text(),
            place_name=self.place.line.text(),
        )

    def _show_body(self, form: BodyForm) -> None:
        self._form = form
        self.name.line.setText(form.name)
        self.code.line.setText(form.code)
        self.parent_name.line.setText(form.parent_name)
        self.place.line.setText(form.place_name)

    def _body_typed(self) -> None:
        for field in (self.name, self.code):
            field.complain(None)

    def _body_done(self) -> None:
        form = self._typed_body()
        problems = body_problems((form,))
        for problem in reversed(problems):
            field = self.code if problem.field is Field.CODE else self.name
            field.complain(self.shell.words(problem.key))
            field.editor.setFocus()
        if problems:
            return
        self._results[Step.BODY] = f"{form.name} ({form.code})"
        self._keep_body(form, Step.BODY)

    def _keep_body(self, form: BodyForm, step: Step) -> None:
        """Keeps the body with a seal that was just made, and goes on behind `step`."""
        setup = self._setup

        def change(settings: Settings) -> Settings:
            return bodies_change((form,), {png: setup.keep(png) for png in form.pictures})(settings)

        def kept(settings: Settings) -> None:
            self._show_body(BodyForm.of(settings.bodies[0]))
            self._go_on(self._way.finished(step))

        self._keep(change, kept)

    # ---- 3: seal --------------------------------------------------------------------------------------------------

    def _build_seal(self) -> None:
        self.seal = SealEditor(self.shell)
        self.seal.changed.connect(self._seal_changed)
        buttons, self._seal_enabled = self._buttons(Step.SEAL, "ue_start_save_next", self._seal_done)
        self.cards[Step.SEAL].lines.addWidget(self.seal)
        self.cards[Step.SEAL].lines.addWidget(buttons)
        self._seal_enabled(False)

    def _seal_changed(self) -> None:
        self._seal_enabled(self.seal.value.there)

    def _seal_done(self) -> None:
        value = self.seal.value
        form = with_newest_seal(self._typed_body(), value)
        if body_problems((form,)):
            # A seal belongs to a body; without its name and code there is nothing to keep it with.
            self.notice.tell(self.shell.words("ue_start_seal_needs_body"), role="notice-warn")
            self._way = self._way.opened(Step.BODY)
            self._refresh()
            return
        self._results[Step.SEAL] = self.shell.words(
            "ue_preview_there", mm=millimetres(value.diameter_mm, self.shell.words)
        )
        self._keep_body(form, Step.SEAL)

    # ---- 4: test signature ----------------------------------------------------------------------------------------

    def _build_trial(self) -> None:
        words, space = self.shell.words, self.shell.theme.space
        self._trial_hint = label("", wrap=True)
        self.trial = button(words("ue_start_try"), self._try, "primary")
        self._trial_enabled = self.trial.setEnabled
        later = button(words("ue_start_later"), partial(self._postpone, Step.TRIAL), "quiet")
        buttons = QWidget()
        buttons.setLayout(row(self.trial, later, label(words(f"ue_later_{Step.TRIAL}"), "muted"), 1, spacing=space(2)))
        self.cards[Step.TRIAL].lines.addWidget(self._trial_hint)
        self.cards[Step.TRIAL].lines.addWidget(buttons)

    def _try(self) -> None:
        certificate = self._chosen
        if certificate is None:
            return
        self.notice.clear()
        self._work(True)

        def answered(login: Login) -> None:
            self.progress.begin("ue_start_trying", None)
            signing = self.shell.desk.signing
            self._send(
                Lane.TOKEN,
                lambda _control: signing.test_signature(certificate, login),
                self._tried,
            )

        ask_pin(
            self.shell,
            self,
            certificate,
            Purpose.TRY,
            answered,
            failed=self._failed,
            stopped=lambda: self._work(False),
        )

    def _tried(self, trial: "Trial") -> None:
        self._work(False)
        words = self.shell.words
        self._results[Step.TRIAL] = words("ue_start_tried")
        self._go_on(self._way.finished(Step.TRIAL))
        why = "" if trial.trust is Trust.TRUSTED else words("ue_start_untrusted")
        self.notice.tell(words("ue_start_tried"), why=why)

    # ---- the end --------------------------------------------------------------------------------------------------

    def _enrolable(self) -> str | None:
        """The certificate with which this machine can be made known to the server now, where there is one to do so."""
        hub = self.shell.hub
        if hub.settings.server is None:
            return None
        open_ones = [body.certificate for body in enrolments(hub.settings, hub.tokens) if not body.enrolled]
        return next((view.certificate.sha256 for view in open_ones if view is not None), None)

    def _enrol(self) -> None:
        certificate = self._enrolable()
        if certificate is None:
            return
        self.notice.clear()
        self._work(True)
        enrol_machine(
            self.shell,
            self,
            certificate,
            begun=lambda: self.progress.begin("ue_enrolling", None),
            done=self._enrolled,
            failed=self._failed,
            stopped=lambda: self._work(False),
        )

    def _enrolled(self, done: "Enrolment") -> None:
        self._work(False)
        self.shell.hub.settings_kept(done.settings)
        self.notice.tell(self.shell.words("ue_enrol_done", org=done.enrolled.org))

    # ---- what all steps do ----------------------------------------------------------------------------------------

    def _keep(self, change: Callable[[Settings], Settings], then: Callable[[Settings], None]) -> None:
        desk = self.shell.desk

        def kept(settings: Settings) -> None:
            self.shell.hub.settings_kept(settings)
            then(settings)

        self._send(Lane.QUICK, lambda _control: desk.change_settings(change), kept)

    def _send(self, lane: Lane, work: Callable[[Control], T], done: Callable[[T], None]) -> None:
        self.shell.tasks.run(self, lane, work, done, failed=self._failed)

    def _work(self, working: bool) -> None:
        self._working = working
        if not working:
            self.progress.end()
        self._refresh()

    def _failed(self, error: KnownError) -> None:
        self._work(False)
        self.notice.error(error)
