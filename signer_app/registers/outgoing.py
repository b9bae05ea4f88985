"""The outgoing register (sổ đăng ký văn bản đi): documents with their numbers, numbers kept and given up, and gaps.

Reads a view of the store; any thread. Lines stand as in the book: by year, body, sequence and number. A gap is shown,
not explained: its numbers may stand in another machine's book or on paper.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain

from signer_app.outgoing.numbers import value_of
from signer_app.pdf.names import fold
from signer_app.registers.cells import OutgoingField, date_in
from signer_app.registers.model import LineKind, OutgoingLine, Remark, found, title_of
from signer_app.store.number_book import NumberEntry, NumberState
from signer_app.store.registers import Book, CellValue, IssuedDocument
from signer_app.store.sequences import BY_NOTATION, Sequences
from signer_app.store.settings import Settings
from signer_app.store.store import View
from signer_app.store.times import VIETNAM, vietnamese_date

Cells = Mapping[str, CellValue]


Made = dict[str, tuple[object, OutgoingLine]]
"""Id of a line → what it was made of, and the line."""


def outgoing_lines(
    view: View,
    settings: Settings,
    names: Mapping[str, str],
    year: int | None = None,
    body: str | None = None,
    search: str = "",
    made: Made | None = None,
) -> list[OutgoingLine]:
    """The register (of one year, of one body), the newest year first. `names`: code → name of receivers. `search`: only
    lines that have all these words, with or without diacritics; gaps are left out then. `made`: lines of an earlier
    reading with the same settings and names, which are taken again where nothing of them has changed; gets those of
    this one.
    """
    cells = view.registers.cells(Book.OUTGOING)
    sequences = {one.code: one.sequences for one in settings.bodies}
    known = {} if made is None else made
    lines = []
    entries: Iterator[IssuedDocument | NumberEntry] = chain(
        view.registers.issued(year, body), view.number_book.kept(year, body)
    )
    for one in entries:
        line_id = one.id if isinstance(one, IssuedDocument) else line_of(one)
        own = cells.get(line_id, {})
        before = known.get(line_id)
        if before is not None and before[0] == (one, own):
            lines.append(before[1])
            continue
        line = _line(one, own, names, sequences.get(one.body_code, BY_NOTATION))
        known[line_id] = (one, own), line
        lines.append(line)
    lines.sort(key=_order)
    wanted = fold(search)
    return [line for line in lines if found(line.search, wanted)] if wanted else list(_with_gaps(lines))


def outgoing_line(
    view: View, settings: Settings, names: Mapping[str, str], line_id: str, body: str, year: int
) -> OutgoingLine | None:
    """One line of a body's year as it stands now; None where it isn't there (any more)."""
    one: IssuedDocument | NumberEntry | None = view.registers.issued_one(line_id)
    if one is None:
        one = next((entry for entry in view.number_book.kept(year, body) if line_of(entry) == line_id), None)
    if one is None:
        return None
    known = settings.body(one.body_code)
    cells = view.registers.cells(Book.OUTGOING, line_id).get(line_id, {})
    return _line(one, cells, names, known.sequences if known is not None else BY_NOTATION)


def _line(
    one: IssuedDocument | NumberEntry, cells: Cells, names: Mapping[str, str], sequences: Sequences
) -> OutgoingLine:
    return (
        _document(one, cells, names, sequences) if isinstance(one, IssuedDocument) else _number(one, cells, sequences)
    )


def line_of(entry: NumberEntry) -> str:
    """The id of a number's line, where it has no document."""
    return f"{entry.body_code} {entry.year} {entry.sequence} {entry.number}"


def _order(line: OutgoingLine) -> tuple[int, str, str, int, str]:
    return -line.year, line.body_code, line.sequence, line.number, line.label


def _document(one: IssuedDocument, cells: Cells, names: Mapping[str, str], sequences: Sequences) -> OutgoingLine:
    sent = one.sent_at.astimezone(VIETNAM).date() if one.sent_at else None
    line = OutgoingLine(
        id=one.id,
        kind=LineKind.DOCUMENT,
        body_code=one.body_code,
        year=one.doc_date.year,
        sequence=sequences.key(one.notation),
        number=value_of(one.number),
        label=one.label,
        date=one.doc_date,
        title=title_of(one.type, one.subject),
        signer=one.signer_name or "",
        receivers=(*(names.get(code, code) for code in one.receivers), *one.on_paper),
        passed_on=sent,
        remarks=tuple(_remarks(one, names)),
    )
    return _written(line, cells)


def _remarks(one: IssuedDocument, names: Mapping[str, str]) -> Iterator[Remark]:
    if one.queued and one.sent_at is None:
        yield Remark("register_remark_unsent")
    if one.sent_at is not None:
        yield Remark("register_remark_sent", {"time": one.sent_at.astimezone(VIETNAM).strftime("%H:%M %d/%m/%Y")})
    for org, reason in one.returned:
        yield Remark("register_remark_returned", {"by": names.get(org, org), "reason": reason or "–"})
    if one.recalled_at is not None:
        yield Remark("register_remark_recalled", {"date": vietnamese_date(one.recalled_at)})


def _number(one: NumberEntry, cells: Cells, sequences: Sequences) -> OutgoingLine:
    voided = one.state is NumberState.VOIDED
    remark = (
        Remark("register_remark_voided", {"date": vietnamese_date(one.at), "reason": one.reason or "–"})
        if voided
        else Remark("register_remark_kept", {"name": one.subject or ""})
    )
    line = OutgoingLine(
        id=line_of(one),
        kind=LineKind.VOIDED if voided else LineKind.KEPT,
        body_code=one.body_code,
        year=one.year,
        sequence=sequences.key(one.notation),
        number=value_of(one.number),
        label=one.label,
        date=one.doc_date,
        remarks=(remark,),
    )
    return _written(line, cells)


def _written(line: OutgoingLine, cells: Cells) -> OutgoingLine:
    """The line with what the clerk wrote into its cells, and its words for searching."""

    def cell(name: OutgoingField) -> str:
        found = cells.get(name)
        return found.value if found is not None else ""

    full = replace(
        line,
        keeper=cell(OutgoingField.KEEPER),
        copies=cell(OutgoingField.COPIES),
        passed_on=date_in(cell(OutgoingField.PASSED_ON)) or line.passed_on,
        signed_for=cell(OutgoingField.SIGNED_FOR),
        note=cell(OutgoingField.NOTE),
    )
    return replace(full, search=fold(" ".join(_words(full))))


def _words(line: OutgoingLine) -> Iterable[str]:
    yield from (line.label, line.title, line.signer, line.keeper, line.signed_for, line.note, *line.receivers)
    yield from (vietnamese_date(day) for day in (line.date, line.passed_on) if isinstance(day, dt.date))
    for remark in line.remarks:
        yield from (str(value) for value in remark.params.values())


def _with_gaps(lines: Iterable[OutgoingLine]) -> Iterator[OutgoingLine]:
    """The lines in their order, with one line for each run of numbers between them that nobody here has taken."""
    series: tuple[int, str, str] | None = None
    last = 0
    for line in lines:
        own = (line.year, line.body_code, line.sequence)
        if own != series:
            series, last = own, 0
        if line.number > last + 1:
            yield OutgoingLine(
                id=f"{line.body_code} {line.year} {line.sequence} {last + 1}-{line.number - 1}",
                kind=LineKind.GAP,
                body_code=line.body_code,
                year=line.year,
                sequence=line.sequence,
                number=last + 1,
                label=_range(last + 1, line.number - 1),
                remarks=(Remark("register_remark_gap"),),
                last=line.number - 1,
            )
        last = max(last, line.number)
        yield line


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}–{last}"
