"""The card of the document in view: what it is, what is to be known of it, what a copy needs, and its files.

UI thread; draws what the presenter says and tells what was wished. It decides nothing.
"""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from signer_ui.glow import Glow
from signer_ui.panes.outgoing_copying import CopyPart
from signer_ui.panes.outgoing_files import FilesPart
from signer_ui.presenters.grid import Shade
from signer_ui.presenters.outgoing_details import Details, Told
from signer_ui.theme import Theme
from signer_ui.widgets.basics import button, label
from signer_ui.widgets.light import glow_icon
from signer_ui.words import Words

_GLOWS = {Shade.GOOD: Glow.GOOD, Shade.WARN: Glow.WARN, Shade.BAD: Glow.BAD}


class DocumentCard(QFrame):
    """Shows one document, or a line that says how to choose one."""

    page_wanted = Signal(str, int)
    """A file by its id and a page of it (from 0) that a reason speaks of."""

    def __init__(self, words: Words, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words, self._theme = words, theme
        self._shown: Details | None = None
        self.setProperty("role", "card")
        self.setAccessibleName(words("uo_details"))
        self._told = QScrollArea()
        self._told.setWidgetResizable(True)
        self._told.setProperty("role", "told")
        self._told.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._told.setAccessibleName(words("uo_details"))
        # What is asked of a copy above it is never cut; this scrolls.
        self._told.setMinimumHeight(theme.space(12))
        self.copying = CopyPart(words, theme)
        self.files = FilesPart(words, theme)
        self._lay_out()
        self.show_details(None, editable=False)

    def show_details(self, details: Details | None, *, editable: bool) -> None:
        """Shows a document; None: nothing is chosen. The file in view stays in view."""
        if details != self._shown or details is None:
            before, self._shown = self._shown, details
            if details is not None and before is not None and details.told == before.told:
                # Going through the list: building all of it anew takes longer than a person should feel.
                self._heading.setText(details.heading)
                self._under.setText(details.under)
            else:
                self._draw_told(details)
            self.copying.ask(details.copy if details is not None else None)
            self.files.put(details)
        self.files.set_editable(editable)

    def _lay_out(self) -> None:
        theme = self._theme
        left = QVBoxLayout()
        left.setSpacing(theme.space(1))
        left.addWidget(self.copying)
        left.addWidget(self._told, 1)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(theme.space(3), theme.space(2), theme.space(3), theme.space(2))
        outer.setSpacing(theme.space(4))
        outer.addLayout(left, 3)
        outer.addWidget(self.files, 2)

    def _draw_told(self, details: Details | None) -> None:
        inner = QWidget()
        inner.setProperty("role", "page")
        lines = QGridLayout(inner)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setHorizontalSpacing(self._theme.space(2))
        lines.setVerticalSpacing(self._theme.space(0.5))
        lines.setColumnStretch(1, 1)
        heading = details.heading if details else self._words("uo_details_none")
        self._heading = _text(heading, "strong" if details else "muted")
        self._under = _text(details.under if details else "", "muted")
        lines.addWidget(self._heading, 0, 0, 1, 3)
        lines.addWidget(self._under, 1, 0, 1, 3)
        self._under.setVisible(details is not None)
        for one in details.told if details else ():
            self._draw_reason(lines, one)
        lines.setRowStretch(lines.rowCount(), 1)
        self._told.setWidget(inner)

    def _draw_reason(self, lines: QGridLayout, one: Told) -> None:
        """What, then why and what to do; the page that it speaks of is a press away."""
        at, muted = lines.rowCount(), one.shade is Shade.MUTED
        more = " ".join(part for part in (one.why, one.do) if part)
        level = Qt.AlignmentFlag.AlignTop if more or one.page is None else Qt.AlignmentFlag.AlignVCenter
        lines.addWidget(self._light(one.shade), at, 0, level)
        lines.addWidget(_text(one.what, None if muted else "strong"), at, 1, 1, 2 if one.page is None else 1)
        if more:
            lines.addWidget(_text(more, "muted" if muted else None), at + 1, 1, 1, 2)
        if one.page is not None:
            lines.addWidget(self._way(one.file, one.page, one.what), at, 2, level)

    def _way(self, file: str, page: int, what: str) -> QWidget:
        made = button(self._words("uk_go_to_page", page=page + 1), lambda: self.page_wanted.emit(file, page), "quiet")
        made.setAccessibleDescription(what)
        return made

    def _light(self, shade: Shade) -> QLabel:
        size = self._theme.space(3)
        made = QLabel()
        made.setPixmap(glow_icon(self._theme, _GLOWS.get(shade, Glow.OFF)).pixmap(QSize(size, size)))
        made.setContentsMargins(0, self._theme.space(1), 0, 0)
        return made


def _text(text: str, role: str | None) -> QLabel:
    made = label(text, role, wrap=True)
    made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made
