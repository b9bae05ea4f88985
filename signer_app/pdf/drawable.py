"""Whether PDFium can draw a file at all, asked before any PIN: the window, and the check of what was signed, need it.

Runs in a worker. Looks at the size of each page and draws the first one with its form; a drawing that never ends costs
a worker its time here, and not after a signature was made.
"""

from contextlib import closing
from pathlib import Path

import pypdfium2 as pdfium

_MAX_SIDE = 1000
_LEAST = 1.0
"""A page of less than a point has nothing on it."""


def undrawable_page(path: Path) -> int | None:
    """The first page (from 1) of which nothing can be shown; None when there is none. Raises PDFium's errors."""
    with closing(pdfium.PdfDocument(path)) as document:
        for number in range(len(document)):
            if min(document.get_page_size(number)) < _LEAST:
                return number + 1
        document.init_forms()
        try:
            with closing(document[0]) as page:
                scale = min(1.0, _MAX_SIDE / max(page.get_size()))
                # Of a long and narrow one less than a pixel may be left.
                scale = max(scale, _LEAST / min(page.get_size()))
                page.render(scale=scale, grayscale=True).close()
        except (pdfium.PdfiumError, ValueError):
            return 1
    return None
