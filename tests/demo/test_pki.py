"""The test PKI as a verifier sees it, with every service down."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import ExpiredError, RevokedError

from signer_app.demo.pki import DemoPki
from signer_app.demo.pki_names import Authority, Holder
from tests.support.pki import copied_folder

GOOD_HOLDERS = sorted(set(Holder) - {Holder.REVOKED_LEADER, Holder.EXPIRED_LEADER})


def certificate(pki: DemoPki, holder: Holder) -> x509.Certificate:
    return x509.load_der_x509_certificate(pki.leaf(holder).certificate_der)


def name(pki: DemoPki, holder: Holder) -> dict[str, str]:
    return {part.rfc4514_attribute_name: str(part.value) for part in certificate(pki, holder).subject}


def usages(pki: DemoPki, holder: Holder) -> set[str]:
    found = certificate(pki, holder).extensions.get_extension_for_class(x509.KeyUsage)
    assert found.critical
    kinds = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_cert_sign",
    )
    return {kind for kind in kinds if getattr(found.value, kind)}


def emails(pki: DemoPki, holder: Holder) -> list[str]:
    try:
        found = certificate(pki, holder).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return found.value.get_values_for_type(x509.RFC822Name)


def key_size(pki: DemoPki, holder: Holder) -> int:
    key = certificate(pki, holder).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return key.key_size


def validate_offline(pki: DemoPki, trust_dir: Path, holder: Holder) -> None:
    """With the files of the trust folder alone, refusing whatever can't be shown to be unrevoked."""
    root, issuing = (
        asn1.Certificate.load(
            x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(serialization.Encoding.DER)
        )
        for path in (trust_dir / "root.pem", trust_dir / "issuing.pem")
    )
    context = ValidationContext(
        trust_roots=[root],
        other_certs=[issuing],
        crls=[path.read_bytes() for path in sorted(trust_dir.glob("*.crl"))],
        allow_fetching=False,
        revocation_mode="hard-fail",
    )
    leaf = asn1.Certificate.load(pki.leaf(holder).certificate_der)
    usage = {"digital_signature"} if holder is Holder.OCSP else {"non_repudiation"}
    validator = CertificateValidator(leaf, validation_context=context)
    asyncio.run(validator.async_validate_usage(usage))  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def trust_dir(pki: DemoPki, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "trust"
    pki.write_trust_dir(path)
    return path


@pytest.mark.parametrize("holder", GOOD_HOLDERS)
def test_a_good_certificate_leads_to_the_root_with_the_services_down(
    pki: DemoPki, trust_dir: Path, holder: Holder
) -> None:
    validate_offline(pki, trust_dir, holder)


def test_the_crl_in_the_trust_folder_shows_the_revoked_leader(pki: DemoPki, trust_dir: Path) -> None:
    with pytest.raises(RevokedError):
        validate_offline(pki, trust_dir, Holder.REVOKED_LEADER)


def test_the_expired_leader_has_run_out_but_was_once_good(pki: DemoPki, trust_dir: Path) -> None:
    with pytest.raises(ExpiredError):
        validate_offline(pki, trust_dir, Holder.EXPIRED_LEADER)
    issuing = x509.load_der_x509_certificate(pki.issuing_der)
    expired = certificate(pki, Holder.EXPIRED_LEADER)
    assert issuing.not_valid_before_utc < expired.not_valid_before_utc
    assert expired.not_valid_after_utc < datetime.now(UTC)


def test_the_agency_certificate_is_shaped_like_the_governments(pki: DemoPki) -> None:
    assert name(pki, Holder.AGENCY) == {
        "C": "VN",
        "L": "An Sơn",
        "O": "ỦY BAN NHÂN DÂN TỈNH AN SƠN",
        "CN": "ỦY BAN NHÂN DÂN XÃ HÒA SƠN",
    }
    assert key_size(pki, Holder.AGENCY) == 2048
    assert usages(pki, Holder.AGENCY) == {"digital_signature", "content_commitment"}
    assert emails(pki, Holder.AGENCY) == []


@pytest.mark.parametrize(
    ("holder", "common_name", "organization"),
    [
        (Holder.LEADER, "Nguyễn Thị Phượng", "ỦY BAN NHÂN DÂN XÃ HÒA SƠN"),
        (Holder.FRONT_LEADER, "Đặng Văn Thưởng", "ỦY BAN MẶT TRẬN TỔ QUỐC VIỆT NAM XÃ HÒA SƠN"),
        (Holder.DRAFTER, "Lê Hữu Đạt", "ỦY BAN NHÂN DÂN XÃ HÒA SƠN"),
    ],
)
def test_a_persons_certificate_may_only_sign_and_has_an_email(
    pki: DemoPki, holder: Holder, common_name: str, organization: str
) -> None:
    assert name(pki, holder) == {"C": "VN", "O": organization, "CN": common_name}
    assert usages(pki, holder) == {"content_commitment"}
    assert len(emails(pki, holder)) == 1


def test_the_leaders_key_is_the_long_one(pki: DemoPki) -> None:
    assert key_size(pki, Holder.LEADER) == 3072


def test_keys_belong_to_their_certificates(pki: DemoPki) -> None:
    for holder in Holder:
        leaf = pki.leaf(holder)
        assert leaf.private_key.public_key() == certificate(pki, holder).public_key()


def test_a_chain_is_leaf_first_and_leaves_the_root_out(pki: DemoPki) -> None:
    leaf = pki.leaf(Holder.LEADER)
    assert leaf.chain_der == (leaf.certificate_der, pki.issuing_der)


def test_only_the_timestamp_authority_may_stamp_and_that_critically(pki: DemoPki) -> None:
    found = certificate(pki, Holder.TSA).extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert found.critical
    assert list(found.value) == [ExtendedKeyUsageOID.TIME_STAMPING]


def test_the_ocsp_responder_is_delegated_and_not_asked_after(pki: DemoPki) -> None:
    extensions = certificate(pki, Holder.OCSP).extensions
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.OCSP_SIGNING]
    assert extensions.get_extension_for_class(x509.OCSPNoCheck)


def test_both_authorities_say_that_they_are_a_test(pki: DemoPki) -> None:
    for der in (pki.root_der, pki.issuing_der):
        subject = x509.load_der_x509_certificate(der).subject
        assert "TEST" in str(subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


@pytest.mark.parametrize("authority", list(Authority))
def test_crls_of_a_new_pki_last_a_month_without_a_network(pki: DemoPki, authority: Authority) -> None:
    now = datetime.now(UTC)
    crl = x509.load_der_x509_crl(pki.crl_der(authority, now))
    assert crl.last_update_utc <= now
    assert crl.next_update_utc is not None
    assert crl.next_update_utc >= now + timedelta(days=30)


def test_validity_counts_from_the_day_before_creation_in_legal_time(pki: DemoPki) -> None:
    start = certificate(pki, Holder.AGENCY).not_valid_before_utc
    assert (start.hour, start.minute, start.second) == (17, 0, 0)  # midnight at +07:00
    assert start < datetime.now(UTC) - timedelta(days=1)
    assert certificate(pki, Holder.AGENCY).not_valid_after_utc - start == timedelta(days=1826)


def test_loading_again_gives_the_same_certificates_and_the_kept_port(pki: DemoPki) -> None:
    again = DemoPki.create_or_load(pki.folder, port=1)
    assert again.port == pki.port
    assert again.root_der == pki.root_der
    assert [again.leaf(holder).sha256 for holder in Holder] == [pki.leaf(holder).sha256 for holder in Holder]


@pytest.mark.long
def test_a_pki_that_was_cut_while_it_was_made_is_made_anew(pki: DemoPki, tmp_path: Path) -> None:
    folder = copied_folder(pki.folder, tmp_path / "pki")
    (folder / "pki.json").unlink()
    (folder / "keys" / "tsa.pem").write_bytes(b"half a k")
    made = DemoPki.create_or_load(folder, port=40_123)
    assert made.tsa_url.startswith("http://127.0.0.1:40123/")
    assert made.root_der != pki.root_der
    path = tmp_path / "trust"
    made.write_trust_dir(path)
    validate_offline(made, path, Holder.TSA)
    # The names are those of every demonstration, so the numbers must not be.
    assert certificate(made, Holder.LEADER).serial_number != certificate(pki, Holder.LEADER).serial_number


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_only_the_owner_can_read_the_folder(pki: DemoPki, trust_dir: Path) -> None:
    for path in (pki.folder, *pki.folder.rglob("*"), trust_dir, *trust_dir.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_leaf_does_not_show_its_key(pki: DemoPki) -> None:
    assert "private_key" not in repr(pki.leaf(Holder.LEADER))
