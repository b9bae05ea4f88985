"""The secrecy check: whether a file carries a mark of state secrecy, told before anything of it is kept.

Runs in a worker, in memory, on the file where it lies; writes nothing. Looks at the file's name, at what the file says
of itself, at what is attached, and at every page with its stamps, notes and filled fields (ô 10a of Decree 30/2020,
appendix I). A secret document on a machine with internet is itself an incident, so the answer holds no text, no name
and no hash of one.
"""

import hashlib
import io
from contextlib import closing
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium

from signer_app.pdf.inspection.embedded import embedded_secret
from signer_app.pdf.inspection.metadata import says_secret
from signer_app.pdf.model import Screened
from signer_app.pdf.pagetext import open_document
from signer_app.pdf.skim import skim
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
    """Whether the file's own data or any page carries a mark; None when the pages can't be looked at."""
    if _says_secret(source):
        return True
    try:
        with closing(open_document(source)) as document:
            return any(skim(document, number) is None for number in range(len(document)))
    except (pdfium.PdfiumError, ValueError):
        return None


def _says_secret(source: Path | bytes) -> bool:
    """Whether the file's own data, or what is attached, call it secret; what qpdf can't read says nothing."""
    try:
        with pikepdf.open(source if isinstance(source, Path) else io.BytesIO(source)) as pdf:
            return says_secret(pdf) or embedded_secret(pdf)
    except (pikepdf.PikepdfError, OSError, RuntimeError, ValueError):
        return False
