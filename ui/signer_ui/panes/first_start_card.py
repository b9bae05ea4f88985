"""A step of first start as a card: its number in a ring, title, result, and its content while it is in front.

UI thread; knows nothing of what the steps do.
"""

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QSizePolicy, QVBoxLayout, QWidget

from signer_ui.presenters.first_start import Stand, Step
from signer_ui.shell import Shell
from signer_ui.theme import Theme, Tone, Type
from signer_ui.widgets.basics import button, label, repolish, row


class _Badge(QWidget):
    """A step's number in a ring; a tick once it is done."""

    def __init__(self, number: int, theme: Theme) -> None:
        super().__init__()
        self._number = number
        self._theme = theme
        self._stand = Stand.COMING
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """A little more than a line of text."""
        return QSize(self._theme.space(6.5), self._theme.space(6.5))

    def show_stand(self, stand: Stand) -> None:
        """Paints it as the step stands."""
        self._stand = stand
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Ring and number, or a filled ring and a tick."""
        tones = {Stand.DONE: Tone.GOOD, Stand.CURRENT: Tone.ACCENT, Stand.LATER: Tone.WARN, Stand.COMING: Tone.MUTED}
        colour = self._theme.colour(tones[self._stand])
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = min(self.width(), self.height())
        ring = QRectF(1, 1, side - 2, side - 2)
        painter.setPen(QPen(colour, 1.6))
        filled = self._stand in (Stand.DONE, Stand.CURRENT)
        painter.setBrush(colour if filled else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(ring)
        painter.setPen(QPen(self._theme.colour(Tone.ON_ACCENT) if filled else colour, 2))
        if self._stand is Stand.DONE:
            corners = ((0.28, 0.52), (0.44, 0.67), (0.73, 0.35))
            painter.drawPolyline([QPointF(side * x, side * y) for x, y in corners])
        else:
            painter.setFont(self._theme.font(Type.STRONG))
            painter.drawText(ring, Qt.AlignmentFlag.AlignCenter, str(self._number))


class StepCard(QFrame):
    """A step: a line with its number, title and result, and its content while it is in front."""

    def __init__(self, number: int, step: Step, shell: Shell, reopen: Callable[[], None]) -> None:
        super().__init__()
        words, space = shell.words, shell.theme.space
        self.setProperty("role", "card")
        self.badge = _Badge(number, shell.theme)
        self.title = label(words(f"ue_start_{step}"), "heading")
        self.result = label("", "muted")
        self.reopen = button(words("ue_start_reopen"), reopen, "quiet")
        self.reopen.setAccessibleName(words("ue_start_reopen_step", step=self.title.text()))
        self.content = QWidget()
        self.lines = QVBoxLayout(self.content)
        self.lines.setContentsMargins(space(9.5), 0, 0, space(1))
        self.lines.setSpacing(space(2.5))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(space(4), space(2), space(4), space(2))
        outer.setSpacing(space(2))
        outer.addLayout(row(self.badge, self.title, self.result, 1, self.reopen, spacing=space(3)))
        outer.addWidget(self.content)

    def show_stand(self, stand: Stand, result: str) -> None:
        """Opens or closes it; `result` stands beside the title."""
        self.badge.show_stand(stand)
        self.content.setVisible(stand is Stand.CURRENT)
        self.reopen.setVisible(stand in (Stand.DONE, Stand.LATER))
        self.title.setEnabled(stand is not Stand.COMING)
        self.result.setText(result)
        repolish(self.result, "role", "warn" if stand is Stand.LATER else "muted")
