"""The list of drivers that an administrator puts on a machine, beside what the clerk chose and what the program knows.

Main process, any thread. Reads one small file with a strict schema, if nobody but an administrator can have written it;
a mistake in it is told with its line. Looks at none of the drivers that it names.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Annotated

import msgspec

from signer_resources.drivers import System
from signer_resources.errors import KnownError
from signer_token.exposure import exposed

_LIST_BYTES = 64 * 1024
_LIST_ENTRIES = 64


class Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A driver of an administrator's list."""

    path: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    name: Annotated[str, msgspec.Meta(max_length=80)] = ""
    """What people call it; empty: as the table or its file says."""


class _ListFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    driver: Annotated[tuple[Listed, ...], msgspec.Meta(max_length=_LIST_ENTRIES)] = ()


def list_place(system: System, environ: Mapping[str, str]) -> PurePath:
    """Where an administrator's list lies; it need not be there."""
    if system is System.WINDOWS:
        known = {name.upper(): value for name, value in environ.items()}
        data = PureWindowsPath(known.get("PROGRAMDATA", ""))
        return (data if data.is_absolute() else PureWindowsPath("C:/ProgramData")) / "Signer" / "drivers.toml"
    return PurePosixPath("/etc/signer/drivers.toml")


def read_list(file: Path) -> tuple[Listed, ...]:
    """The drivers of an administrator's list, none if there is no such file.

    Raises KnownError: driver_list_unreadable, driver_list_exposed, driver_list_too_long, driver_list_invalid (says
    the line), driver_list_path (a path that isn't absolute; says the line).
    """
    if not os.path.lexists(file):
        return ()
    content = _read_capped(file)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise KnownError("driver_list_invalid", file=str(file), line=line, reason="UTF-8") from error
    try:
        listed = msgspec.convert(tomllib.loads(text), _ListFile).driver
    except tomllib.TOMLDecodeError as error:
        reason, line = _syntax_fault(str(error), text)
        raise KnownError("driver_list_invalid", file=str(file), line=line, reason=reason) from error
    except RecursionError as error:  # thousands of brackets
        raise KnownError("driver_list_invalid", file=str(file), line=1, reason="[[[[") from error
    except msgspec.ValidationError as error:
        line = _schema_fault(str(error), text)
        raise KnownError("driver_list_invalid", file=str(file), line=line, reason=str(error)) from error
    for number, entry in enumerate(listed):
        if not Path(entry.path).is_absolute():
            line = _line_of(text, number, "path")
            raise KnownError("driver_list_path", file=str(file), line=line, path=entry.path)
    return listed


def _read_capped(file: Path) -> bytes:
    """The bytes of the list, if nobody but an administrator can have written them."""
    try:
        if not file.is_file():  # a pipe in its place would keep us waiting
            raise KnownError("driver_list_unreadable", file=str(file), reason="?")
        if (open_to_all := exposed(file)) is not None:
            raise KnownError("driver_list_exposed", file=str(file), place=str(open_to_all))
        with file.open("rb") as stream:
            content = stream.read(_LIST_BYTES + 1)
    except OSError as error:
        raise KnownError("driver_list_unreadable", file=str(file), reason=error.strerror or "?") from error
    if len(content) > _LIST_BYTES:
        raise KnownError("driver_list_too_long", file=str(file), limit=_LIST_BYTES // 1024)
    return content


def _syntax_fault(told: str, text: str) -> tuple[str, int]:
    """What is wrong and in which line; the parser puts the place into its sentence."""
    reason, _, place = told.rpartition(" (at ")
    line = re.match(r"line (\d+)", place)
    return reason or told, int(line[1]) if line else max(len(text.splitlines()), 1)


def _schema_fault(told: str, text: str) -> int:
    """The line that the schema's complaint is about, as near as it tells."""
    entry = re.search(r"\$\.driver\[(\d+)\]", told)
    field = re.search(r"unknown field `(\w+)`", told) or re.search(r"\.(\w+)`$", told)
    return _line_of(text, int(entry[1]) if entry else None, field[1] if field else "driver")


def _line_of(text: str, entry: int | None, field: str) -> int:
    """The line of `field`, in the entry with that number or anywhere; the first line of the entry without it."""
    lines = text.splitlines()
    heads = [number for number, line in enumerate(lines, 1) if re.match(r"\s*\[\[\s*driver\s*\]\]", line)]
    first, end = 1, len(lines) + 1
    if entry is not None and entry < len(heads):
        first, end = heads[entry], [*heads, end][entry + 1]
    named = re.compile(rf'\s*(\[\[?\s*)?"?{field}"?\s*[\]=]')
    return next((number for number in range(first, end) if named.match(lines[number - 1])), first)
