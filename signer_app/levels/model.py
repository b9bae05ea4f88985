"""The shapes that travel between the main process and the workers when a document is raised to a higher level.

Plain frozen values; no PDF, no cryptography and no network is imported here. Codes are entries of the catalogue.
"""

import datetime as dt

import msgspec

from signer_app.verification.model import FileReport, Level, RevocationUrl

ORDER = (Level.B_B, Level.B_T, Level.B_LT, Level.B_LTA)
"""From low to high."""


def at_least(level: Level, wanted: Level) -> bool:
    """Whether `level` is as high as `wanted`."""
    return ORDER.index(level) >= ORDER.index(wanted)


class _Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of the values here."""


class StampGap(_Value, frozen=True):
    """Where the token of a document timestamp goes: `document_digest` is the SHA-256 that it is asked for, the other
    two bound the room in the prepared file.
    """

    document_digest: bytes
    gap_start: int
    gap_end: int


class Standing(_Value, frozen=True):
    """How a document stands, as low as the lowest of its signatures.

    `level` counts validation data only where the file itself holds all of it. `in_hand`: with the news in hand, which
    the file may hold or not, everything is covered, its last timestamp too; else `wanted` says where more may be had.
    `obstacle`: why no timestamp may be added; `lt_obstacle`: why validation data can't be had for all of it. `ends_at`:
    when the first of the certificates runs out on which its proofs rest.
    """

    report: FileReport
    level: Level
    in_hand: bool
    wanted: tuple[RevocationUrl, ...]
    obstacle: str | None
    lt_obstacle: str | None
    ends_at: dt.datetime | None


class DataAdded(_Value, frozen=True):
    """What `add_validation` has done: `size` are the bytes of CRLs and OCSP answers that came in; `written` False where
    they are more than was allowed, or something is missing.
    """

    written: bool
    size: int
