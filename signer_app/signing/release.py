"""What makes a document ready to leave: to whom it goes, one edXML packet of all its files, signed or not, and the row
that queues it.

Main process. A document is queued only when it has receivers who can be reached, a number and the agency's signature,
and nobody has to be asked whom its page means; the packet's bytes are a durable blob before the row names it.
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from signer_app.attachments.kinds import content_type_of
from signer_app.exchange.directory import Directory
from signer_app.exchange.going import Goes, goes
from signer_app.exchange.replacing import Place
from signer_app.pdf.model import Profile
from signer_app.signing.batch import DocumentWork, Made
from signer_app.signing.jobs import DocumentJob
from signer_app.store.blobs import BlobStore
from signer_app.store.model import Document, FileRole, NewPacket, StoredFile, Urgency
from signer_app.store.settings import Body, Exchange
from signer_app.store.store import View
from signer_resources.rules import RuleProfile
from signer_sync.contract import PacketKind
from signer_sync.edxml import AttachmentFile, Organ, OutgoingDocument, Priority, SignerInfo
from signer_sync.edxml_write import write_packet
from signer_sync.ids import uuid7

LETTER = "Công văn"
"""A document whose notation begins with no type is an official letter (NĐ 30 PL III)."""


def goes_to(view: View, work: DocumentWork, document: Document, body: Body | None) -> Goes:
    """To whom the document goes by what is known now; to nobody where it isn't this program that sends it. Lines that
    were explained since the person said yes mean what was said of them.
    """
    if body is None or not _may_be_sent(work, document, body):
        return Goes()
    job, page = work.job, work.job.page
    lines, nameless = (page.asked, page.paper) if page is not None else ((), ())
    before = view.receivers.paper(job.draft or document.id)
    # Whoever works in the window was shown which codes the directory doesn't have; on the command line nobody was, and
    # the server's refusal is what tells.
    at_their_word = job.draft is None
    return goes(view, body.code, before, job.receivers, lines=lines, nameless=nameless, at_their_word=at_their_word)


def _may_be_sent(work: DocumentWork, document: Document, body: Body) -> bool:
    """Whether the document is one that this program may send."""
    return bool(
        document.number
        and document.notation
        and document.doc_date
        and issues_number(work.main.job.profile)
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
    goes: Goes,
    *,
    body: Body,
    rules: RuleProfile,
    directory: Directory,
    blobs: BlobStore,
    folder: Path,
    now: dt.datetime,
    hold: dt.timedelta = dt.timedelta(0),
    operator: str = "",
    attached: Sequence[StoredFile] = (),
    place: Place | None = None,
) -> NewPacket:
    """Writes the packet into the store and gives the row for the outbox; `attached` go along as they are. An ordinary
    document waits for `hold` before it leaves. `place`: that of a sent document, in which it comes.

    Raises as `write_packet`, `adopt`.
    """
    facts = work.main.facts
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
    outgoing = said_of(
        document,
        body,
        rules,
        (*files, *attached),
        now=now,
        receivers=tuple(Organ(code, directory.name(code)) for code in goes.codes),
        place=facts.place,
        position=facts.signer_title,
        pages=facts.pages,
        paper=bool(goes.names),
    )
    target = folder / "packet.edxml"
    with target.open("wb") as out:
        written = write_packet(outgoing, attachments, out, place.told if place is not None else None)
    blob = blobs.adopt(target)
    instead = work.job.instead if place is not None else None
    return NewPacket(
        packet_id=uuid7(),
        document_id=document.id,
        org=body.code,
        kind=PacketKind.NEW if instead is None else PacketKind.REPLACE,
        sha256=blob.sha256,
        size=written.size,
        created_at=now,
        receivers=goes.codes,
        urgency=document.urgency,
        hold_until=hold_until(document.urgency, now, hold),
        edxml_id=written.document_id,
        operator=operator,
        reason=instead.reason.strip() if instead is not None else None,
        replaces=instead.document_id if instead is not None else None,
    )


def said_of(
    document: Document,
    body: Body,
    rules: RuleProfile,
    files: Sequence[StoredFile],
    *,
    now: dt.datetime,
    receivers: tuple[Organ, ...] = (),
    place: str | None = None,
    position: str | None = None,
    pages: int | None = None,
    paper: bool = False,
) -> OutgoingDocument:
    """What a packet says of a numbered document with these files; `place`, `position` of its signer and `pages` are
    what its page says, where that is still known; `paper`: somebody gets it on paper too.
    """
    assert document.number is not None
    assert document.notation is not None
    assert document.doc_date is not None
    type_code, type_name = document_type(document.notation, rules, document.type)
    return OutgoingDocument(
        sender=Organ(body.code, body.name),
        receivers=receivers,
        number=document.number,
        notation=document.notation,
        issued=document.doc_date,
        place=place or body.place_name or "",
        type_code=type_code,
        type_name=type_name,
        subject=document.subject or type_name,
        signer=SignerInfo(position=position or "", full_name=document.signer_name or ""),
        sent_at=now,
        priority=Priority(int(document.urgency)),
        appendixes=tuple(file.name for file in files if file.role is not FileRole.MAIN),
        page_amount=pages,
        paper=paper,
    )


def hold_until(urgency: Urgency, now: dt.datetime, hold: dt.timedelta) -> dt.datetime | None:
    """Until when a document that was made at `now` may be held back; None for an urgent one, which leaves at once."""
    return now + hold if urgency is Urgency.NORMAL and hold else None


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
