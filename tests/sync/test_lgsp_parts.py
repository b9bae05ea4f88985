"""The parts of the LGSP adapter by themselves: strings out of a JSON text, days and marks of the cursor."""

import json
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_sync.json_strings import JsonStrings, Path
from signer_sync.lgsp_cursor import Entry, LgspCursor, day_in, slices

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def strings_of(value: object, path: Path = ()) -> list[tuple[Path, str]]:
    if isinstance(value, str):
        return [(path, value)]
    if isinstance(value, dict):
        return [found for name, inner in value.items() for found in strings_of(inner, (*path, name))]
    if isinstance(value, list):
        return [found for inner in value for found in strings_of(inner, (*path, "[]"))]
    return []


def read(text: bytes, size: int) -> list[tuple[Path, str]]:
    found: list[tuple[Path, bytearray]] = []

    def wanted(path: Path) -> "object":
        found.append((path, bytearray()))
        return found[-1][1].extend

    reader = JsonStrings(wanted)  # type: ignore[arg-type]
    for start in range(0, len(text), size):
        reader.feed(text[start : start + size])
    reader.close()
    return [(path, bytes(data).decode()) for path, data in found]


@given(VALUES.filter(lambda value: isinstance(value, dict | list)), st.integers(1, 9), st.booleans())
def test_every_string_is_found_in_its_place_however_the_text_is_cut(value: object, size: int, escaped: bool) -> None:
    text = json.dumps(value, ensure_ascii=escaped, indent=1).encode()
    assert read(text, size) == strings_of(value)


@pytest.mark.parametrize(
    "text",
    [
        b"", b'{"a": "b"', b'{"a": "b', b'["a"]]', b'{"a"]', b'"a"', b'["\\q"]', b'["\\udc00"]', b'["\\uZZZZ"]',
        b'{"a":1} x', b"[" * 99, b'{"' + b"n" * 2000 + b'": 1}',
    ],
)  # fmt: skip
def test_what_is_no_whole_json_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each has its own words
        read(text, 64)


def entry(doc_id: str, day: date | None, *, status: bool = False) -> Entry:
    return Entry(doc_id, status, "H37", day, str(day), done=False)


def test_a_cursor_is_read_back_and_another_text_is_none() -> None:
    cursor = LgspCursor(date(2026, 11, 20)).behind(
        [entry("a", None), entry("a", None, status=True)], [], all_shown=False, today=date(2026, 11, 20)
    )
    assert len(cursor.marks) == 2
    assert LgspCursor.parse(str(cursor)) == cursor
    for text in ("", "{}", '{"day":"x","marks":""}', '{"day":"2026-11-20","marks":"%"}'):
        assert LgspCursor.parse(text) is None


def test_the_day_moves_on_by_the_servers_dates_and_never_beyond_its_today() -> None:
    start, today = LgspCursor(date(2026, 11, 10)), date(2026, 11, 20)
    shown = [entry("a", date(2026, 11, 18)), entry("b", date(2099, 1, 1)), entry("c", None)]
    assert start.behind(shown, shown, all_shown=True, today=today).day == date(2026, 11, 18)
    assert start.behind(shown[:1], shown, all_shown=False, today=today).day == start.day
    assert start.behind([], [], all_shown=True, today=today).day == start.day
    late = LgspCursor(date(2026, 11, 19)).behind(shown, shown, all_shown=True, today=today)
    assert late.day == date(2026, 11, 19)
    assert not any(late.is_new(one) for one in shown)


def test_parts_of_a_long_time_share_a_day_and_cover_all_of_it() -> None:
    first, last = date(2026, 1, 1), date(2026, 3, 15)
    parts = slices(first, last)
    assert (parts[0][0], parts[-1][1]) == (first, last)
    assert all(before[1] == after[0] for before, after in pairwise(parts))
    assert slices(last, last) == [(last, last)]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026/11/20 08:00:00", date(2026, 11, 20)),
        ("2026-11-20T08:00:00.000Z", date(2026, 11, 20)),
        ("20/11/2026 08:00", date(2026, 11, 20)),
        ("2026/02/30", None),
        ("hôm qua", None),
        ("", None),
    ],
)
def test_days_are_read_in_the_forms_that_were_met(text: str, day: date | None) -> None:
    assert day_in(text) == day
