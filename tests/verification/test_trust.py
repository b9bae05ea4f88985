"""Chains, revocation, times and levels: who signed, and whether that may be believed."""

import datetime as dt
import hashlib
from typing import Any

import asn1crypto.x509
import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.pdf_utils.generic import pdf_name

from signer_app.verification.chains import TrustStore
from signer_app.verification.model import (
    AnchorSet,
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
from tests.verification.small_pki import DAY, NOW, Holder, Pki, make_certificate, make_crl, make_ocsp, weakened_crl

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


# What the report says of it


def test_the_seven_facts_stand_in_the_report(pki: Pki, check: Checker) -> None:
    holder = make_certificate("Nguyễn Văn Ổn", pki.ca, organization="UBND tỉnh An Sơn", unit="Văn phòng")
    document = sign(make_document(pages=1), holder, SignAs("L", at=YESTERDAY))
    report = check(document, pki.trust())
    (signature,) = report.signatures
    assert (signature.issuer_name, signature.signer) == ("CA thử nghiệm", "Nguyễn Văn Ổn")
    assert signature.organization == "Văn phòng, UBND tỉnh An Sơn"
    assert (signature.signing_time, signature.valid_at_signing) == (YESTERDAY, True)
    assert int(signature.serial or "", 16) == holder.certificate.serial_number
    assert len(signature.serial or "") % 2 == 0
    assert (signature.anchor_set, signature.anchor) == (AnchorSet.OWN, "Gốc thử nghiệm")
    assert signature.chain == (holder.der, pki.ca.der, pki.root.der)
    assert (report.sha256, report.size) == (hashlib.sha256(document).hexdigest(), len(document))
    assert report.checked_at == NOW


def test_a_root_that_the_administrator_pinned_is_the_nations(pki: Pki, check: Checker, signed: bytes) -> None:
    pinned = hashlib.sha256(pki.root.der).hexdigest()
    trust = msgspec.structs.replace(pki.trust(), national_roots=(pinned,))
    assert only(check, signed, trust).anchor_set is AnchorSet.NATIONAL


@pytest.mark.parametrize(
    ("material", "expected"),
    [
        (TrustMaterial(), None),
        ("no lists", None),
        ("revoked later", None),
        ("revoked", False),
    ],
)
def test_validity_at_signing_is_told_only_where_it_is_known(
    pki: Pki, check: Checker, signed: bytes, material: TrustMaterial | str, expected: bool | None
) -> None:
    held = {
        "no lists": pki.trust(crls=[]),
        "revoked later": pki.trust(crls=crls(pki, NOW)),
        "revoked": pki.trust(crls=crls(pki, YESTERDAY - DAY)),
    }
    trust = held[material] if isinstance(material, str) else material
    assert only(check, signed, trust).valid_at_signing is expected


def test_what_the_status_rests_on_is_named_for_each_certificate(pki: Pki, check: Checker, signed: bytes) -> None:
    older, newer, answer = make_crl(pki.ca, issued=NOW - 2 * DAY), make_crl(pki.ca), make_ocsp(pki.leader, issued=NOW)
    of_root = make_crl(pki.root)
    signature = only(check, signed, pki.trust(crls=[older, newer, of_root], ocsps=[answer]))
    leader, ca = signature.proofs
    assert (leader.kind, leader.sha256) == (RevocationUrlKind.OCSP, hashlib.sha256(answer).hexdigest())
    assert (leader.certificate, leader.status, leader.issued) == (signature.certificate, Revocation.GOOD, NOW)
    assert (ca.kind, ca.sha256) == (RevocationUrlKind.CRL, hashlib.sha256(of_root).hexdigest())
    revoking = crls(pki, YESTERDAY - DAY)[1]
    leader, _ = only(check, signed, pki.trust(crls=[revoking, newer, of_root], ocsps=[answer])).proofs
    assert (leader.sha256, leader.status) == (hashlib.sha256(revoking).hexdigest(), Revocation.REVOKED)


def test_a_document_timestamp_has_a_report_of_its_own(pki: Pki, check: Checker, signed: bytes) -> None:
    report = check(append_timestamp(signed, pki.tsa), pki.trust())
    (stamp,) = report.stamps
    assert (stamp.time, stamp.authority, stamp.valid, stamp.revision) == (NOW, "TSA thử nghiệm", True, 1)
    assert stamp.integrity is Integrity.INTACT
    assert len(report.signatures) == 1


def test_news_that_no_network_can_bring_are_told_apart(pki: Pki, check: Checker, signed: bytes) -> None:
    assert only(check, signed, pki.trust(crls=[])).reasons == (
        "verify_revocation_not_checked",
        "verify_revocation_no_address",
    )
    holder = make_certificate("Có địa chỉ", pki.ca, ocsp_url="http://ocsp.example/")
    document = sign(make_document(pages=1), holder, SignAs("L"))
    assert only(check, document, pki.trust(crls=[make_crl(pki.root)])).reasons == ("verify_revocation_not_checked",)


# Suspension


@pytest.mark.parametrize(
    ("signed_at", "expected"),
    [
        (NOW - 5 * DAY, Verdict.INVALID),
        (NOW - dt.timedelta(hours=60), Verdict.INDETERMINATE),
        (NOW - dt.timedelta(hours=12), Verdict.VALID),
    ],
    ids=["while it was suspended", "nobody knows", "when it was in force again"],
)
def test_a_suspension_counts_for_its_time_alone(
    pki: Pki, check: Checker, signed_at: dt.datetime, expected: Verdict
) -> None:
    hold = x509.ReasonFlags.certificate_hold
    held = make_crl(pki.ca, [(pki.leader, NOW - 9 * DAY)], reason=hold, issued=NOW - 3 * DAY)
    trust = pki.trust(crls=[make_crl(pki.root), held, make_crl(pki.ca, issued=NOW - DAY)])
    document = sign(make_document(pages=1), pki.leader, SignAs("L", at=signed_at))
    assert only(check, document, trust).verdict is expected


def test_a_revocation_is_for_ever_whatever_newer_lists_leave_out(pki: Pki, check: Checker, signed: bytes) -> None:
    revoked = make_crl(pki.ca, [(pki.leader, NOW - 9 * DAY)], issued=NOW - 3 * DAY)
    assert only(check, signed, pki.trust(crls=[make_crl(pki.root), revoked, make_crl(pki.ca)])).verdict is (
        Verdict.INVALID
    )


def test_a_list_signed_with_sha1_revokes_but_never_confirms(pki: Pki, check: Checker, signed: bytes) -> None:
    weak = weakened_crl(crls(pki, YESTERDAY - DAY)[1], pki.ca)
    assert only(check, signed, pki.trust(crls=[*pki.trust().crls, weak])).verdict is Verdict.INVALID
    signature = only(check, signed, pki.trust(crls=[make_crl(pki.root), weakened_crl(make_crl(pki.ca), pki.ca)]))
    assert (signature.revocation, signature.verdict) == (Revocation.UNKNOWN, Verdict.INDETERMINATE)


# Certificates made to keep a checker busy


def test_certificates_that_all_certify_one_another_end_as_no_chain(pki: Pki) -> None:
    keys = {f"CA {n}": ec.generate_private_key(ec.SECP256R1()) for n in range(7)}
    owners = {name: make_certificate(name, None, key=key, ca=True) for name, key in keys.items()}
    crossed = [
        make_certificate(name, owner, key=keys[name], ca=True).asn1
        for name in keys
        for owner in owners.values()
        if owner.certificate.subject != owners[name].certificate.subject
    ]
    leaf = make_certificate("Ai đó", owners["CA 0"]).asn1
    store = TrustStore(pki.trust())
    chain = store.chain(leaf, crossed, NOW)
    assert (chain.trust, chain.limit) == (Trust.UNTRUSTED, True)
    # The same certificates don't keep one from an anchor that is near.
    near = TrustStore(pki.trust(anchors=[owners["CA 3"]]))
    assert near.chain(leaf, crossed, NOW).trust is Trust.TRUSTED


@pytest.mark.parametrize(("length", "expected"), [(7, Trust.TRUSTED), (12, Trust.UNTRUSTED)])
def test_a_long_chain_ends_somewhere(pki: Pki, length: int, expected: Trust) -> None:
    above = pki.root
    for n in range(length):
        above = make_certificate(f"Cấp {n}", above, ca=True)
    leaf = make_certificate("Ai đó", above)
    assert TrustStore(pki.trust()).chain(leaf.asn1, leaf.chain, NOW).trust is expected


def test_names_and_constraints_without_measure_are_not_compared(pki: Pki) -> None:
    names = x509.SubjectAlternativeName([x509.DNSName(f"a{n}.example") for n in range(200)])
    chain = TrustStore(pki.trust()).chain(make_certificate("Ai đó", pki.ca, also=[names]).asn1, [pki.ca.asn1], NOW)
    assert (chain.trust, chain.limit) == (Trust.UNTRUSTED, True)
    trees = x509.NameConstraints([x509.DNSName(f"a{n}.example") for n in range(200)], None)
    issuer = make_certificate("CA rườm rà", pki.root, ca=True, also=[trees])
    leaf = make_certificate("Ai đó", issuer)
    assert TrustStore(pki.trust()).chain(leaf.asn1, [issuer.asn1], NOW).trust is Trust.UNTRUSTED


def test_searches_of_one_file_share_their_time(pki: Pki) -> None:
    class Slow:
        at = 0.0

        def __call__(self) -> float:
            self.at += 4.0
            return self.at

    store = TrustStore(pki.trust(), Slow())
    leaves = [make_certificate(f"Người {n}", pki.ca).asn1 for n in range(3)]
    found = [store.chain(leaf, [pki.ca.asn1], NOW) for leaf in leaves]
    assert [(chain.trust, chain.limit) for chain in found] == [
        (Trust.TRUSTED, False),
        (Trust.UNTRUSTED, True),
        (Trust.UNTRUSTED, True),
    ]


def test_the_same_chain_is_searched_once_for_all_signatures(pki: Pki) -> None:
    class Counting:
        looks = 0

        def __call__(self) -> float:
            self.looks += 1
            return 0.0

    clock = Counting()
    store = TrustStore(pki.trust(), clock)
    first = store.chain(pki.leader.asn1, [pki.ca.asn1], NOW)
    looks = clock.looks
    assert store.chain(pki.leader.asn1, [pki.ca.asn1], NOW - DAY) is first
    assert clock.looks == looks
    expired = make_certificate("CA khác", pki.root, ca=True, not_after=NOW - DAY)
    leaf = make_certificate("Ai đó", expired, not_before=NOW - 2 * DAY)
    assert store.chain(leaf.asn1, [expired.asn1], NOW).trust is Trust.UNTRUSTED
    assert store.chain(leaf.asn1, [expired.asn1], NOW - 36 * dt.timedelta(hours=1)).trust is Trust.TRUSTED


@pytest.mark.parametrize(
    ("there", "instead"),
    [(b"\x55\x04\x03", b"\xff\x04\x03"), (b"\x2a\x86\x48\xce\x3d\x03\x01\x07", b"\x2a\x86\x48\xce\x3d\x03\x01\x7e")],
    ids=["a name of no kind", "a curve of no kind"],
)
def test_a_certificate_that_nobody_can_read_does_no_harm_beside_others(pki: Pki, there: bytes, instead: bytes) -> None:
    odd = asn1crypto.x509.Certificate.load(pki.ca.der.replace(there, instead))
    store = TrustStore(pki.trust())
    assert store.chain(pki.leader.asn1, [odd, pki.ca.asn1], NOW).trust is Trust.TRUSTED
    assert store.chain(pki.leader.asn1, [odd], NOW).trust is Trust.UNTRUSTED


def test_a_list_of_no_known_version_is_left_out(pki: Pki, check: Checker, signed: bytes) -> None:
    sound = make_crl(pki.ca)
    odd = sound.replace(b"\x02\x01\x01\x30", b"\x02\x01\x7e\x30", 1)
    assert odd != sound
    assert only(check, signed, pki.trust(crls=[odd, *pki.trust().crls])).verdict is Verdict.VALID
