"""Two software tokens, plugged in together as on a clerk's desk, and the module that makes them fail."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from signer_token.client import Deadlines, TokenHost
from tests.support.pkcs11_shim import CountingModule, build_counting_module
from tests.support.softhsm import (
    AGENCY_NAME,
    LEADER_NAME,
    PIN,
    TOKEN_HOST_COMMAND,
    SoftTokens,
    StoredCertificate,
    StoredKey,
    TokenPlan,
    make_certificate,
    make_tokens,
    softhsm_module,
    write_configuration,
)


@pytest.fixture(scope="session")
def made_tokens(tmp_path_factory: pytest.TempPathFactory) -> SoftTokens:
    folder = tmp_path_factory.mktemp("softhsm")
    agency_key = rsa.generate_private_key(65537, 2048)
    leader_key = rsa.generate_private_key(65537, 3072)
    decoy, absent, asking_key = (rsa.generate_private_key(65537, 2048) for _ in range(3))
    agency = make_certificate(agency_key, AGENCY_NAME, organization="TỈNH AN SƠN")
    leader = make_certificate(leader_key, LEADER_NAME)
    keyless = make_certificate(absent, "Không có khóa")
    encipherment = make_certificate(leader_key, LEADER_NAME, signs=False)
    asking = make_certificate(asking_key, "Hỏi lại mã PIN")
    elliptic = make_certificate(ec.generate_private_key(ec.SECP256R1()), "Khóa EC")
    make_tokens(
        folder,
        [
            TokenPlan(
                label="UBND xã Hòa Sơn",
                pin=PIN,
                keys=[
                    # Decoys first: the right label with another CKA_ID, the right CKA_ID on another key.
                    StoredKey(b"\x02", decoy, label="signing key"),
                    StoredKey(b"\x01", decoy, label="signing key"),
                    StoredKey(b"\x01", agency_key, label="?y ban"),
                ],
                certificates=[
                    StoredCertificate(b"\x09", b"\x30\x03junk", label="signing key"),
                    StoredCertificate(b"\x08", make_certificate(decoy, "CA", ca=True), label="root"),
                    StoredCertificate(b"\x02", keyless, label="keyless"),
                    StoredCertificate(b"\x01", agency, label="?y ban"),
                ],
            ),
            TokenPlan(
                label="Lãnh đạo",
                pin=PIN,
                keys=[
                    StoredKey(b"\x01", leader_key, label="signing key"),
                    StoredKey(b"\x02", asking_key, label="signing key", asks_again=True),
                ],
                certificates=[
                    StoredCertificate(b"\x01", leader, label="signing key"),
                    StoredCertificate(b"\x01", encipherment, label="signing key"),
                    StoredCertificate(b"\x02", asking, label="signing key"),
                    StoredCertificate(b"\x03", elliptic, label="signing key"),
                ],
            ),
        ],
    )
    return SoftTokens(folder, agency, leader, keyless, encipherment, asking, elliptic)


@pytest.fixture
def soft_tokens(made_tokens: SoftTokens, tmp_path: Path) -> SoftTokens:
    """A copy of the tokens for one test, so that a wrong PIN is remembered by no other test's tokens."""
    folder = tmp_path / "softhsm"
    shutil.copytree(made_tokens.folder, folder)
    write_configuration(folder)
    return replace(made_tokens, folder=folder)


@pytest.fixture
def counting(tmp_path: Path) -> CountingModule:
    """SoftHSM behind the module that counts and fails."""
    return build_counting_module(tmp_path, softhsm_module())


@pytest.fixture
def host(soft_tokens: SoftTokens, counting: CountingModule) -> Iterator[TokenHost]:
    deadlines = Deadlines(load_s=60, list_s=60, open_s=60, sign_s=60, close_s=10)
    with TokenHost(TOKEN_HOST_COMMAND, counting.path, env=soft_tokens.env, deadlines=deadlines) as started:
        yield started


@pytest.fixture
def impatient(soft_tokens: SoftTokens, counting: CountingModule) -> Iterator[Callable[..., TokenHost]]:
    """Makes hosts with the given deadlines (seconds) for calls that will hang."""
    made: list[TokenHost] = []

    def make(**deadlines: float) -> TokenHost:
        patient = {"load_s": 60.0, "list_s": 60.0, "open_s": 60.0, "sign_s": 60.0, "close_s": 1.0}
        made.append(
            TokenHost(
                TOKEN_HOST_COMMAND,
                counting.path,
                env=soft_tokens.env,
                deadlines=Deadlines(**(patient | deadlines)),
            )
        )
        return made[-1]

    yield make
    for host in made:
        host.close()
