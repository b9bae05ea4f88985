"""Whether an enrolment or a client assertion is to be believed.

Runs on the server's worker threads. Trust comes from the anchors and the table of organisations that the
server was started with, never from the message; nothing is fetched from the network.
"""

import asyncio
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import PathBuildingError, PathValidationError

from signer_server.problems import RefusedError
from signer_sync import jws
from signer_sync.contract import TYP_ASSERTION, TYP_ENROLMENT, Assertion, Enrolment, JwsBody, ProblemCode
from signer_sync.untrusted import read_json

ASSERTION_SECONDS = 300
"""Longest life of a client assertion (Sync API §4.3)."""
ENROLMENT_SECONDS = 3600
CLOCK_SKEW = 60
"""Seconds by which a client's reckoning of the server's time may be off."""


@dataclass(frozen=True)
class Organisation:
    """A body of the directory and the certificates that may enrol machines for it.

    A certificate fits if its SHA-256 (hex, over DER) is in `certificates`, or if its CN is `common_name`
    and its O, where `organisation` is given, is that. Neither given: nobody can enrol for it.
    """

    code: str
    name: str
    parent: str | None = None
    active: bool = True
    common_name: str | None = None
    organisation: str | None = None
    certificates: frozenset[str] = frozenset()
    valid_from: str | None = None
    replaced_by: str | None = None
    channels: tuple[str, ...] = ()

    def accepts(self, certificate: x509.Certificate) -> bool:
        """Whether this certificate may enrol machines for the body."""
        if fingerprint(certificate) in self.certificates:
            return True
        if self.common_name is None or not self.active:
            return False
        fits = _same(_attribute(certificate, NameOID.COMMON_NAME), self.common_name)
        if self.organisation is None:
            return fits
        return fits and _same(_attribute(certificate, NameOID.ORGANIZATION_NAME), self.organisation)


@dataclass(frozen=True)
class TrustedRoots:
    """Anchors and revocation lists in DER, for the certificates of tokens."""

    anchors: tuple[bytes, ...]
    intermediates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class CheckedEnrolment:
    """An enrolment by a trusted certificate of the right organisation; its nonce is not yet looked at."""

    facts: Enrolment
    certificate_der: bytes


def check_enrolment(
    message: JwsBody,
    *,
    device: str,
    server_id: str,
    now: float,
    roots: TrustedRoots,
    organisations: Sequence[Organisation],
) -> CheckedEnrolment:
    """RefusedError not-allowed with the reason unless everything fits (Sync API §4.3)."""
    try:
        chain = jws.unverified_chain(message)
        payload = jws.verify(message, jws.certificate_key(chain[0]), typ=TYP_ENROLMENT).payload
        facts = read_json(payload, Enrolment)
        jws.load_device_key(facts.device_key)
    except (jws.JwsError, msgspec.MsgspecError) as error:
        raise RefusedError(ProblemCode.BAD_REQUEST, "not an enrolment") from error
    if facts.device != device or facts.server_id != server_id:
        raise RefusedError(ProblemCode.NOT_ALLOWED, "made for another device or server")
    if not now < facts.exp <= now + ENROLMENT_SECONDS:
        raise RefusedError(ProblemCode.NOT_ALLOWED, "enrolment expired")
    body = next((item for item in organisations if item.code == facts.org and item.active), None)
    if body is None or not body.accepts(chain[0]):
        raise RefusedError(ProblemCode.NOT_ALLOWED, "certificate is not this organisation's")
    _check_usage(chain[0])
    _check_chain(chain, roots, now)
    _check_not_revoked(chain, roots)
    return CheckedEnrolment(facts, chain[0].public_bytes(Encoding.DER))


def assertion_device(message: JwsBody) -> str:
    """The device that an assertion claims to be from; RefusedError token-invalid if it is none."""
    try:
        return read_json(jws.unverified_payload(message), Assertion).iss
    except (jws.JwsError, msgspec.MsgspecError) as error:
        raise RefusedError(ProblemCode.TOKEN_INVALID) from error


def check_assertion(message: JwsBody, key: jws.PublicKey, *, server_id: str, now: float) -> Assertion:
    """The assertion if the device's key made it for us just now (RFC 7523 §3); jti not yet looked at."""
    try:
        facts = read_json(jws.verify(message, key, typ=TYP_ASSERTION).payload, Assertion)
    except (jws.JwsError, msgspec.MsgspecError) as error:
        raise RefusedError(ProblemCode.TOKEN_INVALID) from error
    if facts.iss != facts.sub or facts.aud != server_id:
        raise RefusedError(ProblemCode.TOKEN_INVALID, "made for another server")
    if not now < facts.exp <= now + ASSERTION_SECONDS + CLOCK_SKEW:
        raise RefusedError(ProblemCode.TOKEN_INVALID, "assertion expired")
    return facts


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 over the certificate's DER, hex."""
    return certificate.fingerprint(SHA256()).hex()


def _check_usage(certificate: x509.Certificate) -> None:
    """Signing keys only; persons' certificates of the Cipher Committee have nonRepudiation alone."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, ValueError) as error:
        raise RefusedError(ProblemCode.NOT_ALLOWED, "certificate without key usage") from error
    if not (usage.digital_signature or usage.content_commitment):
        raise RefusedError(ProblemCode.NOT_ALLOWED, "not a signing certificate")


def _check_chain(chain: Sequence[x509.Certificate], roots: TrustedRoots, now: float) -> None:
    loaded = [asn1_x509.Certificate.load(item.public_bytes(Encoding.DER)) for item in chain]
    context = ValidationContext(
        trust_roots=[asn1_x509.Certificate.load(item) for item in roots.anchors],
        other_certs=[*loaded[1:], *(asn1_x509.Certificate.load(item) for item in roots.intermediates)],
        crls=[asn1_crl.CertificateList.load(item) for item in roots.crls],
        allow_fetching=False,
        revocation_mode="soft-fail",
        moment=datetime.fromtimestamp(now, UTC),
    )
    validator = CertificateValidator(loaded[0], validation_context=context)
    try:
        asyncio.run(validator.async_validate_usage(key_usage=set()))  # type: ignore[no-untyped-call]
    except (PathBuildingError, PathValidationError, ValueError) as error:
        raise RefusedError(ProblemCode.NOT_ALLOWED, "certificate not trusted") from error


def _check_not_revoked(chain: Sequence[x509.Certificate], roots: TrustedRoots) -> None:
    """Looks at every list in hand: a validator asks only those that a certificate names."""
    known = [
        *chain,
        *(x509.load_der_x509_certificate(item) for item in (*roots.intermediates, *roots.anchors)),
    ]
    lists = [x509.load_der_x509_crl(item) for item in roots.crls]
    for certificate in chain:
        for revoked in lists:
            if (
                revoked.issuer == certificate.issuer
                and revoked.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None
                and any(_signed(revoked, issuer) for issuer in known if issuer.subject == revoked.issuer)
            ):
                raise RefusedError(ProblemCode.NOT_ALLOWED, "certificate revoked")


def _signed(revoked: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return revoked.is_signature_valid(jws.certificate_key(issuer))
    except (TypeError, jws.JwsError):
        return False


def _attribute(certificate: x509.Certificate, kind: x509.ObjectIdentifier) -> str:
    found = certificate.subject.get_attributes_for_oid(kind)
    return str(found[0].value) if len(found) == 1 else ""


def _same(one: str, other: str) -> bool:
    return unicodedata.normalize("NFC", one).strip() == unicodedata.normalize("NFC", other).strip()
