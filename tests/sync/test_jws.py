import base64
import hashlib
import hmac
import json
from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws as judge
from joserfc.jwk import RSAKey

from signer_sync import jws
from signer_sync.contract import DeviceKey, JwsBody
from tests.server.world import trust

TYP = "test+jwt"
P256 = ec.generate_private_key(ec.SECP256R1())


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(header: Mapping[str, object], payload: bytes = b"x", signature: bytes = b"") -> JwsBody:
    return JwsBody(protected=b64(json.dumps(header).encode()), payload=b64(payload), signature=b64(signature))


def test_software_keys_sign_and_their_public_halves_verify() -> None:
    for key in (P256, trust().commune.key):
        message = jws.sign("Nội dung".encode(), key, typ=TYP)
        assert jws.verify(message, key.public_key(), typ=TYP).payload == "Nội dung".encode()


def test_a_tokens_signature_is_judged_good_by_an_independent_implementation() -> None:
    holder = trust().commune
    message = jws.sign_by_callback(b"payload", holder.sign, typ=TYP, chain_der=holder.chain_der)
    public = holder.key.public_key()

    class Wide(judge.JWSRegistry):
        max_header_length = 1 << 16

    seen = judge.deserialize_compact(
        jws.compact(message), RSAKey.import_key(public), registry=Wide(algorithms=["RS256"])
    )
    assert seen.payload == b"payload"
    assert jws.verify(message, public, typ=TYP).payload == b"payload"
    assert jws.unverified_chain(message) == holder.chain


def test_a_token_that_signs_with_another_key_is_found_out_before_anything_leaves() -> None:
    with pytest.raises(jws.JwsError):
        jws.sign_by_callback(b"x", trust().office.sign, typ=TYP, chain_der=trust().commune.chain_der)


def test_another_key_another_type_or_any_changed_bit_fails() -> None:
    message = jws.sign(b"payload", P256, typ=TYP)
    public = P256.public_key()
    with pytest.raises(jws.JwsError):
        jws.verify(message, ec.generate_private_key(ec.SECP256R1()).public_key(), typ=TYP)
    with pytest.raises(jws.JwsError):
        jws.verify(message, trust().commune.key.public_key(), typ=TYP)
    with pytest.raises(jws.JwsError):
        jws.verify(message, public, typ="other+jwt")
    changed = JwsBody(protected=message.protected, payload=b64(b"Payload"), signature=message.signature)
    with pytest.raises(jws.JwsError):
        jws.verify(changed, public, typ=TYP)


def test_the_message_does_not_choose_its_algorithm() -> None:
    public = trust().commune.key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for header in ({"alg": "HS256", "typ": TYP}, {"alg": "none", "typ": TYP}, {"typ": TYP}):
        unsigned = forged(header)
        mac = hmac.new(pem, f"{unsigned.protected}.{unsigned.payload}".encode(), hashlib.sha256).digest()
        for signature in (b"", mac):
            with pytest.raises(jws.JwsError):
                jws.verify(forged(header, signature=signature), public, typ=TYP)


def test_critical_extensions_and_oversized_messages_are_refused() -> None:
    key = P256
    critical = jws.sign(b"x", key, typ=TYP)
    header = {"alg": "ES256", "typ": TYP, "crit": ["b64"], "b64": False}
    with pytest.raises(jws.JwsError):
        jws.verify(
            JwsBody(
                protected=b64(json.dumps(header).encode()),
                payload=critical.payload,
                signature=critical.signature,
            ),
            key.public_key(),
            typ=TYP,
        )
    with pytest.raises(jws.JwsError):
        jws.verify(forged({"alg": "ES256"}, b"x" * (1 << 20)), key.public_key(), typ=TYP)
    with pytest.raises(jws.JwsError):
        jws.unverified_chain(forged({"x5c": ["A" * (1 << 20)]}))


@pytest.mark.parametrize(
    "header", [{}, {"x5c": []}, {"x5c": "abc"}, {"x5c": ["!"]}, {"x5c": ["QUJD"]}, {"x5c": ["QUJD"] * 9}]
)
def test_a_chain_that_cannot_be_read_is_refused(header: dict[str, object]) -> None:
    with pytest.raises(jws.JwsError):
        jws.unverified_chain(forged(header))


def test_short_rsa_keys_and_other_curves_sign_nothing() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - made to be refused
    for key in (short, ec.generate_private_key(ec.SECP384R1())):
        with pytest.raises(jws.JwsError):
            jws.sign(b"x", key, typ=TYP)


def test_the_compact_form_is_the_same_signature() -> None:
    message = jws.sign(b"payload", P256, typ=TYP)
    assert jws.from_compact(jws.compact(message)) == message
    for text in ("", "a.b", "a.b.c.d", "ă.b.c", "x" * (1 << 20)):
        with pytest.raises(jws.JwsError):
            jws.from_compact(text)


def test_a_device_key_goes_there_and_back_and_must_be_a_point_of_the_curve() -> None:
    key = jws.device_key(P256.public_key())
    assert jws.load_device_key(key).public_numbers() == P256.public_key().public_numbers()
    for bad in (
        DeviceKey(kty="EC", crv="P-256", x=key.x, y=key.x),
        DeviceKey(kty="EC", crv="P-384", x=key.x, y=key.y),
        DeviceKey(kty="oct", crv="P-256", x=key.x, y=key.y),
        DeviceKey(kty="EC", crv="P-256", x="", y="a"),
    ):
        with pytest.raises(jws.JwsError):
            jws.load_device_key(bad)
