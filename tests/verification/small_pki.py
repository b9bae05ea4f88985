"""A PKI in memory for the tests of verification: certificates, CRLs and OCSP responses as each test wants them.

Time is fixed: all of it lives around `NOW`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import asn1crypto.crl
import asn1crypto.keys
import asn1crypto.x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from signer_app.verification.model import TrustMaterial

NOW = dt.datetime(2026, 11, 22, 8, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Holder:
    """A certificate with its private key and its issuer."""

    certificate: x509.Certificate
    key: Key
    issuer: "Holder | None" = None

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def asn1(self) -> asn1crypto.x509.Certificate:
        return asn1crypto.x509.Certificate.load(self.der)

    @property
    def asn1_key(self) -> asn1crypto.keys.PrivateKeyInfo:
        return asn1crypto.keys.PrivateKeyInfo.load(
            self.key.private_bytes(
                serialization.Encoding.DER,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )

    @property
    def chain(self) -> list[asn1crypto.x509.Certificate]:
        found: list[asn1crypto.x509.Certificate] = []
        above = self.issuer
        while above is not None:
            found.append(above.asn1)
            above = above.issuer
        return found


def make_certificate(
    name: str,
    issuer: Holder | None,
    *,
    key: Key | None = None,
    ca: bool = False,
    not_before: dt.datetime = NOW - 400 * DAY,
    not_after: dt.datetime = NOW + 400 * DAY,
    usage: str | None = "digital_signature",
    extended: x509.ObjectIdentifier | None = None,
    crl_url: str | None = None,
    ocsp_url: str | None = None,
    organization: str | None = None,
    unit: str | None = None,
    also: Sequence[x509.ExtensionType] = (),
) -> Holder:
    key = key or ec.generate_private_key(ec.SECP256R1())
    named = {NameOID.ORGANIZATION_NAME: organization, NameOID.ORGANIZATIONAL_UNIT_NAME: unit, NameOID.COMMON_NAME: name}
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in named.items() if value is not None])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    usages = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    if ca:
        usages |= {"key_cert_sign": True, "crl_sign": True}
    elif usage is not None:
        usages[usage] = True
    if ca or usage is not None:
        builder = builder.add_extension(x509.KeyUsage(**usages), critical=True)
    if extended is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([extended]), critical=True)
    if crl_url is not None:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_url)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    if ocsp_url is not None:
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp_url))
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    for extension in also:
        builder = builder.add_extension(extension, critical=False)
    signed = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    return Holder(signed, key, issuer)


def weakened(holder: Holder, digest: str = "sha1") -> Holder:
    """The same certificate, signed with a digest that nobody signs with any more."""
    by = holder.issuer.key if holder.issuer else holder.key
    parsed = asn1crypto.x509.Certificate.load(holder.der)
    algorithm = {"algorithm": f"{digest}_{'rsa' if isinstance(by, rsa.RSAPrivateKey) else 'ecdsa'}"}
    parsed["tbs_certificate"]["signature"] = algorithm
    parsed["signature_algorithm"] = algorithm
    parsed["signature_value"] = sign_raw(by, parsed["tbs_certificate"].dump(force=True), digest)
    return Holder(x509.load_der_x509_certificate(parsed.dump(force=True)), holder.key, holder.issuer)


def sign_raw(key: Key, data: bytes, digest: str) -> bytes:
    """A bare signature with any digest."""
    algorithm = {"sha1": hashes.SHA1(), "md5": hashes.MD5(), "sha256": hashes.SHA256()}[digest]  # noqa: S303
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), algorithm)
    return key.sign(data, ec.ECDSA(algorithm))


def weakened_crl(crl: bytes, issuer: Holder, digest: str = "sha1") -> bytes:
    """The same list, signed so."""
    parsed = asn1crypto.crl.CertificateList.load(crl)
    algorithm = {"algorithm": f"{digest}_{'rsa' if isinstance(issuer.key, rsa.RSAPrivateKey) else 'ecdsa'}"}
    parsed["tbs_cert_list"]["signature"] = algorithm
    parsed["signature_algorithm"] = algorithm
    parsed["signature"] = sign_raw(issuer.key, parsed["tbs_cert_list"].dump(force=True), digest)
    encoded: bytes = parsed.dump(force=True)
    return encoded


def make_crl(
    issuer: Holder,
    revoked: Sequence[tuple[Holder, dt.datetime]] = (),
    *,
    issued: dt.datetime = NOW - DAY,
    next_update: dt.datetime = NOW + 7 * DAY,
    reason: x509.ReasonFlags | None = None,
    signed_by: Key | None = None,
) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(issued)
        .next_update(next_update)
    )
    for holder, date in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(holder.certificate.serial_number).revocation_date(date)
        if reason is not None:
            entry = entry.add_extension(x509.CRLReason(reason), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    crl = builder.sign(signed_by or issuer.key, hashes.SHA256())
    return crl.public_bytes(serialization.Encoding.DER)


def make_ocsp(
    holder: Holder,
    *,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    revoked_at: dt.datetime | None = None,
    issued: dt.datetime = NOW - DAY,
    next_update: dt.datetime | None = NOW + DAY,
    responder: Holder | None = None,
) -> bytes:
    issuer = holder.issuer
    assert issuer is not None
    by = responder or issuer
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            holder.certificate,
            issuer.certificate,
            hashes.SHA256(),
            status,
            issued,
            next_update,
            revoked_at,
            None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, by.certificate)
    )
    if responder is not None:
        builder = builder.certificates([responder.certificate])
    return builder.sign(by.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@dataclass(frozen=True)
class Pki:
    """A root, a CA under it, a leader, a body, and a TSA."""

    root: Holder
    ca: Holder
    leader: Holder
    body: Holder
    tsa: Holder

    def trust(
        self,
        *,
        crls: Sequence[bytes] | None = None,
        ocsps: Sequence[bytes] = (),
        anchors: Sequence[Holder] | None = None,
    ) -> TrustMaterial:
        """Anchors and fresh empty CRLs of both CAs, unless told otherwise."""
        return TrustMaterial(
            anchors=tuple(holder.der for holder in (anchors if anchors is not None else [self.root])),
            crls=tuple(crls if crls is not None else [make_crl(self.root), make_crl(self.ca)]),
            ocsps=tuple(ocsps),
        )
