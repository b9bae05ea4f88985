"""The incoming register (sổ đăng ký văn bản đến): what came, on paper and electronically, under one row of numbers.

Reads a view of the store; any thread. Numbers are given by the book alone, one
after the other.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from signer_app.pdf.names import fold
from signer_app.registers.cells import IncomingField, date_in
from signer_app.registers.model import IncomingLine, LineKind, Remark, found, title_of
from signer_app.store.arrival_book import Arrival
from signer_app.store.registers import Book, CellValue
from signer_app.store.store import View
from signer_app.store.times import vietnamese_date


def incoming_lines(
    view: View, year: int | None = None, body: str | None = None, search: str = ""
) -> list[IncomingLine]:
    """The register (of one year, of one body), the newest year first; `search` as in the outgoing one."""
    cells = view.registers.cells(Book.INCOMING)
    passed = view.registers.transfers()
    lines = [
        _line(one, cells.get(one.id, {}), passed.get(one.incoming or "", ("", None)))
        for one in view.arrivals.list(year, body)
    ]
    wanted = fold(search)
    if wanted:
        return [line for line in lines if found(line.search, wanted)]
    starts = {key: view.arrivals.start(*key) for key in {(line.body_code, line.year) for line in lines}}
    return list(_with_gaps(lines, starts))


def incoming_line(view: View, line_id: str) -> IncomingLine | None:
    """One line as it stands now; None where it isn't there."""
    one = view.arrivals.get(line_id)
    if one is None:
        return None
    passed = view.registers.transfers(one.incoming).get(one.incoming, ("", None)) if one.incoming else ("", None)
    return _line(one, view.registers.cells(Book.INCOMING, line_id).get(line_id, {}), passed)


def _line(one: Arrival, cells: Mapping[str, CellValue], passed: tuple[str, dt.date | None]) -> IncomingLine:
    """The line; `passed`: to whom and when it was passed on after it was accepted, if the clerk writes nothing else."""

    def cell(name: IncomingField, else_: str = "") -> str:
        found = cells.get(name)
        return found.value if found is not None else else_

    typed_date = date_in(cell(IncomingField.DATE)) if one.on_paper else None
    line = IncomingLine(
        id=one.id,
        kind=LineKind.VOIDED if one.voided else LineKind.DOCUMENT,
        body_code=one.body_code,
        year=one.year,
        number=one.number,
        arrived_on=one.arrived_on,
        # What came electronically says so itself; what the clerk typed from paper may be corrected.
        author=cell(IncomingField.AUTHOR, one.author) if one.on_paper else one.author,
        label=cell(IncomingField.LABEL, one.label) if one.on_paper else one.label,
        date=typed_date or one.doc_date,
        date_text="" if typed_date or one.doc_date else one.doc_date_text,
        title=cell(IncomingField.TITLE, title_of(one.type, one.subject))
        if one.on_paper
        else title_of(one.type, one.subject),
        passed_to=cell(IncomingField.PASSED_TO, passed[0]),
        passed_on=date_in(cell(IncomingField.PASSED_ON)) or passed[1],
        signed_for=cell(IncomingField.SIGNED_FOR),
        note=cell(IncomingField.NOTE),
        on_paper=one.on_paper,
        remarks=tuple(_remarks(one)),
    )
    words = (
        str(line.number), line.author, line.label, line.title, line.passed_to, line.signed_for, line.note,
        line.date_text, *(vietnamese_date(day) for day in (line.arrived_on, line.date, line.passed_on) if day),
        one.void_reason or "",
    )  # fmt: skip
    return _searched(line, words)


def _searched(line: IncomingLine, words: Iterable[str]) -> IncomingLine:
    return replace(line, search=fold(" ".join(words)))


def _remarks(one: Arrival) -> Iterator[Remark]:
    if one.voided_at is not None:
        yield Remark("register_remark_voided", {"date": vietnamese_date(one.voided_at), "reason": one.void_reason})
    yield Remark("register_remark_paper" if one.on_paper else "register_remark_electronic")


def _with_gaps(lines: Iterable[IncomingLine], starts: Mapping[tuple[str, int], int]) -> Iterator[IncomingLine]:
    """The lines, and before the first of a year one for the numbers of the book on paper. There are no other gaps: the
    book gives numbers one after the other, and loses none.
    """
    before: tuple[str, int] | None = None
    for line in lines:
        own = (line.body_code, line.year)
        if own != before and (last := starts[own]):
            first = "1" if last == 1 else f"1–{last}"
            yield IncomingLine(
                id=f"{line.body_code} {line.year} 1-{last}",
                kind=LineKind.GAP,
                body_code=line.body_code,
                year=line.year,
                number=1,
                label=first,
                remarks=(Remark("register_remark_paper_book", {"numbers": first}),),
                last=last,
            )
        before = own
        yield line
