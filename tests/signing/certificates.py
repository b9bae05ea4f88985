"""Small certificates as a token holds them, made on the spot."""

import datetime as dt
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from signer_app.store.times import VIETNAM
from signer_token.model import TokenCertificate

ISSUED = dt.datetime(2024, 1, 10, 8, 0, tzinfo=VIETNAM)
YEAR = dt.timedelta(days=365)
BODY, PARENT = "UBND XÃ HÒA SƠN", "UBND tỉnh An Sơn"
COMMITTEE = "Ban Cơ yếu Chính phủ"


@cache
def key(_number: int) -> ec.EllipticCurvePrivateKey:
    """A key by a number of the test's own."""
    return ec.generate_private_key(ec.SECP256R1())


def name(common: str, organisation: str | None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COUNTRY_NAME, "VN")]
    if organisation is not None:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common)])


@cache
def certificate(
    *,
    subject: str = BODY,
    issuer: str = "CA thử G1",
    family: str | None = COMMITTEE,
    serial: int = 0x0A1B,
    begin: dt.datetime = ISSUED,
    life: dt.timedelta = 2 * YEAR,
    key_number: int = 1,
    restricted: bool = True,
    key_present: bool | None = None,
) -> TokenCertificate:
    """A body's certificate, the same one for the same wish; `restricted`: it names its uses."""
    made = (
        x509.CertificateBuilder()
        .subject_name(name(subject, PARENT))
        .issuer_name(name(issuer, family))
        .serial_number(serial)
        .not_valid_before(begin)
        .not_valid_after(begin + life)
        .public_key(key(key_number).public_key())
    )
    if restricted:
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=True,
            key_encipherment=True,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=False,
            crl_sign=False,
            encipher_only=False,
            decipher_only=False,
        )
        purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.CLIENT_AUTH])
        made = made.add_extension(usage, critical=True).add_extension(purposes, critical=False)
    der = made.sign(key(0), hashes.SHA256()).public_bytes(Encoding.DER)
    found = TokenCertificate.from_der(der, key_present)
    assert found is not None
    return found
