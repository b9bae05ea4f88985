"""What a command works with: data folder, settings, store, workers, token hosts, trust, and the way to ask a person.

Runs in the main process. One `Workspace` a command; it owns what it opened and closes it. Reading commands need no
lock and open the store read-only.
"""

import datetime as dt
import getpass
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from signer_app.administration.locking import kept, over
from signer_app.administration.machine import NO_MACHINE, Machine, read_machine
from signer_app.logs import for_children, log_folder, open_log
from signer_app.once import made_once
from signer_app.pdf.plan import VIETNAM
from signer_app.signing.revocation import RevocationCache
from signer_app.store import DataFolder, Settings, Store, load_settings, recover, save_settings
from signer_app.store.store import StoreReader
from signer_app.trust.kept import TrustStoreFile
from signer_app.verification.model import TrustMaterial
from signer_app.verification.trust_dir import load_trust_dir
from signer_app.workers import Workers, own_command
from signer_resources.errors import KnownError
from signer_resources.messages import Lang
from signer_token.client import TokenHost, TokenHosts
from signer_token.dumps import no_core_dumps

if TYPE_CHECKING:
    from signer_app.exchange.channels import Channels
    from signer_app.signing.clock import ClockWatch
    from signer_app.signing.timestamps import TimestampPool
    from signer_app.vault.vault import Vault
    from signer_sync.secrets import SecretStore


def vietnam_now() -> dt.datetime:
    """The present moment, in Vietnam's time."""
    return dt.datetime.now(VIETNAM)


def operator_name() -> str:
    """The account of the operating system: the first holder of a token until a hand-over is recorded."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "?"


@dataclass(frozen=True)
class Overrides:
    """What the command line says in place of the settings; `machine` reads what an administrator has set."""

    modules: tuple[Path, ...] = ()
    trust_dir: Path | None = None
    lang: Lang | None = None
    machine: Callable[[], Machine] = read_machine


class Workspace:
    """The parts that a command needs, each made when first asked for; by any thread. Use as made by `workspace`."""

    def __init__(
        self, folder: DataFolder, overrides: Overrides, stack: ExitStack, now: Callable[[], dt.datetime]
    ) -> None:
        self.folder = folder
        self.now = now
        self._overrides = overrides
        self._stack = stack
        self.once = threading.RLock()
        """Held while a part is made."""
        self._settings_turn = threading.Lock()
        self._holders = 0
        self._retired: list[TokenHosts] = []

    @made_once
    def settings(self) -> Settings:
        """The settings as they were on disk when first asked for, under those of the whole machine."""
        return over(self.machine, load_settings(self.folder))

    @made_once
    def machine(self) -> Machine:
        """What an administrator has set for the whole machine, as it was when first asked for."""
        # What an administrator sets leads to servers; training has none.
        return NO_MACHINE if self.folder.is_training else self._overrides.machine()

    def reload(self) -> None:
        """Forgets what was read of the settings, and what was made of it; hosts go only with their drivers, and only
        when no token is held any more.
        """
        with self.once:
            for name in ("settings", "_anchors", "timestamps"):
                self.__dict__.pop(name, None)
            hosts: TokenHosts | None = self.__dict__.get("hosts")
            if hosts is not None and hosts.modules != self._modules():
                del self.__dict__["hosts"]
                self._retired.append(hosts)
        self._close_retired()

    @contextmanager
    def tokens_held(self) -> Iterator[None]:
        """While somebody is logged in: settings that are changed meanwhile don't take the drivers away."""
        with self.once:
            self._holders += 1
        try:
            yield
        finally:
            with self.once:
                self._holders -= 1
            self._close_retired()

    @property
    def tokens_are_held(self) -> bool:
        """Whether somebody is logged in right now."""
        with self.once:
            return self._holders > 0

    def _close_retired(self) -> None:
        with self.once:
            if self._holders:
                return
            retired, self._retired = self._retired, []
        for hosts in retired:
            hosts.close()

    def hurry(self) -> None:
        """Nobody wants anything any more: workers and token hosts are ended whatever they do, without waiting."""
        self.workers.close(patience_s=0)
        with self.once:
            hosts: TokenHosts | None = self.__dict__.get("hosts")
            everyone = (*self._retired, *([hosts] if hosts is not None else []))
        for one in everyone:
            one.hurry()

    def change_settings(self, change: Callable[[Settings], Settings]) -> Settings:
        """Keeps `change` of the settings as they are on disk, whole or not at all; the new ones.

        Several threads write settings (enrolment does), so nobody hands in a whole that was read earlier. Raises what
        `change` raises, "setting_locked", and as `load_settings` and `save_settings`.
        """
        with self._settings_turn:
            stored = load_settings(self.folder)
            save_settings(self.folder, kept(self.machine, stored, change(over(self.machine, stored))))
            self.reload()
            return self.settings

    def on_close(self, end: Callable[[], None]) -> None:
        """Has `end` called when the workspace is closed, before what was made earlier."""
        self._stack.callback(end)

    @property
    def lang(self) -> Lang:
        """The language of everything that is said."""
        return self._overrides.lang or self.settings.language

    @made_once
    def workers(self) -> Workers:
        """The pool that touches PDF bytes."""
        return self._stack.enter_context(Workers())

    @made_once
    def hosts(self) -> TokenHosts:
        """One host for each driver: those of the command line, else those of the settings."""
        # From here on PINs may be typed into this process.
        no_core_dumps()
        # In a demo workspace the software token's configuration goes with it, whatever driver is named.
        extra = {"SOFTHSM2_CONF": self.settings.softhsm2_conf} if self.settings.softhsm2_conf else {}
        extra |= for_children()
        command = own_command("token-host")
        hosts = TokenHosts([TokenHost(command, module, env=extra) for module in self._modules()])
        return self._stack.enter_context(hosts)

    def _modules(self) -> tuple[Path, ...]:
        return self._overrides.modules or tuple(Path(module) for module in self.settings.modules)

    @made_once
    def secrets(self) -> "SecretStore":
        """Secrets that a person typed: in the keyring, or in memory until the end."""
        from keyring.backends.null import Keyring

        from signer_sync.secrets import SecretStore

        # A demo workspace is thrown away whole, so nothing of it goes into the user's keyring.
        return SecretStore(Keyring() if self.settings.softhsm2_conf else None)  # type: ignore[no-untyped-call]

    @made_once
    def channels(self) -> "Channels":
        """The ways on which this machine's bodies exchange."""
        from signer_app.exchange.channels import Channels

        return self._stack.enter_context(Channels(self))

    @made_once
    def revocation(self) -> RevocationCache:
        """CRLs kept from before, and the way to newer ones."""
        return RevocationCache(self.folder.cache, asks=not self.folder.is_training)

    @made_once
    def timestamps(self) -> "TimestampPool | None":
        """The timestamp servers of the settings, for the owner of the lock; None where none is set."""
        from signer_app.levels.uses import StoredUses
        from signer_app.signing.timestamps import TimestampPool, stands_on_anchor

        return TimestampPool.of(self.settings, StoredUses(self.store), lambda got: stands_on_anchor(got, self.trust))

    @made_once
    def clock(self) -> "ClockWatch":
        """What others said of the time, since this program was started."""
        from signer_app.signing.clock import ClockWatch

        return ClockWatch()

    @made_once
    def _anchors(self) -> TrustMaterial:
        settings = self.settings
        if self._overrides.trust_dir is not None:
            found = load_trust_dir(self._overrides.trust_dir)
        else:
            place = Path(settings.trust_dir) if settings.trust_dir else None
            found = self.trust_store.beside(load_trust_dir(place) if place is not None else TrustMaterial())
        return msgspec.structs.replace(
            found,
            national_roots=(settings.national_root,) if settings.national_root else (),
            legacy_sha1_before=settings.legacy_sha1_before,
        )

    @property
    def trust_store(self) -> TrustStoreFile:
        """The certificates that were imported on this machine."""
        settings = self.settings
        return TrustStoreFile(Path(settings.trust_store or self.folder.path / "trust"), settings.national_root)

    @property
    def trust(self) -> TrustMaterial:
        """The anchors and all that is in hand about revocation, right now."""
        return self.revocation.extend(self._anchors)

    @made_once
    def vault(self) -> "Vault":
        """The pictures of seals and signatures; the keyring is asked when one is wanted."""
        from signer_app.vault.opening import open_vault

        return open_vault(self.folder, self.settings)

    def look_after_pictures(self) -> None:
        """Takes pictures that lie plain into the vault, and drops those that nothing names any more. Once, at the start
        of the lock's owner.

        What hinders it (settings that can't be read, a locked keyring, a full disk) is told by those who want a
        picture; the next start tries again.
        """
        if not self.folder.settings.exists():
            # Put aside by somebody, or not there yet: then nothing tells which pictures are still wanted.
            return
        with suppress(KnownError):
            if (self.folder.path / "vault").is_dir() or self.settings.has_plain_pictures:
                from signer_app.vault.moving import look_after

                if look_after(self.folder, self.vault):
                    self.reload()

    @made_once
    def store(self) -> Store:
        """The writer; only under the lock. Puts right what an earlier process left half-done."""
        from signer_app.exchange.directory import take_over_json

        store = self._stack.enter_context(Store.open(self.folder))
        recover(store)
        take_over_json(store)
        return store

    @made_once
    def reader(self) -> StoreReader:
        """The store for reading."""
        return self._stack.enter_context(Store.read_only(self.folder))


@contextmanager
def workspace(
    path: Path, overrides: Overrides, *, writing: bool, now: Callable[[], dt.datetime] = vietnam_now
) -> Iterator[Workspace]:
    """A workspace on the data folder `path`; `writing` takes its lock for the time of the command.

    KnownError "busy" when another process has the lock, "restore_unfinished" where the folder was not wholly restored,
    and those of the data folder and settings.
    """
    folder = DataFolder(path)
    with ExitStack() as stack:
        if writing:
            folder.create()
            stack.enter_context(folder.lock())
        if folder.restoring.exists():
            raise KnownError("restore_unfinished", folder=str(folder.path))
        if folder.is_training and overrides.modules:
            raise KnownError("training_own_token")
        before = log_folder()
        open_log(folder.logs)
        if before is not None:
            # One within another (a test of the program, a training folder): the outer one's log goes on.
            stack.callback(open_log, before)
        space = Workspace(folder, overrides, stack, now)
        if writing:
            space.look_after_pictures()
        yield space
