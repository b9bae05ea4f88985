"""Writing into cells: what may stand there, and two clerks at once."""

import pytest

from signer_app.registers.cells import CellEdit, IncomingField, OutgoingField, checked, write_cells
from signer_app.store.registers import Book
from signer_app.store.store import Store
from signer_resources.errors import KnownError
from tests.registers.conftest import at

NOW = at(23, 9)


@pytest.mark.parametrize(
    ("field", "typed", "kept"),
    [
        (OutgoingField.PASSED_ON, "3/9/2026", "2026-09-03"),
        (OutgoingField.PASSED_ON, "2026-09-03", "2026-09-03"),
        (OutgoingField.PASSED_ON, " ", ""),
        (OutgoingField.COPIES, "007", "7"),
        (OutgoingField.NOTE, " hai\ndòng \u202e ", "hai dòng"),
        (OutgoingField.KEEPER, "Va\u0306n thư", "Văn thư"),
    ],
)
def test_what_is_typed_is_kept_in_one_form(field: OutgoingField, typed: str, kept: str) -> None:
    assert checked(field, typed).strip() == kept


@pytest.mark.parametrize(
    ("field", "typed", "code"),
    [
        (OutgoingField.PASSED_ON, "30/02/2026", "register_cell_date"),
        (IncomingField.DATE, "hôm qua", "register_cell_date"),
        (OutgoingField.COPIES, "mười", "register_cell_copies"),
        (OutgoingField.COPIES, "-1", "register_cell_copies"),
        (OutgoingField.COPIES, "9" * 30, "register_cell_copies"),
        (OutgoingField.NOTE, "x" * 1001, "register_cell_long"),
    ],
)
def test_what_makes_no_sense_is_told(field: OutgoingField, typed: str, code: str) -> None:
    with pytest.raises(KnownError) as caught:
        checked(field, typed)
    assert caught.value.code == code


def test_two_clerks_in_different_cells_of_a_line_both_stand(store: Store) -> None:
    with store.transaction() as tx:
        first = write_cells(tx, Book.OUTGOING, [CellEdit("d", OutgoingField.KEEPER, "", "Văn thư")], NOW, "Lan")
        second = write_cells(tx, Book.OUTGOING, [CellEdit("d", OutgoingField.NOTE, "", "gấp")], NOW, "Mai")
    assert (first, second) == ((), ())
    with store.view() as view:
        assert {name: one.value for name, one in view.registers.cells(Book.OUTGOING)["d"].items()} == {
            "keeper": "Văn thư",
            "note": "gấp",
        }


def test_who_writes_over_what_was_not_seen_is_told_and_the_rest_is_kept(store: Store) -> None:
    with store.transaction() as tx:
        write_cells(tx, Book.OUTGOING, [CellEdit("d", OutgoingField.KEEPER, "", "Văn thư")], NOW, "Lan")
        late = [
            CellEdit("d", OutgoingField.KEEPER, "", "Phòng VHXH"),
            CellEdit("d", OutgoingField.COPIES, "", "3"),
        ]
        (conflict,) = write_cells(tx, Book.OUTGOING, late, NOW, "Mai")
    assert (conflict.edit, conflict.now.value, conflict.now.operator) == (late[0], "Văn thư", "Lan")
    with store.view() as view:
        cells = view.registers.cells(Book.OUTGOING)["d"]
        assert (cells["keeper"].value, cells["copies"].value) == ("Văn thư", "3")


def test_who_has_seen_it_may_write_over_it_and_two_who_write_the_same_agree(store: Store) -> None:
    with store.transaction() as tx:
        edit = CellEdit("d", OutgoingField.PASSED_ON, "", "23/11/2026")
        assert not write_cells(tx, Book.OUTGOING, [edit], NOW, "Lan")
        assert not write_cells(tx, Book.OUTGOING, [edit], NOW, "Mai")
        seen = CellEdit("d", OutgoingField.PASSED_ON, "23/11/2026", "24/11/2026")
        assert not write_cells(tx, Book.OUTGOING, [seen], NOW, "Mai")
        emptied = CellEdit("d", OutgoingField.PASSED_ON, "24/11/2026", "")
        assert not write_cells(tx, Book.OUTGOING, [emptied], NOW, "Mai")
        assert len(tx.registers.history(Book.OUTGOING, "d", "passed_on")) == 3


def test_nothing_is_written_where_one_of_the_writings_makes_no_sense(store: Store) -> None:
    edits = [CellEdit("d", OutgoingField.NOTE, "", "x"), CellEdit("d", OutgoingField.COPIES, "", "y")]
    with store.transaction() as tx:
        with pytest.raises(KnownError):
            write_cells(tx, Book.OUTGOING, edits, NOW, "Lan")
        assert tx.registers.cells(Book.OUTGOING) == {}
