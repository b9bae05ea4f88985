"""Secrecy marks in what a file says of itself: title, subject, keywords, in the Info dictionary and in XMP.

Runs in a worker. Keeps no text: the answer is yes or no (Law on the protection of state secrets; see `screen`).
"""

import re
import zlib

import pikepdf

from signer_app.pdf.inspection.reading import entry, name, one_or_many, values, whole, words
from signer_sync.secrecy import field_is_secret

_MOST_BYTES = 1 << 20
_LEAF = re.compile(r"<(?P<name>[\w:.-]{1,80})(?:\s[^<>]*)?>(?P<text>[^<>]{1,200})</(?P=name)>")
_ATTRIBUTE = re.compile(r"\s(?P<name>[\w:.-]{1,80})\s*=\s*[\"'](?P<text>[^\"'<>]{1,200})[\"']")
_PARTS = re.compile(r"[,;|\n]")


def says_secret(pdf: pikepdf.Pdf) -> bool:
    """Whether the file's own data call it secret."""
    told = [(key.lstrip("/"), words(value)) for key, value in values(entry(pdf.trailer, "/Info"))]
    return any(_is_secret(key, text) for key, text in (*told, *_in_xmp(pdf)))


def _in_xmp(pdf: pikepdf.Pdf) -> list[tuple[str, str]]:
    stream = entry(pdf.Root, "/Metadata")
    if not isinstance(stream, pikepdf.Stream) or whole(entry(stream, "/Length")) > _MOST_BYTES:
        return []
    # Matched as text: an XML parser would have to be kept from entities, and finds no more.
    text = _unpacked(stream).decode("utf-8", errors="replace")
    return [
        (found["name"].rpartition(":")[2], found["text"])
        for pattern in (_LEAF, _ATTRIBUTE)
        for found in pattern.finditer(text)
    ]


def _unpacked(stream: pikepdf.Stream) -> bytes:
    """The first megabyte of the data, however far they would unfold."""
    filters = [name(one) for one in one_or_many(entry(stream, "/Filter"))]
    data = stream.read_raw_bytes()[:_MOST_BYTES]
    if not filters:
        return data
    if filters != ["/FlateDecode"]:
        return b""
    try:
        return zlib.decompressobj().decompress(data, _MOST_BYTES)
    except zlib.error:
        return b""


def _is_secret(key: str, text: str) -> bool:
    return any(field_is_secret(key, part) for part in (text[:2000], *_PARTS.split(text[:2000])))
