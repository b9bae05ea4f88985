"""Does the installed program work on this machine? Each part is tried once, as a document's day would use it.

Main process, with its own children; blocks for some seconds. Everything is made in a folder of its own and thrown away;
no token's PIN is spent, the user's keyring gets one entry for a moment, no server is asked but one of our own on
loopback. Works frozen: nothing of tests or development is imported.
"""

import contextlib
import os
import secrets
import shutil
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from signer_app.administration.throwaway import Throwaway, make_throwaway
from signer_app.desk.surroundings import fonts_check
from signer_app.desk.trial import sample_page, sign_file
from signer_app.logs import log_event
from signer_app.once import made_once
from signer_app.pages import Pages
from signer_app.signing.certificates import SigningCertificate
from signer_app.store import DataFolder, Store
from signer_app.store.settings import CertificateRole
from signer_app.tasks import Verify
from signer_app.verification.certificate import assess_certificate
from signer_app.verification.model import Integrity, TrustMaterial
from signer_app.workers import own_command
from signer_app.workspace import Overrides, Workspace, workspace
from signer_resources.errors import KnownError
from signer_sync.http import HttpSettings, TransferError, TransferFault, open_session
from signer_sync.secrets import Kept, Secret, SecretStore
from signer_token.client import TokenHost, TokenHosts
from signer_token.model import PinState, Token, TokenCertificate

_DISK_BYTES = 8 << 20
_CHUNK = 1 << 20
_SLOW_DISK = 2.0
"""MB a second below which every document is felt."""
_TLS_S = 10.0
_HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n"


class Step(StrEnum):
    """What is tried."""

    PKCS11 = "pkcs11"
    SIGN = "sign"
    VERIFY = "verify"
    RENDER = "render"
    KEYRING = "keyring"
    TLS = "tls"
    DATABASE = "database"
    FONTS = "fonts"
    DISK = "disk"


class StepState(StrEnum):
    """How it went."""

    GOOD = "good"
    WARN = "warn"
    """It works in another way than it should."""
    BAD = "bad"
    NOT_TRIED = "not_tried"


@dataclass(frozen=True)
class Tried:
    """One step: `key` and `params` are a text of the catalogue that says what was found, `error` what is amiss."""

    step: Step
    state: StepState
    seconds: float
    key: str
    params: Mapping[str, object] = field(default_factory=dict)
    error: KnownError | None = None


@dataclass(frozen=True)
class _Found:
    key: str
    params: Mapping[str, object] = field(default_factory=dict)
    state: StepState = StepState.GOOD
    error: KnownError | None = None


class SelfTest:
    """One run over a workspace of its own; `space` is the user's, of which only place, drivers and keyring are used."""

    def __init__(self, space: Workspace, secret_store: Callable[[], SecretStore] = SecretStore) -> None:
        self._space = space
        self._secret_store = secret_store
        self.once = threading.RLock()
        """Held while a part is made."""

    def run(self, told: Callable[[Tried], None] = lambda _tried: None) -> tuple[Tried, ...]:
        """Every step in its order; one that fails hinders none that doesn't need it. `told` hears of each at once.

        KnownError "output_unwritable" or "disk_full" where not even a folder for it can be made.
        """
        steps: dict[Step, Callable[[Workspace, Path], _Found]] = {
            Step.PKCS11: self._pkcs11,
            Step.SIGN: self._sign,
            Step.VERIFY: self._verify,
            Step.RENDER: self._render,
            Step.KEYRING: self._keyring,
            Step.TLS: self._tls,
            Step.DATABASE: self._database,
            Step.FONTS: self._fonts,
            Step.DISK: self._disk,
        }
        done = []
        with _own_folder() as folder, workspace(folder / "data", Overrides(), writing=True) as own:
            for step, work in steps.items():
                begun = time.monotonic()
                try:
                    found = work(own, folder)
                except KnownError as error:
                    found = _Found("ua_self_failed", state=StepState.BAD, error=error)
                except Exception as fault:  # noqa: BLE001 - what fails here is what is looked for
                    failed = KnownError("self_test_failed", kind=type(fault).__name__)
                    found = _Found("ua_self_failed", state=StepState.BAD, error=failed)
                seconds = round(time.monotonic() - begun, 2)
                done.append(Tried(step, found.state, seconds, found.key, found.params, found.error))
                log_event("self_test", state=found.state, code=found.error.code if found.error else None)
                told(done[-1])
        return tuple(done)

    @made_once
    def _throwaway(self) -> Throwaway:
        return make_throwaway(self._space.now())

    @property
    def _trust(self) -> TrustMaterial:
        return TrustMaterial(anchors=(self._throwaway.authority_der,))

    # ---- the token's side ------------------------------------------------------------------------------------------

    def _pkcs11(self, _own: Workspace, folder: Path) -> _Found:
        """Loads the drivers that are set, else SoftHSM where it is there, in a child as always."""
        modules = self._space.hosts.modules
        if modules:
            listing = self._space.hosts.tokens(fresh=True)
            if listing.faults:
                raise listing.faults[0].error
            return _Found("ua_self_pkcs11", {"names": ", ".join(m.name for m in modules), "count": len(listing.tokens)})
        from signer_app.demo.softhsm import find_module

        try:
            module = find_module(os.environ)
        except KnownError:
            return _Found("ua_self_pkcs11_none", state=StepState.NOT_TRIED)
        tokens = folder / "tokens"
        tokens.mkdir(mode=0o700)
        conf = folder / "softhsm2.conf"
        conf.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\n", encoding="utf-8")
        host = TokenHost(own_command("token-host"), module, env={"SOFTHSM2_CONF": str(conf)})
        with TokenHosts([host]) as hosts:
            listing = hosts.tokens()
        if listing.faults:
            raise listing.faults[0].error
        return _Found("ua_self_pkcs11", {"names": module.name, "count": len(listing.tokens)})

    # ---- documents -------------------------------------------------------------------------------------------------

    def _sign(self, own: Workspace, folder: Path) -> _Found:
        """A page through preflight, prepare, finish and recheck, signed by a key of the moment."""
        page = folder / "page.pdf"
        page.write_bytes(sample_page())
        certificate = TokenCertificate.from_der(self._throwaway.signer_der, key_present=True)
        assert certificate is not None
        token = Token("self-test", "0", "", "", Path("self-test"), PinState.OK, (certificate,))
        state = assess_certificate(certificate.der, self._trust, own.now())
        chosen = SigningCertificate(token, certificate, CertificateRole.PERSONAL, None, state)
        sign_file(own, chosen, self._throwaway.sign, page, folder / "signed.pdf")
        return _Found("ua_self_sign")

    def _verify(self, own: Workspace, folder: Path) -> _Found:
        """The signed page is intact, and no longer after one byte of it was changed."""
        signed, altered = folder / "signed.pdf", folder / "altered.pdf"
        if not signed.exists():
            return _Found("ua_self_not_without_signing", state=StepState.NOT_TRIED)
        content = bytearray(signed.read_bytes())
        content[content.index(b"test signature")] ^= 1
        altered.write_bytes(content)
        whole, broken = (
            own.workers.verify(Verify(str(file), self._trust, own.now())).report for file in (signed, altered)
        )
        if [one.integrity for one in whole.signatures] != [Integrity.INTACT]:
            raise KnownError("self_test_verify")
        if [one.integrity for one in broken.signatures] != [Integrity.BROKEN]:
            raise KnownError("self_test_verify")
        return _Found("ua_self_verify")

    def _render(self, own: Workspace, folder: Path) -> _Found:
        """A picture of the page, which must have ink on it."""
        page = folder / "rendered.pdf"
        page.write_bytes(sample_page())
        pages = Pages(own)
        try:
            picture = pages.draw(page, 0, 595, 842)
        finally:
            pages.close()
        if len(set(picture.pixels)) < 2:
            raise KnownError("self_test_blank")
        return _Found("ua_self_render", {"width": picture.width, "height": picture.height})

    # ---- what the system gives -------------------------------------------------------------------------------------

    def _keyring(self, _own: Workspace, _folder: Path) -> _Found:
        """A secret of the moment is kept, read and forgotten."""
        store, secret = self._secret_store(), Secret(secrets.token_urlsafe(16))
        name = f"self-test:{secrets.token_hex(8)}"
        kept = store.save(name, secret)
        try:
            if store.load(name) != secret:
                raise KnownError("self_test_keyring")
        finally:
            store.delete(name)
        if kept is Kept.MEMORY:
            return _Found("ua_self_keyring_none", state=StepState.WARN, error=KnownError("self_test_no_keyring"))
        return _Found("ua_self_keyring")

    def _tls(self, _own: Workspace, folder: Path) -> _Found:
        """A server on loopback is reached under its own authority, and refused without."""
        server, authority = folder / "server.pem", folder / "authority.pem"
        descriptor = os.open(server, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(self._throwaway.server_pem)
        authority.write_bytes(self._throwaway.authority_pem)
        with _answering(server) as port:
            url = f"https://127.0.0.1:{port}/"
            with open_session(HttpSettings(extra_ca=authority, connect_timeout=_TLS_S, read_timeout=_TLS_S)) as known:
                version = known.get(url).text
            try:
                with open_session(HttpSettings(connect_timeout=_TLS_S, read_timeout=_TLS_S)) as stranger:
                    stranger.get(url)
            except TransferError as error:
                refused = error.fault is TransferFault.TLS
            except ssl.SSLError:
                refused = True
            except Exception as error:  # noqa: BLE001 - which class it has is the session's affair
                refused = "CERTIFICATE_VERIFY_FAILED" in repr(error)
            else:
                refused = False
        if not refused:
            raise KnownError("self_test_tls")
        return _Found("ua_self_tls", {"version": version})

    def _database(self, _own: Workspace, folder: Path) -> _Found:
        """A database of the program's own shape is made, written to and read through."""
        import sqlite3

        place = DataFolder(folder / "database")
        with place.lock(), Store.open(place) as store, store.view() as view:
            if not view.listings.is_sound():
                raise KnownError("database_damaged", file=str(place.database))
        return _Found("ua_self_database", {"version": sqlite3.sqlite_version})

    def _fonts(self, _own: Workspace, _folder: Path) -> _Found:
        check = fonts_check()
        return _Found(check.key, check.params, StepState.BAD if check.error else StepState.GOOD, check.error)

    def _disk(self, _own: Workspace, folder: Path) -> _Found:
        """Where the data is, or is going to be: written durably, timed."""
        wanted = self._space.folder.path
        place = wanted if wanted.is_dir() else folder
        begun = time.monotonic()
        with tempfile.TemporaryFile(dir=place) as probe:
            for _ in range(_DISK_BYTES // _CHUNK):
                probe.write(secrets.token_bytes(_CHUNK))
            probe.flush()
            os.fsync(probe.fileno())
        speed = (_DISK_BYTES >> 20) / max(time.monotonic() - begun, 1e-3)
        params = {"speed": f"{speed:.0f}", "free": f"{shutil.disk_usage(place).free >> 20} MB"}
        if speed < _SLOW_DISK:
            return _Found("ua_self_disk", params, StepState.WARN, KnownError("self_test_slow_disk"))
        return _Found("ua_self_disk", params)


@contextmanager
def _own_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="signer-self-test-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _answering(pem: Path) -> Iterator[int]:
    """A server on loopback that answers each connection with its version of TLS; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(pem)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _address = listening.accept()
                except OSError:
                    return
                with contextlib.suppress(OSError), connection:
                    connection.settimeout(_TLS_S)
                    with context.wrap_socket(connection, server_side=True) as secure:
                        secure.recv(4096)
                        words = (secure.version() or "?").encode()
                        secure.sendall(_HEAD % len(words) + words)

        thread = threading.Thread(target=serve, name="self-test server", daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            # Closing alone leaves a thread in `accept` waiting on Linux.
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()
            thread.join(_TLS_S)
