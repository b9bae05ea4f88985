"""What is kept of a check: certificate, chain, CRLs once by content, status and verdict; and how it is destroyed."""

import hashlib
import sqlite3
from pathlib import Path

import msgspec
import pytest

from signer_app.evidence.keeping import EvidenceKeeper
from signer_app.evidence.pieces import Find, named
from signer_app.store.database import load_migrations
from signer_app.store.datafolder import DataFolder
from signer_app.store.model import CertificateStatus, Evidence, JournalAction
from signer_app.store.store import Store
from signer_app.verification.model import FileReport, Revocation, TrustMaterial, Verdict
from signer_app.verification.verify import verify_file
from signer_app.workspace import Workspace
from tests.evidence.conftest import Opener
from tests.store.letters import Clock, Letters, not_secret
from tests.verification.small_pki import NOW, Pki


@pytest.fixture(scope="session")
def material(pki: Pki, crls: tuple[bytes, bytes]) -> TrustMaterial:
    return TrustMaterial((pki.root.der,), (pki.ca.der,), crls)


@pytest.fixture(scope="session")
def report(letter: bytes, material: TrustMaterial, tmp_path_factory: pytest.TempPathFactory) -> FileReport:
    path = tmp_path_factory.mktemp("letter") / "thu.pdf"
    path.write_bytes(letter)
    return verify_file(path, material, NOW)


@pytest.fixture
def space(opened: Opener) -> Workspace:
    return opened()


def at_hand(material: TrustMaterial) -> Find:
    return lambda wanted: named(wanted, material)


def kept_of(space: Workspace, sha256: str | None) -> tuple[Evidence, ...]:
    assert sha256 is not None
    with space.store.view() as view:
        return view.evidence.of_document(sha256)


def destructions(space: Workspace) -> list[str | None]:
    with space.store.view() as view:
        entries = view.journal.entries()
    return [e.use.sha256 for e in entries if e.use.action is JournalAction.EVIDENCE_DESTROYED]


def test_a_check_leaves_certificate_chain_crls_status_and_verdict_of_each_signature(
    space: Workspace, report: FileReport, material: TrustMaterial, letter: bytes, pki: Pki, crls: tuple[bytes, bytes]
) -> None:
    assert EvidenceKeeper(space).keep(report, "Thư.pdf", at_hand(material))
    first, second = kept_of(space, hashlib.sha256(letter).hexdigest())
    by_field = {one.record.field: one for one in (first, second)}
    record = by_field["LanhDao"].record
    assert record.signer_cert_der == pki.leader.der
    assert record.chain_der == (pki.ca.der, pki.root.der)
    assert (record.status, record.verdict, record.status_time) == (CertificateStatus.GOOD, "valid", NOW)
    assert (record.name, record.signer, record.signing_time) == ("Thư.pdf", "Nguyễn Văn Ổn", NOW)
    assert record.document_sha256_before == record.document_sha256_after == hashlib.sha256(letter).hexdigest()
    assert record.operator
    assert record.software_version
    assert record.rule_profile
    hashes = sorted(hashlib.sha256(crl).hexdigest() for crl in crls)
    assert list(first.pieces) == list(second.pieces) == hashes
    assert {proof.sha256 for proof in record.proofs} == set(hashes)
    assert sorted(space.store.blobs.path(sha256).read_bytes() for sha256 in hashes) == sorted(crls)


def test_a_second_check_takes_the_place_of_the_first(
    space: Workspace, report: FileReport, material: TrustMaterial
) -> None:
    keeper = EvidenceKeeper(space)
    keeper.keep(report, "một.pdf", at_hand(material))
    keeper.keep(report, "hai.pdf", at_hand(material))
    assert [one.record.name for one in kept_of(space, report.sha256)] == ["hai.pdf", "hai.pdf"]


def test_a_check_that_cannot_tell_the_status_leaves_what_an_earlier_one_could(
    space: Workspace, report: FileReport, material: TrustMaterial
) -> None:
    keeper = EvidenceKeeper(space)
    keeper.keep(report, "một.pdf", at_hand(material))
    blind = msgspec.structs.replace(
        report,
        signatures=tuple(
            msgspec.structs.replace(one, revocation=Revocation.NOT_CHECKED, verdict=Verdict.INDETERMINATE, proofs=())
            for one in report.signatures
        ),
    )
    assert keeper.keep(blind, "hai.pdf", at_hand(TrustMaterial()))
    assert {one.record.status for one in kept_of(space, report.sha256)} == {CertificateStatus.GOOD}


def test_without_a_readable_certificate_there_is_nothing_to_keep(space: Workspace, report: FileReport) -> None:
    bare = msgspec.structs.replace(
        report, signatures=tuple(msgspec.structs.replace(one, chain=()) for one in report.signatures)
    )
    assert not EvidenceKeeper(space).keep(bare, "thư.pdf", at_hand(TrustMaterial()))
    assert kept_of(space, report.sha256) == ()


def test_evidence_is_destroyed_whole_and_the_journal_says_so_once(
    space: Workspace, report: FileReport, material: TrustMaterial
) -> None:
    keeper = EvidenceKeeper(space)
    other = msgspec.structs.replace(report, sha256="ab" * 32)
    keeper.keep(report, "một.pdf", at_hand(material))
    keeper.keep(other, "hai.pdf", at_hand(material))
    pieces = kept_of(space, other.sha256)[0].pieces
    assert keeper.destroy(str(report.sha256)) == 2
    assert kept_of(space, report.sha256) == ()
    # The other document rests on the same CRLs.
    assert all(space.store.blobs.has(piece) for piece in pieces)
    assert keeper.destroy(str(other.sha256)) == 2
    assert not any(space.store.blobs.has(piece) for piece in pieces)
    assert keeper.destroy(str(other.sha256)) == 0
    assert destructions(space) == [other.sha256, report.sha256]
    database = space.folder.database
    on_disk = database.read_bytes() + database.with_name(database.name + "-wal").read_bytes()
    assert "Nguyễn Văn Ổn".encode() not in on_disk


def test_evidence_of_a_signature_made_here_can_be_destroyed_too(space: Workspace) -> None:
    made = Letters(space.store, Clock()).signing()
    space.store.commit_signed(made, not_secret)
    signed = str(made.files[0].blob_out)
    assert EvidenceKeeper(space).destroy(signed) == 1
    assert kept_of(space, signed) == ()
    assert space.store.blobs.has(signed)


def test_the_list_names_each_document_once_the_newest_first(
    space: Workspace, report: FileReport, material: TrustMaterial
) -> None:
    made = Letters(space.store, Clock()).signing()
    space.store.commit_signed(made, not_secret)
    EvidenceKeeper(space).keep(report, "Thư đến.pdf", at_hand(material))
    with space.store.view() as view:
        listed = view.evidence.documents(10)
    assert [(one.name, one.signatures, one.made_here) for one in listed] == [
        ("Thư đến.pdf", 2, False),
        ("Công văn 125.pdf", 1, True),
    ]


def test_evidence_from_before_the_checks_comes_along(tmp_path: Path) -> None:
    folder, crl = DataFolder(tmp_path / "data"), "cd" * 32
    with folder.lock():
        with Store.open(folder) as store:
            made = Letters(store, Clock()).signing()
        folder.database.unlink()
        with Store.open(folder, migrations=load_migrations()[:4]) as before:
            before.write(lambda tx: tx.documents.add(made.document))
        record = msgspec.json.encode(made.evidence[0].record).decode()
        with sqlite3.connect(folder.database) as old:
            for file in made.files:
                # Such a database has no column yet for the file as it came.
                row = {key: value for key, value in msgspec.to_builtins(file).items() if key != "original"}
                columns, places = ", ".join(row), ", ".join("?" * len(row))
                old.execute(f"INSERT INTO file ({columns}) VALUES ({places})", tuple(row.values()))  # noqa: S608
            old.execute("INSERT INTO evidence VALUES ('one', ?, ?, ?)", (made.files[0].id, crl, record))
        old.close()
        with Store.open(folder) as store, store.view() as view:
            (kept,) = view.evidence.of_document(str(made.files[0].blob_out))
            assert (kept.signature_id, kept.pieces, kept.record) == ("one", (crl,), made.evidence[0].record)
            assert view.evidence.of_file(made.files[0].id) == (kept,)
            assert crl in view.blobs()
