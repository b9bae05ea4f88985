"""Other bodies at the demonstration's document server: what they send to the commune, and what they answer.

The server is the demonstration's own, with certificates of its test PKI for two more bodies; letters are signed with
its keys, and packets written by the product's own writer. For journeys through the window and for the pictures.
"""

import datetime as dt
import hashlib
import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from signer_app.demo.pki_names import Authority, Holder
from signer_app.demo.services import SERVER_ID
from signer_resources import samples
from signer_server.app import Organisation, Server, ServerIdentity, ServerRules, TrustedRoots
from signer_sync.client import PinnedServer, ServerClient
from signer_sync.contract import PacketKind
from signer_sync.edxml import (
    AttachmentFile,
    Organ,
    OutgoingDocument,
    Priority,
    ResponseFor,
    SignerInfo,
    StatusCode,
    StatusMessage,
)
from signer_sync.edxml_write import write_packet, write_recall, write_status
from signer_sync.http import HttpSettings, open_session
from signer_sync.ids import uuid7
from signer_sync.keystore import DeviceIdentity
from signer_sync.packets import OutgoingPacket
from tests.app.letters import Wording, signed_by, write_letter
from tests.support.workspace import Desk

COMMUNE, PROVINCE, DEPARTMENT = "H77.15", "H77", "H77.02"
_SENDS_WITH = {PROVINCE: Holder.DRAFTER, DEPARTMENT: Holder.FRONT_LEADER}
"""Whose keys the two bodies enrol with: the test PKI has none of theirs."""
_NAMES = {known.code: known.name for known in samples.load().organisations}
_SIGNER = "Đặng Văn Thưởng"


@dataclass
class Province:
    """A running server, and the bodies that write to the commune by it."""

    desk: Desk
    server: Server
    folder: Path
    _stack: ExitStack
    _clients: dict[str, ServerClient] = field(default_factory=dict)

    def letter(self, label: str, text: str, mark: str | None = None, *, signed: bool = True) -> bytes:
        """A letter of the province; `mark` stands where a secrecy mark does."""
        wording = Wording(
            body=("ỦY BAN NHÂN DÂN", "TỈNH AN SƠN"),
            number_line=f"Số: {label}",
            date_line="An Sơn, ngày 20 tháng 11 năm 2026",
            signer=_SIGNER,
            mark=mark,
            text=text,
        )
        plain = write_letter(self.folder / f"{uuid7()}.pdf", wording)
        if not signed:
            return plain.read_bytes()
        leaf = self.desk.site.pki.leaf(Holder.FRONT_LEADER)
        return signed_by(leaf, plain, self.folder / f"{uuid7()}.pdf").read_bytes()

    def sends(
        self,
        number: str,
        notation: str,
        subject: str,
        *,
        org: str = PROVINCE,
        content: bytes | None = None,
        priority: Priority = Priority.NORMAL,
    ) -> OutgoingDocument:
        """Sends a document to the commune; with a signed letter, unless `content` is another file."""
        document = OutgoingDocument(
            sender=Organ(org, _NAMES[org]),
            receivers=(Organ(COMMUNE, _NAMES[COMMUNE]),),
            number=number,
            notation=notation,
            issued=dt.date(2026, 11, 20),
            place="An Sơn",
            type_code="1",
            type_name="Công văn",
            subject=subject,
            signer=SignerInfo("TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH", _SIGNER),
            sent_at=dt.datetime.now(dt.UTC),
            priority=priority,
        )
        letter = content if content is not None else self.letter(f"{number}/{notation}", subject)
        path = self.folder / uuid7()
        path.write_bytes(letter)
        attached = AttachmentFile(path, "van-ban.pdf", hashlib.sha256(letter).hexdigest(), len(letter))
        out = io.BytesIO()
        write_packet(document, [attached], out)
        self._put(org, out.getvalue(), PacketKind.NEW, document.document_id, int(priority))
        return document

    def recalls(self, document: OutgoingDocument, reason: str) -> None:
        """Asks for a document back."""
        out = io.BytesIO()
        write_recall(document, reason, out)
        self._put(document.sender.code, out.getvalue(), PacketKind.REVOKE, document.document_id)

    def answers(self, document_id: str, code: StatusCode, words: str = "", org: str = PROVINCE) -> None:
        """Tells the commune what became of its document."""
        message = StatusMessage(
            Organ(org, _NAMES[org]), ResponseFor(COMMUNE, "", "", document_id), code, words, dt.datetime.now(dt.UTC)
        )
        out = io.BytesIO()
        write_status(message, out)
        self._put(org, out.getvalue(), PacketKind.STATUS, document_id)

    def _put(self, org: str, data: bytes, kind: PacketKind, document_id: str, priority: int = 0) -> None:
        path = self.folder / uuid7()
        path.write_bytes(data)
        packet = OutgoingPacket(
            packet_id=uuid7(),
            org=org,
            path=path,
            sha256=hashlib.sha256(data).hexdigest(),
            size=len(data),
            urgency=priority,
            created_at=dt.datetime.now(dt.UTC),
            kind=kind,
            document_id=document_id,
        )
        self._client(org).put_packet(packet)

    def _client(self, org: str) -> ServerClient:
        if org not in self._clients:
            pki = self.desk.site.pki
            session = open_session(HttpSettings(connect_timeout=10, read_timeout=20))
            self._stack.callback(session.close)
            pinned = PinnedServer(SERVER_ID, pki.leaf(Holder.SERVER).certificate_der)
            client = ServerClient(self.server.url, pinned, None, session)
            leaf = pki.leaf(_SENDS_WITH[org])
            key = leaf.private_key
            client.enrol(
                lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256()),
                leaf.chain_der,
                DeviceIdentity.create(org),
            )
            self._clients[org] = client
        return self._clients[org]


@contextmanager
def province(desk: Desk) -> Iterator[Province]:
    """The desk's document server, at which two more bodies may enrol; running until the end of the block."""
    folder = desk.folder / "province"
    folder.mkdir(exist_ok=True)
    with ExitStack() as stack:
        server = stack.enter_context(_server(desk))
        desk.change_settings(server_url=server.url)
        yield Province(desk, server, folder, stack)
    desk.change_settings(server_url=desk.site.dead_url)


def _server(desk: Desk) -> Server:
    pki = desk.site.pki
    holders = {COMMUNE: Holder.AGENCY, **_SENDS_WITH}
    leaf = pki.leaf(Holder.SERVER)
    identity = ServerIdentity.of(
        SERVER_ID, [x509.load_der_x509_certificate(der) for der in leaf.chain_der], leaf.private_key
    )
    organisations = tuple(
        Organisation(
            code=code,
            name=name,
            certificates=frozenset({pki.leaf(holders[code]).sha256} if code in holders else ()),
        )
        for code, name in _NAMES.items()
    )
    roots = TrustedRoots(
        anchors=(pki.root_der,),
        intermediates=(pki.issuing_der,),
        crls=(pki.crl_der(Authority.ROOT), pki.crl_der(Authority.ISSUING)),
    )
    return Server(desk.data / "demo" / "server", identity, ServerRules(organisations, roots))
