"""Traces of a digital signature in a file that shows none any more: deleted form, dropped field, older revision.

Runs in a worker; reads bytes and objects of others, bounded, and keeps nothing. A signature's own dictionary lies
outside of every object stream, for its bytes are what the signature leaves out; so it is found in the bytes of any
revision, and by its objects where the file was written anew.
"""

import mmap
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf

from signer_app.pdf.inspection.reading import elements, entry, has, name

_BYTE_RANGE = re.compile(rb"/ByteRange\s*\[\s*\d")
_MOST_OBJECTS = 200_000


def was_signed(path: Path) -> bool:
    """Whether any revision or object of the file holds a digital signature, or a field for one.

    What can't be read says nothing here; the preflight refuses it elsewhere.
    """
    try:
        return _in_bytes(path) or _in_objects(path)
    except (pikepdf.PikepdfError, OSError, RuntimeError, ValueError):
        return False


def _in_bytes(path: Path) -> bool:
    with path.open("rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _BYTE_RANGE.search(data) is not None


def _in_objects(path: Path) -> bool:
    """Every object counts, also one to which nothing leads, and the fields that stand in it without a number."""
    with pikepdf.open(path) as pdf:
        return any(
            _is_signature(one)
            for thing, _number in zip(pdf.objects, range(_MOST_OBJECTS), strict=False)
            for one in (thing, *_within(thing))
        )


def _within(thing: Any) -> Iterator[Any]:
    for key in ("/Fields", "/Annots"):
        yield from (kid for kid in elements(entry(thing, key)) if not kid.is_indirect)
    yield from elements(entry(entry(thing, "/AcroForm"), "/Fields"))


def _is_signature(thing: Any) -> bool:
    return name(entry(thing, "/FT")) == "/Sig" or (has(thing, "/ByteRange") and has(thing, "/Contents"))
