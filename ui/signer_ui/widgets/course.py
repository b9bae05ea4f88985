"""The course of a document's signatures: entries below each other, each with its light, two lines of words, and a line
that leads from one to the next.

UI thread; a list as any other for keyboard and screen reader. Words are drawn as plain text and wrapped, never cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from signer_ui.glow import Glow
from signer_ui.theme import Theme, Tone, Type
from signer_ui.widgets.elided import breakable
from signer_ui.widgets.light import TONES, draw_glow

_WRAP = int(Qt.TextFlag.TextWordWrap)
_HIGHEST = 0x4000
"""Of a text that is measured, in pixels."""
_MOST = 7
"""Entries that are in sight at once."""
_STEP = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class Step:
    """An entry: `inner` ones belong to the one above."""

    glow: Glow
    text: str
    under: str
    inner: bool


class CourseList(QListWidget):
    """As high as its first few entries need; the others scroll."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme
        self._laid_out_for = -1
        self.setAccessibleName(name)
        self.setItemDelegate(_Cell(theme, self))
        self.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.setFrameShape(QFrame.Shape.NoFrame)

    def put(self, steps: Sequence[Step], current: int | None) -> None:
        """Shows these entries in place of those there, `current` (from 0) chosen; nobody is told of that."""
        self.blockSignals(True)
        self.clear()
        for told in steps:
            step = Step(told.glow, breakable(told.text), breakable(told.under), told.inner)
            item = QListWidgetItem(told.text)
            item.setData(_STEP, step)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{told.text}. {told.under}")
            self.addItem(item)
        if current is not None:
            self.setCurrentRow(current)
        self.blockSignals(False)
        self.setVisible(bool(steps))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Words wrap anew."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        # Heights are those of the width that they were asked for.
        if self.viewport().width() != self._laid_out_for:
            self._laid_out_for = self.viewport().width()
            self.doItemsLayout()
        rows = range(min(self.count(), _MOST))
        wanted = sum(self.sizeHintForRow(row) for row in rows) + 2 * self.frameWidth() + self._theme.space(1)
        if rows and wanted != self.height():
            self.setFixedHeight(wanted)


class _Cell(QStyledItemDelegate):
    """Draws one entry."""

    def __init__(self, theme: Theme, view: CourseList) -> None:
        super().__init__(view)
        self._theme, self._view = theme, view
        # A file may have hundreds of entries, and each is measured at each width: fonts are looked up once.
        self._fonts = {inner: theme.font(Type.BODY if inner else Type.STRONG) for inner in (False, True)}
        self._small = theme.font(Type.SMALL)
        self._metrics = {inner: QFontMetrics(font) for inner, font in self._fonts.items()}
        self._small_metrics = QFontMetrics(self._small)
        self._known: dict[Step, tuple[QRect, QRect]] = {}
        self._known_width = -1

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: N802
        """As high as the words need in the view's width."""
        width = self._view.viewport().width()
        text, under = self._boxes(index.data(_STEP), width)
        return QSize(width, max(text.bottom(), under.bottom()) + self._theme.space(1.5))

    def _boxes(self, step: Step, width: int) -> tuple[QRect, QRect]:
        """Where the two lines of words stand in an entry of this width, from its top left corner."""
        if width != self._known_width:
            self._known.clear()
            self._known_width = width
        found = self._known.get(step)
        if found is None:
            found = self._known[step] = self._measured(step, width)
        return found

    def _measured(self, step: Step, width: int) -> tuple[QRect, QRect]:
        space = self._theme.space
        left = space(13 if step.inner else 7)
        room = QRect(left, space(1.5), max(space(10), width - left - space(1)), _HIGHEST)
        text = _needed(self._metrics[step.inner], room, step.text)
        if not step.under:
            return text, QRect(left, text.bottom(), 0, 0)
        room.moveTop(text.bottom() + 1)
        return text, _needed(self._small_metrics, room, step.under)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Light, way to the next, words."""
        step: Step = index.data(_STEP)
        theme = self._theme
        place: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(place, theme.colour(Tone.SELECTION))
        text, under = (box.translated(place.topLeft()) for box in self._boxes(step, place.width()))
        self._draw_way(painter, place, text, index.row(), inner=step.inner)
        size = theme.space(2.5 if step.inner else 3)
        middle = place.left() + theme.space(9.5 if step.inner else 3.5)
        light = QRectF(middle - size / 2, text.top() + (self._metrics[step.inner].height() - size) / 2, size, size)
        draw_glow(painter, light, theme.colour(TONES[step.glow]), step.glow)
        painter.setFont(self._fonts[step.inner])
        painter.setPen(theme.colour(Tone.TEXT))
        painter.drawText(text.adjusted(0, 0, theme.space(1), 0), _WRAP, step.text)
        painter.setFont(self._small)
        painter.setPen(theme.colour(Tone.MUTED))
        painter.drawText(under.adjusted(0, 0, theme.space(1), 0), _WRAP, step.under)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(theme.colour(Tone.FOCUS), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(place.adjusted(0, 0, -1, -1))
        painter.restore()

    def _draw_way(self, painter: QPainter, place: QRect, text: QRect, row: int, *, inner: bool) -> None:
        """The line through the lights, from the first entry to the last."""
        x = place.left() + self._theme.space(3.5)
        middle = text.top() + self._metrics[False].height() // 2
        gap = 0 if inner else self._theme.space(2.5)
        painter.setPen(QPen(self._theme.colour(Tone.LINE), 1.5))
        if row > 0:
            painter.drawLine(x, place.top(), x, middle - gap)
        if row < self._view.count() - 1:
            painter.drawLine(x, middle + gap, x, place.bottom() + 1)


def _needed(metrics: QFontMetrics, room: QRect, text: str) -> QRect:
    """What `text` takes of the room; most take one line, which is measured sooner."""
    wide = metrics.horizontalAdvance(text)
    if wide < room.width() and "\n" not in text:
        return QRect(room.left(), room.top(), wide, metrics.height())
    return metrics.boundingRect(room, _WRAP, text)
