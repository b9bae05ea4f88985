"""The two registers as the window and the command line work with them: looking, writing into cells, entering what came
on paper, giving numbers up, printing, reporting.

Main process, any thread; blocks. Reads over a connection of its own, writes in short transactions. What the lines are
is for `signer_app.registers`.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from signer_app.desk.names import Names
from signer_app.desk.reading import reading
from signer_app.registers.cells import CellEdit, Conflict, write_cells
from signer_app.registers.incoming import incoming_line, incoming_lines
from signer_app.registers.model import IncomingLine, OutgoingLine
from signer_app.registers.outgoing import Made, line_of, outgoing_line, outgoing_lines
from signer_app.registers.paper_entries import PaperDocument, enter_paper, void_arrival
from signer_app.registers.period import LateDocument, PeriodReport, overdue, period_report
from signer_app.registers.typed import TypedNumber, check_typed
from signer_app.registers.writing import RegisterHead, never, write_incoming, write_outgoing
from signer_app.store.arrival_book import Arrival
from signer_app.store.registers import Book, CellValue
from signer_app.store.sequences import BY_NOTATION
from signer_app.store.settings import Exchange
from signer_app.store.store import StoreReader, View
from signer_app.store.times import VIETNAM
from signer_app.workspace import Workspace, operator_name
from signer_resources.errors import KnownError
from signer_resources.messages import Lang, text


@dataclass(frozen=True, eq=False)
class OutgoingBook:
    """The outgoing register as it stands; `years` and `bodies` are those that it could be narrowed to."""

    lines: tuple[OutgoingLine, ...]
    years: tuple[int, ...]
    bodies: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class IncomingBook:
    """The incoming register as it stands."""

    lines: tuple[IncomingLine, ...]
    years: tuple[int, ...]
    bodies: tuple[str, ...]


class RegisterBooks:
    """The registers of one workspace."""

    def __init__(self, space: Workspace, names: Names) -> None:
        self._space = space
        self._names = names
        self._made: tuple[object, Made] = None, {}

    def outgoing(self, year: int | None = None, body: str | None = None, search: str = "") -> OutgoingBook:
        """The outgoing register (of one year, of one body), or its lines that have all words of `search`."""
        with self._reader().view() as view:
            names, settings = self._all_names(), self._space.settings
            lines = outgoing_lines(view, settings, names, year, body, search, self._made_of((names, settings.bodies)))
            return OutgoingBook(tuple(lines), view.registers.years(), view.registers.bodies())

    def incoming(self, year: int | None = None, body: str | None = None, search: str = "") -> IncomingBook:
        """The incoming register, as `outgoing`."""
        with self._reader().view() as view:
            lines = incoming_lines(view, year, body, search)
            return IncomingBook(tuple(lines), view.arrivals.years(), view.arrivals.bodies())

    def line(self, line: OutgoingLine | IncomingLine) -> OutgoingLine | IncomingLine | None:
        """A line as it stands now; None where it isn't there any more."""
        with self._reader().view() as view:
            if isinstance(line, IncomingLine):
                return incoming_line(view, line.id)
            return outgoing_line(view, self._space.settings, self._all_names(), line.id, line.body_code, line.year)

    def write(self, book: Book, edits: Iterable[CellEdit]) -> tuple[Conflict, ...]:
        """Writes into cells; what met another's writing is given back unwritten. KnownError as `write_cells`, and
        "register_line_unknown" for a line of the outgoing register that isn't there (or is a gap).
        """
        return self._write(book, list(edits))[0]

    def _write(self, book: Book, wanted: list[CellEdit]) -> tuple[tuple[Conflict, ...], int]:
        if book is Book.OUTGOING:
            with self._reader().view() as view:
                self._require_lines(view, {edit.line for edit in wanted})
        at, operator, store = self._space.now(), operator_name(), self._space.store
        return store.write(lambda tx: (write_cells(tx, book, wanted, at, operator), store.commits))

    def write_one(self, book: Book, edit: CellEdit) -> int:
        """Writes into one cell; `Store.commits` as it was before. As `write`, and KnownError "register_cell_changed"
        where somebody else has by now.
        """
        conflicts, commits = self._write(book, [edit])
        for conflict in conflicts:
            at = conflict.now.at.astimezone(VIETNAM).strftime("%H:%M %d/%m/%Y")
            raise KnownError("register_cell_changed", operator=conflict.now.operator, time=at, value=conflict.now.value)
        return commits

    def history(self, book: Book, line: str, field: str) -> tuple[CellValue, ...]:
        """All that was written into a cell, the oldest first."""
        with self._reader().view() as view:
            return view.registers.history(book, line, field)

    def enter_paper(self, body_code: str, paper: PaperDocument) -> int:
        """Enters a document that came on paper; its số đến. KnownError as `paper_entries.enter_paper`, and
        "arrival_external" for a body for which another system receives.
        """
        self._require_ours(body_code)
        now = self._space.now()
        return self._space.store.write(lambda tx: enter_paper(tx, body_code, paper, now, operator_name()))

    def void_arrival(self, body_code: str, year: int, number: int, reason: str) -> Arrival:
        """Gives a số đến up; KnownError "arrival_number_unknown", "arrival_void_reason"."""
        now = self._space.now()
        return self._space.store.write(
            lambda tx: void_arrival(tx, body_code, year, number, reason, now, operator_name())
        )

    def begin_after(self, body_code: str, year: int, last: int) -> None:
        """The book on paper went up to `last`; KnownError "arrival_start_late", "arrival_external"."""
        self._require_ours(body_code)
        now = self._space.now()
        self._space.store.write(lambda tx: tx.arrivals.begin_after(body_code, year, last, now, operator_name()))

    def check_typed(
        self, body_code: str, notation: str, typed: str, day: dt.date, owner: str | None = None
    ) -> TypedNumber:
        """A number that the clerk took from the book on paper; KnownError as `typed.check_typed`."""
        body = self._space.settings.body(body_code)
        sequences = body.sequences if body is not None else BY_NOTATION
        with self._reader().view() as view:
            return check_typed(view, body_code, notation, typed, day, sequences, owner)

    def export(
        self,
        book: Book,
        target: Path,
        lang: Lang,
        year: int | None = None,
        body: str | None = None,
        search: str = "",
        cancelled: Callable[[], bool] = never,
    ) -> None:
        """Writes a register as .pdf, .xlsx or .csv; raises as `registers.writing`."""
        head = RegisterHead(self.body_name(body, lang), year, search)
        now = self._space.now()
        if book is Book.OUTGOING:
            write_outgoing(self.outgoing(year, body, search).lines, head, target, lang, now, cancelled)
        else:
            write_incoming(self.incoming(year, body, search).lines, head, target, lang, now, cancelled)

    def report(self, first: dt.date, last: dt.date, body: str | None = None) -> PeriodReport:
        """The report on these days; KnownError "report_period"."""
        with self._reader().view() as view:
            return period_report(view, self._space.settings, first, last, self._space.now(), body)

    def write_report(self, report: PeriodReport, target: Path, lang: Lang) -> None:
        """Writes a report as .pdf, .xlsx or .csv; raises as `period_writing.write_period`."""
        from signer_app.registers.period_writing import write_period

        write_period(report, self.body_name(report.body, lang), target, lang)

    def overdue(self, body: str | None = None) -> tuple[LateDocument, ...]:
        """Documents that should have left and haven't, the oldest first."""
        with self._reader().view() as view:
            return overdue(view, self._space.settings, self._space.now(), body)

    def body_name(self, code: str | None, lang: Lang) -> str:
        """What stands above a paper: a body's name, or that of all of them."""
        bodies = self._space.settings.bodies
        if code is None:
            return bodies[0].name if len(bodies) == 1 else text("register_all_bodies", lang)
        known = self._space.settings.body(code)
        return known.name if known is not None else self._names.all().get(code, code)

    def _all_names(self) -> dict[str, str]:
        return {**self._names.all(), **{one.code: one.name for one in self._space.settings.bodies}}

    def _made_of(self, ground: object) -> Made:
        """Lines that were made of the same names and settings, to be taken again; each reading gets a copy of its own,
        for another may run.
        """
        known, made = self._made
        self._made = ground, dict(made) if known == ground else {}
        return self._made[1]

    def _require_lines(self, view: View, wanted: set[str]) -> None:
        """KnownError "register_line_unknown" unless each is a document with a number, or a number without one."""
        for line in wanted:
            document = view.documents.get(line)
            if document is not None and document.number is not None:
                continue
            if all(line_of(entry) != line for entry in view.number_book.kept(None, None)):
                raise KnownError("register_line_unknown")

    def _reader(self) -> StoreReader:
        """Without the data folder's lock (beside a window, say) there is only a reader."""
        return reading(self._space) if self._space.folder.locked else self._space.reader

    def _require_ours(self, body_code: str) -> None:
        body = self._space.settings.body(body_code)
        if body is not None and body.exchange is Exchange.EXTERNAL:
            raise KnownError("arrival_external", body=body.name)
