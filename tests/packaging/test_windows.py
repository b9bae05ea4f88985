"""The set-up for Windows as far as it can be tried elsewhere: compiled with a stand-in for the program, and signed."""

import datetime as dt
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image

from signer_app.looks import default_data_folder
from signer_app.updates.starting import MARK, InstallKind, launch

needs_nsis = pytest.mark.skipif(shutil.which("makensis") is None, reason="NSIS is missing")
needs_osslsigncode = pytest.mark.skipif(shutil.which("osslsigncode") is None, reason="osslsigncode is missing")

VERSION = "1.2.3"


def script(root: Path) -> str:
    return (root / "packaging/windows/signer.nsi").read_text(encoding="utf-8-sig")


def compiled(root: Path, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    payload = folder / "payload"
    (payload / "_internal").mkdir(parents=True)
    for name in ("signer.exe", "signer-gui.exe"):
        (payload / name).write_bytes(b"MZ stand-in")
    (payload / "_internal" / "chữ ký.txt").write_text("dữ liệu\n", encoding="utf-8")
    icon = folder / "signer.ico"
    with Image.open(root / "resources/signer_resources/icons/signer-256.png") as picture:
        picture.save(icon)
    given = {"VERSION": VERSION, "PAYLOAD": payload, "ICON": icon, "OUT": folder / f"signer-setup-{VERSION}.exe"}
    return subprocess.run(
        [
            "makensis",
            "-V2",
            "-WX",
            *more,
            *(f"-D{key}={value}" for key, value in given.items()),
            str(root / "packaging/windows/signer.nsi"),
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture(scope="module")
def setup(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bộ cài")
    ran = compiled(root, folder)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder / f"signer-setup-{VERSION}.exe"


@needs_nsis
def test_the_script_compiles_without_a_warning(setup: Path) -> None:
    content = setup.read_bytes()
    assert content[:2] == b"MZ"
    header = int.from_bytes(content[0x3C:0x40], "little")
    # IMAGE_FILE_MACHINE_I386: so that a system with 32 bits hears our words, not its own.
    assert int.from_bytes(content[header + 4 : header + 6], "little") == 0x014C
    assert b'requestedExecutionLevel level="asInvoker"' in content.replace(b"'", b'"')
    assert "1.2.3.0".encode("utf-16-le") in content or VERSION.encode("utf-16-le") in content


@needs_nsis
def test_a_build_without_what_it_needs_is_refused(root: Path, tmp_path: Path) -> None:
    ran = subprocess.run(
        ["makensis", "-V2", f"-DOUT={tmp_path / 'x.exe'}", str(root / "packaging/windows/signer.nsi")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode != 0
    assert "must be given" in ran.stdout + ran.stderr
    assert not (tmp_path / "x.exe").exists()


@needs_nsis
@needs_osslsigncode
def test_uninstaller_and_set_up_are_signed_and_a_change_is_seen(root: Path, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Throwaway")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, key_file, log = tmp_path / "certificate.pem", tmp_path / "key.pem", tmp_path / "signed"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    command = tmp_path / "sign.sh"
    command.write_text(
        f'#!/bin/sh\nset -e\nosslsigncode sign -certs "{pem}" -key "{key_file}" -h sha256 -in "$1" -out "$1.signed"\n'
        f'mv "$1.signed" "$1"\necho "$1" >>"{log}"\n',
        encoding="utf-8",
    )
    command.chmod(0o700)
    ran = compiled(root, tmp_path, f"-DSIGN_WITH={command}")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert len(log.read_text(encoding="utf-8").splitlines()) == 2
    made = tmp_path / f"signer-setup-{VERSION}.exe"

    def verified() -> bool:
        words = ["osslsigncode", "verify", "-CAfile", str(pem), "-in", str(made)]
        return subprocess.run(words, capture_output=True, check=False).returncode == 0

    assert verified()
    content = bytearray(made.read_bytes())
    content[len(content) // 2] ^= 1
    made.write_bytes(content)
    assert not verified()


def test_every_sentence_stands_in_both_languages(root: Path) -> None:
    told = re.findall(r"^LangString (\w+) \$\{LANG_(\w+)\} \"(.+)\"$", script(root), re.MULTILINE)
    names = {name for name, _lang, _words in told}
    assert {(name, lang) for name, lang, _words in told} == {
        (name, lang) for name in names for lang in ("VIETNAMESE", "ENGLISH")
    }
    assert set(re.findall(r"\$\((\w+)\)", script(root))) == names


def test_set_up_and_program_mean_the_same(root: Path) -> None:
    told = script(root)
    assert f'!define MARK "{MARK}"' in told
    assert '"machine"' in told
    assert '"user"' in told
    for kind in (InstallKind.WINDOWS_USER, InstallKind.WINDOWS_MACHINE):
        chosen = launch(kind, Path("s.exe"), back=True, pid=1, again=True, environment={})
        assert chosen.argv is not None
        for option in chosen.argv[2:]:
            name = option.split("=")[0] + ("=" if "=" in option else "")
            assert f'${{GetOptions}} $Given "{name}"' in told, option
    # %LOCALAPPDATA%\Signer, which removal deletes only when it is told to.
    assert default_data_folder().name == "Signer"
    assert told.count(r'RMDir /r "$LOCALAPPDATA\${NAME}"') == 2
    assert all(name in told for name in ("signer-gui.exe", "signer.exe"))


def test_no_jump_over_a_macro_lands_inside_it(root: Path) -> None:
    # `+2` counts instructions, and a macro is several: jumps go by LogicLib or to labels.
    assert not re.findall(r"\bID\w+ \+\d", script(root))


def test_the_build_names_what_is_there(root: Path) -> None:
    build = (root / "packaging/windows/build.ps1").read_text(encoding="utf-8")
    for name in ("requirements.lock", "build.spec", "resources\\signer_resources\\icons\\signer-256.png"):
        assert name in build
        assert (root / name.replace("\\", "/")).exists(), name
    for place in re.findall(r"'(tests/\w+)'", build):
        assert (root / place).is_dir(), place
    given = set(re.findall(r"/D(\w+)=", build))
    wanted = re.search(r"^!ifndef (.+)$", script(root), re.MULTILINE)
    assert wanted is not None
    assert set(wanted[1].split(" | ")) <= given
    assert "/WX" in build
