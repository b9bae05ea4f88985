"""Odd shapes of a file's structure that let a signature be written and spoil what is seen afterwards.

Runs in a worker; reads with qpdf, writes nothing. pyHanko extends such files without a word; viewers then show a page
or a field otherwise than before, so that what was made would be thrown away after the PIN.
"""

from enum import Enum
from pathlib import Path
from typing import Any

import pikepdf

_MAX_NODES = 100_000


class Shape(Enum):
    """What is odd."""

    PAGE_TWICE = "Pages"
    """One page stands in the tree twice: a stamp on the one would be on the other too."""
    FIELD_IN_CIRCLES = "Kids"
    """A field is among its own descendants."""
    ORPHAN_WIDGET = "AcroForm"
    """A field without a look, of no form: with a form, which a signature needs, viewers would draw it."""


def odd_shape(path: Path) -> Shape | None:
    """The first that is found; None for an ordinary file, and for one that qpdf can't read, which others tell."""
    try:
        with pikepdf.open(path, suppress_warnings=True, inherit_page_attributes=False) as pdf:
            form = pdf.Root.get("/AcroForm")
            pages, again = _leaves(pdf.Root.get("/Pages"))
            if again:
                return Shape.PAGE_TWICE
            if isinstance(form, pikepdf.Dictionary):
                return Shape.FIELD_IN_CIRCLES if _leaves(form, "/Fields")[1] else None
            return Shape.ORPHAN_WIDGET if any(_has_bare_widget(page) for page in pages) else None
    except (pikepdf.PikepdfError, RuntimeError, ValueError, TypeError, AttributeError):
        return None


def _leaves(root: Any, first: str = "/Kids") -> tuple[list[Any], bool]:
    """The ends of a tree, and whether any of its nodes is met twice."""
    leaves: list[Any] = []
    seen: set[tuple[int, int]] = set()
    todo = [(root, first)]
    while todo and len(seen) + len(leaves) < _MAX_NODES:
        node, key = todo.pop()
        if not isinstance(node, pikepdf.Dictionary):
            continue
        if node.is_indirect:
            if node.objgen in seen:
                return leaves, True
            seen.add(node.objgen)
        kids = node.get(key)
        if isinstance(kids, pikepdf.Array):
            todo.extend((kid, "/Kids") for kid in reversed(list(kids)))
        else:
            leaves.append(node)
    return leaves, False


def _has_bare_widget(page: Any) -> bool:
    annotations = page.get("/Annots")
    if not isinstance(annotations, pikepdf.Array):
        return False
    return any(
        isinstance(one, pikepdf.Dictionary) and one.get("/Subtype") == "/Widget" and "/AP" not in one
        for one in list(annotations)[:_MAX_NODES]
    )
