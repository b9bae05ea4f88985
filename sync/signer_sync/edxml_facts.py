"""From the bare tree of a packet's envelope to the facts of its header.

Pure functions on any thread. Wherever two readers could disagree (an element that must be single stands
twice) the packet is refused; everything else is kept as the raw text that was written.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from signer_sync.contract import PacketKind
from signer_sync.edxml import (
    BUSINESS_KINDS,
    NAMESPACE,
    Doubt,
    Organ,
    PacketHeader,
    Priority,
    ReceiverChange,
    Reference,
    Replaced,
    ResponseFor,
    SignerInfo,
    Staff,
    StatusCode,
    Steering,
    Trace,
    invalid,
)
from signer_sync.edxml_dates import read_day, read_instant
from signer_sync.secrecy import field_is_secret, name_is_secret

_NUMBER: Final = re.compile(r"[0-9]+[a-zđ]?", re.IGNORECASE)
_SIGNATURES: Final = frozenset({"Signature", "DigitalSignature"})
"""One generator writes the first, with the namespace of XML-DSig or without, another an empty one of the second."""


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


@dataclass
class _Doubts:
    """Collects what is doubtful, each once."""

    found: dict[Doubt, None] = field(default_factory=dict)

    def unless(self, fine: object, doubt: Doubt) -> None:
        """Notes `doubt` if `fine` is not so."""
        if not fine:
            self.found[doubt] = None

    def day(self, text: str, doubt: Doubt) -> date | None:
        """The day that `text` tells."""
        day = read_day(text)
        self.unless(not text or day is not None, doubt)
        return day

    def choice(self, text: str, choices: Collection[str], doubt: Doubt) -> str | None:
        """`text` if it is one of `choices`."""
        self.unless(not text or text in choices, doubt)
        return text if text in choices else None


@dataclass(frozen=True)
class _Concerns:
    """Which documents a packet means, and what it wants with them."""

    ids: tuple[str, ...] = ()
    replaced: tuple[Replaced, ...] = ()
    changes: tuple[ReceiverChange, ...] = ()
    info_changed: bool = False


def header_facts(root: Node, repairs: Collection[Doubt] = ()) -> PacketHeader:
    """The facts of an envelope; KnownError edxml_invalid if it lacks what every packet has.

    `repairs`: what had to be overlooked before it could be read; they become the first of its doubts.
    """
    envelope = _need(_need(root, "edXML"), "edXMLEnvelope")
    header = _need(envelope, "edXMLHeader")
    message = _need(header, "MessageHeader")
    doubts = _Doubts(dict.fromkeys(repairs))
    status_code = message.value("StatusCode")
    trace = header.one("TraceHeaderList") or Node("", "", message.line)
    business = trace.one("Bussiness") or Node("", "", message.line)
    kind, declared = _kind(status_code, business)
    doubts.unless(declared, Doubt.KIND)
    doubts.choice(status_code, {code.value for code in StatusCode}, Doubt.STATUS)
    other = message.one("OtherInfo") or Node("", "", message.line)
    references = _references(envelope)
    document_id = message.value("DocumentId")
    number = message.value("Code", "CodeNumber")
    doubts.unless(not number or _NUMBER.fullmatch(number), Doubt.NUMBER)
    issued, due = message.value("PromulgationInfo", "PromulgationDate"), message.value("DueDate")
    traces = tuple(Trace(node.value("OrganId"), node.value("Timestamp")) for node in trace.all("TraceHeader"))
    timestamp = message.value("Timestamp")
    told = timestamp or next((item.timestamp for item in traces), "")
    told_at = read_instant(told)
    doubts.unless(not told or told_at is not None, Doubt.TIME)
    priority = doubts.choice(other.value("Priority") or "0", {str(int(item)) for item in Priority}, Doubt.PRIORITY)
    steering = doubts.choice(message.value("SteeringType"), {str(int(item)) for item in Steering}, Doubt.STEERING)
    concerns = _concerns(kind, business, document_id, doubts)
    return PacketHeader(
        kind=kind,
        kind_declared=declared,
        sender=_organ(_need(message, "From")),
        receivers=tuple(_organ(node) for node in message.all("To")),
        document_id=document_id,
        code_number=number,
        code_notation=message.value("Code", "CodeNotation"),
        place=message.value("PromulgationInfo", "Place"),
        issued=issued,
        type_code=message.value("DocumentType", "Type"),
        type_name=message.value("DocumentType", "TypeName"),
        subject=message.value("Subject"),
        content=message.value("Content"),
        signer=SignerInfo(
            competence=message.value("SignerInfo", "Competence"),
            position=message.value("SignerInfo", "Position"),
            full_name=message.value("SignerInfo", "FullName"),
        ),
        due=due,
        priority=Priority(int(priority)) if priority is not None else None,
        appendixes=_texts(other.one("Appendixes"), "Appendix"),
        to_places=_texts(message.one("ToPlaces"), "Place"),
        response_for=tuple(_response(node) for node in message.all("ResponseFor") if _says_something(node)),
        reason=business.value("BussinessDocReason"),
        staff=_staff(message if kind is PacketKind.STATUS or not business.children else business),
        status_code=status_code,
        description=message.value("Description"),
        timestamp=timestamp,
        references=references,
        secret=_is_secret(root, references),
        page_amount=other.value("PageAmount"),
        steering=Steering(int(steering)) if steering is not None else None,
        paper=doubts.choice(business.value("Paper"), ("0", "1"), Doubt.PAPER) == "1",
        traces=traces,
        issued_date=doubts.day(issued, Doubt.ISSUED_DATE),
        due_date=doubts.day(due, Doubt.DUE_DATE),
        told_at=told_at,
        concerns=concerns.ids,
        replaced=concerns.replaced,
        receiver_changes=concerns.changes,
        info_changed=concerns.info_changed,
        signature_present=any(
            child.name in _SIGNATURES and (child.children or child.text.strip()) for child in header.children
        ),
        doubts=tuple(doubts.found),
    )


def _need(node: Node, name: str) -> Node:
    found = node.one(name)
    if found is None:
        raise invalid(f"{name} missing", node.line)
    return found


def _kind(status_code: str, business: Node) -> tuple[PacketKind, bool]:
    if status_code:
        return PacketKind.STATUS, True
    written = business.value("BussinessDocType")
    if not written:
        return PacketKind.NEW, False
    try:
        return BUSINESS_KINDS[written], True
    except KeyError as error:
        raise invalid("unknown BussinessDocType", business.line) from error


def _concerns(kind: PacketKind, business: Node, document_id: str, doubts: _Doubts) -> _Concerns:
    """Domain rule §6.3: ResponseFor is never what a recall means; a new document's Bussiness/DocumentId is stray."""
    if kind not in (PacketKind.REVOKE, PacketKind.UPDATE, PacketKind.REPLACE):
        return _Concerns()
    told = business.value("DocumentId")
    ids = tuple(item for item in [told or document_id] if item)
    if kind is PacketKind.REPLACE:
        replaced = _replaced(business)
        doubts.unless(replaced, Doubt.CONCERNS)
        return _Concerns(tuple(dict.fromkeys(item.document_id for item in replaced)) or ids, replaced)
    doubts.unless(ids and told in ("", document_id), Doubt.CONCERNS)
    if kind is PacketKind.REVOKE:
        return _Concerns(ids)
    info = business.one("BussinessDocumentInfo") or Node("", "", business.line)
    return _Concerns(ids, (), _changes(info.one("ReceiverList"), doubts), info.value("DocumentInfo") == "1")


def _replaced(business: Node) -> tuple[Replaced, ...]:
    given = business.one("ReplacementInfoList")
    return tuple(
        Replaced(document_id, tuple(code for code in _texts(node.one("OrganIdList"), "OrganId") if code))
        for node in (given.all("ReplacementInfo") if given is not None else [])
        if (document_id := node.value("DocumentId"))
    )


def _changes(given: Node | None, doubts: _Doubts) -> tuple[ReceiverChange, ...]:
    changes = []
    for node in given.all("Receiver") if given is not None else []:
        code, kind = node.value("OrganId"), node.value("ReceiverType")
        doubts.unless(code and kind in ("0", "1"), Doubt.RECEIVERS)
        if code and kind in ("0", "1"):
            changes.append(ReceiverChange(code, added=kind == "1"))
    return tuple(changes)


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


def _says_something(node: Node) -> bool:
    return any(child.text.strip() for child in node.children)


def _is_secret(root: Node, references: tuple[Reference, ...]) -> bool:
    """Whatever stands in the envelope counts, wherever it stands and whatever its namespace."""
    return any(field_is_secret(node.name, node.text) for node in root.walk()) or any(
        name_is_secret(reference.name) or name_is_secret(reference.description) for reference in references
    )
