"""Incoming documents: the list of what came, and of one of them the sender's words, its files, pages and signatures.

UI thread. Opening and verifying are done on lanes; what nobody looks at any more is given up. What a sender wrote is
shown as plain text. Accepting and returning a document is not done here.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QLineEdit,
    QListWidget,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from signer_app.desk.incoming import IncomingFile, IncomingRow, IncomingSnapshot, OpenedPacket
from signer_app.verification.model import FileReport
from signer_resources.errors import KnownError
from signer_ui.glow import Glow
from signer_ui.presenters.incoming import (
    VerdictView,
    columns,
    file_words,
    packet_view,
    suggested_name,
    verdict_view,
)
from signer_ui.shell import Pane, Shell
from signer_ui.tasks import Control, Handle, Lane
from signer_ui.widgets.basics import button, label, repolish, row
from signer_ui.widgets.elided import Elided, plain_tip
from signer_ui.widgets.facts import Facts
from signer_ui.widgets.grid import Grid
from signer_ui.widgets.notice import Notice
from signer_ui.widgets.page_view import PageView
from signer_ui.widgets.progress import ProgressLine

T = TypeVar("T")

_LEARNT_AT_ONCE = 400
"""Headers read before the list is shown anew."""
_MOST_LEARNT = 2000
"""Headers of older packets are read when one of those is opened."""
_ROLES = {Glow.GOOD: "good", Glow.WARN: "warn", Glow.BAD: "bad", Glow.OFF: "muted"}


class IncomingPane(Pane):
    """List and details."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        words, theme = shell.words, shell.theme
        self._snapshot: IncomingSnapshot | None = None
        self._stale = True
        self._again = False
        self._reading: Handle | None = None
        self._learning: Handle | None = None
        self.notice = Notice(words, theme)
        self.search = QLineEdit()
        self.search.setPlaceholderText(words("ut_search"))
        self.search.setAccessibleName(words("ut_search"))
        self.search.setClearButtonEnabled(True)
        self.fetch = button(words("ut_sync"), shell.hub.send_now)
        self.grid: Grid[IncomingRow] = Grid(
            columns(words, shell.desk.now),
            lambda entry: entry.id,
            words,
            theme,
            shell.tasks,
            words("ut_incoming_name"),
        )
        self.grid.set_empty_text(words("ut_incoming_empty"))
        self.details = _Details(shell, self.notice)
        self._lay_out()
        self.search.textChanged.connect(self.grid.set_filter)
        self.grid.current_changed.connect(self._chosen)
        self.grid.activated_row.connect(lambda _id: self.details.go_in())
        shell.hub.store_changed.connect(self._store_changed)
        find = QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self)
        find.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        find.activated.connect(self.search.setFocus)

    def _lay_out(self) -> None:
        # From the outside in: what moves into another widget has all that it holds styled anew.
        theme = self.shell.theme
        margin = theme.space(4)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(margin, theme.space(3), margin, theme.space(2))
        outer.setSpacing(theme.space(2))
        outer.addWidget(self.notice)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.setProperty("role", "gap")
        splitter.setHandleWidth(theme.space(2))
        outer.addWidget(splitter, 1)
        left = QWidget()
        splitter.addWidget(left)
        lines = QVBoxLayout(left)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(theme.space(2))
        bar = row(self.search, self.fetch, spacing=theme.space(2))
        bar.setStretch(0, 1)
        lines.addLayout(bar)
        lines.addWidget(self.grid, 1)
        splitter.addWidget(self.details)
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([theme.space(192), theme.space(142)])

    # ---- the list --------------------------------------------------------------------------------------------------

    def first_control(self) -> QWidget:
        """The search."""
        return self.search

    def shown(self) -> None:
        """Reads the list if something may have come."""
        if self._stale:
            self._read()

    def _store_changed(self) -> None:
        self._stale = True
        if self.isVisible():
            self._read()

    def _read(self) -> None:
        if self._reading is not None and self._reading.running:
            self._again = True
            return
        self._again = self._stale = False
        desk = self.shell.desk
        self._reading = self.shell.tasks.run(
            self, Lane.QUICK, lambda _control: desk.incoming.look(), self._came, failed=self.shell.notice
        )

    def _came(self, snapshot: IncomingSnapshot) -> None:
        if snapshot is not self._snapshot:
            self._snapshot = snapshot
            self.grid.set_rows(snapshot.rows)
        self._learn(snapshot.rows)
        if self._again:
            self._read()

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

    def _chosen(self, packet_id: object) -> None:
        entry = self._snapshot.by_id.get(str(packet_id)) if self._snapshot is not None and packet_id else None
        self.details.show_row(entry)


class _Details(QFrame):
    """One packet."""

    def __init__(self, shell: Shell, notice: Notice) -> None:
        super().__init__()
        words, theme = shell.words, shell.theme
        self._shell, self._notice = shell, notice
        self._row: IncomingRow | None = None
        self._files: tuple[IncomingFile, ...] = ()
        self._work: Handle | None = None
        self._turn = 0
        self.setProperty("role", "card")
        self._empty = label(words("ut_choose_incoming"), "muted", wrap=True)
        self.heading = label(role="heading", wrap=True)
        self.under = label(role="muted", wrap=True)
        self.facts = Facts(theme)
        self.list = QListWidget()
        self.list.setAccessibleName(words("ut_files"))
        self.list.currentRowChanged.connect(self._file_chosen)
        self.save = button(words("ut_save_file"), self._save)
        self.verdict = label(role="strong", wrap=True)
        self.why = label(role="muted", wrap=True)
        self._signatures = QVBoxLayout()
        self._signatures.setSpacing(theme.space(0.5))
        self.progress = ProgressLine(words, theme)
        self.pages = PageView(shell.tasks, shell.desk.pages, words, theme)
        self.pages.show_thumbnails(False)
        self._told = QWidget()
        self._told.setProperty("role", "page")
        lines = QVBoxLayout(self._told)
        lines.setContentsMargins(*[theme.space(3)] * 4)
        lines.setSpacing(theme.space(2))
        # What matters most stands first: on a small screen the rest scrolls.
        for part in (self._empty, self.heading, self.under, self.progress, self.verdict, self.why):
            lines.addWidget(part)
        lines.addLayout(self._signatures)
        files = row(self.list, self.save, spacing=theme.space(2))
        files.setStretch(0, 1)
        files.setAlignment(self.save, Qt.AlignmentFlag.AlignTop)
        lines.addLayout(files)
        lines.addWidget(self.facts)
        lines.addStretch(1)
        self._share = self._lay_out()
        # Labels that were just made have a size when the event loop has laid them out.
        self._told.installEventFilter(self)
        self._fitting = QTimer(self)
        self._fitting.setSingleShot(True)
        self._fitting.setInterval(0)
        self._fitting.timeout.connect(self._fit)
        self._show_nothing()

    def _lay_out(self) -> QSplitter:
        """Words above, page below; on a small screen the words scroll, and the border between can be moved."""
        theme = self._shell.theme
        words = QScrollArea()
        words.setWidgetResizable(True)
        words.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        words.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 1, 1, theme.space(2))
        share = QSplitter(Qt.Orientation.Vertical)
        share.setProperty("role", "gap")
        share.setChildrenCollapsible(False)
        share.setHandleWidth(theme.space(1))
        outer.addWidget(share)
        share.addWidget(words)
        share.addWidget(self.pages)
        share.setStretchFactor(1, 1)
        words.setWidget(self._told)
        self.setMinimumWidth(theme.space(90))
        return share

    def _fit(self) -> None:
        """The words get what they need, but never more than half."""
        if not self.pages.isHidden():
            room = self._share.height()
            needed = min(self._told.heightForWidth(self._share.width()), room // 2)
            self._share.setSizes([needed, room - needed])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Shares the room anew when the words need another height."""
        if event.type() is QEvent.Type.LayoutRequest:
            self._fitting.start()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Shares the room anew."""
        super().resizeEvent(event)
        self._fitting.start()

    # ---- the packet ------------------------------------------------------------------------------------------------

    def show_row(self, entry: IncomingRow | None) -> None:
        """Opens a packet; the one that is open already stays as it is."""
        if entry is not None and self._row is not None and entry.id == self._row.id:
            return
        self._give_up()
        self._row = entry
        self._show_nothing()
        if entry is None:
            return
        words = self._shell.words
        self._empty.hide()
        self.heading.setText(words("ut_incoming_secret_row") if entry.secret else entry.subject)
        self.heading.show()
        if entry.secret:
            return
        desk = self._shell.desk
        self._begin("ut_opening_packet")
        self._run(Lane.DOCUMENTS, lambda _control: desk.incoming.open(entry), self._opened)

    def go_in(self) -> None:
        """Gives the keyboard to the files."""
        self.list.setFocus()

    def _opened(self, packet: OpenedPacket) -> None:
        self.progress.end()
        if self._row is None:
            return
        words = self._shell.words
        view = packet_view(self._row, packet, words)
        self.heading.setText(view.heading)
        self.under.setText(view.under)
        self.under.setVisible(bool(view.under))
        self.facts.put([(fact.what, fact.value) for fact in view.facts])
        self._files = packet.files
        self.list.clear()
        self.list.addItems([file_words(file, words) for file in packet.files])
        for at, file in enumerate(packet.files):
            self.list.item(at).setToolTip(plain_tip(file.name))
        # As high as it needs for the usual two or three, no higher: the page needs the room.
        height = self.list.sizeHintForRow(0) if packet.files else 0
        self.list.setFixedHeight(min(3, max(1, len(packet.files))) * height + self._shell.theme.space(1))
        self.list.setVisible(bool(packet.files))
        self.save.setVisible(bool(packet.files))
        if packet.files:
            first = next((at for at, file in enumerate(packet.files) if file.is_pdf), 0)
            self.list.setCurrentRow(first)
        else:
            self._tell(words("ut_no_files"), Glow.OFF)

    # ---- one file --------------------------------------------------------------------------------------------------

    def _file_chosen(self, at: int) -> None:
        self._give_up()
        self._tell("", Glow.OFF)
        if not 0 <= at < len(self._files):
            return
        file = self._files[at]
        if not file.is_pdf:
            self.pages.hide()
            self._tell(self._shell.words("ut_not_pdf"), Glow.OFF)
            return
        self.pages.show()
        self.pages.show_file(file.path)
        self._verify(file, fetch=True)

    def _verify(self, file: IncomingFile, *, fetch: bool) -> None:
        desk = self._shell.desk
        self._begin("ut_verifying")

        def came(report: FileReport) -> None:
            self.progress.end()
            self._show_verdict(verdict_view(report, desk.now(), self._shell.words))
            if fetch and report.wanted_urls:
                self._fetch(file, report)

        self._run(Lane.DOCUMENTS, lambda _control: desk.incoming.verify(file), came)

    def _fetch(self, file: IncomingFile, report: FileReport) -> None:
        """What is missing is asked for on the network's lane; the first verdict stands meanwhile."""
        desk = self._shell.desk

        def came(new: bool) -> None:
            if new:
                self._verify(file, fetch=False)

        self._run(Lane.NETWORK, lambda _control: desk.incoming.fetch(report.wanted_urls), came)

    def _show_verdict(self, view: VerdictView) -> None:
        self._tell(view.verdict, view.glow, view.why)
        for line in view.signatures:
            self._signatures.addWidget(Elided(line.text, _ROLES[line.glow], line.tip))

    def _tell(self, text: str, glow: Glow, why: str = "") -> None:
        _clear(self._signatures)
        self.verdict.setText(text)
        self.verdict.setVisible(bool(text))
        repolish(self.verdict, "role", _ROLES[glow])
        self.why.setText(why)
        self.why.setVisible(bool(why))

    def _save(self) -> None:
        at = self.list.currentRow()
        if not 0 <= at < len(self._files):
            return
        file, words, desk = self._files[at], self._shell.words, self._shell.desk
        chosen, _kind = QFileDialog.getSaveFileName(
            self, words("ut_save_title"), suggested_name(file), options=QFileDialog.Option.DontConfirmOverwrite
        )
        if chosen:
            self._shell.tasks.run(
                self,
                Lane.DOCUMENTS,
                lambda _control: desk.incoming.save(file, Path(chosen)),
                lambda _none: self._notice.tell(words("ut_saved", file=chosen)),
                failed=self._notice.error,
            )

    # ---- what all have in common -----------------------------------------------------------------------------------

    def _begin(self, key: str) -> None:
        self.progress.begin(key, self._give_up)

    def _run(self, lane: Lane, work: Callable[[Control], T], done: Callable[[T], None]) -> None:
        """Has `work` done for what is shown now; when something else is shown by then, nobody is told."""
        self._turn += 1
        turn = self._turn

        def told(result: T) -> None:
            if turn == self._turn:
                done(result)

        def refused(error: KnownError) -> None:
            if turn == self._turn:
                self._failed(error)

        self._work = self._shell.tasks.run(self, lane, work, told, failed=refused)

    def _give_up(self) -> None:
        self.progress.end()
        self._turn += 1
        if self._work is not None:
            self._work.cancel()
            self._work = None

    def _failed(self, error: KnownError) -> None:
        self.progress.end()
        if error.code != "interrupted":
            told = self._shell.words.explain(error)
            self._tell(told.what, Glow.BAD, f"{told.why} {told.do}".strip())

    def _show_nothing(self) -> None:
        self._files = ()
        self.list.clear()
        self.pages.clear()
        for part in (self.heading, self.under, self.facts, self.list, self.save, self.pages):
            part.hide()
        self._tell("", Glow.OFF)
        self._empty.show()


def _clear(layout: QVBoxLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
