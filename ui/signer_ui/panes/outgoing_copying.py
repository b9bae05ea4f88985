"""What is asked of a copy, in place: its form and who ordered it (NĐ 30/2020, Đ25 and Đ27.1), with what is to be known.

UI thread; tells what was said, keeps nothing: the draft does.
"""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QLineEdit, QVBoxLayout, QWidget

from signer_app.outgoing.model import CopyOrder
from signer_app.pdf.model import CopyForm
from signer_ui.presenters.outgoing_kinds import CopyQuestion, form_text
from signer_ui.theme import Theme
from signer_ui.widgets.basics import label, repolish, row
from signer_ui.widgets.inputs import Choice
from signer_ui.words import Words


class CopyPart(QFrame):
    """Hidden where no copy is made."""

    told = Signal(str, object)
    """Draft, and a CopyOrder: what the person says now."""

    def __init__(self, words: Words, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._question: CopyQuestion | None = None
        self.form = Choice(theme)
        for form in CopyForm:
            self.form.addItem(form_text(form, words), form.value)
        self.form.setAccessibleName(words("uk_copy_form"))
        self.form.setToolTip(words("uk_copy_form"))
        self.by = QLineEdit()
        self.by.setPlaceholderText(words("uk_copy_by_hint"))
        self.by.setAccessibleName(words("uk_copy_by"))
        self.by.setMaxLength(200)
        asked = label(words("uk_copy_by"), "strong")
        asked.setBuddy(self.by)
        self._told = label(role="muted", wrap=True)
        self.by.setAccessibleDescription(words("uk_copy_told"))
        line = row(self.form, asked, self.by, spacing=theme.space(2))
        line.setStretch(2, 1)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(theme.space(0.5))
        lines.addLayout(line)
        lines.addWidget(self._told)
        self.form.activated.connect(lambda _at: self._tell())
        self.by.editingFinished.connect(self._tell)
        self.hide()

    def ask(self, question: CopyQuestion | None) -> None:
        """Shows the question; what is being typed about the same document stays."""
        before, self._question = self._question, question
        self.setVisible(question is not None)
        if question is None:
            return
        self.form.setCurrentIndex(self.form.findData(question.form.value))
        if before is None or before.draft != question.draft or not self.by.hasFocus():
            self.by.setText(question.ordered_by)
            self.by.setCursorPosition(0)
        self._told.setText(question.told)
        repolish(self.by, "wrong", "true" if question.open else "false")

    def focus(self) -> None:
        """Leads the keyboard to who ordered the copy, where nobody has said that yet."""
        if self._question is not None and self._question.open:
            self.by.setFocus()

    def _tell(self) -> None:
        asked = self._question
        if asked is None:
            return
        form, by = CopyForm(self.form.currentData()), " ".join(self.by.text().split())
        if (form, by) != (asked.form, asked.ordered_by):
            self.told.emit(asked.draft, CopyOrder(form, by))
