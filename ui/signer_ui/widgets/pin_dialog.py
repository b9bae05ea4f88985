"""The PIN dialogue: says what is signed and with which token, takes a PIN once, keeps nothing of it.

UI thread. What is typed stays in the field until it is read, and the slot that reads it empties field and undo history;
so does closing. It is never shown, copied, dragged, or handed to an input method's memory. Sends nothing itself.
"""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QRegularExpression, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent, QKeyEvent, QRegularExpressionValidator, QShowEvent
from PySide6.QtWidgets import QCheckBox, QDialog, QLabel, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from signer_resources.errors import KnownError
from signer_token.model import Login, Pin
from signer_ui.glow import Glow
from signer_ui.presenters.pin import PinRequest, Purpose, pin_view, problem_text
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.theme import Theme
from signer_ui.widgets.basics import button, column, frame, label, row
from signer_ui.words import Words

_LONGEST = 255
"""Characters of a PIN at most; PKCS#11 tokens take far fewer."""
_WIDTH = 145
"""Units of spacing."""
_URGENT = {Glow.WARN: "notice-warn", Glow.BAD: "notice-bad"}


class PinField(QLineEdit):
    """A field whose content is read once. What is not ASCII never enters: `refused` is emitted, the field empties."""

    refused = Signal()
    caps_lock_seen = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self.setMaxLength(_LONGEST)
        self.setDragEnabled(False)
        self.setAcceptDrops(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        hints = Qt.InputMethodHint
        self.setInputMethodHints(
            hints.ImhHiddenText
            | hints.ImhSensitiveData
            | hints.ImhNoPredictiveText
            | hints.ImhNoAutoUppercase
            | hints.ImhPreferLatin
        )
        # The validator looks in Qt's own memory, so that no copy of what is typed is made for each key.
        self.setValidator(QRegularExpressionValidator(QRegularExpression(r"[\x20-\x7e]*"), self))
        self.inputRejected.connect(self._refuse)

    def take(self) -> Pin:
        """What was typed; the field is empty afterwards."""
        typed = Pin(self.text())
        self.wipe()
        return typed

    def wipe(self) -> None:
        """Empties the field and its undo history."""
        self.setText("")

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """A letter whose case does not fit the shift key tells that Caps Lock is on: no platform says it by itself."""
        letter = event.text()
        if len(letter) == 1 and letter.isalpha():
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.caps_lock_seen.emit(letter.isupper() != shift)
        elif event.key() == Qt.Key.Key_CapsLock:
            self.caps_lock_seen.emit(False)
        super().keyPressEvent(event)

    def _refuse(self) -> None:
        self.wipe()
        self.refused.emit()


class PinDialog(QDialog):
    """Asks for one PIN. Show it with `open`; it ends with `answered` or `stopped`, once, and is gone then."""

    answered = Signal(object)
    """Login."""
    stopped = Signal()

    def __init__(self, request: PinRequest, words: Words, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._view = pin_view(request, words)
        self._confirming = self._view.asks_first
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(words("us_pin_window"))
        self.setAccessibleName(self._view.heading)
        self.field = PinField()
        self.second = PinField()
        """For the signature PIN."""
        self.same = QCheckBox(words("us_pin_same"))
        self.sure = QCheckBox(words("us_pin_final_sure"))
        self._hint = label(role="bad", wrap=True)
        self._caps = label(words("us_pin_caps"), "warn", wrap=True)
        self.stop = button(words("us_pin_stop"), self.reject)
        self.accept_button = button("", self._accepted, "primary")
        for one in (self.stop, self.accept_button):
            # What Enter does here is decided step by step.
            one.setAutoDefault(False)
        self._steps = QStackedWidget()
        self._build(theme)
        self._show_step()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """As high as all of it needs: left to itself, Qt takes two thirds of the screen at most and hides the field."""
        self._grow()
        super().showEvent(event)

    def done(self, result: int) -> None:
        """Ends the dialogue, however it ends; nothing of what was typed is left."""
        for field in (self.field, self.second):
            field.wipe()
        super().done(result)
        if result == QDialog.DialogCode.Rejected:
            self.stopped.emit()

    @property
    def hint(self) -> str:
        """What is said about what was typed; empty when there is nothing to say."""
        return "" if self._hint.isHidden() else self._hint.text()

    @property
    def caps_lock_told(self) -> bool:
        """Whether the dialogue says that Caps Lock is on."""
        return not self._caps.isHidden()

    def _build(self, theme: Theme) -> None:
        view = self._view
        lines = QVBoxLayout(self)
        margin = theme.space(5)
        lines.setContentsMargins(margin, margin, margin, margin)
        lines.setSpacing(theme.space(3))
        lines.addWidget(label(view.heading, "heading", wrap=True))
        if view.documents:
            lines.addWidget(label(view.documents, "muted", wrap=True))
        for note in view.notes:
            lines.addWidget(label(note, "muted", wrap=True))
        lines.addWidget(state_line(view.state, view.glow, theme))
        if view.takes_pin:
            self._steps.addWidget(self._confirm_step(theme))
            self._steps.addWidget(self._field_step(theme))
            lines.addWidget(self._steps)
        lines.addStretch(1)
        self.setMinimumWidth(theme.space(_WIDTH))
        lines.addLayout(row(1, self.stop, self.accept_button, spacing=theme.space(2)))
        self.accept_button.setVisible(view.takes_pin)
        if not view.takes_pin:
            self.stop.setText(self._words("us_pin_close"))

    def _confirm_step(self, theme: Theme) -> QWidget:
        step = QWidget()
        step.setLayout(column(label(self._words("us_pin_final_why"), wrap=True), self.sure, 1, spacing=theme.space(2)))
        self.sure.toggled.connect(lambda ticked: self.accept_button.setEnabled(ticked or not self._confirming))
        return step

    def _field_step(self, theme: Theme) -> QWidget:
        step, words = QWidget(), self._words
        self._hint.hide()
        self._caps.hide()
        if not self._view.typed_here:
            step.setLayout(column(label(words("us_pin_on_reader"), wrap=True), 1))
            return step
        self.field.setAccessibleDescription(self._view.state)
        parts: list[QWidget | int] = [*self._titled(self.field, "us_pin_field", "us_pin_field_name")]
        if self._view.second:
            parts += [*self._titled(self.second, "us_pin_second", "us_pin_second_name"), self.same]
            self.same.toggled.connect(self._one_for_both)
        step.setLayout(column(*parts, self._caps, self._hint, 1, spacing=theme.space(1.5)))
        return step

    def _titled(self, field: PinField, title: str, name: str) -> tuple[QWidget, QWidget]:
        above = QLabel(self._words(title))
        above.setBuddy(field)
        field.setAccessibleName(self._words(name))
        field.refused.connect(lambda: self._say("pin_not_ascii"))
        field.caps_lock_seen.connect(self._tell_caps_lock)
        return above, field

    def _one_for_both(self, same: bool) -> None:
        self.second.wipe()
        self.second.setEnabled(not same)

    def _show_step(self) -> None:
        """In the step that confirms the last try, Enter stops; in the other it accepts."""
        if not self._view.takes_pin:
            self.stop.setDefault(True)
            self.stop.setFocus()
            return
        self._steps.setCurrentIndex(0 if self._confirming else 1)
        self.stop.setDefault(self._confirming)
        self.accept_button.setDefault(not self._confirming)
        self.accept_button.setText(self._words("us_pin_final_go") if self._confirming else self._view.accept)
        self.accept_button.setEnabled(not self._confirming)
        first = self.field if self._view.typed_here else self.accept_button
        (self.stop if self._confirming else first).setFocus()

    def _accepted(self) -> None:
        if self._confirming:
            self._confirming = False
            self._show_step()
            return
        login = self._taken() if self._view.typed_here else Login(None, self._view.asks_first)
        if login is not None:
            self.accept()
            self.answered.emit(login)

    def _taken(self) -> Login | None:
        """What was typed, once; None where it can't be a PIN, which is said, and both fields are empty."""
        typed = self.field.take()
        second = self.second.take() if self._view.second and not self.same.isChecked() else None
        for field, pin in ((self.field, typed), (self.second, second)):
            if pin is not None and (problem := pin.problem()) is not None:
                self._say(problem)
                # What was right is gone from its field, too.
                (self.field if second is not None else field).setFocus()
                return None
        if self._view.second and second is None:
            second = typed
        return Login(typed, self._view.asks_first, second)

    def _tell_caps_lock(self, on: bool) -> None:
        self._caps.setVisible(on)
        self._grow()

    def _grow(self) -> None:
        """Makes room for a line that has come."""
        layout = self.layout()
        if layout is not None:
            self.resize(self.width(), max(self.height(), layout.totalHeightForWidth(self.width())))

    def _say(self, code: str) -> None:
        self._hint.setText(problem_text(code, self._words))
        self._hint.show()
        self._grow()
        # A screen reader tells it while the focus stays in the field.
        QAccessible.updateAccessibility(QAccessibleEvent(self._hint, QAccessible.Event.Alert))


def state_line(state: str, glow: Glow, theme: Theme) -> QWidget:
    """What is known of the PIN's tries; framed when it is urgent."""
    role = _URGENT.get(glow)
    if role is None:
        return label(state, "muted", wrap=True)
    told = frame(role)
    inside = QVBoxLayout(told)
    inside.setContentsMargins(theme.space(3), theme.space(2), theme.space(3), theme.space(2))
    inside.addWidget(label(state, "strong", wrap=True))
    return told


def as_in_training(request: PinRequest, shell: Shell) -> PinRequest:
    """The request, in training with the PIN that is to be typed: it is no secret there."""
    if shell.training is None:
        return request
    return replace(request, notes=(shell.words("tr_pin_note", pin=shell.training.pin), *request.notes))


def ask_pin(
    shell: Shell,
    parent: QWidget,
    certificate: str,
    purpose: Purpose,
    answered: Callable[[Login], None],
    *,
    failed: Callable[[KnownError], None],
    stopped: Callable[[], None],
) -> None:
    """Reads the state of the token with this certificate (SHA-256), then asks for its PIN.

    Exactly one of the three is called: `failed` when the token can't be asked or is gone, `stopped` when the person
    gave none.
    """

    def ask(request: PinRequest) -> None:
        dialog = PinDialog(as_in_training(request, shell), shell.words, shell.theme, parent)
        dialog.answered.connect(answered)
        dialog.stopped.connect(stopped)
        dialog.open()

    def look(_control: object) -> PinRequest:
        token = shell.desk.signing.token_of(certificate)
        asks_again = certificate in shell.hub.settings.asking_keys
        name = token.label.strip() or token.serial
        return PinRequest(purpose, name, token.pin_state, asks_again=asks_again, pin_pad=token.pin_pad)

    shell.tasks.run(parent, Lane.TOKEN, look, ask, failed=failed, newest_first=True)
