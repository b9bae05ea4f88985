"""The values of attachments that travel between processes: plain, without a parser behind them.

Imported on both sides of a worker's pipe; holds nothing of a secret file.
"""

import msgspec


class LookedInto(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a worker found: secret or not; for a file that is not, its SHA-256 (hex) and size in bytes.

    `words` is False where nothing could be read: then the name alone was looked at.
    """

    secret: bool
    words: bool
    sha256: str | None
    size: int
