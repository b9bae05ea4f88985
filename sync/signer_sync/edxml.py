"""The edXML packet of QCVN 102:2016/BTTTT as values: who sends what to whom, and how it is spelt on the wire.

Pure data on any thread; `edxml_write` makes packets, `edxml_read` reads what others made. Facts that were
read are kept as the raw text they came in: dates may be impossible, numbers no numbers, names may look
like paths; nothing here is ever used as a file name.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from pathlib import Path
from typing import Final

from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind
from signer_sync.secrecy import name_is_secret

NAMESPACE: Final = "http://www.mic.gov.vn/TBT/QCVN_102_2016"

BUSINESS_KINDS: Final = {
    "0": PacketKind.NEW,
    "1": PacketKind.REVOKE,
    "2": PacketKind.UPDATE,
    "3": PacketKind.REPLACE,
}
"""TraceHeaderList/Bussiness/BussinessDocType."""


class Priority(IntEnum):
    """Mức độ khẩn (OtherInfo/Priority)."""

    NORMAL = 0
    URGENT = 1
    VERY_URGENT = 2
    FLASH = 3
    FLASH_TIMED = 4


@dataclass(frozen=True)
class Organ:
    """A body as From and To carry it; only the code identifies it."""

    code: str
    name: str
    in_charge: str = ""
    address: str = ""
    email: str = ""
    telephone: str = ""
    fax: str = ""
    website: str = ""


@dataclass(frozen=True)
class SignerInfo:
    """Who signed the document: authority ("TM. ỦY BAN NHÂN DÂN"), position, full name."""

    competence: str = ""
    position: str = ""
    full_name: str = ""


@dataclass(frozen=True)
class Staff:
    """The clerk who sends."""

    department: str = ""
    name: str = ""
    mobile: str = ""
    email: str = ""


@dataclass(frozen=True)
class OutgoingDocument:
    """All that the header of a new document (type 0) says; `number` as printed ("05")."""

    sender: Organ
    receivers: tuple[Organ, ...]
    number: str
    notation: str
    issued: date
    place: str
    type_code: str
    type_name: str
    subject: str
    signer: SignerInfo
    sent_at: datetime
    priority: Priority = Priority.NORMAL
    appendixes: tuple[str, ...] = ()
    to_places: tuple[str, ...] = ()
    page_amount: int | None = None
    staff: Staff = Staff()

    @property
    def document_id(self) -> str:
        """The packet's DocumentId: `OrganId,yyyy/MM/dd,number/notation`."""
        return f"{self.sender.code},{self.issued:%Y/%m/%d},{self.number}/{self.notation}"


@dataclass(frozen=True)
class AttachmentFile:
    """A file that goes into a packet, as it was stored: `sha256` in hex, `size` in bytes."""

    path: Path
    name: str
    sha256: str
    size: int
    content_type: str = "application/pdf"
    description: str = ""


@dataclass(frozen=True)
class WrittenPacket:
    """What was written: identity and size of the unencoded edXML."""

    document_id: str
    sha256: str
    size: int


@dataclass(frozen=True)
class ResponseFor:
    """Which document a message answers."""

    organ_code: str
    code: str
    issued: str
    document_id: str


@dataclass(frozen=True)
class Reference:
    """One line of the manifest."""

    content_id: str
    content_type: str
    name: str
    description: str


@dataclass(frozen=True)
class PacketHeader:
    """What a packet says of itself. Every text is the sender's, untrusted, as it was written.

    `kind_declared` False: there was no Bussiness element and the packet counts as new. `priority` None:
    not one of 0 to 4. `secret`: something in the header is a secrecy mark.
    """

    kind: PacketKind
    kind_declared: bool
    sender: Organ
    receivers: tuple[Organ, ...]
    document_id: str
    code_number: str
    code_notation: str
    place: str
    issued: str
    type_code: str
    type_name: str
    subject: str
    content: str
    signer: SignerInfo
    due: str
    priority: Priority | None
    appendixes: tuple[str, ...]
    to_places: tuple[str, ...]
    response_for: tuple[ResponseFor, ...]
    reason: str
    staff: Staff
    status_code: str
    description: str
    timestamp: str
    references: tuple[Reference, ...]
    secret: bool

    @property
    def routed_to(self) -> tuple[str, ...]:
        """Codes of the bodies it is meant for, each once: To, or for a status message ResponseFor."""
        if self.kind is PacketKind.STATUS:
            codes = [item.organ_code for item in self.response_for]
        else:
            codes = [organ.code for organ in self.receivers]
        return tuple(dict.fromkeys(code for code in codes if code))


@dataclass(frozen=True)
class ReadAttachment:
    """An attachment that was read: `size` and `sha256` of the decoded bytes; `name` is text, never a path."""

    content_id: str
    name: str
    description: str
    content_type: str
    size: int
    sha256: str


@dataclass(frozen=True)
class ReadPacket:
    """A packet read to its end."""

    header: PacketHeader
    attachments: tuple[ReadAttachment, ...]

    @property
    def secret(self) -> bool:
        """Whether the header or the name of an attachment carries a secrecy mark."""
        return self.header.secret or any(
            name_is_secret(item.name) or name_is_secret(item.description) for item in self.attachments
        )


def invalid(reason: str, line: int = 0) -> KnownError:
    """The error for a packet that cannot be read or written; `reason` is a short term for support staff."""
    return KnownError("edxml_invalid", reason=reason, line=line)
