"""Form fields of a PDF as pyHanko reads them: found by full name, with their widget's page and box.

Runs in a worker, on files of others: every look-up tolerates odd shapes and gives None instead of failing.
"""

from collections.abc import Iterator
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader

from signer_app.pdf.geometry import UserBox

_MAX_FIELDS = 20_000
_MAX_DEPTH = 16


def entry(dictionary: generic.DictionaryObject, key: str) -> Any:
    """The value under `key` with references followed, None when there is none or it leads nowhere."""
    try:
        return _followed(dictionary.raw_get(key))
    except (KeyError, PdfReadError):
        return None


def _followed(value: Any) -> Any:
    """What a reference leads to; anything else as it is."""
    return value.get_object() if isinstance(value, generic.IndirectObject) else value  # type: ignore[no-untyped-call]


def fields(root: generic.DictionaryObject) -> Iterator[tuple[str, generic.DictionaryObject]]:
    """Full name and dictionary of every terminal field of the document's form."""
    form = entry(root, "/AcroForm")
    if not isinstance(form, generic.DictionaryObject):
        return
    left = [_MAX_FIELDS]
    yield from _walk(entry(form, "/Fields"), "", left, 0)


def _walk(array: Any, prefix: str, left: list[int], depth: int) -> Iterator[tuple[str, generic.DictionaryObject]]:
    if not isinstance(array, generic.ArrayObject) or depth > _MAX_DEPTH:
        return
    for item in array:
        if left[0] <= 0:
            return
        left[0] -= 1
        field = _followed(item)
        if not isinstance(field, generic.DictionaryObject):
            continue
        part = entry(field, "/T")
        name = f"{prefix}.{part}" if prefix and part else str(part or prefix)
        kids = entry(field, "/Kids")
        if isinstance(kids, generic.ArrayObject) and any(_has_name(kid) for kid in kids):
            yield from _walk(kids, name, left, depth + 1)
        else:
            yield name, field


def _has_name(item: Any) -> bool:
    kid = _followed(item)
    return isinstance(kid, generic.DictionaryObject) and "/T" in kid


def find_field(root: generic.DictionaryObject, name: str) -> generic.DictionaryObject | None:
    """The field of this full name, or None."""
    for known, field in fields(root):
        if known == name:
            return field
    return None


def is_empty(field: generic.DictionaryObject) -> bool:
    """Whether the field has no value: not signed, no text."""
    value = entry(field, "/V")
    return value is None or isinstance(value, generic.NullObject) or value == ""


def _widget(field: generic.DictionaryObject) -> generic.DictionaryObject | None:
    if "/Rect" in field:
        return field
    kids = entry(field, "/Kids")
    if isinstance(kids, generic.ArrayObject) and len(kids) == 1:
        kid = kids[0]
        return kid if isinstance(kid, generic.DictionaryObject) else None
    return None


def widget_box(field: generic.DictionaryObject) -> UserBox | None:
    """The box of the field's one widget in user space; None when it has none or several."""
    widget = _widget(field)
    if widget is None:
        return None
    try:
        corners = [float(v) for v in widget["/Rect"]]
    except (KeyError, TypeError, ValueError):
        return None
    return UserBox.normalised(*corners) if len(corners) == 4 else None


def widget_page(reader: PdfFileReader, field: generic.DictionaryObject) -> int | None:
    """Index (from 0) of the page that the field's widget is on, found through the pages' /Annots."""
    widget = _widget(field)
    place = widget.container_ref if widget is not None else None
    if not isinstance(place, generic.Reference):
        return None
    wanted = (place.idnum, place.generation)
    for index in range(min(int(reader.root["/Pages"]["/Count"]), 100_000)):
        page = reader.find_page_for_modification(index)[0].get_object()  # type: ignore[no-untyped-call]
        annotations = entry(page, "/Annots")
        if isinstance(annotations, generic.ArrayObject):
            for n in range(len(annotations)):
                raw = annotations.raw_get(n)
                if isinstance(raw, generic.IndirectObject) and (raw.idnum, raw.generation) == wanted:
                    return index
    return None
