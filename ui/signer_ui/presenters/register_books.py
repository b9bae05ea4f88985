"""What the two registers say on the screen: their ten columns, which cells are typed, counts, details of a line.

Pure values in and out; loads no Qt. Columns and their order are those of Decree 30/2020, annex IV.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from signer_app.registers.cells import CellEdit, IncomingField, OutgoingField, checked, date_in
from signer_app.registers.model import IncomingLine, LineKind, OutgoingLine
from signer_app.store.arrival_book import Arrival
from signer_app.store.registers import Book
from signer_app.store.times import VIETNAM
from signer_ui.presenters.figures import count, day, time_of
from signer_ui.presenters.grid import Column, Editor, Shade
from signer_ui.presenters.register import ArrivalNumber, DetailsView, Fact
from signer_ui.words import Words

Line = OutgoingLine | IncomingLine
L = TypeVar("L", OutgoingLine, IncomingLine)
CellField = OutgoingField | IncomingField


class Part(StrEnum):
    """What the tab shows: one of the two registers, or all that was signed here, with a number or without."""

    OUTGOING = "outgoing"
    INCOMING = "incoming"
    SIGNED = "signed"


_FIELDS: Mapping[Book, Mapping[str, CellField]] = {
    Book.OUTGOING: {
        "register_out_keeper": OutgoingField.KEEPER,
        "register_out_copies": OutgoingField.COPIES,
        "register_passed_on": OutgoingField.PASSED_ON,
        "register_signed_for": OutgoingField.SIGNED_FOR,
        "register_note": OutgoingField.NOTE,
    },
    Book.INCOMING: {
        "register_in_author": IncomingField.AUTHOR,
        "register_in_label": IncomingField.LABEL,
        "register_in_date": IncomingField.DATE,
        "register_in_title": IncomingField.TITLE,
        "register_in_passed_to": IncomingField.PASSED_TO,
        "register_passed_on": IncomingField.PASSED_ON,
        "register_signed_for": IncomingField.SIGNED_FOR,
        "register_note": IncomingField.NOTE,
    },
}
"""Book → column → the cell that is typed there."""
_DATES = frozenset({"passed_on", "date"})
_DAWN = dt.date.min


@dataclass(frozen=True)
class Counts:
    """Of the lines of a register."""

    documents: int = 0
    kept: int = 0
    voided: int = 0
    missing: int = 0


def count_lines(lines: Iterable[Line]) -> Counts:
    """How many lines stand for what; `missing` are numbers, not lines."""
    found = dict.fromkeys(LineKind, 0)
    for line in lines:
        found[line.kind] += line.last - line.number + 1 if line.kind is LineKind.GAP else 1
    return Counts(*(found[kind] for kind in (LineKind.DOCUMENT, LineKind.KEPT, LineKind.VOIDED, LineKind.GAP)))


def counts_text(book: Book, counts: Counts, shown: int, lines: int, words: Words) -> str:
    """What stands below the register; `shown` of its `lines` are on the screen."""
    if shown < lines:
        return words("ur_found", shown=count(shown, words), lines=count(lines, words))
    told = [words("ut_register_count", count=count(counts.documents, words))]
    for key, number in (
        ("ur_count_kept", counts.kept),
        ("ur_count_voided" if book is Book.OUTGOING else "ur_count_cancelled", counts.voided),
        # The book gives numbers of arrival one after the other: what is not here stands on paper.
        ("ur_count_missing" if book is Book.OUTGOING else "ur_count_paper", counts.missing),
    ):
        if number:
            told.append(words(key, count=count(number, words)))
    return " · ".join(told)


def newest(lines: Iterable[Line]) -> str:
    """Id of the line that was written last into the book; empty where there is none."""

    def when(line: Line) -> tuple[int, dt.date, int]:
        return line.year, (line.arrived_on if isinstance(line, IncomingLine) else line.date) or _DAWN, line.number

    last = max((line for line in lines if line.kind is not LineKind.GAP), key=when, default=None)
    return last.id if last is not None else ""


# ---- columns ---------------------------------------------------------------------------------------------------------


def outgoing_columns(words: Words) -> tuple[Column[OutgoingLine], ...]:
    """The ten columns of the outgoing register."""

    def told(line: OutgoingLine) -> str:
        return line.remarks_told(words.lang)

    def receivers(line: OutgoingLine) -> str:
        return "; ".join(line.receivers)

    return (
        Column("register_out_label", lambda line: line.label, 8.6, sort=_out_number, shade=_grey),
        Column("register_out_date", lambda line: day(line.date), 6, sort=lambda line: line.date or _DAWN, shade=_grey),
        Column("register_out_title", _title, 11, tip=_title, stretch=True, shade=_grey),
        Column("register_out_signer", lambda line: line.signer, 9.4, tip=lambda line: line.signer, keep_end=True),
        Column("register_out_receivers", receivers, 8, tip=receivers),
        _typed("register_out_keeper", lambda line: line.keeper, 7.5),
        _typed("register_out_copies", lambda line: line.copies, 4.7, sort=lambda line: _whole(line.copies)),
        _typed("register_passed_on", lambda line: day(line.passed_on), 6, sort=lambda line: line.passed_on or _DAWN),
        _typed("register_signed_for", lambda line: line.signed_for, 6),
        _typed("register_note", told, 11, start=lambda line: line.note, shade=_remarked),
    )


def incoming_columns(words: Words) -> tuple[Column[IncomingLine], ...]:
    """The ten columns of the incoming register."""

    def told(line: IncomingLine) -> str:
        return line.remarks_told(words.lang)

    return (
        Column(
            "register_in_arrived",
            lambda line: day(line.arrived_on),
            6,
            sort=lambda line: (line.arrived_on or _DAWN, line.number),
            shade=_grey,
        ),
        Column("register_in_number", number_text, 4.7, sort=lambda line: (line.year, line.number), shade=_grey),
        _typed("register_in_author", lambda line: line.author, 9, allowed=_is_paper),
        _typed("register_in_label", lambda line: "" if line.last else line.label, 7.5, allowed=_is_paper),
        _typed(
            "register_in_date",
            lambda line: day(line.date) or line.date_text,
            6,
            sort=lambda line: line.date or _DAWN,
            allowed=_is_paper,
        ),
        _typed("register_in_title", lambda line: line.title, 12, allowed=_is_paper, stretch=True),
        _typed("register_in_passed_to", lambda line: line.passed_to, 8.5),
        _typed("register_passed_on", lambda line: day(line.passed_on), 6, sort=lambda line: line.passed_on or _DAWN),
        _typed("register_signed_for", lambda line: line.signed_for, 6),
        _typed("register_note", told, 9, start=lambda line: line.note, shade=_remarked),
    )


def number_text(line: IncomingLine) -> str:
    """The số đến; of a gap its range."""
    return line.label if line.last else str(line.number)


def _typed(
    key: str,
    text: Callable[[L], str],
    width_em: float,
    *,
    sort: Callable[[L], Any] | None = None,
    start: Callable[[L], str] | None = None,
    shade: Callable[[L], Shade | None] | None = None,
    allowed: Callable[[L], bool] | None = None,
    stretch: bool = False,
) -> Column[L]:
    """A column that the clerk writes in."""
    editor = Editor[L](start=start or text, allowed=allowed or _is_written)
    return Column(key, text, width_em, sort=sort, editor=editor, tip=text, shade=shade or _grey, stretch=stretch)


def _is_written(line: Line) -> bool:
    """Numbers of which nothing is known have no line of their own to write in."""
    return line.kind is not LineKind.GAP


def _is_paper(line: IncomingLine) -> bool:
    """What came electronically says of itself what it is."""
    return line.on_paper and line.kind is not LineKind.GAP


def _title(line: OutgoingLine) -> str:
    return line.title


def _whole(text: str) -> int:
    return int(text) if text.isdigit() else -1


def _out_number(line: OutgoingLine) -> tuple[int, int, str]:
    return line.year, line.number, line.label


def _grey(line: Line) -> Shade | None:
    """A number without a document stands there in grey."""
    return None if line.kind is LineKind.DOCUMENT else Shade.MUTED


def _remarked(line: Line) -> Shade | None:
    """What came back catches the eye; its words say the same."""
    keys = {remark.key for remark in line.remarks}
    if "register_remark_returned" in keys:
        return Shade.BAD
    return Shade.WARN if "register_remark_recalled" in keys else _grey(line)


# ---- writing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Written:
    """What was typed into a cell: the writing that is wanted, and the line as it says then."""

    edit: CellEdit
    line: Line


def write(book: Book, line: Line, column: str, typed: str) -> Written:
    """The cell `column` of `line` is to say what was `typed`; KnownError as `cells.checked`."""
    field = _FIELDS[book][column]
    value = checked(field, typed)
    seen = getattr(line, field.value)
    changes: dict[str, Any] = {field.value: date_in(value) if field.value in _DATES else value}
    if field is IncomingField.DATE:
        changes["date_text"] = ""
    edit = CellEdit(line.id, field, day(seen) if field.value in _DATES else seen, typed)
    return Written(edit, replace(line, **changes))


# ---- details ---------------------------------------------------------------------------------------------------------


def gap_view(line: Line, words: Words) -> DetailsView:
    """Numbers of which this machine knows nothing."""
    told = line.remarks_told(words.lang)
    note = words("ur_gap_told") if isinstance(line, OutgoingLine) else ""
    return DetailsView(line.label, told, (), (), (), note=note)


def arrival_view(line: IncomingLine, arrival: Arrival, body: str, now: dt.datetime, words: Words) -> DetailsView:
    """A line of the incoming register; a number that is in use may be given up."""
    voided = line.kind is LineKind.VOIDED
    at = time_of(arrival.at.astimezone(VIETNAM), now)
    told = (
        (words("register_in_arrived"), day(line.arrived_on)),
        (words("register_in_author"), line.author),
        (words("register_in_label"), line.label),
        (words("register_in_date"), day(line.date) or line.date_text),
        (words("register_in_passed_to"), line.passed_to),
        (words("register_passed_on"), day(line.passed_on)),
        (words("register_signed_for"), line.signed_for),
        (words("register_note"), line.remarks_told(words.lang)),
        (words("ur_entered"), words("ur_entered_by", time=at, operator=arrival.operator)),
    )
    return DetailsView(
        line.title or words("ut_no_subject"),
        " · ".join(part for part in (words("ur_arrival", number=line.number), body) if part),
        tuple(Fact(what, value) for what, value in told if value),
        (),
        (),
        note=words("ur_void_told") if voided else "",
        arrival=None if voided else ArrivalNumber(line.body_code, line.year, line.number),
    )
