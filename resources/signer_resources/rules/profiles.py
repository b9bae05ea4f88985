"""Signature profiles: what each kind of signature is, as data of the rule profile.

Read by every room, on any process and thread; immutable. A profile says who signs, what is shown and where it is
looked for, what it prepares for the next signer, and what must be true first. It does nothing itself: the code that
places, checks and counts signatures asks here and never asks which profile it has.
"""

from datetime import date
from enum import StrEnum

import msgspec

from signer_resources.rules.sources import Mark


class Signs(StrEnum):
    """Whose certificate signs."""

    PERSON = "person"
    AGENCY = "agency"
    ANY = "any"


class Picture(StrEnum):
    """Which picture is shown."""

    SIGNATURE = "signature"
    SEAL = "seal"
    INITIAL = "initial"
    NONE = "none"


class PlaceRule(StrEnum):
    """How a place is found; each placement names the rule that found it."""

    BY_HAND = "by_hand"
    """The person gave it."""
    PREPARED_FIELD = "prepared_field"
    """An empty signature field that waits there."""
    LEADER_SIGNATURE = "leader_signature"
    """Beside the leader's visible signature."""
    SIGNER_NAME = "signer_name"
    """Between title and name of ô 7."""
    END_OF_TEXT = "end_of_text"
    """Behind "./.", with which ô 6 ends."""
    TOP_RIGHT = "top_right"
    """The corner of page 1 (ô 14)."""
    REMEMBERED = "remembered"
    """Where the person put it on the last document of this body and type."""
    GEOMETRY = "geometry"
    """Free room where the layout of the decree has it; never sure."""
    INVISIBLE = "invisible"
    """Nothing is shown."""


class Prepared(StrEnum):
    """An empty field that is made for the next signer."""

    NUMBER = "number"
    DATE = "date"
    SEAL = "seal"


class Need(StrEnum):
    """What must be true before it is signed."""

    LEADER_SIGNATURE = "leader_signature"
    NUMBER = "number"
    NO_DIGITAL_SIGNATURE = "no_digital_signature"
    ORDER = "order"


class CountsAs(StrEnum):
    """What the signature is to those who come after it."""

    LEADER = "leader"
    AGENCY = "agency"
    NOTHING = "nothing"


class TimeSpelling(StrEnum):
    """Which of the two spellings of the signing time is drawn; the rules `signing_time.*` give them."""

    USUAL = "usual"
    ISO = "iso"


class SignatureProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of signature, and where its rules come from.

    `text` is the id of the rule with the template that is drawn (empty: none), `places` the rules in the order in which
    they are asked, `reason` the template of the signature's reason (empty: none), `field` the stem of its field's name,
    `scan` the id of the rule with the least dots an inch of the scan that is signed (empty: no scan).
    """

    id: str
    signs: Signs
    picture: Picture
    places: tuple[PlaceRule, ...]
    counts_as: CountsAs
    field: str
    act: str
    article: str
    valid_from: date
    mark: Mark
    text: str = ""
    time: TimeSpelling = TimeSpelling.USUAL
    prepares: tuple[Prepared, ...] = ()
    needs: tuple[Need, ...] = ()
    takes_number: bool = False
    reason: str = ""
    scan: str = ""
    valid_to: date | None = None
    note: str = ""

    def holds_on(self, day: date) -> bool:
        """Whether the profile is in force on `day`."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)
