"""The rows of a batch: what is asked for each document costs the same however long the batch, and what waits keeps all
its copies.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from signer_app.pdf.model import Profile
from signer_app.pdf.plan import SigningPlan
from signer_app.signing.batch import DocumentWork
from signer_app.signing.forgetting import forget_work
from signer_app.signing.jobs import DocumentJob, FileJob
from signer_app.store.batch_model import Batch, BatchDocument, BatchFile
from signer_app.store.batches import Batches
from signer_app.store.model import FileRole, FileState
from signer_app.store.store import Store
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
