"""A kept packet opened for filing: its header's facts as they go into rows, its files as blobs.

Main process, any thread; blocks on the disk. The packet was screened in memory before it was kept. Names are text and
never paths: work files have no name at all, and kept ones that of their content.
"""

import hashlib
import tempfile
from dataclasses import dataclass
from typing import IO

from signer_app.store.durable import disk_errors
from signer_app.store.inbox import IncomingPacket
from signer_app.store.incoming_model import IncomingFacts, IncomingFile, OwnDoubt
from signer_app.store.model import Urgency
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind
from signer_sync.edxml import PacketHeader
from signer_sync.edxml_attachments import FileKind, OpenedPacket, open_packet
from signer_sync.edxml_keys import document_key, fold_code, id_key


@dataclass(frozen=True)
class Opened:
    """A packet that could be read. `content` is a SHA-256 over the hashes of its files, whatever they were wrapped in.

    `facts_of_meant`: the facts with what they tell of the document that the packet speaks of.
    """

    header: PacketHeader
    key: str
    facts: IncomingFacts
    facts_of_meant: IncomingFacts
    files: tuple[IncomingFile, ...]
    content: str

    @property
    def trusted(self) -> bool:
        """Whether the channel names the same sender as the packet: who speaks in another's name moves nothing here."""
        return OwnDoubt.OTHER_SENDER not in self.facts.doubts


@dataclass(frozen=True)
class Unreadable:
    """A packet that nobody can read, and the code of the reason."""

    code: str
    urgency: Urgency


def open_kept(space: Workspace, packet: IncomingPacket) -> Opened | Unreadable:
    """Opens a packet of the inbox; its files are blobs afterwards.

    KnownError "blob_damaged" if it is gone from the disk, and as `BlobStore.add_stream`.
    """
    assert packet.sha256 is not None
    return open_blob(space, packet.sha256, packet)


def open_blob(space: Workspace, sha256: str, packet: IncomingPacket) -> Opened | Unreadable:
    """Opens the packet that lies under this hash; the rest as `open_kept`."""
    blobs, work = space.store.blobs, space.folder.work
    blobs.size(sha256)

    def spool() -> IO[bytes]:
        return tempfile.TemporaryFile(dir=work)

    try:
        with (
            disk_errors(work, "data_folder_unwritable"),
            blobs.path(sha256).open("rb") as stream,
            open_packet(stream, spool) as opened,
        ):
            files = tuple(
                IncomingFile(
                    name=file.name,
                    sha256=blobs.add_stream(file.stream, file.name).sha256,
                    size=file.size,
                    is_pdf=file.kind is FileKind.PDF,
                )
                for file in opened.files
            )
            return _opened(packet, opened, files)
    except KnownError as error:
        if error.code != "edxml_invalid":
            raise
        return Unreadable(error.code, _urgency(packet.priority))


def _opened(packet: IncomingPacket, opened: OpenedPacket, files: tuple[IncomingFile, ...]) -> Opened:
    header = opened.packet.header
    hashes = sorted(file.sha256 for file in opened.files if file.kind is not FileKind.PACKET or file.trouble)
    doubts = [doubt.value for doubt in opened.packet.doubts]
    if packet.unscreened:
        doubts.append(OwnDoubt.UNSCREENED.value)
    own = fold_code(packet.org)
    if header.kind is not PacketKind.STATUS and own not in map(fold_code, header.routed_to):
        doubts.append(OwnDoubt.NOT_ADDRESSED.value)
    if packet.from_org and fold_code(packet.from_org) != fold_code(header.sender.code):
        doubts.append(OwnDoubt.OTHER_SENDER.value)
    facts = _facts(packet, header, header.document_id, tuple(doubts))
    answered = header.response_for[0] if header.kind is PacketKind.STATUS and header.response_for else None
    meant = answered.document_id if answered else header.answered().document_id
    of_meant = _facts(packet, header, meant, tuple(doubts), label=answered.code if answered else None)
    digest = hashlib.sha256("\n".join(hashes).encode("ascii")).hexdigest()
    return Opened(header, document_key(header), facts, of_meant, files, digest)


def _facts(
    packet: IncomingPacket, header: PacketHeader, document_id: str, doubts: tuple[str, ...], label: str | None = None
) -> IncomingFacts:
    signer = header.signer
    return IncomingFacts(
        sender=header.sender.code,
        sender_name=header.sender.name,
        document_id=document_id,
        id_key=id_key(header.sender.code, document_id),
        label=header.label if label is None else label,
        issued=header.issued,
        issued_on=header.issued_date,
        type_name=header.type_name,
        subject=header.subject,
        signer=", ".join(part for part in (signer.full_name, signer.position) if part),
        due=header.due,
        # What nobody can read as an urgency is as urgent as the feed says.
        urgency=_urgency(packet.priority if header.priority is None else int(header.priority)),
        doubts=doubts,
    )


def _urgency(priority: int | None) -> Urgency:
    return Urgency(priority) if priority in set(Urgency) else Urgency.NORMAL
