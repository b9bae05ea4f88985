"""What an empty signature field requires of the signature that fills it (seed values, ISO 32000-1, tables 234, 235).

Pure reading; runs in a worker. Only what is *required* counts. What this program signs: Adobe.PPKLite,
ETSI.CAdES.detached, SHA-256, approval, no reason, a timestamp only where one comes in time.
"""

import hashlib
from collections.abc import Callable
from typing import Any

import pikepdf

from signer_app.pdf.inspection.reading import elements, entry, has, name, one_or_many, whole, words

_SUBFILTER, _DIGEST = "/ETSI.CAdES.detached", "SHA256"
_NEWEST = 3
"""Version of the seed values that is known (PDF 2.0)."""


def unmet(seeds: Any, certificate: str) -> tuple[str, ...]:
    """Keys of what is required and can't be given by the certificate with this SHA-256 (hex; "" for not known yet)."""
    flags = whole(entry(seeds, "/Ff"))
    missing = [key for key, bit, met in _REQUIRED if flags & bit and has(seeds, key) and not met(entry(seeds, key))]
    # A required reason that isn't there forbids one, which is what we do.
    kind = entry(seeds, "/MDP")
    if kind is not None and whole(entry(kind, "/P")) != 0:
        missing.append("MDP")
    if whole(entry(entry(seeds, "/TimeStamp"), "/Ff")) & 1:
        missing.append("TimeStamp")
    if not _certificate_fits(entry(seeds, "/Cert"), certificate):
        missing.append("Cert")
    return tuple(key.lstrip("/") for key in missing)


def _filter(value: Any) -> bool:
    return name(value) == "/Adobe.PPKLite"


def _subfilter(value: Any) -> bool:
    # The first one that a signer supports is to be used, and pyHanko takes the first at its word.
    return next((name(one) == _SUBFILTER for one in elements(value)), False)


def _version(value: Any) -> bool:
    return whole(value) <= _NEWEST


def _no_reason(value: Any) -> bool:
    reasons = [words(one) for one in one_or_many(value)]
    return reasons in ([], ["."])


def _not_true(value: Any) -> bool:
    return value is not True


def _digest(value: Any) -> bool:
    return any(words(one).upper().replace("-", "") == _DIGEST for one in elements(value))


def _open_document(value: Any) -> bool:
    """/LockDocument: a name "false" or "auto" is a choice that leaves it open."""
    return value is False or name(value) in ("/false", "/auto")


def _never(value: Any) -> bool:
    return False


_REQUIRED: tuple[tuple[str, int, Callable[[Any], bool]], ...] = (
    ("/Filter", 1, _filter),
    ("/SubFilter", 2, _subfilter),
    ("/V", 4, _version),
    ("/Reasons", 8, _no_reason),
    ("/LegalAttestation", 16, _never),
    ("/AddRevInfo", 32, _not_true),
    ("/DigestMethod", 64, _digest),
    ("/LockDocument", 128, _open_document),
    ("/AppearanceFilter", 256, _never),
)
"""Key, its bit in /Ff, and whether what we do meets it."""


def _certificate_fits(wanted: Any, certificate: str) -> bool:
    """Whether the signer's certificate is one of those named; other constraints can't be looked at here."""
    flags = whole(entry(wanted, "/Ff"))
    if flags & ~(1 | 64):
        return False
    if not flags & 1 or not certificate:
        return True
    named = [bytes(one) for one in elements(entry(wanted, "/Subject")) if isinstance(one, pikepdf.String)]
    return any(hashlib.sha256(der).hexdigest() == certificate for der in named)
