"""What each CRL and OCSP answer in hand says of one certificate, apart from any time that is asked about.

Runs in a worker, never fetches. A piece speaks only when the certificate's own issuer signed it, or a key that this
issuer or the CA above it has certified for that. Pieces are parsed once and asked once for each certificate.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from signer_app.verification.addresses import ODD, named_points, point_names
from signer_app.verification.model import RevocationUrlKind

_MAX_PIECES = 400
_MAX_PIECE_BYTES = 64 << 20
_MAX_RESPONDERS = 8
MAX_RELATIVES = 16
"""Certificates beside a chain that are tried as signers of lists."""
_UNDERSTOOD = frozenset(
    {
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.CRL_NUMBER,
        ExtensionOID.ISSUING_DISTRIBUTION_POINT,
        ExtensionOID.FRESHEST_CRL,
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
    }
)


@dataclass(frozen=True)
class News:
    """What one CRL or OCSP answer says of one certificate, before any time is asked about.

    `clean`: it speaks for a certificate that it doesn't call revoked. `lifted`: it ends a suspension. `weak`: the
    hash under its signature, when that is one that proves nothing any more.
    """

    kind: RevocationUrlKind
    sha256: str
    issued: dt.datetime
    next_update: dt.datetime | None
    clean: bool
    weak: str | None = None
    revoked_at: dt.datetime | None = None
    reason: x509.ReasonFlags | None = None
    lifted: bool = False


@dataclass(frozen=True)
class _Response:
    """A successful OCSP response, and the SHA-256 (hex) of its DER."""

    parsed: ocsp.OCSPResponse
    sha256: str


@dataclass(frozen=True)
class Issuers:
    """Who may speak of a certificate: the CA above it, the CA above that, and certificates of the same names."""

    issuer: x509.Certificate
    above: x509.Certificate | None
    relatives: tuple[x509.Certificate, ...]


class Pieces:
    """All CRLs and OCSP responses in hand; what can't be parsed is left out. For one thread."""

    def __init__(self, crls: Iterable[bytes], ocsps: Iterable[bytes]) -> None:
        read = list(_parsed_crls(crls))
        self._crls, self._list_names = [crl for crl, _ in read], [name for _, name in read]
        self._by_name: dict[x509.Name, list[int]] = {}
        self._ocsps = list(_parsed_ocsps(ocsps))
        self._signed_by: dict[tuple[int, bytes], bool] = {}
        self._known: dict[tuple[bytes, ...], tuple[News, ...]] = {}

    def about(self, certificate: x509.Certificate, issuers: Issuers) -> tuple[News, ...]:
        """What they say of this certificate of this issuer."""
        involved = (certificate, issuers.issuer, *([issuers.above] if issuers.above else []), *issuers.relatives)
        key = tuple(one.fingerprint(hashes.SHA256()) for one in involved)
        if key not in self._known:
            self._known[key] = tuple(self._all_news(certificate, issuers))
        return self._known[key]

    def _all_news(self, certificate: x509.Certificate, issuers: Issuers) -> Iterator[News]:
        for number, crl in self._lists_of(issuers.issuer):
            news = self._crl_news(number, crl, certificate, issuers)
            if news is not None:
                yield news
        for response in self._ocsps:
            news = self._ocsp_news(response, certificate, issuers)
            if news is not None:
                yield news

    # CRL (RFC 5280, 5 and 6.3)

    def _lists_of(self, issuer: x509.Certificate) -> Iterator[tuple[int, x509.CertificateRevocationList]]:
        """The lists that bear this issuer's name, each with its number."""
        name = issuer.subject
        if name not in self._by_name:
            self._by_name[name] = [n for n, by in enumerate(self._list_names) if by == name]
        for number in self._by_name[name]:
            yield number, self._crls[number]

    def _crl_news(
        self, number: int, crl: x509.CertificateRevocationList, certificate: x509.Certificate, issuers: Issuers
    ) -> News | None:
        try:
            if not any(self._crl_signed(number, crl, signer) for signer in self._crl_signers(crl, issuers)):
                return None
            entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
            listed = entry if entry is not None and not _names_other_issuer(entry, issuers.issuer) else None
            reason = _entry_reason(listed) if listed is not None else None
            lifted = reason is x509.ReasonFlags.remove_from_crl
            return News(
                kind=RevocationUrlKind.CRL,
                sha256=crl.fingerprint(hashes.SHA256()).hex(),
                issued=crl.last_update_utc,
                next_update=crl.next_update_utc,
                clean=listed is None and _crl_covers(crl, certificate, issuers.issuer),
                weak=_weak(crl.signature_hash_algorithm),
                revoked_at=_entry_date(listed) if listed is not None and not lifted else None,
                reason=reason,
                lifted=lifted,
            )
        except ODD:
            return None

    def _crl_signed(self, number: int, crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
        key = (number, issuer.fingerprint(hashes.SHA256()))
        if key not in self._signed_by:
            self._signed_by[key] = _may(issuer, "crl_sign") and _list_holds(crl, issuer)
        return self._signed_by[key]

    def _crl_signers(self, crl: x509.CertificateRevocationList, issuers: Issuers) -> Iterator[x509.Certificate]:
        """The issuer, and the keys that the issuer itself or the CA above it has certified under the issuer's name."""
        issuer, above = issuers.issuer, issuers.above
        yield issuer
        if above is not None and _same_name(above.subject, issuer.subject):
            # A key that was certified by the CA's next or former one.
            yield above
        for candidate in issuers.relatives:
            if not _same_name(candidate.subject, issuer.subject) or not _is_list_signer(candidate):
                continue
            if not (candidate.not_valid_before_utc <= crl.last_update_utc <= candidate.not_valid_after_utc):
                continue
            if _weak(candidate.signature_hash_algorithm) is not None:
                continue
            parent = next((one for one in (issuer, above) if one is not None and _issued(candidate, one)), None)
            if parent is not None and not self._listed(candidate, parent):
                yield candidate

    def _listed(self, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
        """Whether a list that this very issuer has signed names the certificate, for whatever reason."""
        for number, crl in self._lists_of(issuer):
            try:
                if self._crl_signed(number, crl, issuer):
                    entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
                    if entry is not None and not _names_other_issuer(entry, issuer):
                        return True
            except ODD:
                continue
        return False

    # OCSP (RFC 6960)

    def _ocsp_news(self, response: _Response, certificate: x509.Certificate, issuers: Issuers) -> News | None:
        try:
            answers = response.parsed.responses
            single = next((one for one in answers if _is_about(one, certificate, issuers.issuer)), None)
            responder = self._responder(response.parsed, issuers.issuer) if single is not None else None
            if single is None or responder is None:
                return None
            weak = {_weak(response.parsed.signature_hash_algorithm)}
            if responder is not issuers.issuer:
                weak.add(_weak(responder.signature_hash_algorithm))
            revoked = single.certificate_status is ocsp.OCSPCertStatus.REVOKED
            return News(
                kind=RevocationUrlKind.OCSP,
                sha256=response.sha256,
                issued=single.this_update_utc,
                next_update=single.next_update_utc,
                clean=single.certificate_status is ocsp.OCSPCertStatus.GOOD,
                weak=min(filter(None, weak), default=None),
                revoked_at=(single.revocation_time_utc or single.this_update_utc) if revoked else None,
                reason=single.revocation_reason if revoked else None,
            )
        except ODD:
            return None

    def _responder(self, response: ocsp.OCSPResponse, issuer: x509.Certificate) -> x509.Certificate | None:
        """Who signed: the issuer itself, or one whom the issuer certified for it (RFC 6960, 4.2.2.2)."""
        if _response_signed(response, issuer):
            return issuer
        delegates = (
            candidate
            for candidate in response.certificates[:_MAX_RESPONDERS]
            if _is_delegate(candidate, issuer)
            and _response_signed(response, candidate)
            and candidate.not_valid_before_utc <= response.produced_at_utc <= candidate.not_valid_after_utc
            and not self._listed(candidate, issuer)
        )
        return next(delegates, None)


def _parsed_crls(encoded: Iterable[bytes]) -> Iterator[tuple[x509.CertificateRevocationList, x509.Name]]:
    for der in list(encoded)[:_MAX_PIECES]:
        if len(der) <= _MAX_PIECE_BYTES:
            try:
                crl = x509.load_der_x509_crl(der)
                yield crl, crl.issuer
            except ODD:
                continue


def _parsed_ocsps(encoded: Iterable[bytes]) -> Iterator[_Response]:
    for der in list(encoded)[:_MAX_PIECES]:
        if len(der) <= _MAX_PIECE_BYTES:
            try:
                response = ocsp.load_der_ocsp_response(der)
            except ODD:
                continue
            if response.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL:
                yield _Response(response, hashlib.sha256(der).hexdigest())


def _same_name(one: x509.Name, other: x509.Name) -> bool:
    return one == other or one.public_bytes() == other.public_bytes()


def _may(certificate: x509.Certificate, usage: str) -> bool:
    try:
        return bool(getattr(certificate.extensions.get_extension_for_class(x509.KeyUsage).value, usage))
    except x509.ExtensionNotFound:
        return True


def _weak(algorithm: hashes.HashAlgorithm | None) -> str | None:
    return algorithm.name if isinstance(algorithm, hashes.SHA1 | hashes.MD5) else None


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


def _crl_covers(crl: x509.CertificateRevocationList, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether silence of this CRL says something about the certificate: complete, understood and in its scope."""
    for extension in crl.extensions:
        if extension.oid == ExtensionOID.DELTA_CRL_INDICATOR:
            return False
        if extension.critical and extension.oid not in _UNDERSTOOD:
            return False
        if isinstance(extension.value, x509.IssuingDistributionPoint) and not _in_scope(
            extension.value, certificate, issuer
        ):
            return False
    return True


def _in_scope(scope: x509.IssuingDistributionPoint, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        is_ca = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        is_ca = False
    if scope.indirect_crl or scope.only_some_reasons or scope.only_contains_attribute_certs:
        return False
    if (scope.only_contains_user_certs and is_ca) or (scope.only_contains_ca_certs and not is_ca):
        return False
    if scope.full_name is None and scope.relative_name is None:
        return True
    return bool(set(point_names(scope.full_name, scope.relative_name, issuer)) & set(named_points(certificate, issuer)))


def _is_about(single: ocsp.OCSPSingleResponse, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    if single.serial_number != certificate.serial_number:
        return False
    # cryptography computes the very CertID fields that a request would carry.
    request = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, single.hash_algorithm).build()
    return request.issuer_name_hash == single.issuer_name_hash and request.issuer_key_hash == single.issuer_key_hash


def _is_list_signer(candidate: x509.Certificate) -> bool:
    """Whether the certificate says itself that its key signs lists; a CA's own name alone is no licence."""
    try:
        return candidate.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except (x509.ExtensionNotFound, *ODD):
        return False


def _is_delegate(candidate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        usage = candidate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.OCSP_SIGNING in usage and _issued(candidate, issuer)


def _list_holds(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    hashed = crl.signature_hash_algorithm
    if _weak(hashed) is not None:
        return _signature_holds(issuer, crl.signature, crl.tbs_certlist_bytes, hashed)
    # Other kinds of keys raise TypeError, which callers take for no signature.
    return crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]


def _issued(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    if not _same_name(certificate.issuer, by.subject):
        return False
    hashed = certificate.signature_hash_algorithm
    if _weak(hashed) is not None:
        return _signature_holds(by, certificate.signature, certificate.tbs_certificate_bytes, hashed)
    try:
        certificate.verify_directly_issued_by(by)
    except (InvalidSignature, *ODD):
        return False
    return True


def _response_signed(response: ocsp.OCSPResponse, by: x509.Certificate) -> bool:
    return _signature_holds(by, response.signature, response.tbs_response_bytes, response.signature_hash_algorithm)


def _signature_holds(
    by: x509.Certificate, signature: bytes, data: bytes, algorithm: hashes.HashAlgorithm | None
) -> bool:
    """Whether this key made the signature, with whatever hash: that SHA-1 proves little is weighed elsewhere, and what
    revokes counts all the same, though cryptography's own checks of lists and certificates refuse it.
    """
    key = by.public_key()
    try:
        if algorithm is not None and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), algorithm)
        elif algorithm is not None and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(algorithm))
        else:
            return False
    except (InvalidSignature, *ODD):
        return False
    return True
