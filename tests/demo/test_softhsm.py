"""The software tokens: really made by SoftHSM, looked at by a program of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from signer_app.demo.pki import DemoPki
from signer_app.demo.pki_names import Holder
from signer_app.demo.softhsm import MODULE_VARIABLE, SoftHsm, SoftToken, find_module, set_up_tokens
from signer_resources.errors import KnownError
from signer_token.model import Pin
from tests.support.pki import AGENCY_TOKEN, LEADER_TOKEN, SETUP_COMMAND, two_tokens

PIN = "24681357"

# Loads the module in a process of its own, logs in with the PIN from stdin, and tells what is there.
LOOK = """
import json, sys
import pkcs11
from pkcs11 import Attribute, Mechanism, ObjectClass
found = []
for token in pkcs11.lib(sys.argv[1]).get_tokens():
    if not token.label:
        continue
    with token.open(user_pin=sys.stdin.readline().strip()) as session:
        (key,) = session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})
        certificates = {
            bytes(c[Attribute.VALUE]).hex(): bytes(c[Attribute.ID]).hex()
            for c in session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE})
        }
        found.append({
            "label": token.label, "serial": token.serial.decode(), "key_id": bytes(key[Attribute.ID]).hex(),
            "extractable": key[Attribute.EXTRACTABLE], "certificates": certificates,
            "signature": key.sign(b"data", mechanism=Mechanism.SHA256_RSA_PKCS).hex(),
        })
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Seen:
    label: str
    serial: str
    key_id: str
    extractable: bool
    certificates: dict[str, str]
    signature: str


def environ() -> dict[str, str]:
    return dict(os.environ)


def look(hsm: SoftHsm, pin: str = PIN) -> dict[str, Seen]:
    done = subprocess.run(
        [sys.executable, "-c", LOOK, str(hsm.module)],
        input=f"{pin}\n{pin}\n",
        env=hsm.environment(environ()),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return {entry["label"]: Seen(**entry) for entry in json.loads(done.stdout)}


def set_up(folder: Path, pki: DemoPki, pin: str = PIN, environment: Mapping[str, str] | None = None) -> SoftHsm:
    return set_up_tokens(
        folder,
        two_tokens(pki),
        Pin(pin),
        command=SETUP_COMMAND,
        environ=environ() if environment is None else environment,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("văn thư") / "softhsm"


@pytest.fixture(scope="module")
def hsm(folder: Path, pki: DemoPki) -> SoftHsm:
    return set_up(folder, pki)


@pytest.mark.parametrize(("label", "holder"), [(AGENCY_TOKEN, Holder.AGENCY), (LEADER_TOKEN, Holder.LEADER)])
def test_each_token_signs_with_the_key_that_its_certificate_points_to(
    hsm: SoftHsm, pki: DemoPki, label: str, holder: Holder
) -> None:
    seen = look(hsm)
    assert set(seen) == {AGENCY_TOKEN, LEADER_TOKEN}
    der = pki.leaf(holder).certificate_der
    assert seen[label].certificates[der.hex()] == seen[label].key_id
    public_key = x509.load_der_x509_certificate(der).public_key()
    assert isinstance(public_key, rsa.RSAPublicKey)
    public_key.verify(bytes.fromhex(seen[label].signature), b"data", padding.PKCS1v15(), hashes.SHA256())


def test_a_token_holds_the_issuers_certificate_too_and_keeps_its_key(hsm: SoftHsm, pki: DemoPki) -> None:
    for token in look(hsm).values():
        assert len(token.certificates) == 2
        assert token.certificates[pki.issuing_der.hex()] != token.key_id
        assert not token.extractable


def test_setting_up_again_changes_nothing(hsm: SoftHsm, folder: Path, pki: DemoPki) -> None:
    before = {token.serial for token in look(hsm).values()}
    assert set_up(folder, pki) == hsm
    assert {token.serial for token in look(hsm).values()} == before
    assert sorted(path.name for path in folder.iterdir()) == ["softhsm2.conf", "tokens"]


@pytest.mark.long
def test_another_pin_makes_new_tokens(tmp_path: Path, pki: DemoPki) -> None:
    first = look(set_up(tmp_path, pki))
    second = look(set_up(tmp_path, pki, pin="11112222"), pin="11112222")
    assert set(second) == set(first)
    assert {token.serial for token in second.values()}.isdisjoint(token.serial for token in first.values())


@pytest.mark.long
def test_a_certificate_that_has_changed_makes_new_tokens(tmp_path: Path, pki: DemoPki) -> None:
    set_up(tmp_path, pki)
    drafter = SoftToken("Lê Hữu Đạt", pki.leaf(Holder.DRAFTER))
    hsm = set_up_tokens(tmp_path, [drafter], Pin(PIN), command=SETUP_COMMAND, environ=environ())
    (token,) = look(hsm).values()
    assert drafter.leaf.certificate_der.hex() in token.certificates


def test_what_a_cut_set_up_left_is_cleared_away(tmp_path: Path, pki: DemoPki) -> None:
    leftover = tmp_path / "tokens-making" / "0c4e1c6e"
    leftover.mkdir(parents=True)
    (leftover / "token.object").write_bytes(b"half")
    assert set(look(set_up(tmp_path, pki))) == {AGENCY_TOKEN, LEADER_TOKEN}
    assert not leftover.parent.exists()


def test_a_module_that_is_none_is_named_and_the_pin_is_not(tmp_path: Path, pki: DemoPki) -> None:
    broken = tmp_path / "libbroken.so"
    broken.write_text("not a library")
    with pytest.raises(KnownError) as caught:
        set_up(tmp_path / "hsm", pki, environment={**environ(), MODULE_VARIABLE: str(broken)})
    assert caught.value.code == "softhsm_failed"
    assert "libbroken.so" in str(caught.value)
    assert PIN not in str(caught.value) + repr(caught.value.params)
    assert not (tmp_path / "hsm" / "tokens").exists()


def test_a_child_that_dies_is_a_clear_failure(tmp_path: Path, pki: DemoPki) -> None:
    with pytest.raises(KnownError) as caught:
        set_up_tokens(
            tmp_path,
            two_tokens(pki),
            Pin(PIN),
            command=[sys.executable, "-c", "raise SystemExit(9)"],
            environ=environ(),
        )
    assert caught.value.code == "softhsm_failed"
    assert caught.value.params["reason"] == "ChildCrashed"


def test_a_folder_that_softhsm_cannot_read_is_refused(tmp_path: Path, pki: DemoPki) -> None:
    with pytest.raises(KnownError) as caught:
        set_up(tmp_path / "số #1", pki)
    assert caught.value.code == "softhsm_folder_unsuitable"


def test_the_named_module_goes_before_the_known_places(tmp_path: Path) -> None:
    known, named = tmp_path / "known.so", tmp_path / "named.so"
    for path in (known, named):
        path.touch()
    assert find_module({MODULE_VARIABLE: str(named)}, [known]) == named
    assert find_module({}, [tmp_path / "absent.so", known]) == known


def test_without_softhsm_the_package_to_install_is_named(tmp_path: Path) -> None:
    for environment in ({}, {MODULE_VARIABLE: str(tmp_path / "absent.so")}):
        with pytest.raises(KnownError) as caught:
            find_module(environment, [tmp_path / "absent.so"])
        assert caught.value.code == "softhsm_missing"
        assert caught.value.exit == 3
        assert "apt install softhsm2" in caught.value.explain("vi").do
        assert "apt install softhsm2" in caught.value.explain("en").do


def test_a_label_too_long_for_a_token_is_refused(pki: DemoPki) -> None:
    assert len(("ủ" * 11).encode()) == 33
    with pytest.raises(ValueError, match="32 bytes"):
        SoftToken("ủ" * 11, pki.leaf(Holder.AGENCY))


def test_the_process_that_asks_never_loads_pkcs11() -> None:
    program = "import signer_app.demo.softhsm, sys; raise SystemExit('pkcs11' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0
