"""Which files may go along with a document, told by their names; how each kind is looked into, and sent.

Pure data and functions, in any process. A name says what a file ought to be; whether it is, the worker finds out.
"""

from dataclasses import dataclass
from enum import Enum, auto
from pathlib import PurePath

from signer_resources.errors import KnownError

LARGEST = 64 << 20
"""Bytes of one attachment: what the receiving side takes in one piece."""


class Inside(Enum):
    """What a kind of file is made of."""

    OOXML = auto()
    """ZIP with XML (ISO/IEC 29500)."""
    ODF = auto()
    """ZIP with XML (ISO/IEC 26300)."""
    TEXT = auto()
    OLE = auto()
    """The compound files of older office programs."""
    ZIP = auto()
    OTHER = auto()
    """Pictures and drawings: nothing that words could be read from."""


@dataclass(frozen=True)
class Kind:
    """A kind of attachment. `starts`: one of these is how its bytes begin, empty where there is no such rule."""

    content_type: str
    inside: Inside
    starts: tuple[bytes, ...] = ()
    converts: bool = False
    """Whether LibreOffice makes pages of it."""


_ZIP = (b"PK\x03\x04",)
_OLE = (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",)
_OOXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."

_KINDS = {
    "docx": Kind(f"{_OOXML}wordprocessingml.document", Inside.OOXML, _ZIP, converts=True),
    "xlsx": Kind(f"{_OOXML}spreadsheetml.sheet", Inside.OOXML, _ZIP, converts=True),
    "pptx": Kind(f"{_OOXML}presentationml.presentation", Inside.OOXML, _ZIP, converts=True),
    "odt": Kind(f"{_ODF}text", Inside.ODF, _ZIP, converts=True),
    "ods": Kind(f"{_ODF}spreadsheet", Inside.ODF, _ZIP, converts=True),
    "odp": Kind(f"{_ODF}presentation", Inside.ODF, _ZIP, converts=True),
    "doc": Kind("application/msword", Inside.OLE, _OLE, converts=True),
    "xls": Kind("application/vnd.ms-excel", Inside.OLE, _OLE, converts=True),
    "ppt": Kind("application/vnd.ms-powerpoint", Inside.OLE, _OLE, converts=True),
    "rtf": Kind("application/rtf", Inside.OTHER, (b"{\\rtf",), converts=True),
    "csv": Kind("text/csv", Inside.TEXT),
    "txt": Kind("text/plain", Inside.TEXT),
    "xml": Kind("application/xml", Inside.TEXT),
    "zip": Kind("application/zip", Inside.ZIP, (*_ZIP, b"PK\x05\x06")),
    "jpg": Kind("image/jpeg", Inside.OTHER, (b"\xff\xd8\xff",)),
    "jpeg": Kind("image/jpeg", Inside.OTHER, (b"\xff\xd8\xff",)),
    "png": Kind("image/png", Inside.OTHER, (b"\x89PNG\r\n\x1a\n",)),
    "tif": Kind("image/tiff", Inside.OTHER, (b"II*\0", b"MM\0*")),
    "tiff": Kind("image/tiff", Inside.OTHER, (b"II*\0", b"MM\0*")),
    "dwg": Kind("image/vnd.dwg", Inside.OTHER, (b"AC10",)),
    "dxf": Kind("image/vnd.dxf", Inside.OTHER),
}
_PROGRAMS = frozenset(
    {
        "app", "appimage", "bat", "cmd", "com", "cpl", "deb", "dll", "dmg", "exe", "gadget", "hta", "inf", "iso", "jar",
        "js", "jse", "lnk", "msc", "msi", "msp", "ps1", "py", "reg", "rpm", "scr", "sh", "sys", "url", "vb", "vbe",
        "vbs", "ws", "wsc", "wsf", "wsh",
    }
)  # fmt: skip
_WITH_MACROS = frozenset(
    {"docm", "dotm", "potm", "ppam", "ppsm", "pptm", "sldm", "xla", "xlam", "xlsb", "xlsm", "xltm"}
)


def suffix_of(name: str) -> str:
    """The ending of a name in lower case, without its dot; what Windows would not see at the end is not seen here."""
    return PurePath(name.rstrip(" .")).suffix.lower().lstrip(".")


def kind_of(name: str) -> Kind:
    """What a file of this name ought to be.

    KnownError "attachment_program", "attachment_macros", "attachment_kind".
    """
    suffix = suffix_of(name)
    if suffix in _PROGRAMS:
        raise KnownError("attachment_program", name=name)
    if suffix in _WITH_MACROS:
        raise KnownError("attachment_macros", name=name)
    kind = _KINDS.get(suffix)
    if kind is None:
        raise KnownError("attachment_kind", name=name)
    return kind


def content_type_of(name: str) -> str:
    """The media type under which a file is sent."""
    kind = _KINDS.get(suffix_of(name))
    return kind.content_type if kind is not None else "application/octet-stream"


def is_known(name: str) -> bool:
    """Whether the name says what the file is: one that may go along, or one that is refused with its reason."""
    suffix = suffix_of(name)
    return suffix in _KINDS or is_program(name) or suffix in _WITH_MACROS


def is_program(name: str) -> bool:
    """Whether the name says that the file can be run."""
    return suffix_of(name) in _PROGRAMS
