"""The measures of stamps that the rule profile fixes, by name; no legal number stands in the code.

Plain values, made from the profile that holds on the day of signing; runs anywhere. Sizes are those of A4; `scale` is
what they are multiplied with on other paper (a seal and the letters of the corner keep their size everywhere).
"""

import datetime as dt
from dataclasses import dataclass

from signer_app.pdf.geometry import PageFrame, pt_to_mm
from signer_resources import rules
from signer_resources.rules import RuleProfile

_SMALLEST_SCALE, _LARGEST_SCALE = 0.5, 2.0
"""Beyond A6 and A1 nobody signs on paper; a page of metres is a drawing."""


@dataclass(frozen=True)
class Measures:
    """Sizes in mm where the name says so, letters in points.

    `seal_overlap` is the share of the signature that the seal covers, `seal_overlap_max` how much it may cover to keep
    off Nơi nhận. `corner_band_mm` is the top margin above which the corner's text stays.
    """

    paper_mm: tuple[float, float]
    margin_left_mm: float
    margin_right_mm: float
    margin_bottom_mm: float
    signature_mm: tuple[float, float]
    initial_mm: tuple[float, float]
    initial_gap_mm: float
    plain_mm: tuple[float, float]
    seal_overlap: float
    seal_overlap_max: float
    corner_size: float
    corner_leading_mm: float
    corner_edge_mm: float
    corner_lines: int
    corner_band_mm: float

    @classmethod
    def of(cls, profile: RuleProfile) -> "Measures":
        """The measures of a profile; KeyError for one that lacks any."""
        number = profile.number
        return cls(
            paper_mm=(number("paper.width"), number("paper.height")),
            margin_left_mm=number("margin.left.min"),
            margin_right_mm=number("margin.right.min"),
            margin_bottom_mm=number("margin.bottom.min"),
            signature_mm=(number("leader_image.width"), number("leader_image.height")),
            initial_mm=(number("initial_image.width"), number("initial_image.height")),
            initial_gap_mm=number("initial_image.gap"),
            plain_mm=(number("plain_stamp.width"), number("plain_stamp.height")),
            seal_overlap=number("seal.overlap"),
            seal_overlap_max=number("seal.overlap.max"),
            corner_size=number("corner_text.size"),
            corner_leading_mm=pt_to_mm(number("corner_text.leading")),
            corner_edge_mm=pt_to_mm(number("corner_text.edge")),
            corner_lines=int(number("corner_text.max_lines")),
            corner_band_mm=number("corner_text.band"),
        )

    @classmethod
    def on(cls, day: dt.date) -> "Measures":
        """The measures of the profile that holds on `day`."""
        return cls.of(rules.load(day))

    def scale(self, frame: PageFrame) -> float:
        """How large the page is beside the paper of the rules, lying or standing: its smaller ratio of sides."""
        short, long = sorted((frame.width_mm, frame.height_mm))
        own_short, own_long = sorted(self.paper_mm)
        return min(max(min(short / own_short, long / own_long), _SMALLEST_SCALE), _LARGEST_SCALE)

    def is_paper(self, frame: PageFrame) -> bool:
        """Whether the page has the size of the rules' paper, standing upright, within a twentieth."""
        width, height = self.paper_mm
        return abs(frame.width_mm / width - 1) < 0.05 and abs(frame.height_mm / height - 1) < 0.05
