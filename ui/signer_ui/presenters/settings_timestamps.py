"""The timestamp servers as a form: in the order in which they are asked, with what they grant; and how kept documents
are raised afterwards.

Plain values, no screen, no disk.
"""

from dataclasses import dataclass, replace

import msgspec

from signer_app.desk.setup import tsa_address_is_right
from signer_app.store.settings import ArchiveLevel, Settings, TimestampServer
from signer_ui.presenters.settings import Change, Field, Problem

LEVELS: tuple[tuple[ArchiveLevel, str], ...] = (
    (ArchiveLevel.B_B, "ub_level_none"),
    (ArchiveLevel.B_T, "ub_level_time"),
    (ArchiveLevel.B_LT, "ub_level_proof"),
    (ArchiveLevel.B_LTA, "ub_level_archive"),
)
"""Each level with its words, from low to high."""


@dataclass(frozen=True)
class ServerRow:
    """One server; `limit_s` seconds while a document is signed. What it grants is 0 where it doesn't say."""

    url: str = ""
    limit_s: int = 10
    per_minute: int = 0
    per_day: int = 0
    base: TimestampServer | None = None

    @classmethod
    def of(cls, server: TimestampServer) -> "ServerRow":
        """A server of the settings."""
        return cls(server.url, max(1, round(server.limit_s)), server.per_minute or 0, server.per_day or 0, server)

    def server(self) -> TimestampServer:
        """As it is set; what the form doesn't show stays."""
        base = self.base or TimestampServer(url="-")
        return msgspec.structs.replace(
            base,
            url=self.url.strip(),
            limit_s=float(self.limit_s),
            per_minute=self.per_minute or None,
            per_day=self.per_day or None,
        )


@dataclass(frozen=True)
class TimestampForm:
    """The servers, and the level to which documents are raised afterwards."""

    servers: tuple[ServerRow, ...] = ()
    level: ArchiveLevel = ArchiveLevel.B_LT

    @classmethod
    def of(cls, settings: Settings) -> "TimestampForm":
        """As it is set."""
        return cls(tuple(map(ServerRow.of, settings.timestamp_servers)), settings.archive_level)

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong: an address that can't be asked, or stands there twice."""
        urls = [row.url.strip() for row in self.servers]
        found = []
        for number, url in enumerate(urls):
            if not tsa_address_is_right(url):
                found.append(Problem(Field.TSA_URL, "ue_wrong_tsa_address", number))
            elif url in urls[:number]:
                found.append(Problem(Field.TSA_URL, "ub_wrong_tsa_twice", number))
        return tuple(found)

    def change(self) -> Change:
        """These servers and no others."""
        servers = tuple(row.server() for row in self.servers)
        first = servers[0] if servers else None

        def change(settings: Settings) -> Settings:
            return msgspec.structs.replace(
                settings,
                tsa_url=first.url if first else None,
                tsa_timeout_s=first.limit_s if first else settings.tsa_timeout_s,
                tsa_per_minute=first.per_minute if first else None,
                tsa_per_day=first.per_day if first else None,
                tsa_others=servers[1:],
                archive_level=self.level,
            )

        return change

    def with_row(self, number: int, row: ServerRow) -> "TimestampForm":
        """With something else in one row."""
        return replace(self, servers=(*self.servers[:number], row, *self.servers[number + 1 :]))

    def with_new(self, url: str) -> "TimestampForm":
        """With another server, asked last."""
        return replace(self, servers=(*self.servers, ServerRow(url)))

    def without(self, number: int) -> "TimestampForm":
        """Without this server."""
        return replace(self, servers=(*self.servers[:number], *self.servers[number + 1 :]))

    def moved(self, number: int, by: int) -> "TimestampForm":
        """With this server asked earlier (-1) or later (1)."""
        servers = list(self.servers)
        servers.insert(number + by, servers.pop(number))
        return replace(self, servers=tuple(servers))
