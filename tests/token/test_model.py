import copy
import pickle
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from signer_token import wire
from signer_token.model import Pin, TokenCertificate
from tests.support.softhsm import make_certificate

KEY = rsa.generate_private_key(65537, 2048)


def test_a_pin_never_shows_itself() -> None:
    pin = Pin("246813")
    assert "246813" not in f"{pin} {pin!r} {pin!s} {[pin]} {{'pin': {pin}}}"
    assert pin.reveal() == "246813"
    assert "246813" not in repr(wire.Open("1", "ab", pin.reveal(), False))


@pytest.mark.parametrize("store", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_pin_is_not_copied_or_stored(store: object) -> None:
    with pytest.raises(TypeError, match="not copied"):
        store(Pin("246813"))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "problem"),
    [("", "pin_empty"), ("mâtkhẩu", "pin_not_ascii"), ("１２３", "pin_not_ascii"), ("a B#1", None)],
)
def test_a_pin_that_no_token_takes_is_known_before_a_try(text: str, problem: str | None) -> None:
    assert Pin(text).problem() == problem


def test_a_certificate_is_read_with_its_vietnamese_names_in_nfc() -> None:
    decomposed = "U\u031b\u0309y ban Hòa So\u031bn"
    der = make_certificate(KEY, decomposed, organization="TỈNH AN SƠN")
    read = TokenCertificate.from_der(der)
    assert read is not None
    assert (read.common_name, read.organization) == ("Ửy ban Hòa Sơn", "TỈNH AN SƠN")
    assert read.subject == "O=TỈNH AN SƠN,CN=Ửy ban Hòa Sơn"
    assert (read.serial, read.key, read.usable_for_signing) == ("0abcde", "RSA-2048", True)
    assert (read.not_before, read.not_after) == (
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2029, 1, 1, tzinfo=UTC),
    )


def test_a_certificate_for_encipherment_is_not_for_signing() -> None:
    read = TokenCertificate.from_der(make_certificate(KEY, "X", signs=False))
    assert read is not None
    assert not read.usable_for_signing


def test_a_certificate_without_extensions_or_common_name_is_read() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "VN")])
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), 1, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    )
    der = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    read = TokenCertificate.from_der(der)
    assert read is not None
    assert (read.common_name, read.key, read.usable_for_signing) == ("", "EC-secp256r1", True)


def test_an_authoritys_certificate_is_none_to_sign_with() -> None:
    assert TokenCertificate.from_der(make_certificate(KEY, "CA", ca=True)) is None


@pytest.mark.parametrize("der", [b"", b"\x30\x03junk", make_certificate(KEY, "X")[:-9]])
def test_an_unreadable_certificate_is_a_value_error(der: bytes) -> None:
    with pytest.raises(ValueError, match="unreadable"):
        TokenCertificate.from_der(der)
