"""Whom TLS trusts, and why it did not: the system's authorities, the body's own CA beside them.

Any thread. Certificates are always verified here; see `diagnosis` for the one look at a certificate that was refused.
"""

import ssl
import time
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Final

from signer_resources.errors import KnownError

AUTHORITIES_FOR_S: Final = 600
"""So long the authorities are taken as they were read."""
MAX_CA: Final = 4 << 20
"""Bytes of a file with a body's authorities."""

# OpenSSL's x509_vfy.h
_NOT_YET, _EXPIRED = 9, 10
_WRONG_NAME = frozenset({62, 64})  # host name, IP address


class Distrust(Enum):
    """Why a server's certificate was refused."""

    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    NAME = "name"
    UNKNOWN = "unknown"
    """No chain to an authority that this machine trusts."""


def trusting(extra_ca: Path | None) -> ssl.SSLContext:
    """A context that trusts the system's authorities and those in `extra_ca` (PEM, or one in DER).

    KnownError extra_ca_unreadable. Contexts are shared by all sessions: reading the authorities takes ten times as long
    as all else about a small request.
    """
    turn = int(time.monotonic() // AUTHORITIES_FOR_S)
    if extra_ca is None:
        return _system(turn)
    try:
        written = extra_ca.stat().st_mtime_ns
    except OSError as error:
        raise KnownError("extra_ca_unreadable", file=str(extra_ca)) from error
    return _with_own(turn, extra_ca, written)


@lru_cache(maxsize=1)
def _system(_turn: int) -> ssl.SSLContext:
    return ssl.create_default_context()


@lru_cache(maxsize=4)
def _with_own(_turn: int, extra_ca: Path, _written: int) -> ssl.SSLContext:
    context = ssl.create_default_context()
    try:
        with extra_ca.open("rb") as file:
            data = file.read(MAX_CA + 1)
        if len(data) > MAX_CA:
            raise ValueError("too large")
        context.load_verify_locations(cadata=data.decode("ascii", "ignore") if b"-----BEGIN" in data else data)
    except (OSError, ValueError) as error:  # ssl's own error is an OSError
        raise KnownError("extra_ca_unreadable", file=str(extra_ca)) from error
    return context


def distrust_in(error: BaseException) -> Distrust | None:
    """Why the certificate was refused, by OpenSSL's number somewhere beneath `error`; None if it wasn't that."""
    code = _verify_code(error, 0)
    if code is None:
        return None
    if code in _WRONG_NAME:
        return Distrust.NAME
    return {_NOT_YET: Distrust.NOT_YET_VALID, _EXPIRED: Distrust.EXPIRED}.get(code, Distrust.UNKNOWN)


def _verify_code(error: object, depth: int) -> int | None:
    """requests and urllib3 wrap errors into one another as arguments, reasons and causes."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_code
    if not isinstance(error, BaseException) or depth > 8:
        return None
    beneath = (*error.args, getattr(error, "reason", None), error.__cause__, error.__context__)
    return next((code for inner in beneath if (code := _verify_code(inner, depth + 1)) is not None), None)
