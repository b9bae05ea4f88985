"""Reads values out of qpdf's objects as they come in files of others: what isn't what it should be is None.

Runs in a worker. The one place of the inspection that knows pikepdf's types. A damaged object raises pikepdf's error,
which the caller of the whole walk takes for "could not be inspected".
"""

from collections.abc import Iterator
from typing import Any

import pikepdf

from signer_app.pdf.inspection.sightings import Budget

_MOST_KIDS = 200_000
_DEEPEST = 24


def entry(holder: Any, key: str) -> Any:
    """The value under `key` of a dictionary or stream; None when there is none, or `holder` is neither."""
    return holder.get(key) if isinstance(holder, pikepdf.Dictionary | pikepdf.Stream) else None


def has(holder: Any, key: str) -> bool:
    """Whether `holder` is a dictionary or stream with this key."""
    return isinstance(holder, pikepdf.Dictionary | pikepdf.Stream) and key in holder


def values(holder: Any) -> Iterator[tuple[str, Any]]:
    """Keys and values of a dictionary; nothing for anything else."""
    if isinstance(holder, pikepdf.Dictionary):
        yield from holder.items()


def elements(array: Any) -> Iterator[Any]:
    """The elements of an array; nothing for anything else."""
    if isinstance(array, pikepdf.Array):
        for i in range(min(len(array), _MOST_KIDS)):
            yield array[i]


def one_or_many(value: Any) -> Iterator[Any]:
    """The elements of an array, or the one value that stands in its place."""
    if isinstance(value, pikepdf.Array):
        yield from elements(value)
    elif value is not None:
        yield value


def name(value: Any) -> str:
    """A name with its slash, "" for anything else."""
    return str(value) if isinstance(value, pikepdf.Name) else ""


def words(value: Any) -> str:
    """A text string, "" for anything else."""
    return str(value) if isinstance(value, pikepdf.String | str) else ""


def whole(value: Any) -> int:
    """A whole number, 0 for anything else."""
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else 0


def identity(value: Any) -> tuple[int, int]:
    """Number and generation of an indirect object, (0, 0) for a direct one or no object."""
    return value.objgen if isinstance(value, pikepdf.Object) else (0, 0)


def tree_leaves(root: Any, key: str, budget: Budget) -> Iterator[Any]:
    """The elements of all leaf arrays (`key`: "/Names" or "/Nums") of a name or number tree."""
    waiting, seen = [(root, 0)], set[tuple[int, int]]()
    while waiting:
        node, depth = waiting.pop()
        mark = identity(node)
        if depth > _DEEPEST or (mark != (0, 0) and mark in seen):
            continue
        if not budget.spend():
            return
        seen.add(mark)
        yield from elements(entry(node, key))
        waiting += [(kid, depth + 1) for kid in elements(entry(node, "/Kids"))]
