"""The throwaway certificates of training: an authority in two steps, a body, its leader.

Made with `cryptography` alone, once per folder, and kept in it; a certificate that is about to run out is made anew
with all the others. The keys lie open in the folder (0600): they protect nothing. No certificate names an address, so
nobody is ever asked about one; the lists of revoked certificates are empty and hold as long as the certificates.
"""

import datetime as dt
import shutil
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from signer_app.demo.files import make_private_folder, write_private
from signer_app.demo.leaf import Leaf, pkcs8

NO_VALUE = "Chế độ tập dượt, không có giá trị (TRAINING ONLY)"
"""Organisation of the authorities, which every verifier shows as the issuer."""

_LIFE = dt.timedelta(days=3650)
_RENEW = dt.timedelta(days=60)
_YESTERDAY = dt.timedelta(days=1)
_BITS = 2048
_DONE = "done"


class _Name(StrEnum):
    """Whose key and certificate a file holds."""

    ROOT = "root"
    ISSUING = "issuing"
    AGENCY = "agency"
    LEADER = "leader"


@dataclass(frozen=True)
class TrainingPki:
    """The certificates of one training folder: `trust` is the folder of anchors and lists of revoked certificates."""

    agency: Leaf
    leader: Leaf
    trust: Path


def make_or_load(folder: Path, trust: Path, agency: str, leader: str, now: dt.datetime) -> TrainingPki:
    """The certificates in `folder`, made where there are none, or only some, or they end soon; `agency` and `leader`
    are the names of their holders, `now` is aware.
    """
    known = _load(folder, trust, now) if (folder / _DONE).is_file() else None
    if known is not None:
        return known
    for place in (folder, trust):
        shutil.rmtree(place, ignore_errors=True)
        make_private_folder(place)
    _make(folder, trust, agency, leader, now)
    write_private(folder / _DONE, b"")
    made = _load(folder, trust, now)
    assert made is not None
    return made


def _load(folder: Path, trust: Path, now: dt.datetime) -> TrainingPki | None:
    try:
        issuing = (folder / f"{_Name.ISSUING}.der").read_bytes()
        if x509.load_der_x509_certificate(issuing).not_valid_after_utc < now + _RENEW or not any(trust.iterdir()):
            return None
        return TrainingPki(_leaf(folder, _Name.AGENCY, issuing), _leaf(folder, _Name.LEADER, issuing), trust)
    except (OSError, ValueError):
        return None


def _leaf(folder: Path, name: _Name, issuing: bytes) -> Leaf:
    key = serialization.load_pem_private_key((folder / f"{name}.pem").read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("another kind of key")
    der = (folder / f"{name}.der").read_bytes()
    return Leaf(der, (der, issuing), key)


def _make(folder: Path, trust: Path, agency: str, leader: str, now: dt.datetime) -> None:
    start, end = now - _YESTERDAY, now + _LIFE
    keys = {name: rsa.generate_private_key(public_exponent=65537, key_size=_BITS) for name in _Name}
    subjects = {
        _Name.ROOT: _subject("CA tập dượt – gốc", NO_VALUE),
        _Name.ISSUING: _subject("CA tập dượt", NO_VALUE),
        _Name.AGENCY: _subject(agency, NO_VALUE),
        _Name.LEADER: _subject(leader, agency),
    }
    issuers = {name: _Name.ISSUING if name in (_Name.AGENCY, _Name.LEADER) else _Name.ROOT for name in _Name}
    certificates: dict[_Name, bytes] = {}
    for name in _Name:
        issuer = issuers[name]
        builder = (
            x509.CertificateBuilder()
            .subject_name(subjects[name])
            .issuer_name(subjects[issuer])
            .public_key(keys[name].public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(_constraints(name), critical=True)
            .add_extension(_usage(name), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(keys[name].public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[issuer].public_key()), critical=False
            )
        )
        made = builder.sign(keys[issuer], hashes.SHA256())
        certificates[name] = made.public_bytes(serialization.Encoding.DER)
        write_private(folder / f"{name}.der", certificates[name])
        if name not in (_Name.ROOT, _Name.ISSUING):
            write_private(folder / f"{name}.pem", pkcs8(keys[name], serialization.Encoding.PEM))
    for name in (_Name.ROOT, _Name.ISSUING):
        # The authorities' own keys are gone from here on: nothing more can be issued, or revoked.
        revoked = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(subjects[name])
            .last_update(start)
            .next_update(end)
            .add_extension(x509.CRLNumber(1), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[name].public_key()), critical=False)
            .sign(keys[name], hashes.SHA256())
        )
        write_private(trust / f"{name}.crl", revoked.public_bytes(serialization.Encoding.DER))
        write_private(trust / f"{name}.cer", certificates[name])


def _subject(common_name: str, organisation: str) -> x509.Name:
    parts = ((NameOID.COUNTRY_NAME, "VN"), (NameOID.ORGANIZATION_NAME, organisation[:64]))
    return x509.Name(
        [
            *(x509.NameAttribute(oid, value) for oid, value in parts),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _constraints(name: _Name) -> x509.BasicConstraints:
    if name is _Name.ROOT:
        return x509.BasicConstraints(ca=True, path_length=1)
    return x509.BasicConstraints(ca=name is _Name.ISSUING, path_length=0 if name is _Name.ISSUING else None)


def _usage(name: _Name) -> x509.KeyUsage:
    """As in the certificates of the Government Cipher Committee: a person's may sign documents and no more."""
    authority = name in (_Name.ROOT, _Name.ISSUING)
    return x509.KeyUsage(
        digital_signature=name is _Name.AGENCY,
        content_commitment=not authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
