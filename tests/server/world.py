"""A small world for the tests of exchange: certificates, a running server, clients of two bodies, packets."""

import hashlib
import io
import itertools
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from signer_server.app import Admin, Organisation, Register, Server, ServerIdentity, ServerRules, TrustedRoots
from signer_sync.client import PinnedServer, ServerClient
from signer_sync.edxml import (
    AttachmentFile,
    Organ,
    OutgoingDocument,
    Priority,
    ResponseFor,
    SignerInfo,
    Staff,
    StatusCode,
    StatusMessage,
)
from signer_sync.edxml_write import write_packet, write_recall, write_status
from signer_sync.http import HttpSettings, open_session
from signer_sync.ids import uuid7
from signer_sync.keystore import DeviceIdentity
from signer_sync.packets import OutgoingPacket

SERVER_ID = "lienthong.anson.example"
COMMUNE = "H77.15"
OFFICE = "H77.02"
OTHER = "H77.16"
REGISTER = "0199a1b2-0000-7000-8000-00000000c0de"
COMMUNE_NAME = "ỦY BAN NHÂN DÂN XÃ HÒA SƠN"
OFFICE_NAME = "SỞ NỘI VỤ"
PDF = b"%PDF-1.7\n" + "Quyết định về việc kiện toàn".encode() * 50


@dataclass(frozen=True)
class Holder:
    """A certificate, its chain without the root, and its key."""

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    key: rsa.RSAPrivateKey = field(repr=False)

    @property
    def chain_der(self) -> tuple[bytes, ...]:
        return tuple(item.public_bytes(Encoding.DER) for item in self.chain)

    def sign(self, data: bytes) -> bytes:
        """What a token does: PKCS #1 v1.5 over SHA-256 of the data."""
        return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())


@dataclass(frozen=True)
class Trust:
    root: Holder
    issuing: Holder
    commune: Holder
    office: Holder
    namesake: Holder
    stranger: Holder
    encryption_only: Holder
    expired: Holder
    revoked: Holder
    server: Holder
    other_server: Holder
    crl: bytes

    @property
    def roots(self) -> TrustedRoots:
        return TrustedRoots(anchors=(der(self.root.certificate),), crls=(self.crl,))


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def fingerprint(holder: Holder) -> str:
    """SHA-256 of the certificate, hex."""
    return holder.certificate.fingerprint(hashes.SHA256()).hex()


@cache
def trust() -> Trust:
    root = _issue("CA thử nghiệm – gốc", None, ca=True)
    issuing = _issue("CA thử nghiệm – cơ quan", root, ca=True)
    revoked = _issue(COMMUNE_NAME, issuing)
    now = datetime.now(UTC)
    crl = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuing.certificate.subject)
        .last_update(now - timedelta(days=1))
        .next_update(now + timedelta(days=30))
        .add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(revoked.certificate.serial_number)
            .revocation_date(now - timedelta(hours=2))
            .build()
        )
        .sign(issuing.key, hashes.SHA256())
    )
    return Trust(
        root=root,
        issuing=issuing,
        commune=_issue(COMMUNE_NAME, issuing),
        office=_issue(OFFICE_NAME, issuing),
        namesake=_issue(COMMUNE_NAME, issuing, organisation="ỦY BAN NHÂN DÂN TỈNH KHÁC"),
        stranger=_issue(COMMUNE_NAME, _issue("CA lạ", None, ca=True)),
        encryption_only=_issue(COMMUNE_NAME, issuing, signing=False),
        expired=_issue(COMMUNE_NAME, issuing, days=(-30, -1)),
        revoked=revoked,
        server=_issue("Máy chủ liên thông văn bản tỉnh An Sơn", issuing),
        other_server=_issue("Máy chủ liên thông văn bản tỉnh An Sơn", issuing),
        crl=crl.public_bytes(Encoding.DER),
    )


def _issue(
    common_name: str,
    issuer: Holder | None,
    *,
    ca: bool = False,
    signing: bool = True,
    organisation: str = "ỦY BAN NHÂN DÂN TỈNH AN SƠN",
    days: tuple[int, int] = (-2, 365),
) -> Holder:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
    now = datetime.now(UTC)
    signer_key = key if issuer is None else issuer.key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer_key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=False,
                content_commitment=signing and not ca,
                key_encipherment=not signing,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=ca,
                crl_sign=ca,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    certificate = builder.sign(signer_key, hashes.SHA256())
    above = issuer.chain if issuer is not None and len(issuer.chain) > 0 else ()
    own = () if issuer is None else (certificate,)
    return Holder(certificate, (*own, *above), key)


def rules(*, max_inline: int = 16 << 20, bearer_seconds: int = 900, **more: Any) -> ServerRules:
    """Rules of the small world; `more` as `ServerRules` takes them."""
    return ServerRules(
        organisations=(
            Organisation("H77", "UBND tỉnh An Sơn"),
            Organisation(
                COMMUNE,
                "UBND xã Hòa Sơn",
                parent="H77",
                common_name=COMMUNE_NAME,
                organisation="ỦY BAN NHÂN DÂN TỈNH AN SƠN",
            ),
            Organisation(
                OFFICE,
                "Sở Nội vụ",
                parent="H77",
                certificates=frozenset({trust().office.certificate.fingerprint(hashes.SHA256()).hex()}),
            ),
            Organisation(OTHER, "UBND xã Hòa Bình", parent="H77"),
            Organisation("H77.99", "Cơ quan đã sáp nhập", parent="H77", active=False),
        ),
        roots=trust().roots,
        max_inline=max_inline,
        bearer_seconds=bearer_seconds,
        **{"registers": (Register(COMMUNE, REGISTER, "Quyết định", "{type}-UBND"),), **more},
    )


def identity(holder: Holder | None = None) -> ServerIdentity:
    chosen = holder or trust().server
    return ServerIdentity.of(SERVER_ID, chosen.chain, chosen.key)


def pinned() -> PinnedServer:
    return PinnedServer(SERVER_ID, der(trust().server.certificate))


class Clock:
    """Seconds since 1970, moved by hand from where the real clock was."""

    def __init__(self) -> None:
        self.seconds = time.time()

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)


@dataclass
class World:
    """A running server and whoever talks to it."""

    folder: Path
    clock: Clock
    server: Server
    stack: ExitStack

    def session(self) -> requests.Session:
        session = open_session(HttpSettings(connect_timeout=10, read_timeout=20))
        self.stack.callback(session.close)
        return session

    def anonymous(self, url: str | None = None) -> ServerClient:
        return ServerClient(url or self.server.url, pinned(), None, self.session(), epoch_seconds=self.clock)

    def enrolled(self, org: str = COMMUNE, holder: Holder | None = None) -> ServerClient:
        """A client whose machine is enrolled for `org`."""
        chosen = holder or (trust().commune if org == COMMUNE else trust().office)
        client = self.anonymous()
        client.enrol(chosen.sign, chosen.chain_der, DeviceIdentity.create(org))
        return client

    def again(self, client: ServerClient, url: str | None = None) -> ServerClient:
        """The same machine, started anew."""
        return ServerClient(url or self.server.url, pinned(), client.device, self.session(), epoch_seconds=self.clock)

    @property
    def admin(self) -> Admin:
        """The administrator's side of the server that runs now."""
        return self.server.admin

    def headers(self, client: ServerClient, **more: str) -> dict[str, str]:
        """What a request by hand needs to pass for this client's."""
        client.token()
        return {"Authorization": f"Bearer {client._bearer}"} | {
            name.replace("_", "-"): value for name, value in more.items()
        }

    def copy_of_state(self) -> Path:
        """A copy of the server's folder as it is now; the server is stopped for that and started again."""
        copy = self.folder / f"copy-{next(_NUMBERS)}"
        self.server.stop()
        shutil.copytree(self.folder / "server", copy)
        self.server.start()
        return copy

    def put_back(self, copy: Path, **settings: Any) -> None:
        """Starts the server anew over a copy of its folder, as after a broken disk."""
        self.server.stop()
        shutil.rmtree(self.folder / "server")
        shutil.copytree(copy, self.folder / "server")
        self.restart(**settings)

    def empty(self, **settings: Any) -> None:
        """Starts the server anew with nothing in it."""
        self.server.stop()
        shutil.rmtree(self.folder / "server")
        self.restart(**settings)

    def restart(self, **settings: Any) -> None:
        """Stops the server and starts another one over the same folder."""
        self.server.stop()
        self.server = self.stack.enter_context(_server(self.folder, self.clock, **settings))

    def packet(self, **changes: Any) -> OutgoingPacket:
        return make_packet(self.folder, **changes)


def _server(
    folder: Path,
    clock: Callable[[], float],
    checkpoint: Callable[[str], None] = lambda _: None,
    server_rules: ServerRules | None = None,
) -> Server:
    return Server(folder / "server", identity(), server_rules or rules(), clock=clock, checkpoint=checkpoint)


@contextmanager
def running(folder: Path, **settings: Any) -> Iterator[World]:
    clock = Clock()
    with ExitStack() as stack:
        server = stack.enter_context(_server(folder, clock, **settings))
        yield World(folder, clock, server, stack)


def document(**changes: object) -> OutgoingDocument:
    plain = OutgoingDocument(
        sender=Organ(COMMUNE, "UBND xã Hòa Sơn", in_charge="UBND tỉnh An Sơn"),
        receivers=(Organ(OFFICE, "Sở Nội vụ"),),
        number="12",
        notation="QĐ-UBND",
        issued=date(2026, 11, 20),
        place="Hòa Sơn",
        type_code="2",
        type_name="Quyết định",
        subject="Về việc kiện toàn Ban Chỉ đạo & tổ giúp việc <năm 2026>",
        signer=SignerInfo("TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH", "Nguyễn Thị Phượng"),
        sent_at=datetime(2026, 11, 20, 1, 30, tzinfo=UTC),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


_NUMBERS = itertools.count()


def attachment(folder: Path, content: bytes = PDF, name: str = "12-QD-UBND.signed.pdf") -> AttachmentFile:
    path = folder / f"file-{next(_NUMBERS)}"
    path.write_bytes(content)
    return AttachmentFile(path, name, hashlib.sha256(content).hexdigest(), len(content))


def packet_bytes(folder: Path, content: bytes = PDF, name: str = "a.pdf", **changes: object) -> bytes:
    out = io.BytesIO()
    write_packet(document(**changes), [attachment(folder, content, name)], out)
    return out.getvalue()


def make_packet(
    folder: Path,
    *,
    org: str = COMMUNE,
    to: tuple[str, ...] = (OFFICE,),
    content: bytes = PDF,
    data: bytes | None = None,
    priority: Priority = Priority.NORMAL,
    created_at: datetime = datetime(2026, 11, 20, 2, 0, tzinfo=UTC),
    packet_id: str | None = None,
    name: str = "a.pdf",
    **changes: object,
) -> OutgoingPacket:
    """A finished packet on disk; `data` in place of a proper one."""
    document_id = document(sender=Organ(org, ""), **changes).document_id
    if data is None:
        data = packet_bytes(
            folder,
            content,
            name,
            sender=Organ(org, "Nơi gửi"),
            receivers=tuple(Organ(code, "Nơi nhận") for code in to),
            priority=priority,
            **changes,
        )
    path = folder / f"packet-{next(_NUMBERS)}.edxml"
    path.write_bytes(data)
    return OutgoingPacket(
        packet_id=packet_id or uuid7(),
        org=org,
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        urgency=int(priority),
        created_at=created_at,
        document_id=document_id,
    )


def status_bytes(code: str, document_id: str, *, sender: str = OFFICE, to: str = COMMUNE) -> bytes:
    """A status message of `sender` about a document of `to`."""
    out = io.BytesIO()
    message = StatusMessage(
        sender=Organ(sender, "Nơi gửi"),
        answers=ResponseFor(to, "12/QĐ-UBND", "2026/11/20", document_id),
        code=StatusCode(code),
        description="Lý do",
        at=datetime(2026, 11, 20, 3, 0, tzinfo=UTC),
        staff=Staff(name="Trần Văn Thư"),
    )
    write_status(message, out)
    return out.getvalue()


def recall_bytes(**changes: object) -> bytes:
    """The recall of the document with the same changes."""
    out = io.BytesIO()
    write_recall(document(**changes), "Gửi nhầm", out)
    return out.getvalue()


def blob_count(world: World) -> int:
    return sum(1 for path in (world.folder / "server" / "packets").glob("*/*") if path.is_file())
