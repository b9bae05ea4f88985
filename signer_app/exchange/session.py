"""Opens the way to a body's document server, enrols this machine, and runs one pass of sending and receiving.

Main process, on the network side. Sending needs no PIN: the token signs once at enrolment for a device key, which
from then on speaks for this machine and can be revoked by the server.
"""

import datetime as dt
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from asn1crypto import x509

from signer_app.exchange.directory import Directory, KnownOrganisation, load_directory, save_directory
from signer_app.exchange.incoming import IncomingScreen
from signer_app.signing.batch import never
from signer_app.signing.certificates import SigningCertificate
from signer_app.signing.clock import TimeSource
from signer_app.store import Settings, Transaction
from signer_app.store.model import JournalAction, OutboxState, TokenUse
from signer_app.store.settings import Body, Exchange, ServerSettings
from signer_app.store.sync_stores import SqlInbox, SqlOutbox
from signer_app.workspace import Workspace, operator_name
from signer_resources.errors import KnownError
from signer_sync.client import PinnedServer, ServerClient, discover
from signer_sync.errors import ExchangeError
from signer_sync.http import HttpSettings, open_session
from signer_sync.keystore import DeviceIdentity, FileKeyStore, KeyStore, KeyStoreKind, choose_key_store
from signer_sync.outbox import Surroundings, SyncReport, sync_once
from signer_token.client import TokenSession

_ALL = 10_000_000
_DIRECTORY_AGE = dt.timedelta(hours=12)


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
    """Bodies for which this program sends and receives, and for which this machine is enrolled."""
    return tuple(b for b in settings.bodies if b.exchange is Exchange.SERVER and _is_enrolled(settings, b))


def _is_enrolled(settings: Settings, body: Body) -> bool:
    server = settings.server_of(body)
    return server is not None and body.code in server.devices


@contextmanager
def client(space: Workspace, org: str) -> Iterator[ServerClient]:
    """A client of the pinned server for this organisation; KnownError "server_not_set", "not_enrolled"."""
    settings = space.settings
    body = settings.body(org)
    address = server_address(settings, body)
    server = settings.server_of(body) if body is not None else settings.server
    if server is None or server.server_id is None or server.signer_certificate_der is None or org not in server.devices:
        raise KnownError("not_enrolled")
    identity = _load_identity(space, server.devices[org], org)
    pinned = PinnedServer(server.server_id, server.signer_certificate_der)
    with open_session(HttpSettings()) as session:
        yield ServerClient(address, pinned, identity, session)


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
    with open_session(HttpSettings()) as http:
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
        speaker.enrol(session.sign, chain, device)
        _remember_directory(space, speaker)
    space.change_settings(lambda now: _with_device(now, known, pinned, device))
    use = TokenUse(
        action=JournalAction.ENROL,
        operator=operator_name(),
        certificate_sha256=chosen.certificate.sha256,
        token_serial=chosen.token.serial,
        result="ok",
    )
    space.store.write(lambda tx: tx.journal.append(use, space.now()))
    return Enrolled(body.code, pinned.server_id, store.kind)


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


def try_again(space: Workspace) -> None:
    """Who asks for sending is the person that a stopped packet waited for: perhaps its cause was mended."""
    with space.store.view() as view:
        stopped = [p.packet_id for p in view.outbox.list(_ALL) if p.state is OutboxState.NEEDS_PERSON]

    def work(tx: Transaction) -> None:
        for packet_id in stopped:
            tx.outbox.queue_again(packet_id)

    if stopped:
        space.store.write(work)


def one_pass(
    space: Workspace,
    body: Body,
    *,
    at_once: bool,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] = never,
) -> SyncReport:
    """Sends what waits and fetches what came, once, for one body. Network failures are in the report.

    `cancelled` is asked before each packet, either way; then KnownError "interrupted".
    """
    with client(space, body.code) as server:
        report = sync_once(
            server,
            SqlOutbox(space.store, space.now, cancelled),
            SqlInbox(space.store, space.now, IncomingScreen(space.workers), cancelled),
            Surroundings(space.now, random.SystemRandom().uniform),
            at_once=at_once,
            progress=progress,
        )
        if server.ahead is not None:
            now = space.now()
            space.clock.saw(now + dt.timedelta(seconds=server.ahead), now, TimeSource.SERVER)
        if report.stopped is None:
            _refresh_directory(space, server)
        return report


def _refresh_directory(space: Workspace, server: ServerClient) -> None:
    known = load_directory(space.folder.cache)
    if known.fetched_at is None or space.now() - known.fetched_at > _DIRECTORY_AGE:
        try:
            _remember_directory(space, server)
        except ExchangeError:
            # Sending and receiving worked; an older directory does until the next pass.
            return


def _remember_directory(space: Workspace, server: ServerClient) -> None:
    page = server.orgs()
    organisations = tuple(KnownOrganisation(o.code, o.name, o.active) for o in page.items)
    save_directory(space.folder.cache, Directory(space.now(), organisations))


def _key_store(space: Workspace) -> KeyStore:
    folder = _key_folder(space)
    # A demo workspace is thrown away whole, so nothing of it goes into the user's keyring.
    return FileKeyStore(folder) if space.settings.softhsm2_conf else choose_key_store(folder)


def _load_identity(space: Workspace, device: str, org: str) -> DeviceIdentity:
    files = FileKeyStore(_key_folder(space))
    if files.load(device) is not None:
        return DeviceIdentity.load(files, device, org)
    return DeviceIdentity.load(_key_store(space), device, org)


def _key_folder(space: Workspace) -> Path:
    return space.folder.path / "keys"


def _without_root(chain: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(der for der in chain if (c := x509.Certificate.load(der)).issuer != c.subject)
