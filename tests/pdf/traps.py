"""Pages made to deceive: one line of text, and whatever a test does to it."""

import io
from collections.abc import Callable
from typing import Any

import pikepdf
from pikepdf import Dictionary, Name

from signer_app.pdf.inspection.content import ContentInspector
from signer_app.pdf.inspection.sightings import Sighting
from signer_app.pdf.pagetext import open_document

TEXT = b"BT /F1 24 Tf 72 700 Td (So tien: 1.000.000 dong) Tj ET "
Change = Callable[[pikepdf.Pdf], object]


def made(change: Change = lambda pdf: None, content: bytes = TEXT, **saved: Any) -> bytes:
    """A page with a sum of money, and what `change` does to it."""
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=(595, 842))
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    page.Resources = Dictionary(Font=Dictionary(F1=font))
    page.Contents = pdf.make_stream(content)
    change(pdf)
    out = io.BytesIO()
    pdf.save(out, **saved)
    return out.getvalue()


def content_of(data: bytes) -> list[Sighting]:
    document = open_document(data)
    try:
        return list(ContentInspector(document).document())
    finally:
        document.close()
