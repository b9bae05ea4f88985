"""The home screen: what came, what waits to be signed, what waits to be sent, and one grey line. UI thread.

Shows what the hub tells, live; decides and reads nothing itself. Files dropped here go to the outgoing tab.
"""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from signer_app.store.notices import Notice as Message
from signer_ui.glow import Glow
from signer_ui.panes.incoming_accepting import AcceptingAll
from signer_ui.presenters.backup import grey_words, open_lines
from signer_ui.presenters.today import Card, Line, TodayView, Told, today_view
from signer_ui.presenters.updates import news
from signer_ui.shell import Pane, Shell
from signer_ui.tabs import Tab
from signer_ui.tasks import Lane
from signer_ui.theme import Theme
from signer_ui.widgets.basics import button, label, repolish, row
from signer_ui.widgets.elided import Elided, plain_tip
from signer_ui.widgets.notice import Notice

_NARROW = 200
"""Units of width."""
_ROLES = {Glow.GOOD: "good", Glow.WARN: "warn", Glow.BAD: "bad", Glow.OFF: None}


class TodayPane(Pane):
    """Three cards and a grey line."""

    scrolls = True

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        words, theme = shell.words, shell.theme
        self._notice = Notice(words, theme)
        self._accepting = AcceptingAll(shell, self._notice)
        self._accepting.changed.connect(self._accepted)
        open_incoming = button(words("ut_open_incoming"), lambda: shell.go(Tab.INCOMING))
        self._incoming = _CardFrame(theme, self._accepting.button, open_incoming)
        self._incoming.add(self._accepting.progress)
        self._open = button(words("ut_out_open"), lambda: shell.go(Tab.OUTGOING))
        self._outgoing = _CardFrame(theme, self._open)
        self._drop = _DropArea(shell)
        self._drop.chosen.connect(self.files_wanted)
        self._outgoing.add(self._drop)
        self._send = button(words("ut_send_now"), self._send_now)
        self._seen = button(words("un_notice_seen"), self._put_away, "quiet")
        self._messages: tuple[Message, ...] = ()
        self._list = button(words("ut_open_sending"), self.sending_wanted.emit)
        self._sending = _CardFrame(theme, self._seen, self._send, self._list)
        self._go_on = button(words("bk_after_go_on"), self.after_restore_wanted.emit, "primary")
        self._restored = _CardFrame(theme, self._go_on)
        self._restored.hide()
        self._grey = label(role="small")
        self._grey.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setAcceptDrops(True)
        self._lay_out(theme)
        hub = shell.hub
        for told in (hub.today_changed, hub.exchange_changed, hub.tokens_changed, hub.inbox_changed):
            told.connect(self._refresh)
        for quiet in (hub.backups.changed, hub.updates.changed):
            quiet.connect(self._refresh)
        self._refresh()

    def _lay_out(self, theme: Theme) -> None:
        page = QWidget()
        page.setProperty("role", "page")
        cards = QGridLayout(page)
        cards.setContentsMargins(*[theme.space(4)] * 4)
        cards.setSpacing(theme.space(4))
        cards.addWidget(self._notice, 0, 0, 1, 2)
        cards.setColumnStretch(0, 1)
        cards.setColumnStretch(1, 1)
        cards.addWidget(self._restored, 1, 0, 1, 2)
        cards.setRowStretch(5, 1)
        self._cards = cards
        self._place(narrow=False)
        # On a small screen, or a large text, the cards scroll; the grey line stays.
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(page)
        foot = QWidget()
        line = QHBoxLayout(foot)
        line.setContentsMargins(theme.space(4), theme.space(1), theme.space(4), theme.space(2))
        line.addWidget(self._grey, 1)
        if self.shell.training is None:
            self.training = button(self.shell.words("tr_enter"), self._train, "quiet")
            self.training.setToolTip(self.shell.words("tr_enter_tip"))
            line.addWidget(self.training)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(scroll, 1)
        outer.addWidget(foot)

    def _place(self, *, narrow: bool) -> None:
        """Came and goes beside each other, or below each other where there is no room for that."""
        self._narrow = narrow
        for card in (self._incoming, self._outgoing, self._sending):
            self._cards.removeWidget(card)
        if narrow:
            for line, card in enumerate((self._incoming, self._outgoing, self._sending), start=2):
                self._cards.addWidget(card, line, 0, 1, 2)
            return
        self._cards.addWidget(self._incoming, 2, 0)
        self._cards.addWidget(self._outgoing, 2, 1)
        self._cards.addWidget(self._sending, 3, 0, 1, 2)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """In a narrow window there is one column."""
        super().resizeEvent(event)
        narrow = self.width() < self.shell.theme.space(_NARROW)
        if narrow is not self._narrow:
            self._place(narrow=narrow)

    def first_control(self) -> QWidget:
        """The button that brings documents."""
        return self._drop.add

    def shown(self) -> None:
        """Times of day grow old."""
        self._refresh()
        self.shell.hub.poke_store()

    def busy(self) -> str | None:
        """All valid documents are being accepted."""
        return "ua_busy" if self._accepting.running else None

    def stop(self) -> None:
        """Accepts no further document."""
        self._accepting.stop()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """The whole pane takes documents; the area shows it."""
        if _dropped(event):
            self._drop.glow(over=True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:  # noqa: N802 - Qt's name
        """They went elsewhere."""
        self._drop.glow(over=False)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """They belong on the outgoing tab."""
        self._drop.glow(over=False)
        if paths := _dropped(event):
            event.acceptProposedAction()
            self.files_wanted.emit(paths)

    def _refresh(self, *_news: object) -> None:
        hub = self.shell.hub
        if hub.today is not None:
            self._show(today_view(hub.today, hub.exchange, hub.tokens, self.shell.words, hub.inbox))

    def _show(self, view: TodayView) -> None:
        self._incoming.show_card(view.incoming)
        self._outgoing.show_card(view.outgoing)
        self._sending.show_card(view.sending)
        self._accepting.put(view.valid, view.rows)
        self._accepting.button.setVisible(bool(view.valid) or self._accepting.running)
        self._messages = view.notices
        self._seen.setVisible(bool(view.notices))
        self._open.setVisible(view.waiting)
        self._drop.invite(first=not view.waiting)
        repolish(self._open, "role", "primary" if view.waiting else "plain")
        self._send.setText(self.shell.words("ut_send_now"))
        self._send.setVisible(view.can_send)
        self._send.setEnabled(True)
        hub, words = self.shell.hub, self.shell.words
        lines = open_lines(hub.backups.after, words)
        self._restored.show_card(Card(words("bk_after_title"), tuple(Told(*line) for line in lines)))
        self._restored.setVisible(bool(lines))
        quiet = (grey_words(hub.backups.state, self.shell.desk.now(), words), news(hub.updates.state, words))
        self._grey.setText(" · ".join(part for part in (view.grey, *quiet) if part))

    def _send_now(self) -> None:
        self._send.setEnabled(False)
        self._send.setText(self.shell.words("ut_sending_now"))
        self.shell.hub.send_now()

    def _train(self) -> None:
        from signer_ui.training_steering import enter

        enter(self.shell, self)

    def _accepted(self) -> None:
        """Their senders hear of it at once."""
        self.shell.hub.poke_store()
        self.shell.hub.sync_now()

    def _put_away(self) -> None:
        """What the exchange said was read."""
        sending, messages = self.shell.desk.sending, self._messages
        self._seen.setEnabled(False)

        def work(_control: object) -> None:
            for message in messages:
                sending.seen(message)

        def done(_nothing: None) -> None:
            self._seen.setEnabled(True)
            self.shell.hub.poke_store()

        self.shell.tasks.run(self, Lane.QUICK, work, done)


class _CardFrame(QFrame):
    """A card: heading with its buttons, sentences, lines."""

    def __init__(self, theme: Theme, *actions: QWidget) -> None:
        super().__init__()
        self._theme = theme
        self.setProperty("role", "card")
        self._heading = label(role="heading")
        self._told = QVBoxLayout()
        self._told.setSpacing(theme.space(1))
        self._lines = QWidget()
        self._places = QVBoxLayout()
        self._places.setContentsMargins(0, 0, 0, 0)
        self._lines.setLayout(self._places)
        self._outer = QVBoxLayout(self)
        self._outer.setContentsMargins(theme.space(4), theme.space(3), theme.space(4), theme.space(4))
        self._outer.setSpacing(theme.space(2))
        self._outer.addLayout(row(self._heading, 1, *actions))
        self._outer.addLayout(self._told)
        self._outer.addWidget(self._lines)
        self._outer.addStretch(1)
        self._shown: Card | None = None

    def add(self, widget: QWidget) -> None:
        """Puts `widget` below everything else."""
        self._outer.addWidget(widget)

    def show_card(self, card: Card) -> None:
        """Shows another card; the same one again changes nothing, so that nothing flickers."""
        if card == self._shown:
            return
        self._shown = card
        self._heading.setText(card.heading)
        _clear(self._told)
        for told in card.told:
            self._told.addWidget(label(told.text, _ROLES[told.glow], wrap=True))
        if card.empty:
            self._told.addWidget(label(card.empty, "muted", wrap=True))
        _clear(self._places)
        if card.lines:
            self._places.addWidget(_table(card.lines, self._theme))
        self._lines.setVisible(bool(card.lines))


def _table(lines: Sequence[Line], theme: Theme) -> QWidget:
    """Lines below each other, their parts in columns."""
    table = QWidget()
    grid = QGridLayout(table)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(theme.space(4))
    grid.setVerticalSpacing(theme.space(1.5))
    for at, line in enumerate(lines):
        lead = label(line.lead, "muted" if line.who else "strong")
        grid.addWidget(lead, at, 0)
        if line.who:
            grid.addWidget(Elided(line.who, "strong"), at, 1)
        grid.addWidget(Elided(line.what), at, 2)
        state = label(line.state, _ROLES[line.glow] or "muted")
        state.setToolTip(plain_tip(line.tip))
        grid.addWidget(state, at, 3)
    if any(line.who for line in lines):
        grid.setColumnStretch(1, 2)
    grid.setColumnStretch(2, 4)
    return table


def _clear(layout: QVBoxLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()


class _DropArea(QFrame):
    """Invites documents: to be dropped, or chosen by its button."""

    chosen = Signal(list)
    """Paths (list of str)."""

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        words, theme = shell.words, shell.theme
        self._words = words
        self.setProperty("role", "drop")
        self.add = button(words("ut_add"), self._choose)
        says = label(words("ut_drop"), "muted", wrap=True)
        says.setAlignment(Qt.AlignmentFlag.AlignCenter)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(*[theme.space(4)] * 4)
        outer.setSpacing(theme.space(2))
        outer.addWidget(says)
        outer.addLayout(row(1, self.add, 1))

    def invite(self, *, first: bool) -> None:
        """Whether adding documents is what there is to do now."""
        repolish(self.add, "role", "primary" if first else "plain")

    def glow(self, *, over: bool) -> None:
        """Whether documents hover over the pane."""
        repolish(self, "over", "true" if over else "false")

    def _choose(self) -> None:
        title, kinds = self._words("ut_add_title"), self._words("ut_pdf_files")
        paths, _kind = QFileDialog.getOpenFileNames(self, title, "", kinds)
        if paths:
            self.chosen.emit(paths)


def _dropped(event: QDropEvent) -> list[str]:
    """The local files and folders that are dropped."""
    return [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
