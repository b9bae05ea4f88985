"""What clerks write into the registers: which cells there are, what may stand in them, and how two writers get along.

Works inside a transaction of the store; any thread. Writings into different cells both stand. Who writes into a cell
that says something else by now than what was read is told what it says, and by whom: nothing is written over unseen.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from signer_app.store.registers import Book, CellValue
from signer_app.store.store import Transaction
from signer_resources.errors import KnownError

_LONGEST = 1000
_MOST_COPIES = 100_000
_DAY = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})\Z")


class OutgoingField(StrEnum):
    """Cells of the outgoing register that a clerk writes."""

    KEEPER = "keeper"
    """Đơn vị, người nhận bản lưu."""
    COPIES = "copies"
    """Số lượng bản."""
    PASSED_ON = "passed_on"
    """Ngày chuyển."""
    SIGNED_FOR = "signed_for"
    """Ký nhận."""
    NOTE = "note"
    """Ghi chú."""


class IncomingField(StrEnum):
    """Cells of the incoming register that a clerk writes; the first four only of what came on paper."""

    AUTHOR = "author"
    LABEL = "label"
    DATE = "date"
    TITLE = "title"
    PASSED_TO = "passed_to"
    """Đơn vị hoặc người nhận."""
    PASSED_ON = "passed_on"
    SIGNED_FOR = "signed_for"
    NOTE = "note"


_OF_PAPER = frozenset({IncomingField.AUTHOR, IncomingField.LABEL, IncomingField.DATE, IncomingField.TITLE})
_DATES = frozenset({OutgoingField.PASSED_ON, IncomingField.PASSED_ON, IncomingField.DATE})


@dataclass(frozen=True)
class CellEdit:
    """A writing: what the clerk saw in the cell before, and what it shall say. Dates as dd/mm/yyyy."""

    line: str
    field: OutgoingField | IncomingField
    seen: str
    value: str


@dataclass(frozen=True)
class Conflict:
    """A writing that was not made because somebody else had written there meanwhile."""

    edit: CellEdit
    now: CellValue


def write_cells(
    tx: Transaction, book: Book, edits: Iterable[CellEdit], at: dt.datetime, operator: str
) -> tuple[Conflict, ...]:
    """Writes what can be written; the writings that met another's are given back. Two who write the same don't differ.

    KnownError "register_cell_date", "register_cell_copies", "register_cell_long", "register_cell_fixed" (a fact of what
    came electronically), before anything is written; ValueError for a line of the incoming register that isn't there.
    """
    wanted = [(edit, checked(edit.field, edit.value)) for edit in edits]
    if book is Book.INCOMING:
        for edit, _value in wanted:
            _require_writable(tx, edit)
    conflicts = []
    for edit, value in wanted:
        now = tx.registers.cell(book, edit.line, edit.field)
        if now is not None and now.value not in (checked(edit.field, edit.seen), value):
            conflicts.append(Conflict(edit, now))
        else:
            tx.registers.write(book, edit.line, edit.field, value, at, operator)
    return tuple(conflicts)


def checked(field: OutgoingField | IncomingField, typed: str) -> str:
    """What was typed in the form in which it is kept: one line, dates as ISO 8601; KnownError as `write_cells`."""
    one_line = " ".join(unicodedata.normalize("NFC", typed).split())
    value = "".join(letter for letter in one_line if unicodedata.category(letter) not in ("Cc", "Cf", "Co", "Cs"))
    if len(value) > _LONGEST:
        raise KnownError("register_cell_long", most=_LONGEST)
    if value and field in _DATES:
        day = typed_date(value)
        if day is None:
            raise KnownError("register_cell_date", value=value)
        return day.isoformat()
    if value and field is OutgoingField.COPIES:
        if not (value.isascii() and value.isdigit() and int(value[:9]) <= _MOST_COPIES and len(value) < 9):
            raise KnownError("register_cell_copies", value=value)
        return str(int(value))
    return value


def typed_date(value: str) -> dt.date | None:
    """A date as people type it (dd/mm/yyyy), or as ISO 8601; None for anything else."""
    found = _DAY.match(value.strip())
    try:
        if found:
            return dt.date(int(found[3]), int(found[2]), int(found[1]))
        return dt.date.fromisoformat(value.strip())
    except ValueError:
        return None


def date_in(kept: str) -> dt.date | None:
    """The date that a cell holds; None for an empty one."""
    return dt.date.fromisoformat(kept) if kept else None


def _require_writable(tx: Transaction, edit: CellEdit) -> None:
    arrival = tx.arrivals.get(edit.line)
    if arrival is None:
        raise ValueError("no such line")
    if edit.field in _OF_PAPER and not arrival.on_paper:
        raise KnownError("register_cell_fixed")
