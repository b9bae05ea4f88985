"""Rows of the database to values and back: the one place where SQL's types meet ours.

Pure functions. Column names are field names; JSON columns are decoded here.
"""

import sqlite3
from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


def to_value(row: sqlite3.Row, kind: type[T], json_columns: tuple[str, ...] = (), **more: object) -> T:
    """The row as a `kind`; columns that are NULL take the field's default; `more` are fields that aren't
    columns.
    """
    fields: dict[str, object] = {name: row[name] for name in row.keys() if row[name] is not None}  # noqa: SIM118 - a Row iterates over values
    for name in json_columns:
        if name in fields:
            fields[name] = msgspec.json.decode(row[name])
    nullable = {field.name: None for field in msgspec.structs.fields(kind) if field.required}
    return msgspec.convert({**nullable, **fields, **more}, kind, strict=False)


def params_json(params: Mapping[str, object]) -> str | None:
    """Parameters of a message as JSON; what JSON has no form for becomes its text."""
    return msgspec.json.encode(dict(params), enc_hook=_text).decode() if params else None


def _text(value: object) -> object:
    return value.value if isinstance(value, Enum) else str(value)


def insert(connection: sqlite3.Connection, table: str, columns: Mapping[str, object]) -> None:
    """Inserts one row; `table` and the column names come from our code, the values are bound."""
    names = ", ".join(columns)
    marks = ", ".join("?" for _ in columns)
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(columns.values()))  # noqa: S608 - names are ours


def require_one(cursor: sqlite3.Cursor, what: str) -> None:
    """ValueError if the statement changed no row: the caller named something that is not there or not so."""
    if cursor.rowcount != 1:
        raise ValueError(what)
