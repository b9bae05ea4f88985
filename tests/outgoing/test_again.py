"""Signing again what was signed and not sent: the number goes over, the old one stays until the new one is kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from signer_app.outgoing.model import Changes, PlaceOption, State
from signer_app.store.model import Document
from signer_app.store.store import Signing
from signer_resources.errors import KnownError
from tests.outgoing.office_files import spreadsheet
from tests.outgoing.test_signing_drafts import Clerk, clerk_at
from tests.support.workspace import ISSUED, Desk


@pytest.fixture
def clerk(desk: Desk) -> Iterator[Clerk]:
    with clerk_at(desk) as clerk:
        yield clerk


def signed(clerk: Clerk, *, receivers: tuple[str, ...] = (), send: bool = False, beside: bool = False) -> str:
    """A decision that was signed and, unless `send`, kept; its id."""
    ids = clerk.bring_in(clerk.desk.letter("quyet-dinh.pdf"), receivers=receivers)
    if beside:
        clerk.outgoing.attach(ids[0], [spreadsheet(clerk.desk.letters / "danh sách.xlsx", [("1", "Ánh")])])
        clerk.outgoing.place(clerk.outgoing.rows()[0].draft.main.id, PlaceOption(2, 90, 200))
        clerk.outgoing.examine(ids, clerk.chosen)
    result = clerk.sign(ids, send=send)
    clerk.outgoing.forget_signed()
    document = result.files[0].document
    assert document is not None, result.files
    return document


def documents(clerk: Clerk) -> dict[str, Document]:
    with clerk.space.store.view() as view:
        return {document.id: document for document in view.documents.list()}


def living(clerk: Clerk) -> list[tuple[str, bool]]:
    """What the register shows: number, and whether it was signed again."""
    with clerk.space.store.view() as view:
        return [(entry.label, entry.again) for entry in view.listings.register()]


def refusal(clerk: Clerk, document_id: str) -> str:
    with pytest.raises(KnownError) as caught:
        clerk.outgoing.sign_again(document_id)
    return caught.value.code


def test_it_is_a_draft_again_with_all_that_was_said_and_takes_the_number_over(clerk: Clerk) -> None:
    old = signed(clerk, receivers=("H77",), beside=True)
    first = {path.name: path.read_bytes() for path in (clerk.desk.letters / "Đã ký").rglob("*") if path.is_file()}

    draft = clerk.outgoing.sign_again(old)

    assert clerk.outgoing.sign_again(old).id == draft.id
    assert (draft.replaces, draft.number, draft.notation, draft.date) == (old, "12", "QĐ-UBND", ISSUED)
    assert (draft.main.place, [item.name for item in draft.attachments]) == (
        PlaceOption(2, 90, 200),
        ["danh sách.xlsx"],
    )
    assert Path(draft.main.output).name == "quyet-dinh (2).pdf"
    (row,) = clerk.outgoing.examine([draft.id], clerk.chosen).rows
    assert {finding.code for finding in row.reasons}.isdisjoint({"number_used", "issued_before"})

    result = clerk.sign([draft.id], send=False)

    (new,) = {file.document for file in result.files}
    assert new is not None
    assert result.stopped is None
    assert living(clerk) == [("12/QĐ-UBND", True)]
    assert set(documents(clerk)) == {old, new}
    with clerk.space.store.view() as view:
        assert view.replacing.replaced_by(old) == new
        found = view.documents.find_number(clerk.chosen.body_code, ISSUED.year, "QĐ-UBND", "12")
    assert found is not None
    assert found.id == new
    second = {path.name: path.read_bytes() for path in (clerk.desk.letters / "Đã ký").rglob("*") if path.is_file()}
    assert first.items() <= second.items()
    assert {"quyet-dinh (2).pdf", "danh sách (2).xlsx"} <= second.keys()
    assert refusal(clerk, old) == "again_replaced"
    assert refusal(clerk, "none") == "again_unknown"


def test_what_was_given_to_be_sent_is_not_signed_again(clerk: Clerk) -> None:
    assert refusal(clerk, signed(clerk, receivers=("H77",), send=True)) == "again_sent"
    assert clerk.outgoing.rows() == ()


@pytest.mark.long
def test_another_number_leaves_the_old_one_given_up(clerk: Clerk) -> None:
    draft = clerk.outgoing.sign_again(signed(clerk))
    clerk.outgoing.edit(draft.id, Changes(number="15"))
    clerk.outgoing.examine([draft.id], clerk.chosen)
    clerk.sign([draft.id])
    assert living(clerk) == [("15/QĐ-UBND", True)]
    with clerk.space.store.view() as view:
        given_up = view.reservations.find(clerk.chosen.body_code, ISSUED.year, "QĐ-UBND", "12")
    assert given_up is not None
    assert (given_up.given_up, given_up.reason, given_up.label) == (True, "Ký lại", "12/QĐ-UBND")


def test_a_fault_before_the_new_one_is_kept_leaves_the_old_one_valid(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = signed(clerk)
    draft = clerk.outgoing.sign_again(old)
    clerk.outgoing.examine([draft.id], clerk.chosen)
    commit = clerk.space.store.commit_signed

    def cut(signing: Signing, _check: object) -> None:
        def fault() -> None:
            raise KnownError("disk_fault", folder="x")

        commit(signing, fault)

    monkeypatch.setattr(clerk.space.store, "commit_signed", cut)
    assert [file.state for file in clerk.sign([draft.id]).files] == ["failed"]
    assert living(clerk) == [("12/QĐ-UBND", False)]
    assert set(documents(clerk)) == {old}
    with clerk.space.store.view() as view:
        assert view.replacing.replaced_by(old) is None
        assert view.documents.find_number(clerk.chosen.body_code, ISSUED.year, "QĐ-UBND", "12") is not None
        assert view.reservations.list() == (), "the number is the old one's, and nothing that could be given up"
        assert [waiting.id for waiting in view.drafts.list()] == [draft.id]


@pytest.mark.long
def test_one_that_is_sent_meanwhile_is_not_replaced(clerk: Clerk) -> None:
    old = signed(clerk, receivers=("H77",))
    draft = clerk.outgoing.sign_again(old)
    clerk.outgoing.examine([draft.id], clerk.chosen)
    clerk.space.store.write(lambda tx: tx.documents.mark_released(old))
    (row,) = clerk.outgoing.rows()
    assert row.state is State.REFUSED
    (reason,) = [finding for finding in row.reasons if finding.code == "again_sent"]
    assert reason.params == {"label": "12/QĐ-UBND"}
