"""Who the document server of a body is, whether this machine is known there, and its enrolment.

Main process, on the network side. Sending needs no PIN: the token signs once at enrolment for a device key, which
from then on speaks for this machine and can be revoked by the server.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
from asn1crypto import x509

from signer_app.exchange.directory import refresh, source_of
from signer_app.exchange.network import http_settings
from signer_app.signing.certificates import SigningCertificate
from signer_app.store import Settings
from signer_app.store.model import JournalAction, TokenUse
from signer_app.store.settings import Body, ChannelKind, Exchange, ServerSettings
from signer_app.workspace import Workspace, operator_name
from signer_resources.errors import KnownError
from signer_sync.client import ClientPool, PinnedServer, ServerClient, discover
from signer_sync.http import open_session
from signer_sync.keystore import DeviceIdentity, FileKeyStore, KeyStore, KeyStoreKind, choose_key_store
from signer_sync.secrets import Secret
from signer_token.client import TokenSession


@dataclass(frozen=True)
class Enrolled:
    """The result of an enrolment: for which organisation, and where the device key lies."""

    org: str
    server_id: str
    key_store: KeyStoreKind


def server_address(settings: Settings, body: Body | None = None) -> str:
    """The address of the machine's server: SIGNER_SERVER_URL if set, for the same server elsewhere; its identity stays
    pinned. Of a body that has a server of its own, that one's. KnownError "server_not_set".
    """
    if body is not None and body.server is not None:
        return body.server.url
    if settings.server is None:
        raise KnownError("server_not_set")
    return os.environ.get("SIGNER_SERVER_URL") or settings.server.url


def exchanging_bodies(settings: Settings) -> tuple[Body, ...]:
    """Bodies for which this program sends and receives, and whose channel is ready for it."""
    return tuple(b for b in settings.bodies if b.exchange is Exchange.SERVER and is_ready(settings, b))


def is_ready(settings: Settings, body: Body) -> bool:
    """Whether what the body's channel needs is set; of the Sync API, whether this machine is enrolled."""
    match body.channel:
        case ChannelKind.LGSP:
            return body.lgsp is not None
        case ChannelKind.FOLDER:
            return body.exchange_folder is not None
    server = settings.server_of(body)
    return server is not None and body.code in server.devices


def only_signs(settings: Settings) -> bool:
    """Whether other systems exchange for all bodies of this machine: nothing is sent or fetched here."""
    return bool(settings.bodies) and all(body.exchange is Exchange.EXTERNAL for body in settings.bodies)


def has_channel(settings: Settings) -> bool:
    """Whether anything is set by which a body could exchange."""
    if settings.server is not None:
        return True
    return any(
        body.server is not None or body.lgsp is not None or body.exchange_folder is not None for body in settings.bodies
    )


def pinned_server(settings: Settings, body: Body | None) -> PinnedServer | None:
    """The identity that was pinned of the body's server, or of the machine's."""
    server = settings.server_of(body) if body is not None else settings.server
    if server is None or server.server_id is None or server.signer_certificate_der is None:
        return None
    return PinnedServer(server.server_id, server.signer_certificate_der)


@contextmanager
def client(space: Workspace, org: str) -> Iterator[ClientPool]:
    """A client of the pinned server for this organisation; KnownError "server_not_set", "not_enrolled",
    "proxy_address_wrong".
    """
    settings = space.settings
    body = settings.body(org)
    address = server_address(settings, body)
    server, pinned = settings.server_of(body) if body is not None else settings.server, pinned_server(settings, body)
    if server is None or pinned is None or org not in server.devices:
        raise KnownError("not_enrolled")
    identity = load_identity(space, server.devices[org], org)
    with ClientPool(address, pinned, identity, http_settings(space)) as pool:
        yield pool


def enrol(space: Workspace, chosen: SigningCertificate, session: TokenSession) -> Enrolled:
    """Enrols this machine for the certificate's body; pins the server that answers.

    One signature of the token over an object that is built here, whole; never over bytes that came from the server.
    """
    settings, body = space.settings, chosen.body
    if settings.server is None and (body is None or body.server is None):
        raise KnownError("server_not_set")
    if body is None:
        raise KnownError("certificate_not_of_body", certificate=chosen.certificate.common_name)
    address = server_address(settings, body)
    store = _key_store(space)
    with open_session(http_settings(space)) as http:
        known = settings.server_of(body)
        assert known is not None
        if known.server_id is not None and known.signer_certificate_der is not None:
            pinned = PinnedServer(known.server_id, known.signer_certificate_der)
        else:
            pinned = discover(http, address).pinned
        device = DeviceIdentity.create(body.code)
        device.save(store)
        speaker = ServerClient(address, pinned, None, http)
        chain = [chosen.certificate.der, *_without_root(chosen.chain)]
        kept_code = store.load(_code_name(body.code))
        code = Secret(kept_code.decode()) if kept_code is not None else None
        speaker.enrol(session.sign, chain, device, code)
        refresh(space, speaker.orgs, source=source_of("sync", body.code))
    space.change_settings(lambda now: _with_device(now, known, pinned, device))
    use = TokenUse(
        action=JournalAction.ENROL,
        operator=operator_name(),
        certificate_sha256=chosen.certificate.sha256,
        token_serial=chosen.token.serial,
        result="ok",
    )
    space.store.write(lambda tx: tx.journal.append(use, space.now()))
    if code is not None:
        # It was good once. One that can't be taken out of the keyring now opens nothing any more.
        with suppress(KnownError):
            store.delete(_code_name(body.code))
    return Enrolled(body.code, pinned.server_id, store.kind)


def keep_enrolment_code(space: Workspace, org: str, code: Secret) -> None:
    """Keeps the one-time code that the next enrolment for this organisation brings along, where the device key will
    lie; KnownError "device_key_unavailable".
    """
    _key_store(space).save(_code_name(org), code.reveal().encode())


def _code_name(org: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"signer:enrolment-code:{org}"))


def _with_device(settings: Settings, asked: ServerSettings, pinned: PinnedServer, device: DeviceIdentity) -> Settings:
    """The settings with what an enrolment at the server `asked` has brought. They may have been changed since it began;
    KnownError "server_changed" where another server stands there now, which must not get this one's pins.
    """
    body = settings.body(device.org)
    now = settings.server_of(body) if body is not None else settings.server
    if now is None or (now.url, now.server_id or pinned.server_id) != (asked.url, pinned.server_id):
        raise KnownError("server_changed")
    server = msgspec.structs.replace(
        now,
        server_id=pinned.server_id,
        signer_certificate_der=pinned.certificate_der,
        devices={**now.devices, device.org: device.device},
    )
    if body is None or body.server is None:
        return msgspec.structs.replace(settings, server=server)
    own = msgspec.structs.replace(body, server=server)
    return msgspec.structs.replace(settings, bodies=tuple(own if one is body else one for one in settings.bodies))


def _key_store(space: Workspace) -> KeyStore:
    folder = _key_folder(space)
    # A demo workspace is thrown away whole, so nothing of it goes into the user's keyring.
    return FileKeyStore(folder) if space.settings.softhsm2_conf else choose_key_store(folder)


def load_identity(space: Workspace, device: str, org: str) -> DeviceIdentity:
    """The key under which this machine is enrolled; KnownError "not_enrolled", "device_key_unavailable"."""
    files = FileKeyStore(_key_folder(space))
    if files.load(device) is not None:
        return DeviceIdentity.load(files, device, org)
    return DeviceIdentity.load(_key_store(space), device, org)


def _key_folder(space: Workspace) -> Path:
    return space.folder.path / "keys"


def _without_root(chain: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(der for der in chain if (c := x509.Certificate.load(der)).issuer != c.subject)
