"""One packet of the list *Chờ gửi*: what it is, what can be done with it, how far it is with each receiver, receipt.

UI thread; draws what the presenter says and tells what was pressed.
"""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from signer_ui.glow import Glow
from signer_ui.presenters.sending_details import DetailsView, ReceiverLine, Way
from signer_ui.shell import Shell
from signer_ui.widgets.basics import button, frame, label, row
from signer_ui.widgets.facts import Facts
from signer_ui.widgets.flow import Flow
from signer_ui.widgets.light import glow_icon

_SHOWN = 200
"""So many receivers are listed one by one."""


class SendingDetails(QFrame):
    """See the module."""

    wanted = Signal(object)
    """A Way that was pressed."""
    arrived = Signal(bool)
    """The person is sure that it arrived, or that it didn't."""

    def __init__(self, shell: Shell, later: QMenu) -> None:
        super().__init__()
        words, theme = shell.words, shell.theme
        self._words, self._theme = words, theme
        self._view: DetailsView | None = None
        self.setProperty("role", "card")
        self._empty = label(words("uq_choose"), "muted", wrap=True)
        self.heading = label(role="heading", wrap=True)
        self.under = label(role="muted", wrap=True)
        self._light, self.state = QLabel(), label(role="strong", wrap=True)
        self.trouble = label(role="bad", wrap=True)
        self.ways: dict[Way, QPushButton] = {}
        for way in Way:
            role = "danger" if way is Way.RECALL else None
            self.ways[way] = button(words(f"uq_way_{way}"), partial(self.wanted.emit, way), role)
        self.ways[Way.POSTPONE].clicked.disconnect()
        self.ways[Way.POSTPONE].setMenu(later)
        self.ask = self._make_question()
        self.facts, self.receipt = Facts(theme), Facts(theme)
        self._titles = [label(words(key), "strong") for key in ("uq_receivers_title", "ut_receipt", "uq_story_title")]
        self._receivers, self._story = QVBoxLayout(), label(wrap=True)
        self._receivers.setSpacing(theme.space(1))
        self._story.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._lay_out()
        self.clear()

    def _make_question(self) -> QFrame:
        """Both words of the one question; neither can be said before the person says that they are sure."""
        words, space = self._words, self._theme.space
        made = frame("notice-warn")
        self.sure = QCheckBox(words("uq_ask_sure"))
        self.there = button(words("uq_ask_there"), lambda: self.arrived.emit(True))
        self.away = button(words("uq_ask_away"), lambda: self.arrived.emit(False))
        for answer in (self.there, self.away):
            answer.setEnabled(False)
            self.sure.toggled.connect(answer.setEnabled)
        lines = QVBoxLayout(made)
        lines.setContentsMargins(space(3), space(2), space(3), space(2))
        lines.setSpacing(space(1.5))
        lines.addWidget(label(words("uq_ask_title"), "strong", wrap=True))
        lines.addWidget(label(words("uq_ask_why"), wrap=True))
        lines.addWidget(self.sure)
        lines.addWidget(Flow((self.there, self.away), space(2)))
        return made

    def _lay_out(self) -> None:
        theme = self._theme
        content = QWidget()
        content.setProperty("role", "page")
        lines = QVBoxLayout(content)
        lines.setContentsMargins(*[theme.space(4)] * 4)
        lines.setSpacing(theme.space(2))
        self._line = QWidget()
        standing = row(self._light, self.state, spacing=theme.space(1.5))
        standing.setAlignment(self._light, Qt.AlignmentFlag.AlignTop)
        standing.setStretch(1, 1)
        self._line.setLayout(standing)
        for part in (self._empty, self.heading, self.under, self._line, self.trouble, self.ask):
            lines.addWidget(part)
        self._tools = Flow(tuple(self.ways.values()), theme.space(2))
        lines.addWidget(self._tools)
        lines.addWidget(self.facts)
        lines.addWidget(self._titles[0])
        lines.addLayout(self._receivers)
        lines.addWidget(self._titles[1])
        lines.addWidget(self.receipt)
        lines.addWidget(self._titles[2])
        lines.addWidget(self._story)
        lines.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setAccessibleName(self._words("uq_details"))
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(1, 1, 1, 1)
        outer.addWidget(scroll)

    def clear(self) -> None:
        """Nothing is chosen."""
        self._view = None
        parts = (self.heading, self.under, self._line, self.trouble, self.ask, self._tools, self.facts, self.receipt)
        for part in (*parts, *self._titles, self._story):
            part.hide()
        self._put_receivers(())
        self._empty.show()

    def show_view(self, view: DetailsView, *, anew: bool) -> None:
        """Shows a packet; `anew`: another one than before. The same again changes nothing, so that no button goes from
        under a finger.
        """
        if anew:
            self.sure.setChecked(False)
        if view == self._view:
            return
        before, self._view = self._view, view
        self._empty.hide()
        for part, text in ((self.heading, view.heading), (self.under, view.under), (self.trouble, view.trouble)):
            part.setText(text)
            part.setVisible(bool(text))
        self.show_state(view.state, view.glow)
        self._line.show()
        self.ask.setVisible(view.asks)
        for way, press in self.ways.items():
            press.setVisible(way in view.ways)
        self._tools.setVisible(bool(view.ways))
        self.facts.put([(fact.what, fact.value) for fact in view.facts])
        if before is None or before.receivers != view.receivers:
            self._put_receivers(view.receivers)
        self.receipt.put([(fact.what, fact.value) for fact in view.receipt])
        self._story.setText("\n".join(view.story))
        self._story.setVisible(bool(view.story))
        for title, there in zip(self._titles, (view.receivers, view.receipt, view.story), strict=True):
            title.setVisible(bool(there))

    def show_state(self, words: str, glow: Glow) -> None:
        """How it stands; a countdown runs on."""
        if self.state.text() != words:
            self.state.setText(words)
        self._light.setPixmap(self._shape(glow))

    def _put_receivers(self, receivers: Sequence[ReceiverLine]) -> None:
        while (item := self._receivers.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for one in receivers[:_SHOWN]:
            line = QWidget()
            shape, told = QLabel(), label(self._words("uq_receiver_line", name=one.name, words=one.words), wrap=True)
            told.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            shape.setPixmap(self._shape(one.glow))
            shape.setContentsMargins(0, self._theme.space(0.75), 0, 0)
            across = row(shape, told, spacing=self._theme.space(1.5))
            across.setAlignment(shape, Qt.AlignmentFlag.AlignTop)
            across.setStretch(1, 1)
            line.setLayout(across)
            self._receivers.addWidget(line)
            # Now, not with the next round of events: it would flicker.
            line.show()

    def _shape(self, glow: Glow) -> QPixmap:
        side = self._theme.space(3)
        return glow_icon(self._theme, glow).pixmap(QSize(side, side))
