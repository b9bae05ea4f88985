"""The section "Cập nhật" of the settings: which version runs, whether there is a newer one, bringing and installing it.

UI thread. Nothing is installed while the program runs: its installer waits for the window's end.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from signer_app.store.settings import Settings
from signer_resources.errors import KnownError
from signer_ui.panes.backup_setup import choose_folder
from signer_ui.panes.settings_form import FormField, Section, card, clear, line_edit
from signer_ui.presenters.settings import Change, Problem
from signer_ui.presenters.updates import ROLES, UpdatesForm, updates_view
from signer_ui.shell import Shell
from signer_ui.widgets.basics import button, label
from signer_ui.widgets.flow import Flow
from signer_ui.widgets.progress import ProgressLine

if TYPE_CHECKING:
    from signer_app.desk.updating import Started


class UpdatesSection(Section[UpdatesForm]):
    """Updates of the program."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        words, theme = shell.words, shell.theme
        self.updates = shell.hub.updates
        self._from: str | None = None
        """Where the last look was made, if not where the settings say."""
        told = QWidget()
        self._told = QVBoxLayout(told)
        self._told.setContentsMargins(0, 0, 0, 0)
        self._told.setSpacing(theme.space(1))
        self.check = button(words("up_check"), self._check)
        self.stick = button(words("up_stick"), self._check_stick)
        self.bring = button(words("up_bring"), self._bring, "primary")
        self.install = button(words("up_install"), self._ask_install, "primary")
        self.back = button("", self._ask_back)
        self._acts = Flow((self.install, self.bring, self.check, self.stick, self.back), theme.space(2))
        self.progress = ProgressLine(words, theme)
        self.source = FormField(
            words("up_source"),
            line_edit(self.touched, words("up_source_example"), 1000),
            theme,
            words("up_source_hint"),
        )
        self.frame_up(
            card(theme, words("up_title"), told, self.progress, self._acts),
            card(theme, words("up_source_title"), self.source),
        )
        self.updates.changed.connect(self._show)
        self.updates.told.connect(self.progress.tell)
        self.updates.failed.connect(self._failed_at)
        self.updates.started.connect(self._started)
        self.updates.look()

    # ---- the form: the source ----------------------------------------------------------------------------------------

    def form(self) -> UpdatesForm:
        """As typed."""
        return UpdatesForm(self.source.line.text())

    def fill(self, settings: Settings) -> UpdatesForm:
        """As set."""
        form = UpdatesForm.of(settings)
        self.source.line.setText(form.source)
        self._show()
        return form

    def problems(self, form: UpdatesForm) -> Sequence[Problem]:
        """What is no address and no folder."""
        return form.problems()

    def change(self, form: UpdatesForm) -> Change:
        """This alone."""
        return form.change()

    def field(self, problem: Problem) -> FormField:
        """The one there is."""
        return self.source

    def fields(self) -> Sequence[FormField]:
        """The one there is."""
        return (self.source,)

    def touched(self) -> None:
        """What is only typed is not asked."""
        super().touched()
        self._enable()

    # ---- how it stands -----------------------------------------------------------------------------------------------

    def _show(self) -> None:
        words = self.shell.words
        view = updates_view(self.updates.state, words)
        clear(self._told)
        for text, glow in view.lines:
            self._told.addWidget(label(text, ROLES[glow], wrap=True))
        self.bring.setVisible(view.offered)
        self.install.setVisible(view.ready)
        self.back.setVisible(view.previous is not None)
        if view.previous is not None:
            self.back.setText(words("up_back", version=view.previous))
        if view.version:
            self.bring.setText(words("up_bring_version", version=view.version))
            self.install.setText(words("up_install_version", version=view.version))
        if not self.updates.running:
            self.progress.end()
        self._enable()
        self._acts.updateGeometry()

    def _enable(self) -> None:
        free = not self.updates.running
        for act in (self.stick, self.bring, self.install, self.back):
            act.setEnabled(free)
        self.check.setEnabled(free and not self.dirty and bool(self.shell.hub.settings.updates.source))

    # ---- asking and bringing -----------------------------------------------------------------------------------------

    def _check(self) -> None:
        self._from = None
        self._ask()

    def _check_stick(self) -> None:
        chosen = choose_folder(self, self.shell.words("up_stick"), "")
        if chosen:
            self._from = str(Path(chosen))
            self._ask()

    def _ask(self) -> None:
        self.notice.clear()
        self.progress.begin("up_checking", self.updates.cancel)
        self.updates.check(self._from)

    def _bring(self) -> None:
        self.notice.clear()
        self.progress.begin("update_progress", self.updates.cancel)
        self.updates.download(self._from)

    def _failed_at(self, error: KnownError) -> None:
        self.notice.error(error)

    # ---- installing --------------------------------------------------------------------------------------------------

    def _ask_install(self) -> None:
        self._sure("up_install_sure", back=False)

    def _ask_back(self) -> None:
        self._sure("up_back_sure", back=True)

    def _sure(self, key: str, *, back: bool) -> None:
        words, state = self.shell.words, self.updates.state
        if state is None:
            return
        version = state.previous if back else state.release.version if state.release is not None else ""

        def go() -> None:
            self.notice.clear()
            self.updates.install(back=back)

        self.notice.tell(
            words(key, version=version or ""),
            (words("up_install_yes"), go),
            (words("up_not_now"), self.notice.clear),
            role="notice-warn",
            question=True,
        )
        self.notice.focus_action()

    def _started(self, begun: "Started") -> None:
        words = self.shell.words
        if begun.waits:
            # Asks first if something would be interrupted; the installer waits as long as it takes.
            self.window().close()
            return
        self.notice.tell(words("update_typed", version=begun.version, command=begun.typed), role="notice-warn")
