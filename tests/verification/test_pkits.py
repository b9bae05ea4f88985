"""NIST's PKITS (Public Key Interoperability Test Suite 1.0.1, vectors of RFC 5280) against chain and revocation in one.

Each test of its sections 4.1 to 4.16 with the settings that it calls default: no policy is asked for, so of tests with
several settings it is the first. Every list of the suite is in hand for every test, as for a clerk with a full cache.
"""

import datetime as dt
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cryptography_vectors
import pytest
from asn1crypto import x509

from signer_app.verification.chains import TrustStore, parse_certificates
from signer_app.verification.model import Revocation, Trust, TrustMaterial
from signer_app.verification.revocation import Evidence, When

FOLDER = Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"
MOMENT = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
"""Within the validity of what the suite means to be valid: 2010 to 2030."""

TESTS = {
    # The end entity's certificate and the number of each test; `Valid` and `Invalid` is what the suite expects.
    "4.1": """
        ValidCertificatePath.1 InvalidCASignature.2 InvalidEESignature.3 ValidDSASignatures.4
        ValidDSAParameterInheritance.5 InvalidDSASignature.6
    """,
    "4.2": """
        InvalidCAnotBeforeDate.1 InvalidEEnotBeforeDate.2 Validpre2000UTCnotBeforeDate.3
        ValidGeneralizedTimenotBeforeDate.4 InvalidCAnotAfterDate.5 InvalidEEnotAfterDate.6
        Invalidpre2000UTCEEnotAfterDate.7 ValidGeneralizedTimenotAfterDate.8
    """,
    "4.3": """
        InvalidNameChaining.1 InvalidNameChainingOrder.2 ValidNameChainingWhitespace.3 ValidNameChainingWhitespace.4
        ValidNameChainingCapitalization.5 ValidNameUIDs.6 ValidRFC3280MandatoryAttributeTypes.7
        ValidRFC3280OptionalAttributeTypes.8 ValidUTF8StringEncodedNames.9
        ValidRolloverfromPrintableStringtoUTF8String.10 ValidUTF8StringCaseInsensitiveMatch.11
    """,
    "4.4": """
        InvalidMissingCRL.1 InvalidRevokedCA.2 InvalidRevokedEE.3 InvalidBadCRLSignature.4 InvalidBadCRLIssuerName.5
        InvalidWrongCRL.6 ValidTwoCRLs.7 InvalidUnknownCRLEntryExtension.8 InvalidUnknownCRLExtension.9
        InvalidUnknownCRLExtension.10 InvalidOldCRLnextUpdate.11 Invalidpre2000CRLnextUpdate.12
        ValidGeneralizedTimeCRLnextUpdate.13 ValidNegativeSerialNumber.14 InvalidNegativeSerialNumber.15
        ValidLongSerialNumber.16 ValidLongSerialNumber.17 InvalidLongSerialNumber.18
        ValidSeparateCertificateandCRLKeys.19 InvalidSeparateCertificateandCRLKeys.20
        InvalidSeparateCertificateandCRLKeys.21
    """,
    "4.5": """
        ValidBasicSelfIssuedOldWithNew.1 InvalidBasicSelfIssuedOldWithNew.2 ValidBasicSelfIssuedNewWithOld.3
        ValidBasicSelfIssuedNewWithOld.4 InvalidBasicSelfIssuedNewWithOld.5 ValidBasicSelfIssuedCRLSigningKey.6
        InvalidBasicSelfIssuedCRLSigningKey.7 InvalidBasicSelfIssuedCRLSigningKey.8
    """,
    "4.6": """
        InvalidMissingbasicConstraints.1 InvalidcAFalse.2 InvalidcAFalse.3 ValidbasicConstraintsNotCritical.4
        InvalidpathLenConstraint.5 InvalidpathLenConstraint.6 ValidpathLenConstraint.7 ValidpathLenConstraint.8
        InvalidpathLenConstraint.9 InvalidpathLenConstraint.10 InvalidpathLenConstraint.11 InvalidpathLenConstraint.12
        ValidpathLenConstraint.13 ValidpathLenConstraint.14 ValidSelfIssuedpathLenConstraint.15
        InvalidSelfIssuedpathLenConstraint.16 ValidSelfIssuedpathLenConstraint.17
    """,
    "4.7": """
        InvalidkeyUsageCriticalkeyCertSignFalse.1 InvalidkeyUsageNotCriticalkeyCertSignFalse.2
        ValidkeyUsageNotCritical.3 InvalidkeyUsageCriticalcRLSignFalse.4 InvalidkeyUsageNotCriticalcRLSignFalse.5
    """,
    "4.8": """
        ValidCertificatePath.1 AllCertificatesNoPolicies.2 DifferentPolicies.3 DifferentPolicies.4 DifferentPolicies.5
        OverlappingPolicies.6 DifferentPolicies.7 DifferentPolicies.8 DifferentPolicies.9
        AllCertificatesSamePolicies.10 AllCertificatesanyPolicy.11 DifferentPolicies.12 AllCertificatesSamePolicies.13
        AnyPolicy.14 UserNoticeQualifier.15 UserNoticeQualifier.16 UserNoticeQualifier.17 UserNoticeQualifier.18
        UserNoticeQualifier.19 CPSPointerQualifier.20
    """,
    "4.9": """
        ValidrequireExplicitPolicy.1 ValidrequireExplicitPolicy.2 InvalidrequireExplicitPolicy.3
        ValidrequireExplicitPolicy.4 InvalidrequireExplicitPolicy.5 ValidSelfIssuedrequireExplicitPolicy.6
        InvalidSelfIssuedrequireExplicitPolicy.7 InvalidSelfIssuedrequireExplicitPolicy.8
    """,
    "4.10": """
        ValidPolicyMapping.1 InvalidPolicyMapping.2 ValidPolicyMapping.3 InvalidPolicyMapping.4 ValidPolicyMapping.5
        ValidPolicyMapping.6 InvalidMappingFromanyPolicy.7 InvalidMappingToanyPolicy.8 ValidPolicyMapping.9
        InvalidPolicyMapping.10 ValidPolicyMapping.11 ValidPolicyMapping.12 ValidPolicyMapping.13
        ValidPolicyMapping.14
    """,
    "4.11": """
        InvalidinhibitPolicyMapping.1 ValidinhibitPolicyMapping.2 InvalidinhibitPolicyMapping.3
        ValidinhibitPolicyMapping.4 InvalidinhibitPolicyMapping.5 InvalidinhibitPolicyMapping.6
        ValidSelfIssuedinhibitPolicyMapping.7 InvalidSelfIssuedinhibitPolicyMapping.8
        InvalidSelfIssuedinhibitPolicyMapping.9 InvalidSelfIssuedinhibitPolicyMapping.10
        InvalidSelfIssuedinhibitPolicyMapping.11
    """,
    "4.12": """
        InvalidinhibitAnyPolicy.1 ValidinhibitAnyPolicy.2 inhibitAnyPolicy.3 InvalidinhibitAnyPolicy.4
        InvalidinhibitAnyPolicy.5 InvalidinhibitAnyPolicy.6 ValidSelfIssuedinhibitAnyPolicy.7
        InvalidSelfIssuedinhibitAnyPolicy.8 ValidSelfIssuedinhibitAnyPolicy.9 InvalidSelfIssuedinhibitAnyPolicy.10
    """,
    "4.13": """
        ValidDNnameConstraints.1 InvalidDNnameConstraints.2 InvalidDNnameConstraints.3 ValidDNnameConstraints.4
        ValidDNnameConstraints.5 ValidDNnameConstraints.6 InvalidDNnameConstraints.7 InvalidDNnameConstraints.8
        InvalidDNnameConstraints.9 InvalidDNnameConstraints.10 ValidDNnameConstraints.11 InvalidDNnameConstraints.12
        InvalidDNnameConstraints.13 ValidDNnameConstraints.14 InvalidDNnameConstraints.15 InvalidDNnameConstraints.16
        InvalidDNnameConstraints.17 ValidDNnameConstraints.18 ValidDNnameConstraints.19 InvalidDNnameConstraints.20
        ValidRFC822nameConstraints.21 InvalidRFC822nameConstraints.22 ValidRFC822nameConstraints.23
        InvalidRFC822nameConstraints.24 ValidRFC822nameConstraints.25 InvalidRFC822nameConstraints.26
        ValidDNandRFC822nameConstraints.27 InvalidDNandRFC822nameConstraints.28 InvalidDNandRFC822nameConstraints.29
        ValidDNSnameConstraints.30 InvalidDNSnameConstraints.31 ValidDNSnameConstraints.32
        InvalidDNSnameConstraints.33 ValidURInameConstraints.34 InvalidURInameConstraints.35
        ValidURInameConstraints.36 InvalidURInameConstraints.37 InvalidDNSnameConstraints.38
    """,
    "4.14": """
        ValiddistributionPoint.1 InvaliddistributionPoint.2 InvaliddistributionPoint.3 ValiddistributionPoint.4
        ValiddistributionPoint.5 InvaliddistributionPoint.6 ValiddistributionPoint.7 InvaliddistributionPoint.8
        InvaliddistributionPoint.9 ValidNoissuingDistributionPoint.10 InvalidonlyContainsUserCerts.11
        InvalidonlyContainsCACerts.12 ValidonlyContainsCACerts.13 InvalidonlyContainsAttributeCerts.14
        InvalidonlySomeReasons.15 InvalidonlySomeReasons.16 InvalidonlySomeReasons.17 ValidonlySomeReasons.18
        ValidonlySomeReasons.19 InvalidonlySomeReasons.20 InvalidonlySomeReasons.21 ValidIDPwithindirectCRL.22
        InvalidIDPwithindirectCRL.23 ValidIDPwithindirectCRL.24 ValidIDPwithindirectCRL.25
        InvalidIDPwithindirectCRL.26 InvalidcRLIssuer.27 ValidcRLIssuer.28 ValidcRLIssuer.29 ValidcRLIssuer.30
        InvalidcRLIssuer.31 InvalidcRLIssuer.32 ValidcRLIssuer.33 InvalidcRLIssuer.34 InvalidcRLIssuer.35
    """,
    "4.15": """
        InvaliddeltaCRLIndicatorNoBase.1 ValiddeltaCRL.2 InvaliddeltaCRL.3 InvaliddeltaCRL.4 ValiddeltaCRL.5
        InvaliddeltaCRL.6 ValiddeltaCRL.7 ValiddeltaCRL.8 InvaliddeltaCRL.9 InvaliddeltaCRL.10
    """,
    "4.16": """
        ValidUnknownNotCriticalCertificateExtension.1 InvalidUnknownCriticalCertificateExtension.2
    """,
}

VALID_BY_TEXT = frozenset(
    ["4.8.1", "4.8.2", "4.8.3", "4.8.6", "4.8.10", "4.8.11", *(f"4.8.{n}" for n in range(13, 21)), "4.12.3"]
)
"""Tests of policies, whose certificates' names don't tell: valid as long as no policy is asked for."""
INVALID_BY_TEXT = frozenset(["4.8.4", "4.8.5", "4.8.7", "4.8.8", "4.8.9", "4.8.12"])

_DSA = "DSA is none of the algorithms of TT 15/2025 PL I"
_INDIRECT = (
    "an indirect list, signed by another body than the issuer, can only revoke: no authority in the country has one"
)
_REASONS = "a list for some reasons alone can only revoke: several are not put together to one answer"

NOT_CONFIRMED = {
    "4.1.4": _DSA,
    "4.1.5": _DSA,
    "4.3.6": "a name with a unique identifier (a bit string) is compared with none",
    "4.14.18": _REASONS,
    "4.14.19": _REASONS,
    "4.14.22": _INDIRECT,
    "4.14.24": _INDIRECT,
    "4.14.25": _INDIRECT,
    "4.14.28": _INDIRECT,
    "4.14.29": _INDIRECT,
    "4.14.30": _INDIRECT,
    "4.14.33": _INDIRECT,
    "4.15.5": "a delta list can end a suspension, but never say that a certificate is good",
}
"""Valid by the suite, and not confirmed here, each with the reason: not decided, and never called revoked."""


@dataclass(frozen=True)
class Case:
    """A test of the suite."""

    number: str
    certificate: str

    @property
    def valid(self) -> bool:
        return self.number in VALID_BY_TEXT or (
            self.number not in INVALID_BY_TEXT and self.certificate.startswith("Valid")
        )


def cases() -> list[Case]:
    found = []
    for section, names in TESTS.items():
        for name in names.split():
            title, number = name.split(".")
            found.append(Case(f"{section}.{number}", f"{title}Test{number}EE"))
    return found


def read(name: str) -> x509.Certificate:
    return x509.Certificate.load((FOLDER / "certs" / f"{name}.crt").read_bytes())


@cache
def authorities() -> dict[object, list[x509.Certificate]]:
    """The certificates of the suite's CAs by subject, those of DSA apart."""
    found: dict[object, list[x509.Certificate]] = {}
    ders = [file.read_bytes() for file in sorted((FOLDER / "certs").glob("*Cert.crt"))]
    for certificate in parse_certificates(ders):
        found.setdefault(certificate.subject.hashable, []).append(certificate)
    return found


def above(certificate: x509.Certificate) -> list[x509.Certificate]:
    """All certificates that might stand over this one, by names."""
    found: dict[bytes, x509.Certificate] = {}
    todo = [certificate]
    while todo:
        for issuer in authorities().get(todo.pop().issuer.hashable, []):
            if issuer.dump() not in found:
                found[issuer.dump()] = issuer
                todo.append(issuer)
    return list(found.values())


@pytest.fixture(scope="module")
def store() -> TrustStore:
    anchor = (FOLDER / "certs" / "TrustAnchorRootCertificate.crt").read_bytes()
    return TrustStore(TrustMaterial(anchors=(anchor,)))


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return Evidence([file.read_bytes() for file in sorted((FOLDER / "crls").glob("*.crl"))], [])


# 4.4.14 and 4.4.15 are about serial numbers that are negative.
@pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")
@pytest.mark.parametrize("case", cases(), ids=lambda case: case.number)
def test_it_is_as_the_suite_says_or_not_confirmed_for_a_reason(
    case: Case, store: TrustStore, evidence: Evidence
) -> None:
    leaf = read(case.certificate)
    chain = store.chain(leaf, above(leaf), MOMENT)
    in_time = leaf.not_valid_before <= MOMENT <= leaf.not_valid_after
    status = Revocation.NOT_CHECKED
    if chain.trust is Trust.TRUSTED:
        when = When(MOMENT, proven=False, now=MOMENT)
        status = evidence.chain(chain.parsed, when, chain.parsed_relatives).status
    good = in_time and status is Revocation.GOOD
    assert good == (case.valid and case.number not in NOT_CONFIRMED)
    if case.valid:
        assert status is not Revocation.REVOKED
        assert in_time


def test_no_test_of_the_suite_is_left_out() -> None:
    counts = [6, 8, 11, 21, 8, 17, 5, 20, 8, 14, 11, 10, 38, 35, 10, 2]
    every = {f"4.{section}.{n + 1}" for section, count in enumerate(counts, 1) for n in range(count)}
    assert {case.number for case in cases()} == every
    assert every >= NOT_CONFIRMED.keys()
