"""The edXML packet of QCVN 102:2016/BTTTT as values: who sends what to whom, and how it is spelt on the wire.

Pure data on any thread; `edxml_write` makes packets, `edxml_read` reads what others made. Facts that were
read are kept as the raw text they came in: dates may be impossible, numbers no numbers, names may look
like paths; nothing here is ever used as a file name.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Final

from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind
from signer_sync.secrecy import name_is_secret

NAMESPACE: Final = "http://www.mic.gov.vn/TBT/QCVN_102_2016"

VIETNAM: Final = timezone(timedelta(hours=7))
"""Rule Z-01: written literally, never the machine's zone."""

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


class Steering(IntEnum):
    """Whether the document gives orders (SteeringType): none, it does, it reports on some."""

    NONE = 1
    ORDERS = 2
    REPORTS = 3


class StatusCode(StrEnum):
    """What a status message tells (domain rule §6.4). 13 comes from a document's sender, all else from its receiver."""

    ARRIVED = "01"
    RETURNED = "02"
    ACCEPTED = "03"
    ASSIGNED = "04"
    WORKING = "05"
    DONE = "06"
    ASKED_BACK = "13"
    AGREED = "15"
    DECLINED = "16"


REASONED: Final = frozenset({StatusCode.RETURNED, StatusCode.ASKED_BACK})
"""Status messages that never leave without a reason."""


class Doubt(StrEnum):
    """What in a packet is impossible, unknown or at odds with the rest; its raw text is kept, nothing is refused."""

    KIND = "kind"
    """There is no Bussiness element (or it says no type): the packet counts as new."""
    ISSUED_DATE = "issued_date"
    DUE_DATE = "due_date"
    TIME = "time"
    """A Timestamp of the way, or of a status message."""
    NUMBER = "number"
    """CodeNumber is no number, not even one with a letter behind it (12a)."""
    PRIORITY = "priority"
    STEERING = "steering"
    PAPER = "paper"
    STATUS = "status"
    """A status code that isn't one of `StatusCode`."""
    CONCERNS = "concerns"
    """Which document is meant is told in two ways, or not at all."""
    RECEIVERS = "receivers"
    """A change of receivers that says neither added nor removed, or names no body."""
    MANIFEST = "manifest"
    """The manifest lists other attachments than there are."""
    STRAY_BYTES = "stray_bytes"
    """There was something before `<?xml`; it was skipped for reading."""
    UNDECLARED_PREFIX = "undeclared_prefix"
    """A prefix is declared nowhere; the packet was read as if it were."""

    @property
    def text_key(self) -> str:
        """The key of its words in the catalogue."""
        return f"edxml_doubt_{self.value}"


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
class ResponseFor:
    """Which document a message answers: whose it is, số/ký hiệu, its date and DocumentId, all as written there."""

    organ_code: str
    code: str
    issued: str
    document_id: str


@dataclass(frozen=True)
class OutgoingDocument:
    """All that a packet's header says of a document; `number` as printed ("05").

    `sent_as`: its DocumentId, where it was sent under another one than its sender's code, date and number give today
    (the body has got another code since).
    """

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
    content: str = ""
    due: date | None = None
    steering: Steering | None = None
    response_for: tuple[ResponseFor, ...] = ()
    paper: bool = False
    """Whether it is sent on paper, too."""
    sent_as: str = ""

    @property
    def document_id(self) -> str:
        """The packet's DocumentId: `OrganId,yyyy/MM/dd,number/notation`, or the one it was sent under."""
        return self.sent_as or f"{self.sender.code},{self.issued:%Y/%m/%d},{self.number}/{self.notation}"


@dataclass(frozen=True)
class ReceiverChange:
    """A body that an update adds to a document's receivers, or removes from them."""

    organ_code: str
    added: bool


@dataclass(frozen=True)
class Replaced:
    """A document in whose place another one is sent, and the bodies that got it."""

    document_id: str
    organ_codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Update:
    """Makes a packet an update (type 2) of a document that was sent before and whose DocumentId it carries.

    `info`: what its header says has changed. `receivers`: who is added and removed.
    """

    info: bool = False
    receivers: tuple[ReceiverChange, ...] = ()
    reason: str = "Cập nhật văn bản điện tử"


@dataclass(frozen=True)
class Replacement:
    """Makes a packet a replacement (type 3): its document stands in the place of others."""

    replaced: tuple[Replaced, ...]
    reason: str


@dataclass(frozen=True)
class StatusMessage:
    """An answer about one document; goes to the body that `answers` names. 02 and 13 need a description: the reason."""

    sender: Organ
    answers: ResponseFor
    code: StatusCode
    description: str
    at: datetime
    staff: Staff = Staff()


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
    """What was written: identity and size of the unencoded edXML.

    `document_id`: of a status message that of the document it answers.
    """

    document_id: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Reference:
    """One line of the manifest."""

    content_id: str
    content_type: str
    name: str
    description: str


@dataclass(frozen=True)
class Trace:
    """A stop on the packet's way: which body, and when by its clock, as written there."""

    organ_code: str
    timestamp: str


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
    page_amount: str = ""
    steering: Steering | None = None
    paper: bool = False
    traces: tuple[Trace, ...] = ()
    issued_date: date | None = None
    """`issued` as a day, if it is one; so `due_date`."""
    due_date: date | None = None
    told_at: datetime | None = None
    """When a status message was made, else when the packet began its way, by the sender's clock."""
    concerns: tuple[str, ...] = ()
    """DocumentIds of the documents that a recall, an update or a replacement means; never what it answers."""
    replaced: tuple[Replaced, ...] = ()
    receiver_changes: tuple[ReceiverChange, ...] = ()
    info_changed: bool = False
    signature_present: bool = False
    """The header carries an XML signature. It is never checked: such signatures are unreliable, and trust rests on the
    signature inside the PDF and on the channel.
    """
    doubts: tuple[Doubt, ...] = field(default=())

    @property
    def routed_to(self) -> tuple[str, ...]:
        """Codes of the bodies it is meant for, each once: To, or for a status message ResponseFor."""
        if self.kind is PacketKind.STATUS:
            codes = [item.organ_code for item in self.response_for]
        else:
            codes = [organ.code for organ in self.receivers]
        return tuple(dict.fromkeys(code for code in codes if code))

    @property
    def status(self) -> StatusCode | None:
        """What a status message tells; None if it isn't one, or its code is unknown."""
        return StatusCode(self.status_code) if self.status_code in StatusCode._value2member_map_ else None

    @property
    def label(self) -> str:
        """Số, ký hiệu as the sender wrote them ("12/QĐ-UBND")."""
        return "/".join(part for part in (self.code_number, self.code_notation) if part)

    def answered(self) -> ResponseFor:
        """What a status message about this packet answers: the document in it, or the one recalled or updated."""
        meant = self.concerns[0] if self.concerns and self.kind is not PacketKind.REPLACE else self.document_id
        return ResponseFor(self.sender.code, self.label, self.issued, meant)


@dataclass(frozen=True)
class ReadAttachment:
    """An attachment that was read: `size` and `sha256` of the decoded bytes; `name` is text, never a path.

    `marked`: something that the packet says of it is a secrecy mark.
    """

    content_id: str
    name: str
    description: str
    content_type: str
    size: int
    sha256: str
    marked: bool = False


@dataclass(frozen=True)
class ReadPacket:
    """A packet read to its end."""

    header: PacketHeader
    attachments: tuple[ReadAttachment, ...]

    @property
    def secret(self) -> bool:
        """Whether the header or what is said of an attachment carries a secrecy mark."""
        return self.header.secret or any(
            item.marked or name_is_secret(item.name) or name_is_secret(item.description) for item in self.attachments
        )

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """Those of the header, and whether the manifest fits the attachments."""
        listed = sorted(item.content_id for item in self.header.references)
        if listed == sorted(item.content_id for item in self.attachments):
            return self.header.doubts
        return (*self.header.doubts, Doubt.MANIFEST)


def invalid(reason: str, line: int = 0) -> KnownError:
    """The error for a packet that cannot be read or written; `reason` is a short term for support staff."""
    return KnownError("edxml_invalid", reason=reason, line=line)
