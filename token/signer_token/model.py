"""The plain values of the token layer: PIN, its state, certificates, tokens.

Immutable, no device, no thread of their own; used in the main process. Certificates are read here from the
bytes that a token gave, never from a driver's own reading of them. A PIN is never shown, copied or stored, and
compared with nothing but the same one typed again.
"""

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal, NoReturn, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID


class PinState(StrEnum):
    """How near a token is to locking its user PIN; PKCS#11 gives flags, not a count (CK_TOKEN_INFO)."""

    OK = "ok"
    LOW = "low"
    """A wrong PIN was entered since the last right one."""
    FINAL = "final"
    """One more wrong PIN locks it."""
    LOCKED = "locked"
    UNKNOWN = "unknown"
    """The token couldn't be asked."""


class Pin:
    """A PIN as typed. Shows itself as *** everywhere; only `reveal` gives the text, for the token host.

    Whoever has used it wipes it: then it can't be used a second time.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = bytearray(text.encode("utf-8", errors="surrogatepass"))

    def reveal(self) -> str:
        """The text; for the request that logs in, and for nothing else. Empty once it was wiped."""
        return self._text.decode("utf-8", errors="surrogatepass")

    def __enter__(self) -> Self:
        """For the work that it was typed for; wiped after it, used or not."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Overwrites the text: it can't be used a second time."""
        self.wipe()

    def wipe(self) -> None:
        """Overwrites the text."""
        self._text[:] = bytes(len(self._text))
        self._text.clear()

    def problem(self) -> Literal["pin_empty", "pin_not_ascii"] | None:
        """Why this can't be a PIN, as an error code, before a try is spent on it; None when it can.

        A Vietnamese input method turns "aa" into "â" unseen; tokens take ASCII only.
        """
        if not self._text:
            return "pin_empty"
        return None if self._text.isascii() else "pin_not_ascii"

    def same_as(self, other: "Pin") -> bool:
        """Whether both are the same text; for a new PIN that is typed twice."""
        return hmac.compare_digest(self._text, other._text)

    @property
    def length(self) -> int:
        """Characters of an ASCII text."""
        return len(self._text)

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a PIN is not copied or stored")


@dataclass(frozen=True)
class Login:
    """What a person has given for one login."""

    pin: Pin | None
    """None: it is typed on the reader's own keys."""
    final_try: bool = False
    """The person has confirmed that the last try is to be spent."""
    signature_pin: Pin | None = None
    """For a key that wants a login for each signature; the same as `pin` where the person said so."""

    def __enter__(self) -> Self:
        """For the work that it was given for; then its PINs are gone, used or not: who wants another types another."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Overwrites the PINs."""
        for pin in (self.pin, self.signature_pin):
            if pin is not None:
                pin.wipe()


@dataclass(frozen=True)
class TokenCertificate:
    """A certificate on a token that is not an authority's."""

    sha256: str
    """Of the DER, 64 lower-case hex digits: what identifies it everywhere."""
    serial: str
    """Lower-case hex of even length."""
    subject: str
    """RFC 4514 text, Vietnamese left readable, in NFC."""
    issuer: str
    not_before: datetime
    not_after: datetime
    key: str
    """Like "RSA-2048"."""
    common_name: str
    """Empty when the subject has none."""
    organization: str
    usable_for_signing: bool
    """Key usage digitalSignature or nonRepudiation; no such extension restricts nothing (RFC 5280
    §4.2.1.3).
    """
    der: bytes = field(repr=False)
    key_present: bool | None = field(default=None, compare=False)
    """Whether its key was seen on the token; None: it shows only after a login, as on most tokens."""

    @classmethod
    def from_der(cls, der: bytes, key_present: bool | None = None) -> "TokenCertificate | None":
        """Read a certificate; None for an authority's (basicConstraints cA). ValueError when unreadable."""
        try:
            certificate = x509.load_der_x509_certificate(der)
            if _is_authority(certificate):
                return None
            return cls(
                sha256=hashlib.sha256(der).hexdigest(),
                serial=_even_hex(certificate.serial_number),
                subject=_readable(certificate.subject.rfc4514_string()),
                issuer=_readable(certificate.issuer.rfc4514_string()),
                not_before=certificate.not_valid_before_utc,
                not_after=certificate.not_valid_after_utc,
                key=_key_name(certificate.public_key()),
                common_name=_first(certificate.subject, NameOID.COMMON_NAME),
                organization=_first(certificate.subject, NameOID.ORGANIZATION_NAME),
                usable_for_signing=_may_sign(certificate),
                der=der,
                key_present=key_present,
            )
        except Exception as fault:
            # Foreign bytes: the parser's exceptions are many (version, duplicate extension, curve, …).
            raise ValueError("unreadable certificate") from fault


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.digital_signature or usage.content_commitment


def _key_name(key: CertificatePublicKeyTypes) -> str:
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA-{key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC-{key.curve.name}"
    return type(key).__name__.removesuffix("PublicKey").strip("_")


def _first(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    values = name.get_attributes_for_oid(oid)
    return _readable(str(values[0].value)) if values else ""


def _readable(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _even_hex(number: int) -> str:
    digits = f"{number:x}"
    return digits.zfill(len(digits) + len(digits) % 2)


@dataclass(frozen=True)
class Token:
    """A token as it was when it was listed; the host reads `pin_state` anew before each login."""

    label: str
    serial: str
    manufacturer: str
    model: str
    module: Path
    """The PKCS#11 module it was seen through."""
    pin_state: PinState
    certificates: tuple[TokenCertificate, ...]
    pin_pad: bool = False
    """The PIN is typed on the reader's own keys (CKF_PROTECTED_AUTHENTICATION_PATH)."""
    pin_least: int = 0
    """Characters that a PIN has at least; 0: the token doesn't say."""
    pin_most: int = 0
