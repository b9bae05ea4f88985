"""Times that are only claimed, keys of other purposes, and what a timestamp must be to prove a time."""

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from signer_app.verification.model import Integrity, Level, Revocation, Verdict
from tests.verification.conftest import Checker
from tests.verification.documents import SignAs, append_timestamp, make_document, sign
from tests.verification.small_pki import DAY, NOW, Holder, Pki, make_certificate, make_crl, make_ocsp
from tests.verification.test_trust import only

YESTERDAY, LONG_AGO = NOW - DAY, NOW - 300 * DAY


def of_then(pki: Pki) -> list[bytes]:
    """The lists of the days after `LONG_AGO`."""
    return [make_crl(one, issued=LONG_AGO + DAY, next_update=LONG_AGO + 8 * DAY) for one in (pki.root, pki.ca)]


def tsa_of(issuer: Holder, start: dt.datetime = NOW - 400 * DAY, end: dt.datetime = NOW + 400 * DAY) -> Holder:
    key, extended = rsa.generate_private_key(65537, 2048), ExtendedKeyUsageOID.TIME_STAMPING
    return make_certificate("TSA khác", issuer, key=key, extended=extended, not_before=start, not_after=end)


def test_whoever_claims_an_old_time_does_not_prove_it_with_old_lists(pki: Pki, check: Checker) -> None:
    claimed = sign(make_document(pages=1), pki.leader, SignAs("L", at=LONG_AGO))
    signature = only(check, claimed, pki.trust(crls=of_then(pki)))
    assert (signature.revocation, signature.verdict) == (Revocation.UNKNOWN, Verdict.INDETERMINATE)
    assert only(check, claimed, pki.trust()).verdict is Verdict.VALID
    how = SignAs("L", at=LONG_AGO, timestamp_at=LONG_AGO)
    proven = sign(make_document(pages=1), pki.leader, how, tsa=pki.tsa)
    assert only(check, proven, pki.trust(crls=of_then(pki))).verdict is Verdict.VALID


def test_of_a_certificate_that_has_run_out_a_claimed_time_proves_nothing(pki: Pki, check: Checker) -> None:
    holder = make_certificate("Đã hết hạn", pki.ca, not_after=NOW - DAY / 2)
    claimed = sign(make_document(pages=1), holder, SignAs("L", at=NOW - 2 * DAY))
    # The lists of yesterday are in force and don't name it.
    signature = only(check, claimed, pki.trust())
    assert (signature.verdict, signature.valid_at_signing) == (Verdict.INDETERMINATE, None)
    proven = append_timestamp(claimed, pki.tsa, NOW - 2 * DAY)
    assert only(check, proven, pki.trust()).verdict is Verdict.VALID


@pytest.mark.parametrize(
    ("purpose", "verdict"),
    [
        (ExtendedKeyUsageOID.TIME_STAMPING, Verdict.INDETERMINATE),
        (ExtendedKeyUsageOID.OCSP_SIGNING, Verdict.INDETERMINATE),
        (ExtendedKeyUsageOID.SERVER_AUTH, Verdict.INDETERMINATE),
        (ExtendedKeyUsageOID.EMAIL_PROTECTION, Verdict.VALID),
        (ExtendedKeyUsageOID.CLIENT_AUTH, Verdict.VALID),
        (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE, Verdict.VALID),
        (x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36"), Verdict.VALID),
        (x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.12"), Verdict.VALID),
        (ExtendedKeyUsageOID.SMARTCARD_LOGON, Verdict.VALID),
    ],
)
def test_the_key_of_a_server_signs_no_documents(
    pki: Pki, check: Checker, purpose: x509.ObjectIdentifier, verdict: Verdict
) -> None:
    holder = make_certificate("www.ansơn.vn", pki.ca, extended=purpose)
    signature = only(check, sign(make_document(pages=1), holder, SignAs("L", at=YESTERDAY)), pki.trust())
    assert signature.verdict is verdict
    assert (signature.message_code == "verify_key_usage") is (verdict is Verdict.INDETERMINATE)


# What proves a time


def test_a_harmless_revocation_of_a_tsa_hides_no_harmful_one(pki: Pki, check: Checker) -> None:
    authority = make_certificate("CA của TSA", pki.root, ca=True)
    tsa, how = tsa_of(authority), SignAs("L", at=YESTERDAY, timestamp_at=YESTERDAY)
    document = sign(make_document(pages=1), pki.leader, how, tsa=tsa)
    stolen, superseded = x509.ReasonFlags.key_compromise, x509.ReasonFlags.superseded
    left = make_crl(authority, [(tsa, NOW)], reason=superseded, issued=NOW)
    good = [make_crl(pki.ca), make_crl(pki.root)]
    bad = [make_crl(pki.ca), make_crl(pki.root, [(authority, NOW)], reason=stolen, issued=NOW)]
    assert proves(check, document, pki, [*good, left])
    assert not proves(check, document, pki, [*bad, left])
    later = make_crl(authority, [(tsa, NOW)], reason=stolen, issued=NOW)
    earlier = make_crl(authority, [(tsa, NOW - DAY / 2)], reason=superseded, issued=NOW - DAY / 2)
    assert not proves(check, document, pki, [*good, earlier, later])


def proves(check: Checker, document: bytes, pki: Pki, crls: list[bytes]) -> bool:
    stamp = only(check, document, pki.trust(crls=crls)).timestamp
    assert stamp is not None
    return stamp.valid


def test_a_document_timestamp_proves_nothing_of_what_came_after_it(pki: Pki, check: Checker) -> None:
    first = sign(make_document(pages=1), pki.body, SignAs("Body", at=YESTERDAY))
    document = sign(append_timestamp(first, pki.tsa), pki.leader, SignAs("L", at=YESTERDAY))
    body, leader = check(document, pki.trust()).signatures
    assert (body.signing_time, body.level) == (NOW, Level.B_T)
    assert (leader.signing_time, leader.timestamp, leader.level) == (YESTERDAY, None, Level.B_B)


def test_a_broken_document_timestamp_does_not_count(pki: Pki, check: Checker) -> None:
    document = append_timestamp(sign(make_document(pages=1), pki.leader, SignAs("L", at=YESTERDAY)), pki.tsa)
    at = document.rindex(b"/Type /DocTimeStamp")
    broken = document[:at] + b"/Type/DocTimeStamp " + document[at + 19 :]
    report = check(broken, pki.trust())
    assert [stamp.integrity for stamp in report.stamps] == [Integrity.BROKEN]
    (signature,) = report.signatures
    assert (signature.signing_time, signature.level) == (YESTERDAY, Level.B_B)
    assert signature.timestamp is None
    # Its digest is right, but something was put behind the end.
    (signature,) = check(document + b"more", pki.trust()).signatures
    assert (signature.signing_time, signature.level) == (YESTERDAY, Level.B_B)
    assert signature.timestamp is not None
    assert not signature.timestamp.valid


@pytest.mark.parametrize("limits", [{"end": NOW - 2 * DAY}, {"start": NOW + DAY}])
def test_a_token_from_outside_its_tsas_validity_proves_nothing(
    pki: Pki, check: Checker, limits: dict[str, dt.datetime]
) -> None:
    how = SignAs("L", at=YESTERDAY, timestamp_at=NOW - DAY / 2)
    signature = only(check, sign(make_document(pages=1), pki.leader, how, tsa=tsa_of(pki.ca, **limits)), pki.trust())
    assert signature.timestamp is not None
    assert not signature.timestamp.valid
    assert (signature.signing_time, signature.level) == (YESTERDAY, Level.B_B)


# News


def test_a_key_counts_as_bad_from_the_day_on_which_it_was(pki: Pki, check: Checker) -> None:
    stamped = sign(make_document(pages=1), pki.leader, SignAs("L", at=YESTERDAY, timestamp_at=YESTERDAY), tsa=pki.tsa)
    entry = (
        x509.RevokedCertificateBuilder()
        .serial_number(pki.leader.certificate.serial_number)
        .revocation_date(NOW)
        .add_extension(x509.InvalidityDate((NOW - 5 * DAY).replace(tzinfo=None)), critical=False)
        .build()
    )
    builder = x509.CertificateRevocationListBuilder().issuer_name(pki.ca.certificate.subject)
    crl = builder.last_update(NOW).next_update(NOW + DAY).add_revoked_certificate(entry)
    der = crl.sign(pki.ca.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    assert only(check, stamped, pki.trust(crls=[make_crl(pki.root), der])).verdict is Verdict.INVALID
    plain = make_crl(pki.ca, [(pki.leader, NOW)], issued=NOW)
    assert only(check, stamped, pki.trust(crls=[make_crl(pki.root), plain])).verdict is Verdict.VALID


def test_an_ocsp_responder_that_was_revoked_says_nothing(pki: Pki, check: Checker) -> None:
    document = sign(make_document(pages=1), pki.leader, SignAs("L", at=YESTERDAY))
    responder = make_certificate("OCSP", pki.ca, extended=ExtendedKeyUsageOID.OCSP_SIGNING)
    answer = make_ocsp(pki.leader, responder=responder)
    # An old list that names the responder, and is too old to speak for the leader.
    named = make_crl(pki.ca, [(responder, NOW - 9 * DAY)], issued=NOW - 8 * DAY, next_update=NOW - 2 * DAY)
    stale = make_crl(pki.ca, issued=NOW - 8 * DAY, next_update=NOW - 2 * DAY)
    for old, verdict in ((named, Verdict.INDETERMINATE), (stale, Verdict.VALID)):
        trust = pki.trust(crls=[make_crl(pki.root), old], ocsps=[answer])
        assert only(check, document, trust).verdict is verdict
