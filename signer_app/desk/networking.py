"""The way to the servers as the settings say it: secrets that are typed for it, and trying it out.

Main process; every method may block (keyring, network), so none is called on a UI thread. What was typed as a secret is
kept by name in the keyring, or in memory until the program ends, and is never given back to a screen.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from signer_app.exchange.channels import Way
from signer_app.exchange.network import (
    forget_lgsp_account,
    http_settings,
    lgsp_account_kept,
    save_lgsp_account,
    save_proxy_password,
)
from signer_app.exchange.session import is_ready, pinned_server, server_address
from signer_app.signing.clock import ClockWatch, TimeSource
from signer_app.store.settings import Body, ChannelKind, Exchange, Settings
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.client import discover
from signer_sync.http import open_session
from signer_sync.lgsp_settings import LgspCredentials
from signer_sync.proxies import PROXY_PASSWORD, ProxyMode, ProxySettings, resolve
from signer_sync.secrets import MAX_SECRET, Kept, Secret
from signer_sync.tls import trusting

__all__ = ["NO_ACCOUNT", "NO_SECRET", "Account", "Kept", "KeptSecrets", "Networking", "Secret", "Tried"]

NO_SECRET = Secret("")
"""Nothing was typed."""
_TURN_S = 60.0
"""So long a pass that speaks on the same way is waited for."""
_LONGEST_ACCOUNT = MAX_SECRET - 150
"""Letters of name, password and key together; the rest is what holds them."""


@dataclass(frozen=True)
class KeptSecrets:
    """Where each secret is, None where nobody has typed it: the proxy's password, each body's account by its code."""

    proxy: Kept | None = None
    lgsp: Mapping[str, Kept | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Account:
    """A body's account at its LGSP as it was typed; shows none of it."""

    username: str = ""
    password: Secret = NO_SECRET
    secret_key: Secret = NO_SECRET

    def __repr__(self) -> str:
        return "Account(…)"

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed: what is kept stays."""
        return not (self.username.strip() or self.password.reveal() or self.secret_key.reveal())

    @property
    def is_whole(self) -> bool:
        """Whether all of it was typed, and can be kept and sent."""
        parts = self.username.strip(), self.password.reveal(), self.secret_key.reveal()
        if not all(parts) or sum(map(len, parts)) > _LONGEST_ACCOUNT:
            return False
        try:
            LgspCredentials(*parts, revision="-")
        except ValueError:
            return False
        return True


NO_ACCOUNT = Account()
"""Nothing was typed: what is kept stays."""


@dataclass(frozen=True)
class Tried:
    """How one way answered. `name`: the body's, empty for the machine's server without a body; `enrolled`: whether this
    machine may exchange there. `error`: why it didn't answer as it should; `clock`: that this machine's clock is wrong.
    """

    name: str
    channel: ChannelKind
    enrolled: bool = True
    server_id: str = ""
    error: KnownError | None = None
    clock: KnownError | None = None


class Networking:
    """Secrets and trials of one workspace. `clock` hears what servers say of the time; None: the workspace's own."""

    def __init__(self, space: Workspace, clock: ClockWatch | None = None) -> None:
        self._space = space
        self._clock = clock if clock is not None else space.clock

    # ---- secrets ---------------------------------------------------------------------------------------------------

    def kept(self) -> KeptSecrets:
        """Where the secrets are."""
        space = self._space
        codes = [body.code for body in space.settings.bodies if body.channel is ChannelKind.LGSP]
        return KeptSecrets(space.secrets.kept(PROXY_PASSWORD), {code: lgsp_account_kept(space, code) for code in codes})

    def save_proxy_password(self, password: Secret) -> Kept:
        """Keeps it in place of an earlier one."""
        return save_proxy_password(self._space, password)

    def forget_proxy_password(self) -> None:
        """KnownError "secret_not_deleted"."""
        self._space.secrets.delete(PROXY_PASSWORD)

    def save_account(self, org: str, account: Account) -> Kept:
        """Keeps a body's account; ValueError unless `is_whole`."""
        if not account.is_whole:
            raise ValueError("not a whole account")
        return save_lgsp_account(self._space, org, account.username.strip(), account.password, account.secret_key)

    def forget_account(self, org: str) -> None:
        """KnownError "secret_not_deleted"."""
        forget_lgsp_account(self._space, org)

    # ---- trying ----------------------------------------------------------------------------------------------------

    def try_ways(self) -> tuple[Tried, ...]:
        """Asks the other side of every body that this program exchanges for, as the settings on disk say; without a
        body, the machine's server. None of them: nothing is set. No failure of the network is raised.

        Where another process has the data folder, only what needs no writing is asked.
        """
        settings = self._space.settings
        bodies = [body for body in settings.bodies if body.exchange is Exchange.SERVER]
        if settings.bodies or settings.server is None:
            return tuple(found for body in bodies if (found := self._try(settings, body)) is not None)
        return (self._meet(settings, None),)

    def _try(self, settings: Settings, body: Body) -> Tried | None:
        if body.channel is ChannelKind.SYNC and not is_ready(settings, body):
            if settings.server_of(body) is None:
                return Tried(body.name, body.channel, enrolled=False, error=KnownError("server_not_set"))
            return self._meet(settings, body)
        if body.channel is not ChannelKind.SYNC and not self._space.folder.locked:
            return None
        known = settings.server_of(body) if body.channel is ChannelKind.SYNC else None
        server_id = (known.server_id or "") if known is not None else ""
        try:
            clock = self._contact(self._space.channels.get(body))
        except KnownError as error:
            return Tried(body.name, body.channel, server_id=server_id, error=error)
        return Tried(body.name, body.channel, server_id=server_id, clock=clock)

    def _contact(self, way: Way) -> KnownError | None:
        """KnownError where it isn't there; what is to be said about the clock."""
        if not way.turn.acquire(timeout=_TURN_S):
            raise KnownError("exchange_running")
        try:
            way.hurry()
            before = self._space.now()
            contact = way.channel.contact()
            after = self._space.now()
        finally:
            way.turn.release()
        return self._heard(contact.server_time, before, after, TimeSource.SERVER)

    def _meet(self, settings: Settings, body: Body | None) -> Tried:
        """Who is at the address, before this machine is enrolled there."""
        name, before = body.name if body is not None else "", self._space.now()
        try:
            with open_session(http_settings(self._space)) as session:
                offered = discover(session, server_address(settings, body))
        except KnownError as error:
            return Tried(name, ChannelKind.SYNC, enrolled=False, error=error)
        pinned, meta = pinned_server(settings, body), offered.meta
        if pinned is not None and pinned.server_id != meta.server_id:
            other = KnownError("server_not_ours", host=urlsplit(server_address(settings, body)).hostname or "?")
            return Tried(name, ChannelKind.SYNC, enrolled=False, server_id=meta.server_id, error=other)
        there = dt.datetime.fromisoformat(meta.server_time)
        clock = self._heard(there, before, self._space.now(), TimeSource.STRANGER)
        return Tried(name, ChannelKind.SYNC, enrolled=False, server_id=meta.server_id, clock=clock)

    def _heard(
        self, there: dt.datetime | None, before: dt.datetime, after: dt.datetime, source: TimeSource
    ) -> KnownError | None:
        if there is None:
            return None
        self._clock.saw(there, before + (after - before) / 2, source)
        return self._clock.warning(after)


def proxy_address_is_right(address: str) -> bool:
    """Whether this can be a proxy's address: http or https, a name, no user or password in it."""
    try:
        resolve(ProxySettings(ProxyMode.MANUAL, address.strip()))
    except KnownError:
        return False
    return True


def has_certificates(file: Path) -> bool:
    """Whether authorities can be read from the file; looks at the disk."""
    try:
        trusting(file)
    except KnownError:
        return False
    return True
