"""The secrecy check: whether a file carries a mark of state secrecy, told before anything of it is kept.

Runs in a worker, in memory, on the file where it lies; writes nothing. Looks at the file's name and at every page
(ô 10a of Decree 30/2020, appendix I). A secret document on a machine with internet is itself an incident, so the
answer holds no text, no name and no hash of one.
"""

import hashlib
from pathlib import Path

import pypdfium2 as pdfium

from signer_app.pdf.letter import find_secrecy_mark
from signer_app.pdf.model import Screened
from signer_app.pdf.pagetext import open_document, read_page
from signer_sync.secrecy import name_is_secret


def screen_file(path: Path, name: str) -> Screened:
    """Screens the file at `path`, known to the person as `name`."""
    if name_is_secret(name):
        return Screened(secret=True, readable=True, sha256=None, size=0)
    with path.open("rb") as handle:
        before = hashlib.file_digest(handle, "sha256").hexdigest()
        size = handle.tell()
    marked = _marked(path)
    if marked:
        return Screened(secret=True, readable=True, sha256=None, size=0)
    return Screened(secret=False, readable=marked is not None, sha256=before, size=size)


def screen_bytes(data: bytes, name: str) -> Screened:
    """Screens a PDF that lies in memory only."""
    marked = _marked(data)
    if name_is_secret(name) or marked:
        return Screened(secret=True, readable=True, sha256=None, size=0)
    return Screened(secret=False, readable=marked is not None, sha256=hashlib.sha256(data).hexdigest(), size=len(data))


def _marked(source: Path | bytes) -> bool | None:
    """Whether any page carries a mark; None when the pages can't be looked at."""
    try:
        document = open_document(source)
    except (pdfium.PdfiumError, ValueError):
        return None
    try:
        return any(find_secrecy_mark(read_page(document, number)) for number in range(len(document)))
    except (pdfium.PdfiumError, ValueError):
        return None
    finally:
        document.close()
