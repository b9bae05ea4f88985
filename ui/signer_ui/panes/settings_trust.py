"""The section "Chứng thư tin cậy" of the settings: which roots this machine trusts, and the ways in and out.

UI thread; files and the store of certificates are read and changed elsewhere. What is imported or removed counts at
once, and everybody is told, so that undecided files are looked at again; only the body's own root waits as a form for
its fingerprint (decision 15), and is asked about when the settings are left.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QFileDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget
from shiboken6 import isValid

from signer_app.store.settings import Settings
from signer_app.verification.model import AnchorSet
from signer_resources.errors import KnownError
from signer_ui.panes.settings_form import FormField, Section, card, clear, line_edit
from signer_ui.presenters.settings import Change, OwnAnchorForm, Problem
from signer_ui.shell import Shell
from signer_ui.tasks import Handle, Lane
from signer_ui.theme import Theme
from signer_ui.widgets.basics import button, label
from signer_ui.widgets.facts import Facts
from signer_ui.widgets.flow import Flow
from signer_ui.words import Words

if TYPE_CHECKING:
    # What reads certificates is loaded where nobody waits for it.
    from signer_app.desk.trusting import Offered, Trusting
    from signer_ui.presenters.settings_trust import Line, SetView, Told, TrustView

_ENDINGS = "*.cer *.crt *.pem *.der *.p7b *.p7c"
_LONGEST_LABEL = 200
"""What the store of certificates takes."""


class TrustSection(Section[OwnAnchorForm]):
    """The trusted certificates of this machine."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        words, theme = shell.words, shell.theme
        self._offered: Offered | None = None
        self._looking: Handle | None = None
        self._look_again = False
        self._coming: list[SetView] = []
        """Sets that are still to be shown."""
        self._filling = QTimer(self)
        self._filling.setSingleShot(True)
        self._filling.setInterval(0)
        self._filling.timeout.connect(self._fill_one)
        self.import_button = button(words("ux_import"), self._choose_import)
        self.add_button = button(words("ux_add"), self._choose_own)
        self.summary = label(words("ux_looking"), "strong", wrap=True)
        self.error = label("", "bad", wrap=True)
        self.error.hide()
        self.fingerprint = FormField(
            words("ux_own_fingerprint"), line_edit(self._typed), theme, words("ux_own_fingerprint_hint")
        )
        self.name = FormField(words("ux_own_label"), line_edit(self.touched, limit=_LONGEST_LABEL), theme)
        self._offer = Facts(theme)
        self._form = card(theme, words("ux_own_title"), self._offer, self.fingerprint, self.name)
        self.sets = {one: SetCard(one, words, theme, self._ask_remove) for one in AnchorSet}
        self._rules = Facts(theme)
        self._rules_hint = label("", "muted", wrap=True)
        self._rules_hint.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.save_button.setText(words("ux_own_add"))
        self.discard_button.setText(words("ux_own_stop"))
        self.frame_up(
            Flow((self.import_button, self.add_button), theme.space(2)),
            self._form,
            self.summary,
            self.error,
            *self.sets.values(),
            card(theme, words("ux_rules"), self._rules, self._rules_hint),
        )
        self.saved.connect(self._own_added)
        shell.hub.settings_changed.connect(self._news)
        self._look()

    # ---- the section: the body's own root that waits to be added ---------------------------------------------------

    def form(self) -> OwnAnchorForm:
        """As typed; empty while no certificate waits."""
        if self._offered is None:
            return OwnAnchorForm()
        return OwnAnchorForm(self._offered, self.fingerprint.line.text(), self.name.line.text().strip())

    def fill(self, settings: Settings) -> OwnAnchorForm:
        """No certificate waits."""
        self._wait_for(None)
        return OwnAnchorForm()

    def problems(self, form: OwnAnchorForm) -> Sequence[Problem]:
        """A fingerprint that isn't whole, or another file's."""
        return form.problems()

    def change(self, form: OwnAnchorForm) -> Change:
        """Takes the certificate in; the settings stay as they are."""
        assert form.offered is not None, "only what waits is saved"
        self.shell.desk.trust.add_own(form.offered, form.fingerprint, form.label)
        return form.change()

    def field(self, problem: Problem) -> FormField:
        """The fingerprint."""
        return self.fingerprint

    def fields(self) -> Sequence[FormField]:
        """The fingerprint."""
        return (self.fingerprint,)

    def touched(self) -> None:
        """The buttons below are those of the form."""
        super().touched()
        self.save_button.setVisible(self._offered is not None)

    # ---- what is there ---------------------------------------------------------------------------------------------

    def _news(self, _settings: object) -> None:
        self._look()

    def _look(self) -> None:
        if self._looking is not None and self._looking.running:
            self._look_again = True
            return
        self._look_again = False
        desk, words = self.shell.desk, self.shell.words

        def work(_control: object) -> "TrustView":
            from signer_ui.presenters.settings_trust import trust_view

            return trust_view(desk.trust.look(), desk.now(), words)

        self._looking = self.shell.tasks.run(self, Lane.QUICK, work, self._looked, failed=self.notice.error)

    def _looked(self, view: "TrustView") -> None:
        self.summary.setText(view.summary)
        self.summary.setVisible(bool(view.summary))
        self.error.setText(view.error)
        self.error.setVisible(bool(view.error))
        self._rules.put(view.rules)
        self._rules_hint.setText(view.rules_hint)
        self._coming = list(view.sets)
        self._filling.start()
        if self._look_again:
            self._look()

    def _fill_one(self) -> None:
        """One set at a time: all their lines at once would be a step that the eye sees."""
        focus = QApplication.focusWidget()
        one = self._coming.pop(0)
        self.sets[one.set].put(one)
        self._set_turns()
        if focus is not None and not (isValid(focus) and focus.isVisible()) and self.isVisible():
            # The line where the keyboard was is gone.
            self.import_button.setFocus()
        if self._coming:
            self._filling.start()

    def _set_turns(self) -> None:
        """The form and its buttons have the keyboard first, then the lines as they stand, whichever was made anew."""
        before: QWidget = self.save_button
        for one in (one for which in self.sets.values() for line in which.lines for one in line.controls):
            QWidget.setTabOrder(before, one)
            before = one

    # ---- in and out ------------------------------------------------------------------------------------------------

    def import_files(self, files: Sequence[Path]) -> None:
        """Takes in what is pinned, and says what became of the rest."""
        words = self.shell.words

        def work(trust: "Trusting") -> "Told":
            from signer_ui.presenters.settings_trust import import_told

            return import_told(trust.import_files(files), words)

        self._act(Lane.DOCUMENTS, work)

    def offer(self, file: Path) -> None:
        """Has the file's certificate wait for its fingerprint."""
        self.notice.clear()
        desk, words = self.shell.desk, self.shell.words

        def work(_control: object) -> "tuple[Offered, tuple[tuple[str, str], ...]]":
            from signer_ui.presenters.settings_trust import offered_facts

            offered = desk.trust.offer(file)
            return offered, offered_facts(offered, words)

        self.send(Lane.DOCUMENTS, work, lambda found: self._wait_for(*found))

    def _wait_for(self, offered: "Offered | None", facts: Sequence[tuple[str, str]] = ()) -> None:
        self._offered = offered
        self.fingerprint.complain(None)
        self.fingerprint.line.clear()
        self.name.line.clear()
        self._form.setVisible(offered is not None)
        if offered is not None:
            self._offer.put(facts)
            self.fingerprint.editor.setFocus()
        self.touched()

    def _typed(self) -> None:
        self.fingerprint.complain(None)
        self.touched()

    def _own_added(self) -> None:
        from signer_ui.presenters.settings_trust import added_told

        self.notice.tell(added_told(self.form(), self.shell.words).what)
        self.add_button.setFocus()

    def _ask_remove(self, name: str, sha256: str) -> None:
        from signer_ui.presenters.settings_trust import beginning

        words = self.shell.words
        self.notice.tell(
            words("ux_remove_ask", name=name, start=beginning(sha256)),
            (words("ux_remove_yes"), partial(self._remove, name, sha256)),
            (words("ux_remove_no"), self.notice.clear),
            why=words("ux_remove_why"),
            role="notice-warn",
            question=True,
        )
        self.notice.focus_action()

    def _remove(self, name: str, sha256: str) -> None:
        gone = self.shell.words("ux_removed", name=name)

        def work(trust: "Trusting") -> "Told":
            from signer_ui.presenters.settings_trust import Told

            trust.remove(sha256)
            return Told(gone)

        self._act(Lane.QUICK, work)

    def _act(self, lane: Lane, work: "Callable[[Trusting], Told]") -> None:
        """Changes what is trusted and tells everybody, also when the settings are left meanwhile."""
        shell = self.shell
        self.notice.clear()

        def act(_control: object) -> "tuple[Told, Settings]":
            trust = shell.desk.trust
            return work(trust), trust.settings()

        def done(result: "tuple[Told, Settings]") -> None:
            told, settings = result
            if isValid(self):
                self.notice.tell(told.what, why=told.why, do=told.do, role=told.role)
            if told.changed:
                shell.hub.settings_kept(settings)

        def failed(error: KnownError) -> None:
            if isValid(self):
                self.notice.error(error)
            else:
                shell.notice(error)

        shell.tasks.run(shell.hub, lane, act, done, failed=failed)

    def _choose_import(self) -> None:
        dialog = self._dialog("ux_choose_import", QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(lambda names: self.import_files([Path(name) for name in names]))
        dialog.open()

    def _choose_own(self) -> None:
        dialog = self._dialog("ux_choose_own", QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self.offer(Path(name)))
        dialog.open()

    def _dialog(self, title: str, mode: QFileDialog.FileMode) -> QFileDialog:
        words = self.shell.words
        dialog = QFileDialog(self, words(title))
        dialog.setNameFilters([f"{words('ux_files')} ({_ENDINGS})"])
        dialog.setFileMode(mode)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return dialog


class SetCard(QWidget):
    """One set of certificates, a line each."""

    def __init__(self, which: AnchorSet, words: Words, theme: Theme, remove: Callable[[str, str], None]) -> None:
        super().__init__()
        self._words, self._theme, self._remove = words, theme, remove
        self.shown: SetView | None = None
        self.lines: list[CertificateLine] = []
        self._hint = label("", "muted", wrap=True)
        self._none = label(words("ux_none_own"), "muted")
        self._none.hide()
        self._place = QWidget()
        self._rows = QVBoxLayout(self._place)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(theme.space(2))
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.addWidget(card(theme, words(f"trust_set_{which}"), self._place, self._none, self._hint))

    def put(self, view: "SetView") -> None:
        """Shows the set; one that is shown already stays as it is, with its details open."""
        if view == self.shown:
            return
        self.shown = view
        clear(self._rows)
        self.lines = [CertificateLine(one, self._words, self._theme, self._remove) for one in view.lines]
        for one in self.lines:
            self._rows.addWidget(one)
        self._place.setVisible(bool(view.lines))
        self._none.setVisible(not view.lines)
        self._hint.setText(view.hint)
        self._hint.setVisible(bool(view.hint))


class CertificateLine(QWidget):
    """A certificate: name, how it stands, its details on demand, and the way out."""

    def __init__(self, line: "Line", words: Words, theme: Theme, remove: Callable[[str, str], None]) -> None:
        super().__init__()
        self.line = line
        self._theme = theme
        self.facts: Facts | None = None
        """Made when it is first wanted."""
        told = label(line.told, "muted", wrap=True)
        told.setProperty("tone", line.standing.value)
        self.details = button(words("ux_details"), self._open, "quiet")
        self.details.setCheckable(True)
        self.details.setAccessibleName(words("ux_details_of", name=line.name))
        self.remove: QPushButton | None = None
        across = QHBoxLayout()
        across.setSpacing(theme.space(1))
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addWidget(label(line.name, "strong", wrap=True))
        texts.addWidget(told)
        across.addLayout(texts, 1)
        across.addWidget(self.details)
        if line.removable is not None:
            self.remove = button(words("ux_remove"), partial(remove, line.name, line.removable), "quiet")
            self.remove.setAccessibleName(words("ux_remove_of", name=line.name))
            across.addWidget(self.remove)
        self._lines = QVBoxLayout(self)
        self._lines.setContentsMargins(0, 0, 0, 0)
        self._lines.setSpacing(theme.space(1))
        self._lines.addLayout(across)

    @property
    def controls(self) -> tuple[QWidget, ...]:
        """What the keyboard comes to, in its order."""
        return (self.details,) if self.remove is None else (self.details, self.remove)

    def _open(self) -> None:
        if self.facts is None:
            self.facts = Facts(self._theme)
            self._lines.addWidget(self.facts)
            self.facts.put(self.line.facts)
        self.facts.setVisible(self.details.isChecked())
