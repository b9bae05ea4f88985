"""JSON Web Signatures (RFC 7515, flattened JSON): made by a software key or a token's callback, and checked.

Runs on any thread, holds nothing. The algorithm follows from the key that the caller expects (RSA: RS256,
P-256: ES256) and never from the message, so a message cannot choose it. Headers outside the signature
(`header`), `crit`, `jwk`, `jku` and `x5u` are never followed. The primitives are joserfc's; the token's
form is put together here, since the key stays in the token.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jws as jose
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from signer_sync.contract import DeviceKey, JwsBody

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
SignCallback = Callable[[bytes], bytes]
"""Signs the bytes given to it (hashing them itself): RSASSA-PKCS1-v1_5 with SHA-256, as a token does."""

MAX_HEADER: Final = 48 * 1024
"""Base64 characters of a protected header; room for a chain of certificates."""
MAX_PAYLOAD: Final = 256 * 1024
"""Base64 characters of a payload."""
MAX_CHAIN: Final = 8
"""Certificates in one x5c."""


class JwsError(Exception):
    """The message is no JWS of the expected form by the expected key."""


@dataclass(frozen=True)
class Verified:
    """A checked message: its protected header and payload are covered by the signature."""

    header: Mapping[str, Any]
    payload: bytes


class _Registry(jose.JWSRegistry):
    """joserfc's limits, widened to a chain of certificates in the header."""

    max_header_length = MAX_HEADER
    max_payload_length = MAX_PAYLOAD


def algorithm_of(key: PublicKey | PrivateKey) -> str:
    """ "RS256" or "ES256"; JwsError for RSA below 2048 bits (rule X-02) and curves other than P-256."""
    if isinstance(key, rsa.RSAPublicKey | rsa.RSAPrivateKey):
        if key.key_size < 2048:
            raise JwsError("RSA key too short")
        return "RS256"
    if isinstance(key.curve, ec.SECP256R1):
        return "ES256"
    raise JwsError("unsupported curve")


def certificate_key(certificate: x509.Certificate) -> PublicKey:
    """The public key of a certificate; JwsError for kinds that sign no JWS of ours."""
    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError, TypeError) as error:
        raise JwsError("unusable key") from error
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise JwsError("unsupported kind of key")
    return key


def sign(payload: bytes, key: PrivateKey, *, typ: str, chain_der: Sequence[bytes] = ()) -> JwsBody:
    """A JWS by a software key; `chain_der`, leaf first, goes along as x5c."""
    algorithm = algorithm_of(key)
    member: jose.HeaderDict = {"protected": _header(algorithm, typ, chain_der)}
    jwk: RSAKey | ECKey = RSAKey.import_key(key) if isinstance(key, rsa.RSAPrivateKey) else ECKey.import_key(key)
    made = jose.serialize_json(member, payload, jwk, registry=_Registry(algorithms=[algorithm]))
    return JwsBody(protected=made["protected"], payload=made["payload"], signature=made["signature"])


def sign_by_callback(payload: bytes, callback: SignCallback, *, typ: str, chain_der: Sequence[bytes]) -> JwsBody:
    """A JWS made by a token: RS256 over the ASCII signing input; the result is checked before it is returned.

    Raises JwsError if the leaf of `chain_der` has no RSA key or the signature is not by it; what the
    callback raises passes through.
    """
    leaf = certificate_key(x509.load_der_x509_certificate(chain_der[0]))
    if not isinstance(leaf, rsa.RSAPublicKey):
        raise JwsError("the token's key is not RSA")
    protected = _b64(_compact_json(_header("RS256", typ, chain_der)))
    body = _b64(payload)
    signing_input = f"{protected}.{body}".encode("ascii")
    signature = callback(signing_input)
    try:
        leaf.verify(signature, signing_input, padding.PKCS1v15(), SHA256())
    except InvalidSignature as error:
        raise JwsError("the token's signature is not by the certificate's key") from error
    return JwsBody(protected=protected, payload=body, signature=_b64(signature))


def verify(message: JwsBody, key: PublicKey, *, typ: str) -> Verified:
    """Checks `message` against the key that must have made it; JwsError otherwise."""
    algorithm = algorithm_of(key)
    jwk: RSAKey | ECKey = RSAKey.import_key(key) if isinstance(key, rsa.RSAPublicKey) else ECKey.import_key(key)
    try:
        checked = jose.deserialize_json(
            {"protected": message.protected, "payload": message.payload, "signature": message.signature},
            jwk,
            registry=_Registry(algorithms=[algorithm]),
        )
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise JwsError("signature does not fit") from error
    header = checked.headers()
    if header.get("alg") != algorithm or header.get("typ") != typ or "crit" in header:
        raise JwsError("not the expected kind of message")
    return Verified(header, checked.payload)


def unverified_chain(message: JwsBody) -> tuple[x509.Certificate, ...]:
    """The certificates of x5c, leaf first, as the message claims them; the caller must judge and verify.

    JwsError if there are none, too many, or one cannot be read.
    """
    if len(message.protected) > MAX_HEADER:
        raise JwsError("header too large")
    try:
        header = json.loads(_unb64(message.protected))
        chain = header["x5c"]
        if not (isinstance(chain, list) and 0 < len(chain) <= MAX_CHAIN):
            raise JwsError("no usable chain")
        return tuple(x509.load_der_x509_certificate(base64.b64decode(item, validate=True)) for item in chain)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise JwsError("no usable chain") from error


def unverified_payload(message: JwsBody) -> bytes:
    """The payload as the message claims it, to find out whose key must verify it; JwsError if unreadable."""
    try:
        return _unb64(message.payload)
    except ValueError as error:
        raise JwsError("no usable payload") from error


def compact(message: JwsBody) -> str:
    """The compact serialisation (RFC 7515 §7.1) of the same signature."""
    return f"{message.protected}.{message.payload}.{message.signature}"


def from_compact(text: str) -> JwsBody:
    """The flattened form of a compact serialisation; JwsError if it has not three parts."""
    parts = text.split(".")
    if len(parts) != 3 or len(text) > MAX_HEADER + MAX_PAYLOAD or not text.isascii():
        raise JwsError("not a compact serialisation")
    return JwsBody(protected=parts[0], payload=parts[1], signature=parts[2])


def digest(message: JwsBody) -> str:
    """SHA-256 hex over the compact serialisation: what `prevReceiptHash` holds of the receipt before."""
    return hashlib.sha256(compact(message).encode("ascii")).hexdigest()


def device_key(key: ec.EllipticCurvePublicKey) -> DeviceKey:
    """The public half of a device key as it goes into an enrolment."""
    numbers = key.public_numbers()
    return DeviceKey(
        kty="EC", crv="P-256", x=_b64(numbers.x.to_bytes(32, "big")), y=_b64(numbers.y.to_bytes(32, "big"))
    )


def load_device_key(key: DeviceKey) -> ec.EllipticCurvePublicKey:
    """The public key of an enrolment; JwsError unless it is a point of P-256."""
    if (key.kty, key.crv) != ("EC", "P-256"):
        raise JwsError("a device key is P-256")
    try:
        x, y = (int.from_bytes(_unb64(part), "big") for part in (key.x, key.y))
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    except ValueError as error:
        raise JwsError("not a point of P-256") from error


def _header(algorithm: str, typ: str, chain_der: Sequence[bytes]) -> dict[str, Any]:
    header: dict[str, Any] = {"alg": algorithm, "typ": typ}
    if chain_der:
        header["x5c"] = [base64.b64encode(item).decode("ascii") for item in chain_der]
    return header


def _compact_json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _unb64(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error
