"""Real software tokens for tests: a SoftHSM folder with tokens, keys and certificates made on the spot.

Needs the system package softhsm2 and says so. The test process never loads the module itself.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

_PLACES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
SO_PIN = "87654321"
PIN = "135790"
AGENCY_NAME = "ỦY BAN NHÂN DÂN XÃ HÒA SƠN"
LEADER_NAME = "Nguyễn Thị Phượng"
TOKEN_HOST_COMMAND = [sys.executable, "-c", "from signer_token.host import main; raise SystemExit(main())"]


def softhsm_module() -> Path:
    """Where SoftHSM's PKCS#11 module lies."""
    for place in map(Path, _PLACES):
        if place.is_file():
            return place
    raise RuntimeError("these tests need SoftHSM: apt-get install softhsm2")


@dataclass(frozen=True)
class StoredKey:
    """A private key as it goes on a token."""

    key_id: bytes
    key: rsa.RSAPrivateKey
    label: str = ""
    asks_again: bool = False
    """CKA_ALWAYS_AUTHENTICATE."""


@dataclass(frozen=True)
class StoredCertificate:
    """A certificate as it goes on a token; `der` may be anything, as on real ones."""

    key_id: bytes
    der: bytes
    label: str = ""


@dataclass(frozen=True)
class TokenPlan:
    """A token to be made."""

    label: str
    pin: str
    keys: Sequence[StoredKey] = field(default=())
    certificates: Sequence[StoredCertificate] = field(default=())


@dataclass(frozen=True)
class SoftTokens:
    """A folder with two tokens and what lies on them; the PIN of both is PIN."""

    folder: Path
    agency: bytes
    """The body's certificate (DER); its token holds decoys beside it."""
    leader: bytes
    keyless: bytes
    """On the agency's token; a key with its CKA_ID is there, but not its own."""
    encipherment: bytes
    """On the leader's token, not for signing."""
    asking: bytes
    """On the leader's token; its key is CKA_ALWAYS_AUTHENTICATE."""
    elliptic: bytes
    """On the leader's token, with an EC key."""

    @property
    def env(self) -> dict[str, str]:
        return softhsm_environment(self.folder)

    @property
    def agency_sha256(self) -> str:
        return sha256(self.agency).hexdigest()

    @property
    def leader_sha256(self) -> str:
        return sha256(self.leader).hexdigest()


def make_certificate(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    common_name: str,
    *,
    organization: str = "",
    ca: bool = False,
    signs: bool = True,
) -> bytes:
    """A self-signed certificate, DER, valid 2026–2029; `signs` sets digitalSignature and nonRepudiation."""
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    name = x509.Name(attributes)
    usage = x509.KeyUsage(
        digital_signature=signs,
        content_commitment=signs,
        key_encipherment=not signs,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(0xABCDE)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2029, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.DER)


def softhsm_environment(folder: Path) -> dict[str, str]:
    """What the process that loads SoftHSM needs in its environment to find the tokens in `folder`."""
    return {"SOFTHSM2_CONF": str(folder / "softhsm2.conf")}


def write_configuration(folder: Path) -> None:
    """SoftHSM's configuration for the tokens in `folder`; to be written anew after a copy."""
    (folder / "tokens").mkdir(parents=True, exist_ok=True)
    (folder / "softhsm2.conf").write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )


def make_tokens(folder: Path, plans: Sequence[TokenPlan]) -> None:
    """Initialise the tokens in `folder` and fill them."""
    tool = shutil.which("softhsm2-util")
    if tool is None:
        raise RuntimeError("these tests need SoftHSM: apt-get install softhsm2")
    write_configuration(folder)
    env = os.environ | softhsm_environment(folder)
    for plan in plans:
        subprocess.run(
            [tool, "--init-token", "--free", "--label", plan.label, "--pin", plan.pin, "--so-pin", SO_PIN],
            env=env,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    document = {"module": str(softhsm_module()), "tokens": [_as_json(plan) for plan in plans]}
    subprocess.run(
        [sys.executable, str(Path(__file__).with_name("softhsm_fill.py"))],
        input=json.dumps(document).encode(),
        env=env,
        check=True,
    )


def _as_json(plan: TokenPlan) -> dict[str, object]:
    return {
        "label": plan.label,
        "pin": plan.pin,
        "keys": [
            {
                "id": k.key_id.hex(),
                "label": k.label,
                "asks_again": k.asks_again,
                "pkcs1": _pkcs1(k.key).hex(),
            }
            for k in plan.keys
        ],
        "certificates": [{"id": c.key_id.hex(), "label": c.label, "der": c.der.hex()} for c in plan.certificates],
    }


def _pkcs1(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
