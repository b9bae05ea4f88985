"""Annotations that move, sound, or look other on paper than on the screen; files that are attached.

Runs in a worker. Signature fields are none of it: an invisible signature is hidden by design.
"""

from collections.abc import Iterator
from typing import Any

from signer_app.pdf.inspection.reading import elements, entry, has, identity, name, tree_leaves, whole
from signer_app.pdf.inspection.resources import file_name
from signer_app.pdf.inspection.sightings import Budget, Sighting

_HIDDEN, _PRINT, _NO_VIEW, _TOGGLE = 2, 4, 32, 256
_MOVING = frozenset({"/RichMedia", "/3D", "/Movie", "/Sound", "/Screen"})
_WITHOUT_LOOK = frozenset({"/Link", "/Popup", "/Text", "/FileAttachment"})
"""What is no part of the page: links, notes' windows and icons."""


def annotation_looks(annotation: Any, number: int) -> Iterator[Sighting]:
    """What an annotation of page `number` (from 1) shows otherwise than it seems."""
    kind = name(entry(annotation, "/Subtype"))
    if kind in _MOVING:
        yield Sighting("rich_media", number, kind.lstrip("/"))
    if kind == "/FileAttachment":
        yield Sighting("attachments_inside", number, file_name(entry(annotation, "/FS")))
    if kind in _WITHOUT_LOOK or _is_signature(annotation) or not has(entry(annotation, "/AP"), "/N"):
        return
    flags = whole(entry(annotation, "/F"))
    what = kind.lstrip("/")
    if flags & _HIDDEN:
        yield Sighting("annotation_hidden", number, what)
    elif flags & (_NO_VIEW | _TOGGLE) and flags & _PRINT:
        yield Sighting("annotation_print_only", number, what)
    elif flags & _NO_VIEW:
        yield Sighting("annotation_hidden", number, what)
    elif not flags & _PRINT:
        yield Sighting("annotation_not_printed", number, what)


def _is_signature(annotation: Any) -> bool:
    return "/Sig" in (name(entry(annotation, "/FT")), name(entry(entry(annotation, "/Parent"), "/FT")))


def attached_files(root: Any, budget: Budget) -> Iterator[Sighting]:
    """Embedded and associated files of the document."""
    seen = set[tuple[int, int]]()
    leaves = list(tree_leaves(entry(entry(root, "/Names"), "/EmbeddedFiles"), "/Names", budget))
    for specification in (*leaves[1::2], *elements(entry(root, "/AF"))):
        mark = identity(specification)
        if mark != (0, 0) and mark in seen:
            continue
        seen.add(mark)
        yield Sighting("attachments_inside", "EmbeddedFiles", file_name(specification))
