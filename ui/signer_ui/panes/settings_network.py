"""The section "Mạng" of the settings: proxy, the body's own root certificate, trying the way to the servers. UI thread.

A password that was kept is never shown again; where it is kept is said.
"""

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtWidgets import QButtonGroup, QFileDialog, QLineEdit, QRadioButton, QWidget

from signer_app.administration.machine import Key
from signer_app.desk.networking import KeptSecrets, Secret, has_certificates
from signer_app.store.settings import ProxyChoice, Settings
from signer_ui.glow import Glow
from signer_ui.panes.settings_form import FormField, Section, card, line_edit
from signer_ui.panes.settings_trial import Trial
from signer_ui.presenters.settings import Change, Field, Problem
from signer_ui.presenters.settings_network import NetworkForm, kept_words
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.widgets.basics import button, label, repolish, row

_CHOICES = (
    (ProxyChoice.SYSTEM, "un_proxy_system"),
    (ProxyChoice.MANUAL, "un_proxy_manual"),
    (ProxyChoice.NONE, "un_proxy_none"),
)
_LONGEST_PASSWORD = 200


def secret_edit(changed: Callable[[], None]) -> QLineEdit:
    """A field for what nobody is to read over a shoulder; the clipboard gets nothing of it."""
    made = QLineEdit()
    made.setEchoMode(QLineEdit.EchoMode.Password)
    made.setMaxLength(_LONGEST_PASSWORD)
    made.textChanged.connect(lambda _text: changed())
    return made


class NetworkSection(Section[NetworkForm]):
    """The way through the body's network."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        words, theme = shell.words, shell.theme
        self._group = QButtonGroup(self)
        self.choices: dict[ProxyChoice, QRadioButton] = {}
        for choice, key in _CHOICES:
            made = QRadioButton(words(key))
            made.toggled.connect(lambda _on: self._typed())
            self._group.addButton(made)
            self.choices[choice] = made
        self.url = FormField(words("un_proxy_url"), line_edit(self._typed, words("un_proxy_url_example"), 500), theme)
        self.no_proxy = FormField(
            words("un_no_proxy"),
            line_edit(self._typed, words("un_no_proxy_example"), 2000),
            theme,
            words("un_no_proxy_hint"),
        )
        self.user = FormField(
            words("un_proxy_user"), line_edit(self._typed, words("un_proxy_user_example"), 200), theme
        )
        self.password = FormField(words("un_proxy_password"), secret_edit(self._typed), theme)
        self.kept = label(role="muted", wrap=True)
        self._ca = line_edit(self._typed)
        self.extra_ca = FormField(words("un_ca"), self._with_button(self._ca), theme, words("un_ca_hint"))
        self._ca.setAccessibleName(words("un_ca"))
        self.trial = Trial(shell)
        self.frame_up(
            card(
                theme,
                words("un_proxy_title"),
                *self.choices.values(),
                self.url,
                self.no_proxy,
                self.user,
                self.password,
                self.kept,
            ),
            card(theme, words("un_ca_title"), self.extra_ca),
            card(theme, words("un_try_title"), self.trial),
        )

    def form(self) -> NetworkForm:
        """As typed."""
        chosen = next((choice for choice, made in self.choices.items() if made.isChecked()), ProxyChoice.SYSTEM)
        return NetworkForm(
            chosen,
            self.url.line.text(),
            self.no_proxy.line.text(),
            self.user.line.text(),
            Secret(self.password.line.text()),
            self._ca.text(),
        )

    def fill(self, settings: Settings) -> NetworkForm:
        """As set; the password's field is empty."""
        form = NetworkForm.of(settings)
        self.choices[form.proxy].setChecked(True)
        for field, text in ((self.url, form.url), (self.no_proxy, form.no_proxy), (self.user, form.user)):
            field.line.setText(text)
        self.password.line.clear()
        self._ca.setText(form.extra_ca)
        self._enable()
        self._ask_kept()
        return form

    def problems(self, form: NetworkForm) -> Sequence[Problem]:
        """An address or a file that can't be used."""
        return form.problems(has_certificates)

    def change(self, form: NetworkForm) -> Change:
        """The password goes to the keyring first; without a user there is none any more."""
        networking = self.shell.desk.networking
        if not form.user.strip():
            networking.forget_proxy_password()
        elif form.password.reveal():
            networking.save_proxy_password(form.password)
        return form.change()

    def field(self, problem: Problem) -> FormField:
        """Where it was typed."""
        return self.extra_ca if problem.field is Field.EXTRA_CA else self.url

    def locked_by(self) -> Mapping[Key, Sequence[FormField]]:
        """All of it is one setting."""
        return {Key.NETWORK: (self.url, self.no_proxy, self.user, self.extra_ca)}

    def fields(self) -> Sequence[FormField]:
        """Both that can be wrong."""
        return (self.url, self.extra_ca)

    def touched(self) -> None:
        """What is only typed can't be tried."""
        super().touched()
        self.trial.set_unsaved(self.dirty)

    def _typed(self) -> None:
        self._enable()
        self.touched()

    def _enable(self) -> None:
        """What counts for nothing can't be typed in."""
        manual, none = (self.choices[choice].isChecked() for choice in (ProxyChoice.MANUAL, ProxyChoice.NONE))
        for field in (self.url, self.no_proxy):
            field.setVisible(manual)
        for part in (self.user, self.password, self.kept):
            part.setVisible(not none)
        self.password.setEnabled(bool(self.user.line.text().strip()))
        for made in self.choices.values():
            made.setEnabled(Key.NETWORK not in self.shell.desk.locked)

    def _ask_kept(self) -> None:
        networking = self.shell.desk.networking
        self.send(Lane.DOCUMENTS, lambda _control: networking.kept(), self._show_kept)

    def _show_kept(self, kept: KeptSecrets) -> None:
        told, glow = kept_words(kept.proxy, self.shell.words)
        self.kept.setText(told)
        repolish(self.kept, "role", "warn" if glow is Glow.WARN else "muted")
        key = "un_password_none" if kept.proxy is None else "un_password_new"
        self.password.line.setPlaceholderText(self.shell.words(key))

    def _with_button(self, field: QLineEdit) -> QWidget:
        made = QWidget()
        across = row(field, button(self.shell.words("un_ca_choose"), self._choose))
        across.setStretch(0, 1)
        made.setLayout(across)
        made.setFocusProxy(field)
        return made

    def _choose(self) -> None:
        words = self.shell.words
        dialog = QFileDialog(self, words("un_ca"), self._ca.text(), words("un_ca_files"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self._ca.setText)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
