"""Writes edXML packets: one document with its files, streamed from disk into a file.

Runs on any thread. Equal input gives equal bytes, so that a packet made again has the same hash; time is
passed in. Never holds an attachment in memory, and checks while copying that it is still the file that
was stored.
"""

import base64
import hashlib
import unicodedata
from collections.abc import Sequence
from datetime import timedelta, timezone
from typing import Final
from xml.sax.saxutils import escape

from signer_resources.errors import KnownError
from signer_sync.edxml import NAMESPACE, AttachmentFile, Organ, OutgoingDocument, WrittenPacket, invalid
from signer_sync.packets import BinarySink

VIETNAM: Final = timezone(timedelta(hours=7))
"""Rule Z-01: written literally, never the machine's zone."""

_CHUNK: Final = 3 << 18
"""Bytes read at a time; a multiple of three, so that base64 (RFC 4648 §4) needs no padding in between."""
_NEW_DOCUMENT: Final = "Văn bản điện tử mới"


def write_packet(document: OutgoingDocument, attachments: Sequence[AttachmentFile], out: BinarySink) -> WrittenPacket:
    """Writes the packet of a new document; the main file is the first attachment.

    Raises KnownError edxml_invalid for control characters in a text, for a document without receiver,
    number, notation or file; packet_damaged if a file is not what was stored. ValueError if `sent_at` has
    no offset. The caller makes `out` durable.
    """
    if document.sent_at.tzinfo is None:
        raise ValueError("sent_at needs an offset")
    if not (document.receivers and document.number and document.notation and attachments):
        raise invalid("receiver, number, notation or file missing")
    writer = _Writer(out)
    writer.raw('<?xml version="1.0" encoding="UTF-8"?>\n')
    writer.raw(f'<edXML xmlns="{NAMESPACE}" xmlns:edXML="{NAMESPACE}">\n')
    with _Element(writer, "edXMLEnvelope"):
        with _Element(writer, "edXMLHeader"):
            _message_header(writer, document)
            _trace(writer, document)
        with _Element(writer, "edXMLBody"), _Element(writer, "edXMLManifest", ' version="1.0"'):
            for index, item in enumerate(attachments):
                _reference(writer, index, item)
    with _Element(writer, "AttachmentEncoded"):
        for index, item in enumerate(attachments):
            _attachment(writer, index, item)
    writer.raw("</edXML>\n")
    return WrittenPacket(document.document_id, writer.digest.hexdigest(), writer.size)


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
            writer.leaf("PromulgationDate", f"{document.issued:%Y/%m/%d}")
        with _Element(writer, "DocumentType"):
            writer.leaf("Type", document.type_code)
            writer.leaf("TypeName", document.type_name)
        writer.leaf("Subject", document.subject)
        with _Element(writer, "SignerInfo"):
            writer.leaf("Competence", document.signer.competence)
            writer.leaf("Position", document.signer.position)
            writer.leaf("FullName", document.signer.full_name)
        with _Element(writer, "OtherInfo"):
            writer.leaf("Priority", str(int(document.priority)))
            if document.page_amount is not None:
                writer.leaf("PageAmount", str(document.page_amount))
            if document.appendixes:
                with _Element(writer, "Appendixes"):
                    for appendix in document.appendixes:
                        writer.leaf("Appendix", appendix)
        if document.to_places:
            with _Element(writer, "ToPlaces"):
                for place in document.to_places:
                    writer.leaf("Place", place)


def _trace(writer: _Writer, document: OutgoingDocument) -> None:
    with _Element(writer, "TraceHeaderList"):
        with _Element(writer, "TraceHeader"):
            writer.leaf("OrganId", document.sender.code)
            writer.leaf("Timestamp", f"{document.sent_at.astimezone(VIETNAM):%Y/%m/%d %H:%M:%S}")
        with _Element(writer, "Bussiness"):  # spelt so in QCVN 102
            writer.leaf("BussinessDocType", "0")
            writer.leaf("BussinessDocReason", _NEW_DOCUMENT)
            writer.leaf("Paper", "0")
            with _Element(writer, "StaffInfo"):
                writer.leaf_if("Department", document.staff.department)
                writer.leaf_if("Staff", document.staff.name)
                writer.leaf_if("Mobile", document.staff.mobile)
                writer.leaf_if("Email", document.staff.email)


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
