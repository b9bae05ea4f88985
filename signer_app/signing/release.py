"""What makes a document ready to leave: to whom it goes, one edXML packet of all its files, signed or not, and the row
that queues it.

Main process. A document is queued only when it has receivers who can be reached, a number and the agency's signature,
and nobody has to be asked whom its page means; the packet's bytes are a durable blob before the row names it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from signer_app.attachments.kinds import content_type_of
from signer_app.exchange.directory import Directory
from signer_app.exchange.receivers import part, resolve
from signer_app.pdf.model import Finding, Profile, Severity
from signer_app.signing.batch import DocumentWork, Made
from signer_app.signing.jobs import DocumentJob
from signer_app.store.blobs import BlobStore
from signer_app.store.model import Document, FileRole, NewPacket, StoredFile, Urgency
from signer_app.store.receivers import PaperReceiver
from signer_app.store.settings import Body, Exchange
from signer_app.store.store import View
from signer_resources.rules import RuleProfile
from signer_sync.contract import PacketKind
from signer_sync.edxml import AttachmentFile, Organ, OutgoingDocument, Priority, SignerInfo
from signer_sync.edxml_write import write_packet
from signer_sync.ids import uuid7

LETTER = "Công văn"
"""A document whose notation begins with no type is an official letter (NĐ 30 PL III)."""


@dataclass(frozen=True)
class Goes:
    """To whom a document goes: `codes` through the exchange, `paper` by hand, besides those who are on its paper list
    already. `names` are all who get it on paper. While lines are `asked`, it is kept.
    """

    codes: tuple[str, ...] = ()
    paper: tuple[PaperReceiver, ...] = ()
    names: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()

    @property
    def leaves(self) -> bool:
        """Whether anything is to be sent now."""
        return bool(self.codes) and not self.asked

    @property
    def told(self) -> tuple[Finding, ...]:
        """What the person is told of it."""
        found = []
        if self.asked:
            found.append(Finding("out_receivers_unknown", Severity.WARNING, {"lines": "; ".join(self.asked)}))
        if self.names:
            found.append(Finding("out_receivers_paper", Severity.WARNING, {"names": "; ".join(self.names)}))
        return tuple(found)


def goes_to(view: View, work: DocumentWork, document: Document, body: Body | None) -> Goes:
    """To whom the document goes by what is known now; to nobody where it isn't this program that sends it. Lines that
    were explained since the person said yes mean what was said of them.
    """
    if body is None or not _may_be_sent(work, document, body):
        return Goes()
    job, page = work.job, work.job.page
    codes, nameless = job.receivers, page.paper if page is not None else ()
    asked: tuple[str, ...] = ()
    if page is not None and page.asked:
        found = resolve(view, body.code, page.asked, candidates=False)
        codes = (*codes, *found.named)
        nameless = (*nameless, *(one for one in found.paper if one.code is None))
        asked = tuple(line.text for line in found.asked)
    subject = job.draft or document.id
    # Whoever works in the window was shown which codes the directory doesn't have; on the command line nobody was, and
    # the server's refusal is what tells.
    parted = part(view, subject, codes, at_their_word=job.draft is None)
    before = view.receivers.paper(subject)
    known = {one.name for one in before}
    paper = (*(one for one in nameless if one.name not in known), *parted.paper)
    return Goes(parted.send, paper, tuple(one.name for one in (*before, *paper)), asked)


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
) -> NewPacket:
    """Writes the packet into the store and gives the row for the outbox; `attached` go along as they are. An ordinary
    document waits for `hold` before it leaves.

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
        receivers=tuple(Organ(code, directory.name(code)) for code in goes.codes),
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
        paper=bool(goes.names),
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
        receivers=goes.codes,
        urgency=document.urgency,
        hold_until=hold_until(document.urgency, now, hold),
        edxml_id=written.document_id,
        operator=operator,
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
