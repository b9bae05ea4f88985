"""From the bare tree of a packet's envelope to the facts of its header.

Pure functions on any thread. Wherever two readers could disagree (an element that must be single stands
twice) the packet is refused; everything else is kept as the raw text that was written.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from signer_sync.contract import PacketKind
from signer_sync.edxml import (
    BUSINESS_KINDS,
    NAMESPACE,
    Organ,
    PacketHeader,
    Priority,
    Reference,
    ResponseFor,
    SignerInfo,
    Staff,
    invalid,
)
from signer_sync.secrecy import field_is_secret, name_is_secret


@dataclass
class Node:
    """One element of the envelope, while it is read and after; `text` does not hold its children's."""

    name: str
    namespace: str
    line: int
    children: list["Node"] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    length: int = 0

    @property
    def text(self) -> str:
        """Its own text."""
        return "".join(self.pieces)

    def all(self, name: str) -> list["Node"]:
        """The children called `name` in the namespace of QCVN 102."""
        return [child for child in self.children if child.name == name and child.namespace == NAMESPACE]

    def one(self, name: str) -> "Node | None":
        """The only child called `name`; refused if there are two, for then nobody knows which counts."""
        found = self.all(name)
        if len(found) > 1:
            raise invalid(f"{name} stands twice", found[1].line)
        return found[0] if found else None

    def value(self, *names: str) -> str:
        """The stripped text at the end of a path of single children, "" if there is none."""
        node: Node | None = self
        for name in names:
            node = node.one(name) if node is not None else None
        return node.text.strip() if node is not None else ""

    def walk(self) -> Iterator["Node"]:
        """This node and all below it."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(node.children)


def header_facts(root: Node) -> PacketHeader:
    """The facts of an envelope; KnownError edxml_invalid if it lacks what every packet has."""
    envelope = _need(_need(root, "edXML"), "edXMLEnvelope")
    header = _need(envelope, "edXMLHeader")
    message = _need(header, "MessageHeader")
    status_code = message.value("StatusCode")
    trace = header.one("TraceHeaderList")
    business = trace.one("Bussiness") if trace is not None else None
    kind, declared = _kind(status_code, business, message.line)
    other = message.one("OtherInfo") or Node("", "", message.line)
    references = _references(envelope)
    return PacketHeader(
        kind=kind,
        kind_declared=declared,
        sender=_organ(_need(message, "From")),
        receivers=tuple(_organ(node) for node in message.all("To")),
        document_id=message.value("DocumentId"),
        code_number=message.value("Code", "CodeNumber"),
        code_notation=message.value("Code", "CodeNotation"),
        place=message.value("PromulgationInfo", "Place"),
        issued=message.value("PromulgationInfo", "PromulgationDate"),
        type_code=message.value("DocumentType", "Type"),
        type_name=message.value("DocumentType", "TypeName"),
        subject=message.value("Subject"),
        content=message.value("Content"),
        signer=SignerInfo(
            competence=message.value("SignerInfo", "Competence"),
            position=message.value("SignerInfo", "Position"),
            full_name=message.value("SignerInfo", "FullName"),
        ),
        due=message.value("DueDate"),
        priority=_priority(other.value("Priority")),
        appendixes=_texts(other.one("Appendixes"), "Appendix"),
        to_places=_texts(message.one("ToPlaces"), "Place"),
        response_for=tuple(_response(node) for node in message.all("ResponseFor")),
        reason=business.value("BussinessDocReason") if business is not None else "",
        staff=_staff((message if kind is PacketKind.STATUS else business) or message),
        status_code=status_code,
        description=message.value("Description"),
        timestamp=message.value("Timestamp"),
        references=references,
        secret=_is_secret(message, trace, references),
    )


def _need(node: Node, name: str) -> Node:
    found = node.one(name)
    if found is None:
        raise invalid(f"{name} missing", node.line)
    return found


def _kind(status_code: str, business: Node | None, line: int) -> tuple[PacketKind, bool]:
    if status_code:
        return PacketKind.STATUS, True
    if business is None:
        return PacketKind.NEW, False
    written = business.value("BussinessDocType")
    if not written:
        return PacketKind.NEW, False
    try:
        return BUSINESS_KINDS[written], True
    except KeyError as error:
        raise invalid("unknown BussinessDocType", line) from error


def _priority(text: str) -> Priority | None:
    if not text:
        return Priority.NORMAL
    return Priority(int(text)) if text in {"0", "1", "2", "3", "4"} else None


def _organ(node: Node) -> Organ:
    return Organ(
        code=node.value("OrganId"),
        name=node.value("OrganName"),
        in_charge=node.value("OrganizationInCharge"),
        address=node.value("OrganAdd"),
        email=node.value("Email"),
        telephone=node.value("Telephone"),
        fax=node.value("Fax"),
        website=node.value("Website"),
    )


def _staff(node: Node) -> Staff:
    return Staff(
        department=node.value("StaffInfo", "Department"),
        name=node.value("StaffInfo", "Staff"),
        mobile=node.value("StaffInfo", "Mobile"),
        email=node.value("StaffInfo", "Email"),
    )


def _response(node: Node) -> ResponseFor:
    return ResponseFor(
        organ_code=node.value("OrganId"),
        code=node.value("Code"),
        issued=node.value("PromulgationDate"),
        document_id=node.value("DocumentId"),
    )


def _references(envelope: Node) -> tuple[Reference, ...]:
    body = envelope.one("edXMLBody")
    manifest = body.one("edXMLManifest") if body is not None else None
    return tuple(
        Reference(
            content_id=node.value("ContentId"),
            content_type=node.value("ContentType"),
            name=node.value("AttachmentName"),
            description=node.value("Description"),
        )
        for node in (manifest.all("Reference") if manifest is not None else [])
    )


def _texts(node: Node | None, name: str) -> tuple[str, ...]:
    return tuple(child.text.strip() for child in node.all(name)) if node is not None else ()


def _is_secret(message: Node, trace: Node | None, references: tuple[Reference, ...]) -> bool:
    nodes = [*message.walk(), *(trace.walk() if trace is not None else ())]
    return any(field_is_secret(node.name, node.text) for node in nodes) or any(
        name_is_secret(reference.name) or name_is_secret(reference.description) for reference in references
    )
