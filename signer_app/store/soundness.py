"""Whether the journal is as it was written: what vouches for it, what can differ, what a look at it found.

Plain values, frozen, without behaviour; usable on any thread and in any process. Finding it out is the journal's.
"""

import datetime as dt
from enum import StrEnum

import msgspec


class JournalAnchor(msgspec.Struct, frozen=True, kw_only=True):
    """The journal's head as the server's signed receipt for `packet_id` repeats it."""

    count: int
    hash: str
    packet_id: str
    at: dt.datetime


class JournalFault(StrEnum):
    """What differs where the journal is not as it was written."""

    CONTENT = "content"
    """The entry or its time doesn't give the entry's hash."""
    LINK = "link"
    """The entry doesn't follow the one before it."""
    MISSING = "missing"
    """The entry with this number is not there, though later ones are."""
    CUT = "cut"
    """Entries are missing at the end: more were anchored than are there."""
    REWRITTEN = "rewritten"
    """The entries fit each other, but not what was anchored."""


class JournalCheck(msgspec.Struct, frozen=True, kw_only=True):
    """`sound_to`: last entry that an anchor proves; `newer`: sound entries after it, not yet anchored.

    `broken_at`: the first entry that is not as it was written, as far as can be told; None if all fits. Then `fault`
    says what differs, and `broken_time` what that entry gives as its time (None where there is no such entry).
    """

    entries: int
    sound_to: int
    newer: int
    broken_at: int | None
    fault: JournalFault | None = None
    broken_time: dt.datetime | None = None
