"""What a grid shows: its columns, which rows in which order, and what a copy of them looks like.

No Qt. Long work is a generator of small steps, run on a lane in slices: between two steps the thread lets go of the
interpreter, so that painting never waits for sorting. That is also why nothing here calls `list.sort` on a long list:
it would hold the interpreter for its whole time. Rows are immutable and never touched.
"""

import time
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

R = TypeVar("R")
T = TypeVar("T")

_CHUNK = 200
"""Rows per step; some two milliseconds where their texts are made."""
_SHORT = 2_000
"""A list of this length is sorted in about a millisecond."""
_WORK_S = 0.001
_REST_S = 0.001
"""Half the time at most: a painting window takes the interpreter back a hundred times, and waits for each."""
_SLICE_S = 0.04
"""One slice of the lane; others wait no longer than that behind a grid."""

_MARKS = "\u0300\u0301\u0302\u0303\u0306\u0308\u0309\u031b\u0323\u0327"
"""Combining marks of Vietnamese and of the names that clerks meet beside it."""
_CELL_END = "\x1f"


def fold(text: str) -> str:
    """`text` as it is searched: small letters without Vietnamese marks, đ as d."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFD", text)
    # Ten plain replacements take half the time of one regular expression or of a translation table.
    for mark in _MARKS:
        plain = plain.replace(mark, "")
    return plain.replace("đ", "d").replace("Đ", "D").casefold()


class Shade(StrEnum):
    """What a cell's colour says; its words say the same."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    MUTED = "muted"
    ACCENT = "accent"


@dataclass(frozen=True)
class Suggestion:
    """Something that may be typed: `value` is what stands in the cell then, `shown` what the list says.

    It is found by what is shown, and by `also`.
    """

    value: str
    shown: str
    also: str = ""


def _no_suggestions() -> Sequence[Suggestion]:
    return ()


@dataclass(frozen=True)
class Editor(Generic[R]):
    """How a cell is changed: typed, with `suggestions`, or `only` chosen from them.

    `several`: the cell holds several values with semicolons, and each is completed for itself.
    """

    suggestions: Callable[[], Sequence[Suggestion]] = _no_suggestions
    only: bool = False
    several: bool = False
    start: Callable[[R], str] | None = None
    """The text that is edited, where it isn't the one shown."""
    allowed: Callable[[R], bool] = field(default=lambda _row: True)


@dataclass(frozen=True)
class Column(Generic[R]):
    """A column: `key` is the text of its head in the catalogue and its name in signals; `width_em` in heights of
    a letter.
    """

    key: str
    text: Callable[[R], str]
    width_em: float
    sort: Callable[[R], Any] | None = None
    """What it is sorted by; the folded text where nothing is given. Values of one column compare with each other."""
    editor: Editor[R] | None = None
    shade: Callable[[R], Shade | None] | None = None
    dot: bool = False
    """A small shape for `shade` stands before the text."""
    tip: Callable[[R], str] | None = None
    check: Callable[[R], bool | None] | None = None
    """A tick box; None: this row has none. One column at most."""
    number: bool = False
    stretch: bool = False
    """Takes the room that is left."""
    also: Callable[[R], str] | None = None
    """More words by which the search finds a row; they are neither shown nor copied."""
    keep_end: bool = False
    """Where it finds no room, its beginning is left out: the last word of a Vietnamese name is the one people go by."""


@dataclass(frozen=True)
class Query:
    """What is looked for, and the order; `column` None is the order in which the rows came."""

    words: tuple[str, ...] = ()
    column: str | None = None
    descending: bool = False

    def looking_for(self, text: str) -> "Query":
        """The same order, other words."""
        return Query(tuple(dict.fromkeys(fold(text).split())), self.column, self.descending)

    def sorted_by(self, column: str) -> "Query":
        """A click on the head of `column`: upwards, downwards, as the rows came."""
        if self.column != column:
            return Query(self.words, column)
        return Query(self.words) if self.descending else Query(self.words, column, descending=True)


@dataclass(frozen=True)
class Arrangement(Generic[R]):
    """Rows as they are shown: `order` are places in `rows`, `ids` and `place` belong to the lines shown."""

    rows: tuple[R, ...] = ()
    order: Sequence[int] = ()
    ids: Sequence[str] = ()
    place: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.order)

    def row(self, line: int) -> R:
        """The row on a line."""
        return self.rows[self.order[line]]


Steps = Generator[None, None, T]


class Index(Generic[R]):
    """One tuple of rows, and what has been worked out about it so far. Belongs to one thread at a time.

    Work that is given up is gone on with by the next query.
    """

    def __init__(self, rows: tuple[R, ...], columns: Sequence[Column[R]], row_id: Callable[[R], str]) -> None:
        self.rows = rows
        self._columns = {column.key: column for column in columns}
        self._row_id = row_id
        self._ids: list[str] = []
        self._at: dict[str, int] = {}
        self._hay: list[str] = []
        self._keys: dict[str, list[Any]] = {}

    def arrange(self, query: Query) -> Steps[Arrangement[R]]:
        """The rows that hold all words of `query`, in its order."""
        yield from self._know()
        order: Sequence[int] = range(len(self.rows))
        if query.words:
            yield from self.prepare()
            order = yield from self._matching(query.words)
        if query.column is not None:
            keys = yield from self._sort_keys(self._columns[query.column])
            order = yield from _sorted(order, keys, descending=query.descending)
        ids: list[str] = []
        place: dict[str, int] = {}
        for chunk in _chunks(order):
            start = len(ids)
            ids += [self._ids[i] for i in chunk]
            place.update(zip(ids[start:], range(start, len(ids)), strict=True))
            yield
        return Arrangement(self.rows, order, ids, place)

    def replaced(self, changed: Mapping[str, R]) -> "Index[R]":
        """The same rows with other contents for some, by id; what was worked out for the search stays.

        May be called while this one is worked on. Takes no longer for more rows, but for a copy of three lists.
        """
        made = Index((), tuple(self._columns.values()), self._row_id)
        ids, at, rows, hay = list(self._ids), self._at, list(self.rows), list(self._hay)
        if len(at) < len(rows):
            ids = [self._row_id(row) for row in rows]
            at = {row_id: place for place, row_id in enumerate(ids)}
        texts = _searched(self._columns.values())
        for row_id, row in changed.items():
            place = at.get(row_id)
            if place is not None:
                rows[place] = row
                if place < len(hay):
                    hay[place] = _hay(row, texts)
        made.rows, made._ids, made._at, made._hay = tuple(rows), ids, at, hay
        return made

    @property
    def searchable(self) -> bool:
        """Whether nothing has to be made ready any more before a search."""
        return len(self._hay) == len(self.rows)

    def prepare(self) -> Steps[None]:
        """Makes ready for searching, before anyone searches."""
        texts = _searched(self._columns.values())
        yield from self._read(self._hay, lambda row: _hay(row, texts))

    def _know(self) -> Steps[None]:
        """Reads the ids, and where each row is."""
        yield from self._read(self._ids, self._row_id)
        if len(self._at) < len(self.rows):
            found: dict[str, int] = {}
            for chunk in _chunks(range(len(self._ids))):
                found.update((self._ids[place], place) for place in chunk)
                yield
            self._at = found

    def _sort_keys(self, column: Column[R]) -> Steps[Sequence[Any]]:
        keys = self._keys.setdefault(column.key, [])
        if column.sort is not None:
            yield from self._read(keys, column.sort)
        elif len(self._hay) == len(self.rows):
            place = list(self._columns).index(column.key)
            # Folded already, for the search.
            while len(keys) < len(self.rows):
                keys += [hay.split(_CELL_END)[place] for hay in self._hay[len(keys) : len(keys) + 5 * _CHUNK]]
                yield
        else:
            yield from self._read(keys, lambda row: fold(column.text(row)))
        return keys

    def _read(self, into: list[T], what: Callable[[R], T]) -> Steps[None]:
        while len(into) < len(self.rows):
            into += [what(row) for row in self.rows[len(into) : len(into) + _CHUNK]]
            yield

    def _matching(self, words: tuple[str, ...]) -> Steps[Sequence[int]]:
        found: list[int] = []
        hay = self._hay
        for chunk in _chunks(range(len(hay)), 10 * _CHUNK):
            left = list(chunk)
            for word in words:
                left = [i for i in left if word in hay[i]]
            found += left
            yield
        return found


def _searched(columns: Iterable[Column[R]]) -> list[Callable[[R], str]]:
    """What is searched of a row: first its cells in the order of the columns, then what is found beside them."""
    shown = list(columns)
    return [*(column.text for column in shown), *(column.also for column in shown if column.also is not None)]


def _hay(row: R, texts: Sequence[Callable[[R], str]]) -> str:
    """All of a row that is searched."""
    return fold(_CELL_END.join([text(row) for text in texts]))


def _chunks(values: Sequence[int], size: int = 5 * _CHUNK) -> Iterator[Sequence[int]]:
    return (values[start : start + size] for start in range(0, len(values), size))


def _sorted(order: Sequence[int], keys: Sequence[Any], *, descending: bool) -> Steps[Sequence[int]]:
    """`order` by `keys`, equal ones as they were: dealt out between sampled keys, then each small heap sorted."""
    if len(order) <= _SHORT:
        yield
        return sorted(order, key=keys.__getitem__, reverse=descending)
    sample = sorted({keys[i] for i in order[:: len(order) // _SHORT + 1]})
    bounds = sample[:: max(1, len(sample) // 128)]
    # Between two bounds lies a heap to sort; a heap of keys equal to a bound, of which there may be many, needs none.
    between: list[list[int]] = [[] for _ in range(len(bounds) + 1)]
    equal: list[list[int]] = [[] for _ in range(len(bounds) + 1)]
    bounded = [*bounds, None]
    for chunk in _chunks(order):
        for i in chunk:
            at = bisect_left(bounds, keys[i])
            (equal if bounded[at] == keys[i] else between)[at].append(i)
        yield
    result: list[int] = []
    for at in reversed(range(len(between))) if descending else range(len(between)):
        between[at].sort(key=keys.__getitem__, reverse=descending)
        parts = (equal[at], between[at]) if descending else (between[at], equal[at])
        for part in parts:
            result += part
        yield
    return result


def table_text(arrangement: Arrangement[R], lines: Sequence[int], columns: Sequence[Column[R]]) -> Steps[str]:
    """The lines as a spreadsheet takes them: tabs between cells, a line a row."""
    texts = [column.text for column in columns if column.check is None]
    made: list[str] = []
    for chunk in _chunks(lines, _CHUNK):
        rows = (arrangement.row(line) for line in chunk)
        made += ["\t".join([_cell(text(row)) for text in texts]) for row in rows]
        yield
    return "\n".join(made)


def _cell(text: str) -> str:
    if any(letter in text for letter in '\t\r\n"'):
        return '"' + text.replace('"', '""') + '"'
    return text


def last_part(text: str) -> str:
    """Of several values with semicolons the one that is being typed."""
    return text.rpartition(";")[2]


def with_last_part(text: str, value: str) -> str:
    """`text` with the value that is being typed replaced, ready for the next."""
    before = text.rpartition(";")[0].strip()
    return f"{before}; {value}; " if before else f"{value}; "


@dataclass(frozen=True)
class Ended(Generic[T]):
    """What steps came to."""

    value: T


def run_all(steps: Steps[T]) -> T:
    """Runs steps to their end without a rest; for few rows."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            value: T = end.value
            return value


def run_slice(steps: Steps[T], cancelled: Callable[[], bool]) -> Ended[T] | None:
    """Runs steps for a slice's time with rests in between; None: there is more, or nobody wants it any more."""
    until = time.monotonic() + _SLICE_S
    rest_at = time.monotonic() + _WORK_S
    while not cancelled():
        try:
            next(steps)
        except StopIteration as end:
            return Ended(end.value)
        now = time.monotonic()
        if now >= until:
            return None
        if now >= rest_at:
            time.sleep(_REST_S)
            rest_at = time.monotonic() + _WORK_S
    return None
