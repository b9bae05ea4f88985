"""Writes edXML packets: a document with its files, streamed from disk into a file; a recall; a status message.

Runs on any thread. Equal input gives equal bytes, so that a packet made again has the same hash; time is
passed in. Never holds an attachment in memory, and checks while copying that it is still the file that
was stored.
"""

import base64
import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Self
from xml.sax.saxutils import escape

from signer_resources.errors import KnownError
from signer_sync.edxml import (
    NAMESPACE,
    REASONED,
    VIETNAM,
    AttachmentFile,
    Organ,
    OutgoingDocument,
    Replacement,
    ResponseFor,
    Staff,
    StatusMessage,
    Update,
    WrittenPacket,
    invalid,
)
from signer_sync.packets import BinarySink

_CHUNK: Final = 3 << 18
"""Bytes read at a time; a multiple of three, so that base64 (RFC 4648 §4) needs no padding in between."""
_LINE: Final = "\n"
_NEW_DOCUMENT: Final = "Văn bản điện tử mới"


def write_packet(
    document: OutgoingDocument,
    attachments: Sequence[AttachmentFile],
    out: BinarySink,
    business: Update | Replacement | None = None,
) -> WrittenPacket:
    """Writes the packet of a document; the main file is the first attachment. Without `business` it is a new one.

    An update may come without files: where nobody is added, none is wanted.

    Raises KnownError edxml_invalid for control characters in a text, for a document without receiver, number, notation
    or file, an update that changes nothing, a replacement that replaces nothing or gives no reason; packet_damaged if a
    file is not what was stored. ValueError if `sent_at` has no offset. The caller makes `out` durable.
    """
    if not attachments and not isinstance(business, Update):
        raise invalid("file missing")
    if isinstance(business, Update) and not (business.info or business.receivers):
        raise invalid("update without change")
    if isinstance(business, Replacement) and not (business.reason.strip() and business.replaced):
        raise invalid("reason or replaced document missing")
    return _write(document, attachments, out, _Business.of(document, business))


def write_recall(document: OutgoingDocument, reason: str, out: BinarySink) -> WrittenPacket:
    """Writes the recall (type 1) of a document that was sent: its header again, no files, `sent_at` now, `receivers`
    those who are to give it back.

    Raises as `write_packet`, and edxml_invalid without a reason.
    """
    if not reason.strip():
        raise invalid("reason missing")
    return _write(document, (), out, _Business("1", reason, document.document_id))


def write_status(status: StatusMessage, out: BinarySink) -> WrittenPacket:
    """Writes a status message: a header alone, found by the other side through what it answers.

    Raises KnownError edxml_invalid for control characters, without a sender, an addressee or a DocumentId, and for 02
    and 13 without a reason; ValueError if `at` has no offset.
    """
    _with_offset(status.at)
    if not (status.sender.code.strip() and status.answers.organ_code.strip() and status.answers.document_id.strip()):
        raise invalid("sender, addressee or document missing")
    if status.code in REASONED and not status.description.strip():
        raise invalid("reason missing")
    writer = _Writer(out)
    _begin(writer)
    with _Element(writer, "edXMLEnvelope"), _Element(writer, "edXMLHeader"), _Element(writer, "MessageHeader"):
        _organ(writer, "From", status.sender)
        _response(writer, status.answers)
        _staff(writer, status.staff)
        writer.leaf("StatusCode", status.code.value)
        writer.prose("Description", status.description)
        writer.leaf("Timestamp", _time(status.at))
    return _finished(writer, status.answers.document_id)


@dataclass(frozen=True)
class _Business:
    """What the Bussiness element says beside paper and staff."""

    kind: str
    reason: str
    document_id: str = ""
    update: Update | None = None
    replacement: Replacement | None = None

    @classmethod
    def of(cls, document: OutgoingDocument, business: Update | Replacement | None) -> Self:
        if isinstance(business, Update):
            return cls("2", business.reason, document.document_id, update=business)
        if isinstance(business, Replacement):
            return cls("3", business.reason, replacement=business)
        return cls("0", _NEW_DOCUMENT)


def _write(
    document: OutgoingDocument, attachments: Sequence[AttachmentFile], out: BinarySink, business: _Business
) -> WrittenPacket:
    _with_offset(document.sent_at)
    if not (document.receivers and document.number.strip() and document.notation.strip()):
        raise invalid("receiver, number or notation missing")
    if not all(organ.code.strip() for organ in (document.sender, *document.receivers)):
        raise invalid("code of a body missing")
    writer = _Writer(out)
    _begin(writer)
    with _Element(writer, "edXMLEnvelope"):
        with _Element(writer, "edXMLHeader"):
            _message_header(writer, document)
            _trace(writer, document, business)
        with _Element(writer, "edXMLBody"), _Element(writer, "edXMLManifest", ' version="1.0"'):
            for index, item in enumerate(attachments):
                _reference(writer, index, item)
    if attachments:
        with _Element(writer, "AttachmentEncoded"):
            for index, item in enumerate(attachments):
                _attachment(writer, index, item)
    return _finished(writer, document.document_id)


def _begin(writer: "_Writer") -> None:
    writer.raw('<?xml version="1.0" encoding="UTF-8"?>\n')
    writer.raw(f'<edXML xmlns="{NAMESPACE}" xmlns:edXML="{NAMESPACE}">\n')


def _finished(writer: "_Writer", document_id: str) -> WrittenPacket:
    writer.raw("</edXML>\n")
    return WrittenPacket(document_id, writer.digest.hexdigest(), writer.size)


def _with_offset(at: datetime) -> None:
    if at.tzinfo is None:
        raise ValueError("a time needs an offset")


def _time(at: datetime) -> str:
    return f"{at.astimezone(VIETNAM):%Y/%m/%d %H:%M:%S}"


class _Writer:
    def __init__(self, out: BinarySink) -> None:
        self._out = out
        self._depth = 1
        self.digest = hashlib.sha256()
        self.size = 0

    def data(self, data: bytes) -> None:
        self._out.write(data)
        self.digest.update(data)
        self.size += len(data)

    def raw(self, text: str) -> None:
        self.data(text.encode("utf-8"))

    def open(self, name: str, attributes: str = "") -> None:
        self.raw(f"{'  ' * self._depth}<edXML:{name}{attributes}>\n")
        self._depth += 1

    def close(self, name: str) -> None:
        self._depth -= 1
        self.raw(f"{'  ' * self._depth}</edXML:{name}>\n")

    def leaf(self, name: str, text: str) -> None:
        self.raw(f"{'  ' * self._depth}<edXML:{name}>{_text(name, text)}</edXML:{name}>\n")

    def prose(self, name: str, text: str) -> None:
        """A text of several lines, as a person types a reason."""
        lines = (_text(name, line.replace("\t", " ")) for line in text.replace("\r\n", "\n").split("\n"))
        self.raw(f"{'  ' * self._depth}<edXML:{name}>{_LINE.join(lines)}</edXML:{name}>\n")

    def leaf_if(self, name: str, text: str) -> None:
        if text:
            self.leaf(name, text)


class _Element:
    def __init__(self, writer: _Writer, name: str, attributes: str = "") -> None:
        self._writer, self._name, self._attributes = writer, name, attributes

    def __enter__(self) -> None:
        self._writer.open(self._name, self._attributes)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._writer.close(self._name)


def _day(day: date) -> str:
    return f"{day:%Y/%m/%d}"


def _text(element: str, text: str) -> str:
    """NFC, escaped; control characters and what XML 1.0 §2.2 cannot hold are refused, never dropped."""
    normal = unicodedata.normalize("NFC", text)
    if any(unicodedata.category(letter) in ("Cc", "Cs") or ord(letter) in (0xFFFE, 0xFFFF) for letter in normal):
        raise invalid(f"control character in {element}")
    return escape(normal)


def _organ(writer: _Writer, name: str, organ: Organ) -> None:
    with _Element(writer, name):
        writer.leaf("OrganId", organ.code)
        writer.leaf_if("OrganizationInCharge", organ.in_charge)
        writer.leaf("OrganName", organ.name)
        writer.leaf_if("OrganAdd", organ.address)
        writer.leaf_if("Email", organ.email)
        writer.leaf_if("Telephone", organ.telephone)
        writer.leaf_if("Fax", organ.fax)
        writer.leaf_if("Website", organ.website)


def _message_header(writer: _Writer, document: OutgoingDocument) -> None:
    with _Element(writer, "MessageHeader"):
        _organ(writer, "From", document.sender)
        for receiver in document.receivers:
            _organ(writer, "To", receiver)
        writer.leaf("DocumentId", document.document_id)
        with _Element(writer, "Code"):
            writer.leaf("CodeNumber", document.number)
            writer.leaf("CodeNotation", document.notation)
        with _Element(writer, "PromulgationInfo"):
            writer.leaf("Place", document.place)
            writer.leaf("PromulgationDate", _day(document.issued))
        with _Element(writer, "DocumentType"):
            writer.leaf("Type", document.type_code)
            writer.leaf("TypeName", document.type_name)
        writer.leaf("Subject", document.subject)
        writer.leaf_if("Content", document.content)
        with _Element(writer, "SignerInfo"):
            writer.leaf("Competence", document.signer.competence)
            writer.leaf("Position", document.signer.position)
            writer.leaf("FullName", document.signer.full_name)
        if document.due is not None:
            writer.leaf("DueDate", _day(document.due))
        with _Element(writer, "OtherInfo"):
            writer.leaf("Priority", str(int(document.priority)))
            if document.page_amount is not None:
                writer.leaf("PageAmount", str(document.page_amount))
            if document.appendixes:
                with _Element(writer, "Appendixes"):
                    for appendix in document.appendixes:
                        writer.leaf("Appendix", appendix)
        for answered in document.response_for:
            _response(writer, answered)
        if document.steering is not None:
            writer.leaf("SteeringType", str(int(document.steering)))
        if document.to_places:
            with _Element(writer, "ToPlaces"):
                for place in document.to_places:
                    writer.leaf("Place", place)


def _response(writer: _Writer, answered: ResponseFor) -> None:
    with _Element(writer, "ResponseFor"):
        writer.leaf("OrganId", answered.organ_code)
        writer.leaf("Code", answered.code)
        writer.leaf("PromulgationDate", answered.issued)
        writer.leaf("DocumentId", answered.document_id)


def _staff(writer: _Writer, staff: Staff) -> None:
    with _Element(writer, "StaffInfo"):
        writer.leaf_if("Department", staff.department)
        writer.leaf_if("Staff", staff.name)
        writer.leaf_if("Mobile", staff.mobile)
        writer.leaf_if("Email", staff.email)


def _trace(writer: _Writer, document: OutgoingDocument, business: _Business) -> None:
    with _Element(writer, "TraceHeaderList"):
        with _Element(writer, "TraceHeader"):
            writer.leaf("OrganId", document.sender.code)
            writer.leaf("Timestamp", _time(document.sent_at))
        with _Element(writer, "Bussiness"):  # spelt so in QCVN 102
            writer.leaf_if("DocumentId", business.document_id)
            writer.leaf("BussinessDocType", business.kind)
            writer.prose("BussinessDocReason", business.reason)
            writer.leaf("Paper", "1" if document.paper else "0")
            if business.update is not None:
                _update(writer, business.update)
            if business.replacement is not None:
                _replacement(writer, document, business.replacement)
            _staff(writer, document.staff)


def _update(writer: _Writer, update: Update) -> None:
    with _Element(writer, "BussinessDocumentInfo"):
        writer.leaf("DocumentInfo", "1" if update.info else "0")
        writer.leaf("DocumentReceiver", "1" if update.receivers else "0")
        if update.receivers:
            with _Element(writer, "ReceiverList"):
                for change in update.receivers:
                    with _Element(writer, "Receiver"):
                        writer.leaf("OrganId", change.organ_code)
                        writer.leaf("ReceiverType", "1" if change.added else "0")


def _replacement(writer: _Writer, document: OutgoingDocument, replacement: Replacement) -> None:
    with _Element(writer, "ReplacementInfoList"):
        for replaced in replacement.replaced:
            with _Element(writer, "ReplacementInfo"):
                writer.leaf("DocumentId", replaced.document_id)
                with _Element(writer, "OrganIdList"):
                    # Who got the old one is as a rule who gets the new one.
                    for code in replaced.organ_codes or tuple(organ.code for organ in document.receivers):
                        writer.leaf("OrganId", code)


def _content_id(index: int) -> str:
    return f"cid:{index + 1}"


def _reference(writer: _Writer, index: int, item: AttachmentFile) -> None:
    with _Element(writer, "Reference"):
        writer.leaf("ContentId", _content_id(index))
        writer.leaf("ContentType", item.content_type)
        writer.leaf("Description", item.description or item.name)
        writer.leaf("AttachmentName", item.name)


def _attachment(writer: _Writer, index: int, item: AttachmentFile) -> None:
    with _Element(writer, "Attachment"):
        writer.leaf("ContentId", _content_id(index))
        writer.leaf("AttachmentName", item.name)
        writer.leaf("Description", item.description or item.name)
        writer.leaf("ContentType", item.content_type)
        writer.raw("      <edXML:ContentTransferEncoded>")
        _encode(writer, item)
        writer.raw("</edXML:ContentTransferEncoded>\n")


def _encode(writer: _Writer, item: AttachmentFile) -> None:
    digest, size = hashlib.sha256(), 0
    try:
        with item.path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                if size > item.size:
                    break
                writer.data(base64.b64encode(chunk))
    except FileNotFoundError as error:
        raise KnownError("packet_damaged") from error
    if (size, digest.hexdigest()) != (item.size, item.sha256):
        raise KnownError("packet_damaged")
