"""What is known of one certificate now: its chain to an anchor in hand, and whether it was revoked.

The same code that judges signatures judges the certificate that is about to sign (TT 15/2025/TT-BKHCN, article 5.1a).
Pure; runs in the main process on certificates of a token, or in a worker. Asks no network.
"""

import datetime as dt

import msgspec
from asn1crypto import x509

from signer_app.verification.chains import TrustStore
from signer_app.verification.model import Revocation, RevocationUrl, Trust, TrustMaterial
from signer_app.verification.revocation import Evidence, When


class CertificateState(msgspec.Struct, frozen=True):
    """Trust, revocation, the issuers up to and with the anchor (DER, nearest first), and where news may be had."""

    trust: Trust
    revocation: Revocation
    chain: tuple[bytes, ...] = ()
    wanted_urls: tuple[RevocationUrl, ...] = ()


def assess_certificate(certificate: bytes, material: TrustMaterial, now: dt.datetime) -> CertificateState:
    """The state of `certificate` (DER) at `now`; ValueError if it can't be parsed."""
    leaf = x509.Certificate.load(certificate, strict=True)
    chain = TrustStore(material).chain(leaf, (), now)
    if chain.trust is not Trust.TRUSTED:
        return CertificateState(chain.trust, Revocation.NOT_CHECKED)
    evidence = Evidence(material.crls, material.ocsps)
    when = When(now, proven=False, now=now)
    return CertificateState(
        chain.trust,
        evidence.chain(chain.parsed, when, chain.parsed_relatives).status,
        tuple(one.dump() for one in chain.certificates[1:]),
        tuple(evidence.wanted(chain.parsed, when, chain.parsed_relatives)),
    )
