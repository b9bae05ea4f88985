"""What a page is drawn from: streams that lie in other files, pictures with an understudy, layers that hide.

Runs in a worker. Follows the resources of a page down through forms, patterns and fonts; each object is looked at once
for the whole document, so that a thousand pages with one letterhead cost one look.
"""

from collections.abc import Iterator
from typing import Any

import pikepdf

from signer_app.pdf.inspection.layers import Layers
from signer_app.pdf.inspection.reading import elements, entry, has, identity, name, one_or_many, values, words
from signer_app.pdf.inspection.sightings import Budget, Sighting

_DEEPEST = 12
_FONT_FILES = ("/FontFile", "/FontFile2", "/FontFile3")


class Resources:
    """Looks at the resources of one page after the other."""

    def __init__(self, layers: Layers, budget: Budget) -> None:
        self._layers = layers
        self._budget = budget
        self._known: dict[tuple[int, int], tuple[tuple[str, str], ...]] = {}

    def page(self, page: Any, number: int) -> Iterator[Sighting]:
        """What is seen at page `number` (from 1)."""
        for part in one_or_many(entry(page, "/Contents")):
            if has(part, "/F"):
                yield Sighting("external_content", number, file_name(entry(part, "/F")))
        for code, what in self._of(_inherited(page, "/Resources"), 0):
            yield Sighting(code, number, what)

    def drawing(self, stream: Any, number: int) -> Iterator[Sighting]:
        """What is seen at a form (an annotation's look) of page `number`."""
        for code, what in self._xobject(stream, 0):
            yield Sighting(code, number, what)

    def _of(self, resources: Any, depth: int) -> tuple[tuple[str, str], ...]:
        mark = identity(resources)
        if mark in self._known and mark != (0, 0):
            return self._known[mark]
        if depth > _DEEPEST or not self._budget.spend():
            return ()
        # A ring of forms finds itself here and ends.
        self._known[mark] = ()
        found = dict.fromkeys(self._looked(resources, depth))
        self._known[mark] = tuple(found)
        return self._known[mark]

    def _looked(self, resources: Any, depth: int) -> Iterator[tuple[str, str]]:
        for _key, group in values(entry(resources, "/Properties")):
            yield from self._layer(group)
        for _key, drawing in values(entry(resources, "/XObject")):
            yield from self._xobject(drawing, depth)
        for _key, pattern in values(entry(resources, "/Pattern")):
            yield from self._of(entry(pattern, "/Resources"), depth + 1)
            yield from _from_elsewhere(pattern)
        for _key, font in values(entry(resources, "/Font")):
            yield from self._font(font, depth)
        for _key, state in values(entry(resources, "/ExtGState")):
            yield from self._xobject(entry(entry(state, "/SMask"), "/G"), depth)

    def _xobject(self, drawing: Any, depth: int) -> Iterator[tuple[str, str]]:
        if not isinstance(drawing, pikepdf.Stream) or not self._budget.spend():
            return
        yield from _from_elsewhere(drawing)
        yield from self._layer(entry(drawing, "/OC"))
        kind = name(entry(drawing, "/Subtype"))
        if kind == "/PS" or name(entry(drawing, "/Subtype2")) == "/PS" or has(drawing, "/PS"):
            yield "print_differs", "PostScript"
        if kind == "/Image":
            if any(True for _other in elements(entry(drawing, "/Alternates"))):
                yield "print_differs", "Alternates"
            yield from _from_elsewhere(entry(drawing, "/SMask"))
        if kind == "/Form":
            if has(drawing, "/Ref"):
                yield "external_content", file_name(entry(entry(drawing, "/Ref"), "/F"))
            yield from self._of(entry(drawing, "/Resources"), depth + 1)

    def _font(self, font: Any, depth: int) -> Iterator[tuple[str, str]]:
        for one in (font, *elements(entry(font, "/DescendantFonts"))):
            for key in _FONT_FILES:
                yield from _from_elsewhere(entry(entry(one, "/FontDescriptor"), key))
        if has(font, "/CharProcs"):
            yield from self._of(entry(font, "/Resources"), depth + 1)

    def _layer(self, group: Any) -> Iterator[tuple[str, str]]:
        hidden = self._layers.name_of(group) if group is not None else None
        if hidden is not None:
            yield "hidden_layer", hidden


def _from_elsewhere(stream: Any) -> Iterator[tuple[str, str]]:
    """A stream whose data lie in another file (ISO 32000-1, table 5), or that stands in for a picture elsewhere."""
    if isinstance(stream, pikepdf.Stream):
        if has(stream, "/F"):
            yield "external_content", file_name(entry(stream, "/F"))
        if has(stream, "/OPI"):
            yield "external_content", "OPI"


def file_name(specification: Any) -> str:
    """The name in a file specification, in its newest form."""
    if isinstance(specification, pikepdf.Dictionary):
        return words(entry(specification, "/UF")) or words(entry(specification, "/F")) or "?"
    return words(specification) or "?"


def _inherited(page: Any, key: str) -> Any:
    """An entry of a page or of what stands above it."""
    node = page
    for _level in range(_DEEPEST * 4):
        if has(node, key):
            return entry(node, key)
        node = entry(node, "/Parent")
    return None
