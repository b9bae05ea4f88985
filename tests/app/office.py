"""Another organisation at the document server of a workspace: it enrols its own machine, sends and receives."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from signer_app.demo.leaf import Leaf
from signer_app.demo.pki import DemoPki
from signer_app.demo.pki_names import Authority, Holder
from signer_app.demo.services import SERVER_ID
from signer_resources import samples
from signer_server.app import Organisation, Server, ServerIdentity, ServerRules, TrustedRoots
from signer_sync.client import PinnedServer, ServerClient
from signer_sync.http import HttpSettings, open_session
from signer_sync.keystore import DeviceIdentity
from tests.server.world import COMMUNE, OFFICE, make_packet
from tests.support.workspace import Desk

HOLDER = Holder.FRONT_LEADER
"""Whose certificate of the test PKI stands for the office's."""


@dataclass
class Office:
    """The office's machine."""

    client: ServerClient
    server: Server
    folder: Path
    _sent: int = 0

    def send(self, letter: Path, name: str | None = None) -> str:
        """Sends a packet with this file to the commune; the packet's id."""
        self._sent += 1
        packet = make_packet(
            self.folder,
            org=OFFICE,
            to=(COMMUNE,),
            content=letter.read_bytes(),
            name=name or letter.name,
            number=str(self._sent),
        )
        self.client.put_packet(packet, None)
        return packet.packet_id

    def waiting(self) -> list[str]:
        """Ids of the packets that came for the office."""
        return [item.id for item in self.client.feed(None, limit=100, wait=0).items]


def office_server(pki: DemoPki, folder: Path, *, identity: Leaf | None = None, server_id: str = SERVER_ID) -> Server:
    """The workspace's document server, which lets the office enrol as well; not yet started."""
    leaf = identity or pki.leaf(Holder.SERVER)
    own = {COMMUNE: Holder.AGENCY, OFFICE: HOLDER}
    organisations = tuple(
        Organisation(
            org.code,
            org.name,
            certificates=frozenset({pki.leaf(own[org.code]).sha256} if org.code in own else ()),
        )
        for org in samples.load().organisations
    )
    roots = TrustedRoots(
        anchors=(pki.root_der,),
        intermediates=(pki.issuing_der,),
        crls=(pki.crl_der(Authority.ROOT), pki.crl_der(Authority.ISSUING)),
    )
    chain = [x509.load_der_x509_certificate(der) for der in leaf.chain_der]
    return Server(folder, ServerIdentity.of(server_id, chain, leaf.private_key), ServerRules(organisations, roots))


@contextmanager
def office(desk: Desk, through: Callable[[str], str] = lambda url: url) -> Iterator[Office]:
    """The workspace's server, up, with the office's machine enrolled; `through` may put something before it."""
    pki, folder = desk.site.pki, desk.folder / "office"
    folder.mkdir(exist_ok=True)
    leaf = pki.leaf(HOLDER)

    def sign(data: bytes) -> bytes:
        return leaf.private_key.sign(data, padding.PKCS1v15(), hashes.SHA256())

    with office_server(pki, desk.data / "demo" / "server") as server, open_session(HttpSettings()) as session:
        desk.change_settings(server_url=through(server.url))
        pinned = PinnedServer(SERVER_ID, pki.leaf(Holder.SERVER).certificate_der)
        client = ServerClient(server.url, pinned, None, session)
        client.enrol(sign, leaf.chain_der, DeviceIdentity.create(OFFICE))
        yield Office(client, server, folder)
    desk.change_settings(server_url=desk.site.dead_url)
