"""The section "Sao lưu" of the settings: setting it up, how it stands, a backup now, how long files stay. UI thread.

What is written on disks elsewhere is the desk's; this shows it and asks.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from signer_app.store.settings import Settings
from signer_resources.errors import KnownError
from signer_ui.glow import Glow
from signer_ui.panes.backup_setup import BackupSetup
from signer_ui.panes.settings_form import FormField, Section, card, clear
from signer_ui.presenters.backup import BackupForm, facts, kept_choices, made_words, worries
from signer_ui.presenters.settings import Change, Problem
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.widgets.basics import button, label
from signer_ui.widgets.facts import Facts
from signer_ui.widgets.flow import Flow
from signer_ui.widgets.inputs import Choice
from signer_ui.widgets.progress import ProgressLine

if TYPE_CHECKING:
    from signer_app.backup.making import Made

_ROLES = {Glow.GOOD: "good", Glow.WARN: "warn", Glow.BAD: "bad", Glow.OFF: "muted"}


class BackupSection(Section[BackupForm]):
    """Backups of this machine."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        words, theme = shell.words, shell.theme
        self.backups = shell.hub.backups
        self._hint = label(words("bk_hint"), "muted", wrap=True)
        self.facts = Facts(theme)
        worried = QWidget()
        self._worries = QVBoxLayout(worried)
        self._worries.setContentsMargins(0, 0, 0, 0)
        self._worries.setSpacing(theme.space(1))
        self.now = button(words("bk_now"), self._make_now, "primary")
        self.begin = button(words("bk_set_up"), lambda: self._open_setup(with_code=True), "primary")
        self.move_away = button(words("bk_move"), lambda: self._open_setup(with_code=False))
        self.new_code = button(words("bk_new_code"), self._ask_new_code)
        self._acts = Flow((self.begin, self.now, self.move_away, self.new_code), theme.space(2))
        self.progress = ProgressLine(words, theme)
        self.setup_steps = BackupSetup(shell)
        self.setup_steps.done.connect(self._set_up)
        self.setup_steps.stopped.connect(self._close_setup)
        self.setup_steps.failed.connect(self.notice.error)
        self.setup_steps.hide()
        self.keep = Choice(theme)
        self.keep.setMaximumWidth(theme.space(90))
        self.keep.currentIndexChanged.connect(lambda _index: self.touched())
        self.frame_up(
            card(
                theme, words("bk_title"), self._hint, self.facts, worried, self.progress, self._acts, self.setup_steps
            ),
            card(
                theme, words("bk_keep_title"), FormField(words("bk_keep"), self.keep, theme, words("bk_keep_hint"))
            ),
        )  # fmt: skip
        self.backups.changed.connect(self._show)
        self.backups.told.connect(self.progress.tell)
        self.backups.ended.connect(self._ended)
        self.backups.look()
        if self.backups.running and self.backups.wanted:
            self._follow()

    # ---- the form: how long files stay -------------------------------------------------------------------------------

    def form(self) -> BackupForm:
        """As chosen."""
        return BackupForm(self.keep.currentData())

    def fill(self, settings: Settings) -> BackupForm:
        """As set."""
        form = BackupForm.of(settings)
        self.keep.blockSignals(True)
        self.keep.clear()
        for told, days in kept_choices(form.keep_days, self.shell.words):
            self.keep.addItem(told, days)
        self.keep.setCurrentIndex(self.keep.findData(form.keep_days))
        self.keep.blockSignals(False)
        self._show()
        return form

    def problems(self, form: BackupForm) -> Sequence[Problem]:
        """Nothing can be wrong."""
        return ()

    def change(self, form: BackupForm) -> Change:
        """This alone."""
        return form.change()

    def field(self, problem: Problem) -> FormField:
        """There is never one."""
        raise LookupError(problem.field)

    @property
    def working(self) -> bool:
        """The code is being put in force."""
        return self.setup_steps.working

    # ---- how they stand ----------------------------------------------------------------------------------------------

    def _show(self) -> None:
        state, words = self.backups.state, self.shell.words
        is_set = self.shell.hub.settings.backup.is_set
        setting_up = self.setup_steps.isVisibleTo(self)
        self._hint.setVisible(not is_set and not setting_up)
        self.facts.put(facts(state, words) if is_set and state is not None else ())
        clear(self._worries)
        lines = worries(state, words) if is_set and state is not None else ()
        if self.backups.running and not self.backups.wanted:
            lines = ((words("bk_running"), Glow.OFF), *lines)
        for told, glow in lines:
            self._worries.addWidget(label(told, _ROLES[glow], wrap=True))
        for act, wanted in (
            (self.begin, not is_set),
            (self.now, is_set),
            (self.move_away, is_set),
            (self.new_code, is_set),
        ):
            act.setVisible(wanted)
        self._acts.setVisible(not setting_up)
        self._acts.updateGeometry()
        self.now.setEnabled(not self.backups.wanted)

    # ---- a backup now ------------------------------------------------------------------------------------------------

    def _make_now(self) -> None:
        self.notice.clear()
        self.backups.make_now()
        self._follow()

    def _follow(self) -> None:
        self.progress.begin("backup_progress", self.backups.cancel)
        self._show()

    def _ended(self, came: "Made | KnownError | None") -> None:
        self.progress.end()
        words = self.shell.words
        if isinstance(came, KnownError):
            if came.code == "interrupted":
                self.notice.tell(words("bk_stopped"), role="notice-warn")
            else:
                self.notice.error(came)
        elif came is not None:
            done, wrong = made_words(came, self.shell.hub.settings.backup.target or "", words)
            self.notice.tell(done, why=wrong, role="notice-warn" if wrong else "notice-good")
        self._show()

    # ---- setting up --------------------------------------------------------------------------------------------------

    def _ask_new_code(self) -> None:
        """A new set from now on; what was made opens with the old paper."""
        words = self.shell.words

        def begin() -> None:
            self.notice.clear()
            self._open_setup(with_code=True)

        self.notice.tell(
            words("bk_new_code_sure"),
            (words("bk_new_code_yes"), begin),
            (words("bk_setup_stop"), self.notice.clear),
            role="notice-warn",
            question=True,
        )
        self.notice.focus_action()

    def _open_setup(self, *, with_code: bool) -> None:
        self.notice.clear()
        self.setup_steps.show()
        self._show()
        self.setup_steps.open(self.shell.hub.settings.backup.target or "", with_code=with_code)

    def _close_setup(self) -> None:
        self.notice.clear()
        self.setup_steps.hide()
        self._show()
        (self.now if self.shell.hub.settings.backup.is_set else self.begin).setFocus()

    def _set_up(self) -> None:
        """The settings on disk are others now; the first backup follows at once."""
        desk = self.shell.desk

        def read(settings: Settings) -> None:
            self.shell.hub.settings_kept(settings)
            self._close_setup()
            self._make_now()

        # Nothing is changed: what is on disk is wanted.
        self.shell.tasks.run(
            self, Lane.QUICK, lambda _control: desk.change_settings(lambda settings: settings), read,
            failed=self.notice.error,
        )  # fmt: skip
