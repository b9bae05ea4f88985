"""A document in the place of another, as the store keeps it: all of it or nothing, and no number is lost."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from signer_app.store.datafolder import DataFolder
from signer_app.store.model import FileRole, JournalAction, StoredFile
from signer_app.store.number_book import NumberState
from signer_app.store.sequences import Register, Sequences
from signer_app.store.store import Store
from signer_resources.errors import KnownError
from signer_sync.ids import uuid7
from tests.store.letters import Clock, Letters, not_secret


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    folder = DataFolder(tmp_path / "dữ liệu")
    with folder.lock(), Store.open(folder, Clock()) as opened:
        yield opened


@pytest.fixture
def letters(store: Store) -> Letters:
    return Letters(store, Clock())


def kept(store: Store, letters: Letters, number: str = "125", **more: object) -> str:
    signing = letters.signing(number, **{"receivers": (), **more})  # type: ignore[arg-type]
    store.commit_signed(signing, not_secret)
    return signing.document.id


def number_of(store: Store, number: str) -> str | None:
    with store.view() as view:
        found = view.documents.find_number("H41.01", 2026, "UBND-VHXH", number)
    return found.id if found else None


def test_the_number_goes_over_and_the_register_shows_the_living_one(store: Store, letters: Letters) -> None:
    old = kept(store, letters)
    signing = msgspec.structs.replace(letters.signing(receivers=()), replaces=old)
    store.commit_signed(signing, not_secret)
    assert number_of(store, "125") == signing.document.id
    with store.view() as view:
        assert [(entry.id, entry.again) for entry in view.listings.register()] == [(signing.document.id, True)]
        assert view.replacing.again() == {signing.document.id}
        assert view.documents.get(old) is not None


def test_another_number_leaves_the_old_one_in_the_book_as_given_up(store: Store, letters: Letters) -> None:
    old = kept(store, letters)
    store.commit_signed(msgspec.structs.replace(letters.signing("126", receivers=()), replaces=old), not_secret)
    assert (number_of(store, "125"), number_of(store, "126") is None) == (None, False)
    with store.view() as view:
        found = view.reservations.find("H41.01", 2026, "UBND-VHXH", "125")
        told = {(entry.use.action, entry.use.number) for entry in view.journal.entries()}
    assert found is not None
    assert (found.given_up, found.reason, found.operator) == (True, "Ký lại", "Lê Thị Văn Thư")
    assert (JournalAction.NUMBER_GIVEN_UP, "125/UBND-VHXH") in told


def test_a_register_that_came_between_doesnt_give_up_the_number_that_went_over(store: Store, letters: Letters) -> None:
    old = kept(store, letters, group="UBND-VHXH")
    book = Sequences((Register(name="Sổ chung", notations=("UBND-VHXH", "QĐ-UBND")),))
    again = letters.signing(receivers=(), group="Sổ chung")
    store.commit_signed(msgspec.structs.replace(again, replaces=old, sequences=book), not_secret)
    assert number_of(store, "125") == again.document.id
    with store.view() as view:
        assert view.reservations.list() == ()
        assert [line.state for line in view.number_book.entries(2026)] == [NumberState.ISSUED]


def test_what_was_sent_or_replaced_already_stays_and_a_fault_undoes_all(store: Store, letters: Letters) -> None:
    sent, old = kept(store, letters, receivers=("H41.02",)), kept(store, letters, "126")

    def refused(replaces: str, number: str) -> str:
        signing = msgspec.structs.replace(letters.signing(number, receivers=()), replaces=replaces)
        with pytest.raises(KnownError) as caught:
            store.commit_signed(signing, fault if replaces == old and number == "127" else not_secret)
        return caught.value.code

    def fault() -> None:
        raise KnownError("disk_fault", folder="x")

    assert refused(sent, "125") == "again_sent"
    assert refused(old, "127") == "disk_fault"
    assert (number_of(store, "126"), number_of(store, "127")) == (old, None)
    store.commit_signed(msgspec.structs.replace(letters.signing("126", receivers=()), replaces=old), not_secret)
    assert refused(old, "126") == "again_replaced"
    assert refused("none", "128") == "again_unknown"


def test_copies_that_were_not_made_yet_are_not_made_any_more_and_attachments_are(
    store: Store, letters: Letters, tmp_path: Path
) -> None:
    old = kept(store, letters, output=tmp_path / "cũ.pdf")
    signing = letters.signing(receivers=())
    along = StoredFile(
        id=uuid7(),
        document_id=signing.document.id,
        position=1,
        role=FileRole.ATTACHMENT,
        name="danh sách.xlsx",
        blob_in=letters.keep(b"PK"),
        output_path=str(tmp_path / "danh sách.xlsx"),
    )
    store.commit_signed(msgspec.structs.replace(signing, files=(*signing.files, along), replaces=old), not_secret)
    assert [export.path for export in store.finish_exports()] == [along.output_path]
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["danh sách.xlsx"]
    assert (tmp_path / "danh sách.xlsx").read_bytes() == b"PK"
    assert store.finish_exports() == ()
