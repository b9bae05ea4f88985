"""Chains, revocation, times and levels: who signed, and whether that may be believed."""

import datetime as dt
import hashlib
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.pdf_utils.generic import pdf_name

from signer_app.verification.model import (
    Integrity,
    Level,
    Revocation,
    RevocationUrlKind,
    SignatureReport,
    TimestampKind,
    Trust,
    TrustMaterial,
    Verdict,
)
from tests.verification.conftest import Checker
from tests.verification.documents import (
    Preparation,
    SignAs,
    Writer,
    append_timestamp,
    increment,
    make_document,
    pdf,
    sign,
)
from tests.verification.small_pki import DAY, NOW, Holder, Pki, make_certificate, make_crl, make_ocsp

YESTERDAY = NOW - DAY


@pytest.fixture(scope="module")
def signed(pki: Pki) -> bytes:
    return sign(make_document(pages=1), pki.leader, SignAs("L", at=YESTERDAY))


@pytest.fixture(scope="module")
def stamped(pki: Pki) -> bytes:
    how = SignAs("L", at=YESTERDAY, timestamp_at=YESTERDAY)
    return sign(make_document(pages=1), pki.leader, how, tsa=pki.tsa)


def only(check: Checker, document: bytes, trust: TrustMaterial, now: dt.datetime = NOW) -> SignatureReport:
    (signature,) = check(document, trust, now).signatures
    return signature


# Chain


def test_without_anchors_trust_is_unknown_and_nothing_is_valid(pki: Pki, check: Checker, signed: bytes) -> None:
    signature = only(check, signed, TrustMaterial())
    assert (signature.trust, signature.verdict) == (Trust.UNKNOWN, Verdict.INDETERMINATE)
    assert signature.message_code == "verify_no_anchors"
    assert signature.integrity is Integrity.INTACT


def test_a_chain_to_another_root_is_untrusted(pki: Pki, check: Checker, signed: bytes) -> None:
    other = make_certificate("Gốc khác", None, ca=True)
    signature = only(check, signed, pki.trust(anchors=[other]))
    assert (signature.trust, signature.verdict) == (Trust.UNTRUSTED, Verdict.INDETERMINATE)
    assert signature.message_code == "verify_untrusted"


def test_a_root_of_the_same_name_with_another_key_is_untrusted(pki: Pki, check: Checker, signed: bytes) -> None:
    impostor = make_certificate("Gốc thử nghiệm", None, ca=True)
    assert only(check, signed, pki.trust(anchors=[impostor])).trust is Trust.UNTRUSTED


def test_the_issuer_may_itself_be_the_anchor(pki: Pki, check: Checker, signed: bytes) -> None:
    signature = only(check, signed, pki.trust(anchors=[pki.ca]))
    assert (signature.trust, signature.verdict) == (Trust.TRUSTED, Verdict.VALID)


def test_a_missing_intermediate_is_taken_from_the_trust_folder(pki: Pki, check: Checker) -> None:
    lone = Holder(pki.leader.certificate, pki.leader.key, None)
    document = sign(make_document(pages=1), lone, SignAs("L"))
    assert only(check, document, pki.trust()).trust is Trust.UNTRUSTED
    trust = TrustMaterial(anchors=(pki.root.der,), intermediates=(pki.ca.der,), crls=pki.trust().crls)
    assert only(check, document, trust).verdict is Verdict.VALID


def test_a_certificate_of_an_end_entity_can_not_issue(pki: Pki, check: Checker) -> None:
    forged = make_certificate("Giả mạo", pki.body)
    document = sign(make_document(pages=1), forged, SignAs("L"))
    assert only(check, document, pki.trust()).trust is Trust.UNTRUSTED


@pytest.mark.parametrize("usage", ["key_encipherment", None])
def test_a_certificate_not_meant_for_signing_is_indeterminate(pki: Pki, check: Checker, usage: str | None) -> None:
    holder = make_certificate("Khóa mã hóa", pki.ca, usage=usage)
    signature = only(check, sign(make_document(pages=1), holder, SignAs("L")), pki.trust())
    assert (signature.verdict, signature.message_code) == (Verdict.INDETERMINATE, "verify_key_usage")


def test_non_repudiation_alone_is_enough(pki: Pki, check: Checker) -> None:
    holder = make_certificate("Khóa ký", pki.ca, usage="content_commitment")
    assert only(check, sign(make_document(pages=1), holder, SignAs("L")), pki.trust()).verdict is Verdict.VALID


def test_sha1_proves_nothing_any_more(pki: Pki, check: Checker) -> None:
    how = SignAs("L", digest="sha1")
    signature = only(check, sign(make_document(pages=1), pki.leader, how), pki.trust())
    assert (signature.integrity, signature.verdict) == (Integrity.INTACT, Verdict.INDETERMINATE)
    assert signature.message_code == "verify_weak_algorithm"


def test_a_short_rsa_key_proves_nothing_any_more(pki: Pki, check: Checker) -> None:
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505  # weak on purpose
    holder = make_certificate("Khóa ngắn", pki.ca, key=key)
    signature = only(check, sign(make_document(pages=1), holder, SignAs("L")), pki.trust())
    assert signature.verdict is Verdict.INDETERMINATE
    assert "verify_weak_algorithm" in signature.reasons


# Validity


def test_a_certificate_that_had_run_out_at_signing_makes_the_signature_invalid(pki: Pki, check: Checker) -> None:
    holder = make_certificate("Hết hạn", pki.ca, not_after=NOW - 10 * DAY)
    signature = only(check, sign(make_document(pages=1), holder, SignAs("L")), pki.trust())
    assert (signature.verdict, signature.message_code) == (Verdict.INVALID, "verify_expired")
    assert signature.integrity is Integrity.INTACT


def test_a_certificate_not_yet_in_force_at_signing_makes_the_signature_invalid(pki: Pki, check: Checker) -> None:
    holder = make_certificate("Chưa có hiệu lực", pki.ca, not_before=NOW + 10 * DAY)
    signature = only(check, sign(make_document(pages=1), holder, SignAs("L")), pki.trust())
    assert (signature.verdict, signature.message_code) == (Verdict.INVALID, "verify_not_yet_valid")


def test_a_certificate_that_ran_out_after_a_stamped_signature_does_no_harm(pki: Pki, check: Checker) -> None:
    holder = make_certificate("Hết hạn sau", pki.ca, not_after=NOW + DAY)
    at = SignAs("L", timestamp_at=NOW)
    document = sign(make_document(pages=1), holder, at, tsa=pki.tsa)
    trust = pki.trust(crls=[make_crl(pki.root), make_crl(pki.ca, issued=NOW + dt.timedelta(hours=1))])
    assert only(check, document, trust, NOW + 30 * DAY).verdict is Verdict.VALID


# Revocation


def crls(pki: Pki, at: dt.datetime, *, reason: x509.ReasonFlags | None = None) -> list[bytes]:
    return [make_crl(pki.root), make_crl(pki.ca, [(pki.leader, at)], reason=reason, issued=NOW)]


def test_a_certificate_revoked_before_signing_makes_the_signature_invalid_though_it_names_no_crl(
    pki: Pki, check: Checker, signed: bytes
) -> None:
    signature = only(check, signed, pki.trust(crls=crls(pki, YESTERDAY - DAY)))
    assert signature.revocation is Revocation.REVOKED
    assert (signature.verdict, signature.message_code) == (Verdict.INVALID, "verify_revoked")


def test_a_suspended_certificate_counts_as_revoked(pki: Pki, check: Checker, signed: bytes) -> None:
    held = crls(pki, YESTERDAY - DAY, reason=x509.ReasonFlags.certificate_hold)
    assert only(check, signed, pki.trust(crls=held)).verdict is Verdict.INVALID


def test_a_revocation_after_an_unproven_time_is_indeterminate(pki: Pki, check: Checker, signed: bytes) -> None:
    signature = only(check, signed, pki.trust(crls=crls(pki, NOW)))
    assert signature.revocation is Revocation.REVOKED
    assert (signature.verdict, signature.message_code) == (Verdict.INDETERMINATE, "verify_revoked_later")


def test_a_revocation_after_a_proven_time_does_no_harm(pki: Pki, check: Checker, stamped: bytes) -> None:
    signature = only(check, stamped, pki.trust(crls=crls(pki, NOW)))
    assert (signature.revocation, signature.verdict) == (Revocation.GOOD, Verdict.VALID)


def test_a_revocation_before_a_proven_time_makes_the_signature_invalid(
    pki: Pki, check: Checker, stamped: bytes
) -> None:
    assert only(check, stamped, pki.trust(crls=crls(pki, YESTERDAY - DAY))).verdict is Verdict.INVALID


def test_a_revoked_ca_takes_its_certificates_with_it(pki: Pki, check: Checker, signed: bytes) -> None:
    trust = pki.trust(crls=[make_crl(pki.root, [(pki.ca, YESTERDAY - DAY)]), make_crl(pki.ca)])
    assert only(check, signed, trust).verdict is Verdict.INVALID


def test_nothing_in_hand_is_not_checked(pki: Pki, check: Checker, signed: bytes) -> None:
    signature = only(check, signed, pki.trust(crls=[]))
    assert signature.revocation is Revocation.NOT_CHECKED
    assert (signature.verdict, signature.message_code) == (
        Verdict.INDETERMINATE,
        "verify_revocation_not_checked",
    )


def test_the_ca_itself_must_be_known_to_be_good_too(pki: Pki, check: Checker, signed: bytes) -> None:
    signature = only(check, signed, pki.trust(crls=[make_crl(pki.ca)]))
    assert signature.revocation is Revocation.NOT_CHECKED


def stale(issuer: Holder) -> bytes:
    return make_crl(issuer, issued=NOW - 30 * DAY, next_update=NOW - 20 * DAY)


def from_tomorrow(issuer: Holder) -> bytes:
    return make_crl(issuer, issued=NOW + DAY, next_update=NOW + 9 * DAY)


def test_a_stale_crl_is_unknown(pki: Pki, check: Checker, signed: bytes) -> None:
    signature = only(check, signed, pki.trust(crls=[make_crl(pki.root), stale(pki.ca)]))
    assert (signature.revocation, signature.verdict) == (Revocation.UNKNOWN, Verdict.INDETERMINATE)
    assert signature.message_code == "verify_revocation_unknown"


def test_a_crl_from_the_future_is_unknown(pki: Pki, check: Checker, signed: bytes) -> None:
    trust = pki.trust(crls=[make_crl(pki.root), from_tomorrow(pki.ca)])
    assert only(check, signed, trust).revocation is Revocation.UNKNOWN


def test_a_stale_crl_still_tells_who_was_revoked(pki: Pki, check: Checker, signed: bytes) -> None:
    old = make_crl(pki.ca, [(pki.leader, NOW - 40 * DAY)], issued=NOW - 30 * DAY, next_update=NOW - 20 * DAY)
    trust = pki.trust(crls=[make_crl(pki.root), make_crl(pki.ca), old])
    assert only(check, signed, trust).verdict is Verdict.INVALID


def test_a_crl_in_force_when_the_time_was_claimed_but_stale_today_proves_nothing(
    pki: Pki, check: Checker, signed: bytes, stamped: bytes
) -> None:
    trust = pki.trust(crls=[make_crl(pki.root), make_crl(pki.ca, issued=NOW - 3 * DAY, next_update=NOW)])
    later = NOW + 5 * DAY
    assert only(check, signed, trust, later).revocation is Revocation.UNKNOWN
    # Where a timestamp proves the time, it does prove it.
    assert only(check, stamped, trust, later).revocation is Revocation.GOOD


def test_a_crl_that_someone_else_signed_in_the_issuers_name_is_ignored(pki: Pki, check: Checker, signed: bytes) -> None:
    forged = make_crl(pki.ca, [(pki.leader, YESTERDAY - DAY)], signed_by=pki.body.key)
    assert only(check, signed, pki.trust(crls=[*pki.trust().crls, forged])).verdict is Verdict.VALID
    empty = make_crl(pki.ca, signed_by=pki.body.key)
    signature = only(check, signed, pki.trust(crls=[make_crl(pki.root), empty]))
    assert signature.revocation is Revocation.NOT_CHECKED


@pytest.mark.parametrize("delegated", [False, True])
def test_an_ocsp_response_of_the_issuer_or_its_responder_is_good(
    pki: Pki, check: Checker, signed: bytes, delegated: bool
) -> None:
    responder = make_certificate("OCSP", pki.ca, extended=ExtendedKeyUsageOID.OCSP_SIGNING) if delegated else None
    answer = make_ocsp(pki.leader, responder=responder)
    trust = pki.trust(crls=[make_crl(pki.root)], ocsps=[answer])
    assert only(check, signed, trust).verdict is Verdict.VALID


def test_an_ocsp_response_of_anybody_else_is_ignored(pki: Pki, check: Checker, signed: bytes) -> None:
    answer = make_ocsp(pki.leader, responder=pki.body)
    trust = pki.trust(crls=[make_crl(pki.root)], ocsps=[answer])
    assert only(check, signed, trust).revocation is Revocation.NOT_CHECKED


def test_an_ocsp_response_tells_of_a_revocation(pki: Pki, check: Checker, signed: bytes) -> None:
    answer = make_ocsp(pki.leader, status=ocsp.OCSPCertStatus.REVOKED, revoked_at=YESTERDAY - DAY, issued=NOW)
    assert only(check, signed, pki.trust(ocsps=[answer])).verdict is Verdict.INVALID


def test_an_ocsp_response_that_knows_nothing_is_unknown(pki: Pki, check: Checker, signed: bytes) -> None:
    answer = make_ocsp(pki.leader, status=ocsp.OCSPCertStatus.UNKNOWN)
    trust = pki.trust(crls=[make_crl(pki.root)], ocsps=[answer])
    assert only(check, signed, trust).revocation is Revocation.UNKNOWN


def test_an_old_ocsp_response_without_an_end_is_unknown(pki: Pki, check: Checker, signed: bytes) -> None:
    answer = make_ocsp(pki.leader, issued=NOW - 9 * DAY, next_update=None)
    trust = pki.trust(crls=[make_crl(pki.root)], ocsps=[answer])
    assert only(check, signed, trust).revocation is Revocation.UNKNOWN


def test_the_report_says_where_to_ask_only_for_what_is_not_known(pki: Pki, check: Checker) -> None:
    holder = make_certificate(
        "Có địa chỉ",
        pki.ca,
        crl_url="http://crl.example/ca.crl",
        ocsp_url="http://ocsp.example/",
    )
    document = sign(make_document(pages=1), holder, SignAs("L"))
    wanted = check(document, pki.trust(crls=[make_crl(pki.root)])).wanted_urls
    assert [(url.kind, url.url) for url in wanted] == [
        (RevocationUrlKind.OCSP, "http://ocsp.example/"),
        (RevocationUrlKind.CRL, "http://crl.example/ca.crl"),
    ]
    assert {(url.certificate, url.issuer) for url in wanted} == {(holder.der, pki.ca.der)}
    assert check(document, pki.trust()).wanted_urls == ()


def test_only_plain_http_addresses_are_asked_for(pki: Pki, check: Checker) -> None:
    holder = make_certificate("LDAP", pki.ca, crl_url="ldap://crl.example/ca", ocsp_url="file:///etc/passwd")
    document = sign(make_document(pages=1), holder, SignAs("L"))
    assert check(document, pki.trust(crls=[])).wanted_urls == ()


# Time and level


def test_without_a_timestamp_the_signers_own_time_is_shown(pki: Pki, check: Checker, signed: bytes) -> None:
    signature = only(check, signed, pki.trust())
    assert (signature.signing_time, signature.timestamp) == (YESTERDAY, None)
    assert signature.level is Level.B_B


def test_a_timestamp_in_the_signature_proves_the_time(pki: Pki, check: Checker) -> None:
    how = SignAs("L", at=YESTERDAY, timestamp_at=NOW)
    signature = only(check, sign(make_document(pages=1), pki.leader, how, tsa=pki.tsa), pki.trust())
    assert signature.timestamp is not None
    assert (signature.timestamp.kind, signature.timestamp.valid) == (TimestampKind.SIGNATURE, True)
    assert (signature.signing_time, signature.level) == (NOW, Level.B_T)


def test_a_document_timestamp_proves_the_time_of_the_signatures_before_it(
    pki: Pki, check: Checker, signed: bytes
) -> None:
    signature = only(check, append_timestamp(signed, pki.tsa), pki.trust())
    assert signature.timestamp is not None
    assert (signature.timestamp.kind, signature.timestamp.valid) == (TimestampKind.DOCUMENT, True)
    assert (signature.level, signature.verdict) == (Level.B_T, Verdict.VALID)


@pytest.mark.parametrize("extended", [None, ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.TIME_STAMPING])
def test_a_timestamp_of_nobody_we_trust_proves_nothing(
    pki: Pki, check: Checker, extended: x509.ObjectIdentifier | None
) -> None:
    key = rsa.generate_private_key(65537, 2048)
    issuer = pki.ca if extended is not ExtendedKeyUsageOID.TIME_STAMPING else make_certificate("X", None, ca=True)
    tsa = make_certificate("TSA lạ", issuer, key=key, extended=extended)
    how = SignAs("L", at=YESTERDAY, timestamp_at=NOW)
    signature = only(check, sign(make_document(pages=1), pki.leader, how, tsa=tsa), pki.trust())
    assert signature.timestamp is not None
    assert not signature.timestamp.valid
    assert (signature.signing_time, signature.verdict) == (YESTERDAY, Verdict.VALID)


def test_the_timestamp_of_a_tsa_whose_key_was_stolen_proves_nothing(pki: Pki, check: Checker, stamped: bytes) -> None:
    stolen = make_crl(pki.ca, [(pki.tsa, NOW)], reason=x509.ReasonFlags.key_compromise, issued=NOW)
    signature = only(check, stamped, pki.trust(crls=[make_crl(pki.root), stolen]))
    assert signature.timestamp is not None
    assert not signature.timestamp.valid
    ceased = make_crl(pki.ca, [(pki.tsa, NOW)], reason=x509.ReasonFlags.cessation_of_operation, issued=NOW)
    signature = only(check, stamped, pki.trust(crls=[make_crl(pki.root), ceased]))
    assert signature.timestamp is not None
    assert signature.timestamp.valid


def validation_data(pki: Pki) -> Preparation:
    """A /DSS with the chain and both CRLs."""

    def prepare(writer: Writer) -> None:
        def streams(ders: list[bytes]) -> Any:
            return pdf.ArrayObject([writer.add_object(pdf.StreamObject(stream_data=der)) for der in ders])

        writer.root["/DSS"] = writer.add_object(
            pdf.DictionaryObject(
                {
                    pdf_name("/Certs"): streams([pki.ca.der, pki.root.der]),
                    pdf_name("/CRLs"): streams([make_crl(pki.root), make_crl(pki.ca)]),
                }
            )
        )
        writer.update_root()

    return prepare


def test_validation_data_in_the_document_are_enough_and_raise_the_level(
    pki: Pki, check: Checker, stamped: bytes
) -> None:
    long_term = increment(stamped, validation_data(pki))
    signature = only(check, long_term, pki.trust(crls=[]))
    assert (signature.integrity, signature.level) == (Integrity.INTACT, Level.B_LT)
    assert (signature.revocation, signature.verdict) == (Revocation.GOOD, Verdict.VALID)
    archived = only(check, append_timestamp(long_term, pki.tsa), pki.trust(crls=[]))
    assert (archived.level, archived.verdict) == (Level.B_LTA, Verdict.VALID)


def test_validation_data_without_a_timestamp_are_no_long_term_level(pki: Pki, check: Checker, signed: bytes) -> None:
    signature = only(check, increment(signed, validation_data(pki)), pki.trust(crls=[]))
    assert (signature.level, signature.integrity) == (Level.B_B, Integrity.INTACT)


def test_the_report_names_the_certificate(pki: Pki, check: Checker, signed: bytes) -> None:
    signature = only(check, signed, pki.trust())
    assert signature.certificate == hashlib.sha256(pki.leader.der).hexdigest()
    assert signature.subject is not None
    assert "Nguyễn Văn Ổn" in signature.subject
    assert signature.issuer is not None
    assert "CA thử nghiệm" in signature.issuer
    assert signature.not_after == pki.leader.certificate.not_valid_after_utc


def test_broken_comes_before_everything_else(pki: Pki, check: Checker, signed: bytes) -> None:
    report = check(signed.replace(b"Dieu 1", b"Dieu 9"), pki.trust(crls=crls(pki, YESTERDAY - DAY)))
    assert (report.verdict, report.integrity) == (Verdict.INVALID, Integrity.BROKEN)
    assert report.message_code == "verify_digest"
