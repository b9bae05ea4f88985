"""One document of the register, or one number: what it is, its files with their buttons, the receipt, the proof.

UI thread; shows what the presenter says and tells what was pressed.
"""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from signer_app.store.number_book import NumberEntry
from signer_ui.presenters.register import ArrivalNumber, DetailsView, FileView, Kept
from signer_ui.shell import Shell
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.elided import Elided
from signer_ui.widgets.facts import Facts


class EntryDetails(QFrame):
    """See the module; `again`, `give`, `give_up` and `void` are what becomes of the four buttons."""

    def __init__(
        self,
        shell: Shell,
        open_file: Callable[[str], None],
        save_file: Callable[[FileView], None],
        again: Callable[[str], None],
        give: Callable[[Kept], None],
        give_up: Callable[[NumberEntry], None],
        void: Callable[[ArrivalNumber], None],
    ) -> None:
        super().__init__()
        words, theme = shell.words, shell.theme
        self._words, self._theme = words, theme
        self._open_file, self._save_file = open_file, save_file
        self._view: DetailsView | None = None
        self._main: str | None = None
        self.setProperty("role", "card")
        self._empty = label(words("ut_choose_document"), "muted", wrap=True)
        self.heading = label(role="heading", wrap=True)
        self.under = label(role="muted", wrap=True)
        self.facts = Facts(theme)
        self.trouble = label(role="bad", wrap=True)
        self.note = label(role="muted", wrap=True)
        self.again = button(words("uk_again"), lambda: again(self._view.again if self._view else ""))
        self.give = button(words("uq_give"), lambda: self._give(give))
        self.give_up = button(words("uk_give_up"), lambda: self._give_up(give_up), "danger")
        self.void = button(words("ur_void"), lambda: self._void(void), "danger")
        self.files = QVBoxLayout()
        self.files.setSpacing(theme.space(2))
        self.receipt = Facts(theme)
        self.proof = Facts(theme)
        self._content = QWidget()
        self._content.setProperty("role", "page")
        lines = QVBoxLayout(self._content)
        lines.setContentsMargins(*[theme.space(4)] * 4)
        lines.setSpacing(theme.space(2))
        for part in (self._empty, self.heading, self.under, self.facts, self.note, self.trouble):
            lines.addWidget(part)
        lines.addLayout(row(self.give, 1, spacing=theme.space(2)))
        lines.addLayout(row(self.again, self.give_up, self.void, 1, spacing=theme.space(2)))
        self._titles = [label(words(key), "strong") for key in ("ut_signed_files", "ut_receipt", "ut_proof")]
        lines.addWidget(self._titles[0])
        lines.addLayout(self.files)
        lines.addWidget(self._titles[1])
        lines.addWidget(self.receipt)
        lines.addWidget(self._titles[2])
        lines.addWidget(self.proof)
        lines.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setAccessibleName(words("ut_details"))
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self._content)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(1, 1, 1, 1)
        outer.addWidget(scroll)
        self.clear()

    def clear(self) -> None:
        """Nothing is chosen."""
        self._view = None
        self._main = None
        texts = (*self._titles, self.heading, self.under, self.facts, self.note, self.trouble, self.receipt, self.proof)
        for part in (*texts, self.again, self.give, self.give_up, self.void):
            part.hide()
        self._clear_files()
        self._empty.show()

    def show_view(self, view: DetailsView) -> None:
        """Shows a document; the same again changes nothing, so that no button goes from under a finger."""
        if view == self._view:
            return
        self._view = view
        self._empty.hide()
        for part, text in (
            (self.heading, view.heading),
            (self.under, view.under),
            (self.note, view.note),
            (self.trouble, view.trouble),
        ):
            part.setText(text)
            part.setVisible(bool(text))
        self.again.setVisible(bool(view.again))
        self.give.setVisible(view.give is not None)
        self.give_up.setVisible(view.number is not None)
        self.void.setVisible(view.arrival is not None)
        self.facts.put([(fact.what, fact.value) for fact in view.facts])
        self._clear_files()
        for file in view.files:
            self.files.addWidget(self._file(file))
        self._main = view.files[0].id if view.files else None
        self.receipt.put([(fact.what, fact.value) for fact in view.receipt])
        proof = [fact for file in view.files[:1] for fact in file.proof]
        self.proof.put([(fact.what, fact.value) for fact in proof])
        for title, there in zip(self._titles, (view.files, view.receipt, proof), strict=True):
            title.setVisible(bool(there))

    def open_main(self) -> None:
        """Opens the main file."""
        if self._main is not None:
            self._open_file(self._main)

    def _give(self, give: Callable[[Kept], None]) -> None:
        if self._view is not None and self._view.give is not None:
            give(self._view.give)

    def _give_up(self, give_up: Callable[[NumberEntry], None]) -> None:
        if self._view is not None and self._view.number is not None:
            give_up(self._view.number)

    def _void(self, void: Callable[[ArrivalNumber], None]) -> None:
        if self._view is not None and self._view.arrival is not None:
            void(self._view.arrival)

    def _file(self, file: FileView) -> QWidget:
        words, theme = self._words, self._theme
        card = QWidget()
        lines = QVBoxLayout(card)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(theme.space(1))
        under = label(file.under, "muted", wrap=True)
        see = button(words("ut_open"), lambda: self._open_file(file.id))
        save = button(words("ut_save_copy"), lambda: self._save_file(file))
        for act in (see, save):
            act.setAccessibleDescription(file.name)
        lines.addWidget(Elided(file.name))
        lines.addWidget(under)
        lines.addLayout(row(see, save, 1, spacing=theme.space(2)))
        return card

    def _clear_files(self) -> None:
        while (item := self.files.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
