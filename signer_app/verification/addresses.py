"""Where a certificate says that news about it may be had: OCSP responders and CRL distribution points.

Runs anywhere; pure. Names addresses, never asks them. Only plain http is given out (RFC 5280, 8: https for revocation
data invites loops; ldap and file are nobody's business here).
"""

from collections.abc import Iterable, Iterator

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID

from signer_app.verification.model import RevocationUrl, RevocationUrlKind

_MAX_URLS = 4
_MAX_URL = 1024


def uris(names: Iterable[x509.GeneralName]) -> Iterator[str]:
    """The URIs among general names."""
    for name in names:
        if isinstance(name, x509.UniformResourceIdentifier):
            yield name.value


def distribution_urls(certificate: x509.Certificate) -> Iterator[str]:
    """The URIs of the CRL distribution points, of any scheme."""
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return
    for point in points:
        yield from uris(point.full_name or ())


def revocation_urls(certificate: x509.Certificate, issuer: x509.Certificate) -> Iterator[RevocationUrl]:
    """The certificate's own OCSP and CRL addresses over plain http, OCSP first (it is small)."""
    ders = certificate.public_bytes(Encoding.DER), issuer.public_bytes(Encoding.DER)
    found: list[tuple[RevocationUrlKind, str]] = []
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
        found += [
            (RevocationUrlKind.OCSP, name)
            for description in access
            if description.access_method == AuthorityInformationAccessOID.OCSP
            for name in uris([description.access_location])
        ]
    except x509.ExtensionNotFound:
        pass
    found += [(RevocationUrlKind.CRL, name) for name in distribution_urls(certificate)]
    usable = [(kind, url) for kind, url in found if url.startswith("http://") and len(url) <= _MAX_URL]
    for kind, url in usable[:_MAX_URLS]:
        yield RevocationUrl(kind, url, *ders)
