"""One body's LGSP channel in tests: the server on loopback, the clocks of both, what waits there."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from signer_sync.edxml import Organ, ResponseFor, StatusCode, StatusMessage
from signer_sync.edxml_write import write_status
from signer_sync.http import HttpSettings
from signer_sync.lgsp import LgspChannel
from signer_sync.lgsp_settings import LgspCredentials, LgspSettings, LoginsOfThisRun
from signer_sync.packets import OutgoingPacket
from tests.server.world import COMMUNE, OFFICE, make_packet, packet_bytes
from tests.sync.lgsp_server import Lgsp, Listed, lgsp_server

TODAY = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
UNIT = Organ(OFFICE, "Sở Nội vụ")


@dataclass
class Unit:
    """One body's channel to a server, and the clocks of both."""

    lgsp: Lgsp
    folder: Path
    time: datetime = TODAY
    seconds: float = 0.0
    memory: LoginsOfThisRun = field(default_factory=LoginsOfThisRun)
    open: list[LgspChannel] = field(default_factory=list)

    def channel(self, *, read_timeout: float = 20, **changes: str) -> LgspChannel:
        known = {"username": self.lgsp.username, "password": self.lgsp.password, "secret_key": self.lgsp.secret_key}
        settings = LgspSettings(
            base_url=changes.pop("base_url", self.lgsp.url),
            application_code="QLVB",
            system_id=changes.pop("system_id", self.lgsp.system_id),
        )
        made = LgspChannel(
            COMMUNE,
            settings,
            LgspCredentials(**{**known, "revision": "1", **changes}),
            http=HttpSettings(connect_timeout=10, read_timeout=read_timeout),
            memory=self.memory,
            now=lambda: self.time,
            monotonic=lambda: self.seconds,
        )
        self.open.append(made)
        return made

    def packet(self, **changes: Any) -> OutgoingPacket:
        return make_packet(self.folder, created_at=TODAY, **changes)

    def answered(self, code: StatusCode, doc_id: str, document_id: str, *, sender: Organ = UNIT) -> Listed:
        """A receiver's status message about a document of ours, waiting at the server."""
        answers = ResponseFor(COMMUNE, "12/QĐ-UBND", "2026/11/20", document_id)
        out = io.BytesIO()
        write_status(StatusMessage(sender, answers, code, "lý do", TODAY), out)
        item = Listed(doc_id, out.getvalue(), kind="status", sender=sender.code)
        self.lgsp.waiting.append(item)
        return item

    def waits(self, doc_id: str, created: str = "2026/11/20 08:00:00", **more: Any) -> Listed:
        content = more.pop("content", None) or packet_bytes(self.folder)
        item = Listed(doc_id, content, created=created, **more)
        self.lgsp.waiting.append(item)
        return item


@contextmanager
def running_unit(folder: Path) -> Iterator[Unit]:
    """A server and a body that speaks with it."""
    with lgsp_server() as lgsp:
        made = Unit(lgsp, folder)
        lgsp.quirks.clock = lambda: made.time
        yield made
        for channel in made.open:
            channel.close()
