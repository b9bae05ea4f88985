"""Secret files inside a file: by the name under which they are attached, or by a mark on their own pages.

Runs in a worker, in memory, bounded in number and size, one level deep; writes nothing and keeps no text. What can't be
unpacked or read says nothing: that files are attached at all is told elsewhere.
"""

import io
import zlib
from collections.abc import Iterator
from contextlib import closing
from itertools import chain, islice
from typing import Any

import pikepdf
import pypdfium2 as pdfium

from signer_app.pdf.inspection.metadata import says_secret
from signer_app.pdf.inspection.reading import elements, entry, name, one_or_many, tree_leaves, whole
from signer_app.pdf.inspection.resources import file_name
from signer_app.pdf.inspection.sightings import Budget
from signer_app.pdf.pagetext import open_document
from signer_app.pdf.skim import skim
from signer_sync.secrecy import name_is_secret

_STEPS = 10_000
_MOST_FILES, _MOST_PAGES, _MOST_NOTES = 50, 500, 5_000
_MOST_BYTES = 64 << 20
"""Of one attached file, packed and unpacked."""
_SKIMMED = 200
"""Pages of one attached file that are looked at."""


def embedded_secret(pdf: pikepdf.Pdf) -> bool:
    """Whether any file that is attached to the document, or to a page, is secret."""
    left = _MOST_BYTES
    for specification in islice(_attached(pdf), _MOST_FILES):
        if name_is_secret(file_name(specification)):
            return True
        data = _content(specification, left)
        left -= len(data)
        if b"%PDF-" in data[:1024] and _is_secret(data):
            return True
    return False


def _attached(pdf: pikepdf.Pdf) -> Iterator[Any]:
    """Specifications of files: those of the document, associated ones, and those on its first pages."""
    leaves = list(tree_leaves(entry(entry(pdf.Root, "/Names"), "/EmbeddedFiles"), "/Names", Budget(_STEPS)))
    notes = chain.from_iterable(elements(entry(page.obj, "/Annots")) for page in islice(pdf.pages, _MOST_PAGES))
    pinned = (
        entry(one, "/FS") for one in islice(notes, _MOST_NOTES) if name(entry(one, "/Subtype")) == "/FileAttachment"
    )
    return chain(leaves[1::2], elements(entry(pdf.Root, "/AF")), pinned)


def _content(specification: Any, most: int) -> bytes:
    """What is attached, no more than `most` bytes of it; nothing where it is packed in another way than deflated."""
    files = entry(specification, "/EF")
    stream = entry(files, "/UF") or entry(files, "/F")
    if not isinstance(stream, pikepdf.Stream) or not 0 < whole(entry(stream, "/Length")) <= most:
        return b""
    filters = [name(one) for one in one_or_many(entry(stream, "/Filter"))]
    data = stream.read_raw_bytes()
    if not filters:
        return data
    if filters != ["/FlateDecode"] or entry(stream, "/DecodeParms") is not None:
        return b""
    try:
        return zlib.decompressobj().decompress(data, most)
    except zlib.error:
        return b""


def _is_secret(data: bytes) -> bool:
    try:
        with pikepdf.open(io.BytesIO(data)) as pdf:
            if says_secret(pdf):
                return True
        with closing(open_document(data)) as document:
            return any(skim(document, number) is None for number in range(min(len(document), _SKIMMED)))
    except (pikepdf.PikepdfError, pdfium.PdfiumError, OSError, RuntimeError, ValueError):
        return False
