"""What the pages of the two registers have done on other threads: reading a register, details of a line, files.

Blocks; touches no widget, loads no Qt. Read over the readers' connection, so that no signing waits.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from signer_app.desk.desk import Desk
from signer_app.desk.reading import reading
from signer_app.desk.register import Years
from signer_app.outgoing.model import Changes, State
from signer_app.outgoing.numbers import owner_of, takes_number
from signer_app.registers.cells import CellEdit
from signer_app.registers.model import IncomingLine, LineKind, OutgoingLine
from signer_app.registers.outgoing import line_of
from signer_app.registers.rights import Right
from signer_app.registers.typed import TypedNumber
from signer_app.registers.writing import RegisterHead, write_incoming, write_outgoing
from signer_app.store.registers import Book
from signer_resources.errors import KnownError
from signer_ui.panes.register_work import find
from signer_ui.presenters.incoming import Answering
from signer_ui.presenters.register import DetailsView, details_view, number_view
from signer_ui.presenters.register_books import Counts, Line, arrival_view, count_lines, gap_view, newest
from signer_ui.words import Words


@dataclass(frozen=True, eq=False)
class Shelf:
    """A register as it was read. `year` None: all years; `key` is what it was read by, `commits` how much had been
    written by then.
    """

    key: object
    commits: int
    lines: tuple[Line, ...]
    by_id: Mapping[str, Line]
    year: int | None
    years: tuple[int, ...]
    bodies: tuple[tuple[str, str], ...]
    """Code and name of those that it could be narrowed to."""
    counts: Counts
    newest: str

    def with_line(self, line: Line, commits: int) -> "Shelf":
        """The same but for one line, after the writing that changed it and nothing else."""
        lines = tuple(line if one.id == line.id else one for one in self.lines)
        return replace(self, commits=commits, lines=lines, by_id={**self.by_id, line.id: line})

    def changed_since(self, before: "Shelf") -> dict[str, Line] | None:
        """The lines that say something else than before, by their ids; None where lines came, went or moved."""
        if len(self.lines) != len(before.lines) or any(
            one.id != old.id for one, old in zip(self.lines, before.lines, strict=True)
        ):
            return None
        pairs = zip(self.lines, before.lines, strict=True)
        return {one.id: one for one, old in pairs if one is not old and one != old}


@dataclass(frozen=True)
class Wanted:
    """Which register, and what it is narrowed to."""

    book: Book
    year: int | Years
    body: str | None


def look(desk: Desk, wanted: Wanted, known: Shelf | None, words: Words) -> Shelf:
    """The register; `known` again while nothing has changed."""
    key, commits = (wanted, desk.space.settings.bodies), desk.space.store.commits
    if known is not None and (known.key, known.commits) == (key, commits):
        return known
    with reading(desk.space).view() as view:
        years = view.registers.years() if wanted.book is Book.OUTGOING else view.arrivals.years()
    year = (years[0] if years else None) if wanted.year is Years.NEWEST else wanted.year
    only = year if isinstance(year, int) else None
    books = desk.register_books
    shelf = books.outgoing(only, wanted.body) if wanted.book is Book.OUTGOING else books.incoming(only, wanted.body)
    return Shelf(
        key,
        commits,
        shelf.lines,
        {line.id: line for line in shelf.lines},
        only,
        shelf.years,
        tuple((code, books.body_name(code, words.lang)) for code in shelf.bodies),
        count_lines(shelf.lines),
        newest(shelf.lines),
    )


def write_cell(desk: Desk, book: Book, line: Line, edit: CellEdit) -> tuple[int, Line | None]:
    """Writes into a cell; how much had been written before, and the line as it stands now. Raises as
    `RegisterBooks.write_one`.
    """
    commits = desk.register_books.write_one(book, edit)
    return commits, desk.register_books.line(line)


def details(desk: Desk, line: Line, words: Words) -> DetailsView | None:
    """All that is known of a line; None where it is gone by now."""
    if line.kind is LineKind.GAP:
        return gap_view(line, words)
    body = desk.register_books.body_name(line.body_code, words.lang)
    if isinstance(line, IncomingLine):
        with reading(desk.space).view() as view:
            arrival = view.arrivals.get(line.id)
        return arrival_view(line, arrival, body, desk.now(), words) if arrival is not None else None
    if line.kind is LineKind.DOCUMENT:
        return _document(desk, line, words)
    with reading(desk.space).view() as view:
        number = next(
            (one for one in view.number_book.kept(line.year, line.body_code) if line_of(one) == line.id), None
        )
    return number_view(number, {line.body_code: body}, desk.now(), words) if number is not None else None


def _document(desk: Desk, line: OutgoingLine, words: Words) -> DetailsView | None:
    snapshot = desk.register.look(line.year, line.body_code)
    entry = snapshot.by_id.get(line.id) if snapshot is not None else None
    if snapshot is None or entry is None:
        return None
    found = find(desk, line.id)
    ours = Answering.of(desk.space.settings).orgs
    return details_view(entry, found.details, found.levels, snapshot.names, desk.now(), words, ours)


def export(
    desk: Desk,
    wanted: Wanted,
    year: int | None,
    only: Collection[str] | None,
    searched: str,
    target: Path,
    words: Words,
    cancelled: Callable[[], bool],
) -> None:
    """Writes the register as it stands now; `only`: just these lines, which were found by the words `searched`.

    Raises as `registers.writing`.
    """
    books = desk.register_books
    if only is None:
        books.export(wanted.book, target, words.lang, year, wanted.body, cancelled=cancelled)
        return
    head = RegisterHead(books.body_name(wanted.body, words.lang), year, searched)
    if wanted.book is Book.OUTGOING:
        going = [line for line in books.outgoing(year, wanted.body).lines if line.id in only]
        write_outgoing(going, head, target, words.lang, desk.now(), cancelled)
    else:
        coming = [line for line in books.incoming(year, wanted.body).lines if line.id in only]
        write_incoming(coming, head, target, words.lang, desk.now(), cancelled)


# ---- a number from the book on paper ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Numberless:
    """A document that waits for its number. `register`: the one from which this machine numbers it by itself; empty:
    none.
    """

    id: str
    title: str
    register: str


def numberless(desk: Desk) -> tuple[Numberless, ...]:
    """The documents that wait for a number, as they stand in the grid."""
    ours = {one.name for one in desk.number_rights.standings() if one.right is Right.HERE}
    return tuple(
        Numberless(row.draft.id, row.draft.subject or row.draft.main.name, row.register if row.register in ours else "")
        for row in desk.outgoing.rows()
        if takes_number(row.draft) and not row.draft.number and row.state not in (State.SIGNING, State.SIGNED)
    )


def check_typed(desk: Desk, body: str, document: str, typed: str) -> TypedNumber:
    """What a number from the book on paper says; KnownError as `RegisterBooks.check_typed`, or "out_gone"."""
    row = next((one for one in desk.outgoing.rows() if one.draft.id == document), None)
    if row is None:
        raise KnownError("out_gone")
    number, _slash, notation = typed.partition("/")
    notation = notation.strip() or row.draft.notation
    return desk.register_books.check_typed(body, notation, number, row.date, owner_of(row.draft))


def take_typed(desk: Desk, body: str, document: str, typed: str) -> str:
    """Gives the document that number; what it is called then. Raises as `check_typed`."""
    number = check_typed(desk, body, document, typed)
    label = f"{number.number}/{number.notation}" if number.notation else number.number
    desk.outgoing.edit(document, Changes(number=label))
    return label
