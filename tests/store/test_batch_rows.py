"""The rows of a batch: what is asked for each document costs the same however long the batch, and what waits keeps all
its copies.
"""

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from signer_app.pdf.model import Profile
from signer_app.pdf.plan import SigningPlan
from signer_app.signing.batch import DocumentWork
from signer_app.signing.forgetting import forget_work
from signer_app.signing.jobs import DocumentJob, FileJob
from signer_app.signing.resume import Command, give_up_rest
from signer_app.store.batch_model import Batch, BatchDocument, BatchFile
from signer_app.store.batches import Batches
from signer_app.store.model import FileRole, FileState
from signer_app.store.recovery import recover
from signer_app.store.reservations import Reservation
from signer_app.store.sequences import BY_NOTATION
from signer_app.store.store import Store, Transaction
from signer_resources.errors import KnownError
from tests.store.letters import Clock, Letters

SIGNED, WAITING = FileState.SIGNED, FileState.PREPARED


def file_at(batch: str, position: int, document: int, state: FileState, blob: str | None = None) -> BatchFile:
    return BatchFile(
        batch_id=batch,
        position=position,
        document=document,
        input_path=f"/{position}.pdf",
        input_sha256=blob,
        state=state,
    )


def long_batch(store: Store, clock: Clock, batch: str, documents: int) -> None:
    """So many documents, of which all but the last ten are signed."""
    store.write(lambda tx: tx.batches.add(Batch(id=batch, created_at=clock(), command="{}", begun_at=clock())))

    def write(batches: Batches) -> None:
        for at in range(documents):
            state = SIGNED if at < documents - 10 else WAITING
            document = BatchDocument(batch_id=batch, position=at, job="{}", number_key=f"2026/QĐ/{at}")
            batches.put_document(document, [file_at(batch, at, at, state)])

    store.write(lambda tx: write(tx.batches))


def steps(store: Store, work: Callable[[Batches], object]) -> int:
    """What the database does for it."""
    count = 0

    def one_more() -> int:
        nonlocal count
        count += 1
        return 0

    connection = store._connection
    connection.set_progress_handler(one_more, 1)
    try:
        store.write(lambda tx: work(tx.batches))
    finally:
        connection.set_progress_handler(None, 0)
    return count


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(lambda batches, batch, _last: batches.next_documents(batch, 5), id="next"),
        pytest.param(lambda batches, batch, last: batches.mark(batch, [0, last - 9], FileState.SIGNING), id="mark"),
        pytest.param(lambda batches, batch, _last: batches.of_document(batch, 0), id="files"),
        pytest.param(lambda batches, batch, last: batches.with_number(batch, f"2026/QĐ/{last}"), id="number"),
    ],
)
def test_a_longer_batch_makes_no_document_of_it_dearer(
    store: Store, clock: Clock, work: Callable[[Batches, str, int], object]
) -> None:
    long_batch(store, clock, "ngắn", 40)
    long_batch(store, clock, "dài", 400)
    short = steps(store, lambda batches: work(batches, "ngắn", 39))
    long = steps(store, lambda batches: work(batches, "dài", 399))
    assert long < 2 * short


def test_the_files_of_a_document_are_marked_together_and_no_others(store: Store, clock: Clock) -> None:
    batch = Batch(id="lô", created_at=clock(), command="{}", begun_at=clock())
    files = [file_at("lô", at, document, WAITING) for at, document in enumerate((0, 0, 2, 3, 3))]
    store.write(lambda tx: tx.batches.add(batch, files))
    store.write(lambda tx: tx.batches.mark("lô", [0, 3], FileState.SIGNING))
    with store.view() as view:
        states = [file.state for file in view.batches.files("lô")]
        assert [file.position for file in view.batches.of_document("lô", 0)] == [0, 1]
    assert states == [FileState.SIGNING, FileState.SIGNING, WAITING, FileState.SIGNING, FileState.SIGNING]


def test_in_a_hurry_comes_first_and_each_comes_in_its_order(store: Store, clock: Clock) -> None:
    store.write(lambda tx: tx.batches.add(Batch(id="lô", created_at=clock(), command="{}")))

    def write(batches: Batches) -> None:
        for at, urgent in enumerate((False, True, False, True, False)):
            state = SIGNED if at == 1 else WAITING
            document = BatchDocument(batch_id="lô", position=at, job="{}", urgent=urgent)
            batches.put_document(document, [file_at("lô", at, at, state)])

    store.write(lambda tx: write(tx.batches))
    with store.view() as view:
        assert [one.position for one in view.batches.next_documents("lô", 3)] == [3, 0, 2]


def test_of_a_secret_document_neither_what_came_nor_what_was_mended_stays(store: Store, letters: Letters) -> None:
    came, mended = letters.keep(b"broken"), letters.keep(b"mended")
    file = FileJob("/mật.pdf", "/ra/mật.pdf", FileRole.MAIN, Profile.PLAIN, blob=came)
    work = DocumentWork.of(DocumentJob((file,)))
    work.main.plan = SigningPlan(Profile.PLAIN, mended, "", "", (), original=came)
    work.main.outcome = replace(work.main.outcome, sha256_in=came, sha256_repaired=mended)
    work.main.fail(KnownError("secret"))
    assert (work.main.outcome.sha256_in, work.main.outcome.sha256_repaired) == (None, None)
    forget_work(store, work)
    assert (store.blobs.has(came), store.blobs.has(mended)) == (False, False)


def test_what_goes_along_with_a_waiting_document_is_kept_until_that_is_given_up(
    store: Store, letters: Letters, clock: Clock
) -> None:
    main, along = letters.keep(b"letter"), letters.keep(b"sheet")
    job = f'{{"files":[],"attachments":[{{"path":"/a.xlsx","output":null,"blob":"{along}"}}]}}'
    store.write(lambda tx: tx.batches.add(Batch(id="lô", created_at=clock(), command="{}", begun_at=clock())))
    document = BatchDocument(batch_id="lô", position=0, job=job)
    store.write(lambda tx: tx.batches.put_document(document, [file_at("lô", 0, 0, WAITING, main)]))
    store.discard({main, along})
    assert (store.blobs.has(main), store.blobs.has(along)) == (True, True)
    store.discard(store.write(lambda tx: tx.batches.give_up("lô", "given_up_by_person")))
    assert (store.blobs.has(main), store.blobs.has(along)) == (False, False)


def test_what_is_secret_takes_the_same_bytes_with_it_and_no_other_file_from_its_place(
    store: Store, clock: Clock
) -> None:
    batch = Batch(id="lô", created_at=clock(), command="{}", begun_at=clock())
    blobs = ("aa" * 32, "bb" * 32, "aa" * 32, None)

    def write(batches: Batches) -> None:
        batches.add(batch)
        for at, blob in enumerate(blobs):
            file = replace_path(file_at("lô", at, at, WAITING, blob), "/mật.pdf" if at != 2 else "/khác.pdf")
            batches.put_document(BatchDocument(batch_id="lô", position=at, job="{}"), [file])

    store.write(lambda tx: write(tx.batches))
    removed = store.write(lambda tx: tx.batches.forget(["/mật.pdf"], ["aa" * 32]))
    assert sorted(file.position for file in removed) == [0, 2, 3]
    with store.view() as view:
        assert [file.position for file in view.batches.files("lô")] == [1]
        assert [view.batches.document("lô", at) is None for at in range(4)] == [True, False, True, True]


def replace_path(file: BatchFile, path: str) -> BatchFile:
    return msgspec.structs.replace(file, input_path=path)


def numbered(store: Store, clock: Clock, batch: str, states: list[FileState], *, begun: bool) -> None:
    """Documents of a batch, each with a number that is kept for it."""
    at = clock()
    store.write(lambda tx: tx.batches.add(Batch(id=batch, created_at=at, command="{}", begun_at=at if begun else None)))

    def write(tx: Transaction) -> None:
        for place, state in enumerate(states):
            blob = f"{place:064x}"
            document = BatchDocument(batch_id=batch, position=place, job='{"files":[]}')
            tx.batches.put_document(document, [file_at(batch, place, place, state, blob)])
            wish = Reservation.of(
                "H77", BY_NOTATION, str(place + 1), "QĐ-UBND", at.date(), owner=blob, name="x", at=at, operator="hanh"
            )
            tx.reservations.reserve(wish)

    store.write(write)


def kept(store: Store) -> list[str]:
    with store.view() as view:
        return [one.number for one in view.reservations.list()]


def test_giving_up_lets_the_numbers_go_with_which_the_token_has_not_begun(store: Store, clock: Clock) -> None:
    states = [FileState.PREPARED, FileState.SIGNING, FileState.FAILED, FileState.PREPARED]
    numbered(store, clock, "lô", states, begun=True)
    assert give_up_rest_of(store, "lô") == 3
    assert kept(store) == ["2", "3"]


def give_up_rest_of(store: Store, batch: str) -> int:
    command = Command("ab" * 32, None)
    store._connection.execute("UPDATE batch SET command = ?", (msgspec.json.encode(command).decode(),))
    return give_up_rest(store, batch)


def test_a_start_lets_numbers_go_that_were_kept_for_a_batch_which_had_not_begun(store: Store, clock: Clock) -> None:
    numbered(store, clock, "lô", [FileState.PREPARED, FileState.PREPARED], begun=False)
    recover(store)
    assert kept(store) == []


def test_a_start_keeps_the_numbers_of_what_waits(store: Store, clock: Clock) -> None:
    numbered(store, clock, "lô", [FileState.PREPARED, FileState.SIGNING], begun=True)
    recover(store)
    assert kept(store) == ["1", "2"]
