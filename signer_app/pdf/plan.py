"""What will be drawn where, fixed before the page is shown: plain values without a PDF in them.

A plan belongs to one file (by the hash of its blob) and one profile. Its steps are the signatures to be made, in
order; each is one increment and one C_Sign. The bytes that get signed are a pure function of blob, plan and signing
time, and `plan_hash` is how a plan is named in the database.
"""

import datetime as dt
import hashlib
from enum import StrEnum

import msgspec

from signer_app.pdf.geometry import Rect

VIETNAM = dt.timezone(dt.timedelta(hours=7))
"""Vietnam's time, written +07:00 literally (NĐ 30 PL I, ISO 8601): never the PC's zone."""

SIGNING_TIME = "{signing_time}"
"""Stands in a text for the time of signing, which is known only later."""

SIGNING_TIME_ISO = "{signing_time_iso}"
"""The same in its other spelling, 2026-03-05T14:03:05+07:00."""

NUMBER_FIELD, DATE_FIELD, SEAL_FIELD = "so", "ngay", "dau"
"""Names of the fields that a leader's signature prepares for the clerk."""


class Style(StrEnum):
    """The four faces of the family."""

    REGULAR = "Regular"
    ITALIC = "Italic"
    BOLD = "Bold"
    BOLD_ITALIC = "BoldItalic"


class _Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class TextItem(_Value, tag="text", frozen=True):
    """A line of black letters: left end on the baseline, in mm from the top left of its drawing."""

    x: float
    baseline: float
    size: float
    style: Style
    text: str


class ImageItem(_Value, tag="image", frozen=True):
    """A picture (PNG, by the hash of its file), in mm from the top left of its drawing.

    Its ink fills `box` as far as its ratio allows, in the middle.
    """

    image: str
    box: Rect


class Drawing(_Value, frozen=True):
    """What a stamp shows. `multiply` lets the ink below stay readable (domain rule: a seal lies over a signature)."""

    items: tuple[TextItem | ImageItem, ...]
    multiply: bool = False


class MakeTextField(_Value, tag="text_field", frozen=True):
    """An empty text field that a later signer will fill: name, tooltip, page (from 0), place in mm, letter size."""

    name: str
    label: str
    page: int
    rect: Rect
    size: float
    style: Style


class MakeSignatureField(_Value, tag="signature_field", frozen=True):
    """An empty signature field for a later signer; signing it locks the fields named in `locks`."""

    name: str
    label: str
    page: int
    rect: Rect
    locks: tuple[str, ...]


class FillTextField(_Value, frozen=True):
    """A value for an existing empty text field: page (from 0), its box in mm, and how it looks within the box."""

    name: str
    value: str
    box: Rect
    drawing: Drawing
    page: int = 0


class SignStep(_Value, frozen=True):
    """One signature: its field (existing or new, visible or not), what it shows, what it makes and fills before."""

    field: str
    existing: bool
    page: int | None
    rect: Rect | None
    drawing: Drawing | None
    make: tuple[MakeTextField | MakeSignatureField, ...] = ()
    fill: tuple[FillTextField, ...] = ()
    reason: str | None = None


class Mark(StrEnum):
    """Kinds of things that land on a page."""

    SEAL = "seal"
    SIGNATURE = "signature"
    NUMBER = "number"
    DATE = "date"
    NUMBER_AND_DATE = "number_and_date"
    STAMP_TEXT = "stamp_text"
    INITIAL = "initial"


class Placement(_Value, frozen=True):
    """Where something lands (page from 1, mm), which rule put it there (a stable code), and whether it is sure."""

    what: Mark
    page: int
    rect: Rect
    rule: str
    sure: bool

    @property
    def rule_text(self) -> str:
        """The key of the text that names the rule to a person."""
        return f"place_rule_{self.rule}"


class SigningPlan(_Value, frozen=True):
    """All that will be done to one file. `original`: the file as it came, where `blob` is its repaired copy."""

    profile: str
    blob: str
    certificate: str
    rules: str
    steps: tuple[SignStep, ...]
    placements: tuple[Placement, ...] = ()
    original: str | None = None


def canonical(value: SigningPlan | SignStep) -> bytes:
    """The one JSON spelling of a plan or step: the same before and after it travelled to another process."""
    # A number given as 0 comes back as 0.0.
    settled = msgspec.convert(msgspec.to_builtins(value), type(value))
    return msgspec.json.encode(settled, order="deterministic")


def plan_hash(plan: SigningPlan) -> str:
    """SHA-256 (hex) of the plan's canonical JSON."""
    return hashlib.sha256(canonical(plan)).hexdigest()
