"""Choosing receivers: lines of Nơi nhận become bodies of the directory, or copies on paper; what is unknown is asked.

UI thread; lines are understood and bodies searched on the quick lane. What the clerk says of a line is kept for the
body at once. What is chosen for the document itself is told when all is done, and nothing of it is kept here.
"""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLabel, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from signer_app.desk.receivers import ReceiversDesk
from signer_app.exchange.receivers import Line, LineState, lines_of
from signer_app.store.directory import Organisation
from signer_app.store.receivers import PaperReason, PaperReceiver
from signer_ui.panes import receivers_work as work
from signer_ui.presenters.receivers import Offer, Said, line_view, offers
from signer_ui.presenters.sending_list import local_time
from signer_ui.shell import Shell
from signer_ui.tasks import Handle, Lane
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.flow import Flow
from signer_ui.widgets.light import glow_icon

_SEARCH_MS = 120
"""After the last key, before the directory is asked."""
_LONGEST = 2000


class SearchField(QLineEdit):
    """A line that hands over several lines that are pasted, instead of running them together."""

    pasted = Signal(str)
    moved = Signal(int)
    """An arrow key: one down or up in what was found."""

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Ctrl+V of several lines, and the arrows; all else as in every line."""
        text = QGuiApplication.clipboard().text() if event.matches(QKeySequence.StandardKey.Paste) else ""
        if "\n" in text.strip() or ";" in text:
            self.pasted.emit(text)
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.moved.emit(1 if event.key() == Qt.Key.Key_Down else -1)
        else:
            super().keyPressEvent(event)


class ReceiversChooser(QWidget):
    """See the module. `body` is the code of the body whose document it is."""

    changed = Signal()
    """Something else is chosen than before."""
    failed = Signal(object)
    """KnownError."""

    def __init__(self, shell: Shell, body: str, lines: Sequence[str] = (), *, groups: bool = True) -> None:
        super().__init__()
        self._shell, self._body = shell, body
        self._lines: tuple[str, ...] = tuple(dict.fromkeys(lines))
        self.touched = False
        """Whether a line was added or removed, or somebody gets it on paper who could be reached."""
        self._known: work.Understood | None = None
        self.said = Said()
        self._found: tuple[Organisation, ...] = ()
        self._offers: tuple[Offer, ...] = ()
        self._reading: Handle | None = None
        self._again = False
        self._last = ""
        """The line that is to be current when lines are shown anew."""
        words = shell.words
        self.search = SearchField()
        self.search.setMaxLength(_LONGEST)
        self.search.setClearButtonEnabled(True)
        self.found, self.list = QListWidget(), QListWidget()
        self.question = label(role="strong", wrap=True)
        self.none = label(role="muted", wrap=True)
        self.take = button(words("uq_r_add"), self._take)
        self.remove_group = button(words("uq_r_remove_group"), self._remove_group, "quiet")
        self.save_group = button(words("uq_r_save_group"), self._name_group, "quiet")
        self.group_name = QLineEdit()
        self.keep_group = button(words("uq_r_group_keep"), self._save_group)
        self.to_paper = button(words("uq_r_paper"), lambda: self._on_paper(PaperReason.CHOSEN))
        self.by_law = button(words("uq_r_law"), lambda: self._on_paper(PaperReason.LAW))
        self.nobody = button(words("uq_r_nobody"), self._nobody)
        self.ask_again = button(words("uq_r_ask_again"), self._ask_again, "quiet")
        self.remove = button(words("uq_r_remove"), self._remove, "quiet")
        self.sum = label(role="muted", wrap=True)
        self.told = label(role="muted", wrap=True)
        self.save_group.setVisible(groups)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SEARCH_MS)
        self._lay_out()
        self._connect()
        self._read()

    def _lay_out(self) -> None:
        words, space = self._shell.words, self._shell.theme.space
        titles = []
        for key, control in (("uq_r_search", self.search), ("uq_r_list", self.list)):
            title = QLabel(words(key))
            title.setWordWrap(True)
            title.setBuddy(control)
            control.setAccessibleName(title.text().replace("&", ""))
            titles.append(title)
        self.found.setAccessibleName(words("uq_r_found"))
        self.group_name.setAccessibleName(words("uq_r_group_name"))
        self.group_name.setPlaceholderText(words("uq_r_group_name"))
        for one in (self.found, self.list):
            one.setWordWrap(True)
            one.setMinimumHeight(space(20))
            one.setIconSize(QSize(space(3), space(3)))
            one.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        left, right = QVBoxLayout(), QVBoxLayout()
        for part in (titles[0], self.search, self.question):
            left.addWidget(part)
        left.addWidget(self.found, 1)
        left.addWidget(self.none)
        left.addWidget(Flow((self.take, self.remove_group), space(2)))
        right.addWidget(titles[1])
        right.addWidget(self.list, 1)
        right.addWidget(Flow((self.to_paper, self.by_law, self.nobody, self.ask_again, self.remove), space(2)))
        right.addWidget(self.sum)
        right.addWidget(Flow((self.save_group, self.group_name, self.keep_group), space(2)))
        right.addWidget(self.told)
        both = row(spacing=space(4))
        for side in (left, right):
            side.setSpacing(space(1.5))
            both.addLayout(side, 1)
        self.setLayout(both)
        for hidden in (self.question, self.none, self.group_name, self.keep_group, self.remove_group, self.told):
            hidden.hide()

    def _connect(self) -> None:
        self.search.textChanged.connect(lambda _text: self._timer.start())
        self.search.returnPressed.connect(self._entered)
        self.search.pasted.connect(self.add_text)
        self.search.moved.connect(self._move)
        self._timer.timeout.connect(self._search)
        self.found.itemActivated.connect(lambda _item: self._take())
        self.found.currentRowChanged.connect(lambda _row: self._enable())
        self.list.currentRowChanged.connect(lambda _row: self._line_chosen())
        self.group_name.returnPressed.connect(self._save_group)

    def heightForWidth(self, width: int) -> int:  # noqa: N802 - Qt's name
        """The least that is needed: a scroll area would take the height that is liked best for that."""
        layout = self.layout()
        return layout.minimumHeightForWidth(width) if layout is not None else super().heightForWidth(width)

    # ---- lines -----------------------------------------------------------------------------------------------------

    def add_text(self, text: str) -> None:
        """Adds lines as they were typed or pasted."""
        self._add(lines_of(text))

    def keep_paper(self, receivers: Sequence[PaperReceiver]) -> None:
        """Who was to get it on paper before."""
        told = {one.code: one.reason for one in receivers if one.code is not None}
        stays = (PaperReason.LAW, PaperReason.CHOSEN, PaperReason.LOCKED)
        by_choice = {code: why for code, why in told.items() if why in stays}
        self.said = Said(self.said.resolution, {**self.said.on_paper, **by_choice})
        self._add([one.code or one.name for one in receivers])

    def _add(self, lines: Sequence[str]) -> None:
        more = tuple(line for line in dict.fromkeys(lines) if line not in self._lines)
        if lines:
            self._last = lines[-1]
        self._lines += more
        self.touched = self.touched or bool(more)
        self.search.clear()
        self._read()

    def _read(self) -> None:
        if self._reading is not None and self._reading.running:
            self._again = True
            return
        self._again = False
        desk, body, lines = self._shell.desk, self._body, self._lines
        self._reading = self._shell.tasks.run(
            self, Lane.QUICK, lambda _control: work.understand(desk, body, lines), self._came, failed=self.failed.emit
        )

    def _came(self, known: work.Understood) -> None:
        if self._again:
            self._read()
            return
        self._known = known
        self.said = Said(known.resolution, self.said.on_paper)
        self._show_lines()
        self._show_found()
        self.changed.emit()

    @property
    def settled(self) -> bool:
        """Whether all lines are understood as they stand now."""
        return self._known is not None and (self._reading is None or not self._reading.running)

    def _show_lines(self) -> None:
        words, theme, known = self._shell.words, self._shell.theme, self.said.resolution.lines
        asked = next((line.text for line in known if line.state is LineState.ASK), None)
        wanted = asked or self._last or (self._current.text if self._current is not None else "")
        self._last = ""
        self.list.blockSignals(True)
        self.list.clear()
        for line in known:
            view = line_view(line, self.said.on_paper, words)
            self.list.addItem(QListWidgetItem(glow_icon(theme, view.glow), view.text))
        place = next((at for at, line in enumerate(known) if line.text == wanted), len(known) - 1)
        self.list.setCurrentRow(place)
        self.list.blockSignals(False)
        self.sum.setText(self.said.summary(words))
        self._line_chosen()

    @property
    def _current(self) -> Line | None:
        lines, at = self.said.resolution.lines, self.list.currentRow()
        return lines[at] if 0 <= at < len(lines) else None

    @property
    def _asking(self) -> Line | None:
        line = self._current
        return line if line is not None and line.state is LineState.ASK else None

    def _line_chosen(self) -> None:
        line, asking, words = self._current, self._asking, self._shell.words
        view = line_view(line, self.said.on_paper, words) if line is not None else None
        self.to_paper.setVisible(view is not None and (view.asks or view.may_be_paper))
        self.by_law.setVisible(view is not None and view.may_be_paper)
        self.nobody.setVisible(asking is not None)
        self.ask_again.setVisible(view is not None and view.remembered)
        self.remove.setVisible(view is not None)
        self.question.setVisible(asking is not None)
        self.question.setText(words("uq_r_question", line=asking.text) if asking is not None else "")
        self.take.setText(words("uq_r_mean" if asking is not None else "uq_r_add"))
        self._show_found()

    # ---- searching -------------------------------------------------------------------------------------------------

    def _search(self) -> None:
        desk, typed = self._shell.desk, self.search.text()

        def found(bodies: tuple[Organisation, ...]) -> None:
            if typed == self.search.text():
                self._found = bodies
                self._show_found()

        self._shell.tasks.run(
            self,
            Lane.QUICK,
            lambda _control: work.search(desk, typed),
            found,
            failed=self.failed.emit,
            newest_first=True,
        )

    def _show_found(self) -> None:
        """Of an unknown line those that it may mean, until something is typed; else what was found."""
        words, typed, known = self._shell.words, self.search.text(), self._known
        asking = self._asking
        if typed.strip():
            told = offers(typed, self._found, known.groups if known is not None else (), words)
        elif asking is not None:
            told = offers("", asking.candidates, (), words)
        else:
            told = offers("", (), known.groups if known is not None else (), words)
        if told != self._offers or self.found.count() != len(told):
            self._offers = told
            self.found.clear()
            for offer in told:
                self.found.addItem(offer.text)
            if told:
                self.found.setCurrentRow(0)
        searched = bool(typed.strip()) or asking is not None
        if known is not None and not known.day.known:
            self.none.setText(words("uq_r_no_directory"))
        elif searched and not told:
            self.none.setText(words("uq_r_none"))
        elif known is not None and known.day.fetched_at is not None:
            self.none.setText(words("uq_r_day", time=local_time(known.day.fetched_at, self._shell.desk.now())))
        else:
            self.none.clear()
        self.none.setVisible(bool(self.none.text()))
        self._enable()

    @property
    def _offer(self) -> Offer | None:
        at = self.found.currentRow()
        return self._offers[at] if 0 <= at < len(self._offers) else None

    def _enable(self) -> None:
        offer = self._offer
        self.take.setEnabled(offer is not None)
        self.remove_group.setVisible(offer is not None and bool(offer.group) and self._asking is None)
        self.save_group.setEnabled(bool(self.said.choice.codes))

    def _move(self, step: int) -> None:
        if self.found.count():
            self.found.setCurrentRow(max(0, min(self.found.count() - 1, self.found.currentRow() + step)))

    def _entered(self) -> None:
        """Enter takes what was found for what was typed; what nobody knows becomes a line that is asked about."""
        typed = self.search.text().strip()
        if self._timer.isActive():
            # Typed faster than the directory answers: the words themselves are understood.
            self._timer.stop()
            self.add_text(typed)
        elif self._offer is not None and (typed or self._asking is not None):
            self._take()
        elif typed:
            self.add_text(typed)

    def _take(self) -> None:
        offer, asking = self._offer, self._asking
        if offer is None:
            return
        if asking is None:
            self._add([offer.line])
        else:
            self.search.clear()
            self._keep(lambda desk: desk.means(self._body, asking.text, offer.codes))
        self.search.setFocus()

    # ---- what is said of a line ------------------------------------------------------------------------------------

    def _keep(self, do: Callable[[ReceiversDesk], None], told: str = "") -> None:
        desk = self._shell.desk

        def kept(_none: None) -> None:
            if told:
                self.told.setText(told)
                self.told.show()
            self._read()

        self._shell.tasks.run(self, Lane.QUICK, lambda _control: do(desk.receivers), kept, failed=self.failed.emit)

    def _on_paper(self, reason: PaperReason) -> None:
        line = self._current
        if line is None:
            return
        if line.state is LineState.ASK:
            self._keep(lambda desk: desk.means_paper(self._body, line.text))
            return
        chosen = {reach.code: reason for reach in line.reaches if reach.reason is None}
        self.said = Said(self.said.resolution, {**self.said.on_paper, **chosen})
        self.touched = True
        self._show_lines()
        self.changed.emit()

    def _nobody(self) -> None:
        if (line := self._asking) is not None:
            self._keep(lambda desk: desk.means_nobody(self._body, line.text))

    def _ask_again(self) -> None:
        if (line := self._current) is not None:
            self._last = line.text
            self._keep(lambda desk: desk.ask_again(self._body, line.text))

    def _remove(self) -> None:
        line, at = self._current, self.list.currentRow()
        if line is None:
            return
        gone = {reach.code for reach in line.reaches}
        kept = {code: why for code, why in self.said.on_paper.items() if code not in gone}
        self.said = Said(self.said.resolution, kept)
        left = [one.text for number, one in enumerate(self.said.resolution.lines) if number != at]
        self._lines, self.touched = tuple(left), True
        self._last = left[min(at, len(left) - 1)] if left else ""
        self._read()

    # ---- groups ----------------------------------------------------------------------------------------------------

    def _name_group(self) -> None:
        for field in (self.group_name, self.keep_group):
            field.show()
        self.group_name.setFocus()

    def _save_group(self) -> None:
        name, codes = self.group_name.text().strip(), self.said.choice.codes
        for field in (self.group_name, self.keep_group):
            field.hide()
        self.group_name.clear()
        told = self._shell.words("uq_r_group_saved", name=name)
        self._keep(lambda desk: desk.save_group(self._body, name, codes), told)
        self.save_group.setFocus()

    def _remove_group(self) -> None:
        offer = self._offer
        if offer is not None and offer.group:
            told = self._shell.words("uq_r_group_removed", name=offer.group)
            self._keep(lambda desk: desk.remove_group(self._body, offer.group), told)
