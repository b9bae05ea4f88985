"""JSON from outside as values, with every way of being nonsense turned into one error.

Pure functions on any thread. What is nested without end ends no thread of ours: a parser that gives up at that does so
with an error of its own kind, wherever in the text it stands, members that nobody knows among them.
"""

from typing import TypeVar

import msgspec

T = TypeVar("T")


def read_json(data: bytes | str, kind: type[T]) -> T:
    """The value in `data` as `kind`; msgspec.MsgspecError for anything else."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (RecursionError, UnicodeDecodeError) as error:
        raise msgspec.DecodeError("not JSON that can be read") from error


def read_any(data: bytes) -> object:
    """The value in `data`, whatever it is; msgspec.MsgspecError if it is none."""
    return read_json(data, object)
