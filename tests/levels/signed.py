"""A clerk's place for the tests of levels: a workspace with the shared test PKI, letters signed with keys in memory,
and the real services of that PKI (TSA, OCSP, CRL) over HTTP.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader

from signer_app.demo.pki_names import Holder
from signer_app.levels.raising import Raised, Raiser
from signer_app.pdf.model import Profile
from signer_app.signing.timestamps import Means, TimestampPool
from signer_app.store.model import (
    CertificateStatus,
    Document,
    DocumentState,
    Evidence,
    EvidenceRecord,
    FileRole,
    StoredFile,
)
from signer_app.store.settings import Settings, TimestampServer, load_settings, save_settings
from signer_app.store.store import Signing
from signer_app.verification.model import FileReport, Level
from signer_app.verification.verify import verify_file
from signer_app.workspace import Workspace, vietnam_now
from signer_sync.ids import uuid7
from tests.pdf.paper import letter
from tests.pdf.signing import INVISIBLE, Desk


class Clock:
    """The real time, and so much more."""

    def __init__(self) -> None:
        self.ahead = dt.timedelta()

    def __call__(self) -> dt.datetime:
        return vietnam_now() + self.ahead


class NoUses:
    """Nobody counts: no server has a quota."""

    def used(self, _tsa: str, _since: dt.datetime) -> int:
        return 0

    def use(self, _tsa: str, _at: dt.datetime) -> None:
        raise AssertionError("a server without a quota is not counted")


@dataclass
class Place:
    """The workspace, the keys, and a folder for letters."""

    space: Workspace
    desk: Desk
    clock: Clock
    tsa_url: str

    @property
    def folder(self) -> Path:
        return self.desk.folder

    def letter(self, *holders: Holder) -> Path:
        """A letter signed B-B by these, one after the other; by the leader where nobody is named."""
        path = self.desk.keep(letter())
        for number, holder in enumerate(holders or (Holder.LEADER,)):
            step = msgspec.structs.replace(INVISIBLE, field=f"ky_{number}")
            path = self.desk.sign(path, [step], holder)
        return path

    def settings(self, change: Callable[[Settings], Settings]) -> None:
        save_settings(self.space.folder, change(load_settings(self.space.folder)))
        self.space.reload()

    def raiser(self, pool: TimestampPool | None = None) -> Raiser:
        return Raiser(self.space, (pool or TimestampPool([TimestampServer(url=self.tsa_url)], NoUses())).patiently)

    def raised(self, path: Path, level: Level) -> Raised:
        return self.raiser().raise_to(path, level, self.folder)

    def report(self, path: Path) -> FileReport:
        return verify_file(path, self.space.trust, self.clock())

    def store(self, path: Path, level: str = "b-b", signed_at: dt.datetime | None = None) -> StoredFile:
        """The letter as the store keeps one that was signed here; the chain in its evidence is the real one."""
        blobs, now = self.space.store.blobs, signed_at or self.clock()
        blob_in, blob_out = blobs.add_file(self.desk.keep(b"before")).sha256, blobs.add_file(path).sha256
        leaf = self.desk.leaf(Holder.LEADER)
        document = Document(
            id=uuid7(), body_code="H77.01", created_at=now, state=DocumentState.SIGNED, number="7", notation="TB-UBND"
        )
        file = StoredFile(
            id=uuid7(),
            document_id=document.id,
            position=0,
            role=FileRole.MAIN,
            name=path.name,
            blob_in=blob_in,
            profile=Profile.LEADER.value,
            plan_sha256="0" * 64,
            certificate_sha256=leaf.sha256,
            blob_out=blob_out,
            level=level,
            signed_at=now,
        )
        record = EvidenceRecord(
            document_sha256_before=blob_in,
            document_sha256_after=blob_out,
            signer_cert_der=leaf.certificate_der,
            chain_der=leaf.chain_der[1:],
            status=CertificateStatus.NOT_CHECKED,
            operator="văn thư",
            token_serial="",
            rule_profile="",
            software_version="",
            signing_time=now,
            verdict="valid",
        )
        evidence = (Evidence(signature_id=uuid7(), file_id=file.id, record=record),)
        self.space.store.commit_signed(Signing(document=document, files=(file,), evidence=evidence), lambda: None)
        return file


def scripted_pool(answers: Callable[[str, bytes, float, int], object], *urls: str) -> TimestampPool:
    """A pool whose servers answer as the test says, without waiting for anything."""
    servers = [TimestampServer(url=url) for url in urls or ("http://one/",)]
    return TimestampPool(servers, NoUses(), Means(ask=answers, wait=lambda _seconds: None))  # type: ignore[arg-type]


def fields(path: Path) -> Sequence[str]:
    """The filled signature fields in the order of their signing, as pyHanko sees them."""
    with path.open("rb") as handle:
        return [one.field_name for one in PdfFileReader(handle).embedded_signatures]


def root_of(desk: Desk) -> x509.Certificate:
    return x509.Certificate.load(desk.pki.root_der)
