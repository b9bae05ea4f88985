"""The measures of stamps that the rule profile fixes, by name; no legal number stands in the code.

Plain values, made from the profile that holds on the day of signing; runs anywhere.
"""

import datetime as dt
from dataclasses import dataclass

from signer_app.pdf.geometry import pt_to_mm
from signer_resources import rules
from signer_resources.rules import RuleProfile


@dataclass(frozen=True)
class Measures:
    """Sizes in mm where the name says so, letters in points; `seal_overlap` is the share of the signature covered."""

    signature_mm: tuple[float, float]
    seal_overlap: float
    corner_size: float
    corner_leading_mm: float
    corner_edge_mm: float

    @classmethod
    def of(cls, profile: RuleProfile) -> "Measures":
        """The measures of a profile; KeyError for one that lacks any."""
        return cls(
            signature_mm=(profile.number("leader_image.width"), profile.number("leader_image.height")),
            seal_overlap=profile.number("seal.overlap"),
            corner_size=profile.number("corner_text.size"),
            corner_leading_mm=pt_to_mm(profile.number("corner_text.leading")),
            corner_edge_mm=pt_to_mm(profile.number("corner_text.edge")),
        )

    @classmethod
    def on(cls, day: dt.date) -> "Measures":
        """The measures of the profile that holds on `day`."""
        return cls.of(rules.load(day))
