"""Dialogues that never do anything by one press: a form first, then what will happen in words, with the button there.

UI thread; asks and tells, changes nothing itself. Recalling, changing receivers, sending a document in another's place.
"""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from signer_ui.panes.sending_work import Candidate
from signer_ui.panes.settings_form import scrolled
from signer_ui.presenters.figures import count, day
from signer_ui.shell import Shell
from signer_ui.widgets.basics import button, label, row

_WIDTH, _HEIGHT = 140, 100
"""Units of spacing."""
_LONGEST = 500
_CODE = int(Qt.ItemDataRole.UserRole)


class LowForm(QWidget):
    """What asks for the least height that it needs: a scroll area would take the height that is liked best for that."""

    def heightForWidth(self, width: int) -> int:  # noqa: N802 - Qt's name
        """The least that is needed in this width."""
        layout = self.layout()
        return layout.minimumHeightForWidth(width) if layout is not None else super().heightForWidth(width)


class TwoSteps(QDialog):
    """See the module. `said` once the second step was confirmed; then it is closed."""

    said = Signal()

    def __init__(self, shell: Shell, parent: QWidget, title: str, yes: str, *, danger: bool = False) -> None:
        super().__init__(parent)
        words, space = shell.words, shell.theme.space
        self.shell = shell
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.form = QVBoxLayout()
        self.form.setSpacing(space(2))
        self._what = label(role="heading", wrap=True)
        self._means = label(wrap=True)
        self.reason = QLineEdit()
        self.reason.setMaxLength(_LONGEST)
        self.go_on = button(words("uq_step_next"), self._go_on, "primary")
        self.back = button(words("uq_step_back"), self._go_back)
        self.yes = button(yes, self._confirmed, "danger" if danger else "primary")
        self.no = button(words("uq_step_leave"), self.reject)
        self._steps = QStackedWidget()
        first, second = LowForm(), LowForm()
        first.setLayout(self.form)
        told = QVBoxLayout(second)
        told.setSpacing(space(2))
        told.addWidget(self._what)
        told.addWidget(self._means)
        told.addStretch(1)
        for page in (first, second):
            area = scrolled(page)
            area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            self._steps.addWidget(area)
        for inner in (self.form, told):
            inner.setContentsMargins(0, 0, space(1), 0)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(*[space(4)] * 4)
        lines.setSpacing(space(3))
        lines.addWidget(label(title, "heading", wrap=True))
        lines.addWidget(self._steps, 1)
        lines.addLayout(row(self.back, 1, self.no, self.go_on, self.yes, spacing=space(2)))
        self.resize(space(_WIDTH), space(_HEIGHT))
        self._show_step(first=True)

    def ask_reason(self) -> None:
        """Adds the field for the reason."""
        title = QLabel(self.shell.words("uq_reason"))
        title.setBuddy(self.reason)
        self.reason.setAccessibleName(title.text().replace("&", ""))
        self.reason.textChanged.connect(self.enable)
        self.form.addWidget(title)
        self.form.addWidget(self.reason)

    @property
    def reason_given(self) -> str:
        """The reason in one line."""
        return " ".join(self.reason.text().split())

    def is_complete(self) -> bool:
        """Whether the form can be gone on from."""
        return bool(self.reason_given)

    def summary(self) -> tuple[str, Sequence[str]]:
        """What will happen: the question, and what it means."""
        raise NotImplementedError

    def enable(self) -> None:
        """The form was changed."""
        self.go_on.setEnabled(self.is_complete())

    def _go_on(self) -> None:
        if not self.is_complete():
            return
        what, means = self.summary()
        self._what.setText(what)
        self._means.setText("\n".join(means))
        self.yes.setAccessibleDescription(" ".join((what, *means)))
        self._show_step(first=False)
        # Enter once too often leaves everything as it was.
        self.no.setFocus()

    def _go_back(self) -> None:
        self._show_step(first=True)
        self.reason.setFocus()

    def _show_step(self, *, first: bool) -> None:
        self._steps.setCurrentIndex(0 if first else 1)
        self.go_on.setVisible(first)
        self.back.setVisible(not first)
        self.yes.setVisible(not first)
        # Nothing is the default on the second step.
        self.go_on.setDefault(first)
        for one in (self.yes, self.back, self.no):
            one.setDefault(False)

    def _confirmed(self) -> None:
        self.said.emit()
        self.accept()


def ticked_list(names: Sequence[tuple[str, str]], *, ticked: bool = True) -> QListWidget:
    """A list of (code, name) with boxes."""
    made = QListWidget()
    made.setWordWrap(True)
    for code, name in names:
        item = QListWidgetItem(name)
        item.setData(_CODE, code)
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
        item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
        made.addItem(item)
    if names:
        made.setCurrentRow(0)
    return made


def codes_of(boxes: QListWidget, *, ticked: bool) -> tuple[str, ...]:
    """Codes of the lines that are ticked, or aren't."""
    items = (boxes.item(at) for at in range(boxes.count()))
    return tuple(str(item.data(_CODE)) for item in items if (item.checkState() is Qt.CheckState.Checked) is ticked)


class RecallDialog(TwoSteps):
    """Thu hồi văn bản: from whom, and why; then once more."""

    def __init__(
        self, shell: Shell, parent: QWidget, what: str, receivers: Sequence[str], names: Mapping[str, str]
    ) -> None:
        words = shell.words
        super().__init__(shell, parent, words("uq_recall_title", label=what), words("uq_recall_yes"), danger=True)
        self._label = what
        self._names = names
        self.ask_reason()
        self.boxes = ticked_list([(code, names.get(code, code)) for code in receivers])
        self.boxes.itemChanged.connect(lambda _item: self.enable())
        title = QLabel(words("uq_recall_from"))
        title.setBuddy(self.boxes)
        self.boxes.setAccessibleName(title.text().replace("&", ""))
        self.old_way = QCheckBox(words("uq_recall_old"))
        self.form.addWidget(title)
        self.form.addWidget(self.boxes, 1)
        self.form.addWidget(self.old_way)
        self.form.addWidget(label(words("uq_recall_old_told"), "muted", wrap=True))
        self.enable()
        self.reason.setFocus()

    @property
    def asked(self) -> tuple[str, ...]:
        """Codes of those who are asked."""
        return codes_of(self.boxes, ticked=True)

    def is_complete(self) -> bool:
        """A reason, and somebody to ask."""
        return bool(self.reason_given and self.asked)

    def summary(self) -> tuple[str, Sequence[str]]:
        """From whom, and that it can't be taken back."""
        words, asked = self.shell.words, self.asked
        return words("uq_recall_sure", label=self._label, count=count(len(asked), words)), (
            "; ".join(self._names.get(code, code) for code in asked),
            words("uq_reason_line", reason=self.reason_given),
            words("uq_recall_means"),
        )


class ReplaceDialog(TwoSteps):
    """Thay thế: which document comes in place, and why; then once more."""

    def __init__(self, shell: Shell, parent: QWidget, what: str, kept: Sequence[Candidate]) -> None:
        words = shell.words
        super().__init__(shell, parent, words("uq_replace_title", label=what), words("uq_replace_yes"), danger=True)
        self._label = what
        self._kept = tuple(kept)
        if kept:
            self.ask_reason()
        self.documents = QListWidget()
        for entry in kept:
            told = " · ".join(part for part in (entry.label, day(entry.day), entry.what) if part)
            self.documents.addItem(words("uq_replace_draft", document=told) if entry.draft else told)
        self.documents.currentRowChanged.connect(lambda _row: self.enable())
        title = QLabel(words("uq_replace_by" if kept else "uq_replace_none"))
        title.setTextFormat(Qt.TextFormat.PlainText)
        title.setWordWrap(True)
        title.setBuddy(self.documents)
        self.documents.setAccessibleName(title.text().replace("&", ""))
        self.documents.setVisible(bool(kept))
        self.form.addWidget(title)
        self.form.addWidget(self.documents, 1)
        if not kept:
            self.form.addStretch(1)
        self.enable()
        self.reason.setFocus()

    @property
    def document(self) -> Candidate | None:
        """The document that comes in place."""
        at = self.documents.currentRow()
        return self._kept[at] if at >= 0 else None

    def is_complete(self) -> bool:
        """A reason, and a document."""
        return bool(self.reason_given) and self.document is not None

    def summary(self) -> tuple[str, Sequence[str]]:
        """Which goes in place of which."""
        words, document = self.shell.words, self.document
        other = (document.label or document.what) if document is not None else ""
        key = "uq_replace_sure_draft" if document is not None and document.draft else "uq_replace_sure"
        return words(key, other=other, label=self._label), (words("uq_reason_line", reason=self.reason_given),)
