"""What the packets of a stored document say and carry: made from what was sent before, else from its rows.

Main process. A packet's bytes are a durable blob before any row names it; a blob that got no row is collected at the
next start. What leaves is what was signed, never a version that was raised to a higher level afterwards.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from signer_app.attachments.kinds import content_type_of
from signer_app.exchange.directory import names_of
from signer_app.pdf.model import Profile
from signer_app.signing.release import issues_number, said_of
from signer_app.store.attachments import leaving_blob
from signer_app.store.blobs import BlobStore
from signer_app.store.durable import disk_errors
from signer_app.store.model import Document, FileRole, OutboxPacket, StoredFile
from signer_app.store.settings import Body, Exchange
from signer_app.store.times import vietnamese_date
from signer_app.workspace import Workspace, operator_name
from signer_resources import rules
from signer_resources.errors import KnownError
from signer_sync.edxml import AttachmentFile, Organ, OutgoingDocument, PacketHeader, WrittenPacket
from signer_sync.edxml_read import read_header
from signer_sync.packets import BinarySink
from signer_sync.secrecy import field_is_secret, name_is_secret


@dataclass(frozen=True)
class Outgoing:
    """What a packet of a document says of it, and the files that it can carry, the main one first."""

    says: OutgoingDocument
    files: tuple[AttachmentFile, ...]

    def to(self, receivers: Sequence[Organ], now: dt.datetime, *, paper: bool | None = None) -> "Outgoing":
        """The same for these receivers, sent now; `paper`: whether somebody gets it on paper too, None as it says."""
        said = self.says.paper if paper is None else paper
        return replace(self, says=replace(self.says, receivers=tuple(receivers), sent_at=now, paper=said))

    def require_open(self) -> None:
        """KnownError "secret" if anything that it says or is called bears a mark of secrecy."""
        fields = (("Subject", self.says.subject), ("Content", self.says.content), ("TypeName", self.says.type_name))
        names = (name for file in self.files for name in (file.name, file.description))
        if any(field_is_secret(*field) for field in fields) or any(map(name_is_secret, names)):
            raise KnownError("secret")


def clerk(space: Workspace) -> str:
    """Who works here, as it is written down."""
    return space.settings.clerk or operator_name()


def exchanging_body(space: Workspace, code: str) -> Body:
    """The body with this code; KnownError "exchange_external" where another system exchanges for it, or it is not one
    of this machine's: then nothing is queued for it.
    """
    body = space.settings.body(code)
    if body is None or body.exchange is not Exchange.SERVER:
        raise KnownError("exchange_external", body=body.name if body is not None else code)
    return body


def organs(space: Workspace, codes: Iterable[str]) -> tuple[Organ, ...]:
    """Bodies by their codes, with the names that the directory has."""
    with space.store.view() as view:
        return tuple(Organ(code, name) for code, name in names_of(view, codes).items())


def outgoing_document(space: Workspace, document: Document, body: Body, sent: OutboxPacket | None) -> Outgoing:
    """What a packet of a stored document says and carries; `sent` is one that carried it before, whose header is said
    again. KnownError "document_not_sealed" where it has no number or not the body's seal, "packet_damaged",
    "file_released" where its files are no longer kept.
    """
    with space.store.view() as view:
        files = view.documents.files(document.id)
        blobs = [blob for file in files if (blob := leaving_blob(file)) is not None]
        released = [view.restored.released_at(blob) for blob in (*blobs, *([sent.sha256] if sent is not None else []))]
    if (gone := next(filter(None, released), None)) is not None and not all(map(space.store.blobs.has, blobs)):
        raise KnownError("file_released", name=document.label or "", date=vietnamese_date(gone))
    main = next((file for file in files if file.role is FileRole.MAIN), None)
    if not (document.label and document.doc_date and main and main.profile and issues_number(Profile(main.profile))):
        raise KnownError("document_not_sealed", label=document.label or "")
    carried = tuple(_attachment(space.store.blobs, file) for file in files)
    if sent is not None:
        return Outgoing(_said_again(space.store.blobs, sent), carried)
    rule_profile = rules.load(document.doc_date)
    return Outgoing(said_of(document, body, rule_profile, files, now=space.now()), carried)


def _attachment(blobs: BlobStore, file: StoredFile) -> AttachmentFile:
    blob = leaving_blob(file)
    if blob is None or not blobs.has(blob):
        raise KnownError("packet_damaged")
    return AttachmentFile(blobs.path(blob), file.name, blob, blobs.size(blob), content_type_of(file.name))


def _said_again(blobs: BlobStore, packet: OutboxPacket) -> OutgoingDocument:
    """What a packet of ours said. KnownError "packet_damaged" where it can't be read any more."""
    try:
        with blobs.path(packet.sha256).open("rb") as stream:
            header = read_header(stream)
    except (OSError, KnownError) as error:
        raise KnownError("packet_damaged") from error
    if header.issued_date is None or header.priority is None:
        raise KnownError("packet_damaged")
    return OutgoingDocument(
        sender=header.sender,
        receivers=header.receivers,
        number=header.code_number,
        notation=header.code_notation,
        issued=header.issued_date,
        place=header.place,
        type_code=header.type_code,
        type_name=header.type_name,
        subject=header.subject,
        signer=header.signer,
        sent_at=packet.created_at,
        priority=header.priority,
        appendixes=header.appendixes,
        to_places=header.to_places,
        page_amount=_pages(header),
        staff=header.staff,
        content=header.content,
        due=header.due_date,
        steering=header.steering,
        response_for=header.response_for,
        paper=header.paper,
        sent_as=packet.edxml_id,
    )


def _pages(header: PacketHeader) -> int | None:
    return int(header.page_amount) if header.page_amount.isdecimal() and header.page_amount.isascii() else None


def keep_packet(space: Workspace, write: Callable[[BinarySink], WrittenPacket]) -> WrittenPacket:
    """Writes a packet into the store, durable. Raises what `write` raises, "disk_full", "data_folder_unwritable"."""
    folder = space.folder.work
    with (
        disk_errors(space.folder.path, "data_folder_unwritable"),
        TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as place,
    ):
        target = Path(place) / "packet.edxml"
        with target.open("wb") as out:
            written = write(out)
        blob = space.store.blobs.adopt(target)
    if blob.sha256 != written.sha256:
        raise KnownError("packet_damaged")
    return written
