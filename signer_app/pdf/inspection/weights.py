"""How much each thing that the inspection sees weighs, by what the signature is for: the whole table in one place.

Pure data. The question is whether the page may look other than it was signed, later, elsewhere or on paper, with the
signature still good. Where it may, a signature that stands for a body or a leader is refused; a plain one and an
initial are warned. What looks the same everywhere but deserves a look is a warning for all.
"""

from enum import Enum

from signer_app.pdf.model import Profile, Severity

_LENIENT = frozenset({Profile.PLAIN, Profile.INITIAL})
"""Profiles that bind neither a body nor its leader."""


class Weight(Enum):
    """What a sighting does."""

    LOOK = "look"
    """A warning in every profile: a person looks and goes on."""
    MAY_DECEIVE = "may_deceive"
    """Refused, save for a plain signature and an initial, which are warned."""
    NEVER = "never"
    """Refused in every profile."""


WEIGHTS = {
    # What runs.
    "script": Weight.MAY_DECEIVE,
    "script_on_click": Weight.LOOK,
    "launch_on_open": Weight.MAY_DECEIVE,
    "launch_link": Weight.LOOK,
    "action_changes_view": Weight.MAY_DECEIVE,
    "action_on_open": Weight.LOOK,
    "action_on_click": Weight.LOOK,
    # What decides elsewhere, or later, what is shown.
    "pdf_dynamic": Weight.NEVER,
    "external_content": Weight.MAY_DECEIVE,
    "hidden_layer": Weight.MAY_DECEIVE,
    "dynamic_field": Weight.MAY_DECEIVE,
    "fields_without_look": Weight.MAY_DECEIVE,
    "need_appearances": Weight.LOOK,
    "open_fields": Weight.LOOK,
    "rich_media": Weight.MAY_DECEIVE,
    "print_differs": Weight.MAY_DECEIVE,
    "annotation_print_only": Weight.MAY_DECEIVE,
    "annotation_not_printed": Weight.LOOK,
    "annotation_hidden": Weight.LOOK,
    # What is there and isn't seen; it is the same for everybody.
    "text_outside_page": Weight.LOOK,
    "text_paper_colour": Weight.LOOK,
    "text_invisible": Weight.LOOK,
    "text_covered": Weight.LOOK,
    "text_tiny": Weight.LOOK,
    "attachments_inside": Weight.LOOK,
    "usage_rights": Weight.LOOK,
    "inspection_incomplete": Weight.LOOK,
}


def severity(code: str, profile: Profile) -> Severity:
    """How much the sighting `code` weighs for a signature of this profile."""
    weight = WEIGHTS[code]
    if weight is Weight.LOOK or (weight is Weight.MAY_DECEIVE and profile in _LENIENT):
        return Severity.WARNING
    return Severity.REFUSED
