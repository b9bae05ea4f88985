"""How sure the source of a rule is: a word beside each value of a rule profile.

Read by every room; a plain enumeration, on any process and thread. It judges nothing itself.
"""

from enum import StrEnum


class Mark(StrEnum):
    """How sure the source of a rule is."""

    STATED = "stated"
    """Read in the text of the act, or measured."""
    REPORTED = "reported"
    """Taken from a guide or a summary."""
    ASSUMED = "assumed"
    """A reading of ours, to be confirmed by an expert."""
