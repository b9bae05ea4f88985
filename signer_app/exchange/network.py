"""The way through the body's network, as the settings say: proxy, the body's own CA, and the secrets that go with them.

Main process, any thread. Secrets are read from the keyring when a way is opened, and are never kept here.
"""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from signer_app.store.settings import NetworkSettings
from signer_sync.http import HttpSettings
from signer_sync.ids import uuid7
from signer_sync.lgsp_settings import LgspCredentials
from signer_sync.proxies import PROXY_PASSWORD, ProxyMode, ProxySettings, resolve
from signer_sync.secrets import Kept, Secret

if TYPE_CHECKING:
    from signer_app.workspace import Workspace


class _Account(msgspec.Struct, frozen=True):
    """How an account of the LGSP lies in the keyring, as JSON."""

    username: str
    password: str
    secret_key: str
    revision: str

    def __repr__(self) -> str:
        return "_Account(…)"


def http_settings(space: "Workspace") -> HttpSettings:
    """How servers are reached under the settings of this moment; KnownError "proxy_address_wrong"."""
    network = space.settings.network
    password = space.secrets.load(PROXY_PASSWORD) if network.proxy_user else None
    ca = Path(network.extra_ca) if network.extra_ca is not None else None
    return HttpSettings(proxies=resolve(_proxy(network), password), extra_ca=ca)


def save_proxy_password(space: "Workspace", password: Secret) -> Kept:
    """Keeps the proxy's password, and says where; ways that are open go on with the one they have."""
    return space.secrets.save(PROXY_PASSWORD, password)


def save_lgsp_account(space: "Workspace", org: str, username: str, password: Secret, secret_key: Secret) -> Kept:
    """Keeps a body's account at its LGSP, and says where. Typed anew it is another one: a login that was refused with
    the old one is forgotten. ValueError if the key can't stand in a header, or all of it is too long.
    """
    account = _Account(username, password.reveal(), secret_key.reveal(), uuid7())
    LgspCredentials(account.username, account.password, account.secret_key, account.revision)
    return space.secrets.save(_name(org), Secret(msgspec.json.encode(account).decode()))


def lgsp_account(space: "Workspace", org: str) -> LgspCredentials | None:
    """A body's account at its LGSP; None where nobody has typed it, or the keyring doesn't give it out now."""
    kept = space.secrets.load(_name(org))
    if kept is None:
        return None
    try:
        account = msgspec.json.decode(kept.reveal(), type=_Account)
        return LgspCredentials(account.username, account.password, account.secret_key, account.revision)
    except (msgspec.MsgspecError, ValueError):
        return None


def lgsp_account_kept(space: "Workspace", org: str) -> Kept | None:
    """Where a body's account is kept; None where nobody has typed it."""
    return space.secrets.kept(_name(org))


def forget_lgsp_account(space: "Workspace", org: str) -> None:
    """Forgets it; KnownError "secret_not_deleted"."""
    space.secrets.delete(_name(org))


def _name(org: str) -> str:
    # A code may hold what no name of a secret may.
    return f"lgsp:{hashlib.sha256(org.encode()).hexdigest()[:32]}"


def _proxy(network: NetworkSettings) -> ProxySettings:
    return ProxySettings(ProxyMode(network.proxy.value), network.proxy_url, network.proxy_user, network.no_proxy)
