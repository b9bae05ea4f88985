"""PDF objects from plain values, so that what is written into a file can be read in the code that writes it.

The one place that calls pyHanko's untyped constructors. Pure functions; runs in a worker. Keys are names with their
slash; in values a plain string is a name, an int or float a number, a bool a boolean; text strings are given as
pyHanko's own objects, because their encoding is a choice.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name

Plain = generic.PdfObject | str | int | float

_DECIMALS = 5
"""A hundred-thousandth of a point is far below what any device shows."""


def dictionary(entries: Mapping[str, Plain] | None = None) -> generic.DictionaryObject:
    """A dictionary with these entries."""
    return generic.DictionaryObject(_entries(entries or {}))  # type: ignore[no-untyped-call]


def array(values: Iterable[Plain]) -> generic.ArrayObject:
    """An array of these values."""
    return generic.ArrayObject(_object(value) for value in values)


def stream(entries: Mapping[str, Plain], data: bytes) -> generic.StreamObject:
    """A stream whose data is written as it is."""
    return generic.StreamObject(_entries(entries), stream_data=data)


def deflated(entries: Mapping[str, Plain], compressed: bytes) -> generic.StreamObject:
    """A stream whose data was deflated by the caller."""
    return generic.StreamObject(_entries({**entries, "/Filter": "/FlateDecode"}), encoded_data=compressed)


def put(target: generic.DictionaryObject, key: str, value: Plain) -> None:
    """Sets one entry of a dictionary."""
    target[pdf_name(key)] = _object(value)


def _entries(entries: Mapping[str, Plain]) -> dict[Any, Any]:
    return {pdf_name(key): _object(value) for key, value in entries.items()}


def _object(value: Plain) -> generic.PdfObject:
    if isinstance(value, generic.PdfObject):
        return value
    if isinstance(value, str):
        return pdf_name(value)
    if isinstance(value, bool):
        return generic.BooleanObject(value)  # type: ignore[no-untyped-call]
    if isinstance(value, int):
        return generic.NumberObject(value)  # type: ignore[no-untyped-call]
    return generic.FloatObject(round(value, _DECIMALS))  # type: ignore[no-untyped-call]
