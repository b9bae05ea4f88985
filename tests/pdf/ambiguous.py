"""Small files made byte by byte, which readers may take in several ways."""

from collections.abc import Callable, Sequence

Object = tuple[int, int, bytes]
"""Number, generation and what stands between "obj" and "endobj"."""


def stream(data: bytes, more: bytes = b"") -> bytes:
    """A stream with its true length."""
    return b"<< /Length %d %s>>\nstream\n%s\nendstream" % (len(data), more, data)


_FONT = b"<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
SMALL = b"BT /F1 24 Tf 72 700 Td (PAY 1000) Tj ET"
GREAT = b"BT /F1 24 Tf 72 700 Td (PAY 9999999) Tj ET"
LEAF = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [5 0 R] /Resources " + _FONT + b">>"
)
PAGE: tuple[Object, ...] = (
    (1, 0, b"<< /Type /Catalog /Pages 2 0 R >>"),
    (2, 0, b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"),
    (3, 0, LEAF.replace(b"/Annots [5 0 R] ", b"")),
)
LINKED: tuple[Object, ...] = (*PAGE[:2], (3, 0, LEAF))


def entry(offset: int, generation: int = 0) -> bytes:
    """A line of a table."""
    return b"%010d %05d n \n" % (offset, generation)


def one_by_one(objects: Sequence[Object], offsets: Sequence[int]) -> bytes:
    """A table with a subsection for each object: the first of each number."""
    first = {number: at for (number, _, _), at in reversed(list(zip(objects, offsets, strict=True)))}
    lines = b"".join(b"%d 1\n%s" % (number, entry(at)) for number, at in sorted(first.items()))
    return b"xref\n0 1\n0000000000 65535 f \n" + lines


def tiny(objects: Sequence[Object], table: Callable[[Sequence[Object], Sequence[int]], bytes] = one_by_one) -> bytes:
    """A file of these objects, in this order, with a table as told."""
    out, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, generation, body in objects:
        offsets.append(len(out))
        out += b"%d %d obj\n%s\nendobj\n" % (number, generation, body)
    at = len(out)
    out += table(objects, offsets)
    out += b"trailer\n<< /Size 20 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % at
    return bytes(out)
