"""Keeping a signing: everything together or nothing, a number once, and never anything of a secret
document.
"""

import errno
import sqlite3
import threading
from datetime import date
from pathlib import Path

import msgspec
import pytest

from signer_app.store.batch_model import Batch, BatchFile
from signer_app.store.datafolder import DataFolder
from signer_app.store.documents import canonical_number
from signer_app.store.model import DocumentState, FileState, NewPacket
from signer_app.store.store import Signing, Store
from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind
from signer_sync.ids import uuid7
from tests.store.letters import Clock, Letters, not_secret


def rows(store: Store) -> dict[str, int]:
    tables = ("document", "file", "evidence", "outbox", "outbox_receiver", "journal", "issued_number")
    return {
        table: store._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
        for table in tables
    }


def test_everything_of_a_signing_is_there_afterwards(store: Store, letters: Letters) -> None:
    signing = letters.signing(receivers=("H41.02", "H77"))
    store.commit_signed(signing, not_secret)
    with store.view() as view:
        assert view.documents.get(signing.document.id) == signing.document
        assert view.documents.files(signing.document.id) == signing.files
        assert view.evidence.of_file(signing.files[0].id) == signing.evidence
        (packet,) = view.outbox.of_document(signing.document.id)
        (entry,) = view.journal.entries()
    assert (packet.document, packet.receivers) == ("125/UBND-VHXH", ("H41.02", "H77"))
    assert entry.use == signing.uses[0]


def test_a_document_without_receivers_is_kept_and_not_queued(store: Store, letters: Letters) -> None:
    store.commit_signed(letters.signing(receivers=()), not_secret)
    assert rows(store)["document"] == 1
    assert rows(store)["outbox"] == 0


def test_the_secrecy_check_undoes_all_of_it_and_leaves_no_trace_on_the_disk(
    folder: DataFolder, store: Store, letters: Letters
) -> None:
    signing = letters.signing()
    name = "Kế hoạch tuyệt mật"
    signing = msgspec.structs.replace(signing, document=msgspec.structs.replace(signing.document, subject=name))

    def secret() -> None:
        # Inside the transaction: the rows are made, the packet not yet.
        assert rows(store)["document"] == 1
        assert rows(store)["outbox"] == 0
        raise KnownError("disk_fault", folder="any error will do")

    with pytest.raises(KnownError):
        store.commit_signed(signing, secret)
    assert set(rows(store).values()) == {0}
    assert not any(store.blobs.has(sha256) for sha256 in signing.blobs())
    for file in folder.path.rglob("*"):
        if file.is_file():
            assert name.encode() not in file.read_bytes(), file


def test_blobs_that_another_document_shares_outlive_a_secrecy_hit(store: Store, letters: Letters) -> None:
    store.commit_signed(letters.signing("1", content=b"common"), not_secret)
    signing = letters.signing("2", content=b"common")

    def secret() -> None:
        raise KnownError("disk_fault", folder="any error will do")

    with pytest.raises(KnownError):
        store.commit_signed(signing, secret)
    assert all(store.blobs.has(sha256) for sha256 in signing.blobs())


def test_a_document_kept_first_can_be_released_later_and_only_once(
    store: Store, letters: Letters, clock: Clock
) -> None:
    signing = letters.signing(receivers=())
    store.commit_signed(signing, not_secret)
    packet = NewPacket(
        packet_id=uuid7(),
        document_id=signing.document.id,
        org="H41.01",
        kind=PacketKind.NEW,
        sha256=letters.keep(b"packet"),
        size=6,
        created_at=clock(),
        receivers=("H77",),
    )

    def secret() -> None:
        raise KnownError("disk_fault", folder="any error will do")

    with pytest.raises(KnownError):
        store.release(packet, secret)
    assert rows(store)["outbox"] == 0
    assert not store.blobs.has(packet.sha256)
    assert letters.keep(b"packet") == packet.sha256
    store.release(packet, not_secret)
    with store.view() as view:
        document = view.documents.get(signing.document.id)
        assert [item.packet_id for item in view.outbox.due("H41.01", clock())] == [packet.packet_id]
    assert document is not None
    assert document.state is DocumentState.RELEASED
    with pytest.raises(ValueError, match="not released yet"):
        store.release(msgspec.structs.replace(packet, packet_id=uuid7()), not_secret)


def test_a_signing_without_receivers_is_screened_too(store: Store, letters: Letters) -> None:
    def secret() -> None:
        raise KnownError("disk_fault", folder="any error will do")

    with pytest.raises(KnownError):
        store.commit_signed(letters.signing(receivers=()), secret)
    assert set(rows(store).values()) == {0}


@pytest.mark.parametrize(
    "fault",
    ["no receivers", "no number", "no date", "number not taken", "not released", "no blob", "other document"],
)
def test_what_must_not_be_queued_is_refused_before_anything_is_written(
    store: Store, letters: Letters, fault: str
) -> None:
    signing = letters.signing()
    packet, document = signing.packet, signing.document
    assert packet is not None
    replace = msgspec.structs.replace
    if fault == "no receivers":
        signing = replace(signing, packet=replace(packet, receivers=()))
    elif fault == "no number":
        signing = replace(signing, document=replace(document, number=None))
    elif fault == "no date":
        signing = replace(signing, document=replace(document, doc_date=None))
    elif fault == "number not taken":
        signing = replace(signing, document=replace(document, notation_group=None))
    elif fault == "other document":
        signing = replace(signing, packet=replace(packet, document_id=uuid7()))
    elif fault == "not released":
        signing = replace(signing, document=replace(document, state=DocumentState.SIGNED))
    else:
        signing = replace(signing, packet=replace(packet, sha256="00" * 32))
    with pytest.raises(ValueError, match=r"receivers|number|released|store|one document"):
        store.commit_signed(signing, not_secret)
    assert set(rows(store).values()) == {0}


def test_the_database_itself_refuses_a_packet_without_receivers_or_number(store: Store, letters: Letters) -> None:
    store.commit_signed(letters.signing(None, receivers=()), not_secret)
    store.commit_signed(letters.signing("7", receivers=()), not_secret)
    connection = store._connection
    without, numbered = (
        connection.execute("SELECT id FROM document WHERE number IS ?", (number,)).fetchone()[0]
        for number in (None, "7")
    )
    insert = (
        "INSERT INTO outbox (packet_id, document_id, org, kind, sha256, size, urgency, created_at, state)"
        " VALUES (?, ?, 'H', 'new', 'x', 1, 0, 't', 'queued')"
    )
    with pytest.raises(sqlite3.IntegrityError, match="without receivers"):
        connection.execute(insert, ("p1", numbered))
    connection.execute("BEGIN")
    connection.execute("INSERT INTO outbox_receiver (packet_id, position, org) VALUES ('p2', 0, 'H41.02')")
    with pytest.raises(sqlite3.IntegrityError, match="without number"):
        connection.execute(insert, ("p2", without))
    connection.execute("ROLLBACK")


def test_a_number_is_used_once_a_year_in_its_sequence(store: Store, letters: Letters) -> None:
    store.commit_signed(letters.signing("05"), not_secret)
    before = rows(store)
    with pytest.raises(KnownError) as caught:
        store.commit_signed(letters.signing("5"), not_secret)
    assert caught.value.explain("vi").what == "Số 05/UBND-VHXH đã dùng ngày 18/11/2026."
    assert rows(store) == before
    for other in (
        letters.signing("5a"),
        letters.signing("5", group="QĐ", notation="QĐ-UBND"),
        letters.signing("5", body="H41.99"),
        letters.signing("5", doc_date=date(2027, 1, 4)),
    ):
        store.commit_signed(other, not_secret)


def test_a_number_can_be_asked_for_before_the_pin_is_spent(store: Store, letters: Letters) -> None:
    store.commit_signed(letters.signing("12a"), not_secret)
    with store.view() as view:
        view.documents.check_number("H41.01", date(2026, 2, 1), "UBND", "12")
        with pytest.raises(KnownError) as caught:
            view.documents.check_number("H41.01", date(2026, 2, 1), "ubnd", " 012A")
    assert caught.value.code == "number_used"


@pytest.mark.parametrize(
    ("typed", "canonical"), [("05", "5"), (" 5 ", "5"), ("12A", "12a"), ("0", "0"), ("100", "100")]
)
def test_spellings_of_one_number_are_one(typed: str, canonical: str) -> None:
    assert canonical_number(typed) == canonical


def test_what_was_signed_by_the_same_plan_is_found_again(store: Store, letters: Letters) -> None:
    signing = letters.signing()
    store.commit_signed(signing, not_secret)
    (file,) = signing.files
    with store.view() as view:
        assert view.documents.find_signed(file.blob_in, "agency", letters.plan_sha256) == file
        assert view.documents.find_signed(file.blob_in, "leader", letters.plan_sha256) is None
        assert view.documents.find_signed(file.blob_in, "agency", "00" * 32) is None


def test_documents_are_listed_from_the_newest_page_by_page(store: Store, letters: Letters, clock: Clock) -> None:
    for number in range(1, 6):
        store.commit_signed(letters.signing(str(number)), not_secret)
        clock.go_on(60)
    with store.view() as view:
        first = view.documents.list(limit=3)
        rest = view.documents.list(limit=3, before=first[-1].id)
    assert [document.number for document in (*first, *rest)] == ["5", "4", "3", "2", "1"]


def batch_of(signing: Signing, clock: Clock) -> tuple[Batch, BatchFile]:
    batch = Batch(id=uuid7(), created_at=(at := clock()), begun_at=at, command='{"profile":"agency"}')
    return batch, BatchFile(
        batch_id=batch.id, position=0, input_path="/văn bản/a.pdf", state=FileState.PENDING, profile="agency"
    )


def test_the_place_in_the_batch_changes_with_the_signing_or_not_at_all(
    store: Store, letters: Letters, clock: Clock
) -> None:
    store.commit_signed(letters.signing("1"), not_secret)
    refused, signing = letters.signing("1"), letters.signing("2")
    batch, pending = batch_of(signing, clock)
    store.write(lambda transaction: transaction.batches.add(batch, [pending]))
    signed = msgspec.structs.replace(
        pending, state=FileState.SIGNED, file_id=signing.files[0].id, level="b-b", seconds=0.15
    )
    as_refused = msgspec.structs.replace(signed, file_id=refused.files[0].id)
    with pytest.raises(KnownError):
        store.commit_signed(msgspec.structs.replace(refused, batch_files=(as_refused,)), not_secret)
    with store.view() as view:
        assert view.batches.files(batch.id) == (pending,)
        assert view.batches.unfinished() == (batch,)
    store.commit_signed(msgspec.structs.replace(signing, batch_files=(signed,)), not_secret)
    with store.view() as view:
        assert view.batches.files(batch.id) == (signed,)
        assert view.batches.unfinished() == ()
    with pytest.raises(ValueError, match="signed"):
        store.write(lambda transaction: transaction.batches.put_files([pending]))


def test_a_batch_is_not_reported_until_somebody_was_told(store: Store, letters: Letters, clock: Clock) -> None:
    batch, pending = batch_of(letters.signing(), clock)
    failed = msgspec.structs.replace(
        pending, state=FileState.FAILED, code="output_exists", params={"file": Path("/a.pdf"), "n": 2}
    )
    store.write(lambda transaction: transaction.batches.add(batch, [failed]))
    store.write(lambda transaction: transaction.batches.finish(batch.id, clock(), "disk_full", {"folder": "/văn bản"}))
    with store.view() as view:
        ended = view.batches.get(batch.id)
        (file,) = view.batches.files(batch.id)
        assert view.batches.latest() == ended
    assert ended is not None
    assert (ended.reported_at, ended.stopped_code, ended.stopped_params) == (None, "disk_full", {"folder": "/văn bản"})
    assert file.params == {"file": "/a.pdf", "n": 2}
    store.write(lambda transaction: transaction.batches.mark_reported(batch.id, clock()))
    with store.view() as view:
        told = view.batches.get(batch.id)
    assert told is not None
    assert told.reported_at is not None


def test_an_export_is_pending_until_its_copy_is_there(store: Store, letters: Letters, tmp_path: Path) -> None:
    output = tmp_path / "Đã ký" / "a.signed.pdf"
    signing = letters.signing(content=b"letter", output=output)
    store.commit_signed(signing, not_secret)
    with store.view() as view:
        assert view.documents.pending_exports() == signing.files
    output.parent.mkdir()
    output.write_bytes(b"someone else's")
    (refused,) = store.finish_exports()
    assert refused.error is not None
    assert refused.error.code == "output_exists"
    output.unlink()
    assert store.export(signing.files[0].id).error is None
    assert output.read_bytes() == b"letter signed"
    assert store.finish_exports() == ()


def test_a_copy_made_before_a_crash_counts_when_its_row_was_not_written(
    store: Store, letters: Letters, tmp_path: Path
) -> None:
    output = tmp_path / "a.signed.pdf"
    store.commit_signed(letters.signing(content=b"letter", output=output), not_secret)
    output.write_bytes(b"letter signed")
    (done,) = store.finish_exports()
    assert done.error is None
    assert store.finish_exports() == ()


@pytest.mark.parametrize(
    ("place", "fault", "code"),
    [
        ("signer_app.store.blobs.BlobStore.export", OSError(errno.ENOTCONN, "gone"), "output_unwritable"),
        ("signer_app.store.store.Store.write", KnownError("disk_full", folder="/"), "disk_full"),
    ],
    ids=["share", "full"],
)
def test_a_share_that_is_gone_and_a_full_disk_are_told_of_the_copy_and_the_document_stays(
    store: Store,
    letters: Letters,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    fault: Exception,
    code: str,
) -> None:
    output = tmp_path / "a.signed.pdf"
    signing = letters.signing(content=b"letter", output=output)
    store.commit_signed(signing, not_secret)

    def fails(*_args: object) -> None:
        raise fault

    with monkeypatch.context() as sick:
        sick.setattr(place, fails)
        error = store.export(signing.files[0].id).error
    assert error is not None
    assert error.code == code
    assert store.export(signing.files[0].id).error is None
    assert output.read_bytes() == b"letter signed"


def test_threads_take_turns(store: Store, letters: Letters) -> None:
    signings = [letters.signing(str(number)) for number in range(1, 13)]

    def commit(part: list[Signing]) -> None:
        for signing in part:
            store.commit_signed(signing, not_secret)

    parts = (signings[:4], signings[4:8], signings[8:])
    threads = [threading.Thread(target=commit, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows(store)["document"] == 12
    with store.view() as view:
        assert view.journal.verify((), bool).check.broken_at is None


def test_a_transaction_inside_another_is_a_fault_of_the_program(store: Store) -> None:
    with store.transaction(), pytest.raises(RuntimeError, match="open already"), store.transaction():
        pass
