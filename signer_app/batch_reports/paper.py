"""A report as a paper: the facts of the batch, then its files in a table over any number of pages, A4 landscape, in the
look of the program's other papers.

Main process, any thread. Pages go to disk as they are full. All that is set may be foreign text: what the fonts can't
print becomes a question mark, what is too wide is broken.
"""

import datetime as dt
import importlib.metadata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from signer_app.batch_reports.model import ReportHead, ReportLine
from signer_app.batch_reports.streamed import StreamedPdf, font_name
from signer_app.batch_reports.words import head_facts, seconds_told, state_told, title, warnings_told, whole_told
from signer_app.paper.sheet import BLACK, Ink, Span, broken, printable, text_of, width_of
from signer_app.pdf.fonts import face
from signer_app.pdf.geometry import mm_to_pt
from signer_app.pdf.plan import Style
from signer_app.store.model import FileState
from signer_app.store.times import vietnamese_date
from signer_app.verification.facts import moment
from signer_resources.messages import Lang, text

_WIDTH, _HEIGHT = mm_to_pt(297), mm_to_pt(210)
_LEFT, _RIGHT = mm_to_pt(30), _WIDTH - mm_to_pt(15)
_TOP, _BOTTOM = _HEIGHT - mm_to_pt(20), mm_to_pt(20)
"""20 mm above and below, 30 left, 15 right (Decree 30/2020, annex I, section I.4)."""
_TEXT = _RIGHT - _LEFT
_LABEL = mm_to_pt(50)
_GUTTER = mm_to_pt(2)
_SIZE, _LEADING = 11.0, 14.5
_CELL, _CELL_LEADING = 9.5, 12.0
_SMALL, _SMALL_LEADING = 7.5, 9.5
_LONGEST = 600
"""Letters of one cell; what somebody calls a file may be a novel."""
_STYLES = (Style.REGULAR, Style.BOLD, Style.ITALIC)
_INKS: dict[FileState, Ink] = {FileState.REFUSED: (0.72, 0.07, 0.07), FileState.FAILED: (0.72, 0.07, 0.07)}
"""The words say it too: a printer may know no colours."""


@dataclass(frozen=True)
class _Column:
    head: str
    share: float


def write_pdf(out: BinaryIO, head: ReportHead, lines: Iterable[ReportLine], lang: Lang, now: dt.datetime) -> None:
    """The report as it stands at `now`; OSError as the disk gives it."""
    paper = _Paper(out)
    version = importlib.metadata.version("signer")
    paper.title(title(lang).upper(), text("batch_report_made", lang, time=moment(now), version=version))
    for fact in head_facts(head, lang):
        paper.fact(fact.what, fact.value)
    paper.table(_columns(lang))
    for line in lines:
        paper.row(_cells(line, lang), _under(line, lang), _INKS.get(line.state, BLACK))
    paper.end(title(lang), "vi-VN" if lang == "vi" else "en")


def _columns(lang: Lang) -> tuple[_Column, ...]:
    return (
        _Column(text("batch_report_head_position", lang), 0.05),
        _Column(text("batch_report_head_label", lang), 0.13),
        _Column(text("batch_report_head_date", lang), 0.08),
        _Column(text("batch_report_head_name", lang), 0.22),
        _Column(text("batch_report_head_state", lang), 0.10),
        _Column(text("batch_report_head_remarks", lang), 0.32),
        _Column(text("batch_report_head_level", lang), 0.05),
        _Column(text("batch_report_head_seconds", lang), 0.05),
    )


def _cells(line: ReportLine, lang: Lang) -> tuple[str, ...]:
    remarks = " ".join(part for part in (whole_told(line.reason, lang), warnings_told(line, lang)) if part)
    return (
        str(line.position),
        line.label or "",
        vietnamese_date(line.date) if line.date else "",
        line.name,
        state_told(line.state, lang),
        remarks,
        (line.level or "").upper(),
        seconds_told(line.seconds, lang),
    )


def _under(line: ReportLine, lang: Lang) -> tuple[str, ...]:
    """What stands small below the cells: places and hashes."""
    told = [text("batch_report_under_folder", lang, folder=line.folder)]
    if line.output is not None:
        told.append(text("batch_report_under_output", lang, output=line.output))
    hashes = [
        text(key, lang, sha256=sha256)
        for key, sha256 in (
            ("batch_report_under_before", line.sha256_before),
            ("batch_report_under_after", line.sha256_after),
        )
        if sha256 is not None
    ]
    return (*told, *([" · ".join(hashes)] if hashes else []))


class _Paper:
    """The paper, filled from top to bottom; a page is written when it is full."""

    def __init__(self, out: BinaryIO) -> None:
        self._pdf = StreamedPdf(out, (_WIDTH, _HEIGHT), _STYLES)
        self._content: list[bytes] = []
        self._columns: Sequence[_Column] = ()
        self._pages = 1
        self._y = _TOP

    def title(self, name: str, under: str) -> None:
        self._centred(name, self._down(20), Style.BOLD, 15)
        self._centred(under, self._down(_LEADING), Style.ITALIC, _SIZE)
        self._y -= 8

    def fact(self, what: str, value: str) -> None:
        labels = _broken(what, Style.ITALIC, _SIZE, _LABEL - _GUTTER)
        values = _broken(value, Style.REGULAR, _SIZE, _TEXT - _LABEL)
        for number in range(max(len(labels), len(values))):
            y = self._down(_LEADING)
            if number < len(labels):
                self._show(_LEFT, y, labels[number], Style.ITALIC, _SIZE)
            if number < len(values):
                self._show(_LEFT + _LABEL, y, values[number], Style.REGULAR, _SIZE)
        self._y -= 1

    def table(self, columns: Sequence[_Column]) -> None:
        """Begins the table; its head comes again on each page."""
        self._y -= 10
        self._columns = columns
        if self._room < 4 * _CELL_LEADING:
            self._turn()
        self._head()

    def row(self, cells: Sequence[str], under: Sequence[str], ink: Ink) -> None:
        """A row, whole on one page."""
        told = self._set(cells, Style.REGULAR)
        indent = self._columns[0].share * _TEXT
        small = [line for one in under for line in _broken(one, Style.REGULAR, _SMALL, _TEXT - indent)]
        height = max(map(len, told)) * _CELL_LEADING + len(small) * _SMALL_LEADING + 5
        if height > self._room:
            self._turn()
            self._head()
        self._draw(told, Style.REGULAR, ink)
        for line in small:
            self._show(_LEFT + indent, self._down(_SMALL_LEADING), line, Style.REGULAR, _SMALL)
        self._rule()

    def end(self, name: str, language: str) -> None:
        self._pdf.page(b"\n".join(self._content))
        self._pdf.end(name, language)

    @property
    def _room(self) -> float:
        return self._y - _BOTTOM

    def _head(self) -> None:
        self._draw(self._set([column.head for column in self._columns], Style.BOLD), Style.BOLD, BLACK)
        self._rule()

    def _set(self, cells: Sequence[str], style: Style) -> list[list[str]]:
        return [
            _broken(cell, style, _CELL, column.share * _TEXT - _GUTTER)
            for column, cell in zip(self._columns, cells, strict=True)
        ]

    def _draw(self, told: Sequence[Sequence[str]], style: Style, ink: Ink) -> None:
        for number in range(max(map(len, told))):
            y, x = self._down(_CELL_LEADING), _LEFT
            for column, lines in zip(self._columns, told, strict=True):
                if number < len(lines) and lines[number]:
                    self._show(x, y, lines[number], style, _CELL, ink)
                x += column.share * _TEXT

    def _down(self, height: float) -> float:
        """The baseline of a new line, overleaf when this page is full."""
        if self._room < height:
            self._turn()
        self._y -= height
        return self._y + height * 0.26

    def _turn(self) -> None:
        """A new page, with its number in the top margin (annex I, section I.7)."""
        self._pdf.page(b"\n".join(self._content))
        self._content.clear()
        self._pages += 1
        number = str(self._pages)
        x = _WIDTH / 2 - width_of(number, Style.REGULAR, 13) / 2
        self._show(x, _TOP + mm_to_pt(6), number, Style.REGULAR, 13)
        self._y = _TOP

    def _centred(self, line: str, y: float, style: Style, size: float) -> None:
        self._show((_LEFT + _RIGHT - width_of(line, style, size)) / 2, y, line, style, size)

    def _show(self, x: float, y: float, line: str, style: Style, size: float, ink: Ink = BLACK) -> None:
        colour = b"" if ink == BLACK else b"%.3f %.3f %.3f rg " % ink
        self._content.append(
            b"q %sBT %s %.2f Tf %.3f %.3f Td %s Tj ET Q"
            % (colour, font_name(style), size, x, y, face(style).show(line))
        )

    def _rule(self) -> None:
        self._y -= 2
        self._content.append(b"0.4 w %.3f %.3f m %.3f %.3f l S" % (_LEFT, self._y, _RIGHT, self._y))
        self._y -= 3


def _broken(told: str, style: Style, size: float, width: float) -> list[str]:
    """The lines of a text as the fonts can print it, and not without end."""
    kept = printable(told[:_LONGEST])
    kept = kept if len(told) <= _LONGEST else f"{kept}…"
    return [text_of(line) for line in broken([Span(kept, style)], size, width, width)]
