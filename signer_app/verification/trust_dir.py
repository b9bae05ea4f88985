"""Reads a folder of trust material: anchors, helping certificates, CRLs and OCSP responses.

Runs in the main process or a worker; reads files, writes nothing, asks no network. A self-signed certificate is an
anchor, every other one helps to build chains.
"""

import base64
import binascii
import contextlib
import re
from collections.abc import Iterator
from enum import Enum, auto
from pathlib import Path

from asn1crypto import crl, ocsp, x509

from signer_app.verification.model import TrustMaterial
from signer_resources.errors import KnownError

_MAX_FILES = 1000
_MAX_FILE = 64 << 20
_MAX_TOTAL = 256 << 20
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)


class TrustFolderError(KnownError):
    """The folder can't be read; code `trust_dir_missing`."""


def load_trust_dir(path: Path) -> TrustMaterial:
    """What the folder's files hold, PEM or DER, links followed, subfolders left alone.

    Files that hold nothing of use, or too much, are named in `warnings`. Raises TrustFolderError.
    """
    try:
        files = sorted(file for file in path.iterdir() if file.is_file())
    except OSError as error:
        raise TrustFolderError("trust_dir_missing", folder=str(path)) from error
    anchors: list[bytes] = []
    intermediates: list[bytes] = []
    crls: list[bytes] = []
    ocsps: list[bytes] = []
    warnings = [file.name for file in files[_MAX_FILES:]]
    total = 0
    for file in files[:_MAX_FILES]:
        try:
            size = file.stat().st_size
            data = file.read_bytes() if size <= _MAX_FILE and total + size <= _MAX_TOTAL else b""
        except OSError:
            data = b""
        total += len(data)
        useful = False
        for der in _ders(data):
            kind = _kind(der)
            useful = useful or kind is not None
            if kind is _Kind.CERTIFICATE:
                (anchors if _self_signed(der) else intermediates).append(der)
            elif kind is _Kind.CRL:
                crls.append(der)
            elif kind is _Kind.OCSP:
                ocsps.append(der)
        if not useful:
            warnings.append(file.name)
    return TrustMaterial(tuple(anchors), tuple(intermediates), tuple(crls), tuple(ocsps), tuple(warnings))


def _ders(data: bytes) -> Iterator[bytes]:
    if b"-----BEGIN " not in data:
        yield data
        return
    for found in _PEM.finditer(data):
        try:
            yield base64.b64decode(found.group(2), validate=False)
        except binascii.Error:
            continue


class _Kind(Enum):
    CERTIFICATE = auto()
    CRL = auto()
    OCSP = auto()


def _kind(der: bytes) -> _Kind | None:
    with contextlib.suppress(ValueError, TypeError, KeyError):
        certificate = x509.Certificate.load(der, strict=True)
        _ = certificate.not_valid_after, certificate.subject.native, certificate.public_key.bit_size
        return _Kind.CERTIFICATE
    with contextlib.suppress(ValueError, TypeError, KeyError):
        _ = crl.CertificateList.load(der, strict=True)["tbs_cert_list"]["this_update"].native
        return _Kind.CRL
    with contextlib.suppress(ValueError, TypeError, KeyError):
        _ = ocsp.OCSPResponse.load(der, strict=True)["response_status"].native
        return _Kind.OCSP
    return None


def _self_signed(der: bytes) -> bool:
    """By name: whether the signature fits is of no matter for what the administrator put there himself."""
    certificate = x509.Certificate.load(der)
    return bool(certificate.subject == certificate.issuer)
