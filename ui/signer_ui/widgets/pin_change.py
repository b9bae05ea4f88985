"""The dialogue that gives a token another PIN: the old one once, the new one twice.

UI thread. Fields as in the PIN dialogue: read once, wiped at once, nothing kept. Sends nothing itself.
"""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QCheckBox, QDialog, QLabel, QVBoxLayout, QWidget

from signer_resources.errors import KnownError
from signer_token.model import Pin, Token
from signer_ui.presenters.pin import problem_text
from signer_ui.presenters.pin_change import change_view, wrong_with
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.theme import Theme
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.pin_dialog import PinField, state_line
from signer_ui.words import Words

_WIDTH = 145
"""Units of spacing."""


@dataclass(frozen=True)
class Change:
    """What the person gave; PINs show themselves as ***."""

    old: Pin
    new: Pin
    final_try: bool


class PinChangeDialog(QDialog):
    """Asks for the old PIN and a new one. Show it with `open`; it ends with `answered` or by closing."""

    answered = Signal(object)
    """Change."""

    def __init__(self, token: Token, words: Words, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._token, self._words = token, words
        self._view = change_view(token, words)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(words("us_change_window"))
        self.setAccessibleName(self._view.heading)
        self.old, self.new, self.again = PinField(), PinField(), PinField()
        self.sure = QCheckBox(words("us_pin_final_sure"))
        self._hint = label(role="bad", wrap=True)
        self.stop = button(words("us_pin_stop" if self._view.takes_pin else "us_pin_close"), self.reject)
        self.accept_button = button(words("us_change_accept"), self._accepted, "primary")
        for one in (self.stop, self.accept_button):
            one.setAutoDefault(False)
        self._build(theme)

    def done(self, result: int) -> None:
        """Ends the dialogue, however it ends; nothing of what was typed is left."""
        for field in (self.old, self.new, self.again):
            field.wipe()
        super().done(result)

    @property
    def hint(self) -> str:
        """What is said about what was typed; empty when there is nothing to say."""
        return "" if self._hint.isHidden() else self._hint.text()

    def _build(self, theme: Theme) -> None:
        words, view = self._words, self._view
        lines = QVBoxLayout(self)
        margin = theme.space(5)
        lines.setContentsMargins(margin, margin, margin, margin)
        lines.setSpacing(theme.space(2))
        lines.addWidget(label(view.heading, "heading", wrap=True))
        lines.addWidget(state_line(view.state, view.glow, theme))
        if view.takes_pin:
            lines.addWidget(label(view.rules, "muted", wrap=True))
            if view.asks_first:
                lines.addWidget(label(words("us_pin_final_why"), wrap=True))
                lines.addWidget(self.sure)
                self.sure.toggled.connect(self.accept_button.setEnabled)
                self.accept_button.setEnabled(False)
            for field, asks, name in (
                (self.old, "us_change_old", "us_change_old_name"),
                (self.new, "us_change_new", "us_change_new_name"),
                (self.again, "us_change_again", "us_change_again_name"),
            ):
                title = QLabel(words(asks))
                title.setBuddy(field)
                field.setAccessibleName(words(name))
                field.refused.connect(lambda: self._say("pin_not_ascii"))
                lines.addWidget(title)
                lines.addWidget(field)
        elif self._token.pin_pad:
            lines.addWidget(label(words("us_change_on_reader"), wrap=True))
        self._hint.hide()
        lines.addWidget(self._hint)
        lines.addStretch(1)
        self.setMinimumWidth(theme.space(_WIDTH))
        lines.addLayout(row(1, self.stop, self.accept_button, spacing=theme.space(2)))
        self.accept_button.setVisible(view.takes_pin)
        (self.accept_button if view.takes_pin else self.stop).setDefault(True)
        (self.old if view.takes_pin else self.stop).setFocus()

    def _accepted(self) -> None:
        old, new, again = (field.take() for field in (self.old, self.new, self.again))
        wrong = wrong_with(self._token, old, new, again)
        if wrong is not None:
            self._say(wrong)
            self.old.setFocus()
            return
        self.accept()
        self.answered.emit(Change(old, new, self._view.asks_first))

    def _say(self, what: str) -> None:
        said = self._words(what) if what.startswith("us_") else problem_text(what, self._words)
        self._hint.setText(said)
        self._hint.show()
        layout = self.layout()
        if layout is not None:
            self.resize(self.width(), max(self.height(), layout.totalHeightForWidth(self.width())))
        QAccessible.updateAccessibility(QAccessibleEvent(self._hint, QAccessible.Event.Alert))


def change_pin(
    shell: Shell, parent: QWidget, certificate: str, changed: Callable[[], None], failed: Callable[[KnownError], None]
) -> None:
    """Reads the state of the token with this certificate (SHA-256), asks, and has the token change its PIN.

    `changed` or `failed` is called, also when `parent` is gone by then, or neither when the person gave it up.
    """
    signing = shell.desk.signing

    def ask(token: Token) -> None:
        dialog = PinChangeDialog(token, shell.words, shell.theme, parent)
        dialog.answered.connect(send)
        dialog.open()

    def send(change: Change) -> None:
        def ended(_none: None) -> None:
            shell.hub.changing_pin = False
            changed()

        def refused(error: KnownError) -> None:
            shell.hub.changing_pin = False
            failed(error)

        shell.hub.changing_pin = True
        # The hub's, not the page's: what became of the PIN is told wherever the person has gone meanwhile.
        shell.tasks.run(
            shell.hub,
            Lane.TOKEN,
            lambda _control: signing.change_pin(certificate, change.old, change.new, final_try=change.final_try),
            ended,
            failed=refused,
            newest_first=True,
        )

    shell.tasks.run(
        parent, Lane.TOKEN, lambda _control: signing.token_of(certificate), ask, failed=failed, newest_first=True
    )
