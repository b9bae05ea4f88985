"""Encryption: whether a password is needed, and what the permission bits let a signer do.

Pure values; runs in a worker. Bits: ISO 32000-1, table 22. A file with an owner password alone opens for everybody,
and its bits are the author's wish, which is kept.
"""

from dataclasses import dataclass

import pikepdf

_MODIFY, _ANNOTATE, _FILL = 1 << 3, 1 << 5, 1 << 8
"""Bits 4, 6 and 9, counted from 1."""


@dataclass(frozen=True)
class Access:
    """What may be done with the file as it opens without a password."""

    encrypted: bool = False
    may_fill: bool = True
    """Existing fields may be filled and signed (bit 6 or 9)."""
    may_add: bool = True
    """New fields may be made (bits 4 and 6)."""


def access_of(pdf: pikepdf.Pdf) -> Access:
    """What the bits of an opened file let one do; with the owner's password empty they bind nobody."""
    if not pdf.is_encrypted:
        return Access()
    if pdf.owner_password_matched:
        return Access(encrypted=True)
    bits = pdf.encryption.P
    # Before revision 3 there is no bit 9, and bit 6 speaks for both.
    fill = bits & _ANNOTATE or (pdf.encryption.R >= 3 and bits & _FILL)
    return Access(encrypted=True, may_fill=bool(fill), may_add=bool(bits & _MODIFY and bits & _ANNOTATE))
