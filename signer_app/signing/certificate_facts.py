"""What a certificate says of itself beside its names and dates: what it may be used for, and which key it certifies.

Main process, on certificates that the token host listed; pure. Judges nothing: whether a certificate may sign is said
in `certificates`.
"""

import hashlib
from enum import StrEnum
from functools import lru_cache

from asn1crypto import x509


class Usage(StrEnum):
    """What a certificate is for (key usage and extended key usage, RFC 5280 §4.2.1.3 and §4.2.1.12)."""

    SIGNING = "signing"
    NON_REPUDIATION = "non_repudiation"
    ENCRYPTION = "encryption"
    EMAIL = "email"
    LOGIN = "login"
    TIMESTAMPS = "timestamps"
    CODE = "code"
    OTHER = "other"


_KEY_USAGES = {
    "digital_signature": Usage.SIGNING,
    "non_repudiation": Usage.NON_REPUDIATION,
    "key_encipherment": Usage.ENCRYPTION,
    "data_encipherment": Usage.ENCRYPTION,
    "key_agreement": Usage.ENCRYPTION,
}
_PURPOSES = {
    "email_protection": Usage.EMAIL,
    "client_auth": Usage.LOGIN,
    "microsoft_smart_card_logon": Usage.LOGIN,
    "time_stamping": Usage.TIMESTAMPS,
    "code_signing": Usage.CODE,
}


@lru_cache(maxsize=64)
def usages(der: bytes) -> tuple[Usage, ...]:
    """What the certificate (DER) names as its uses, in the order of `Usage`; none where it restricts nothing."""
    certificate = x509.Certificate.load(der)
    named = certificate.key_usage_value.native if certificate.key_usage_value is not None else ()
    purposes = certificate.extended_key_usage_value.native if certificate.extended_key_usage_value is not None else ()
    found = {_KEY_USAGES.get(name, Usage.OTHER) for name in named}
    found |= {_PURPOSES.get(name, Usage.OTHER) for name in purposes}
    return tuple(usage for usage in Usage if usage in found)


@lru_cache(maxsize=64)
def key_id(der: bytes) -> str:
    """SHA-256 of the certified public key (SubjectPublicKeyInfo, DER), 64 lower-case hex digits."""
    return hashlib.sha256(x509.Certificate.load(der).public_key.dump()).hexdigest()
