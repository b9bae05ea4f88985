"""What the dialogues of the registers have in common: a heading, named fields, a line for what is wrong, two buttons.

UI thread; writes nothing itself.
"""

from collections.abc import Callable

from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QDialog, QGridLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from signer_resources.errors import KnownError
from signer_ui.shell import Shell
from signer_ui.widgets.basics import button, label, repolish, row

_LONGEST = 1000


class FormDialog(QDialog):
    """Fields below each other; it stays open until what was asked for is done, or is put away."""

    def __init__(self, shell: Shell, title: str, hint: str, accept: str, width: int, parent: QWidget) -> None:
        super().__init__(parent)
        words, theme = shell.words, shell.theme
        self.shell = shell
        self.setModal(True)
        self.setWindowTitle(words(title))
        self.setAccessibleName(words(title))
        self.setMinimumWidth(theme.space(width))
        self.lines = QVBoxLayout(self)
        margin = theme.space(5)
        self.lines.setContentsMargins(margin, margin, margin, margin)
        self.lines.setSpacing(theme.space(2))
        self.lines.addWidget(label(words(title), "heading", wrap=True))
        self.lines.addWidget(label(words(hint), "muted", wrap=True))
        self.grid = QGridLayout()
        self.grid.setHorizontalSpacing(theme.space(3))
        self.grid.setVerticalSpacing(theme.space(2))
        self.grid.setColumnStretch(1, 1)
        self.lines.addLayout(self.grid)
        self.said = label(role="bad", wrap=True)
        self.said.hide()
        self.lines.addWidget(self.said)
        self.no = button(words("ur_cancel"), self.reject)
        self.yes = button(words(accept), self.answer, "primary")
        self.no.setAutoDefault(False)
        self.yes.setDefault(True)
        self.buttons = row(1, self.no, self.yes, spacing=theme.space(2))
        self.lines.addLayout(self.buttons)

    def answer(self) -> None:
        """The button of the dialogue was pressed."""
        raise NotImplementedError

    def add(self, key: str, field: QWidget) -> None:
        """A field with its name before it."""
        title = QLabel(self.shell.words(key))
        title.setBuddy(field)
        field.setAccessibleName(self.shell.words(key).replace("&", ""))
        at = self.grid.rowCount()
        self.grid.addWidget(title, at, 0)
        self.grid.addWidget(field, at, 1)

    def line(self, key: str, text: str = "", example: str = "") -> QLineEdit:
        """A field for a text, with its name before it."""
        field = QLineEdit(text)
        field.setMaxLength(_LONGEST)
        if example:
            field.setPlaceholderText(self.shell.words(example))
        self.add(key, field)
        return field

    def remark(self, text: str, role: str = "bad") -> None:
        """Says what is wrong, or how it went; an empty text says nothing."""
        self.said.setText(text)
        self.said.setVisible(bool(text))
        repolish(self.said, "role", role)
        self.fit()
        if text:
            QAccessible.updateAccessibility(QAccessibleEvent(self.said, QAccessible.Event.Alert))

    def fit(self) -> None:
        """As high as its words need."""
        layout = self.layout()
        if layout is not None:
            self.resize(self.width(), max(self.height(), layout.totalHeightForWidth(self.width())))

    def refuse(self, error: KnownError) -> None:
        """Says why it could not be done; all that was typed stays."""
        self.yes.setEnabled(True)
        told = self.shell.words.explain(error)
        self.remark(" ".join(part for part in (told.what, told.why, told.do) if part))


def mark(field: QLineEdit, wrong: Callable[[], bool] | bool) -> None:
    """Outlines a field that is wrong."""
    repolish(field, "wrong", "true" if (wrong() if callable(wrong) else wrong) else "false")
