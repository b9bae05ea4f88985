"""Reads certificates out of the files in which authorities hand them over: DER, PEM and PKCS #7 (.p7b).

Main process, for files that a person names; reads with limits in bytes and in number, writes nothing, trusts nothing.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from pathlib import Path

from asn1crypto import cms, core
from cryptography import x509

from signer_app.verification.addresses import ODD
from signer_resources.errors import KnownError

_MAX_FILE = 1 << 20
_MAX_CERTIFICATES = 50
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----([A-Za-z0-9+/=\s]*)-----END \1-----")
_Faults = (ValueError, TypeError, KeyError, AttributeError, OverflowError)


def read_certificates(file: Path) -> tuple[bytes, ...]:
    """The DER of each certificate in the file, as it stands there, each once.

    Raises KnownError: trust_file_unreadable, trust_file_empty (none in it, too many, or too large).
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(_MAX_FILE + 1)
    except OSError as error:
        raise KnownError("trust_file_unreadable", file=str(file)) from error
    found: dict[bytes, None] = {}
    if len(data) <= _MAX_FILE:
        for block in _blocks(data):
            found.update(dict.fromkeys(_certificates(block)))
    if not 0 < len(found) <= _MAX_CERTIFICATES:
        raise KnownError("trust_file_empty", file=file.name, most=_MAX_CERTIFICATES)
    return tuple(found)


def _blocks(data: bytes) -> Iterator[bytes]:
    if b"-----BEGIN " not in data:
        yield data
        return
    for block in _PEM.finditer(data):
        try:
            yield base64.b64decode(block.group(2))
        except binascii.Error:
            continue


def _certificates(der: bytes) -> Iterator[bytes]:
    try:
        x509.load_der_x509_certificate(der)
    except ODD:
        yield from _in_pkcs7(der)
    else:
        yield der


def _in_pkcs7(der: bytes) -> Iterator[bytes]:
    """The certificates of a SignedData; its signature, if it has any, is of no matter (RFC 2315, 9: a mere carrier)."""
    try:
        info = cms.ContentInfo.load(der, strict=True)
        if info["content_type"].native != "signed_data":
            return
        choices = list(info["content"]["certificates"])[: _MAX_CERTIFICATES + 1]
        ders = [choice.chosen.dump() for choice in choices if isinstance(choice.chosen, core.Sequence)]
    except _Faults:
        return
    for one in ders:
        try:
            x509.load_der_x509_certificate(one)
        except ODD:
            continue
        yield one
