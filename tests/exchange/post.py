"""A clerk's workspace that is enrolled at a real document server, for tests of the exchange; nothing is signed with a
token, documents come into the store as the engine keeps them.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from signer_app.exchange import changing
from signer_app.exchange.directory import Directory, KnownOrganisation, save_directory
from signer_app.exchange.passes import one_pass
from signer_app.store.model import Document, OutboxPacket, Urgency
from signer_app.store.settings import Body, ServerSettings, Settings
from signer_sync.keystore import FileKeyStore
from signer_sync.reports import SyncReport
from tests.desk.office import MONDAY, Office, office
from tests.server.world import COMMUNE, OFFICE, OTHER, SERVER_ID, World, der, running, trust

ORG, FIRST, SECOND = COMMUNE, OFFICE, OTHER
NAME = "Ủy ban nhân dân xã Hòa Sơn"
FORGOTTEN = "H99.99"
"""A body that our directory has, and the server hasn't."""


@dataclass
class Post:
    """The workspace, its server, and what passes between them."""

    office: Office
    world: World

    def kept(self, number: str, urgency: Urgency = Urgency.NORMAL) -> Document:
        """A document that was signed and kept."""
        return self.office.signed(number, urgency=urgency, receivers=())

    def given(self, number: str, *receivers: str, urgency: Urgency = Urgency.NORMAL) -> OutboxPacket:
        """A document that was signed and given to be sent."""
        document = self.kept(number, urgency)
        return self.packet(changing.give(self.office.space, document.id, receivers or (FIRST,)))

    def sent(self, number: str, *receivers: str) -> OutboxPacket:
        """A document that the server has."""
        packet = self.given(number, *receivers)
        report = self.sync(at_once=True)
        assert report.stopped is None
        return self.packet(packet.packet_id)

    def packet(self, packet_id: str) -> OutboxPacket:
        with self.office.store.view() as view:
            return view.outbox.require(packet_id)

    def told(self, packet_id: str, org: str, code: str) -> None:
        """A status message of a receiver came."""
        edxml_id = self.packet(packet_id).edxml_id
        at = self.office.clock()
        self.office.clock.go_on(1)
        assert self.office.store.write(lambda tx: tx.outbox.receiver_told(edxml_id, org, code, at))

    def sync(self, *, at_once: bool = False) -> SyncReport:
        (body,) = self.office.space.settings.bodies
        return one_pass(self.office.space, body, at_once=at_once)

    def there(self) -> list[str]:
        """SHA-256 of all that the server keeps."""
        return sorted(
            hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (self.world.folder / "server" / "packets").glob("*/*")
            if path.is_file()
        )

    def moved(self) -> None:
        """The server may have another address by now."""
        server = self.office.space.settings.server
        assert server is not None
        self.change(server=msgspec.structs.replace(server, url=self.world.server.url))

    def change(self, **changes: object) -> Settings:
        return self.office.space.change_settings(lambda old: msgspec.structs.replace(old, **changes))


@contextmanager
def post(folder: Path) -> Iterator[Post]:
    (folder / "world").mkdir()
    with office(folder) as place, running(folder / "world") as world:
        device = world.enrolled(ORG).device
        assert device is not None
        device.save(FileKeyStore(place.space.folder.path / "keys"))
        server = ServerSettings(
            url=world.server.url,
            server_id=SERVER_ID,
            signer_certificate_der=der(trust().server.certificate),
            devices={ORG: device.device},
        )
        body = Body(code=ORG, name=NAME, place_name="Hòa Sơn")
        known = (ORG, FIRST, SECOND, FORGOTTEN)
        save_directory(
            place.store, Directory(MONDAY, tuple(KnownOrganisation(code, f"Cơ quan {code}") for code in known))
        )
        # As in a demonstration, so that no keyring of whoever runs the tests is touched.
        changed = Settings(server=server, bodies=(body,), clerk="Lê Thị Văn Thư", softhsm2_conf="/x/softhsm2.conf")
        place.space.change_settings(lambda _old: changed)
        yield Post(place, world)
