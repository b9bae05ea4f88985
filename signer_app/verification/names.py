"""What a certificate says of its holder in the words of TT 15/2025/TT-BKHCN, article 6.4, and whose anchor it leads to.

Runs anywhere; pure. Whatever a certificate says is foreign text: a name that can't be read is None, never an error.
"""

from collections.abc import Iterable

from asn1crypto import x509

from signer_app.verification.model import AnchorSet
from signer_resources.trust import PinKind, pin_of

_MAX_NAME = 500
_ODD = (ValueError, TypeError, KeyError, AttributeError, OverflowError)
"""What the lazy parser raises for names and numbers that are none."""


class AnchorSets:
    """Which set an anchor belongs to; two sets are kept apart in every report (VGCA is no part of the public side)."""

    def __init__(self, national_roots: Iterable[str]) -> None:
        self._national = frozenset(national_roots)

    def of(self, anchor: x509.Certificate) -> AnchorSet:
        """By the pins, by what an administrator has pinned, else the body's own."""
        fingerprint = anchor.sha256.hex()
        pin = pin_of(fingerprint)
        if pin is not None and pin.kind is PinKind.ROOT:
            return AnchorSet(pin.set.value)
        return AnchorSet.NATIONAL if fingerprint in self._national else AnchorSet.OWN


def common_name(certificate: x509.Certificate | None) -> str | None:
    """The holder's common name; without one, the whole name."""
    return _shown(certificate, "subject") if certificate is not None else None


def issuer_name(certificate: x509.Certificate) -> str | None:
    """The same of the CA that issued it."""
    return _shown(certificate, "issuer")


def organization(certificate: x509.Certificate) -> str | None:
    """The unit that manages the certificate: its OU, then its O (article 6.4, fact 3)."""
    parts = ("organizational_unit_name", "organization_name")
    units = [value for part in parts for value in _values(certificate, "subject", part)]
    return ", ".join(dict.fromkeys(units))[:_MAX_NAME] or None


def serial_hex(certificate: x509.Certificate) -> str | None:
    """The serial number in lower-case hex, as tokens show it: whole bytes."""
    try:
        number: int = certificate.serial_number
    except _ODD:
        return None
    digits = f"{abs(number):x}"
    return ("-" if number < 0 else "") + digits.zfill(len(digits) + len(digits) % 2)


def _shown(certificate: x509.Certificate, whose: str) -> str | None:
    names = _values(certificate, whose, "common_name")
    try:
        return (names[0] if names else str(getattr(certificate, whose).human_friendly))[:_MAX_NAME]
    except _ODD:
        return None


def _values(certificate: x509.Certificate, whose: str, part: str) -> list[str]:
    try:
        found = getattr(certificate, whose).native.get(part)
    except _ODD:
        return []
    return [str(one) for one in (found if isinstance(found, list) else [found]) if one]
