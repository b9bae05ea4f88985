"""Frames over the pages: what was changed after signing, and where signatures stand.

UI thread. A widget that lies over the view of the pages, lets every click and key through and follows each scroll,
because the canvas paints itself anew then. It paints outlines and nothing else: the words stand beside the pages.
"""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from signer_ui.presenters.frames import Frame, FrameKind
from signer_ui.presenters.pages import Spot
from signer_ui.theme import Theme, Tone
from signer_ui.widgets.page_canvas import PageCanvas

_AROUND_MM = 0.8
"""A frame stands so far outside of what it speaks of, so that nothing is hidden under its line."""
_TONES = {FrameKind.FORBIDDEN: Tone.BAD, FrameKind.ALLOWED: Tone.WARN, FrameKind.SIGNATURE: Tone.ACCENT}
_THICK = {FrameKind.FORBIDDEN: 2.5, FrameKind.ALLOWED: 2.0, FrameKind.SIGNATURE: 1.25}
"""Units of width; told by form as well as by colour: whole for what is forbidden, dashes else."""
_CHOSEN = 1.75
"""So much thicker is the line of what is chosen in the list."""
_TINT = 28
"""Of 255: how strongly the place of a forbidden change is tinted; what stands there stays readable."""


class PageFrames(QWidget):
    """Lies over the viewport of one canvas."""

    def __init__(self, canvas: PageCanvas) -> None:
        super().__init__(canvas.viewport())
        self._canvas = canvas
        self._frames: tuple[Frame, ...] = ()
        self._chosen: frozenset[Spot] = frozenset()
        self._wanted: Spot | None = None
        """What comes into view as soon as its page is known."""
        # Paper stays white in the dark look, so the colours on it are those of the light one.
        self._paper = Theme(dark=False)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.resize(canvas.viewport().size())
        canvas.viewport().installEventFilter(self)
        self.hide()

    @property
    def frames(self) -> tuple[Frame, ...]:
        """What is outlined now."""
        return self._frames

    def put(self, frames: Sequence[Frame]) -> None:
        """Outlines these in place of those there; nothing is chosen."""
        self._frames = tuple(frames)
        self._chosen, self._wanted = frozenset(), None
        self.setVisible(bool(frames))
        self.update()

    def choose(self, spots: Sequence[Spot]) -> None:
        """Makes the frames at these places stand out, and brings the first of them into view."""
        self._chosen = frozenset(spots)
        self._wanted = spots[0] if spots else None
        self.update()
        self.catch_up()

    def catch_up(self) -> None:
        """Brings into view what was wanted before its page was known."""
        if self._wanted is not None and self._canvas.place_of(self._wanted) is not None:
            wanted, self._wanted = self._wanted, None
            self._canvas.reveal(wanted)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Is as large as the view."""
        if event.type() is QEvent.Type.Resize and isinstance(event, QResizeEvent):
            self.resize(event.size())
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """The frames that are in view; the chosen ones last, above the others."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ratio = self.devicePixelRatioF()
        painter.scale(1 / ratio, 1 / ratio)
        view = QRectF(0, 0, self.width() * ratio, self.height() * ratio)
        for frame in sorted(self._frames, key=lambda frame: frame.spot in self._chosen):
            place = self._canvas.place_of(Spot(frame.spot.page, frame.spot.rect.grown(_AROUND_MM)))
            if place is not None and place.intersects(view):
                self._outline(painter, place, frame, ratio)
        painter.end()

    def _outline(self, painter: QPainter, place: QRectF, frame: Frame, ratio: float) -> None:
        colour = self._paper.colour(_TONES[frame.kind])
        forbidden = frame.kind is FrameKind.FORBIDDEN
        thick = _THICK[frame.kind] * (_CHOSEN if frame.spot in self._chosen else 1.0)
        if forbidden:
            tint = QColor(colour)
            tint.setAlpha(_TINT)
            painter.fillRect(place, tint)
        style = Qt.PenStyle.SolidLine if forbidden else Qt.PenStyle.DashLine
        pen = QPen(colour, thick * ratio, style)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(place)
