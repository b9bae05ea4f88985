"""What makes a document ready to leave: one edXML packet of all its files, signed or not, and the row that queues it.

Main process. A document is queued only when it has receivers, a number and the agency's signature; the packet's bytes
are a durable blob before the row names it.
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from signer_app.attachments.kinds import content_type_of
from signer_app.exchange.directory import Directory
from signer_app.pdf.model import Profile
from signer_app.signing.batch import DocumentWork, Made
from signer_app.signing.jobs import DocumentJob
from signer_app.store.blobs import BlobStore
from signer_app.store.model import Document, FileRole, NewPacket, StoredFile
from signer_app.store.settings import Body, Exchange
from signer_resources.rules import RuleProfile
from signer_sync.contract import PacketKind
from signer_sync.edxml import AttachmentFile, Organ, OutgoingDocument, Priority, SignerInfo
from signer_sync.edxml_write import write_packet
from signer_sync.ids import uuid7

LETTER = "Công văn"
"""A document whose notation begins with no type is an official letter (NĐ 30 PL III)."""


def is_released(work: DocumentWork, document: Document, body: Body | None) -> bool:
    """Whether the document is to be sent by this program."""
    return bool(
        work.job.receivers
        and document.number
        and document.notation
        and document.doc_date
        and issues_number(work.main.job.profile)
        and body is not None
        and body.exchange is Exchange.SERVER
    )


def issues_number(profile: Profile) -> bool:
    """Whether signing so issues the number that was given: of the body's own documents, and of copies that have one
    (NĐ 30/2020, Đ25: copies are numbered in a sequence of their own).
    """
    return profile in (Profile.AGENCY, Profile.COPY)


def make_packet(
    work: DocumentWork,
    document: Document,
    files: Sequence[StoredFile],
    made: Sequence[Made],
    *,
    body: Body,
    rules: RuleProfile,
    directory: Directory,
    blobs: BlobStore,
    folder: Path,
    now: dt.datetime,
    attached: Sequence[StoredFile] = (),
) -> NewPacket:
    """Writes the packet into the store and gives the row for the outbox; `attached` go along as they are.

    Raises as `write_packet`, `adopt`.
    """
    assert document.number is not None
    assert document.notation is not None
    assert document.doc_date is not None
    facts = work.main.facts
    type_code, type_name = document_type(document.notation, rules, document.type)
    attachments = [
        AttachmentFile(blobs.path(item.sha256), stored.name, item.sha256, blobs.size(item.sha256))
        for stored, item in zip(files, made, strict=True)
    ]
    attachments += [
        AttachmentFile(
            blobs.path(item.blob_in), item.name, item.blob_in, blobs.size(item.blob_in), content_type_of(item.name)
        )
        for item in attached
    ]
    outgoing = OutgoingDocument(
        sender=Organ(body.code, body.name),
        receivers=tuple(Organ(code, directory.name(code)) for code in work.job.receivers),
        number=document.number,
        notation=document.notation,
        issued=document.doc_date,
        place=facts.place or body.place_name or "",
        type_code=type_code,
        type_name=type_name,
        subject=document.subject or type_name,
        signer=SignerInfo(position=facts.signer_title or "", full_name=document.signer_name or ""),
        sent_at=now,
        priority=Priority(int(document.urgency)),
        appendixes=tuple(file.name for file in (*files, *attached) if file.role is not FileRole.MAIN),
        page_amount=facts.pages,
    )
    target = folder / "packet.edxml"
    with target.open("wb") as out:
        written = write_packet(outgoing, attachments, out)
    blob = blobs.adopt(target)
    return NewPacket(
        packet_id=uuid7(),
        document_id=document.id,
        org=body.code,
        kind=PacketKind.NEW,
        sha256=blob.sha256,
        size=written.size,
        created_at=now,
        receivers=work.job.receivers,
        urgency=document.urgency,
    )


def type_of(job: DocumentJob, rules: RuleProfile) -> str:
    """The name of a wish's type, as far as the person's words say it; "" where they don't."""
    return job.type or (document_type(job.notation, rules)[1] if job.notation else "")


def document_type(notation: str, rules: RuleProfile, name: str | None = None) -> tuple[str, str]:
    """Code (place in the list of 29 types, from 1) and name of the type called `name`, else of the one that the
    notation begins with; code "0" for a name that the list doesn't have.
    """
    first = notation.split("-")[0].split("/")[0].upper()
    places = list(enumerate(rules.document_types, start=1))
    if name is not None:
        known = next((place for place, type_ in places if type_.name.casefold() == name.casefold()), 0)
        return str(known), name
    for place, type_ in places:
        if type_.abbreviation and type_.abbreviation.upper() == first:
            return str(place), type_.name
    return document_type(notation, rules, LETTER)
