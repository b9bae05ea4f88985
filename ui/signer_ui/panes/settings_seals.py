"""The seals that a body has had: which one is shown, the days on which it is used, and its picture.

UI thread. Keeps nothing by itself; what was chosen is in `value` until the form around it is saved.
"""

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from signer_ui.panes.settings_form import FormField
from signer_ui.presenters.figures import millimetres
from signer_ui.presenters.settings_bodies import SealForm, next_seal
from signer_ui.shell import Shell
from signer_ui.widgets.basics import button, row
from signer_ui.widgets.days import DaysEditor
from signer_ui.widgets.inputs import Choice
from signer_ui.widgets.seal_editor import SealEditor

_WIDE = 100
"""Units of spacing."""


class SealsEditor(QWidget):
    """Edits all seals of one body, one at a time; the newest is in front."""

    changed = Signal()

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self._shell = shell
        self._seals: tuple[SealForm, ...] = ()
        words, space = shell.words, shell.theme.space
        self.chosen = Choice(shell.theme)
        self.chosen.setAccessibleName(words("ub_seal_choose"))
        self.chosen.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.chosen.setMaximumWidth(space(_WIDE))
        self.add = button(words("ub_seal_add"), self._add)
        self.add.setToolTip(words("ub_seal_add_tip"))
        self.remove = button(words("ub_seal_remove"), self._remove, "quiet")
        self.picture = SealEditor(shell)
        self._dates = DaysEditor(words, shell.theme, words("ue_body_seal"))
        self.days = FormField(words("ub_seal_days"), self._dates, shell.theme, words("ub_seal_days_hint"))
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(space(3))
        lines.addLayout(row(self.chosen, self.add, self.remove, 1, spacing=space(2)))
        lines.addWidget(self.picture)
        lines.addWidget(self.days)
        self.chosen.currentIndexChanged.connect(lambda _index: self._show())
        self.picture.changed.connect(self._edited)
        self._dates.changed.connect(self._edited)

    @property
    def value(self) -> tuple[SealForm, ...]:
        """The seals as they are now, the newest last."""
        return self._seals

    def set_value(self, seals: tuple[SealForm, ...]) -> None:
        """Shows the seals of a body; the one in front stays there as long as there are as many."""
        before = self.chosen.currentIndex() if len(seals) == len(self._seals) else len(seals) - 1
        self._seals = seals
        self._list(before)

    def show_wrong(self) -> None:
        """Brings the first seal to the front whose days, or whose picture, are wrong."""
        wrong = [at for at, seal in enumerate(self._seals) if seal.problem() is not None or not seal.there]
        if wrong:
            self.chosen.setCurrentIndex(wrong[0])

    def _list(self, index: int) -> None:
        self.chosen.blockSignals(True)
        self.chosen.clear()
        self.chosen.addItems([self._told(seal) for seal in self._seals])
        self.chosen.setCurrentIndex(min(max(index, 0), len(self._seals) - 1))
        self.chosen.blockSignals(False)
        self._show()

    def _show(self) -> None:
        seal = self._front()
        self.picture.set_value(seal)
        self._dates.set_value(seal.begins, seal.ends)
        self._refresh()

    def _refresh(self) -> None:
        several = len(self._seals) > 1
        self.chosen.setVisible(several)
        self.remove.setVisible(several)
        # A second one only makes sense when the first has its picture.
        self.add.setVisible(bool(self._seals) and all(seal.there for seal in self._seals))
        self.days.setVisible(bool(self._seals))

    def _front(self) -> SealForm:
        at = self.chosen.currentIndex()
        return self._seals[at] if at >= 0 else SealForm()

    def _edited(self) -> None:
        at = max(0, self.chosen.currentIndex())
        begins, ends = self._dates.value
        seal = replace(self.picture.value, begins=begins, ends=ends)
        if not seal.there and len(self._seals) <= 1:
            # The only one without a picture is none; its diameter stays in the field.
            self._seals = ()
            self.chosen.blockSignals(True)
            self.chosen.clear()
            self.chosen.blockSignals(False)
        elif not self._seals:
            self._seals = (seal,)
            self.chosen.blockSignals(True)
            self.chosen.addItem(self._told(seal))
            self.chosen.blockSignals(False)
        else:
            self._seals = (*self._seals[:at], seal, *self._seals[at + 1 :])
            self.chosen.setItemText(at, self._told(seal))
        self._refresh()
        self.changed.emit()

    def _add(self) -> None:
        self._seals = next_seal(self._seals, self._shell.desk.now().date())
        self._list(len(self._seals) - 1)
        self.changed.emit()
        self.picture.choose.setFocus()

    def _remove(self) -> None:
        at = self.chosen.currentIndex()
        self._seals = (*self._seals[:at], *self._seals[at + 1 :])
        self._list(at)
        self.changed.emit()
        (self.chosen if len(self._seals) > 1 else self.picture.choose).setFocus()

    def _told(self, seal: SealForm) -> str:
        words = self._shell.words
        size = millimetres(seal.diameter_mm, words)
        if seal.begins and seal.ends:
            return words("ub_seal_between", mm=size, begins=seal.begins, ends=seal.ends)
        if seal.begins:
            return words("ub_seal_since", mm=size, begins=seal.begins)
        return words("ub_seal_until", mm=size, ends=seal.ends) if seal.ends else words("ub_seal_always", mm=size)
