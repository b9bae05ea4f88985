"""What a certificate says of its holder in the words of TT 15/2025/TT-BKHCN, article 6.4, and whose anchor it leads to.

Runs anywhere; pure. Whatever a certificate says is foreign: a name or a time that can't be read is None, never an
error, and text is one line without characters that could rewrite what stands beside it.
"""

import datetime as dt
import unicodedata
from collections.abc import Iterable

from asn1crypto import x509

from signer_app.verification.model import AnchorSet
from signer_resources.trust import PinKind, pin_of

_MAX_NAME = 500
_ODD = (ValueError, TypeError, KeyError, AttributeError, OverflowError)
"""What the lazy parser raises for names and numbers that are none."""
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs"})


def one_line(foreign: str) -> str:
    """Text of others as one line, without control, direction and half characters: it can't look like words of ours."""
    if foreign.isascii() and foreign.isprintable():
        return foreign
    parts = "".join(" " if one.isspace() else one for one in foreign)
    return "".join(one for one in parts if unicodedata.category(one) not in _UNSEEN)


def plain_time(foreign: object) -> dt.datetime | None:
    """A time of others if it is one of this calendar, with its zone; ASN.1 knows a year 0 and times of nowhere."""
    try:
        if isinstance(foreign, dt.datetime) and foreign.tzinfo is not None:
            foreign.astimezone(dt.UTC)
            return foreign
    except OverflowError:
        return None
    return None


def validity(certificate: x509.Certificate) -> tuple[dt.datetime | None, dt.datetime | None]:
    """From when until when the certificate says that it is good."""
    try:
        return plain_time(certificate.not_valid_before), plain_time(certificate.not_valid_after)
    except _ODD:
        return None, None


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


def whole_name(certificate: x509.Certificate, whose: str) -> str | None:
    """All parts of the holder's ("subject") or the CA's ("issuer") name."""
    try:
        return one_line(str(getattr(certificate, whose).human_friendly))
    except _ODD:
        return None


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
    shown = names[0] if names else whole_name(certificate, whose)
    return shown[:_MAX_NAME] if shown is not None else None


def _values(certificate: x509.Certificate, whose: str, part: str) -> list[str]:
    try:
        found = getattr(certificate, whose).native.get(part)
    except _ODD:
        return []
    lines = (one_line(str(one)).strip() for one in (found if isinstance(found, list) else [found]) if one)
    return [line for line in lines if line]
