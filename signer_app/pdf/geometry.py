"""The one place that turns millimetres into points.

People and rules speak of millimetres from the top left corner of the page *as it is displayed*; a PDF speaks of user
space units from an origin of its own, before /Rotate, with a CropBox that may lie anywhere and a UserUnit that may
stretch it all. `PageFrame` knows one page and converts both ways. Nothing else may do that arithmetic.
"""

from typing import Self

import msgspec

MM_PER_INCH = 25.4
POINTS_PER_INCH = 72.0


def mm_to_pt(mm: float) -> float:
    """Millimetres as points of 1/72 inch."""
    return mm * POINTS_PER_INCH / MM_PER_INCH


def pt_to_mm(pt: float) -> float:
    """Points of 1/72 inch as millimetres."""
    return pt * MM_PER_INCH / POINTS_PER_INCH


class Rect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A box on the displayed page: left, top, width and height in mm from the top left corner."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """Right edge, mm from the left of the page."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """Bottom edge, mm from the top of the page."""
        return self.y + self.h

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the box, mm."""
        return self.x + self.w / 2, self.y + self.h / 2

    def overlaps(self, other: "Rect") -> bool:
        """Whether the two boxes share some area."""
        return self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom

    def union(self, other: "Rect") -> "Rect":
        """The smallest box around both."""
        x, y = min(self.x, other.x), min(self.y, other.y)
        return Rect(x, y, max(self.right, other.right) - x, max(self.bottom, other.bottom) - y)

    def grown(self, by: float) -> "Rect":
        """The box with `by` mm more on each side."""
        return Rect(self.x - by, self.y - by, self.w + 2 * by, self.h + 2 * by)

    def rounded(self) -> "Rect":
        """The box in hundredths of a millimetre, so that a plan has one spelling."""
        return Rect(round(self.x, 2), round(self.y, 2), round(self.w, 2), round(self.h, 2))


class UserBox(msgspec.Struct, frozen=True):
    """A box in PDF user space: lower left and upper right corner, in units of the page."""

    llx: float
    lly: float
    urx: float
    ury: float

    @property
    def width(self) -> float:
        """Width in user space units."""
        return self.urx - self.llx

    @property
    def height(self) -> float:
        """Height in user space units."""
        return self.ury - self.lly

    @classmethod
    def normalised(cls, x0: float, y0: float, x1: float, y1: float) -> Self:
        """The box whatever corners were given (ISO 32000-1, 7.9.5 allows any two opposite ones)."""
        return cls(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))


class PageFrame(msgspec.Struct, frozen=True):
    """What of a page is seen, and how it is turned.

    `visible` is CropBox within MediaBox in user space; `rotate` the clockwise turn of display in degrees (0, 90, 180,
    270); `user_unit` the size of one unit in 1/72 inch (ISO 32000-1, table 30).
    """

    visible: UserBox
    rotate: int = 0
    user_unit: float = 1.0

    @property
    def _unit_mm(self) -> float:
        return pt_to_mm(self.user_unit)

    @property
    def width_mm(self) -> float:
        """Width of the page as displayed."""
        side = self.visible.height if self.rotate in (90, 270) else self.visible.width
        return side * self._unit_mm

    @property
    def height_mm(self) -> float:
        """Height of the page as displayed."""
        side = self.visible.width if self.rotate in (90, 270) else self.visible.height
        return side * self._unit_mm

    @property
    def whole(self) -> Rect:
        """The displayed page as a box."""
        return Rect(0, 0, self.width_mm, self.height_mm)

    def point_to_user(self, x_mm: float, y_mm: float) -> tuple[float, float]:
        """User space position of a displayed point."""
        u, v = x_mm / self._unit_mm, y_mm / self._unit_mm
        box = self.visible
        if self.rotate == 90:
            return box.llx + v, box.lly + u
        if self.rotate == 180:
            return box.urx - u, box.lly + v
        if self.rotate == 270:
            return box.urx - v, box.ury - u
        return box.llx + u, box.ury - v

    def point_from_user(self, x: float, y: float) -> tuple[float, float]:
        """Displayed position, in mm from the top left, of a point in user space."""
        box = self.visible
        if self.rotate == 90:
            u, v = y - box.lly, x - box.llx
        elif self.rotate == 180:
            u, v = box.urx - x, y - box.lly
        elif self.rotate == 270:
            u, v = box.ury - y, box.urx - x
        else:
            u, v = x - box.llx, box.ury - y
        return u * self._unit_mm, v * self._unit_mm

    def to_user(self, rect: Rect) -> UserBox:
        """The user space box that shows as `rect`."""
        return UserBox.normalised(*self.point_to_user(rect.x, rect.y), *self.point_to_user(rect.right, rect.bottom))

    def from_user(self, box: UserBox) -> Rect:
        """Where a user space box shows on the displayed page."""
        x0, y0 = self.point_from_user(box.llx, box.lly)
        x1, y1 = self.point_from_user(box.urx, box.ury)
        return Rect(min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0))

    def upright_matrix(self, box: UserBox) -> tuple[float, float, float, float, float, float]:
        """The `cm` that makes content drawn in mm from the bottom left of the displayed box stand upright in `box`.

        The turn is baked into the content, because some viewers ignore a form's /Matrix.
        """
        s = 1 / self._unit_mm
        w, h = box.width, box.height
        return {
            0: (s, 0.0, 0.0, s, 0.0, 0.0),
            90: (0.0, s, -s, 0.0, w, 0.0),
            180: (-s, 0.0, 0.0, -s, w, h),
            270: (0.0, -s, s, 0.0, 0.0, h),
        }[self.rotate]
