"""Packets as other bodies send them, taken by the real inbox of a workspace with a test PKI, real workers and a clock.

Signed letters are made once for all tests; every packet is written by the product's own writer and goes through the
screen, the store and the filing as one from a channel does.
"""

import atexit
import datetime as dt
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from signer_app.exchange.deciding import Deciding
from signer_app.exchange.filing import Filed, Filing
from signer_app.exchange.incoming import IncomingScreen
from signer_app.exchange.incoming_spool import Spool
from signer_app.exchange.rechecking import Rechecking
from signer_app.store.inbox import SYNC
from signer_app.store.inbox_stores import SqlInbox
from signer_app.store.incoming_model import IncomingDocument, IncomingEvent
from signer_app.store.model import OutboxPacket
from signer_app.store.settings import Body, Exchange
from signer_app.workers import Workers
from signer_sync.contract import FeedType, PacketKind
from signer_sync.edxml import (
    AttachmentFile,
    Organ,
    OutgoingDocument,
    Replacement,
    ResponseFor,
    SignerInfo,
    StatusCode,
    StatusMessage,
    Update,
)
from signer_sync.edxml_write import write_packet, write_recall, write_status
from signer_sync.ids import uuid7
from signer_sync.packets import Arrival, BinarySink
from signer_sync.ports import Taken
from tests.desk.office import FRIDAY, ORG, PROVINCE, SENDER, Office, changed, office
from tests.verification.documents import SignAs, make_document, sign
from tests.verification.small_pki import DAY, NOW, Holder, make_certificate, make_crl

COMMUNE = Organ(ORG, "Ủy ban nhân dân xã Hòa Sơn")
PROVINCE_OFFICE = Organ(PROVINCE, SENDER)
TRUST = "tin cậy"


@cache
def holders() -> tuple[Holder, Holder, Holder]:
    """A root, its CA and a leader of the test PKI."""
    root = make_certificate("Gốc thử nghiệm", None, ca=True)
    ca = make_certificate("CA thử nghiệm", root, ca=True)
    return root, ca, make_certificate("Trần Văn An", ca)


@cache
def signed_letter() -> bytes:
    """A letter that its leader has signed."""
    return sign(make_document(1), holders()[2], SignAs("Lanhdao"))


@cache
def broken_letter() -> bytes:
    """The same, with an amount altered afterwards."""
    return signed_letter().replace(b"1.250.000.000", b"9.250.000.000", 1)


@cache
def plain_letter() -> bytes:
    """A letter that nobody has signed."""
    return make_document(1)


class WarmWorkers(Workers):
    """Real workers that outlive a test: starting one takes longer than what most tests have it do."""

    def close(self, patience_s: float = 2.0) -> None:
        """Nothing yet: the next test has use for them."""

    def end(self) -> None:
        """Ends all children."""
        super().close(0)


@cache
def warm_workers() -> WarmWorkers:
    """The workers of all tests in this process."""
    made = WarmWorkers()
    atexit.register(made.end)
    return made


@dataclass
class Post:
    """A commune's workspace, and the province that writes to it."""

    office: Office
    trust: Path
    _sent: int = field(default=0)

    @property
    def filing(self) -> Filing:
        return Filing(self.office.space)

    @property
    def deciding(self) -> Deciding:
        return Deciding(self.office.space)

    @property
    def rechecking(self) -> Rechecking:
        return Rechecking(self.office.space)

    # ---- what the province writes

    def document(self, number: str = "12", **more: object) -> OutgoingDocument:
        said = OutgoingDocument(
            sender=PROVINCE_OFFICE,
            receivers=(COMMUNE,),
            number=number,
            notation="UBND-VX",
            issued=FRIDAY,
            place="An Sơn",
            type_code="1",
            type_name="Công văn",
            subject="V/v rà soát đê điều",
            signer=SignerInfo(position="CHỦ TỊCH", full_name="Trần Văn An"),
            sent_at=self.office.now,
        )
        return replace(said, **more)  # type: ignore[arg-type]

    def packet(
        self,
        document: OutgoingDocument,
        *files: tuple[str, bytes],
        business: Update | Replacement | None = None,
    ) -> bytes:
        attached = []
        for name, content in files:
            path = self.office.folder / uuid7()
            path.write_bytes(content)
            blob = self.office.store.blobs.add_file(path)
            attached.append(AttachmentFile(path, name, blob.sha256, blob.size))
        return written(lambda out: write_packet(document, attached, out, business))

    def letter(self, number: str = "12", content: bytes | None = None, **more: object) -> bytes:
        """A packet with one signed letter."""
        return self.packet(self.document(number, **more), ("thu.pdf", content or signed_letter()))

    def recall(self, number: str = "12", reason: str = "Gửi nhầm bản dự thảo", **more: object) -> bytes:
        return written(lambda out: write_recall(self.document(number, **more), reason, out))

    def status(self, code: StatusCode, about: str, words: str = "", sender: Organ = PROVINCE_OFFICE) -> bytes:
        answers = ResponseFor(ORG, "", "", about)
        return written(lambda out: write_status(StatusMessage(sender, answers, code, words, self.office.now), out))

    # ---- what becomes of it here

    def inbox(self, channel: str = SYNC, screen: IncomingScreen | None = None) -> SqlInbox:
        space = self.office.space
        look = screen or IncomingScreen(space.workers, space.folder.work)
        return SqlInbox(space.store, space.now, look, Spool, channel=channel)

    def take(self, data: bytes, *, priority: int = 0, channel: str = SYNC, **more: object) -> Taken:
        """Has the inbox take a packet as from a feed."""
        announced = Arrival(id=uuid7(), type=FeedType.PACKET, sender=PROVINCE, kind=PacketKind.NEW, priority=priority)
        arrival = replace(announced, **more)  # type: ignore[arg-type]

        def fetch(sink: BinarySink) -> None:
            for at in range(0, len(data), 4096):
                sink.write(data[at : at + 4096])

        return self.inbox(channel).take(ORG, arrival, fetch)

    def came(self, data: bytes, *, priority: int = 0, channel: str = SYNC) -> Filed:
        """A packet comes and is filed."""
        assert self.take(data, priority=priority, channel=channel) is Taken.KEPT
        return self.filing.run(ask_network=False)

    def documents(self) -> Sequence[IncomingDocument]:
        """What is filed, in the order of the last changes."""
        with self.office.store.view() as view:
            return tuple(view.incoming.touched_since(0))

    def only(self) -> IncomingDocument:
        (document,) = self.documents()
        return document

    def get(self, incoming_id: str) -> IncomingDocument:
        with self.office.store.view() as view:
            found = view.incoming.get(incoming_id)
        assert found is not None
        return found

    def events(self, incoming_id: str) -> list[str]:
        return [event.what.value for event in self.log(incoming_id)]

    def log(self, incoming_id: str) -> tuple[IncomingEvent, ...]:
        with self.office.store.view() as view:
            return view.incoming.events(incoming_id)

    def queued(self) -> tuple[OutboxPacket, ...]:
        with self.office.store.view() as view:
            return tuple(sorted(view.outbox.list(), key=lambda packet: packet.packet_id))

    def answers(self, incoming_id: str) -> list[str | None]:
        """Codes of the status messages about a document that wait to leave, in their order."""
        return [packet.status_code for packet in self.queued() if packet.incoming == incoming_id]

    def external(self) -> None:
        """From now on the province's own system exchanges."""
        self.exchange(Exchange.EXTERNAL)

    def exchange(self, how: Exchange) -> None:
        changed(self.office, bodies=(Body(code=ORG, name=COMMUNE.name, exchange=how),))

    def crls_come(self, revoked: Holder | None = None) -> None:
        """The lists of both CAs are in hand now."""
        root, ca, _leader = holders()
        at = [(revoked, NOW - 10 * DAY)] if revoked is not None else []
        (self.trust / "root.crl").write_bytes(make_crl(root))
        (self.trust / "ca.crl").write_bytes(make_crl(ca, at))
        self.office.space.reload()


def written(write: Callable[[io.BytesIO], object]) -> bytes:
    """The bytes of a packet."""
    out = io.BytesIO()
    write(out)
    return out.getvalue()


@contextmanager
def post(folder: Path, *, crls: bool = True) -> Iterator[Post]:
    """A commune that exchanges by the server and trusts the test PKI; without `crls` nothing is known of revocation."""
    trust = folder / TRUST
    trust.mkdir()
    (trust / "root.der").write_bytes(holders()[0].der)
    with office(folder) as made:
        made.at(dt.datetime(2026, 11, 23, 8, 42, tzinfo=made.now.tzinfo))
        made.space.__dict__["workers"] = warm_workers()
        changed(made, trust_dir=str(trust), clerk="Lê Thị Thư")
        here = Post(made, trust)
        here.exchange(Exchange.SERVER)
        if crls:
            here.crls_come()
        yield here
