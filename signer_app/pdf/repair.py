"""Rewrites a file whose structure is broken, so that it can be signed; only where nobody has signed it yet.

Runs in a worker, file in, file out; the input stays as it is. qpdf reads what there is and writes it anew, without
chance and clock: the same input gives the same bytes. The new file counts only when PDFium, which reads damaged files
in its own way, sees the same in both: as many pages, the same pictures, letters and annotations, outline, attachments.
What differs is an answer, not a repair. Where a file without a table holds two objects for one number, there is none
either: nobody knows which of them its author had before his eyes.
"""

import hashlib
import mmap
import re
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium

from signer_app.pdf.increment import Damage, extendable
from signer_app.pdf.model import Repaired
from signer_app.pdf.same_pages import MOST_PAGES, difference
from signer_app.pdf.standards import claims
from signer_resources.errors import KnownError

_MAX_BYTES = 256 << 20
"""Rewriting holds the tables of a file in memory; a larger file comes whole from its author, or not at all."""
_MAX_OBJECTS = 500_000
_OBJECT = re.compile(rb"(?<!\d)(\d{1,10})\s+(\d{1,5})\s+obj\b")
_MOST_FOUND = 200_000
_REBUILT = "reconstruct"
"""qpdf's word for a table that it had to make itself, by looking for objects in the bytes."""
_SIGNATURE = re.compile(rb"/ByteRange\s*\[\s*\d|/Type\s*/(?:Sig|DocTimeStamp)\b")
"""What only the dictionary of a signature says; the names alone may stand in any text."""


def repair(source: Path, output: Path) -> Repaired:
    """Writes to `output` the file `source` with a sound structure and nothing else changed.

    KnownError: `pdf_encrypted`, `repair_encrypted`; `repair_signed` for a file with traces of a signature;
    `repair_ambiguous` where two objects could be meant; `repair_beyond` when qpdf can't make sense of the file, or it
    is too large; `viewer_cannot_open` when PDFium can't show it as it is; `repair_differs` with what differs. Nothing
    is left of an output that doesn't count.
    """
    try:
        return _repaired(source, output)
    except Exception:
        output.unlink(missing_ok=True)
        raise


def _repaired(source: Path, output: Path) -> Repaired:
    if source.stat().st_size > _MAX_BYTES:
        raise KnownError("repair_beyond", reason=f"> {_MAX_BYTES >> 20} MB")
    damage = extendable(source)
    with warnings.catch_warnings():
        # pikepdf warns of what it mends; that comes back as `changes`.
        warnings.simplefilter("ignore")
        told = _rewrite(source, output)
    if (left := extendable(output)) is not None:
        raise KnownError("repair_beyond", reason=left.value)
    if claims(source) != claims(output):
        raise KnownError("repair_differs", what="PDF/A")
    pages = _compare(source, output)
    with output.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    found = {damage.value} if damage is not None else set()
    return Repaired(digest, tuple(sorted(found | told)) or (Damage.OBJECTS.value,), pages)


def _rewrite(source: Path, output: Path) -> set[str]:
    """What qpdf had to mend, by the names of `Damage`."""
    try:
        with pikepdf.open(source) as pdf:
            if pdf.is_encrypted:
                # Whoever encrypted it meant something by it; without, it would be another file.
                raise KnownError("repair_encrypted")
            if _signed(pdf, source):
                raise KnownError("repair_signed")
            if len(pdf.pages) == 0:
                raise KnownError("repair_beyond", reason=Damage.PAGES.value)
            if "/Size" not in pdf.trailer:
                # qpdf counts right where there is something to be corrected, and is silent where there is nothing.
                pdf.trailer["/Size"] = 0
            problems = [str(problem) for problem in pdf.get_warnings()]
            if any(_REBUILT in problem for problem in problems):
                _require_unambiguous(source)
            told = {kind.value for problem in problems for kind in _kinds(problem)}
            pdf.save(
                output,
                deterministic_id=True,
                compress_streams=False,
                stream_decode_level=pikepdf.StreamDecodeLevel.none,
                object_stream_mode=pikepdf.ObjectStreamMode.preserve,
                fix_metadata_version=False,
                preserve_pdfa=True,
            )
    except pikepdf.PasswordError:
        raise KnownError("pdf_encrypted") from None
    except (pikepdf.PikepdfError, RuntimeError, ValueError, TypeError, KeyError, IndexError) as error:
        # qpdf's own words, without the file's name before them.
        raise KnownError("repair_beyond", reason=str(error).rpartition(": ")[2][:120]) from error
    return told


def _kinds(problem: str) -> Iterator[Damage]:
    """What a warning of qpdf is about."""
    if "xref" in problem or "trailer" in problem or "cross-reference" in problem:
        yield Damage.REFERENCES
    elif "/Pages" in problem or "page" in problem:
        yield Damage.PAGES
    else:
        yield Damage.OBJECTS


def _signed(pdf: pikepdf.Pdf, source: Path) -> bool:
    """Whether the file shows traces of a signature, reachable or not: a repair would break it, or bury that there was
    one.
    """
    with source.open("rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as raw:
        if _SIGNATURE.search(raw) is not None:
            return True
    if len(pdf.objects) > _MAX_OBJECTS:
        raise KnownError("repair_beyond", reason=f"> {_MAX_OBJECTS} obj")
    return any(isinstance(one, pikepdf.Dictionary) and "/ByteRange" in one for one in pdf.objects)


def _require_unambiguous(source: Path) -> None:
    """KnownError `repair_ambiguous` where the bytes hold two objects of one number that aren't the same."""
    known: dict[int, bytes] = {}
    with source.open("rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as raw:
        for count, match in enumerate(_OBJECT.finditer(raw)):
            if count >= _MOST_FOUND:
                raise KnownError("repair_beyond", reason=f"> {_MOST_FOUND} obj")
            end = raw.find(b"endobj", match.end())
            body = raw[match.start(2) : end if end >= 0 else len(raw)]
            digest = hashlib.sha256(body.strip()).digest()
            if known.setdefault(int(match[1]), digest) != digest:
                raise KnownError("repair_ambiguous", object=match[1].decode())


# ---- the second reader ----------------------------------------------------------------------------------------------


def _compare(source: Path, output: Path) -> int:
    """The number of pages, the same in both; KnownError `repair_differs` for the first thing that differs to PDFium."""
    try:
        with closing(pdfium.PdfDocument(source)):
            pass
    except pdfium.PdfiumError as error:
        # Without a second reader nobody knows whether the page is what its author saw.
        raise KnownError("viewer_cannot_open") from error
    try:
        with closing(pdfium.PdfDocument(output)) as new:
            pages = len(new)
        if pages > MOST_PAGES:
            raise KnownError("repair_beyond", reason=f"> {MOST_PAGES} Page")
        what = difference(source, output)
    except pdfium.PdfiumError as error:
        raise KnownError("repair_beyond", reason="PDFium") from error
    if what is not None:
        raise KnownError("repair_differs", what=what)
    return pages
