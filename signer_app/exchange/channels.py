"""The channels of this machine's bodies: each opened when first wanted, kept for the run, opened anew when the settings
that made it are others.

Main process, any thread; who speaks on a channel holds its turn. Knows which adapter a body exchanges through, and
nothing of what is exchanged.
"""

import datetime as dt
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from signer_app.administration.minimum import require_version
from signer_app.exchange.network import http_settings, lgsp_account
from signer_app.exchange.session import is_ready, load_identity, pinned_server, server_address
from signer_app.store.settings import Body, ChannelKind, Exchange, Settings
from signer_resources.errors import KnownError
from signer_sync.client import ClientPool
from signer_sync.contract import Me
from signer_sync.folder_channel import FolderChannel
from signer_sync.lgsp import LgspChannel
from signer_sync.lgsp_settings import LgspCredentials
from signer_sync.packets import SignedReceipt
from signer_sync.ports import Channel
from signer_sync.sync_channel import SyncChannel

if TYPE_CHECKING:
    from signer_app.registers.leasing import NumberServer
    from signer_app.workspace import Workspace


ReceiptOf = Callable[[str, str], SignedReceipt]
"""The receipt of a packet by its id and SHA-256, checked; ExchangeError where the server doesn't have it."""


def _no_word() -> Me | None:
    return None


def _no_time() -> float | None:
    return None


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Way:
    """A body's open channel. `me`: what the server takes this machine for, None where the channel has no such thing;
    `ahead`: seconds by which the server's clock is ahead of ours, once it has answered; `hurry`: a person wants to know
    what is there now.
    """

    channel: Channel
    made_of: object = field(repr=False)
    me: Callable[[], Me | None] = _no_word
    ahead: Callable[[], float | None] = _no_time
    hurry: Callable[[], None] = _nothing
    close: Callable[[], None] = _nothing
    numbers: "NumberServer | None" = None
    """The registers of numbers that the other side keeps, where it does."""
    receipt: ReceiptOf | None = None
    """Asks for what was sent before; None where the channel gives no receipts."""
    turn: threading.RLock = field(default_factory=threading.RLock, repr=False)
    """Held by the one thread that speaks on it."""
    looked: dict[str, dt.datetime] = field(default_factory=dict, repr=False)
    """When what is looked at now and then was looked at last."""


class Channels:
    """The ways that are open; close it after use."""

    def __init__(self, space: "Workspace") -> None:
        self._space = space
        self._ways: dict[str, Way] = {}
        self._turn = threading.Lock()

    def get(self, body: Body) -> Way:
        """The body's way, opened if it isn't yet or if it was opened under other settings.

        KnownError "exchange_external", "server_not_set", "not_enrolled", "lgsp_not_set", "folder_not_set",
        "proxy_address_wrong", "program_too_old".
        """
        require_version(self._space.settings)
        if body.exchange is not Exchange.SERVER:
            raise KnownError("exchange_external", body=body.name)
        with self._turn:
            settings = self._space.settings
            account = lgsp_account(self._space, body.code) if body.channel is ChannelKind.LGSP else None
            wanted = _made_of(settings, body, account)
            before = self._ways.get(body.code)
            if before is not None and before.made_of == wanted:
                return before
            way = self._open(settings, body, account, wanted)
            self._ways[body.code] = way
        if before is not None:
            _end(before)
        return way

    def close(self) -> None:
        """Ends all ways."""
        with self._turn:
            ways, self._ways = list(self._ways.values()), {}
        for way in ways:
            _end(way)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _open(self, settings: Settings, body: Body, account: LgspCredentials | None, made_of: object) -> Way:
        match body.channel:
            case ChannelKind.FOLDER:
                if body.exchange_folder is None:
                    raise KnownError("folder_not_set", body=body.name)
                folder = Path(body.exchange_folder)
                FolderChannel.set_up(folder, body.code)
                return Way(FolderChannel(folder, body.code), made_of)
            case ChannelKind.LGSP:
                return self._open_lgsp(body, account, made_of)
        address = server_address(settings, body)
        pinned = pinned_server(settings, body)
        server = settings.server_of(body)
        if server is None or pinned is None or not is_ready(settings, body):
            raise KnownError("not_enrolled")
        identity = load_identity(self._space, server.devices[body.code], body.code)
        pool = ClientPool(address, pinned, identity, http_settings(self._space))
        return Way(
            SyncChannel(pool),
            made_of,
            pool.me,
            lambda: pool.ahead,
            close=pool.close,
            numbers=pool,
            receipt=pool.receipt,
        )

    def _open_lgsp(self, body: Body, account: LgspCredentials | None, made_of: object) -> Way:
        if body.lgsp is None or account is None:
            raise KnownError("lgsp_not_set", body=body.name)
        channel = LgspChannel(
            body.code,
            body.lgsp,
            account,
            http=http_settings(self._space),
            memory=StoredLogins(self._space),
            now=self._space.now,
        )
        return Way(channel, made_of, hurry=channel.hurry, close=channel.close)


class StoredLogins:
    """`signer_sync.lgsp_settings.LoginMemory` over the store: a refused password is not tried again after a restart."""

    def __init__(self, space: "Workspace") -> None:
        self._space = space

    def is_refused(self, revision: str) -> bool:
        """Whether a login with these credentials was refused."""
        with self._space.store.view() as view:
            return view.notices.is_login_refused(revision)

    def refused(self, revision: str) -> None:
        """A login with these credentials was refused just now."""
        now: dt.datetime = self._space.now()
        self._space.store.write(lambda tx: tx.notices.login_refused(revision, now))

    def taken(self, revision: str) -> None:
        """A login with these credentials succeeded."""
        if self.is_refused(revision):
            self._space.store.write(lambda tx: tx.notices.login_taken(revision))


def _made_of(settings: Settings, body: Body, account: LgspCredentials | None) -> object:
    """All that a way is made of; another value means another way."""
    match body.channel:
        case ChannelKind.FOLDER:
            return body.channel, body.exchange_folder
        case ChannelKind.LGSP:
            return body.channel, body.lgsp, account.revision if account is not None else None, settings.network
    server = settings.server_of(body)
    address = server_address(settings, body)
    known = (server.server_id, server.signer_certificate_der, server.devices.get(body.code)) if server else None
    return body.channel, address, known, settings.network


def _end(way: Way) -> None:
    with suppress(KnownError):
        way.close()
