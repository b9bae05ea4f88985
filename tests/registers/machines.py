"""The machines of one body that is enrolled at a real document server, each with a data folder of its own."""

import msgspec
import pytest

from signer_app.desk.desk import Desk
from signer_app.exchange.passes import one_pass
from signer_app.outgoing.model import Changes
from signer_app.registers.rights import NumberRights, Standing
from signer_app.store.settings import Body, ServerSettings, Settings
from signer_resources.errors import KnownError
from signer_sync.contract import RegisterOffer
from signer_sync.keystore import FileKeyStore
from tests.desk.office import Office
from tests.server.world import COMMUNE, REGISTER, SERVER_ID, World, der, trust

OFFER = RegisterOffer(id=REGISTER, name="Quyết định", notation="{type}-UBND")
AWAY = "http://127.0.0.1:9"


class Machine:
    """One of the body's machines."""

    def __init__(self, place: Office, world: World) -> None:
        client = world.enrolled()
        assert client.device is not None
        self.place, self.device, self.url = place, client.device.device, world.server.url
        client.device.save(FileKeyStore(place.space.folder.path / "keys"))
        self._server = ServerSettings(
            url=self.url,
            server_id=SERVER_ID,
            signer_certificate_der=der(trust().server.certificate),
            devices={COMMUNE: self.device},
        )
        body = Body(code=COMMUNE, name="UBND xã Hòa Sơn")
        wanted = Settings(server=self._server, bodies=(body,), softhsm2_conf="/x/softhsm2.conf")
        place.space.change_settings(lambda _old: wanted)
        self.desk: Desk = place.desk
        self.rights = NumberRights(place.space)

    def online(self, reached: bool) -> None:
        server = msgspec.structs.replace(self._server, url=self.url if reached else AWAY)
        self.place.space.change_settings(lambda old: msgspec.structs.replace(old, server=server))

    def letter(self) -> str:
        """A decision that waits for its number."""
        before = {row.draft.id for row in self.desk.outgoing.rows()}
        self.place.draft()
        (made,) = {row.draft.id for row in self.desk.outgoing.rows()} - before
        self.desk.outgoing.edit(made, Changes(notation="QĐ-UBND"))
        return made

    def fill(self, *ids: str) -> list[str]:
        return [row.draft.label for row in self.desk.outgoing.fill(ids)]

    def next(self) -> str:
        (label,) = self.fill(self.letter())
        return label

    def refusal(self) -> str:
        with pytest.raises(KnownError) as caught:
            self.fill(self.letter())
        return caught.value.code

    def standing(self) -> Standing:
        (one,) = self.rights.standings()
        return one

    def sync(self) -> None:
        (body,) = self.place.space.settings.bodies
        assert one_pass(self.place.space, body, at_once=True).stopped is None

    def labels(self) -> dict[str, str]:
        return {row.draft.id: row.draft.label for row in self.desk.outgoing.rows()}
