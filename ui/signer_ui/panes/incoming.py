"""Incoming documents: the list of what came, and in its place the list of files that the clerk has checked; beside it
the document that is chosen, with the verdict on its signatures and what may be done with it.

UI thread. Lists are read on lanes. All valid documents are accepted by one click. PDFs and folders that are dropped
here are checked. What could not be decided is looked at again by itself.
"""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QApplication, QLineEdit, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from signer_app.desk.incoming import IncomingRow
from signer_app.desk.incoming_model import Place
from signer_app.desk.verifying import Checked
from signer_ui.glow import Glow
from signer_ui.panes.incoming_accepting import AcceptingAll
from signer_ui.panes.incoming_again import DecidingAgain
from signer_ui.panes.incoming_details import Details
from signer_ui.panes.incoming_loud import LoudStrip
from signer_ui.panes.verifying_again import CheckingAgain
from signer_ui.panes.verifying_files import CheckedFiles
from signer_ui.presenters.incoming import SPARED, Answering, ListView, columns, list_view
from signer_ui.shell import Pane, Shell
from signer_ui.tasks import Control, Handle, Lane
from signer_ui.widgets.basics import button, label, repolish, row
from signer_ui.widgets.flow import Flow
from signer_ui.widgets.grid import Grid
from signer_ui.widgets.notice import Notice

_LEARNT_AT_ONCE = 400
"""Headers read before the list is shown anew."""
_MOST_LEARNT = 2000
"""Headers of older packets are read when one of those is opened."""
_SHARES = {False: (213, 121), True: (160, 174)}
"""Units of width of the list and of the document, without and with checked files."""
_NARROW = 240
"""Units of width below which the list does without some of its columns."""


class IncomingPane(Pane):
    """Lists and details."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        words, theme = shell.words, shell.theme
        self._view: ListView | None = None
        self._stale = True
        self._again = False
        self._reading: Handle | None = None
        self._learning: Handle | None = None
        self.notice = Notice(words, theme)
        self.search = QLineEdit()
        self.search.setPlaceholderText(words("ut_search"))
        self.search.setAccessibleName(words("ut_search"))
        self.search.setClearButtonEnabled(True)
        self.accepting = AcceptingAll(shell, self.notice)
        self.accept_all = self.accepting.button
        self.summary = label(role="muted", wrap=True)
        self.loud = LoudStrip(shell, self.go_to)
        self.fetch = button(words("ut_sync"), shell.hub.send_now)
        self.grid: Grid[IncomingRow] = Grid(
            columns(words, shell.desk.now),
            lambda entry: entry.id,
            words,
            theme,
            shell.tasks,
            words("ut_incoming_name"),
        )
        self.grid.spare(SPARED)
        self.check = button(words("uv_check_files"), self._choose_files)
        self.details = Details(shell, self.notice, self.grid.setFocus)
        self.files = CheckedFiles(shell, self.notice, self.show_incoming)
        self._undecided = CheckingAgain(shell, self)
        self._deciding_again = DecidingAgain(shell, self)
        self._lists = QStackedWidget()
        self._list = QWidget()
        self.setAcceptDrops(True)
        self._lay_out()
        self.search.textChanged.connect(self.grid.set_filter)
        self.grid.current_changed.connect(self._chosen)
        for changed in (self.grid.chosen_changed, self.grid.presented):
            changed.connect(lambda: self.accepting.choose(self.grid.chosen_ids))
        self.grid.activated_row.connect(lambda _id: self.details.go_in())
        self.files.grid.activated_row.connect(lambda _id: self.details.go_in())
        self.files.chosen.connect(self._result_chosen)
        self.details.view.checked.connect(lambda checked: self.files.replace([checked]))
        self.details.view.wide_changed.connect(self._widen)
        self._undecided.again.connect(self._checked_again)
        self.details.deciding.changed.connect(self._written)
        self.details.deciding.decided.connect(self._go_on_from)
        self.details.rechecked.connect(shell.hub.poke_store)
        self._deciding_again.found.connect(shell.hub.poke_store)
        self.accepting.changed.connect(self._written)
        shell.hub.store_changed.connect(self._store_changed)
        shell.hub.settings_changed.connect(self._settings_changed)
        self._put_mode()
        for key, act in (("Ctrl+F", self._go_to_search), ("Ctrl+O", self._choose_files)):
            made = QShortcut(QKeySequence(key), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
            made.activated.connect(act)

    def _lay_out(self) -> None:
        # From the outside in: what moves into another widget has all that it holds styled anew.
        theme = self.shell.theme
        margin = theme.space(4)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(margin, theme.space(3), margin, theme.space(2))
        outer.setSpacing(theme.space(2))
        outer.addWidget(self.notice)
        outer.addWidget(self.loud)
        self._splitter = splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.setProperty("role", "gap")
        splitter.setHandleWidth(theme.space(2))
        outer.addWidget(splitter, 1)
        splitter.addWidget(self._lists)
        self._lists.addWidget(self._list)
        self._lists.addWidget(self.files)
        lines = QVBoxLayout(self._list)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(theme.space(2))
        bar = row(self.accept_all, self.search, spacing=theme.space(2))
        bar.setStretch(1, 1)
        below = row(self.summary, Flow((self.fetch, self.check), theme.space(2)), spacing=theme.space(2))
        below.setStretch(0, 1)
        lines.addLayout(bar)
        lines.addWidget(self.accepting.progress)
        lines.addLayout(below)
        lines.addWidget(self.grid, 1)
        splitter.addWidget(self.details)
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([theme.space(units) for units in _SHARES[False]])

    # ---- the list --------------------------------------------------------------------------------------------------

    def first_control(self) -> QWidget:
        """The search, or in the list of checked files the way to more of them."""
        return self.files.more if self._checking_files else self.search

    def shown(self) -> None:
        """Reads the list if something may have come."""
        if self._stale:
            self._read()

    def busy(self) -> str | None:
        """All valid documents are being accepted."""
        return "ua_busy" if self.accepting.running else None

    def stop(self) -> None:
        """Accepts no further document."""
        self.accepting.stop()

    def _store_changed(self) -> None:
        self._stale = True
        if self.isVisible():
            self._read()

    def _settings_changed(self, _settings: object) -> None:
        self._put_mode()
        self._store_changed()

    def _put_mode(self) -> None:
        """Where another system exchanges for every body, nothing is fetched or accepted: files are checked."""
        words, answering = self.shell.words, Answering.of(self.shell.hub.settings)
        for part in (self.accept_all, self.fetch):
            part.setVisible(not answering.external)
        self.grid.set_empty_text(words("ua_empty_external" if answering.external else "ut_incoming_empty"))

    def _written(self) -> None:
        """Something was decided: whoever shows it reads anew, and the sender's answer leaves."""
        self.shell.hub.poke_store()
        self.shell.hub.sync_now()

    def _read(self) -> None:
        if self._reading is not None and self._reading.running:
            self._again = True
            return
        self._again = self._stale = False
        desk, words, answering = self.shell.desk, self.shell.words, Answering.of(self.shell.hub.settings)

        def work(_control: Control) -> ListView:
            return list_view(desk.incoming.look(), answering, desk.now(), words)

        self._reading = self.shell.tasks.run(self, Lane.QUICK, work, self._came, failed=self.shell.notice)

    def _came(self, view: ListView) -> None:
        before, self._view = self._view, view
        self.summary.setText(view.summary)
        repolish(self.summary, "role", "bad" if view.glow is Glow.BAD else "muted")
        self.accepting.put(view.ready, view.snapshot.by_id)
        self.loud.put(view.loud, view.loud_id)
        if before is None or view.snapshot is not before.snapshot:
            self.grid.set_rows(view.snapshot.rows)
            if not self._checking_files and self.grid.current_id is not None:
                self._chosen(self.grid.current_id)
        else:
            # What is said of deadlines grows old even when nothing has come.
            self.grid.viewport().update()
        self._learn(view.snapshot.rows)
        if self._again:
            self._read()

    def go_to(self, row_id: str) -> None:
        """Goes to a document of the list."""
        self.show_incoming()
        if self._view is not None and row_id in self._view.snapshot.by_id and row_id not in self.grid.shown_ids:
            self.search.clear()
        self.grid.choose((row_id,))
        self.grid.setFocus()

    def _go_on_from(self, row_id: str) -> None:
        """To the next document that waits; the keyboard goes to the list, so that no key decides two documents."""
        self.grid.setFocus()
        if self._view is None or self.grid.current_id != row_id:
            return
        shown, rows = self.grid.shown_ids, self._view.snapshot.by_id
        at = shown.index(row_id)
        beside = (rows.get(one) for one in (*shown[at + 1 :], *reversed(shown[:at])))
        following = next((one.id for one in beside if one is not None and one.place < Place.DONE), None)
        if following is not None:
            self.grid.choose((following,))

    def _learn(self, rows: tuple[IncomingRow, ...]) -> None:
        """Numbers stand in the packets themselves: they come bit by bit, the newest first."""
        unknown = tuple(entry for entry in rows[:_MOST_LEARNT] if entry.facts is None and not entry.secret)
        if not unknown or (self._learning is not None and self._learning.running):
            return
        desk = self.shell.desk
        self._learning = self.shell.tasks.run(
            self,
            Lane.DOCUMENTS,
            lambda control: desk.incoming.learn(unknown[:_LEARNT_AT_ONCE], lambda: control.cancelled),
            lambda _read: self._read(),
            failed=self.shell.notice,
        )

    def _go_to_search(self) -> None:
        if not self._checking_files:
            self.search.setFocus()

    def _chosen(self, packet_id: object) -> None:
        entry = self._view.snapshot.by_id.get(str(packet_id)) if self._view is not None and packet_id else None
        self.details.show_row(entry)

    # ---- files that are checked ------------------------------------------------------------------------------------

    @property
    def _checking_files(self) -> bool:
        return self._lists.currentWidget() is self.files

    def show_incoming(self) -> None:
        """Back to what came; what was checked stays in its list."""
        self.details.view.wide.setChecked(False)
        if self._checking_files:
            self._lists.setCurrentWidget(self._list)
            self._share()
            self.details.show_nothing(self.shell.words("ut_choose_incoming"))
            self._chosen(self.grid.current_id)
            self.search.setFocus()

    def show_files(self) -> None:
        """The list of checked files."""
        self.details.view.wide.setChecked(False)
        if not self._checking_files:
            self._lists.setCurrentWidget(self.files)
            self._share()
            self._result_chosen(self.files.current)
            self.files.more.setFocus()

    def _share(self) -> None:
        """The list of checked files needs less room than that of what came."""
        whole, parts = sum(self._splitter.sizes()), _SHARES[self._checking_files]
        if whole:
            left = whole * parts[0] // sum(parts)
            self._splitter.setSizes([left, whole - left])

    def _choose_files(self) -> None:
        """Asks for files to be checked (Kiểm tra tệp…)."""
        self.show_files()
        self.files.choose_files()

    def check_paths(self, paths: list[Path]) -> None:
        """Checks files and folders."""
        self.show_files()
        self.files.check(paths)

    def _result_chosen(self, checked: Checked | None) -> None:
        if not self._checking_files:
            return
        if checked is None:
            self.details.show_nothing(self.shell.words("uv_choose_result"))
        else:
            self.details.show_checked(checked)

    def _checked_again(self, found: tuple[Checked, ...]) -> None:
        """Newer answers take the place of those shown."""
        self.files.replace(found)
        for checked in found:
            self.details.view.refresh(checked)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Files and folders may be dropped anywhere here."""
        if _dropped(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """What is dropped on this tab came from somebody: it is checked."""
        if paths := _dropped(event):
            event.acceptProposedAction()
            self.check_paths(paths)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """In a narrow window the two buttons have the line of the summary."""
        super().resizeEvent(event)
        self.summary.setVisible(self.width() >= self.shell.theme.space(_NARROW))

    def _widen(self, wide: bool) -> None:
        """Shows the document alone, or the list beside it; the keyboard isn't left in what is hidden."""
        focus = QApplication.focusWidget()
        if wide and focus is not None and self._lists.isAncestorOf(focus):
            self.details.go_in()
        self._lists.setVisible(not wide)

    # ---- the keyboard ----------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Esc leads from the details back to the list."""
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
            return
        self.details.view.wide.setChecked(False)
        (self.files.grid if self._checking_files else self.grid).setFocus()


def _dropped(event: QDropEvent) -> list[Path]:
    """The local files and folders that are dropped."""
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
