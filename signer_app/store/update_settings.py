"""Where updates of the program come from, and the oldest version that may be used.

Plain values of the settings; no secret is among them.
"""

from typing import Annotated

import msgspec

VERSION_PATTERN = r"^[0-9]{1,6}(\.[0-9]{1,6}){1,3}$"
"""A version as releases bear it: two to four numbers with dots."""


class UpdateSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Updates of this machine; without `source` they are looked for only where a person says."""

    source: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)] | None = None
    """A folder (share, stick) or the https address of one, with `metadata` and `targets` in it."""
    minimum_version: Annotated[str, msgspec.Meta(pattern=VERSION_PATTERN)] | None = None
    """The oldest version that the administrator allows; neither an update nor going back leads below it."""
