"""Fields for a choice and for numbers that a turn of the wheel over a long form doesn't change.

UI thread. Only looks and manners; what a value means is for the form around it.
"""

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QDoubleSpinBox, QSpinBox

from signer_ui.theme import Theme, Tone


class Choice(QComboBox):
    """A drop-down list with an arrow of our own: the style sheet takes the platform's away."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Belongs to the page that scrolls."""
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """The field, and the arrow at its right."""
        super().paintEvent(event)
        unit = self._theme.space(1)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.colour(Tone.MUTED), 1.6))
        tip = QPointF(self.width() - 4 * unit, self.height() / 2 + unit / 2)
        painter.drawPolyline([tip + QPointF(-unit, -unit), tip, tip + QPointF(unit, -unit)])


class WholeNumber(QSpinBox):
    """A whole number; changed by typing and by the arrow keys."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        _give_margins(self, theme)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Belongs to the page that scrolls."""
        event.ignore()


class DecimalNumber(QDoubleSpinBox):
    """A number with decimals; changed by typing and by the arrow keys."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        _give_margins(self, theme)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Belongs to the page that scrolls."""
        event.ignore()


def _give_margins(box: QAbstractSpinBox, theme: Theme) -> None:
    """The style sheet's padding doesn't reach the field inside."""
    box.lineEdit().setTextMargins(theme.space(2), 0, theme.space(2), 0)
