"""A clerk's workspace for tests of the desk and its panes: a real store with a clock that stands still.

Nothing of a token, a server or a test PKI is prepared; what came and what waits is put into the store as the sending
loop and the engine put it there.
"""

import datetime as dt
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from signer_app.desk.desk import Desk
from signer_app.exchange.directory import Directory, KnownOrganisation, save_directory
from signer_app.pdf.model import LetterFacts, Profile
from signer_app.store.batch_model import Batch, BatchFile
from signer_app.store.inbox import IncomingPacket
from signer_app.store.model import Document, Draft, DraftFile, FileRole, FileState, Urgency
from signer_app.store.store import Store, Transaction
from signer_app.store.times import VIETNAM
from signer_app.workspace import Overrides, Workspace, workspace
from signer_sync.contract import PacketKind
from signer_sync.edxml import AttachmentFile, Organ, OutgoingDocument, SignerInfo
from signer_sync.edxml_write import write_packet
from signer_sync.ids import uuid7
from tests.store.letters import Clock, Letters, not_secret

MONDAY = dt.datetime(2026, 11, 23, 8, 42, tzinfo=VIETNAM)
"""A working day after a weekend; Friday was the 20th."""
TODAY, FRIDAY = MONDAY.date(), dt.date(2026, 11, 20)
ORG, PROVINCE, DEPARTMENT = "H77.15", "H77", "H77.02"
SENDER = "Ủy ban nhân dân tỉnh An Sơn"


@dataclass
class Office:
    """The workspace and what can happen in it."""

    space: Workspace
    clock: Clock
    folder: Path

    @property
    def store(self) -> Store:
        return self.space.store

    @property
    def desk(self) -> Desk:
        return Desk(self.space)

    @property
    def now(self) -> dt.datetime:
        return self.clock().astimezone(VIETNAM)

    def at(self, moment: dt.datetime) -> None:
        """It is this time from now on."""
        self.clock.time = moment

    # ---- outgoing

    def signed(self, number: str, day: dt.date = TODAY, urgency: Urgency = Urgency.NORMAL, **more: object) -> Document:
        """A document that was signed now and waits to be sent, unless `receivers` is empty."""
        made = Letters(self.store, self.clock).signing(
            number,
            doc_date=day,
            urgency=urgency,
            body=ORG,
            content=uuid7().encode(),
            **more,  # type: ignore[arg-type]
        )
        self.store.commit_signed(made, not_secret)
        return made.document

    def packet_of(self, document: Document) -> str:
        with self.store.view() as view:
            return view.outbox.of_document(document.id)[0].packet_id

    def accepted(self, document: Document, receipt: str = "{}") -> None:
        packet = self.packet_of(document)
        self.store.write(lambda tx: tx.outbox.accepted(packet, receipt, None, self.clock()))

    def hindered(self, document: Document, code: str, *, person: bool = False, never: bool = False) -> None:
        """An attempt at sending ended with this error."""
        packet = self.packet_of(document)

        def work(tx: Transaction) -> None:
            tx.outbox.mark_sending(packet)
            if never:
                tx.outbox.failed(packet, code)
            elif person:
                tx.outbox.needs_person(packet, code)
            else:
                tx.outbox.retry(packet, code, self.clock() + dt.timedelta(minutes=5))

        self.store.write(work)

    def draft(self, number: str = "", day: dt.date | None = None, urgency: Urgency = Urgency.NORMAL) -> None:
        """A document was opened to be sealed."""
        blob = self.store.blobs.add_stream(io.BytesIO(uuid7().encode())).sha256
        file = DraftFile(
            id=uuid7(),
            name="Công văn.pdf",
            path="/x/Công văn.pdf",
            output="/y/Công văn.pdf",
            role=FileRole.MAIN,
            profile=Profile.AGENCY,
            blob=blob,
            facts=LetterFacts(),
        )
        made = Draft(
            id=uuid7(),
            files=(file,),
            created_at=self.clock(),
            number=number,
            notation="UBND-VP",
            position=0,
            date=day,
            urgency=urgency,
        )
        self.store.write(lambda tx: tx.drafts.add(made))

    def stopped_batch(self, signed: int, pending: int, *, ended: bool = True) -> None:
        """A batch with files still to be signed."""
        batch = uuid7()
        states = [FileState.SIGNED] * signed + [FileState.PENDING] * pending

        def work(tx: Transaction) -> None:
            files = [
                BatchFile(batch_id=batch, position=at, input_path=f"/p/{at}", state=state)
                for at, state in enumerate(states)
            ]
            tx.batches.add(Batch(id=batch, created_at=(at := self.clock()), begun_at=at, command="{}"), files)
            if ended:
                tx.batches.finish(batch, self.clock(), "token_removed")

        self.store.write(work)

    # ---- incoming

    def packet(self, *files: tuple[str, bytes], subject: str = "V/v báo cáo", number: str = "12") -> bytes:
        """An edXML packet with these files (name, bytes)."""
        attachments = []
        for name, content in files or (("thu.pdf", b"%PDF-1.7 letter"),):
            path = self.folder / uuid7()
            path.write_bytes(content)
            blob = self.store.blobs.add_file(path)
            attachments.append(AttachmentFile(path, name, blob.sha256, blob.size))
        document = OutgoingDocument(
            sender=Organ(PROVINCE, SENDER),
            receivers=(Organ(ORG, "Ủy ban nhân dân xã Hòa Sơn"),),
            number=number,
            notation="UBND-VX",
            issued=FRIDAY,
            place="An Sơn",
            type_code="1",
            type_name="Công văn",
            subject=subject,
            signer=SignerInfo(position="CHỦ TỊCH", full_name="Trần Văn An"),
            sent_at=self.now,
        )
        out = io.BytesIO()
        write_packet(document, attachments, out)
        return out.getvalue()

    def came(
        self,
        data: bytes,
        subject: str = "V/v báo cáo",
        *,
        sender: str = PROVINCE,
        priority: int = 0,
        kind: PacketKind = PacketKind.NEW,
    ) -> None:
        """A packet came now."""
        blob = self.store.blobs.add_stream(io.BytesIO(data))
        packet = IncomingPacket(
            org=ORG,
            packet_id=uuid7(),
            received_at=self.clock(),
            sha256=blob.sha256,
            size=blob.size,
            kind=kind,
            from_org=sender,
            subject=subject,
            priority=priority,
        )
        self.store.write(lambda tx: tx.inbox.add(packet))

    def secret_came(self) -> None:
        """A packet with a secrecy mark came now."""
        self.store.write(lambda tx: tx.inbox.add_secret(ORG, uuid7(), self.clock()))


@contextmanager
def office(folder: Path) -> Iterator[Office]:
    """An empty workspace on a Monday morning; its directory knows three organisations."""
    clock = Clock()
    clock.time = MONDAY
    with workspace(folder / "dữ liệu", Overrides(), writing=True, now=clock) as space:
        known = (
            KnownOrganisation(PROVINCE, SENDER),
            KnownOrganisation(DEPARTMENT, "Sở Nội vụ tỉnh An Sơn"),
            KnownOrganisation(ORG, "Ủy ban nhân dân xã Hòa Sơn"),
        )
        save_directory(space.store, Directory(MONDAY, known))
        yield Office(space, clock, folder)


def changed(office: Office, **changes: object) -> None:
    """Other settings from now on."""
    office.desk.change_settings(lambda old: msgspec.structs.replace(old, **changes))
