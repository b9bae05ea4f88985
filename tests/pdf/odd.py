"""Odd files for the tests, made from sound ones: written plainly, so that bytes can be changed where they stand."""

import io
import re
from collections.abc import Callable
from typing import Literal

import pikepdf

from tests.pdf.paper import letter


def plain(
    change: Callable[[pikepdf.Pdf], None] | None = None,
    *,
    lock: pikepdf.Encryption | None = None,
    packed: bool = False,
) -> bytes:
    """A letter with a cross-reference table, after `change` was made to it; nothing is compressed unless `packed`."""
    written = io.BytesIO()
    with pikepdf.open(io.BytesIO(letter())) as pdf:
        if change is not None:
            change(pdf)
        pdf.save(
            written,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
            compress_streams=packed,
            fix_metadata_version=False,
            encryption=lock or False,
        )
    return written.getvalue()


def encrypted(revision: Literal[2, 3, 4, 6], *, user: str = "", metadata: bool = True) -> bytes:
    """A letter under the standard handler's revision 2 (RC4-40), 3 (RC4-128), 4 (AES-128) or 6 (AES-256)."""
    modern = revision >= 4
    return plain(
        lock=pikepdf.Encryption(owner="of the author", user=user, R=revision, aes=modern, metadata=modern and metadata)
    )


def with_size(data: bytes, size: int) -> bytes:
    """The trailer says another number of objects; as many bytes as before, or at the end of the file."""
    return re.sub(rb"/Size \d+", b"/Size %d" % size, data)


def junk_before(data: bytes) -> bytes:
    """Something stands before the header."""
    return b"MIME-Version: 1.0\r\n\r\n" + data


def without_references(data: bytes) -> bytes:
    """startxref leads to nowhere."""
    return re.sub(rb"startxref\s+\d+", b"startxref\n7", data)


def in_circles(data: bytes) -> bytes:
    """The cross-reference section names itself as the one before."""
    at = int(re.findall(rb"startxref\s+(\d+)", data)[-1])
    return data.replace(b"trailer <<", b"trailer << /Prev %d" % at)


def without_count(data: bytes) -> bytes:
    """The root of the page tree doesn't say how many there are."""
    return re.sub(rb"/Count (\d)", rb"/C0unt \1", data)


def without_ends(data: bytes) -> bytes:
    """Objects have no end."""
    return data.replace(b"\nendobj\n", b"\n\n\n\n\n\n\n\n")


def wrong_lengths(data: bytes) -> bytes:
    """Each stream says that it is shorter than it is."""
    return re.sub(rb"/Length (\d)(\d+)", lambda m: b"/Length 0" + m[2], data)


def twice(data: bytes) -> bytes:
    """Every object stands in the file once more, where no table leads."""
    first, table = data.index(b"1 0 obj"), data.rindex(b"\nxref\n") + 1
    tail = data[table:].replace(b"startxref\n%d" % table, b"startxref\n%d" % (2 * table - first))
    return data[:table] + data[first:table] + tail


def cut_short(data: bytes) -> bytes:
    """The last part never came."""
    return data[: int(len(data) * 0.95)]
