"""The look into an attachment: whether it carries a mark of secrecy or programs, told before anything of it is kept.

Runs in a worker, in memory, on the file where it lies; writes nothing. A mark is looked for in the name and, where
words can be read, at the beginning of text, sheets and slides; where they can't be, the answer says so.
"""

import hashlib
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from signer_app.attachments.kinds import LARGEST, Inside, Kind, is_program, kind_of
from signer_app.attachments.model import LookedInto
from signer_app.attachments.words import (
    Parts,
    UnreadableError,
    office_words,
    open_document_words,
    open_parts,
    text_words,
)
from signer_resources.errors import KnownError
from signer_sync.secrecy import is_mark, name_is_secret

_SECRET = LookedInto(secret=True, words=True, sha256=None, size=0)
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OF_OTHER_KINDS: Final = (b"PK\x03\x04", _OLE, b"%PDF-", b"{\\rtf")
_PROGRAM_STARTS: Final = (b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe")
_MACRO_STORAGE: Final = "_VBA_PROJECT".encode("utf-16-le")
"""The name of a stream that each compound file with VBA has ([MS-OVBA] 2.2.1)."""
_LOCKED_STREAM: Final = "EncryptedPackage".encode("utf-16-le")
"""The name of the stream that holds an office file under a password ([MS-OFFCRYPTO] 2.3.4.4)."""
_ENCRYPTED = 0x1
"""A ZIP entry's flag (APPNOTE 4.4.4)."""


def look_into(path: Path, name: str) -> LookedInto:
    """Looks into the file at `path`, known to the person as `name`.

    KnownError "attachment_program", "attachment_macros", "attachment_kind", "attachment_locked", "attachment_damaged",
    "attachment_too_large".
    """
    if name_is_secret(name):
        return _SECRET
    kind = kind_of(name)
    if path.stat().st_size > LARGEST:
        raise KnownError("attachment_too_large", name=name, limit=LARGEST >> 20)
    with path.open("rb") as handle:
        data = handle.read(LARGEST + 1)
    return _looked(data, kind, name)


def look_into_bytes(data: bytes, name: str) -> LookedInto:
    """The same for an attachment that lies in memory alone; raises as `look_into`."""
    return _SECRET if name_is_secret(name) else _looked(data, kind_of(name), name)


def _looked(data: bytes, kind: Kind, name: str) -> LookedInto:
    if len(data) > LARGEST:
        raise KnownError("attachment_too_large", name=name, limit=LARGEST >> 20)
    try:
        secret, words = _look(data, kind, name)
    except UnreadableError:
        raise KnownError("attachment_damaged", name=name) from None
    if secret:
        return _SECRET
    return LookedInto(secret=False, words=words, sha256=hashlib.sha256(data).hexdigest(), size=len(data))


def _look(data: bytes, kind: Kind, name: str) -> tuple[bool, bool]:
    """Whether a mark was found, and whether words could be read."""
    if data.startswith(_PROGRAM_STARTS):
        raise KnownError("attachment_program", name=name)
    if kind.inside is Inside.OOXML and data.startswith(_OLE):
        # A package under a password lies in a compound file; any other one is not what its name says.
        raise KnownError("attachment_locked" if _LOCKED_STREAM in data else "attachment_damaged", name=name)
    if kind.starts and not data.startswith(kind.starts):
        raise UnreadableError
    if not kind.starts and data.startswith(_OF_OTHER_KINDS):
        # An office file or a PDF under a name by which nobody would look into it.
        raise UnreadableError
    match kind.inside:
        case Inside.OOXML | Inside.ODF | Inside.ZIP:
            return _packed(open_parts(io.BytesIO(data)), kind.inside, name)
        case Inside.TEXT:
            words = text_words(io.BytesIO(data))
            return (False, False) if words is None else (_marked(words), True)
        case Inside.OLE:
            if _MACRO_STORAGE in data:
                raise KnownError("attachment_macros", name=name)
            return False, False
        case Inside.OTHER:
            return False, False


def _packed(parts: Parts, inside: Inside, name: str) -> tuple[bool, bool]:
    entries = parts.archive.infolist()
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise KnownError("attachment_locked", name=name)
    if inside is Inside.ZIP:
        if "[Content_Types].xml" in parts.names or "META-INF/manifest.xml" in parts.names:
            raise UnreadableError
        if any(is_program(entry.filename) for entry in entries):
            raise KnownError("attachment_program", name=name)
        # What lies in it is nobody's to unpack here; its names may tell enough.
        return any(name_is_secret(part) for entry in entries for part in entry.filename.split("/")), False
    if _has_macros(parts, inside):
        raise KnownError("attachment_macros", name=name)
    if inside is Inside.ODF:
        if "content.xml" not in parts.names:
            raise UnreadableError
        if _is_locked(parts):
            raise KnownError("attachment_locked", name=name)
        return _marked(open_document_words(parts)), True
    if "[Content_Types].xml" not in parts.names:
        raise UnreadableError
    return _marked(office_words(parts)), True


def _has_macros(parts: Parts, inside: Inside) -> bool:
    if inside is Inside.ODF:
        scripts = [n for n in parts.names if n.startswith(("Basic/", "Scripts/")) and not n.endswith("/")]
        # An empty library is written by default and runs nothing.
        return any(not n.endswith(("script-lc.xml", "script-lb.xml")) for n in scripts)
    return any(n.rpartition("/")[2].lower().startswith("vbaproject") or "macrosheets/" in n for n in parts.names)


def _is_locked(parts: Parts) -> bool:
    """Whether the manifest names encrypted parts (ODF 1.2 part 3, 4.4)."""
    if "META-INF/manifest.xml" not in parts.names:
        return False
    return b"encryption-data" in b"".join(parts.blocks("META-INF/manifest.xml"))


def _marked(words: Iterable[str]) -> bool:
    return any(is_mark(word) for word in words)
