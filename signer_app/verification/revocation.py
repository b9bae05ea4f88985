"""What the CRLs and OCSP responses in hand say about the certificates of a chain.

Runs in a worker, never fetches. Every piece in hand is looked at for every certificate, whether the certificate names
it or not: a revoked one that names no CRL is found too. A piece counts only when the certificate's own issuer, or a
responder which that issuer named, signed it.
"""

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from signer_app.verification.addresses import distribution_urls, revocation_urls, uris
from signer_app.verification.model import Revocation, RevocationUrl

_MAX_PIECES = 400
_MAX_PIECE_BYTES = 64 << 20
_CLOCK_SKEW = dt.timedelta(minutes=5)
"""Tolerance for the clocks of machines and responders (RFC 5019, 4 leaves the amount to the client)."""
_UNDERSTOOD = frozenset(
    {
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.CRL_NUMBER,
        ExtensionOID.ISSUING_DISTRIBUTION_POINT,
        ExtensionOID.FRESHEST_CRL,
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
    }
)
_HARMLESS_FOR_TSA = frozenset(
    {
        x509.ReasonFlags.affiliation_changed,
        x509.ReasonFlags.superseded,
        x509.ReasonFlags.cessation_of_operation,
    }
)
"""After these, tokens from before stay good (RFC 3161, 4)."""

_Faults = (ValueError, TypeError, UnsupportedAlgorithm, OverflowError)


@dataclass(frozen=True)
class When:
    """The time that a certificate must have been good at; `proven` by a timestamp or only claimed; and today."""

    time: dt.datetime
    proven: bool
    now: dt.datetime


@dataclass(frozen=True)
class Finding:
    """What is known about one certificate, or the worst about a chain. `revoked_at` is set when revoked.

    `late`: revoked only after the claimed, unproven time; then nobody knows whether it was before the signature.
    """

    status: Revocation
    revoked_at: dt.datetime | None = None
    late: bool = False
    reason: x509.ReasonFlags | None = None


_ORDER = (Revocation.GOOD, Revocation.NOT_CHECKED, Revocation.UNKNOWN, Revocation.REVOKED)


class Evidence:
    """All CRLs and OCSP responses in hand, parsed once; what can't be parsed is left out."""

    def __init__(self, crls: Iterable[bytes], ocsps: Iterable[bytes]) -> None:
        self._crls = list(_parsed_crls(crls))
        self._ocsps = list(_parsed_ocsps(ocsps))
        self._signed_by: dict[tuple[int, bytes], bool] = {}

    def chain(self, chain: Sequence[x509.Certificate], when: When) -> Finding:
        """The worst finding about the certificates below the anchor; `chain` runs from the leaf to the anchor."""
        findings = [self.certificate(certificate, issuer, when) for certificate, issuer in itertools.pairwise(chain)]
        return max(findings, key=_weight, default=Finding(Revocation.GOOD))

    def wanted(self, chain: Sequence[x509.Certificate], when: When) -> Iterator[RevocationUrl]:
        """Where news may be had about certificates for which nothing good is in hand. Plain http only."""
        for certificate, issuer in itertools.pairwise(chain):
            if self.certificate(certificate, issuer, when).status in {
                Revocation.NOT_CHECKED,
                Revocation.UNKNOWN,
            }:
                yield from revocation_urls(certificate, issuer)

    def certificate(self, certificate: x509.Certificate, issuer: x509.Certificate, when: When) -> Finding:
        """What is in hand about one certificate of this issuer."""
        findings = [
            found
            for found in (
                *(self._ask_crl(n, crl, certificate, issuer, when) for n, crl in enumerate(self._crls)),
                *(self._ask_ocsp(response, certificate, issuer, when) for response in self._ocsps),
            )
            if found is not None
        ]
        revoked = [found for found in findings if found.status is Revocation.REVOKED]
        if revoked:
            return min(revoked, key=lambda found: (found.late, found.revoked_at or when.time))
        if any(found.status is Revocation.GOOD for found in findings):
            return Finding(Revocation.GOOD)
        return Finding(Revocation.UNKNOWN if findings else Revocation.NOT_CHECKED)

    # CRL (RFC 5280, 5 and 6.3)

    def _ask_crl(
        self,
        number: int,
        crl: x509.CertificateRevocationList,
        certificate: x509.Certificate,
        issuer: x509.Certificate,
        when: When,
    ) -> Finding | None:
        try:
            if not _same_name(crl.issuer, issuer.subject) or not self._crl_signed(number, crl, issuer):
                return None
            entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
            if entry is not None and not _names_other_issuer(entry, issuer):
                return _revoked(_entry_date(entry), _entry_reason(entry), when)
            return Finding(Revocation.GOOD if _crl_fits(crl, certificate, when) else Revocation.UNKNOWN)
        except _Faults:
            return None

    def _crl_signed(self, number: int, crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
        key = (number, issuer.fingerprint(hashes.SHA256()))
        if key not in self._signed_by:
            self._signed_by[key] = _may(issuer, "crl_sign") and crl.is_signature_valid(
                issuer.public_key()  # type: ignore[arg-type]  # other kinds of keys raise TypeError, caught above
            )
        return self._signed_by[key]

    # OCSP (RFC 6960)

    def _ask_ocsp(
        self,
        response: ocsp.OCSPResponse,
        certificate: x509.Certificate,
        issuer: x509.Certificate,
        when: When,
    ) -> Finding | None:
        try:
            single = next((one for one in response.responses if _is_about(one, certificate, issuer)), None)
            if single is None:
                return None
            responder = self._responder(response, issuer, when)
            if responder is None:
                return None
            if single.certificate_status is ocsp.OCSPCertStatus.REVOKED:
                return _revoked(single.revocation_time_utc, single.revocation_reason, when)
            fits = (
                single.certificate_status is ocsp.OCSPCertStatus.GOOD
                and not _weak(response.signature_hash_algorithm)
                and _fresh(single.this_update_utc, single.next_update_utc, certificate, when)
            )
            return Finding(Revocation.GOOD if fits else Revocation.UNKNOWN)
        except _Faults:
            return None

    def _responder(self, response: ocsp.OCSPResponse, issuer: x509.Certificate, when: When) -> x509.Certificate | None:
        """Who signed: the issuer itself, or one whom the issuer certified for it (RFC 6960, 4.2.2.2)."""
        if _response_signed(response, issuer):
            return issuer
        for candidate in response.certificates[:8]:
            if not _is_delegate(candidate, issuer) or not _response_signed(response, candidate):
                continue
            if not (candidate.not_valid_before_utc <= response.produced_at_utc <= candidate.not_valid_after_utc):
                continue
            crls = (self._ask_crl(n, crl, candidate, issuer, when) for n, crl in enumerate(self._crls))
            if any(found is not None and found.status is Revocation.REVOKED for found in crls):
                continue
            return candidate
        return None


def _weight(finding: Finding) -> tuple[int, bool]:
    return _ORDER.index(finding.status), not finding.late


def _parsed_crls(encoded: Iterable[bytes]) -> Iterator[x509.CertificateRevocationList]:
    for der in list(encoded)[:_MAX_PIECES]:
        if len(der) <= _MAX_PIECE_BYTES:
            try:
                yield x509.load_der_x509_crl(der)
            except _Faults:
                continue


def _parsed_ocsps(encoded: Iterable[bytes]) -> Iterator[ocsp.OCSPResponse]:
    for der in list(encoded)[:_MAX_PIECES]:
        if len(der) <= _MAX_PIECE_BYTES:
            try:
                response = ocsp.load_der_ocsp_response(der)
            except _Faults:
                continue
            if response.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL:
                yield response


def _same_name(one: x509.Name, other: x509.Name) -> bool:
    return one == other or one.public_bytes() == other.public_bytes()


def _may(certificate: x509.Certificate, usage: str) -> bool:
    try:
        return bool(getattr(certificate.extensions.get_extension_for_class(x509.KeyUsage).value, usage))
    except x509.ExtensionNotFound:
        return True


def _weak(algorithm: hashes.HashAlgorithm | None) -> bool:
    return isinstance(algorithm, hashes.SHA1 | hashes.MD5)


def _revoked(at: dt.datetime | None, reason: x509.ReasonFlags | None, when: When) -> Finding | None:
    if reason is x509.ReasonFlags.remove_from_crl:
        return None
    moment = at if at is not None else when.time
    if moment <= when.time:
        return Finding(Revocation.REVOKED, moment, reason=reason)
    if when.proven:
        # Good when the timestamp was made; what came later doesn't undo it.
        return Finding(Revocation.GOOD)
    return Finding(Revocation.REVOKED, moment, late=True, reason=reason)


def _entry_date(entry: x509.RevokedCertificate) -> dt.datetime:
    """The revocation date, or the earlier date from which the key was known to be bad (RFC 5280, 5.3.2)."""
    date = entry.revocation_date_utc
    try:
        invalid = entry.extensions.get_extension_for_class(x509.InvalidityDate).value.invalidity_date_utc
    except x509.ExtensionNotFound:
        return date
    return min(date, invalid)


def _entry_reason(entry: x509.RevokedCertificate) -> x509.ReasonFlags | None:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return None


def _names_other_issuer(entry: x509.RevokedCertificate, issuer: x509.Certificate) -> bool:
    """Whether an indirect CRL's entry is about another CA's certificate (RFC 5280, 5.3.3)."""
    try:
        names = entry.extensions.get_extension_for_class(x509.CertificateIssuer).value
    except x509.ExtensionNotFound:
        return False
    return not any(isinstance(name, x509.DirectoryName) and _same_name(name.value, issuer.subject) for name in names)


def _crl_fits(crl: x509.CertificateRevocationList, certificate: x509.Certificate, when: When) -> bool:
    """Whether silence of this CRL says that the certificate is good."""
    if _weak(crl.signature_hash_algorithm):
        return False
    for extension in crl.extensions:
        if extension.oid == ExtensionOID.DELTA_CRL_INDICATOR:
            return False
        if extension.critical and extension.oid not in _UNDERSTOOD:
            return False
        if isinstance(extension.value, x509.IssuingDistributionPoint) and not _in_scope(extension.value, certificate):
            return False
    return _fresh(crl.last_update_utc, crl.next_update_utc, certificate, when)


def _in_scope(scope: x509.IssuingDistributionPoint, certificate: x509.Certificate) -> bool:
    try:
        is_ca = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        is_ca = False
    if scope.indirect_crl or scope.only_some_reasons or scope.only_contains_attribute_certs:
        return False
    if (scope.only_contains_user_certs and is_ca) or (scope.only_contains_ca_certs and not is_ca):
        return False
    if scope.full_name is None:
        return scope.relative_name is None
    return bool(set(uris(scope.full_name)) & set(distribution_urls(certificate)))


def _fresh(issued: dt.datetime, next_update: dt.datetime | None, certificate: x509.Certificate, when: When) -> bool:
    """Whether news of this date speaks about `when`.

    News from after that time does (while the certificate has not run out: CAs drop expired ones from CRLs). News from
    before does while it is in force: at the proven time, or, where the time is only claimed, today.
    """
    if issued > when.now + _CLOCK_SKEW or issued > certificate.not_valid_after_utc:
        return False
    if issued >= when.time:
        return True
    at = when.time if when.proven else when.now
    return next_update is not None and at <= next_update


def _is_about(single: ocsp.OCSPSingleResponse, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    if single.serial_number != certificate.serial_number:
        return False
    # cryptography computes the very CertID fields that a request would carry.
    request = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, single.hash_algorithm).build()
    return request.issuer_name_hash == single.issuer_name_hash and request.issuer_key_hash == single.issuer_key_hash


def _is_delegate(candidate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        usage = candidate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    if ExtendedKeyUsageOID.OCSP_SIGNING not in usage or not _same_name(candidate.issuer, issuer.subject):
        return False
    try:
        candidate.verify_directly_issued_by(issuer)
    except (InvalidSignature, *_Faults):
        return False
    return True


def _response_signed(response: ocsp.OCSPResponse, by: x509.Certificate) -> bool:
    key, algorithm = by.public_key(), response.signature_hash_algorithm
    if algorithm is None:
        return False
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(response.signature, response.tbs_response_bytes, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(algorithm))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def tsa_revoked(finding: Finding) -> bool:
    """Whether a TSA's revocation takes its tokens with it: at once, and for bad keys also those from before."""
    if finding.status is not Revocation.REVOKED:
        return False
    return not finding.late or finding.reason not in _HARMLESS_FOR_TSA
