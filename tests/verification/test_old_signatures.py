"""The rule for SHA-1, on a look-alike of what the Cipher Committee's software made in 2018."""

import datetime as dt

import pytest

from signer_app.verification.model import (
    AnchorSet,
    FileReport,
    Integrity,
    Revocation,
    SignatureReport,
    Trust,
    TrustMaterial,
    Verdict,
)
from tests.verification.conftest import Checker
from tests.verification.small_pki import DAY, NOW, Pki, make_crl, weakened_crl
from tests.verification.vgca import SIGNED, STAMPED, OldPki, old_letter, old_pki

RULE = dt.date(2020, 1, 1)


@pytest.fixture(scope="module")
def old(pki: Pki) -> OldPki:
    return old_pki(pki)


@pytest.fixture(scope="module")
def letter(old: OldPki) -> bytes:
    return old_letter(old)


def trust(old: OldPki, before: dt.date | None) -> TrustMaterial:
    """The CA lies on the machine, for these signatures bring their leaf alone."""
    return TrustMaterial(anchors=(old.root.der,), intermediates=(old.ca.der,), crls=old.crls, legacy_sha1_before=before)


def only(report: FileReport) -> SignatureReport:
    (signature,) = report.signatures
    return signature


def test_without_the_rule_it_is_intact_but_not_decided(check: Checker, old: OldPki, letter: bytes) -> None:
    signature = only(check(letter, trust(old, None)))
    assert (signature.integrity, signature.verdict) == (Integrity.INTACT, Verdict.INDETERMINATE)
    assert signature.reasons == ("verify_weak_algorithm", "verify_sha1_rule_off")
    assert (signature.trust, signature.legacy, signature.anchor) == (Trust.UNTRUSTED, False, None)
    assert signature.timestamp is not None
    assert not signature.timestamp.valid


def test_with_the_rule_its_timestamp_makes_it_valid_and_says_so(check: Checker, old: OldPki, letter: bytes) -> None:
    report = check(letter, trust(old, RULE))
    signature = only(report)
    assert (report.verdict, signature.legacy) == (Verdict.VALID, True)
    assert (signature.message_code, report.message_code) == ("verify_valid_by_sha1_rule", "verify_valid_by_sha1_rule")
    assert (signature.message_params["stamp_date"], signature.message_params["legacy_date"]) == (
        "12/01/2018",
        "01/01/2020",
    )
    assert (signature.trust, signature.revocation, signature.valid_at_signing) == (
        Trust.TRUSTED,
        Revocation.GOOD,
        True,
    )
    assert signature.signing_time == STAMPED
    assert signature.chain == (old.signer.der, old.ca.der, old.root.der)
    assert (signature.anchor_set, signature.anchor) == (AnchorSet.OWN, "RootCA 2010")
    assert (signature.organization, signature.issuer_name) == ("Vụ Y, Bộ X", "CA 2010")


def test_local_time_written_as_utc_does_no_harm(check: Checker, old: OldPki) -> None:
    letter = old_letter(old, claimed=SIGNED + dt.timedelta(hours=7))
    signature = only(check(letter, trust(old, RULE)))
    assert (signature.verdict, signature.signing_time) == (Verdict.VALID, STAMPED)


@pytest.mark.parametrize("stamped", [None, STAMPED], ids=["no timestamp", "stamped after the day"])
def test_what_is_not_proven_to_be_older_is_not_decided(
    check: Checker, old: OldPki, stamped: dt.datetime | None
) -> None:
    before = RULE if stamped is None else STAMPED.date()
    signature = only(check(old_letter(old, stamped=stamped), trust(old, before)))
    assert (signature.verdict, signature.legacy) == (Verdict.INDETERMINATE, False)
    assert signature.reasons == ("verify_weak_algorithm", "verify_sha1_not_proven_old")


def test_a_list_of_then_that_revokes_the_signer_is_believed(check: Checker, old: OldPki, letter: bytes) -> None:
    revoked = make_crl(old.ca, [(old.signer, SIGNED - 9 * DAY)], issued=SIGNED, next_update=SIGNED + DAY)
    material = TrustMaterial(
        anchors=(old.root.der,),
        intermediates=(old.ca.der,),
        crls=(*old.crls, weakened_crl(revoked, old.ca)),
        legacy_sha1_before=RULE,
    )
    signature = only(check(letter, material))
    assert (signature.verdict, signature.message_code) == (Verdict.INVALID, "verify_revoked")
    assert signature.valid_at_signing is False


def test_md5_is_beyond_the_rule(check: Checker, pki: Pki) -> None:
    worse = old_pki(pki, "md5")
    signature = only(check(old_letter(worse), trust(worse, RULE)))
    assert (signature.verdict, signature.reasons) == (Verdict.INDETERMINATE, ("verify_weak_algorithm",))
    hashed = only(check(old_letter(old_pki(pki), digest="md5"), trust(old_pki(pki), RULE)))
    assert (hashed.integrity, hashed.verdict) == (Integrity.INTACT, Verdict.INDETERMINATE)
    assert hashed.reasons == ("verify_weak_algorithm",)


def test_a_changed_byte_is_broken_whatever_the_rule(check: Checker, old: OldPki, letter: bytes) -> None:
    report = check(letter.replace(b"Dieu 1", b"Dieu 9"), trust(old, RULE), NOW)
    assert (report.verdict, report.integrity) == (Verdict.INVALID, Integrity.BROKEN)
