"""Fixtures of the tests of verification."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from signer_app.verification.model import FileReport, TrustMaterial
from signer_app.verification.verify import verify_file
from tests.verification.small_pki import NOW, Pki, make_certificate


@pytest.fixture(scope="session")
def pki() -> Pki:
    root = make_certificate("Gốc thử nghiệm", None, ca=True)
    ca = make_certificate("CA thử nghiệm", root, ca=True)
    key = rsa.generate_private_key(65537, 2048)
    return Pki(
        root,
        ca,
        make_certificate("Nguyễn Văn Ổn", ca, key=key),
        make_certificate("UBND xã Đồng Tâm", ca),
        make_certificate(
            "TSA thử nghiệm", ca, key=rsa.generate_private_key(65537, 2048), extended=ExtendedKeyUsageOID.TIME_STAMPING
        ),
    )


@dataclass(frozen=True)
class Checker:
    """Verifies bytes through a file, as the product does."""

    folder: Path

    def __call__(self, document: bytes, trust: TrustMaterial, now: dt.datetime = NOW) -> FileReport:
        path = self.folder / "văn bản.pdf"
        path.write_bytes(document)
        return verify_file(path, trust, now)


@pytest.fixture
def check(tmp_path: Path) -> Checker:
    return Checker(tmp_path)
