"""Opens a file of others so that an increment can be appended to it, and writes that without chance and clock.

Runs in a worker. The input's bytes stay as they are; what pyHanko can't extend raises pyHanko's own errors, which the
callers tell as a reason.
"""

import hashlib
import logging
from typing import IO

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader

# pyHanko tells of each odd file on its logger; what matters comes back as a finding.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)


class _PureIncrementalWriter(IncrementalPdfFileWriter):
    """An increment without chance and clock, so that the same input gives the same bytes.

    The file identifier is not random: ISO 32000-1, 14.4 asks that its second part changes with the content, and a hash
    of what makes the content does that. Info dictionary and XMP stay as they are: pyHanko would put the time of this
    PC's clock and zone in them, and its own name; the time of signing stands in the signature.
    """

    seed: bytes = b""

    @classmethod
    def _handle_id(cls, prev: PdfFileReader) -> generic.ArrayObject:
        changing = generic.ByteStringObject(hashlib.sha256(cls.seed).digest()[:16])
        try:
            first = prev.trailer["/ID"][0]
        except (KeyError, IndexError, TypeError):
            return generic.ArrayObject([changing, changing])
        original = getattr(first, "original_bytes", None)
        kept = generic.ByteStringObject(original if original is not None else bytes(first))
        return generic.ArrayObject([kept, changing])

    def _update_meta(self) -> None:
        pass


def open_increment(source: IO[bytes], seed: bytes) -> IncrementalPdfFileWriter:
    """A writer that appends to `source`; lenient only where the strict reader gives up (Word's hybrid files).

    Raises what pyHanko raises for files that it can't extend.
    """
    writer_type = type("_SeededWriter", (_PureIncrementalWriter,), {"seed": seed})
    try:
        writer: IncrementalPdfFileWriter = writer_type(source)
        if writer.prev.xrefs.hybrid_xrefs_present:
            raise PdfError("hybrid cross-reference sections")
    except (PdfError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        source.seek(0)
        writer = writer_type(source, strict=False)
    return writer
