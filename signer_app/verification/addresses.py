"""Where a certificate says that news about it may be had: OCSP responders and CRL distribution points.

Runs anywhere; pure. Names addresses, never asks them. Only plain http is given out (RFC 5280, 8: https for revocation
data invites loops; ldap and file are nobody's business here).
"""

from collections.abc import Iterable, Iterator

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID

from signer_app.verification.model import RevocationUrl, RevocationUrlKind

ODD = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What cryptography raises for certificates, lists and answers that are not as they should be."""
_MAX_URLS = 4
_MAX_URL = 1024


def uris(names: Iterable[x509.GeneralName]) -> Iterator[str]:
    """The URIs among general names."""
    for name in names:
        if isinstance(name, x509.UniformResourceIdentifier):
            yield name.value


def named_points(certificate: x509.Certificate, issuer: x509.Certificate) -> Iterator[x509.GeneralName]:
    """What the certificate calls its CRL distribution points, names relative to the issuer's written out."""
    for point in _points(certificate):
        yield from point_names(point.full_name, point.relative_name, issuer)


def point_names(
    full: Iterable[x509.GeneralName] | None, relative: x509.RelativeDistinguishedName | None, issuer: x509.Certificate
) -> Iterator[x509.GeneralName]:
    """The names of one distribution point (RFC 5280, 4.2.1.13)."""
    yield from full or ()
    if relative is not None:
        yield x509.DirectoryName(x509.Name([*issuer.subject.rdns, relative]))


def _points(certificate: x509.Certificate) -> Iterable[x509.DistributionPoint]:
    try:
        return certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return ()


def revocation_urls(certificate: x509.Certificate, issuer: x509.Certificate) -> Iterator[RevocationUrl]:
    """The certificate's own OCSP and CRL addresses over plain http, OCSP first (it is small); none of an odd one."""
    try:
        found = list(_addresses(certificate))
    except ODD:
        return
    ders = certificate.public_bytes(Encoding.DER), issuer.public_bytes(Encoding.DER)
    usable = [(kind, url) for kind, url in found if url.startswith("http://") and len(url) <= _MAX_URL]
    for kind, url in usable[:_MAX_URLS]:
        yield RevocationUrl(kind, url, *ders)


def _addresses(certificate: x509.Certificate) -> Iterator[tuple[RevocationUrlKind, str]]:
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        access = x509.AuthorityInformationAccess([])
    for description in access:
        if description.access_method == AuthorityInformationAccessOID.OCSP:
            for url in uris([description.access_location]):
                yield RevocationUrlKind.OCSP, url
    for point in _points(certificate):
        for url in uris(point.full_name or ()):
            yield RevocationUrlKind.CRL, url
